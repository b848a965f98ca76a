//! Which part of a plan a backend runs. From the leaves up, a plan's node joins the statement of its
//! inputs when all of them stand in one backend and the node can be said exactly in its dialect;
//! where that ends, the statement so far becomes a leaf of the plan.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchemaRef, JoinType, NullEquality};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::utils::{conjunction, grouping_set_to_exprlist, split_conjunction};
use datafusion::logical_expr::{
    Aggregate, Distinct, Extension, Filter, Join, Limit, LogicalPlan, Operator, Projection, Sort,
    TableScan, TableSource, Union, Window,
};
use datafusion::prelude::Expr;

use crate::error::Result;
use crate::stream_table::StreamTable;

use super::dialect::Dialect;
use super::expr::{Column, Scope, integer};
use super::functions;
use super::node::RemoteNode;
use super::relation::{Aliases, Order, Relation};
use super::shared::Shared;
use super::table::RemoteTable;

/// Text of a computed column beyond which it is computed in a query of its own.
const MAX_INLINE: usize = 2000;

pub fn push(plan: LogicalPlan) -> Result<LogicalPlan> {
    let aliases = Aliases::default();
    let pusher = Pusher::new(&aliases);
    let visited = pusher.visit(plan)?;
    pusher.finish(visited)
}

/// The rows that a DELETE or UPDATE changes, with their new values, if one backend can tell them.
pub fn changed(plan: LogicalPlan) -> Result<Option<Relation>> {
    let aliases = Aliases::default();
    let pusher = Pusher { is_change: true, ..Pusher::new(&aliases) };
    Ok(pusher.visit(plan)?.relation)
}

/// The leaf in place of a plan, if one backend can give it as a whole and in the shape that it was
/// written in: with its queries within queries, and what it names twice computed once.
pub fn push_as_written(plan: &LogicalPlan) -> Result<Option<LogicalPlan>> {
    let aliases = Aliases::default();
    let shared = Shared::of(plan);
    let pusher = Pusher { shared: Some(&shared), ..Pusher::new(&aliases) };
    let Visited { plan, relation } = pusher.visit(plan.clone())?;
    let Some(relation) = relation else { return Ok(None) };
    let relation = Some(relation.with(shared.queries()));
    pusher.finish(Visited { plan, relation }).map(Some)
}

/// A query that the statement names more than once, which sees nothing of what is around it.
pub fn push_shared(plan: &LogicalPlan, aliases: &Aliases) -> Result<Option<Relation>> {
    let shared = Shared::default();
    let pusher = Pusher { shared: Some(&shared), ..Pusher::new(aliases) };
    Ok(pusher.visit(plan.clone())?.relation)
}

/// A table of the REMOTE form.
pub fn remote_table(source: &Arc<dyn TableSource>) -> Option<Arc<RemoteTable>> {
    let provider = source_as_provider(source).ok()?;
    let provider: &dyn std::any::Any = provider.as_ref();
    provider.downcast_ref::<StreamTable>()?.remote().cloned()
}

struct Pusher<'a> {
    aliases: &'a Aliases,
    /// Of the query that this one is written in.
    outer: Option<&'a Scope<'a>>,
    /// None: the plan is the optimizer's, in which queries are joins.
    shared: Option<&'a Shared>,
    is_change: bool,
}

/// A plan whose inputs were visited: the plan as it was, with the relation that stands for it; or
/// one whose inputs are finished.
struct Visited {
    plan: LogicalPlan,
    relation: Option<Relation>,
}

