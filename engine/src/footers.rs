//! Footers of Parquet files: in memory, and over the process's end in the cache that C keeps.

use std::ffi::c_void;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{TimeZone, Utc};
use datafusion::common::{HashMap, Result, TableReference};
use datafusion::datasource::physical_plan::parquet::metadata::CachedParquetMetaData;
use datafusion::execution::cache::cache_manager::{
    CachedFileMetadataEntry, DEFAULT_METADATA_CACHE_LIMIT,
};
use datafusion::execution::cache::default_cache::DefaultCache;
use datafusion::execution::cache::{Cache, CacheEntryInfo};
use object_store::ObjectMeta;
use object_store::path::Path;
use parquet::file::metadata::{
    PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader, ParquetMetaDataWriter,
};

use crate::bindings::wr_cache;
use crate::catalog::c_text;
use crate::objects::scope::{self, Figure};
use crate::store::{Counters, count};

/// A footer with its page index larger than this, in bytes, is kept in memory only.
const LARGEST_KEPT: usize = 8 << 20;
/// Written first, so that another layout is not misread.
const LAYOUT: u8 = 1;

pub struct Footers {
    memory: DefaultCache<Path, CachedFileMetadataEntry>,
    kept: Option<wr_cache>,
    counters: Arc<Counters>,
}

// The contract of wr_cache: callable from any thread.
unsafe impl Send for Footers {}
unsafe impl Sync for Footers {}

impl fmt::Debug for Footers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Footers({})", self.memory.len())
    }
}

unsafe extern "C" fn take(sink: *mut c_void, data: *const c_void, length: usize) {
    let sink = unsafe { &mut *sink.cast::<Vec<u8>>() };
    sink.extend_from_slice(unsafe { std::slice::from_raw_parts(data.cast(), length) });
}

impl Footers {
    pub fn new(kept: Option<wr_cache>, counters: &Arc<Counters>) -> Footers {
        let memory = DefaultCache::new(DEFAULT_METADATA_CACHE_LIMIT);
        Footers { memory, kept, counters: counters.clone() }
    }

    /// Forgets what is known of another file under this one's path: the engine itself compares no
    /// more than size and time, which two files may share.
    pub fn check(&self, meta: &ObjectMeta) {
        if self.get(&meta.location).is_some_and(|entry| entry.meta.e_tag != meta.e_tag) {
            self.memory.remove(&meta.location);
            self.keep(&meta.location, &[]);
        }
    }

    fn load(&self, path: &Path) -> Option<CachedFileMetadataEntry> {
        let kept = self.kept.as_ref()?;
        let key = c_text(path.as_ref()).ok()?;
        let mut data: Vec<u8> = vec![];
        unsafe { kept.get?(kept.context, key.as_ptr(), Some(take), (&raw mut data).cast()) };
        let entry = decode(path, &data)?;
        count(&self.counters.footers_kept, 1);
        scope::count(Figure::CacheHits, 1);
        Some(entry)
    }

    fn keep(&self, path: &Path, data: &[u8]) -> Option<()> {
        let kept = self.kept.as_ref()?;
        let key = c_text(path.as_ref()).ok()?;
        unsafe { kept.put?(kept.context, key.as_ptr(), data.as_ptr().cast(), data.len()) };
        Some(())
    }
}

fn metadata_of(entry: &CachedFileMetadataEntry) -> Option<&ParquetMetaData> {
    let metadata = entry.file_metadata.as_any().downcast_ref::<CachedParquetMetaData>()?;
    Some(metadata.parquet_metadata())
}

fn encode(entry: &CachedFileMetadataEntry) -> Option<Vec<u8>> {
    let metadata = metadata_of(entry)?;
    let etag = entry.meta.e_tag.as_deref().unwrap_or_default();
    let mut data = vec![LAYOUT, has_index(metadata) as u8, u8::try_from(etag.len()).ok()?];
    data.extend(entry.meta.size.to_le_bytes());
    data.extend(entry.meta.last_modified.timestamp_nanos_opt()?.to_le_bytes());
    data.extend(etag.as_bytes());
    ParquetMetaDataWriter::new(&mut data, metadata).finish().ok()?;
    Some(data)
}

fn has_index(metadata: &ParquetMetaData) -> bool {
    metadata.column_index().is_some() && metadata.offset_index().is_some()
}

