//! The stores by URL, and files of this machine. What the engine's own store reads is counted; files below a root are opened
//! by C, which lets no path and no symbolic link lead out of it.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::os::fd::FromRawFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{TimeZone, Utc};
use datafusion::common::DataFusionError;
use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry};
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use url::Url;

use crate::bindings::*;
use crate::catalog::c_text;
use crate::error::{call_c, coded};
use crate::objects::scope::{Tally, statement};
use crate::objects::{self, All, Registry, writing};

/// `weir+file://<root in hexadecimal>/<absolute path>` is a file below a root.
const BENEATH: &str = "weir+file";

/// What the engine counts since it was opened, for system.metrics.
#[derive(Debug, Default)]
pub struct Counters {
    pub bytes_read: AtomicI64,
    pub requests: AtomicI64,
    pub footers_read: AtomicI64,
    pub footers_kept: AtomicI64,
    pub blocks_kept: AtomicI64,
    pub runs: AtomicI64,
    pub plans_kept: AtomicI64,
    pub plans_made: AtomicI64,
}

pub fn count(counter: &AtomicI64, n: usize) {
    counter.fetch_add(n as i64, Ordering::Relaxed);
}

/// The stores by URL.
#[derive(Debug)]
pub struct Stores {
    others: DefaultObjectStoreRegistry,
    local: Arc<dyn ObjectStore>,
    objects: Arc<dyn ObjectStore>,
    registry: Arc<Registry>,
    beneath: Mutex<HashMap<String, Arc<dyn ObjectStore>>>,
    open: OpenBeneath,
    counters: Arc<Counters>,
}

impl Stores {
    pub fn new(open: OpenBeneath, objects: &Arc<Registry>, counters: &Arc<Counters>) -> Stores {
        let counters = counters.clone();
        let inner = Arc::new(LocalFileSystem::new());
        Stores {
            others: DefaultObjectStoreRegistry::new(),
            local: Arc::new(Counted { inner, counters: counters.clone() }),
            objects: Arc::new(All { registry: objects.clone(), tally: None }),
            registry: objects.clone(),
            beneath: Mutex::default(),
            open,
            counters,
        }
    }

    fn beneath(&self, host: &str) -> Option<Arc<dyn ObjectStore>> {
        let mut stores = self.beneath.lock().unwrap();
        if let Some(store) = stores.get(host) {
            return Some(store.clone());
        }
        let root = String::from_utf8(from_hexadecimal(host)?).ok()?;
        let inner = Arc::new(Beneath { root, open: self.open });
        let store: Arc<dyn ObjectStore> =
            Arc::new(Counted { inner, counters: self.counters.clone() });
        stores.insert(host.to_string(), store.clone());
        Some(store)
    }
}

/// The same stores, whose requests are counted for one statement.
#[derive(Debug)]
pub struct Tallied {
    inner: Arc<dyn ObjectStoreRegistry>,
    objects: Arc<dyn ObjectStore>,
}

impl Tallied {
    pub fn new(
        inner: &Arc<dyn ObjectStoreRegistry>,
        registry: &Arc<Registry>,
        tally: &Arc<Tally>,
    ) -> Tallied {
        let objects = All { registry: registry.clone(), tally: Some(tally.clone()) };
        Tallied { inner: inner.clone(), objects: Arc::new(objects) }
    }
}

impl ObjectStoreRegistry for Tallied {
    fn register_store(
        &self,
        url: &Url,
        store: Arc<dyn ObjectStore>,
    ) -> Option<Arc<dyn ObjectStore>> {
        self.inner.register_store(url, store)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>, DataFusionError> {
        match url.scheme() {
            objects::SCHEME => Ok(self.objects.clone()),
            _ => self.inner.get_store(url),
        }
    }
}

pub fn from_hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    let digits = digits.filter(|d| d.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]).collect())
}

