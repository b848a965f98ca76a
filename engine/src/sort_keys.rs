//! Sorts whose memory is reckoned with. A sort of the engine's that has more rows than memory holds merges sorted runs, and to
//! merge them it makes of each batch the keys that it compares: it evaluates expressions again, and where one array does not
//! say the order it writes the keys of each row as bytes. It reckoned with the memory of the rows alone, so that keys larger
//! than their rows (`md5(id)`, two numbers, a list) failed where they should have spilled. Here keys are made once, before
//! the sort, as a column of the rows; the runs are merged by that column as it is.

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::execution::memory_pool::{MemoryLimit, MemoryPool};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::limit::LocalLimitExec;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::{ExecutionPlan, Partitioning, PhysicalExpr, PlanProperties};

use crate::error::Result;
use crate::options::Options;
use crate::passing::Passing;
use crate::sort_keys::key_bytes::KeyBytes;
use crate::sort_keys::passes::{Compact, WithoutKey};
use crate::views::has_views;

mod key_bytes;
mod passes;
#[cfg(test)]
mod tests;

const KEY: &str = "sort key";
/// What a value of a type without a width of its own is taken to hold.
const USUAL_WIDTH: usize = 64;

/// After all rules that ask a sort for its expressions.
#[derive(Debug)]
pub struct KeysAsColumns(pub Arc<dyn MemoryPool>);

impl PhysicalOptimizerRule for KeysAsColumns {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let share = Options::of(config).statement_memory;
        let memory = match self.0.memory_limit() {
            MemoryLimit::Finite(all) if share > 0 => share.min(all),
            MemoryLimit::Finite(all) => all,
            _ if share > 0 => share,
            _ => return Ok(plan),
        };
        plan.transform_up(|node| {
            let new = if let Some(sort) = node.downcast_ref::<SortExec>() {
                sorted(sort, memory)?
            } else if let Some(merge) = node.downcast_ref::<SortPreservingMergeExec>() {
                merged(merge)?
            } else {
                None
            };
            Ok(new.map_or_else(|| Transformed::no(node), Transformed::yes))
        })
        .data()
    }

    fn name(&self) -> &str {
        "weir_keys_as_columns"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The same rows in the same order, by a sort that spills whatever its keys are.
pub fn spilling(sort: SortExec) -> Result<Arc<dyn ExecutionPlan>> {
    Ok(sorted(&sort, usize::MAX)?.unwrap_or_else(|| Arc::new(sort)))
}

/// None: as it is it spills, or holds few rows.
fn sorted(sort: &SortExec, memory: usize) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let fetch = sort.fetch();
    if fetch.is_some_and(|fetch| held_by_first(sort, fetch) <= memory / 2) {
        return Ok(None);
    }
    let key = match is_small(sort, memory)? {
        true => None,
        false => key(sort.expr(), &sort.input().schema())?,
    };
    let (order, input) = match &key {
        Some(key) => (key.order.clone(), with_key(sort.input(), &key.expr)?),
        None => (sort.expr().clone(), sort.input().clone()),
    };
    let has_views = has_views(&input.schema());
    if fetch.is_none() && key.is_none() && !has_views {
        return Ok(None);
    }
    let by_column = SortExec::new(order, input);
    let by_column = by_column.with_preserve_partitioning(sort.preserve_partitioning());
    let mut rows: Arc<dyn ExecutionPlan> = Arc::new(by_column);
    if let Some(fetch) = fetch {
        rows = Arc::new(LocalLimitExec::new(rows, fetch));
    }
    if has_views {
        // What merges them holds about three batches of each sort.
        let from = memory / (16 * n_sorts(sort));
        rows = Arc::new(Passing::new(rows, Compact { from }));
    }
    Ok(Some(match key {
        Some(key) => {
            let schema = sort.schema();
            let pass = WithoutKey { schema, order: sort.expr().clone(), by: key.order };
            Arc::new(Passing::new(rows, pass).with_properties(sort.properties()))
        }
        None => rows,
    }))
}

