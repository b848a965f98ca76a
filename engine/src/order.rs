//! The order of a query that only reads one table: that of the table's own ORDER BY, if it is a view.

use std::sync::Arc;

use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::{CopyToSource, Statement};
use datafusion::sql::sqlparser::ast::{
    Distinct, GroupByExpr, Query, Select, SetExpr, Statement as SqlStatement,
};

use crate::error::Result;

/// Plans a statement. The engine drops each ORDER BY that stands below a FROM; where nothing stands
/// above it but columns, conditions and a limit, its order is the statement's.
pub async fn plan_in_order(
    mut state: Arc<SessionState>,
    statement: Statement,
) -> Result<LogicalPlan> {
    if query(&statement).is_some_and(keeps_order) {
        let options = Arc::make_mut(&mut state).config_mut().options_mut();
        options.sql_parser.enable_subquery_sort_elimination = false;
    }
    Ok(state.statement_to_plan(statement).await?)
}

/// The query whose rows the statement gives or writes.
fn query(statement: &Statement) -> Option<&Query> {
    match statement {
        Statement::Statement(statement) => match statement.as_ref() {
            SqlStatement::Query(query) => Some(query),
            SqlStatement::CreateTable(create) => create.query.as_deref(),
            SqlStatement::CreateView(create) => Some(&create.query),
            SqlStatement::Insert(insert) => insert.source.as_deref(),
            _ => None,
        },
        Statement::CopyTo(copy) => match &copy.source {
            CopyToSource::Query(query) => Some(query),
            CopyToSource::Relation(_) => None,
        },
        Statement::Explain(explain) => self::query(&explain.statement),
        _ => None,
    }
}

fn keeps_order(query: &Query) -> bool {
    query.order_by.is_none()
        && match query.body.as_ref() {
            SetExpr::Select(select) => reads_one_table(select),
            SetExpr::Query(query) => keeps_order(query),
            _ => false,
        }
}

fn reads_one_table(select: &Select) -> bool {
    let grouped = match &select.group_by {
        GroupByExpr::All(_) => true,
        GroupByExpr::Expressions(expressions, _) => !expressions.is_empty(),
    };
    let distinct = matches!(&select.distinct, Some(Distinct::Distinct | Distinct::On(_)));
    matches!(&select.from[..], [from] if from.joins.is_empty()) && !grouped && !distinct
}
