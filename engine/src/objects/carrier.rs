//! One object on its way in parts. A task of its own begins the upload, sends the parts and ends it, so that no upload is
//! begun that nobody knows of, whatever becomes of the writer.

use std::sync::Arc;
use std::time::Duration;

use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{Error, PutPayload, Result as StoreResult};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::Objects;
use super::multipart::Multipart;
use super::scope::{Scope, Tally};
use super::writing::{Busy, Flow, Phase};

/// Parts of one object that are under way at the same time.
const PARALLEL: usize = 4;
/// Bytes of a part: a store wants five million of all but the last.
const PART: usize = 8 << 20;
/// Parts of one size. A store takes 10,000 parts: an object may have 7.8 TiB, more than any takes.
const ALIKE: usize = 1000;
/// What parts under way are waited for before their upload is aborted.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many bytes the part after `n` others has.
pub fn part_size(n: usize) -> usize {
    PART << (n / ALIKE).min(9)
}

/// What a carrier works with.
pub struct Errand {
    pub objects: Arc<Objects>,
    pub path: Path,
    /// Nobody else writes an object of this name.
    pub alone: bool,
    pub tally: Option<Arc<Tally>>,
    pub flow: watch::Sender<Flow>,
    pub phase: watch::Receiver<Phase>,
    pub _busy: Busy,
}

pub struct Carrier {
    /// Of parts, in their order; dropped after the last one.
    pub parts: Option<mpsc::UnboundedSender<PutPayload>>,
    /// Says that all parts are there.
    pub arrived: Option<oneshot::Receiver<StoreResult<()>>>,
    /// The end of the upload, once the phase said how.
    pub ended: JoinHandle<StoreResult<()>>,
}

impl Carrier {
    pub fn start(errand: Errand) -> Carrier {
        let (parts, incoming) = mpsc::unbounded_channel();
        let (arrive, arrived) = oneshot::channel();
        let handle = errand.objects.engine.handle.clone();
        let scope = Scope::new(errand.tally.clone());
        let ended = handle.spawn(async move { scope.run(errand.run(incoming, arrive)).await });
        Carrier { parts: Some(parts), arrived: Some(arrived), ended }
    }
}

fn given_up() -> Error {
    Error::Generic { store: "objects", source: "the statement ended before its writing".into() }
}

async fn until(phase: &mut watch::Receiver<Phase>, which: fn(&Phase) -> bool) -> Phase {
    match phase.wait_for(which).await {
        Ok(phase) => *phase,
        Err(_) => Phase::Abort,
    }
}

impl Errand {
    async fn run(
        mut self,
        parts: mpsc::UnboundedReceiver<PutPayload>,
        arrive: oneshot::Sender<StoreResult<()>>,
    ) -> StoreResult<()> {
        if *self.phase.borrow() == Phase::Abort {
            return Err(given_up());
        }
        // Not given up halfway: the upload that it begins would be nobody's.
        let begun = Multipart::begin(&self.objects, &self.path, self.alone).await;
        let upload = match begun {
            Ok(upload) => Arc::new(upload),
            Err(error) => {
                self.flow.send_modify(|flow| flow.failed = true);
                let _ = arrive.send(Err(error));
                return Err(given_up());
            }
        };
        let (sent, whole) = match send(&upload, parts, &self.flow, self.phase.clone()).await {
            Ok(whole) => (Ok(()), Some(whole)),
            Err(error) => (Err(error), None),
        };
        let _ = arrive.send(sent);
        let ended = match whole {
            Some(_) => until(&mut self.phase, |phase| *phase != Phase::Write).await,
            None => Phase::Abort,
        };
        let result = match (ended, whole) {
            (Phase::Commit, Some(whole)) => {
                upload.complete(whole.parts, whole.n_bytes).await.map(|_| ())
            }
            _ => Err(given_up()),
        };
        if result.is_err() {
            upload.abort().await;
        }
        result
    }
}

/// All parts of an object, in their order.
#[derive(Default)]
struct Whole {
    parts: Vec<PartId>,
    n_bytes: u64,
}

/// Sends the parts as they come, until no more will or the statement is given up. Then those under way are waited for: a
/// store that gets one after the upload's end may take it for the beginning of another.
async fn send(
    upload: &Arc<Multipart>,
    mut parts: mpsc::UnboundedReceiver<PutPayload>,
    flow: &watch::Sender<Flow>,
    mut phase: watch::Receiver<Phase>,
) -> StoreResult<Whole> {
    let mut under_way: JoinSet<StoreResult<(usize, usize, PartId)>> = JoinSet::new();
    let (mut more, mut n_begun) = (true, 0);
    let mut arrived = vec![];
    let mut sent = Ok(());
    while sent.is_ok() && (more || !under_way.is_empty()) {
        tokio::select! {
            biased;
            _ = until(&mut phase, |phase| *phase == Phase::Abort) => sent = Err(given_up()),
            Some(put) = under_way.join_next() => {
                match put.map_err(|source| Error::JoinError { source }).flatten() {
                    Ok((index, length, part)) => {
                        flow.send_modify(|flow| flow.bytes = flow.bytes.saturating_sub(length));
                        arrived.push((index, length as u64, part));
                    }
                    Err(error) => sent = Err(error),
                }
            }
            part = parts.recv(), if more && under_way.len() < PARALLEL => match part {
                None => more = false,
                Some(part) => {
                    let (index, length) = (n_begun, part.content_length());
                    n_begun += 1;
                    let put = upload.put(index, part);
                    under_way.spawn(async move { put.await.map(|part| (index, length, part)) });
                }
            },
        }
    }
    if let Err(error) = sent {
        flow.send_modify(|flow| flow.failed = true);
        let rest = async { while under_way.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(PATIENCE, rest).await;
        return Err(error);
    }
    arrived.sort_by_key(|(index, ..)| *index);
    let n_bytes = arrived.iter().map(|(_, length, _)| length).sum();
    Ok(Whole { parts: arrived.into_iter().map(|(.., part)| part).collect(), n_bytes })
}
