//! What belongs to the requests of one operation on a store: how many attempts there were, whether one of them may have
//! been done without an answer, and the statement that they are counted for.

use std::collections::HashMap;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::Stream;
use futures::stream::BoxStream;
use object_store::client::HttpRequest;
use object_store::{GetResult, GetResultPayload, Result as StoreResult};

use crate::bindings::weir_progress;

use super::record::{Place, Record};

tokio::task_local! {
    static SCOPE: Scope;
}

/// What a statement asked of stores.
#[derive(Default, Debug)]
pub struct Tally {
    figures: [AtomicI64; N_FIGURES],
    /// Its place in a trace.
    place: Place,
}

#[derive(Clone, Copy)]
pub enum Figure {
    Get,
    Head,
    List,
    Put,
    Post,
    Delete,
    Retries,
    Received,
    Sent,
    CacheHits,
}

const N_FIGURES: usize = Figure::CacheHits as usize + 1;

impl Tally {
    pub fn new(place: Place) -> Tally {
        Tally { place, ..Default::default() }
    }

    pub fn add(&self, figure: Figure, n: i64) {
        self.figures[figure as usize].fetch_add(n, Ordering::Relaxed);
    }

    fn get(&self, figure: Figure) -> i64 {
        self.figures[figure as usize].load(Ordering::Relaxed)
    }

    /// What `other` counted is counted here instead.
    pub fn take_over(&self, other: &Tally) {
        for (own, other) in self.figures.iter().zip(&other.figures) {
            own.fetch_add(other.swap(0, Ordering::Relaxed), Ordering::Relaxed);
        }
    }

    pub fn show(&self, progress: &mut weir_progress) {
        progress.store_gets = self.get(Figure::Get);
        progress.store_heads = self.get(Figure::Head);
        progress.store_lists = self.get(Figure::List);
        progress.store_puts = self.get(Figure::Put);
        progress.store_posts = self.get(Figure::Post);
        progress.store_deletes = self.get(Figure::Delete);
        progress.store_retries = self.get(Figure::Retries);
        progress.store_bytes_received = self.get(Figure::Received);
        progress.store_bytes_sent = self.get(Figure::Sent);
        progress.cache_hits = self.get(Figure::CacheHits);
    }

    /// One line; nothing when nothing was asked.
    pub fn text(&self) -> Option<String> {
        let names = [
            (Figure::Get, "get"),
            (Figure::Head, "head"),
            (Figure::List, "list"),
            (Figure::Put, "put"),
            (Figure::Post, "post"),
            (Figure::Delete, "delete"),
            (Figure::Retries, "retries"),
            (Figure::Received, "bytes_received"),
            (Figure::Sent, "bytes_sent"),
            (Figure::CacheHits, "cache_hits"),
        ];
        let asked = names.iter().any(|(figure, _)| self.get(*figure) > 0);
        let shown = names.map(|(figure, name)| format!("{name}={}", self.get(figure)));
        asked.then(|| shown.join(", "))
    }
}

#[derive(Clone, Default)]
pub struct Scope {
    tally: Option<Arc<Tally>>,
    /// How often each request was sent.
    attempts: Arc<Mutex<HashMap<u64, i64>>>,
    uncertain: Arc<AtomicBool>,
    /// Of the last answer; 0: there was none.
    status: Arc<AtomicU16>,
    /// Of the request whose answer is being read.
    record: Arc<Mutex<Option<Record>>>,
}

impl Scope {
    /// A new operation of the statement that is at work here, or of the one given.
    pub fn new(tally: Option<Arc<Tally>>) -> Scope {
        Scope { tally: tally.or_else(statement), ..Default::default() }
    }

    pub async fn run<T>(&self, work: impl Future<Output = T>) -> T {
        SCOPE.scope(self.clone(), work).await
    }

    /// Whether a request that changes something ended without an answer, so that it may have been done.
    pub fn is_uncertain(&self) -> bool {
        self.uncertain.load(Ordering::Relaxed)
    }

    /// Whether a range was asked for that begins where the object ends, or behind it.
    pub fn is_beyond(&self) -> bool {
        self.status.load(Ordering::Relaxed) == 416
    }

    /// Whether the last answer said that nothing was done.
    pub fn is_refused(&self) -> bool {
        (400..500).contains(&self.status.load(Ordering::Relaxed))
    }

    /// What is asked for again while the answer's body is read belongs to the operation, and its record ends with it.
    pub fn to_its_end(self, mut answer: GetResult) -> GetResult {
        if let GetResultPayload::Stream(inner) = answer.payload {
            answer.payload = GetResultPayload::Stream(Box::pin(Body { inner, scope: self }));
        }
        answer
    }
}

struct Body {
    inner: BoxStream<'static, StoreResult<Bytes>>,
    scope: Scope,
}

impl Stream for Body {
    type Item = StoreResult<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Body { inner, scope } = &mut *self;
        let next = SCOPE.sync_scope(scope.clone(), || inner.as_mut().poll_next(cx));
        match &next {
            Poll::Ready(Some(Ok(bytes))) => {
                if let Some(record) = scope.record.lock().unwrap().as_mut() {
                    record.received(bytes.len());
                }
            }
            Poll::Ready(_) => drop(scope.record.lock().unwrap().take()),
            Poll::Pending => {}
        }
        next
    }
}

/// The statement at work on this thread, or in this task.
pub fn statement() -> Option<Arc<Tally>> {
    SCOPE.try_with(|scope| scope.tally.clone()).ok().flatten()
}

/// Counts what `work` asks for on this thread for a statement.
pub fn counted<T>(tally: &Arc<Tally>, work: impl FnOnce() -> T) -> T {
    SCOPE.sync_scope(Scope::new(Some(tally.clone())), work)
}

/// Its place in a trace.
pub fn place() -> Place {
    statement().map_or(Place::default(), |tally| tally.place)
}

pub fn count(figure: Figure, n: i64) {
    let _ = SCOPE.try_with(|scope| scope.tally.as_ref().map(|tally| tally.add(figure, n)));
}

/// The number of the attempt that begins now.
pub fn attempt(request: &HttpRequest) -> i64 {
    let mut hasher = DefaultHasher::new();
    request.method().hash(&mut hasher);
    request.uri().hash(&mut hasher);
    request.headers().get("range").hash(&mut hasher);
    let count = |scope: &Scope| {
        let mut attempts = scope.attempts.lock().unwrap();
        let n = attempts.entry(hasher.finish()).or_default();
        *n += 1;
        *n
    };
    SCOPE.try_with(count).unwrap_or(1)
}

pub fn set_status(status: u16) {
    let _ = SCOPE.try_with(|scope| scope.status.store(status, Ordering::Relaxed));
}

pub fn set_uncertain() {
    let _ = SCOPE.try_with(|scope| scope.uncertain.store(true, Ordering::Relaxed));
}

/// Keeps the record until the answer's body was read; without an operation it ends now.
pub fn keep(record: Record) {
    let _ = SCOPE.try_with(|scope| *scope.record.lock().unwrap() = Some(record));
}
