//! How many requests a store gets at the same time, and how many of them and of their bytes a second: fewer when it says
//! that they are too many, more again when it takes them.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// The share of requests that stays after a store asked for fewer.
const CUT: f64 = 0.5;
/// Answers to requests that were sent before a cut do not cut again.
const CUT_PAUSE: Duration = Duration::from_millis(250);
const LEAST: f64 = 1.0;
/// Seconds that one request makes the next one wait, at most.
const LONGEST: f64 = 3600.0;

#[derive(Debug)]
pub struct Pace {
    most: f64,
    /// Between the starts of two requests, and for each of the first one's bytes.
    gap: Duration,
    gap_per_byte: f64,
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
pub struct Running<'a> {
    pace: &'a Pace,
    n_bytes: u64,
}

impl Running<'_> {
    /// It had so many bytes, and not those that were expected of it.
    pub fn had(&mut self, n_bytes: u64) {
        let pace = self.pace;
        let mut state = pace.state.lock().unwrap();
        state.next_start += pace.time(n_bytes);
        let expected = pace.time(std::mem::replace(&mut self.n_bytes, n_bytes));
        state.next_start = state.next_start.checked_sub(expected).unwrap_or_else(Instant::now);
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.pace.state.lock().unwrap().under_way -= 1;
        self.pace.free.notify_one();
    }
}

impl Pace {
    /// The rates are of a second; 0: as many as there are.
    pub fn new(concurrency: u64, request_rate: u64, byte_rate: u64) -> Pace {
        let most = concurrency.max(1) as f64;
        let each = |rate: u64| if rate == 0 { 0.0 } else { 1.0 / rate as f64 };
        let next_start = Instant::now();
        let state = State { allowed: most, under_way: 0, last_cut: None, next_start };
        Pace {
            most,
            gap: Duration::from_secs_f64(each(request_rate)),
            gap_per_byte: each(byte_rate),
            state: Mutex::new(state),
            free: Notify::new(),
        }
    }

    fn time(&self, n_bytes: u64) -> Duration {
        Duration::from_secs_f64((n_bytes as f64 * self.gap_per_byte).min(LONGEST))
    }

    /// Waits for the turn of a request that may have so many bytes, with its answer.
    pub async fn turn(&self, n_bytes: u64) -> Running<'_> {
        let start = loop {
            let free = self.free.notified();
            {
                let mut state = self.state.lock().unwrap();
                if (state.under_way as f64) < state.allowed.floor() {
                    state.under_way += 1;
                    let now = Instant::now();
                    let start = state.next_start.max(now);
                    state.next_start = start + self.gap + self.time(n_bytes);
                    break start;
                }
            }
            free.await;
        };
        let running = Running { pace: self, n_bytes };
        if start > Instant::now() {
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
