//! Streams across the boundary: ours for C to read, and C's for the engine to read, both with
//! structured errors.

use std::any::Any;
use std::ffi::{CString, c_char, c_int};
use std::ptr;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, RecordBatchOptions, StructArray};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi_and_data_type};
use arrow::record_batch::RecordBatchReader;
use datafusion::common::DataFusionError;

use crate::bindings::*;
use crate::error::{Result, coded, fill, from_c, from_panic};
use crate::foreign::answer::{Answered, import};
use crate::foreign::{Who, wrong};

/// What Rust readers give: a batch, or an error that keeps its structure inside
/// `ArrowError::ExternalError`.
pub type Reader = Box<dyn RecordBatchReader + Send>;

struct Exported {
    reader: Reader,
    error: weir_error,
    text: CString,
}

/// Hands `reader` to C.
pub fn export(reader: Reader, ret_stream: *mut ArrowArrayStream) {
    let state = Exported { reader, error: weir_error::default(), text: CString::default() };
    let stream = ArrowArrayStream {
        get_schema: Some(get_schema),
        get_next: Some(get_next),
        get_last_error: Some(get_last_error),
        release: Some(release),
        private_data: Box::into_raw(Box::new(state)).cast(),
    };
    unsafe { ret_stream.write(stream) };
}

/// Whether a stream was made by [`export`].
pub fn is_ours(stream: &ArrowArrayStream) -> bool {
    stream.release.is_some_and(|f| ptr::fn_addr_eq(f, release as unsafe extern "C" fn(_)))
}

/// The error that the last failed call on one of our streams left.
pub fn last_error(stream: &ArrowArrayStream) -> Option<weir_error> {
    if !is_ours(stream) {
        return None;
    }
    let state = unsafe { &*stream.private_data.cast::<Exported>() };
    (state.error.code != 0).then_some(state.error)
}

const EIO: c_int = 5;
const EINVAL: c_int = 22;
const ENOMEM: c_int = 12;
const ENOSYS: c_int = 38;
const ECANCELED: c_int = 125;

impl Exported {
    fn fail(&mut self, error: &DataFusionError) -> c_int {
        fill(&mut self.error, error, None);
        let text = unsafe { std::ffi::CStr::from_ptr(self.error.message.as_ptr()) };
        self.text = text.to_owned();
        match self.error.code as u32 {
            WEIR_CANCELLED => ECANCELED,
            WEIR_NOT_IMPLEMENTED => ENOSYS,
            WEIR_IO => EIO,
            WEIR_INTERNAL if self.error.sqlstate.starts_with(&b"53200".map(|b| b as c_char)) => {
                ENOMEM
            }
            _ => EINVAL,
        }
    }

    fn guarded(&mut self, f: impl FnOnce(&mut Reader) -> Result<()>) -> c_int {
        let reader = &mut self.reader;
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| f(reader)));
        match outcome.unwrap_or_else(|payload| Err(from_panic(payload))) {
            Ok(()) => 0,
            Err(error) => self.fail(&error),
        }
    }
}

unsafe extern "C" fn get_schema(stream: *mut ArrowArrayStream, out: *mut ArrowSchema) -> c_int {
    let state = unsafe { &mut *(*stream).private_data.cast::<Exported>() };
    state.guarded(|reader| export_schema(reader.schema().as_ref(), out))
}

unsafe extern "C" fn get_next(stream: *mut ArrowArrayStream, out: *mut ArrowArray) -> c_int {
    let state = unsafe { &mut *(*stream).private_data.cast::<Exported>() };
    state.guarded(|reader| {
        let array = match reader.next() {
            Some(batch) => {
                let batch = batch.map_err(from_arrow)?;
                FFI_ArrowArray::new(&StructArray::from(batch).into_data())
            }
            None => FFI_ArrowArray::empty(),
        };
        unsafe { out.cast::<FFI_ArrowArray>().write(array) };
        Ok(())
    })
}

unsafe extern "C" fn get_last_error(stream: *mut ArrowArrayStream) -> *const c_char {
    let state = unsafe { &*(*stream).private_data.cast::<Exported>() };
    if state.text.is_empty() { ptr::null() } else { state.text.as_ptr() }
}

