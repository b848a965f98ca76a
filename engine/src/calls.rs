//! Names of tables as C answers them. A path stands alone, so that no name leads out of its catalog.
//! Calls in a FROM clause, `name(key => value)`, that are no table functions of the engine, are names
//! with options, perhaps none; until C is asked, the options ride in the name.

use std::ops::ControlFlow;

use datafusion::common::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::sql::parser::{CopyToSource, Statement};
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName, ObjectNamePart, TableAlias, TableFactor,
    UnaryOperator, Value, VisitMut, VisitorMut,
};

use crate::bindings::WEIR_INVALID_ARGUMENT;
use crate::error::{Result, coded};

/// Between a name, its options' keys and their values: no name holds it.
const SEPARATOR: char = '\u{1f}';

pub fn encode(statement: &mut Statement, state: &SessionState) -> Result<()> {
    let mut calls = Calls { state };
    let visited = match statement {
        Statement::Statement(statement) => statement.visit(&mut calls),
        Statement::Explain(explain) => return encode(&mut explain.statement, state),
        Statement::CopyTo(copy) => match &mut copy.source {
            CopyToSource::Query(query) => query.visit(&mut calls),
            CopyToSource::Relation(name) => calls.pre_visit_relation(name),
        },
        _ => ControlFlow::Continue(()),
    };
    match visited {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// The name as it was written, and the options of a call.
pub fn decode(name: &str) -> (&str, Option<Vec<(&str, &str)>>) {
    let mut parts = name.split(SEPARATOR);
    let name = parts.next().unwrap_or_default();
    // A call's name ends in a separator.
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return (name, None);
    }
    let mut options = vec![];
    while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
        options.push((key, value));
    }
    (name, Some(options))
}

struct Calls<'a> {
    state: &'a SessionState,
}

impl VisitorMut for Calls<'_> {
    type Break = DataFusionError;

    fn pre_visit_relation(&mut self, name: &mut ObjectName) -> ControlFlow<Self::Break> {
        match name.0.last().and_then(ObjectNamePart::as_ident) {
            Some(last) if name.0.len() > 1 && is_absolute(&last.value) => {
                ControlFlow::Break(coded(
                    WEIR_INVALID_ARGUMENT,
                    "42602",
                    format!(
                        "{name}: an absolute path or a URL stands alone, without a name before it"
                    ),
                ))
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Self::Break> {
        match rewrite(factor, self.state) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

/// A path of the whole tree, or a URL.
fn is_absolute(name: &str) -> bool {
    name.starts_with('/') || name.contains("://")
}

fn rewrite(factor: &mut TableFactor, state: &SessionState) -> Result<()> {
    let TableFactor::Table { name, alias, args, .. } = factor else { return Ok(()) };
    let (Some(call), Some(ObjectNamePart::Identifier(last))) = (&*args, name.0.last_mut()) else {
        return Ok(());
    };
    let called = match last.quote_style {
        Some(_) => last.value.clone(),
        None => last.value.to_lowercase(),
    };
    if state.table_functions().contains_key(&called) {
        return Ok(());
    }
    let mut encoded = called.clone();
    for argument in &call.args {
        let (key, value) = option_of(&called, argument)?;
        encoded.extend([SEPARATOR.to_string(), key, SEPARATOR.to_string(), value]);
    }
    encoded.push(SEPARATOR);
    if alias.is_none() {
        let name = Ident::with_quote('"', called);
        *alias = Some(TableAlias { explicit: true, name, columns: vec![], at: None });
    }
    last.value = encoded;
    last.quote_style = Some('"');
    *args = None;
    Ok(())
}

fn option_of(called: &str, argument: &FunctionArg) -> Result<(String, String)> {
    let wrong =
        |what: String| coded(WEIR_INVALID_ARGUMENT, "42601", format!("{called}(...): {what}"));
    let FunctionArg::Named { name, arg: FunctionArgExpr::Expr(value), .. } = argument else {
        return Err(wrong(format!(
            "\"{argument}\" has no name; give arguments as {called}(name => value)"
        )));
    };
    let text = literal(value)
        .ok_or_else(|| wrong(format!("the value of {name} is not a literal: {value}")))?;
    if text.contains(SEPARATOR) {
        return Err(wrong(format!("the value of {name} holds a control character")));
    }
    // As it was written: who knows the keys compares them without case.
    Ok((name.value.clone(), text))
}

fn literal(value: &Expr) -> Option<String> {
    match value {
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) => Some(text.clone()),
            Value::Boolean(value) => Some(value.to_string()),
            Value::Null => Some("NULL".into()),
            other => other.clone().into_string(),
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
            literal(expr).map(|text| format!("-{text}"))
        }
        _ => None,
    }
}
