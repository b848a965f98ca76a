//! Credentials that C gives: kept until shortly before they expire, asked for anew when the store
//! refuses them.

use std::ffi::{c_char, c_void};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use object_store::aws::AwsCredential;
use object_store::azure::{AzureAccessKey, AzureCredential};
use object_store::gcp::GcpCredential;
use object_store::{CredentialProvider, Error, Result as StoreResult};
use tokio::sync::Mutex;

use crate::bindings::*;
use crate::catalog::text;
use crate::error::call_c;

/// Before they expire they are asked for again, so that a request that takes long is still taken.
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

/// What C said last.
#[derive(Default, Clone)]
struct Told {
    values: Vec<(String, String)>,
    expires_ns: i64,
}

impl Told {
    fn is_fresh(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let early = now + EARLY;
        !self.values.is_empty()
            && (self.expires_ns == 0 || early.as_nanos() < self.expires_ns as u128)
    }

    fn get(&self, name: &str) -> Option<String> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    fn need(&self, name: &str) -> StoreResult<String> {
        self.get(name).ok_or_else(|| failed(format!("the credentials have no {name}")))
    }
}

pub struct Credentials {
    calls: Arc<Calls>,
    told: Mutex<Told>,
    refused: AtomicBool,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Generic { store: "credentials", source: error.into() }
}

unsafe extern "C" fn take(sink: *mut c_void, name: *const c_char, value: *const c_char) {
    let values = unsafe { &mut *sink.cast::<Vec<(String, String)>>() };
    if let (Some(name), Some(value)) = (text(name), text(value)) {
        values.push((name, value));
    }
}

impl Credentials {
    pub fn new(calls: Arc<Calls>) -> Credentials {
        Credentials { calls, told: Mutex::default(), refused: AtomicBool::new(false) }
    }

    /// The next request asks C again.
    pub fn refuse(&self) {
        self.refused.store(true, Ordering::Release);
    }

    async fn current(&self) -> StoreResult<Told> {
        let mut told = self.told.lock().await;
        let refused = self.refused.swap(false, Ordering::AcqRel);
        if told.is_fresh() && !refused {
            return Ok(told.clone());
        }
        let calls = self.calls.clone();
        let ask = tokio::task::spawn_blocking(move || {
            let mut told = Told::default();
            let sink = (&raw mut told.values).cast();
            let expires = &raw mut told.expires_ns;
            let refused = refused as i32;
            call_c(|e| unsafe { (calls.get)(calls.context, refused, Some(take), sink, expires, e) })
                .map(|()| told)
        });
        *told = ask.await.map_err(failed)?.map_err(failed)?;
        Ok(told.clone())
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
