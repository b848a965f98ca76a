//! Constraints and column defaults ride in the metadata of a table's Arrow schema, so that a
//! definition is one schema.

use std::collections::HashMap;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::{Constraint, Constraints, DFSchema};
use datafusion::execution::SessionState;
use datafusion::prelude::Expr;
use datafusion::sql::unparser::expr_to_sql;

use crate::error::Result;

/// Of a field: its DEFAULT as SQL text.
const DEFAULT_KEY: &str = "weir:default";
/// Of the schema: "P0,1;U2" for PRIMARY KEY (columns 0 and 1) and UNIQUE (column 2).
const CONSTRAINTS_KEY: &str = "weir:constraints";

/// A declared schema taken apart.
#[derive(Debug)]
pub struct TableSchema {
    pub arrow: SchemaRef,
    pub constraints: Constraints,
    pub defaults: HashMap<String, Expr>,
}

impl TableSchema {
    pub fn new(declared: Schema, state: &SessionState) -> Result<TableSchema> {
        let mut defaults = HashMap::new();
        let mut fields = vec![];
        for field in declared.fields() {
            let mut metadata = field.metadata().clone();
            if let Some(sql) = metadata.remove(DEFAULT_KEY) {
                let expr = state.create_logical_expr(&sql, &DFSchema::empty())?;
                defaults.insert(field.name().clone(), expr);
            }
            fields.push(field.as_ref().clone().with_metadata(metadata));
        }
        let mut metadata = declared.metadata().clone();
        let constraints = metadata.remove(CONSTRAINTS_KEY).unwrap_or_default();
        Ok(TableSchema {
            arrow: Schema::new_with_metadata(fields, metadata).into(),
            constraints: decode(&constraints),
            defaults,
        })
    }
}

/// The declared schema of a CREATE, with what it says of its columns.
pub fn declare<'a>(
    schema: &Schema,
    constraints: &Constraints,
    defaults: impl Iterator<Item = (&'a String, &'a Expr)>,
) -> Result<Schema> {
    let defaults: HashMap<&String, &Expr> = defaults.collect();
    let mut fields = vec![];
    for field in schema.fields() {
        let mut field = field.as_ref().clone();
        if let Some(expr) = defaults.get(field.name()) {
            field.metadata_mut().insert(DEFAULT_KEY.into(), expr_to_sql(expr)?.to_string());
        }
        fields.push(field);
    }
    let mut metadata = schema.metadata().clone();
    if let Some(text) = encode(constraints) {
        metadata.insert(CONSTRAINTS_KEY.into(), text);
    }
    Ok(Schema::new_with_metadata(fields, metadata))
}

fn encode(constraints: &Constraints) -> Option<String> {
    let texts: Vec<String> = constraints
        .iter()
        .map(|constraint| {
            let (letter, columns) = match constraint {
                Constraint::PrimaryKey(columns) => ('P', columns),
                Constraint::Unique(columns) => ('U', columns),
            };
            let columns: Vec<String> = columns.iter().map(usize::to_string).collect();
            format!("{letter}{}", columns.join(","))
        })
        .collect();
    (!texts.is_empty()).then(|| texts.join(";"))
}

fn decode(text: &str) -> Constraints {
    let constraints = text.split(';').filter(|t| !t.is_empty()).map(|t| {
        let columns = t[1..].split(',').filter_map(|c| c.parse().ok()).collect();
        if t.starts_with('P') {
            Constraint::PrimaryKey(columns)
        } else {
            Constraint::Unique(columns)
        }
    });
    Constraints::new_unverified(constraints.collect())
}
