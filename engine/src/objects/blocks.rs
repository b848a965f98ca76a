//! Reads of objects by way of the blocks that C keeps on this machine. What comes from a store is found at once, in memory,
//! and written by a thread of its own, so that no read waits for a disk that is slow.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use futures::future::try_join_all;
use object_store::{Error, Result as StoreResult};
use sha2::{Digest, Sha256};

use crate::bindings::{WR_BLOCK, wr_blocks};
use crate::catalog::c_text;
use crate::files::hexadecimal;
use crate::runtime::begin_thread;
use crate::store::{Counters, count};

use super::scope::{self, Figure};

const BLOCK: u64 = WR_BLOCK as u64;
/// Bytes that wait to be written; what comes beyond them is not kept.
const MOST_WAITING: usize = 128 << 20;
/// Writing begins when nothing has come for so long, or when so many bytes wait: a scan has other use for processors and
/// disks.
const QUIET: Duration = Duration::from_millis(200);
const MANY_WAITING: usize = 96 << 20;
/// Two ranges less than so many bytes apart are one request.
const GAP: u64 = 512 << 10;
/// Bytes of a request at most: more are several at the same time.
pub const MOST_ASKED: u64 = 8 << 20;
/// The writing thread's niceness: it takes what others leave.
const NICE: i32 = 19;

/// Bytes from `start` on, whose block is kept or is to be.
#[derive(Clone)]
struct Piece {
    start: u64,
    data: Bytes,
}

impl Piece {
    fn end(&self) -> u64 {
        self.start + self.data.len() as u64
    }
}

struct Waiting {
    object: Arc<str>,
    piece: Piece,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// Where the blocks that wait, or are being written, are in memory.
    blocks: HashMap<Arc<str>, HashMap<u64, Bytes>>,
    n_bytes: usize,
    /// How many times something came.
    n_times: usize,
    writer: Option<JoinHandle<()>>,
    is_closed: bool,
}

pub struct Blocks {
    kept: wr_blocks,
    counters: Arc<Counters>,
    queue: Mutex<Queue>,
    changed: Condvar,
}

// The contract of wr_blocks: callable from any thread.
unsafe impl Send for Blocks {}
unsafe impl Sync for Blocks {}

impl fmt::Debug for Blocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blocks")
    }
}

/// What blocks of an object in one version are kept under. None: nothing tells its versions apart.
pub fn identity(store: &str, key: &str, etag: &str) -> Option<Arc<str>> {
    if etag.starts_with("W/") {
        return None; // says no more than that the content means the same
    }
    let mut hash = Sha256::new();
    for part in [store, key, etag] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    Some(hexadecimal(&hash.finalize()).into())
}

/// The ranges in order, those joined that are at most `gap` apart.
fn joined(ranges: impl IntoIterator<Item = Range<u64>>, gap: u64) -> Vec<Range<u64>> {
    let mut sorted: Vec<_> = ranges.into_iter().filter(|range| range.start < range.end).collect();
    sorted.sort_unstable_by_key(|range| range.start);
    let mut all: Vec<Range<u64>> = vec![];
    for range in sorted {
        match all.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(gap) => {
                last.end = last.end.max(range.end);
            }
            _ => all.push(range),
        }
    }
    all
}

/// The requests for them.
pub fn requests(ranges: impl IntoIterator<Item = Range<u64>>) -> Vec<Range<u64>> {
    let joined = joined(ranges, GAP).into_iter();
    let split = joined.flat_map(|range| {
        let end = range.end;
        let starts = range.step_by(MOST_ASKED as usize);
        starts.map(move |start| start..end.min(start + MOST_ASKED))
    });
    split.collect()
}

/// A range out of pieces in their order.
fn cut(pieces: &[Piece], range: &Range<u64>) -> StoreResult<Bytes> {
    let first = pieces.partition_point(|piece| piece.end() <= range.start);
    let mut at = range.start;
    let mut parts: Vec<Bytes> = vec![];
    for piece in &pieces[first..] {
        if at >= range.end || piece.start > at {
            break;
        }
        let end = range.end.min(piece.end());
        parts.push(piece.data.slice((at - piece.start) as usize..(end - piece.start) as usize));
        at = end;
    }
    if at < range.end {
        let source = format!("an object ends before byte {}", range.end).into();
        return Err(Error::Generic { store: "objects", source });
    }
    match parts.len() {
        1 => Ok(parts.remove(0)),
        _ => Ok(parts.concat().into()),
    }
}

/// Sends the requests at the same time, and cuts the ranges out of what comes.
pub async fn read<F>(
    ranges: &[Range<u64>],
    fetch: impl Fn(Range<u64>) -> F,
) -> StoreResult<Vec<Bytes>>
where
    F: Future<Output = StoreResult<Bytes>>,
{
    let pieces = fetch_all(requests(ranges.iter().cloned()), fetch).await?;
    ranges.iter().map(|range| cut(&pieces, range)).collect()
}

