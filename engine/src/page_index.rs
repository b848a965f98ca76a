//! Page indexes of Parquet files that are filtered: kept with the footer. The engine's own reader
//! fetches and parses the index of such a file anew for each query.

use std::any::Any;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileSource, ParquetSource};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::future::{BoxFuture, FutureExt};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};

use crate::error::Result;

/// The same source; that of filtered Parquet files asks for footers with their page index.
pub fn with_page_index(source: &Arc<dyn FileSource>) -> Arc<dyn FileSource> {
    let parquet = (source.as_ref() as &dyn Any).downcast_ref::<ParquetSource>();
    let Some(parquet) = parquet.filter(|parquet| parquet.filter().is_some()) else {
        return source.clone();
    };
    match parquet.parquet_file_reader_factory() {
        Some(readers) => {
            let readers = Arc::new(Indexed(readers.clone()));
            Arc::new(parquet.clone().with_parquet_file_reader_factory(readers))
        }
        None => source.clone(),
    }
}

#[derive(Debug)]
struct Indexed(Arc<dyn ParquetFileReaderFactory>);

impl ParquetFileReaderFactory for Indexed {
    fn create_reader(
        &self,
        partition: usize,
        file: PartitionedFile,
        size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        Ok(Box::new(IndexedReader(self.0.create_reader(partition, file, size_hint, metrics)?)))
    }
}

struct IndexedReader(Box<dyn AsyncFileReader + Send>);

impl AsyncFileReader for IndexedReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        self.0.get_bytes(range)
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        self.0.get_byte_ranges(ranges)
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        let options = options.cloned().unwrap_or_default();
        let options = options.with_page_index_policy(PageIndexPolicy::Optional);
        async move { self.0.get_metadata(Some(&options)).await }.boxed()
    }
}
