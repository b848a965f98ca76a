//! Credentials that C gives, a profile or a container: kept until shortly before they expire.

use std::ffi::{c_char, c_void};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use object_store::aws::AwsCredential;
use object_store::azure::{AzureAccessKey, AzureCredential};
use object_store::client::HttpClient;
use object_store::gcp::GcpCredential;
use object_store::{CredentialProvider, Error, Result as StoreResult};
use tokio::sync::Mutex;

use crate::bindings::*;
use crate::catalog::text;
use crate::error::call_c;

use super::sources::{Container, Profile};

/// Before they expire they are asked for again, so that a request that takes long is still taken: so long before, or for
/// short ones when a quarter of their time is left.
const EARLY: Duration = Duration::from_secs(300);

/// C's callback with its context, which is released with it.
pub struct Calls {
    get: unsafe extern "C" fn(
        *mut c_void,
        i32,
        wr_credential_fn,
        *mut c_void,
        *mut i64,
        *mut weir_error,
    ) -> i32,
    context: *mut c_void,
    release: Option<unsafe extern "C" fn(*mut c_void)>,
}

// The contract of wr_objects_options.
unsafe impl Send for Calls {}
unsafe impl Sync for Calls {}

impl Calls {
    pub fn read(c: &wr_objects_options) -> Option<Arc<Calls>> {
        let get = c.credentials?;
        Some(Arc::new(Calls { get, context: c.context, release: c.release }))
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            unsafe { release(self.context) };
        }
    }
}

/// What was said last.
#[derive(Default, Clone)]
pub struct Told {
    values: Vec<(String, String)>,
    pub expires_ns: i64,
}

impl Told {
    pub fn new(id: String, secret: String, token: Option<String>, expires_ns: i64) -> Told {
        let mut values = vec![("access_key_id".into(), id), ("secret_access_key".into(), secret)];
        values.extend(token.map(|token| ("session_token".into(), token)));
        Told { values, expires_ns }
    }

    /// Until when it is used; None: for ever.
    fn end(&self) -> Option<SystemTime> {
        let expires = u64::try_from(self.expires_ns).ok().filter(|ns| *ns > 0)?;
        let expires = UNIX_EPOCH + Duration::from_nanos(expires);
        let left = expires.duration_since(SystemTime::now()).unwrap_or_default();
        Some(expires - EARLY.min(left / 4))
    }

    pub fn get(&self, name: &str) -> Option<String> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    pub fn need(&self, name: &str) -> StoreResult<String> {
        self.get(name).ok_or_else(|| failed(format!("the credentials have no {name}")))
    }
}

/// Who is asked.
#[derive(Clone)]
pub enum Source {
    C(Arc<Calls>),
    Profile(Profile, HttpClient),
    Container(Container, HttpClient),
}

impl Source {
    async fn ask(&self, refused: bool) -> StoreResult<Told> {
        let calls = match self {
            Source::Profile(profile, client) => return profile.ask(client, 0).await,
            Source::Container(container, client) => return container.ask(client).await,
            Source::C(calls) => calls.clone(),
        };
        let ask = tokio::task::spawn_blocking(move || {
            let mut told = Told::default();
            let sink = (&raw mut told.values).cast();
            let expires = &raw mut told.expires_ns;
            let refused = refused as i32;
            call_c(|e| unsafe { (calls.get)(calls.context, refused, Some(take), sink, expires, e) })
                .map(|()| told)
        });
        ask.await.map_err(failed)?.map_err(failed)
    }
}

pub struct Credentials {
    source: Source,
    /// What was given before was refused.
    refused: bool,
    told: Mutex<Option<(Told, Option<SystemTime>)>>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

pub fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Generic { store: "credentials", source: error.into() }
}

unsafe extern "C" fn take(sink: *mut c_void, name: *const c_char, value: *const c_char) {
    let values = unsafe { &mut *sink.cast::<Vec<(String, String)>>() };
    if let (Some(name), Some(value)) = (text(name), text(value)) {
        values.push((name, value));
    }
}

impl Credentials {
    pub fn new(source: Source, refused: bool) -> Arc<Credentials> {
        Arc::new(Credentials { source, refused, told: Mutex::default() })
    }

    async fn current(&self) -> StoreResult<Told> {
        let mut last = self.told.lock().await;
        if let Some((told, end)) = &*last
            && end.is_none_or(|end| SystemTime::now() < end)
        {
            return Ok(told.clone());
        }
        let told = self.source.ask(self.refused).await?;
        *last = Some((told.clone(), told.end()));
        Ok(told)
    }
}

#[derive(Debug)]
pub struct Aws(pub Arc<Credentials>);

#[async_trait]
impl CredentialProvider for Aws {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> StoreResult<Arc<AwsCredential>> {
        let told = self.0.current().await?;
        Ok(Arc::new(AwsCredential {
            key_id: told.need("access_key_id")?,
            secret_key: told.need("secret_access_key")?,
            token: told.get("session_token"),
        }))
    }
}

#[derive(Debug)]
pub struct Azure(pub Arc<Credentials>);

#[async_trait]
impl CredentialProvider for Azure {
    type Credential = AzureCredential;

    async fn get_credential(&self) -> StoreResult<Arc<AzureCredential>> {
        let told = self.0.current().await?;
        let credential = match (told.get("bearer_token"), told.get("sas_key")) {
            (Some(token), _) => AzureCredential::BearerToken(token),
            (None, Some(sas)) => {
                let sas = url::form_urlencoded::parse(sas.trim_start_matches('?').as_bytes());
                AzureCredential::SASToken(sas.into_owned().collect())
            }
            (None, None) => {
                let key = AzureAccessKey::try_new(&told.need("access_key")?);
                AzureCredential::AccessKey(key.map_err(|_| failed("the access key is not base64"))?)
            }
        };
        Ok(Arc::new(credential))
    }
}

#[derive(Debug)]
pub struct Gcp(pub Arc<Credentials>);

#[async_trait]
impl CredentialProvider for Gcp {
    type Credential = GcpCredential;

    async fn get_credential(&self) -> StoreResult<Arc<GcpCredential>> {
        let told = self.0.current().await?;
        Ok(Arc::new(GcpCredential { bearer: told.need("bearer_token")? }))
    }
}