unsafe extern "C" fn release(stream: *mut ArrowArrayStream) {
    let stream = unsafe { &mut *stream };
    stream.release = None;
    let state = unsafe { Box::from_raw(stream.private_data.cast::<Exported>()) };
    // Nothing can be told about a panic while dropping.
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(state)));
}

pub fn export_schema(schema: &Schema, out: *mut ArrowSchema) -> Result<()> {
    let schema = FFI_ArrowSchema::try_from(schema)?;
    unsafe { out.cast::<FFI_ArrowSchema>().write(schema) };
    Ok(())
}

/// Reads a schema that stays the caller's.
pub fn import_schema(schema: *const ArrowSchema) -> Result<Schema> {
    let schema = unsafe { &*schema.cast::<FFI_ArrowSchema>() };
    Ok(Schema::try_from(schema)?)
}

/// Takes one array over as a batch of `schema`.
pub fn import_batch(array: *mut ArrowArray, schema: &SchemaRef) -> Result<RecordBatch> {
    let array = unsafe { FFI_ArrowArray::from_raw(array.cast()) };
    let data_type = DataType::Struct(schema.fields().clone());
    let mut data = unsafe { from_ffi_and_data_type(array, data_type)? };
    // Producers in C align to what malloc gives, which is less than 128-bit integers want.
    data.align_buffers();
    let array = StructArray::from(data);
    if array.null_count() > 0 {
        return Err(coded(WEIR_INVALID_DATA, "22000", "a batch has null at its top level"));
    }
    let rows = array.len();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let (_, columns, _) = array.into_parts();
    Ok(RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)
}

/// The same of an array that is not believed.
fn checked_batch(who: Who, array: FFI_ArrowArray, schema: &SchemaRef) -> Result<RecordBatch> {
    let rows = unsafe { &*(&raw const array).cast::<ArrowArray>() }.length;
    let n_rows =
        usize::try_from(rows).map_err(|_| wrong(who, format!("a batch of {rows} rows")))?;
    let rows = import(who, array, &DataType::Struct(schema.fields().clone()), n_rows)?;
    if rows.null_count() > 0 {
        return Err(wrong(who, "a batch has NULL at its top level"));
    }
    let options = RecordBatchOptions::new().with_row_count(Some(n_rows));
    let columns = rows.as_struct().columns().to_vec();
    Ok(RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)
}

pub type Hold = Box<dyn Fn(bool) + Send>;

/// A stream of C's, taken over.
pub struct Imported {
    stream: ArrowArrayStream,
    schema: SchemaRef,
    done: bool,
    /// Whose it is, where it is not believed: what it gives is looked through.
    suspect: Option<(&'static str, String)>,
    hold: Option<Hold>,
    /// Outlives the stream: fields are dropped after `drop` released it.
    _source: Option<Arc<dyn Any + Send + Sync>>,
}

// The Arrow stream interface lets another thread go on with a stream, one at a time.
unsafe impl Send for Imported {}

impl Drop for Imported {
    fn drop(&mut self) {
        if let Some(release) = self.stream.release {
            unsafe { release(&mut self.stream) };
        }
    }
}

impl Imported {
    /// Takes the stream over, also when this fails.
    pub fn new(stream: *mut ArrowArrayStream) -> Result<Self> {
        let mut this = Self::take(stream);
        this.read_schema()?;
        Ok(this)
    }

    /// Takes the stream over; it stays the caller's when this fails.
    pub fn new_or_leave(stream: *mut ArrowArrayStream) -> Result<Self> {
        let mut this = Self::take(stream);
        this.read_schema().inspect_err(|_| {
            unsafe { ptr::write(stream, ptr::read(&this.stream)) };
            this.stream.release = None;
        })?;
        Ok(this)
    }

    /// One of `who`, which reads from `source`. Its schema and batches are looked through.
    pub fn checked(
        stream: *mut ArrowArrayStream,
        who: Who,
        source: Arc<dyn Any + Send + Sync>,
    ) -> Result<Self> {
        let mut this = Self::take(stream).keeping(source);
        this.suspect = Some((who.0, who.1.into()));
        let Some(get_schema) = this.stream.get_schema else {
            return Err(wrong(who, "it gave no stream"));
        };
        let mut schema = Answered::empty();
        let code = unsafe { get_schema(&mut this.stream, schema.as_mut()) };
        if code != 0 {
            schema.forget();
            return Err(this.error(code));
        }
        this.schema = schema.fields(who, "its schema")?.into();
        Ok(this)
    }

