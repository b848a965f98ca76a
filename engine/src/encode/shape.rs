// SPDX-License-Identifier: Apache-2.0
//! Columns turned into types that a format holds.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, FieldRef, Fields, Schema, SchemaRef, TimeUnit};
use arrow::error::Result;
use arrow::util::display::FormatOptions;

use crate::text::{text_column, text_field};

/// What becomes of a column before it is encoded.
pub enum Change {
    None,
    Text,
    Cast(DataType),
}

/// The columns of a stream as a format takes them.
pub struct Shape {
    pub schema: SchemaRef,
    changes: Vec<Change>,
}

impl Shape {
    pub fn new(schema: &SchemaRef, change: impl Fn(&DataType) -> Change) -> Self {
        let changes: Vec<_> = schema.fields().iter().map(|f| change(f.data_type())).collect();
        let fields = schema.fields().iter().zip(&changes).map(|(field, change)| match change {
            Change::None => field.clone(),
            Change::Text => Arc::new(text_field(field)),
            Change::Cast(to) => Arc::new(field.as_ref().clone().with_data_type(to.clone())),
        });
        let schema =
            Schema::new_with_metadata(fields.collect::<Fields>(), schema.metadata().clone());
        Self { schema: Arc::new(schema), changes }
    }

    pub fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let columns =
            self.changes.iter().zip(batch.columns()).map(|(change, column)| match change {
                Change::None => Ok(column.clone()),
                Change::Text => text_column(column, &FormatOptions::new()),
                Change::Cast(to) => cast_with_options(
                    column,
                    to,
                    &CastOptions { safe: false, ..Default::default() },
                ),
            });
        let columns = columns.collect::<Result<Vec<ArrayRef>>>()?;
        let size = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &size)
    }
}

/// What a format does not hold as it is.
#[derive(Clone, Copy, PartialEq)]
pub enum Lacks {
    /// Dictionaries.
    Arrow,
    /// Also dates, times, intervals and keys of maps that are no texts: they become texts.
    Json,
    /// Whole seconds become milliseconds, and days of milliseconds become days.
    Parquet,
}

/// A change to the nearest type that a format holds.
pub fn nearest(data_type: &DataType, lacks: Lacks) -> Change {
    let to = nearest_type(data_type, lacks);
    if to == *data_type { Change::None } else { Change::Cast(to) }
}

fn nearest_type(data_type: &DataType, lacks: Lacks) -> DataType {
    let of = |field: &FieldRef| -> FieldRef {
        Arc::new(field.as_ref().clone().with_data_type(nearest_type(field.data_type(), lacks)))
    };
    match data_type {
        DataType::Dictionary(keys, values) if lacks == Lacks::Parquet => {
            DataType::Dictionary(keys.clone(), Box::new(nearest_type(values, lacks)))
        }
        DataType::Dictionary(_, values) => nearest_type(values, lacks),
        DataType::List(field) => DataType::List(of(field)),
        DataType::LargeList(field) => DataType::LargeList(of(field)),
        DataType::FixedSizeList(field, n) => DataType::FixedSizeList(of(field), *n),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(of).collect()),
        DataType::Map(entries, sorted) => {
            let entries = of(entries);
            let DataType::Struct(fields) = entries.data_type() else {
                return data_type.clone();
            };
            let mut fields = fields.to_vec();
            if lacks == Lacks::Json && !fields[0].data_type().is_string() {
                fields[0] = Arc::new(fields[0].as_ref().clone().with_data_type(DataType::Utf8));
            }
            DataType::Map(
                Arc::new(entries.as_ref().clone().with_data_type(DataType::Struct(fields.into()))),
                *sorted,
            )
        }
        temporal if lacks == Lacks::Json && temporal.is_temporal() => DataType::Utf8,
        coarse if lacks == Lacks::Parquet => match coarse {
            DataType::Timestamp(TimeUnit::Second, zone) => {
                DataType::Timestamp(TimeUnit::Millisecond, zone.clone())
            }
            DataType::Time32(TimeUnit::Second) => DataType::Time32(TimeUnit::Millisecond),
            DataType::Date64 => DataType::Date32,
            other => other.clone(),
        },
        other => other.clone(),
    }
}

/// Whether `test` holds for the type or for one inside it.
pub fn any_type(data_type: &DataType, test: &dyn Fn(&DataType) -> bool) -> bool {
    let inside = |field: &FieldRef| any_type(field.data_type(), test);
    test(data_type)
        || match data_type {
            DataType::Dictionary(_, values) => any_type(values, test),
            DataType::List(f)
            | DataType::LargeList(f)
            | DataType::ListView(f)
            | DataType::LargeListView(f) => inside(f),
            DataType::FixedSizeList(f, _) | DataType::Map(f, _) | DataType::RunEndEncoded(_, f) => {
                inside(f)
            }
            DataType::Struct(fields) => fields.iter().any(inside),
            _ => false,
        }
}
