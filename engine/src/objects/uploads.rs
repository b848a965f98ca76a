//! Which uploads of a name are open in S3 and in Google's stores, which the store library does not ask for.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::DateTime;
use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::client::{HttpClient, HttpRequest, HttpRequestBody};
use object_store::gcp::GcpCredential;
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{CredentialProvider, Error, Result as StoreResult};

use super::credentials::failed;
use super::renew::Rotating;

/// A bucket, and how its requests are signed.
#[async_trait]
pub trait Bucket: Send + Sync {
    async fn url(&self) -> StoreResult<String>;
    async fn sign(&self, request: &mut HttpRequest) -> StoreResult<()>;
    /// Whether the etag of an object that went up in parts ends with their number.
    fn tells_parts(&self) -> bool;
}

pub struct S3 {
    pub signer: Arc<dyn Signer>,
    pub credentials: Arc<Rotating<AwsCredential>>,
    pub region: String,
}

#[async_trait]
impl Bucket for S3 {
    /// As the client library makes it.
    async fn url(&self) -> StoreResult<String> {
        let url = self
            .signer
            .signed_url(reqwest::Method::GET, &Path::from("x"), Duration::from_secs(1))
            .await?;
        let url = url.as_str().split('?').next().unwrap_or_default();
        Ok(url.strip_suffix("/x").unwrap_or(url).to_string())
    }

    async fn sign(&self, request: &mut HttpRequest) -> StoreResult<()> {
        let credential = self.credentials.get_credential().await?;
        AwsAuthorizer::new(&credential, "s3", &self.region).authorize(request, None);
        Ok(())
    }

    fn tells_parts(&self) -> bool {
        true
    }
}

pub struct Gcs {
    pub url: String,
    /// None: requests are not signed.
    pub credentials: Option<Arc<Rotating<GcpCredential>>>,
}

#[async_trait]
impl Bucket for Gcs {
    async fn url(&self) -> StoreResult<String> {
        Ok(self.url.clone())
    }

    async fn sign(&self, request: &mut HttpRequest) -> StoreResult<()> {
        let Some(credentials) = &self.credentials else { return Ok(()) };
        let credential = credentials.get_credential().await?;
        if !credential.bearer.is_empty() {
            let header = format!("Bearer {}", credential.bearer).parse().map_err(failed)?;
            request.headers_mut().insert("authorization", header);
        }
        Ok(())
    }

    fn tells_parts(&self) -> bool {
        false
    }
}

pub struct Uploads {
    pub bucket: Box<dyn Bucket>,
    pub client: HttpClient,
}

impl Uploads {
    /// The store's time, and of each upload its id and when it was begun; milliseconds since 1970.
    pub async fn of(&self, path: &Path) -> StoreResult<(i64, Vec<(String, i64)>)> {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("prefix", path.as_ref())
            .append_pair("uploads", "")
            .finish();
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        let url = format!("{}?{}", self.bucket.url().await?, query.replace('+', "%20"));
        *request.uri_mut() = url.parse().map_err(failed)?;
        self.bucket.sign(&mut request).await?;
        let answer = self.client.execute(request).await.map_err(failed)?;
        let status = answer.status().as_u16();
        let date = answer.headers().get("date").and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok());
        let now_ms = date.map_or_else(super::journal::now_ms, |date| date.timestamp_millis());
        let body = answer.into_body().bytes().await.map_err(failed)?;
        match status {
            200 => Ok((now_ms, parse(&String::from_utf8_lossy(&body), path.as_ref()))),
            status => Err::<_, Error>(failed(format!("listing uploads: the answer is {status}"))),
        }
    }
}

/// What stands in the first element of a name.
pub fn text_of<'a>(document: &'a str, element: &str) -> Option<&'a str> {
    let (_, rest) = document.split_once(&format!("<{element}>"))?;
    rest.split_once(&format!("</{element}>")).map(|(text, _)| text)
}

/// Of this key alone: others may begin with it.
fn parse(document: &str, key: &str) -> Vec<(String, i64)> {
    let unescaped = |text: &str| {
        let marks = [
            ("&lt;", "<"),
            ("&gt;", ">"),
            ("&quot;", "\""),
            ("&#34;", "\""),
            ("&apos;", "'"),
            ("&#39;", "'"),
            ("&amp;", "&"),
        ];
        marks.iter().fold(text.to_string(), |text, (from, to)| text.replace(from, to))
    };
    let mut found = vec![];
    for upload in document.split("<Upload>").skip(1) {
        let same = text_of(upload, "Key").is_some_and(|text| unescaped(text) == key);
        let at =
            text_of(upload, "Initiated").and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        if let (true, Some(id)) = (same, text_of(upload, "UploadId")) {
            found.push((unescaped(id), at.map_or(0, |at| at.timestamp_millis())));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #[test]
    fn uploads_of_one_key_are_found_among_others() {
        let upload = |key, id| {
            format!(
                "<Upload><Key>{key}</Key><UploadId>{id}</UploadId><Initiated>2024-01-01T00:00:01.000Z</Initiated></Upload>"
            )
        };
        let all = format!("<R>{}{}</R>", upload("a&amp;b", "1"), upload("a&amp;b/c", "2"));
        assert_eq!(super::parse(&all, "a&b"), [("1".to_string(), 1704067201000)]);
    }
}
