//! A result that is one stream of C's and nothing else: whoever wants its rows waits for them itself,
//! since waking threads between takes its share of a small query's time. From the second batch on it
//! is read ahead like any other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatchReader;
use futures::StreamExt;
use tokio::runtime::Handle;

use crate::bindings::WEIR_INVALID_STATE;
use crate::error::{Result, coded};
use crate::run::{ResultReader, Run};
use crate::runtime::{Engine, check_thread};
use crate::stream::{Reader, into_arrow};
use crate::stream_exec::{OwnRows, Source};

/// After so many batches there are likely more.
const FEW_BATCHES: usize = 2;
const CANCEL_AGAIN: Duration = Duration::from_millis(20);

/// A source that the reader of its rows waits for.
pub struct Waited {
    source: Arc<dyn Source>,
    handle: Handle,
    is_waiting: AtomicBool,
}

impl Waited {
    pub fn new(rows: &OwnRows, engine: &Engine) -> Arc<Waited> {
        let (source, handle) = (rows.source().clone(), engine.handle.clone());
        Arc::new(Waited { source, handle, is_waiting: AtomicBool::new(false) })
    }

    /// Has whoever waits let go. A cancel that comes before the stream is opened is lost: so it is said
    /// again until nobody waits.
    pub fn cancel(self: &Arc<Waited>) {
        let waited = self.clone();
        self.handle.spawn(async move {
            while waited.is_waiting.load(Ordering::SeqCst) {
                waited.source.cancel();
                tokio::time::sleep(CANCEL_AGAIN).await;
            }
        });
    }

    /// To be held while waiting. What ends the run afterwards cancels, what did so before is to be
    /// looked for.
    fn wait(&self) -> Waiting<'_> {
        self.is_waiting.store(true, Ordering::SeqCst);
        Waiting(self)
    }
}

struct Waiting<'a>(&'a Waited);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.is_waiting.store(false, Ordering::SeqCst);
    }
}

pub struct DirectReader {
    schema: SchemaRef,
    rows: Rows,
    n_batches: usize,
    waited: Arc<Waited>,
    run: Arc<Run>,
    engine: Arc<Engine>,
}

enum Rows {
    Own(OwnRows),
    Ahead(Reader),
    Ended,
}

impl DirectReader {
    pub fn start(
        engine: &Arc<Engine>,
        run: &Arc<Run>,
        waited: Arc<Waited>,
        schema: SchemaRef,
        rows: OwnRows,
    ) -> Reader {
        let (run, engine) = (run.clone(), engine.clone());
        let rows = Rows::Own(rows);
        Box::new(DirectReader { schema, rows, n_batches: 0, waited, run, engine })
    }

    fn read(&mut self) -> Result<Option<RecordBatch>> {
        check_thread()?;
        let Rows::Own(rows) = &mut self.rows else { return Ok(None) };
        if self.engine.is_closed() {
            return Err(coded(WEIR_INVALID_STATE, "57P01", "the engine was closed"));
        }
        let waiting = self.waited.wait();
        self.run.check()?;
        let batch = rows.next();
        drop(waiting);
        // What a cancelled source says of it is not why.
        self.run.check()?;
        batch
    }

    fn next_own(&mut self) -> Option<Result<RecordBatch>> {
        let batch = self.read().transpose();
        match &batch {
            Some(Ok(batch)) => {
                self.run.add_rows(batch.num_rows());
                self.n_batches += 1;
                if self.n_batches == FEW_BATCHES {
                    self.read_ahead();
                }
            }
            _ => self.end(),
        }
        batch
    }

    fn read_ahead(&mut self) {
        if let Rows::Own(rows) = std::mem::replace(&mut self.rows, Rows::Ended) {
            let (schema, rows) = (self.schema.clone(), rows.ahead().boxed());
            self.rows =
                Rows::Ahead(ResultReader::start(&self.engine, &self.run, schema, vec![rows]));
        }
    }

    /// The reader of what is left ends the run itself.
    fn end(&mut self) {
        if let Rows::Own(_) = std::mem::replace(&mut self.rows, Rows::Ended) {
            self.run.end_part();
        }
    }
}

impl Drop for DirectReader {
    fn drop(&mut self) {
        self.end();
    }
}

impl Iterator for DirectReader {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.rows {
            Rows::Ahead(reader) => reader.next(),
            _ => self.next_own().map(|batch| batch.map_err(into_arrow)),
        }
    }
}

impl RecordBatchReader for DirectReader {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}
