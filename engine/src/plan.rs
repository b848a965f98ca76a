//! A planned statement, and what the catalog in C must do for it.

use std::collections::HashMap;
use std::ffi::{CString, c_char};
use std::ops::Deref;
use std::ptr;
use std::sync::{Arc, OnceLock};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{
    ParamValues, ScalarValue, SchemaReference, TableReference, not_impl_err, plan_err,
};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{DdlStatement, LogicalPlan, Statement as LogicalStatement};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{Ident, Statement as SqlStatement};
use datafusion::sql::unparser::expr_to_sql;

use crate::bindings::*;
use crate::catalog::c_text;
use crate::error::{Result, coded};
use crate::facts::is_pure;
use crate::known::{anew, is_known};
use crate::look_ups::LookUp;
use crate::objects::scope::{Tally, counted};
use crate::options::Options;
use crate::order::plan_in_order;
use crate::plain::plain;
use crate::planning::{self, InView, Inputs, Scope};
use crate::runtime::check_thread;
use crate::schema::declare;
use crate::session::Session;
use crate::view::{view_name, view_query};
use crate::{calls, dml, limits, plan_cache, remote, reset};

pub struct Plan {
    pub session: Arc<Session>,
    made: Arc<Made>,
    /// What planning asked of stores; the first run takes it over.
    pub tally: Arc<Tally>,
}

impl Deref for Plan {
    type Target = Made;

    fn deref(&self) -> &Made {
        &self.made
    }
}

/// A plan but for its session, which may keep it.
pub struct Made {
    pub plan: LogicalPlan,
    /// What the analyzer made of it, where it gives rows and lacks nothing.
    pub analyzed: Option<LogicalPlan>,
    /// The columns of `rows`, in the types that the analyzer gives them.
    pub columns: Schema,
    pub kind: u32,
    pub info: Info,
    /// The statement, the tables that it reads; empty and none after a bind.
    pub sql: String,
    pub inputs: Inputs,
    /// What its planning asked of C, if it would be made alike as long as the answers are the same.
    pub look_ups: Option<Vec<LookUp>>,
    /// What the optimizer made of it, and under which settings.
    optimized: OnceLock<(u64, LogicalPlan)>,
    /// The engine's plan under these settings, where that holds the answer.
    known: OnceLock<(u64, Arc<dyn ExecutionPlan>)>,
}

impl Plan {
    pub fn new(session: &Arc<Session>, sql: &str) -> Result<Plan> {
        let tally = session.engine.objects.tally();
        check_thread()?;
        let made = match counted(&tally, || plan_cache::kept(session, sql))? {
            Some(kept) => kept,
            None => session.engine.planners.run(|| {
                session.learn();
                let make = || session.engine.finish(Self::make(session, sql));
                counted(&tally, || plan_cache::plan(session, sql, make))
            })?,
        };
        Ok(Plan { session: session.clone(), made, tally })
    }

    async fn make(session: &Arc<Session>, sql: &str) -> Result<Made> {
        let scope = Scope::enter();
        limits::check_text(sql)?;
        let state = state_of(session)?;
        let dialect = state.config_options().sql_parser.dialect;
        let mut statement = state.sql_to_statement(sql, &dialect)?;
        limits::shape(&mut statement)?;
        dml::copy_defaults(&mut statement);
        dml::delete_without_alias(&mut statement);
        calls::encode(&mut statement, &state)?;
        let query = view_query(&statement);
        let is_query = is_query(&statement);
        let _in_view = match view_name(&statement) {
            Some(name) => {
                let (catalog, schema) = session.names();
                Some(InView::enter(name.resolve(&catalog, &schema).to_string(), false)?)
            }
            None => None,
        };
        let mut plan = plan_in_order(state, statement).await?;
        if let LogicalPlan::Statement(LogicalStatement::Execute(_)) = &plan {
            // Puts the prepared plan in its place.
            plan = session.context.execute_logical_plan(plan).await?.into_unoptimized_plan();
        }
        let made = Self::describe(session, plan, query)?;
        let (inputs, look_ups) = scope.end();
        let repeats = is_query && made.analyzed.is_some() && is_pure(&made.plan)?;
        let look_ups = look_ups.filter(|_| repeats);
        Ok(Made { sql: sql.to_string(), inputs, look_ups, ..made })
    }

