//! Writing by partitions with few files open at a time. The engine's own writer keeps one open for each value until the last
//! row; with more values than a few the rest of the rows is sorted by them, and written value after value.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex as StdMutex};

use arrow::array::RecordBatch;
use arrow::compute::SortOptions;
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, SortField};
use async_trait::async_trait;
use datafusion::datasource::sink::{DataSink, DataSinkExec};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::expressions::Column;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan};
use futures::StreamExt;
use tokio::sync::Mutex;

use crate::bindings::WEIR_INTERNAL;
use crate::error::{Result, coded};
use crate::sort_keys;

/// Files that are open at the same time.
const MOST: usize = 64;

/// The same plan, whose sink gets its rows in rounds of so many partitions.
pub fn bounded(plan: Arc<dyn ExecutionPlan>, by: &[String]) -> Result<Arc<dyn ExecutionPlan>> {
    let Some(exec) = plan.downcast_ref::<DataSinkExec>() else { return Ok(plan) };
    let schema = exec.input().schema();
    let columns = by.iter().map(|name| Ok(schema.index_of(name)?)).collect::<Result<_>>()?;
    let (input, order) = (exec.input().clone(), exec.sort_order().clone());
    Ok(Arc::new(DataSinkExec::new(input, Arc::new(Bounded { plan, columns }), order)))
}

#[derive(Debug)]
struct Bounded {
    /// Has the sink that writes.
    plan: Arc<dyn ExecutionPlan>,
    columns: Vec<usize>,
}

impl Bounded {
    fn sink(&self) -> &dyn DataSink {
        self.plan.downcast_ref::<DataSinkExec>().expect("it was made of one").sink()
    }

    fn sorted(
        &self,
        rows: SendableRecordBatchStream,
        context: &Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let schema = rows.schema();
        let by = self.columns.iter().map(|at| PhysicalSortExpr {
            expr: Arc::new(Column::new(schema.field(*at).name(), *at)),
            options: SortOptions::default(),
        });
        let order = LexOrdering::new(by);
        let order =
            order.ok_or_else(|| coded(WEIR_INTERNAL, "XX000", "partitions of no column"))?;
        let once = Arc::new(Once { schema: schema.clone(), rows: StdMutex::new(Some(rows)) });
        let input = StreamingTableExec::try_new(schema, vec![once], None, [], false, None)?;
        let sort = SortExec::new(order, Arc::new(input));
        sort_keys::spilling(sort)?.execute(0, context.clone())
    }
}

impl DisplayAs for Bounded {
    fn fmt_as(&self, t: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        self.sink().fmt_as(t, f)
    }
}

#[async_trait]
impl DataSink for Bounded {
    fn metrics(&self) -> Option<MetricsSet> {
        self.sink().metrics()
    }

    fn schema(&self) -> &SchemaRef {
        self.sink().schema()
    }

    async fn write_all(
        &self,
        rows: SendableRecordBatchStream,
        context: &Arc<TaskContext>,
    ) -> Result<u64> {
        let rounds = Rounds::new(rows, &self.columns)?;
        let mut n_rows = self.sink().write_all(rounds.next(), context).await?;
        let Some(rest) = rounds.rest().await else { return Ok(n_rows) };
        let rounds = Rounds::new(self.sorted(rest, context)?, &self.columns)?;
        while rounds.goes_on().await {
            n_rows += self.sink().write_all(rounds.next(), context).await?;
        }
        Ok(n_rows)
    }
}

/// Rows in rounds of at most MOST partitions.
struct Rounds {
    schema: SchemaRef,
    state: Arc<Mutex<State>>,
}

struct State {
    rows: SendableRecordBatchStream,
    /// Read, and of the next round.
    pending: Option<RecordBatch>,
    ended: bool,
    columns: Vec<usize>,
    converter: RowConverter,
    met: HashSet<Box<[u8]>>,
}

impl Rounds {
    fn new(rows: SendableRecordBatchStream, columns: &[usize]) -> Result<Rounds> {
        let schema = rows.schema();
        let field = |at: &usize| SortField::new(schema.field(*at).data_type().clone());
        let converter = RowConverter::new(columns.iter().map(field).collect())?;
        let state = State {
            rows,
            pending: None,
            ended: false,
            columns: columns.to_vec(),
            converter,
            met: HashSet::new(),
        };
        Ok(Rounds { schema, state: Arc::new(Mutex::new(state)) })
    }

    fn next(&self) -> SendableRecordBatchStream {
        let begin = (self.state.clone(), true);
        let rows = futures::stream::try_unfold(begin, |(state, first)| async move {
            let mut held = state.lock().await;
            if first {
                held.met.clear();
            }
            let batch = held.batch(first).await?;
            drop(held);
            Ok(batch.map(|batch| (batch, (state, false))))
        });
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), rows))
    }

    async fn goes_on(&self) -> bool {
        !self.state.lock().await.ended
    }

    /// What no round had; None: there is nothing.
    async fn rest(&self) -> Option<SendableRecordBatchStream> {
        let mut state = self.state.lock().await;
        let pending = state.pending.take()?;
        let none =
            Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), futures::stream::empty()));
        let rows = std::mem::replace(&mut state.rows, none);
        let all = futures::stream::iter([Ok(pending)]).chain(rows);
        Some(Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), all)))
    }
}

impl State {
    /// The next batch of the round; None: it is full, or all was read.
    async fn batch(&mut self, first: bool) -> Result<Option<RecordBatch>> {
        let batch = match self.pending.take() {
            Some(pending) if first => pending,
            Some(pending) => {
                self.pending = Some(pending);
                return Ok(None);
            }
            None => match self.rows.next().await.transpose()? {
                Some(batch) => batch,
                None => {
                    self.ended = true;
                    return Ok(None);
                }
            },
        };
        let columns: Vec<_> = self.columns.iter().map(|at| batch.column(*at).clone()).collect();
        let values = self.converter.convert_columns(&columns)?;
        for (at, value) in values.iter().enumerate() {
            if self.met.contains(value.as_ref()) {
                continue;
            }
            if self.met.len() == MOST {
                self.pending = Some(batch.slice(at, batch.num_rows() - at));
                return Ok((at > 0).then(|| batch.slice(0, at)));
            }
            self.met.insert(value.as_ref().into());
        }
        Ok(Some(batch))
    }
}

/// Rows that are read once.
struct Once {
    schema: SchemaRef,
    rows: StdMutex<Option<SendableRecordBatchStream>>,
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Once")
    }
}

impl PartitionStream for Once {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let rows = self.rows.lock().unwrap().take();
        rows.unwrap_or_else(|| {
            let twice = coded(WEIR_INTERNAL, "XX000", "rows that are there once were read twice");
            let error = futures::stream::iter([Err(twice)]);
            Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), error))
        })
    }
}
