//! The HTTP requests of a store, each attempt of them: sent by threads of their own, so that reading
//! does not wait for computing; in turns; counted, and written down; signed again when they were refused.

use std::ffi::{CStr, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
    SpawnService, SpawnedReqwestConnector,
};
use object_store::{ClientConfigKey, ClientOptions};
use tokio::runtime::Handle;

use crate::bindings::wr_metric_fn;
use crate::error::Result;

use super::guard::{self, Guard};
use super::options::Given;
use super::pace::Pace;
use super::record::{Record, Told, operation};
use super::renew::{Resign, is_refusal};
use super::scope::{self, Figure};

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
    Sent,
    Wait,
    Hedged,
    Retries,
    Renewed,
}

/// In the order of the counters.
const COUNTERS: [(&CStr, &CStr); 14] = [
    (c"get_requests", c"GET requests of objects, each attempt"),
    (c"head_requests", c"HEAD requests"),
    (c"list_requests", c"listings, each page"),
    (c"put_requests", c"PUT requests: objects and parts"),
    (c"post_requests", c"POST requests: begin and end of uploads, deletes of many"),
    (c"delete_requests", c"DELETE requests"),
    (c"failed_requests", c"requests without an answer or with one of 5xx"),
    (c"throttled_requests", c"requests that the store answered with 429 or 503"),
    (c"bytes_received", c"bytes that answers said they have"),
    (c"bytes_sent", c"bytes of bodies of requests"),
    (c"wait_ms", c"milliseconds from requests to the heads of their answers, in all"),
    (c"hedged_requests", c"small reads that were asked a second time"),
    (c"retried_requests", c"requests that were sent again, of those counted"),
    (c"renewed_requests", c"requests that were signed again with new credentials"),
];

#[derive(Debug)]
pub struct Requests {
    store: String,
    told: Told,
    counts: [AtomicI64; COUNTERS.len()],
    pace: Pace,
    hedge_after: Option<Duration>,
}

/// A read of at most so many bytes is a small one.
const SMALL: u64 = 1 << 20;
/// How often a request is signed again at most: credentials may be replaced once more before it is sent.
const RENEWALS: usize = 3;

impl Requests {
    pub fn new(given: &Given, told: Told) -> Result<Requests> {
        let concurrency = given.number("concurrency", 64)?;
        let (requests, bytes) = (given.number("request_rate", 0)?, given.bytes("byte_rate", 0)?);
        let hedge = given.time("hedge_after", Duration::ZERO)?;
        Ok(Requests {
            store: given.url.clone(),
            told,
            counts: Default::default(),
            pace: Pace::new(concurrency, requests, bytes),
            hedge_after: (!hedge.is_zero()).then_some(hedge),
        })
    }

    fn add(&self, counter: Counter, n: i64) {
        self.counts[counter as usize].fetch_add(n, Ordering::Relaxed);
    }

    /// The number of the attempt. One beside another that goes on repeats nothing.
    fn sent(&self, request: &HttpRequest, beside: bool) -> i64 {
        let attempt = scope::attempt(request);
        let (counter, figure) = match operation(request) {
            "list" => (Counter::List, Figure::List),
            "get" => (Counter::Get, Figure::Get),
            "head" => (Counter::Head, Figure::Head),
            "put" | "put_part" | "copy" => (Counter::Put, Figure::Put),
            "delete" | "abort_upload" => (Counter::Delete, Figure::Delete),
            _ => (Counter::Post, Figure::Post),
        };
        self.add(counter, 1);
        scope::count(figure, 1);
        if attempt > 1 && !beside {
            self.add(Counter::Retries, 1);
            scope::count(Figure::Retries, 1);
        }
        let sent = request.body().content_length() as i64;
        self.add(Counter::Sent, sent);
        scope::count(Figure::Sent, sent);
        attempt
    }

    /// The bytes that the answer to an operation has.
    fn answered(&self, operation: &str, answer: &Answer, begin: Instant) -> u64 {
        self.add(Counter::Wait, begin.elapsed().as_millis() as i64);
        let Ok(response) = answer else {
            self.add(Counter::Failed, 1);
            return 0;
        };
        // That of a HEAD is the object's.
        let length = response.headers().get("content-length").filter(|_| operation != "head");
        let length = length.and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0);
        self.add(Counter::Received, length);
        scope::count(Figure::Received, length);
        match response.status().as_u16() {
            429 | 503 => {
                self.add(Counter::Throttled, 1);
                self.pace.slow_down();
            }
            status if status >= 500 => self.add(Counter::Failed, 1),
            _ => self.pace.speed_up(),
        }
        length as u64
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

type Answer = std::result::Result<HttpResponse, HttpError>;

#[derive(Debug, Clone)]
pub struct Connector {
    requests: Arc<Requests>,
    io: Handle,
    guard: Option<Guard>,
    /// Whether the store is asked over TLS, or may send on to where it is.
    has_tls: bool,
    resign: Option<Arc<dyn Resign>>,
}

impl Connector {
    pub fn new(
        requests: &Arc<Requests>,
        io: Handle,
        guard: Option<Guard>,
        has_tls: bool,
    ) -> Connector {
        Connector { requests: requests.clone(), io, guard, has_tls, resign: None }
    }

