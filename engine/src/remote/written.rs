//! A statement that one backend can run as it was written goes there before the engine's optimizer
//! takes it apart, which would only cost time. Of any other statement those parts do that have
//! queries within queries: a backend has its own ways to run these, by an index for instance, and a
//! join that was made of one it cannot take back.

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
        if let LogicalPlan::Analyze(_) = plan {
            // What it runs is what the statement alone would.
            return plan.map_children(|input| self.rewrite(input, config));
        }
        let Some(simple) = simplified(&plan, config)? else { return Ok(Transformed::no(plan)) };
        if let Some(plan) = push_below_result(&simple)? {
            return Ok(Transformed::yes(plan));
        }
        let mut done = false;
        let pushed = simple.transform_down(|node| {
            let backend = Backend::of(&node)?;
            if !backend.is_one || !(backend.is_nested || !Shared::of(&node).is_empty()) {
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

/// The leaf in place of a statement that one backend can run as it was written. There is nothing for
/// the optimizer to do then, which would take its time to find that.
pub fn whole(plan: &LogicalPlan, config: &dyn OptimizerConfig) -> Result<Option<LogicalPlan>> {
    match simplified(plan, config)? {
        Some(simple) => push_as_written(&simple),
        None => Ok(None),
    }
}

/// A statement over one backend, with its constants computed.
fn simplified(plan: &LogicalPlan, config: &dyn OptimizerConfig) -> Result<Option<LogicalPlan>> {
    if !Options::of(&config.options()).pushdown || !Backend::of(plan)?.is_one {
        return Ok(None);
    }
    let rules: Vec<Arc<dyn OptimizerRule + Send + Sync>> =
        vec![Arc::new(SimplifyExpressions::new())];
    Optimizer::with_rules(rules).optimize(plan.clone(), config, |_, _| {}).map(Some)
}

/// Pushes the statement as a whole, or all of it that stands below the last computations with its
/// groups: of those the optimizer would find nothing to move.
fn push_below_result(plan: &LogicalPlan) -> Result<Option<LogicalPlan>> {
    if let Some(leaf) = push_as_written(plan)? {
        return Ok(Some(leaf));
    }
    let mut pushed = false;
    let plan = plan.clone().transform_down(|node| match node {
        LogicalPlan::Projection(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::SubqueryAlias(_)
            if !has_subquery(&node)? =>
        {
            Ok(Transformed::no(node))
        }
        LogicalPlan::Aggregate(_) => {
            let leaf = push_as_written(&node)?;
            pushed = leaf.is_some();
            Ok(Transformed::new(leaf.unwrap_or(node), pushed, TreeNodeRecursion::Stop))
        }
        node => Ok(Transformed::new(node, false, TreeNodeRecursion::Stop)),
    })?;
    Ok(pushed.then_some(plan.data))
}

/// What a plan reads.
struct Backend {
    /// Tables of one backend and no others.
    is_one: bool,
    /// There are queries within its expressions.
    is_nested: bool,
}

impl Backend {
    fn of(plan: &LogicalPlan) -> Result<Backend> {
        let mut backend: Option<String> = None;
        let mut fits = true;
        let mut is_nested = false;
        plan.apply_with_subqueries(|node| {
            is_nested |= has_subquery(node)?;
            if let LogicalPlan::TableScan(scan) = node {
                let theirs = remote_table(&scan.source).map(|table| table.backend.clone());
                fits &= theirs.is_some() && (backend.is_none() || backend == theirs);
                backend = theirs;
            }
            Ok(if fits { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
        })?;
        Ok(Backend { is_one: fits && backend.is_some(), is_nested })
    }
}

fn has_subquery(node: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    node.apply_subqueries(|_| {
        found = true;
        Ok(TreeNodeRecursion::Stop)
    })?;
    Ok(found)
}
