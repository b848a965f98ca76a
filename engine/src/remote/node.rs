//! A part of a plan that a backend runs: in the logical plan, in the physical one, and the planner
//! that puts it there.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::stats::Precision;
use datafusion::common::{DFSchemaRef, Statistics};
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{
    LogicalPlan, SortExpr, UserDefinedLogicalNode, UserDefinedLogicalNodeCore,
};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};
use datafusion::prelude::Expr;

use crate::error::Result;
use crate::options::Options;
use crate::stream_exec::StreamExec;

use super::push::push;
use super::relation::Relation;
use super::source::RemoteSource;

/// A leaf: its rows are those of statements that a backend runs.
pub struct RemoteNode {
    relation: Relation,
    schema: DFSchemaRef,
    statements: Vec<String>,
}

impl RemoteNode {
    pub fn new(relation: Relation, schema: DFSchemaRef) -> RemoteNode {
        let statements = relation.clone().delivered(schema.as_arrow()).statements();
        RemoteNode { relation, schema, statements }
    }

    /// What keeps its rows in their order in the plan above it.
    pub fn order(&self) -> Vec<SortExpr> {
        let columns = self.schema.columns();
        let terms = self.relation.order.iter();
        let sorted = terms.map(|term| {
            Expr::Column(columns[term.column].clone()).sort(term.ascending, term.nulls_first)
        });
        sorted.collect()
    }

    fn key(&self) -> (&str, &[String]) {
        (&self.relation.table.backend, &self.statements)
    }
}

impl fmt::Debug for RemoteNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        UserDefinedLogicalNodeCore::fmt_for_explain(self, f)
    }
}

impl PartialEq for RemoteNode {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key() && self.schema == other.schema
    }
}

impl Eq for RemoteNode {}

impl Hash for RemoteNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl PartialOrd for RemoteNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self.schema == other.schema).then(|| self.key().cmp(&other.key()))
    }
}

impl UserDefinedLogicalNodeCore for RemoteNode {
    fn name(&self) -> &str {
        "Remote"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![]
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (backend, statements) = self.key();
        write!(f, "Remote: backend={backend}, sql={}", statements.join("; "))
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, _: Vec<LogicalPlan>) -> Result<Self> {
        let (relation, schema) = (self.relation.clone(), self.schema.clone());
        Ok(RemoteNode { relation, schema, statements: self.statements.clone() })
    }
}

/// What reads the rows of a relation under `schema`; with `names`, the schema in the plan, only those
/// that a join above it can use.
pub fn reader(
    relation: &Relation,
    schema: &SchemaRef,
    names: Option<&DFSchemaRef>,
) -> Result<Arc<dyn ExecutionPlan>> {
    // SQL cannot say "no columns": one is read and left out.
    let none = schema.fields().is_empty();
    let read = match none {
        true => Arc::new(Schema::new(vec![Field::new("one", DataType::Int64, false)])),
        false => schema.clone(),
    };
    let n_partitions = relation.n_partitions();
    let source = RemoteSource::new(relation.clone(), read.clone(), names.cloned());
    let mut statistics = Statistics::new_unknown(&read);
    if let Some(rows) = relation.rows {
        statistics.num_rows = Precision::Inexact(rows as usize);
    }
    let order = relation.order.iter().map(|term| PhysicalSortExpr {
        expr: Arc::new(Column::new(read.field(term.column).name(), term.column)),
        options: SortOptions { descending: !term.ascending, nulls_first: term.nulls_first },
    });
    let order = LexOrdering::new(order.collect::<Vec<_>>());
    let rows = StreamExec::new(Arc::new(source), n_partitions, read, statistics).ordered(order);
    match none {
        false => Ok(Arc::new(rows)),
        true => {
            Ok(Arc::new(ProjectionExec::try_new(Vec::<ProjectionExpr>::new(), Arc::new(rows))?))
        }
    }
}

/// What reads a plan that is a leaf, with its own order above it: the engine's planner would find
/// nothing to do.
pub fn read_whole(plan: &LogicalPlan) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let (leaf, order) = match plan {
        LogicalPlan::Sort(sort) if sort.fetch.is_none() => (sort.input.as_ref(), &sort.expr[..]),
        plan => (plan, &[][..]),
    };
    let LogicalPlan::Extension(extension) = leaf else { return Ok(None) };
    let Some(node) = extension.node.as_any().downcast_ref::<RemoteNode>() else { return Ok(None) };
    if node.order() != order {
        return Ok(None);
    }
    reader(&node.relation, &Arc::new(node.schema.as_arrow().clone()), None).map(Some)
}

struct Leaves;

#[async_trait]
impl ExtensionPlanner for Leaves {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        _physical_inputs: &[Arc<dyn ExecutionPlan>],
        _session: &dyn Session,
        _context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(node) = node.as_any().downcast_ref::<RemoteNode>() else { return Ok(None) };
        let schema = Arc::new(node.schema.as_arrow().clone());
        reader(&node.relation, &schema, Some(&node.schema)).map(Some)
    }
}

/// The engine's planner, after backends were given their parts of the optimized plan.
#[derive(Debug)]
pub struct Planner;

#[async_trait]
impl QueryPlanner for Planner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = match Options::of(session.config_options()).pushdown {
            true => push(plan.clone())?,
            false => plan.clone(),
        };
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(Leaves)]);
        planner.create_physical_plan(&plan, session).await
    }
}
