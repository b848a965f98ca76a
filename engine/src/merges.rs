//! Merges that only put together again what a round robin has taken apart. To compare and copy each row costs more than
//! arithmetic and casts do, so these are done where the rows come from.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, CastExpr, Column, Literal, NegativeExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::{
    ExecutionPlan, ExecutionPlanProperties, Partitioning, PhysicalExpr,
};

use crate::error::Result;

#[derive(Debug)]
pub struct InOneStream;

impl PhysicalOptimizerRule for InOneStream {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let merge = |node: Arc<dyn ExecutionPlan>| {
            let merge = node.downcast_ref::<SortPreservingMergeExec>();
            match merge.filter(|merge| merge.fetch().is_none()).map(|merge| whole(merge.input())) {
                Some(whole) => Ok(whole?.map_or_else(|| Transformed::no(node), Transformed::yes)),
                None => Ok(Transformed::no(node)),
            }
        };
        plan.transform_up(merge).data()
    }

    fn name(&self) -> &str {
        "weir_in_one_stream"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The same without the round robin below, where there is cheap work alone between.
fn whole(node: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    if let Some(repartition) = node.downcast_ref::<RepartitionExec>() {
        let input = repartition.input();
        let is_one = input.output_partitioning().partition_count() == 1;
        let is_dealt = matches!(repartition.partitioning(), Partitioning::RoundRobinBatch(_));
        return Ok((is_one && is_dealt).then(|| input.clone()));
    }
    let is_cheap = match node.downcast_ref::<ProjectionExec>() {
        Some(projection) => projection.expr().iter().all(|column| is_cheap(&column.expr)),
        None => node.is::<CooperativeExec>(),
    };
    match node.children()[..] {
        [child] if is_cheap => {
            let child = whole(child)?;
            let anew = || ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
            child.map(|child| node.clone().replace_children(vec![child], anew())).transpose()
        }
        _ => Ok(None),
    }
}

fn is_cheap(expr: &Arc<dyn PhysicalExpr>) -> bool {
    let alone = match expr.downcast_ref::<BinaryExpr>() {
        Some(binary) => {
            let op = binary.op();
            op.is_numerical_operators()
                || op.supports_propagation()
                || *op == Operator::StringConcat
        }
        None => {
            expr.is::<Column>()
                || expr.is::<Literal>()
                || expr.is::<CastExpr>()
                || expr.is::<NegativeExpr>()
        }
    };
    alone && expr.children().into_iter().all(is_cheap)
}
