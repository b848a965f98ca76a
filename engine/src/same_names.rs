//! Filters where two columns have one name. The engine's rules find a filter's columns in the plan
//! below by their names, and take the first of that name: over `t LEFT JOIN u` a comparison of t.i
//! with u.i became one of t.i with itself. No filter passes a node that has two columns of one name.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::config::ConfigOptions;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;

use crate::error::Result;

/// A rule that pushes filters down, for the parts of a plan where names are unique.
#[derive(Debug)]
pub struct WhereNamesDiffer(pub Arc<dyn PhysicalOptimizerRule + Send + Sync>);

impl PhysicalOptimizerRule for WhereNamesDiffer {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if all_differ(&plan)? {
            return self.0.optimize(plan, config);
        }
        let plan = plan.map_children(|child| {
            let changed = self.optimize(child.clone(), config)?;
            let same = Arc::ptr_eq(&changed, &child);
            Ok(if same { Transformed::no(child) } else { Transformed::yes(changed) })
        })?;
        Ok(plan.data)
    }

    fn name(&self) -> &str {
        self.0.name()
    }

    fn schema_check(&self) -> bool {
        self.0.schema_check()
    }
}

fn all_differ(plan: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    let mut differ = true;
    plan.apply(|node| {
        let schema = node.schema();
        let mut names = HashSet::new();
        differ = schema.fields().iter().all(|field| names.insert(field.name().as_str()));
        Ok(if differ { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    Ok(differ)
}