fn decode(path: &Path, data: &[u8]) -> Option<CachedFileMetadataEntry> {
    let (head, rest) = data.split_first_chunk::<3>()?;
    let (size, rest) = rest.split_first_chunk::<8>()?;
    let (modified, rest) = rest.split_first_chunk::<8>()?;
    let [LAYOUT, has_index, etag] = *head else { return None };
    let (etag, footer) = rest.split_at_checked(usize::from(etag))?;
    let policy = if has_index == 1 { PageIndexPolicy::Required } else { PageIndexPolicy::Skip };
    let reader = ParquetMetaDataReader::new().with_page_index_policy(policy);
    let metadata = reader.parse_and_finish(&Bytes::copy_from_slice(footer)).ok()?;
    let meta = ObjectMeta {
        location: path.clone(),
        last_modified: Utc.timestamp_nanos(i64::from_le_bytes(*modified)),
        size: u64::from_le_bytes(*size),
        e_tag: (!etag.is_empty()).then(|| String::from_utf8_lossy(etag).into_owned()),
        version: None,
    };
    let metadata = Arc::new(CachedParquetMetaData::new(Arc::new(metadata)));
    Some(CachedFileMetadataEntry::new(meta, metadata))
}

impl Cache<Path, CachedFileMetadataEntry> for Footers {
    fn get(&self, path: &Path) -> Option<CachedFileMetadataEntry> {
        if let Some(entry) = self.memory.get(path) {
            return Some(entry);
        }
        let entry = self.load(path)?;
        self.memory.put(path, entry.clone());
        Some(entry)
    }

    /// The engine puts what it has just read: a footer, and of a footer that is here the page index,
    /// if the file has one.
    fn put(&self, path: &Path, entry: CachedFileMetadataEntry) -> Option<CachedFileMetadataEntry> {
        let old = self.memory.get(path).filter(|old| old.meta == entry.meta);
        if old.is_none() {
            count(&self.counters.footers_read, 1);
        }
        let index = |entry: &CachedFileMetadataEntry| metadata_of(entry).map(has_index);
        if old.is_none_or(|old| index(&old) != index(&entry))
            && let Some(data) = encode(&entry).filter(|data| data.len() <= LARGEST_KEPT)
        {
            self.keep(path, &data);
        }
        self.memory.put(path, entry)
    }

    fn remove(&self, path: &Path) -> Option<CachedFileMetadataEntry> {
        self.memory.remove(path)
    }

    fn contains_key(&self, path: &Path) -> bool {
        self.memory.contains_key(path)
    }

    fn len(&self) -> usize {
        self.memory.len()
    }

    fn clear(&self) {
        self.memory.clear();
    }

    fn name(&self) -> String {
        "footers".into()
    }

    fn cache_limit(&self) -> usize {
        self.memory.cache_limit()
    }

    fn update_cache_limit(&self, limit: usize) {
        self.memory.update_cache_limit(limit);
    }

    fn cache_ttl(&self) -> Option<Duration> {
        self.memory.cache_ttl()
    }

    fn update_cache_ttl(&self, ttl: Option<Duration>) {
        self.memory.update_cache_ttl(ttl);
    }

    fn drop_table_entries(&self, table: &TableReference) -> Result<()> {
        self.memory.drop_table_entries(table)
    }

