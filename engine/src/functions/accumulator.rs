//! States of groups that C keeps, as the engine asks for them.

use std::ffi::c_void;
use std::fmt;
use std::ptr;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StructArray, new_empty_array};
use arrow::buffer::NullBuffer;
use arrow::compute::{filter, prep_null_mask_filter};
use arrow::datatypes::{DataType, FieldRef, Fields};
use arrow::ffi::FFI_ArrowArray;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

use super::aggregate::Bound;
use super::{c_columns, c_schema, function};
use crate::bindings::*;
use crate::error::Result;
use crate::foreign::answer::import;
use crate::foreign::{call_slot, wrong};

type Feed = unsafe extern "C" fn(
    *mut c_void,
    *const ArrowArray,
    *const i64,
    i64,
    *mut weir_error,
) -> std::ffi::c_int;

/// An accumulator of C's.
pub struct States {
    bound: Arc<Bound>,
    accumulator: *mut c_void,
    /// How many groups C knows of, which are all.
    n_told: usize,
    /// After a failure nothing is asked of it any more.
    failed: bool,
}

// Used by one thread at a time; what does not change it is not passed on to C but for `n_bytes`, which
// the engine asks where it has the accumulator for itself.
unsafe impl Send for States {}
unsafe impl Sync for States {}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.bound.name)
    }
}

impl Drop for States {
    fn drop(&mut self) {
        if let Some(close) = self.bound.c.close {
            unsafe { close(self.accumulator) };
        }
    }
}

impl States {
    pub fn open(bound: &Arc<Bound>) -> Result<States> {
        let arguments = c_schema(&bound.arguments)?;
        let mut accumulator = ptr::null_mut();
        let open = bound.c.open.expect("was checked");
        call_slot(function(&bound.name), |error| unsafe {
            let arguments = (&raw const arguments).cast();
            open(bound.c.private_data, arguments, &mut accumulator, error)
        })?;
        let bound = bound.clone();
        Ok(States { bound, accumulator, n_told: 0, failed: false })
    }

    fn feed(
        &mut self,
        slot: Feed,
        fields: &Fields,
        columns: &[ArrayRef],
        groups: &[usize],
        n_groups: usize,
    ) -> Result<()> {
        self.check()?;
        let columns = c_columns(fields, columns.to_vec(), groups.len())?;
        // An index is no more than an i64 holds, and as large.
        const { assert!(size_of::<usize>() == size_of::<i64>()) };
        let called = call_slot(function(&self.bound.name), |error| unsafe {
            let groups = groups.as_ptr().cast();
            let columns = (&raw const columns).cast();
            slot(self.accumulator, columns, groups, n_groups as i64, error)
        });
        self.failed = called.is_err();
        called?;
        self.n_told = n_groups;
        Ok(())
    }

    fn check(&self) -> Result<()> {
        match self.failed {
            true => Err(wrong(function(&self.bound.name), "it failed before")),
            false => Ok(()),
        }
    }

    fn update(&mut self, columns: &[ArrayRef], groups: &[usize], n_groups: usize) -> Result<()> {
        let bound = self.bound.clone();
        let slot = bound.c.update.expect("was checked");
        self.feed(slot, bound.arguments.fields(), columns, groups, n_groups)
    }

    fn merge(&mut self, columns: &[ArrayRef], groups: &[usize], n_groups: usize) -> Result<()> {
        let bound = self.bound.clone();
        let slot = bound.c.merge.expect("was checked");
        self.feed(slot, bound.state.fields(), columns, groups, n_groups)
    }

    /// Without the rows that a FILTER leaves out.
    fn update_filtered(
        &mut self,
        columns: &[ArrayRef],
        groups: &[usize],
        opt_filter: Option<&BooleanArray>,
        n_groups: usize,
    ) -> Result<()> {
        let Some(keep) = opt_filter else { return self.update(columns, groups, n_groups) };
        let keep = match keep.null_count() {
            0 => keep.clone(),
            _ => prep_null_mask_filter(keep),
        };
        let kept: Result<Vec<_>, _> = columns.iter().map(|column| filter(column, &keep)).collect();
        let groups: Vec<usize> = keep.values().set_indices().map(|row| groups[row]).collect();
        self.update(&kept?, &groups, n_groups)
    }

