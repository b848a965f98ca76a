//! The entries of engine.h for stores.

use std::ffi::{c_char, c_int, c_void};
use std::sync::Mutex;

use crate::bindings::*;
use crate::catalog::{slice, text};
use crate::error::{Result, coded, guard};
use crate::runtime::Engine;
use crate::{borrow, discard, give, give_text, take_back};

use super::calls::mode;
use super::options::each;
use super::{Objects, Upload};

fn key(name: *const c_char) -> Result<String> {
    text(name).ok_or_else(|| coded(WEIR_INVALID_ARGUMENT, "22004", "no object is named"))
}

fn give_etag(etag: Option<String>, ret_etag: *mut *mut c_char) -> Result<()> {
    if ret_etag.is_null() {
        return Ok(());
    }
    match etag {
        Some(etag) => give_text(etag, ret_etag),
        None => {
            unsafe { *ret_etag = std::ptr::null_mut() };
            Ok(())
        }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_objects_open(
    engine: *mut c_void,
    options: *const wr_objects_options,
    ret_objects: *mut *mut c_void,
    error: *mut weir_error,
) -> c_int {
    guard(error, || {
        let engine = unsafe { borrow::<Engine>(engine) };
        give(Objects::open(engine, unsafe { &*options })?, ret_objects);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_objects_close(objects: *mut c_void) {
    unsafe { discard::<Objects>(objects) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_objects_url(objects: *const c_void) -> *const c_char {
    unsafe { borrow::<Objects>(objects) }.url()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_objects_head(
    objects: *mut c_void,
    name: *const c_char,
    take: wr_object_fn,
    sink: *mut c_void,
    error: *mut weir_error,
) -> c_int {
    guard(error, || unsafe { borrow::<Objects>(objects) }.head(&key(name)?, take, sink))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_objects_get(
    objects: *mut c_void,
    name: *const c_char,
    offset: i64,
    length: usize,
    if_match: *const c_char,
    data: *mut c_void,
    ret_length: *mut usize,
    take: wr_object_fn,
    sink: *mut c_void,
    error: *mut weir_error,
) -> c_int {
    guard(error, || {
        let objects = unsafe { borrow::<Objects>(objects) };
        let offset = u64::try_from(offset).map_err(|_| {
            coded(WEIR_INVALID_ARGUMENT, "22023", format!("no place in an object: {offset}"))
        })?;
        let (bytes, meta) = objects.get(&key(name)?, offset, length as u64, text(if_match))?;
        let n = bytes.len().min(length);
        super::calls::give_object(meta.location.as_ref(), &meta, take, sink)?;
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), data.cast(), n);
            *ret_length = n;
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_objects_put(
    objects: *mut c_void,
    name: *const c_char,
    data: *const c_void,
    length: usize,
    put_mode: c_int,
    if_match: *const c_char,
    ret_etag: *mut *mut c_char,
    error: *mut weir_error,
) -> c_int {
    guard(error, || {
        let objects = unsafe { borrow::<Objects>(objects) };
        let data = unsafe { slice(data.cast::<u8>(), length) };
        give_etag(objects.put(&key(name)?, data, mode(put_mode, text(if_match)))?, ret_etag)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_upload_open(
    objects: *mut c_void,
    name: *const c_char,
    put_mode: c_int,
    if_match: *const c_char,
    ret_upload: *mut *mut c_void,
    error: *mut weir_error,
) -> c_int {
    guard(error, || {
        let objects = unsafe { borrow::<Objects>(objects) };
        let upload = Upload::new(objects, key(name)?, mode(put_mode, text(if_match)))?;
        give(std::sync::Arc::new(Mutex::new(Some(upload))), ret_upload);
        Ok(())
    })
}

type Held = Mutex<Option<Upload>>;

fn ended() -> datafusion::common::DataFusionError {
    coded(WEIR_INVALID_STATE, "55000", "the upload has ended")
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_upload_write(
    upload: *mut c_void,
    data: *const c_void,
    length: usize,
    error: *mut weir_error,
) -> c_int {
    guard(error, || {
        let mut upload = unsafe { borrow::<Held>(upload) }.lock().unwrap();
        upload.as_mut().ok_or_else(ended)?.write(unsafe { slice(data.cast::<u8>(), length) })
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_upload_commit(
    upload: *mut c_void,
    ret_etag: *mut *mut c_char,
    error: *mut weir_error,
) -> c_int {
    guard(error, || {
        let upload = unsafe { borrow::<Held>(upload) }.lock().unwrap().take();
        give_etag(upload.ok_or_else(ended)?.commit()?, ret_etag)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_upload_free(upload: *mut c_void) {
    guard(std::ptr::null_mut(), || {
        drop(unsafe { take_back::<Held>(upload) });
        Ok(())
    });
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_objects_list(
    objects: *mut c_void,
    prefix: *const c_char,
    recursive: i32,
    start_after: *const c_char,
    take: Option<unsafe extern "C" fn(*mut c_void, *const wr_object) -> c_int>,
    sink: *mut c_void,
    error: *mut weir_error,
) -> c_int {
    guard(error, || {
        let prefix = text(prefix).unwrap_or_default();
        let objects = unsafe { borrow::<Objects>(objects) };
        objects.list(&prefix, recursive != 0, text(start_after), take, sink)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_objects_copy(
    objects: *mut c_void,
    from: *const c_char,
    to: *const c_char,
    overwrite: i32,
    error: *mut weir_error,
) -> c_int {
    guard(error, || {
        unsafe { borrow::<Objects>(objects) }.copy(&key(from)?, &key(to)?, overwrite != 0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_objects_rename(
    objects: *mut c_void,
    from: *const c_char,
    to: *const c_char,
    overwrite: i32,
    error: *mut weir_error,
) -> c_int {
    guard(error, || {
        let objects = unsafe { borrow::<Objects>(objects) };
        let (from, to) = (key(from)?, key(to)?);
        if from == to {
            return Ok(());
        }
        objects.copy(&from, &to, overwrite != 0)?;
        objects.delete(vec![from])
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_objects_delete(
    objects: *mut c_void,
    keys: *const *const c_char,
    n_keys: usize,
    error: *mut weir_error,
) -> c_int {
    guard(error, || {
        let keys = unsafe { slice(keys, n_keys) }.iter().map(|name| key(*name));
        unsafe { borrow::<Objects>(objects) }.delete(keys.collect::<Result<Vec<_>>>()?)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_objects_presign(
    objects: *mut c_void,
    method: *const c_char,
    name: *const c_char,
    seconds: i64,
    ret_url: *mut *mut c_char,
    error: *mut weir_error,
) -> c_int {
    guard(error, || {
        let method = text(method).unwrap_or_default();
        let objects = unsafe { borrow::<Objects>(objects) };
        give_text(objects.presign(&method, &key(name)?, seconds)?, ret_url)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_objects_metrics(
    objects: *const c_void,
    emit: wr_metric_fn,
    sink: *mut c_void,
) {
    unsafe { borrow::<Objects>(objects) }.emit_metrics(emit, sink);
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_objects_option_names(
    kind: *const c_char,
    take: Option<unsafe extern "C" fn(*mut c_void, *const c_char, *const c_char)>,
    sink: *mut c_void,
) {
    guard(std::ptr::null_mut(), || each(&text(kind).unwrap_or_default(), take, sink));
}
