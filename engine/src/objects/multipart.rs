//! An upload in parts that is remembered until it has ended, and whose lost answers are looked into.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{
    Error, MultipartId, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload,
    Result as StoreResult,
};

use super::journal::{Begun, Entry, SKEW_MS, What, now_ms};
use super::scope::Scope;
use super::{Objects, Registry};

/// How often what must not stay is tried to be ended, and the first pause between.
const TRIES: u32 = 6;
const PAUSE: Duration = Duration::from_millis(100);
/// The same of what the store did not let go of then: in all that is an hour.
const LATER_TRIES: u32 = 64;
const LATER_PAUSE: Duration = Duration::from_secs(1);
/// How often that pause is doubled.
const LATER_DOUBLED: u32 = 6;
/// How long an engine that is being closed waits for a sweep: a store that does not answer would hold up each program.
const SWEEP_PATIENCE: Duration = Duration::from_secs(1);
/// By how much a store's time of an upload may differ from its time of an answer.
const SLACK_MS: i64 = 2_000;

pub struct Multipart {
    objects: Arc<Objects>,
    store: Arc<dyn MultipartStore>,
    path: Path,
    id: MultipartId,
    begun_ms: i64,
    entry: Mutex<Option<Entry>>,
}

/// Whether the store may have done what it gave no answer to.
fn is_unknown(error: &Error) -> bool {
    matches!(error, Error::Generic { .. } | Error::JoinError { .. })
}

fn gone(done: StoreResult<()>) -> bool {
    matches!(done, Ok(()) | Err(Error::NotFound { .. }))
}

impl Multipart {
    /// `alone`: nobody else writes an object of this name.
    pub async fn begin(objects: &Arc<Objects>, path: &Path, alone: bool) -> StoreResult<Multipart> {
        let store = objects.made.multipart.clone().ok_or_else(|| Error::NotSupported {
            source: "a store of this type takes no parts".into(),
        })?;
        let begun = objects.begun(What::Upload, path, alone);
        let entry = objects.remember(&begun);
        let scope = Scope::new(None);
        let created = scope.run(store.create_multipart(path)).await;
        if let (Ok(id), Some(entry)) = (&created, &entry) {
            let _ = entry.set_id(id);
        }
        let begun_ms = begun.ms;
        let is_lost = created.as_ref().is_err_and(is_unknown) && !scope.is_refused();
        if scope.is_uncertain() || is_lost {
            objects.take_back_lost(begun, created.as_ref().ok()).await;
        }
        let entry = Mutex::new(entry);
        match created {
            Ok(id) => Ok(Multipart {
                objects: objects.clone(),
                store,
                path: path.clone(),
                id,
                begun_ms,
                entry,
            }),
            Err(error) => {
                end(&entry);
                Err(error)
            }
        }
    }

    pub fn put(
        self: &Arc<Self>,
        index: usize,
        part: PutPayload,
    ) -> impl Future<Output = StoreResult<PartId>> + Send + use<> {
        let (upload, scope) = (self.clone(), Scope::new(None));
        async move { scope.run(upload.store.put_part(&upload.path, &upload.id, index, part)).await }
    }

    /// The etag of the object, which has so many bytes.
    pub async fn complete(&self, parts: Vec<PartId>, n_bytes: u64) -> StoreResult<Option<String>> {
        let n_parts = parts.len();
        let scope = Scope::new(None);
        let completed = scope.run(self.store.complete_multipart(&self.path, &self.id, parts)).await;
        let etag = match completed {
            Ok(put) => put.e_tag,
            Err(error) => match self.was_completed(&error, n_parts, n_bytes).await {
                Some(etag) => etag,
                None => return Err(error),
            },
        };
        end(&self.entry);
        Ok(etag)
    }

    /// After a lost answer the upload is not there any more, and the object is.
    async fn was_completed(
        &self,
        error: &Error,
        n_parts: usize,
        n_bytes: u64,
    ) -> Option<Option<String>> {
        let gone = match error {
            Error::NotFound { .. } => true,
            error if is_unknown(error) => self.is_gone().await,
            _ => false,
        };
        if !gone {
            return None;
        }
        let found = self.objects.made.store.head(&self.path).await.ok()?;
        let has_parts = |etag: &String| etag.trim_matches('"').ends_with(&format!("-{n_parts}"));
        let uploads = self.objects.made.uploads.as_ref();
        let tells_parts = uploads.is_some_and(|uploads| uploads.bucket.tells_parts());
        let is_ours = found.size == n_bytes
            && found.last_modified.timestamp_millis() >= self.begun_ms - SKEW_MS
            && (!tells_parts || found.e_tag.as_ref().is_some_and(has_parts));
        is_ours.then_some(found.e_tag)
    }

