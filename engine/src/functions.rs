//! Functions of extensions: called over the Arrow C data interface.

mod accumulator;
mod aggregate;
mod scalar;

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema};
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::execution::SessionStateDefaults;
use datafusion::logical_expr::{DocSection, Documentation, Volatility, WindowFunctionDefinition};
use datafusion::prelude::Expr;

use crate::bindings::*;
use crate::error::{Result, coded};
use crate::foreign::{Who, name_of};

pub use aggregate::Aggregate;
pub use scalar::Scalar;

/// Every name of a function that some set of functions has.
pub fn built_in() -> &'static HashSet<String> {
    static NAMES: OnceLock<HashSet<String>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let mut names = HashSet::new();
        let mut take = |name: &str, aliases: &[String]| {
            names.insert(name.to_lowercase());
            names.extend(aliases.iter().map(|alias| alias.to_lowercase()));
        };
        let scalars = SessionStateDefaults::default_scalar_functions().into_iter();
        for f in scalars.chain(datafusion_spark::all_default_scalar_functions()) {
            take(f.name(), f.aliases());
        }
        let aggregates = SessionStateDefaults::default_aggregate_functions().into_iter();
        for f in aggregates.chain(datafusion_spark::all_default_aggregate_functions()) {
            take(f.name(), f.aliases());
        }
        let windows = SessionStateDefaults::default_window_functions().into_iter();
        for f in windows.chain(datafusion_spark::all_default_window_functions()) {
            take(f.name(), f.aliases());
        }
        for f in SessionStateDefaults::default_higher_order_functions() {
            take(f.name(), f.aliases());
        }
        for f in SessionStateDefaults::default_table_functions() {
            take(f.name(), &[]);
        }
        names
    })
}

/// Whether an expression calls a function of an extension: nobody but the engine knows what it is.
pub fn is_foreign(expr: &Expr) -> bool {
    let mut found = false;
    // The visitor cannot fail.
    let _ = expr.apply(|expr| {
        found |= match expr {
            Expr::ScalarFunction(call) => call.func.inner().is::<Scalar>(),
            Expr::AggregateFunction(call) => call.func.inner().is::<Aggregate>(),
            Expr::WindowFunction(call) => match &call.fun {
                WindowFunctionDefinition::AggregateUDF(f) => f.inner().is::<Aggregate>(),
                WindowFunctionDefinition::WindowUDF(_) => false,
            },
            _ => false,
        };
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    found
}

// ---- What both sorts of function share ----

fn volatility(value: i32) -> Result<Volatility> {
    match u32::try_from(value) {
        Ok(WEIR_IMMUTABLE) => Ok(Volatility::Immutable),
        Ok(WEIR_STABLE) => Ok(Volatility::Stable),
        Ok(WEIR_VOLATILE) => Ok(Volatility::Volatile),
        _ => Err(coded(WEIR_INVALID_ARGUMENT, "22023", "a volatility is one of the three")),
    }
}

fn documentation(name: &str, summary: *const std::ffi::c_char) -> Documentation {
    let section = DocSection { include: true, label: "Functions of extensions", description: None };
    let summary = match summary.is_null() {
        true => String::new(),
        false => unsafe { name_of(summary) },
    };
    Documentation::builder(section, summary, format!("{name}(...)")).build()
}

/// Arguments have no names: a function knows them by their place.
fn arguments_of<'a>(types: impl IntoIterator<Item = &'a DataType>) -> Schema {
    let fields = types.into_iter().enumerate();
    let fields = fields.map(|(i, t)| Field::new((i + 1).to_string(), t.clone(), true));
    Schema::new(fields.collect::<Fields>())
}

fn c_schema(schema: &Schema) -> Result<FFI_ArrowSchema> {
    Ok(FFI_ArrowSchema::try_from(schema)?)
}

/// Columns as one struct for C.
fn c_columns(fields: &Fields, columns: Vec<ArrayRef>, n_rows: usize) -> Result<FFI_ArrowArray> {
    let columns = StructArray::try_new_with_length(fields.clone(), columns, None, n_rows)?;
    Ok(FFI_ArrowArray::new(&columns.into()))
}

fn function(name: &str) -> Who<'_> {
    Who("function", name)
}

/// Of any name, and NULL at times: the engine takes a promise of none at its word.
fn result_field(name: &str, field: Field) -> FieldRef {
    Arc::new(field.with_name(name).with_nullable(true))
}