impl<'a> Pusher<'a> {
    fn new(aliases: &'a Aliases) -> Pusher<'a> {
        Pusher { aliases, outer: None, shared: None, is_change: false }
    }

    fn visit(&self, plan: LogicalPlan) -> Result<Visited> {
        if let Some(shared) = self.shared
            && let Some(relation) = shared.relation(&plan, self.aliases)?
        {
            return Ok(Visited { plan, relation: Some(relation) });
        }
        let inputs = plan.inputs().into_iter().cloned();
        let inputs = inputs.map(|input| self.visit(input)).collect::<Result<Vec<_>>>()?;
        if let LogicalPlan::Filter(filter) = &plan
            && let [Visited { relation: Some(relation), .. }] = &inputs[..]
        {
            return self.filter(filter, relation.clone());
        }
        let relations = inputs.iter().map(|input| input.relation.as_ref()).collect::<Option<_>>();
        if let Some(relation) = relations.and_then(|relations| self.combine(&plan, relations)) {
            return Ok(Visited { plan, relation: Some(relation) });
        }
        let mut finished = inputs.into_iter().map(|input| self.finish(input));
        let plan = plan.map_children(|same| match finished.next() {
            Some(input) => Ok(Transformed::yes(input?)),
            None => Ok(Transformed::no(same)),
        })?;
        let plan = plan.data.map_subqueries(|query| push(query).map(Transformed::yes))?;
        Ok(Visited { plan: plan.data, relation: None })
    }

    fn finish(&self, visited: Visited) -> Result<LogicalPlan> {
        let Some(relation) = visited.relation else { return Ok(visited.plan) };
        let node = RemoteNode::new(relation, visited.plan.schema().clone());
        // Stays, so that nothing above is free to mix the rows; it sorts nothing.
        let order = node.order();
        let node = LogicalPlan::Extension(Extension { node: Arc::new(node) });
        if order.is_empty() {
            return Ok(node);
        }
        Ok(LogicalPlan::Sort(Sort { expr: order, input: Arc::new(node), fetch: None }))
    }

    fn combine(&self, plan: &LogicalPlan, mut inputs: Vec<&Relation>) -> Option<Relation> {
        if let LogicalPlan::TableScan(scan) = plan {
            return self.scan(scan);
        }
        let first = inputs.first().copied()?.clone();
        match plan {
            LogicalPlan::Projection(projection) => self.project(projection, first),
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate, first),
            LogicalPlan::Distinct(Distinct::All(input)) => self.distinct(input, first),
            LogicalPlan::Sort(sort) => self.sort(sort, first),
            LogicalPlan::Limit(limit) => limited(limit, first),
            LogicalPlan::SubqueryAlias(_) => Some(first),
            LogicalPlan::Window(window) => self.window(window, first),
            LogicalPlan::Join(join) => {
                let right = inputs.pop()?.clone();
                first.same_backend(&right).then(|| self.join(join, first, right)).flatten()
            }
            LogicalPlan::Union(union) => self.union(union, inputs),
            _ => None,
        }
    }

    /// A query within an expression over `relation`.
    fn subquery(&self, relation: &Relation, plan: &LogicalPlan, scope: &Scope) -> Option<Relation> {
        let outer = self.shared.map(|_| scope);
        let within = Pusher { outer, ..*self };
        let found = within.visit(plan.clone()).ok()?.relation?;
        found.same_backend(relation).then_some(found)
    }

    fn scoped<T>(
        &self,
        relation: &Relation,
        schema: &datafusion::common::DFSchema,
        f: impl FnOnce(&Scope) -> Option<T>,
    ) -> Option<T> {
        let subquery = |plan: &LogicalPlan, scope: &Scope| self.subquery(relation, plan, scope);
        let (dialect, columns) = (relation.dialect(), &relation.columns);
        let (outer, is_change) = (self.outer, self.is_change);
        f(&Scope { dialect, schema, columns, subquery: &subquery, outer, is_change })
    }

    fn scan(&self, scan: &TableScan) -> Option<Relation> {
        let table = remote_table(&scan.source)?;
        if !scan.filters.is_empty() {
            return None;
        }
        let all: Vec<usize> = (0..table.schema().fields().len()).collect();
        let projection = scan.projection.as_ref().unwrap_or(&all);
        let relation = Relation::scan(&table, projection, self.aliases);
        Some(match scan.fetch {
            Some(fetch) => relation.limited(0, Some(fetch as u64)),
            None => relation,
        })
    }

