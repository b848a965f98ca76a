//! An execution: its rows for C, and a handle for cancel and figures.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchIterator, StringArray, UInt64Array};
use arrow::compute::cast;
use arrow::datatypes::{Int64Type, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatchReader;
use datafusion::common::DataFusionError;
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SessionState, TaskContext};
use datafusion::physical_plan::analyze::AnalyzeExec;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::{ExecutionPlan, collect, execute_stream};
use futures::{FutureExt, Stream, StreamExt, TryFutureExt};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::bindings::*;
use crate::clock;
use crate::direct::{DirectReader, Waited};
use crate::dml::{Physical, at_once, physical};
use crate::error::{Result, cancelled, coded, from_panic};
use crate::hand_over;
use crate::known::{KnownReader, is_known};
use crate::memory::StatementMemory;
use crate::objects::scope::{self, Tally};
use crate::options::Options;
use crate::parts::{self, Rows};
use crate::plan::{Plan, run_in_session};
use crate::runtime::{Engine, check_thread};
use crate::store::{Tallied, count};
use crate::stream::{Reader, into_arrow};
use crate::stream_exec::StreamExec;
use crate::watch::CancelFlag;

pub struct Run {
    plan: Option<Arc<dyn ExecutionPlan>>,
    ending: watch::Sender<Ending>,
    flag: CancelFlag,
    /// Whose rows its reader waits for itself.
    waited: Option<Arc<Waited>>,
    /// Parts that have not ended.
    running: AtomicUsize,
    rows_returned: AtomicI64,
    bytes_total: i64,
    memory: Option<Arc<StatementMemory>>,
    tally: Arc<Tally>,
}

/// Why a run is to end before its rows do.
#[derive(Clone, Copy, PartialEq)]
enum Ending {
    None,
    Cancelled,
    /// After so many milliseconds.
    TimedOut(u64),
}

impl Ending {
    fn error(self) -> DataFusionError {
        match self {
            Ending::TimedOut(ms) => coded(
                WEIR_TIMEOUT,
                "57014",
                format!("the statement ran for longer than its timeout, which is {ms} ms"),
            ),
            _ => cancelled(),
        }
    }
}

/// Why it ended, as soon as it is to.
async fn ended(ending: &mut watch::Receiver<Ending>) -> DataFusionError {
    let told = ending.wait_for(|ending| *ending != Ending::None).await.map(|ending| ending.error());
    match told {
        Ok(error) => error,
        Err(_) => std::future::pending().await, // it is gone, and so is who would tell
    }
}

/// Starts a plan, whose rows come in up to `max_parts` parts.
pub fn execute(plan: &Plan, max_parts: usize) -> Result<(Vec<Reader>, Arc<Run>)> {
    if plan.rows().is_none() {
        if plan.kind == WR_PLAN_SESSION {
            run_in_session(plan)?;
        }
        let tally = Arc::default();
        return Ok((vec![no_rows()], Run::new(None, None, 0, CancelFlag::default(), None, tally)));
    }
    let flag = CancelFlag::default();
    let engine = plan.session.engine.clone();
    let tally = engine.objects.tally();
    tally.take_over(&plan.tally);
    let settings = plan.session.settings();
    let (work, context) = match at_once(plan, settings)? {
        Some(work) => (work, without_functions(&plan.session.context.state_ref().read())),
        None => {
            let mut state = plan.session.context.state();
            state.config_mut().options_mut().extensions.insert(flag.clone());
            state.config_mut().set_extension(tally.clone());
            let plan = || engine.finish(physical(&state, settings, plan));
            (engine.planners.run(|| scope::counted(&tally, plan))?, TaskContext::from(&state))
        }
    };
    let n_parts = match max_parts > 1 && parts::are_independent(&work.plan) {
        true => max_parts.min(parts::count(&work.plan)),
        false => 1,
    };
    let options = Options::of(context.session_config().options());
    let env = context.runtime_env();
    let memory = StatementMemory::new(&env.memory_pool, options.statement_memory);
    let (shown, pool) = (Some(work.plan.clone()), Some(memory.clone()));
    let own = match (&work.count, work.plan.downcast_ref::<StreamExec>()) {
        (None, Some(stream)) => stream.own_rows(),
        _ => None,
    };
    let waited = own.as_ref().map(|rows| Waited::new(rows, &engine));
    let run = Run::new(shown, waited.clone(), n_parts, flag, pool, tally.clone());
    count(&engine.counters.runs, 1);
    if options.statement_timeout > 0 {
        clock::end_after(Arc::downgrade(&run), options.statement_timeout)?;
    }
    if let Some((rows, waited)) = own.zip(waited) {
        let rows = DirectReader::start(&engine, &run, waited, work.plan.schema(), rows);
        return Ok((vec![rows], run));
    }
    if work.count.is_none() && is_known(&work.plan) {
        return Ok((vec![KnownReader::start(&run, &work.plan, context)?], run));
    }
    let stores = Tallied::new(&env.object_store_registry, &engine.objects, &tally);
    let stores = Arc::new(stores);
    let env = env.as_ref().clone();
    let env = RuntimeEnv { memory_pool: memory, object_store_registry: stores, ..env };
    let context = Arc::new(context.with_runtime(Arc::new(env)));
    let part = |rows: Vec<Rows>| ResultReader::start(&engine, &run, work.plan.schema(), rows);
    if n_parts == 1 {
        return Ok((vec![part(all_rows(&work, &context, tally))], run));
    }
    let all = (0..n_parts).map(|at| part(vec![parts::rows(&work.plan, at, n_parts, &context)]));
    Ok((all.collect(), run))
}

