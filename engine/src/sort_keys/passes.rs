//! What passes through a plan after its sorts.

use std::fmt;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, GenericByteViewArray, RecordBatch, RecordBatchOptions,
};
use arrow::datatypes::{ByteViewType, DataType, SchemaRef};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::LexOrdering;

use crate::error::Result;
use crate::passing::{Pass, PassBatch};

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
            with_columns(&batch, schema.clone(), columns)
        })
    }
}

/// Copies what rows of views see, where behind them is much that they do not see: each batch that a sort gives has values of
/// all its runs, and whoever holds it holds all that these were taken from.
#[derive(Debug, Clone)]
pub struct Compact;

impl Compact {
    pub fn is_of_use(schema: &SchemaRef) -> bool {
        let is_view = |of: &DataType| matches!(of, DataType::Utf8View | DataType::BinaryView);
        schema.fields().iter().any(|field| is_view(field.data_type()))
    }
}

impl fmt::Display for Compact {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl Pass for Compact {
    const NAME: &'static str = "CompactViews";

    fn start(&self, _: usize, _: &TaskContext) -> PassBatch {
        Box::new(|batch| {
            let columns = batch.columns().iter().map(compact).collect();
            with_columns(&batch, batch.schema(), columns)
        })
    }
}

fn compact(column: &ArrayRef) -> ArrayRef {
    let own = match column.data_type() {
        DataType::Utf8View => own(column.as_string_view()),
        DataType::BinaryView => own(column.as_binary_view()),
        _ => None,
    };
    own.unwrap_or_else(|| column.clone())
}

/// None: it sees the half of what is behind it, or more.
fn own<T: ByteViewType>(views: &GenericByteViewArray<T>) -> Option<ArrayRef> {
    let behind: usize = views.data_buffers().iter().map(|buffer| buffer.capacity()).sum();
    (behind > 2 * views.total_buffer_bytes_used()).then(|| Arc::new(views.gc()) as _)
}

fn with_columns(
    batch: &RecordBatch,
    schema: SchemaRef,
    columns: Vec<ArrayRef>,
) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(schema, columns, &options)?)
}
