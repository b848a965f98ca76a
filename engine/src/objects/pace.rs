//! How many requests a store gets at the same time, and how many a second: fewer when it says that
//! they are too many, more again when it takes them.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// The share of requests that stays after a store asked for fewer.
const CUT: f64 = 0.5;
/// Answers to requests that were sent before a cut do not cut again.
const CUT_PAUSE: Duration = Duration::from_millis(250);
const LEAST: f64 = 1.0;

#[derive(Debug)]
pub struct Pace {
    most: f64,
    /// Between the starts of two requests.
    gap: Duration,
    state: Mutex<State>,
    free: Notify,
}

#[derive(Debug)]
struct State {
    allowed: f64,
    under_way: usize,
    last_cut: Option<Instant>,
    next_start: Instant,
}

/// A request that is under way.
pub struct Running<'a>(&'a Pace);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.state.lock().unwrap().under_way -= 1;
        self.0.free.notify_one();
    }
}

impl Pace {
    /// `rate`: requests a second; 0: as many as there are.
    pub fn new(concurrency: usize, rate: usize) -> Pace {
        let most = concurrency.max(1) as f64;
        let gap = if rate == 0 { Duration::ZERO } else { Duration::from_secs(1) / rate as u32 };
        let next_start = Instant::now();
        let state = State { allowed: most, under_way: 0, last_cut: None, next_start };
        Pace { most, gap, state: Mutex::new(state), free: Notify::new() }
    }

    /// Waits for a request's turn.
    pub async fn turn(&self) -> Running<'_> {
        let start = loop {
            let free = self.free.notified();
            {
                let mut state = self.state.lock().unwrap();
                if (state.under_way as f64) < state.allowed.floor() {
                    state.under_way += 1;
                    let now = Instant::now();
                    let start = state.next_start.max(now);
                    state.next_start = start + self.gap;
                    break start;
                }
            }
            free.await;
        };
        let running = Running(self);
        if !self.gap.is_zero() {
            tokio::time::sleep_until(start.into()).await;
        }
        running
    }

    /// The store asked for fewer requests.
    pub fn slow_down(&self) {
        let mut state = self.state.lock().unwrap();
        let now = Instant::now();
        if state.last_cut.is_none_or(|last| now - last >= CUT_PAUSE) {
            state.allowed = (state.allowed * CUT).max(LEAST);
            state.last_cut = Some(now);
        }
    }

    /// The store answered as usual: after as many as are allowed, one more is.
    pub fn speed_up(&self) {
        let mut state = self.state.lock().unwrap();
        if state.allowed < self.most {
            state.allowed = (state.allowed + 1.0 / state.allowed).min(self.most);
            self.free.notify_one();
        }
    }

    pub fn allowed(&self) -> i64 {
        self.state.lock().unwrap().allowed as i64
    }
}
