//! Functions, aggregates and windows that a backend computes as the engine does.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{
    AggregateFunction, AggregateFunctionParams, ScalarFunction, WindowFunction,
    WindowFunctionParams,
};
use datafusion::logical_expr::{
    ExprSchemable, Operator, WindowFrame, WindowFrameBound, WindowFrameUnits,
};
use datafusion::prelude::Expr;

use super::dialect::{Dialect, Kind};
use super::expr::{Scope, integer};

use Dialect::{DuckDb, MySql, PostgreSql, Sqlite};

fn text_literal(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(value, _) => value.try_as_str()?,
        _ => None,
    }
}

fn integer_literal(expr: &Expr) -> Option<i128> {
    match expr {
        Expr::Literal(value, _) => integer(value),
        _ => None,
    }
}

pub fn scalar(scope: &Scope, whole: &Expr, call: &ScalarFunction) -> Option<String> {
    if !scope.dialect.is_known() {
        return None;
    }
    let args = &call.args;
    let kinds = args.iter().map(|a| scope.kind(a)).collect::<Option<Vec<_>>>()?;
    match (call.name(), &kinds[..]) {
        ("character_length" | "length" | "char_length", [Kind::Text]) => {
            // MySQL's length is one in bytes.
            let in_characters = matches!(scope.dialect, PostgreSql | MySql);
            let name = if in_characters { "char_length" } else { "length" };
            Some(format!("{name}({})", scope.expr(&args[0])?))
        }
        ("substr" | "substring", [Kind::Text, Kind::Int(..), rest @ ..]) => {
            let start = integer_literal(&args[1]).filter(|n| (1..1 << 30).contains(n))?;
            let text = scope.expr(&args[0])?;
            match rest {
                [] => Some(format!("substr({text}, {start})")),
                [Kind::Int(..)] => {
                    let length = integer_literal(&args[2]).filter(|n| (0..1 << 30).contains(n))?;
                    Some(format!("substr({text}, {start}, {length})"))
                }
                _ => None,
            }
        }
        ("strpos", [Kind::Text, Kind::Text]) => {
            let name = if matches!(scope.dialect, Sqlite | MySql) { "instr" } else { "strpos" };
            text_literal(&args[1]).filter(|part| !part.is_empty())?;
            Some(format!("{name}({}, {})", scope.expr(&args[0])?, scope.expr(&args[1])?))
        }
        ("btrim" | "ltrim" | "rtrim", [Kind::Text]) => {
            let name = match (call.name(), scope.dialect) {
                ("btrim", DuckDb | Sqlite) => "trim",
                (name, _) => name,
            };
            let text = scope.expr(&args[0])?;
            Some(match (scope.dialect, call.name()) {
                (MySql, "btrim") => format!("trim({text})"),
                (MySql, name) => format!("{name}({text})"),
                _ => format!("{name}({text}, ' ')"),
            })
        }
        ("coalesce", [_, ..]) => {
            let args = args.iter().map(|arg| scope.expr(arg)).collect::<Option<Vec<_>>>()?;
            Some(format!("coalesce({})", args.join(", ")))
        }
        ("nullif", [_, _]) => {
            let equal = scope.compare(&args[0], Operator::Eq, &args[1])?;
            Some(format!("(CASE WHEN {equal} THEN NULL ELSE {} END)", scope.expr(&args[0])?))
        }
        ("date_part", [Kind::Text, Kind::Date | Kind::Timestamp(false)]) => {
            let whole = whole.get_type(scope.schema).ok()?;
            date_part(scope, text_literal(&args[0])?, &args[1], kinds[1], &whole)
        }
        // DuckDB 1.5 finds that what it cut off NULL differs from some moments.
        ("date_trunc", [Kind::Text, Kind::Timestamp(false)]) if scope.dialect == PostgreSql => {
            let unit = text_literal(&args[0])?.to_ascii_lowercase();
            let known = ["year", "quarter", "month", "week", "day", "hour", "minute", "second"];
            known
                .contains(&&*unit)
                .then(|| Some(format!("date_trunc('{unit}', {})", scope.expr(&args[1])?)))
                .flatten()
        }
        _ => None,
    }
}

fn date_part(
    scope: &Scope,
    part: &str,
    from: &Expr,
    kind: Kind,
    whole: &DataType,
) -> Option<String> {
    let part = part.to_ascii_lowercase();
    let sql = scope.expr(scope.unwidened(from))?;
    let known = match kind {
        Kind::Date => ["year", "quarter", "month", "day"].contains(&&*part),
        _ => ["year", "quarter", "month", "day", "hour", "minute"].contains(&&*part),
    };
    if !known || *whole != DataType::Int32 {
        return None;
    }
    match (scope.dialect, &*part) {
        (PostgreSql | DuckDb, part) => Some(format!("CAST(EXTRACT({part} FROM {sql}) AS integer)")),
        (MySql, part) => Some(format!("EXTRACT({part} FROM {sql})")),
        // A date is a text of ten characters.
        (Sqlite, "year") if kind == Kind::Date => {
            Some(format!("CAST(substr({sql}, 1, 4) AS INTEGER)"))
        }
        (Sqlite, "month") if kind == Kind::Date => {
            Some(format!("CAST(substr({sql}, 6, 2) AS INTEGER)"))
        }
        (Sqlite, "day") if kind == Kind::Date => {
            Some(format!("CAST(substr({sql}, 9, 2) AS INTEGER)"))
        }
        _ => None,
    }
}