    /// Whether the store does not know the upload any more. Some say so only when they list them.
    async fn is_gone(&self) -> bool {
        let Some(uploads) = &self.objects.made.uploads else {
            let aborted = self.store.abort_multipart(&self.path, &self.id).await;
            return matches!(aborted, Err(Error::NotFound { .. }));
        };
        for n in 0..TRIES {
            if let Ok((_, open)) = uploads.of(&self.path).await {
                return open.iter().all(|(id, _)| *id != self.id);
            }
            tokio::time::sleep(PAUSE * (1 << n)).await;
        }
        false
    }

    pub async fn abort(&self) {
        if self.objects.end_upload(&self.path, &self.id).await {
            end(&self.entry);
            return;
        }
        let begun = self.objects.begun(What::Upload, &self.path, false);
        let begun = Begun { id: Some(self.id.clone()), ..begun };
        let entry = self.entry.lock().unwrap().take();
        self.objects.take_back_later(vec![(begun, entry)]);
    }
}

fn end(entry: &Mutex<Option<Entry>>) {
    if let Some(entry) = entry.lock().unwrap().take() {
        entry.end();
    }
}

impl Begun {
    /// Whether it may be what a store, asked at a time of ours, says was begun so many milliseconds ago.
    fn may_be(&self, ago_ms: i64, asked_ms: i64) -> bool {
        let least = asked_ms - (self.ms + self.took_ms) - SLACK_MS;
        let most = now_ms() - self.ms + SLACK_MS;
        (least..=most).contains(&ago_ms)
    }
}

impl Objects {
    pub fn begun(&self, what: What, path: &Path, alone: bool) -> Begun {
        let (url, key) = (self.shown.clone(), path.to_string());
        Begun { what, ms: now_ms(), took_ms: 0, alone, url, key, id: None }
    }

    fn remember(&self, begun: &Begun) -> Option<Entry> {
        self.remember_instead(vec![], std::slice::from_ref(begun)).pop()
    }

    /// Ends some, in the same step. Nothing of what ends with the process is remembered; a journal that cannot be written
    /// keeps nobody from writing.
    pub fn remember_instead(&self, ended: Vec<Entry>, begun: &[Begun]) -> Vec<Entry> {
        let journal = self.engine.objects.journal.get().filter(|_| !self.is_memory);
        journal.and_then(|journal| journal.switch(ended, begun).ok()).unwrap_or_default()
    }

    /// The etag of an object that was put over another and got no answer, if it is there.
    pub async fn find_put(&self, path: &Path, data: &PutPayload) -> Option<Option<String>> {
        let wanted: Vec<u8> = data.iter().flatten().copied().collect();
        for n in 0..TRIES {
            let read = match self.made.store.get(path).await {
                Err(Error::NotFound { .. }) => return None,
                read => read,
            };
            if let Ok(read) = read {
                let etag = read.meta.e_tag.clone();
                if let Ok(found) = read.bytes().await {
                    return (found == wanted).then_some(etag);
                }
            }
            tokio::time::sleep(PAUSE * (1 << n)).await;
        }
        None
    }

    /// Puts an object of a name that nobody else writes: one that is there after a lost answer is this one.
    pub async fn put_alone(&self, path: &Path, data: PutPayload) -> StoreResult<()> {
        let scope = Scope::new(None);
        for n in 0.. {
            let options = PutOptions { mode: PutMode::Create, ..Default::default() };
            match scope.run(self.made.store.put_opts(path, data.clone(), options)).await {
                Ok(_) => break,
                Err(Error::AlreadyExists { .. }) if scope.is_uncertain() => break,
                Err(error) if !scope.is_uncertain() || n == TRIES => return Err(error),
                Err(_) => tokio::time::sleep(PAUSE * (1 << n)).await,
            }
        }
        Ok(())
    }

    /// Whether it is surely not open any more.
    async fn end_upload(&self, path: &Path, id: &MultipartId) -> bool {
        let Some(store) = &self.made.multipart else { return true };
        for n in 0..TRIES {
            match store.abort_multipart(path, id).await {
                Ok(()) | Err(Error::NotFound { .. }) => return true,
                Err(Error::PermissionDenied { .. } | Error::Unauthenticated { .. }) => {
                    return false;
                }
                Err(_) => tokio::time::sleep(PAUSE * (1 << n)).await,
            }
        }
        false
    }

