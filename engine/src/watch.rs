//! Joins that can be cancelled. The engine's joins do not yield while they pair rows, so that a
//! task that was aborted goes on: here their filters look for a cancel, and their output gives the
//! scheduler a chance after each batch.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::RecordBatch;
use arrow::datatypes::{FieldRef, Schema};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{DataFusionError, not_impl_err};
use datafusion::config::{ConfigEntry, ConfigExtension, ConfigOptions, ExtensionOptions};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{
    CrossJoinExec, HashJoinExec, NestedLoopJoinExec, NestedLoopJoinExecBuilder, SortMergeJoinExec,
};
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};

use crate::error::{Result, cancelled};

/// The flag of one run, handed to the optimizer's rule in the run's own copy of the settings.
#[derive(Debug, Clone, Default)]
pub struct CancelFlag(pub Arc<AtomicBool>);

impl ConfigExtension for CancelFlag {
    const PREFIX: &'static str = "weir_run";
}

impl ExtensionOptions for CancelFlag {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, _value: &str) -> Result<()> {
        not_impl_err!("{key} is not a setting")
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        vec![]
    }
}

#[derive(Debug)]
pub struct WatchJoins;

impl PhysicalOptimizerRule for WatchJoins {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(flag) = config.extensions.get::<CancelFlag>() else { return Ok(plan) };
        plan.transform_up(|node| watch(node, flag)).data()
    }

    fn name(&self) -> &str {
        "weir_watch_joins"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn watch(
    node: Arc<dyn ExecutionPlan>,
    flag: &CancelFlag,
) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    let join: Arc<dyn ExecutionPlan> = if let Some(join) = node.downcast_ref::<HashJoinExec>() {
        match join.filter() {
            Some(filter) => join.builder().with_filter(Some(watched(filter, flag))).build_exec()?,
            None => node,
        }
    } else if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>() {
        match join.filter() {
            Some(filter) => {
                let filter = Some(watched(filter, flag));
                Arc::new(NestedLoopJoinExecBuilder::from(join).with_filter(filter).build()?)
            }
            None => node,
        }
    } else if node.is::<CrossJoinExec>() || node.is::<SortMergeJoinExec>() {
        node
    } else {
        return Ok(Transformed::no(node));
    };
    Ok(Transformed::yes(Arc::new(CooperativeExec::new(join))))
}

fn watched(filter: &JoinFilter, flag: &CancelFlag) -> JoinFilter {
    let inner = filter.expression().clone();
    JoinFilter::new(
        Arc::new(Watched { inner, flag: flag.clone() }),
        filter.column_indices().to_vec(),
        filter.schema().clone(),
    )
}

/// An expression that fails once its run was cancelled.
#[derive(Debug)]
struct Watched {
    inner: Arc<dyn PhysicalExpr>,
    flag: CancelFlag,
}

impl PartialEq for Watched {
    fn eq(&self, other: &Self) -> bool {
        self.inner.eq(&other.inner)
    }
}

impl Eq for Watched {}

impl Hash for Watched {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl PhysicalExpr for Watched {
    fn return_field(&self, input_schema: &Schema) -> Result<FieldRef> {
        self.inner.return_field(input_schema)
    }

    fn nullable(&self, input_schema: &Schema) -> Result<bool> {
        self.inner.nullable(input_schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        match self.flag.0.load(Ordering::Relaxed) {
            true => Err(cancelled()),
            false => self.inner.evaluate(batch),
        }
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.inner]
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>, DataFusionError> {
        let inner = children.swap_remove(0);
        Ok(Arc::new(Watched { inner, flag: self.flag.clone() }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_sql(f)
    }
}