    /// The conjuncts that the backend decides alike go to it.
    fn filter(&self, filter: &Filter, relation: Relation) -> Result<Visited> {
        let schema = filter.input.schema();
        let relation = relation.open(self.aliases);
        let mut theirs = vec![];
        let mut ours = vec![];
        for conjunct in split_conjunction(&filter.predicate) {
            match self.scoped(&relation, schema, |scope| scope.expr(conjunct)) {
                Some(sql) => theirs.push(sql),
                None => ours.push(conjunct.clone()),
            }
        }
        let relation = if theirs.is_empty() { relation } else { relation.filtered(theirs) };
        let input = filter.input.as_ref().clone();
        let below = Visited { plan: input, relation: Some(relation) };
        let Some(predicate) = conjunction(ours) else { return Ok(below) };
        let input = Arc::new(self.finish(below)?);
        let plan = LogicalPlan::Filter(Filter::try_new(predicate, input)?);
        let plan = plan.map_subqueries(|query| push(query).map(Transformed::yes))?.data;
        Ok(Visited { plan, relation: None })
    }

    fn project(&self, projection: &Projection, relation: Relation) -> Option<Relation> {
        let schema = projection.input.schema();
        let relation = match relation.columns.iter().any(|c| c.sql.len() > MAX_INLINE)
            || repeats(&projection.expr, schema, &relation)
        {
            true if !relation.order.is_empty() => return None,
            true => relation.enclosed(self.aliases),
            false => relation,
        };
        let sources: Vec<Option<usize>> = projection
            .expr
            .iter()
            .map(|expr| match unaliased(expr) {
                Expr::Column(column) => schema.maybe_index_of_column(column),
                _ => None,
            })
            .collect();
        let columns = self.scoped(&relation, schema, |scope| scope.all(&projection.expr))?;
        let columns =
            columns.into_iter().zip(&sources).zip(&projection.expr).map(|((sql, source), expr)| {
                match source {
                    Some(at) => Column { sql, ..relation.columns[*at].clone() },
                    None => {
                        Column { constant: expr.column_refs().is_empty(), ..Column::computed(sql) }
                    }
                }
            });
        let columns = columns.collect();
        // Where the order cannot be told by the new columns, it is kept below.
        let order = relation.order.iter().map(|term| {
            let column = sources.iter().position(|source| *source == Some(term.column))?;
            Some(Order { column, ..term.clone() })
        });
        let order = order.collect::<Option<Vec<_>>>()?;
        Some(relation.projected(columns, &names(&projection.schema), order))
    }

    fn aggregate(&self, aggregate: &Aggregate, relation: Relation) -> Option<Relation> {
        let relation = relation.unordered(self.aliases);
        let schema = aggregate.input.schema();
        // What is grouped by twice is one column of the plan.
        let keys = grouping_set_to_exprlist(&aggregate.group_expr).ok()?;
        let distinct = |expr: &Expr| matches!(unaliased(expr), Expr::AggregateFunction(call) if call.params.distinct);
        let by_sorting = aggregate.aggr_expr.iter().any(distinct);
        let (groups, values) = self.scoped(&relation, schema, |scope| {
            let sorts = |expr| Some(scope.dialect.sorts(scope.kind(expr)?));
            if by_sorting && !keys.iter().all(|expr| sorts(expr) == Some(true)) {
                return None;
            }
            let groups = keys.iter().map(|expr| {
                scope.groups(expr)?;
                // A number would be a position.
                let is_literal = matches!(unaliased(expr), Expr::Literal(..));
                (!is_literal).then(|| scope.expr(expr)).flatten()
            });
            let groups = groups.collect::<Option<Vec<_>>>()?;
            let values = aggregate.aggr_expr.iter().map(|expr| functions::aggregate(scope, expr));
            Some((groups, values.collect::<Option<Vec<_>>>()?))
        })?;
        let tail = match groups.is_empty() {
            true => String::new(),
            false => format!(" GROUP BY {}", groups.join(", ")),
        };
        let columns = [groups.clone(), values].concat();
        if columns.is_empty() || columns.len() != aggregate.schema.fields().len() {
            return None;
        }
        let rows = relation.rows;
        let mut grouped =
            relation.grouped(&columns, &names(&aggregate.schema), &tail, self.aliases);
        grouped.single = groups.is_empty();
        grouped.rows = if grouped.single { Some(1.0) } else { rows.map(|r| (r / 10.0).max(1.0)) };
        Some(grouped)
    }

