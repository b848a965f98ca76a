//! An Arrow file of a store is read a few batches at a time. The engine's opener has all batches of its range in memory before it
//! gives the first: a file of a store would be there whole.

use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::listing::{FileRange, PartitionedFile};
use datafusion::datasource::physical_plan::{
    FileOpenFuture, FileOpener, FileScanConfig, FileSource,
};
use datafusion::physical_plan::PhysicalExpr;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion_datasource::TableSchema;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStore;

use crate::error::Result;
use crate::objects::is_stored;

/// Bytes of a range. A batch belongs to the one that it begins in.
const RANGE: i64 = 16 << 20;

/// The source, range by range where it reads Arrow files of a store.
pub fn with_ranges(source: Arc<dyn FileSource>, config: &FileScanConfig) -> Arc<dyn FileSource> {
    match source.file_type() == "arrow" && is_stored(config.object_store_url.as_str()) {
        true => Arc::new(ByRange(source)),
        false => source,
    }
}

/// Only for what opens the files: nothing else is asked of it.
#[derive(Clone)]
struct ByRange(Arc<dyn FileSource>);

impl FileSource for ByRange {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        config: &FileScanConfig,
        partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        let inner = self.0.create_file_opener(store, config, partition)?;
        Ok(Arc::new(Opener(inner)))
    }

    fn table_schema(&self) -> &TableSchema {
        self.0.table_schema()
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        Arc::new(ByRange(self.0.with_batch_size(batch_size)))
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        self.0.metrics()
    }

    fn file_type(&self) -> &str {
        self.0.file_type()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.0.apply_expressions(f)
    }
}

struct Opener(Arc<dyn FileOpener>);

/// The parts of a file, or of a range of it. None: it is short enough.
fn ranges(file: &PartitionedFile) -> Option<impl Iterator<Item = PartitionedFile> + use<>> {
    let (start, end) = match &file.range {
        Some(range) => (range.start, range.end),
        None => (0, i64::try_from(file.object_meta.size).ok()?),
    };
    let file = file.clone();
    (end - start > RANGE).then(|| {
        (start..end).step_by(RANGE as usize).map(move |start| PartitionedFile {
            range: Some(FileRange { start, end: end.min(start + RANGE) }),
            ..file.clone()
        })
    })
}

impl FileOpener for Opener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        let Some(ranges) = ranges(&file) else { return self.0.open(file) };
        let inner = self.0.clone();
        // The next one is opened while one is read.
        let streams = futures::stream::iter(ranges)
            .map(move |range| {
                let opening = inner.open(range);
                async move { opening?.await }
            })
            .buffered(2)
            .try_flatten();
        Ok(Box::pin(async move { Ok(streams.boxed()) }))
    }
}