    fn describe(
        session: &Arc<Session>,
        plan: LogicalPlan,
        view_query: Option<String>,
    ) -> Result<Made> {
        let mut info = Info::default();
        let kind = match &plan {
            LogicalPlan::Ddl(ddl) => info.ddl(session, ddl, view_query)?,
            LogicalPlan::Dml(_) | LogicalPlan::Copy(_) => WR_PLAN_CHANGE,
            LogicalPlan::Statement(_) => WR_PLAN_SESSION,
            _ => WR_PLAN_QUERY,
        };
        info.c.type_ = kind as i32;
        let analyzed = rows_of(&plan).map(|rows| analyze(session, rows)).transpose()?.flatten();
        let columns = match (&analyzed, rows_of(&plan)) {
            (Some(rows), _) | (None, Some(rows)) => rows.schema().as_arrow().clone(),
            (None, None) => plan.schema().as_arrow().clone(),
        };
        let options = Options::of(session.context.state_ref().read().config_options());
        let columns = match kind == WR_PLAN_QUERY && options.plain_types {
            true => plain(&columns),
            false => columns,
        };
        Ok(Made {
            plan,
            analyzed,
            columns,
            kind,
            info,
            sql: String::new(),
            inputs: Inputs::new(),
            look_ups: None,
            optimized: OnceLock::new(),
            known: OnceLock::new(),
        })
    }

    /// What the optimizer made of it before under these settings.
    pub fn optimized(&self, settings: u64) -> Option<&LogicalPlan> {
        self.optimized.get().filter(|(under, _)| *under == settings).map(|(_, plan)| plan)
    }

    /// What the optimizer makes of the analyzed plan. `settings` are those that `state` was made
    /// after.
    pub fn optimize(
        &self,
        analyzed: &LogicalPlan,
        state: &SessionState,
        settings: u64,
    ) -> Result<LogicalPlan> {
        if let Some(optimized) = self.optimized(settings) {
            return Ok(optimized.clone());
        }
        let optimized = match remote::whole(analyzed, state)? {
            Some(leaf) => leaf,
            None => state.optimizer().optimize(analyzed.clone(), state, |_, _| {})?,
        };
        if self.look_ups.is_some() {
            let _ = self.optimized.set((settings, optimized.clone()));
        }
        Ok(optimized)
    }

    /// The plan that holds the answer, if one was made before under these settings, for another run.
    pub fn known(&self, settings: u64) -> Option<Result<Arc<dyn ExecutionPlan>>> {
        let (_, known) = self.known.get().filter(|(under, _)| *under == settings)?;
        Some(anew(known))
    }

    /// Keeps what was planned where that is the answer.
    pub fn keep_known(&self, planned: &Arc<dyn ExecutionPlan>, settings: u64) {
        if self.look_ups.is_some() && is_known(planned) {
            let _ = self.known.set((settings, planned.clone()));
        }
    }

    pub fn rows(&self) -> Option<&LogicalPlan> {
        rows_of(&self.plan)
    }

    pub fn schema(&self) -> Result<Schema> {
        match &self.plan {
            LogicalPlan::Ddl(DdlStatement::CreateMemoryTable(create)) => declare(
                &self.columns,
                &create.constraints,
                create.column_defaults.iter().map(|(name, expr)| (name, expr)),
            ),
            LogicalPlan::Ddl(DdlStatement::CreateExternalTable(create)) => declare(
                create.schema.as_arrow(),
                &create.constraints,
                create.column_defaults.iter(),
            ),
            _ => Ok(self.columns.clone()),
        }
    }

