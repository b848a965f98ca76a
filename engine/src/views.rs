//! Views, and what is behind them: whoever holds a few holds all that they were taken from, and Arrow's writers write it.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, GenericByteViewArray, RecordBatch, RecordBatchOptions,
};
use arrow::datatypes::{ByteViewType, DataType, Schema, SchemaRef};

use crate::error::Result;

pub fn has_views(schema: &Schema) -> bool {
    let is_view = |of: &DataType| matches!(of, DataType::Utf8View | DataType::BinaryView);
    schema.fields().iter().any(|field| is_view(field.data_type()))
}

/// Copies what a column's views see, where behind them are more bytes than `from` and more than twice as many.
pub fn compact(batch: &RecordBatch, from: usize) -> Result<RecordBatch> {
    let columns = batch.columns().iter().map(|column| compacted(column, from)).collect();
    with_columns(batch, batch.schema(), columns)
}

/// As many rows of other columns, perhaps of none.
pub fn with_columns(
    batch: &RecordBatch,
    schema: SchemaRef,
    columns: Vec<ArrayRef>,
) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(schema, columns, &options)?)
}

fn compacted(column: &ArrayRef, from: usize) -> ArrayRef {
    let own = match column.data_type() {
        DataType::Utf8View => own(column.as_string_view(), from),
        DataType::BinaryView => own(column.as_binary_view(), from),
        _ => None,
    };
    own.unwrap_or_else(|| column.clone())
}

fn own<T: ByteViewType>(views: &GenericByteViewArray<T>, from: usize) -> Option<ArrayRef> {
    let behind: usize = views.data_buffers().iter().map(|buffer| buffer.capacity()).sum();
    (behind > from && behind > 2 * views.total_buffer_bytes_used())
        .then(|| Arc::new(views.gc()) as _)
}

#[cfg(test)]
mod tests {
    use arrow::array::StringViewArray;

    use super::*;

    #[test]
    fn few_views_leave_what_is_behind_the_others() {
        let texts = (0..1000).map(|i| format!("text that does not fit in a view: {i}"));
        let all: ArrayRef = Arc::new(StringViewArray::from_iter_values(texts));
        let batch = RecordBatch::try_from_iter([("s", all)]).unwrap();
        let behind = |batch: &RecordBatch| -> usize {
            batch.column(0).as_string_view().data_buffers().iter().map(|b| b.len()).sum()
        };
        let few = batch.slice(10, 3);
        assert_eq!(behind(&few), behind(&batch));
        let own = compact(&few, 0).unwrap();
        assert_eq!(own, few);
        assert!(behind(&own) < 200, "{}", behind(&own));
        assert_eq!(behind(&compact(&few, 1 << 20).unwrap()), behind(&batch));
        assert_eq!(behind(&compact(&batch, 0).unwrap()), behind(&batch));
    }
}
