// SPDX-License-Identifier: Apache-2.0
//! Files read by an encoding: C reads their bytes, by range and on a blocking thread, and gives a
//! stream of rows, which is checked and put under the table's columns.

use std::any::Any;
use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatchReader;
use datafusion::common::DataFusionError;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileOpenFuture, FileOpener, FileScanConfig, FileSource,
};
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::{PhysicalExpr, apply_expression_roots};
use datafusion_datasource::TableSchema;
use datafusion_datasource::projection::{ProjectionOpener, SplitProjection};
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use tokio::runtime::Handle;

use super::Format;
use crate::bindings::*;
use crate::error::{Result, coded, fill, from_panic, prefixed};
use crate::foreign::call_slot;
use crate::named_source::path_of;
use crate::read_ahead;
use crate::stream::{Imported, from_arrow};

// ---- Bytes for C ----

/// What a `struct weir_reader` stands for. Outlives the stream that reads it.
struct Bytes {
    store: Arc<dyn ObjectStore>,
    object: ObjectMeta,
    runtime: Handle,
    c: weir_reader,
}

// Read by one thread at a time, of whichever the stream is read by.
unsafe impl Send for Bytes {}
unsafe impl Sync for Bytes {}

impl Bytes {
    /// In a place of its own, which C keeps a pointer to.
    fn new(store: Arc<dyn ObjectStore>, object: ObjectMeta, runtime: Handle) -> Box<Bytes> {
        let c = weir_reader {
            n_bytes: object.size as i64,
            modified_ns: object.last_modified.timestamp_nanos_opt().unwrap_or(0),
            version: [0; WEIR_VERSION_SIZE as usize],
            read_at: Some(read_at),
            release: Some(release),
            private_data: std::ptr::null_mut(),
        };
        let mut bytes = Box::new(Bytes { store, object, runtime, c });
        bytes.c.private_data = (&raw mut *bytes).cast();
        bytes
    }

    fn read(&self, offset: i64, to: &mut [u8]) -> Result<usize> {
        let offset = u64::try_from(offset)
            .map_err(|_| coded(WEIR_INVALID_ARGUMENT, "22023", "read_at: a negative offset"))?;
        let end = self.object.size.min(offset.saturating_add(to.len() as u64));
        if offset >= end {
            return Ok(0);
        }
        let read = self.store.get_range(&self.object.location, offset..end);
        let read = self.runtime.block_on(read)?;
        if read.len() as u64 != end - offset {
            return Err(coded(WEIR_IO, "58030", "the file became shorter while it was read"));
        }
        to[..read.len()].copy_from_slice(&read);
        Ok(read.len())
    }
}

unsafe extern "C" fn read_at(
    reader: *mut weir_reader,
    offset: i64,
    data: *mut c_void,
    length: usize,
    ret_length: *mut usize,
    error: *mut weir_error,
) -> c_int {
    let read = || {
        let bytes = unsafe { &*(*reader).private_data.cast::<Bytes>() };
        if length == 0 {
            return Ok(0);
        }
        bytes.read(offset, unsafe { std::slice::from_raw_parts_mut(data.cast(), length) })
    };
    match catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|payload| Err(from_panic(payload))) {
        Ok(n_read) => {
            unsafe { *ret_length = n_read };
            0
        }
        Err(failure) => fill(error, &failure, None),
    }
}

/// The reader is weir's, and goes with the stream.
unsafe extern "C" fn release(_reader: *mut weir_reader) {}