    /// Parameters in order of number, then name; of type null where it could not be inferred.
    pub fn parameters(&self) -> Result<Schema> {
        let mut found: Vec<(String, DataType)> = self
            .plan
            .get_parameter_types()?
            .into_iter()
            .map(|(name, data_type)| {
                (name.trim_start_matches('$').to_string(), data_type.unwrap_or(DataType::Null))
            })
            .collect();
        found.sort_by_key(|(name, _)| (name.parse::<u64>().unwrap_or(u64::MAX), name.clone()));
        let fields = found.into_iter().map(|(name, data_type)| Field::new(name, data_type, true));
        Ok(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// A new plan with the values of one row.
    pub fn bind(&self, row: &RecordBatch) -> Result<Plan> {
        let parameters = self.parameters()?;
        let wrong = |text: String| coded(WEIR_INVALID_ARGUMENT, "07001", text);
        if row.num_rows() != 1 {
            return Err(wrong(format!("parameters are one row, not {}", row.num_rows())));
        }
        if row.num_columns() != parameters.fields().len() {
            let (given, wanted) = (row.num_columns(), parameters.fields().len());
            return Err(wrong(format!("{given} values for {wanted} parameters")));
        }
        // All by name or all by place: clients that name columns by their place count from 0.
        let names = parameters.fields().iter().map(|parameter| parameter.name());
        let named = names.map(|name| row.column_by_name(name)).collect::<Option<Vec<_>>>();
        let mut values: HashMap<String, ScalarValue> = HashMap::new();
        for (position, parameter) in parameters.fields().iter().enumerate() {
            let column = match &named {
                Some(columns) => columns[position],
                None => row.column(position),
            };
            let mut value = ScalarValue::try_from_array(column, 0)?;
            if parameter.data_type() != &DataType::Null {
                let name = parameter.name();
                value = value.cast_to(parameter.data_type()).map_err(|e| {
                    let wanted = parameter.data_type();
                    let text = e.strip_backtrace();
                    wrong(format!("parameter ${name} does not fit its type {wanted}: {text}"))
                })?;
            }
            values.insert(parameter.name().clone(), value);
        }
        self.session.engine.planners.run(|| {
            let plan = self.plan.clone().with_param_values(ParamValues::from(values))?;
            let made = Arc::new(Self::describe(&self.session, plan, None)?);
            Ok(Plan { session: self.session.clone(), made, tally: Arc::default() })
        })
    }
}

fn is_query(statement: &Statement) -> bool {
    match statement {
        Statement::Statement(statement) => matches!(**statement, SqlStatement::Query(_)),
        _ => false,
    }
}

/// The session's state, one copy for all of a statement's planning.
fn state_of(session: &Session) -> Result<Arc<SessionState>> {
    planning::state(|| Ok(Arc::new(session.context.state())))
}

/// The plan that gives rows, if there is one: of a CREATE, its input.
fn rows_of(plan: &LogicalPlan) -> Option<&LogicalPlan> {
    match plan {
        LogicalPlan::Ddl(DdlStatement::CreateMemoryTable(create)) => Some(&create.input),
        LogicalPlan::Ddl(DdlStatement::CreateView(create)) => Some(&create.input),
        LogicalPlan::Ddl(_) | LogicalPlan::Statement(_) => None,
        plan => Some(plan),
    }
}

/// A planned query has the types that were written; the analyzer finds those that it will give.
fn analyze(session: &Session, rows: &LogicalPlan) -> Result<Option<LogicalPlan>> {
    let unbound = !rows.get_parameter_names()?.is_empty();
    if unbound || matches!(rows, LogicalPlan::Dml(_) | LogicalPlan::Copy(_)) {
        return Ok(None);
    }
    let state = state_of(session)?;
    let options = state.config_options();
    state.analyzer().execute_and_check(rows.clone(), options, |_, _| {}).map(Some)
}

/// `struct wr_plan_info` with what it points to.
#[derive(Default)]
pub struct Info {
    pub c: wr_plan_info,
    texts: Vec<CString>,
    options: Vec<weir_option>,
}

// Its pointers lead to its own texts.
unsafe impl Send for Info {}
unsafe impl Sync for Info {}

impl Info {
    fn keep(&mut self, text: &str) -> Result<*const c_char> {
        self.texts.push(c_text(text)?);
        Ok(self.texts.last().expect("just pushed").as_ptr())
    }

    fn name(&mut self, session: &Session, name: &TableReference) -> Result<()> {
        let (catalog, schema) = session.names();
        let name = name.clone().resolve(&catalog, &schema);
        self.c.catalog = self.keep(&name.catalog)?;
        self.c.schema = self.keep(&name.schema)?;
        self.c.name = self.keep(&name.table)?;
        Ok(())
    }

    /// A schema's name: "schema" or "catalog.schema".
    fn schema_name(&mut self, session: &Session, name: &str) -> Result<()> {
        let (catalog, schema) = match name.split_once('.') {
            Some((catalog, schema)) => (catalog.to_string(), schema),
            None => (session.names().0, name),
        };
        self.c.catalog = self.keep(&catalog)?;
        self.c.schema = self.keep(schema)?;
        Ok(())
    }

    fn ddl(
        &mut self,
        session: &Session,
        ddl: &DdlStatement,
        view_query: Option<String>,
    ) -> Result<u32> {
        Ok(match ddl {
            DdlStatement::CreateMemoryTable(create) => {
                self.name(session, &create.name)?;
                self.c.if_not_exists = create.if_not_exists as i32;
                self.c.or_replace = create.or_replace as i32;
                self.c.temporary = create.temporary as i32;
                let columns_only = matches!(
                    create.input.as_ref(),
                    LogicalPlan::EmptyRelation(empty) if !empty.produce_one_row
                );
                self.c.has_input = !columns_only as i32;
                self.c.has_columns = 1;
                WR_PLAN_CREATE_TABLE
            }
            DdlStatement::CreateView(create) => {
                self.name(session, &create.name)?;
                self.c.or_replace = create.or_replace as i32;
                self.c.temporary = create.temporary as i32;
                let Some(query) = view_query else {
                    return plan_err!("a CREATE VIEW with parameters cannot be bound");
                };
                self.c.query = self.keep(&query)?;
                self.c.has_input = 1;
                WR_PLAN_CREATE_VIEW
            }
            DdlStatement::CreateExternalTable(create) => {
                if create.unbounded {
                    return not_impl_err!("CREATE UNBOUNDED EXTERNAL TABLE");
                }
                let [location] = &create.locations[..] else {
                    return not_impl_err!("CREATE EXTERNAL TABLE with several locations");
                };
                self.name(session, &create.name)?;
                self.c.if_not_exists = create.if_not_exists as i32;
                self.c.or_replace = create.or_replace as i32;
                self.c.temporary = create.temporary as i32;
                self.c.has_columns = !create.schema.fields().is_empty() as i32;
                self.c.location = self.keep(location)?;
                self.c.format = self.keep(&create.file_type.to_lowercase())?;
                if !create.table_partition_cols.is_empty() {
                    self.c.partition_by = self.keep(&create.table_partition_cols.join(","))?;
                }
                let mut orderings = vec![];
                for ordering in &create.order_exprs {
                    let mut terms = vec![];
                    for term in ordering {
                        let direction = if term.asc { "ASC" } else { "DESC" };
                        let nulls = if term.nulls_first { "FIRST" } else { "LAST" };
                        let expr = match &term.expr {
                            datafusion::prelude::Expr::Column(column) => {
                                Ident::with_quote('"', &column.name).to_string()
                            }
                            other => expr_to_sql(other)?.to_string(),
                        };
                        terms.push(format!("{expr} {direction} NULLS {nulls}"));
                    }
                    orderings.push(terms.join(", "));
                }
                if !orderings.is_empty() {
                    self.c.order_by = self.keep(&orderings.join("; "))?;
                }
                let mut options: Vec<_> = create.options.iter().collect();
                options.sort();
                for (key, value) in options {
                    let (key, value) = (self.keep(key)?, self.keep(value)?);
                    self.options.push(weir_option { key, value });
                }
                self.c.options = match self.options.is_empty() {
                    true => ptr::null(),
                    false => self.options.as_ptr(),
                };
                self.c.n_options = self.options.len();
                WR_PLAN_CREATE_EXTERNAL
            }
            DdlStatement::DropTable(drop) => {
                self.name(session, &drop.name)?;
                self.c.if_not_exists = drop.if_exists as i32;
                WR_PLAN_DROP_TABLE
            }
            DdlStatement::DropView(drop) => {
                self.name(session, &drop.name)?;
                self.c.if_not_exists = drop.if_exists as i32;
                WR_PLAN_DROP_VIEW
            }
            DdlStatement::CreateCatalogSchema(create) => {
                self.schema_name(session, &create.schema_name)?;
                self.c.if_not_exists = create.if_not_exists as i32;
                WR_PLAN_CREATE_SCHEMA
            }
            DdlStatement::DropCatalogSchema(drop) => {
                match &drop.name {
                    SchemaReference::Bare { schema } => {
                        self.c.catalog = self.keep(&session.names().0)?;
                        self.c.schema = self.keep(schema)?;
                    }
                    SchemaReference::Full { schema, catalog } => {
                        self.c.catalog = self.keep(catalog)?;
                        self.c.schema = self.keep(schema)?;
                    }
                }
                self.c.if_not_exists = drop.if_exists as i32;
                self.c.cascade = drop.cascade as i32;
                WR_PLAN_DROP_SCHEMA
            }
            DdlStatement::CreateCatalog(create) => {
                self.c.catalog = self.keep(&create.catalog_name)?;
                self.c.if_not_exists = create.if_not_exists as i32;
                WR_PLAN_CREATE_CATALOG
            }
            // Functions and indexes: the engine answers that it cannot.
            DdlStatement::CreateIndex(_)
            | DdlStatement::CreateFunction(_)
            | DdlStatement::DropFunction(_) => WR_PLAN_SESSION,
        })
    }
}

/// Runs a statement that changes the engine's session only.
pub fn run_in_session(plan: &Plan) -> Result<()> {
    let first = plan.session.first_options();
    let key = reset::key_of(&plan.plan);
    let outcome = plan.session.engine.plan(|| async {
        if let Some(key) = key.filter(|key| !reset::is_engines(key)) {
            return reset::reset(&plan.session, first, key);
        }
        let frame = plan.session.context.execute_logical_plan(plan.plan.clone()).await?;
        if matches!(frame.logical_plan(), LogicalPlan::Ddl(_)) {
            // Not carried out by the engine: planning it says why.
            frame.create_physical_plan().await?;
        }
        key.map_or(Ok(()), |key| reset::reset(&plan.session, first, key))
    });
    plan.session.changed();
    outcome
}
