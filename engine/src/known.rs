//! An answer that its plan holds: a count that the statistics tell, literals. Whoever wants its rows
//! makes them itself, and where the plan is kept, it is planned no second time.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatchReader;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{CastExpr, Column, Literal};
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::placeholder_row::PlaceholderRowExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt;

use crate::error::Result;
use crate::parts::{self, Rows};
use crate::run::Run;
use crate::runtime::check_thread;
use crate::stream::{Reader, into_arrow};

/// Whether a plan reads nothing and computes next to nothing.
pub fn is_known(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let is_step = match plan.downcast_ref::<ProjectionExec>() {
        Some(projection) => projection.expr().iter().all(|column| is_given(&column.expr)),
        None => plan.is::<CooperativeExec>(),
    };
    let is_leaf = plan.is::<PlaceholderRowExec>() || plan.is::<EmptyExec>() || is_values(plan);
    parts::count(plan) == 1 && (is_leaf || is_step) && plan.children().into_iter().all(is_known)
}

fn is_values(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let source = plan.downcast_ref::<DataSourceExec>();
    source.is_some_and(|source| source.data_source().is::<MemorySourceConfig>())
}

fn is_given(expr: &Arc<dyn PhysicalExpr>) -> bool {
    let is_leaf = expr.is::<Literal>() || expr.is::<Column>();
    is_leaf || expr.is::<CastExpr>() && expr.children().into_iter().all(is_given)
}

/// The same plan for another run, with metrics of its own. The engine's way to reset a plan looks for
/// the end of the stack before each step, for which the first time reads all of the process's mappings.
pub fn anew(plan: &Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let children = plan.children().into_iter().map(anew).collect::<Result<_>>()?;
    let keep = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Keep);
    plan.clone().replace_children(children, keep)?.reset_state()
}

pub struct KnownReader {
    schema: SchemaRef,
    rows: Option<Rows>,
    run: Arc<Run>,
}

impl KnownReader {
    pub fn start(
        run: &Arc<Run>,
        plan: &Arc<dyn ExecutionPlan>,
        context: TaskContext,
    ) -> Result<Reader> {
        let rows = Some(execute_stream(plan.clone(), Arc::new(context))?.boxed());
        Ok(Box::new(KnownReader { schema: plan.schema(), rows, run: run.clone() }))
    }

    fn read(&mut self) -> Result<Option<RecordBatch>> {
        check_thread()?;
        let Some(rows) = &mut self.rows else { return Ok(None) };
        self.run.check()?;
        futures::executor::block_on(rows.next()).transpose()
    }

    fn end(&mut self) {
        if self.rows.take().is_some() {
            self.run.end_part();
        }
    }
}

impl Drop for KnownReader {
    fn drop(&mut self) {
        self.end();
    }
}

impl Iterator for KnownReader {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.read().transpose();
        match &batch {
            Some(Ok(batch)) => self.run.add_rows(batch.num_rows()),
            _ => self.end(),
        }
        batch.map(|batch| batch.map_err(into_arrow))
    }
}

impl RecordBatchReader for KnownReader {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

#[cfg(test)]
mod tests {
    use datafusion::physical_plan::collect;
    use datafusion::prelude::SessionContext;

    use super::*;

    async fn planned(sql: &str) -> (Arc<dyn ExecutionPlan>, Arc<TaskContext>) {
        let context = SessionContext::new();
        let frame = context.sql(sql).await.unwrap();
        let plan = frame.create_physical_plan().await.unwrap();
        (plan, context.task_ctx())
    }

    #[tokio::test]
    async fn what_is_computed_or_read_is_not_known() {
        for (sql, expected) in [
            ("SELECT 1 AS a, 1 + 2 AS b, CAST('2024-01-01' AS DATE) AS c", true),
            ("SELECT * FROM (VALUES (1, 'x'), (2, 'y')) AS t", true),
            ("SELECT * FROM (VALUES (1), (2)) AS t WHERE false", true),
            ("SELECT random()", false),
            ("SELECT column1 + 1 FROM (VALUES (1), (2)) AS t", false),
            ("SELECT sum(column1) FROM (VALUES (1), (2)) AS t", false),
            ("SELECT 1 UNION ALL SELECT 2", false),
            ("SELECT * FROM generate_series(1, 3)", false),
        ] {
            assert_eq!(is_known(&planned(sql).await.0), expected, "{sql}");
        }
    }

    #[tokio::test]
    async fn a_plan_run_anew_gives_the_same_rows_and_counts_its_own() {
        let (first, context) = planned("SELECT 7 AS a").await;
        let rows = collect(first.clone(), context.clone()).await.unwrap();
        for _ in 0..2 {
            let again = anew(&first).unwrap();
            assert_eq!(collect(again.clone(), context.clone()).await.unwrap(), rows);
            assert_eq!(again.metrics().unwrap().output_rows(), Some(1));
        }
    }
}
