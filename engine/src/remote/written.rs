//! A statement that one backend can run as it was written goes there before the engine's optimizer
//! makes joins of its queries within queries: a backend has its own ways to run these, by an index
//! for instance, and a join that was made of one it cannot take back.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::simplify_expressions::SimplifyExpressions;
use datafusion::optimizer::{Optimizer, OptimizerConfig, OptimizerRule};

use crate::error::Result;
use crate::options::Options;

use super::push::{push_as_written, remote_table};
use super::shared::Shared;

/// The first of the optimizer's rules.
#[derive(Debug)]
pub struct AsWritten;

impl OptimizerRule for AsWritten {
    fn name(&self) -> &str {
        "as_written"
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        if !Options::of(&config.options()).pushdown || !is_meant(&plan)? {
            return Ok(Transformed::no(plan));
        }
        // Its constants are computed here.
        let rules: Vec<Arc<dyn OptimizerRule + Send + Sync>> =
            vec![Arc::new(SimplifyExpressions::new())];
        let simple = Optimizer::with_rules(rules).optimize(plan.clone(), config, |_, _| {})?;
        let mut done = false;
        let pushed = simple.transform_down(|node| {
            if !is_meant(&node)? {
                return Ok(Transformed::new(node, false, TreeNodeRecursion::Jump));
            }
            match push_as_written(&node)? {
                Some(leaf) => {
                    done = true;
                    Ok(Transformed::new(leaf, true, TreeNodeRecursion::Jump))
                }
                None => Ok(Transformed::no(node)),
            }
        })?;
        Ok(if done { Transformed::yes(pushed.data) } else { Transformed::no(plan) })
    }
}

/// Whether it has something that the optimizer would take apart, over tables of one backend.
fn is_meant(plan: &LogicalPlan) -> Result<bool> {
    let mut backend: Option<String> = None;
    let mut fits = true;
    let mut nested = false;
    plan.apply_with_subqueries(|node| {
        nested |= has_subquery(node)?;
        if let LogicalPlan::TableScan(scan) = node {
            let theirs = remote_table(&scan.source).map(|table| table.backend.clone());
            fits &= theirs.is_some() && (backend.is_none() || backend == theirs);
            backend = theirs;
        }
        Ok(if fits { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    Ok(fits && backend.is_some() && (nested || !Shared::of(plan).is_empty()))
}

fn has_subquery(node: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    node.apply_subqueries(|_| {
        found = true;
        Ok(TreeNodeRecursion::Stop)
    })?;
    Ok(found)
}
