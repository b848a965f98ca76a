//! Threads with large stacks that plan statements: planning recurses over expressions. One that is
//! done waits a moment for the next statement.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use crate::bindings::*;
use crate::call::Current;
use crate::error::{Result, coded, from_panic};
use crate::runtime::{begin_planning, check_thread};

/// Room for what the limits of a statement allow.
pub const STACK: usize = 256 << 20;
/// How C knows such a thread: only there it may fetch what a table needs.
const NAME: &str = "weir-plan";
/// How long an idle thread waits.
const IDLE: Duration = Duration::from_secs(1);
/// A plan that computed for longer may have gone deep: its thread ends, and gives the stack back. One that waited for a
/// store has not.
const LONG: Duration = Duration::from_millis(100);
const MAX_IDLE: usize = 8;

type Job = Box<dyn FnOnce() + Send>;

/// How long this thread has had a processor.
fn computed() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[derive(Default)]
pub struct Planners {
    state: Mutex<State>,
    calls: OnceLock<wr_calls>,
}

#[derive(Default)]
struct State {
    idle: Vec<(u64, Sender<Job>)>,
    threads: Vec<(u64, JoinHandle<()>)>,
    started: u64,
    closed: bool,
}

impl Planners {
    /// How a thread of C knows the call that it serves.
    pub fn set_calls(&self, calls: Option<wr_calls>) {
        calls.map(|calls| self.calls.set(calls));
    }

    pub fn calls(&self) -> Option<wr_calls> {
        self.calls.get().copied()
    }

    /// Runs what C asked for as one of the engine's threads, which serves the same call.
    pub fn run<T: Send>(self: &Arc<Self>, f: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        check_thread()?;
        let (sender, receiver) = channel();
        let current = Current::of_thread(self.calls.get());
        let job: Box<dyn FnOnce() + Send + '_> = Box::new(move || {
            let outcome = current.serve(|| catch_unwind(AssertUnwindSafe(f)));
            let _ = sender.send(outcome);
        });
        // SAFETY: whatever it borrows outlives the wait below, which ends when `f` was run or dropped.
        let job: Job = unsafe { std::mem::transmute(job) };
        self.start(job)?;
        match receiver.recv() {
            Ok(outcome) => outcome.unwrap_or_else(|payload| Err(from_panic(payload))),
            Err(_) => Err(coded(WEIR_INVALID_STATE, "57P01", "the engine was closed")),
        }
    }

    fn start(self: &Arc<Self>, mut job: Job) -> Result<()> {
        let mut state = self.state.lock().unwrap();
        while let Some((_, idle)) = state.idle.pop() {
            match idle.send(job) {
                Ok(()) => return Ok(()),
                Err(unsent) => job = unsent.0,
            }
        }
        state.started += 1;
        let (id, planners) = (state.started, self.clone());
        let thread = Builder::new().name(NAME.into()).stack_size(STACK);
        let thread = thread
            .spawn(move || planners.work(id, job))
            .map_err(|e| coded(WEIR_IO, "53000", format!("no thread for planning: {e}")))?;
        state.threads.push((id, thread));
        Ok(())
    }

    fn work(&self, id: u64, mut job: Job) {
        begin_planning();
        loop {
            let begin = computed();
            job();
            if computed() - begin > LONG {
                break;
            }
            let (sender, jobs) = channel();
            {
                let mut state = self.state.lock().unwrap();
                if state.closed || state.idle.len() == MAX_IDLE {
                    break;
                }
                state.idle.push((id, sender));
            }
            let next = jobs.recv_timeout(IDLE).or_else(|error| {
                if error == RecvTimeoutError::Timeout {
                    self.state.lock().unwrap().idle.retain(|(idle, _)| *idle != id);
                }
                // One may have been sent meanwhile.
                jobs.try_recv()
            });
            match next {
                Ok(next) => job = next,
                Err(_) => break,
            }
        }
        // Whoever closes waits for what is left in the list.
        let mut state = self.state.lock().unwrap();
        if !state.closed {
            state.threads.retain(|(thread, _)| *thread != id);
        }
    }

    /// Ends the idle threads, and waits up to `patience` for the others.
    pub fn close(&self, patience: Duration) {
        let threads = {
            let mut state = self.state.lock().unwrap();
            state.closed = true;
            state.idle.clear();
            std::mem::take(&mut state.threads)
        };
        let end = Instant::now() + patience;
        for (_, thread) in threads {
            while !thread.is_finished() && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(1));
            }
            if thread.is_finished() {
                let _ = thread.join();
            }
        }
    }
}
