//! Casts as SQL of a backend: those that give its values as the engine gives them.

use arrow::datatypes::DataType;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::{BinaryExpr, Cast, ExprSchemable, LogicalPlan, Operator};
use datafusion::prelude::Expr;

use super::dialect::{Dialect, Kind};
use super::expr::Scope;

impl Scope<'_> {
    pub fn cast(&self, cast: &Cast) -> Option<String> {
        use Kind::*;
        let to = cast.field.data_type();
        let (from, into) = (self.kind(&cast.expr)?, Kind::of(to));
        let inner = self.expr(&cast.expr)?;
        let named = || Some(format!("CAST({inner} AS {})", self.dialect.type_name(to)?));
        match (from, into) {
            _ if !self.dialect.is_known() => None,
            (Text, Text) | (Date, Date) | (Binary, Binary) => Some(inner),
            (Int(..), Int(..)) if matches!(self.dialect, Dialect::Sqlite | Dialect::MySql) => {
                widens(self, &cast.expr, cast).then_some(inner)
            }
            (Int(..), Int(..)) => match cast.expr.as_ref() {
                Expr::Literal(..) => Some(inner),
                _ => named(),
            },
            (Int(..), Text) => named(),
            (Int(bits, _), Float(64)) if bits <= 64 => named(),
            (Float(32), Float(64)) if self.has_decimals() => named(),
            (Decimal(precision, scale), Float(64)) => {
                self.decimal_as_float(inner, precision, scale)
            }
            (Float(64), Decimal(precision, scale)) => {
                // One that does not fit is an error, here; but no more than a sum's of 38 digits.
                let most = 10f64.powi(i32::from(precision) - i32::from(scale));
                let fits = bound(&cast.expr, self.schema)? < most || precision == 38;
                fits.then(|| self.float_as_decimal(&inner, precision, scale)).flatten()
            }
            (Int(..), Decimal(..)) if widens(self, &cast.expr, cast) && self.has_decimals() => {
                match cast.expr.as_ref() {
                    Expr::Literal(..) => Some(inner),
                    _ => named(),
                }
            }
            (Decimal(..), Decimal(..)) if widens(self, &cast.expr, cast) && self.has_decimals() => {
                Some(inner)
            }
            // One that does not fit is an error, there and here.
            (Decimal(_, scale), Decimal(38, more))
                if more >= scale && self.has_decimals() && !self.is_mysql() =>
            {
                named()
            }
            (Timestamp(l), Timestamp(r)) if l == r && widens(self, &cast.expr, cast) => Some(inner),
            (Date, Timestamp(false)) if self.has_decimals() => named(),
            (Bool, Int(..)) if self.dialect == Dialect::Sqlite => Some(inner),
            (Bool, Int(..)) => {
                Some(format!("(CASE WHEN {inner} THEN 1 WHEN NOT {inner} THEN 0 END)"))
            }
            _ => None,
        }
    }

    /// As the engine does it: all digits as an integer, divided by a power of ten.
    fn decimal_as_float(&self, sql: String, precision: u8, scale: i8) -> Option<String> {
        let scale = usize::try_from(scale).ok().filter(|scale| *scale <= 22)?;
        let power = format!("1{}", "0".repeat(scale));
        let whole = match self.dialect {
            Dialect::PostgreSql if precision <= 38 => format!("trunc({sql} * {power})"),
            // A huge integer becomes a float in two steps, a text in one.
            Dialect::DuckDb if usize::from(precision) + scale <= 38 => {
                format!("CAST(CAST({sql} * {power} AS HUGEINT) AS VARCHAR)")
            }
            Dialect::MySql if usize::from(precision) + scale <= 65 => format!("{sql} * {power}"),
            _ => return None,
        };
        let float = self.dialect.type_name(&DataType::Float64)?;
        Some(format!("(CAST({whole} AS {float}) / CAST({power} AS {float}))"))
    }

    /// As the engine does it: multiplied by a power of ten, and rounded, a half away from zero.
    fn float_as_decimal(&self, sql: &str, precision: u8, scale: i8) -> Option<String> {
        let scale = usize::try_from(scale).ok().filter(|scale| *scale <= 18)?;
        let unit = if scale == 0 { "1".into() } else { format!("0.{:0>scale$}", 1) };
        match self.dialect {
            // Makes a numeric of a float's shortest text, and a bigint of its very value: so the
            // digits go over in two halves of 62 bits.
            Dialect::PostgreSql => {
                let half = 1i64 << 62;
                Some(format!(
                    "(SELECT (CAST(h AS bigint) * CAST({half} AS numeric) \
                     + CAST(t - h * {half} AS bigint) \
                     + CASE WHEN x - t >= 0.5 THEN 1 WHEN x - t <= -0.5 THEN -1 ELSE 0 END) * {unit} \
                     FROM (SELECT x, t, trunc(t / CAST({half} AS double precision)) AS h \
                     FROM (SELECT x, trunc(x) AS t FROM (SELECT {sql} \
                     * CAST('1e{scale}' AS double precision) AS x) AS f1) AS f2) AS f3)"
                ))
            }
            Dialect::DuckDb => {
                let digits = format!("CAST(round({sql} * CAST('1e{scale}' AS DOUBLE)) AS HUGEINT)");
                // Its product of decimals has 38 digits, and fails where these are not enough.
                Some(format!(
                    "CAST(CAST({digits} AS DECIMAL(38, 0)) * {unit} AS DECIMAL({precision}, {scale}))"
                ))
            }
            _ => None,
        }
    }
}

