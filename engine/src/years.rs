//! The engine turns `date_part('year', column) < 2020` into a comparison of the column, which files and databases prune
//! by. A bound that is no time of the column's type (the year 6 in nanoseconds, a midnight that a time zone skips)
//! became NULL, and the comparison with it: <https://github.com/apache/datafusion/issues/25135>. There it stays as it is.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::expr_rewriter::FunctionRewrite;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature,
};

use crate::error::Result;

/// Puts a [`DatePart`] in place of the engine's own.
#[derive(Debug)]
pub struct BoundedYears;

impl FunctionRewrite for BoundedYears {
    fn name(&self) -> &str {
        "weir_bounded_years"
    }

    fn rewrite(
        &self,
        expr: Expr,
        _schema: &DFSchema,
        _config: &ConfigOptions,
    ) -> Result<Transformed<Expr>> {
        Ok(bounded(expr))
    }
}

fn bounded(expr: Expr) -> Transformed<Expr> {
    match expr {
        Expr::ScalarFunction(mut call)
            if call.name() == "date_part" && !call.func.inner().is::<DatePart>() =>
        {
            call.func = Arc::new(DatePart(call.func).into());
            Transformed::yes(Expr::ScalarFunction(call))
        }
        expr => Transformed::no(expr),
    }
}

/// The engine's `date_part`, or the one of Spark's functions, which becomes the engine's when it is simplified.
#[derive(Debug, PartialEq, Eq, Hash)]
struct DatePart(Arc<ScalarUDF>);

impl ScalarUDFImpl for DatePart {
    fn preimage(
        &self,
        args: &[Expr],
        literal: &Expr,
        info: &SimplifyContext,
    ) -> Result<PreimageResult> {
        Ok(match self.0.preimage(args, literal, info)? {
            PreimageResult::Range { interval, .. }
                if interval.lower().is_null() || interval.upper().is_null() =>
            {
                PreimageResult::None
            }
            other => other,
        })
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        Ok(match self.0.simplify(args, info)? {
            ExprSimplifyResult::Simplified(expr) => {
                ExprSimplifyResult::Simplified(expr.transform_up(|expr| Ok(bounded(expr))).data()?)
            }
            original => original,
        })
    }

    fn name(&self) -> &str {
        self.0.name()
    }

    fn aliases(&self) -> &[String] {
        self.0.aliases()
    }

    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.0.return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        self.0.return_field_from_args(args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.0.invoke_with_args(args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.0.documentation()
    }
}
