//! INSERT into a table whose kind takes rows: the kind reads an Arrow stream on a blocking thread.

use std::ffi::c_int;
use std::sync::{Arc, Mutex};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatchReader;
use async_trait::async_trait;
use datafusion::common::DataFusionError;
use datafusion::datasource::sink::DataSink;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType};
use futures::StreamExt;

use crate::bindings::*;
use crate::call::{Call, Waiting};
use crate::catalog::Held;
use crate::error::{Result, call_c, cancelled};
use crate::stream::{export, into_arrow};

#[derive(Debug)]
pub struct Sink {
    pub held: Arc<Held>,
    pub schema: SchemaRef,
    pub mode: c_int,
}

impl DisplayAs for Sink {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("weir table")
    }
}

#[async_trait]
impl DataSink for Sink {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    async fn write_all(
        &self,
        data: SendableRecordBatchStream,
        _context: &Arc<TaskContext>,
    ) -> Result<u64> {
        let held = self.held.clone();
        let (schema, mode) = (self.schema.clone(), self.mode);
        let failure: Arc<Mutex<Option<DataFusionError>>> = Arc::default();
        let call = Call::new(&held)?;
        let waiting = Waiting::new(&call);
        let rows = Blocking {
            data,
            schema,
            handle: tokio::runtime::Handle::current(),
            failure: failure.clone(),
            call: call.clone(),
        };
        let written = tokio::task::spawn_blocking(move || {
            let mut stream = ArrowArrayStream::default();
            export(Box::new(rows), &mut stream);
            let mut n_rows = 0i64;
            let insert = held.kind().insert.expect("checked by insert_into");
            call.serve(|| {
                call_c(|error| unsafe {
                    insert(held.0.instance, mode, &mut stream, &mut n_rows, error)
                })
            })?;
            Ok(n_rows as u64)
        });
        let written = written.await.map_err(|e| DataFusionError::ExecutionJoin(Box::new(e)))?;
        waiting.returned();
        // The input's own error says more than the kind's report of it.
        written.map_err(|e| failure.lock().unwrap().take().unwrap_or(e))
    }
}

/// An engine stream that a blocking thread reads.
struct Blocking {
    data: SendableRecordBatchStream,
    schema: SchemaRef,
    handle: tokio::runtime::Handle,
    failure: Arc<Mutex<Option<DataFusionError>>>,
    call: Arc<Call>,
}

impl Iterator for Blocking {
    type Item = std::result::Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (data, call) = (&mut self.data, &self.call);
        let item = self.handle.block_on(async {
            tokio::select! {
                biased;
                () = call.cancelled() => Some(Err(cancelled())),
                item = data.next() => item,
            }
        })?;
        Some(match item {
            Ok(batch) => batch.with_schema(self.schema.clone()),
            Err(error) => {
                let shared = Arc::new(error);
                *self.failure.lock().unwrap() = Some(DataFusionError::Shared(shared.clone()));
                Err(into_arrow(DataFusionError::Shared(shared)))
            }
        })
    }
}

impl RecordBatchReader for Blocking {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}
