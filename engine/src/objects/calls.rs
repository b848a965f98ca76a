//! What C does with a store: each call waits for its answer.

use std::ffi::{c_char, c_int, c_void};
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use datafusion::common::DataFusionError;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, GetOptions, GetRange, ObjectMeta, ObjectStoreExt, PutMode, PutOptions,
    PutPayload, Result as StoreResult, UpdateVersion,
};
use tokio::sync::mpsc;

use crate::bindings::*;
use crate::catalog::c_text;
use crate::error::{Result, coded};
use crate::runtime::check_waiting;

use super::Objects;
use super::scope::Scope;

/// Bytes that are asked for at once, and how many times so many at the same time.
const PIECE: u64 = 8 << 20;
const PARALLEL: usize = 4;

/// How long what a put did is looked into, that got no answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Objects of a listing that wait until C takes them: two pages of most stores.
const LISTED_AHEAD: usize = 2000;

type Take = wr_object_fn;
type Walk = Option<unsafe extern "C" fn(*mut c_void, *const wr_object) -> c_int>;

fn closed() -> DataFusionError {
    coded(WEIR_CANCELLED, "57014", "the engine is being closed")
}

/// Hands an object to C.
fn shown<T>(key: &str, meta: Option<&ObjectMeta>, take: impl FnOnce(&wr_object) -> T) -> Result<T> {
    let key = c_text(key)?;
    let text = |value: Option<&String>| value.map(|value| c_text(value)).transpose();
    let etag = text(meta.and_then(|meta| meta.e_tag.as_ref()))?;
    let version = text(meta.and_then(|meta| meta.version.as_ref()))?;
    let pointer = |text: &Option<std::ffi::CString>| {
        text.as_ref().map_or(std::ptr::null::<c_char>(), |text| text.as_ptr())
    };
    let modified = meta.and_then(|meta| meta.last_modified.timestamp_nanos_opt());
    let object = wr_object {
        size: size_of::<wr_object>(),
        key: key.as_ptr(),
        n_bytes: meta.map_or(-1, |meta| meta.size as i64),
        modified_ns: modified.unwrap_or(0),
        etag: pointer(&etag),
        version: pointer(&version),
    };
    Ok(take(&object))
}

pub fn give_object(key: &str, meta: &ObjectMeta, take: Take, sink: *mut c_void) -> Result<()> {
    shown(key, Some(meta), |object| take.map(|take| unsafe { take(sink, object) }))?;
    Ok(())
}

/// How an object is put: whatever is there, only where nothing is, only over one version.
pub fn mode(mode: c_int, if_match: Option<String>) -> PutMode {
    match (mode as u32, if_match) {
        (WR_PUT_CREATE, _) => PutMode::Create,
        (WR_PUT_IF_MATCH, Some(etag)) => {
            PutMode::Update(UpdateVersion { e_tag: Some(etag), version: None })
        }
        _ => PutMode::Overwrite,
    }
}

impl Objects {
    pub fn url(&self) -> *const c_char {
        self.url.as_ptr()
    }

    pub fn emit_metrics(&self, emit: wr_metric_fn, sink: *mut c_void) {
        self.requests.emit(emit, sink);
    }

