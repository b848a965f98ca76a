//! The SQL form: a query over other tables, planned inline.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::view::ViewTable;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{TableReference, plan_err};
use datafusion::logical_expr::{LogicalPlan, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::Expr;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::Statement as SqlStatement;

use crate::catalog::{FormOf, Held, Names, text};
use crate::error::{Result, is_coded};

/// A view that names itself is an error, and so is a chain of views longer than this.
const MAX_VIEW_DEPTH: usize = 64;

thread_local! {
    /// The views that are being planned, outermost first. A statement is planned on one thread.
    static VIEWS: RefCell<Vec<String>> = const { RefCell::new(vec![]) };
}

/// While it lives, a view of that name is being planned.
pub struct InView;

impl InView {
    pub fn enter(name: String) -> Result<InView> {
        VIEWS.with_borrow_mut(|views| {
            if let Some(at) = views.iter().position(|v| *v == name) {
                let cycle = [&views[at..], &[name]].concat().join(" -> ");
                return plan_err!("a view reads itself: {cycle}");
            }
            if views.len() >= MAX_VIEW_DEPTH {
                return plan_err!("views are nested more than {MAX_VIEW_DEPTH} deep at {name}");
            }
            views.push(name);
            Ok(InView)
        })
    }
}

impl Drop for InView {
    fn drop(&mut self) {
        VIEWS.with_borrow_mut(|views| views.pop());
    }
}

/// Plans a query of the SQL form as a view, in its own default catalog and schema.
pub async fn view(
    names: &Arc<Names>,
    held: &Arc<Held>,
    form: FormOf,
    name: &TableReference,
) -> Result<Arc<dyn TableProvider>> {
    let _in_view = InView::enter(name.to_string())?;
    let mut state = names.state()?;
    let (query, catalog, schema) = form.sql();
    let catalog_options = &mut state.config_mut().options_mut().catalog;
    if let Some(catalog) = catalog {
        catalog_options.default_catalog = catalog;
    }
    if let Some(schema) = schema {
        catalog_options.default_schema = schema;
    }
    let definition = text(held.0.definition);
    let plan = state
        .create_logical_plan(&query)
        .await
        .map_err(|e| if is_coded(&e) { e } else { e.context(format!("in view {name}")) })?;
    if matches!(plan, LogicalPlan::Ddl(_) | LogicalPlan::Dml(_) | LogicalPlan::Copy(_)) {
        return plan_err!("the definition of {name} is not a query");
    }
    Ok(Arc::new(View { inner: ViewTable::new(plan, definition), is_view: held.0.is_view != 0 }))
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