    /// What the store refuses is signed again.
    pub fn resigning(&self, resign: impl Resign + 'static) -> Connector {
        Connector { resign: Some(Arc::new(resign)), ..self.clone() }
    }
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let inner = match self.guard {
            None if self.has_tls => {
                SpawnedReqwestConnector::new(self.io.clone()).connect(options)?
            }
            guard => {
                let client = guard::client(guard, options, self.has_tls)?;
                HttpClient::new(SpawnService::new(client, self.io.clone()))
            }
        };
        let (requests, resign) = (self.requests.clone(), self.resign.clone());
        let allow_http = options.get_config_value(&ClientConfigKey::AllowHttp);
        let needs_tls = allow_http.as_deref() != Some("true");
        Ok(HttpClient::new(Measured { inner, requests, resign, needs_tls }))
    }
}

#[derive(Debug, Clone)]
struct Measured {
    inner: HttpClient,
    requests: Arc<Requests>,
    resign: Option<Arc<dyn Resign>>,
    needs_tls: bool,
}

/// How many bytes are asked for. None: it is not known.
fn asked(request: &HttpRequest) -> Option<u64> {
    let range = request.headers().get("range")?.to_str().ok()?;
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    match from {
        "" => to.parse().ok(),
        from => Some(to.parse::<u64>().ok()?.checked_sub(from.parse().ok()?)? + 1),
    }
}

/// Whether a request is a read of few bytes, which may be asked twice.
fn is_small_read(request: &HttpRequest) -> bool {
    request.method().as_str() == "GET" && asked(request).is_some_and(|length| length <= SMALL)
}

/// Those that can be sent twice though their method does not tell.
fn is_repeatable(operation: &str, request: &HttpRequest) -> bool {
    match operation {
        "list" | "begin_upload" | "complete_upload" | "abort_upload" | "delete" => true,
        "post" => {
            request.uri().query().is_some_and(|query| query.split('&').any(|part| part == "delete"))
        }
        _ => false,
    }
}

impl Measured {
    async fn send(&self, request: HttpRequest, beside: bool) -> Answer {
        let sent = request.body().content_length() as u64;
        let mut running = self.requests.pace.turn(sent + asked(&request).unwrap_or(0)).await;
        let operation = operation(&request);
        let repeatable = is_repeatable(operation, &request);
        let attempt = self.requests.sent(&request, beside);
        let mut record = self.requests.told.begin(&self.requests.store, &request, attempt);
        let begin = Instant::now();
        let mut answer = self.inner.execute(request).await.map_err(guard::at_once);
        running.had(sent + self.requests.answered(operation, &answer, begin));
        if let (Some(record), Ok(response)) = (&mut record, &answer) {
            record.answered(response.status().as_u16());
        }
        if let Ok(response) = answer {
            if operation == "get" && response.status().is_success() {
                record.map(scope::keep);
                return Ok(response);
            }
            // Short: one that ends too early is an answer that was lost.
            answer = whole(response, record.as_mut()).await;
        }
        let status = answer.as_ref().map_or(0, |answer| answer.status().as_u16());
        scope::set_status(status);
        if matches!(status, 0 | 500 | 502 | 504) && !matches!(operation, "get" | "head" | "list") {
            scope::set_uncertain();
        }
        answer.map_err(|error| match error.kind() {
            HttpErrorKind::Timeout | HttpErrorKind::Interrupted | HttpErrorKind::Decode
                if repeatable =>
            {
                HttpError::new(HttpErrorKind::Request, error)
            }
            _ => error,
        })
    }

    async fn hedged(&self, request: HttpRequest) -> Answer {
        let Some(after) = self.requests.hedge_after.filter(|_| is_small_read(&request)) else {
            return self.send(request, false).await;
        };
        let again = request.clone();
        let mut first = std::pin::pin!(self.send(request, false));
        tokio::select! {
            answer = &mut first => return answer,
            () = tokio::time::sleep(after) => {}
        }
        self.requests.add(Counter::Hedged, 1);
        tokio::select! {
            answer = first => answer,
            answer = self.send(again, true) => answer,
        }
    }
}

async fn whole(response: HttpResponse, record: Option<&mut Record>) -> Answer {
    let (head, body) = response.into_parts();
    let body = body.bytes().await?;
    if let Some(record) = record {
        record.received(body.len());
    }
    Ok(HttpResponse::from_parts(head, body.into()))
}

#[async_trait]
impl HttpService for Measured {
    async fn call(&self, mut request: HttpRequest) -> Answer {
        if self.needs_tls && request.uri().scheme_str() == Some("http") {
            let authority = request.uri().authority().map_or("", |authority| authority.as_str());
            return Err(guard::without_tls(authority));
        }
        let Some(resign) = &self.resign else { return self.hedged(request).await };
        for _ in 0..RENEWALS {
            let (mut again, since) = (request.clone(), Instant::now());
            let answer = self.hedged(request).await?;
            let status = answer.status().as_u16();
            if !matches!(status, 400 | 401 | 403) {
                return Ok(answer);
            }
            let (head, body) = answer.into_parts();
            let body = body.bytes().await?;
            if !is_refusal(status, Some(&body)) || !resign.again(&mut again, since).await {
                return Ok(HttpResponse::from_parts(head, body.into()));
            }
            self.requests.add(Counter::Renewed, 1);
            request = again;
        }
        self.hedged(request).await
    }
}
