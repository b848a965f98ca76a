//! What one statement writes into a store. Its writers see a store of their own, which sends parts while rows come and
//! keeps small objects; nothing is there before [`Commit::commit`], and nothing stays without it.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::time::Duration;

use bytes::Bytes;
use datafusion::common::DataFusionError;
use object_store::path::Path;
use object_store::{Error, ObjectStore, PutPayload, Result as StoreResult};
use tokio::sync::watch;

use crate::bindings::*;
use crate::error::{Result, coded};

use super::carrier::{Carrier, Errand, part_size};
use super::scope::{Scope, Tally};
use super::{Objects, Registry};
use target::Target;

mod placing;
mod target;

/// The URLs of a statement's own store.
pub const SCHEME: &str = "weir+write";
/// Bytes of parts on the way, of a statement; writers wait for what goes beyond it.
const ON_THE_WAY: usize = 64 << 20;
/// Bytes of small objects that are kept until the end; the others go up as uploads of one part.
const KEPT: usize = 32 << 20;
/// How long a statement that failed waits for its uploads to be taken back; they are in any case.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Phase {
    Write,
    Commit,
    Abort,
}

#[derive(Default)]
pub struct Flow {
    pub bytes: usize,
    pub failed: bool,
}

/// What the engine waits for when it is closed.
#[derive(Default, Debug)]
pub struct Underway {
    count: Mutex<usize>,
    none: Condvar,
}

pub struct Busy(Arc<Underway>);

impl Busy {
    fn new(underway: &Arc<Underway>) -> Busy {
        *underway.count.lock().unwrap() += 1;
        Busy(underway.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        *self.0.count.lock().unwrap() -= 1;
        self.0.none.notify_all();
    }
}

#[derive(Clone, Copy, PartialEq)]
pub enum Mode {
    /// One object, in the place of one that is there.
    One,
    /// Below a directory, where nothing of the name is.
    Add,
    /// Below a directory, of which nothing else stays.
    Replace,
}

struct File {
    path: Path,
    kept: Vec<Bytes>,
    n_kept: usize,
    n_parts: usize,
    carrier: Option<Carrier>,
    is_whole: bool,
}

#[derive(Default)]
struct State {
    files: Vec<File>,
    /// Bytes of whole objects that are kept.
    kept: usize,
}

pub struct Writing {
    objects: Arc<Objects>,
    /// The key of the object, or of the directory.
    key: String,
    mode: Mode,
    tally: Option<Arc<Tally>>,
    state: Mutex<State>,
    phase: watch::Sender<Phase>,
    flow: watch::Sender<Flow>,
}

impl fmt::Debug for Writing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.objects.shown, self.key)
    }
}

/// A writing that is given up when this is dropped.
#[derive(Debug)]
pub struct Commit {
    writing: Arc<Writing>,
    registry: Arc<Registry>,
    token: String,
}

impl Commit {
    /// `key` is that of the object or of the directory, without a slash at its end. Returns where the writers are to
    /// write, too. Nothing is asked of the store.
    pub fn begin(
        registry: &Arc<Registry>,
        objects: Arc<Objects>,
        key: &str,
        mode: Mode,
        tally: Option<Arc<Tally>>,
    ) -> Result<(Commit, url::Url)> {
        let shown = format!("{}{key}", objects.shown);
        let wrong = |text: &str| coded(WEIR_INVALID_ARGUMENT, "22023", format!("{shown}: {text}"));
        if objects.is_web {
            let text = "a web server cannot be written to by a statement";
            return Err(coded(WEIR_NOT_IMPLEMENTED, "0A000", format!("{shown}: {text}")));
        }
        match (key, mode) {
            ("", Mode::One) => return Err(wrong("is not the name of an object")),
            ("", Mode::Replace) => {
                return Err(wrong("is all of the store; overwrite a directory in it"));
            }
            ("", Mode::Add) => {}
            _ => drop(objects.path(key)?),
        }
        let writing = Arc::new(Writing {
            objects,
            key: key.to_string(),
            mode,
            tally,
            state: Mutex::default(),
            phase: watch::Sender::new(Phase::Write),
            flow: watch::Sender::default(),
        });
        let token = registry.register(&writing);
        let mut url = url::Url::parse(&format!("{SCHEME}://{token}/")).expect("a good URL");
        if !key.is_empty() {
            let mut segments = url.path_segments_mut().expect("it has a path");
            segments.clear().extend(key.split('/'));
            if mode != Mode::One {
                segments.push("");
            }
        }
        Ok((Commit { writing, registry: registry.clone(), token }, url))
    }

