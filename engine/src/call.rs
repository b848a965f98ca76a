//! Work that may be cancelled. A call of a kind that changes something, on a blocking thread: dropping
//! who waits for it cancels it. And what the engine does while a thread of C's waits for it, which ends
//! with the call that this thread serves.

use std::ffi::c_void;
use std::future::Future;
use std::sync::Arc;

use tokio::sync::watch;

use crate::bindings::*;
use crate::catalog::Held;
use crate::error::{Result, cancelled, coded};

pub struct Call {
    calls: Option<wr_calls>,
    call: *mut wr_call,
    cancelled: watch::Sender<bool>,
}

// What C does with a call may be done on any thread.
unsafe impl Send for Call {}
unsafe impl Sync for Call {}

impl Call {
    pub fn new(held: &Held) -> Result<Arc<Call>> {
        let calls = unsafe { held.0.calls.as_ref() }.copied();
        let call = match calls.and_then(|calls| calls.make) {
            Some(make) => unsafe { make() },
            None => std::ptr::null_mut(),
        };
        if call.is_null() && calls.is_some() {
            return Err(coded(WEIR_INTERNAL, "53200", "out of memory"));
        }
        Ok(Arc::new(Call { calls, call, cancelled: watch::channel(false).0 }))
    }

    /// Runs `f` as the call, on this thread.
    pub fn serve<T>(&self, f: impl FnOnce() -> T) -> T {
        serve(self.calls.as_ref(), self.call, f)
    }

    /// Comes to an end when the call was cancelled.
    pub async fn cancelled(&self) {
        let mut cancelled = self.cancelled.subscribe();
        // The sender lives as long as this.
        let _ = cancelled.wait_for(|cancelled| *cancelled).await;
    }

    fn cancel(&self) {
        self.cancelled.send_replace(true);
        self.tell(|calls| calls.cancel);
    }

    fn tell(&self, which: impl FnOnce(&wr_calls) -> Option<unsafe extern "C" fn(*mut wr_call)>) {
        if let Some(function) = self.calls.as_ref().and_then(which) {
            unsafe { function(self.call) };
        }
    }
}

/// Runs `f`, on this thread, as what `call` is about.
fn serve<T>(calls: Option<&wr_calls>, call: *mut wr_call, f: impl FnOnce() -> T) -> T {
    struct Serving(Option<unsafe extern "C" fn(*mut wr_call_place)>, wr_call_place);
    impl Drop for Serving {
        fn drop(&mut self) {
            if let Some(unserve) = self.0 {
                unsafe { unserve(&mut self.1) };
            }
        }
    }
    let mut serving = Serving(None, wr_call_place::default());
    if let Some((serve, unserve)) = calls.and_then(|calls| calls.serve.zip(calls.unserve)) {
        unsafe { serve(&mut serving.1, call) };
        serving.0 = Some(unserve);
    }
    f()
}

/// The call that a thread of C serves, for one that works for it while it waits.
pub struct Current {
    calls: Option<wr_calls>,
    call: *mut wr_call,
}

// What C does with a call may be done on any thread.
unsafe impl Send for Current {}

impl Current {
    pub fn of_thread(calls: Option<&wr_calls>) -> Current {
        let ask = calls.and_then(|calls| calls.current);
        let call = ask.map_or(std::ptr::null_mut(), |ask| unsafe { ask() });
        Current { calls: calls.copied(), call }
    }

    pub fn serve<T>(self, f: impl FnOnce() -> T) -> T {
        serve(self.calls.as_ref(), self.call, f)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.tell(|calls| calls.release);
    }
}

/// Who waits for a call. Unless it has returned, it is cancelled with this.
pub struct Waiting(Option<Arc<Call>>);

impl Waiting {
    pub fn new(call: &Arc<Call>) -> Waiting {
        Waiting(Some(call.clone()))
    }

    pub fn returned(mut self) {
        self.0 = None;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(call) = &self.0 {
            call.cancel();
        }
    }
}

/// The end of the call that a thread serves, if it serves one; heard of from now on.
pub struct Ending {
    calls: Option<wr_calls>,
    watch: *mut wr_call_watch,
    has_come: Box<watch::Sender<bool>>,
}

// The contract of `unwatch`: any thread.
unsafe impl Send for Ending {}
unsafe impl Sync for Ending {}

impl Ending {
    pub fn of_this_thread(calls: Option<wr_calls>) -> Ending {
        let has_come = Box::new(watch::channel(false).0);
        let context = (&raw const *has_come).cast_mut().cast();
        let watch = match calls.and_then(|calls| calls.watch) {
            Some(watch) => unsafe { watch(Some(end), context) },
            None => std::ptr::null_mut(),
        };
        Ending { calls, watch, has_come }
    }

    /// What comes of `work`, unless the call is cancelled before.
    pub async fn or<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let mut has_come = self.has_come.subscribe();
        tokio::select! {
            biased;
            _ = has_come.wait_for(|has_come| *has_come) => Err(cancelled()),
            done = work => done,
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(unwatch) = self.calls.and_then(|calls| calls.unwatch) {
            unsafe { unwatch(self.watch) };
        }
    }
}

unsafe extern "C" fn end(has_come: *mut c_void) {
    unsafe { &*has_come.cast::<watch::Sender<bool>>() }.send_replace(true);
}
