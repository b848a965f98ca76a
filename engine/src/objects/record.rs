//! One line of the log for each request to a store, when it has ended. Nothing that signs it, and no query, is in it.

use std::ffi::{CString, c_char, c_void};
use std::fmt::Write;
use std::time::{Duration, Instant};

use object_store::client::HttpRequest;

use crate::bindings::wr_log;

#[derive(Clone, Copy)]
pub struct Log {
    context: *mut c_void,
    write: unsafe extern "C" fn(*mut c_void, *const c_char),
}

// The contract of wr_log: callable from any thread.
unsafe impl Send for Log {}
unsafe impl Sync for Log {}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Log")
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

/// A request that is under way; the line is written when this is dropped.
pub struct Record {
    log: Log,
    begin: Instant,
    line: String,
    status: u16,
    first_byte: Option<Duration>,
    received: usize,
}

impl Record {
    pub fn begin(log: Log, store: &str, request: &HttpRequest, attempt: i64) -> Record {
        let mut line = format!("debug store operation={} store={store}", operation(request));
        let _ = write!(line, " path={}", request.uri().path());
        let query = request.uri().query().unwrap_or_default();
        let prefix = query.split('&').find(|part| part.starts_with("prefix="));
        if let Some(prefix) = prefix {
            let _ = write!(line, " {prefix}");
        }
        let range = request.headers().get("range").or(request.headers().get("x-ms-range"));
        if let Some(range) = range.and_then(|range| range.to_str().ok()) {
            let _ = write!(line, " range={}", range.trim_start_matches("bytes="));
        }
        let _ = write!(line, " sent={} attempt={attempt}", request.body().content_length());
        Record { log, begin: Instant::now(), line, status: 0, first_byte: None, received: 0 }
    }

    pub fn answered(&mut self, status: u16) {
        self.status = status;
        self.first_byte = Some(self.begin.elapsed());
    }

    pub fn received(&mut self, n: usize) {
        self.received += n;
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        let status = match self.status {
            0 => "none".to_string(),
            status => status.to_string(),
        };
        let first = self.first_byte.map_or("none".to_string(), |time| format!("{:.1}", ms(time)));
        let _ = write!(
            self.line,
            " status={status} bytes={} first_byte_ms={first} total_ms={:.1}",
            self.received,
            ms(self.begin.elapsed())
        );
        self.log.line(&self.line);
    }
}