/// Whether a float is a number, and not -0.
pub fn is_number(expr: &Expr, schema: &DFSchema) -> bool {
    bound(expr, schema).is_some()
}

/// What the magnitude of a float stays below that was made of decimals and integers.
fn bound(expr: &Expr, schema: &DFSchema) -> Option<f64> {
    match expr {
        Expr::Alias(alias) => bound(&alias.expr, schema),
        Expr::Cast(cast) => match Kind::of(&cast.expr.get_type(schema).ok()?) {
            Kind::Int(bits, _) => Some(2f64.powi(bits as i32)),
            Kind::Decimal(precision, scale) => {
                Some(10f64.powi(i32::from(precision) - i32::from(scale)))
            }
            _ => None,
        },
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Multiply, right }) => {
            let factor = |expr: &Expr| match expr {
                Expr::Literal(value, _) => float(value).filter(|f| (1e-9..1e9).contains(f)),
                _ => None,
            };
            let product = |literal, other| Some(factor(literal)? * bound(other, schema)?);
            product(left, right).or_else(|| product(right, left))
        }
        Expr::ScalarSubquery(query) => bound_of(&query.subquery),
        _ => None,
    }
}

fn bound_of(plan: &LogicalPlan) -> Option<f64> {
    match plan {
        LogicalPlan::SubqueryAlias(alias) => bound_of(&alias.input),
        LogicalPlan::Projection(projection) => {
            let [expr] = &projection.expr[..] else { return None };
            bound(expr, projection.input.schema())
        }
        _ => None,
    }
}

/// Whether a cast gives the same values in a type that holds them all.
pub fn widens(scope: &Scope, inner: &Expr, cast: &Cast) -> bool {
    use Kind::*;
    let Ok(data_type) = inner.get_type(scope.schema) else { return false };
    let to = cast.field.data_type();
    match (Kind::of(&data_type), Kind::of(to)) {
        (Int(from, signed), Int(into, into_signed)) => from <= into && (into_signed || !signed),
        (Int(from, _), Decimal(precision, scale)) => {
            let digits = (f64::from(from) * std::f64::consts::LOG10_2).ceil() as i16;
            i16::from(precision) - i16::from(scale) >= digits
        }
        (Decimal(p, s), Decimal(to_p, to_s)) => {
            to_s >= s && i16::from(to_p) - i16::from(to_s) >= i16::from(p) - i16::from(s)
        }
        (Text, Text) | (Date, Date) | (Binary, Binary) => true,
        (Timestamp(from), Timestamp(into)) => from == into && finer(&data_type, to),
        _ => false,
    }
}

fn finer(from: &DataType, to: &DataType) -> bool {
    use DataType::Timestamp;
    matches!((from, to), (Timestamp(from, _), Timestamp(to, _)) if from <= to)
}

pub fn float(value: &ScalarValue) -> Option<f64> {
    match value {
        ScalarValue::Float32(Some(value)) => Some((*value).into()),
        ScalarValue::Float64(Some(value)) => Some(*value),
        _ => None,
    }
}
