//! What passes through a plan after its sorts.

use std::fmt;

use arrow::datatypes::SchemaRef;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::human_readable_size;
use datafusion::physical_expr::LexOrdering;

use crate::passing::{Pass, PassBatch};
use crate::views;

/// Takes the key away, which is the last column.
#[derive(Debug, Clone)]
pub struct WithoutKey {
    pub schema: SchemaRef,
    pub order: LexOrdering,
    /// By the key.
    pub by: LexOrdering,
}

impl fmt::Display for WithoutKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "order=[{}]", self.order)
    }
}

impl Pass for WithoutKey {
    const NAME: &'static str = "WithoutSortKey";

    fn start(&self, _: usize, _: &TaskContext) -> PassBatch {
        let schema = self.schema.clone();
        Box::new(move |batch| {
            let columns = batch.columns()[..schema.fields().len()].to_vec();
            views::with_columns(&batch, schema.clone(), columns)
        })
    }
}

/// Columns that hold no more than their rows, where they hold many bytes: each batch that a sort gives has values of all its runs.
#[derive(Debug, Clone)]
pub struct Compact {
    pub from: usize,
}

impl fmt::Display for Compact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from={}", human_readable_size(self.from))
    }
}

impl Pass for Compact {
    const NAME: &'static str = "CompactViews";

    fn start(&self, _: usize, _: &TaskContext) -> PassBatch {
        let from = self.from;
        Box::new(move |batch| views::compact(&batch, from))
    }
}
