//! Objects of S3, Azure, GCS, HTTP and of memory: each store with its own options and credentials.
//! A scan names an object `weir+store://all/ID@ETAG/KEY`, so that whatever keeps something under an
//! object's path keeps it under the store and the version too.

mod abi;
mod blocks;
mod builders;
mod calls;
mod carrier;
mod credentials;
mod guard;
mod journal;
mod multipart;
mod options;
mod pace;
mod pieces;
mod record;
mod renew;
mod requests;
mod roles;
pub mod scope;
mod sign_in;
mod sources;
#[cfg(test)]
mod tests;
mod upload;
mod uploads;
pub mod writing;

use std::collections::HashMap;
use std::ffi::{CString, c_char, c_void};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, Weak};

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::common::DataFusionError;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::memory::InMemory;
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{
    CopyOptions, Error, GetOptions, GetRange, GetResult, GetResultPayload, ListResult,
    MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result as StoreResult,
};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::ahead;
use crate::bindings::*;
use crate::catalog::{c_text, text};
use crate::error::{Result, call_c, coded};
use crate::files::hexadecimal;
use crate::runtime::Engine;
use crate::store::{Counters, count, from_hexadecimal};

use blocks::Blocks;
use journal::Journal;
use record::{Log, Told, Tracer};
use requests::Requests;
use scope::{Scope, Tally};
use upload::Upload;
use uploads::Uploads;
use writing::{Underway, Writing};

/// The URLs of objects, as plans have them.
pub const SCHEME: &str = "weir+store";
/// Parts of a scan of objects, which waits for the network most of the time.
const PARTS: usize = 8;

/// A store as its builder made it.
struct Made {
    store: Arc<dyn ObjectStore>,
    signer: Option<Arc<dyn Signer>>,
    /// None: it is only read.
    multipart: Option<Arc<dyn MultipartStore>>,
    /// None: which uploads are open is not asked for.
    uploads: Option<Uploads>,
}

/// One store.
pub struct Objects {
    /// As messages call it; ends in a slash.
    shown: String,
    id: String,
    url: CString,
    made: Made,
    requests: Arc<Requests>,
    engine: Arc<Engine>,
    /// Of a web server, which is read only.
    is_web: bool,
    /// It ends with the process: no copies are kept of it.
    is_memory: bool,
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
#[derive(Debug)]
pub struct Registry {
    open: Mutex<HashMap<String, Weak<Objects>>>,
    memory: Mutex<HashMap<String, Arc<InMemory>>>,
    /// How many there were, and those that go on.
    writings: Mutex<(u64, HashMap<String, Weak<Writing>>)>,
    underway: Arc<Underway>,
    locate: OnceLock<wr_locate>,
    journal: OnceLock<Arc<Journal>>,
    told: OnceLock<Told>,
    blocks: OnceLock<Arc<Blocks>>,
    /// What scans may hold of row groups that they fetch ahead.
    ahead: Arc<Semaphore>,
}

impl Default for Registry {
    fn default() -> Self {
        Registry {
            open: Mutex::default(),
            memory: Mutex::default(),
            writings: Mutex::default(),
            underway: Arc::default(),
            locate: OnceLock::new(),
            journal: OnceLock::new(),
            told: OnceLock::new(),
            blocks: OnceLock::new(),
            ahead: Arc::new(Semaphore::new(ahead::BUDGET)),
        }
    }
}

// The contract of wr_locate: callable from any thread.
unsafe impl Send for wr_locate {}
unsafe impl Sync for wr_locate {}

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
        let version = from_hexadecimal(version).filter(|version| !version.is_empty());
        let version = version.and_then(|version| String::from_utf8(version).ok());
        Ok((objects, version, parts.collect()))
    }

    pub fn set_locate(&self, locate: wr_locate) {
        let _ = self.locate.set(locate);
    }

    /// Where to remember what is begun.
    pub fn set_journal(&self, directory: Option<&std::path::Path>) {
        let _ = self.journal.set(Journal::open(directory));
    }

    /// Whom to tell of each request.
    pub fn set_told(&self, log: &wr_log, tracer: &wr_tracer) {
        let _ = self.told.set(Told { log: Log::of(log), tracer: Tracer::of(tracer) });
    }

    fn told(&self) -> Told {
        self.told.get().copied().unwrap_or(Told { log: None, tracer: None })
    }

    /// What counts the requests of the statement that this thread works for.
    pub fn tally(&self) -> Arc<Tally> {
        let place = self.told().tracer.map(|tracer| tracer.place());
        Arc::new(Tally::new(place.unwrap_or_default()))
    }

    pub fn set_blocks(&self, kept: Option<wr_blocks>, counters: &Arc<Counters>) {
        if let Some(kept) = kept {
            let _ = self.blocks.set(Blocks::new(kept, counters));
        }
    }

    pub fn close_blocks(&self) {
        self.blocks.get().inspect(|blocks| blocks.close());
    }

    /// The store and the key of a URL of users'.
    pub fn locate(&self, url: &str) -> Result<(Arc<Objects>, String)> {
        let Some((locate, call)) = self.locate.get().and_then(|l| Some((l, l.call?))) else {
            let text = format!("{url}: there are no stores here");
            return Err(coded(WEIR_NOT_IMPLEMENTED, "0A000", text));
        };
        let url = c_text(url)?;
        let mut found = Found { registry: self, found: None };
        let sink = (&raw mut found).cast();
        call_c(|error| unsafe { call(locate.context, url.as_ptr(), Some(take_url), sink, error) })?;
        found.found.unwrap_or_else(|| Err(coded(WEIR_INTERNAL, "XX000", "no store was found")))
    }

    /// The same of a URL that C gave, "weir+store://all/ID/KEY".
    pub fn of_plan(&self, url: &str) -> Result<(Arc<Objects>, String)> {
        let wrong = |_| coded(WEIR_INTERNAL, "XX000", format!("not the URL of an object: {url}"));
        let parsed = url::Url::parse(url).map_err(|e| wrong(e.to_string()))?;
        let path = Path::from_url_path(parsed.path()).map_err(|e| wrong(e.to_string()))?;
        let (objects, _, key) = self.split(&path)?;
        Ok((objects, key.to_string()))
    }

    pub fn source(&self, path: &Path) -> Option<Source> {
        let (objects, _, key) = self.split(path).ok()?;
        let shown = format!("{}{key}", objects.shown);
        Some(Source { objects, shown })
    }
}

