//! What is told of each request to a store when it has ended: a line of the log, and a span of a trace. Nothing that signs it,
//! and no query, is in them.

use std::ffi::{CStr, CString, c_char, c_void};
use std::fmt::Write;
use std::ptr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use object_store::client::HttpRequest;
use object_store::path::Path;

use crate::bindings::*;

use super::scope;

#[derive(Clone, Copy)]
pub struct Log {
    context: *mut c_void,
    write: unsafe extern "C" fn(*mut c_void, *const c_char),
}

/// A place in a trace, as `engine.h` has it.
pub type Place = [u8; WR_TRACE_PLACE as usize];

#[derive(Clone, Copy)]
pub struct Tracer {
    context: *mut c_void,
    place: Option<unsafe extern "C" fn(*mut u8)>,
    span: unsafe extern "C" fn(*mut c_void, *const wr_span),
}

// The contracts of wr_log and wr_tracer: callable from any thread.
unsafe impl Send for Log {}
unsafe impl Sync for Log {}
unsafe impl Send for Tracer {}
unsafe impl Sync for Tracer {}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Log")
    }
}

impl std::fmt::Debug for Tracer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tracer")
    }
}

impl Log {
    pub fn of(given: &wr_log) -> Option<Log> {
        Some(Log { context: given.context, write: given.write? })
    }

    fn line(&self, text: &str) {
        if let Ok(text) = CString::new(text) {
            unsafe { (self.write)(self.context, text.as_ptr()) };
        }
    }
}

impl Tracer {
    pub fn of(given: &wr_tracer) -> Option<Tracer> {
        Some(Tracer { context: given.context, place: given.place, span: given.span? })
    }

    /// Of the statement that this thread works for.
    pub fn place(&self) -> Place {
        let mut place = Place::default();
        if let Some(ask) = self.place {
            unsafe { ask(place.as_mut_ptr()) };
        }
        place
    }
}

/// Who is told of requests.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    pub log: Option<Log>,
    pub tracer: Option<Tracer>,
}

impl Told {
    /// None: nobody is.
    pub fn begin(&self, store: &str, request: &HttpRequest, attempt: i64) -> Option<Record> {
        let wanted = self.log.is_some() || self.tracer.is_some();
        wanted.then(|| Record::begin(*self, store, request, attempt))
    }
}

/// What is asked of a store.
pub fn operation(request: &HttpRequest) -> &'static str {
    let query = request.uri().query().unwrap_or_default();
    let has = |name: &str| {
        query.split('&').any(|part| {
            part.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        })
    };
    match request.method().as_str() {
        "GET" if has("list-type") || query.contains("comp=list") || has("uploads") => "list",
        "GET" if has("prefix") => "list",
        "GET" => "get",
        "HEAD" => "head",
        "PUT"
            if has("partNumber")
                || query.contains("comp=block&")
                || query.ends_with("comp=block") =>
        {
            "put_part"
        }
        "PUT" if request.headers().contains_key("x-amz-copy-source") => "copy",
        "PUT" => "put",
        "POST" if has("uploads") => "begin_upload",
        "POST" if has("uploadId") => "complete_upload",
        "POST" => "post",
        "DELETE" if has("uploadId") => "abort_upload",
        "DELETE" => "delete",
        _ => "other",
    }
}

/// A parameter of a query.
fn parameter(query: &str, name: &str) -> Option<String> {
    let pairs = query.split('&').filter_map(|part| part.split_once('='));
    pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.to_string()).next()
}

/// A request that is under way; it is told of when this is dropped.
pub struct Record {
    told: Told,
    place: Place,
    begin: Instant,
    start_ns: i64,
    asked: Asked,
    attempt: i64,
    status: u16,
    first_byte: Option<Duration>,
    received: usize,
}

/// What was asked for.
struct Asked {
    operation: &'static str,
    method: String,
    store: String,
    scheme: String,
    host: String,
    port: Option<u16>,
    path: String,
    query: String,
    range: Option<String>,
    sent: usize,
}

impl Asked {
    fn of(store: &str, request: &HttpRequest) -> Asked {
        let (uri, headers) = (request.uri(), request.headers());
        let range = headers.get("range").or(headers.get("x-ms-range"));
        let range = range.and_then(|range| range.to_str().ok());
        Asked {
            operation: operation(request),
            method: request.method().to_string(),
            store: store.to_string(),
            scheme: uri.scheme_str().unwrap_or_default().to_string(),
            host: uri.host().unwrap_or_default().to_string(),
            port: uri.port_u16(),
            path: uri.path().to_string(),
            query: uri.query().unwrap_or_default().to_string(),
            range: range.map(|range| range.trim_start_matches("bytes=").to_string()),
            sent: request.body().content_length(),
        }
    }

    /// The call of S3's API.
    fn call(&self) -> &'static str {
        let has_uploads = self.query.split('&').any(|part| part == "uploads" || part == "uploads=");
        match self.operation {
            "list" if has_uploads => "ListMultipartUploads",
            "list" => "ListObjectsV2",
            "get" => "GetObject",
            "head" => "HeadObject",
            "put" => "PutObject",
            "put_part" => "UploadPart",
            "copy" => "CopyObject",
            "begin_upload" => "CreateMultipartUpload",
            "complete_upload" => "CompleteMultipartUpload",
            "abort_upload" => "AbortMultipartUpload",
            "delete" => "DeleteObject",
            _ => "DeleteObjects",
        }
    }

    fn bucket(&self) -> Option<&str> {
        self.store.strip_prefix("s3://").map(|rest| rest.trim_end_matches('/'))
    }

    /// Of S3, whose bucket stands in the path or in the name of the host.
    fn key(&self, bucket: &str) -> Option<String> {
        let path = Path::from_url_path(&self.path).ok()?;
        let key = path.as_ref();
        let in_host = self.host.strip_prefix(bucket).is_some_and(|rest| rest.starts_with('.'));
        let key = match key.strip_prefix(bucket) {
            Some(rest) if !in_host => rest.trim_start_matches('/'),
            _ => key,
        };
        (!key.is_empty()).then(|| key.to_string())
    }
}

