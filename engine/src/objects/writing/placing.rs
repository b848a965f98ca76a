//! The end of a writing: its objects come into their places, and those that were there go.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    Error, ObjectStore, ObjectStoreExt, PutMode, PutPayload, Result as StoreResult,
};

use super::{File, Mode, Phase, Writing};
use crate::bindings::*;
use crate::error::{Result, coded};
use crate::objects::journal::{Begun, Entry, What};

/// Objects that are put in place at the same time.
const PARALLEL: usize = 8;

impl Writing {
    pub async fn place(self: &Arc<Self>) -> Result<()> {
        if let Some(file) = self.state.lock().unwrap().files.iter().find(|file| !file.is_whole) {
            let text = format!("{}{} was not written to its end", self.objects.shown, file.path);
            return Err(coded(WEIR_INTERNAL, "XX000", text));
        }
        self.wait_for_parts().await?;
        let new = self.paths(|_| true);
        let old = match self.mode {
            Mode::Replace => self.list().await?,
            _ => vec![],
        };
        if self.mode == Mode::Add {
            self.check_free().await?;
        }
        let begun = self.phase.send_if_modified(|phase| {
            let goes_on = *phase == Phase::Write;
            if goes_on {
                *phase = Phase::Commit;
            }
            goes_on
        });
        if !begun {
            let text = format!("cannot write {self:?}: the engine is being closed");
            return Err(coded(WEIR_CANCELLED, "57014", text));
        }
        // Who is killed halfway leaves some of several objects, which a sweep takes away.
        let several = self.mode != Mode::One;
        let fresh = new.iter().filter(|path| several && !old.contains(path));
        let fresh = self.to_delete(fresh, true);
        let entries = self.objects.remember_instead(vec![], &fresh);
        let files = std::mem::take(&mut self.state.lock().unwrap().files);
        let placed = futures::stream::iter(files)
            .map(|file| async move {
                let path = file.path.clone();
                (path, self.place_one(file).await)
            })
            .buffer_unordered(PARALLEL)
            .collect::<Vec<_>>()
            .await;
        let failure = placed.into_iter().find_map(|(path, placed)| Some((path, placed.err()?)));
        if let Some((path, error)) = failure {
            // None of the names was in use: what is there is ours.
            let _ = self.delete(fresh, entries).await;
            return Err(self.failed(&path, error));
        }
        let old = self.to_delete(old.iter().filter(|path| !new.contains(path)), false);
        let entries = self.objects.remember_instead(entries, &old);
        self.delete(old, entries).await
    }

    /// `alone`: nobody else writes objects of these names.
    fn to_delete<'a>(&self, paths: impl Iterator<Item = &'a Path>, alone: bool) -> Vec<Begun> {
        paths.map(|path| self.objects.begun(What::Object, path, alone)).collect()
    }

    async fn place_one(&self, file: File) -> StoreResult<()> {
        match file.carrier {
            Some(carrier) => {
                carrier.ended.await.unwrap_or_else(|source| Err(Error::JoinError { source }))
            }
            None => {
                let data: PutPayload = file.kept.into_iter().collect();
                match self.mode {
                    Mode::Add => self.objects.put_alone(&file.path, data).await,
                    _ => {
                        let put = self.objects.put_at(&file.path, data, PutMode::Overwrite);
                        put.await.map(|_| ())
                    }
                }
            }
        }
    }

    /// Uploads in parts know no condition, so it is asked for before. The names are random.
    async fn check_free(&self) -> Result<()> {
        let store = &self.objects.made.store;
        futures::stream::iter(self.paths(|file| file.carrier.is_some()))
            .map(|path| async move {
                match self.objects.signed(|| store.head(&path).boxed()).await {
                    Err(Error::NotFound { .. }) => Ok(()),
                    Err(error) => Err(self.failed(&path, error)),
                    Ok(_) => {
                        let (path, source) = (path.to_string(), "another has it".into());
                        let taken = Error::AlreadyExists { path: path.clone(), source };
                        Err(self.objects.failed(taken, &path))
                    }
                }
            })
            .buffer_unordered(PARALLEL)
            .try_collect::<()>()
            .await
    }

    fn paths(&self, which: fn(&File) -> bool) -> HashSet<Path> {
        let state = self.state.lock().unwrap();
        state.files.iter().filter(|file| which(file)).map(|file| file.path.clone()).collect()
    }

    async fn list(&self) -> Result<Vec<Path>> {
        let below = self.objects.path(&self.key)?;
        let found = self.objects.made.store.list(Some(&below)).map_ok(|meta| meta.location);
        found.try_collect().await.map_err(|error| self.objects.failed(error, &self.key))
    }

    /// Deletes objects, each with what remembers it; those that the store keeps, later.
    async fn delete(&self, objects: Vec<Begun>, entries: Vec<Entry>) -> Result<()> {
        let mut first = Ok(());
        let entries = entries.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
        let keys = objects.iter().map(|one| one.key.clone());
        let mut left: HashMap<_, _> = keys.zip(objects.iter().cloned().zip(entries)).collect();
        let paths = objects.iter().map(|one| Path::parse(&one.key).map_err(Error::from));
        let paths = futures::stream::iter(paths.collect::<Vec<_>>()).boxed();
        let mut deleted = self.objects.made.store.delete_stream(paths);
        while let Some(result) = deleted.next().await {
            let key = match result {
                Ok(path) => path.to_string(),
                Err(Error::NotFound { path, .. }) => path,
                Err(error) => {
                    first = first.and(Err(self.objects.failed(error, &self.key)));
                    continue;
                }
            };
            left.remove(&key).and_then(|(_, entry)| entry).map(Entry::end);
        }
        self.objects.take_back_later(left.into_values().collect());
        first
    }
}
