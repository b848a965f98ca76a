use std::collections::HashMap as Map;
use std::ffi::{CStr, c_char, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::*;

type Kept = Mutex<Map<(Vec<u8>, u64), Vec<u8>>>;

unsafe fn kept_of<'a>(context: *mut c_void) -> &'a Kept {
    unsafe { &*context.cast::<Kept>() }
}

unsafe extern "C" fn get(
    context: *mut c_void,
    object: *const c_char,
    first: u64,
    n: usize,
    data: *mut c_void,
    lengths: *mut u32,
) {
    let kept = unsafe { kept_of(context) }.lock().unwrap();
    let name = unsafe { CStr::from_ptr(object) }.to_bytes().to_vec();
    for i in 0..n {
        let found = kept.get(&(name.clone(), first + i as u64));
        unsafe { *lengths.add(i) = found.map_or(0, |block| block.len() as u32) };
        if let Some(block) = found {
            let to = unsafe { data.cast::<u8>().add(i * BLOCK as usize) };
            unsafe { std::ptr::copy_nonoverlapping(block.as_ptr(), to, block.len()) };
        }
    }
}

unsafe extern "C" fn put(
    context: *mut c_void,
    object: *const c_char,
    first: u64,
    data: *const c_void,
    length: usize,
) {
    let mut kept = unsafe { kept_of(context) }.lock().unwrap();
    let name = unsafe { CStr::from_ptr(object) }.to_bytes().to_vec();
    let data = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length) };
    for (i, block) in data.chunks(BLOCK as usize).enumerate() {
        kept.insert((name.clone(), first + i as u64), block.to_vec());
    }
}

fn blocks(kept: &Kept) -> Arc<Blocks> {
    let kept = wr_blocks {
        size: size_of::<wr_blocks>(),
        context: (&raw const *kept).cast_mut().cast(),
        is_lasting: 1,
        is_empty: None,
        get: Some(get),
        put: Some(put),
    };
    Blocks::new(kept, &Arc::default())
}

fn object(length: usize) -> Bytes {
    (0..length).map(|i| (i * 7 % 251) as u8).collect::<Vec<_>>().into()
}

/// Reads ranges of an object, checks them, and says how many requests it took.
fn read_some(blocks: &Arc<Blocks>, name: &str, whole: &Bytes, ranges: &[Range<u64>]) -> usize {
    let n_requests = AtomicUsize::new(0);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let fetch = |range: Range<u64>| {
        n_requests.fetch_add(1, Ordering::Relaxed);
        let end = whole.len().min(range.end as usize);
        let bytes = whole.slice(range.start as usize..end);
        async move { Ok(bytes) }
    };
    let read = runtime.block_on(blocks.read(name.into(), ranges, fetch)).unwrap();
    for (range, bytes) in ranges.iter().zip(&read) {
        assert_eq!(*bytes, whole.slice(range.start as usize..range.end as usize));
    }
    n_requests.load(Ordering::Relaxed)
}

#[test]
fn near_ranges_are_one_request_and_long_ones_are_several() {
    assert_eq!(requests([10..20, 0..5, 20..30]), [0..30]);
    assert_eq!(requests([0..10, 10 + GAP..20 + GAP]), [0..20 + GAP]);
    assert_eq!(requests([0..10, 11 + GAP..20 + GAP]), [0..10, 11 + GAP..20 + GAP]);
    assert_eq!(requests([0..MOST_ASKED + 1]), [0..MOST_ASKED, MOST_ASKED..MOST_ASKED + 1]);
    assert!(requests([5..5]).is_empty());
}

#[test]
fn what_was_read_is_not_asked_for_again_and_all_ranges_are_right() {
    let (kept, whole) = (Kept::default(), object(40 * BLOCK as usize + 100));
    let reader = blocks(&kept);
    let end = whole.len() as u64;
    assert_eq!(read_some(&reader, "a", &whole, &[5..10, BLOCK - 1..BLOCK + 1]), 1);
    assert_eq!(read_some(&reader, "a", &whole, &[0..2 * BLOCK, 7..7]), 0);
    assert_eq!(read_some(&reader, "a", &whole, &[end - 10..end]), 1);
    assert_eq!(read_some(&reader, "a", &whole, &[10 * BLOCK..11 * BLOCK]), 1);
    // One request for what is missing before it and behind it.
    assert_eq!(read_some(&reader, "a", &whole, &[0..4 * BLOCK, BLOCK..end]), 1);
    assert_eq!(read_some(&reader, "a", &whole, &[end - 200..end, 0..end, 3 * BLOCK..5 * BLOCK]), 0);
    assert_eq!(read_some(&reader, "b", &whole, &[0..10]), 1);
    reader.close();
    let later = blocks(&kept);
    assert_eq!(read_some(&later, "a", &whole, &[0..end, 100..200]), 0);
    kept.lock().unwrap().retain(|(_, block), _| block % 3 > 0);
    read_some(&later, "a", &whole, &[0..end, 2 * BLOCK + 5..3 * BLOCK + 5]);
}

#[test]
fn what_waits_is_written_after_a_moment() {
    let (kept, whole) = (Kept::default(), object(BLOCK as usize));
    let reader = blocks(&kept);
    assert_eq!(read_some(&reader, "a", &whole, &[0..10]), 1);
    assert!(kept.lock().unwrap().is_empty());
    let begin = Instant::now();
    while kept.lock().unwrap().is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(read_some(&reader, "a", &whole, &[0..10]), 0);
    reader.close();
}

#[test]
fn an_object_that_ends_too_early_is_an_error() {
    let whole = object(100);
    let pieces = [Piece { start: 0, data: whole.clone() }];
    assert!(cut(&pieces, &(50..101)).is_err());
    assert_eq!(cut(&pieces, &(50..100)).unwrap(), whole.slice(50..100));
}

#[test]
fn other_stores_keys_and_etags_are_other_objects() {
    let names: Vec<_> =
        [("s", "k", "e"), ("s2", "k", "e"), ("s", "k2", "e"), ("s", "k", "e2"), ("sk", "", "e")]
            .into_iter()
            .map(|(store, key, etag)| identity(store, key, etag).unwrap())
            .collect();
    for (i, name) in names.iter().enumerate() {
        assert!(!names[..i].contains(name));
    }
    assert!(identity("s", "k", "W/\"e\"").is_none());
}
