//! Errors and panics at the boundary: every entry of engine.h runs inside [`guard`].

use std::any::Any;
use std::cell::RefCell;
use std::error::Error as StdError;
use std::ffi::{CStr, c_char, c_int};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::error::ArrowError;
use datafusion::common::{DataFusionError, SchemaError};
use datafusion::sql::sqlparser::parser::ParserError;

use crate::bindings::*;

pub type Result<T, E = DataFusionError> = std::result::Result<T, E>;

/// An error that has its code already: one that C gave, or one of weir's own.
#[derive(Debug, Clone)]
pub struct Coded {
    pub code: u32,
    pub sqlstate: &'static str,
    pub native: Option<Box<weir_error>>,
    pub message: String,
}

impl fmt::Display for Coded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Coded {}

pub fn coded(code: u32, sqlstate: &'static str, message: impl Into<String>) -> DataFusionError {
    DataFusionError::External(Box::new(Coded {
        code,
        sqlstate,
        native: None,
        message: message.into(),
    }))
}

pub fn cancelled() -> DataFusionError {
    coded(WEIR_CANCELLED, "57014", "the statement was cancelled")
}

/// The error that a C callback filled.
pub fn from_c(error: weir_error, code: c_int) -> DataFusionError {
    let text = unsafe { CStr::from_ptr(error.message.as_ptr()) }.to_string_lossy().into_owned();
    let mut error = error;
    error.code = code;
    let message =
        if text.is_empty() { format!("a callback failed with code {code}") } else { text };
    DataFusionError::External(Box::new(Coded {
        code: code as u32,
        sqlstate: "",
        native: Some(Box::new(error)),
        message,
    }))
}

/// Calls a C function that fills an error, and turns its code into a result.
pub fn call_c(f: impl FnOnce(*mut weir_error) -> c_int) -> Result<()> {
    let mut error = weir_error::default();
    match f(&mut error) {
        0 => Ok(()),
        code => Err(from_c(error, code)),
    }
}

thread_local! {
    static PANIC_PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps the place of a panic for its error message, instead of printing it.
pub fn quiet_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let place = info.location().map(|l| format!("{}:{}", l.file(), l.line()));
            PANIC_PLACE.with(|p| *p.borrow_mut() = place.unwrap_or_default());
        }));
    });
}

pub fn from_panic(payload: Box<dyn Any + Send>) -> DataFusionError {
    let text = payload
        .downcast_ref::<&str>()
        .map(|s| s.to_string())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_string());
    let place = PANIC_PLACE.with(|p| p.borrow().clone());
    coded(WEIR_INTERNAL, "XX000", format!("the engine panicked: {text} ({place})"))
}

/// Runs an entry: 0, or the error's code with `error` filled. No panic passes.
pub fn guard(error: *mut weir_error, f: impl FnOnce() -> Result<()>) -> c_int {
    guarded(error, None, f)
}

/// As [`guard`], for an entry that has the statement's text: the error gets a position.
pub fn guard_sql(error: *mut weir_error, sql: &str, f: impl FnOnce() -> Result<()>) -> c_int {
    guarded(error, Some(sql), f)
}

fn guarded(error: *mut weir_error, sql: Option<&str>, f: impl FnOnce() -> Result<()>) -> c_int {
    let failure = match catch_unwind(AssertUnwindSafe(f)) {
        Ok(Ok(())) => return 0,
        Ok(Err(e)) => e,
        Err(payload) => from_panic(payload),
    };
    catch_unwind(AssertUnwindSafe(|| fill(error, &failure, sql))).unwrap_or(WEIR_INTERNAL as c_int)
}

