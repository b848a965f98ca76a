//! A result in parts that are read at the same time, or one after another, by different readers.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};

use crate::error::Result;
use crate::stream_exec::StreamExec;

pub type Rows = BoxStream<'static, Result<RecordBatch>>;

pub fn count(plan: &Arc<dyn ExecutionPlan>) -> usize {
    plan.output_partitioning().partition_count()
}

/// Whether each partition is read without the others, and their order says nothing.
pub fn are_independent(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let alone = plan.is::<DataSourceExec>()
        || plan.is::<StreamExec>()
        || plan.is::<FilterExec>()
        || plan.is::<ProjectionExec>()
        || plan.is::<CooperativeExec>()
        || plan.is::<UnionExec>();
    alone && plan.children().into_iter().all(are_independent)
}

/// The partitions `part`, `part + n_parts` and so on, one after another.
pub fn rows(
    plan: &Arc<dyn ExecutionPlan>,
    part: usize,
    n_parts: usize,
    context: &Arc<TaskContext>,
) -> Rows {
    let (plan, context) = (plan.clone(), context.clone());
    let partitions = stream::iter((part..count(&plan)).step_by(n_parts));
    partitions.map(move |at| plan.execute(at, context.clone())).try_flatten().boxed()
}
