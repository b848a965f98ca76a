//! Objects of S3, Azure, GCS, HTTP and of memory: each store with its own options and credentials.
//! A scan names an object `weir+store://all/ID@ETAG/KEY`, so that whatever keeps something under an
//! object's path keeps it under the store and the version too.

mod abi;
mod builders;
mod calls;
mod credentials;
mod options;
mod pace;
mod requests;
#[cfg(test)]
mod tests;
mod upload;

use std::collections::HashMap;
use std::ffi::CString;
use std::fmt;
use std::sync::{Arc, Mutex, Weak};

use async_trait::async_trait;
use datafusion::common::DataFusionError;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    Result as StoreResult,
};
use sha2::{Digest, Sha256};

use crate::bindings::*;
use crate::catalog::c_text;
use crate::error::{Result, coded};
use crate::files::hexadecimal;
use crate::runtime::Engine;

use credentials::Credentials;
use requests::Requests;
use upload::Upload;

/// The URLs of objects, as plans have them.
pub const SCHEME: &str = "weir+store";

/// A store as its builder made it.
struct Made {
    store: Arc<dyn ObjectStore>,
    signer: Option<Arc<dyn Signer>>,
}

/// One store.
pub struct Objects {
    /// As messages call it; ends in a slash.
    shown: String,
    id: String,
    url: CString,
    made: Made,
    credentials: Option<Arc<Credentials>>,
    requests: Arc<Requests>,
    engine: Arc<Engine>,
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Display for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// All open stores of an engine by their ids. A plan holds what it reads.
#[derive(Default, Debug)]
pub struct Registry {
    open: Mutex<HashMap<String, Weak<Objects>>>,
    memory: Mutex<HashMap<String, Arc<dyn ObjectStore>>>,
}

impl Registry {
    fn find(&self, id: &str) -> Option<Arc<Objects>> {
        self.open.lock().unwrap().get(id).and_then(Weak::upgrade)
    }

    /// What stands before the '@' of an object's path says which store; the rest of that component is
    /// the version.
    fn split(&self, path: &Path) -> StoreResult<(Arc<Objects>, Option<String>, Path)> {
        let mut parts = path.parts();
        let head = parts.next();
        let head = head.as_ref().map_or("", |part| part.as_ref());
        let (id, version) = head.split_once('@').unwrap_or((head, ""));
        let objects = self.find(id).ok_or_else(|| Error::Generic {
            store: "objects",
            source: format!("the store of {path} was closed").into(),
        })?;
        Ok((objects, from_hexadecimal(version), parts.collect()))
    }

    pub fn source(&self, path: &Path) -> Option<Source> {
        let (objects, _, key) = self.split(path).ok()?;
        let shown = format!("{}{key}", objects.shown);
        Some(Source { _objects: objects, shown })
    }
}

/// Of a file in a plan: its store, which the plan keeps, and what users call it.
pub struct Source {
    _objects: Arc<Objects>,
    pub shown: String,
}

/// The path of an object in one version.
pub fn versioned(path: &Path, etag: &str) -> Path {
    let mut parts = path.parts();
    let id = parts.next();
    let id = id.as_ref().map_or("", |part| part.as_ref());
    let version: String = etag.bytes().map(|byte| format!("{byte:02x}")).collect();
    let head = format!("{id}@{version}");
    std::iter::once(head.as_str().into()).chain(parts).collect()
}

fn from_hexadecimal(text: &str) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    let bytes =
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok());
    String::from_utf8(bytes.collect::<Option<Vec<u8>>>()?).ok()
}

impl Objects {
    pub fn open(engine: &Arc<Engine>, given: &wr_objects_options) -> Result<Arc<Objects>> {
        let given = options::Given::read(given)?;
        let requests = Arc::new(Requests::new(&given)?);
        let credentials = given.credentials.clone().map(|calls| Arc::new(Credentials::new(calls)));
        let registry = engine.objects.clone();
        let made = builders::build(&given, &requests, credentials.as_ref(), engine)?;
        let mut hash = Sha256::new();
        hash.update(&given.kind);
        hash.update([0]);
        hash.update(&given.url);
        hash.update([0]);
        hash.update(given.place());
        let identity = hexadecimal(&hash.finalize());
        let mut open = registry.open.lock().unwrap();
        open.retain(|_, objects| objects.strong_count() > 0);
        // Others may have the same place and other credentials.
        let id = (0..).map(|n| format!("{identity}-{n}")).find(|id| !open.contains_key(id));
        let id = id.expect("an endless range");
        let objects = Arc::new(Objects {
            url: c_text(&format!("{SCHEME}://all/{id}/"))?,
            id: id.clone(),
            shown: given.url,
            made,
            credentials,
            requests,
            engine: engine.clone(),
        });
        open.insert(id, Arc::downgrade(&objects));
        Ok(objects)
    }

