//! `count(*)` counts a literal 1, of which the engine makes an array for each batch. Written as eight
//! bytes for each row, only to be counted, it can cost more than the batch itself: here it has one bit.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::utils::COUNT_STAR_EXPANSION;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;

use crate::error::Result;

/// After the rules that know `count(*)` by its literal, to answer it from statistics.
#[derive(Debug)]
pub struct NarrowCounts;

impl PhysicalOptimizerRule for NarrowCounts {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            let narrow = node.downcast_ref::<AggregateExec>().and_then(narrowed);
            Ok(narrow.map_or_else(|| Transformed::no(node), |new| Transformed::yes(Arc::new(new))))
        })
        .data()
    }

    fn name(&self) -> &str {
        "weir_narrow_counts"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// None: it counts no rows.
fn narrowed(aggregate: &AggregateExec) -> Option<AggregateExec> {
    let counts = aggregate.aggr_expr().iter().map(narrow).collect::<Vec<_>>();
    counts.iter().any(Option::is_some).then(|| {
        let pairs = counts.into_iter().zip(aggregate.aggr_expr());
        let all = pairs.map(|(new, old)| new.map_or_else(|| old.clone(), Arc::new));
        aggregate.with_new_aggr_exprs(all.collect::<Vec<_>>())
    })
}

fn narrow(function: &Arc<AggregateFunctionExpr>) -> Option<AggregateFunctionExpr> {
    if function.fun().name() != "count" || function.is_distinct() {
        return None;
    }
    let [argument] = &function.expressions()[..] else { return None };
    let literal = argument.downcast_ref::<Literal>()?;
    let one: Arc<Literal> = Arc::new(Literal::new(ScalarValue::Boolean(Some(true))));
    (*literal.value() == COUNT_STAR_EXPANSION)
        .then(|| function.with_new_expressions(vec![one], vec![]))
        .flatten()
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, RecordBatch};
    use arrow::datatypes::Int64Type;
    use datafusion::prelude::{SessionConfig, SessionContext};

    use super::*;

    fn counted(plan: &Arc<dyn ExecutionPlan>) -> Vec<String> {
        let mut found: Vec<_> = plan.children().into_iter().flat_map(counted).collect();
        if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
            let arguments = aggregate.aggr_expr().iter().flat_map(|f| f.expressions());
            found.extend(
                arguments
                    .filter_map(|e| Some(format!("{:?}", e.downcast_ref::<Literal>()?.value()))),
            );
        }
        found
    }

    #[tokio::test]
    async fn rows_are_counted_by_one_bit_each() {
        let context =
            SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2));
        let sql = "SELECT k, count(*) AS n, count(v), count(1), sum(v) FROM \
                   (VALUES (1, 2), (1, NULL), (2, 3)) AS t(k, v) GROUP BY k ORDER BY k";
        let plan = context.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
        let narrow = NarrowCounts.optimize(plan.clone(), &ConfigOptions::default()).unwrap();
        assert!(counted(&plan).iter().all(|literal| literal.contains("Int64(1)")));
        assert!(!counted(&plan).is_empty());
        assert!(counted(&narrow).iter().all(|literal| literal.contains("Boolean(true)")));
        assert_eq!(plan.schema(), narrow.schema());
        let task = context.task_ctx();
        let rows = datafusion::physical_plan::collect(narrow, task).await.unwrap();
        let rows: Vec<RecordBatch> = rows.into_iter().filter(|rows| rows.num_rows() > 0).collect();
        let numbers = |at: usize| -> Vec<i64> {
            rows.iter()
                .flat_map(|r| r.column(at).as_primitive::<Int64Type>().values().to_vec())
                .collect()
        };
        assert_eq!((numbers(1), numbers(2), numbers(3)), (vec![2, 1], vec![1, 1], vec![2, 1]));
    }
}