    fn distinct(&self, input: &LogicalPlan, relation: Relation) -> Option<Relation> {
        let relation = relation.unordered(self.aliases);
        let columns: Vec<Expr> = input.schema().columns().into_iter().map(Expr::Column).collect();
        let groups = self.scoped(&relation, input.schema(), |scope| {
            let groups = columns.iter().map(|column| {
                scope.groups(column)?;
                scope.expr(column)
            });
            groups.collect::<Option<Vec<_>>>()
        })?;
        let tail = format!(" GROUP BY {}", groups.join(", "));
        Some(relation.grouped(&groups, &names(input.schema()), &tail, self.aliases))
    }

    fn sort(&self, sort: &Sort, relation: Relation) -> Option<Relation> {
        let relation = relation.unordered(self.aliases);
        let schema = sort.input.schema();
        let order = self.scoped(&relation, schema, |scope| {
            let terms = scope.sort(&sort.expr)?;
            let order = sort.expr.iter().zip(terms).map(|(term, sql)| {
                let Expr::Column(column) = unaliased(&term.expr) else { return None };
                let column = schema.maybe_index_of_column(column)?;
                let (ascending, nulls_first) = (term.asc, term.nulls_first);
                Some(Order { column, sql, ascending, nulls_first })
            });
            order.collect::<Option<Vec<_>>>()
        })?;
        let relation = relation.sorted(order);
        Some(match sort.fetch {
            Some(fetch) => relation.limited(0, Some(fetch as u64)),
            None => relation,
        })
    }

    fn window(&self, window: &Window, relation: Relation) -> Option<Relation> {
        let relation = relation.unordered(self.aliases);
        let computed = self.scoped(&relation, window.input.schema(), |scope| {
            let columns = window.window_expr.iter().map(|expr| functions::window(scope, expr));
            columns.collect::<Option<Vec<_>>>()
        })?;
        let columns = relation.columns.iter().map(|column| column.sql.clone());
        let columns: Vec<String> = columns.chain(computed).collect();
        Some(relation.grouped(&columns, &names(&window.schema), "", self.aliases))
    }

    fn union(&self, union: &Union, inputs: Vec<&Relation>) -> Option<Relation> {
        let first = inputs.first()?;
        let alike = union.inputs.iter().zip(&inputs).all(|(input, relation)| {
            let mut fields = input.schema().fields().iter().zip(union.schema.fields());
            relation.same_backend(first)
                && fields.all(|(from, into)| from.data_type() == into.data_type())
        });
        let parts = inputs.iter().map(|relation| Relation::clone(relation)).collect();
        alike.then(|| Relation::union(parts, &names(&union.schema), self.aliases)).flatten()
    }

    fn join(&self, join: &Join, left: Relation, right: Relation) -> Option<Relation> {
        use JoinType::*;
        match join.join_type {
            LeftSemi | LeftAnti | LeftMark => self.existence(join, left, right, false),
            RightSemi | RightAnti | RightMark => self.existence(join, right, left, true),
            Inner | Left | Right | Full => {
                let far = |types: [JoinType; 2]| types.contains(&join.join_type);
                let left = left.side(far([Right, Full]), self.aliases);
                let right = right.side(far([Left, Full]), self.aliases);
                let on = self.condition(join, &left, &right)?;
                let word = match join.join_type {
                    Left => "LEFT",
                    Right => "RIGHT",
                    Full => "FULL",
                    _ => "INNER",
                };
                // Only by equality do all backends join so.
                let by_keys = join.null_equality == NullEquality::NullEqualsNothing
                    && join.filter.is_none()
                    && !join.on.is_empty();
                match (&on, join.join_type) {
                    (_, Full) if left.dialect() == Dialect::MySql => return None,
                    (_, Full) if !by_keys => return None,
                    (None, Inner) if left.single || right.single => {}
                    // The conditions stand above it.
                    (None, Inner) if self.shared.is_some() => {}
                    // All pairs are more rows than the tables have.
                    (None, _) => return None,
                    _ => {}
                }
                Some(left.joined(word, right, on.as_deref(), &names(&join.schema)))
            }
        }
    }