/// All rows of a plan, as streams that are read at the same time and have no order among them.
fn all_rows(work: &Physical, context: &Arc<TaskContext>, tally: Arc<Tally>) -> Vec<Rows> {
    let plan = &work.plan;
    if let Some(query) = &work.count {
        return vec![counted_rows(plan.clone(), query.clone(), context.clone()).boxed()];
    }
    let n = parts::count(plan).max(1);
    let rows = |at| parts::rows(plan, at, n, context);
    match plan.is::<AnalyzeExec>() {
        true => vec![with_stores(rows(0), plan.schema(), tally).boxed()],
        false => (0..n).map(rows).collect(),
    }
}

/// What a database's rows are read in. Only information_schema looks for functions there: a copy of all
/// of them takes as long as a small query.
fn without_functions(state: &SessionState) -> TaskContext {
    let (config, env) = (state.config().clone(), state.runtime_env().clone());
    let id = state.session_id().to_string();
    let (scalar, higher, aggregate, window) = Default::default();
    TaskContext::new(None, id, config, scalar, higher, aggregate, window, env)
}

fn no_rows() -> Reader {
    Box::new(RecordBatchIterator::new(std::iter::empty(), Arc::new(Schema::empty())))
}

/// The rows of a change, with the count that `query` gives first.
fn counted_rows(
    plan: Arc<dyn ExecutionPlan>,
    query: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
) -> impl Stream<Item = Result<RecordBatch>> + Send {
    let begin = async move {
        let count = counted(&collect(query, context.clone()).await?);
        let rows = execute_stream(plan, context)?;
        Result::Ok(rows.map(move |batch| count_batch(&batch?, count)))
    };
    begin.try_flatten_stream()
}

/// EXPLAIN ANALYZE says what was asked of stores, in a row of its own, when anything was.
fn with_stores(
    rows: Rows,
    schema: SchemaRef,
    tally: Arc<Tally>,
) -> impl Stream<Item = Result<RecordBatch>> + Send {
    let last = futures::stream::once(async move {
        let Some(text) = tally.text() else { return Ok(RecordBatch::new_empty(schema)) };
        let columns: Vec<ArrayRef> = ["Stores", text.as_str()]
            .iter()
            .zip(schema.fields())
            .map(|(text, field)| Ok(cast(&StringArray::from(vec![*text]), field.data_type())?))
            .collect::<Result<_>>()?;
        Ok(RecordBatch::try_new(schema, columns)?)
    });
    rows.chain(last)
}

