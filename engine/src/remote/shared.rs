//! What a statement names twice: a query after WITH, or a view. It is written once, before the
//! statement, so that the backend may compute it once.

use std::cell::RefCell;
use std::collections::HashMap;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::LogicalPlan;

use crate::error::Result;

use super::push::push_shared;
use super::relation::{Aliases, Relation};

#[derive(Default)]
pub struct Shared {
    entries: RefCell<Vec<Entry>>,
}

struct Entry {
    plan: LogicalPlan,
    /// Known once it was met: None inside where the backend cannot give it.
    relation: Option<Option<Relation>>,
}

impl Shared {
    pub fn of(plan: &LogicalPlan) -> Shared {
        let mut counts: HashMap<LogicalPlan, usize> = HashMap::new();
        let _ = plan.apply_with_subqueries(|node| {
            if let LogicalPlan::SubqueryAlias(alias) = node
                && computes(&alias.input)
            {
                *counts.entry(alias.input.as_ref().clone()).or_default() += 1;
            }
            Ok(TreeNodeRecursion::Continue)
        });
        let shared = counts.into_iter().filter(|(_, count)| *count > 1);
        let entries = shared.map(|(plan, _)| Entry { plan, relation: None }).collect();
        Shared { entries: RefCell::new(entries) }
    }

    pub fn is_empty(&self) -> bool {
        self.entries.borrow().is_empty()
    }

    /// What stands for a plan that is named more than once.
    pub fn relation(&self, plan: &LogicalPlan, aliases: &Aliases) -> Result<Option<Relation>> {
        let found = self.entries.borrow().iter().position(|entry| entry.plan == *plan);
        let Some(at) = found else { return Ok(None) };
        let known = self.entries.borrow()[at].relation.clone();
        let relation = match known {
            Some(relation) => relation,
            None => {
                let relation = push_shared(plan, aliases)?;
                self.entries.borrow_mut()[at].relation = Some(relation.clone());
                relation
            }
        };
        Ok(relation.map(|relation| relation.named(&name(at), aliases)))
    }

    /// The queries that were met.
    pub fn queries(&self) -> Vec<(String, String)> {
        let entries = self.entries.borrow();
        let met = entries.iter().enumerate().filter_map(|(at, entry)| {
            let relation = entry.relation.as_ref()?.as_ref()?;
            Some((name(at), relation.statement()))
        });
        met.collect()
    }
}

fn name(at: usize) -> String {
    format!("w{}", at + 1)
}

/// Whether it is worth a name: not merely some of a table's columns.
fn computes(plan: &LogicalPlan) -> bool {
    plan.exists(|node| {
        Ok(matches!(
            node,
            LogicalPlan::Aggregate(_)
                | LogicalPlan::Distinct(_)
                | LogicalPlan::Join(_)
                | LogicalPlan::Window(_)
        ))
    })
    .unwrap_or(false)
}
