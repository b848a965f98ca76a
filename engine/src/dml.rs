//! Changes of rows: COPY and INSERT are staged; DELETE, UPDATE and TRUNCATE are one overwrite with
//! the rows that stay.
//!
//! The engine's own delete_from and update get an empty filter list both for "no WHERE" and for a
//! WHERE that the optimizer rewrote, so they are never used: a SELECT over the same WHERE, planned
//! as any other query, says which rows stay.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use arrow::datatypes::Schema;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, not_impl_err, plan_err};
use datafusion::datasource::listing::ListingTableUrl;
use datafusion::execution::SessionState;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::dml::{CopyTo, InsertOp};
use datafusion::logical_expr::{DmlStatement, LogicalPlan, LogicalPlanBuilder, WriteOp, lit, when};
use datafusion::physical_expr::expressions::{Column, cast};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::prelude::Expr;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, FromTable, Ident, ObjectNamePart, Query as SqlQuery,
    Statement as SqlStatement, TableFactor, TableWithJoins, Value as SqlValue, VisitMut,
    VisitorMut,
};

use crate::bounded::bounded;
use crate::commit::{CommitExec, Target};
use crate::error::Result;
use crate::plan::Plan;
use crate::remote::{self, remote_table};
use crate::sampled::sampled;

/// Option of COPY that weir adds: what stands at the target is replaced.
const OVERWRITE: &str = "weir.overwrite";
const SINGLE_FILE: &str = "single_file_output";

/// What runs for a plan. A change that cannot count its own rows has a query that does, run before
/// it.
pub struct Physical {
    pub plan: Arc<dyn ExecutionPlan>,
    pub count: Option<Arc<dyn ExecutionPlan>>,
}

/// The same for a plan that is known to hold its answer, or to be one statement of a database, without a
/// thread that plans.
pub fn at_once(plan: &Plan, settings: u64) -> Result<Option<Physical>> {
    if let Some(known) = plan.known(settings) {
        return Ok(Some(Physical { plan: known?, count: None }));
    }
    let Some(optimized) = plan.optimized(settings) else { return Ok(None) };
    let Some(rows) = remote::read_whole(optimized)? else { return Ok(None) };
    Ok(Some(Physical { plan: in_planned_types(rows, &plan.columns)?, count: None }))
}

/// `settings` are those that `state` was made after.
pub async fn physical(state: &SessionState, settings: u64, plan: &Plan) -> Result<Physical> {
    let rows = plan.rows().expect("who asks looked for them");
    let (plan, count) = match rows {
        LogicalPlan::Copy(copy) => (copy_to(state, copy).await?, None),
        LogicalPlan::Dml(dml) if rewritten(&dml.op) => match remote_table(&dml.target) {
            Some(table) => (remote::change(state, dml, &table)?, None),
            None => {
                let (change, changed) = overwrite(dml)?;
                let count = state.create_physical_plan(&changed).await?;
                (state.create_physical_plan(&change).await?, Some(count))
            }
        },
        LogicalPlan::Analyze(analyze) if matches!(*analyze.input, LogicalPlan::Copy(_)) => {
            return not_impl_err!("EXPLAIN ANALYZE of COPY, which would write; use EXPLAIN");
        }
        rows => {
            let analyzed = plan.analyzed.as_ref();
            let made = match analyzed.filter(|_| !matches!(rows, LogicalPlan::Explain(_))) {
                Some(analyzed) => {
                    let optimized = plan.optimize(analyzed, state, settings)?;
                    match remote::read_whole(&optimized)? {
                        Some(rows) => rows,
                        None => {
                            state.query_planner().create_physical_plan(&optimized, state).await?
                        }
                    }
                }
                None => state.create_physical_plan(rows).await?,
            };
            let made = in_planned_types(made, &plan.columns)?;
            plan.keep_known(&made, settings);
            (made, None)
        }
    };
    Ok(Physical { plan, count })
}

/// Some rules of the engine's optimizer change a column's type (text to text view, say): the rows
/// get the types that the statement was described with.
fn in_planned_types(
    rows: Arc<dyn ExecutionPlan>,
    planned: &Schema,
) -> Result<Arc<dyn ExecutionPlan>> {
    let got = rows.schema();
    let mut pairs = got.fields().iter().zip(planned.fields());
    if got.fields().len() != planned.fields().len()
        || pairs.all(|(g, p)| g.data_type().equals_datatype(p.data_type()))
    {
        return Ok(rows);
    }
    let columns = planned.fields().iter().zip(got.fields()).enumerate().map(|(i, (p, g))| {
        let column = Arc::new(Column::new(g.name(), i));
        let expr = cast(column, &got, p.data_type().clone())?;
        Ok(ProjectionExpr { expr, alias: g.name().clone() })
    });
    Ok(Arc::new(ProjectionExec::try_new(columns.collect::<Result<Vec<_>>>()?, rows)?))
}

