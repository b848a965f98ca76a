//! What a row is sorted by, as one value.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use arrow::row::{RowConverter, SortField};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::PhysicalExpr;

use crate::error::Result;

/// The keys of each row as bytes that compare as the row does.
#[derive(Debug)]
pub struct KeyBytes {
    order: LexOrdering,
    columns: Vec<Arc<dyn PhysicalExpr>>,
    converter: Arc<RowConverter>,
}

impl KeyBytes {
    /// None: of one of these types there are no such bytes.
    pub fn new(order: &LexOrdering, types: Vec<DataType>) -> Result<Option<KeyBytes>> {
        let fields = order.iter().zip(types);
        let fields: Vec<_> =
            fields.map(|(by, of)| SortField::new_with_options(of, by.options)).collect();
        if !RowConverter::supports_fields(&fields) {
            return Ok(None);
        }
        let columns = order.iter().map(|by| by.expr.clone()).collect();
        let converter = Arc::new(RowConverter::new(fields)?);
        Ok(Some(KeyBytes { order: order.clone(), columns, converter }))
    }
}

impl PartialEq for KeyBytes {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for KeyBytes {}

impl Hash for KeyBytes {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.order.iter().for_each(|by| by.hash(state));
    }
}

impl fmt::Display for KeyBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.order)
    }
}

impl PhysicalExpr for KeyBytes {
    fn data_type(&self, _: &Schema) -> Result<DataType> {
        Ok(DataType::Binary)
    }

    fn nullable(&self, _: &Schema) -> Result<bool> {
        Ok(false)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let array =
            |expr: &Arc<dyn PhysicalExpr>| expr.evaluate(batch)?.into_array(batch.num_rows());
        let columns = self.columns.iter().map(array).collect::<Result<Vec<ArrayRef>>>()?;
        let rows = self.converter.convert_columns(&columns)?;
        Ok(ColumnarValue::Array(Arc::new(rows.try_into_binary()?)))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.columns.iter().collect()
    }

    fn with_new_children(
        self: Arc<Self>,
        columns: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let by = columns.iter().zip(self.order.iter());
        let by = by.map(|(expr, by)| PhysicalSortExpr { expr: expr.clone(), options: by.options });
        let order = LexOrdering::new(by).unwrap_or_else(|| self.order.clone());
        Ok(Arc::new(KeyBytes { order, columns, converter: self.converter.clone() }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
