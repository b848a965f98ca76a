// SPDX-License-Identifier: Apache-2.0
//! A plan that commits the files of the plan below it.

use std::fmt;
use std::sync::{Arc, Mutex};

use datafusion::common::internal_err;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{Distribution, EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions,
};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties,
    InputDistributionRequirements, PlanProperties, SendableRecordBatchStream,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::Target;

/// Runs a plan that writes into a [`Target`] and gives one batch of counts, and passes the rows on
/// only after the commit. After an error, or when its stream is dropped, nothing is visible.
/// Executes once. A commit that has begun is not cancelled.
#[derive(Debug)]
pub struct CommitExec {
    input: Arc<dyn ExecutionPlan>,
    target: Arc<Mutex<Option<Target>>>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl CommitExec {
    pub fn new(input: Arc<dyn ExecutionPlan>, target: Arc<Mutex<Option<Target>>>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            input.boundedness(),
        );
        Self {
            input,
            target,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl DisplayAs for CommitExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        match &*self.target.lock().unwrap_or_else(|e| e.into_inner()) {
            Some(target) => write!(f, "CommitExec: target={}", target.name()),
            None => write!(f, "CommitExec"),
        }
    }
}

impl ExecutionPlan for CommitExec {
    fn name(&self) -> &str {
        "CommitExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::SinglePartition])
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => Ok(Arc::new(CommitExec::new(input, Arc::clone(&self.target)))),
            _ => internal_err!("CommitExec has one child"),
        }
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(
            children,
            ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute),
        )
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let partitions = self.input.output_partitioning().partition_count();
        if partition != 0 || partitions != 1 {
            return internal_err!(
                "CommitExec has partition 0 of 1, not {partition} of {partitions}"
            );
        }
        let target = self.target.lock().unwrap_or_else(|e| e.into_inner()).take();
        let Some(target) = target else {
            return Err(DataFusionError::Execution(
                "a statement that writes files is executed only once".into(),
            ));
        };
        let input = self.input.execute(0, target.context(context))?;
        let commit_time = MetricBuilder::new(&self.metrics).subset_time("commit_time", 0);
        let rows = async move {
            // In this order, so that the writer is dropped before the files it writes.
            let target = target;
            let mut input = input;
            let mut batches = Vec::new();
            while let Some(batch) = input.next().await {
                match batch {
                    Ok(batch) => batches.push(Ok(batch)),
                    Err(error) => {
                        drop(input);
                        return Err(target.fail(error).await);
                    }
                }
            }
            drop(input);
            let _timer = commit_time.timer();
            target.commit().await?;
            Ok::<_, DataFusionError>(stream::iter(batches))
        };
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), stream::once(rows).try_flatten())))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
