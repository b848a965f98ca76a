//! Makes a store of each type from its options.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, S3CopyIfNotExists};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::http::HttpBuilder;
use object_store::memory::InMemory;
use object_store::{BackoffConfig, ClientConfigKey, ClientOptions, Error, RetryConfig};
use url::Url;

use crate::bindings::*;
use crate::error::{Result, coded};
use crate::runtime::Engine;

use super::Made;
use super::credentials::{Aws, Azure, Credentials, Gcp};
use super::options::Given;
use super::requests::{Connector, Requests};

/// The options and all else that the builders take.
struct Parts<'a> {
    given: &'a Given,
    url: Url,
    client: ClientOptions,
    retry: RetryConfig,
    connector: Connector,
    credentials: Option<&'a Arc<Credentials>>,
}

pub fn build(
    given: &Given,
    requests: &Arc<Requests>,
    credentials: Option<&Arc<Credentials>>,
    engine: &Arc<Engine>,
) -> Result<Made> {
    let url = Url::parse(&given.url).map_err(|e| wrong(given, format!("no URL: {e}")))?;
    if given.kind == "memory" {
        let mut memory = engine.objects.memory.lock().unwrap();
        let store = memory.entry(given.url.clone()).or_insert_with(|| Arc::new(InMemory::new()));
        return Ok(Made { store: store.clone(), signer: None });
    }
    let defaults = RetryConfig::default();
    let retry = RetryConfig {
        backoff: BackoffConfig {
            init_backoff: given.time("backoff_config.init_backoff", Duration::from_millis(100))?,
            max_backoff: given.time("backoff_config.max_backoff", Duration::from_secs(15))?,
            base: defaults.backoff.base,
        },
        max_retries: given.number("max_retries", defaults.max_retries)?,
        retry_timeout: given.time("retry_timeout", defaults.retry_timeout)?,
    };
    let connector = Connector::new(requests, engine.io()?, given.guard);
    let client = ClientOptions::new();
    let parts = Parts { given, url, client, retry, connector, credentials };
    match given.kind.as_str() {
        "s3" => parts.s3(),
        "azure" => parts.azure(),
        "gcs" => parts.gcs(),
        _ => parts.http(),
    }
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

    fn s3(mut self) -> Result<Made> {
        let own = self.sorted::<AmazonS3ConfigKey>()?;
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(self.bucket()?)
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
        if let Some(credentials) = self.credentials {
            builder = builder.with_credentials(Arc::new(Aws(credentials.clone())));
        }
        let store = Arc::new(builder.build().map_err(|e| self.failed(e))?);
        Ok(Made { store: store.clone(), signer: Some(store) })
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
        if let Some(credentials) = self.credentials {
            builder = builder.with_credentials(Arc::new(Azure(credentials.clone())));
        }
        let store = Arc::new(builder.build().map_err(|e| self.failed(e))?);
        Ok(Made { store: store.clone(), signer: Some(store) })
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
        if let Some(credentials) = self.credentials {
            builder = builder.with_credentials(Arc::new(Gcp(credentials.clone())));
        }
        let store = Arc::new(builder.build().map_err(|e| self.failed(e))?);
        Ok(Made { store: store.clone(), signer: Some(store) })
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
        Ok(Made { store: Arc::new(store), signer: None })
    }
}
