//! A relation: rows that one backend can give, as the parts of a SELECT. Each step either adds a
//! part that may stand beside the others, or puts what there is into parentheses first, so that no
//! filter slips under a limit and no column of an outer join's far side is computed before it.

use std::sync::Arc;

use arrow::datatypes::Schema;

use super::dialect::Dialect;
use super::expr::Column;
use super::table::RemoteTable;

#[derive(Clone)]
pub struct Relation {
    /// Any table of the backend: it runs the statement.
    pub table: Arc<RemoteTable>,
    from: String,
    /// Of the base table.
    pub alias: String,
    /// One for each field of the plan's schema, by these names when put into parentheses.
    pub columns: Vec<Column>,
    names: Vec<String>,
    conditions: Vec<String>,
    pub order: Vec<Order>,
    skip: u64,
    fetch: Option<u64>,
    /// More than one table stands in FROM.
    joined: bool,
    /// The rows are those of `table` itself: it may be read in parts, or changed.
    base: bool,
    /// The whole SELECT in parentheses, as long as nothing was added to it.
    whole: Option<String>,
    /// Queries that stand before the whole statement: a name, and what is written in parentheses.
    with: Vec<(String, String)>,
    /// At most one row.
    pub single: bool,
    /// About so many rows.
    pub rows: Option<f64>,
}

/// A term of the order in which the rows come.
#[derive(Clone)]
pub struct Order {
    pub column: usize,
    pub sql: String,
    pub ascending: bool,
    pub nulls_first: bool,
}

/// Numbers for the aliases of one statement.
#[derive(Default)]
pub struct Aliases(std::cell::Cell<usize>);

impl Aliases {
    /// Those that a finished relation has none of.
    pub fn after(relation: &Relation) -> Aliases {
        let used = relation.alias.trim_start_matches('t').parse().unwrap_or(0);
        Aliases(std::cell::Cell::new(used + 1_000_000))
    }

    fn next(&self) -> String {
        self.0.set(self.0.get() + 1);
        format!("t{}", self.0.get())
    }
}

/// What a filter leaves, as far as anyone knows.
const SELECTIVITY: f64 = 0.2;

impl Relation {
    /// A table's columns at these positions.
    pub fn scan(table: &Arc<RemoteTable>, projection: &[usize], aliases: &Aliases) -> Relation {
        let alias = aliases.next();
        let fields = table.schema().fields();
        let columns = projection.iter().map(|at| table.column(*at, &alias)).collect();
        let names: Vec<&str> = projection.iter().map(|at| fields[*at].name().as_str()).collect();
        Relation {
            table: table.clone(),
            from: format!("{} AS {alias}", table.name),
            alias,
            columns,
            names: unique(&names),
            conditions: vec![],
            order: vec![],
            skip: 0,
            fetch: None,
            joined: false,
            base: true,
            whole: None,
            with: vec![],
            single: false,
            rows: table.rows(),
        }
    }

    pub fn dialect(&self) -> Dialect {
        self.table.dialect
    }

    /// The rows are those of one table, each column the table's own.
    pub fn is_base(&self) -> bool {
        self.base
    }

    pub fn same_backend(&self, other: &Relation) -> bool {
        self.table.backend == other.table.backend && self.table.dialect == other.table.dialect
    }

    pub fn is_limited(&self) -> bool {
        self.skip > 0 || self.fetch.is_some()
    }

    /// The SELECT.
    pub fn statement(&self) -> String {
        self.statement_where(None)
    }

    fn statement_where(&self, also: Option<&str>) -> String {
        if let (Some(whole), None) = (&self.whole, also) {
            return whole.clone();
        }
        let dialect = self.dialect();
        let columns: Vec<String> = self
            .columns
            .iter()
            .zip(&self.names)
            .map(|(column, name)| format!("{} AS {}", column.sql, dialect.identifier(name)))
            .collect();
        let columns = if columns.is_empty() { "1 AS one".to_string() } else { columns.join(", ") };
        let mut sql = format!("SELECT {columns} FROM {}", self.from);
        let conditions: Vec<&str> =
            self.conditions.iter().map(String::as_str).chain(also).collect();
        if !conditions.is_empty() {
            sql.push_str(&format!(" WHERE {}", conditions.join(" AND ")));
        }
        if !self.order.is_empty() {
            let order: Vec<&str> = self.order.iter().map(|term| term.sql.as_str()).collect();
            sql.push_str(&format!(" ORDER BY {}", order.join(", ")));
        }
        match (self.fetch, self.skip) {
            (Some(fetch), 0) => sql.push_str(&format!(" LIMIT {fetch}")),
            (Some(fetch), skip) => sql.push_str(&format!(" LIMIT {fetch} OFFSET {skip}")),
            (None, 0) => {}
            (None, skip) => sql.push_str(&dialect.skip(skip)),
        }
        sql
    }