/// The attributes of a span.
#[derive(Default)]
struct Attributes(Vec<(&'static CStr, Option<CString>, i64)>);

impl Attributes {
    fn text(&mut self, key: &'static CStr, text: &str) {
        self.0.extend(CString::new(text).ok().map(|text| (key, Some(text), 0)));
    }

    fn number(&mut self, key: &'static CStr, number: i64) {
        self.0.push((key, None, number));
    }

    fn as_c(&self) -> Vec<wr_span_attribute> {
        let all = self.0.iter().map(|(key, text, number)| wr_span_attribute {
            key: key.as_ptr(),
            text: text.as_ref().map_or(ptr::null(), |text| text.as_ptr()),
            number: *number,
        });
        all.collect()
    }
}

impl Record {
    fn begin(told: Told, store: &str, request: &HttpRequest, attempt: i64) -> Record {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Record {
            told,
            place: scope::place(),
            begin: Instant::now(),
            start_ns: now.as_nanos() as i64,
            asked: Asked::of(store, request),
            attempt,
            status: 0,
            first_byte: None,
            received: 0,
        }
    }

    pub fn answered(&mut self, status: u16) {
        self.status = status;
        self.first_byte = Some(self.begin.elapsed());
    }

    pub fn received(&mut self, n: usize) {
        self.received += n;
    }

    fn line(&self, total: Duration) -> String {
        let Asked { operation, store, path, query, range, sent, .. } = &self.asked;
        let ms = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1000.0);
        let mut line = format!("debug store operation={operation} store={store} path={path}");
        if let Some(prefix) = parameter(query, "prefix") {
            let _ = write!(line, " prefix={prefix}");
        }
        if let Some(range) = range {
            let _ = write!(line, " range={range}");
        }
        let status = match self.status {
            0 => "none".to_string(),
            status => status.to_string(),
        };
        let _ = write!(
            line,
            " sent={sent} attempt={} status={status} bytes={} first_byte_ms={} total_ms={}",
            self.attempt,
            self.received,
            self.first_byte.map_or("none".to_string(), ms),
            ms(total)
        );
        line
    }

    /// In the terms of OpenTelemetry's conventions for HTTP clients and S3; what they have no word for begins with "weir".
    fn attributes(&self) -> Attributes {
        let (asked, mut all) = (&self.asked, Attributes::default());
        all.text(c"http.request.method", &asked.method);
        all.text(c"server.address", &asked.host);
        let port = asked.port.unwrap_or(if asked.scheme == "https" { 443 } else { 80 });
        all.number(c"server.port", port.into());
        all.text(c"url.full", &format!("{}://{}:{port}{}", asked.scheme, asked.host, asked.path));
        match self.status {
            0 => all.text(c"error.type", "_OTHER"),
            status => {
                all.number(c"http.response.status_code", status.into());
                if status >= 400 {
                    all.text(c"error.type", &status.to_string());
                }
            }
        }
        if self.attempt > 1 {
            all.number(c"http.request.resend_count", self.attempt - 1);
        }
        all.number(c"http.request.body.size", asked.sent as i64);
        all.number(c"http.response.body.size", self.received as i64);
        if let Some(bucket) = asked.bucket() {
            all.text(c"rpc.system", "aws-api");
            all.text(c"rpc.service", "S3");
            all.text(c"rpc.method", asked.call());
            all.text(c"aws.s3.bucket", bucket);
            if let Some(key) = asked.key(bucket) {
                all.text(c"aws.s3.key", &key);
            }
            if let Some(id) = parameter(&asked.query, "uploadId") {
                all.text(c"aws.s3.upload_id", &id);
            }
            let part = parameter(&asked.query, "partNumber");
            if let Some(part) = part.and_then(|part| part.parse().ok()) {
                all.number(c"aws.s3.part_number", part);
            }
        }
        all.text(c"weir.store", &asked.store);
        all.text(c"weir.store.operation", asked.operation);
        if let Some(prefix) = parameter(&asked.query, "prefix") {
            all.text(c"weir.store.prefix", &prefix);
        }
        if let Some(range) = &asked.range {
            all.text(c"weir.store.range", range);
        }
        if let Some(time) = self.first_byte {
            all.number(c"weir.store.first_byte_us", time.as_micros() as i64);
        }
        all
    }

    fn span(&self, tracer: &Tracer, total: Duration) {
        let name = match self.asked.bucket() {
            Some(_) => format!("S3.{}", self.asked.call()),
            None => self.asked.method.clone(),
        };
        let Ok(name) = CString::new(name) else { return };
        let texts = self.attributes();
        let attributes = texts.as_c();
        let span = wr_span {
            size: size_of::<wr_span>(),
            parent: self.place.as_ptr(),
            name: name.as_ptr(),
            start_ns: self.start_ns,
            end_ns: self.start_ns + total.as_nanos() as i64,
            has_failed: (self.status == 0 || self.status >= 400) as i32,
            attributes: attributes.as_ptr(),
            n_attributes: attributes.len(),
        };
        unsafe { (tracer.span)(tracer.context, &span) };
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let total = self.begin.elapsed();
        if let Some(log) = self.told.log {
            log.line(&self.line(total));
        }
        if let Some(tracer) = self.told.tracer {
            self.span(&tracer, total);
        }
    }
}
