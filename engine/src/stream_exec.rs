//! Rows that C hands over as Arrow streams: partitions read ahead on blocking threads, or by the very
//! thread that wants them.

use std::collections::HashSet;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatchReader;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Statistics};
use datafusion::config::ConfigOptions;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, PhysicalExpr};
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::filter_pushdown::{
    ChildPushdownResult, FilterPushdownPhase, FilterPushdownPropagation, PushedDown,
};
use datafusion::physical_plan::metrics::{
    BaselineMetrics, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
    apply_expression_roots,
};
use futures::future::BoxFuture;
use futures::{Stream, StreamExt};

use crate::bindings::WEIR_INVALID_DATA;
use crate::decimals;
use crate::error::{Result, coded, from_panic};
use crate::read_ahead::{self, Receiver, Sender};
use crate::stream::{Imported, from_arrow};

/// Partitions of rows to be had from C.
pub trait Source: Send + Sync {
    /// Opens a partition. Blocks. May be called again for the same one, by a plan that runs again.
    fn open(&self, partition: usize) -> Result<Imported>;
    /// No partition has a reader any more, and one of them was left before its end.
    fn cancel(&self);
    /// Whether the rows may come in other types, to be cast to those that were asked for.
    fn casts(&self) -> bool {
        false
    }
    /// Filters that come to be while the plan runs. One that takes some gives a source with them.
    fn with_filters(&self, _filters: &[Arc<dyn PhysicalExpr>]) -> Option<Arc<dyn Source>> {
        None
    }
    fn filters(&self) -> Vec<Arc<dyn PhysicalExpr>> {
        vec![]
    }
    /// Of its filters, keeps those of these ids.
    fn keep_filters(&self, _ids: &HashSet<u64>) {}
    /// When partitions may be opened.
    fn ready(&self) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
    /// Its rows never wait: they are read where they are asked for.
    fn reads_at_once(&self) -> bool {
        false
    }
    /// Whoever waits for its rows is let go soon after `cancel`.
    fn ends_at_once(&self) -> bool {
        false
    }
    /// What reading a partition cost, by name.
    fn figures(&self, _partition: usize) -> Vec<(String, Figure)> {
        vec![]
    }
    /// What EXPLAIN shows.
    fn describe(&self) -> String;
}

pub enum Figure {
    Count(usize),
    Time(Duration),
}

pub struct StreamExec {
    source: Arc<dyn Source>,
    schema: SchemaRef,
    statistics: Arc<Statistics>,
    properties: Arc<PlanProperties>,
    readers: Arc<AtomicUsize>,
    metrics: ExecutionPlanMetricsSet,
}

impl StreamExec {
    pub fn new(
        source: Arc<dyn Source>,
        n_partitions: usize,
        schema: SchemaRef,
        statistics: Statistics,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema.clone()),
            Partitioning::UnknownPartitioning(n_partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        )
        .with_scheduling_type(SchedulingType::Cooperative);
        StreamExec {
            source,
            schema,
            statistics: Arc::new(statistics),
            properties: Arc::new(properties),
            readers: Arc::default(),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl StreamExec {
    pub fn source(&self) -> &Arc<dyn Source> {
        &self.source
    }

    /// The same rows from another source.
    fn reading(&self, source: Arc<dyn Source>) -> Self {
        StreamExec {
            source,
            schema: self.schema.clone(),
            statistics: self.statistics.clone(),
            properties: self.properties.clone(),
            readers: Arc::default(),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    /// The rows for a thread that waits for them itself, where nothing else is to be done meanwhile.
    pub fn own_rows(&self) -> Option<OwnRows> {
        let is_fit = self.source.ends_at_once()
            && self.properties.partitioning.partition_count() == 1
            && self.source.filters().is_empty();
        is_fit.then(|| OwnRows {
            partition: self.partition(0),
            reading: None,
            reader: PartitionReader::new(&self.source, &self.readers),
            metrics: BaselineMetrics::new(&self.metrics, 0),
        })
    }

    fn partition(&self, at: usize) -> Partition {
        let (source, schema) = (self.source.clone(), self.schema.clone());
        Partition { source, at, schema, metrics: self.metrics.clone() }
    }

    /// The rows of a partition without a thread between.
    fn read_here(
        &self,
        partition: usize,
        metrics: BaselineMetrics,
    ) -> Result<SendableRecordBatchStream> {
        let partition = self.partition(partition);
        let rows = std::iter::once_with(move || partition.open());
        let rows = rows.flat_map(|opened| match opened {
            Ok(reading) => {
                Box::new(reading) as Box<dyn Iterator<Item = Result<RecordBatch>> + Send>
            }
            Err(error) => Box::new(std::iter::once(Err(error))),
        });
        let rows = rows.inspect(move |batch| {
            if let Ok(batch) = batch {
                metrics.record_output(batch.num_rows());
            }
        });
        let rows = cooperative(RecordBatchStreamAdapter::new(
            self.schema.clone(),
            futures::stream::iter(rows),
        ));
        Ok(Box::pin(rows))
    }

    /// Rows that come in this order.
    pub fn ordered(mut self, order: Option<LexOrdering>) -> Self {
        if let Some(order) = order {
            let equivalences =
                EquivalenceProperties::new_with_orderings(self.schema.clone(), [order]);
            let properties = self.properties.as_ref().clone().with_eq_properties(equivalences);
            self.properties = Arc::new(properties);
        }
        self
    }
}

/// One partition's reader. The last one to leave, if it leaves early, cancels the source.
struct PartitionReader {
    source: Arc<dyn Source>,
    readers: Arc<AtomicUsize>,
    finished: bool,
}

impl PartitionReader {
    fn new(source: &Arc<dyn Source>, readers: &Arc<AtomicUsize>) -> Self {
        readers.fetch_add(1, Ordering::AcqRel);
        PartitionReader { source: source.clone(), readers: readers.clone(), finished: false }
    }
}

impl Drop for PartitionReader {
    fn drop(&mut self) {
        if self.readers.fetch_sub(1, Ordering::AcqRel) == 1 && !self.finished {
            self.source.cancel();
        }
    }
}

impl fmt::Debug for StreamExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamExec({})", self.source.describe())
    }
}

impl DisplayAs for StreamExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        let columns: Vec<_> = self.schema.fields().iter().map(|f| f.name().as_str()).collect();
        write!(
            f,
            "StreamExec: {}, partitions={}, projection=[{}]",
            self.source.describe(),
            self.properties.partitioning.partition_count(),
            columns.join(", ")
        )
    }
}