    /// The same rows, with what of their columns the driver does not give rightly as texts.
    pub fn delivered(mut self, types: &Schema) -> Relation {
        let dialect = self.dialect();
        for (column, field) in self.columns.iter_mut().zip(types.fields()) {
            if let Some(sql) = dialect.delivered(&column.sql, field.data_type()) {
                column.sql = sql;
                self.whole = None;
            }
        }
        self
    }

    /// Rows of the table alone, in any order.
    fn is_divisible(&self) -> bool {
        self.base && !self.is_limited() && self.order.is_empty()
    }

    /// In how many streams the rows of its one statement come.
    pub fn n_streams(&self) -> usize {
        if self.is_divisible() { self.table.n_streams() } else { 1 }
    }

    /// How many connections read it at the same time.
    pub fn n_partitions(&self) -> usize {
        self.n_streams().max(self.statements().len())
    }

    /// The statements that read the table's parts; one when there are none.
    pub fn statements(&self) -> Vec<String> {
        match &self.table.partitions[..] {
            partitions if self.is_divisible() && partitions.len() > 1 => partitions
                .iter()
                .map(|part| self.statement_where(Some(&format!("({part})"))))
                .collect(),
            _ if self.with.is_empty() => vec![self.statement()],
            _ => {
                let with = self.with.iter().map(|(name, select)| format!("{name} AS ({select})"));
                let with = with.collect::<Vec<_>>().join(", ");
                vec![format!("WITH {with} {}", self.statement())]
            }
        }
    }

    /// The same rows under a name of the statement, which `with` must give it.
    pub fn named(&self, name: &str, aliases: &Aliases) -> Relation {
        let (single, rows) = (self.single, self.rows);
        let (table, names) = (self.table.clone(), self.names.clone());
        let named = Relation::select(table, String::new(), names, aliases);
        Relation { single, rows, from: format!("{name} AS {}", named.alias), whole: None, ..named }
    }

    /// The statement with these queries before it.
    pub fn with(self, with: Vec<(String, String)>) -> Relation {
        Relation { with, ..self }
    }

    /// The condition of a DELETE or UPDATE of the base table under its alias.
    pub fn change(&self) -> Option<(&str, Option<String>)> {
        let is_base = self.base && !self.is_limited();
        let condition = (!self.conditions.is_empty()).then(|| self.conditions.join(" AND "));
        is_base.then_some((self.from.as_str(), condition))
    }

    /// The same rows as the one thing in FROM.
    pub fn enclosed(mut self, aliases: &Aliases) -> Relation {
        if !self.is_limited() {
            self.order.clear();
        }
        let select = self.statement();
        self.order.clear();
        let (single, rows, with) = (self.single, self.rows, self.with);
        let (table, names) = (self.table, self.names);
        Relation { single, rows, with, ..Relation::select(table, select, names, aliases) }
    }

    /// The rows of a SELECT whose columns have these names.
    fn select(
        table: Arc<RemoteTable>,
        select: String,
        names: Vec<String>,
        aliases: &Aliases,
    ) -> Relation {
        let alias = aliases.next();
        let dialect = table.dialect;
        let columns = names
            .iter()
            .map(|name| Column::reference(format!("{alias}.{}", dialect.identifier(name))))
            .collect();
        Relation {
            table,
            from: format!("({select}) AS {alias}"),
            alias,
            columns,
            names,
            conditions: vec![],
            order: vec![],
            skip: 0,
            fetch: None,
            joined: false,
            base: false,
            whole: Some(select),
            with: vec![],
            single: false,
            rows: None,
        }
    }

    /// So that conditions may be added: a filter over a limit is another one than below it. What is
    /// computed is computed once.
    pub fn open(self, aliases: &Aliases) -> Relation {
        let computed = self.columns.iter().any(|column| !column.simple) && !self.base;
        if self.is_limited() || computed { self.enclosed(aliases) } else { self }
    }

    /// So that aggregates and joins may stand on it: the order is nobody's then.
    pub fn unordered(mut self, aliases: &Aliases) -> Relation {
        if self.is_limited() || self.columns.iter().any(|column| column.constant) {
            return self.enclosed(aliases);
        }
        if !self.order.is_empty() {
            self.order.clear();
            self.whole = None;
        }
        self
    }

    pub fn filtered(mut self, conditions: Vec<String>) -> Relation {
        for _ in &conditions {
            self.rows = self.rows.map(|rows| (rows * SELECTIVITY).max(1.0));
        }
        self.conditions.extend(conditions);
        self.whole = None;
        self
    }

