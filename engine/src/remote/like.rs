//! LIKE as SQL of a backend, each with patterns of its own.

use datafusion::logical_expr::Like;
use datafusion::prelude::Expr;

use super::dialect::{Dialect, Kind};
use super::expr::Scope;

impl Scope<'_> {
    pub fn like(&self, like: &Like) -> Option<String> {
        let Expr::Literal(pattern, _) = like.pattern.as_ref() else { return None };
        let pattern = pattern.try_as_str()??;
        // Case is one of languages.
        if like.case_insensitive
            || like.escape_char.is_some_and(|c| c != '\\')
            || self.kind(&like.expr)? != Kind::Text
            || ends_in_escape(pattern)
        {
            return None;
        }
        let expr = self.expr(&like.expr)?;
        let negated = if like.negated { "NOT " } else { "" };
        match self.dialect {
            Dialect::PostgreSql => {
                let pattern = self.dialect.text(pattern)?;
                Some(format!("({expr} {negated}LIKE {pattern})"))
            }
            Dialect::DuckDb => {
                // Without ESCAPE, DuckDB searches in faster ways.
                let escape = if pattern.contains('\\') { " ESCAPE '\\'" } else { "" };
                let pattern = self.dialect.text(pattern)?;
                Some(format!("({expr} {negated}LIKE {pattern}{escape})"))
            }
            Dialect::Sqlite => {
                let pattern = self.dialect.text(&glob(pattern))?;
                Some(format!("({expr} {negated}GLOB {pattern})"))
            }
            Dialect::MySql => {
                let pattern = self.dialect.text(&escaped_by_mark(pattern))?;
                Some(format!("({expr} {negated}LIKE {pattern} ESCAPE '!')"))
            }
            _ => None,
        }
    }
}

fn ends_in_escape(pattern: &str) -> bool {
    pattern.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1
}

/// A LIKE pattern as one of SQLite's GLOB, which minds case and knows no escape but brackets.
fn glob(pattern: &str) -> String {
    let mut out = String::new();
    let plain = |out: &mut String, c: char| match c {
        '*' | '?' | '[' => {
            out.push('[');
            out.push(c);
            out.push(']');
        }
        c => out.push(c),
    };
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => out.push('*'),
            '_' => out.push('?'),
            '\\' => {
                if let Some(next) = chars.next() {
                    plain(&mut out, next);
                }
            }
            c => plain(&mut out, c),
        }
    }
    out
}

/// The same pattern with an escape that is one whatever MySQL's sql_mode says of backslashes.
fn escaped_by_mark(pattern: &str) -> String {
    let mut out = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '!' => out.push_str("!!"),
            '\\' => match chars.next() {
                Some(next @ ('%' | '_' | '!')) => out.extend(['!', next]),
                Some(next) => out.push(next),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_escaped_by_a_mark_mean_the_same() {
        assert_eq!(escaped_by_mark("a%b_c"), "a%b_c");
        assert_eq!(escaped_by_mark("100\\%!\\_\\x\\\\"), "100!%!!!_x\\");
    }

    #[test]
    fn globs_mean_what_the_patterns_mean() {
        assert_eq!(glob("a%b_c"), "a*b?c");
        assert_eq!(glob("100\\%*[x]?\\_"), "100%[*][[]x][?]_");
    }

    #[test]
    fn an_escape_at_the_end_is_seen() {
        assert!(ends_in_escape("a\\"));
        assert!(!ends_in_escape("a\\\\"));
    }
}
