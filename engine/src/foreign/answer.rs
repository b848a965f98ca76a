//! What functions and encodings of C answer, checked before the engine believes it. Sizes of buffers are not told
//! and cannot be checked.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::array::{ArrayRef, BufferSpec, layout, make_array};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi_and_data_type};

use super::{Who, wrong};
use crate::bindings::*;
use crate::error::Result;

/// Types nested deeper than this are nobody's.
const MAX_DEPTH: usize = 64;
/// Rows of one array, those before its offset included.
const MAX_ROWS: i64 = 1 << 40;

type Check = Result<(), String>;

/// A schema that C fills, which is released with this.
pub struct Answered(FFI_ArrowSchema);

impl Answered {
    pub fn empty() -> Answered {
        Answered(FFI_ArrowSchema::empty())
    }

    pub fn as_mut(&mut self) -> *mut ArrowSchema {
        (&raw mut self.0).cast()
    }

    pub fn is_given(&self) -> bool {
        self.as_c().release.is_some()
    }

    fn as_c(&self) -> &ArrowSchema {
        unsafe { &*(&raw const self.0).cast() }
    }

    /// After a failure nothing is there, whatever it looks like.
    pub fn forget(self) {
        std::mem::forget(self.0);
    }

    pub fn field(&self, who: Who, what: &str) -> Result<Field> {
        let fault = |text: String| wrong(who, format!("{what} is not a schema: {text}"));
        check_schema(self.as_c(), 0).map_err(fault)?;
        match catch_unwind(AssertUnwindSafe(|| Field::try_from(&self.0))) {
            Ok(field) => {
                let field = field.map_err(|e| fault(e.to_string()))?;
                check_type(field.data_type()).map_err(fault)?;
                Ok(field)
            }
            Err(_) => Err(fault("it cannot be read".into())),
        }
    }

    pub fn fields(&self, who: Who, what: &str) -> Result<Schema> {
        match self.field(who, what)?.data_type() {
            DataType::Struct(fields) => Ok(Schema::new(fields.clone())),
            other => Err(wrong(who, format!("{what} is not a struct but {other}"))),
        }
    }
}

fn check_schema(schema: &ArrowSchema, depth: usize) -> Check {
    if depth > MAX_DEPTH {
        return Err(format!("it is nested more than {MAX_DEPTH} deep"));
    }
    if schema.release.is_none() {
        return Err("it was released or never filled".into());
    }
    if schema.format.is_null() {
        return Err("its format is NULL".into());
    }
    for text in [schema.format, schema.name] {
        if !text.is_null() && unsafe { std::ffi::CStr::from_ptr(text) }.to_str().is_err() {
            return Err("its texts are not UTF-8".into());
        }
    }
    let n_children = usize::try_from(schema.n_children)
        .map_err(|_| format!("it has {} children", schema.n_children))?;
    if n_children > 0 && schema.children.is_null() {
        return Err("its children are NULL".into());
    }
    for i in 0..n_children {
        let child = unsafe { (*schema.children.add(i)).as_ref() };
        check_schema(child.ok_or("a child is NULL")?, depth + 1)?;
    }
    match unsafe { schema.dictionary.as_ref() } {
        Some(dictionary) => check_schema(dictionary, depth + 1),
        None => Ok(()),
    }
}

/// Types that can be written down and are none: the engine computes with their widths.
fn check_type(data_type: &DataType) -> Check {
    let is_good = match data_type {
        DataType::FixedSizeBinary(size) => *size > 0,
        DataType::FixedSizeList(_, size) => *size >= 0,
        DataType::Decimal32(precision, scale) => is_decimal(9, *precision, *scale),
        DataType::Decimal64(precision, scale) => is_decimal(18, *precision, *scale),
        DataType::Decimal128(precision, scale) => is_decimal(38, *precision, *scale),
        DataType::Decimal256(precision, scale) => is_decimal(76, *precision, *scale),
        DataType::Dictionary(key, _) => key.is_integer(),
        DataType::RunEndEncoded(ends, _) => ends.data_type().is_run_ends_type(),
        DataType::Map(entries, _) => {
            matches!(entries.data_type(), DataType::Struct(fields) if fields.len() == 2)
        }
        _ => true,
    };
    if !is_good {
        return Err(format!("there is no type {data_type}"));
    }
    match data_type {
        DataType::Dictionary(_, values) => check_type(values),
        other => children(other).into_iter().try_for_each(check_type),
    }
}

fn is_decimal(max_precision: u8, precision: u8, scale: i8) -> bool {
    (1..=max_precision).contains(&precision)
        && i16::from(scale).abs() <= i16::from(max_precision)
        && i16::from(scale) <= i16::from(precision)
}

/// The types of a type's children, a dictionary's values not among them.
fn children(data_type: &DataType) -> Vec<&DataType> {
    match data_type {
        DataType::Struct(fields) => fields.iter().map(|field| field.data_type()).collect(),
        DataType::Union(fields, _) => fields.iter().map(|(_, field)| field.data_type()).collect(),
        DataType::RunEndEncoded(ends, values) => vec![ends.data_type(), values.data_type()],
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => vec![field.data_type()],
        _ => vec![],
    }
}

