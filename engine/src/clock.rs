//! Ends runs at their time. A thread of its own: the runtime's may all be in work that does not
//! yield, and its timers would wait for them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Condvar, Mutex, Weak};
use std::time::{Duration, Instant};

use crate::run::Run;
use crate::runtime::begin_thread;

struct Entry {
    at: Instant,
    ms: u64,
    run: Weak<Run>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

struct State {
    entries: BinaryHeap<Reverse<Entry>>,
    is_running: bool,
}

/// What every engine of the process shares.
struct Clock {
    state: Mutex<State>,
    changed: Condvar,
}

static CLOCK: Clock = Clock {
    state: Mutex::new(State { entries: BinaryHeap::new(), is_running: false }),
    changed: Condvar::new(),
};

/// How long the thread stays without anything to wait for.
const IDLE: Duration = Duration::from_secs(10);

/// Ends a run after so many milliseconds, if it is not over by then.
pub fn end_after(run: Weak<Run>, ms: u64) -> std::io::Result<()> {
    let mut state = CLOCK.state.lock().unwrap();
    if !state.is_running {
        std::thread::Builder::new().name("weir-clock".into()).spawn(tick)?;
        state.is_running = true;
    }
    let at = Instant::now() + Duration::from_millis(ms);
    state.entries.push(Reverse(Entry { at, ms, run }));
    CLOCK.changed.notify_one();
    Ok(())
}

fn tick() {
    begin_thread();
    let mut state = CLOCK.state.lock().unwrap();
    loop {
        let now = Instant::now();
        let next = state.entries.peek().map(|entry| entry.0.at.saturating_duration_since(now));
        match next {
            Some(Duration::ZERO) => {
                let Reverse(entry) = state.entries.pop().expect("just seen");
                drop(state);
                if let Some(run) = entry.run.upgrade() {
                    run.time_out(entry.ms);
                }
                state = CLOCK.state.lock().unwrap();
            }
            wait => {
                let idle = wait.is_none();
                let (next, waited) =
                    CLOCK.changed.wait_timeout(state, wait.unwrap_or(IDLE)).unwrap();
                state = next;
                if idle && waited.timed_out() && state.entries.is_empty() {
                    state.is_running = false;
                    return;
                }
            }
        }
    }
}
