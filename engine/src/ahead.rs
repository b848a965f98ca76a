//! Row groups of objects that are fetched while those before them are decoded.

use std::any::Any;
use std::collections::{HashSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::pruning::PrunableStatistics;
use datafusion::datasource::listing::{FileRange, PartitionedFile};
use datafusion::datasource::physical_plan::parquet::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::datasource::physical_plan::{FileSource, ParquetSource};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::PhysicalExpr;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::future::{BoxFuture, FutureExt};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::ParquetMetaData;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use crate::error::Result;
use crate::objects::Source;

/// Row groups on their way beside the one that is waited for.
const DEPTH: usize = 2;
/// A row group that takes longer is not waited for before the next one is asked for, whose way then overlaps its own; nor are
/// those two before the one after them. When they have come, decoding may keep all threads from asking.
const HEAD_START: Duration = Duration::from_millis(20);
/// Bytes that an engine holds of row groups that are not decoded yet, in units of the semaphore.
pub const BUDGET: usize = (64 << 20) / UNIT;
const UNIT: usize = 4096;

/// The same source; that of Parquet files in stores reads ahead.
pub fn with_read_ahead(source: Arc<dyn FileSource>) -> Arc<dyn FileSource> {
    let parquet = (source.as_ref() as &dyn Any).downcast_ref::<ParquetSource>();
    let Some((parquet, readers)) =
        parquet.and_then(|parquet| Some((parquet, parquet.parquet_file_reader_factory()?)))
    else {
        return source;
    };
    let readers = Arc::new(Ahead {
        readers: readers.clone(),
        predicate: parquet.filter(),
        schema: parquet.table_schema().file_schema().clone(),
    });
    Arc::new(parquet.clone().with_parquet_file_reader_factory(readers))
}

#[derive(Debug)]
struct Ahead {
    readers: Arc<dyn ParquetFileReaderFactory>,
    predicate: Option<Arc<dyn PhysicalExpr>>,
    schema: SchemaRef,
}

type Again = Box<dyn Fn() -> Result<Box<dyn AsyncFileReader + Send>> + Send>;

impl ParquetFileReaderFactory for Ahead {
    fn create_reader(
        &self,
        partition: usize,
        file: PartitionedFile,
        size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let inner = self.readers.create_reader(partition, file.clone(), size_hint, metrics)?;
        let Some(source) = file.extensions.get::<Source>() else { return Ok(inner) };
        let (budget, part) = (source.ahead(), file.range.clone());
        let (readers, metrics) = (self.readers.clone(), metrics.clone());
        let again = move || readers.create_reader(partition, file.clone(), size_hint, &metrics);
        Ok(Box::new(Reader {
            inner,
            again: Box::new(again),
            part,
            budget,
            predicate: self.predicate.clone(),
            schema: self.schema.clone(),
            metadata: None,
            begun: HashSet::new(),
            ahead: VecDeque::new(),
        }))
    }
}

/// A row group on its way.
struct Next {
    ranges: Vec<Range<u64>>,
    /// Ended when this is dropped.
    task: JoinSet<ParquetResult<(Vec<Bytes>, OwnedSemaphorePermit)>>,
}

struct Reader {
    inner: Box<dyn AsyncFileReader + Send>,
    again: Again,
    /// Of the file, what this reader is to read.
    part: Option<FileRange>,
    budget: Arc<Semaphore>,
    predicate: Option<Arc<dyn PhysicalExpr>>,
    schema: SchemaRef,
    metadata: Option<Arc<ParquetMetaData>>,
    /// Row groups that were asked for.
    begun: HashSet<usize>,
    ahead: VecDeque<Next>,
}

fn chunk(metadata: &ParquetMetaData, row_group: usize, column: usize) -> Range<u64> {
    let (start, length) = metadata.row_group(row_group).column(column).byte_range();
    start..start + length
}

/// The row group whose whole column chunks the ranges are, and their columns.
fn whole_chunks(metadata: &ParquetMetaData, ranges: &[Range<u64>]) -> Option<(usize, Vec<usize>)> {
    let first = ranges.first()?;
    let column_of = |row_group: usize, range: &Range<u64>| {
        let n_columns = metadata.row_group(row_group).num_columns();
        (0..n_columns).find(|column| chunk(metadata, row_group, *column) == *range)
    };
    let mut row_groups = 0..metadata.num_row_groups();
    let row_group = row_groups.find(|row_group| column_of(*row_group, first).is_some())?;
    let columns = ranges.iter().map(|range| column_of(row_group, range));
    Some((row_group, columns.collect::<Option<_>>()?))
}

/// Whether the part has a row group, as the engine's own reader decides it.
fn has(part: &Option<FileRange>, metadata: &ParquetMetaData, row_group: usize) -> bool {
    let Some(part) = part else { return true };
    let first = metadata.row_group(row_group).column(0);
    let offset = first.dictionary_page_offset().unwrap_or_else(|| first.data_page_offset());
    (part.start..part.end).contains(&offset)
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> ParquetError {
    ParquetError::External(Box::new(error))
}

impl Reader {
    /// Whether a row group may have rows that the scan wants, as its filter is now.
    fn may_match(&self, metadata: &ParquetMetaData, row_group: usize) -> bool {
        let Some(predicate) = &self.predicate else { return true };
        let builder = PruningPredicateBuilder::new().with_file_schema(self.schema.clone());
        let Some(predicate) = builder.build(predicate.clone()) else { return true };
        let row_groups = vec![metadata.row_group(row_group).clone()];
        let alone = ParquetMetaData::new(metadata.file_metadata().clone(), row_groups);
        let known = DFParquetMetadata::statistics_from_parquet_metadata(&alone, &self.schema);
        let Ok(known) = known else { return true };
        let known = PrunableStatistics::new(vec![Arc::new(known)], self.schema.clone());
        predicate.prune(&known).map_or(true, |kept| kept.into_iter().all(|keep| keep))
    }

    /// Begins to fetch the same columns of the row group that is likely to be the next one.
    fn begin_next(&mut self, row_group: usize, columns: &[usize]) -> Option<()> {
        let metadata = self.metadata.clone()?;
        let n = metadata.num_row_groups();
        let next = (row_group + 1..n).chain(0..row_group).find(|candidate| {
            !self.begun.contains(candidate)
                && has(&self.part, &metadata, *candidate)
                && self.may_match(&metadata, *candidate)
        })?;
        let ranges: Vec<_> = columns.iter().map(|column| chunk(&metadata, next, *column)).collect();
        let n_bytes: u64 = ranges.iter().map(|range| range.end - range.start).sum();
        let units = u32::try_from(n_bytes.div_ceil(UNIT as u64)).ok()?;
        let permit = self.budget.clone().try_acquire_many_owned(units).ok()?;
        let mut reader = (self.again)().ok()?;
        self.begun.insert(next);
        let (mut task, wanted) = (JoinSet::new(), ranges.clone());
        task.spawn(async move { Ok((reader.get_byte_ranges(wanted).await?, permit)) });
        self.ahead.push_back(Next { ranges, task });
        Some(())
    }

    /// What is on its way and has all of the ranges, with the place of each in it.
    fn take_next(&mut self, ranges: &[Range<u64>]) -> Option<(Next, Vec<(usize, Range<usize>)>)> {
        let places_in = |next: &Next| -> Option<Vec<_>> {
            let place = |range: &Range<u64>| {
                let holds = |all: &Range<u64>| all.start <= range.start && range.end <= all.end;
                let at = next.ranges.iter().position(holds)?;
                let start = (range.start - next.ranges[at].start) as usize;
                Some((at, start..start + (range.end - range.start) as usize))
            };
            ranges.iter().map(place).collect()
        };
        let found = self.ahead.iter().enumerate().find_map(|(i, next)| Some((i, places_in(next)?)));
        let (i, places) = found?;
        Some((self.ahead.remove(i)?, places))
    }

    /// The bytes of ranges that are on their way.
    fn take(
        &mut self,
        ranges: &[Range<u64>],
    ) -> Option<BoxFuture<'static, ParquetResult<Vec<Bytes>>>> {
        let (mut next, places) = self.take_next(ranges)?;
        let fetched = async move {
            let gone = || ParquetError::General("a row group was not fetched".into());
            let fetched = next.task.join_next().await.ok_or_else(gone)?;
            let (bytes, _permit) = fetched.map_err(external)??;
            Ok(places.into_iter().map(|(at, range)| bytes[at].slice(range)).collect())
        };
        Some(fetched.boxed())
    }

    /// The same of any, by another reader.
    fn fetch(&self, ranges: Vec<Range<u64>>) -> BoxFuture<'static, ParquetResult<Vec<Bytes>>> {
        let reader = (self.again)().map_err(external);
        async move { reader?.get_byte_ranges(ranges).await }.boxed()
    }

    /// The bytes of a row group; those after it come meanwhile.
    async fn fetch_and_go_on(
        &mut self,
        ranges: Vec<Range<u64>>,
        row_group: usize,
        columns: Vec<usize>,
    ) -> ParquetResult<Vec<Bytes>> {
        self.begun.insert(row_group);
        let mut fetched = self.take(&ranges).unwrap_or_else(|| self.fetch(ranges));
        let fetched = loop {
            match tokio::time::timeout(HEAD_START, &mut fetched).await {
                Ok(fetched) => break fetched,
                Err(_)
                    if self.ahead.len() < DEPTH
                        && self.begin_next(row_group, &columns).is_some() => {}
                Err(_) => break fetched.await,
            }
        };
        while self.ahead.len() < DEPTH && self.begin_next(row_group, &columns).is_some() {}
        fetched
    }
}

impl AsyncFileReader for Reader {
    /// By way of the blocks that are kept.
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        let read = self.inner.get_byte_ranges(vec![range]);
        async move { Ok(read.await?.remove(0)) }.boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        let chunks = self.metadata.as_ref().and_then(|metadata| whole_chunks(metadata, &ranges));
        match chunks {
            Some((row_group, columns)) => self.fetch_and_go_on(ranges, row_group, columns).boxed(),
            None => match self.take(&ranges) {
                Some(fetched) => fetched,
                None => self.inner.get_byte_ranges(ranges),
            },
        }
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        async move {
            let metadata = self.inner.get_metadata(options).await?;
            self.metadata = Some(metadata.clone());
            Ok(metadata)
        }
        .boxed()
    }
}
