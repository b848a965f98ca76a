//! The FILES form: a list of files of one format that the engine scans itself.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use chrono::{TimeZone, Utc};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::config::ParquetOptions;
use datafusion::common::pruning::PrunableStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{
    Constraints, DFSchema, DataFusionError, ScalarValue, SchemaExt, Statistics, TableReference,
    plan_err, project_schema,
};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::listing::helpers::{expr_applicable_for_cols, filter_partitioned_file};
use datafusion::datasource::listing::{ListingTableUrl, PartitionedFile};
use datafusion::datasource::physical_plan::{
    FileGroup, FileOutputMode, FileScanConfig, FileScanConfigBuilder, FileSinkConfig,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::SessionState;
use datafusion::logical_expr::dml::InsertOp;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{SortExpr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::{LexOrdering, create_lex_ordering};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::prelude::Expr;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion_datasource::{TableSchemaBuilder, compute_all_files_statistics};
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use sha2::{Digest, Sha256};

use crate::bindings::*;
use crate::catalog::{FormOf, Held, options, slice, text};
use crate::commit::{CommitExec, Target};
use crate::encodings::Encoded;
use crate::error::{Result, coded};
use crate::infer::infer;
use crate::large_parquet::LargeParquet;
use crate::named_source::{NamedSource, in_file, path_of};
use crate::objects;
use crate::runtime::Engine;
use crate::sampled::sampled;
use crate::schema::TableSchema;
use crate::stream::import_schema;

/// Footers read at the same time.
pub const META_CONCURRENCY: usize = 16;
/// Of an object's bytes one in so many is read for its footer at once, but not fewer and not more than the others say.
const FOOTER_SHARE: u64 = 128;
const LEAST_FOOTER: u64 = 128 << 10;
const MOST_FOOTER: u64 = 512 << 10;
/// Bytes of keys in the cache of file sets, after which it starts anew.
const FILE_SETS_CEILING: usize = 64 << 20;

type FileFacts = (Arc<Statistics>, Option<LexOrdering>);

/// A list of files under one schema, with what their footers say: kept under all their identities.
pub struct FileSet {
    schema: SchemaRef,
    facts: Mutex<Vec<Option<FileFacts>>>,
}

/// `struct weir_files` in Rust's types.
pub struct Listed {
    pub format: String,
    pub options: HashMap<String, String>,
    declared: Option<Schema>,
    pub partition_columns: Vec<FieldRef>,
    pub files: Vec<PartitionedFile>,
    store_url: Option<ListingTableUrl>,
    order_by: Option<String>,
    write_url: Option<String>,
}

impl Listed {
    fn read(form: FormOf, name: &TableReference) -> Result<Listed> {
        let form = form.get();
        let files = &form.files;
        let mut options: HashMap<_, _> =
            options(files.options, files.n_options).into_iter().collect();
        if let Some(compression) = text(files.compression) {
            options.insert("format.compression".into(), compression);
        }
        let declared = form.schema.release.map(|_| import_schema(&form.schema)).transpose()?;
        let partition_columns: Vec<FieldRef> = match files.partition_columns.is_null() {
            true => vec![],
            false => import_schema(files.partition_columns)?.fields().iter().cloned().collect(),
        };
        let mut listed = vec![];
        let mut store_url: Option<ListingTableUrl> = None;
        for file in unsafe { slice(files.files, files.n_files) } {
            let url = text(file.url).unwrap_or_default();
            let parsed = ListingTableUrl::parse(&url)?;
            if file.n_deleted_rows > 0 {
                return Err(coded(
                    WEIR_NOT_IMPLEMENTED,
                    "0A000",
                    format!("{url} has deleted rows, which this version cannot leave out"),
                ));
            }
            let e_tag = text(file.etag);
            let location = match &e_tag {
                Some(etag) if parsed.scheme() == objects::SCHEME => {
                    objects::versioned(parsed.prefix(), etag)
                }
                _ => parsed.prefix().clone(),
            };
            let meta = ObjectMeta {
                location,
                last_modified: Utc.timestamp_nanos(file.modified_ns),
                size: u64::try_from(file.n_bytes).unwrap_or(u64::MAX),
                e_tag,
                version: None,
            };
            let values = partition_values(file, &partition_columns)?;
            listed.push(PartitionedFile::from(meta).with_partition_values(values));
            match &store_url {
                Some(first) if first.object_store() != parsed.object_store() => {
                    return plan_err!("table {name} has files in two stores: {first} and {url}");
                }
                Some(_) => {}
                None => store_url = Some(parsed),
            }
        }
        Ok(Listed {
            format: text(files.format).unwrap_or_default(),
            options,
            declared,
            partition_columns,
            files: listed,
            store_url,
            order_by: text(files.order_by),
            write_url: text(files.write_url),
        })
    }

    /// Whether the files are objects of a store.
    pub fn is_stored(&self) -> bool {
        self.store_url.as_ref().is_some_and(|url| objects::is_stored(url.as_str()))
    }

    pub fn is_json_array(&self) -> bool {
        let by_lines = self.options.get("format.newline_delimited").map(String::as_str);
        self.format == "json" && by_lines == Some("false")
    }

    /// How much of the end of each object is read for its footer, with the page index before it: a share of the largest,
    /// unless that is set. What the engine reads of each, half a megabyte, is longer on its way than the answer takes to come.
    fn size_footers(&mut self, state: &SessionState) {
        let set = state.config_options().execution.parquet.metadata_size_hint;
        if set != ParquetOptions::default().metadata_size_hint {
            return;
        }
        let largest = self.files.iter().map(|file| file.object_meta.size).max().unwrap_or(0);
        let share = (largest / FOOTER_SHARE).clamp(LEAST_FOOTER, MOST_FOOTER);
        self.options.entry("format.metadata_size_hint".into()).or_insert(share.to_string());
    }

    /// All that the files' schema and statistics depend on.
    fn identity(&self) -> String {
        let mut options: Vec<_> = self.options.iter().collect();
        options.sort();
        let store = self.store_url.as_ref().map(ListingTableUrl::object_store);
        let mut key = format!("{} {options:?} {store:?}", self.format);
        for file in &self.files {
            let ObjectMeta { location, last_modified, size, e_tag, version } = &file.object_meta;
            key.push_str(&format!("{location}|{size}|{last_modified}|{e_tag:?}|{version:?};"));
        }
        key
    }

    /// The identity with the partition values, when every file has an etag.
    fn version(&self, identity: &str) -> Option<String> {
        let mut hash = Sha256::new();
        hash.update(identity);
        for file in &self.files {
            file.object_meta.e_tag.as_ref()?;
            hash.update(format!("{:?}", file.partition_values));
        }
        Some(hexadecimal(&hash.finalize()))
    }
}

/// Half of a hash is plenty for a version.
pub fn hexadecimal(hash: &[u8]) -> String {
    hash[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn remember(engine: &Engine, key: String, schema: SchemaRef, n_files: usize) -> Arc<FileSet> {
    let set = Arc::new(FileSet { schema, facts: Mutex::new(vec![None; n_files]) });
    let mut sets = engine.file_sets.lock().unwrap();
    if sets.keys().map(String::len).sum::<usize>() + key.len() > FILE_SETS_CEILING {
        sets.clear();
    }
    sets.insert(key, set.clone());
    set
}

pub struct FilesTable {
    format: Arc<dyn FileFormat>,
    set: Arc<FileSet>,
    files: Vec<PartitionedFile>,
    partition_columns: Vec<FieldRef>,
    schema: SchemaRef,
    constraints: Constraints,
    defaults: HashMap<String, Expr>,
    order_by: Vec<Vec<SortExpr>>,
    write_url: Option<String>,
    store_url: Option<ListingTableUrl>,
    version: Option<String>,
}

impl fmt::Debug for FilesTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FilesTable({} files)", self.files.len())
    }
}

impl FilesTable {
    pub async fn new(
        engine: &Arc<Engine>,
        state: &SessionState,
        held: &Arc<Held>,
        form: FormOf,
        name: &TableReference,
    ) -> Result<FilesTable> {
        let mut listed = Listed::read(form, name)?;
        let is_stored = listed.store_url.as_ref().is_some_and(|u| u.scheme() == objects::SCHEME);
        for file in listed.files.iter_mut().filter(|_| is_stored) {
            if let Some(source) = engine.objects.source(&file.object_meta.location) {
                file.extensions.insert(source);
            }
        }
        let Some(factory) = state.get_file_format_factory(&listed.format) else {
            return plan_err!("table {name}: the engine has no format {:?}", listed.format);
        };
        if is_stored && listed.format == "parquet" {
            listed.size_footers(state);
        }
        let format = factory.create(state, &listed.options)?;
        let declared = listed.declared.take().map(|schema| TableSchema::new(schema, state));
        let declared = declared.transpose()?;
        let store = match &listed.store_url {
            Some(url) => Some(state.runtime_env().object_store(url)?),
            None => None,
        };
        if let Some(store) = &store {
            for file in listed.files.iter_mut().filter(|f| f.object_meta.size == u64::MAX) {
                file.object_meta = store.head(&file.object_meta.location).await?;
            }
        }
        let mut key = listed.identity();
        // Of what an extension reads, its code has a part in: that is in no version.
        let version = listed.version(&key).filter(|_| !format.is::<Encoded>());
        if let Some(declared) = &declared {
            key.push_str(&format!("{:?}", declared.arrow));
        }
        let cached = engine.file_sets.lock().unwrap().get(&key).cloned();
        let set = match cached {
            Some(set) => set,
            None => {
                listed.files.iter().for_each(|file| engine.footers.check(&file.object_meta));
                let schema = match (&declared, &store) {
                    (Some(declared), _) => declared.arrow.clone(),
                    (None, Some(store)) => infer(state, store, &format, &listed).await?,
                    (None, None) => {
                        return plan_err!("table {name} has neither files nor declared columns");
                    }
                };
                remember(engine, key, schema, listed.files.len())
            }
        };

        for file in &mut listed.files {
            // The plan keeps the table, and so what its files may depend on (the copy of a pipe).
            file.extensions.insert(held.clone());
        }
        let (constraints, defaults) = match declared {
            Some(declared) => (declared.constraints, declared.defaults),
            None => (Constraints::default(), HashMap::new()),
        };
        let order_by = listed.order_by.map(|text| sort_terms(state, &text)).transpose()?;
        let mut fields: Vec<FieldRef> = set.schema.fields().iter().cloned().collect();
        fields.extend(listed.partition_columns.iter().cloned());
        Ok(FilesTable {
            format,
            files: listed.files,
            schema: Schema::new_with_metadata(fields, set.schema.metadata().clone()).into(),
            set,
            partition_columns: listed.partition_columns,
            constraints,
            defaults,
            order_by: order_by.unwrap_or_default(),
            write_url: listed.write_url,
            store_url: listed.store_url,
            version,
        })
    }

    /// Another text whenever the files may be others; None when one of them says nothing of itself.
    pub fn version(&self) -> Option<String> {
        self.version.clone()
    }

    /// The files with statistics and orderings from their footers, read once per file set.
    async fn with_facts(
        &self,
        state: &dyn Session,
        store: &Arc<dyn ObjectStore>,
    ) -> Result<Vec<PartitionedFile>> {
        if !state.config().collect_statistics() {
            return Ok(self.files.clone());
        }
        let missing: Vec<usize> = {
            let facts = self.set.facts.lock().unwrap();
            (0..self.files.len()).filter(|i| facts[*i].is_none()).collect()
        };
        let read: Vec<(usize, FileFacts)> = futures::stream::iter(missing)
            .map(|i| async move {
                let meta = &self.files[i].object_meta;
                let schema = self.set.schema.clone();
                let facts = match LargeParquet::new(&self.format, state, store, meta) {
                    Some(large) => large.facts(&schema).await,
                    None => self.format.infer_stats_and_ordering(state, store, schema, meta).await,
                };
                let facts = facts.map_err(|e| in_file(e, &path_of(&self.files[i])))?;
                Ok::<_, DataFusionError>((i, (Arc::new(facts.statistics), facts.ordering)))
            })
            .boxed()
            .buffer_unordered(META_CONCURRENCY)
            .try_collect()
            .await?;
        let mut facts = self.set.facts.lock().unwrap();
        for (i, fact) in read {
            facts[i] = Some(fact);
        }
        let files = self.files.iter().zip(facts.iter()).map(|(file, fact)| {
            let (statistics, ordering) = fact.clone().expect("read above");
            let mut file = file.clone().with_statistics(statistics).with_ordering(ordering);
            forget_null_bounds(&mut file, self.set.schema.fields().len());
            file
        });
        Ok(files.collect())
    }

    /// The files that may hold rows for the filters, as their statistics tell.
    fn prune(
        &self,
        state: &dyn Session,
        files: Vec<PartitionedFile>,
        filters: &[Expr],
    ) -> Result<Vec<PartitionedFile>> {
        let known: Option<Vec<_>> = files.iter().map(|f| f.statistics.clone()).collect();
        let (Some(known), Some(filter)) = (known, conjunction(filters.iter().cloned())) else {
            return Ok(files);
        };
        let schema = DFSchema::try_from(self.schema.clone())?;
        let filter = state.create_physical_expr(filter, &schema)?;
        let predicate = PruningPredicateBuilder::new().with_file_schema(self.schema.clone());
        let Some(predicate) = predicate.build(filter) else {
            return Ok(files); // it says nothing of bounds
        };
        let keep = predicate.prune(&PrunableStatistics::new(known, self.schema.clone()))?;
        Ok(files.into_iter().zip(keep).filter(|(_, keep)| *keep).map(|(file, _)| file).collect())
    }

    fn partition_names(&self) -> Vec<&str> {
        self.partition_columns.iter().map(|c| c.name().as_str()).collect()
    }

    fn scan_config(&self, url: &ListingTableUrl) -> FileScanConfigBuilder {
        let table_schema = TableSchemaBuilder::from(&self.set.schema)
            .with_table_partition_cols(self.partition_columns.clone())
            .build();
        FileScanConfigBuilder::new(url.object_store(), self.format.file_source(table_schema))
            .with_constraints(self.constraints.clone())
    }
}

/// The engine takes a partition value for its column's bounds, and a NULL one is none.
fn forget_null_bounds(file: &mut PartitionedFile, n_file_columns: usize) {
    if !file.partition_values.iter().any(ScalarValue::is_null) {
        return;
    }
    if let Some(statistics) = file.statistics.take() {
        let mut statistics = Arc::unwrap_or_clone(statistics);
        let rows = statistics.num_rows;
        let columns = statistics.column_statistics.iter_mut().skip(n_file_columns);
        for (column, _) in columns.zip(&file.partition_values).filter(|(_, v)| v.is_null()) {
            column.null_count = rows;
            column.min_value = Precision::Absent;
            column.max_value = Precision::Absent;
            column.distinct_count = Precision::Absent;
        }
        file.statistics = Some(Arc::new(statistics));
    }
}

fn partition_values(file: &weir_file, columns: &[FieldRef]) -> Result<Vec<ScalarValue>> {
    let texts = unsafe { slice(file.partition_values, columns.len()) };
    if texts.len() != columns.len() {
        return Err(coded(WEIR_INTERNAL, "XX000", "a file has no partition values"));
    }
    let values = texts.iter().zip(columns).map(|(value, column)| match text(*value) {
        None => ScalarValue::try_from(column.data_type()),
        Some(value) => {
            ScalarValue::try_from_string(value.clone(), column.data_type()).map_err(|e| {
                let url = text(file.url).unwrap_or_default();
                let column = column.name();
                e.context(format!("{url}: partition value {value:?} of column {column}"))
            })
        }
    });
    values.collect()
}

/// Parses "a ASC, b DESC NULLS LAST"; several orderings are separated by ';'.
fn sort_terms(state: &SessionState, orderings: &str) -> Result<Vec<Vec<SortExpr>>> {
    let mut all = vec![];
    for text in orderings.split(';').filter(|t| !t.trim().is_empty()) {
        let failed = |e| DataFusionError::SQL(Box::new(e), None);
        let mut parser = Parser::new(&GenericDialect {}).try_with_sql(text).map_err(failed)?;
        let terms = parser.parse_comma_separated(Parser::parse_order_by_expr).map_err(failed)?;
        let mut ordering = vec![];
        for term in terms {
            // Columns are checked against the table's schema when the ordering is made physical.
            let expr = match &term.expr {
                datafusion::sql::sqlparser::ast::Expr::Identifier(name) => {
                    let folded = match name.quote_style {
                        Some(_) => name.value.clone(),
                        None => name.value.to_lowercase(),
                    };
                    Expr::Column(datafusion::common::Column::new_unqualified(folded))
                }
                other => state.create_logical_expr(&other.to_string(), &DFSchema::empty())?,
            };
            let asc = term.options.asc.unwrap_or(true);
            let nulls_first = term.options.nulls_first.unwrap_or(!asc);
            ordering.push(expr.sort(asc, nulls_first));
        }
        all.push(ordering);
    }
    Ok(all)
}

#[async_trait]
impl TableProvider for FilesTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn constraints(&self) -> Option<&Constraints> {
        Some(&self.constraints)
    }

    fn get_column_default(&self, column: &str) -> Option<&Expr> {
        self.defaults.get(column)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let partitions = self.partition_names();
        Ok(filters
            .iter()
            .map(|filter| match on_partitions(&partitions, filter) {
                true => TableProviderFilterPushDown::Exact,
                false => TableProviderFilterPushDown::Inexact,
            })
            .collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let nothing = || -> Result<Arc<dyn ExecutionPlan>> {
            Ok(Arc::new(EmptyExec::new(project_schema(&self.schema, projection)?)))
        };
        let Some(url) = &self.store_url else {
            return match &self.write_url {
                // A directory may still be filled; a file that is not there has no rows to read.
                Some(url) if !url.ends_with('/') => {
                    let text = format!("no such file: {}", shown(state, url));
                    Err(coded(WEIR_NOT_FOUND, "58P01", text))
                }
                _ => nothing(),
            };
        };
        let store = state.runtime_env().object_store(url)?;
        let mut files = self.with_facts(state, &store).await?;

        let partitions = self.partition_names();
        let (on_path, in_file): (Vec<Expr>, Vec<Expr>) =
            filters.iter().cloned().partition(|f| on_partitions(&partitions, f));
        if !on_path.is_empty() {
            let schema = DFSchema::from_unqualified_fields(
                self.partition_columns.iter().cloned().collect(),
                HashMap::new(),
            )?;
            let kept = files.into_iter().map(|f| filter_partitioned_file(f, &on_path, &schema));
            files = kept.filter_map(Result::transpose).collect::<Result<_>>()?;
        }
        if !in_file.is_empty() {
            files = self.prune(state, files, &in_file)?;
        }
        let mut inexact = false;
        if let Some(limit) = limit.filter(|_| in_file.is_empty()) {
            let needed = files_for_limit(&files, limit);
            inexact = needed < files.len();
            files.truncate(needed);
        }
        if files.is_empty() {
            return nothing();
        }

        let target = objects::parts_at_once(url.as_str(), state.config().target_partitions());
        let groups = FileGroup::new(files).split_files(target);
        let (mut groups, statistics) = compute_all_files_statistics(
            groups,
            self.schema.clone(),
            state.config().collect_statistics(),
            inexact,
        )?;
        let ordering = match self.order_by.is_empty() {
            true => vec![],
            false => create_lex_ordering(&self.schema, &self.order_by, state.execution_props())?,
        };
        if let Some(first) = ordering.first()
            && state.config_options().execution.split_file_groups_by_statistics
            && let Ok(split) = FileScanConfig::split_groups_by_statistics_with_target_partitions(
                &self.schema,
                &groups,
                first,
                target,
            )
            && split.len() <= target
        {
            groups = split;
        }
        let config = self
            .scan_config(url)
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .with_output_ordering(ordering)
            .build();
        Ok(with_named_files(self.format.create_physical_plan(state, config).await?))
    }

    async fn insert_into(
        &self,
        state: &dyn Session,
        input: Arc<dyn ExecutionPlan>,
        op: InsertOp,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.schema.logically_equivalent_names_and_types(&input.schema())?;
        let Some(target) = &self.write_url else {
            return plan_err!(
                "Insert into not implemented for this table: it was made from a path or pattern; \
                 use CREATE EXTERNAL TABLE with the LOCATION of a directory"
            );
        };
        if !target.ends_with('/') {
            return plan_err!(
                "Inserting into a table backed by a single file is not supported, \
                 URL is possibly missing a trailing `/`: {}",
                shown(state, target)
            );
        }
        let overwrite = op == InsertOp::Overwrite;
        let (target, staged_url) = Target::begin(state.config(), target, false, overwrite)?;
        let config = FileSinkConfig {
            original_url: target.name(),
            object_store_url: staged_url.object_store(),
            table_paths: vec![staged_url],
            file_group: FileGroup::default(),
            output_schema: self.schema.clone(),
            table_partition_cols: self
                .partition_columns
                .iter()
                .map(|c| (c.name().clone(), c.data_type().clone()))
                .collect(),
            insert_op: InsertOp::Append, // the staging directory is empty
            keep_partition_by_columns: state.config_options().execution.keep_partition_by_columns,
            file_extension: self.format.get_ext(),
            file_output_mode: FileOutputMode::Automatic,
        };
        let ordering = create_lex_ordering(&self.schema, &self.order_by, state.execution_props())?;
        let ordering = ordering.into_iter().next().map(Into::into);
        let sink = self.format.create_writer_physical_plan(input, state, config, ordering).await?;
        Ok(Arc::new(CommitExec::new(sampled(sink), Arc::new(Mutex::new(Some(target))))))
    }
}

fn with_named_files(scan: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    let config = scan
        .downcast_ref::<DataSourceExec>()
        .and_then(|scan| scan.data_source().downcast_ref::<FileScanConfig>());
    match config {
        Some(config) => {
            let source = Arc::new(NamedSource(config.file_source().clone()));
            let config = FileScanConfigBuilder::from(config.clone()).with_source(source).build();
            DataSourceExec::from_data_source(config)
        }
        None => scan,
    }
}

fn on_partitions(names: &[&str], filter: &Expr) -> bool {
    !names.is_empty() && expr_applicable_for_cols(names, filter)
}

/// How many of the first files surely hold `limit` rows.
fn files_for_limit(files: &[PartitionedFile], limit: usize) -> usize {
    let mut rows = 0;
    for (i, file) in files.iter().enumerate() {
        match file.statistics.as_ref().map(|s| s.num_rows) {
            Some(Precision::Exact(n)) => rows += n,
            _ => return files.len(),
        }
        if rows >= limit {
            return i + 1;
        }
    }
    files.len()
}

/// As users call what a table writes to.
fn shown(state: &dyn Session, url: &str) -> String {
    let registry = state.config().get_extension::<objects::Registry>();
    let found = registry.and_then(|registry| registry.of_plan(url).ok());
    found.map_or(url.to_string(), |(objects, key)| objects.name(&key))
}

/// The path on this machine that a URL names.
pub fn local_path(url: &ListingTableUrl) -> Result<PathBuf> {
    url.get_url().to_file_path().map_err(|()| {
        coded(
            WEIR_NOT_IMPLEMENTED,
            "0A000",
            format!("writing to {:?} is not supported by this version: {url}", url.scheme()),
        )
    })
}

/// The URL of a local path; a directory's ends in '/'.
pub fn url_of(path: &std::path::Path, directory: bool) -> Result<ListingTableUrl> {
    let url = match directory {
        true => url::Url::from_directory_path(path),
        false => url::Url::from_file_path(path),
    };
    let url = url.map_err(|()| {
        coded(WEIR_INVALID_ARGUMENT, "22023", format!("not an absolute path: {}", path.display()))
    })?;
    ListingTableUrl::try_new(url, None)
}
