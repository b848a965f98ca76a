//! A function of many rows: what it is, and which uses of it there are.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};

use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature,
};

use super::accumulator::{Groups, Single, States};
use super::{arguments_of, c_schema, documentation, function, result_field, volatility};
use crate::bindings::*;
use crate::error::{Result, coded};
use crate::foreign::answer::Answered;
use crate::foreign::{call_slot, name_of, wrong};

/// The function for arguments of certain types.
#[derive(Debug)]
pub struct Bound {
    pub name: String,
    pub c: weir_aggregate_function,
    pub arguments: Schema,
    pub state: Schema,
    pub result: FieldRef,
}

// The slots may be called from any thread.
unsafe impl Send for Bound {}
unsafe impl Sync for Bound {}

#[derive(Debug)]
pub struct Aggregate {
    name: String,
    signature: Signature,
    documentation: Documentation,
    c: weir_aggregate_function,
    /// By the types that were asked for: what it gives without rows is asked with less at hand.
    bound: Mutex<Vec<Arc<Bound>>>,
}

unsafe impl Send for Aggregate {}
unsafe impl Sync for Aggregate {}

impl PartialEq for Aggregate {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.c.private_data == other.c.private_data
    }
}

impl Eq for Aggregate {}

impl Hash for Aggregate {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.name.hash(hasher);
    }
}

impl Aggregate {
    pub fn new(c: &weir_aggregate_function) -> Result<Aggregate> {
        let name = unsafe { name_of(c.name) };
        let documentation = documentation(&name, c.summary);
        let signature = Signature::user_defined(volatility(c.volatility)?);
        Ok(Aggregate { name, signature, documentation, c: *c, bound: Mutex::default() })
    }

    fn bind(&self, types: &[DataType]) -> Result<Bound> {
        if types.is_empty() {
            let text = format!("function {}: it takes one argument at least", self.name);
            return Err(coded(WEIR_INVALID_ARGUMENT, "42883", text));
        }
        let given = arguments_of(types);
        let c_given = c_schema(&given)?;
        let mut arguments = Answered::empty();
        let (mut state, mut result) = (Answered::empty(), Answered::empty());
        let bind = self.c.bind.expect("was checked");
        let bound = call_slot(function(&self.name), |error| unsafe {
            let given = (&raw const c_given).cast();
            let (state, result) = (state.as_mut(), result.as_mut());
            bind(self.c.private_data, given, arguments.as_mut(), state, result, error)
        });
        if let Err(error) = bound {
            arguments.forget();
            state.forget();
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
        let state = state.fields(function(&self.name), "its state")?;
        if state.fields().is_empty() {
            return Err(wrong(function(&self.name), "its state has no columns"));
        }
        let nullable = |field: &FieldRef| field.as_ref().clone().with_nullable(true);
        Ok(Bound {
            name: self.name.clone(),
            c: self.c,
            arguments: arguments_of(wanted.fields().iter().map(|field| field.data_type())),
            state: Schema::new(state.fields().iter().map(nullable).collect::<Vec<Field>>()),
            result: result_field(&self.name, result.field(function(&self.name), "its result")?),
        })
    }

    /// For types that it wanted before.
    fn bind_again(&self, fields: &[FieldRef]) -> Result<Arc<Bound>> {
        let types: Vec<_> = fields.iter().map(|field| field.data_type().clone()).collect();
        let bound = Arc::new(self.bind(&types)?);
        if !bound.arguments.fields().iter().map(|field| field.data_type()).eq(&types) {
            return Err(wrong(function(&self.name), "it wants other arguments than it wanted"));
        }
        let mut all = self.bound.lock().unwrap();
        if !all.iter().any(|other| other.arguments == bound.arguments) {
            all.push(bound.clone());
        }
        Ok(bound)
    }

    /// Refuses what it cannot do: an accumulator sees no order, and each value as often as it is.
    fn check_use(&self, is_distinct: bool, is_ordered: bool) -> Result<()> {
        let what = match (is_distinct, is_ordered) {
            (true, _) => "DISTINCT beside other aggregates or in a window",
            (_, true) => "ORDER BY among its arguments",
            _ => return Ok(()),
        };
        let text =
            format!("function {}: it comes from an extension and takes no {what}", self.name);
        Err(coded(WEIR_NOT_IMPLEMENTED, "0A000", text))
    }

    fn bind_use(&self, args: &AccumulatorArgs) -> Result<Arc<Bound>> {
        self.check_use(args.is_distinct, !args.order_bys.is_empty())?;
        self.bind_again(args.expr_fields)
    }
}

impl AggregateUDFImpl for Aggregate {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        // As a scalar function's.
        let Ok(bound) = self.bind(types) else { return Ok(types.to_vec()) };
        Ok(bound.arguments.fields().iter().map(|field| field.data_type().clone()).collect())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(self.bind(types)?.result.data_type().clone())
    }

    fn return_field(&self, arguments: &[FieldRef]) -> Result<FieldRef> {
        Ok(self.bind_again(arguments)?.result.clone())
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        self.check_use(args.is_distinct, !args.ordering_fields.is_empty())?;
        let bound = self.bind_again(args.input_fields)?;
        let named = |field: &FieldRef| {
            let name = format_state_name(args.name, field.name());
            Arc::new(field.as_ref().clone().with_name(name))
        };
        Ok(bound.state.fields().iter().map(named).collect())
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Single::new(States::open(&self.bind_use(&args)?)?)))
    }

    fn create_sliding_accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let text = format!(
            "function {}: it comes from an extension and takes in windows only frames that begin \
             with the partition's first row",
            self.name
        );
        Err(coded(WEIR_NOT_IMPLEMENTED, "0A000", text))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct && args.order_bys.is_empty()
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups(States::open(&self.bind_use(&args)?)?)))
    }

    /// The result of no rows, which a sub-query for a row of the outer one may have none of.
    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        let all = self.bound.lock().unwrap().clone();
        let mut value: Option<ScalarValue> = None;
        for bound in all.iter().filter(|bound| bound.result.data_type() == data_type) {
            let result = States::open(bound)?.results(1)?;
            let result = ScalarValue::try_from_array(&result, 0)?;
            if value.as_ref().is_some_and(|other| *other != result) {
                let text = format!(
                    "function {}: its result for no rows is not the same for all arguments",
                    self.name
                );
                return Err(coded(WEIR_NOT_IMPLEMENTED, "0A000", text));
            }
            value = Some(result);
        }
        value.map_or_else(|| ScalarValue::try_from(data_type), Ok)
    }
}
