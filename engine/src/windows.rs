//! Windows over whole partitions of rows hold all of their input, of which the engine does not reckon with a byte. Here it is
//! counted, so that a statement fails where it would have taken memory beyond its limit.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::windows::WindowAggExec;

use crate::error::Result;
use crate::memory::row_bytes;
use crate::passing::{Pass, PassBatch, Passing};

#[derive(Debug)]
pub struct CountedWindows;

impl PhysicalOptimizerRule for CountedWindows {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let count = |node: Arc<dyn ExecutionPlan>| {
            let Some(window) = node.downcast_ref::<WindowAggExec>() else {
                return Ok(Transformed::no(node));
            };
            let input = Arc::new(Passing::new(window.input().clone(), Held));
            let same = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Keep);
            Ok(Transformed::yes(node.replace_children(vec![input], same)?))
        };
        plan.transform_up(count).data()
    }

    fn name(&self) -> &str {
        "weir_counted_windows"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Counts the rows that pass as held until their stream is closed.
#[derive(Debug, Clone)]
struct Held;

impl fmt::Display for Held {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl Pass for Held {
    const NAME: &'static str = "HeldInMemory";

    fn start(&self, partition: usize, context: &TaskContext) -> PassBatch {
        let held = MemoryConsumer::new(format!("WindowAggExec[{partition}]"));
        let held = held.register(context.memory_pool());
        Box::new(move |batch| {
            // As they come, and once more in one batch of all.
            held.try_grow(2 * row_bytes(&batch)).map_err(|error| {
                error.context("a window over whole partitions holds their rows, and cannot spill")
            })?;
            Ok(batch)
        })
    }
}
