//! Types that every reader of Arrow knows, in place of those that only say it otherwise.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema};

/// The same columns without views, dictionaries and runs.
pub fn plain(schema: &Schema) -> Schema {
    let fields: Vec<FieldRef> = schema.fields().iter().map(plain_field).collect();
    Schema::new_with_metadata(fields, schema.metadata().clone())
}

fn plain_field(field: &FieldRef) -> FieldRef {
    let data_type = plain_type(field.data_type());
    match data_type.equals_datatype(field.data_type()) {
        true => field.clone(),
        false => Arc::new(Field::clone(field).with_data_type(data_type)),
    }
}

fn plain_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::Dictionary(_, values) => plain_type(values),
        DataType::RunEndEncoded(_, values) => plain_type(values.data_type()),
        DataType::List(item) | DataType::ListView(item) => DataType::List(plain_field(item)),
        DataType::LargeList(item) | DataType::LargeListView(item) => {
            DataType::LargeList(plain_field(item))
        }
        DataType::FixedSizeList(item, n) => DataType::FixedSizeList(plain_field(item), *n),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(plain_field).collect()),
        DataType::Map(entries, sorted) => DataType::Map(plain_field(entries), *sorted),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_views_and_dictionaries_become_plain() {
        let view = Arc::new(Field::new("item", DataType::Utf8View, true));
        let dictionary =
            DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::BinaryView));
        let nested = DataType::Struct(vec![Field::new("d", dictionary, false)].into());
        let given = Schema::new(vec![
            Field::new("l", DataType::List(view), true),
            Field::new("s", nested, true),
            Field::new("i", DataType::Int32, false),
        ]);
        let item = Arc::new(Field::new("item", DataType::Utf8, true));
        let inner = DataType::Struct(vec![Field::new("d", DataType::Binary, false)].into());
        let wanted = Schema::new(vec![
            Field::new("l", DataType::List(item), true),
            Field::new("s", inner, true),
            Field::new("i", DataType::Int32, false),
        ]);
        assert_eq!(plain(&given), wanted);
    }
}
