//! Rows that a thread reads ahead of the task that wants them. To change threads costs more than a
//! quick source's batch does, so such batches are handed over in groups.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use futures::{FutureExt, Stream};
use parking_lot::{Condvar, Mutex, MutexGuard};
use tokio::time::Sleep;

use crate::error::Result;
use crate::memory::row_bytes;

/// So many batches wait however large they are.
const FEW_BATCHES: usize = 2;
/// More only as long as they hold no more rows than two of the engine's own, of so many bytes each
/// on average. Those without columns hold none: nothing of them stays in memory.
const MOST_ROWS: usize = 2 * 8192;
const ROW_BYTES: usize = 64;
const MOST_BATCHES: usize = 64;
/// A batch that took longer is announced at once.
const QUICK: Duration = Duration::from_micros(50);
/// A task that had rows waits so long for a group of them. After that the next batch is announced
/// at once: so none waits behind a source that is slow to give another.
const PATIENCE: Duration = Duration::from_millis(1);

#[derive(Default)]
struct Queue {
    /// Each with the rows that it counts for.
    batches: VecDeque<(usize, Result<RecordBatch>)>,
    n_rows: usize,
    /// The task that waits for a batch, and whether for a group of them.
    waker: Option<Waker>,
    is_patient: bool,
    sender_waits: bool,
    sender_is_gone: bool,
    receiver_is_gone: bool,
}

impl Queue {
    fn is_full(&self) -> bool {
        let n = self.batches.len();
        n >= FEW_BATCHES && (n >= MOST_BATCHES || self.n_rows >= MOST_ROWS)
    }

    fn is_half_full(&self) -> bool {
        2 * self.batches.len() >= MOST_BATCHES || 2 * self.n_rows >= MOST_ROWS
    }

    /// A sender that had to wait goes on when half is gone: it too sleeps once for many batches.
    fn has_room_again(&self) -> bool {
        self.batches.len() < FEW_BATCHES || !self.is_half_full()
    }

    fn push(&mut self, batch: Result<RecordBatch>) {
        let n_rows = rows_held(&batch);
        self.n_rows += n_rows;
        self.batches.push_back((n_rows, batch));
    }

    fn pop(&mut self) -> Option<Result<RecordBatch>> {
        let (n_rows, batch) = self.batches.pop_front()?;
        self.n_rows -= n_rows;
        Some(batch)
    }
}

/// A row that takes more counts for several.
fn rows_held(batch: &Result<RecordBatch>) -> usize {
    match batch {
        Ok(batch) if batch.num_columns() == 0 => 0,
        Ok(batch) if batch.num_rows() >= MOST_ROWS => batch.num_rows(),
        Ok(batch) => batch.num_rows().max(row_bytes(batch) / ROW_BYTES),
        Err(_) => 0,
    }
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    room: Condvar,
}

/// The end of the thread that reads.
pub struct Sender {
    shared: Arc<Shared>,
    since: Instant,
}

/// The end of the task: a stream of the batches.
pub struct Receiver {
    shared: Arc<Shared>,
    had_rows: bool,
    patience: Option<Pin<Box<Sleep>>>,
}

pub fn channel() -> (Sender, Receiver) {
    let shared = Arc::<Shared>::default();
    let sender = Sender { shared: shared.clone(), since: Instant::now() };
    (sender, Receiver { shared, had_rows: false, patience: None })
}

impl Sender {
    /// Blocks until there is room. False: the reader is gone.
    pub fn send(&mut self, batch: Result<RecordBatch>) -> bool {
        self.send_holding(batch, |_| ())
    }

    /// The same; what the thread holds while it reads is not held while it waits.
    pub fn send_holding(&mut self, batch: Result<RecordBatch>, hold: impl Fn(bool)) -> bool {
        let is_urgent = batch.is_err() || self.since.elapsed() > QUICK;
        let mut queue = self.shared.queue.lock();
        if queue.is_full() {
            drop(queue);
            hold(false);
            queue = self.wait();
            hold(true);
        }
        if queue.receiver_is_gone {
            return false;
        }
        queue.push(batch);
        let announce = is_urgent || !queue.is_patient || queue.is_half_full();
        let waker = if announce { queue.waker.take() } else { None };
        drop(queue);
        if let Some(waker) = waker {
            waker.wake();
        }
        self.since = Instant::now();
        true
    }