    fn list_entries(&self) -> HashMap<Path, CacheEntryInfo<CachedFileMetadataEntry>> {
        self.memory.list_entries()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap as Map;
    use std::ffi::{CStr, c_char};
    use std::sync::Mutex;
    use std::sync::atomic::Ordering;

    use arrow::array::{ArrayRef, Int64Array, RecordBatch};
    use parquet::arrow::ArrowWriter;
    use parquet::file::properties::{EnabledStatistics, WriterProperties};

    use super::*;

    type Kept = Mutex<Map<Vec<u8>, Vec<u8>>>;

    unsafe extern "C" fn get(
        context: *mut c_void,
        key: *const c_char,
        take: Option<unsafe extern "C" fn(*mut c_void, *const c_void, usize)>,
        sink: *mut c_void,
    ) {
        let kept = unsafe { &*context.cast::<Kept>() }.lock().unwrap();
        if let Some(data) = kept.get(unsafe { CStr::from_ptr(key) }.to_bytes()) {
            unsafe { take.unwrap()(sink, data.as_ptr().cast(), data.len()) };
        }
    }

    unsafe extern "C" fn put(
        context: *mut c_void,
        key: *const c_char,
        data: *const c_void,
        length: usize,
    ) {
        let mut kept = unsafe { &*context.cast::<Kept>() }.lock().unwrap();
        let data = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length) };
        kept.insert(unsafe { CStr::from_ptr(key) }.to_bytes().to_vec(), data.to_vec());
    }

    fn footers(kept: &Kept) -> (Footers, Arc<Counters>) {
        let cache = wr_cache {
            size: size_of::<wr_cache>(),
            context: (&raw const *kept).cast_mut().cast(),
            get: Some(get),
            put: Some(put),
        };
        let counters = Arc::new(Counters::default());
        (Footers::new(Some(cache), &counters), counters)
    }

    fn entry(etag: &str, properties: Option<WriterProperties>) -> CachedFileMetadataEntry {
        let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1000));
        let batch = RecordBatch::try_from_iter([("a", column)]).unwrap();
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), properties).unwrap();
        writer.write(&batch).unwrap();
        let file = Bytes::from(writer.into_inner().unwrap());
        let reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Optional);
        let metadata = reader.parse_and_finish(&file).unwrap();
        let meta = ObjectMeta {
            location: Path::from("d/x.parquet"),
            last_modified: Utc.timestamp_nanos(1_700_000_000_123_456_789),
            size: file.len() as u64,
            e_tag: Some(etag.to_string()),
            version: None,
        };
        CachedFileMetadataEntry::new(meta, Arc::new(CachedParquetMetaData::new(metadata.into())))
    }

    #[test]
    fn a_kept_footer_is_the_one_that_was_read_with_its_page_index() {
        let kept = Kept::default();
        let entry = entry("v1", None);
        footers(&kept).0.put(&entry.meta.location, entry.clone());
        let (later, counters) = footers(&kept);
        let found = later.get(&entry.meta.location).unwrap();
        assert_eq!(found.meta, entry.meta);
        let metadata = |entry: &CachedFileMetadataEntry| {
            let any = entry.file_metadata.as_any();
            any.downcast_ref::<CachedParquetMetaData>().unwrap().parquet_metadata().clone()
        };
        let (found, read) = (metadata(&found), metadata(&entry));
        assert_eq!(found.file_metadata(), read.file_metadata());
        assert_eq!(found.column_index(), read.column_index());
        assert_eq!(found.offset_index(), read.offset_index());
        assert_eq!(found.row_group(0).num_rows(), 1000);
        assert_eq!(counters.footers_kept.load(Ordering::Relaxed), 1);
        assert_eq!(counters.footers_read.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_file_without_page_index_is_kept_too() {
        let properties = WriterProperties::builder()
            .set_offset_index_disabled(true)
            .set_statistics_enabled(EnabledStatistics::Chunk);
        let entry = entry("v1", Some(properties.build()));
        let found = decode(&entry.meta.location, &encode(&entry).unwrap()).unwrap();
        let any = found.file_metadata.as_any();
        let metadata = any.downcast_ref::<CachedParquetMetaData>().unwrap().parquet_metadata();
        assert!(metadata.offset_index().is_none());
        assert_eq!(metadata.row_group(0).num_rows(), 1000);
    }

    #[test]
    fn another_file_under_the_same_path_is_not_taken_for_this_one() {
        let kept = Kept::default();
        let old = entry("v1", None);
        let (footers, _) = footers(&kept);
        footers.put(&old.meta.location, old.clone());
        footers.check(&old.meta);
        assert!(footers.memory.contains_key(&old.meta.location));
        let new = ObjectMeta { e_tag: Some("v2".into()), ..old.meta.clone() };
        footers.check(&new);
        assert!(footers.get(&old.meta.location).is_none());
    }

    #[test]
    fn damaged_data_is_no_footer() {
        let path = Path::from("x");
        let data = encode(&entry("v1", None)).unwrap();
        assert!(decode(&path, &data).is_some());
        for length in [0, 1, 5, 20, data.len() / 2, data.len() - 1] {
            assert!(decode(&path, &data[..length]).is_none(), "{length}");
        }
        let mut other_layout = data.clone();
        other_layout[0] = LAYOUT + 1;
        assert!(decode(&path, &other_layout).is_none());
    }
}