pub fn aggregate(scope: &Scope, expr: &Expr) -> Option<String> {
    let call = match expr {
        Expr::Alias(alias) => return aggregate(scope, &alias.expr),
        Expr::AggregateFunction(call) => call,
        _ => return None,
    };
    let AggregateFunction { func, params } = call;
    let AggregateFunctionParams { args, distinct, filter, order_by, null_treatment } = params;
    if !order_by.is_empty() || null_treatment.is_some() {
        return None;
    }
    let data_type = expr.get_type(scope.schema).ok()?;
    let filter = match filter {
        Some(filter) if scope.dialect.is_known() && scope.dialect != MySql => {
            format!(" FILTER (WHERE {})", scope.expr(filter)?)
        }
        Some(_) => return None,
        None => String::new(),
    };
    accumulate(scope, func.name(), args, *distinct, &data_type, &filter)
}

/// `tail` follows each call: FILTER, OVER.
fn accumulate(
    scope: &Scope,
    name: &str,
    args: &[Expr],
    distinct: bool,
    data_type: &DataType,
    tail: &str,
) -> Option<String> {
    if name == "count" && !distinct && matches!(args, [Expr::Literal(v, _)] if !v.is_null()) {
        return Some(format!("count(*){tail}"));
    }
    let [arg] = args else { return None };
    let kind = scope.kind(arg)?;
    let word = if distinct { "DISTINCT " } else { "" };
    let plain = scope.unwidened(arg);
    match name {
        "count" => {
            // A distinct count compares values.
            if distinct {
                scope.groups(plain)?;
            }
            Some(format!("count({word}{}){tail}", scope.expr(plain)?))
        }
        "sum" => match (kind, scope.dialect) {
            (Kind::Int(..), PostgreSql | DuckDb) => {
                Some(format!("CAST(sum({word}{}){tail} AS bigint)", scope.expr(plain)?))
            }
            // A decimal of all digits in MySQL.
            (Kind::Int(..), Sqlite | MySql) => {
                Some(format!("sum({word}{}){tail}", scope.expr(plain)?))
            }
            (Kind::Decimal(..), PostgreSql | DuckDb | MySql) => {
                Some(format!("sum({word}{}){tail}", scope.expr(plain)?))
            }
            (Kind::Float(64), PostgreSql | DuckDb | Sqlite | MySql) => {
                Some(format!("sum({word}{}){tail}", scope.expr(arg)?))
            }
            _ => None,
        },
        "avg" => match (kind, scope.dialect) {
            (Kind::Float(64), PostgreSql | DuckDb | Sqlite | MySql) => {
                Some(format!("avg({word}{}){tail}", scope.expr(arg)?))
            }
            (Kind::Decimal(digits, scale), PostgreSql | DuckDb | MySql) if !distinct => {
                let DataType::Decimal128(precision, to_scale) = data_type else { return None };
                // MySQL has 65 digits, of which 30 are behind the point.
                if scope.dialect == MySql && (digits > 19 || scale > 6) {
                    return None;
                }
                decimal_average(scope, &scope.expr(plain)?, scale, *precision, *to_scale, tail)
            }
            _ => None,
        },
        "min" | "max" => {
            let sql = match kind {
                Kind::Text => scope.collated(scope.expr(plain)?),
                Kind::Int(..) | Kind::Float(_) => scope.expr(plain)?,
                Kind::Decimal(..) | Kind::Timestamp(_) if scope.has_decimals() => {
                    scope.expr(plain)?
                }
                Kind::Date if scope.dialect.is_known() => scope.expr(plain)?,
                _ => return None,
            };
            let known = scope.dialect.is_known() || matches!(kind, Kind::Int(..));
            known.then(|| format!("{name}({sql}){tail}"))
        }
        "bool_and" | "bool_or"
            if kind == Kind::Bool && matches!(scope.dialect, PostgreSql | DuckDb) =>
        {
            Some(format!("{name}({}){tail}", scope.expr(arg)?))
        }
        _ => None,
    }
}