impl ExecutionPlan for StreamExec {
    fn name(&self) -> &str {
        "StreamExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![]
    }

    fn with_new_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        apply_expression_roots(&self.source.filters(), f)
    }

    fn handle_child_pushdown_result(
        &self,
        phase: FilterPushdownPhase,
        result: ChildPushdownResult,
        _config: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        let filters: Vec<_> = result.parent_filters.into_iter().map(|f| f.filter).collect();
        let taken = match phase {
            FilterPushdownPhase::Post => self.source.with_filters(&filters),
            FilterPushdownPhase::Pre => None,
        };
        let node = taken.map(|source| Arc::new(self.reading(source)) as Arc<dyn ExecutionPlan>);
        // Whoever gave them filters all the same.
        let filters = vec![PushedDown::No; filters.len()];
        Ok(FilterPushdownPropagation { filters, updated_node: node })
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn partition_statistics(&self, partition: Option<usize>) -> Result<Arc<Statistics>> {
        Ok(match partition {
            None => self.statistics.clone(),
            Some(_) => Arc::new(Statistics::new_unknown(&self.schema)),
        })
    }

    fn execute(
        &self,
        partition: usize,
        _context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        if self.source.reads_at_once() {
            return self.read_here(partition, metrics);
        }
        let (partition, readers) = (self.partition(partition), self.readers.clone());
        // Opened when first asked: what waits for another table's rows holds no connection.
        let rows = async move {
            let reader = PartitionReader::new(&partition.source, &readers);
            if !partition.source.filters().is_empty() {
                partition.source.ready().await;
            }
            Received { rows: partition.start(None), reader, metrics }
        };
        let rows = futures::stream::once(rows).flatten().boxed();
        let rows = RecordBatchStreamAdapter::new(self.schema.clone(), rows);
        Ok(Box::pin(cooperative(rows)))
    }
}

/// What comes of a partition that is read on another thread.
struct Received {
    rows: Receiver,
    reader: PartitionReader,
    metrics: BaselineMetrics,
}

impl Stream for Received {
    type Item = Result<RecordBatch>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let item = ready!(this.rows.poll_next_unpin(context));
        match &item {
            Some(Ok(batch)) => this.metrics.record_output(batch.num_rows()),
            _ => this.reader.finished = true,
        }
        Poll::Ready(item)
    }
}

/// The rows of a plan's only partition, read by the thread that wants them.
pub struct OwnRows {
    partition: Partition,
    reading: Option<Reading>,
    reader: PartitionReader,
    metrics: BaselineMetrics,
}

impl OwnRows {
    pub fn source(&self) -> &Arc<dyn Source> {
        &self.partition.source
    }