    fn wait(&self) -> MutexGuard<'_, Queue> {
        let mut queue = self.shared.queue.lock();
        queue.sender_waits = true;
        let is_stuck = |queue: &mut Queue| !queue.receiver_is_gone && !queue.has_room_again();
        self.shared.room.wait_while(&mut queue, is_stuck);
        queue.sender_waits = false;
        queue
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let mut queue = self.shared.queue.lock();
        queue.sender_is_gone = true;
        let waker = queue.waker.take();
        drop(queue);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Receiver {
    /// Whether it is worth waiting for a group: it is until nothing came for a while.
    fn is_patient(&mut self, context: &mut Context<'_>) -> bool {
        if std::mem::take(&mut self.had_rows) {
            let until = tokio::time::Instant::now() + PATIENCE;
            match &mut self.patience {
                Some(sleep) => sleep.as_mut().reset(until),
                None => self.patience = Some(Box::pin(tokio::time::sleep_until(until))),
            }
        }
        let Some(sleep) = &mut self.patience else { return false };
        !sleep.is_elapsed() && sleep.poll_unpin(context).is_pending()
    }
}

impl Stream for Receiver {
    type Item = Result<RecordBatch>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<RecordBatch>>> {
        let this = &mut *self;
        let shared = this.shared.clone();
        let mut queue = shared.queue.lock();
        if let Some(batch) = queue.pop() {
            this.had_rows = true;
            if queue.sender_waits && queue.has_room_again() {
                queue.sender_waits = false;
                drop(queue);
                shared.room.notify_one();
            }
            return Poll::Ready(Some(batch));
        }
        if queue.sender_is_gone {
            return Poll::Ready(None);
        }
        queue.is_patient = this.is_patient(context);
        queue.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let mut queue = self.shared.queue.lock();
        queue.receiver_is_gone = true;
        let batches = std::mem::take(&mut queue.batches);
        drop(queue);
        self.shared.room.notify_one();
        drop(batches); // what they hold is released by whoever made it
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use arrow::array::{ArrayRef, Int64Array, RecordBatchOptions, StringArray};
    use arrow::datatypes::Schema;
    use futures::StreamExt;
    use futures::task::{ArcWake, waker};

    use super::*;

    fn rows(n: usize) -> Result<RecordBatch> {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![7; n]));
        Ok(RecordBatch::try_from_iter([("i", column)]).unwrap())
    }