async fn fetch_all<F>(
    requests: Vec<Range<u64>>,
    fetch: impl Fn(Range<u64>) -> F,
) -> StoreResult<Vec<Piece>>
where
    F: Future<Output = StoreResult<Bytes>>,
{
    let fetch = &fetch;
    let pieces = requests.into_iter().map(|range| async move {
        let start = range.start;
        Ok(Piece { start, data: fetch(range).await? })
    });
    try_join_all(pieces).await
}

impl Blocks {
    pub fn new(kept: wr_blocks, counters: &Arc<Counters>) -> Arc<Blocks> {
        let counters = counters.clone();
        Arc::new(Blocks { kept, counters, queue: Mutex::default(), changed: Condvar::new() })
    }

    /// The ranges of an object; what is not kept is asked for, in whole blocks.
    pub async fn read<F>(
        self: &Arc<Self>,
        object: Arc<str>,
        ranges: &[Range<u64>],
        fetch: impl Fn(Range<u64>) -> F,
    ) -> StoreResult<Vec<Bytes>>
    where
        F: Future<Output = StoreResult<Bytes>>,
    {
        let whole = ranges.iter().filter(|range| range.start < range.end);
        let whole = whole.map(|range| range.start / BLOCK..range.end.div_ceil(BLOCK));
        let (mut pieces, absent) = self.find_waiting(&object, &joined(whole, 0));
        let missing = match !absent.is_empty() && self.may_be_kept() {
            true => {
                let (blocks, name) = (self.clone(), object.clone());
                let load = tokio::task::spawn_blocking(move || blocks.load_all(&name, &absent));
                let (loaded, missing) = load.await.map_err(|source| Error::JoinError { source })?;
                pieces.extend(loaded);
                missing
            }
            false => absent.into_iter().map(|run| run.start * BLOCK..run.end * BLOCK).collect(),
        };
        let n_found = pieces.iter().map(|p| n_blocks(&p.data)).sum();
        count(&self.counters.blocks_kept, n_found);
        scope::count(Figure::CacheHits, n_found as i64);
        let fetched = fetch_all(requests(missing), fetch).await?;
        if !fetched.is_empty() {
            self.keep(&object, &fetched);
            // What lies between two ranges that were missing came with them.
            let came = |piece: &Piece| {
                let at = fetched.partition_point(|one| one.end() <= piece.start);
                fetched.get(at).is_some_and(|one| one.start <= piece.start)
            };
            pieces.retain(|piece| !came(piece));
            pieces.extend(fetched);
        }
        pieces.sort_by_key(|piece| piece.start);
        ranges.iter().map(|range| cut(&pieces, range)).collect()
    }

    /// The blocks among runs of them that are in memory still, and the runs of the others.
    fn find_waiting(&self, object: &str, runs: &[Range<u64>]) -> (Vec<Piece>, Vec<Range<u64>>) {
        let queue = self.queue.lock().unwrap();
        let Some(blocks) = queue.blocks.get(object) else { return (vec![], runs.to_vec()) };
        let (mut pieces, mut absent) = (vec![], vec![]);
        for run in runs {
            let mut begin = run.start;
            for block in run.clone() {
                let Some(data) = blocks.get(&block) else { continue };
                absent.push(begin..block);
                begin = block + 1;
                pieces.push(Piece { start: block * BLOCK, data: data.clone() });
            }
            absent.push(begin..run.end);
        }
        absent.retain(|run| run.start < run.end);
        (pieces, absent)
    }

    /// Whether anything is kept at all. Where nothing is there is no need of a thread that may wait for the disk.
    fn may_be_kept(&self) -> bool {
        self.kept.is_empty.is_none_or(|ask| unsafe { ask(self.kept.context) } == 0)
    }

    /// What is kept of runs of blocks, and the ranges of bytes that are not.
    fn load_all(&self, object: &str, runs: &[Range<u64>]) -> (Vec<Piece>, Vec<Range<u64>>) {
        let (mut pieces, mut missing) = (vec![], vec![]);
        for run in runs {
            self.load(object, run.clone(), &mut pieces, &mut missing);
        }
        (pieces, missing)
    }