/// Hands the rows of a part on until the reader goes away, or the run is to end.
async fn drive(mut rows: Rows, sender: &hand_over::Sender, run: &Run) -> Result<()> {
    let mut ending = run.ending.subscribe();
    let all = async {
        while let Some(batch) = rows.next().await {
            let batch = batch?;
            let n_rows = batch.num_rows();
            if !sender.send(Ok(batch)).await {
                break;
            }
            run.add_rows(n_rows);
        }
        Ok(())
    };
    tokio::select! {
        biased;
        error = ended(&mut ending) => Err(error),
        result = all => result,
    }
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
    fn new(
        plan: Option<Arc<dyn ExecutionPlan>>,
        waited: Option<Arc<Waited>>,
        n_parts: usize,
        flag: CancelFlag,
        memory: Option<Arc<StatementMemory>>,
        tally: Arc<Tally>,
    ) -> Arc<Run> {
        Arc::new(Run {
            bytes_total: plan.as_ref().map_or(0, file_bytes),
            plan,
            waited,
            ending: watch::channel(Ending::None).0,
            flag,
            running: AtomicUsize::new(n_parts),
            rows_returned: AtomicI64::new(0),
            memory,
            tally,
        })
    }

    pub fn cancel(&self) {
        self.end(Ending::Cancelled);
    }

    /// Unless it is over already.
    pub fn time_out(&self, ms: u64) {
        if self.running.load(Ordering::Acquire) > 0 {
            self.end(Ending::TimedOut(ms));
        }
    }

    fn end(&self, ending: Ending) {
        self.flag.0.store(true, Ordering::Relaxed);
        let is_first = self.ending.send_if_modified(|now| {
            let first = *now == Ending::None;
            if first {
                *now = ending;
            }
            first
        });
        if let (true, Some(waited)) = (is_first, &self.waited) {
            waited.cancel();
        }
    }

    /// An error once it is to end.
    pub fn check(&self) -> Result<()> {
        match *self.ending.borrow() {
            Ending::None => Ok(()),
            ending => Err(ending.error()),
        }
    }

    pub fn add_rows(&self, n_rows: usize) {
        self.rows_returned.fetch_add(n_rows as i64, Ordering::Relaxed);
    }

    /// Once for each part.
    pub fn end_part(&self) {
        self.running.fetch_sub(1, Ordering::AcqRel);
    }

    pub fn progress(&self) -> weir_progress {
        let mut progress = weir_progress {
            size: size_of::<weir_progress>(),
            bytes_total: self.bytes_total,
            rows_returned: self.rows_returned.load(Ordering::Relaxed),
            finished: (self.running.load(Ordering::Acquire) == 0) as i32,
            peak_memory: self.memory.as_ref().map_or(0, |memory| memory.peak() as i64),
            ..Default::default()
        };
        if let Some(plan) = &self.plan {
            add_metrics(plan, &mut progress);
        }
        self.tally.show(&mut progress);
        progress
    }

    pub fn metrics(&self) -> String {
        match &self.plan {
            Some(plan) => {
                let plan = DisplayableExecutionPlan::with_metrics(plan.as_ref()).indent(false);
                let stores = self.tally.text().map(|text| format!("Stores: {text}\n"));
                format!("{plan}{}", stores.unwrap_or_default())
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

/// The rows of a part, which a task reads ahead.
pub struct ResultReader {
    schema: SchemaRef,
    receiver: hand_over::Receiver,
    ending: watch::Receiver<Ending>,
    tasks: Vec<AbortHandle>,
    run: Arc<Run>,
    /// Tasks of the part that have not come to their end, nor were told to.
    n_left: Arc<AtomicUsize>,
    engine: Arc<Engine>,
    ended: bool,
}

/// The last task's end is the part's.
fn end_task(run: &Run, n_left: &AtomicUsize) {
    let one_less = |n: usize| n.checked_sub(1);
    if n_left.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_less) == Ok(1) {
        run.end_part();
    }
}

impl ResultReader {
    /// One reader of all that `streams` give, each of which has a task of its own.
    pub fn start(
        engine: &Arc<Engine>,
        run: &Arc<Run>,
        schema: SchemaRef,
        streams: Vec<Rows>,
    ) -> Reader {
        let (sender, receiver) = hand_over::channel();
        let n_left = Arc::new(AtomicUsize::new(streams.len()));
        let start = |rows: Rows| {
            let (sender, run, n_left) = (sender.clone(), run.clone(), n_left.clone());
            let task = engine.handle.spawn(async move {
                let work = std::panic::AssertUnwindSafe(drive(rows, &sender, &run));
                let outcome = work.catch_unwind().await.unwrap_or_else(|p| Err(from_panic(p)));
                end_task(&run, &n_left);
                if let Err(error) = outcome {
                    sender.send(Err(error)).await;
                }
            });
            task.abort_handle()
        };
        Box::new(ResultReader {
            schema,
            receiver,
            ending: run.ending.subscribe(),
            tasks: streams.into_iter().map(start).collect(),
            run: run.clone(),
            n_left,
            engine: engine.clone(),
            ended: false,
        })
    }

    fn wait(&mut self) -> Result<Option<RecordBatch>> {
        check_thread()?;
        if self.ended {
            return Ok(None);
        }
        let (receiver, ending) = (&mut self.receiver, &mut self.ending);
        let told = *ending.borrow() != Ending::None;
        let item = match receiver.try_recv() {
            Some(item) if !told => Some(item),
            _ => self.engine.handle.block_on(async {
                tokio::select! {
                    biased;
                    error = ended(ending) => Some(Err(error)),
                    item = receiver.recv() => item,
                }
            }),
        };
        match item {
            Some(Ok(batch)) => return Ok(Some(batch)),
            Some(Err(error)) => {
                self.stop();
                Err(error)
            }
            None if self.n_left.load(Ordering::Acquire) == 0 => Ok(None),
            None => Err(coded(WEIR_INVALID_STATE, "57P01", "the engine was closed")),
        }
        .inspect(|_| self.ended = true)
        .inspect_err(|_: &DataFusionError| self.ended = true)
    }

    fn stop(&self) {
        self.tasks.iter().for_each(AbortHandle::abort);
        if self.n_left.swap(0, Ordering::AcqRel) > 0 {
            self.run.end_part();
        }
        // Joins are in plans of one part only.
        self.run.flag.0.store(true, Ordering::Relaxed);
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