impl ObjectStoreRegistry for Stores {
    fn register_store(
        &self,
        url: &Url,
        store: Arc<dyn ObjectStore>,
    ) -> Option<Arc<dyn ObjectStore>> {
        self.others.register_store(url, store)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>, DataFusionError> {
        match url.scheme() {
            "file" => Ok(self.local.clone()),
            // Of what is planned now, if anything is.
            objects::SCHEME => match statement() {
                Some(tally) => {
                    let registry = self.registry.clone();
                    Ok(Arc::new(All { registry, tally: Some(tally) }))
                }
                None => Ok(self.objects.clone()),
            },
            writing::SCHEME => {
                let token = url.host_str().unwrap_or_default();
                self.registry.writing(token).ok_or_else(|| {
                    coded(WEIR_INTERNAL, "XX000", "the statement's writing has ended")
                })
            }
            BENEATH => self.beneath(url.host_str().unwrap_or_default()).ok_or_else(|| {
                coded(WEIR_INTERNAL, "XX000", format!("{url} names no root directory"))
            }),
            _ => self.others.get_store(url),
        }
    }
}

/// A store whose reads are counted.
#[derive(Debug)]
struct Counted {
    inner: Arc<dyn ObjectStore>,
    counters: Arc<Counters>,
}

impl Counted {
    fn count(&self, bytes: u64) {
        count(&self.counters.requests, 1);
        count(&self.counters.bytes_read, bytes as usize);
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for Counted {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.inner.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let head = options.head;
        let result = self.inner.get_opts(location, options).await?;
        self.count(if head { 0 } else { result.range.end - result.range.start });
        Ok(result)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let read = self.inner.get_ranges(location, ranges).await?;
        self.count(read.iter().map(|bytes| bytes.len() as u64).sum());
        Ok(read)
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

/// How C opens a file below a root: both paths are absolute.
pub type OpenBeneath = Option<
    unsafe extern "C" fn(
        root: *const std::ffi::c_char,
        path: *const std::ffi::c_char,
        ret_fd: *mut std::ffi::c_int,
        error: *mut weir_error,
    ) -> std::ffi::c_int,
>;

/// Files below a root, read only. A location is the file's absolute path, so that no two roots give
/// different files the same one.
#[derive(Debug)]
struct Beneath {
    root: String,
    open: OpenBeneath,
}

impl fmt::Display for Beneath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "files below {}", self.root)
    }
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Generic { store: "files below a root", source: error.into() }
}

impl Beneath {
    fn read_only<T>(&self) -> Result<T> {
        Err(failed(coded(
            WEIR_NOT_IMPLEMENTED,
            "0A000",
            format!("the engine writes nothing below {}", self.root),
        )))
    }

    /// Runs `read` on an opened file, on a thread that may block.
    async fn with_file<T: Send + 'static>(
        &self,
        location: &Path,
        read: impl FnOnce(File, PathBuf) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let path = format!("/{location}");
        let (root, open) = (self.root.clone(), self.open);
        let task = tokio::task::spawn_blocking(move || {
            let open = open.ok_or_else(|| {
                failed(coded(WEIR_INTERNAL, "XX000", "nothing opens files below a root"))
            })?;
            let (root, c_path) = (c_text(&root).map_err(failed)?, c_text(&path).map_err(failed)?);
            let mut fd = -1;
            call_c(|error| unsafe { open(root.as_ptr(), c_path.as_ptr(), &mut fd, error) })
                .map_err(failed)?;
            read(unsafe { File::from_raw_fd(fd) }, PathBuf::from(path))
        });
        task.await.unwrap_or_else(|error| Err(failed(error)))
    }
}

/// The same text as the files kind gives with its list.
fn etag(metadata: &std::fs::Metadata) -> String {
    let ns = |seconds: i64, ns: i64| (seconds as i128 * 1_000_000_000 + ns as i128) as u64;
    format!(
        "{:x}-{:x}-{:x}-{:x}-{:x}",
        metadata.dev(),
        metadata.ino(),
        metadata.size(),
        ns(metadata.mtime(), metadata.mtime_nsec()),
        ns(metadata.ctime(), metadata.ctime_nsec())
    )
}

fn read_range(file: &File, range: Range<u64>) -> Result<Bytes> {
    let mut data = vec![0; (range.end - range.start) as usize];
    file.read_exact_at(&mut data, range.start).map_err(failed)?;
    Ok(data.into())
}

#[async_trait]
impl ObjectStore for Beneath {
    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        self.read_only()
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.read_only()
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let name = location.clone();
        self.with_file(location, move |file, path| {
            let metadata = file.metadata().map_err(failed)?;
            let modified = Utc.timestamp_opt(metadata.mtime(), metadata.mtime_nsec() as u32);
            let meta = ObjectMeta {
                location: name,
                last_modified: modified.single().unwrap_or_default(),
                size: metadata.len(),
                e_tag: Some(etag(&metadata)),
                version: None,
            };
            options.check_preconditions(&meta)?;
            let range = match options.range {
                Some(range) => range.as_range(meta.size).map_err(failed)?,
                None => 0..meta.size,
            };
            let payload = GetResultPayload::File(file, path);
            Ok(GetResult { payload, meta, range, attributes: Default::default() })
        })
        .await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let ranges = ranges.to_vec();
        let read = move |file: File, _| ranges.into_iter().map(|r| read_range(&file, r)).collect();
        self.with_file(location, read).await
    }

    fn delete_stream(
        &self,
        _: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        Box::pin(futures::stream::iter([self.read_only()]))
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        // C lists.
        Box::pin(futures::stream::iter([self.read_only()]))
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        self.read_only()
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        self.read_only()
    }
}
