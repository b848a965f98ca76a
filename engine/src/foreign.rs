//! Calls of what extensions gave: its names, its errors, and who is to blame.

pub mod answer;

use std::ffi::{CStr, c_int};

use datafusion::common::DataFusionError;

use crate::bindings::*;
use crate::error::{Result, coded, from_c};

/// A pointer of C's that any thread may use.
#[derive(Clone, Copy)]
pub struct Private(pub *mut std::ffi::c_void);

unsafe impl Send for Private {}
unsafe impl Sync for Private {}

pub unsafe fn name_of(name: *const std::ffi::c_char) -> String {
    unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()
}

/// Whose slots are called: "function", and its name.
#[derive(Clone, Copy)]
pub struct Who<'a>(pub &'static str, pub &'a str);

impl std::fmt::Display for Who<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.0, self.1)
    }
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
