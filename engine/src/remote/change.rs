//! DELETE and UPDATE of a remote table: one statement that the backend runs, or a refusal.
//!
//! The rows are those of a SELECT over the same WHERE, planned as any other query. Only where all of
//! it stands on the table itself does its condition become that of the change.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, not_impl_err};
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::logical_expr::{DmlStatement, LogicalPlan, WriteOp};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};

use crate::bindings::*;
use crate::call::{Call, Waiting};
use crate::catalog::c_text;
use crate::error::{Result, call_c, coded};
use crate::options::Options;

use super::dialect::{Dialect, Kind};
use super::push::changed;
use super::relation::Relation;
use super::table::RemoteTable;

/// The plan of a change of `table`.
pub fn change(
    state: &SessionState,
    dml: &DmlStatement,
    table: &Arc<RemoteTable>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let name = &dml.table_name;
    if table.change.is_none() {
        let text = format!("{} of {name}: its rows cannot be changed there", dml.op.name());
        return Err(coded(WEIR_NOT_IMPLEMENTED, "0A000", text));
    }
    // As joins: a leaf in place of the whole says no more which rows of the table it has.
    let mut state = state.clone();
    let options = state.config_mut().options_mut();
    let off = Options { pushdown: false, ..Options::of(options) };
    options.extensions.insert(off);
    let rows = state.optimize(&dml.input)?;
    let statement = match (rows, &dml.op) {
        // No row fulfils the condition.
        (LogicalPlan::EmptyRelation(_), _) => None,
        (_, WriteOp::Truncate) => Some(format!("DELETE FROM {}", table.name)),
        (rows, op) => {
            let relation = changed(rows)?;
            let statement = relation.and_then(|relation| match op {
                WriteOp::Update => update(&relation, table),
                _ => delete(&relation),
            });
            match statement {
                Some(statement) => Some(statement),
                None => {
                    return not_impl_err!(
                        "{} of {name}: the database cannot be asked to change exactly these rows, \
                         with these values, in one statement",
                        op.name()
                    );
                }
            }
        }
    };
    let schema = Arc::new(dml.output_schema.as_arrow().clone());
    Ok(Arc::new(ChangeExec::new(table.clone(), statement, schema)))
}

fn delete(rows: &Relation) -> Option<String> {
    let (from, condition) = rows.change()?;
    let condition = condition.map(|condition| format!(" WHERE {condition}")).unwrap_or_default();
    // MariaDB takes an alias in this form only.
    let which = match rows.dialect() {
        Dialect::MySql => format!("{} ", rows.alias),
        _ => String::new(),
    };
    Some(format!("DELETE {which}FROM {from}{condition}"))
}

/// The columns of `rows` are those of the table, the new values in place of the old ones.
fn update(rows: &Relation, table: &RemoteTable) -> Option<String> {
    let (from, condition) = rows.change()?;
    let mut values = vec![];
    let is_mysql = table.dialect == Dialect::MySql;
    let mut assigned: Vec<String> = vec![];
    for (at, field) in table.schema().fields().iter().enumerate() {
        let new = &rows.columns.get(at)?.sql;
        if *new == table.column(at, &rows.alias).sql {
            continue;
        }
        // What is read by an expression is stored as something else: a literal becomes that.
        let is_literal = new.starts_with('\'') && new.ends_with('\'');
        // MySQL's texts are read by another collation, and stored as they are.
        let is_text = is_mysql && Kind::of(field.data_type()) == Kind::Text;
        if !table.is_plain(at) && !is_literal && !is_text && new != "NULL" {
            return None;
        }
        // It assigns one after the other, and reads what it has assigned.
        if is_mysql && assigned.iter().any(|column| new.contains(column)) {
            return None;
        }
        let column = table.dialect.identifier(field.name());
        values.push(format!("{column} = {new}"));
        assigned.push(format!("{}.{column}", rows.alias));
    }
    let condition = condition.map(|condition| format!(" WHERE {condition}")).unwrap_or_default();
    // Even a change to the same values has its triggers and its count.
    if values.is_empty() {
        return None;
    }
    Some(format!("UPDATE {from} SET {}{condition}", values.join(", ")))
}

/// Runs the statement, and gives the backend's count.
#[derive(Debug)]
struct ChangeExec {
    table: Arc<RemoteTable>,
    /// None: there is nothing to change.
    statement: Option<String>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
}

impl ChangeExec {
    fn new(table: Arc<RemoteTable>, statement: Option<String>, schema: SchemaRef) -> ChangeExec {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema.clone()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        ChangeExec { table, statement, schema, properties: Arc::new(properties) }
    }
}

impl DisplayAs for ChangeExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        let statement = self.statement.as_deref().unwrap_or("none");
        write!(f, "ChangeExec: backend={}, sql={statement}", self.table.backend)
    }
}

impl ExecutionPlan for ChangeExec {
    fn name(&self) -> &str {
        "ChangeExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![]
    }

    fn with_new_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(
        &self,
        _partition: usize,
        _context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let (table, statement, schema) =
            (self.table.clone(), self.statement.clone(), self.schema.clone());
        let count = async move {
            let call = Call::new(&table.held)?;
            let waiting = Waiting::new(&call);
            let task = tokio::task::spawn_blocking(move || {
                call.serve(|| run(&table, statement.as_deref()))
            });
            let count = task.await.map_err(|e| DataFusionError::ExecutionJoin(Box::new(e)))?;
            waiting.returned();
            let count = count?;
            let column: ArrayRef = Arc::new(UInt64Array::from(vec![count]));
            Ok(RecordBatch::try_new(schema, vec![column])?)
        };
        let rows = futures::stream::once(count);
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), rows)))
    }
}

/// The rows that changed; None where the backend does not say.
fn run(table: &RemoteTable, statement: Option<&str>) -> Result<Option<u64>> {
    let Some(statement) = statement else { return Ok(Some(0)) };
    let statement = c_text(statement)?;
    let change = table.change.expect("checked when it was planned");
    let mut count = -1i64;
    call_c(|error| unsafe {
        change(table.held.0.instance, statement.as_ptr(), &mut count, error)
    })?;
    Ok(u64::try_from(count).ok())
}