/// Names the table of `DELETE FROM table AS alias` itself in the condition, which the engine does not
/// know the alias in. A condition with a query of its own is left: names in it may be others'.
pub fn delete_without_alias(statement: &mut Statement) {
    let Statement::Statement(statement) = statement else { return };
    let SqlStatement::Delete(delete) = statement.as_mut() else { return };
    let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &mut delete.from;
    let [TableWithJoins { relation: TableFactor::Table { name, alias, .. }, joins }] =
        &mut from[..]
    else {
        return;
    };
    let table = name.0.last().and_then(ObjectNamePart::as_ident).cloned();
    let (Some(table), Some(given), true) = (table, alias.as_ref(), joins.is_empty()) else {
        return;
    };
    let mut renamed = Renamed { from: given.name.clone(), to: table };
    let mut condition = delete.selection.clone();
    if given.columns.is_empty() && condition.visit(&mut renamed).is_continue() {
        (*alias, delete.selection) = (None, condition);
    }
}

/// Gives the columns of one table its other name, up to the first query.
struct Renamed {
    from: Ident,
    to: Ident,
}

impl VisitorMut for Renamed {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut SqlQuery) -> ControlFlow<()> {
        ControlFlow::Break(())
    }

    fn pre_visit_expr(&mut self, expr: &mut SqlExpr) -> ControlFlow<()> {
        let folded = |ident: &Ident| match ident.quote_style {
            Some(_) => ident.value.clone(),
            None => ident.value.to_ascii_lowercase(),
        };
        if let SqlExpr::CompoundIdentifier(names) = expr
            && folded(&names[0]) == folded(&self.from)
        {
            names[0] = self.to.clone();
        }
        ControlFlow::Continue(())
    }
}

/// Fills in what a COPY's target says by its name: `x.jsonl`, `x.tsv`, `x.csv.gz`. What the
/// statement gives wins.
pub fn copy_defaults(statement: &mut Statement) {
    let copy = match statement {
        Statement::CopyTo(copy) => copy,
        Statement::Explain(explain) => return copy_defaults(&mut explain.statement),
        _ => return,
    };
    let name = copy.target.rsplit('/').next().unwrap_or("").to_ascii_lowercase();
    let (name, compression) = match name.rsplit_once('.') {
        Some((stem, "gz")) => (stem, Some("gzip")),
        Some((stem, "zst")) => (stem, Some("zstd")),
        Some((stem, "bz2")) => (stem, Some("bzip2")),
        Some((stem, "xz")) => (stem, Some("xz")),
        _ => (&*name, None),
    };
    let (format, delimiter) = match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("csv") => ("csv", None),
        Some("tsv" | "tab") => ("csv", Some("\t")),
        Some("json" | "jsonl" | "ndjson") => ("json", None),
        Some("parquet" | "pq") => ("parquet", None),
        Some("arrow" | "feather" | "ipc") => ("arrow", None),
        _ => return,
    };
    if copy.stored_as.as_deref().is_some_and(|given| !given.eq_ignore_ascii_case(format)) {
        return;
    }
    copy.stored_as = Some(format.to_uppercase());
    let defaults = [("compression", compression), ("delimiter", delimiter)];
    for (key, value) in defaults.into_iter().filter_map(|(k, v)| Some((k, v?))) {
        let given = copy
            .options
            .iter()
            .any(|(k, _)| k.to_ascii_lowercase().trim_start_matches("format.") == key);
        if !given {
            let value = SqlValue::SingleQuotedString(value.to_string());
            copy.options.push((format!("format.{key}"), value));
        }
    }
}

