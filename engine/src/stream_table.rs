//! The STREAM and REMOTE forms: tables whose rows C hands over as Arrow streams.

use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::ffi::{FFI_ArrowArray, from_ffi_and_data_type};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{
    Constraints, DFSchema, ScalarValue, SchemaExt, Statistics, project_schema,
};
use datafusion::datasource::sink::DataSinkExec;
use datafusion::execution::SessionState;
use datafusion::logical_expr::dml::InsertOp;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::prelude::Expr;

use crate::bindings::*;
use crate::catalog::{FormOf, Held, slice};
use crate::error::{Result, call_c, coded};
use crate::filters::Filters;
use crate::functions::is_foreign;
use crate::remote::{Aliases, Relation, RemoteTable, reader};
use crate::scan::{KindSource, Request};
use crate::schema::TableSchema;
use crate::sink::Sink;
use crate::stream::import_schema;
use crate::stream_exec::StreamExec;

#[derive(Debug)]
pub struct StreamTable {
    held: Arc<Held>,
    schema: TableSchema,
    remote: Option<Arc<RemoteTable>>,
    /// Some filter was left to the kind alone.
    said_exact: AtomicBool,
}

impl StreamTable {
    pub fn new(held: &Arc<Held>, form: FormOf, state: &SessionState) -> Result<Self> {
        let schema = TableSchema::new(import_schema(&form.get().schema)?, state)?;
        let said_exact = AtomicBool::new(false);
        let mut table = StreamTable { held: held.clone(), schema, remote: None, said_exact };
        if form.get().type_ as u32 == WEIR_FORM_REMOTE {
            let known = table.read_statistics()?;
            let rows = known.and_then(|s| s.num_rows.get_value().map(|rows| *rows as f64));
            let remote = RemoteTable::new(held, form, &table.schema.arrow, rows);
            table.remote = Some(Arc::new(remote));
        }
        Ok(table)
    }

    /// What is known of it if it is one of the REMOTE form.
    pub fn remote(&self) -> Option<&Arc<RemoteTable>> {
        self.remote.as_ref()
    }

    fn classify(&self, filters: &[&Expr]) -> Result<Vec<u32>> {
        let mut answers = vec![WEIR_FILTER_NO; filters.len()];
        if self.remote.is_some() {
            return Ok(answers);
        }
        if let Some(classify) = self.held.kind().classify {
            // A kind that hands the text on would have another function of that name called.
            let asked: Vec<usize> =
                (0..filters.len()).filter(|i| !is_foreign(filters[*i])).collect();
            let filters: Vec<&Expr> = asked.iter().map(|i| filters[*i]).collect();
            let filters = Filters::new(&filters, &self.schema.arrow)?;
            let mut given = vec![WEIR_FILTER_NO as i32; asked.len()];
            call_c(|error| unsafe {
                let (pointer, n) = filters.as_c();
                classify(self.held.0.instance, pointer, n, given.as_mut_ptr(), error)
            })?;
            for (i, answer) in asked.into_iter().zip(given) {
                answers[i] = answer as u32;
            }
        }
        Ok(answers)
    }

    fn read_statistics(&self) -> Result<Option<Statistics>> {
        let Some(ask) = self.held.kind().statistics else { return Ok(None) };
        let mut known = weir_statistics::default();
        known.size = size_of::<weir_statistics>();
        call_c(|error| unsafe { ask(self.held.0.instance, &mut known, error) })?;
        let statistics = import_statistics(&known, &self.schema.arrow);
        if let Some(release) = known.release {
            unsafe { release(&mut known) };
        }
        statistics.map(Some)
    }
}

fn import_statistics(known: &weir_statistics, schema: &SchemaRef) -> Result<Statistics> {
    fn precision<T: std::fmt::Debug + Clone + PartialEq + Eq + PartialOrd>(
        exact: bool,
        value: T,
    ) -> Precision<T> {
        if exact { Precision::Exact(value) } else { Precision::Inexact(value) }
    }
    let exact = known.exact != 0;
    let mut statistics = Statistics::new_unknown(schema);
    if let Ok(rows) = usize::try_from(known.n_rows) {
        statistics.num_rows = precision(exact, rows);
    }
    if let Ok(bytes) = usize::try_from(known.n_bytes) {
        statistics.total_byte_size = Precision::Inexact(bytes);
    }
    let null_counts = unsafe { slice(known.null_counts, schema.fields().len()) };
    for (column, nulls) in statistics.column_statistics.iter_mut().zip(null_counts) {
        if let Ok(nulls) = usize::try_from(*nulls) {
            column.null_count = precision(exact, nulls);
        }
    }
    if !known.bounds.is_null() {
        // Read without taking over: the release of `known` frees it.
        let mut view = unsafe { std::ptr::read(known.bounds.cast::<FFI_ArrowArray>()) };
        unsafe { (*(&raw mut view).cast::<ArrowArray>()).release = None };
        let data_type = DataType::Struct(schema.fields().clone());
        let bounds: ArrayRef =
            arrow::array::make_array(unsafe { from_ffi_and_data_type(view, data_type)? });
        let bounds = bounds.as_struct();
        for (column, values) in statistics.column_statistics.iter_mut().zip(bounds.columns()) {
            for (row, slot) in [(0, &mut column.min_value), (1, &mut column.max_value)] {
                if values.is_valid(row) {
                    *slot = precision(exact, ScalarValue::try_from_array(values, row)?);
                }
            }
        }
    }
    Ok(statistics)
}

