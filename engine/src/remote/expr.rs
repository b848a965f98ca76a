//! Expressions as SQL of a backend. None for what the backend might answer differently: it is then
//! computed here.

use arrow::datatypes::DataType;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::expr::InSubquery;
use datafusion::logical_expr::{
    BinaryExpr, Case, Cast, ExprSchemable, Like, LogicalPlan, Operator, SortExpr, TryCast,
};
use datafusion::prelude::Expr;

use super::dialect::{Dialect, Kind};
use super::functions;
use super::relation::Relation;

/// A column of a relation: what computes it in the scope of its FROM.
#[derive(Debug, Clone)]
pub struct Column {
    pub sql: String,
    /// A mere reference, which may be repeated at no cost.
    pub simple: bool,
    /// The same for all rows. ORDER BY and GROUP BY would take it for a position.
    pub constant: bool,
}

impl Column {
    pub fn reference(sql: String) -> Column {
        Column { sql, simple: true, constant: false }
    }

    pub fn computed(sql: String) -> Column {
        Column { sql, simple: false, constant: false }
    }
}

/// What expressions stand on.
pub struct Scope<'a> {
    pub dialect: Dialect,
    pub schema: &'a DFSchema,
    /// One for each field of the schema.
    pub columns: &'a [Column],
    /// A query within the expression, where the same backend can run it.
    pub subquery: &'a dyn Fn(&LogicalPlan, &Scope) -> Option<Relation>,
    /// Of the query that this one is written in.
    pub outer: Option<&'a Scope<'a>>,
    /// Of a DELETE or UPDATE: a sum that does not fit may fail, so that nothing is changed.
    pub is_change: bool,
}

/// The longest IN list that is written out.
const MAX_LIST: usize = 10_000;

