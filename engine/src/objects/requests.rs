//! The HTTP requests of a store, each attempt of them: sent by threads of their own, so that reading
//! does not wait for computing; in turns; counted.

use std::ffi::{CStr, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService, SpawnService,
    SpawnedReqwestConnector,
};
use tokio::runtime::Handle;

use crate::bindings::wr_metric_fn;
use crate::error::Result;

use super::guard::{self, Guard};
use super::options::Given;
use super::pace::Pace;

#[derive(Clone, Copy)]
enum Counter {
    Get,
    Head,
    List,
    Put,
    Post,
    Delete,
    Failed,
    Throttled,
    Received,
    Wait,
    Hedged,
}

/// In the order of the counters.
const COUNTERS: [(&CStr, &CStr); 11] = [
    (c"get_requests", c"GET requests of objects, each attempt"),
    (c"head_requests", c"HEAD requests"),
    (c"list_requests", c"listings, each page"),
    (c"put_requests", c"PUT requests: objects and parts"),
    (c"post_requests", c"POST requests: begin and end of uploads, deletes of many"),
    (c"delete_requests", c"DELETE requests"),
    (c"failed_requests", c"requests without an answer or with one of 5xx"),
    (c"throttled_requests", c"requests that the store answered with 429 or 503"),
    (c"bytes_received", c"bytes that answers said they have"),
    (c"wait_ms", c"milliseconds from requests to the heads of their answers, in all"),
    (c"hedged_requests", c"small reads that were asked a second time"),
];

#[derive(Debug)]
pub struct Requests {
    counts: [AtomicI64; COUNTERS.len()],
    pace: Pace,
    hedge_after: Option<Duration>,
}

/// A read of at most so many bytes is a small one.
const SMALL: u64 = 1 << 20;

impl Requests {
    pub fn new(given: &Given) -> Result<Requests> {
        let concurrency = given.number("concurrency", 64)?;
        let rate = given.number("request_rate", 0)?;
        let hedge = given.time("hedge_after", Duration::ZERO)?;
        Ok(Requests {
            counts: Default::default(),
            pace: Pace::new(concurrency, rate),
            hedge_after: (!hedge.is_zero()).then_some(hedge),
        })
    }

    fn add(&self, counter: Counter, n: i64) {
        self.counts[counter as usize].fetch_add(n, Ordering::Relaxed);
    }

    fn sent(&self, request: &HttpRequest) {
        let query = request.uri().query().unwrap_or_default();
        let is_list = ["list-type", "comp=list", "prefix"].iter().any(|word| query.contains(word));
        let counter = match request.method().as_str() {
            "GET" if is_list => Counter::List,
            "GET" => Counter::Get,
            "HEAD" => Counter::Head,
            "PUT" => Counter::Put,
            "DELETE" => Counter::Delete,
            _ => Counter::Post,
        };
        self.add(counter, 1);
    }

    fn answered(&self, answer: &std::result::Result<HttpResponse, HttpError>, begin: Instant) {
        self.add(Counter::Wait, begin.elapsed().as_millis() as i64);
        let Ok(response) = answer else {
            self.add(Counter::Failed, 1);
            return;
        };
        let length = response.headers().get("content-length");
        let length = length.and_then(|value| value.to_str().ok()?.parse().ok());
        self.add(Counter::Received, length.unwrap_or(0));
        match response.status().as_u16() {
            429 | 503 => {
                self.add(Counter::Throttled, 1);
                self.pace.slow_down();
            }
            status if status >= 500 => self.add(Counter::Failed, 1),
            _ => self.pace.speed_up(),
        }
    }

    pub fn emit(&self, emit: wr_metric_fn, sink: *mut c_void) {
        let Some(emit) = emit else { return };
        for ((name, help), count) in COUNTERS.iter().zip(&self.counts) {
            unsafe { emit(sink, name.as_ptr(), count.load(Ordering::Relaxed), help.as_ptr()) };
        }
        let (name, help) = (c"allowed_requests", c"requests that may be under way now");
        unsafe { emit(sink, name.as_ptr(), self.pace.allowed(), help.as_ptr()) };
    }
}

#[derive(Debug, Clone)]
pub struct Connector {
    requests: Arc<Requests>,
    io: Handle,
    guard: Option<Guard>,
}

impl Connector {
    pub fn new(requests: &Arc<Requests>, io: Handle, guard: Option<Guard>) -> Connector {
        Connector { requests: requests.clone(), io, guard }
    }
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let inner = match self.guard {
            None => SpawnedReqwestConnector::new(self.io.clone()).connect(options)?,
            Some(guard) => {
                HttpClient::new(SpawnService::new(guard.client(options)?, self.io.clone()))
            }
        };
        Ok(HttpClient::new(Measured { inner, requests: self.requests.clone() }))
    }
}

#[derive(Debug, Clone)]
struct Measured {
    inner: HttpClient,
    requests: Arc<Requests>,
}

/// Whether a request is a read of few bytes, which may be asked twice.
fn is_small_read(request: &HttpRequest) -> bool {
    let range = request.headers().get("range").and_then(|range| range.to_str().ok());
    let length = range.and_then(|range| {
        let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
        match from {
            "" => to.parse().ok(),
            from => Some(to.parse::<u64>().ok()?.checked_sub(from.parse().ok()?)? + 1),
        }
    });
    request.method().as_str() == "GET" && length.is_some_and(|length| length <= SMALL)
}

impl Measured {
    async fn send(&self, request: HttpRequest) -> std::result::Result<HttpResponse, HttpError> {
        let _running = self.requests.pace.turn().await;
        self.requests.sent(&request);
        let begin = Instant::now();
        let answer = self.inner.execute(request).await.map_err(guard::at_once);
        self.requests.answered(&answer, begin);
        answer
    }
}

#[async_trait]
impl HttpService for Measured {
    async fn call(&self, request: HttpRequest) -> std::result::Result<HttpResponse, HttpError> {
        let Some(after) = self.requests.hedge_after.filter(|_| is_small_read(&request)) else {
            return self.send(request).await;
        };
        let again = request.clone();
        let mut first = std::pin::pin!(self.send(request));
        tokio::select! {
            answer = &mut first => return answer,
            () = tokio::time::sleep(after) => {}
        }
        self.requests.add(Counter::Hedged, 1);
        tokio::select! {
            answer = first => answer,
            answer = self.send(again) => answer,
        }
    }
}
