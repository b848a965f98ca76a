//! The SQL form: a query over other tables, planned inline.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::view::ViewTable;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{
    DFSchema, DataFusionError, ParamValues, ScalarValue, TableReference, plan_err,
};
use datafusion::execution::SessionState;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{LogicalPlan, TableProviderFilterPushDown, TableType};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::Expr;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{Ident, Query as SqlQuery, Statement as SqlStatement};

use crate::catalog::{FormOf, Held, Names, text};
use crate::error::{Result, classify, coded, is_coded, position};
use crate::order::plan_in_order;
use crate::planning::InView;
use crate::{calls, limits};

/// Plans a query of the SQL form as a view, in its own default catalog and schema.
pub async fn view(
    names: &Arc<Names>,
    held: &Arc<Held>,
    form: FormOf,
    name: &TableReference,
) -> Result<Arc<dyn TableProvider>> {
    let _in_view = InView::enter(name.to_string(), held.0.has_own_rights != 0)?;
    let query = form.query();
    let state = state_for(names.state()?, &query);
    let plan = plan(&state, &query).await.map_err(|error| match &query.source {
        _ if is_coded(&error) => error,
        Some(source) => in_source(error, source, &query.text),
        None => error.context(format!("in view {name}")),
    })?;
    let definition = text(held.0.definition);
    Ok(Arc::new(View { inner: ViewTable::new(plan, definition), is_view: held.0.is_view != 0 }))
}

/// The state with the query's own default catalog and schema.
fn state_for(mut state: Arc<SessionState>, query: &Query) -> Arc<SessionState> {
    let now = &state.config_options().catalog;
    let catalog = query.catalog.clone().unwrap_or_else(|| now.default_catalog.clone());
    let schema = query.schema.clone().unwrap_or_else(|| now.default_schema.clone());
    if catalog != now.default_catalog || schema != now.default_schema {
        let options = Arc::make_mut(&mut state).config_mut().options_mut();
        options.catalog.default_catalog = catalog;
        options.catalog.default_schema = schema;
    }
    state
}

/// `struct weir_sql` in Rust's types.
#[derive(PartialEq)]
pub struct Query {
    pub text: String,
    pub catalog: Option<String>,
    pub schema: Option<String>,
    /// The file that holds it.
    pub source: Option<String>,
    pub inputs: Vec<(String, String)>,
    pub parameters: Vec<(String, String)>,
}

impl Query {
    /// Another text for another query.
    pub fn version(&self) -> String {
        let Query { text, catalog, schema, inputs, parameters, .. } = self;
        format!("{text:?} {catalog:?} {schema:?} {inputs:?} {parameters:?}")
    }
}

async fn plan(state: &Arc<SessionState>, query: &Query) -> Result<LogicalPlan> {
    limits::check_text(&query.text)?;
    let dialect = state.config_options().sql_parser.dialect;
    let mut statement = state.sql_to_statement(&query.text, &dialect)?;
    limits::shape(&mut statement)?;
    calls::encode(&mut statement, state)?;
    let Some(ast) = query_of(&mut statement) else {
        return plan_err!("the definition is not a query");
    };
    for (name, table) in query.inputs.iter().rev() {
        add_input(state, ast, name, table)?;
    }
    let plan = plan_in_order(state.clone(), statement).await?;
    with_parameters(state, query, plan)
}

fn query_of(statement: &mut Statement) -> Option<&mut SqlQuery> {
    let Statement::Statement(statement) = statement else { return None };
    let SqlStatement::Query(query) = statement.as_mut() else { return None };
    Some(query)
}

/// Puts `WITH "name" AS (SELECT * FROM table)` before a query.
fn add_input(state: &SessionState, query: &mut SqlQuery, name: &str, table: &str) -> Result<()> {
    let extension = table.rsplit_once('.').map_or("", |(_, extension)| extension);
    let is_path = table.contains(['/', '*', '?', '[']) || FILE_EXTENSIONS.contains(&extension);
    let table = if is_path { Ident::with_quote('"', table).to_string() } else { table.to_string() };
    let name = Ident::with_quote('"', name);
    let text = format!("WITH {name} AS (SELECT * FROM {table}) SELECT 1");
    let mut parsed = state.sql_to_statement(&text, &state.config_options().sql_parser.dialect)?;
    let Some(mut parsed) = query_of(&mut parsed).and_then(|query| query.with.take()) else {
        return plan_err!("input {name}: {table} is not a table");
    };
    match &mut query.with {
        Some(with) => with.cte_tables.splice(0..0, parsed.cte_tables.drain(..)).for_each(drop),
        None => query.with = Some(parsed),
    }
    Ok(())
}

