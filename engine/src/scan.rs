//! A kind's planned scans, and the source of the STREAM form.

use std::collections::HashSet;
use std::ffi::{CString, c_char, c_int, c_void};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use arrow::ffi::FFI_ArrowSchema;

use crate::bindings::*;
use crate::catalog::{Held, text};
use crate::error::{Result, call_c, coded};
use crate::filters::Filters;
use crate::stream::{Hold, Imported};
use crate::stream_exec::{Figure, Source};

/// What a scan asks of its kind.
pub struct Request {
    pub columns: Option<Vec<i32>>,
    pub filters: Filters,
    pub limit: i64,
}

/// A scan that a kind planned. Released when no partition reads any more.
pub struct Scan {
    scan: Mutex<Box<weir_scan>>,
    n_partitions: usize,
    held: Arc<Held>,
}

unsafe impl Send for Scan {}
unsafe impl Sync for Scan {}

impl Scan {
    /// What `plan` makes of a kind.
    fn new(
        held: &Arc<Held>,
        plan: impl FnOnce(*mut weir_scan, *mut weir_error) -> c_int,
    ) -> Result<Arc<Scan>> {
        let mut scan = Box::new(weir_scan::default());
        call_c(|error| plan(&mut *scan, error))?;
        let n_partitions = usize::try_from(scan.n_partitions).unwrap_or(0);
        Ok(Arc::new(Scan { scan: Mutex::new(scan), n_partitions, held: held.clone() }))
    }

    fn of_request(held: &Arc<Held>, request: &Request) -> Result<Arc<Scan>> {
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
        Scan::new(held, |scan, error| unsafe { plan(held.0.instance, &c_request, scan, error) })
    }

    pub fn of_statements(
        held: &Arc<Held>,
        execute: weir_execute_fn,
        statements: &[CString],
        schema: &SchemaRef,
    ) -> Result<Arc<Scan>> {
        let Some(execute) = execute else {
            return Err(coded(WEIR_INTERNAL, "XX000", "a remote table has no execute"));
        };
        let schema = FFI_ArrowSchema::try_from(schema.as_ref())?;
        let texts: Vec<_> = statements.iter().map(|s| s.as_ptr()).collect();
        let scan = Scan::new(held, |scan, error| unsafe {
            let schema = (&raw const schema).cast();
            execute(held.0.instance, texts.as_ptr(), texts.len(), schema, scan, error)
        })?;
        scan.of(statements.len())
    }

    /// The rows of one statement in so many streams.
    pub fn of_parts(
        held: &Arc<Held>,
        execute: weir_execute_parts_fn,
        statement: &CString,
        n: usize,
        schema: &SchemaRef,
    ) -> Result<Arc<Scan>> {
        let Some(execute) = execute else {
            return Err(coded(WEIR_INTERNAL, "XX000", "a remote table has no execute_parts"));
        };
        let schema = FFI_ArrowSchema::try_from(schema.as_ref())?;
        let scan = Scan::new(held, |scan, error| unsafe {
            let schema = (&raw const schema).cast();
            execute(held.0.instance, statement.as_ptr(), n as i32, schema, scan, error)
        })?;
        scan.of(n)
    }

    fn of(self: Arc<Scan>, n_asked: usize) -> Result<Arc<Scan>> {
        if self.n_partitions == n_asked {
            return Ok(self);
        }
        let n = self.n_partitions;
        let text = format!("a scan of {n_asked} partitions was asked for, and has {n}");
        Err(coded(WEIR_INTERNAL, "XX000", text))
    }

    /// The scan's address, which stays: slots of one scan may be called at the same time.
    fn pointer(&self) -> *mut weir_scan {
        &mut **self.scan.lock().unwrap()
    }

    pub fn open(self: &Arc<Scan>, partition: usize) -> Result<Imported> {
        let pointer = self.pointer();
        let Some(open) = (unsafe { (*pointer).open }) else {
            return Err(coded(WEIR_INTERNAL, "XX000", "a scan has no open"));
        };
        let mut stream = ArrowArrayStream::default();
        call_c(|error| unsafe { open(pointer, partition as i32, &mut stream, error) })?;
        let hold = self.held.kind().hold.map(|hold| {
            let scan = self.clone();
            let hold = move |is_held: bool| unsafe {
                hold(scan.held.0.instance, scan.pointer(), partition as i32, is_held as i32)
            };
            Box::new(hold) as Hold
        });
        Ok(Imported::new(&mut stream)?.keeping(self.clone()).holding(hold))
    }