impl StreamTable {
    /// The kind's rows as it takes the filters; all rows are read where there is no limit.
    fn scan_wanted(
        &self,
        projection: Option<&Vec<usize>>,
        wanted: &[&Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let request = Request {
            columns: projection.map(|p| p.iter().map(|i| *i as i32).collect()),
            filters: Filters::new(wanted, &self.schema.arrow)?,
            limit: limit.map_or(-1, |l| l as i64),
        };
        let schema = project_schema(&self.schema.arrow, projection)?;
        let statistics = self.read_statistics()?;
        let statistics = match (statistics, wanted.is_empty() && limit.is_none()) {
            (Some(known), true) => known.project(projection),
            (Some(known), false) => known.project(projection).to_inexact(),
            (None, _) => Statistics::new_unknown(&schema),
        };
        let source = KindSource::new(&self.held, request)?;
        let n_partitions = source.n_partitions;
        Ok(Arc::new(StreamExec::new(Arc::new(source), n_partitions, schema, statistics)))
    }

    /// The same, of which only the rows stay that `filter` lets through.
    fn scan_again_filtered(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        wanted: &[&Expr],
        filter: Expr,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let n_columns = self.schema.arrow.fields().len();
        let asked = projection.cloned().unwrap_or_else(|| (0..n_columns).collect());
        let mut read = asked.clone();
        for column in filter.column_refs() {
            let at = self.schema.arrow.index_of(&column.name)?;
            if !read.contains(&at) {
                read.push(at);
            }
        }
        let rows = self.scan_wanted(Some(&read), wanted, None)?;
        let schema = DFSchema::try_from(rows.schema())?;
        let filter = state.create_physical_expr(filter, &schema)?;
        let rows: Arc<dyn ExecutionPlan> = Arc::new(FilterExec::try_new(filter, rows)?);
        if read == asked {
            return Ok(rows);
        }
        let columns = asked.iter().enumerate().map(|(at, column)| {
            let name = self.schema.arrow.field(*column).name();
            ProjectionExpr { expr: Arc::new(Column::new(name, at)), alias: name.clone() }
        });
        Ok(Arc::new(ProjectionExec::try_new(columns.collect::<Vec<_>>(), rows)?))
    }
}

#[async_trait]
impl TableProvider for StreamTable {
    fn schema(&self) -> SchemaRef {
        self.schema.arrow.clone()
    }

    fn constraints(&self) -> Option<&Constraints> {
        Some(&self.schema.constraints)
    }

    fn get_column_default(&self, column: &str) -> Option<&Expr> {
        self.schema.defaults.get(column)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let answers = self.classify(filters)?;
        if answers.contains(&WEIR_FILTER_EXACT) {
            self.said_exact.store(true, Ordering::Relaxed);
        }
        Ok(answers
            .into_iter()
            .map(|answer| match answer {
                WEIR_FILTER_EXACT => TableProviderFilterPushDown::Exact,
                WEIR_FILTER_INEXACT => TableProviderFilterPushDown::Inexact,
                _ => TableProviderFilterPushDown::Unsupported,
            })
            .collect())
    }

    fn statistics(&self) -> Option<Statistics> {
        self.read_statistics().ok().flatten()
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if let Some(remote) = &self.remote {
            // The columns, and the rest is the engine's.
            let all: Vec<usize> = (0..self.schema.arrow.fields().len()).collect();
            let columns = projection.unwrap_or(&all);
            let relation = Relation::scan(remote, columns, &Aliases::default());
            return reader(&relation, &project_schema(&self.schema.arrow, projection)?, None);
        }
        let filters: Vec<&Expr> = filters.iter().collect();
        let answers = self.classify(&filters)?;
        let wanted: Vec<&Expr> = filters
            .iter()
            .zip(&answers)
            .filter(|(_, a)| **a != WEIR_FILTER_NO)
            .map(|(f, _)| *f)
            .collect();
        // A limit may only be handed down when every filter that stands above the scan is exact.
        let all_exact = answers.iter().all(|a| *a == WEIR_FILTER_EXACT);
        // The engine may have written a filter that it left to the kind in another way since.
        let lost = self.said_exact.load(Ordering::Relaxed).then(|| {
            let pairs = filters.iter().zip(&answers).filter(|(_, a)| **a != WEIR_FILTER_EXACT);
            conjunction(pairs.map(|(filter, _)| (*filter).clone()))
        });
        if let Some(filter) = lost.flatten() {
            return self.scan_again_filtered(state, projection, &wanted, filter);
        }
        self.scan_wanted(projection, &wanted, limit.filter(|_| all_exact))
    }

    async fn insert_into(
        &self,
        _state: &dyn Session,
        input: Arc<dyn ExecutionPlan>,
        op: InsertOp,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mode = match op {
            InsertOp::Append => WEIR_INSERT_APPEND,
            InsertOp::Overwrite => WEIR_INSERT_OVERWRITE,
            InsertOp::Replace => {
                return Err(coded(WEIR_NOT_IMPLEMENTED, "0A000", "REPLACE INTO is not supported"));
            }
        };
        if self.held.kind().insert.is_none() {
            return Err(coded(
                WEIR_NOT_IMPLEMENTED,
                "0A000",
                "Insert into not implemented for this table: its kind is read only",
            ));
        }
        self.schema.arrow.logically_equivalent_names_and_types(&input.schema())?;
        let sink = Sink {
            held: self.held.clone(),
            schema: self.schema.arrow.clone(),
            mode: mode as c_int,
        };
        Ok(Arc::new(DataSinkExec::new(input, Arc::new(sink), None)))
    }
}
