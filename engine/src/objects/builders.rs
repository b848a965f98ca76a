//! Makes a store of each type from its options.

use std::ffi::OsString;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, S3CopyIfNotExists};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::client::HttpConnector;
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::http::HttpBuilder;
use object_store::memory::InMemory;
use object_store::{
    BackoffConfig, ClientConfigKey, ClientOptions, CredentialProvider, Error,
    Result as StoreResult, RetryConfig,
};
use url::Url;

use crate::bindings::*;
use crate::error::{Result, coded};
use crate::runtime::Engine;

use super::Made;
use super::credentials::{Aws, Azure, Calls, Credentials, Gcp, Source};
use super::options::Given;
use super::renew::{Bearer, Provider, Rotating, S3};
use super::requests::{Connector, Requests};
use super::sources::{Container, Profile};
use super::uploads::{self, Uploads};

/// The options and all else that the builders take.
struct Parts<'a> {
    given: &'a Given,
    url: Url,
    client: ClientOptions,
    retry: RetryConfig,
    connector: Connector,
    calls: Option<Arc<Calls>>,
}

pub fn build(given: &Given, requests: &Arc<Requests>, engine: &Arc<Engine>) -> Result<Made> {
    let url = Url::parse(&given.url).map_err(|e| wrong(given, format!("no URL: {e}")))?;
    if given.kind == "memory" {
        let mut memory = engine.objects.memory.lock().unwrap();
        let store = memory.entry(given.url.clone()).or_insert_with(|| Arc::new(InMemory::new()));
        let multipart = Some(store.clone() as _);
        let store = store.clone();
        return Ok(Made { store, signer: None, multipart, uploads: None });
    }
    let defaults = RetryConfig::default();
    let retry = RetryConfig {
        backoff: BackoffConfig {
            init_backoff: given.time("backoff_config.init_backoff", Duration::from_millis(100))?,
            max_backoff: given.time("backoff_config.max_backoff", Duration::from_secs(15))?,
            base: defaults.backoff.base,
        },
        max_retries: given.number("max_retries", defaults.max_retries as u64)? as usize,
        retry_timeout: given.time("retry_timeout", defaults.retry_timeout)?,
    };
    let has_tls = !is_plain(given);
    let connector = Connector::new(requests, engine.io()?, given.guard, has_tls);
    let client = ClientOptions::new();
    let calls = given.credentials.clone();
    let parts = Parts { given, url, client, retry, connector, calls };
    match given.kind.as_str() {
        "s3" => parts.s3(),
        "azure" => parts.azure(),
        "gcs" => parts.gcs(),
        _ => parts.http(),
    }
}

/// Whether nothing is asked over TLS: neither the store, nor who gives credentials, nor a proxy.
fn is_plain(given: &Given) -> bool {
    let is_proxied = |(name, _): (OsString, OsString)| {
        name.to_ascii_lowercase().as_encoded_bytes().ends_with(b"_proxy")
    };
    given.kind == "s3"
        && given.get("endpoint").is_some_and(|url| url.starts_with("http://"))
        && (given.credentials.is_some() || given.get("access_key_id").is_some())
        && given.get("proxy_url").is_none()
        && !std::env::vars_os().any(is_proxied)
}

fn wrong(given: &Given, text: String) -> datafusion::common::DataFusionError {
    coded(WEIR_INVALID_ARGUMENT, "22023", format!("{}: {text}", given.url))
}