    /// What the kind tells of a partition that was read.
    fn figures(&self, partition: usize) -> Vec<(String, Figure)> {
        let mut figures = vec![];
        if let Some(tell) = self.held.kind().metrics {
            let (instance, sink) = (self.held.0.instance, (&raw mut figures).cast());
            unsafe { tell(instance, self.pointer(), partition as i32, Some(take_figure), sink) };
        }
        figures
    }

    fn cancel(&self) {
        let pointer = self.pointer();
        if let Some(cancel) = unsafe { (*pointer).cancel } {
            unsafe { cancel(pointer) };
        }
    }
}

unsafe extern "C" fn take_figure(sink: *mut c_void, name: *const c_char, unit: i32, value: i64) {
    let figures = unsafe { &mut *sink.cast::<Vec<(String, Figure)>>() };
    let figure = match unit as u32 {
        WEIR_UNIT_NANOSECONDS => Figure::Time(Duration::from_nanos(value.max(0) as u64)),
        _ => Figure::Count(value.max(0) as usize),
    };
    figures.extend(text(name).map(|name| (name, figure)));
}

impl Drop for Scan {
    fn drop(&mut self) {
        let pointer = self.pointer();
        if let Some(release) = unsafe { (*pointer).release } {
            unsafe { release(pointer) };
        }
    }
}

/// Partitions of a scan, each of which may be opened once only: who opens one again gets a scan of
/// its own.
pub struct Partitions {
    scan: Arc<Scan>,
    opened: HashSet<usize>,
}

impl Partitions {
    pub fn scan_for(
        current: &mut Option<Partitions>,
        partition: usize,
        n_partitions: usize,
        plan: impl FnOnce() -> Result<Arc<Scan>>,
    ) -> Result<Arc<Scan>> {
        if let Some(known) = current
            && known.opened.insert(partition)
        {
            return Ok(known.scan.clone());
        }
        let scan = plan()?;
        if scan.n_partitions != n_partitions {
            return Err(coded(
                WEIR_INVALID_STATE,
                "55000",
                "a table changed its partitions while a query read it again",
            ));
        }
        let opened = HashSet::from([partition]);
        *current = Some(Partitions { scan: scan.clone(), opened });
        Ok(scan)
    }

    /// Whoever reads on gets a scan of its own.
    pub fn cancel(current: &mut Option<Partitions>) {
        if let Some(known) = current.take() {
            known.scan.cancel();
        }
    }
}

/// The source of the STREAM form.
pub struct KindSource {
    held: Arc<Held>,
    request: Request,
    pub n_partitions: usize,
    current: Mutex<Option<Partitions>>,
}

impl KindSource {
    pub fn new(held: &Arc<Held>, request: Request) -> Result<Self> {
        let scan = Scan::of_request(held, &request)?;
        Ok(KindSource {
            held: held.clone(),
            request,
            n_partitions: scan.n_partitions,
            current: Mutex::new(Some(Partitions { scan, opened: HashSet::new() })),
        })
    }
}

impl Source for KindSource {
    fn open(&self, partition: usize) -> Result<Imported> {
        let scan = {
            let mut current = self.current.lock().unwrap();
            let plan = || Scan::of_request(&self.held, &self.request);
            Partitions::scan_for(&mut current, partition, self.n_partitions, plan)?
        };
        scan.open(partition)
    }

    fn cancel(&self) {
        Partitions::cancel(&mut self.current.lock().unwrap());
    }

    fn reads_at_once(&self) -> bool {
        self.held.kind().roles & WEIR_READS_AT_ONCE != 0
    }

    fn figures(&self, partition: usize) -> Vec<(String, Figure)> {
        let current = self.current.lock().unwrap();
        let scan = current.as_ref().map(|current| current.scan.clone());
        drop(current);
        scan.map_or(vec![], |scan| scan.figures(partition))
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