    fn take(stream: *mut ArrowArrayStream) -> Self {
        let taken = unsafe { ptr::read(stream) };
        unsafe { (*stream).release = None };
        Imported {
            stream: taken,
            schema: Schema::empty().into(),
            done: false,
            suspect: None,
            hold: None,
            _source: None,
        }
    }

    fn read_schema(&mut self) -> Result<()> {
        let Some(get_schema) = self.stream.get_schema else {
            return Err(coded(WEIR_INVALID_STATE, "55000", "the stream was released already"));
        };
        let mut schema = FFI_ArrowSchema::empty();
        let code = unsafe { get_schema(&mut self.stream, (&raw mut schema).cast()) };
        if code != 0 {
            return Err(self.error(code));
        }
        self.schema = Schema::try_from(&schema)?.into();
        Ok(())
    }

    /// The same stream, which keeps what it reads from alive.
    pub fn keeping(mut self, source: Arc<dyn Any + Send + Sync>) -> Self {
        self._source = Some(source);
        self
    }

    /// The same stream, whose kind wants to hear when it is read batch after batch.
    pub fn holding(mut self, hold: Option<Hold>) -> Self {
        self.hold = hold;
        self
    }

    /// Whether this thread reads on and waits for nothing else (`hold` of `weir_table_kind`).
    pub fn hold(&self, is_held: bool) {
        if let Some(hold) = &self.hold {
            hold(is_held);
        }
    }

    fn error(&mut self, code: c_int) -> DataFusionError {
        if let Some(error) = last_error(&self.stream) {
            return from_c(error, error.code);
        }
        let text = self.stream.get_last_error.and_then(|f| {
            let text = unsafe { f(&mut self.stream) };
            (!text.is_null())
                .then(|| unsafe { std::ffi::CStr::from_ptr(text) }.to_string_lossy().into_owned())
        });
        let text = text.unwrap_or_else(|| std::io::Error::from_raw_os_error(code).to_string());
        let text = match &self.suspect {
            Some((what, name)) => format!("{what} {name}: {text}"),
            None => text,
        };
        match code {
            ENOMEM => coded(WEIR_INTERNAL, "53200", text),
            EIO => coded(WEIR_IO, "58030", text),
            ENOSYS => coded(WEIR_NOT_IMPLEMENTED, "0A000", text),
            ECANCELED => coded(WEIR_CANCELLED, "57014", text),
            _ => coded(WEIR_INVALID_DATA, "22000", text),
        }
    }

    fn read(&mut self) -> Result<Option<RecordBatch>> {
        let mut array = FFI_ArrowArray::empty();
        let Some(get_next) = self.stream.get_next else {
            return Err(coded(WEIR_INVALID_STATE, "55000", "the stream has no get_next"));
        };
        let code = unsafe { get_next(&mut self.stream, (&raw mut array).cast()) };
        if code != 0 {
            return Err(self.error(code));
        }
        if array.is_released() {
            return Ok(None);
        }
        match &self.suspect {
            None => import_batch((&raw mut array).cast(), &self.schema).map(Some),
            Some((what, name)) => checked_batch(Who(what, name), array, &self.schema).map(Some),
        }
    }
}

impl Iterator for Imported {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let batch = self.read().transpose();
        self.done = !matches!(batch, Some(Ok(_)));
        batch.map(|b| b.map_err(into_arrow))
    }
}

impl RecordBatchReader for Imported {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

/// Keeps an error's structure through arrow's own type.
pub fn into_arrow(error: DataFusionError) -> ArrowError {
    match error {
        DataFusionError::ArrowError(error, _) => *error,
        error => ArrowError::ExternalError(Box::new(error)),
    }
}

/// The other way.
pub fn from_arrow(error: ArrowError) -> DataFusionError {
    match error {
        ArrowError::ExternalError(error) => match error.downcast::<DataFusionError>() {
            Ok(error) => *error,
            Err(error) => DataFusionError::External(error),
        },
        error => DataFusionError::from(error),
    }
}
