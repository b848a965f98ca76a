//! A table of the REMOTE form.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use crate::bindings::*;
use crate::catalog::{FormOf, Held, slice, text};

use super::dialect::Dialect;
use super::expr::Column;

pub struct RemoteTable {
    pub held: Arc<Held>,
    pub dialect: Dialect,
    /// Tables of the same text stand in one database.
    pub backend: String,
    /// What follows FROM.
    pub name: String,
    schema: SchemaRef,
    columns: Vec<Option<String>>,
    /// Conditions that part the rows.
    pub partitions: Vec<String>,
    pub execute: weir_execute_fn,
    pub execute_parts: weir_execute_parts_fn,
    /// How many streams a statement over the table alone comes in, where it is not parted by conditions.
    n_streams: usize,
    pub change: weir_change_fn,
    rows: Option<f64>,
}

impl fmt::Debug for RemoteTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteTable({} of {})", self.name, self.backend)
    }
}

impl RemoteTable {
    pub fn new(
        held: &Arc<Held>,
        form: FormOf,
        schema: &SchemaRef,
        rows: Option<f64>,
    ) -> RemoteTable {
        let remote = &form.get().remote;
        let n_columns = if remote.columns.is_null() { 0 } else { schema.fields().len() };
        let columns = unsafe { slice(remote.columns, n_columns) };
        let partitions = unsafe { slice(remote.partitions, remote.n_partitions) };
        let kind = held.kind();
        let n_streams = match kind.parts.filter(|_| kind.execute_parts.is_some()) {
            Some(ask) if partitions.len() < 2 => unsafe { ask(held.0.instance) },
            _ => 1,
        };
        RemoteTable {
            held: held.clone(),
            dialect: Dialect::named(&text(remote.dialect).unwrap_or_default()),
            backend: text(remote.backend).unwrap_or_default(),
            name: text(remote.table).unwrap_or_default(),
            schema: schema.clone(),
            columns: columns.iter().map(|column| text(*column)).collect(),
            partitions: partitions.iter().filter_map(|part| text(*part)).collect(),
            execute: remote.execute,
            execute_parts: kind.execute_parts,
            n_streams: usize::try_from(n_streams).unwrap_or(1).max(1),
            change: remote.change,
            rows,
        }
    }

    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub fn n_streams(&self) -> usize {
        self.n_streams
    }

    pub fn rows(&self) -> Option<f64> {
        self.rows
    }

    /// What reads a column of the table under an alias. A kind's expression names the column as the
    /// dialect quotes it.
    pub fn column(&self, at: usize, alias: &str) -> Column {
        let own = self.dialect.identifier(self.schema.field(at).name());
        let full = format!("{alias}.{own}");
        match self.columns.get(at).and_then(Option::as_ref) {
            Some(expression) => Column::computed(format!("({})", expression.replace(&own, &full))),
            None => Column::reference(full),
        }
    }

    /// Whether a column is read as it is stored.
    pub fn is_plain(&self, at: usize) -> bool {
        self.columns.get(at).is_none_or(Option::is_none)
    }
}
