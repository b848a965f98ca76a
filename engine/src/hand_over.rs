//! Rows on their way from the engine's tasks to a reader in C: a channel with a bound on batches and one
//! on their bytes, so that wide rows do not wait in memory by the dozen.

use std::sync::Arc;

use arrow::array::RecordBatch;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::error::Result;
use crate::memory::row_bytes;

const MAX_BATCHES: usize = 8;
/// A larger batch waits alone.
const MAX_BYTES: usize = 8 << 20;

/// What was sent, and the room that it takes until it is received.
struct Item {
    rows: Result<RecordBatch>,
    _room: Option<OwnedSemaphorePermit>,
}

#[derive(Clone)]
pub struct Sender {
    items: mpsc::Sender<Item>,
    room: Arc<Semaphore>,
}

pub struct Receiver(mpsc::Receiver<Item>);

pub fn channel() -> (Sender, Receiver) {
    let (items, receiver) = mpsc::channel(MAX_BATCHES);
    let room = Arc::new(Semaphore::new(MAX_BYTES));
    (Sender { items, room }, Receiver(receiver))
}

impl Sender {
    /// Waits until there is room. False: the reader is gone.
    pub async fn send(&self, rows: Result<RecordBatch>) -> bool {
        let n_bytes = rows.as_ref().map_or(0, row_bytes).min(MAX_BYTES);
        let room = self.room.clone().acquire_many_owned(n_bytes as u32).await.ok();
        self.items.send(Item { rows, _room: room }).await.is_ok()
    }
}

impl Receiver {
    /// What is there already.
    pub fn try_recv(&mut self) -> Option<Result<RecordBatch>> {
        self.0.try_recv().ok().map(|item| item.rows)
    }

    /// None: every sender is gone.
    pub async fn recv(&mut self) -> Option<Result<RecordBatch>> {
        self.0.recv().await.map(|item| item.rows)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use arrow::array::{ArrayRef, Int64Array};

    use super::*;

    fn rows(n: usize) -> RecordBatch {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![7; n]));
        RecordBatch::try_from_iter([("i", column)]).unwrap()
    }

    /// How many of a batch go in before a reader takes one, and after.
    async fn admitted(batch: RecordBatch) -> (usize, usize) {
        let (sender, mut receiver) = channel();
        let mut counts = (0, 0);
        let full = async |n: &mut usize| {
            let wait = Duration::from_millis(50);
            while tokio::time::timeout(wait, sender.send(Ok(batch.clone()))).await.is_ok() {
                *n += 1;
            }
        };
        full(&mut counts.0).await;
        assert!(receiver.recv().await.unwrap().is_ok());
        full(&mut counts.1).await;
        counts
    }

    #[tokio::test]
    async fn batches_and_bytes_are_bounded() {
        assert_eq!(admitted(rows(10)).await, (MAX_BATCHES, 1));
        assert_eq!(admitted(rows(3 << 17)).await, (2, 1));
        assert_eq!(admitted(rows(8 << 20)).await, (1, 1));
        // A slice weighs what is in it.
        assert_eq!(admitted(rows(8 << 20).slice(100, 10)).await, (MAX_BATCHES, 1));
    }

    #[tokio::test]
    async fn a_sender_hears_that_the_reader_is_gone() {
        let (sender, receiver) = channel();
        assert!(sender.send(Ok(rows(8 << 20))).await);
        drop(receiver);
        assert!(!sender.send(Ok(rows(8 << 20))).await);
    }
}