    /// Groups that no row has named are there too.
    fn tell(&mut self, n_groups: usize) -> Result<()> {
        if self.n_told >= n_groups {
            return Ok(());
        }
        let fields = self.bound.arguments.fields().clone();
        let none = |field: &FieldRef| new_empty_array(field.data_type());
        let columns: Vec<ArrayRef> = fields.iter().map(none).collect();
        self.update(&columns, &[], n_groups)
    }

    fn take(&mut self, n_groups: usize, data_type: &DataType, is_state: bool) -> Result<ArrayRef> {
        self.tell(n_groups)?;
        if n_groups == 0 {
            return Ok(new_empty_array(data_type));
        }
        self.check()?;
        let mut answer = FFI_ArrowArray::empty();
        let take = self.bound.c.take.expect("was checked");
        let called = call_slot(function(&self.bound.name), |error| unsafe {
            let answer = (&raw mut answer).cast();
            take(self.accumulator, n_groups as i64, is_state.into(), answer, error)
        });
        self.failed = called.is_err();
        if let Err(error) = called {
            std::mem::forget(answer);
            return Err(error);
        }
        self.n_told -= n_groups;
        import(function(&self.bound.name), answer, data_type, n_groups)
    }

    pub fn results(&mut self, n_groups: usize) -> Result<ArrayRef> {
        let data_type = self.bound.result.data_type().clone();
        self.take(n_groups, &data_type, false)
    }

    fn states(&mut self, n_groups: usize) -> Result<Vec<ArrayRef>> {
        let data_type = DataType::Struct(self.bound.state.fields().clone());
        let states: StructArray = self.take(n_groups, &data_type, true)?.as_struct().clone();
        if states.nulls().map_or(0, NullBuffer::null_count) > 0 {
            return Err(wrong(function(&self.bound.name), "a state is NULL as a whole"));
        }
        Ok(states.into_parts().1)
    }

    fn n_bytes(&self) -> usize {
        let own = match self.bound.c.n_bytes {
            Some(n_bytes) if !self.failed => unsafe { n_bytes(self.accumulator) },
            _ => 0,
        };
        size_of::<States>() + usize::try_from(own).unwrap_or(0)
    }
}

/// All groups of a GROUP BY.
pub struct Groups(pub States);

impl Groups {
    fn emitted(&self, emit_to: EmitTo) -> usize {
        match emit_to {
            EmitTo::All => self.0.n_told,
            EmitTo::First(n) => n,
        }
    }
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.0.update_filtered(values, group_indices, opt_filter, total_num_groups)
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.0.merge(values, group_indices, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.0.results(self.emitted(emit_to))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.0.states(self.emitted(emit_to))
    }

    /// Each row as a group of its own.
    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let n_rows = values.first().map_or(0, |column| column.len());
        let groups: Vec<usize> = (0..n_rows).collect();
        let mut states = States::open(&self.0.bound)?;
        states.update_filtered(values, &groups, opt_filter, n_rows)?;
        states.states(n_rows)
    }

    fn size(&self) -> usize {
        self.0.n_bytes()
    }
}

/// One group. A window asks for its result again and again while rows come.
pub struct Single {
    states: States,
    /// As many as a batch has rows: each is of the one group.
    groups: Vec<usize>,
}

impl fmt::Debug for Single {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.states.fmt(f)
    }
}

impl Single {
    pub fn new(states: States) -> Single {
        Single { states, groups: vec![] }
    }

    fn groups_for(&mut self, columns: &[ArrayRef]) -> Vec<usize> {
        let n_rows = columns.first().map_or(0, |column| column.len());
        let mut groups = std::mem::take(&mut self.groups);
        groups.resize(n_rows, 0);
        groups
    }
}

impl Accumulator for Single {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let groups = self.groups_for(values);
        let updated = self.states.update(values, &groups, 1);
        self.groups = groups;
        updated
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let groups = self.groups_for(states);
        let merged = self.states.merge(states, &groups, 1);
        self.groups = groups;
        merged
    }

    /// Taking forgets, so that the result is taken of a copy.
    fn evaluate(&mut self) -> Result<ScalarValue> {
        let state = self.states.states(1)?;
        self.states.merge(&state, &[0], 1)?;
        let mut copy = States::open(&self.states.bound)?;
        copy.merge(&state, &[0], 1)?;
        ScalarValue::try_from_array(&copy.results(1)?, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let columns = self.states.states(1)?;
        columns.iter().map(|column| ScalarValue::try_from_array(column, 0)).collect()
    }

    fn size(&self) -> usize {
        self.states.n_bytes() + self.groups.capacity() * size_of::<usize>()
    }
}
