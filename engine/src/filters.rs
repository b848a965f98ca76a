//! Filters as they cross to C: column, operator and value where they have that shape, else SQL
//! text.

use std::ffi::{CString, c_char};

use arrow::array::Array;
use arrow::datatypes::SchemaRef;
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Operator};
use datafusion::prelude::Expr;
use datafusion::sql::unparser::expr_to_sql;

use crate::bindings::*;
use crate::catalog::{c_text, text};
use crate::error::Result;

/// Filters in C's shape, with what they point to.
pub struct Filters {
    items: Vec<weir_filter>,
    _texts: Vec<CString>,
    _types: Vec<Box<FFI_ArrowSchema>>,
    _values: Vec<Box<FFI_ArrowArray>>,
}

unsafe impl Send for Filters {}
unsafe impl Sync for Filters {}

impl Filters {
    pub fn new(filters: &[&Expr], schema: &SchemaRef) -> Result<Filters> {
        let mut this = Filters { items: vec![], _texts: vec![], _types: vec![], _values: vec![] };
        for filter in filters {
            let mut item = weir_filter { op: WEIR_OPERATOR_NONE as i32, ..Default::default() };
            if let Some((column, op, value)) = simple(filter, schema) {
                item.op = op as i32;
                item.column = this.keep_text(column)?;
                if let Some(value) = value {
                    let array = value.to_array()?;
                    let data_type = FFI_ArrowSchema::try_from(array.data_type())?;
                    this._types.push(Box::new(data_type));
                    this._values.push(Box::new(FFI_ArrowArray::new(&array.into_data())));
                    item.type_ = (&raw const **this._types.last().unwrap()).cast();
                    item.value = (&raw const **this._values.last().unwrap()).cast();
                }
            }
            let text = expr_to_sql(filter).map(|sql| sql.to_string());
            item.sql = this.keep_text(&text.unwrap_or_else(|_| filter.to_string()))?;
            this.items.push(item);
        }
        Ok(this)
    }

    pub fn texts(&self) -> Vec<String> {
        self.items.iter().filter_map(|item| text(item.sql)).collect()
    }

    fn keep_text(&mut self, text: &str) -> Result<*const c_char> {
        self._texts.push(c_text(text)?);
        Ok(self._texts.last().unwrap().as_ptr())
    }

    pub fn as_c(&self) -> (*const weir_filter, usize) {
        (self.items.as_ptr(), self.items.len())
    }
}

/// `column operator value` of an expression that has this shape, the value in the column's type.
fn simple<'a>(
    filter: &'a Expr,
    schema: &SchemaRef,
) -> Option<(&'a str, u32, Option<&'a ScalarValue>)> {
    match filter {
        Expr::IsNull(inner) => Some((column_name(inner)?, WEIR_OPERATOR_IS_NULL, None)),
        Expr::IsNotNull(inner) => Some((column_name(inner)?, WEIR_OPERATOR_IS_NOT_NULL, None)),
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let (column, op, value) = match (left.as_ref(), right.as_ref()) {
                (column, Expr::Literal(value, _)) => (column_name(column)?, *op, value),
                (Expr::Literal(value, _), column) => (column_name(column)?, op.swap()?, value),
                _ => return None,
            };
            let op = match op {
                Operator::Eq => WEIR_OPERATOR_EQ,
                Operator::NotEq => WEIR_OPERATOR_NE,
                Operator::Lt => WEIR_OPERATOR_LT,
                Operator::LtEq => WEIR_OPERATOR_LE,
                Operator::Gt => WEIR_OPERATOR_GT,
                Operator::GtEq => WEIR_OPERATOR_GE,
                _ => return None,
            };
            let same_type = schema.field_with_name(column).ok()?.data_type() == &value.data_type();
            (same_type && !value.is_null()).then_some((column, op, Some(value)))
        }
        _ => None,
    }
}

fn column_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Column(column) => Some(&column.name),
        _ => None,
    }
}
