//! Statements that would overflow a stack or plan for ever are refused, or put in a shape that does neither.

use std::ops::ControlFlow;

use datafusion::common::DataFusionError;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use crate::bindings::WEIR_INVALID_ARGUMENT;
use crate::error::{Result, coded};

/// Operators in one comma-free list item: the parser builds a tree as deep as this.
const MAX_TERMS: usize = 20_000;
/// UNIONs and JOINs of one statement, each a level of the plan.
const MAX_RELATIONS: usize = 1_000;
/// Levels of an expression after chains of AND and OR were balanced.
const MAX_DEPTH: usize = 500;
/// Prefix operators in a row: at its own limit the parser would answer with a syntax error.
const MAX_PREFIXES: usize = 40;
/// Chains shorter than this keep their shape, and so the names of unnamed columns.
const MIN_CHAIN: usize = 64;

fn too_deep(what: &str, found: usize, limit: usize) -> DataFusionError {
    coded(
        WEIR_INVALID_ARGUMENT,
        "54001",
        format!("the statement is too complex: {found} {what}, the limit is {limit}"),
    )
}

/// Before parsing: counts what the parser would nest. Lexical errors are left to the parser.
pub fn check_text(sql: &str) -> Result<()> {
    let Ok(tokens) = Tokenizer::new(&GenericDialect {}, sql).tokenize() else { return Ok(()) };
    let mut terms = vec![0usize]; // per open parenthesis
    let mut relations = 0;
    let mut prefixes = 0;
    for token in tokens {
        prefixes = match &token {
            Token::Whitespace(_) => prefixes,
            Token::Minus | Token::Plus | Token::Tilde => prefixes + 1,
            Token::Word(word) if word.keyword == Keyword::NOT => prefixes + 1,
            _ => 0,
        };
        if prefixes > MAX_PREFIXES {
            return Err(too_deep("prefix operators in a row", prefixes, MAX_PREFIXES));
        }
        match token {
            Token::LParen | Token::LBracket | Token::LBrace => terms.push(0),
            Token::RParen | Token::RBracket | Token::RBrace if terms.len() > 1 => {
                terms.pop();
            }
            Token::Comma | Token::SemiColon => *terms.last_mut().expect("never empty") = 0,
            Token::Word(word) if word.quote_style.is_none() => {
                match word.value.to_ascii_uppercase().as_str() {
                    "UNION" | "INTERSECT" | "EXCEPT" | "JOIN" => relations += 1,
                    "AND" | "OR" | "NOT" | "LIKE" | "IS" | "XOR" | "DIV" => {
                        *terms.last_mut().expect("never empty") += 1;
                    }
                    _ => {}
                }
            }
            Token::Whitespace(_)
            | Token::Word(_)
            | Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::Period => {}
            _ => *terms.last_mut().expect("never empty") += 1,
        }
        let most = *terms.last().expect("never empty");
        if most > MAX_TERMS {
            return Err(too_deep("operators in one expression", most, MAX_TERMS));
        }
    }
    if relations > MAX_RELATIONS {
        return Err(too_deep("unions and joins", relations, MAX_RELATIONS));
    }
    Ok(())
}

/// After parsing: balances long chains of AND and OR, then checks the depth.
pub fn shape(statement: &mut Statement) -> Result<()> {
    let mut shaper = Shaper { depth: 0, deepest: 0 };
    let _ = match statement {
        Statement::Statement(statement) => statement.visit(&mut shaper),
        Statement::Explain(explain) => return shape(&mut explain.statement),
        Statement::CopyTo(copy) => match &mut copy.source {
            datafusion::sql::parser::CopyToSource::Query(query) => query.visit(&mut shaper),
            datafusion::sql::parser::CopyToSource::Relation(_) => ControlFlow::Continue(()),
        },
        _ => ControlFlow::Continue(()),
    };
    if shaper.deepest > MAX_DEPTH {
        return Err(too_deep("levels of expressions", shaper.deepest, MAX_DEPTH));
    }
    Ok(())
}

struct Shaper {
    depth: usize,
    deepest: usize,
}

impl VisitorMut for Shaper {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::BinaryOp { op: op @ (BinaryOperator::And | BinaryOperator::Or), .. } = expr {
            balance(op.clone(), expr);
        }
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, _: &mut Expr) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }
}

/// Rebuilds `a op b op c op ...`, which is nested to the left, as a balanced tree. AND and OR are associative.
fn balance(op: BinaryOperator, expr: &mut Expr) {
    let mut length = 1;
    let mut next: &Expr = expr;
    while let Expr::BinaryOp { left, op: o, .. } = next
        && *o == op
    {
        length += 1;
        next = left;
    }
    if length < MIN_CHAIN {
        return;
    }
    let mut operands = Vec::with_capacity(length);
    let mut rest = std::mem::replace(expr, nothing());
    while let Expr::BinaryOp { left, op: o, right } = rest {
        if o != op {
            rest = Expr::BinaryOp { left, op: o, right };
            break;
        }
        operands.push(*right);
        rest = *left;
    }
    operands.push(rest);
    operands.reverse();
    *expr = join(&op, &mut operands.into_iter(), length);
}

fn join(op: &BinaryOperator, operands: &mut std::vec::IntoIter<Expr>, n: usize) -> Expr {
    if n == 1 {
        return operands.next().unwrap_or_else(nothing);
    }
    let left = join(op, operands, n / 2);
    let right = join(op, operands, n - n / 2);
    // Parentheses keep the meaning where the expression is printed again (a view's text).
    let nested = |e: Expr| match e {
        Expr::BinaryOp { .. } => Expr::Nested(Box::new(e)),
        e => e,
    };
    Expr::BinaryOp { left: Box::new(nested(left)), op: op.clone(), right: Box::new(nested(right)) }
}

fn nothing() -> Expr {
    Expr::value(datafusion::sql::sqlparser::ast::Value::Null)
}
