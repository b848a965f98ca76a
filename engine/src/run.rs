//! An execution: its rows for C, and a handle for cancel and figures.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchIterator, UInt64Array};
use arrow::datatypes::{Int64Type, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatchReader;
use datafusion::common::DataFusionError;
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::{ExecutionPlan, collect, execute_stream};
use futures::{FutureExt, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use crate::bindings::*;
use crate::dml::{Physical, physical};
use crate::error::{Result, cancelled, coded, from_panic};
use crate::plan::{Plan, run_in_session};
use crate::runtime::{Engine, check_thread, on_large_stack};
use crate::store::count;
use crate::stream::{Reader, into_arrow};
use crate::watch::CancelFlag;

/// Batches between the engine and the reader.
const CHANNEL_BATCHES: usize = 8;

pub struct Run {
    plan: Option<Arc<dyn ExecutionPlan>>,
    cancel: watch::Sender<bool>,
    flag: CancelFlag,
    finished: AtomicBool,
    rows_returned: AtomicI64,
    bytes_total: i64,
}

/// Starts a plan.
pub fn execute(plan: &Plan) -> Result<(Reader, Arc<Run>)> {
    let Some(rows) = plan.rows() else {
        if plan.kind == WR_PLAN_SESSION {
            run_in_session(plan)?;
        }
        return Ok((no_rows(), Run::new(None, true, CancelFlag::default())));
    };
    let mut state = plan.session.context.state();
    let flag = CancelFlag::default();
    state.config_mut().options_mut().extensions.insert(flag.clone());
    let engine = plan.session.engine.clone();
    let work = on_large_stack(|| engine.handle.block_on(physical(&state, rows, &plan.columns)))?;
    let run = Run::new(Some(work.plan.clone()), false, flag);
    count(&engine.counters.runs, 1);
    let schema = work.plan.schema();
    let (sender, receiver) = mpsc::channel(CHANNEL_BATCHES);
    let context = state.task_ctx();
    let task_run = run.clone();
    let task = engine.handle.spawn(async move {
        let work = std::panic::AssertUnwindSafe(drive(work, context, &sender, &task_run));
        let outcome = work.catch_unwind().await.unwrap_or_else(|p| Err(from_panic(p)));
        task_run.finished.store(true, Ordering::Release);
        if let Err(error) = outcome {
            let _ = sender.send(Err(error)).await;
        }
    });
    let reader = ResultReader {
        schema,
        receiver,
        cancel: run.cancel.subscribe(),
        task: task.abort_handle(),
        run: run.clone(),
        engine,
        ended: false,
    };
    Ok((Box::new(reader), run))
}

fn no_rows() -> Reader {
    Box::new(RecordBatchIterator::new(std::iter::empty(), Arc::new(Schema::empty())))
}

async fn drive(
    work: Physical,
    context: Arc<TaskContext>,
    sender: &mpsc::Sender<Result<RecordBatch>>,
    run: &Run,
) -> Result<()> {
    let count = match work.count {
        Some(query) => Some(counted(&collect(query, context.clone()).await?)),
        None => None,
    };
    let mut stream = execute_stream(work.plan, context)?;
    while let Some(batch) = stream.next().await {
        let batch = match count {
            Some(count) => count_batch(&batch?, count)?,
            None => batch?,
        };
        let rows = batch.num_rows() as i64;
        if sender.send(Ok(batch)).await.is_err() {
            break; // the reader went away
        }
        run.rows_returned.fetch_add(rows, Ordering::Relaxed);
    }
    Ok(())
}

fn counted(batches: &[RecordBatch]) -> u64 {
    batches
        .iter()
        .filter(|b| b.num_rows() > 0)
        .map(|b| b.column(0).as_primitive::<Int64Type>().value(0) as u64)
        .sum()
}

/// A change's own answer with the count of the rows that it changed.
fn count_batch(answer: &RecordBatch, count: u64) -> Result<RecordBatch> {
    let column: ArrayRef = Arc::new(UInt64Array::from(vec![count]));
    Ok(RecordBatch::try_new(answer.schema(), vec![column])?)
}

impl Run {
    fn new(plan: Option<Arc<dyn ExecutionPlan>>, finished: bool, flag: CancelFlag) -> Arc<Run> {
        Arc::new(Run {
            bytes_total: plan.as_ref().map_or(0, file_bytes),
            plan,
            cancel: watch::channel(false).0,
            flag,
            finished: AtomicBool::new(finished),
            rows_returned: AtomicI64::new(0),
        })
    }

    pub fn cancel(&self) {
        self.flag.0.store(true, Ordering::Relaxed);
        self.cancel.send_replace(true);
    }

    pub fn progress(&self) -> weir_progress {
        let mut progress = weir_progress {
            size: size_of::<weir_progress>(),
            bytes_total: self.bytes_total,
            rows_returned: self.rows_returned.load(Ordering::Relaxed),
            finished: self.finished.load(Ordering::Acquire) as i32,
            ..Default::default()
        };
        if let Some(plan) = &self.plan {
            add_metrics(plan, &mut progress);
        }
        progress
    }

    pub fn metrics(&self) -> String {
        match &self.plan {
            Some(plan) => {
                DisplayableExecutionPlan::with_metrics(plan.as_ref()).indent(false).to_string()
            }
            None => String::new(),
        }
    }
}

fn add_metrics(plan: &Arc<dyn ExecutionPlan>, progress: &mut weir_progress) {
    if let Some(metrics) = plan.metrics() {
        progress.bytes_spilled += metrics.spilled_bytes().unwrap_or(0) as i64;
        if plan.children().is_empty() {
            progress.rows_read += metrics.output_rows().unwrap_or(0) as i64;
            let bytes = metrics.sum_by_name("bytes_scanned").map_or(0, |m| m.as_usize());
            progress.bytes_read += bytes as i64;
        }
    }
    for child in plan.children() {
        add_metrics(child, progress);
    }
}

pub fn file_bytes(plan: &Arc<dyn ExecutionPlan>) -> i64 {
    let own: u64 = plan
        .downcast_ref::<DataSourceExec>()
        .and_then(|source| source.data_source().downcast_ref::<FileScanConfig>())
        .map_or(0, |scan| {
            scan.file_groups.iter().flat_map(|g| g.iter()).map(|f| f.effective_size()).sum()
        });
    own as i64 + plan.children().into_iter().map(file_bytes).sum::<i64>()
}

struct ResultReader {
    schema: SchemaRef,
    receiver: mpsc::Receiver<Result<RecordBatch>>,
    cancel: watch::Receiver<bool>,
    task: AbortHandle,
    run: Arc<Run>,
    engine: Arc<Engine>,
    ended: bool,
}

impl ResultReader {
    fn wait(&mut self) -> Result<Option<RecordBatch>> {
        check_thread()?;
        if self.ended {
            return Ok(None);
        }
        let (receiver, cancel) = (&mut self.receiver, &mut self.cancel);
        let item = self.engine.handle.block_on(async {
            tokio::select! {
                biased;
                _ = cancel.wait_for(|c| *c) => Some(Err(cancelled())),
                item = receiver.recv() => item,
            }
        });
        match item {
            Some(Ok(batch)) => return Ok(Some(batch)),
            Some(Err(error)) => {
                self.stop();
                Err(error)
            }
            None if self.run.finished.load(Ordering::Acquire) => Ok(None),
            None => Err(coded(WEIR_INVALID_STATE, "57P01", "the engine was closed")),
        }
        .inspect(|_| self.ended = true)
        .inspect_err(|_: &DataFusionError| self.ended = true)
    }

    fn stop(&self) {
        self.task.abort();
        self.run.flag.0.store(true, Ordering::Relaxed);
        self.run.finished.store(true, Ordering::Release);
    }
}

impl Drop for ResultReader {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Iterator for ResultReader {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.wait().map_err(into_arrow).transpose()
    }
}

impl RecordBatchReader for ResultReader {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}