impl Parts<'_> {
    /// Sorts the options into the store's own and those of its HTTP client.
    fn sorted<K: FromStr>(&mut self) -> Result<Vec<(K, String)>> {
        let mut own = vec![];
        for (name, value) in self.given.clients() {
            match (ClientConfigKey::from_str(name), K::from_str(name)) {
                (Ok(key), _) => {
                    self.client = std::mem::take(&mut self.client).with_config(key, value);
                }
                (Err(_), Ok(key)) => own.push((key, value.to_string())),
                (Err(_), Err(_)) => return Err(self.given.refused(name)),
            }
        }
        Ok(own)
    }

    /// The bucket or container.
    fn bucket(&self) -> Result<String> {
        let host = self.url.host_str().filter(|host| !host.is_empty());
        host.map(str::to_string).ok_or_else(|| wrong(self.given, "no bucket is named".into()))
    }

    fn failed(&self, error: Error) -> datafusion::common::DataFusionError {
        wrong(self.given, super::innermost(&error))
    }

    /// Credentials of a source, or else those that the store library finds.
    fn rotating<P: CredentialProvider<Credential: PartialEq> + 'static>(
        &self,
        source: Option<Source>,
        of: fn(Arc<Credentials>) -> P,
        found: impl Fn() -> StoreResult<Provider<P::Credential>> + Send + Sync + 'static,
    ) -> Result<Arc<Rotating<P::Credential>>> {
        let asked = AtomicBool::new(false);
        let fresh = move || match &source {
            Some(source) => {
                let refused = asked.swap(true, Ordering::Relaxed);
                Ok(Arc::new(of(Credentials::new(source.clone(), refused))) as _)
            }
            None => found(),
        };
        Rotating::new(fresh).map_err(|e| self.failed(e))
    }

    /// What the store library does not know; None: it finds them itself.
    fn source_of_s3(&self) -> Result<Option<Source>> {
        if let Some(calls) = &self.calls {
            return Ok(Some(Source::C(calls.clone())));
        }
        let given = self.given;
        let has = |names: &[&str]| names.iter().any(|name| given.get(name).is_some());
        if has(&["access_key_id", "secret_access_key"])
            || given.get("skip_signature") == Some("true")
        {
            return Ok(None);
        }
        // These services are asked without TLS.
        let plain = self.client.clone().with_allow_http(true);
        let client = || self.connector.connect(&plain).map_err(|e| self.failed(e));
        let profile = |name: &str| -> Result<Option<Source>> {
            let address = |option: &str| given.get(option).map(str::to_string);
            let profile = Profile {
                name: name.to_string(),
                sso_endpoint: address("endpoint_url_sso"),
                oidc_endpoint: address("endpoint_url_sso_oidc"),
                sts_endpoint: address("endpoint_url_sts"),
            };
            Ok(Some(Source::Profile(profile, client()?)))
        };
        if let Some(name) = given.get("profile") {
            return profile(name);
        }
        if has(&["web_identity_token_file"]) {
            return Ok(None);
        }
        match Container::new(given).map_err(|e| self.failed(e))? {
            Some(container) => Ok(Some(Source::Container(container, client()?))),
            None if !has(&["metadata_endpoint"]) && Profile::has_default() => profile("default"),
            None => Ok(None),
        }
    }

    fn s3(mut self) -> Result<Made> {
        let own = self.sorted::<AmazonS3ConfigKey>()?;
        let source = self.source_of_s3()?;
        let region = self.given.get("region").map(str::to_string).or_else(|| match &source {
            Some(Source::Profile(profile, _)) => profile.region(),
            _ => None,
        });
        let region = region.unwrap_or_else(|| "us-east-1".to_string());
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(self.bucket()?)
            .with_region(&region)
            .with_copy_if_not_exists(S3CopyIfNotExists::Multipart)
            .with_client_options(self.client.clone())
            .with_retry(self.retry.clone())
            .with_http_connector(self.connector.clone());
        for (key, value) in own {
            builder = builder.with_config(key, value);
        }
        // Also set by the client's option, which the builder looks at itself.
        if self.given.get("allow_http") == Some("true") {
            builder = builder.with_allow_http(true);
        }
        let inner = builder.clone();
        let found = move || Ok(inner.clone().build()?.credentials().clone());
        let credentials = self.rotating(source, Aws, found)?;
        let connector = self
            .connector
            .resigning(S3 { credentials: credentials.clone(), region: region.clone() });
        let client = connector.connect(&self.client).map_err(|e| self.failed(e))?;
        let builder = builder.with_credentials(credentials.clone()).with_http_connector(connector);
        let store = Arc::new(builder.build().map_err(|e| self.failed(e))?);
        let bucket = Box::new(uploads::S3 { signer: store.clone(), credentials, region });
        let uploads = Uploads { bucket, client };
        Ok(Made {
            store: store.clone(),
            signer: Some(store.clone()),
            multipart: Some(store),
            uploads: Some(uploads),
        })
    }

    fn azure(mut self) -> Result<Made> {
        let own = self.sorted::<AzureConfigKey>()?;
        // abfss://container@account.dfs.core.windows.net/, az://container/
        let (container, account) = match self.url.username() {
            "" => (self.bucket()?, None),
            container => {
                let host = self.bucket()?;
                let account = host.split('.').next().unwrap_or_default().to_string();
                (container.to_string(), Some(account))
            }
        };
        let mut builder = MicrosoftAzureBuilder::new()
            .with_container_name(container)
            .with_client_options(self.client.clone())
            .with_retry(self.retry.clone())
            .with_http_connector(self.connector.clone());
        if let Some(account) = account {
            builder = builder.with_account(account);
        }
        for (key, value) in own {
            builder = builder.with_config(key, value);
        }
        if self.given.get("allow_http") == Some("true") {
            builder = builder.with_allow_http(true);
        }
        let inner = builder.clone();
        let found = move || Ok(inner.clone().build()?.credentials().clone());
        let credentials = self.rotating(self.calls.clone().map(Source::C), Azure, found)?;
        let connector = self.connector.resigning(Bearer { credentials: credentials.clone() });
        let builder = builder.with_credentials(credentials).with_http_connector(connector);
        let store = Arc::new(builder.build().map_err(|e| self.failed(e))?);
        let multipart = Some(store.clone() as _);
        Ok(Made { store: store.clone(), signer: Some(store), multipart, uploads: None })
    }

    fn gcs(mut self) -> Result<Made> {
        let own = self.sorted::<GoogleConfigKey>()?;
        let mut builder = GoogleCloudStorageBuilder::new()
            .with_bucket_name(self.bucket()?)
            .with_client_options(self.client.clone())
            .with_retry(self.retry.clone())
            .with_http_connector(self.connector.clone());
        for (key, value) in own {
            builder = builder.with_config(key, value);
        }
        let url = format!("{}/{}", address_of_gcs(&builder), self.bucket()?);
        let inner = builder.clone();
        let found = move || Ok(inner.clone().build()?.credentials().clone());
        let credentials = self.rotating(self.calls.clone().map(Source::C), Gcp, found)?;
        let connector = self.connector.resigning(Bearer { credentials: credentials.clone() });
        let client = connector.connect(&self.client).map_err(|e| self.failed(e))?;
        let is_signed = self.given.get("skip_signature") != Some("true");
        let signing = is_signed.then(|| credentials.clone());
        let uploads =
            Uploads { bucket: Box::new(uploads::Gcs { url, credentials: signing }), client };
        let builder = builder.with_credentials(credentials).with_http_connector(connector);
        let store = Arc::new(builder.build().map_err(|e| self.failed(e))?);
        let multipart = Some(store.clone() as _);
        Ok(Made { store: store.clone(), signer: Some(store), multipart, uploads: Some(uploads) })
    }

    fn http(mut self) -> Result<Made> {
        // It has options of its client only.
        for (name, value) in self.given.clients() {
            let key = ClientConfigKey::from_str(name).map_err(|_| self.given.refused(name))?;
            self.client = self.client.with_config(key, value);
        }
        let builder = HttpBuilder::new()
            .with_url(self.url.as_str())
            .with_client_options(self.client.clone())
            .with_retry(self.retry.clone())
            .with_http_connector(self.connector.clone());
        let store = builder.build().map_err(|e| self.failed(e))?;
        Ok(Made { store: Arc::new(store), signer: None, multipart: None, uploads: None })
    }
}

/// Where the store's API is: as said, or in the key of the service account, as the client library looks for it.
fn address_of_gcs(builder: &GoogleCloudStorageBuilder) -> String {
    let of = |key| builder.get_config_value(&key);
    let in_file = || std::fs::read_to_string(of(GoogleConfigKey::ServiceAccount)?).ok();
    let in_account = || {
        let account = of(GoogleConfigKey::ServiceAccountKey).or_else(in_file)?;
        let account: serde_json::Value = serde_json::from_str(&account).ok()?;
        Some(account.get("gcs_base_url")?.as_str()?.to_string())
    };
    let said = of(GoogleConfigKey::BaseUrl).or_else(in_account);
    said.unwrap_or_else(|| "https://storage.googleapis.com".to_string())
}
