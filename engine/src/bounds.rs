//! Filters that no row fulfils since their bounds exclude each other: `a >= 5 AND a < 3`. The engine
//! sees it of IS NULL only. A table that keeps some of its rows nearby and says of the rest which
//! ones they are is then asked for the rest only where a query wants it.

use std::cmp::Ordering;
use std::collections::HashMap;

use datafusion::common::ScalarValue;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, EmptyRelation, LogicalPlan, Operator};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use datafusion::prelude::Expr;

use crate::error::Result;

#[derive(Debug)]
pub struct ExcludedBounds;

impl OptimizerRule for ExcludedBounds {
    fn name(&self) -> &str {
        "excluded_bounds"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        match &plan {
            LogicalPlan::Filter(filter) if is_contradiction(&filter.predicate) => {
                let schema = filter.input.schema().clone();
                let empty = EmptyRelation { produce_one_row: false, schema };
                Ok(Transformed::yes(LogicalPlan::EmptyRelation(empty)))
            }
            _ => Ok(Transformed::no(plan)),
        }
    }
}

/// The values that an expression may have: at least and at most, each with whether it may be equal.
#[derive(Default)]
struct Range<'a> {
    least: Option<(&'a ScalarValue, bool)>,
    most: Option<(&'a ScalarValue, bool)>,
}

impl<'a> Range<'a> {
    fn narrow(&mut self, op: Operator, value: &'a ScalarValue) {
        let inclusive = matches!(op, Operator::GtEq | Operator::LtEq | Operator::Eq);
        if matches!(op, Operator::Gt | Operator::GtEq | Operator::Eq) {
            tighten(&mut self.least, value, inclusive, Ordering::Greater);
        }
        if matches!(op, Operator::Lt | Operator::LtEq | Operator::Eq) {
            tighten(&mut self.most, value, inclusive, Ordering::Less);
        }
    }

    fn is_empty(&self) -> bool {
        let (Some((least, from)), Some((most, to))) = (self.least, self.most) else { return false };
        match least.partial_cmp(most) {
            Some(Ordering::Greater) => true,
            Some(Ordering::Equal) => !(from && to),
            _ => false,
        }
    }
}

fn tighten<'a>(
    bound: &mut Option<(&'a ScalarValue, bool)>,
    value: &'a ScalarValue,
    inclusive: bool,
    tighter: Ordering,
) {
    let replaces = match bound {
        None => true,
        Some((known, known_inclusive)) => match value.partial_cmp(known) {
            Some(Ordering::Equal) => *known_inclusive && !inclusive,
            order => order == Some(tighter),
        },
    };
    if replaces {
        *bound = Some((value, inclusive));
    }
}

fn is_contradiction(predicate: &Expr) -> bool {
    let mut ranges: HashMap<&Expr, Range> = HashMap::new();
    for conjunct in split_conjunction(predicate) {
        let Expr::BinaryExpr(BinaryExpr { left, op, right }) = conjunct else { continue };
        let (expr, op, value) = match (left.as_ref(), right.as_ref()) {
            (Expr::Literal(value, _), expr) => match op.swap() {
                Some(op) => (expr, op, value),
                None => continue,
            },
            (expr, Expr::Literal(value, _)) => (expr, *op, value),
            _ => continue,
        };
        // A column keeps its value from one comparison to the next.
        if matches!(expr, Expr::Column(_)) && !value.is_null() {
            ranges.entry(expr).or_default().narrow(op, value);
        }
    }
    ranges.values().any(Range::is_empty)
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::{col, lit};

    use super::is_contradiction;

    #[test]
    fn bounds_that_exclude_each_other() {
        assert!(is_contradiction(&col("a").gt_eq(lit(5)).and(col("a").lt(lit(5)))));
        assert!(is_contradiction(
            &lit(3).gt(col("a")).and(col("b").gt(lit(1))).and(col("a").eq(lit(4)))
        ));
        assert!(is_contradiction(&col("a").eq(lit("x")).and(col("a").eq(lit("y")))));
    }

    #[test]
    fn bounds_that_leave_something() {
        assert!(!is_contradiction(&col("a").gt_eq(lit(5)).and(col("a").lt_eq(lit(5)))));
        assert!(!is_contradiction(&col("a").gt(lit(5)).and(col("b").lt(lit(3)))));
        assert!(!is_contradiction(&col("a").gt(lit(5)).and(col("a").lt(lit(3i64)))));
        assert!(!is_contradiction(&col("a").gt(lit(5)).or(col("a").lt(lit(3)))));
    }
}