struct Found<'a> {
    registry: &'a Registry,
    found: Option<Result<(Arc<Objects>, String)>>,
}

/// While this runs the store is kept open by who calls.
unsafe extern "C" fn take_url(sink: *mut c_void, url: *const c_char) {
    let found = unsafe { &mut *sink.cast::<Found>() };
    found.found = text(url).map(|url| found.registry.of_plan(&url));
}

/// Of a file in a plan: its store, which the plan keeps, and what users call it.
pub struct Source {
    objects: Arc<Objects>,
    pub shown: String,
}

impl Source {
    pub fn ahead(&self) -> Arc<Semaphore> {
        self.objects.engine.objects.ahead.clone()
    }
}

/// Whether what a plan calls so is a store's.
pub fn is_stored(url: &str) -> bool {
    url.strip_prefix(SCHEME).is_some_and(|rest| rest.starts_with("://"))
}

/// How many parts a scan has, where the session wants `target`.
pub fn parts_at_once(url: &str, target: usize) -> usize {
    if is_stored(url) && target > 1 { target.max(PARTS) } else { target }
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

impl Objects {
    /// As messages call an object, or a directory.
    pub fn name(&self, key: &str) -> String {
        format!("{}{key}", self.shown)
    }

    pub fn open(engine: &Arc<Engine>, given: &wr_objects_options) -> Result<Arc<Objects>> {
        let given = options::Given::read(given)?;
        let registry = engine.objects.clone();
        let requests = Arc::new(Requests::new(&given, registry.told())?);
        let made = builders::build(&given, &requests, engine)?;
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
            is_web: given.kind == "http",
            is_memory: given.kind == "memory",
            shown: given.url,
            made,
            requests,
            engine: engine.clone(),
        });
        open.insert(id, Arc::downgrade(&objects));
        drop(open);
        if !objects.is_memory {
            registry.blocks.get().inspect(|blocks| blocks.begin());
        }
        objects.sweep();
        Ok(objects)
    }

    /// Runs a request as an operation of its own.
    async fn signed<'a, T>(
        &self,
        request: impl Fn() -> BoxFuture<'a, StoreResult<T>>,
    ) -> StoreResult<T> {
        Scope::new(None).run(request()).await
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

    /// One request, and what its answer needs until its end, for the statement given or the one that is at work here.
    async fn ask_for(
        &self,
        key: &Path,
        options: GetOptions,
        tally: Option<Arc<Tally>>,
    ) -> StoreResult<GetResult> {
        let scope = Scope::new(tally);
        let read = scope.run(self.fetch(key, options)).await?;
        Ok(scope.to_its_end(read))
    }

    /// As many requests as it is long.
    async fn read(
        self: Arc<Self>,
        key: &Path,
        options: GetOptions,
        tally: Option<Arc<Tally>>,
    ) -> StoreResult<GetResult> {
        let Some((wanted, piece)) = pieces::first(&options).filter(|_| !self.is_memory) else {
            return self.ask_for(key, options, tally).await;
        };
        let whole = options.clone();
        let part = move |range| {
            let range = Some(GetRange::Bounded(range));
            GetOptions { range, ..whole.clone() }
        };
        let scope = Scope::new(tally.clone());
        let first = match scope.run(self.made.store.get_opts(key, part(piece))).await {
            Ok(first) => scope.to_its_end(first),
            // The store gives whole objects only, or this one is empty.
            Err(error) if scope.is_beyond() || matches!(error, Error::NotSupported { .. }) => {
                return self.ask_for(key, options, tally).await;
            }
            Err(error) => return Err(error),
        };
        let key = key.clone();
        Ok(pieces::join(first, wanted, move |range| {
            let (objects, key, options) = (self.clone(), key.clone(), part(range));
            let tally = tally.clone();
            async move { objects.ask_for(&key, options, tally).await }
        }))
    }

    fn failed(&self, error: Error, key: &str) -> DataFusionError {
        let name = self.name(key);
        if let Some(refused) = guard::refused(&error, &name) {
            return refused;
        }
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
                if let Some(why) = expired(&text) {
                    return coded(WEIR_UNAUTHENTICATED, "28000", format!("{name}: {why}: {text}"));
                }
                match text.contains("timed out") {
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

/// What a store says of credentials that have expired; of a HEAD there is no more than the status.
fn expired(text: &str) -> Option<&'static str> {
    let told = ["ExpiredToken", "TokenRefreshRequired", "InvalidToken"];
    if told.iter().any(|word| text.contains(word)) {
        return Some("the credentials have expired, and there are no others");
    }
    let is_head = text.contains("performing HEAD") && text.contains("400 Bad Request");
    is_head.then_some("the credentials have expired, or the store takes no such name")
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

/// The store of all objects, which finds the right one by a path's first component.
#[derive(Debug)]
pub struct All {
    pub registry: Arc<Registry>,
    /// The statement that reads; None: whichever is at work.
    pub tally: Option<Arc<Tally>>,
}

impl fmt::Display for All {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("objects")
    }
}

impl All {
    /// Where blocks of an object are kept, and as what.
    fn kept(&self, location: &Path) -> Option<(&Arc<Blocks>, Arc<str>)> {
        let blocks = self.registry.blocks.get()?;
        let (objects, version, key) = self.registry.split(location).ok()?;
        if objects.is_memory {
            return None;
        }
        Some((blocks, blocks::identity(&objects.id, key.as_ref(), &version?)?))
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
        _: &Path,
        _: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        read_only()
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> StoreResult<GetResult> {
        let (objects, version, key) = self.registry.split(location)?;
        let mut options = options;
        if !options.head {
            options.if_match = options.if_match.or(version);
        }
        let read = objects.clone().read(&key, options, self.tally.clone()).await;
        let mut read = read.map_err(|error| named(&objects, &key, error))?;
        read.meta.location = location.clone();
        let counters = &objects.engine.counters;
        count(&counters.requests, 1);
        count(&counters.bytes_read, (read.range.end - read.range.start) as usize);
        if let GetResultPayload::Stream(body) = read.payload {
            let body = body.map_err(move |error| named(&objects, &key, error));
            read.payload = GetResultPayload::Stream(body.boxed());
        }
        Ok(read)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> StoreResult<Vec<Bytes>> {
        let fetch = |range| async {
            let range = Some(GetRange::Bounded(range));
            let read = self.get_opts(location, GetOptions { range, ..Default::default() });
            read.await?.bytes().await
        };
        match self.kept(location) {
            Some((blocks, object)) => {
                let scope = Scope::new(self.tally.clone());
                scope.run(blocks.read(object, ranges, fetch)).await
            }
            None => blocks::read(ranges, fetch).await,
        }
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