    /// The next batch. Blocks; it is opened by the first call.
    pub fn next(&mut self) -> Result<Option<RecordBatch>> {
        let batch = self.read();
        match &batch {
            Ok(Some(batch)) => self.metrics.record_output(batch.num_rows()),
            _ => self.reader.finished = true,
        }
        batch
    }

    fn read(&mut self) -> Result<Option<RecordBatch>> {
        let reading = match &mut self.reading {
            Some(reading) => reading,
            None => self.reading.insert(self.partition.open()?),
        };
        let batch = reading.next().transpose()?;
        if batch.is_none() {
            self.partition.tell_figures();
        }
        Ok(batch)
    }

    /// What is left of them, read ahead on another thread.
    pub fn ahead(self) -> impl Stream<Item = Result<RecordBatch>> + Send {
        let OwnRows { partition, reading, reader, metrics } = self;
        let rows = async move { Received { rows: partition.start(reading), reader, metrics } };
        futures::stream::once(rows).flatten()
    }
}

/// A partition that is to be read.
struct Partition {
    source: Arc<dyn Source>,
    at: usize,
    schema: SchemaRef,
    metrics: ExecutionPlanMetricsSet,
}

impl Partition {
    fn open(&self) -> Result<Reading> {
        Reading::open(self.source.as_ref(), self.at, &self.schema)
    }

    /// Reads it, or what is left of it, on a blocking thread.
    fn start(self, opened: Option<Reading>) -> Receiver {
        let (mut sender, receiver) = read_ahead::channel();
        tokio::task::spawn_blocking(move || {
            let read = || self.read(opened, &mut sender);
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(read));
            if let Err(error) = outcome.unwrap_or_else(|payload| Err(from_panic(payload))) {
                sender.send(Err(error));
            }
        });
        receiver
    }

    fn read(&self, opened: Option<Reading>, sender: &mut Sender) -> Result<()> {
        let mut rows = opened.map_or_else(|| self.open(), Ok)?;
        rows.rows.hold(true);
        while let Some(batch) = rows.next() {
            if !sender.send_holding(batch, |is_held| rows.rows.hold(is_held)) {
                break; // the reader went away
            }
        }
        rows.rows.hold(false);
        self.tell_figures();
        Ok(())
    }

    fn tell_figures(&self) {
        for (name, figure) in self.source.figures(self.at) {
            let metric = MetricBuilder::new(&self.metrics);
            match figure {
                Figure::Count(n) => metric.counter(name, self.at).add(n),
                Figure::Time(time) => metric.subset_time(name, self.at).add_duration(time),
            }
        }
    }
}

/// A partition's batches in the types that were asked for.
struct Reading {
    rows: Imported,
    schema: SchemaRef,
    as_asked: bool,
}

impl Reading {
    fn open(source: &dyn Source, partition: usize, schema: &SchemaRef) -> Result<Reading> {
        let rows = source.open(partition)?;
        let got = rows.schema();
        let as_asked = same_types(&got, schema);
        if !as_asked && !(source.casts() && got.fields().len() == schema.fields().len()) {
            return Err(other_columns(&got, schema));
        }
        Ok(Reading { rows, schema: schema.clone(), as_asked })
    }
}

impl Iterator for Reading {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.rows.next()?.map_err(from_arrow);
        Some(batch.and_then(|batch| match self.as_asked {
            true => renamed(batch, &self.schema),
            false => cast_to(batch, &self.schema),
        }))
    }
}

/// The batch under the asked schema: names and metadata are the table's, those in nested types too.
fn renamed(batch: RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let mut pairs = batch.columns().iter().zip(schema.fields());
    if pairs.any(|(column, field)| column.data_type() != field.data_type()) {
        return cast_to(batch, schema);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let (_, columns, _) = batch.into_parts();
    Ok(RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)
}

/// The batch in the asked types. A value that does not fit is an error, never NULL.
fn cast_to(batch: RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let strict = CastOptions { safe: false, ..Default::default() };
    let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| {
        if let Some(decimals) = decimals::from_texts(column, field.data_type()) {
            return Ok(decimals);
        }
        cast_with_options(column, field.data_type(), &strict).map_err(|error| {
            let text = format!("column \"{}\": {error}", field.name());
            coded(WEIR_INVALID_DATA, "22000", text)
        })
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    Ok(RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)
}

fn same_types(got: &SchemaRef, asked: &SchemaRef) -> bool {
    let mut pairs = got.fields().iter().zip(asked.fields());
    got.fields().len() == asked.fields().len()
        && pairs.all(|(got, asked)| got.data_type().equals_datatype(asked.data_type()))
}

fn other_columns(got: &SchemaRef, asked: &SchemaRef) -> DataFusionError {
    let text = format!("a scan was asked for the columns {asked} and gave {got}");
    coded(WEIR_INVALID_DATA, "22000", text)
}
