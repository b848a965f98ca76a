//! A pool of memory that leaves something to those who read from sorts. The engine's own fair pool shares out what operators
//! hold that can spill. A sort that has spilled merges as many of its files at a time as the pool gives it memory for, so that
//! the first took all, and what stood above it failed.

use std::collections::HashMap;
use std::fmt;

use datafusion::common::resources_err;
use datafusion::execution::memory_pool::{
    FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation, human_readable_size,
};
use parking_lot::Mutex;

use crate::error::Result;

/// What the engine calls the merges of its sorts, of runs in memory and of files.
const MERGE: &str = "ExternalSorterMerge";

#[derive(Debug)]
pub struct FairPool {
    inner: FairSpillPool,
    size: usize,
    /// What each merge holds, by the number of its consumer.
    merges: Mutex<HashMap<usize, usize>>,
}

impl FairPool {
    pub fn new(size: usize) -> FairPool {
        FairPool { inner: FairSpillPool::new(size), size, merges: Mutex::default() }
    }

    pub fn size(&self) -> usize {
        self.size
    }

    fn count(&self, reservation: &MemoryReservation, change: impl FnOnce(usize) -> usize) {
        if is_merge(reservation.consumer())
            && let Some(held) = self.merges.lock().get_mut(&reservation.consumer().id())
        {
            *held = change(*held);
        }
    }

    /// Merges of files have a half of the pool. Each needs room for four of its largest batches, and a merge of what they give for
    /// three of each; where the batches are too large for that, the engine halves them.
    ///
    /// A merge of files has one reservation, for all of them. A merge of runs in memory has one for each of them too, only
    /// holds what its sort gives up for it, and cannot do with less.
    fn check(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        if !is_merge(reservation.consumer()) {
            return Ok(());
        }
        let merges = self.merges.lock();
        let held = merges.get(&reservation.consumer().id()).copied().unwrap_or_default();
        let most = self.size / (2 * merges.len().max(1));
        if held != reservation.size() || held + additional <= most {
            return Ok(());
        }
        resources_err!(
            "{} may hold {} of the {} that there are, which does not hold {} more",
            reservation.consumer().name(),
            human_readable_size(most),
            human_readable_size(self.size),
            human_readable_size(additional)
        )
    }
}

fn is_merge(consumer: &MemoryConsumer) -> bool {
    consumer.name().starts_with(MERGE)
}

impl fmt::Display for FairPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl MemoryPool for FairPool {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn register(&self, consumer: &MemoryConsumer) {
        if is_merge(consumer) {
            self.merges.lock().insert(consumer.id(), 0);
        }
        self.inner.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        if is_merge(consumer) {
            self.merges.lock().remove(&consumer.id());
        }
        self.inner.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.inner.grow(reservation, additional);
        self.count(reservation, |held| held + additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.inner.shrink(reservation, shrink);
        self.count(reservation, |held| held - shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        self.check(reservation, additional)?;
        self.inner.try_grow(reservation, additional)?;
        self.count(reservation, |held| held + additional);
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.inner.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.size)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn consumer(pool: &Arc<dyn MemoryPool>, name: &str) -> MemoryReservation {
        MemoryConsumer::new(name).register(pool)
    }

    #[test]
    fn merges_of_files_leave_a_share_to_what_reads_them() {
        let pool: Arc<dyn MemoryPool> = Arc::new(FairPool::new(300));
        let first = consumer(&pool, "ExternalSorterMerge[0]");
        let second = consumer(&pool, "ExternalSorterMerge[1]");
        first.try_grow(60).unwrap();
        first.try_grow(15).unwrap();
        assert!(first.try_grow(1).is_err());
        second.try_grow(75).unwrap();
        assert!(second.try_grow(1).is_err());
        consumer(&pool, "SortPreservingMergeExec[0]").try_grow(150).unwrap();
        drop(second);
        first.try_grow(75).unwrap();
        assert!(first.try_grow(1).is_err());
        assert_eq!(pool.reserved(), 150);
    }

    #[test]
    fn a_merge_of_runs_in_memory_may_hold_what_its_sort_held() {
        let pool: Arc<dyn MemoryPool> = Arc::new(FairPool::new(300));
        let merge = consumer(&pool, "ExternalSorterMerge[0]");
        let cursor = merge.new_empty();
        cursor.try_grow(10).unwrap();
        merge.try_grow(290).unwrap();
        assert!(merge.try_grow(1).is_err());
        merge.free();
        drop((cursor, merge));
        assert_eq!(pool.reserved(), 0);
    }
}