    /// As messages and plans call the target.
    pub fn target(&self) -> String {
        let end =
            if self.writing.mode == Mode::One || self.writing.key.is_empty() { "" } else { "/" };
        format!("{}{}{end}", self.writing.objects.shown, self.writing.key)
    }

    /// Puts everything in its place. After an error nothing is there that was not before; an object that was overwritten,
    /// or a directory, is as it was or has all that is new.
    pub async fn commit(self) -> Result<()> {
        let _busy = Busy::new(&self.registry.underway);
        let scope = Scope::new(self.writing.tally.clone());
        let placed = scope.run(self.writing.place()).await;
        if placed.is_err() {
            self.writing.give_up().await;
        }
        placed
    }

    /// Takes back what is on its way. What a store said against it is the better reason.
    pub async fn fail(self, error: DataFusionError) -> DataFusionError {
        let _busy = Busy::new(&self.registry.underway);
        let failed = self.writing.flow.borrow().failed;
        let reason = match failed {
            true => self.writing.wait_for_parts().await.err(),
            false => None,
        };
        self.writing.give_up().await;
        reason.unwrap_or(error)
    }
}

impl Drop for Commit {
    fn drop(&mut self) {
        self.writing.abort();
        self.registry.forget(&self.token);
    }
}

impl Registry {
    fn register(&self, writing: &Arc<Writing>) -> String {
        let mut writings = self.writings.lock().unwrap();
        let (next, all) = &mut *writings;
        *next += 1;
        let token = format!("w{next}");
        all.insert(token.clone(), Arc::downgrade(writing));
        token
    }

    fn forget(&self, token: &str) {
        self.writings.lock().unwrap().1.remove(token);
    }

    /// The store that a statement's writers write into.
    pub fn writing(&self, token: &str) -> Option<Arc<dyn ObjectStore>> {
        let writing = self.writings.lock().unwrap().1.get(token).and_then(Weak::upgrade)?;
        Some(Arc::new(Target(writing)))
    }

    /// The engine waits for whoever has this.
    pub fn busy(&self) -> Busy {
        Busy::new(&self.underway)
    }

    /// Gives up what statements write, and waits until it is taken back.
    pub fn close(&self, patience: Duration) {
        let writings: Vec<_> =
            self.writings.lock().unwrap().1.values().filter_map(Weak::upgrade).collect();
        writings.iter().for_each(|writing| writing.abort());
        let count = self.underway.count.lock().unwrap();
        let waited = self.underway.none.wait_timeout_while(count, patience, |count| *count > 0);
        drop(waited);
        if let Some(journal) = self.journal.get() {
            journal.close();
        }
    }
}

impl Writing {
    fn failed(&self, path: &Path, error: Error) -> DataFusionError {
        match error {
            Error::NotFound { .. } => coded(
                WEIR_NOT_FOUND,
                "58P01",
                format!(
                    "cannot write {}{path}: its bucket or container is not there",
                    self.objects.shown
                ),
            ),
            error => self.objects.failed(error, path.as_ref()),
        }
    }

    fn abort(&self) {
        self.phase.send_if_modified(|phase| {
            let goes_on = *phase == Phase::Write;
            if goes_on {
                *phase = Phase::Abort;
            }
            goes_on
        });
    }

