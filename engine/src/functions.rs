//! Functions and encodings of extensions: known to the engine, learnt by its sessions, called over the
//! Arrow C data interface.

mod accumulator;
mod aggregate;
pub mod answer;
mod scalar;

use std::collections::HashSet;
use std::ffi::{CStr, c_int};
use std::sync::{Arc, Mutex, OnceLock};

use arrow::array::{ArrayRef, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema};
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use datafusion::common::DataFusionError;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::execution::context::SessionState;
use datafusion::execution::{FunctionRegistry, SessionStateDefaults};
use datafusion::logical_expr::{
    AggregateUDF, DocSection, Documentation, ScalarUDF, Volatility, WindowFunctionDefinition,
};
use datafusion::prelude::Expr;

use parking_lot::RwLock;

use crate::bindings::*;
use crate::encodings::Encoding;
use crate::error::{Result, coded, from_c};

use aggregate::Aggregate;
use scalar::Scalar;

#[derive(Clone)]
enum Function {
    Scalar(Arc<ScalarUDF>),
    Aggregate(Arc<AggregateUDF>),
    Encoding(Encoding),
}

/// Those that were added, in the order in which they came. None is ever taken out.
#[derive(Default)]
pub struct Functions(Mutex<Vec<Function>>);

impl Functions {
    /// All or none.
    pub fn add(&self, additions: &[wr_addition]) -> Result<()> {
        let mut all = self.0.lock().unwrap();
        let mut added = vec![];
        for addition in additions {
            // C knows which extensions of names are free.
            if let Some(encoding) = unsafe { addition.encoding.as_ref() } {
                added.push(Function::Encoding(Encoding::new(encoding)));
                continue;
            }
            let function = match unsafe { (addition.scalar.as_ref(), addition.aggregate.as_ref()) }
            {
                (Some(scalar), _) => Function::Scalar(Arc::new(Scalar::new(scalar)?.into())),
                (None, Some(one)) => Function::Aggregate(Arc::new(Aggregate::new(one)?.into())),
                (None, None) => {
                    return Err(coded(WEIR_INVALID_ARGUMENT, "22004", "a function is required"));
                }
            };
            let name = function.name();
            let is_taken = name.is_some_and(|name| built_in().contains(name))
                || all.iter().chain(&added).any(|other| other.name() == name);
            if is_taken {
                let name = name.unwrap_or_default();
                let text = format!("there is a function {name:?} already");
                return Err(coded(WEIR_ALREADY_EXISTS, "42710", text));
            }
            added.push(function);
        }
        all.append(&mut added);
        Ok(())
    }

    /// Gives a session those that it has not; `n_known` is how many it has.
    pub fn teach(&self, n_known: &mut usize, state: impl FnOnce() -> Arc<RwLock<SessionState>>) {
        let new = match self.0.lock().unwrap().get(*n_known..) {
            Some(new) if !new.is_empty() => new.to_vec(),
            _ => return,
        };
        let state = state();
        let mut state = state.write();
        for function in &new {
            // Fails for states that take no functions, which the engine's do.
            let _ = match function {
                Function::Scalar(function) => state.register_udf(function.clone()).map(drop),
                Function::Aggregate(function) => state.register_udaf(function.clone()).map(drop),
                Function::Encoding(encoding) => {
                    let mut factories = encoding.factories().into_iter();
                    factories.try_for_each(|factory| state.register_file_format(factory, false))
                }
            };
        }
        *n_known += new.len();
    }
}

impl Function {
    /// By which SQL calls it.
    fn name(&self) -> Option<&str> {
        match self {
            Function::Scalar(function) => Some(function.name()),
            Function::Aggregate(function) => Some(function.name()),
            Function::Encoding(_) => None,
        }
    }
}

/// Every name of a function that some set of functions has.
fn built_in() -> &'static HashSet<String> {
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

/// A pointer of C's that any thread may use.
#[derive(Clone, Copy)]
pub struct Private(pub *mut std::ffi::c_void);

unsafe impl Send for Private {}
unsafe impl Sync for Private {}

pub unsafe fn name_of(name: *const std::ffi::c_char) -> String {
    unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()
}

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

/// Whose slots are called: "function", and its name.
#[derive(Clone, Copy)]
pub struct Who<'a>(pub &'static str, pub &'a str);

impl std::fmt::Display for Who<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.0, self.1)
    }
}

fn function(name: &str) -> Who<'_> {
    Who("function", name)
}

/// Calls a slot; its error names whose it is.
pub fn call_slot(who: Who, slot: impl FnOnce(*mut weir_error) -> c_int) -> Result<()> {
    let mut error = weir_error::default();
    let code = slot(&mut error);
    if code == 0 {
        return Ok(());
    }
    // What C wrote need not end.
    *error.message.last_mut().unwrap() = 0;
    *error.sqlstate.last_mut().unwrap() = 0;
    let known = (WEIR_UNKNOWN as c_int..=WEIR_UNAUTHORIZED as c_int).contains(&code);
    let code = if known { code } else { WEIR_UNKNOWN as c_int };
    let text = unsafe { CStr::from_ptr(error.message.as_ptr()) }.to_string_lossy().into_owned();
    let text = if text.is_empty() { "it gave no reason" } else { &text };
    let text = format!("{who}: {text}");
    let room = error.message.len() - 1;
    let mut length = text.len().min(room);
    while !text.is_char_boundary(length) {
        length -= 1;
    }
    error.message.fill(0);
    for (to, from) in error.message.iter_mut().zip(&text.as_bytes()[..length]) {
        *to = *from as std::ffi::c_char;
    }
    if error.sqlstate[0] == 0 {
        let state = match code as u32 {
            WEIR_INVALID_ARGUMENT => b"22023",
            WEIR_CANCELLED => b"57014",
            WEIR_NOT_IMPLEMENTED => b"0A000",
            WEIR_INVALID_DATA => b"22000",
            _ => b"39000",
        };
        for (to, from) in error.sqlstate.iter_mut().zip(state) {
            *to = *from as std::ffi::c_char;
        }
    }
    // A place in the statement's text is not the function's to know.
    error.position = 0;
    Err(from_c(error, code))
}

/// What was answered is not what it was said to be.
pub fn wrong(who: Who, what: impl std::fmt::Display) -> DataFusionError {
    coded(WEIR_INVALID_DATA, "22000", format!("{who}: {what}"))
}

/// Of any name, and NULL at times: the engine takes a promise of none at its word.
fn result_field(name: &str, field: Field) -> FieldRef {
    Arc::new(field.with_name(name).with_nullable(true))
}
