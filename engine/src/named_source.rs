//! A file source whose errors say which file they came from. Everything else is the engine's own
//! source.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::DataFusionError;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::config::ConfigOptions;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileOpener, FileScanConfig, FileSource};
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::filter_pushdown::FilterPushdownPropagation;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::sort_pushdown::SortOrderPushdownResult;
use datafusion::physical_plan::{DisplayFormatType, PhysicalExpr};
use datafusion_datasource::TableSchema;
use datafusion_datasource::morsel::{Morsel, MorselPlan, MorselPlanner, Morselizer};
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::ObjectStore;

use crate::ahead::with_read_ahead;
use crate::arrow_ranges::with_ranges;
use crate::error::{Result, classify, coded, is_coded};
use crate::objects::{Source, parts_at_once};
use crate::page_index::with_page_index;

/// Puts the file's path before an error that came from reading it.
pub fn in_file(error: DataFusionError, path: &str) -> DataFusionError {
    if is_coded(&error) || error.to_string().contains(path) {
        return error;
    }
    let (code, sqlstate) = classify(&error);
    coded(code, sqlstate, format!("{path}: {}", error.strip_backtrace()))
}

pub fn path_of(file: &PartitionedFile) -> String {
    match file.extensions.get::<Source>() {
        Some(source) => source.shown.clone(),
        None => format!("/{}", file.object_meta.location),
    }
}

#[derive(Clone)]
pub struct NamedSource(pub Arc<dyn FileSource>);

fn named(source: Arc<dyn FileSource>) -> Arc<dyn FileSource> {
    Arc::new(NamedSource(source))
}

impl FileSource for NamedSource {
    fn create_file_opener(
        &self,
        object_store: Arc<dyn ObjectStore>,
        base_config: &FileScanConfig,
        partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        self.0.create_file_opener(object_store, base_config, partition)
    }

    fn create_morselizer(
        &self,
        object_store: Arc<dyn ObjectStore>,
        base_config: &FileScanConfig,
        partition: usize,
    ) -> Result<Box<dyn Morselizer>> {
        let mut source = with_page_index(&self.0);
        if base_config.limit.is_none() {
            source = with_read_ahead(source);
        }
        source = with_ranges(source, base_config);
        let inner = source.create_morselizer(object_store, base_config, partition)?;
        Ok(Box::new(NamedMorselizer(inner)))
    }

    fn table_schema(&self) -> &TableSchema {
        self.0.table_schema()
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        named(self.0.with_batch_size(batch_size))
    }

    fn filter(&self) -> Option<Arc<dyn PhysicalExpr>> {
        self.0.filter()
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        self.0.projection()
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        self.0.metrics()
    }

    fn file_type(&self) -> &str {
        self.0.file_type()
    }

    fn fmt_extra(&self, t: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.fmt_extra(t, f)
    }

    fn supports_repartitioning(&self) -> bool {
        self.0.supports_repartitioning()
    }

    fn repartitioned(
        &self,
        target_partitions: usize,
        repartition_file_min_size: usize,
        output_ordering: Option<LexOrdering>,
        config: &FileScanConfig,
    ) -> Result<Option<FileScanConfig>> {
        let target = parts_at_once(config.object_store_url.as_str(), target_partitions);
        self.0.repartitioned(target, repartition_file_min_size, output_ordering, config)
    }

    fn try_pushdown_filters(
        &self,
        filters: Vec<Arc<dyn PhysicalExpr>>,
        config: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn FileSource>>> {
        let mut answer = self.0.try_pushdown_filters(filters, config)?;
        answer.updated_node = answer.updated_node.map(named);
        Ok(answer)
    }

    fn try_pushdown_sort(
        &self,
        order: &[PhysicalSortExpr],
        properties: &EquivalenceProperties,
    ) -> Result<SortOrderPushdownResult<Arc<dyn FileSource>>> {
        Ok(self.0.try_pushdown_sort(order, properties)?.map(named))
    }

    fn reorder_files(&self, files: Vec<PartitionedFile>) -> Vec<PartitionedFile> {
        self.0.reorder_files(files)
    }

    fn try_pushdown_projection(
        &self,
        projection: &ProjectionExprs,
    ) -> Result<Option<Arc<dyn FileSource>>> {
        Ok(self.0.try_pushdown_projection(projection)?.map(named))
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.0.apply_expressions(f)
    }
}

#[derive(Debug)]
struct NamedMorselizer(Box<dyn Morselizer>);

impl Morselizer for NamedMorselizer {
    fn plan_file(&self, file: PartitionedFile) -> Result<Box<dyn MorselPlanner>> {
        let path: Arc<str> = path_of(&file).into();
        match self.0.plan_file(file) {
            Ok(inner) => Ok(Box::new(NamedPlanner { inner, path })),
            Err(error) => Err(in_file(error, &path)),
        }
    }
}

#[derive(Debug)]
struct NamedPlanner {
    inner: Box<dyn MorselPlanner>,
    path: Arc<str>,
}

impl NamedPlanner {
    fn wrap(inner: Box<dyn MorselPlanner>, path: &Arc<str>) -> Box<dyn MorselPlanner> {
        Box::new(NamedPlanner { inner, path: path.clone() })
    }
}

impl MorselPlanner for NamedPlanner {
    fn plan(self: Box<Self>) -> Result<Option<MorselPlan>> {
        let path = self.path;
        let Some(mut plan) = self.inner.plan().map_err(|e| in_file(e, &path))? else {
            return Ok(None);
        };
        let morsels = plan
            .take_morsels()
            .into_iter()
            .map(|inner| Box::new(NamedMorsel { inner, path: path.clone() }) as Box<dyn Morsel>);
        let planners = plan.take_ready_planners();
        let planners = planners.into_iter().map(|inner| NamedPlanner::wrap(inner, &path));
        let mut answer =
            MorselPlan::new().with_morsels(morsels.collect()).with_planners(planners.collect());
        if let Some(pending) = plan.take_pending_planner() {
            answer.set_pending_planner(async move {
                match pending.await {
                    Ok(inner) => Ok(NamedPlanner::wrap(inner, &path)),
                    Err(error) => Err(in_file(error, &path)),
                }
            });
        }
        Ok(Some(answer))
    }
}

#[derive(Debug)]
struct NamedMorsel {
    inner: Box<dyn Morsel>,
    path: Arc<str>,
}

impl Morsel for NamedMorsel {
    fn into_stream(self: Box<Self>) -> BoxStream<'static, Result<RecordBatch>> {
        let path = self.path;
        self.inner
            .into_stream()
            .map(move |batch| batch.map_err(|error| in_file(error, &path)))
            .boxed()
    }
}
