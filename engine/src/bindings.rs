// SPDX-License-Identifier: Apache-2.0
// Generated from src/engine/engine.h by scripts/bindings. Do not edit.
#![allow(non_camel_case_types, non_snake_case, non_upper_case_globals, dead_code)]

pub const WEIR_VERSION_MAJOR: u32 = 0;
pub const WEIR_VERSION_MINOR: u32 = 1;
pub const WEIR_VERSION_PATCH: u32 = 0;
pub const ARROW_FLAG_DICTIONARY_ORDERED: u32 = 1;
pub const ARROW_FLAG_NULLABLE: u32 = 2;
pub const ARROW_FLAG_MAP_KEYS_SORTED: u32 = 4;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ArrowSchema {
    pub format: *const ::std::os::raw::c_char,
    pub name: *const ::std::os::raw::c_char,
    pub metadata: *const ::std::os::raw::c_char,
    pub flags: i64,
    pub n_children: i64,
    pub children: *mut *mut ArrowSchema,
    pub dictionary: *mut ArrowSchema,
    pub release: ::std::option::Option<unsafe extern "C" fn(arg1: *mut ArrowSchema)>,
    pub private_data: *mut ::std::os::raw::c_void,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ArrowSchema"][::std::mem::size_of::<ArrowSchema>() - 72usize];
    ["Alignment of ArrowSchema"][::std::mem::align_of::<ArrowSchema>() - 8usize];
    [
        "Offset of field: ArrowSchema::format",
    ][::std::mem::offset_of!(ArrowSchema, format) - 0usize];
    [
        "Offset of field: ArrowSchema::name",
    ][::std::mem::offset_of!(ArrowSchema, name) - 8usize];
    [
        "Offset of field: ArrowSchema::metadata",
    ][::std::mem::offset_of!(ArrowSchema, metadata) - 16usize];
    [
        "Offset of field: ArrowSchema::flags",
    ][::std::mem::offset_of!(ArrowSchema, flags) - 24usize];
    [
        "Offset of field: ArrowSchema::n_children",
    ][::std::mem::offset_of!(ArrowSchema, n_children) - 32usize];
    [
        "Offset of field: ArrowSchema::children",
    ][::std::mem::offset_of!(ArrowSchema, children) - 40usize];
    [
        "Offset of field: ArrowSchema::dictionary",
    ][::std::mem::offset_of!(ArrowSchema, dictionary) - 48usize];
    [
        "Offset of field: ArrowSchema::release",
    ][::std::mem::offset_of!(ArrowSchema, release) - 56usize];
    [
        "Offset of field: ArrowSchema::private_data",
    ][::std::mem::offset_of!(ArrowSchema, private_data) - 64usize];
};
impl Default for ArrowSchema {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ArrowArray {
    pub length: i64,
    pub null_count: i64,
    pub offset: i64,
    pub n_buffers: i64,
    pub n_children: i64,
    pub buffers: *mut *const ::std::os::raw::c_void,
    pub children: *mut *mut ArrowArray,
    pub dictionary: *mut ArrowArray,
    pub release: ::std::option::Option<unsafe extern "C" fn(arg1: *mut ArrowArray)>,
    pub private_data: *mut ::std::os::raw::c_void,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ArrowArray"][::std::mem::size_of::<ArrowArray>() - 80usize];
    ["Alignment of ArrowArray"][::std::mem::align_of::<ArrowArray>() - 8usize];
    [
        "Offset of field: ArrowArray::length",
    ][::std::mem::offset_of!(ArrowArray, length) - 0usize];
    [
        "Offset of field: ArrowArray::null_count",
    ][::std::mem::offset_of!(ArrowArray, null_count) - 8usize];
    [
        "Offset of field: ArrowArray::offset",
    ][::std::mem::offset_of!(ArrowArray, offset) - 16usize];
    [
        "Offset of field: ArrowArray::n_buffers",
    ][::std::mem::offset_of!(ArrowArray, n_buffers) - 24usize];
    [
        "Offset of field: ArrowArray::n_children",
    ][::std::mem::offset_of!(ArrowArray, n_children) - 32usize];
    [
        "Offset of field: ArrowArray::buffers",
    ][::std::mem::offset_of!(ArrowArray, buffers) - 40usize];
    [
        "Offset of field: ArrowArray::children",
    ][::std::mem::offset_of!(ArrowArray, children) - 48usize];
    [
        "Offset of field: ArrowArray::dictionary",
    ][::std::mem::offset_of!(ArrowArray, dictionary) - 56usize];
    [
        "Offset of field: ArrowArray::release",
    ][::std::mem::offset_of!(ArrowArray, release) - 64usize];
    [
        "Offset of field: ArrowArray::private_data",
    ][::std::mem::offset_of!(ArrowArray, private_data) - 72usize];
};
impl Default for ArrowArray {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ArrowArrayStream {
    pub get_schema: ::std::option::Option<
        unsafe extern "C" fn(
            arg1: *mut ArrowArrayStream,
            out: *mut ArrowSchema,
        ) -> ::std::os::raw::c_int,
    >,
    pub get_next: ::std::option::Option<
        unsafe extern "C" fn(
            arg1: *mut ArrowArrayStream,
            out: *mut ArrowArray,
        ) -> ::std::os::raw::c_int,
    >,
    pub get_last_error: ::std::option::Option<
        unsafe extern "C" fn(
            arg1: *mut ArrowArrayStream,
        ) -> *const ::std::os::raw::c_char,
    >,
    pub release: ::std::option::Option<
        unsafe extern "C" fn(arg1: *mut ArrowArrayStream),
    >,
    pub private_data: *mut ::std::os::raw::c_void,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ArrowArrayStream"][::std::mem::size_of::<ArrowArrayStream>() - 40usize];
    [
        "Alignment of ArrowArrayStream",
    ][::std::mem::align_of::<ArrowArrayStream>() - 8usize];
    [
        "Offset of field: ArrowArrayStream::get_schema",
    ][::std::mem::offset_of!(ArrowArrayStream, get_schema) - 0usize];
    [
        "Offset of field: ArrowArrayStream::get_next",
    ][::std::mem::offset_of!(ArrowArrayStream, get_next) - 8usize];
    [
        "Offset of field: ArrowArrayStream::get_last_error",
    ][::std::mem::offset_of!(ArrowArrayStream, get_last_error) - 16usize];
    [
        "Offset of field: ArrowArrayStream::release",
    ][::std::mem::offset_of!(ArrowArrayStream, release) - 24usize];
    [
        "Offset of field: ArrowArrayStream::private_data",
    ][::std::mem::offset_of!(ArrowArrayStream, private_data) - 32usize];
};
impl Default for ArrowArrayStream {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub const WEIR_OK: weir_code = 0;
pub const WEIR_UNKNOWN: weir_code = 1;
pub const WEIR_NOT_IMPLEMENTED: weir_code = 2;
pub const WEIR_NOT_FOUND: weir_code = 3;
pub const WEIR_ALREADY_EXISTS: weir_code = 4;
pub const WEIR_INVALID_ARGUMENT: weir_code = 5;
pub const WEIR_INVALID_STATE: weir_code = 6;
pub const WEIR_INVALID_DATA: weir_code = 7;
pub const WEIR_INTEGRITY: weir_code = 8;
pub const WEIR_INTERNAL: weir_code = 9;
pub const WEIR_IO: weir_code = 10;
pub const WEIR_CANCELLED: weir_code = 11;
pub const WEIR_TIMEOUT: weir_code = 12;
pub const WEIR_UNAUTHENTICATED: weir_code = 13;
pub const WEIR_UNAUTHORIZED: weir_code = 14;
pub type weir_code = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_error {
    pub code: i32,
    pub vendor_code: i32,
    pub position: i64,
    pub sqlstate: [::std::os::raw::c_char; 8usize],
    pub message: [::std::os::raw::c_char; 4072usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_error"][::std::mem::size_of::<weir_error>() - 4096usize];
    ["Alignment of weir_error"][::std::mem::align_of::<weir_error>() - 8usize];
    [
        "Offset of field: weir_error::code",
    ][::std::mem::offset_of!(weir_error, code) - 0usize];
    [
        "Offset of field: weir_error::vendor_code",
    ][::std::mem::offset_of!(weir_error, vendor_code) - 4usize];
    [
        "Offset of field: weir_error::position",
    ][::std::mem::offset_of!(weir_error, position) - 8usize];
    [
        "Offset of field: weir_error::sqlstate",
    ][::std::mem::offset_of!(weir_error, sqlstate) - 16usize];
    [
        "Offset of field: weir_error::message",
    ][::std::mem::offset_of!(weir_error, message) - 24usize];
};
impl Default for weir_error {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug)]
pub struct weir_workspace {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug)]
pub struct weir_session {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug)]
pub struct weir_statement {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_option {
    pub key: *const ::std::os::raw::c_char,
    pub value: *const ::std::os::raw::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_option"][::std::mem::size_of::<weir_option>() - 16usize];
    ["Alignment of weir_option"][::std::mem::align_of::<weir_option>() - 8usize];
    [
        "Offset of field: weir_option::key",
    ][::std::mem::offset_of!(weir_option, key) - 0usize];
    [
        "Offset of field: weir_option::value",
    ][::std::mem::offset_of!(weir_option, value) - 8usize];
};
impl Default for weir_option {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_workspace_options {
    pub size: usize,
    pub path: *const ::std::os::raw::c_char,
    pub memory_limit: i64,
    pub threads: i32,
    pub spill_path: *const ::std::os::raw::c_char,
    pub spill_limit: i64,
    pub catalog: *const ::std::os::raw::c_char,
    pub schema: *const ::std::os::raw::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of weir_workspace_options",
    ][::std::mem::size_of::<weir_workspace_options>() - 64usize];
    [
        "Alignment of weir_workspace_options",
    ][::std::mem::align_of::<weir_workspace_options>() - 8usize];
    [
        "Offset of field: weir_workspace_options::size",
    ][::std::mem::offset_of!(weir_workspace_options, size) - 0usize];
    [
        "Offset of field: weir_workspace_options::path",
    ][::std::mem::offset_of!(weir_workspace_options, path) - 8usize];
    [
        "Offset of field: weir_workspace_options::memory_limit",
    ][::std::mem::offset_of!(weir_workspace_options, memory_limit) - 16usize];
    [
        "Offset of field: weir_workspace_options::threads",
    ][::std::mem::offset_of!(weir_workspace_options, threads) - 24usize];
    [
        "Offset of field: weir_workspace_options::spill_path",
    ][::std::mem::offset_of!(weir_workspace_options, spill_path) - 32usize];
    [
        "Offset of field: weir_workspace_options::spill_limit",
    ][::std::mem::offset_of!(weir_workspace_options, spill_limit) - 40usize];
    [
        "Offset of field: weir_workspace_options::catalog",
    ][::std::mem::offset_of!(weir_workspace_options, catalog) - 48usize];
    [
        "Offset of field: weir_workspace_options::schema",
    ][::std::mem::offset_of!(weir_workspace_options, schema) - 56usize];
};
impl Default for weir_workspace_options {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_session_options {
    pub size: usize,
    pub settings: *const weir_option,
    pub n_settings: usize,
    pub functions: *const ::std::os::raw::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of weir_session_options",
    ][::std::mem::size_of::<weir_session_options>() - 32usize];
    [
        "Alignment of weir_session_options",
    ][::std::mem::align_of::<weir_session_options>() - 8usize];
    [
        "Offset of field: weir_session_options::size",
    ][::std::mem::offset_of!(weir_session_options, size) - 0usize];
    [
        "Offset of field: weir_session_options::settings",
    ][::std::mem::offset_of!(weir_session_options, settings) - 8usize];
    [
        "Offset of field: weir_session_options::n_settings",
    ][::std::mem::offset_of!(weir_session_options, n_settings) - 16usize];
    [
        "Offset of field: weir_session_options::functions",
    ][::std::mem::offset_of!(weir_session_options, functions) - 24usize];
};
impl Default for weir_session_options {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct weir_progress {
    pub size: usize,
    pub rows_read: i64,
    pub bytes_read: i64,
    pub bytes_total: i64,
    pub rows_returned: i64,
    pub bytes_spilled: i64,
    pub finished: i32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_progress"][::std::mem::size_of::<weir_progress>() - 56usize];
    ["Alignment of weir_progress"][::std::mem::align_of::<weir_progress>() - 8usize];
    [
        "Offset of field: weir_progress::size",
    ][::std::mem::offset_of!(weir_progress, size) - 0usize];
    [
        "Offset of field: weir_progress::rows_read",
    ][::std::mem::offset_of!(weir_progress, rows_read) - 8usize];
    [
        "Offset of field: weir_progress::bytes_read",
    ][::std::mem::offset_of!(weir_progress, bytes_read) - 16usize];
    [
        "Offset of field: weir_progress::bytes_total",
    ][::std::mem::offset_of!(weir_progress, bytes_total) - 24usize];
    [
        "Offset of field: weir_progress::rows_returned",
    ][::std::mem::offset_of!(weir_progress, rows_returned) - 32usize];
    [
        "Offset of field: weir_progress::bytes_spilled",
    ][::std::mem::offset_of!(weir_progress, bytes_spilled) - 40usize];
    [
        "Offset of field: weir_progress::finished",
    ][::std::mem::offset_of!(weir_progress, finished) - 48usize];
};
pub const WEIR_REGISTER_ROWS: weir_register_mode = 0;
pub const WEIR_REGISTER_ONCE: weir_register_mode = 1;
pub type weir_register_mode = ::std::os::raw::c_uint;
pub type weir_write_fn = ::std::option::Option<
    unsafe extern "C" fn(
        context: *mut ::std::os::raw::c_void,
        data: *const ::std::os::raw::c_void,
        length: usize,
    ) -> ::std::os::raw::c_int,
>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_definition {
    pub size: usize,
    pub catalog: *const ::std::os::raw::c_char,
    pub schema: *const ::std::os::raw::c_char,
    pub name: *const ::std::os::raw::c_char,
    pub kind: *const ::std::os::raw::c_char,
    pub options: *const weir_option,
    pub n_options: usize,
    pub columns: *const ArrowSchema,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_definition"][::std::mem::size_of::<weir_definition>() - 64usize];
    ["Alignment of weir_definition"][::std::mem::align_of::<weir_definition>() - 8usize];
    [
        "Offset of field: weir_definition::size",
    ][::std::mem::offset_of!(weir_definition, size) - 0usize];
    [
        "Offset of field: weir_definition::catalog",
    ][::std::mem::offset_of!(weir_definition, catalog) - 8usize];
    [
        "Offset of field: weir_definition::schema",
    ][::std::mem::offset_of!(weir_definition, schema) - 16usize];
    [
        "Offset of field: weir_definition::name",
    ][::std::mem::offset_of!(weir_definition, name) - 24usize];
    [
        "Offset of field: weir_definition::kind",
    ][::std::mem::offset_of!(weir_definition, kind) - 32usize];
    [
        "Offset of field: weir_definition::options",
    ][::std::mem::offset_of!(weir_definition, options) - 40usize];
    [
        "Offset of field: weir_definition::n_options",
    ][::std::mem::offset_of!(weir_definition, n_options) - 48usize];
    [
        "Offset of field: weir_definition::columns",
    ][::std::mem::offset_of!(weir_definition, columns) - 56usize];
};
impl Default for weir_definition {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub const WEIR_OPTION_TEXT: weir_option_type = 0;
pub const WEIR_OPTION_INTEGER: weir_option_type = 1;
pub const WEIR_OPTION_BOOLEAN: weir_option_type = 2;
pub const WEIR_OPTION_PREFIX: weir_option_type = 3;
pub type weir_option_type = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_option_spec {
    pub name: *const ::std::os::raw::c_char,
    pub type_: i32,
    pub required: i32,
    pub summary: *const ::std::os::raw::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_option_spec"][::std::mem::size_of::<weir_option_spec>() - 24usize];
    [
        "Alignment of weir_option_spec",
    ][::std::mem::align_of::<weir_option_spec>() - 8usize];
    [
        "Offset of field: weir_option_spec::name",
    ][::std::mem::offset_of!(weir_option_spec, name) - 0usize];
    [
        "Offset of field: weir_option_spec::type_",
    ][::std::mem::offset_of!(weir_option_spec, type_) - 8usize];
    [
        "Offset of field: weir_option_spec::required",
    ][::std::mem::offset_of!(weir_option_spec, required) - 12usize];
    [
        "Offset of field: weir_option_spec::summary",
    ][::std::mem::offset_of!(weir_option_spec, summary) - 16usize];
};
impl Default for weir_option_spec {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub const WEIR_OPERATOR_NONE: weir_operator = 0;
pub const WEIR_OPERATOR_EQ: weir_operator = 1;
pub const WEIR_OPERATOR_NE: weir_operator = 2;
pub const WEIR_OPERATOR_LT: weir_operator = 3;
pub const WEIR_OPERATOR_LE: weir_operator = 4;
pub const WEIR_OPERATOR_GT: weir_operator = 5;
pub const WEIR_OPERATOR_GE: weir_operator = 6;
pub const WEIR_OPERATOR_IS_NULL: weir_operator = 7;
pub const WEIR_OPERATOR_IS_NOT_NULL: weir_operator = 8;
pub type weir_operator = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_filter {
    pub column: *const ::std::os::raw::c_char,
    pub op: i32,
    pub type_: *const ArrowSchema,
    pub value: *const ArrowArray,
    pub sql: *const ::std::os::raw::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_filter"][::std::mem::size_of::<weir_filter>() - 40usize];
    ["Alignment of weir_filter"][::std::mem::align_of::<weir_filter>() - 8usize];
    [
        "Offset of field: weir_filter::column",
    ][::std::mem::offset_of!(weir_filter, column) - 0usize];
    [
        "Offset of field: weir_filter::op",
    ][::std::mem::offset_of!(weir_filter, op) - 8usize];
    [
        "Offset of field: weir_filter::type_",
    ][::std::mem::offset_of!(weir_filter, type_) - 16usize];
    [
        "Offset of field: weir_filter::value",
    ][::std::mem::offset_of!(weir_filter, value) - 24usize];
    [
        "Offset of field: weir_filter::sql",
    ][::std::mem::offset_of!(weir_filter, sql) - 32usize];
};
impl Default for weir_filter {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub const WEIR_FILTER_NO: weir_filter_support = 0;
pub const WEIR_FILTER_INEXACT: weir_filter_support = 1;
pub const WEIR_FILTER_EXACT: weir_filter_support = 2;
pub type weir_filter_support = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_scan_request {
    pub size: usize,
    pub all_columns: i32,
    pub columns: *const i32,
    pub n_columns: usize,
    pub filters: *const weir_filter,
    pub n_filters: usize,
    pub limit: i64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_scan_request"][::std::mem::size_of::<weir_scan_request>() - 56usize];
    [
        "Alignment of weir_scan_request",
    ][::std::mem::align_of::<weir_scan_request>() - 8usize];
    [
        "Offset of field: weir_scan_request::size",
    ][::std::mem::offset_of!(weir_scan_request, size) - 0usize];
    [
        "Offset of field: weir_scan_request::all_columns",
    ][::std::mem::offset_of!(weir_scan_request, all_columns) - 8usize];
    [
        "Offset of field: weir_scan_request::columns",
    ][::std::mem::offset_of!(weir_scan_request, columns) - 16usize];
    [
        "Offset of field: weir_scan_request::n_columns",
    ][::std::mem::offset_of!(weir_scan_request, n_columns) - 24usize];
    [
        "Offset of field: weir_scan_request::filters",
    ][::std::mem::offset_of!(weir_scan_request, filters) - 32usize];
    [
        "Offset of field: weir_scan_request::n_filters",
    ][::std::mem::offset_of!(weir_scan_request, n_filters) - 40usize];
    [
        "Offset of field: weir_scan_request::limit",
    ][::std::mem::offset_of!(weir_scan_request, limit) - 48usize];
};
impl Default for weir_scan_request {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_scan {
    pub n_partitions: i32,
    pub open: ::std::option::Option<
        unsafe extern "C" fn(
            scan: *mut weir_scan,
            partition: i32,
            ret_rows: *mut ArrowArrayStream,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub cancel: ::std::option::Option<unsafe extern "C" fn(scan: *mut weir_scan)>,
    pub release: ::std::option::Option<unsafe extern "C" fn(scan: *mut weir_scan)>,
    pub private_data: *mut ::std::os::raw::c_void,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_scan"][::std::mem::size_of::<weir_scan>() - 40usize];
    ["Alignment of weir_scan"][::std::mem::align_of::<weir_scan>() - 8usize];
    [
        "Offset of field: weir_scan::n_partitions",
    ][::std::mem::offset_of!(weir_scan, n_partitions) - 0usize];
    [
        "Offset of field: weir_scan::open",
    ][::std::mem::offset_of!(weir_scan, open) - 8usize];
    [
        "Offset of field: weir_scan::cancel",
    ][::std::mem::offset_of!(weir_scan, cancel) - 16usize];
    [
        "Offset of field: weir_scan::release",
    ][::std::mem::offset_of!(weir_scan, release) - 24usize];
    [
        "Offset of field: weir_scan::private_data",
    ][::std::mem::offset_of!(weir_scan, private_data) - 32usize];
};
impl Default for weir_scan {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_statistics {
    pub size: usize,
    pub n_rows: i64,
    pub n_bytes: i64,
    pub exact: i32,
    pub null_counts: *const i64,
    pub bounds: *const ArrowArray,
    pub release: ::std::option::Option<
        unsafe extern "C" fn(statistics: *mut weir_statistics),
    >,
    pub private_data: *mut ::std::os::raw::c_void,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_statistics"][::std::mem::size_of::<weir_statistics>() - 64usize];
    ["Alignment of weir_statistics"][::std::mem::align_of::<weir_statistics>() - 8usize];
    [
        "Offset of field: weir_statistics::size",
    ][::std::mem::offset_of!(weir_statistics, size) - 0usize];
    [
        "Offset of field: weir_statistics::n_rows",
    ][::std::mem::offset_of!(weir_statistics, n_rows) - 8usize];
    [
        "Offset of field: weir_statistics::n_bytes",
    ][::std::mem::offset_of!(weir_statistics, n_bytes) - 16usize];
    [
        "Offset of field: weir_statistics::exact",
    ][::std::mem::offset_of!(weir_statistics, exact) - 24usize];
    [
        "Offset of field: weir_statistics::null_counts",
    ][::std::mem::offset_of!(weir_statistics, null_counts) - 32usize];
    [
        "Offset of field: weir_statistics::bounds",
    ][::std::mem::offset_of!(weir_statistics, bounds) - 40usize];
    [
        "Offset of field: weir_statistics::release",
    ][::std::mem::offset_of!(weir_statistics, release) - 48usize];
    [
        "Offset of field: weir_statistics::private_data",
    ][::std::mem::offset_of!(weir_statistics, private_data) - 56usize];
};
impl Default for weir_statistics {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub const WEIR_INSERT_APPEND: weir_insert_mode = 0;
pub const WEIR_INSERT_OVERWRITE: weir_insert_mode = 1;
pub type weir_insert_mode = ::std::os::raw::c_uint;
pub const WEIR_FORM_FILES: weir_form_type = 1;
pub const WEIR_FORM_SQL: weir_form_type = 2;
pub const WEIR_FORM_REMOTE: weir_form_type = 3;
pub const WEIR_FORM_STREAM: weir_form_type = 4;
pub const WEIR_FORM_UNION: weir_form_type = 5;
pub type weir_form_type = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_file {
    pub url: *const ::std::os::raw::c_char,
    pub n_bytes: i64,
    pub modified_ns: i64,
    pub etag: *const ::std::os::raw::c_char,
    pub partition_values: *const *const ::std::os::raw::c_char,
    pub deleted_rows: *const u64,
    pub n_deleted_rows: usize,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_file"][::std::mem::size_of::<weir_file>() - 56usize];
    ["Alignment of weir_file"][::std::mem::align_of::<weir_file>() - 8usize];
    ["Offset of field: weir_file::url"][::std::mem::offset_of!(weir_file, url) - 0usize];
    [
        "Offset of field: weir_file::n_bytes",
    ][::std::mem::offset_of!(weir_file, n_bytes) - 8usize];
    [
        "Offset of field: weir_file::modified_ns",
    ][::std::mem::offset_of!(weir_file, modified_ns) - 16usize];
    [
        "Offset of field: weir_file::etag",
    ][::std::mem::offset_of!(weir_file, etag) - 24usize];
    [
        "Offset of field: weir_file::partition_values",
    ][::std::mem::offset_of!(weir_file, partition_values) - 32usize];
    [
        "Offset of field: weir_file::deleted_rows",
    ][::std::mem::offset_of!(weir_file, deleted_rows) - 40usize];
    [
        "Offset of field: weir_file::n_deleted_rows",
    ][::std::mem::offset_of!(weir_file, n_deleted_rows) - 48usize];
};
impl Default for weir_file {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_files {
    pub format: *const ::std::os::raw::c_char,
    pub compression: *const ::std::os::raw::c_char,
    pub files: *const weir_file,
    pub n_files: usize,
    pub partition_columns: *const ArrowSchema,
    pub options: *const weir_option,
    pub n_options: usize,
    pub order_by: *const ::std::os::raw::c_char,
    pub write_url: *const ::std::os::raw::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_files"][::std::mem::size_of::<weir_files>() - 72usize];
    ["Alignment of weir_files"][::std::mem::align_of::<weir_files>() - 8usize];
    [
        "Offset of field: weir_files::format",
    ][::std::mem::offset_of!(weir_files, format) - 0usize];
    [
        "Offset of field: weir_files::compression",
    ][::std::mem::offset_of!(weir_files, compression) - 8usize];
    [
        "Offset of field: weir_files::files",
    ][::std::mem::offset_of!(weir_files, files) - 16usize];
    [
        "Offset of field: weir_files::n_files",
    ][::std::mem::offset_of!(weir_files, n_files) - 24usize];
    [
        "Offset of field: weir_files::partition_columns",
    ][::std::mem::offset_of!(weir_files, partition_columns) - 32usize];
    [
        "Offset of field: weir_files::options",
    ][::std::mem::offset_of!(weir_files, options) - 40usize];
    [
        "Offset of field: weir_files::n_options",
    ][::std::mem::offset_of!(weir_files, n_options) - 48usize];
    [
        "Offset of field: weir_files::order_by",
    ][::std::mem::offset_of!(weir_files, order_by) - 56usize];
    [
        "Offset of field: weir_files::write_url",
    ][::std::mem::offset_of!(weir_files, write_url) - 64usize];
};
impl Default for weir_files {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_sql {
    pub query: *const ::std::os::raw::c_char,
    pub catalog: *const ::std::os::raw::c_char,
    pub schema: *const ::std::os::raw::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_sql"][::std::mem::size_of::<weir_sql>() - 24usize];
    ["Alignment of weir_sql"][::std::mem::align_of::<weir_sql>() - 8usize];
    [
        "Offset of field: weir_sql::query",
    ][::std::mem::offset_of!(weir_sql, query) - 0usize];
    [
        "Offset of field: weir_sql::catalog",
    ][::std::mem::offset_of!(weir_sql, catalog) - 8usize];
    [
        "Offset of field: weir_sql::schema",
    ][::std::mem::offset_of!(weir_sql, schema) - 16usize];
};
impl Default for weir_sql {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type weir_execute_fn = ::std::option::Option<
    unsafe extern "C" fn(
        table: *mut ::std::os::raw::c_void,
        sql: *const ::std::os::raw::c_char,
        schema: *const ArrowSchema,
        ret_rows: *mut ArrowArrayStream,
        error: *mut weir_error,
    ) -> ::std::os::raw::c_int,
>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_remote {
    pub dialect: *const ::std::os::raw::c_char,
    pub backend: *const ::std::os::raw::c_char,
    pub table: *const ::std::os::raw::c_char,
    pub execute: weir_execute_fn,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_remote"][::std::mem::size_of::<weir_remote>() - 32usize];
    ["Alignment of weir_remote"][::std::mem::align_of::<weir_remote>() - 8usize];
    [
        "Offset of field: weir_remote::dialect",
    ][::std::mem::offset_of!(weir_remote, dialect) - 0usize];
    [
        "Offset of field: weir_remote::backend",
    ][::std::mem::offset_of!(weir_remote, backend) - 8usize];
    [
        "Offset of field: weir_remote::table",
    ][::std::mem::offset_of!(weir_remote, table) - 16usize];
    [
        "Offset of field: weir_remote::execute",
    ][::std::mem::offset_of!(weir_remote, execute) - 24usize];
};
impl Default for weir_remote {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_form {
    pub type_: i32,
    pub schema: ArrowSchema,
    pub files: weir_files,
    pub sql: weir_sql,
    pub remote: weir_remote,
    pub parts: *mut *mut weir_form,
    pub n_parts: usize,
    pub release: ::std::option::Option<unsafe extern "C" fn(form: *mut weir_form)>,
    pub private_data: *mut ::std::os::raw::c_void,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_form"][::std::mem::size_of::<weir_form>() - 240usize];
    ["Alignment of weir_form"][::std::mem::align_of::<weir_form>() - 8usize];
    [
        "Offset of field: weir_form::type_",
    ][::std::mem::offset_of!(weir_form, type_) - 0usize];
    [
        "Offset of field: weir_form::schema",
    ][::std::mem::offset_of!(weir_form, schema) - 8usize];
    [
        "Offset of field: weir_form::files",
    ][::std::mem::offset_of!(weir_form, files) - 80usize];
    [
        "Offset of field: weir_form::sql",
    ][::std::mem::offset_of!(weir_form, sql) - 152usize];
    [
        "Offset of field: weir_form::remote",
    ][::std::mem::offset_of!(weir_form, remote) - 176usize];
    [
        "Offset of field: weir_form::parts",
    ][::std::mem::offset_of!(weir_form, parts) - 208usize];
    [
        "Offset of field: weir_form::n_parts",
    ][::std::mem::offset_of!(weir_form, n_parts) - 216usize];
    [
        "Offset of field: weir_form::release",
    ][::std::mem::offset_of!(weir_form, release) - 224usize];
    [
        "Offset of field: weir_form::private_data",
    ][::std::mem::offset_of!(weir_form, private_data) - 232usize];
};
impl Default for weir_form {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub const WEIR_ROLE_VIEW: weir_kind_role = 1;
pub const WEIR_ROLE_TABLE: weir_kind_role = 2;
pub const WEIR_ROLE_EXTERNAL: weir_kind_role = 4;
pub const WEIR_ROLE_PATH: weir_kind_role = 8;
pub type weir_kind_role = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_table_kind {
    pub size: usize,
    pub name: *const ::std::os::raw::c_char,
    pub summary: *const ::std::os::raw::c_char,
    pub roles: u32,
    pub options: *const weir_option_spec,
    pub n_options: usize,
    pub open: ::std::option::Option<
        unsafe extern "C" fn(
            definition: *const weir_definition,
            ret_table: *mut *mut ::std::os::raw::c_void,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub close: ::std::option::Option<
        unsafe extern "C" fn(table: *mut ::std::os::raw::c_void),
    >,
    pub form: ::std::option::Option<
        unsafe extern "C" fn(
            table: *mut ::std::os::raw::c_void,
            ret_form: *mut weir_form,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub statistics: ::std::option::Option<
        unsafe extern "C" fn(
            table: *mut ::std::os::raw::c_void,
            ret_statistics: *mut weir_statistics,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub classify: ::std::option::Option<
        unsafe extern "C" fn(
            table: *mut ::std::os::raw::c_void,
            filters: *const weir_filter,
            n_filters: usize,
            ret_support: *mut i32,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub scan: ::std::option::Option<
        unsafe extern "C" fn(
            table: *mut ::std::os::raw::c_void,
            request: *const weir_scan_request,
            ret_scan: *mut weir_scan,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub insert: ::std::option::Option<
        unsafe extern "C" fn(
            table: *mut ::std::os::raw::c_void,
            mode: ::std::os::raw::c_int,
            rows: *mut ArrowArrayStream,
            ret_n_rows: *mut i64,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub drop: ::std::option::Option<
        unsafe extern "C" fn(
            table: *mut ::std::os::raw::c_void,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_table_kind"][::std::mem::size_of::<weir_table_kind>() - 112usize];
    ["Alignment of weir_table_kind"][::std::mem::align_of::<weir_table_kind>() - 8usize];
    [
        "Offset of field: weir_table_kind::size",
    ][::std::mem::offset_of!(weir_table_kind, size) - 0usize];
    [
        "Offset of field: weir_table_kind::name",
    ][::std::mem::offset_of!(weir_table_kind, name) - 8usize];
    [
        "Offset of field: weir_table_kind::summary",
    ][::std::mem::offset_of!(weir_table_kind, summary) - 16usize];
    [
        "Offset of field: weir_table_kind::roles",
    ][::std::mem::offset_of!(weir_table_kind, roles) - 24usize];
    [
        "Offset of field: weir_table_kind::options",
    ][::std::mem::offset_of!(weir_table_kind, options) - 32usize];
    [
        "Offset of field: weir_table_kind::n_options",
    ][::std::mem::offset_of!(weir_table_kind, n_options) - 40usize];
    [
        "Offset of field: weir_table_kind::open",
    ][::std::mem::offset_of!(weir_table_kind, open) - 48usize];
    [
        "Offset of field: weir_table_kind::close",
    ][::std::mem::offset_of!(weir_table_kind, close) - 56usize];
    [
        "Offset of field: weir_table_kind::form",
    ][::std::mem::offset_of!(weir_table_kind, form) - 64usize];
    [
        "Offset of field: weir_table_kind::statistics",
    ][::std::mem::offset_of!(weir_table_kind, statistics) - 72usize];
    [
        "Offset of field: weir_table_kind::classify",
    ][::std::mem::offset_of!(weir_table_kind, classify) - 80usize];
    [
        "Offset of field: weir_table_kind::scan",
    ][::std::mem::offset_of!(weir_table_kind, scan) - 88usize];
    [
        "Offset of field: weir_table_kind::insert",
    ][::std::mem::offset_of!(weir_table_kind, insert) - 96usize];
    [
        "Offset of field: weir_table_kind::drop",
    ][::std::mem::offset_of!(weir_table_kind, drop) - 104usize];
};
impl Default for weir_table_kind {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug)]
pub struct wr_engine {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug)]
pub struct wr_engine_session {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug)]
pub struct wr_plan {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug)]
pub struct wr_run {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct wr_engine_options {
    pub size: usize,
    pub threads: i32,
    pub memory_limit: i64,
    pub spill_path: *const ::std::os::raw::c_char,
    pub spill_limit: i64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of wr_engine_options"][::std::mem::size_of::<wr_engine_options>() - 40usize];
    [
        "Alignment of wr_engine_options",
    ][::std::mem::align_of::<wr_engine_options>() - 8usize];
    [
        "Offset of field: wr_engine_options::size",
    ][::std::mem::offset_of!(wr_engine_options, size) - 0usize];
    [
        "Offset of field: wr_engine_options::threads",
    ][::std::mem::offset_of!(wr_engine_options, threads) - 8usize];
    [
        "Offset of field: wr_engine_options::memory_limit",
    ][::std::mem::offset_of!(wr_engine_options, memory_limit) - 16usize];
    [
        "Offset of field: wr_engine_options::spill_path",
    ][::std::mem::offset_of!(wr_engine_options, spill_path) - 24usize];
    [
        "Offset of field: wr_engine_options::spill_limit",
    ][::std::mem::offset_of!(wr_engine_options, spill_limit) - 32usize];
};
impl Default for wr_engine_options {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct wr_table {
    pub form: weir_form,
    pub kind: *const weir_table_kind,
    pub instance: *mut ::std::os::raw::c_void,
    pub is_view: i32,
    pub definition: *const ::std::os::raw::c_char,
    pub release: ::std::option::Option<unsafe extern "C" fn(table: *mut wr_table)>,
    pub private_data: *mut ::std::os::raw::c_void,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of wr_table"][::std::mem::size_of::<wr_table>() - 288usize];
    ["Alignment of wr_table"][::std::mem::align_of::<wr_table>() - 8usize];
    ["Offset of field: wr_table::form"][::std::mem::offset_of!(wr_table, form) - 0usize];
    [
        "Offset of field: wr_table::kind",
    ][::std::mem::offset_of!(wr_table, kind) - 240usize];
    [
        "Offset of field: wr_table::instance",
    ][::std::mem::offset_of!(wr_table, instance) - 248usize];
    [
        "Offset of field: wr_table::is_view",
    ][::std::mem::offset_of!(wr_table, is_view) - 256usize];
    [
        "Offset of field: wr_table::definition",
    ][::std::mem::offset_of!(wr_table, definition) - 264usize];
    [
        "Offset of field: wr_table::release",
    ][::std::mem::offset_of!(wr_table, release) - 272usize];
    [
        "Offset of field: wr_table::private_data",
    ][::std::mem::offset_of!(wr_table, private_data) - 280usize];
};
impl Default for wr_table {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type wr_emit_fn = ::std::option::Option<
    unsafe extern "C" fn(
        sink: *mut ::std::os::raw::c_void,
        name: *const ::std::os::raw::c_char,
    ),
>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct wr_catalog {
    pub size: usize,
    pub context: *mut ::std::os::raw::c_void,
    pub list: ::std::option::Option<
        unsafe extern "C" fn(
            context: *mut ::std::os::raw::c_void,
            catalog: *const ::std::os::raw::c_char,
            schema: *const ::std::os::raw::c_char,
            emit: wr_emit_fn,
            sink: *mut ::std::os::raw::c_void,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub table: ::std::option::Option<
        unsafe extern "C" fn(
            context: *mut ::std::os::raw::c_void,
            catalog: *const ::std::os::raw::c_char,
            schema: *const ::std::os::raw::c_char,
            name: *const ::std::os::raw::c_char,
            ret_table: *mut wr_table,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of wr_catalog"][::std::mem::size_of::<wr_catalog>() - 32usize];
    ["Alignment of wr_catalog"][::std::mem::align_of::<wr_catalog>() - 8usize];
    [
        "Offset of field: wr_catalog::size",
    ][::std::mem::offset_of!(wr_catalog, size) - 0usize];
    [
        "Offset of field: wr_catalog::context",
    ][::std::mem::offset_of!(wr_catalog, context) - 8usize];
    [
        "Offset of field: wr_catalog::list",
    ][::std::mem::offset_of!(wr_catalog, list) - 16usize];
    [
        "Offset of field: wr_catalog::table",
    ][::std::mem::offset_of!(wr_catalog, table) - 24usize];
};
impl Default for wr_catalog {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct wr_session_options {
    pub size: usize,
    pub catalog: *const ::std::os::raw::c_char,
    pub schema: *const ::std::os::raw::c_char,
    pub names: wr_catalog,
    pub functions: *const ::std::os::raw::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of wr_session_options",
    ][::std::mem::size_of::<wr_session_options>() - 64usize];
    [
        "Alignment of wr_session_options",
    ][::std::mem::align_of::<wr_session_options>() - 8usize];
    [
        "Offset of field: wr_session_options::size",
    ][::std::mem::offset_of!(wr_session_options, size) - 0usize];
    [
        "Offset of field: wr_session_options::catalog",
    ][::std::mem::offset_of!(wr_session_options, catalog) - 8usize];
    [
        "Offset of field: wr_session_options::schema",
    ][::std::mem::offset_of!(wr_session_options, schema) - 16usize];
    [
        "Offset of field: wr_session_options::names",
    ][::std::mem::offset_of!(wr_session_options, names) - 24usize];
    [
        "Offset of field: wr_session_options::functions",
    ][::std::mem::offset_of!(wr_session_options, functions) - 56usize];
};
impl Default for wr_session_options {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub const WR_PLAN_QUERY: wr_plan_type = 1;
pub const WR_PLAN_CHANGE: wr_plan_type = 2;
pub const WR_PLAN_SESSION: wr_plan_type = 3;
pub const WR_PLAN_CREATE_TABLE: wr_plan_type = 4;
pub const WR_PLAN_CREATE_VIEW: wr_plan_type = 5;
pub const WR_PLAN_CREATE_EXTERNAL: wr_plan_type = 6;
pub const WR_PLAN_DROP_TABLE: wr_plan_type = 7;
pub const WR_PLAN_DROP_VIEW: wr_plan_type = 8;
pub const WR_PLAN_CREATE_SCHEMA: wr_plan_type = 9;
pub const WR_PLAN_DROP_SCHEMA: wr_plan_type = 10;
pub const WR_PLAN_CREATE_CATALOG: wr_plan_type = 11;
pub type wr_plan_type = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct wr_plan_info {
    pub size: usize,
    pub type_: i32,
    pub catalog: *const ::std::os::raw::c_char,
    pub schema: *const ::std::os::raw::c_char,
    pub name: *const ::std::os::raw::c_char,
    pub if_not_exists: i32,
    pub or_replace: i32,
    pub cascade: i32,
    pub temporary: i32,
    pub has_input: i32,
    pub has_columns: i32,
    pub query: *const ::std::os::raw::c_char,
    pub location: *const ::std::os::raw::c_char,
    pub format: *const ::std::os::raw::c_char,
    pub partition_by: *const ::std::os::raw::c_char,
    pub order_by: *const ::std::os::raw::c_char,
    pub constraints: *const ::std::os::raw::c_char,
    pub options: *const weir_option,
    pub n_options: usize,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of wr_plan_info"][::std::mem::size_of::<wr_plan_info>() - 128usize];
    ["Alignment of wr_plan_info"][::std::mem::align_of::<wr_plan_info>() - 8usize];
    [
        "Offset of field: wr_plan_info::size",
    ][::std::mem::offset_of!(wr_plan_info, size) - 0usize];
    [
        "Offset of field: wr_plan_info::type_",
    ][::std::mem::offset_of!(wr_plan_info, type_) - 8usize];
    [
        "Offset of field: wr_plan_info::catalog",
    ][::std::mem::offset_of!(wr_plan_info, catalog) - 16usize];
    [
        "Offset of field: wr_plan_info::schema",
    ][::std::mem::offset_of!(wr_plan_info, schema) - 24usize];
    [
        "Offset of field: wr_plan_info::name",
    ][::std::mem::offset_of!(wr_plan_info, name) - 32usize];
    [
        "Offset of field: wr_plan_info::if_not_exists",
    ][::std::mem::offset_of!(wr_plan_info, if_not_exists) - 40usize];
    [
        "Offset of field: wr_plan_info::or_replace",
    ][::std::mem::offset_of!(wr_plan_info, or_replace) - 44usize];
    [
        "Offset of field: wr_plan_info::cascade",
    ][::std::mem::offset_of!(wr_plan_info, cascade) - 48usize];
    [
        "Offset of field: wr_plan_info::temporary",
    ][::std::mem::offset_of!(wr_plan_info, temporary) - 52usize];
    [
        "Offset of field: wr_plan_info::has_input",
    ][::std::mem::offset_of!(wr_plan_info, has_input) - 56usize];
    [
        "Offset of field: wr_plan_info::has_columns",
    ][::std::mem::offset_of!(wr_plan_info, has_columns) - 60usize];
    [
        "Offset of field: wr_plan_info::query",
    ][::std::mem::offset_of!(wr_plan_info, query) - 64usize];
    [
        "Offset of field: wr_plan_info::location",
    ][::std::mem::offset_of!(wr_plan_info, location) - 72usize];
    [
        "Offset of field: wr_plan_info::format",
    ][::std::mem::offset_of!(wr_plan_info, format) - 80usize];
    [
        "Offset of field: wr_plan_info::partition_by",
    ][::std::mem::offset_of!(wr_plan_info, partition_by) - 88usize];
    [
        "Offset of field: wr_plan_info::order_by",
    ][::std::mem::offset_of!(wr_plan_info, order_by) - 96usize];
    [
        "Offset of field: wr_plan_info::constraints",
    ][::std::mem::offset_of!(wr_plan_info, constraints) - 104usize];
    [
        "Offset of field: wr_plan_info::options",
    ][::std::mem::offset_of!(wr_plan_info, options) - 112usize];
    [
        "Offset of field: wr_plan_info::n_options",
    ][::std::mem::offset_of!(wr_plan_info, n_options) - 120usize];
};
impl Default for wr_plan_info {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