    fn load(
        &self,
        object: &str,
        run: Range<u64>,
        pieces: &mut Vec<Piece>,
        missing: &mut Vec<Range<u64>>,
    ) {
        let n = (run.end - run.start) as usize;
        let (Some(get), Ok(name)) = (self.kept.get, c_text(object)) else {
            missing.push(run.start * BLOCK..run.end * BLOCK);
            return;
        };
        let (mut data, mut lengths) = (Vec::<u8>::with_capacity(n * BLOCK as usize), vec![0u32; n]);
        let to = (data.as_mut_ptr().cast(), lengths.as_mut_ptr());
        unsafe { get(self.kept.context, name.as_ptr(), run.start, n, to.0, to.1) };
        if lengths.iter().all(|length| *length == 0) {
            missing.push(run.start * BLOCK..run.end * BLOCK);
            return;
        }
        // What was not found is not read.
        unsafe { data.set_len(n * BLOCK as usize) };
        let data = Bytes::from(data);
        for group in lengths.chunk_by(|a, b| *a == WR_BLOCK && *b > 0 || *a == 0 && *b == 0) {
            let place = |p: *const u32| unsafe { p.offset_from(lengths.as_ptr()) } as usize;
            let first = place(group.as_ptr());
            let start = (run.start + first as u64) * BLOCK;
            if group[0] == 0 {
                missing.push(start..start + group.len() as u64 * BLOCK);
                continue;
            }
            let length: usize = group.iter().map(|length| *length as usize).sum();
            let from = first * BLOCK as usize;
            pieces.push(Piece { start, data: data.slice(from..from + length) });
        }
    }

    /// Lets the pieces be written. All but an object's last block have their full length.
    fn keep(self: &Arc<Self>, object: &Arc<str>, pieces: &[Piece]) {
        let mut queue = self.queue.lock().unwrap();
        queue.n_times += 1;
        let Queue { waiting, blocks, n_bytes, .. } = &mut *queue;
        let was_empty = waiting.is_empty();
        for piece in pieces.iter().filter(|piece| !piece.data.is_empty()) {
            if *n_bytes + piece.data.len() > MOST_WAITING {
                break;
            }
            *n_bytes += piece.data.len();
            let of_object = blocks.entry(object.clone()).or_default();
            for (i, at) in (0..piece.data.len()).step_by(BLOCK as usize).enumerate() {
                let end = piece.data.len().min(at + BLOCK as usize);
                of_object.insert(piece.start / BLOCK + i as u64, piece.data.slice(at..end));
            }
            waiting.push_back(Waiting { object: object.clone(), piece: piece.clone() });
        }
        // The thread that writes looks by itself, every QUIET, whether more has come.
        if was_empty || queue.n_bytes > MANY_WAITING {
            self.start_writer(&mut queue);
            self.changed.notify_one();
        }
    }

    /// Makes the thread that writes, which takes its time, before anything waits for what was asked of a store.
    pub fn begin(self: &Arc<Self>) {
        self.start_writer(&mut self.queue.lock().unwrap());
    }

    fn start_writer(self: &Arc<Self>, queue: &mut Queue) {
        if queue.writer.is_none() && !queue.is_closed {
            let blocks = self.clone();
            let thread = std::thread::Builder::new().name("weir-blocks".into());
            queue.writer = thread.spawn(move || blocks.write_all()).ok();
        }
    }

    fn write_all(&self) {
        begin_thread();
        unsafe { libc::setpriority(libc::PRIO_PROCESS, libc::gettid() as libc::id_t, NICE) };
        while let Some(Waiting { object, piece }) = self.next() {
            if let (Some(put), Ok(name)) = (self.kept.put, c_text(&object)) {
                let (data, first) = (&piece.data, piece.start / BLOCK);
                let (from, length) = (data.as_ptr().cast(), data.len());
                unsafe { put(self.kept.context, name.as_ptr(), first, from, length) };
            }
            self.written(&object, &piece);
        }
    }

    /// None when there will be no more.
    fn next(&self) -> Option<Waiting> {
        let mut queue = self.queue.lock().unwrap();
        loop {
            if queue.is_closed && self.kept.is_lasting == 0 {
                return None;
            }
            if queue.is_closed || queue.n_bytes > MANY_WAITING {
                return queue.waiting.pop_front();
            }
            let n_times = queue.n_times;
            if queue.waiting.is_empty() {
                queue = self.changed.wait(queue).unwrap();
                continue;
            }
            let (after, waited) = self.changed.wait_timeout(queue, QUIET).unwrap();
            queue = after;
            if waited.timed_out() && queue.n_times == n_times {
                return queue.waiting.pop_front();
            }
        }
    }

    fn written(&self, object: &Arc<str>, piece: &Piece) {
        let mut queue = self.queue.lock().unwrap();
        queue.n_bytes -= piece.data.len();
        let Some(blocks) = queue.blocks.get_mut(object) else { return };
        let first = piece.start / BLOCK;
        (first..first + n_blocks(&piece.data) as u64).for_each(|block| drop(blocks.remove(&block)));
        if blocks.is_empty() {
            queue.blocks.remove(object);
        }
    }

    /// Writes what waits, if it is worth while.
    pub fn close(&self) {
        let writer = {
            let mut queue = self.queue.lock().unwrap();
            queue.is_closed = true;
            queue.writer.take()
        };
        self.changed.notify_all();
        if let Some(writer) = writer {
            let _ = writer.join();
        }
    }
}

fn n_blocks(data: &Bytes) -> usize {
    data.len().div_ceil(BLOCK as usize)
}

#[cfg(test)]
mod tests;
