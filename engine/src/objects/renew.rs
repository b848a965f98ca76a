//! Credentials that change while requests are made: what a store refuses is asked for anew, and the request is signed again.
//! This is done below the store's client, so that parts, pages and deletes are served as reads are.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::azure::AzureCredential;
use object_store::client::HttpRequest;
use object_store::gcp::GcpCredential;
use object_store::{CredentialProvider, Result as StoreResult};
use tokio::sync::Mutex;

use crate::store::from_hexadecimal;

pub type Provider<T> = Arc<dyn CredentialProvider<Credential = T>>;
type Fresh<T> = Box<dyn Fn() -> StoreResult<Provider<T>> + Send + Sync>;

/// Where credentials did not change, they are not asked for again before this.
const PAUSE: Duration = Duration::from_secs(1);

/// A provider that can be replaced by a fresh one, which has nothing in its cache.
pub struct Rotating<T> {
    fresh: Fresh<T>,
    now: Mutex<Now<T>>,
}

struct Now<T> {
    provider: Provider<T>,
    replaced: Option<Instant>,
    in_vain: Option<Instant>,
}

impl<T> fmt::Debug for Rotating<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rotating")
    }
}

impl<T: PartialEq> Rotating<T> {
    pub fn new(
        fresh: impl Fn() -> StoreResult<Provider<T>> + Send + Sync + 'static,
    ) -> StoreResult<Arc<Rotating<T>>> {
        let now = Now { provider: fresh()?, replaced: None, in_vain: None };
        Ok(Arc::new(Rotating { fresh: Box::new(fresh), now: Mutex::new(now) }))
    }

    /// What to sign with after a request that began at `since` was refused; None when there is nothing else. Requests that
    /// begin meanwhile wait for it.
    async fn after_refusal(&self, since: Instant) -> Option<Arc<T>> {
        let mut now = self.now.lock().await;
        if now.replaced.is_some_and(|replaced| replaced >= since) {
            return now.provider.get_credential().await.ok();
        }
        if now.in_vain.is_some_and(|asked| asked.elapsed() < PAUSE) {
            return None;
        }
        let old = now.provider.get_credential().await.ok();
        let provider = (self.fresh)().ok()?;
        let new = provider.get_credential().await.ok();
        if new.is_none() || new == old {
            now.in_vain = Some(Instant::now());
            return None;
        }
        (now.provider, now.replaced) = (provider, Some(Instant::now()));
        new
    }
}

#[async_trait]
impl<T: PartialEq + Send + Sync + 'static> CredentialProvider for Rotating<T> {
    type Credential = T;

    async fn get_credential(&self) -> StoreResult<Arc<T>> {
        let provider = self.now.lock().await.provider.clone();
        provider.get_credential().await
    }
}

/// Signs a request again, which began at `since` and was refused; false when that is of no use.
#[async_trait]
pub trait Resign: fmt::Debug + Send + Sync {
    async fn again(&self, request: &mut HttpRequest, since: Instant) -> bool;
}

#[derive(Debug)]
pub struct S3 {
    pub credentials: Arc<Rotating<AwsCredential>>,
    pub region: String,
}

#[async_trait]
impl Resign for S3 {
    async fn again(&self, request: &mut HttpRequest, since: Instant) -> bool {
        if !request.headers().contains_key("authorization") {
            return false;
        }
        let Some(credential) = self.credentials.after_refusal(since).await else { return false };
        // As it was: of what is not hashed the text is no hash.
        let hash = request.headers().get("x-amz-content-sha256");
        let hash = hash.and_then(|hash| from_hexadecimal(hash.to_str().ok()?));
        request.headers_mut().remove("x-amz-security-token");
        AwsAuthorizer::new(&credential, "s3", &self.region)
            .with_sign_payload(hash.is_some())
            .authorize(request, hash.as_deref());
        true
    }
}

/// Of stores whose tokens stand in the request as they are.
#[derive(Debug)]
pub struct Bearer<T> {
    pub credentials: Arc<Rotating<T>>,
}

pub trait Token {
    fn token(&self) -> Option<&str>;
}

impl Token for AzureCredential {
    fn token(&self) -> Option<&str> {
        match self {
            AzureCredential::BearerToken(token) => Some(token),
            _ => None,
        }
    }
}

impl Token for GcpCredential {
    fn token(&self) -> Option<&str> {
        Some(&self.bearer)
    }
}

#[async_trait]
impl<T: Token + fmt::Debug + PartialEq + Send + Sync + 'static> Resign for Bearer<T> {
    async fn again(&self, request: &mut HttpRequest, since: Instant) -> bool {
        let old = request.headers().get("authorization");
        if !old.is_some_and(|old| old.as_bytes().starts_with(b"Bearer ")) {
            return false;
        }
        let Some(credential) = self.credentials.after_refusal(since).await else { return false };
        let header = credential.token().and_then(|token| format!("Bearer {token}").parse().ok());
        let Some(header) = header else { return false };
        request.headers_mut().insert("authorization", header);
        true
    }
}

/// Whether an answer may mean that what a request was signed with holds no longer.
pub fn is_refusal(status: u16, body: Option<&[u8]>) -> bool {
    match (status, body) {
        (401 | 403, _) => true,
        // Of a HEAD.
        (400, None | Some([])) => true,
        (400, Some(body)) => {
            let text = String::from_utf8_lossy(body);
            ["ExpiredToken", "TokenRefreshRequired", "InvalidToken"]
                .iter()
                .any(|t| text.contains(t))
        }
        _ => false,
    }
}
