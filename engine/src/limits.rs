//! Statements that would overflow a stack or plan for ever are refused, or put in a shape that does
//! neither.

use std::ops::ControlFlow;

use datafusion::common::DataFusionError;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, VisitMut, VisitorMut};
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
/// Open parentheses, CASEs and prefix operators at one place. At its own limit the parser would
/// answer with a misleading syntax error, so its limit is higher.
const MAX_NESTING: usize = 400;
pub const PARSER_RECURSION_LIMIT: usize = 10 * MAX_NESTING;
/// Subqueries in expressions, one inside another: the engine's planning time doubles with each.
const MAX_SUBQUERIES: usize = 16;
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
    let mut counts = Counts { open: vec![Open::default()], ..Default::default() };
    for token in tokens.iter().filter(|token| !matches!(token, Token::Whitespace(_))) {
        counts.take(token)?;
    }
    Ok(())
}

/// One open parenthesis.
#[derive(Default)]
struct Open {
    /// Operators since its last comma.
    terms: usize,
    /// It begins after something that is no table: if SELECT follows, it is a subquery of an
    /// expression.
    in_expression: bool,
    is_subquery: bool,
}

#[derive(Default)]
struct Counts {
    open: Vec<Open>, // the outermost one is the statement
    prefixes: usize,
    cases: usize,
    relations: usize,
    subqueries: usize,
    after_table_word: bool,
    at_start: bool,
}

impl Counts {
    fn take(&mut self, token: &Token) -> Result<()> {
        let word = match token {
            Token::Word(word) => word.keyword,
            _ => Keyword::NoKeyword,
        };
        if self.at_start && matches!(word, Keyword::SELECT | Keyword::WITH) {
            let open = self.open.last_mut().expect("never empty");
            open.is_subquery = open.in_expression;
            self.subqueries += open.is_subquery as usize;
        }
        self.at_start = false;
        self.prefixes = match (token, word) {
            (Token::Minus | Token::Plus | Token::Tilde, _) | (_, Keyword::NOT) => self.prefixes + 1,
            _ => 0,
        };
        let nested = self.open.len() > 1;
        let terms = &mut self.open.last_mut().expect("never empty").terms;
        match (token, word) {
            (Token::LParen | Token::LBracket | Token::LBrace, _) => {
                let in_expression = !self.after_table_word;
                self.open.push(Open { in_expression, ..Default::default() });
                self.at_start = true;
            }
            (Token::RParen | Token::RBracket | Token::RBrace, _) if nested => {
                let closed = self.open.pop().expect("checked");
                self.subqueries -= closed.is_subquery as usize;
            }
            (Token::Comma | Token::SemiColon, _) => *terms = 0,
            (_, Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT | Keyword::JOIN) => {
                self.relations += 1;
            }
            (_, Keyword::CASE) => self.cases += 1,
            (_, Keyword::END) => self.cases = self.cases.saturating_sub(1),
            (_, Keyword::AND | Keyword::OR | Keyword::NOT | Keyword::LIKE | Keyword::IS) => {
                *terms += 1;
            }
            (Token::Word(_) | Token::Number(..) | Token::SingleQuotedString(_), _) => {}
            (Token::Period, _) => {}
            _ => *terms += 1,
        }
        self.after_table_word = matches!(
            word,
            Keyword::FROM
                | Keyword::JOIN
                | Keyword::LATERAL
                | Keyword::AS
                | Keyword::UNION
                | Keyword::INTERSECT
                | Keyword::EXCEPT
                | Keyword::ALL
        ) || matches!(token, Token::LParen);
        self.check()
    }

    fn check(&self) -> Result<()> {
        let terms = self.open.last().expect("never empty").terms;
        let nesting = self.open.len() - 1 + self.prefixes + self.cases;
        for (what, found, limit) in [
            ("operators in one expression", terms, MAX_TERMS),
            ("unions and joins", self.relations, MAX_RELATIONS),
            ("levels of nesting", nesting, MAX_NESTING),
            ("levels of subqueries in expressions", self.subqueries, MAX_SUBQUERIES),
        ] {
            if found > limit {
                return Err(too_deep(what, found, limit));
            }
        }
        Ok(())
    }
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

/// Rebuilds `a op b op c op ...`, which is nested to the left, as a balanced tree. AND and OR are
/// associative.
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