/// Keeps what a stream reads from in place.
struct Keep(#[allow(dead_code)] Box<Bytes>);

fn open(format: &Format, mut bytes: Box<Bytes>) -> Result<Imported> {
    let encoding = &format.encoding;
    let read = encoding.c.read.expect("was checked");
    let private = encoding.private();
    let mut rows = ArrowArrayStream::default();
    let options = &format.options.c;
    call_slot(encoding.who(), |error| unsafe {
        read(private.0, &mut bytes.c, options.as_ptr(), options.len(), &mut rows, error)
    })?;
    let keep: Arc<dyn Any + Send + Sync> = Arc::new(Keep(bytes));
    Imported::checked(&mut rows, encoding.who(), keep)
}

/// The columns of one file.
pub async fn schema(
    format: Format,
    store: Arc<dyn ObjectStore>,
    object: ObjectMeta,
) -> Result<SchemaRef> {
    let bytes = Bytes::new(store, object, Handle::current());
    let opened = tokio::task::spawn_blocking(move || open(&format, bytes).map(|r| r.schema()));
    opened.await.map_err(|e| DataFusionError::ExecutionJoin(Box::new(e)))?
}

// ---- Rows for the engine ----

/// A batch under the asked columns, by name: one that the file has not is NULL, one of another type is
/// cast.
fn put_under(batch: RecordBatch, schema: &Schema) -> Result<RecordBatch> {
    let n_rows = batch.num_rows();
    let strict = CastOptions { safe: false, ..Default::default() };
    let columns = schema.fields().iter().map(|field| {
        let Some(column) = batch.column_by_name(field.name()) else {
            return Ok(new_null_array(field.data_type(), n_rows));
        };
        if column.data_type() == field.data_type() {
            return Ok(column.clone());
        }
        cast_with_options(column, field.data_type(), &strict).map_err(|error| {
            let text = format!("column \"{}\": {error}", field.name());
            coded(WEIR_INVALID_DATA, "22000", text)
        })
    });
    let columns = columns.collect::<Result<Vec<ArrayRef>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(n_rows));
    Ok(RecordBatch::try_new_with_options(Arc::new(schema.clone()), columns, &options)?)
}

/// Reads a file on a blocking thread, a few batches ahead.
fn rows(
    format: Format,
    bytes: Box<Bytes>,
    schema: SchemaRef,
    path: String,
) -> BoxStream<'static, Result<RecordBatch>> {
    let (mut sender, receiver) = read_ahead::channel();
    tokio::task::spawn_blocking(move || {
        let read = || {
            for batch in open(&format, bytes)? {
                let batch = batch.map_err(|e: ArrowError| from_arrow(e))?;
                if !sender.send(put_under(batch, &schema)) {
                    break; // the reader went away
                }
            }
            Ok(())
        };
        let outcome = catch_unwind(AssertUnwindSafe(read));
        if let Err(error) = outcome.unwrap_or_else(|payload| Err(from_panic(payload))) {
            sender.send(Err(prefixed(error, &path)));
        }
    });
    receiver.boxed()
}

#[derive(Clone)]
pub struct Source {
    format: Format,
    schema: TableSchema,
    projection: SplitProjection,
    metrics: ExecutionPlanMetricsSet,
}

impl Source {
    pub fn new(format: Format, schema: TableSchema) -> Source {
        let projection = SplitProjection::unprojected(&schema);
        Source { format, schema, projection, metrics: ExecutionPlanMetricsSet::new() }
    }
}

struct Opener {
    format: Format,
    store: Arc<dyn ObjectStore>,
    schema: SchemaRef,
}

impl FileOpener for Opener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        let (format, schema, store) =
            (self.format.clone(), self.schema.clone(), self.store.clone());
        Ok(Box::pin(async move {
            let bytes = Bytes::new(store, file.object_meta.clone(), Handle::current());
            // What the file stands on, the copy of a pipe for instance, stays as long as it is read.
            Ok(rows(format, bytes, schema, path_of(&file))
                .inspect(move |_| {
                    let _ = &file;
                })
                .boxed())
        }))
    }
}

impl FileSource for Source {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        _config: &FileScanConfig,
        _partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        let columns = self.schema.file_schema().project(&self.projection.file_indices)?;
        let opener = Opener { format: self.format.clone(), store, schema: columns.into() };
        let file_schema = self.schema.file_schema();
        ProjectionOpener::try_new(self.projection.clone(), Arc::new(opener), file_schema)
    }

    fn table_schema(&self) -> &TableSchema {
        &self.schema
    }

    fn with_batch_size(&self, _rows: usize) -> Arc<dyn FileSource> {
        Arc::new(self.clone())
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        Some(&self.projection.source)
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        &self.metrics
    }

    fn file_type(&self) -> &str {
        &self.format.encoding.name
    }

    /// Where rows begin in the middle of a file is the encoding's to know.
    fn supports_repartitioning(&self) -> bool {
        false
    }

    fn try_pushdown_projection(
        &self,
        projection: &ProjectionExprs,
    ) -> Result<Option<Arc<dyn FileSource>>> {
        let merged = self.projection.source.try_merge(projection)?;
        let projection = SplitProjection::new(self.schema.file_schema(), &merged);
        Ok(Some(Arc::new(Source { projection, ..self.clone() })))
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        apply_expression_roots(self.projection.source.iter(), f)
    }
}