    /// Takes back what one beginning left open and nobody knows of, now or later: all but the upload that it gave at last.
    async fn take_back_lost(self: &Arc<Self>, begun: Begun, given: Option<&MultipartId>) {
        let took_ms = now_ms() - begun.ms;
        let lost = Begun { what: What::Lost, took_ms, id: given.cloned(), ..begun };
        if !self.take_back(&lost).await {
            let entry = self.remember(&lost);
            self.take_back_later(vec![(lost, entry)]);
        }
    }

    /// Ends uploads of a name whose beginning was answered to nobody: all but the one whose id is known, and of a name that
    /// others write too those alone that were begun in that moment. False: they may be open still.
    async fn end_lost(&self, path: &Path, begun: &Begun) -> bool {
        let Some(uploads) = &self.made.uploads else { return true };
        for n in 0..TRIES {
            let asked_ms = now_ms();
            let Ok((store_ms, found)) = uploads.of(path).await else {
                tokio::time::sleep(PAUSE * (1 << n)).await;
                continue;
            };
            let known = match self.engine.objects.journal.get() {
                Some(journal) if !begun.alone => journal.known_ids(),
                _ => vec![],
            };
            let mut ended = true;
            for (id, at_ms) in found {
                let is_in_time = begun.may_be(store_ms - at_ms, asked_ms);
                let is_lost = begun.alone || is_in_time && !known.contains(&id);
                if is_lost && begun.id.as_ref() != Some(&id) {
                    ended &= self.end_upload(path, &id).await;
                }
            }
            return ended;
        }
        false
    }

    /// Not what somebody else wrote since.
    async fn may_delete(&self, path: &Path, begun: &Begun) -> StoreResult<bool> {
        if begun.alone {
            return Ok(true);
        }
        let written = self.made.store.head(path).await?.last_modified;
        Ok(written.timestamp_millis() <= begun.ms + SKEW_MS)
    }

    /// Whether nothing is left of it.
    async fn take_back(&self, begun: &Begun) -> bool {
        let Ok(path) = self.path(&begun.key) else { return true };
        match (begun.what, &begun.id) {
            (What::Object, _) => match self.may_delete(&path, begun).await {
                Ok(true) => gone(self.made.store.delete(&path).await),
                may => gone(may.map(|_| ())),
            },
            (What::Upload, Some(id)) => {
                self.end_upload(&path, id).await
                    && (!begun.alone || self.end_lost(&path, begun).await)
            }
            (What::Upload, None) | (What::Lost, _) => self.end_lost(&path, begun).await,
        }
    }

    /// Takes back what the store does not let go of now, with what remembers it. What is left when the engine is closed is left to
    /// a sweep.
    pub fn take_back_later(self: &Arc<Self>, mut left: Vec<(Begun, Option<Entry>)>) {
        if left.is_empty() {
            return;
        }
        let objects = self.clone();
        self.engine.handle.spawn(async move {
            for n in 0..LATER_TRIES {
                tokio::time::sleep(LATER_PAUSE * (1 << n.min(LATER_DOUBLED))).await;
                for (begun, entry) in std::mem::take(&mut left) {
                    match Scope::default().run(objects.take_back(&begun)).await {
                        true => drop(entry.map(Entry::end)),
                        false => left.push((begun, entry)),
                    }
                }
                if left.is_empty() {
                    return;
                }
            }
        });
    }

    /// Takes back what processes that are gone left in this store.
    pub fn sweep(self: &Arc<Self>) {
        let registry = self.engine.objects.clone();
        let Some(journal) = registry.journal.get().cloned() else { return };
        for (path, begun) in journal.left_in(&self.shown) {
            let (objects, journal, busy) = (self.clone(), journal.clone(), registry.busy());
            self.engine.handle.spawn(async move {
                let scope = Scope::new(None);
                let mut sweeping = std::pin::pin!(scope.run(objects.take_back(&begun)));
                let in_time = tokio::time::timeout(SWEEP_PATIENCE, &mut sweeping).await;
                let is_gone = match in_time {
                    Ok(is_gone) => is_gone,
                    Err(_) => {
                        drop(busy);
                        sweeping.await
                    }
                };
                if is_gone {
                    journal.taken_back(&path, &begun);
                }
            });
        }
    }
}

impl Registry {
    /// Opens the stores that something was left in, which sweeps them. Others may need a secret that comes later.
    pub fn sweep(&self) {
        let left = self.journal.get().map(|journal| journal.left()).unwrap_or_default();
        for url in left {
            if let Ok((objects, _)) = self.locate(&url) {
                objects.sweep();
            }
        }
    }
}
