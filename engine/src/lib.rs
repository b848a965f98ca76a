//! Apache DataFusion behind the C ABI of src/engine/engine.h, which says what each entry does.

mod additions;
mod ahead;
mod arrow_ranges;
#[rustfmt::skip]
mod bindings;
mod bounded;
mod bounds;
mod call;
mod calls;
mod catalog;
mod clock;
mod commit;
mod counting;
mod decimals;
mod dictionaries;
mod direct;
mod dml;
mod encode;
mod encodings;
mod error;
mod facts;
mod fair;
mod files;
mod filters;
mod footers;
mod foreign;
mod functions;
mod hand_over;
mod infer;
mod known;
mod large_parquet;
mod limits;
mod look_ups;
mod memory;
mod merges;
mod named_source;
mod objects;
mod options;
mod order;
mod page_index;
mod parts;
mod passing;
mod plain;
mod plan;
mod plan_cache;
mod planners;
mod planning;
mod post;
mod read_ahead;
mod remote;
mod reset;
mod run;
mod runtime;
mod same_names;
mod sampled;
mod scan;
mod schema;
mod session;
mod sink;
mod sort_keys;
mod store;
mod stream;
mod stream_exec;
mod stream_table;
mod text;
mod view;
mod views;
mod watch;
mod windows;
mod years;

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use datafusion::DATAFUSION_VERSION;

use bindings::*;
use catalog::{options, text as c_str};
use error::{Result, coded, guard, guard_sql};
use plan::Plan;
use run::Run;
use runtime::Engine;
use session::Session;
use stream::{Imported, export, export_schema, import_batch, import_schema};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A handle of C: a counted reference behind a pointer.
unsafe fn borrow<'a, T>(handle: *const c_void) -> &'a Arc<T> {
    unsafe { &*handle.cast::<Arc<T>>() }
}

fn give<T>(value: Arc<T>, ret_handle: *mut *mut c_void) {
    unsafe { *ret_handle = Box::into_raw(Box::new(value)).cast() };
}

unsafe fn take_back<T>(handle: *mut c_void) -> Option<Arc<T>> {
    (!handle.is_null()).then(|| *unsafe { Box::from_raw(handle.cast::<Arc<T>>()) })
}

/// Drops a handle; a panic while dropping has nobody to be told.
unsafe fn discard<T>(handle: *mut c_void) {
    guard(std::ptr::null_mut(), || {
        drop(unsafe { take_back::<T>(handle) });
        Ok(())
    });
}

fn give_text(value: String, ret_text: *mut *mut c_char) -> Result<()> {
    let value = CString::new(value.replace('\0', " ")).expect("has no zero byte");
    unsafe { *ret_text = value.into_raw() };
    Ok(())
}

