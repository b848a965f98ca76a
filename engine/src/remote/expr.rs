//! Expressions as SQL of a backend. None for what the backend might answer differently: it is then
//! computed here.

use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::expr::InSubquery;
use datafusion::logical_expr::{
    BinaryExpr, Case, Cast, ExprSchemable, LogicalPlan, Operator, SortExpr, TryCast,
};
use datafusion::prelude::Expr;

use super::casts::{float, is_number, widens};
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

    pub fn is_mysql(&self) -> bool {
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
