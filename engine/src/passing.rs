//! A node of a plan that hands each batch of its input on, and does something with it.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildStats, DisplayAs, DisplayFormatType, ExecutionPlan, PhysicalExpr, PlanProperties,
    Statistics, StatisticsArgs,
};
use futures::StreamExt;

use crate::error::Result;

pub type PassBatch = Box<dyn FnMut(RecordBatch) -> Result<RecordBatch> + Send>;

/// What is done, to the rows in the order in which they come. Displayed, it says how.
pub trait Pass: fmt::Debug + fmt::Display + Clone + Send + Sync + 'static {
    const NAME: &'static str;

    fn start(&self, partition: usize, context: &TaskContext) -> PassBatch;
}

#[derive(Debug)]
pub struct Passing<P> {
    pub input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
    pub pass: P,
}

impl<P: Pass> Passing<P> {
    /// Rows with the properties of the input.
    pub fn new(input: Arc<dyn ExecutionPlan>, pass: P) -> Passing<P> {
        let properties = input.properties().clone();
        Passing { input, properties, pass }
    }

    /// With the first of its columns, and with properties that are known otherwise.
    pub fn with_properties(self, properties: &Arc<PlanProperties>) -> Passing<P> {
        Passing { properties: properties.clone(), ..self }
    }
}

impl<P: Pass> DisplayAs for Passing<P> {
    fn fmt_as(&self, t: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        let text = self.pass.to_string();
        match t {
            DisplayFormatType::TreeRender if text.is_empty() => Ok(()),
            DisplayFormatType::TreeRender => writeln!(f, "{text}"),
            _ if text.is_empty() => f.write_str(P::NAME),
            _ => write!(f, "{}: {text}", P::NAME),
        }
    }
}

impl<P: Pass> ExecutionPlan for Passing<P> {
    fn name(&self) -> &str {
        P::NAME
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
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
        let node = Passing::new(children.swap_remove(0), self.pass.clone());
        Ok(Arc::new(node.with_properties(&self.properties)))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let anew = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        self.replace_children(children, anew)
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let mut pass = self.pass.start(partition, &context);
        let rows = self.input.execute(partition, context)?.map(move |batch| pass(batch?));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        _: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let mut known = inputs[0].as_ref().clone();
        let n_columns = self.schema().fields().len();
        if n_columns < known.column_statistics.len() {
            known.column_statistics.truncate(n_columns);
            known.calculate_total_byte_size(&self.schema());
        }
        Ok(Arc::new(known))
    }
}
