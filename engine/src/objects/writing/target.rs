//! The store that the writers of a statement see: what they put is kept or sent, and is in no place yet.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result as StoreResult,
    UploadPart,
};

use super::Writing;

#[derive(Debug)]
pub struct Target(pub Arc<Writing>);

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

fn write_only<T>() -> StoreResult<T> {
    Err(Error::NotSupported { source: "a statement's target is only written".into() })
}

fn result() -> PutResult {
    PutResult { e_tag: None, version: None }
}

#[derive(Debug)]
struct Part {
    writing: Arc<Writing>,
    at: usize,
}

#[async_trait]
impl MultipartUpload for Part {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.writing.write(self.at, data);
        let writing = self.writing.clone();
        async move { writing.room().await }.boxed()
    }

    async fn complete(&mut self) -> StoreResult<PutResult> {
        self.writing.end(self.at);
        Ok(result())
    }

    async fn abort(&mut self) -> StoreResult<()> {
        self.writing.remove(self.at);
        Ok(())
    }
}

#[async_trait]
impl ObjectStore for Target {
    async fn put_opts(
        &self,
        path: &Path,
        data: PutPayload,
        _: PutOptions,
    ) -> StoreResult<PutResult> {
        let at = self.0.add(path);
        self.0.write(at, data);
        self.0.end(at);
        self.0.room().await.map(|()| result())
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        _: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        Ok(Box::new(Part { at: self.0.add(path), writing: self.0.clone() }))
    }

    async fn get_opts(&self, _: &Path, _: GetOptions) -> StoreResult<GetResult> {
        write_only()
    }

    fn delete_stream(
        &self,
        _: BoxStream<'static, StoreResult<Path>>,
    ) -> BoxStream<'static, StoreResult<Path>> {
        futures::stream::iter([write_only()]).boxed()
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        futures::stream::iter([write_only()]).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> StoreResult<ListResult> {
        write_only()
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> StoreResult<()> {
        write_only()
    }
}
