//! A function of values.

use std::hash::{Hash, Hasher};

use arrow::array::{Array, new_empty_array};
use arrow::datatypes::{DataType, FieldRef, Schema};
use arrow::ffi::FFI_ArrowArray;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature,
    Volatility,
};

use super::{arguments_of, c_columns, c_schema, documentation, function, result_field, volatility};
use crate::bindings::*;
use crate::error::{Result, coded};
use crate::foreign::answer::{Answered, import};
use crate::foreign::{Private, call_slot, name_of, wrong};

#[derive(Debug)]
pub struct Scalar {
    name: String,
    signature: Signature,
    documentation: Documentation,
    c: weir_scalar_function,
}

// The slots may be called from any thread.
unsafe impl Send for Scalar {}
unsafe impl Sync for Scalar {}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.c.private_data == other.c.private_data
    }
}

impl Eq for Scalar {}

impl Hash for Scalar {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.name.hash(hasher);
    }
}

impl Scalar {
    pub fn new(c: &weir_scalar_function) -> Result<Scalar> {
        let name = unsafe { name_of(c.name) };
        let documentation = documentation(&name, c.summary);
        let signature = Signature::user_defined(volatility(c.volatility)?);
        Ok(Scalar { name, signature, documentation, c: *c })
    }

    /// The arguments that it wants, and its result.
    fn bind(&self, types: &[DataType]) -> Result<(Schema, FieldRef)> {
        let given = arguments_of(types);
        let c_given = c_schema(&given)?;
        let (mut arguments, mut result) = (Answered::empty(), Answered::empty());
        let private = Private(self.c.private_data);
        let bind = self.c.bind.expect("was checked");
        let bound = call_slot(function(&self.name), |error| unsafe {
            let given = (&raw const c_given).cast();
            bind(private.0, given, arguments.as_mut(), result.as_mut(), error)
        });
        if let Err(error) = bound {
            arguments.forget();
            result.forget();
            return Err(error);
        }
        let wanted = match arguments.is_given() {
            true => arguments.fields(function(&self.name), "what it wants as arguments")?,
            false => given,
        };
        if wanted.fields().len() != types.len() {
            let n_wanted = wanted.fields().len();
            let text = format!("it wants {n_wanted} arguments where {} are given", types.len());
            return Err(wrong(function(&self.name), text));
        }
        let wanted = arguments_of(wanted.fields().iter().map(|field| field.data_type()));
        Ok((wanted, result_field(&self.name, result.field(function(&self.name), "its result")?)))
    }

    /// As [`Scalar::bind`], for types that it wanted before.
    fn bind_again(&self, types: &[DataType]) -> Result<FieldRef> {
        let (wanted, result) = self.bind(types)?;
        match wanted.fields().iter().map(|field| field.data_type()).eq(types) {
            true => Ok(result),
            false => Err(wrong(function(&self.name), "it wants other arguments than it wanted")),
        }
    }
}

impl ScalarUDFImpl for Scalar {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }

    /// What it refuses it refuses again where its result is asked for: an error of this is put into
    /// one of the engine's, without its code.
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let Ok((wanted, _)) = self.bind(types) else { return Ok(types.to_vec()) };
        Ok(wanted.fields().iter().map(|field| field.data_type().clone()).collect())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(self.bind_again(types)?.data_type().clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let types: Vec<_> = args.arg_fields.iter().map(|f| f.data_type().clone()).collect();
        self.bind_again(&types)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let data_type = args.return_field.data_type();
        let each = self.signature.volatility == Volatility::Volatile;
        let constant = !each && args.args.iter().all(|a| matches!(a, ColumnarValue::Scalar(_)));
        let n_rows = if constant { 1 } else { args.number_rows };
        if n_rows == 0 {
            return Ok(ColumnarValue::Array(new_empty_array(data_type)));
        }
        let columns = args.args.iter().map(|a| a.to_array(n_rows)).collect::<Result<Vec<_>>>()?;
        if columns.iter().any(|column| column.len() != n_rows) {
            let text = format!("function {}: its arguments differ in length", self.name);
            return Err(coded(WEIR_INTERNAL, "XX000", text));
        }
        let arguments = arguments_of(columns.iter().map(|column| column.data_type()));
        let c_arguments = c_schema(&arguments)?;
        let c_columns = c_columns(arguments.fields(), columns, n_rows)?;
        let mut answer = FFI_ArrowArray::empty();
        let call = self.c.call.expect("was checked");
        let called = call_slot(function(&self.name), |error| unsafe {
            let columns = (&raw const c_columns).cast();
            let answer = (&raw mut answer).cast();
            call(self.c.private_data, (&raw const c_arguments).cast(), columns, answer, error)
        });
        if let Err(error) = called {
            std::mem::forget(answer);
            return Err(error);
        }
        let answer = import(function(&self.name), answer, data_type, n_rows)?;
        Ok(match constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&answer, 0)?),
            false => ColumnarValue::Array(answer),
        })
    }
}
