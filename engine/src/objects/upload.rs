//! Writing an object piece by piece: parts go out while more is written. Nothing is there before the
//! end.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, Error, ObjectStoreExt, PutMode, PutPayloadMut, Result as StoreResult,
};
use tokio::task::JoinSet;

use crate::bindings::*;
use crate::error::{Result, coded};

use super::Objects;
use super::multipart::Multipart;

/// Bytes of a part. A store takes 10,000 of them: an object may have 156 GiB.
const PART: usize = 16 << 20;
/// Parts that are under way at the same time.
const PARALLEL: usize = 4;

pub struct Upload {
    objects: Arc<Objects>,
    key: String,
    path: Path,
    mode: PutMode,
    /// What was written and is not under way.
    buffer: PutPayloadMut,
    parts: Option<Parts>,
    failed: bool,
}

/// An object that is written in parts.
struct Parts {
    upload: Arc<Multipart>,
    under_way: JoinSet<StoreResult<(usize, PartId)>>,
    arrived: Vec<(usize, PartId)>,
    n_bytes: u64,
    /// Where they go: what must not replace anything is put in its place at the end.
    path: Path,
}

impl Parts {
    /// Waits until at most `n` are under way.
    async fn wait(&mut self, n: usize) -> StoreResult<()> {
        while self.under_way.len() > n {
            if let Some(part) = self.under_way.join_next().await {
                self.arrived.push(part.map_err(|source| Error::JoinError { source })??);
            }
        }
        Ok(())
    }

    async fn send(&mut self, buffer: &mut PutPayloadMut) -> StoreResult<()> {
        self.wait(PARALLEL - 1).await?;
        let part = std::mem::take(buffer).freeze();
        self.n_bytes += part.content_length() as u64;
        let index = self.arrived.len() + self.under_way.len();
        let put = self.upload.put(index, part);
        self.under_way.spawn(async move { put.await.map(|part| (index, part)) });
        Ok(())
    }

    async fn complete(&mut self) -> StoreResult<Option<String>> {
        self.wait(0).await?;
        let mut parts = std::mem::take(&mut self.arrived);
        parts.sort_by_key(|(index, _)| *index);
        let parts = parts.into_iter().map(|(_, part)| part).collect();
        self.upload.complete(parts, self.n_bytes).await
    }

    async fn abort(mut self) {
        self.under_way.shutdown().await;
        self.upload.abort().await;
    }
}

impl Upload {
    pub fn new(objects: &Arc<Objects>, key: String, mode: PutMode) -> Result<Upload> {
        let path = objects.path(&key)?;
        let buffer = PutPayloadMut::new();
        let objects = objects.clone();
        Ok(Upload { objects, key, path, mode, buffer, parts: None, failed: false })
    }

    pub fn write(&mut self, data: &[u8]) -> Result<()> {
        for piece in data.chunks(PART) {
            self.buffer.extend_from_slice(piece);
            if self.buffer.content_length() >= PART {
                let objects = self.objects.clone();
                let sent = objects.wait(async {
                    self.send().await.map_err(|error| objects.failed(error, &self.key))
                });
                self.failed |= sent.is_err();
                sent?;
            }
        }
        Ok(())
    }

    async fn send(&mut self) -> StoreResult<()> {
        if self.parts.is_none() {
            let is_staged = self.mode != PutMode::Overwrite;
            let path = if is_staged { staged(&self.path) } else { self.path.clone() };
            let upload = Arc::new(Multipart::begin(&self.objects, &path, is_staged).await?);
            let (under_way, arrived) = (JoinSet::new(), vec![]);
            self.parts = Some(Parts { upload, under_way, arrived, n_bytes: 0, path });
        }
        self.parts.as_mut().expect("just made").send(&mut self.buffer).await
    }

    /// The object's etag.
    pub fn commit(mut self) -> Result<Option<String>> {
        let objects = self.objects.clone();
        if self.failed {
            let text = format!("{}{}: a write of it failed", objects.shown, self.key);
            return Err(coded(WEIR_INVALID_STATE, "55000", text));
        }
        objects.wait(async {
            let etag = match self.parts {
                None => {
                    let data = std::mem::take(&mut self.buffer).freeze();
                    objects.put_at(&self.path, data, self.mode.clone()).await
                }
                Some(_) => self.complete().await,
            };
            etag.map_err(|error| objects.failed(error, &self.key))
        })
    }

    async fn complete(&mut self) -> StoreResult<Option<String>> {
        if !self.buffer.is_empty() {
            self.send().await?;
        }
        let parts = self.parts.as_mut().expect("it has parts");
        let etag = parts.complete().await?;
        let staged = self.parts.take().expect("it has parts").path;
        if staged == self.path {
            return Ok(etag);
        }
        let placed = self.place(&staged).await;
        let _ = self.objects.made.store.delete(&staged).await;
        placed
    }

    /// Copies the staged object to where nothing may be, or one version only.
    async fn place(&self, staged: &Path) -> StoreResult<Option<String>> {
        let store = &self.objects.made.store;
        let mut mode = CopyMode::Create;
        if let PutMode::Update(version) = &self.mode {
            // Stores copy under no such condition: the time between is short.
            if store.head(&self.path).await?.e_tag != version.e_tag {
                let path = self.path.to_string();
                return Err(Error::Precondition { path, source: "another version".into() });
            }
            mode = CopyMode::Overwrite;
        }
        let options = CopyOptions { mode, ..Default::default() };
        store.copy_opts(staged, &self.path, options).await?;
        Ok(store.head(&self.path).await?.e_tag)
    }
}

/// A hidden name beside it.
fn staged(path: &Path) -> Path {
    let unique = RandomState::new().build_hasher().finish();
    let hidden = format!(".weir-staging-{unique:016x}-{}", path.filename().unwrap_or_default());
    let mut parts: Vec<_> = path.parts().collect();
    parts.pop();
    parts.into_iter().chain([hidden.as_str().into()]).collect()
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Some(parts) = self.parts.take() {
            let aborted = async {
                parts.abort().await;
                Ok(())
            };
            let _ = self.objects.wait(aborted);
        }
    }
}
