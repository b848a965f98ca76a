//! The memory of one statement: counted, and held to its share of the engine's. What rows weigh.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::DataType;
use datafusion::common::resources_datafusion_err;
use datafusion::execution::memory_pool::{
    MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation, human_readable_size,
};

use crate::error::Result;
use crate::fair::FairPool;

#[derive(Debug)]
pub struct StatementMemory {
    engine: Arc<dyn MemoryPool>,
    /// What it may hold of that, shared out among its own operators.
    share: Option<FairPool>,
    held: AtomicUsize,
    peak: AtomicUsize,
}

impl StatementMemory {
    /// `share` 0: all that the engine has.
    pub fn new(engine: &Arc<dyn MemoryPool>, share: usize) -> Arc<StatementMemory> {
        let share = (share > 0).then(|| FairPool::new(share));
        let (held, peak) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(StatementMemory { engine: engine.clone(), share, held, peak })
    }

    pub fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    fn most(&self) -> usize {
        self.share.as_ref().map_or(usize::MAX, FairPool::size)
    }

    fn note(&self, held: usize) {
        self.peak.fetch_max(held, Ordering::Relaxed);
    }

    /// What it holds with so much more; None: that is more than its share, all together or that operator's. The fair pool
    /// alone lets those that can spill have their fraction also where others took more than theirs before.
    fn take(&self, reservation: &MemoryReservation, additional: usize) -> Option<usize> {
        let more = |held: usize| held.checked_add(additional).filter(|held| *held <= self.most());
        let before = self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        if self.share.as_ref().is_some_and(|share| share.try_grow(reservation, additional).is_err())
        {
            self.held.fetch_sub(additional, Ordering::Relaxed);
            return None;
        }
        Some(before + additional)
    }

    fn give_back(&self, reservation: &MemoryReservation, shrink: usize) {
        self.share.iter().for_each(|share| share.shrink(reservation, shrink));
        self.held.fetch_sub(shrink, Ordering::Relaxed);
    }
}

impl std::fmt::Display for StatementMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "statement({})", human_readable_size(self.reserved()))
    }
}

impl MemoryPool for StatementMemory {
    fn name(&self) -> &str {
        "statement"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.engine.register(consumer);
        self.share.iter().for_each(|share| share.register(consumer));
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.engine.unregister(consumer);
        self.share.iter().for_each(|share| share.unregister(consumer));
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.engine.grow(reservation, additional);
        self.share.iter().for_each(|share| share.grow(reservation, additional));
        self.note(self.held.fetch_add(additional, Ordering::Relaxed) + additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.engine.shrink(reservation, shrink);
        self.give_back(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let held = self.take(reservation, additional).ok_or_else(|| {
            resources_datafusion_err!(
                "the statement's share of memory, {}, does not hold {} more for {}",
                human_readable_size(self.most()),
                human_readable_size(additional),
                reservation.consumer().name()
            )
        })?;
        let grown = self.engine.try_grow(reservation, additional);
        match grown {
            Ok(()) => self.note(held),
            Err(_) => self.give_back(reservation, additional),
        }
        grown
    }

    fn reserved(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    fn memory_limit(&self) -> MemoryLimit {
        match (&self.share, self.engine.memory_limit()) {
            (None, limit) => limit,
            (Some(_), MemoryLimit::Finite(limit)) => MemoryLimit::Finite(self.most().min(limit)),
            (Some(_), _) => MemoryLimit::Finite(self.most()),
        }
    }
}

/// The bytes of a batch's own rows: of a slice, those in it. Of a list of views, not what is behind them.
pub fn row_bytes(batch: &RecordBatch) -> usize {
    let of = |column: &ArrayRef| {
        let behind = match column.data_type() {
            DataType::Utf8View => column.as_string_view().total_buffer_bytes_used(),
            DataType::BinaryView => column.as_binary_view().total_buffer_bytes_used(),
            _ => 0,
        };
        column.to_data().get_slice_memory_size().unwrap_or(0) + behind
    };
    batch.columns().iter().map(of).sum()
}
