//! Keys of a join's small side, as a filter of the statement that gives its large side.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::DFSchemaRef;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::{LogicalPlan, Operator, binary_expr};
use datafusion::physical_expr::expressions::{
    BinaryExpr, Column, DynamicFilterPhysicalExpr, InListExpr, Literal,
};
use datafusion::physical_expr::{PhysicalExpr, utils::split_conjunction};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::prelude::{Expr, in_list, lit};

use crate::error::Result;
use crate::stream_exec::StreamExec;

use super::expr::Scope;
use super::relation::{Aliases, Relation};

/// Only the rows that the filters let pass, as far as the backend can tell.
pub fn restricted(
    relation: Relation,
    names: &DFSchemaRef,
    filters: &[Arc<DynamicFilterPhysicalExpr>],
) -> Result<Relation> {
    let aliases = Aliases::after(&relation);
    let relation = relation.open(&aliases);
    let mut conditions = vec![];
    for filter in filters {
        let current = filter.current()?;
        for conjunct in split_conjunction(&current) {
            let Some(expr) = logical(conjunct, names) else { continue };
            let scope = Scope {
                dialect: relation.dialect(),
                schema: names,
                columns: &relation.columns,
                subquery: &|_: &LogicalPlan, _: &Scope| None,
                outer: None,
                is_change: false,
            };
            conditions.extend(scope.expr(&expr));
        }
    }
    Ok(if conditions.is_empty() { relation } else { relation.filtered(conditions) })
}

/// What joins say of their keys: bounds and lists.
fn logical(expr: &Arc<dyn PhysicalExpr>, names: &DFSchemaRef) -> Option<Expr> {
    let column = |expr: &Arc<dyn PhysicalExpr>| {
        let at = expr.downcast_ref::<Column>()?.index();
        (at < names.fields().len()).then(|| Expr::Column(names.columns()[at].clone()))
    };
    let literal =
        |expr: &Arc<dyn PhysicalExpr>| Some(lit(expr.downcast_ref::<Literal>()?.value().clone()));
    if let Some(binary) = expr.downcast_ref::<BinaryExpr>() {
        let op = *binary.op();
        matches!(op, Operator::GtEq | Operator::LtEq | Operator::Eq).then_some(())?;
        return Some(binary_expr(column(binary.left())?, op, literal(binary.right())?));
    }
    let list = expr.downcast_ref::<InListExpr>().filter(|list| !list.negated())?;
    let values = list.list().iter().map(literal).collect::<Option<Vec<_>>>()?;
    Some(in_list(column(list.expr())?, values, false))
}

/// Remote sources wait for the keys of joins that collect their small side before anything else: no
/// other filter is sure to be complete while they wait.
#[derive(Debug)]
pub struct AwaitKeys;

impl PhysicalOptimizerRule for AwaitKeys {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut ids = HashSet::new();
        plan.apply(|node| {
            if let Some(join) = node.downcast_ref::<HashJoinExec>()
                && *join.partition_mode() == PartitionMode::CollectLeft
            {
                let filters = join.dynamic_expressions_produced();
                ids.extend(filters.iter().filter_map(|filter| filter.expression_id()));
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        plan.apply(|node| {
            if let Some(exec) = node.downcast_ref::<StreamExec>() {
                exec.source().keep_filters(&ids);
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(plan)
    }

    fn name(&self) -> &str {
        "await_keys"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