/// An array that C filled, of `n_rows` values.
pub fn import(
    who: Who,
    mut array: FFI_ArrowArray,
    data_type: &DataType,
    n_rows: usize,
) -> Result<ArrayRef> {
    let c: &ArrowArray = unsafe { &*(&raw const array).cast() };
    let fault = |text: String| wrong(who, format!("its answer is not {data_type}: {text}"));
    if c.release.is_none() {
        return Err(wrong(who, "its answer was released or never filled"));
    }
    if c.length != n_rows as i64 {
        let length = c.length;
        return Err(wrong(who, format!("it answered {length} rows in place of {n_rows}")));
    }
    let check = catch_unwind(|| check_array(c, data_type, 0));
    check.unwrap_or_else(|_| Err("there is no such array".into())).map_err(fault)?;
    let array = unsafe { FFI_ArrowArray::from_raw(&mut array) };
    let imported = catch_unwind(AssertUnwindSafe(|| {
        let mut data = unsafe { from_ffi_and_data_type(array, data_type.clone()) }?;
        data.align_buffers();
        data.validate_full()?;
        Ok::<_, arrow::error::ArrowError>(make_array(data))
    }));
    match imported {
        Ok(array) => array.map_err(|e| fault(e.to_string())),
        Err(_) => Err(fault("it cannot be read".into())),
    }
}

/// That what the import reads without looking is there.
fn check_array(array: &ArrowArray, data_type: &DataType, depth: usize) -> Check {
    if depth > MAX_DEPTH {
        return Err(format!("it is nested more than {MAX_DEPTH} deep"));
    }
    let end = array.length.checked_add(array.offset).filter(|end| *end <= MAX_ROWS);
    let (0.., 0.., Some(end)) = (array.length, array.offset, end) else {
        return Err(format!("its length is {}, its offset {}", array.length, array.offset));
    };
    if !(-1..=array.length).contains(&array.null_count) {
        return Err(format!("it has {} rows and {} NULL", array.length, array.null_count));
    }
    check_buffers(array, data_type, end)?;
    check_children(array, data_type, depth)
}

fn check_buffers(array: &ArrowArray, data_type: &DataType, end: i64) -> Check {
    let layout = layout(data_type);
    let first = usize::from(layout.can_contain_null_mask);
    let n_fixed = first + layout.buffers.len();
    let n_buffers = usize::try_from(array.n_buffers).unwrap_or(usize::MAX);
    let fits = match layout.variadic {
        // And the buffers' lengths behind them.
        true => (n_fixed + 1..1 << 20).contains(&n_buffers),
        false => n_buffers == n_fixed,
    };
    if !fits {
        return Err(format!("it has {} buffers", array.n_buffers));
    }
    if n_buffers > 0 && array.buffers.is_null() {
        return Err("its buffers are NULL".into());
    }
    let is_null = |i: usize| unsafe { *array.buffers.add(i) }.is_null();
    if first == 1 && array.null_count > 0 && is_null(0) {
        return Err(format!("it has {} NULL and no bitmap of them", array.null_count));
    }
    for (i, spec) in layout.buffers.iter().enumerate() {
        if let BufferSpec::FixedWidth { byte_width, .. } = spec {
            let n_bytes =
                i64::try_from(*byte_width).ok().and_then(|n| n.checked_mul(8 * (end + 1)));
            n_bytes.ok_or("it is too large")?;
        }
        // Bytes of texts may be none.
        let is_needed = !matches!(spec, BufferSpec::VariableWidth);
        if end > 0 && is_needed && is_null(first + i) {
            return Err(format!("its buffer {} is NULL", first + i));
        }
    }
    if layout.variadic && n_buffers > n_fixed + 1 {
        check_variadic(array, n_fixed, n_buffers)?;
    }
    Ok(())
}

/// Buffers of views, whose lengths are in the last one.
fn check_variadic(array: &ArrowArray, n_fixed: usize, n_buffers: usize) -> Check {
    let buffer = |i: usize| unsafe { *array.buffers.add(i) };
    let lengths = buffer(n_buffers - 1).cast::<i64>();
    if lengths.is_null() || !lengths.is_aligned() {
        return Err("the lengths of its buffers are not there".into());
    }
    for i in n_fixed..n_buffers - 1 {
        let length = unsafe { *lengths.add(i - n_fixed) };
        if !(0..=i64::from(i32::MAX)).contains(&length) || (length > 0 && buffer(i).is_null()) {
            return Err(format!("its buffer {i} has {length} bytes"));
        }
    }
    Ok(())
}

fn check_children(array: &ArrowArray, data_type: &DataType, depth: usize) -> Check {
    let types = children(data_type);
    if array.n_children != types.len() as i64 {
        return Err(format!("it has {} children", array.n_children));
    }
    if !types.is_empty() && array.children.is_null() {
        return Err("its children are NULL".into());
    }
    for (i, data_type) in types.into_iter().enumerate() {
        let child = unsafe { (*array.children.add(i)).as_ref() };
        check_array(child.ok_or("a child is NULL")?, data_type, depth + 1)?;
    }
    match (unsafe { array.dictionary.as_ref() }, data_type) {
        (Some(values), DataType::Dictionary(_, data_type)) => {
            check_array(values, data_type, depth + 1)
        }
        (None, DataType::Dictionary(..)) => Err("it has no dictionary".into()),
        (Some(_), _) => Err("it has a dictionary".into()),
        (None, _) => Ok(()),
    }
}
