//! What a plan stands on and what is known of its rows, without running it.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Int64Array, RecordBatch, RecordBatchIterator, StringArray,
};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::util::display::{DurationFormat, FormatOptions};
use datafusion::common::ScalarValue;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{LogicalPlan, Volatility};
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::prelude::Expr;
use sha2::{Digest, Sha256};

use crate::bindings::*;
use crate::dml::physical;
use crate::error::{Result, coded};
use crate::files::hexadecimal;
use crate::functions::is_foreign;
use crate::plan::Plan;
use crate::run::file_bytes;
use crate::stream::Reader;
use crate::text::text_column;

/// Another text whenever the plan's rows may be others; None when that cannot be told.
pub fn version(plan: &Plan) -> Result<Option<String>> {
    if plan.sql.is_empty() || !is_pure(&plan.plan)? {
        return Ok(None);
    }
    let state = plan.session.context.state();
    let options = state.config_options();
    let mut hash = Sha256::new();
    hash.update(&plan.sql);
    hash.update(format!(
        "{:?} {:?} {:?} {}",
        plan.session.names(),
        options.execution.time_zone,
        options.sql_parser,
        plan.session.functions
    ));
    for (name, input) in &plan.inputs {
        let Some(version) = &input.version else { return Ok(None) };
        hash.update(format!("{name:?} {version:?}"));
    }
    Ok(Some(hexadecimal(&hash.finalize())))
}

/// Whether the same tables always give the same rows. Their order may be another one.
pub fn is_pure(plan: &LogicalPlan) -> Result<bool> {
    let mut pure = true;
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            // What it shows is nobody's version.
            pure &= scan.table_name.schema() != Some("information_schema");
            if let Some(inner) = scan.source.get_logical_plan() {
                pure &= is_pure(&inner)?;
            }
        }
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                if let Expr::ScalarFunction(call) = expr {
                    pure &= call.func.signature().volatility == Volatility::Immutable;
                }
                // What code an extension has is in no version.
                pure &= !is_foreign(expr);
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(pure)
}

fn reader(columns: Vec<(&str, ArrayRef)>) -> Result<Reader> {
    let fields = columns.iter().map(|(name, c)| Field::new(*name, c.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    let batch = RecordBatch::try_new(schema.clone(), columns)?;
    Ok(Box::new(RecordBatchIterator::new([Ok(batch)], schema)))
}

/// The tables that a plan reads: name, kind, version.
pub fn inputs(plan: &Plan) -> Result<Reader> {
    let names: StringArray = plan.inputs.keys().map(|name| Some(name.as_str())).collect();
    let kinds: StringArray = plan.inputs.values().map(|i| Some(i.kind.as_str())).collect();
    let versions: StringArray = plan
        .inputs
        .values()
        .map(|i| i.version.as_ref().map(|version| hexadecimal(&Sha256::digest(version))))
        .collect();
    reader(vec![
        ("name", Arc::new(names)),
        ("kind", Arc::new(kinds)),
        ("version", Arc::new(versions)),
    ])
}

/// Figures of all rows, and of each column.
pub fn statistics(plan: &Plan) -> Result<(weir_node_statistics, Reader)> {
    if plan.rows().is_none() {
        return Err(coded(WEIR_INVALID_ARGUMENT, "42000", "the statement gives no rows"));
    }
    let settings = plan.session.settings();
    let state = plan.session.context.state();
    let engine = &plan.session.engine;
    let work = engine.plan(|| physical(&state, settings, plan))?;
    let context = StatisticsContext::new();
    let known = context.compute(work.plan.as_ref(), &StatisticsArgs::default())?;
    let files = file_bytes(&work.plan);
    let figures = weir_node_statistics {
        size: size_of::<weir_node_statistics>(),
        n_rows: number(&known.num_rows).unwrap_or(-1),
        rows_exact: known.num_rows.is_exact().unwrap_or(false) as i32,
        n_bytes: match files {
            0 => number(&known.total_byte_size).unwrap_or(-1),
            files => files,
        },
        bytes_exact: (files > 0) as i32,
    };
    let schema = work.plan.schema();
    let names: StringArray = schema.fields().iter().map(|f| Some(f.name().as_str())).collect();
    let columns = &known.column_statistics;
    let nulls: Int64Array = columns.iter().map(|c| number(&c.null_count)).collect();
    let minima: StringArray = columns.iter().map(|c| shown(&c.min_value)).collect();
    let maxima: StringArray = columns.iter().map(|c| shown(&c.max_value)).collect();
    let exact: BooleanArray = columns
        .iter()
        .map(|c| {
            let known = [c.null_count.is_exact(), c.min_value.is_exact(), c.max_value.is_exact()];
            Some(known.into_iter().flatten().all(|exact| exact))
        })
        .collect();
    let columns = reader(vec![
        ("name", Arc::new(names)),
        ("null_count", Arc::new(nulls)),
        ("min", Arc::new(minima)),
        ("max", Arc::new(maxima)),
        ("exact", Arc::new(exact)),
    ])?;
    Ok((figures, columns))
}

fn number(value: &Precision<usize>) -> Option<i64> {
    value.get_value().and_then(|n| i64::try_from(*n).ok())
}

fn shown(value: &Precision<ScalarValue>) -> Option<String> {
    let value = value.get_value().filter(|v| !v.is_null() && v.data_type() != DataType::Null)?;
    let options = FormatOptions::new().with_duration_format(DurationFormat::Pretty);
    let text = text_column(&value.to_array().ok()?, &options).ok()?;
    let text = text.as_any().downcast_ref::<StringArray>()?;
    Some(text.value(0).to_string())
}