    /// Rows of a kilobyte.
    fn wide_rows(n: usize) -> Result<RecordBatch> {
        let column: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(1024); n]));
        Ok(RecordBatch::try_from_iter([("s", column)]).unwrap())
    }

    fn rows_only(n: usize) -> Result<RecordBatch> {
        let options = RecordBatchOptions::new().with_row_count(Some(n));
        Ok(RecordBatch::try_new_with_options(Schema::empty().into(), vec![], &options).unwrap())
    }

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl ArcWake for Wakes {
        fn wake_by_ref(this: &Arc<Self>) {
            this.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    impl Wakes {
        fn count(&self) -> usize {
            self.0.load(Ordering::SeqCst)
        }
    }

    /// Whether there was a batch; if not, `wakes` hears of the next one.
    fn poll(receiver: &mut Receiver, wakes: &Arc<Wakes>) -> bool {
        let waker = waker(wakes.clone());
        receiver.poll_next_unpin(&mut Context::from_waker(&waker)).is_ready()
    }

    /// As a source that is as quick as can be, on whatever machine.
    fn send_quickly(sender: &mut Sender, batch: Result<RecordBatch>) {
        sender.since = Instant::now() + Duration::from_secs(60);
        assert!(sender.send(batch));
    }

    /// How many such batches a thread hands over before anybody takes one.
    fn admitted(batch: fn(usize) -> Result<RecordBatch>, n_rows: usize) -> usize {
        let (mut sender, receiver) = channel();
        let sent = Arc::<AtomicUsize>::default();
        let counter = sent.clone();
        let thread = std::thread::spawn(move || {
            while sender.send(batch(n_rows)) {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        });
        while !receiver.shared.queue.lock().sender_waits {
            std::thread::sleep(Duration::from_millis(1));
        }
        drop(receiver); // which it hears of
        thread.join().unwrap();
        sent.load(Ordering::SeqCst)
    }

    #[test]
    fn batches_and_rows_that_wait_are_bounded() {
        assert_eq!(admitted(rows, 1 << 20), FEW_BATCHES);
        assert_eq!(admitted(rows, MOST_ROWS / 2), 2);
        assert_eq!(admitted(rows, MOST_ROWS / 8), 8);
        assert_eq!(admitted(rows, 1), MOST_BATCHES);
        assert_eq!(admitted(rows_only, 1 << 20), MOST_BATCHES);
        assert_eq!(admitted(wide_rows, 4000), FEW_BATCHES);
        assert_eq!(admitted(wide_rows, 100), 11);
    }

    #[tokio::test]
    async fn all_batches_come_in_their_order_and_then_the_end() {
        let (mut sender, receiver) = channel();
        let thread = std::thread::spawn(move || (1..=1000).all(|n| sender.send(rows(n % 500 + 1))));
        let counts: Vec<_> = receiver.map(|batch| batch.unwrap().num_rows()).collect().await;
        assert_eq!(counts, (1..=1000).map(|n| n % 500 + 1).collect::<Vec<_>>());
        assert!(thread.join().unwrap());
    }

    #[tokio::test]
    async fn the_first_batch_is_announced_and_later_ones_in_groups() {
        let ((mut sender, mut receiver), wakes) = (channel(), Arc::<Wakes>::default());
        assert!(!poll(&mut receiver, &wakes));
        send_quickly(&mut sender, rows_only(10));
        assert_eq!(wakes.count(), 1);
        assert!(poll(&mut receiver, &wakes) && !poll(&mut receiver, &wakes));
        for n_waiting in 1..MOST_BATCHES / 2 {
            send_quickly(&mut sender, rows_only(10));
            assert_eq!((n_waiting, wakes.count()), (n_waiting, 1));
        }
        send_quickly(&mut sender, rows_only(10));
        assert_eq!(wakes.count(), 2);
    }

    #[tokio::test]
    async fn what_was_slow_or_failed_is_announced_at_once() {
        for batch in [rows_only(10), Err(crate::error::coded(1, "22000", "broken"))] {
            let ((mut sender, mut receiver), wakes) = (channel(), Arc::<Wakes>::default());
            send_quickly(&mut sender, rows_only(10));
            assert!(poll(&mut receiver, &wakes) && !poll(&mut receiver, &wakes));
            sender.since = Instant::now() + Duration::from_secs(60);
            if batch.is_ok() {
                sender.since = Instant::now() - 2 * QUICK;
            }
            assert!(sender.send(batch));
            assert_eq!(wakes.count(), 1);
        }
    }

    #[tokio::test]
    async fn the_end_is_announced() {
        let ((mut sender, mut receiver), wakes) = (channel(), Arc::<Wakes>::default());
        send_quickly(&mut sender, rows_only(10));
        assert!(poll(&mut receiver, &wakes) && !poll(&mut receiver, &wakes));
        drop(sender);
        assert_eq!(wakes.count(), 1);
        assert!(receiver.next().await.is_none());
    }

    /// Neither the batch that nobody was woken for, nor the one after a silence.
    #[tokio::test]
    async fn no_batch_waits_behind_a_source_that_gives_no_more() {
        let (mut sender, mut receiver) = channel();
        send_quickly(&mut sender, rows_only(1));
        assert!(receiver.next().await.is_some());
        let wakes = Arc::<Wakes>::default();
        assert!(!poll(&mut receiver, &wakes));
        send_quickly(&mut sender, rows_only(2));
        assert_eq!(wakes.count(), 0);
        let wait = Duration::from_secs(10);
        assert!(tokio::time::timeout(wait, receiver.next()).await.unwrap().is_some());
        assert!(!poll(&mut receiver, &wakes));
        tokio::time::sleep(20 * PATIENCE).await;
        assert!(wakes.count() == 1 && !poll(&mut receiver, &wakes)); // by the time that went by
        send_quickly(&mut sender, rows_only(3));
        assert_eq!(wakes.count(), 2);
    }
}