    /// Runs a request; once more when the store says that what it was signed with has expired.
    async fn signed<'a, T>(
        &self,
        request: impl Fn() -> BoxFuture<'a, StoreResult<T>>,
    ) -> StoreResult<T> {
        match (request().await, &self.credentials) {
            (Err(error), Some(credentials)) if is_expired(&error) => {
                credentials.refuse();
                request().await
            }
            (result, _) => result,
        }
    }

    /// Of a server that gives whole objects only, the part that was asked for is cut out.
    async fn fetch(&self, key: &Path, options: GetOptions) -> StoreResult<GetResult> {
        let store = &self.made.store;
        let Some(range) = options.range.clone() else { return store.get_opts(key, options).await };
        let whole = GetOptions { range: None, ..options.clone() };
        match store.get_opts(key, options).await {
            Err(Error::NotSupported { .. }) => {}
            result => return result,
        }
        let whole = store.get_opts(key, whole).await?;
        let (meta, attributes) = (whole.meta.clone(), whole.attributes.clone());
        let range = range
            .as_range(meta.size)
            .map_err(|source| Error::Generic { store: "objects", source: source.into() })?;
        let bytes = whole.bytes().await?.slice(range.start as usize..range.end as usize);
        let payload = GetResultPayload::Stream(futures::stream::iter([Ok(bytes)]).boxed());
        Ok(GetResult { payload, meta, range, attributes })
    }

    fn failed(&self, error: Error, key: &str) -> DataFusionError {
        let name = format!("{}{key}", self.shown);
        match &error {
            Error::NotFound { .. } => {
                coded(WEIR_NOT_FOUND, "58P01", format!("no such object: {name}"))
            }
            Error::AlreadyExists { .. } => {
                coded(WEIR_ALREADY_EXISTS, "58P02", format!("{name} is there already"))
            }
            Error::Precondition { .. } | Error::NotModified { .. } => coded(
                WEIR_INVALID_STATE,
                "40001",
                format!("{name} was replaced meanwhile; run the statement again"),
            ),
            Error::PermissionDenied { .. } => {
                coded(WEIR_UNAUTHORIZED, "42501", format!("{name}: the store refuses access"))
            }
            Error::Unauthenticated { .. } => coded(
                WEIR_UNAUTHENTICATED,
                "28000",
                format!("{name}: the store does not take the credentials"),
            ),
            Error::NotSupported { .. } | Error::NotImplemented { .. } => coded(
                WEIR_NOT_IMPLEMENTED,
                "0A000",
                format!("{name}: a store of this type cannot do that"),
            ),
            _ => {
                let text = innermost(&error);
                match text.contains("timed out") || text.contains("timeout") {
                    true => coded(WEIR_TIMEOUT, "57014", format!("{name}: {text}")),
                    false => coded(WEIR_IO, "58030", format!("{name}: {text}")),
                }
            }
        }
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        self.engine.objects.open.lock().unwrap().remove(&self.id);
    }
}

/// A store's text of an error, without query strings, which signatures may stand in.
fn innermost(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    without_queries(&text)
}

fn without_queries(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut in_query = false;
    for c in text.chars() {
        match c {
            '?' => in_query = true,
            c if c.is_whitespace() || matches!(c, '"' | ')' | '>') => in_query = false,
            _ => {}
        }
        if !in_query {
            shown.push(c);
        }
    }
    shown
}

fn is_expired(error: &Error) -> bool {
    match error {
        Error::Unauthenticated { .. } | Error::PermissionDenied { .. } => true,
        error => {
            let text = innermost(error);
            ["ExpiredToken", "TokenRefreshRequired", "InvalidToken"]
                .iter()
                .any(|t| text.contains(t))
        }
    }
}

/// The store of all objects, which finds the right one by a path's first component.
#[derive(Debug)]
pub struct All(pub Arc<Registry>);

impl fmt::Display for All {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("objects")
    }
}

/// In the terms of the plan, with an error that names the object.
fn named(objects: &Objects, key: &Path, error: Error) -> Error {
    Error::Generic { store: "objects", source: objects.failed(error, key.as_ref()).into() }
}

fn read_only<T>() -> StoreResult<T> {
    Err(Error::NotSupported { source: "plans write through uploads".into() })
}

#[async_trait]
impl ObjectStore for All {
    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> StoreResult<PutResult> {
        read_only()
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        // What a plan writes is there when all of it is.
        let (objects, _, key) = self.0.split(location)?;
        let made = objects.made.store.put_multipart_opts(&key, Default::default()).await;
        made.map_err(|error| named(&objects, &key, error))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> StoreResult<GetResult> {
        let (objects, version, key) = self.0.split(location)?;
        let mut options = options;
        if !options.head {
            options.if_match = options.if_match.or(version);
        }
        let read = objects.signed(|| objects.fetch(&key, options.clone()).boxed());
        let mut read = read.await.map_err(|error| named(&objects, &key, error))?;
        read.meta.location = location.clone();
        let engine = &objects.engine.counters;
        crate::store::count(&engine.requests, 1);
        crate::store::count(&engine.bytes_read, (read.range.end - read.range.start) as usize);
        Ok(read)
    }

    fn delete_stream(
        &self,
        _: BoxStream<'static, StoreResult<Path>>,
    ) -> BoxStream<'static, StoreResult<Path>> {
        futures::stream::iter([read_only()]).boxed()
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        // C lists.
        async { read_only() }.into_stream().boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> StoreResult<ListResult> {
        read_only()
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> StoreResult<()> {
        read_only()
    }
}