    /// Which rows of `kept` have a partner.
    fn existence(
        &self,
        join: &Join,
        kept: Relation,
        other: Relation,
        swapped: bool,
    ) -> Option<Relation> {
        use JoinType::*;
        let kept = kept.open(self.aliases);
        let other = other.unordered(self.aliases);
        let (left, right) = if swapped { (&other, &kept) } else { (&kept, &other) };
        if join.null_aware {
            let ([(l, r)], None, LeftAnti) = (&join.on[..], &join.filter, join.join_type) else {
                return None;
            };
            // As NOT IN: no row when the other side has a NULL.
            self.condition(join, left, right)?;
            let l = self.scoped(left, join.left.schema(), |scope| scope.expr(l))?;
            let r = self.scoped(right, join.right.schema(), |scope| scope.expr(r))?;
            let columns = vec![Column::computed(r)];
            let keys = other.projected(columns, &["key"], vec![]).statement();
            return Some(kept.filtered(vec![format!("({l} NOT IN ({keys}))")]));
        }
        let on = self.condition(join, left, right)?.unwrap_or_else(|| "1 = 1".into());
        let exists = other.exists(&on);
        match join.join_type {
            LeftSemi | RightSemi => Some(kept.filtered(vec![exists])),
            LeftAnti | RightAnti => Some(kept.filtered(vec![format!("NOT {exists}")])),
            _ => {
                let mut columns = kept.columns.clone();
                columns.push(Column::computed(format!("({exists})")));
                let order = kept.order.clone();
                Some(kept.projected(columns, &names(&join.schema), order))
            }
        }
    }

    /// What pairs the rows; None inside for all pairs.
    fn condition(&self, join: &Join, left: &Relation, right: &Relation) -> Option<Option<String>> {
        let schema = join.left.schema().join(join.right.schema()).ok()?;
        let columns = [left.columns.clone(), right.columns.clone()].concat();
        let subquery = |plan: &LogicalPlan, scope: &Scope| self.subquery(left, plan, scope);
        let scope = Scope {
            dialect: left.dialect(),
            schema: &schema,
            columns: &columns,
            subquery: &subquery,
            outer: self.outer,
            is_change: self.is_change,
        };
        let equal = match join.null_equality {
            NullEquality::NullEqualsNothing => Operator::Eq,
            NullEquality::NullEqualsNull => Operator::IsNotDistinctFrom,
        };
        let mut conditions = vec![];
        for (l, r) in &join.on {
            conditions.push(scope.compare(l, equal, r)?);
        }
        if let Some(filter) = &join.filter {
            conditions.push(scope.expr(filter)?);
        }
        Some((!conditions.is_empty()).then(|| conditions.join(" AND ")))
    }
}

fn limited(limit: &Limit, relation: Relation) -> Option<Relation> {
    let number = |expr: &Option<Box<Expr>>| match expr.as_deref() {
        None => Some(None),
        Some(Expr::Literal(value, _)) if value.is_null() => Some(None),
        Some(Expr::Literal(value, _)) => Some(Some(u64::try_from(integer(value)?).ok()?)),
        Some(_) => None,
    };
    let (skip, fetch) = (number(&limit.skip)?.unwrap_or(0), number(&limit.fetch)?);
    // Others say it otherwise.
    relation.dialect().is_known().then(|| relation.limited(skip, fetch))
}

fn unaliased(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => unaliased(&alias.expr),
        expr => expr,
    }
}

fn names(schema: &DFSchemaRef) -> Vec<&str> {
    schema.fields().iter().map(|field| field.name().as_str()).collect()
}

/// Whether the expressions name a computed column more than once.
fn repeats(exprs: &[Expr], schema: &DFSchemaRef, relation: &Relation) -> bool {
    let mut counts: HashMap<usize, usize> = HashMap::new();
    for expr in exprs {
        let _ = expr.apply(|expr| {
            if let Expr::Column(column) = expr
                && let Some(at) = schema.maybe_index_of_column(column)
                && !relation.columns[at].simple
            {
                *counts.entry(at).or_default() += 1;
            }
            Ok(TreeNodeRecursion::Continue)
        });
    }
    !relation.is_base() && counts.values().any(|count| *count > 1)
}