    pub fn projected(
        mut self,
        columns: Vec<Column>,
        names: &[&str],
        order: Vec<Order>,
    ) -> Relation {
        self.columns = columns;
        self.names = unique(names);
        self.order = order;
        self.whole = None;
        self
    }

    /// The rows of `SELECT columns FROM ... WHERE ... tail`.
    pub fn grouped(
        self,
        columns: &[String],
        names: &[&str],
        tail: &str,
        aliases: &Aliases,
    ) -> Relation {
        let dialect = self.dialect();
        let names = unique(names);
        let columns: Vec<String> = columns
            .iter()
            .zip(&names)
            .map(|(sql, name)| format!("{sql} AS {}", dialect.identifier(name)))
            .collect();
        let mut select = format!("SELECT {} FROM {}", columns.join(", "), self.from);
        if !self.conditions.is_empty() {
            select.push_str(&format!(" WHERE {}", self.conditions.join(" AND ")));
        }
        select.push_str(tail);
        let rows = self.rows;
        Relation { rows, ..Relation::select(self.table, select, names, aliases) }
    }

    pub fn sorted(mut self, order: Vec<Order>) -> Relation {
        self.order = order;
        self.whole = None;
        self
    }

    pub fn limited(mut self, skip: u64, fetch: Option<u64>) -> Relation {
        // Of rows that were limited before, what is left.
        self.fetch = match (self.fetch, fetch) {
            (Some(before), fetch) => {
                Some(before.saturating_sub(skip).min(fetch.unwrap_or(u64::MAX)))
            }
            (None, fetch) => fetch,
        };
        self.skip = self.skip.saturating_add(skip);
        self.whole = None;
        self.single |= self.fetch.is_some_and(|fetch| fetch <= 1);
        if let (Some(rows), Some(fetch)) = (self.rows, self.fetch) {
            self.rows = Some(rows.min(fetch as f64));
        }
        self
    }

    /// As one side of a join: what stands in FROM, and the conditions that its rows fulfil.
    pub fn side(self, far: bool, aliases: &Aliases) -> Relation {
        let side = self.unordered(aliases);
        let plain = side.conditions.is_empty() && side.columns.iter().all(|column| column.simple);
        if far && !plain { side.enclosed(aliases) } else { side }
    }

    /// `on` NULL: all pairs.
    pub fn joined(self, word: &str, right: Relation, on: Option<&str>, names: &[&str]) -> Relation {
        let (left, far) = (self, right);
        let far_from = if far.joined { format!("({})", far.from) } else { far.from.clone() };
        let from = match on {
            Some(on) => format!("{} {word} JOIN {far_from} ON {on}", left.from),
            // To SQLite, CROSS JOIN says that it is to read its sides in this order.
            None if left.dialect() == Dialect::Sqlite => format!("{} JOIN {far_from}", left.from),
            None => format!("{} CROSS JOIN {far_from}", left.from),
        };
        let rows = left.rows.zip(far.rows).map(|(l, r)| l.max(r));
        let single = left.single && far.single;
        Relation {
            from,
            alias: left.alias,
            columns: [left.columns, far.columns].concat(),
            names: unique(names),
            conditions: [left.conditions, far.conditions].concat(),
            order: vec![],
            skip: 0,
            fetch: None,
            joined: true,
            base: false,
            whole: None,
            with: left.with,
            single,
            rows,
            table: left.table,
        }
    }

    /// Whether there is a row for which `on` holds.
    pub fn exists(&self, on: &str) -> String {
        let mut conditions = self.conditions.clone();
        conditions.push(on.to_string());
        format!("EXISTS (SELECT 1 FROM {} WHERE {})", self.from, conditions.join(" AND "))
    }

    pub fn union(parts: Vec<Relation>, names: &[&str], aliases: &Aliases) -> Option<Relation> {
        let names = unique(names);
        let mut selects = vec![];
        for part in &parts {
            let part = part.clone().unordered(aliases);
            let part = Relation { names: names.clone(), whole: None, ..part };
            selects.push(part.statement());
        }
        let rows = parts.iter().map(|part| part.rows).sum();
        let table = parts.into_iter().next()?.table;
        Some(Relation {
            rows,
            ..Relation::select(table, selects.join(" UNION ALL "), names, aliases)
        })
    }
}

/// Names that differ whatever a backend makes of their case and their length.
fn unique(names: &[&str]) -> Vec<String> {
    let mut taken = std::collections::HashSet::new();
    names
        .iter()
        .enumerate()
        .map(|(i, name)| {
            let short = !name.is_empty()
                && name.len() <= 60
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            let mut name = if short { name.to_string() } else { format!("c{i}") };
            while !taken.insert(name.to_ascii_lowercase()) {
                name = format!("{name}_{i}");
            }
            name
        })
        .collect()
}
