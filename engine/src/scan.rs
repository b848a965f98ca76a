//! Where the rows of a stream table come from: a kind's planned scan, or a statement that a remote
//! database runs.

use std::collections::HashSet;
use std::ffi::CString;
use std::sync::{Arc, Mutex};

use arrow::datatypes::SchemaRef;
use arrow::ffi::FFI_ArrowSchema;

use crate::bindings::*;
use crate::catalog::{Held, text};
use crate::error::{Result, call_c, coded};
use crate::filters::Filters;
use crate::stream::Imported;
use crate::stream_exec::Source;

/// What a scan asks of its kind.
pub struct Request {
    pub columns: Option<Vec<i32>>,
    pub filters: Filters,
    pub limit: i64,
}

/// A scan that a kind planned. Released when no partition reads any more.
struct Scan {
    scan: Mutex<Box<weir_scan>>,
    n_partitions: usize,
    _held: Arc<Held>,
}

unsafe impl Send for Scan {}
unsafe impl Sync for Scan {}

impl Scan {
    fn plan(held: &Arc<Held>, request: &Request) -> Result<Arc<Scan>> {
        let Some(plan) = held.kind().scan else {
            return Err(coded(WEIR_INTERNAL, "XX000", "a kind of the stream form has no scan"));
        };
        let (filters, n_filters) = request.filters.as_c();
        let columns = request.columns.as_deref().unwrap_or(&[]);
        let c_request = weir_scan_request {
            size: size_of::<weir_scan_request>(),
            all_columns: request.columns.is_none() as i32,
            columns: columns.as_ptr(),
            n_columns: columns.len(),
            filters,
            n_filters,
            limit: request.limit,
        };
        let mut scan = Box::new(weir_scan::default());
        call_c(|error| unsafe { plan(held.0.instance, &c_request, &mut *scan, error) })?;
        let n_partitions = usize::try_from(scan.n_partitions).unwrap_or(0);
        Ok(Arc::new(Scan { scan: Mutex::new(scan), n_partitions, _held: held.clone() }))
    }

    /// The scan's address, which stays: slots of one scan may be called at the same time.
    fn pointer(&self) -> *mut weir_scan {
        &mut **self.scan.lock().unwrap()
    }

    fn open(&self, partition: usize) -> Result<Imported> {
        let pointer = self.pointer();
        let Some(open) = (unsafe { (*pointer).open }) else {
            return Err(coded(WEIR_INTERNAL, "XX000", "a scan has no open"));
        };
        let mut stream = ArrowArrayStream::default();
        call_c(|error| unsafe { open(pointer, partition as i32, &mut stream, error) })?;
        Imported::new(&mut stream)
    }

    fn cancel(&self) {
        let pointer = self.pointer();
        if let Some(cancel) = unsafe { (*pointer).cancel } {
            unsafe { cancel(pointer) };
        }
    }
}

impl Drop for Scan {
    fn drop(&mut self) {
        let pointer = self.pointer();
        if let Some(release) = unsafe { (*pointer).release } {
            unsafe { release(pointer) };
        }
    }
}

/// The source of the STREAM form.
pub struct KindSource {
    held: Arc<Held>,
    request: Request,
    pub n_partitions: usize,
    /// The planned scan and its partitions that were opened: each may be opened once only.
    current: Mutex<(Arc<Scan>, HashSet<usize>)>,
}

impl KindSource {
    pub fn new(held: &Arc<Held>, request: Request) -> Result<Self> {
        let scan = Scan::plan(held, &request)?;
        Ok(KindSource {
            held: held.clone(),
            request,
            n_partitions: scan.n_partitions,
            current: Mutex::new((scan, HashSet::new())),
        })
    }

    /// The scan to open `partition` of: a fresh one when it was opened before.
    fn scan_for(&self, partition: usize) -> Result<Arc<Scan>> {
        let mut current = self.current.lock().unwrap();
        if !current.1.insert(partition) {
            let fresh = Scan::plan(&self.held, &self.request)?;
            if fresh.n_partitions != self.n_partitions {
                return Err(coded(
                    WEIR_INVALID_STATE,
                    "55000",
                    "a table changed its partitions while a query read it again",
                ));
            }
            *current = (fresh, HashSet::from([partition]));
        }
        Ok(current.0.clone())
    }
}

impl Source for KindSource {
    fn open(&self, partition: usize) -> Result<Imported> {
        let scan = self.scan_for(partition)?;
        let rows = scan.open(partition)?;
        Ok(rows.keeping(scan))
    }

    fn cancel(&self) {
        let mut current = self.current.lock().unwrap();
        current.0.cancel();
        // Whoever reads on gets a scan of its own.
        current.1 = (0..self.n_partitions).collect();
    }

    fn describe(&self) -> String {
        let mut shown = format!("kind={}", text(self.held.kind().name).unwrap_or_default());
        if self.request.limit >= 0 {
            shown.push_str(&format!(", limit={}", self.request.limit));
        }
        let filters = self.request.filters.texts();
        if !filters.is_empty() {
            shown.push_str(&format!(", filters=[{}]", filters.join(", ")));
        }
        shown
    }
}

/// The source of the REMOTE form: one statement over one table, in the backend's dialect.
pub struct RemoteSource {
    held: Arc<Held>,
    schema: SchemaRef,
    statement: CString,
    execute: weir_execute_fn,
}

impl RemoteSource {
    pub fn new(
        held: &Arc<Held>,
        schema: SchemaRef,
        statement: &str,
        execute: weir_execute_fn,
    ) -> Result<Self> {
        let statement = crate::catalog::c_text(statement)?;
        Ok(RemoteSource { held: held.clone(), schema, statement, execute })
    }
}

impl Source for RemoteSource {
    fn open(&self, _partition: usize) -> Result<Imported> {
        let Some(execute) = self.execute else {
            return Err(coded(WEIR_INTERNAL, "XX000", "a remote table has no execute"));
        };
        let schema = FFI_ArrowSchema::try_from(self.schema.as_ref())?;
        let mut rows = ArrowArrayStream::default();
        call_c(|error| unsafe {
            let schema = (&raw const schema).cast();
            execute(self.held.0.instance, self.statement.as_ptr(), schema, &mut rows, error)
        })?;
        Imported::new(&mut rows)
    }

    fn cancel(&self) {} // the stream is released, which ends the statement

    fn describe(&self) -> String {
        let kind = text(self.held.kind().name).unwrap_or_default();
        format!("kind={kind}, sql={}", self.statement.to_string_lossy())
    }
}
