//! Parquet files whose columns have dictionaries where they are of use, unless the options say for which.

use std::fmt;
use std::sync::{Arc, OnceLock};

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::datasource::file_format::parquet::ParquetSink;
use datafusion::datasource::physical_plan::FileSink;
use datafusion::datasource::sink::{DataSink, DataSinkExec};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::LexRequirement;
use datafusion::physical_plan::expressions::Column;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan};
use futures::StreamExt;
use parquet::file::metadata::SortingColumn;

use crate::dictionaries::Sample;
use crate::error::Result;

/// The same plan, whose sink looks at its first rows if it writes Parquet. Partitions have values of their own, of which the
/// first rows say nothing.
pub fn sampled(plan: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    let Some(exec) = plan.downcast_ref::<DataSinkExec>() else { return plan };
    let Some(sink) = exec.sink().downcast_ref::<ParquetSink>() else { return plan };
    let is_told = sink.parquet_options().global.dictionary_enabled.is_some();
    if is_told || !sink.config().table_partition_cols.is_empty() {
        return plan;
    }
    let (input, order) = (exec.input().clone(), exec.sort_order().clone());
    let sink = Sampled { plan, order: order.clone(), chosen: OnceLock::new() };
    Arc::new(DataSinkExec::new(input, Arc::new(sink), order))
}

#[derive(Debug)]
struct Sampled {
    /// Has the sink that the engine made.
    plan: Arc<dyn ExecutionPlan>,
    order: Option<LexRequirement>,
    /// The one that writes.
    chosen: OnceLock<ParquetSink>,
}

impl Sampled {
    fn sink(&self) -> &ParquetSink {
        let made = || self.plan.downcast_ref::<DataSinkExec>()?.sink().downcast_ref();
        self.chosen.get().or_else(made).expect("it was made of one")
    }

    /// The same sink, without dictionaries of those columns for which nothing else was said.
    fn without(&self, columns: Vec<String>) -> ParquetSink {
        let sink = self.sink();
        let mut options = sink.parquet_options().clone();
        // A name with a dot would be taken for a path.
        for column in columns.into_iter().filter(|name| !name.contains('.')) {
            let of_column = options.column_specific_options.entry(column).or_default();
            of_column.dictionary_enabled.get_or_insert(false);
        }
        ParquetSink::new(sink.config().clone(), options).with_sorting_columns(self.sorting())
    }

    /// What the engine says of the order in the file; nothing where an expression is none of a column.
    fn sorting(&self) -> Option<Vec<SortingColumn>> {
        let columns = self.order.as_ref()?.iter().map(|by| {
            let options = by.options.unwrap_or_default();
            Some(SortingColumn {
                column_idx: by.expr.downcast_ref::<Column>()?.index().try_into().ok()?,
                descending: options.descending,
                nulls_first: options.nulls_first,
            })
        });
        columns.collect()
    }
}

impl DisplayAs for Sampled {
    fn fmt_as(&self, t: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        self.sink().fmt_as(t, f)
    }
}

#[async_trait]
impl DataSink for Sampled {
    fn metrics(&self) -> Option<MetricsSet> {
        self.sink().metrics()
    }

    fn schema(&self) -> &SchemaRef {
        self.sink().schema()
    }

    async fn write_all(
        &self,
        mut rows: SendableRecordBatchStream,
        context: &Arc<TaskContext>,
    ) -> Result<u64> {
        let schema = rows.schema();
        let options = &self.sink().parquet_options().global;
        let (limit, n_rows) = (options.dictionary_page_size_limit, options.max_row_group_size);
        let mut sample = Sample::new(&schema, limit, n_rows);
        let mut first = vec![];
        let mut is_all = false;
        while !is_all && sample.goes_on() {
            match rows.next().await.transpose()? {
                Some(batch) => {
                    sample.look(&batch)?;
                    first.push(Ok(batch));
                }
                None => is_all = true,
            }
        }
        let unsuited = sample.unsuited(is_all);
        if !unsuited.is_empty() {
            let _ = self.chosen.set(self.without(unsuited));
        }
        let rows = futures::stream::iter(first).chain(rows);
        let rows = Box::pin(RecordBatchStreamAdapter::new(schema, rows));
        DataSink::write_all(self.sink(), rows, context).await
    }
}
