//! A call of a kind that changes something, on a blocking thread: dropping who waits for it cancels it.

use std::sync::Arc;

use tokio::sync::watch;

use crate::bindings::*;
use crate::catalog::Held;
use crate::error::{Result, coded};

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
        struct Leave<'a>(&'a Call);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                self.0.tell(|calls| calls.leave);
            }
        }
        self.tell(|calls| calls.enter);
        let _leave = Leave(self);
        f()
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
