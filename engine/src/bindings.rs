// SPDX-License-Identifier: Apache-2.0
// Generated from src/engine/engine.h by scripts/bindings. Do not edit.
#![allow(non_camel_case_types, non_snake_case, non_upper_case_globals, dead_code)]

pub const WEIR_VERSION_MAJOR: u32 = 0;
pub const WEIR_VERSION_MINOR: u32 = 1;
pub const WEIR_VERSION_PATCH: u32 = 0;
pub const ARROW_FLAG_DICTIONARY_ORDERED: u32 = 1;
pub const ARROW_FLAG_NULLABLE: u32 = 2;
pub const ARROW_FLAG_MAP_KEYS_SORTED: u32 = 4;
pub const WEIR_EXTENSION_ABI: u32 = 1;
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
    pub config: *const ::std::os::raw::c_char,
    pub settings: *const weir_option,
    pub n_settings: usize,
    pub preset: *const ::std::os::raw::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of weir_workspace_options",
    ][::std::mem::size_of::<weir_workspace_options>() - 96usize];
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
    [
        "Offset of field: weir_workspace_options::config",
    ][::std::mem::offset_of!(weir_workspace_options, config) - 64usize];
    [
        "Offset of field: weir_workspace_options::settings",
    ][::std::mem::offset_of!(weir_workspace_options, settings) - 72usize];
    [
        "Offset of field: weir_workspace_options::n_settings",
    ][::std::mem::offset_of!(weir_workspace_options, n_settings) - 80usize];
    [
        "Offset of field: weir_workspace_options::preset",
    ][::std::mem::offset_of!(weir_workspace_options, preset) - 88usize];
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
#[derive(Debug)]
pub struct weir_principal {
    _unused: [u8; 0],
}
pub const WEIR_CREDENTIAL_NONE: weir_credential_type = 0;
pub const WEIR_CREDENTIAL_PASSWORD: weir_credential_type = 1;
pub const WEIR_CREDENTIAL_API_KEY: weir_credential_type = 2;
pub const WEIR_CREDENTIAL_TOKEN: weir_credential_type = 3;
pub const WEIR_CREDENTIAL_CERTIFICATE: weir_credential_type = 4;
pub type weir_credential_type = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_credential {
    pub size: usize,
    pub type_: i32,
    pub user: *const ::std::os::raw::c_char,
    pub secret: *const ::std::os::raw::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_credential"][::std::mem::size_of::<weir_credential>() - 32usize];
    ["Alignment of weir_credential"][::std::mem::align_of::<weir_credential>() - 8usize];
    [
        "Offset of field: weir_credential::size",
    ][::std::mem::offset_of!(weir_credential, size) - 0usize];
    [
        "Offset of field: weir_credential::type_",
    ][::std::mem::offset_of!(weir_credential, type_) - 8usize];
    [
        "Offset of field: weir_credential::user",
    ][::std::mem::offset_of!(weir_credential, user) - 16usize];
    [
        "Offset of field: weir_credential::secret",
    ][::std::mem::offset_of!(weir_credential, secret) - 24usize];
};
impl Default for weir_credential {
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
    pub principal: *const weir_principal,
    pub door: *const ::std::os::raw::c_char,
    pub peer: *const ::std::os::raw::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of weir_session_options",
    ][::std::mem::size_of::<weir_session_options>() - 56usize];
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
    [
        "Offset of field: weir_session_options::principal",
    ][::std::mem::offset_of!(weir_session_options, principal) - 32usize];
    [
        "Offset of field: weir_session_options::door",
    ][::std::mem::offset_of!(weir_session_options, door) - 40usize];
    [
        "Offset of field: weir_session_options::peer",
    ][::std::mem::offset_of!(weir_session_options, peer) - 48usize];
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
pub const WEIR_ID_SIZE: _bindgen_ty_1 = 33;
pub type _bindgen_ty_1 = ::std::os::raw::c_uint;
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
    pub peak_memory: i64,
    pub store_gets: i64,
    pub store_heads: i64,
    pub store_lists: i64,
    pub store_puts: i64,
    pub store_posts: i64,
    pub store_deletes: i64,
    pub store_retries: i64,
    pub store_bytes_received: i64,
    pub store_bytes_sent: i64,
    pub cache_hits: i64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_progress"][::std::mem::size_of::<weir_progress>() - 144usize];
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
    [
        "Offset of field: weir_progress::peak_memory",
    ][::std::mem::offset_of!(weir_progress, peak_memory) - 56usize];
    [
        "Offset of field: weir_progress::store_gets",
    ][::std::mem::offset_of!(weir_progress, store_gets) - 64usize];
    [
        "Offset of field: weir_progress::store_heads",
    ][::std::mem::offset_of!(weir_progress, store_heads) - 72usize];
    [
        "Offset of field: weir_progress::store_lists",
    ][::std::mem::offset_of!(weir_progress, store_lists) - 80usize];
    [
        "Offset of field: weir_progress::store_puts",
    ][::std::mem::offset_of!(weir_progress, store_puts) - 88usize];
    [
        "Offset of field: weir_progress::store_posts",
    ][::std::mem::offset_of!(weir_progress, store_posts) - 96usize];
    [
        "Offset of field: weir_progress::store_deletes",
    ][::std::mem::offset_of!(weir_progress, store_deletes) - 104usize];
    [
        "Offset of field: weir_progress::store_retries",
    ][::std::mem::offset_of!(weir_progress, store_retries) - 112usize];
    [
        "Offset of field: weir_progress::store_bytes_received",
    ][::std::mem::offset_of!(weir_progress, store_bytes_received) - 120usize];
    [
        "Offset of field: weir_progress::store_bytes_sent",
    ][::std::mem::offset_of!(weir_progress, store_bytes_sent) - 128usize];
    [
        "Offset of field: weir_progress::cache_hits",
    ][::std::mem::offset_of!(weir_progress, cache_hits) - 136usize];
};
pub const WEIR_REGISTER_ROWS: weir_register_mode = 0;
pub const WEIR_REGISTER_ONCE: weir_register_mode = 1;
pub const WEIR_REGISTER_PRIVATE: weir_register_mode = 2;
pub type weir_register_mode = ::std::os::raw::c_uint;
pub const WEIR_NODE_DIRECTORY: weir_node_type = 1;
pub const WEIR_NODE_FILE: weir_node_type = 2;
pub const WEIR_NODE_STRUCTURED: weir_node_type = 3;
pub const WEIR_NODE_SERIES: weir_node_type = 4;
pub const WEIR_NODE_DERIVED: weir_node_type = 5;
pub const WEIR_NODE_TABLE: weir_node_type = 6;
pub type weir_node_type = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug)]
pub struct weir_node {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_node_info {
    pub size: usize,
    pub type_: i32,
    pub is_table: i32,
    pub path: *const ::std::os::raw::c_char,
    pub catalog: *const ::std::os::raw::c_char,
    pub schema: *const ::std::os::raw::c_char,
    pub name: *const ::std::os::raw::c_char,
    pub kind: *const ::std::os::raw::c_char,
    pub encoding: *const ::std::os::raw::c_char,
    pub description: *const ::std::os::raw::c_char,
    pub n_bytes: i64,
    pub modified_ns: i64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_node_info"][::std::mem::size_of::<weir_node_info>() - 88usize];
    ["Alignment of weir_node_info"][::std::mem::align_of::<weir_node_info>() - 8usize];
    [
        "Offset of field: weir_node_info::size",
    ][::std::mem::offset_of!(weir_node_info, size) - 0usize];
    [
        "Offset of field: weir_node_info::type_",
    ][::std::mem::offset_of!(weir_node_info, type_) - 8usize];
    [
        "Offset of field: weir_node_info::is_table",
    ][::std::mem::offset_of!(weir_node_info, is_table) - 12usize];
    [
        "Offset of field: weir_node_info::path",
    ][::std::mem::offset_of!(weir_node_info, path) - 16usize];
    [
        "Offset of field: weir_node_info::catalog",
    ][::std::mem::offset_of!(weir_node_info, catalog) - 24usize];
    [
        "Offset of field: weir_node_info::schema",
    ][::std::mem::offset_of!(weir_node_info, schema) - 32usize];
    [
        "Offset of field: weir_node_info::name",
    ][::std::mem::offset_of!(weir_node_info, name) - 40usize];
    [
        "Offset of field: weir_node_info::kind",
    ][::std::mem::offset_of!(weir_node_info, kind) - 48usize];
    [
        "Offset of field: weir_node_info::encoding",
    ][::std::mem::offset_of!(weir_node_info, encoding) - 56usize];
    [
        "Offset of field: weir_node_info::description",
    ][::std::mem::offset_of!(weir_node_info, description) - 64usize];
    [
        "Offset of field: weir_node_info::n_bytes",
    ][::std::mem::offset_of!(weir_node_info, n_bytes) - 72usize];
    [
        "Offset of field: weir_node_info::modified_ns",
    ][::std::mem::offset_of!(weir_node_info, modified_ns) - 80usize];
};
impl Default for weir_node_info {
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
pub struct weir_node_entry {
    pub size: usize,
    pub type_: i32,
    pub name: *const ::std::os::raw::c_char,
    pub table: *const ::std::os::raw::c_char,
    pub n_bytes: i64,
    pub modified_ns: i64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_node_entry"][::std::mem::size_of::<weir_node_entry>() - 48usize];
    ["Alignment of weir_node_entry"][::std::mem::align_of::<weir_node_entry>() - 8usize];
    [
        "Offset of field: weir_node_entry::size",
    ][::std::mem::offset_of!(weir_node_entry, size) - 0usize];
    [
        "Offset of field: weir_node_entry::type_",
    ][::std::mem::offset_of!(weir_node_entry, type_) - 8usize];
    [
        "Offset of field: weir_node_entry::name",
    ][::std::mem::offset_of!(weir_node_entry, name) - 16usize];
    [
        "Offset of field: weir_node_entry::table",
    ][::std::mem::offset_of!(weir_node_entry, table) - 24usize];
    [
        "Offset of field: weir_node_entry::n_bytes",
    ][::std::mem::offset_of!(weir_node_entry, n_bytes) - 32usize];
    [
        "Offset of field: weir_node_entry::modified_ns",
    ][::std::mem::offset_of!(weir_node_entry, modified_ns) - 40usize];
};
impl Default for weir_node_entry {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type weir_node_entry_fn = ::std::option::Option<
    unsafe extern "C" fn(
        context: *mut ::std::os::raw::c_void,
        entry: *const weir_node_entry,
    ) -> ::std::os::raw::c_int,
>;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct weir_node_statistics {
    pub size: usize,
    pub n_rows: i64,
    pub rows_exact: i32,
    pub n_bytes: i64,
    pub bytes_exact: i32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of weir_node_statistics",
    ][::std::mem::size_of::<weir_node_statistics>() - 40usize];
    [
        "Alignment of weir_node_statistics",
    ][::std::mem::align_of::<weir_node_statistics>() - 8usize];
    [
        "Offset of field: weir_node_statistics::size",
    ][::std::mem::offset_of!(weir_node_statistics, size) - 0usize];
    [
        "Offset of field: weir_node_statistics::n_rows",
    ][::std::mem::offset_of!(weir_node_statistics, n_rows) - 8usize];
    [
        "Offset of field: weir_node_statistics::rows_exact",
    ][::std::mem::offset_of!(weir_node_statistics, rows_exact) - 16usize];
    [
        "Offset of field: weir_node_statistics::n_bytes",
    ][::std::mem::offset_of!(weir_node_statistics, n_bytes) - 24usize];
    [
        "Offset of field: weir_node_statistics::bytes_exact",
    ][::std::mem::offset_of!(weir_node_statistics, bytes_exact) - 32usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_file_info {
    pub size: usize,
    pub n_bytes: i64,
    pub modified_ns: i64,
    pub version: *const ::std::os::raw::c_char,
    pub encoding: *const ::std::os::raw::c_char,
    pub is_own: i32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_file_info"][::std::mem::size_of::<weir_file_info>() - 48usize];
    ["Alignment of weir_file_info"][::std::mem::align_of::<weir_file_info>() - 8usize];
    [
        "Offset of field: weir_file_info::size",
    ][::std::mem::offset_of!(weir_file_info, size) - 0usize];
    [
        "Offset of field: weir_file_info::n_bytes",
    ][::std::mem::offset_of!(weir_file_info, n_bytes) - 8usize];
    [
        "Offset of field: weir_file_info::modified_ns",
    ][::std::mem::offset_of!(weir_file_info, modified_ns) - 16usize];
    [
        "Offset of field: weir_file_info::version",
    ][::std::mem::offset_of!(weir_file_info, version) - 24usize];
    [
        "Offset of field: weir_file_info::encoding",
    ][::std::mem::offset_of!(weir_file_info, encoding) - 32usize];
    [
        "Offset of field: weir_file_info::is_own",
    ][::std::mem::offset_of!(weir_file_info, is_own) - 40usize];
};
impl Default for weir_file_info {
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
pub struct weir_store_object {
    pub size: usize,
    pub url: *const ::std::os::raw::c_char,
    pub key: *const ::std::os::raw::c_char,
    pub n_bytes: i64,
    pub modified_ns: i64,
    pub etag: *const ::std::os::raw::c_char,
    pub version: *const ::std::os::raw::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_store_object"][::std::mem::size_of::<weir_store_object>() - 56usize];
    [
        "Alignment of weir_store_object",
    ][::std::mem::align_of::<weir_store_object>() - 8usize];
    [
        "Offset of field: weir_store_object::size",
    ][::std::mem::offset_of!(weir_store_object, size) - 0usize];
    [
        "Offset of field: weir_store_object::url",
    ][::std::mem::offset_of!(weir_store_object, url) - 8usize];
    [
        "Offset of field: weir_store_object::key",
    ][::std::mem::offset_of!(weir_store_object, key) - 16usize];
    [
        "Offset of field: weir_store_object::n_bytes",
    ][::std::mem::offset_of!(weir_store_object, n_bytes) - 24usize];
    [
        "Offset of field: weir_store_object::modified_ns",
    ][::std::mem::offset_of!(weir_store_object, modified_ns) - 32usize];
    [
        "Offset of field: weir_store_object::etag",
    ][::std::mem::offset_of!(weir_store_object, etag) - 40usize];
    [
        "Offset of field: weir_store_object::version",
    ][::std::mem::offset_of!(weir_store_object, version) - 48usize];
};
impl Default for weir_store_object {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type weir_store_object_fn = ::std::option::Option<
    unsafe extern "C" fn(
        context: *mut ::std::os::raw::c_void,
        object: *const weir_store_object,
    ) -> ::std::os::raw::c_int,
>;
pub const WEIR_PUT_OVERWRITE: weir_put_mode = 0;
pub const WEIR_PUT_CREATE: weir_put_mode = 1;
pub const WEIR_PUT_IF_MATCH: weir_put_mode = 2;
pub type weir_put_mode = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug)]
pub struct weir_store_upload {
    _unused: [u8; 0],
}
pub type weir_write_fn = ::std::option::Option<
    unsafe extern "C" fn(
        context: *mut ::std::os::raw::c_void,
        data: *const ::std::os::raw::c_void,
        length: usize,
    ) -> ::std::os::raw::c_int,
>;
pub const WEIR_VERSION_SIZE: _bindgen_ty_2 = 80;
pub type _bindgen_ty_2 = ::std::os::raw::c_uint;
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
pub const WEIR_UNIT_COUNT: weir_unit = 0;
pub const WEIR_UNIT_BYTES: weir_unit = 1;
pub const WEIR_UNIT_NANOSECONDS: weir_unit = 2;
pub type weir_unit = ::std::os::raw::c_uint;
pub type weir_figure_fn = ::std::option::Option<
    unsafe extern "C" fn(
        sink: *mut ::std::os::raw::c_void,
        name: *const ::std::os::raw::c_char,
        unit: i32,
        value: i64,
    ),
>;
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
    pub source: *const ::std::os::raw::c_char,
    pub inputs: *const weir_option,
    pub n_inputs: usize,
    pub parameters: *const weir_option,
    pub n_parameters: usize,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_sql"][::std::mem::size_of::<weir_sql>() - 64usize];
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
    [
        "Offset of field: weir_sql::source",
    ][::std::mem::offset_of!(weir_sql, source) - 24usize];
    [
        "Offset of field: weir_sql::inputs",
    ][::std::mem::offset_of!(weir_sql, inputs) - 32usize];
    [
        "Offset of field: weir_sql::n_inputs",
    ][::std::mem::offset_of!(weir_sql, n_inputs) - 40usize];
    [
        "Offset of field: weir_sql::parameters",
    ][::std::mem::offset_of!(weir_sql, parameters) - 48usize];
    [
        "Offset of field: weir_sql::n_parameters",
    ][::std::mem::offset_of!(weir_sql, n_parameters) - 56usize];
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
        statements: *const *const ::std::os::raw::c_char,
        n_statements: usize,
        schema: *const ArrowSchema,
        ret_scan: *mut weir_scan,
        error: *mut weir_error,
    ) -> ::std::os::raw::c_int,
>;
pub type weir_execute_parts_fn = ::std::option::Option<
    unsafe extern "C" fn(
        table: *mut ::std::os::raw::c_void,
        statement: *const ::std::os::raw::c_char,
        n_parts: i32,
        schema: *const ArrowSchema,
        ret_scan: *mut weir_scan,
        error: *mut weir_error,
    ) -> ::std::os::raw::c_int,
>;
pub type weir_change_fn = ::std::option::Option<
    unsafe extern "C" fn(
        table: *mut ::std::os::raw::c_void,
        statement: *const ::std::os::raw::c_char,
        ret_n_rows: *mut i64,
        error: *mut weir_error,
    ) -> ::std::os::raw::c_int,
>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_remote {
    pub dialect: *const ::std::os::raw::c_char,
    pub backend: *const ::std::os::raw::c_char,
    pub table: *const ::std::os::raw::c_char,
    pub columns: *const *const ::std::os::raw::c_char,
    pub partitions: *const *const ::std::os::raw::c_char,
    pub n_partitions: usize,
    pub execute: weir_execute_fn,
    pub change: weir_change_fn,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_remote"][::std::mem::size_of::<weir_remote>() - 64usize];
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
        "Offset of field: weir_remote::columns",
    ][::std::mem::offset_of!(weir_remote, columns) - 24usize];
    [
        "Offset of field: weir_remote::partitions",
    ][::std::mem::offset_of!(weir_remote, partitions) - 32usize];
    [
        "Offset of field: weir_remote::n_partitions",
    ][::std::mem::offset_of!(weir_remote, n_partitions) - 40usize];
    [
        "Offset of field: weir_remote::execute",
    ][::std::mem::offset_of!(weir_remote, execute) - 48usize];
    [
        "Offset of field: weir_remote::change",
    ][::std::mem::offset_of!(weir_remote, change) - 56usize];
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
    ["Size of weir_form"][::std::mem::size_of::<weir_form>() - 312usize];
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
    ][::std::mem::offset_of!(weir_form, remote) - 216usize];
    [
        "Offset of field: weir_form::parts",
    ][::std::mem::offset_of!(weir_form, parts) - 280usize];
    [
        "Offset of field: weir_form::n_parts",
    ][::std::mem::offset_of!(weir_form, n_parts) - 288usize];
    [
        "Offset of field: weir_form::release",
    ][::std::mem::offset_of!(weir_form, release) - 296usize];
    [
        "Offset of field: weir_form::private_data",
    ][::std::mem::offset_of!(weir_form, private_data) - 304usize];
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
pub const WEIR_READS_AT_ONCE: weir_kind_role = 16;
pub const WEIR_ENDS_AT_ONCE: weir_kind_role = 32;
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
    pub version: ::std::option::Option<
        unsafe extern "C" fn(
            table: *mut ::std::os::raw::c_void,
            ret_version: *mut ::std::os::raw::c_char,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub refresh: ::std::option::Option<
        unsafe extern "C" fn(
            table: *mut ::std::os::raw::c_void,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub metrics: ::std::option::Option<
        unsafe extern "C" fn(
            table: *mut ::std::os::raw::c_void,
            scan: *mut weir_scan,
            partition: i32,
            take: weir_figure_fn,
            sink: *mut ::std::os::raw::c_void,
        ),
    >,
    pub parts: ::std::option::Option<
        unsafe extern "C" fn(table: *mut ::std::os::raw::c_void) -> i32,
    >,
    pub execute_parts: weir_execute_parts_fn,
    pub hold: ::std::option::Option<
        unsafe extern "C" fn(
            table: *mut ::std::os::raw::c_void,
            scan: *mut weir_scan,
            partition: i32,
            is_held: ::std::os::raw::c_int,
        ),
    >,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_table_kind"][::std::mem::size_of::<weir_table_kind>() - 160usize];
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
    [
        "Offset of field: weir_table_kind::version",
    ][::std::mem::offset_of!(weir_table_kind, version) - 112usize];
    [
        "Offset of field: weir_table_kind::refresh",
    ][::std::mem::offset_of!(weir_table_kind, refresh) - 120usize];
    [
        "Offset of field: weir_table_kind::metrics",
    ][::std::mem::offset_of!(weir_table_kind, metrics) - 128usize];
    [
        "Offset of field: weir_table_kind::parts",
    ][::std::mem::offset_of!(weir_table_kind, parts) - 136usize];
    [
        "Offset of field: weir_table_kind::execute_parts",
    ][::std::mem::offset_of!(weir_table_kind, execute_parts) - 144usize];
    [
        "Offset of field: weir_table_kind::hold",
    ][::std::mem::offset_of!(weir_table_kind, hold) - 152usize];
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
pub const WEIR_ENTRY_DIRECTORY: weir_entry_type = 1;
pub const WEIR_ENTRY_FILE: weir_entry_type = 2;
pub const WEIR_ENTRY_TABLE: weir_entry_type = 3;
pub type weir_entry_type = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_entry {
    pub size: usize,
    pub type_: i32,
    pub name: *const ::std::os::raw::c_char,
    pub table: *const ::std::os::raw::c_char,
    pub n_bytes: i64,
    pub modified_ns: i64,
    pub is_link: i32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_entry"][::std::mem::size_of::<weir_entry>() - 56usize];
    ["Alignment of weir_entry"][::std::mem::align_of::<weir_entry>() - 8usize];
    [
        "Offset of field: weir_entry::size",
    ][::std::mem::offset_of!(weir_entry, size) - 0usize];
    [
        "Offset of field: weir_entry::type_",
    ][::std::mem::offset_of!(weir_entry, type_) - 8usize];
    [
        "Offset of field: weir_entry::name",
    ][::std::mem::offset_of!(weir_entry, name) - 16usize];
    [
        "Offset of field: weir_entry::table",
    ][::std::mem::offset_of!(weir_entry, table) - 24usize];
    [
        "Offset of field: weir_entry::n_bytes",
    ][::std::mem::offset_of!(weir_entry, n_bytes) - 32usize];
    [
        "Offset of field: weir_entry::modified_ns",
    ][::std::mem::offset_of!(weir_entry, modified_ns) - 40usize];
    [
        "Offset of field: weir_entry::is_link",
    ][::std::mem::offset_of!(weir_entry, is_link) - 48usize];
};
impl Default for weir_entry {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type weir_entry_fn = ::std::option::Option<
    unsafe extern "C" fn(
        sink: *mut ::std::os::raw::c_void,
        entry: *const weir_entry,
        error: *mut weir_error,
    ) -> ::std::os::raw::c_int,
>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_found {
    pub size: usize,
    pub entry: weir_entry,
    pub path: *const ::std::os::raw::c_char,
    pub is_exact: i32,
    pub is_series: i32,
    pub kind: *const ::std::os::raw::c_char,
    pub options: *const weir_option,
    pub n_options: usize,
    pub release: ::std::option::Option<unsafe extern "C" fn(found: *mut weir_found)>,
    pub private_data: *mut ::std::os::raw::c_void,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_found"][::std::mem::size_of::<weir_found>() - 120usize];
    ["Alignment of weir_found"][::std::mem::align_of::<weir_found>() - 8usize];
    [
        "Offset of field: weir_found::size",
    ][::std::mem::offset_of!(weir_found, size) - 0usize];
    [
        "Offset of field: weir_found::entry",
    ][::std::mem::offset_of!(weir_found, entry) - 8usize];
    [
        "Offset of field: weir_found::path",
    ][::std::mem::offset_of!(weir_found, path) - 64usize];
    [
        "Offset of field: weir_found::is_exact",
    ][::std::mem::offset_of!(weir_found, is_exact) - 72usize];
    [
        "Offset of field: weir_found::is_series",
    ][::std::mem::offset_of!(weir_found, is_series) - 76usize];
    [
        "Offset of field: weir_found::kind",
    ][::std::mem::offset_of!(weir_found, kind) - 80usize];
    [
        "Offset of field: weir_found::options",
    ][::std::mem::offset_of!(weir_found, options) - 88usize];
    [
        "Offset of field: weir_found::n_options",
    ][::std::mem::offset_of!(weir_found, n_options) - 96usize];
    [
        "Offset of field: weir_found::release",
    ][::std::mem::offset_of!(weir_found, release) - 104usize];
    [
        "Offset of field: weir_found::private_data",
    ][::std::mem::offset_of!(weir_found, private_data) - 112usize];
};
impl Default for weir_found {
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
pub struct weir_reader {
    pub n_bytes: i64,
    pub modified_ns: i64,
    pub version: [::std::os::raw::c_char; 80usize],
    pub read_at: ::std::option::Option<
        unsafe extern "C" fn(
            reader: *mut weir_reader,
            offset: i64,
            data: *mut ::std::os::raw::c_void,
            length: usize,
            ret_length: *mut usize,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub release: ::std::option::Option<unsafe extern "C" fn(reader: *mut weir_reader)>,
    pub private_data: *mut ::std::os::raw::c_void,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_reader"][::std::mem::size_of::<weir_reader>() - 120usize];
    ["Alignment of weir_reader"][::std::mem::align_of::<weir_reader>() - 8usize];
    [
        "Offset of field: weir_reader::n_bytes",
    ][::std::mem::offset_of!(weir_reader, n_bytes) - 0usize];
    [
        "Offset of field: weir_reader::modified_ns",
    ][::std::mem::offset_of!(weir_reader, modified_ns) - 8usize];
    [
        "Offset of field: weir_reader::version",
    ][::std::mem::offset_of!(weir_reader, version) - 16usize];
    [
        "Offset of field: weir_reader::read_at",
    ][::std::mem::offset_of!(weir_reader, read_at) - 96usize];
    [
        "Offset of field: weir_reader::release",
    ][::std::mem::offset_of!(weir_reader, release) - 104usize];
    [
        "Offset of field: weir_reader::private_data",
    ][::std::mem::offset_of!(weir_reader, private_data) - 112usize];
};
impl Default for weir_reader {
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
pub struct weir_writer {
    pub write: ::std::option::Option<
        unsafe extern "C" fn(
            writer: *mut weir_writer,
            data: *const ::std::os::raw::c_void,
            length: usize,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub commit: ::std::option::Option<
        unsafe extern "C" fn(
            writer: *mut weir_writer,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub release: ::std::option::Option<unsafe extern "C" fn(writer: *mut weir_writer)>,
    pub private_data: *mut ::std::os::raw::c_void,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_writer"][::std::mem::size_of::<weir_writer>() - 32usize];
    ["Alignment of weir_writer"][::std::mem::align_of::<weir_writer>() - 8usize];
    [
        "Offset of field: weir_writer::write",
    ][::std::mem::offset_of!(weir_writer, write) - 0usize];
    [
        "Offset of field: weir_writer::commit",
    ][::std::mem::offset_of!(weir_writer, commit) - 8usize];
    [
        "Offset of field: weir_writer::release",
    ][::std::mem::offset_of!(weir_writer, release) - 16usize];
    [
        "Offset of field: weir_writer::private_data",
    ][::std::mem::offset_of!(weir_writer, private_data) - 24usize];
};
impl Default for weir_writer {
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
pub struct weir_mount_kind {
    pub size: usize,
    pub name: *const ::std::os::raw::c_char,
    pub summary: *const ::std::os::raw::c_char,
    pub default_schema: *const ::std::os::raw::c_char,
    pub options: *const weir_option_spec,
    pub n_options: usize,
    pub open: ::std::option::Option<
        unsafe extern "C" fn(
            definition: *const weir_definition,
            ret_mount: *mut *mut ::std::os::raw::c_void,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub close: ::std::option::Option<
        unsafe extern "C" fn(mount: *mut ::std::os::raw::c_void),
    >,
    pub list: ::std::option::Option<
        unsafe extern "C" fn(
            mount: *mut ::std::os::raw::c_void,
            path: *const ::std::os::raw::c_char,
            take: weir_entry_fn,
            sink: *mut ::std::os::raw::c_void,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub find: ::std::option::Option<
        unsafe extern "C" fn(
            mount: *mut ::std::os::raw::c_void,
            path: *const ::std::os::raw::c_char,
            ret_found: *mut weir_found,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub read: ::std::option::Option<
        unsafe extern "C" fn(
            mount: *mut ::std::os::raw::c_void,
            path: *const ::std::os::raw::c_char,
            ret_reader: *mut weir_reader,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub write: ::std::option::Option<
        unsafe extern "C" fn(
            mount: *mut ::std::os::raw::c_void,
            path: *const ::std::os::raw::c_char,
            overwrite: ::std::os::raw::c_int,
            ret_writer: *mut weir_writer,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub make_directory: ::std::option::Option<
        unsafe extern "C" fn(
            mount: *mut ::std::os::raw::c_void,
            path: *const ::std::os::raw::c_char,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub remove: ::std::option::Option<
        unsafe extern "C" fn(
            mount: *mut ::std::os::raw::c_void,
            path: *const ::std::os::raw::c_char,
            recursive: ::std::os::raw::c_int,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub rename: ::std::option::Option<
        unsafe extern "C" fn(
            mount: *mut ::std::os::raw::c_void,
            from: *const ::std::os::raw::c_char,
            to: *const ::std::os::raw::c_char,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub create_table: ::std::option::Option<
        unsafe extern "C" fn(
            mount: *mut ::std::os::raw::c_void,
            path: *const ::std::os::raw::c_char,
            columns: *const ArrowSchema,
            replace: ::std::os::raw::c_int,
            rows: *mut ArrowArrayStream,
            ret_n_rows: *mut i64,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub refresh: ::std::option::Option<
        unsafe extern "C" fn(
            mount: *mut ::std::os::raw::c_void,
            path: *const ::std::os::raw::c_char,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_mount_kind"][::std::mem::size_of::<weir_mount_kind>() - 136usize];
    ["Alignment of weir_mount_kind"][::std::mem::align_of::<weir_mount_kind>() - 8usize];
    [
        "Offset of field: weir_mount_kind::size",
    ][::std::mem::offset_of!(weir_mount_kind, size) - 0usize];
    [
        "Offset of field: weir_mount_kind::name",
    ][::std::mem::offset_of!(weir_mount_kind, name) - 8usize];
    [
        "Offset of field: weir_mount_kind::summary",
    ][::std::mem::offset_of!(weir_mount_kind, summary) - 16usize];
    [
        "Offset of field: weir_mount_kind::default_schema",
    ][::std::mem::offset_of!(weir_mount_kind, default_schema) - 24usize];
    [
        "Offset of field: weir_mount_kind::options",
    ][::std::mem::offset_of!(weir_mount_kind, options) - 32usize];
    [
        "Offset of field: weir_mount_kind::n_options",
    ][::std::mem::offset_of!(weir_mount_kind, n_options) - 40usize];
    [
        "Offset of field: weir_mount_kind::open",
    ][::std::mem::offset_of!(weir_mount_kind, open) - 48usize];
    [
        "Offset of field: weir_mount_kind::close",
    ][::std::mem::offset_of!(weir_mount_kind, close) - 56usize];
    [
        "Offset of field: weir_mount_kind::list",
    ][::std::mem::offset_of!(weir_mount_kind, list) - 64usize];
    [
        "Offset of field: weir_mount_kind::find",
    ][::std::mem::offset_of!(weir_mount_kind, find) - 72usize];
    [
        "Offset of field: weir_mount_kind::read",
    ][::std::mem::offset_of!(weir_mount_kind, read) - 80usize];
    [
        "Offset of field: weir_mount_kind::write",
    ][::std::mem::offset_of!(weir_mount_kind, write) - 88usize];
    [
        "Offset of field: weir_mount_kind::make_directory",
    ][::std::mem::offset_of!(weir_mount_kind, make_directory) - 96usize];
    [
        "Offset of field: weir_mount_kind::remove",
    ][::std::mem::offset_of!(weir_mount_kind, remove) - 104usize];
    [
        "Offset of field: weir_mount_kind::rename",
    ][::std::mem::offset_of!(weir_mount_kind, rename) - 112usize];
    [
        "Offset of field: weir_mount_kind::create_table",
    ][::std::mem::offset_of!(weir_mount_kind, create_table) - 120usize];
    [
        "Offset of field: weir_mount_kind::refresh",
    ][::std::mem::offset_of!(weir_mount_kind, refresh) - 128usize];
};
impl Default for weir_mount_kind {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub const WEIR_IMMUTABLE: weir_volatility = 0;
pub const WEIR_STABLE: weir_volatility = 1;
pub const WEIR_VOLATILE: weir_volatility = 2;
pub type weir_volatility = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_scalar_function {
    pub size: usize,
    pub name: *const ::std::os::raw::c_char,
    pub summary: *const ::std::os::raw::c_char,
    pub volatility: i32,
    pub bind: ::std::option::Option<
        unsafe extern "C" fn(
            private_data: *mut ::std::os::raw::c_void,
            arguments: *const ArrowSchema,
            ret_arguments: *mut ArrowSchema,
            ret_result: *mut ArrowSchema,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub call: ::std::option::Option<
        unsafe extern "C" fn(
            private_data: *mut ::std::os::raw::c_void,
            arguments: *const ArrowSchema,
            columns: *const ArrowArray,
            ret_result: *mut ArrowArray,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub private_data: *mut ::std::os::raw::c_void,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of weir_scalar_function",
    ][::std::mem::size_of::<weir_scalar_function>() - 56usize];
    [
        "Alignment of weir_scalar_function",
    ][::std::mem::align_of::<weir_scalar_function>() - 8usize];
    [
        "Offset of field: weir_scalar_function::size",
    ][::std::mem::offset_of!(weir_scalar_function, size) - 0usize];
    [
        "Offset of field: weir_scalar_function::name",
    ][::std::mem::offset_of!(weir_scalar_function, name) - 8usize];
    [
        "Offset of field: weir_scalar_function::summary",
    ][::std::mem::offset_of!(weir_scalar_function, summary) - 16usize];
    [
        "Offset of field: weir_scalar_function::volatility",
    ][::std::mem::offset_of!(weir_scalar_function, volatility) - 24usize];
    [
        "Offset of field: weir_scalar_function::bind",
    ][::std::mem::offset_of!(weir_scalar_function, bind) - 32usize];
    [
        "Offset of field: weir_scalar_function::call",
    ][::std::mem::offset_of!(weir_scalar_function, call) - 40usize];
    [
        "Offset of field: weir_scalar_function::private_data",
    ][::std::mem::offset_of!(weir_scalar_function, private_data) - 48usize];
};
impl Default for weir_scalar_function {
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
pub struct weir_aggregate_function {
    pub size: usize,
    pub name: *const ::std::os::raw::c_char,
    pub summary: *const ::std::os::raw::c_char,
    pub volatility: i32,
    pub bind: ::std::option::Option<
        unsafe extern "C" fn(
            private_data: *mut ::std::os::raw::c_void,
            arguments: *const ArrowSchema,
            ret_arguments: *mut ArrowSchema,
            ret_state: *mut ArrowSchema,
            ret_result: *mut ArrowSchema,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub open: ::std::option::Option<
        unsafe extern "C" fn(
            private_data: *mut ::std::os::raw::c_void,
            arguments: *const ArrowSchema,
            ret_accumulator: *mut *mut ::std::os::raw::c_void,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub close: ::std::option::Option<
        unsafe extern "C" fn(accumulator: *mut ::std::os::raw::c_void),
    >,
    pub update: ::std::option::Option<
        unsafe extern "C" fn(
            accumulator: *mut ::std::os::raw::c_void,
            columns: *const ArrowArray,
            groups: *const i64,
            n_groups: i64,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub merge: ::std::option::Option<
        unsafe extern "C" fn(
            accumulator: *mut ::std::os::raw::c_void,
            states: *const ArrowArray,
            groups: *const i64,
            n_groups: i64,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub take: ::std::option::Option<
        unsafe extern "C" fn(
            accumulator: *mut ::std::os::raw::c_void,
            n_groups: i64,
            is_state: ::std::os::raw::c_int,
            ret_rows: *mut ArrowArray,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub n_bytes: ::std::option::Option<
        unsafe extern "C" fn(accumulator: *mut ::std::os::raw::c_void) -> i64,
    >,
    pub private_data: *mut ::std::os::raw::c_void,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of weir_aggregate_function",
    ][::std::mem::size_of::<weir_aggregate_function>() - 96usize];
    [
        "Alignment of weir_aggregate_function",
    ][::std::mem::align_of::<weir_aggregate_function>() - 8usize];
    [
        "Offset of field: weir_aggregate_function::size",
    ][::std::mem::offset_of!(weir_aggregate_function, size) - 0usize];
    [
        "Offset of field: weir_aggregate_function::name",
    ][::std::mem::offset_of!(weir_aggregate_function, name) - 8usize];
    [
        "Offset of field: weir_aggregate_function::summary",
    ][::std::mem::offset_of!(weir_aggregate_function, summary) - 16usize];
    [
        "Offset of field: weir_aggregate_function::volatility",
    ][::std::mem::offset_of!(weir_aggregate_function, volatility) - 24usize];
    [
        "Offset of field: weir_aggregate_function::bind",
    ][::std::mem::offset_of!(weir_aggregate_function, bind) - 32usize];
    [
        "Offset of field: weir_aggregate_function::open",
    ][::std::mem::offset_of!(weir_aggregate_function, open) - 40usize];
    [
        "Offset of field: weir_aggregate_function::close",
    ][::std::mem::offset_of!(weir_aggregate_function, close) - 48usize];
    [
        "Offset of field: weir_aggregate_function::update",
    ][::std::mem::offset_of!(weir_aggregate_function, update) - 56usize];
    [
        "Offset of field: weir_aggregate_function::merge",
    ][::std::mem::offset_of!(weir_aggregate_function, merge) - 64usize];
    [
        "Offset of field: weir_aggregate_function::take",
    ][::std::mem::offset_of!(weir_aggregate_function, take) - 72usize];
    [
        "Offset of field: weir_aggregate_function::n_bytes",
    ][::std::mem::offset_of!(weir_aggregate_function, n_bytes) - 80usize];
    [
        "Offset of field: weir_aggregate_function::private_data",
    ][::std::mem::offset_of!(weir_aggregate_function, private_data) - 88usize];
};
impl Default for weir_aggregate_function {
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
pub struct weir_encoding {
    pub size: usize,
    pub name: *const ::std::os::raw::c_char,
    pub summary: *const ::std::os::raw::c_char,
    pub suffixes: *const *const ::std::os::raw::c_char,
    pub options: *const weir_option_spec,
    pub n_options: usize,
    pub read: ::std::option::Option<
        unsafe extern "C" fn(
            private_data: *mut ::std::os::raw::c_void,
            file: *mut weir_reader,
            options: *const weir_option,
            n_options: usize,
            ret_rows: *mut ArrowArrayStream,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub write: ::std::option::Option<
        unsafe extern "C" fn(
            private_data: *mut ::std::os::raw::c_void,
            rows: *mut ArrowArrayStream,
            options: *const weir_option,
            n_options: usize,
            write: weir_write_fn,
            sink: *mut ::std::os::raw::c_void,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub private_data: *mut ::std::os::raw::c_void,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_encoding"][::std::mem::size_of::<weir_encoding>() - 72usize];
    ["Alignment of weir_encoding"][::std::mem::align_of::<weir_encoding>() - 8usize];
    [
        "Offset of field: weir_encoding::size",
    ][::std::mem::offset_of!(weir_encoding, size) - 0usize];
    [
        "Offset of field: weir_encoding::name",
    ][::std::mem::offset_of!(weir_encoding, name) - 8usize];
    [
        "Offset of field: weir_encoding::summary",
    ][::std::mem::offset_of!(weir_encoding, summary) - 16usize];
    [
        "Offset of field: weir_encoding::suffixes",
    ][::std::mem::offset_of!(weir_encoding, suffixes) - 24usize];
    [
        "Offset of field: weir_encoding::options",
    ][::std::mem::offset_of!(weir_encoding, options) - 32usize];
    [
        "Offset of field: weir_encoding::n_options",
    ][::std::mem::offset_of!(weir_encoding, n_options) - 40usize];
    [
        "Offset of field: weir_encoding::read",
    ][::std::mem::offset_of!(weir_encoding, read) - 48usize];
    [
        "Offset of field: weir_encoding::write",
    ][::std::mem::offset_of!(weir_encoding, write) - 56usize];
    [
        "Offset of field: weir_encoding::private_data",
    ][::std::mem::offset_of!(weir_encoding, private_data) - 64usize];
};
impl Default for weir_encoding {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type weir_find_kind_fn = ::std::option::Option<
    unsafe extern "C" fn(
        finder: *mut ::std::os::raw::c_void,
        name: *const ::std::os::raw::c_char,
        ret_kind: *mut *const weir_table_kind,
        error: *mut weir_error,
    ) -> ::std::os::raw::c_int,
>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct weir_watch {
    pub room: [*mut ::std::os::raw::c_void; 8usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_watch"][::std::mem::size_of::<weir_watch>() - 64usize];
    ["Alignment of weir_watch"][::std::mem::align_of::<weir_watch>() - 8usize];
    [
        "Offset of field: weir_watch::room",
    ][::std::mem::offset_of!(weir_watch, room) - 0usize];
};
impl Default for weir_watch {
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
pub struct weir_host {
    pub size: usize,
    pub abi: u32,
    pub context: *mut ::std::os::raw::c_void,
    pub state: *const ::std::os::raw::c_char,
    pub options: *const weir_option,
    pub n_options: usize,
    pub register_kind: ::std::option::Option<
        unsafe extern "C" fn(
            context: *mut ::std::os::raw::c_void,
            kind: *const weir_table_kind,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub register_mount_kind: ::std::option::Option<
        unsafe extern "C" fn(
            context: *mut ::std::os::raw::c_void,
            kind: *const weir_mount_kind,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub register_finder: ::std::option::Option<
        unsafe extern "C" fn(
            context: *mut ::std::os::raw::c_void,
            find: weir_find_kind_fn,
            finder: *mut ::std::os::raw::c_void,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub register_scalar_function: ::std::option::Option<
        unsafe extern "C" fn(
            context: *mut ::std::os::raw::c_void,
            function: *const weir_scalar_function,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub register_aggregate_function: ::std::option::Option<
        unsafe extern "C" fn(
            context: *mut ::std::os::raw::c_void,
            function: *const weir_aggregate_function,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub watch: ::std::option::Option<
        unsafe extern "C" fn(
            watch: *mut weir_watch,
            stop: ::std::option::Option<
                unsafe extern "C" fn(stopped: *mut ::std::os::raw::c_void),
            >,
            stopped: *mut ::std::os::raw::c_void,
        ) -> ::std::os::raw::c_int,
    >,
    pub unwatch: ::std::option::Option<unsafe extern "C" fn(watch: *mut weir_watch)>,
    pub register_encoding: ::std::option::Option<
        unsafe extern "C" fn(
            context: *mut ::std::os::raw::c_void,
            encoding: *const weir_encoding,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_host"][::std::mem::size_of::<weir_host>() - 112usize];
    ["Alignment of weir_host"][::std::mem::align_of::<weir_host>() - 8usize];
    [
        "Offset of field: weir_host::size",
    ][::std::mem::offset_of!(weir_host, size) - 0usize];
    ["Offset of field: weir_host::abi"][::std::mem::offset_of!(weir_host, abi) - 8usize];
    [
        "Offset of field: weir_host::context",
    ][::std::mem::offset_of!(weir_host, context) - 16usize];
    [
        "Offset of field: weir_host::state",
    ][::std::mem::offset_of!(weir_host, state) - 24usize];
    [
        "Offset of field: weir_host::options",
    ][::std::mem::offset_of!(weir_host, options) - 32usize];
    [
        "Offset of field: weir_host::n_options",
    ][::std::mem::offset_of!(weir_host, n_options) - 40usize];
    [
        "Offset of field: weir_host::register_kind",
    ][::std::mem::offset_of!(weir_host, register_kind) - 48usize];
    [
        "Offset of field: weir_host::register_mount_kind",
    ][::std::mem::offset_of!(weir_host, register_mount_kind) - 56usize];
    [
        "Offset of field: weir_host::register_finder",
    ][::std::mem::offset_of!(weir_host, register_finder) - 64usize];
    [
        "Offset of field: weir_host::register_scalar_function",
    ][::std::mem::offset_of!(weir_host, register_scalar_function) - 72usize];
    [
        "Offset of field: weir_host::register_aggregate_function",
    ][::std::mem::offset_of!(weir_host, register_aggregate_function) - 80usize];
    [
        "Offset of field: weir_host::watch",
    ][::std::mem::offset_of!(weir_host, watch) - 88usize];
    [
        "Offset of field: weir_host::unwatch",
    ][::std::mem::offset_of!(weir_host, unwatch) - 96usize];
    [
        "Offset of field: weir_host::register_encoding",
    ][::std::mem::offset_of!(weir_host, register_encoding) - 104usize];
};
impl Default for weir_host {
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
pub struct weir_extension {
    pub size: usize,
    pub abi: u32,
    pub name: *const ::std::os::raw::c_char,
    pub version: *const ::std::os::raw::c_char,
    pub summary: *const ::std::os::raw::c_char,
    pub close: ::std::option::Option<
        unsafe extern "C" fn(private_data: *mut ::std::os::raw::c_void),
    >,
    pub private_data: *mut ::std::os::raw::c_void,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of weir_extension"][::std::mem::size_of::<weir_extension>() - 56usize];
    ["Alignment of weir_extension"][::std::mem::align_of::<weir_extension>() - 8usize];
    [
        "Offset of field: weir_extension::size",
    ][::std::mem::offset_of!(weir_extension, size) - 0usize];
    [
        "Offset of field: weir_extension::abi",
    ][::std::mem::offset_of!(weir_extension, abi) - 8usize];
    [
        "Offset of field: weir_extension::name",
    ][::std::mem::offset_of!(weir_extension, name) - 16usize];
    [
        "Offset of field: weir_extension::version",
    ][::std::mem::offset_of!(weir_extension, version) - 24usize];
    [
        "Offset of field: weir_extension::summary",
    ][::std::mem::offset_of!(weir_extension, summary) - 32usize];
    [
        "Offset of field: weir_extension::close",
    ][::std::mem::offset_of!(weir_extension, close) - 40usize];
    [
        "Offset of field: weir_extension::private_data",
    ][::std::mem::offset_of!(weir_extension, private_data) - 48usize];
};
impl Default for weir_extension {
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
#[derive(Debug)]
pub struct wr_call {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct wr_call_place {
    pub room: [*mut ::std::os::raw::c_void; 2usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of wr_call_place"][::std::mem::size_of::<wr_call_place>() - 16usize];
    ["Alignment of wr_call_place"][::std::mem::align_of::<wr_call_place>() - 8usize];
    [
        "Offset of field: wr_call_place::room",
    ][::std::mem::offset_of!(wr_call_place, room) - 0usize];
};
impl Default for wr_call_place {
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
pub struct wr_call_watch {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct wr_calls {
    pub make: ::std::option::Option<unsafe extern "C" fn() -> *mut wr_call>,
    pub release: ::std::option::Option<unsafe extern "C" fn(call: *mut wr_call)>,
    pub current: ::std::option::Option<unsafe extern "C" fn() -> *mut wr_call>,
    pub serve: ::std::option::Option<
        unsafe extern "C" fn(place: *mut wr_call_place, call: *mut wr_call),
    >,
    pub unserve: ::std::option::Option<unsafe extern "C" fn(place: *mut wr_call_place)>,
    pub cancel: ::std::option::Option<unsafe extern "C" fn(call: *mut wr_call)>,
    pub watch: ::std::option::Option<
        unsafe extern "C" fn(
            stop: ::std::option::Option<
                unsafe extern "C" fn(context: *mut ::std::os::raw::c_void),
            >,
            context: *mut ::std::os::raw::c_void,
        ) -> *mut wr_call_watch,
    >,
    pub unwatch: ::std::option::Option<unsafe extern "C" fn(watch: *mut wr_call_watch)>,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of wr_calls"][::std::mem::size_of::<wr_calls>() - 64usize];
    ["Alignment of wr_calls"][::std::mem::align_of::<wr_calls>() - 8usize];
    ["Offset of field: wr_calls::make"][::std::mem::offset_of!(wr_calls, make) - 0usize];
    [
        "Offset of field: wr_calls::release",
    ][::std::mem::offset_of!(wr_calls, release) - 8usize];
    [
        "Offset of field: wr_calls::current",
    ][::std::mem::offset_of!(wr_calls, current) - 16usize];
    [
        "Offset of field: wr_calls::serve",
    ][::std::mem::offset_of!(wr_calls, serve) - 24usize];
    [
        "Offset of field: wr_calls::unserve",
    ][::std::mem::offset_of!(wr_calls, unserve) - 32usize];
    [
        "Offset of field: wr_calls::cancel",
    ][::std::mem::offset_of!(wr_calls, cancel) - 40usize];
    [
        "Offset of field: wr_calls::watch",
    ][::std::mem::offset_of!(wr_calls, watch) - 48usize];
    [
        "Offset of field: wr_calls::unwatch",
    ][::std::mem::offset_of!(wr_calls, unwatch) - 56usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct wr_cache {
    pub size: usize,
    pub context: *mut ::std::os::raw::c_void,
    pub get: ::std::option::Option<
        unsafe extern "C" fn(
            context: *mut ::std::os::raw::c_void,
            key: *const ::std::os::raw::c_char,
            take: ::std::option::Option<
                unsafe extern "C" fn(
                    sink: *mut ::std::os::raw::c_void,
                    data: *const ::std::os::raw::c_void,
                    length: usize,
                ),
            >,
            sink: *mut ::std::os::raw::c_void,
        ),
    >,
    pub put: ::std::option::Option<
        unsafe extern "C" fn(
            context: *mut ::std::os::raw::c_void,
            key: *const ::std::os::raw::c_char,
            data: *const ::std::os::raw::c_void,
            length: usize,
        ),
    >,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of wr_cache"][::std::mem::size_of::<wr_cache>() - 32usize];
    ["Alignment of wr_cache"][::std::mem::align_of::<wr_cache>() - 8usize];
    ["Offset of field: wr_cache::size"][::std::mem::offset_of!(wr_cache, size) - 0usize];
    [
        "Offset of field: wr_cache::context",
    ][::std::mem::offset_of!(wr_cache, context) - 8usize];
    ["Offset of field: wr_cache::get"][::std::mem::offset_of!(wr_cache, get) - 16usize];
    ["Offset of field: wr_cache::put"][::std::mem::offset_of!(wr_cache, put) - 24usize];
};
impl Default for wr_cache {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub const WR_BLOCK: _bindgen_ty_3 = 65536;
pub type _bindgen_ty_3 = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct wr_blocks {
    pub size: usize,
    pub context: *mut ::std::os::raw::c_void,
    pub is_lasting: i32,
    pub is_empty: ::std::option::Option<
        unsafe extern "C" fn(context: *mut ::std::os::raw::c_void) -> i32,
    >,
    pub get: ::std::option::Option<
        unsafe extern "C" fn(
            context: *mut ::std::os::raw::c_void,
            object: *const ::std::os::raw::c_char,
            first: u64,
            n: usize,
            data: *mut ::std::os::raw::c_void,
            lengths: *mut u32,
        ),
    >,
    pub put: ::std::option::Option<
        unsafe extern "C" fn(
            context: *mut ::std::os::raw::c_void,
            object: *const ::std::os::raw::c_char,
            first: u64,
            data: *const ::std::os::raw::c_void,
            length: usize,
        ),
    >,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of wr_blocks"][::std::mem::size_of::<wr_blocks>() - 48usize];
    ["Alignment of wr_blocks"][::std::mem::align_of::<wr_blocks>() - 8usize];
    [
        "Offset of field: wr_blocks::size",
    ][::std::mem::offset_of!(wr_blocks, size) - 0usize];
    [
        "Offset of field: wr_blocks::context",
    ][::std::mem::offset_of!(wr_blocks, context) - 8usize];
    [
        "Offset of field: wr_blocks::is_lasting",
    ][::std::mem::offset_of!(wr_blocks, is_lasting) - 16usize];
    [
        "Offset of field: wr_blocks::is_empty",
    ][::std::mem::offset_of!(wr_blocks, is_empty) - 24usize];
    [
        "Offset of field: wr_blocks::get",
    ][::std::mem::offset_of!(wr_blocks, get) - 32usize];
    [
        "Offset of field: wr_blocks::put",
    ][::std::mem::offset_of!(wr_blocks, put) - 40usize];
};
impl Default for wr_blocks {
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
pub struct wr_locate {
    pub context: *mut ::std::os::raw::c_void,
    pub call: ::std::option::Option<
        unsafe extern "C" fn(
            context: *mut ::std::os::raw::c_void,
            url: *const ::std::os::raw::c_char,
            take: ::std::option::Option<
                unsafe extern "C" fn(
                    sink: *mut ::std::os::raw::c_void,
                    object_url: *const ::std::os::raw::c_char,
                ),
            >,
            sink: *mut ::std::os::raw::c_void,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of wr_locate"][::std::mem::size_of::<wr_locate>() - 16usize];
    ["Alignment of wr_locate"][::std::mem::align_of::<wr_locate>() - 8usize];
    [
        "Offset of field: wr_locate::context",
    ][::std::mem::offset_of!(wr_locate, context) - 0usize];
    [
        "Offset of field: wr_locate::call",
    ][::std::mem::offset_of!(wr_locate, call) - 8usize];
};
impl Default for wr_locate {
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
pub struct wr_log {
    pub context: *mut ::std::os::raw::c_void,
    pub write: ::std::option::Option<
        unsafe extern "C" fn(
            context: *mut ::std::os::raw::c_void,
            line: *const ::std::os::raw::c_char,
        ),
    >,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of wr_log"][::std::mem::size_of::<wr_log>() - 16usize];
    ["Alignment of wr_log"][::std::mem::align_of::<wr_log>() - 8usize];
    [
        "Offset of field: wr_log::context",
    ][::std::mem::offset_of!(wr_log, context) - 0usize];
    ["Offset of field: wr_log::write"][::std::mem::offset_of!(wr_log, write) - 8usize];
};
impl Default for wr_log {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub const WR_TRACE_PLACE: _bindgen_ty_4 = 24;
pub type _bindgen_ty_4 = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct wr_span_attribute {
    pub key: *const ::std::os::raw::c_char,
    pub text: *const ::std::os::raw::c_char,
    pub number: i64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of wr_span_attribute"][::std::mem::size_of::<wr_span_attribute>() - 24usize];
    [
        "Alignment of wr_span_attribute",
    ][::std::mem::align_of::<wr_span_attribute>() - 8usize];
    [
        "Offset of field: wr_span_attribute::key",
    ][::std::mem::offset_of!(wr_span_attribute, key) - 0usize];
    [
        "Offset of field: wr_span_attribute::text",
    ][::std::mem::offset_of!(wr_span_attribute, text) - 8usize];
    [
        "Offset of field: wr_span_attribute::number",
    ][::std::mem::offset_of!(wr_span_attribute, number) - 16usize];
};
impl Default for wr_span_attribute {
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
pub struct wr_span {
    pub size: usize,
    pub parent: *const ::std::os::raw::c_uchar,
    pub name: *const ::std::os::raw::c_char,
    pub start_ns: i64,
    pub end_ns: i64,
    pub has_failed: i32,
    pub attributes: *const wr_span_attribute,
    pub n_attributes: usize,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of wr_span"][::std::mem::size_of::<wr_span>() - 64usize];
    ["Alignment of wr_span"][::std::mem::align_of::<wr_span>() - 8usize];
    ["Offset of field: wr_span::size"][::std::mem::offset_of!(wr_span, size) - 0usize];
    [
        "Offset of field: wr_span::parent",
    ][::std::mem::offset_of!(wr_span, parent) - 8usize];
    ["Offset of field: wr_span::name"][::std::mem::offset_of!(wr_span, name) - 16usize];
    [
        "Offset of field: wr_span::start_ns",
    ][::std::mem::offset_of!(wr_span, start_ns) - 24usize];
    [
        "Offset of field: wr_span::end_ns",
    ][::std::mem::offset_of!(wr_span, end_ns) - 32usize];
    [
        "Offset of field: wr_span::has_failed",
    ][::std::mem::offset_of!(wr_span, has_failed) - 40usize];
    [
        "Offset of field: wr_span::attributes",
    ][::std::mem::offset_of!(wr_span, attributes) - 48usize];
    [
        "Offset of field: wr_span::n_attributes",
    ][::std::mem::offset_of!(wr_span, n_attributes) - 56usize];
};
impl Default for wr_span {
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
pub struct wr_tracer {
    pub context: *mut ::std::os::raw::c_void,
    pub place: ::std::option::Option<
        unsafe extern "C" fn(ret_place: *mut ::std::os::raw::c_uchar),
    >,
    pub span: ::std::option::Option<
        unsafe extern "C" fn(context: *mut ::std::os::raw::c_void, span: *const wr_span),
    >,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of wr_tracer"][::std::mem::size_of::<wr_tracer>() - 24usize];
    ["Alignment of wr_tracer"][::std::mem::align_of::<wr_tracer>() - 8usize];
    [
        "Offset of field: wr_tracer::context",
    ][::std::mem::offset_of!(wr_tracer, context) - 0usize];
    [
        "Offset of field: wr_tracer::place",
    ][::std::mem::offset_of!(wr_tracer, place) - 8usize];
    [
        "Offset of field: wr_tracer::span",
    ][::std::mem::offset_of!(wr_tracer, span) - 16usize];
};
impl Default for wr_tracer {
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
pub struct wr_engine_options {
    pub size: usize,
    pub threads: i32,
    pub memory_limit: i64,
    pub spill_path: *const ::std::os::raw::c_char,
    pub spill_limit: i64,
    pub cache: *const wr_cache,
    pub open_beneath: ::std::option::Option<
        unsafe extern "C" fn(
            root: *const ::std::os::raw::c_char,
            path: *const ::std::os::raw::c_char,
            ret_fd: *mut ::std::os::raw::c_int,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub locate: wr_locate,
    pub calls: *const wr_calls,
    pub uploads_path: *const ::std::os::raw::c_char,
    pub log: wr_log,
    pub blocks: *const wr_blocks,
    pub tracer: wr_tracer,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of wr_engine_options"][::std::mem::size_of::<wr_engine_options>() - 136usize];
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
    [
        "Offset of field: wr_engine_options::cache",
    ][::std::mem::offset_of!(wr_engine_options, cache) - 40usize];
    [
        "Offset of field: wr_engine_options::open_beneath",
    ][::std::mem::offset_of!(wr_engine_options, open_beneath) - 48usize];
    [
        "Offset of field: wr_engine_options::locate",
    ][::std::mem::offset_of!(wr_engine_options, locate) - 56usize];
    [
        "Offset of field: wr_engine_options::calls",
    ][::std::mem::offset_of!(wr_engine_options, calls) - 72usize];
    [
        "Offset of field: wr_engine_options::uploads_path",
    ][::std::mem::offset_of!(wr_engine_options, uploads_path) - 80usize];
    [
        "Offset of field: wr_engine_options::log",
    ][::std::mem::offset_of!(wr_engine_options, log) - 88usize];
    [
        "Offset of field: wr_engine_options::blocks",
    ][::std::mem::offset_of!(wr_engine_options, blocks) - 104usize];
    [
        "Offset of field: wr_engine_options::tracer",
    ][::std::mem::offset_of!(wr_engine_options, tracer) - 112usize];
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
pub struct wr_post {
    pub size: usize,
    pub url: *const ::std::os::raw::c_char,
    pub headers: *const weir_option,
    pub n_headers: usize,
    pub body: *const ::std::os::raw::c_void,
    pub length: usize,
    pub timeout_ms: i64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of wr_post"][::std::mem::size_of::<wr_post>() - 56usize];
    ["Alignment of wr_post"][::std::mem::align_of::<wr_post>() - 8usize];
    ["Offset of field: wr_post::size"][::std::mem::offset_of!(wr_post, size) - 0usize];
    ["Offset of field: wr_post::url"][::std::mem::offset_of!(wr_post, url) - 8usize];
    [
        "Offset of field: wr_post::headers",
    ][::std::mem::offset_of!(wr_post, headers) - 16usize];
    [
        "Offset of field: wr_post::n_headers",
    ][::std::mem::offset_of!(wr_post, n_headers) - 24usize];
    ["Offset of field: wr_post::body"][::std::mem::offset_of!(wr_post, body) - 32usize];
    [
        "Offset of field: wr_post::length",
    ][::std::mem::offset_of!(wr_post, length) - 40usize];
    [
        "Offset of field: wr_post::timeout_ms",
    ][::std::mem::offset_of!(wr_post, timeout_ms) - 48usize];
};
impl Default for wr_post {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type wr_metric_fn = ::std::option::Option<
    unsafe extern "C" fn(
        sink: *mut ::std::os::raw::c_void,
        name: *const ::std::os::raw::c_char,
        value: i64,
        help: *const ::std::os::raw::c_char,
    ),
>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct wr_addition {
    pub scalar: *const weir_scalar_function,
    pub aggregate: *const weir_aggregate_function,
    pub encoding: *const weir_encoding,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of wr_addition"][::std::mem::size_of::<wr_addition>() - 24usize];
    ["Alignment of wr_addition"][::std::mem::align_of::<wr_addition>() - 8usize];
    [
        "Offset of field: wr_addition::scalar",
    ][::std::mem::offset_of!(wr_addition, scalar) - 0usize];
    [
        "Offset of field: wr_addition::aggregate",
    ][::std::mem::offset_of!(wr_addition, aggregate) - 8usize];
    [
        "Offset of field: wr_addition::encoding",
    ][::std::mem::offset_of!(wr_addition, encoding) - 16usize];
};
impl Default for wr_addition {
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
    pub has_own_rights: i32,
    pub calls: *const wr_calls,
    pub release: ::std::option::Option<unsafe extern "C" fn(table: *mut wr_table)>,
    pub private_data: *mut ::std::os::raw::c_void,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of wr_table"][::std::mem::size_of::<wr_table>() - 376usize];
    ["Alignment of wr_table"][::std::mem::align_of::<wr_table>() - 8usize];
    ["Offset of field: wr_table::form"][::std::mem::offset_of!(wr_table, form) - 0usize];
    [
        "Offset of field: wr_table::kind",
    ][::std::mem::offset_of!(wr_table, kind) - 312usize];
    [
        "Offset of field: wr_table::instance",
    ][::std::mem::offset_of!(wr_table, instance) - 320usize];
    [
        "Offset of field: wr_table::is_view",
    ][::std::mem::offset_of!(wr_table, is_view) - 328usize];
    [
        "Offset of field: wr_table::definition",
    ][::std::mem::offset_of!(wr_table, definition) - 336usize];
    [
        "Offset of field: wr_table::has_own_rights",
    ][::std::mem::offset_of!(wr_table, has_own_rights) - 344usize];
    [
        "Offset of field: wr_table::calls",
    ][::std::mem::offset_of!(wr_table, calls) - 352usize];
    [
        "Offset of field: wr_table::release",
    ][::std::mem::offset_of!(wr_table, release) - 360usize];
    [
        "Offset of field: wr_table::private_data",
    ][::std::mem::offset_of!(wr_table, private_data) - 368usize];
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
    pub has: ::std::option::Option<
        unsafe extern "C" fn(
            context: *mut ::std::os::raw::c_void,
            catalog: *const ::std::os::raw::c_char,
            schema: *const ::std::os::raw::c_char,
        ) -> ::std::os::raw::c_int,
    >,
    pub table: ::std::option::Option<
        unsafe extern "C" fn(
            context: *mut ::std::os::raw::c_void,
            catalog: *const ::std::os::raw::c_char,
            schema: *const ::std::os::raw::c_char,
            name: *const ::std::os::raw::c_char,
            options: *const weir_option,
            n_options: usize,
            in_view: i32,
            ret_table: *mut wr_table,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of wr_catalog"][::std::mem::size_of::<wr_catalog>() - 40usize];
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
        "Offset of field: wr_catalog::has",
    ][::std::mem::offset_of!(wr_catalog, has) - 24usize];
    [
        "Offset of field: wr_catalog::table",
    ][::std::mem::offset_of!(wr_catalog, table) - 32usize];
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
    ][::std::mem::size_of::<wr_session_options>() - 72usize];
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
    ][::std::mem::offset_of!(wr_session_options, functions) - 64usize];
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
#[repr(C)]
#[derive(Debug)]
pub struct wr_objects {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug)]
pub struct wr_upload {
    _unused: [u8; 0],
}
pub type wr_credential_fn = ::std::option::Option<
    unsafe extern "C" fn(
        sink: *mut ::std::os::raw::c_void,
        name: *const ::std::os::raw::c_char,
        value: *const ::std::os::raw::c_char,
    ),
>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct wr_guard {
    pub context: *mut ::std::os::raw::c_void,
    pub address: ::std::option::Option<
        unsafe extern "C" fn(
            context: *mut ::std::os::raw::c_void,
            host: *const ::std::os::raw::c_char,
            address: *const ::std::os::raw::c_char,
        ) -> ::std::os::raw::c_int,
    >,
    pub redirect: ::std::option::Option<
        unsafe extern "C" fn(
            context: *mut ::std::os::raw::c_void,
            url: *const ::std::os::raw::c_char,
        ) -> ::std::os::raw::c_int,
    >,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of wr_guard"][::std::mem::size_of::<wr_guard>() - 24usize];
    ["Alignment of wr_guard"][::std::mem::align_of::<wr_guard>() - 8usize];
    [
        "Offset of field: wr_guard::context",
    ][::std::mem::offset_of!(wr_guard, context) - 0usize];
    [
        "Offset of field: wr_guard::address",
    ][::std::mem::offset_of!(wr_guard, address) - 8usize];
    [
        "Offset of field: wr_guard::redirect",
    ][::std::mem::offset_of!(wr_guard, redirect) - 16usize];
};
impl Default for wr_guard {
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
pub struct wr_objects_options {
    pub size: usize,
    pub type_: *const ::std::os::raw::c_char,
    pub url: *const ::std::os::raw::c_char,
    pub options: *const weir_option,
    pub n_options: usize,
    pub credentials: ::std::option::Option<
        unsafe extern "C" fn(
            context: *mut ::std::os::raw::c_void,
            refused: i32,
            take: wr_credential_fn,
            sink: *mut ::std::os::raw::c_void,
            ret_expires_ns: *mut i64,
            error: *mut weir_error,
        ) -> ::std::os::raw::c_int,
    >,
    pub context: *mut ::std::os::raw::c_void,
    pub release: ::std::option::Option<
        unsafe extern "C" fn(context: *mut ::std::os::raw::c_void),
    >,
    pub guard: *const wr_guard,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of wr_objects_options",
    ][::std::mem::size_of::<wr_objects_options>() - 72usize];
    [
        "Alignment of wr_objects_options",
    ][::std::mem::align_of::<wr_objects_options>() - 8usize];
    [
        "Offset of field: wr_objects_options::size",
    ][::std::mem::offset_of!(wr_objects_options, size) - 0usize];
    [
        "Offset of field: wr_objects_options::type_",
    ][::std::mem::offset_of!(wr_objects_options, type_) - 8usize];
    [
        "Offset of field: wr_objects_options::url",
    ][::std::mem::offset_of!(wr_objects_options, url) - 16usize];
    [
        "Offset of field: wr_objects_options::options",
    ][::std::mem::offset_of!(wr_objects_options, options) - 24usize];
    [
        "Offset of field: wr_objects_options::n_options",
    ][::std::mem::offset_of!(wr_objects_options, n_options) - 32usize];
    [
        "Offset of field: wr_objects_options::credentials",
    ][::std::mem::offset_of!(wr_objects_options, credentials) - 40usize];
    [
        "Offset of field: wr_objects_options::context",
    ][::std::mem::offset_of!(wr_objects_options, context) - 48usize];
    [
        "Offset of field: wr_objects_options::release",
    ][::std::mem::offset_of!(wr_objects_options, release) - 56usize];
    [
        "Offset of field: wr_objects_options::guard",
    ][::std::mem::offset_of!(wr_objects_options, guard) - 64usize];
};
impl Default for wr_objects_options {
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
pub struct wr_object {
    pub size: usize,
    pub key: *const ::std::os::raw::c_char,
    pub n_bytes: i64,
    pub modified_ns: i64,
    pub etag: *const ::std::os::raw::c_char,
    pub version: *const ::std::os::raw::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of wr_object"][::std::mem::size_of::<wr_object>() - 48usize];
    ["Alignment of wr_object"][::std::mem::align_of::<wr_object>() - 8usize];
    [
        "Offset of field: wr_object::size",
    ][::std::mem::offset_of!(wr_object, size) - 0usize];
    ["Offset of field: wr_object::key"][::std::mem::offset_of!(wr_object, key) - 8usize];
    [
        "Offset of field: wr_object::n_bytes",
    ][::std::mem::offset_of!(wr_object, n_bytes) - 16usize];
    [
        "Offset of field: wr_object::modified_ns",
    ][::std::mem::offset_of!(wr_object, modified_ns) - 24usize];
    [
        "Offset of field: wr_object::etag",
    ][::std::mem::offset_of!(wr_object, etag) - 32usize];
    [
        "Offset of field: wr_object::version",
    ][::std::mem::offset_of!(wr_object, version) - 40usize];
};
impl Default for wr_object {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type wr_object_fn = ::std::option::Option<
    unsafe extern "C" fn(sink: *mut ::std::os::raw::c_void, object: *const wr_object),
>;
pub const WR_PUT_OVERWRITE: wr_put_mode = 0;
pub const WR_PUT_CREATE: wr_put_mode = 1;
pub const WR_PUT_IF_MATCH: wr_put_mode = 2;
pub type wr_put_mode = ::std::os::raw::c_uint;