async fn copy_to(state: &SessionState, copy: &CopyTo) -> Result<Arc<dyn ExecutionPlan>> {
    let mut copy = copy.clone();
    let overwrite = flag(copy.options.remove(OVERWRITE), OVERWRITE)?.unwrap_or(false);
    let target = ListingTableUrl::parse(&copy.output_url)?;
    let single_file = flag(copy.options.remove(SINGLE_FILE), SINGLE_FILE)?.unwrap_or(
        copy.partition_by.is_empty()
            && !copy.output_url.ends_with('/')
            && target.file_extension().is_some(),
    );
    if single_file && !copy.partition_by.is_empty() {
        return plan_err!("COPY to one file cannot be partitioned: {}", copy.output_url);
    }
    let (target, url) = Target::begin(state.config(), &copy.output_url, single_file, overwrite)?;
    copy.output_url = url.to_string();
    copy.options.insert(SINGLE_FILE.into(), single_file.to_string());
    let by = copy.partition_by.clone();
    let sink = state.create_physical_plan(&LogicalPlan::Copy(copy)).await?;
    let sink = if by.is_empty() { sampled(sink) } else { bounded(sink, &by)? };
    Ok(Arc::new(CommitExec::new(sink, Arc::new(Mutex::new(Some(target))))))
}

fn flag(value: Option<String>, key: &str) -> Result<Option<bool>> {
    match value.as_deref().map(str::trim) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(other) => Err(DataFusionError::Configuration(format!(
            "provided value for '{key}' was not recognized: \"{other}\""
        ))),
    }
}

fn rewritten(op: &WriteOp) -> bool {
    matches!(op, WriteOp::Delete | WriteOp::Update | WriteOp::Truncate)
}

/// The overwrite that a change amounts to, and the query that counts the rows it changes.
fn overwrite(dml: &DmlStatement) -> Result<(LogicalPlan, LogicalPlan)> {
    let table = &dml.table_name;
    let (rows, predicate, values) = match (&dml.op, dml.input.as_ref()) {
        (WriteOp::Update, LogicalPlan::Projection(projection)) => {
            let (rows, predicate) = rows_and_predicate(&projection.input);
            (rows, predicate, Some(&projection.expr))
        }
        (WriteOp::Truncate, _) => {
            let scan = LogicalPlanBuilder::scan(table.clone(), dml.target.clone(), None)?;
            (Arc::new(scan.build()?), None, None)
        }
        (_, input) => {
            let (rows, predicate) = rows_and_predicate(input);
            (rows, predicate, None)
        }
    };
    if !is_scan(&rows) {
        return not_impl_err!(
            "{} of {table} with LIMIT, FROM or a join: it would not be exact",
            dml.op.name()
        );
    }
    let predicate = predicate.unwrap_or_else(|| lit(true));
    let scan = || LogicalPlanBuilder::from(rows.as_ref().clone());
    let stay = match values {
        None => scan().filter(predicate.clone().is_not_true())?.build()?,
        Some(values) => {
            if has_subquery(&predicate)? {
                // The same as two halves, since a subquery may stand in a WHERE only.
                let changed = scan().filter(predicate.clone())?.project(values.clone())?;
                let same = rows.schema().columns().into_iter().map(Expr::Column);
                let same = scan().filter(predicate.clone().is_not_true())?.project(same)?;
                changed.union(same.build()?)?.build()?
            } else {
                let old = rows.schema().columns().into_iter().map(Expr::Column);
                let new = old.zip(values).map(|(old, new)| {
                    let name = new.schema_name().to_string();
                    let new = new.clone().unalias();
                    Ok(match new == old {
                        true => old.alias(name),
                        false => when(predicate.clone().is_true(), new).otherwise(old)?.alias(name),
                    })
                });
                scan().project(new.collect::<Result<Vec<_>>>()?)?.build()?
            }
        }
    };
    let changed = scan()
        .filter(predicate)?
        .aggregate(Vec::<Expr>::new(), vec![count(lit(1)).alias("count")])?
        .build()?;
    let change = LogicalPlan::Dml(DmlStatement::new(
        table.clone(),
        dml.target.clone(),
        WriteOp::Insert(InsertOp::Overwrite),
        Arc::new(stay),
    ));
    Ok((change, changed))
}

fn rows_and_predicate(input: &LogicalPlan) -> (Arc<LogicalPlan>, Option<Expr>) {
    match input {
        LogicalPlan::Filter(filter) => (filter.input.clone(), Some(filter.predicate.clone())),
        input => (Arc::new(input.clone()), None),
    }
}

fn is_scan(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::TableScan(_) => true,
        LogicalPlan::SubqueryAlias(alias) => is_scan(&alias.input),
        _ => false,
    }
}

fn has_subquery(expr: &Expr) -> Result<bool> {
    let mut found = false;
    expr.apply(|e| {
        found |= matches!(e, Expr::InSubquery(_) | Expr::Exists(_) | Expr::ScalarSubquery(_));
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}