    pub fn wait<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        check_waiting()?;
        // A thread that plans waits within the runtime already, and what is waited for runs elsewhere. It has no more than one
        // turn of the runtime for all that it waits for: after what a turn may do, waiting would never end.
        let _context = self.engine.handle.enter();
        futures::executor::block_on(tokio::task::unconstrained(work))
    }

    /// Waits for what changes nothing, until nobody wants it any more.
    fn ask<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let ending = self.engine.ending();
        self.wait(ending.or(work))
    }

    /// The path of a key, which is taken as it is.
    pub fn path(&self, key: &str) -> Result<Path> {
        let wrong = || {
            let text = format!("{}{key} is not the name of an object", self.shown);
            coded(WEIR_INVALID_ARGUMENT, "22023", text)
        };
        let path = Path::parse(key).map_err(|_| wrong())?;
        if path.as_ref().is_empty() { Err(wrong()) } else { Ok(path) }
    }

    pub fn head(&self, key: &str, take: Take, sink: *mut c_void) -> Result<()> {
        let path = self.path(key)?;
        let meta = self.ask(async {
            let head = self.signed(|| self.made.store.head(&path).boxed()).await;
            head.map_err(|error| self.failed(error, key))
        })?;
        give_object(key, &meta, take, sink)
    }

    /// The bytes from `offset`, fewer than asked for at the end, with the object that they are of. Many come in pieces at
    /// the same time, all of one version; each is asked for again where it breaks off.
    pub fn get(
        &self,
        key: &str,
        offset: u64,
        length: u64,
        if_match: Option<String>,
    ) -> Result<(Bytes, ObjectMeta)> {
        let path = self.path(key)?;
        self.ask(async {
            let first = self.piece(&path, offset, length.min(PIECE), if_match).await;
            let (bytes, meta) = first.map_err(|error| self.failed(error, key))?;
            let end = offset.saturating_add(length).min(meta.size);
            let mut at = offset + bytes.len() as u64;
            if at >= end || bytes.is_empty() {
                return Ok((bytes, meta));
            }
            let mut places = vec![];
            while at < end {
                places.push((at, PIECE.min(end - at)));
                at += PIECE;
            }
            let etag = meta.e_tag.clone();
            let rest: Vec<Bytes> = futures::stream::iter(places)
                .map(|(at, length)| self.piece(&path, at, length, etag.clone()))
                .buffered(PARALLEL)
                .map_ok(|(bytes, _)| bytes)
                .try_collect()
                .await
                .map_err(|error| self.failed(error, key))?;
            let all: Vec<_> = std::iter::once(bytes).chain(rest).collect();
            Ok((all.concat().into(), meta))
        })
    }

    async fn piece(
        &self,
        path: &Path,
        offset: u64,
        length: u64,
        if_match: Option<String>,
    ) -> StoreResult<(Bytes, ObjectMeta)> {
        let range = (length > 0).then(|| GetRange::Bounded(offset..offset.saturating_add(length)));
        let options = GetOptions { range, if_match, head: length == 0, ..Default::default() };
        let scope = Scope::new(None);
        let read = scope.run(async {
            let result = self.fetch(path, options).await?;
            let meta = result.meta.clone();
            if length == 0 {
                return Ok((Bytes::new(), meta));
            }
            Ok((result.bytes().await?, meta))
        });
        match read.await {
            // Behind the end there is nothing.
            Err(error) if scope.is_beyond() || self.is_memory => {
                match Scope::new(None).run(self.made.store.head(path)).await {
                    Ok(meta) if offset >= meta.size => Ok((Bytes::new(), meta)),
                    _ => Err(error),
                }
            }
            read => read,
        }
    }

    pub fn put(&self, key: &str, data: &[u8], mode: PutMode) -> Result<Option<String>> {
        let path = self.path(key)?;
        let data = Bytes::copy_from_slice(data).into();
        self.wait(async {
            self.put_at(&path, data, mode).await.map_err(|error| self.failed(error, key))
        })
    }

    /// The etag of what is there then.
    pub async fn put_at(
        &self,
        path: &Path,
        data: PutPayload,
        mode: PutMode,
    ) -> StoreResult<Option<String>> {
        let overwrites = mode == PutMode::Overwrite;
        let options = PutOptions { mode, ..Default::default() };
        let scope = Scope::new(None);
        match scope.run(self.made.store.put_opts(path, data.clone(), options)).await {
            Ok(put) => Ok(put.e_tag),
            Err(error) if overwrites && scope.is_uncertain() => {
                let found = tokio::time::timeout(PATIENCE, self.find_put(path, &data)).await;
                found.ok().flatten().ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// The same, of which the next page is asked for while this one is handed on; None is its end.
    fn ahead(
        &self,
        mut found: BoxStream<'static, StoreResult<ObjectMeta>>,
    ) -> mpsc::Receiver<Option<StoreResult<ObjectMeta>>> {
        let (send, receive) = mpsc::channel(LISTED_AHEAD);
        let scope = Scope::new(None);
        let read = async move {
            loop {
                let next = found.next().await;
                let is_end = next.is_none();
                if send.send(next).await.is_err() || is_end {
                    return;
                }
            }
        };
        self.engine.handle.spawn(async move { scope.run(read).await });
        receive
    }

    /// Hands on what lies below `prefix`, until `walk` has enough.
    pub fn list(
        &self,
        prefix: &str,
        recursive: bool,
        start_after: Option<String>,
        walk: Walk,
        sink: *mut c_void,
    ) -> Result<()> {
        let Some(walk) = walk else { return Ok(()) };
        let below = match prefix {
            "" => None,
            prefix => Some(self.path(prefix.trim_end_matches('/'))?),
        };
        let failed = |error| self.failed(error, prefix);
        let goes_on = |key: &str, meta: Option<&ObjectMeta>| {
            shown(key, meta, |object| unsafe { walk(sink, object) } == 0)
        };
        if recursive {
            let found = match &start_after {
                Some(key) => self.made.store.list_with_offset(below.as_ref(), &self.path(key)?),
                None => self.made.store.list(below.as_ref()),
            };
            let mut found = self.ahead(found);
            // C may take its time: not within the wait for the store.
            while let Some(meta) = self.ask(async { found.recv().await.ok_or_else(closed) })? {
                let meta = meta.map_err(failed)?;
                if !goes_on(meta.location.as_ref(), Some(&meta))? {
                    return Ok(());
                }
            }
            return Ok(());
        }
        let level = self.ask(async {
            let list = self.signed(|| self.made.store.list_with_delimiter(below.as_ref()).boxed());
            list.await.map_err(failed)
        })?;
        let directories = level.common_prefixes.iter().map(|path| (format!("{path}/"), None));
        let files = level.objects.iter().map(|meta| (meta.location.to_string(), Some(meta)));
        let mut all: Vec<_> = directories.chain(files).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        for (key, meta) in all {
            let is_after = start_after.as_ref().is_none_or(|start| key.as_str() > start.as_str());
            if is_after && !goes_on(&key, meta)? {
                return Ok(());
            }
        }
        Ok(())
    }

    pub fn copy(&self, from: &str, to: &str, overwrite: bool) -> Result<()> {
        let (source, target) = (self.path(from)?, self.path(to)?);
        let mode = if overwrite { CopyMode::Overwrite } else { CopyMode::Create };
        self.wait(async {
            let copy = self.signed(|| {
                async {
                    let options = CopyOptions { mode, ..Default::default() };
                    self.made.store.copy_opts(&source, &target, options).await
                }
                .boxed()
            });
            copy.await.map_err(|error| match error {
                object_store::Error::AlreadyExists { .. } => self.failed(error, to),
                error => self.failed(error, from),
            })
        })
    }

    pub fn delete(&self, keys: Vec<String>) -> Result<()> {
        let paths = keys.iter().map(|key| self.path(key)).collect::<Result<Vec<_>>>()?;
        let paths = futures::stream::iter(paths.into_iter().map(Ok)).boxed();
        let mut deleted = self.made.store.delete_stream(paths);
        self.wait(Scope::new(None).run(async {
            let mut at = 0;
            while let Some(result) = deleted.next().await {
                match result {
                    Ok(_) | Err(object_store::Error::NotFound { .. }) => at += 1,
                    Err(error) => {
                        let key = keys.get(at).map_or("", String::as_str);
                        return Err(self.failed(error, key));
                    }
                }
            }
            Ok(())
        }))
    }

    pub fn presign(&self, method: &str, key: &str, seconds: i64) -> Result<String> {
        let path = self.path(key)?;
        let signer = self.made.signer.as_ref().ok_or_else(|| {
            let text = format!("{}: a store of this type signs nothing", self.shown);
            coded(WEIR_NOT_IMPLEMENTED, "0A000", text)
        })?;
        let wrong = |text: &str| coded(WEIR_INVALID_ARGUMENT, "22023", format!("presign: {text}"));
        if !["GET", "PUT"].contains(&method) {
            return Err(wrong("the method is GET or PUT"));
        }
        let seconds = u64::try_from(seconds).ok().filter(|s| (1..=604_800).contains(s));
        let seconds = seconds.ok_or_else(|| wrong("seconds are from 1 to 604800, a week"))?;
        let method = method.parse().map_err(|_| wrong("the method is GET or PUT"))?;
        self.ask(async {
            let signed = signer.signed_url(method, &path, Duration::from_secs(seconds)).await;
            Ok(signed.map_err(|error| self.failed(error, key))?.to_string())
        })
    }
}