impl Scope<'_> {
    pub fn kind(&self, expr: &Expr) -> Option<Kind> {
        Some(Kind::of(&expr.get_type(self.schema).ok()?))
    }

    fn column(&self, column: &datafusion::common::Column) -> Option<&Column> {
        self.columns.get(self.schema.maybe_index_of_column(column)?)
    }

    fn outer_column(&self, column: &datafusion::common::Column) -> Option<&Column> {
        let outer = self.outer?;
        outer.column(column).or_else(|| outer.outer_column(column))
    }

    pub fn all(&self, exprs: &[Expr]) -> Option<Vec<String>> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    pub fn expr(&self, expr: &Expr) -> Option<String> {
        match expr {
            Expr::Alias(alias) => self.expr(&alias.expr),
            Expr::Column(column) => Some(self.column(column)?.sql.clone()),
            // A NULL does not say of which type it is: a list's would come back as a list of it.
            Expr::Literal(value, _) if value.is_null() && self.kind(expr)? == Kind::Other => None,
            // What a change writes takes the column's own type.
            Expr::Literal(value, _) if value.is_null() && !self.is_change => {
                Some(self.dialect.null(&value.data_type()))
            }
            Expr::Literal(value, _) => self.dialect.literal(value),
            Expr::BinaryExpr(binary) => self.binary(expr, binary),
            Expr::Not(inner) => Some(format!("(NOT {})", self.expr(inner)?)),
            Expr::IsNull(inner) | Expr::IsUnknown(inner) => {
                Some(format!("({} IS NULL)", self.expr(inner)?))
            }
            Expr::IsNotNull(inner) | Expr::IsNotUnknown(inner) => {
                Some(format!("({} IS NOT NULL)", self.expr(inner)?))
            }
            Expr::IsTrue(inner) => self.truth(inner, "IS TRUE"),
            Expr::IsFalse(inner) => self.truth(inner, "IS FALSE"),
            Expr::IsNotTrue(inner) => self.truth(inner, "IS NOT TRUE"),
            Expr::IsNotFalse(inner) => self.truth(inner, "IS NOT FALSE"),
            Expr::Negative(inner) => match self.kind(inner)? {
                Kind::Decimal(..) if self.has_decimals() => {
                    Some(format!("(- {})", self.expr(inner)?))
                }
                _ => None,
            },
            Expr::Between(between) => {
                let low = self.compare(&between.expr, Operator::GtEq, &between.low)?;
                let high = self.compare(&between.expr, Operator::LtEq, &between.high)?;
                let negated = if between.negated { "NOT " } else { "" };
                Some(format!("({negated}({low} AND {high}))"))
            }
            Expr::InList(list) => {
                if list.list.is_empty() || list.list.len() > MAX_LIST {
                    return None;
                }
                let items = list.list.iter().map(|item| {
                    self.comparable(&list.expr, Operator::Eq, item)?;
                    self.expr(self.unwidened(item))
                });
                let items = items.collect::<Option<Vec<_>>>()?.join(", ");
                let negated = if list.negated { "NOT " } else { "" };
                let expr = self.expr(self.unwidened(&list.expr))?;
                Some(format!("({expr} {negated}IN ({items}))"))
            }
            Expr::Like(like) => self.like(like),
            Expr::Case(case) => self.case(case),
            Expr::Cast(cast) => self.cast(cast),
            Expr::TryCast(TryCast { expr, field }) => {
                // Only what cannot fail.
                let cast = Cast::new_from_field(expr.clone(), field.clone());
                (widens(self, expr, &cast)).then(|| self.cast(&cast)).flatten()
            }
            Expr::ScalarFunction(call) => functions::scalar(self, expr, call),
            // MariaDB's derived tables know nothing of the query around them.
            Expr::OuterReferenceColumn(..) if self.dialect == Dialect::MySql => None,
            Expr::OuterReferenceColumn(_, column) => Some(self.outer_column(column)?.sql.clone()),
            Expr::ScalarSubquery(query) => {
                // Of several rows, not every backend makes an error.
                let relation = (self.subquery)(&query.subquery, self)?;
                let fits = relation.single && relation.columns.len() == 1;
                fits.then(|| format!("({})", relation.statement()))
            }
            Expr::Exists(exists) => {
                let relation = (self.subquery)(&exists.subquery.subquery, self)?;
                let negated = if exists.negated { "NOT " } else { "" };
                Some(format!("({negated}EXISTS ({}))", relation.statement()))
            }
            Expr::InSubquery(list) => self.in_subquery(list),
            _ => None,
        }
    }

    fn truth(&self, inner: &Expr, test: &str) -> Option<String> {
        self.dialect.is_known().then(|| self.expr(inner)).flatten().map(|e| format!("({e} {test})"))
    }

    pub fn has_decimals(&self) -> bool {
        matches!(self.dialect, Dialect::PostgreSql | Dialect::DuckDb | Dialect::MySql)
    }

    fn is_mysql(&self) -> bool {
        self.dialect == Dialect::MySql
    }

    fn binary(&self, whole: &Expr, binary: &BinaryExpr) -> Option<String> {
        let BinaryExpr { left, op, right } = binary;
        match op {
            Operator::And | Operator::Or => {
                Some(format!("({} {op} {})", self.expr(left)?, self.expr(right)?))
            }
            Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom => self.compare(left, *op, right),
            Operator::Plus | Operator::Minus | Operator::Multiply => {
                self.arithmetic(whole, left, *op, right)
            }
            Operator::Divide | Operator::Modulo => self.division(left, *op, right),
            // What is longer than max_allowed_packet becomes NULL in MySQL.
            Operator::StringConcat if self.dialect.is_known() && !self.is_mysql() => {
                let texts = [left, right].map(|e| self.kind(e) == Some(Kind::Text));
                (texts == [true, true])
                    .then(|| Some(format!("({} || {})", self.expr(left)?, self.expr(right)?)))
                    .flatten()
            }
            _ => None,
        }
    }

    /// Here -0 is less than 0 and not equal to it; elsewhere they are the same.
    fn floats_compare(&self, left: &Expr, op: Operator, right: &Expr) -> bool {
        use Operator::{Gt, GtEq, Lt, LtEq};
        if is_number(left, self.schema) && is_number(right, self.schema) {
            return true;
        }
        let (value, op) = match (left, right) {
            (_, Expr::Literal(value, _)) => (value, Some(op)),
            (Expr::Literal(value, _), _) => (value, op.swap()),
            _ => return false,
        };
        match float(value) {
            Some(zero) if zero == 0.0 => matches!(op, Some(Gt | LtEq)) && zero.is_sign_positive(),
            Some(_) => true,
            None => value.is_null() && matches!(op, Some(Gt | GtEq | Lt | LtEq)),
        }
    }

    /// Whether two operands compare in the backend as they do here.
    fn comparable(&self, left: &Expr, op: Operator, right: &Expr) -> Option<()> {
        let equality = matches!(
            op,
            Operator::Eq | Operator::NotEq | Operator::IsDistinctFrom | Operator::IsNotDistinctFrom
        );
        let known = self.dialect.is_known();
        let precise = self.has_decimals();
        let fits = |kind: Kind| match kind {
            Kind::Int(..) => true,
            Kind::Bool => known && equality,
            Kind::Text | Kind::Binary => known,
            Kind::Float(_) => known && self.floats_compare(left, op, right),
            Kind::Decimal(..) | Kind::Timestamp(_) => precise,
            // SQLite has texts: those of the same form only.
            Kind::Date => precise || (self.is_date(left) && self.is_date(right)),
            Kind::Other => false,
        };
        let (left, right) = (self.kind(left)?, self.kind(right)?);
        (fits(left) && fits(right)).then_some(())
    }

    fn is_date(&self, expr: &Expr) -> bool {
        self.dialect == Dialect::Sqlite && matches!(expr, Expr::Column(_) | Expr::Literal(..))
    }

    /// Whether the same values are equal there and here.
    pub fn groups(&self, expr: &Expr) -> Option<()> {
        self.compare(expr, Operator::Eq, expr).map(|_| ())
    }

    pub fn compare(&self, left: &Expr, op: Operator, right: &Expr) -> Option<String> {
        self.comparable(left, op, right)?;
        let ordered = matches!(op, Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq);
        // Without casts that change no value, so that indexes serve.
        let mut l = self.expr(self.unwidened(left))?;
        let r = self.expr(self.unwidened(right))?;
        if ordered && self.kind(left)? == Kind::Text {
            l = self.collated(l);
        }
        let sign = match (op, self.dialect) {
            (Operator::Eq, _) => "=",
            (Operator::NotEq, _) => "<>",
            (Operator::Lt, _) => "<",
            (Operator::LtEq, _) => "<=",
            (Operator::Gt, _) => ">",
            (Operator::GtEq, _) => ">=",
            (Operator::IsDistinctFrom, Dialect::Sqlite) => "IS NOT",
            (Operator::IsNotDistinctFrom, Dialect::Sqlite) => "IS",
            (Operator::IsDistinctFrom, Dialect::MySql) => {
                return Some(format!("(NOT {l} <=> {r})"));
            }
            (Operator::IsNotDistinctFrom, Dialect::MySql) => "<=>",
            (Operator::IsDistinctFrom, d) if d.is_known() => "IS DISTINCT FROM",
            (Operator::IsNotDistinctFrom, d) if d.is_known() => "IS NOT DISTINCT FROM",
            _ => return None,
        };
        Some(format!("({l} {sign} {r})"))
    }

    fn in_subquery(&self, list: &InSubquery) -> Option<String> {
        let plan = &list.subquery.subquery;
        let relation = (self.subquery)(plan, self)?;
        // MySQL takes no LIMIT there.
        if self.is_mysql() && relation.is_limited() {
            return None;
        }
        let [field] = &plan.schema().fields()[..] else { return None };
        // Stands for the values, of which only the type is asked.
        let item = Expr::OuterReferenceColumn(
            field.clone(),
            datafusion::common::Column::from_name(field.name()),
        );
        self.comparable(&list.expr, Operator::Eq, &item)?;
        let expr = self.expr(self.unwidened(&list.expr))?;
        let negated = if list.negated { "NOT " } else { "" };
        Some(format!("({expr} {negated}IN ({}))", relation.statement()))
    }

    /// A text that sorts by its bytes.
    pub fn collated(&self, sql: String) -> String {
        match self.dialect {
            Dialect::PostgreSql => format!("({sql} COLLATE \"C\")"),
            _ => sql,
        }
    }

    /// The expression below casts that change no value.
    pub fn unwidened<'a>(&self, expr: &'a Expr) -> &'a Expr {
        match expr {
            Expr::Cast(cast) if widens(self, &cast.expr, cast) => self.unwidened(&cast.expr),
            _ => expr,
        }
    }

    fn arithmetic(&self, whole: &Expr, left: &Expr, op: Operator, right: &Expr) -> Option<String> {
        match (self.kind(whole)?, self.kind(left)?, self.kind(right)?) {
            (Kind::Int(width, true), Kind::Int(..), Kind::Int(..)) => {
                // A sum that does not fit wraps around here and fails elsewhere; in SQLite it
                // becomes a float.
                let fails = self.is_change && self.has_decimals() && !self.is_mysql();
                let fits = self.bits(whole)? <= width || fails;
                if !self.dialect.is_known() || !fits {
                    return None;
                }
            }
            (Kind::Float(64), Kind::Float(64), Kind::Float(64)) => {
                if op != Operator::Multiply || !is_number(whole, self.schema) {
                    return None;
                }
            }
            (Kind::Decimal(_, scale), Kind::Decimal(p, l), Kind::Decimal(q, r)) => {
                let exact = if op == Operator::Multiply { l + r } else { l.max(r) };
                // MySQL has 65 digits, of which 30 are behind the point.
                let lost = self.is_mysql() && (scale > 30 || p.max(q) > 32);
                if !self.has_decimals() || scale != exact || lost {
                    return None;
                }
            }
            _ => return None,
        }
        Some(format!("({} {op} {})", self.expr(left)?, self.expr(right)?))
    }

    /// By an integer that is not zero.
    fn division(&self, left: &Expr, op: Operator, right: &Expr) -> Option<String> {
        let Expr::Literal(value, _) = right else { return None };
        let divisor = integer(value).filter(|d| *d > 0)?;
        if !matches!(self.kind(left)?, Kind::Int(..)) {
            return None;
        }
        let sign = match (self.dialect, op) {
            (Dialect::PostgreSql | Dialect::Sqlite, Operator::Divide) => "/",
            (Dialect::DuckDb, Operator::Divide) => "//",
            (Dialect::MySql, Operator::Divide) => "DIV",
            (d, Operator::Modulo) if d.is_known() => "%",
            _ => return None,
        };
        Some(format!("({} {sign} {divisor})", self.expr(left)?))
    }

    /// Bits that the magnitude of an integer may need.
    fn bits(&self, expr: &Expr) -> Option<u32> {
        match expr {
            Expr::Literal(value, _) => Some(128 - integer(value)?.unsigned_abs().leading_zeros()),
            Expr::Cast(cast) if matches!(self.kind(&cast.expr)?, Kind::Int(..)) => {
                self.bits(&cast.expr)
            }
            Expr::Alias(alias) => self.bits(&alias.expr),
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                let (l, r) = (self.bits(left)?, self.bits(right)?);
                match op {
                    Operator::Plus | Operator::Minus => Some(l.max(r) + 1),
                    Operator::Multiply => Some(l + r),
                    _ => Some(l),
                }
            }
            _ => match self.kind(expr)? {
                Kind::Int(bits, _) => Some(bits),
                _ => None,
            },
        }
    }

    fn like(&self, like: &Like) -> Option<String> {
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

    fn case(&self, case: &Case) -> Option<String> {
        let mut sql = String::from("(CASE");
        for (when, then) in &case.when_then_expr {
            let when = match &case.expr {
                Some(expr) => self.compare(expr, Operator::Eq, when)?,
                None => self.expr(when)?,
            };
            sql.push_str(&format!(" WHEN {when} THEN {}", self.expr(then)?));
        }
        if let Some(otherwise) = &case.else_expr {
            sql.push_str(&format!(" ELSE {}", self.expr(otherwise)?));
        }
        sql.push_str(" END)");
        self.dialect.is_known().then_some(sql)
    }

    fn cast(&self, cast: &Cast) -> Option<String> {
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

    /// ORDER BY terms.
    pub fn sort(&self, terms: &[SortExpr]) -> Option<Vec<String>> {
        terms.iter().map(|term| self.sort_term(term)).collect()
    }

    fn sort_term(&self, term: &SortExpr) -> Option<String> {
        // A number would be a position.
        if matches!(term.expr, Expr::Literal(..)) || !self.dialect.is_known() {
            return None;
        }
        self.comparable(&term.expr, Operator::Lt, &term.expr).or_else(|| {
            // Booleans sort alike, too.
            (self.kind(&term.expr)? == Kind::Bool).then_some(())
        })?;
        let kind = self.kind(&term.expr)?;
        let mut sql = self.expr(&term.expr)?;
        if kind == Kind::Text {
            sql = self.collated(sql);
        }
        let sorts = self.dialect.sorts(kind);
        sorts.then(|| self.dialect.order(&sql, term.asc, term.nulls_first))
    }
}

/// Whether a float is a number, and not -0.
fn is_number(expr: &Expr, schema: &DFSchema) -> bool {
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
fn widens(scope: &Scope, inner: &Expr, cast: &Cast) -> bool {
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

fn finer(from: &arrow::datatypes::DataType, to: &arrow::datatypes::DataType) -> bool {
    use arrow::datatypes::DataType::Timestamp;
    matches!((from, to), (Timestamp(from, _), Timestamp(to, _)) if from <= to)
}

pub fn integer(value: &ScalarValue) -> Option<i128> {
    match value {
        ScalarValue::Int8(Some(n)) => Some((*n).into()),
        ScalarValue::Int16(Some(n)) => Some((*n).into()),
        ScalarValue::Int32(Some(n)) => Some((*n).into()),
        ScalarValue::Int64(Some(n)) => Some((*n).into()),
        ScalarValue::UInt8(Some(n)) => Some((*n).into()),
        ScalarValue::UInt16(Some(n)) => Some((*n).into()),
        ScalarValue::UInt32(Some(n)) => Some((*n).into()),
        ScalarValue::UInt64(Some(n)) => Some((*n).into()),
        _ => None,
    }
}

fn float(value: &ScalarValue) -> Option<f64> {
    match value {
        ScalarValue::Float32(Some(value)) => Some((*value).into()),
        ScalarValue::Float64(Some(value)) => Some(*value),
        _ => None,
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
