// SPDX-License-Identifier: Apache-2.0
//! The files of one statement while they are written. Each write holds their directory, which is removed when nobody holds it
//! any more: a write that is on a thread when its statement is given up comes to its end first, and none begins after it.

use std::fmt;
use std::fs::{self, File};
use std::io::{Error as IoError, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::common::DataFusionError;
use datafusion::execution::object_store::ObjectStoreRegistry;
use futures::FutureExt;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
};
use url::Url;

/// A hidden directory, locked until it is removed.
#[derive(Debug)]
pub struct Directory {
    pub path: PathBuf,
    pub _lock: File,
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What stays behind after an error here is swept later.
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Generic { store: "files", source: error.into() }
}

/// Writes on a thread that may block.
async fn at_work<T: Send + 'static>(
    directory: &Weak<Directory>,
    write: impl FnOnce() -> Result<T, IoError> + Send + 'static,
) -> Result<T> {
    let held = directory.upgrade().ok_or_else(|| failed("the statement's writing has ended"))?;
    let task = tokio::task::spawn_blocking(move || {
        let written = write();
        drop(held);
        written
    });
    task.await.map_err(failed)?.map_err(failed)
}

/// The stores of a statement's writers.
#[derive(Debug)]
pub struct Stores {
    pub inner: Arc<dyn ObjectStoreRegistry>,
    pub directory: Weak<Directory>,
}

impl ObjectStoreRegistry for Stores {
    fn register_store(
        &self,
        url: &Url,
        store: Arc<dyn ObjectStore>,
    ) -> Option<Arc<dyn ObjectStore>> {
        self.inner.register_store(url, store)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>, DataFusionError> {
        let inner = self.inner.get_store(url)?;
        let directory = self.directory.clone();
        Ok(if url.scheme() == "file" { Arc::new(Files { inner, directory }) } else { inner })
    }
}

/// The files of this machine, of which the statement writes its own only.
#[derive(Debug)]
struct Files {
    inner: Arc<dyn ObjectStore>,
    directory: Weak<Directory>,
}

impl fmt::Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// A new file, with the directories above it.
fn create(location: &Path) -> Result<File, IoError> {
    let path = PathBuf::from(format!("/{location}"));
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    File::create_new(path)
}

fn put() -> PutResult {
    PutResult { e_tag: None, version: None }
}

#[async_trait]
impl ObjectStore for Files {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        _: PutOptions,
    ) -> Result<PutResult> {
        let location = location.clone();
        let write = move || {
            let mut file = create(&location)?;
            payload.iter().try_for_each(|bytes| file.write_all(bytes))
        };
        at_work(&self.directory, write).await.map(|()| put())
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let (location, directory) = (location.clone(), self.directory.clone());
        let file = Arc::new(at_work(&directory, move || create(&location)).await?);
        Ok(Box::new(Parts { file, end: 0, directory }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(location, ranges).await
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

/// A file that is written in parts: it is whole when they are, for nobody looks for it before the commit.
#[derive(Debug)]
struct Parts {
    file: Arc<File>,
    /// Of the parts so far.
    end: u64,
    directory: Weak<Directory>,
}

#[async_trait]
impl MultipartUpload for Parts {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (file, directory, mut at) = (self.file.clone(), self.directory.clone(), self.end);
        self.end += data.content_length() as u64;
        let write = move || {
            data.iter().try_for_each(|bytes| {
                file.write_all_at(bytes, at)?;
                at += bytes.len() as u64;
                Ok(())
            })
        };
        async move { at_work(&directory, write).await }.boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        Ok(put())
    }

    async fn abort(&mut self) -> Result<()> {
        // It goes with its directory.
        Ok(())
    }
}
