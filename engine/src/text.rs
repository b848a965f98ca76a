// SPDX-License-Identifier: Apache-2.0
//! Rows as text for display.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::{ArrowError, Result};
use arrow::record_batch::RecordBatchReader;
use arrow::util::display::{ArrayFormatter, DurationFormat, FormatOptions};

/// The same rows with every column a nullable utf8 column of the same name. A NULL stays NULL;
/// inside lists, structs and maps it shows as `NULL`. Reads its source only when asked for a batch.
pub struct TextReader {
    rows: Box<dyn RecordBatchReader + Send>,
    schema: SchemaRef,
}

impl TextReader {
    pub fn new(rows: Box<dyn RecordBatchReader + Send>) -> Self {
        let fields = rows.schema().fields().iter().map(|f| text_field(f)).collect::<Vec<_>>();
        Self { rows, schema: Arc::new(Schema::new(fields)) }
    }

    fn convert(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let options = FormatOptions::new().with_duration_format(DurationFormat::Pretty);
        let columns =
            batch.columns().iter().map(|c| text_column(c, &options)).collect::<Result<_>>()?;
        let size = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &size)
    }
}

impl Iterator for TextReader {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.rows.next()?;
        Some(batch.and_then(|batch| self.convert(&batch)))
    }
}

impl RecordBatchReader for TextReader {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

/// The field of a column that [`text_column`] makes.
pub(crate) fn text_field(field: &Field) -> Field {
    Field::new(field.name(), DataType::Utf8, true)
}

/// The display text of each value, as a utf8 array. A value without a text, such as a date beyond
/// the calendar, is an error.
pub(crate) fn text_column(array: &ArrayRef, options: &FormatOptions) -> Result<ArrayRef> {
    let formatter = ArrayFormatter::try_new(array, &options.clone().with_null("NULL"))?;
    let nulls = array.logical_nulls();
    let mut texts = StringBuilder::with_capacity(array.len(), array.len() * 16);
    for row in 0..array.len() {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            texts.append_null();
            continue;
        }
        formatter.value(row).write(&mut texts)?;
        if texts.values_slice().len() > i32::MAX as usize {
            return Err(ArrowError::OffsetOverflowError(texts.values_slice().len()));
        }
        texts.append_value("");
    }
    Ok(Arc::new(texts.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::*;
    use arrow::buffer::NullBuffer;
    use arrow::datatypes::Int32Type;
    use arrow::record_batch::RecordBatchIterator;

    #[test]
    fn every_column_becomes_nullable_text_and_null_stays_null() {
        let list =
            ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None]);
        let pair: StructArray = vec![(
            Arc::new(Field::new("a", DataType::Int32, true)),
            Arc::new(Int32Array::from(vec![Some(1), None])) as ArrayRef,
        )]
        .into();
        let pair = StructArray::new(
            pair.fields().clone(),
            pair.columns().to_vec(),
            Some(NullBuffer::from(vec![true, true])),
        );
        let dictionary: DictionaryArray<Int32Type> = vec![Some("x"), None].into_iter().collect();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("b", Arc::new(BooleanArray::from(vec![Some(true), None]))),
            ("f", Arc::new(Float64Array::from(vec![Some(0.1), None]))),
            ("t", Arc::new(TimestampSecondArray::from(vec![Some(0), None]))),
            (
                "z",
                Arc::new(TimestampSecondArray::from(vec![Some(0), None]).with_timezone("+02:00")),
            ),
            ("d", Arc::new(DurationSecondArray::from(vec![Some(3661), None]))),
            ("l", Arc::new(list)),
            ("s", Arc::new(pair)),
            ("x", Arc::new(BinaryArray::from(vec![Some(&b"\x01\xff"[..]), None]))),
            ("k", Arc::new(dictionary)),
            ("n", Arc::new(NullArray::new(2))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let reader = RecordBatchIterator::new([Ok(batch.clone())], batch.schema());
        let mut reader = TextReader::new(Box::new(reader));
        assert!(
            reader
                .schema()
                .fields()
                .iter()
                .all(|f| f.data_type() == &DataType::Utf8 && f.is_nullable())
        );
        let text = reader.next().unwrap().unwrap();
        let row = |i: usize| {
            text.columns()
                .iter()
                .map(|c| c.as_string::<i32>())
                .map(move |c| c.is_valid(i).then(|| c.value(i)))
                .collect::<Vec<_>>()
        };
        let expected = [
            Some("true"),
            Some("0.1"),
            Some("1970-01-01T00:00:00"),
            Some("1970-01-01T02:00:00+02:00"),
            Some("0 days 1 hours 1 mins 1 secs"),
            Some("[1, NULL]"),
            Some("{a: 1}"),
            Some("01ff"),
            Some("x"),
            None,
        ];
        assert_eq!(row(0), expected);
        assert_eq!(
            row(1),
            [None, None, None, None, None, None, Some("{a: NULL}"), None, None, None]
        );
        assert!(reader.next().is_none());
    }

    #[test]
    fn a_value_without_a_text_is_an_error() {
        let array: ArrayRef = Arc::new(TimestampSecondArray::from(vec![i64::MAX]));
        assert!(text_column(&array, &FormatOptions::new()).is_err());
    }
}