/// Writes `failure` to `error`, which may be NULL, and gives its code.
pub fn fill(error: *mut weir_error, failure: &DataFusionError, sql: Option<&str>) -> c_int {
    let known = find_coded(failure);
    let (code, sqlstate) = match known {
        Some(known) => (known.code, known.sqlstate),
        None => classify(failure),
    };
    if error.is_null() {
        return code as c_int;
    }
    let error = unsafe { &mut *error };
    if let Some(native) = known.and_then(|k| k.native.as_ref()) {
        *error = **native;
        return code as c_int;
    }
    *error = weir_error::default();
    error.code = code as i32;
    copy_text(&mut error.sqlstate, sqlstate);
    // Not strip_backtrace's own text alone: `Display` names the category, which users search for.
    copy_text(&mut error.message, &message_of(failure, known));
    error.position = sql.and_then(|sql| position(failure, sql)).unwrap_or(0);
    code as c_int
}

fn message_of(failure: &DataFusionError, known: Option<&Coded>) -> String {
    match (failure, known) {
        (_, Some(known)) => known.message.clone(),
        (failure, None) => failure.strip_backtrace(),
    }
}

fn copy_text(target: &mut [c_char], text: &str) {
    let mut length = text.len().min(target.len() - 1);
    while !text.is_char_boundary(length) {
        length -= 1;
    }
    for (slot, byte) in target.iter_mut().zip(text.as_bytes()[..length].iter()) {
        *slot = if *byte == 0 { b'?' as c_char } else { *byte as c_char };
    }
    target[length] = 0;
}