/// A merge of sorts that have their key as a column: by that. None: it merges others.
fn merged(merge: &SortPreservingMergeExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let only_columns = |projection: &&ProjectionExec| {
        projection.expr().iter().all(|column| column.expr.is::<Column>())
    };
    let projection = merge.input().downcast_ref::<ProjectionExec>().filter(only_columns);
    let input = projection.map_or(merge.input(), ProjectionExec::input);
    let Some(sorted) = input.downcast_ref::<Passing<WithoutKey>>() else { return Ok(None) };
    let below = |by: &PhysicalSortExpr| match (projection, by.expr.downcast_ref::<Column>()) {
        (None, _) => Some(by.expr.clone()),
        (Some(projection), Some(column)) => Some(projection.expr()[column.index()].expr.clone()),
        (Some(_), None) => None,
    };
    let order = &sorted.pass.order;
    let is_same = merge.expr().len() == order.len()
        && merge
            .expr()
            .iter()
            .zip(order.iter())
            .all(|(by, of)| by.options == of.options && below(by).as_ref() == Some(&of.expr));
    if !is_same {
        return Ok(None);
    }
    let new = SortPreservingMergeExec::new(sorted.pass.by.clone(), sorted.input.clone());
    let new = new.with_fetch(merge.fetch());
    let in_one = PlanProperties::clone(sorted.properties());
    let in_one = Arc::new(in_one.with_partitioning(Partitioning::UnknownPartitioning(1)));
    let node = Passing::new(Arc::new(new), sorted.pass.clone()).with_properties(&in_one);
    let node: Arc<dyn ExecutionPlan> = Arc::new(node);
    match projection {
        None => Ok(Some(node)),
        Some(_) => {
            let anew = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
            merge.input().clone().replace_children(vec![node], anew).map(Some)
        }
    }
}

/// Whether few rows are sorted by columns of numbers, which is faster as it is, and whose bytes are at most three times as many.
fn is_small(sort: &SortExec, memory: usize) -> Result<bool> {
    let schema = sort.schema();
    for by in sort.expr().iter() {
        if !by.expr.is::<Column>() || !by.expr.data_type(&schema)?.is_primitive() {
            return Ok(false);
        }
    }
    let known =
        StatisticsContext::new().compute(sort.input().as_ref(), &StatisticsArgs::default())?;
    let all = |rows: &usize| rows.saturating_mul(row_width(&schema)).saturating_mul(8);
    Ok(known.num_rows.get_value().is_some_and(|rows| all(rows) <= memory))
}

/// About what sorts that keep their first `fetch` rows hold. They do not spill.
fn held_by_first(sort: &SortExec, fetch: usize) -> usize {
    fetch.saturating_mul(row_width(&sort.schema())).saturating_mul(2 * n_sorts(sort))
}

fn row_width(schema: &SchemaRef) -> usize {
    let width = |of: &DataType| of.primitive_width().unwrap_or(USUAL_WIDTH);
    schema.fields().iter().map(|field| width(field.data_type())).sum()
}

fn n_sorts(sort: &SortExec) -> usize {
    sort.properties().output_partitioning().partition_count()
}

struct Key {
    expr: Arc<dyn PhysicalExpr>,
    /// By the column that it becomes.
    order: LexOrdering,
}

/// None: the rows are merged by one column of theirs as it is, or cannot be merged at all.
fn key(order: &LexOrdering, schema: &SchemaRef) -> Result<Option<Key>> {
    let types = order.iter().map(|by| by.expr.data_type(schema)).collect::<Result<Vec<_>>>()?;
    let at = schema.fields().len();
    let column = |options| PhysicalSortExpr { expr: Arc::new(Column::new(KEY, at)), options };
    if let ([by], [data_type]) = (&order[..], &types[..])
        && is_merged_as_it_is(data_type)
    {
        let key = || Key { expr: by.expr.clone(), order: [column(by.options)].into() };
        return Ok((!by.expr.is::<Column>()).then(key));
    }
    let bytes = KeyBytes::new(order, types)?;
    let order = || [column(Default::default())].into();
    Ok(bytes.map(|bytes| Key { expr: Arc::new(bytes), order: order() }))
}

/// Whether the engine compares the values of such an array where they are.
fn is_merged_as_it_is(data_type: &DataType) -> bool {
    use DataType::*;
    data_type.is_primitive()
        || matches!(data_type, Utf8 | LargeUtf8 | Utf8View | Binary | LargeBinary)
}

/// Its columns, and the key behind them.
fn with_key(
    input: &Arc<dyn ExecutionPlan>,
    key: &Arc<dyn PhysicalExpr>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = input.schema();
    let columns = schema.fields().iter().enumerate();
    let columns = columns.map(|(at, field)| ProjectionExpr {
        expr: Arc::new(Column::new(field.name(), at)),
        alias: field.name().clone(),
    });
    let key = ProjectionExpr { expr: key.clone(), alias: KEY.into() };
    let all: Vec<_> = columns.chain([key]).collect();
    Ok(Arc::new(ProjectionExec::try_new(all, input.clone())?))
}