/// What names a file rather than a table where there is no slash.
const FILE_EXTENSIONS: &[&str] = &[
    "parquet", "pq", "csv", "tsv", "json", "jsonl", "ndjson", "arrow", "feather", "ipc", "avro",
    "sql", "gz", "zst", "bz2", "xz",
];

fn with_parameters(state: &SessionState, query: &Query, plan: LogicalPlan) -> Result<LogicalPlan> {
    let mut wanted: Vec<String> = plan.get_parameter_names()?.into_iter().collect();
    if wanted.is_empty() {
        return Ok(plan);
    }
    wanted.sort();
    let types = plan.get_parameter_types()?;
    let mut values: HashMap<String, ScalarValue> = HashMap::new();
    for placeholder in wanted {
        let name = placeholder.trim_start_matches('$');
        let given = query.parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        let Some((_, literal)) = given else {
            return plan_err!(
                "the parameter {placeholder} is not declared; add a line \"-- param {name}: 'default'\""
            );
        };
        let value = scalar(state, literal)
            .map_err(|e| e.context(format!("parameter {placeholder}, {literal}")))?;
        let value = match types.get(&placeholder) {
            Some(Some(wanted)) => value
                .cast_to(wanted)
                .map_err(|e| e.context(format!("parameter {placeholder}, {literal}")))?,
            _ => value,
        };
        values.insert(name.to_string(), value);
    }
    plan.with_param_values(ParamValues::from(values))
}

/// The value of an SQL literal.
fn scalar(state: &SessionState, literal: &str) -> Result<ScalarValue> {
    let expr = state.create_logical_expr(literal, &DFSchema::empty())?;
    let context = SimplifyContext::builder().with_schema(Arc::new(DFSchema::empty())).build();
    match ExprSimplifier::new(context).simplify(expr)? {
        Expr::Literal(value, _) => Ok(value),
        other => plan_err!("{other} is not a literal"),
    }
}

/// An error in a file names the file, line and column.
fn in_source(error: DataFusionError, source: &str, text: &str) -> DataFusionError {
    let (code, sqlstate) = classify(&error);
    let place = match position(&error, text) {
        Some(offset) => {
            let before = &text[..text.floor_char_boundary(offset as usize - 1)];
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            format!("{source}:{line}:{column}")
        }
        None => source.to_string(),
    };
    let message = error.strip_backtrace();
    coded(code, sqlstate, format!("{place}: {message}"))
}

/// A view table that says whether the catalog calls it one.
#[derive(Debug)]
struct View {
    inner: ViewTable,
    is_view: bool,
}

#[async_trait]
impl TableProvider for View {
    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }

    fn table_type(&self) -> TableType {
        if self.is_view { TableType::View } else { TableType::Base }
    }

    fn get_table_definition(&self) -> Option<&str> {
        self.inner.get_table_definition()
    }

    fn get_logical_plan(&self) -> Option<Cow<'_, LogicalPlan>> {
        self.inner.get_logical_plan()
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        self.inner.supports_filters_pushdown(filters)
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.inner.scan(state, projection, filters, limit).await
    }
}

/// The query of a CREATE VIEW as text, with its column names if it gives any.
pub fn view_query(statement: &Statement) -> Option<String> {
    let Statement::Statement(statement) = statement else { return None };
    let SqlStatement::CreateView(view) = statement.as_ref() else { return None };
    if view.columns.is_empty() {
        return Some(view.query.to_string());
    }
    let columns: Vec<String> = view.columns.iter().map(|c| c.name.to_string()).collect();
    Some(format!("SELECT * FROM ({}) AS v({})", view.query, columns.join(", ")))
}

/// The name that a CREATE VIEW gives.
pub fn view_name(statement: &Statement) -> Option<TableReference> {
    let Statement::Statement(statement) = statement else { return None };
    let SqlStatement::CreateView(view) = statement.as_ref() else { return None };
    Some(TableReference::parse_str(&view.name.to_string()))
}
