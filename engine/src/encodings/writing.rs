// SPDX-License-Identifier: Apache-2.0
//! Files written by an encoding: C reads a stream of rows on a blocking thread, and its bytes go where
//! the engine's own writers' go. Whoever planned the sink stages and commits them (`commit.rs`).

use std::ffi::{c_int, c_void};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatchReader;
use async_trait::async_trait;
use datafusion::common::DataFusionError;
use datafusion::common::runtime::SpawnedTask;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::physical_plan::{FileSink, FileSinkConfig};
use datafusion::datasource::sink::DataSink;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType};
use datafusion_datasource::write::demux::DemuxedStreamReceiver;
use datafusion_datasource::write::{ObjectWriterBuilder, get_writer_schema};
use object_store::ObjectStore;
use object_store::path::Path;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::runtime::Handle;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinSet;

use super::Format;
use crate::bindings::*;
use crate::error::Result;
use crate::foreign::call_slot;
use crate::stream::export;

pub struct Sink {
    format: Format,
    config: FileSinkConfig,
}

impl Sink {
    pub fn new(format: Format, config: FileSinkConfig) -> Sink {
        Sink { format, config }
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncodingSink({})", self.format.encoding.name)
    }
}

impl DisplayAs for Sink {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// The rows of one file, for C. They count themselves.
struct Rows {
    batches: Receiver<RecordBatch>,
    schema: SchemaRef,
    n_rows: Arc<Mutex<u64>>,
}

impl Iterator for Rows {
    type Item = std::result::Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batches.blocking_recv()?;
        *self.n_rows.lock().unwrap() += batch.num_rows() as u64;
        Some(batch.with_schema(self.schema.clone()))
    }
}

impl RecordBatchReader for Rows {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

/// Where the bytes of one file go. What goes wrong with it says more than what C makes of it.
struct Out {
    writer: Box<dyn AsyncWrite + Send + Unpin>,
    runtime: Handle,
    failure: Option<std::io::Error>,
}

const EIO: c_int = 5;

unsafe extern "C" fn write(sink: *mut c_void, data: *const c_void, length: usize) -> c_int {
    let out = unsafe { &mut *sink.cast::<Out>() };
    if length == 0 {
        return 0;
    }
    let data = unsafe { std::slice::from_raw_parts(data.cast(), length) };
    let written = || match &out.failure {
        Some(_) => Ok(()), // the first one counts
        None => out.runtime.block_on(out.writer.write_all(data)),
    };
    let written = catch_unwind(AssertUnwindSafe(written));
    if let Err(error) = written.unwrap_or_else(|_| Err(std::io::Error::other("a panic"))) {
        out.failure = Some(error);
    }
    match &out.failure {
        None => 0,
        Some(error) => error.raw_os_error().unwrap_or(EIO),
    }
}

/// Writes one file on this thread, which may block.
fn write_file(format: &Format, rows: Rows, mut out: Out) -> Result<u64> {
    let n_rows = rows.n_rows.clone();
    let mut stream = ArrowArrayStream::default();
    export(Box::new(rows), &mut stream);
    let encoding = &format.encoding;
    let (slot, private) = (encoding.c.write.expect("was checked"), encoding.private());
    let options = &format.options.c;
    let sink: *mut c_void = (&raw mut out).cast();
    let written = call_slot(encoding.who(), |error| unsafe {
        slot(private.0, &mut stream, options.as_ptr(), options.len(), Some(write), sink, error)
    });
    // It should have taken the rows over. If not, who still sends some must not wait for ever.
    if let Some(release) = stream.release {
        unsafe { release(&mut stream) };
    }
    if let Some(error) = out.failure {
        return Err(DataFusionError::IoError(error));
    }
    written?;
    out.runtime.block_on(out.writer.shutdown())?;
    let n_rows = *n_rows.lock().unwrap();
    Ok(n_rows)
}

#[async_trait]
impl FileSink for Sink {
    fn config(&self) -> &FileSinkConfig {
        &self.config
    }

    async fn spawn_writer_tasks_and_join(
        &self,
        context: &Arc<TaskContext>,
        demux_task: SpawnedTask<Result<()>>,
        mut files: DemuxedStreamReceiver,
        store: Arc<dyn ObjectStore>,
    ) -> Result<u64> {
        let mut tasks: JoinSet<Result<u64>> = JoinSet::new();
        while let Some((path, batches)) = files.recv().await {
            let (format, schema) = (self.format.clone(), get_writer_schema(&self.config));
            let rows = Rows { batches, schema, n_rows: Arc::default() };
            let out = out(context, &path, &store)?;
            tasks.spawn_blocking(move || write_file(&format, rows, out));
        }
        let mut n_rows = 0;
        while let Some(written) = tasks.join_next().await {
            n_rows += written.map_err(|e| DataFusionError::ExecutionJoin(Box::new(e)))??;
        }
        let sent = demux_task.join_unwind().await;
        sent.map_err(|e| DataFusionError::ExecutionJoin(Box::new(e)))??;
        Ok(n_rows)
    }
}

fn out(context: &TaskContext, path: &Path, store: &Arc<dyn ObjectStore>) -> Result<Out> {
    let plain = FileCompressionType::UNCOMPRESSED;
    let size = context.session_config().options().execution.objectstore_writer_buffer_size;
    let writer = ObjectWriterBuilder::new(plain, path, store.clone());
    let writer = writer.with_buffer_size(Some(size)).build()?;
    Ok(Out { writer, runtime: Handle::current(), failure: None })
}

#[async_trait]
impl DataSink for Sink {
    fn schema(&self) -> &SchemaRef {
        self.config.output_schema()
    }

    async fn write_all(
        &self,
        data: SendableRecordBatchStream,
        context: &Arc<TaskContext>,
    ) -> Result<u64> {
        FileSink::write_all(self, data, context).await
    }
}