    async fn give_up(&self) {
        self.abort();
        let files = std::mem::take(&mut self.state.lock().unwrap().files);
        let carriers = files.into_iter().filter_map(|file| file.carrier);
        let ended = futures::future::join_all(carriers.map(|carrier| carrier.ended));
        let _ = tokio::time::timeout(PATIENCE, ended).await;
    }

    fn carry(self: &Arc<Self>, path: &Path) -> Carrier {
        Carrier::start(Errand {
            objects: self.objects.clone(),
            path: path.clone(),
            alone: self.mode != Mode::One,
            tally: self.tally.clone(),
            flow: self.flow.clone(),
            phase: self.phase.subscribe(),
            _busy: Busy::new(&self.objects.engine.objects.underway),
        })
    }

    fn send(self: &Arc<Self>, file: &mut File) {
        let part: PutPayload = std::mem::take(&mut file.kept).into_iter().collect();
        self.flow.send_modify(|flow| flow.bytes += file.n_kept);
        (file.n_kept, file.n_parts) = (0, file.n_parts + 1);
        let carrier = file.carrier.get_or_insert_with(|| self.carry(&file.path));
        // Without a receiver the carrier failed, and says so.
        let _ = carrier.parts.as_ref().map(|parts| parts.send(part));
    }

    fn add(&self, path: &Path) -> usize {
        let mut state = self.state.lock().unwrap();
        state.files.push(File {
            path: path.clone(),
            kept: vec![],
            n_kept: 0,
            n_parts: 0,
            carrier: None,
            is_whole: false,
        });
        state.files.len() - 1
    }

    fn write(self: &Arc<Self>, at: usize, data: PutPayload) {
        let mut state = self.state.lock().unwrap();
        let Some(file) = state.files.get_mut(at) else { return };
        file.n_kept += data.content_length();
        file.kept.extend(data);
        if file.n_kept >= part_size(file.n_parts) {
            self.send(file);
        }
    }

    fn end(self: &Arc<Self>, at: usize) {
        let mut state = self.state.lock().unwrap();
        let room = KEPT.saturating_sub(state.kept);
        let Some(file) = state.files.get_mut(at) else { return };
        file.is_whole = true;
        if file.carrier.is_none() && file.n_kept <= room {
            let kept = file.n_kept;
            state.kept += kept;
            return;
        }
        if file.n_kept > 0 {
            self.send(file);
        }
        file.carrier.as_mut().expect("it has parts").parts = None;
    }

    fn remove(&self, at: usize) {
        let mut state = self.state.lock().unwrap();
        if let Some(file) = state.files.get_mut(at) {
            file.is_whole = false;
        }
        drop(state);
        self.abort();
    }

    /// Waits for room.
    async fn room(&self) -> StoreResult<()> {
        let mut flow = self.flow.subscribe();
        let waited = flow.wait_for(|flow| flow.failed || flow.bytes <= ON_THE_WAY).await;
        let failed = waited.is_ok_and(|flow| flow.failed);
        match failed {
            true => Err(Error::Generic { store: "objects", source: "a part failed".into() }),
            false => Ok(()),
        }
    }

    /// Until all parts of all objects have arrived, or one did not.
    async fn wait_for_parts(&self) -> Result<()> {
        let waiting: Vec<_> = {
            let mut state = self.state.lock().unwrap();
            let files = state.files.iter_mut();
            files
                .filter_map(|file| {
                    Some((file.path.clone(), file.carrier.as_mut()?.arrived.take()?))
                })
                .collect()
        };
        let gone = |path: &Path| {
            let text =
                format!("cannot write {}{path}: the engine is being closed", self.objects.shown);
            coded(WEIR_CANCELLED, "57014", text)
        };
        let all =
            futures::future::try_join_all(waiting.into_iter().map(|(path, arrived)| async move {
                match arrived.await {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(error)) => Err(self.failed(&path, error)),
                    Err(_) => Err(gone(&path)),
                }
            }));
        all.await.map(|_| ())
    }
}
