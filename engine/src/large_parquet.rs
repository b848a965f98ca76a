//! Schema and facts of a large Parquet file by its footer alone. The engine's own inference reads the
//! page index with it, which lies before the footer and grows with the file: megabytes of one of
//! gigabytes. A scan that wants it reads it then.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion::catalog::Session;
use datafusion::datasource::file_format::parquet::{
    ParquetFormat, transform_binary_to_string, transform_schema_to_view,
};
use datafusion::datasource::file_format::{FileFormat, FileMeta};
use datafusion::datasource::physical_plan::parquet::metadata::{
    DFParquetMetadata, ordering_from_parquet_metadata,
};
use object_store::{ObjectMeta, ObjectStore};
use parquet::file::metadata::PageIndexPolicy;

use crate::error::Result;

/// Of a file below this, in bytes, the index comes with the first read of the file's end.
const LARGE: u64 = 64 << 20;

pub struct LargeParquet<'a> {
    format: &'a ParquetFormat,
    footer: DFParquetMetadata<'a>,
}

impl<'a> LargeParquet<'a> {
    /// None for other files, and where the format asks for what only the engine's inference does.
    pub fn new(
        format: &'a Arc<dyn FileFormat>,
        state: &dyn Session,
        store: &'a Arc<dyn ObjectStore>,
        meta: &'a ObjectMeta,
    ) -> Option<Self> {
        let format = format.downcast_ref::<ParquetFormat>()?;
        if meta.size < LARGE || format.coerce_int96().is_some() {
            return None;
        }
        let cache = state.runtime_env().cache_manager.get_file_metadata_cache();
        let footer = DFParquetMetadata::new(store.as_ref(), meta)
            .with_metadata_size_hint(format.metadata_size_hint())
            .with_file_metadata_cache(Some(cache))
            .with_page_index_policy(Some(PageIndexPolicy::Skip));
        Some(LargeParquet { format, footer })
    }

    /// What `FileFormat::infer_schema` says of the one file.
    pub async fn schema(&self) -> Result<SchemaRef> {
        let mut schema = self.footer.fetch_schema().await?;
        if self.format.skip_metadata() {
            let plain = |field: &FieldRef| field.as_ref().clone().with_metadata(HashMap::new());
            schema = Schema::new(schema.fields().iter().map(plain).collect::<Vec<_>>());
        }
        if self.format.binary_as_string() {
            schema = transform_binary_to_string(&schema);
        }
        if self.format.force_view_types() {
            schema = transform_schema_to_view(&schema);
        }
        Ok(Arc::new(schema))
    }

    /// What `FileFormat::infer_stats_and_ordering` says of it.
    pub async fn facts(&self, schema: &SchemaRef) -> Result<FileMeta> {
        let metadata = self.footer.fetch_metadata().await?;
        let statistics = DFParquetMetadata::statistics_from_parquet_metadata(&metadata, schema)?;
        let ordering = ordering_from_parquet_metadata(&metadata, schema)?;
        Ok(FileMeta::new(statistics).with_ordering(ordering))
    }
}