/// The engine's average of decimals is cut off, not rounded, at its scale.
fn decimal_average(
    scope: &Scope,
    sql: &str,
    scale: i8,
    precision: u8,
    to_scale: i8,
    tail: &str,
) -> Option<String> {
    let (scale, to_scale) = (usize::try_from(scale).ok()?, usize::try_from(to_scale).ok()?);
    let up = format!("1{}", "0".repeat(to_scale));
    let down = match to_scale {
        0 => "1".to_string(),
        n => format!("0.{}1", "0".repeat(n - 1)),
    };
    match scope.dialect {
        PostgreSql => Some(format!(
            "CAST(div(sum({sql}){tail} * {up}, count({sql}){tail}) * {down} AS numeric({precision}, {to_scale}))"
        )),
        // It rounds its quotient: not before so many digits that these cannot all be nines.
        MySql => Some(format!(
            "truncate(sum({sql}){tail} * 1.{} / count({sql}){tail}, {to_scale})",
            "0".repeat(20)
        )),
        DuckDb => {
            let whole = format!("1{}", "0".repeat(scale));
            let rest = format!("1{}", "0".repeat(to_scale - scale));
            Some(format!(
                "(CAST(CAST(sum({sql}){tail} * {whole} AS HUGEINT) * {rest} // count({sql}){tail} AS DECIMAL(38, 0)) * {down})"
            ))
        }
        _ => None,
    }
}

pub fn window(scope: &Scope, expr: &Expr) -> Option<String> {
    let call = match expr {
        Expr::Alias(alias) => return window(scope, &alias.expr),
        Expr::WindowFunction(call) if scope.dialect.is_known() => call,
        _ => return None,
    };
    let WindowFunction { fun, params } = call.as_ref();
    let WindowFunctionParams {
        args,
        partition_by,
        order_by,
        window_frame,
        filter,
        null_treatment,
        distinct,
    } = params;
    if null_treatment.is_some() || filter.is_some() || *distinct {
        return None;
    }
    let over = over(scope, partition_by, order_by, window_frame)?;
    match (fun.name(), &args[..]) {
        ("row_number" | "rank" | "dense_rank", []) => {
            // Ranks know no frame.
            let terms = order_and_parts(scope, partition_by, order_by)?;
            Some(format!("{}() OVER ({terms})", fun.name()))
        }
        (name @ ("lag" | "lead"), [arg, rest @ ..]) if rest.len() <= 1 => {
            let offset = match rest {
                [] => 1,
                [offset] => integer_literal(offset).filter(|n| (0..1 << 30).contains(n))?,
                _ => return None,
            };
            let terms = order_and_parts(scope, partition_by, order_by)?;
            Some(format!("{name}({}, {offset}) OVER ({terms})", scope.expr(arg)?))
        }
        (name @ ("count" | "sum" | "min" | "max" | "avg"), args) => {
            // Sums of a moving frame are kept differently.
            if args.first().is_some_and(|a| matches!(scope.kind(a), Some(Kind::Float(_))))
                && matches!(name, "sum" | "avg")
            {
                return None;
            }
            let data_type = expr.get_type(scope.schema).ok()?;
            accumulate(scope, name, args, false, &data_type, &format!(" OVER ({over})"))
        }
        _ => None,
    }
}

fn order_and_parts(
    scope: &Scope,
    partition_by: &[Expr],
    order_by: &[datafusion::logical_expr::SortExpr],
) -> Option<String> {
    let mut terms = vec![];
    if !partition_by.is_empty() {
        for expr in partition_by {
            scope.groups(expr)?;
            // Found by sorting.
            scope.dialect.sorts(scope.kind(expr)?).then_some(())?;
        }
        terms.push(format!("PARTITION BY {}", scope.all(partition_by)?.join(", ")));
    }
    if !order_by.is_empty() {
        terms.push(format!("ORDER BY {}", scope.sort(order_by)?.join(", ")));
    }
    Some(terms.join(" "))
}

fn over(
    scope: &Scope,
    partition_by: &[Expr],
    order_by: &[datafusion::logical_expr::SortExpr],
    frame: &WindowFrame,
) -> Option<String> {
    let terms = order_and_parts(scope, partition_by, order_by)?;
    let units = match frame.units {
        WindowFrameUnits::Rows => "ROWS",
        WindowFrameUnits::Range => "RANGE",
        WindowFrameUnits::Groups => return None,
    };
    let in_rows = frame.units == WindowFrameUnits::Rows;
    let start = bound(&frame.start_bound, in_rows)?;
    let end = bound(&frame.end_bound, in_rows)?;
    // Without an order, all rows are peers.
    if order_by.is_empty() && !in_rows {
        return Some(terms);
    }
    Some(format!("{terms} {units} BETWEEN {start} AND {end}"))
}

fn bound(bound: &WindowFrameBound, in_rows: bool) -> Option<String> {
    let offset = |value: &ScalarValue| match value {
        value if value.is_null() => Some("UNBOUNDED".to_string()),
        value if in_rows => Some(integer(value)?.to_string()),
        _ => None,
    };
    Some(match bound {
        WindowFrameBound::CurrentRow => "CURRENT ROW".into(),
        WindowFrameBound::Preceding(value) => format!("{} PRECEDING", offset(value)?),
        WindowFrameBound::Following(value) => format!("{} FOLLOWING", offset(value)?),
    })
}