fn find_coded(failure: &DataFusionError) -> Option<&Coded> {
    let mut next: Option<&(dyn StdError + 'static)> = Some(failure);
    while let Some(error) = next {
        if let Some(coded) = error.downcast_ref::<Coded>() {
            return Some(coded);
        }
        next = match error.downcast_ref::<DataFusionError>() {
            // `source` skips the boxed error itself in some of these.
            Some(DataFusionError::External(e)) => Some(e.as_ref()),
            Some(DataFusionError::ArrowError(e, _)) => Some(e.as_ref()),
            Some(DataFusionError::Context(_, e)) => Some(e.as_ref()),
            Some(DataFusionError::Diagnostic(_, e)) => Some(e.as_ref()),
            Some(DataFusionError::Shared(e)) => Some(e.as_ref()),
            Some(DataFusionError::Collection(all)) => {
                all.first().map(|e| e as &(dyn StdError + 'static))
            }
            _ => match error.downcast_ref::<ArrowError>() {
                Some(ArrowError::ExternalError(e)) => Some(e.as_ref()),
                _ => error.source(),
            },
        };
    }
    None
}

/// The code and SQLSTATE of the engine's own errors.
pub fn classify(failure: &DataFusionError) -> (u32, &'static str) {
    use DataFusionError as E;
    match failure.find_root() {
        E::SQL(error, _) => match error.as_ref() {
            ParserError::RecursionLimitExceeded => (WEIR_INVALID_ARGUMENT, "54001"),
            _ => (WEIR_INVALID_ARGUMENT, "42601"),
        },
        E::SchemaError(error, _) => match error.as_ref() {
            SchemaError::FieldNotFound { .. } => (WEIR_INVALID_ARGUMENT, "42703"),
            SchemaError::AmbiguousReference { .. } => (WEIR_INVALID_ARGUMENT, "42702"),
            _ => (WEIR_INVALID_ARGUMENT, "42701"),
        },
        E::Plan(text) if text.contains("not found") && text.contains("table '") => {
            (WEIR_NOT_FOUND, "42P01")
        }
        E::Plan(text) if text.contains("failed to resolve schema") => (WEIR_NOT_FOUND, "3F000"),
        E::Plan(text) if text.contains("Invalid function") => (WEIR_INVALID_ARGUMENT, "42883"),
        E::Plan(_) => (WEIR_INVALID_ARGUMENT, "42000"),
        E::Configuration(_) => (WEIR_INVALID_ARGUMENT, "22023"),
        E::NotImplemented(_) => (WEIR_NOT_IMPLEMENTED, "0A000"),
        E::ResourcesExhausted(_) => (WEIR_INTERNAL, "53200"),
        E::IoError(error) => classify_io(error),
        E::ObjectStore(error) => match error.as_ref() {
            object_store::Error::NotFound { .. } => (WEIR_NOT_FOUND, "58P01"),
            object_store::Error::PermissionDenied { .. } => (WEIR_UNAUTHORIZED, "42501"),
            _ => (WEIR_IO, "58030"),
        },
        E::ParquetError(_) => (WEIR_INVALID_DATA, "22000"),
        E::ArrowError(error, _) => match error.as_ref() {
            ArrowError::InvalidArgumentError(text) if text.contains("declared as non-nullable") => {
                (WEIR_INTEGRITY, "23502")
            }
            ArrowError::DivideByZero => (WEIR_INVALID_DATA, "22012"),
            ArrowError::ArithmeticOverflow(_) => (WEIR_INVALID_DATA, "22003"),
            ArrowError::CastError(_) | ArrowError::ParseError(_) => (WEIR_INVALID_DATA, "22P02"),
            ArrowError::NotYetImplemented(_) => (WEIR_NOT_IMPLEMENTED, "0A000"),
            ArrowError::MemoryError(_) => (WEIR_INTERNAL, "53200"),
            ArrowError::IoError(_, error) => classify_io(error),
            _ => (WEIR_INVALID_DATA, "22000"),
        },
        E::Execution(text) if text.contains("has null but schema specifies non-nullable") => {
            (WEIR_INTEGRITY, "23502")
        }
        E::Execution(_) => (WEIR_INVALID_DATA, "22000"),
        E::ExecutionJoin(error) if error.is_cancelled() => (WEIR_CANCELLED, "57014"),
        _ => (WEIR_INTERNAL, "XX000"),
    }
}

fn classify_io(error: &std::io::Error) -> (u32, &'static str) {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => (WEIR_NOT_FOUND, "58P01"),
        ErrorKind::PermissionDenied => (WEIR_UNAUTHORIZED, "42501"),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            (WEIR_IO, "53100")
        }
        _ => (WEIR_IO, "58030"),
    }
}

/// The 1-based byte offset that an error points at: from its diagnostic, else from the parser's
/// text.
pub fn position(failure: &DataFusionError, sql: &str) -> Option<i64> {
    let (line, column) = match failure.diagnostic().and_then(|d| d.span) {
        Some(span) => (span.start.line, span.start.column),
        None => match failure.find_root() {
            DataFusionError::SQL(error, _) if error.to_string().ends_with("found: EOF") => {
                return Some(sql.trim_end().len() as i64 + 1);
            }
            DataFusionError::SQL(error, _) => line_and_column(&error.to_string())?,
            _ => return None,
        },
    };
    if line == 0 || column == 0 {
        return None;
    }
    let start: usize = sql.split_inclusive('\n').take(line as usize - 1).map(str::len).sum();
    let in_line: usize =
        sql.get(start..)?.chars().take(column as usize - 1).map(char::len_utf8).sum();
    Some((start + in_line + 1) as i64)
}

/// sqlparser ends its messages in "at Line: 1, Column: 8".
fn line_and_column(text: &str) -> Option<(u64, u64)> {
    let (line, column) = text.rsplit_once("Line: ")?.1.split_once(", Column: ")?;
    let digits: String = column.chars().take_while(char::is_ascii_digit).collect();
    Some((line.parse().ok()?, digits.parse().ok()?))
}

/// A coded error with something before its text; others are as they were.
pub fn prefixed(error: DataFusionError, prefix: &str) -> DataFusionError {
    let Some(found) = find_coded(&error) else { return error };
    let mut found = found.clone();
    found.message = format!("{prefix}: {}", found.message);
    if let Some(native) = &mut found.native {
        let room = native.message.len() - 1;
        let text = found.message.bytes().take(room);
        native.message.fill(0);
        native.message.iter_mut().zip(text).for_each(|(to, from)| *to = from as c_char);
    }
    DataFusionError::External(Box::new(found))
}

/// Whether an error carries its own code, so that no more context is put before its message.
pub fn is_coded(error: &DataFusionError) -> bool {
    find_coded(error).is_some()
}