#[unsafe(no_mangle)]
pub extern "C" fn wr_engine_version() -> *const c_char {
    static VERSION: OnceLock<CString> = OnceLock::new();
    let version = || CString::new(format!("DataFusion {DATAFUSION_VERSION}")).unwrap_or_default();
    VERSION.get_or_init(version).as_ptr()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_engine_open(
    options: *const wr_engine_options,
    ret_engine: *mut *mut c_void,
    error: *mut weir_error,
) -> c_int {
    error::quiet_panics();
    guard(error, || {
        let options = unsafe { &*options };
        let spill = c_str(options.spill_path);
        let engine = Engine::open(
            options.threads,
            options.memory_limit,
            spill.as_deref().map(Path::new),
            options.spill_limit,
            unsafe { options.cache.as_ref() }.copied(),
            options.open_beneath,
        )?;
        engine.objects.set_locate(options.locate);
        engine.planners.set_calls(unsafe { options.calls.as_ref() }.copied());
        let journal = c_str(options.uploads_path);
        engine.objects.set_journal(journal.as_deref().map(Path::new));
        engine.objects.set_told(&options.log, &options.tracer);
        let blocks = unsafe { options.blocks.as_ref() }.copied();
        engine.objects.set_blocks(blocks, &engine.counters);
        give(engine, ret_engine);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_engine_sweep(engine: *mut c_void) {
    guard(std::ptr::null_mut(), || {
        unsafe { borrow::<Engine>(engine) }.objects.sweep();
        Ok(())
    });
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_engine_close(engine: *mut c_void) {
    guard(std::ptr::null_mut(), || {
        if let Some(engine) = unsafe { take_back::<Engine>(engine) } {
            engine.close();
        }
        Ok(())
    });
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_engine_post(
    engine: *mut c_void,
    post: *const wr_post,
    ret_status: *mut i32,
    error: *mut weir_error,
) -> c_int {
    guard(error, || {
        let (engine, post) = unsafe { (borrow::<Engine>(engine), &*post) };
        let status = post::post(engine, post)?;
        unsafe { *ret_status = status.into() };
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_engine_metrics(
    engine: *const c_void,
    emit: wr_metric_fn,
    sink: *mut c_void,
) {
    let engine = unsafe { borrow::<Engine>(engine) };
    let (Some(emit), counters) = (emit, &engine.counters) else { return };
    for (name, counter, help) in [
        (c"store_requests", &counters.requests, c"reads of files"),
        (c"store_bytes_read", &counters.bytes_read, c"bytes that reads of files asked for"),
        (c"footers_read", &counters.footers_read, c"Parquet footers read from their files"),
        (c"footers_kept", &counters.footers_kept, c"Parquet footers found in the kept cache"),
        (c"blocks_kept", &counters.blocks_kept, c"blocks of objects found on this machine"),
        (c"runs", &counters.runs, c"plans that were started"),
        (c"plan_cache_hits", &counters.plans_kept, c"queries whose plan was kept from before"),
        (c"plan_cache_misses", &counters.plans_made, c"plans that were made and kept"),
    ] {
        let value = counter.load(std::sync::atomic::Ordering::Relaxed);
        unsafe { emit(sink, name.as_ptr(), value, help.as_ptr()) };
    }
    let n_plans = engine.plans.n_plans() as i64;
    let (name, help) = (c"plan_cache_current_entries", c"plans that are kept now");
    unsafe { emit(sink, name.as_ptr(), n_plans, help.as_ptr()) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_engine_forget_plans(engine: *mut c_void) {
    guard(std::ptr::null_mut(), || {
        unsafe { borrow::<Engine>(engine) }.plans.clear();
        Ok(())
    });
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_engine_add(
    engine: *mut c_void,
    additions: *const wr_addition,
    n_additions: usize,
    error: *mut weir_error,
) -> c_int {
    guard(error, || {
        let additions = match n_additions {
            0 => &[],
            n => unsafe { std::slice::from_raw_parts(additions, n) },
        };
        unsafe { borrow::<Engine>(engine) }.additions.add(additions)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_engine_session_new(
    engine: *mut c_void,
    options: *const wr_session_options,
    ret_session: *mut *mut c_void,
    error: *mut weir_error,
) -> c_int {
    guard(error, || {
        let options = unsafe { &*options };
        let session = Session::new(
            unsafe { borrow::<Engine>(engine) },
            &c_str(options.catalog).unwrap_or_default(),
            &c_str(options.schema).unwrap_or_default(),
            options.names,
            c_str(options.functions).as_deref(),
        )?;
        give(session, ret_session);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_engine_session_free(session: *mut c_void) {
    guard(std::ptr::null_mut(), || {
        if let Some(session) = unsafe { take_back::<Session>(session) } {
            session.engine.plans.forget_session(session.id);
        }
        Ok(())
    });
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_engine_session_set(
    session: *mut c_void,
    key: *const c_char,
    value: *const c_char,
    error: *mut weir_error,
) -> c_int {
    guard(error, || {
        let session = unsafe { borrow::<Session>(session) };
        session.set(&c_str(key).unwrap_or_default(), &c_str(value).unwrap_or_default())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_engine_session_names(
    session: *mut c_void,
    ret_catalog: *mut *mut c_char,
    ret_schema: *mut *mut c_char,
    error: *mut weir_error,
) -> c_int {
    guard(error, || {
        let (catalog, schema) = unsafe { borrow::<Session>(session) }.names();
        give_text(catalog, ret_catalog)?;
        give_text(schema, ret_schema)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_plan_new(
    session: *mut c_void,
    sql: *const c_char,
    ret_plan: *mut *mut c_void,
    error: *mut weir_error,
) -> c_int {
    let sql = unsafe { CStr::from_ptr(sql) };
    guard_sql(error, &sql.to_string_lossy(), || {
        let Ok(sql) = sql.to_str() else {
            return Err(coded(WEIR_INVALID_ARGUMENT, "22021", "the statement is not UTF-8"));
        };
        let plan = Plan::new(unsafe { borrow::<Session>(session) }, sql)?;
        give(Arc::new(plan), ret_plan);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_plan_free(plan: *mut c_void) {
    unsafe { discard::<Plan>(plan) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_plan_describe(plan: *const c_void, ret_info: *mut wr_plan_info) {
    unsafe { *ret_info = borrow::<Plan>(plan).info.c };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_plan_schema(
    plan: *const c_void,
    ret_schema: *mut ArrowSchema,
    error: *mut weir_error,
) -> c_int {
    guard(error, || export_schema(&unsafe { borrow::<Plan>(plan) }.schema()?, ret_schema))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_plan_parameters(
    plan: *const c_void,
    ret_schema: *mut ArrowSchema,
    error: *mut weir_error,
) -> c_int {
    guard(error, || export_schema(&unsafe { borrow::<Plan>(plan) }.parameters()?, ret_schema))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_plan_bind(
    plan: *const c_void,
    schema: *const ArrowSchema,
    values: *mut ArrowArray,
    ret_plan: *mut *mut c_void,
    error: *mut weir_error,
) -> c_int {
    guard(error, || {
        let schema = Arc::new(import_schema(schema)?);
        let plan = unsafe { borrow::<Plan>(plan) };
        // Of a view: when binding fails, the caller still owns the values.
        let mut view = ArrowArray { release: None, ..unsafe { std::ptr::read(values) } };
        let bound = plan.bind(&import_batch(&mut view, &schema)?)?;
        let owned = import_batch(values, &schema)?;
        // Nested values are not copied: the plan must have those that are its own.
        let shares = schema.fields().iter().any(|field| field.data_type().is_nested());
        let bound = if shares { plan.bind(&owned)? } else { bound };
        give(Arc::new(bound), ret_plan);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_plan_version(
    plan: *const c_void,
    ret_version: *mut *mut c_char,
    error: *mut weir_error,
) -> c_int {
    guard(error, || match facts::version(unsafe { borrow::<Plan>(plan) })? {
        Some(version) => give_text(version, ret_version),
        None => {
            unsafe { *ret_version = std::ptr::null_mut() };
            Ok(())
        }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_plan_inputs(
    plan: *const c_void,
    ret_rows: *mut ArrowArrayStream,
    error: *mut weir_error,
) -> c_int {
    guard(error, || {
        export(facts::inputs(unsafe { borrow::<Plan>(plan) })?, ret_rows);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_plan_statistics(
    plan: *const c_void,
    ret_statistics: *mut weir_node_statistics,
    ret_columns: *mut ArrowArrayStream,
    error: *mut weir_error,
) -> c_int {
    guard(error, || {
        let (figures, columns) = facts::statistics(unsafe { borrow::<Plan>(plan) })?;
        unsafe { *ret_statistics = figures };
        if !ret_columns.is_null() {
            export(columns, ret_columns);
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_plan_execute(
    plan: *const c_void,
    ret_rows: *mut ArrowArrayStream,
    ret_run: *mut *mut c_void,
    error: *mut weir_error,
) -> c_int {
    guard(error, || {
        let (mut rows, run) = run::execute(unsafe { borrow::<Plan>(plan) }, 1)?;
        export(rows.remove(0), ret_rows);
        give(run, ret_run);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_plan_execute_parts(
    plan: *const c_void,
    max_parts: i32,
    ret_parts: *mut ArrowArrayStream,
    ret_n_parts: *mut i32,
    ret_run: *mut *mut c_void,
    error: *mut weir_error,
) -> c_int {
    guard(error, || {
        let max_parts = usize::try_from(max_parts).unwrap_or(1).max(1);
        let (parts, run) = run::execute(unsafe { borrow::<Plan>(plan) }, max_parts)?;
        unsafe { *ret_n_parts = parts.len() as i32 };
        for (i, rows) in parts.into_iter().enumerate() {
            export(rows, unsafe { ret_parts.add(i) });
        }
        give(run, ret_run);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_run_cancel(run: *mut c_void) {
    guard(std::ptr::null_mut(), || {
        unsafe { borrow::<Run>(run) }.cancel();
        Ok(())
    });
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_run_progress(run: *const c_void, ret_progress: *mut weir_progress) {
    guard(std::ptr::null_mut(), || {
        unsafe { *ret_progress = borrow::<Run>(run).progress() };
        Ok(())
    });
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_run_metrics(
    run: *const c_void,
    ret_text: *mut *mut c_char,
    error: *mut weir_error,
) -> c_int {
    guard(error, || give_text(unsafe { borrow::<Run>(run) }.metrics(), ret_text))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_run_free(run: *mut c_void) {
    unsafe { discard::<Run>(run) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_stream_error(
    stream: *mut ArrowArrayStream,
    ret_error: *mut weir_error,
) -> c_int {
    match stream::last_error(unsafe { &*stream }) {
        Some(error) => {
            unsafe { *ret_error = error };
            0
        }
        None => WEIR_INVALID_STATE as c_int,
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_stream_encode(
    rows: *mut ArrowArrayStream,
    format: *const c_char,
    option_items: *const weir_option,
    n_options: usize,
    write: weir_write_fn,
    context: *mut c_void,
    error: *mut weir_error,
) -> c_int {
    guard(error, || {
        let rows = Box::new(Imported::new(rows)?);
        let format = c_str(format).unwrap_or_default();
        let Some(write) = write else {
            return Err(coded(WEIR_INVALID_ARGUMENT, "22004", "no function to write with"));
        };
        let mut sink =
            |bytes: &[u8]| match unsafe { write(context, bytes.as_ptr().cast(), bytes.len()) } {
                0 => Ok(()),
                code => Err(std::io::Error::from_raw_os_error(code)),
            };
        encode::encode(rows, &format, &options(option_items, n_options), &mut sink)?;
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_stream_text(
    rows: *mut ArrowArrayStream,
    ret_text: *mut ArrowArrayStream,
    error: *mut weir_error,
) -> c_int {
    guard(error, || {
        export(Box::new(text::TextReader::new(Box::new(Imported::new_or_leave(rows)?))), ret_text);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_engine_free(text: *mut c_char) {
    if !text.is_null() {
        drop(unsafe { CString::from_raw(text) });
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wr_engine_panic(error: *mut weir_error) -> c_int {
    guard(error, || panic!("asked for by a test"))
}
