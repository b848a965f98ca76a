//! Where the rows of a relation come from: statements that its backend runs, one per partition, with
//! the keys that a join above them knows by then.

use std::collections::HashSet;
use std::ffi::CString;
use std::sync::{Arc, Mutex, OnceLock};

use arrow::datatypes::SchemaRef;
use datafusion::common::DFSchemaRef;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::DynamicFilterPhysicalExpr;
use futures::future::BoxFuture;

use crate::bindings::WEIR_ENDS_AT_ONCE;
use crate::catalog::{c_text, text};
use crate::error::Result;
use crate::scan::{Partitions, Scan};
use crate::stream::Imported;
use crate::stream_exec::Source;

use super::keys;
use super::relation::Relation;

pub struct RemoteSource {
    relation: Relation,
    /// Of the rows.
    schema: SchemaRef,
    /// The columns as the plan names them; None takes no keys.
    names: Option<DFSchemaRef>,
    filters: Mutex<Vec<Arc<DynamicFilterPhysicalExpr>>>,
    /// Made when the first partition is opened.
    statements: OnceLock<Vec<CString>>,
    current: Mutex<Option<Partitions>>,
}

impl RemoteSource {
    pub fn new(relation: Relation, schema: SchemaRef, names: Option<DFSchemaRef>) -> RemoteSource {
        RemoteSource {
            relation,
            schema,
            names,
            filters: Mutex::default(),
            statements: OnceLock::new(),
            current: Mutex::default(),
        }
    }

    fn plan(&self, statements: &[CString]) -> Result<Arc<Scan>> {
        let (table, schema) = (&self.relation.table, &self.schema);
        match (statements, self.relation.n_streams()) {
            ([statement], n) if n > 1 => {
                Scan::of_parts(&table.held, table.execute_parts, statement, n, schema)
            }
            _ => Scan::of_statements(&table.held, table.execute, statements, schema),
        }
    }

    fn statements(&self) -> Result<&[CString]> {
        if let Some(known) = self.statements.get() {
            return Ok(known);
        }
        let filters = self.filters.lock().unwrap().clone();
        let relation = match &self.names {
            Some(names) if !filters.is_empty() => {
                keys::restricted(self.relation.clone(), names, &filters)?
            }
            _ => self.relation.clone(),
        };
        let statements = relation.delivered(&self.schema).statements();
        let statements = statements.iter().map(|s| c_text(s)).collect::<Result<Vec<_>>>()?;
        Ok(self.statements.get_or_init(|| statements))
    }
}

impl Source for RemoteSource {
    fn open(&self, partition: usize) -> Result<Imported> {
        let statements = self.statements()?;
        let scan = {
            let mut current = self.current.lock().unwrap();
            let plan = || self.plan(statements);
            Partitions::scan_for(&mut current, partition, self.relation.n_partitions(), plan)?
        };
        scan.open(partition)
    }

    fn cancel(&self) {
        Partitions::cancel(&mut self.current.lock().unwrap());
    }

    fn casts(&self) -> bool {
        true
    }

    fn ends_at_once(&self) -> bool {
        self.relation.table.held.kind().roles & WEIR_ENDS_AT_ONCE != 0
    }

    fn with_filters(&self, filters: &[Arc<dyn PhysicalExpr>]) -> Option<Arc<dyn Source>> {
        self.names.as_ref()?;
        let new = filters
            .iter()
            .filter_map(|filter| Arc::downcast::<DynamicFilterPhysicalExpr>(filter.clone()).ok());
        let mut all = self.filters.lock().unwrap().clone();
        let before = all.len();
        all.extend(new);
        if all.len() == before {
            return None;
        }
        let (relation, schema) = (self.relation.clone(), self.schema.clone());
        let source = RemoteSource::new(relation, schema, self.names.clone());
        *source.filters.lock().unwrap() = all;
        Some(Arc::new(source))
    }

    fn filters(&self) -> Vec<Arc<dyn PhysicalExpr>> {
        let filters = self.filters.lock().unwrap();
        filters.iter().map(|filter| filter.clone() as Arc<dyn PhysicalExpr>).collect()
    }

    fn keep_filters(&self, ids: &HashSet<u64>) {
        let mut filters = self.filters.lock().unwrap();
        filters.retain(|filter| filter.expression_id().is_some_and(|id| ids.contains(&id)));
    }

    fn ready(&self) -> BoxFuture<'static, ()> {
        let filters = self.filters.lock().unwrap().clone();
        Box::pin(async move {
            for filter in filters {
                filter.wait_complete().await;
            }
        })
    }

    fn describe(&self) -> String {
        let table = &self.relation.table;
        let kind = text(table.held.kind().name).unwrap_or_default();
        let keys = match self.filters.lock().unwrap().len() {
            0 => "",
            _ => ", and the keys of a join",
        };
        let statements = self.relation.clone().delivered(&self.schema).statements().join("; ");
        format!("kind={kind}, backend={}, sql={statements}{keys}", table.backend)
    }
}
