//! A session: DataFusion's context over C's names.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use datafusion::config::ConfigOptions;
use datafusion::execution::memory_pool::{MemoryLimit, MemoryPool};
use datafusion::execution::{FunctionRegistry, SessionStateBuilder};
use datafusion::optimizer::{Optimizer, OptimizerRule};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_spark::SessionStateBuilderSpark;

use crate::bindings::*;
use crate::bounds::ExcludedBounds;
use crate::catalog::{Catalogs, Names};
use crate::counting::NarrowCounts;
use crate::error::{Result, coded};
use crate::limits::PARSER_RECURSION_LIMIT;
use crate::merges::InOneStream;
use crate::options::Options;
use crate::remote::{AsWritten, AwaitKeys, Planner};
use crate::runtime::Engine;
use crate::same_names::WhereNamesDiffer;
use crate::sort_keys::KeysAsColumns;
use crate::watch::WatchJoins;
use crate::windows::CountedWindows;
use crate::years::BoundedYears;

/// Batches of a column that wait to be encoded as Parquet: with fewer all columns go at the pace of the
/// slowest one.
const BATCHES_BETWEEN: usize = 16;

pub struct Session {
    /// No other session of the process has it.
    pub id: u64,
    pub engine: Arc<Engine>,
    pub names: Arc<Names>,
    pub context: SessionContext,
    /// The function set's name.
    pub functions: String,
    /// Of the engine's functions of extensions, how many this session has learnt.
    n_learnt: Mutex<usize>,
    /// Counts what may have changed how its statements are planned.
    settings: AtomicU64,
    /// Its options before its first SET.
    first: OnceLock<ConfigOptions>,
}

static N_SESSIONS: AtomicU64 = AtomicU64::new(0);

impl Session {
    pub fn new(
        engine: &Arc<Engine>,
        catalog: &str,
        schema: &str,
        callbacks: wr_catalog,
        functions: Option<&str>,
    ) -> Result<Arc<Session>> {
        let mut config = SessionConfig::new()
            .with_information_schema(true)
            .with_create_default_catalog_and_schema(false)
            .with_default_catalog_and_schema(catalog, schema)
            .with_target_partitions(engine.threads)
            .with_extension(engine.objects.clone());
        let options = config.options_mut();
        options.sql_parser.collect_spans = true;
        options.extensions.insert(Options::default());
        options.execution.parquet.maximum_buffered_record_batches_per_stream = BATCHES_BETWEEN;
        let execution = &mut options.execution;
        execution.sort_spill_reservation_bytes =
            merge_start(engine, execution.sort_spill_reservation_bytes);
        // Where nobody says so, the first rows do: see `sampled`.
        options.execution.parquet.dictionary_enabled = None;
        let limit = PARSER_RECURSION_LIMIT.to_string();
        options.set("datafusion.sql_parser.recursion_limit", &limit)?;
        let names = Names::new(callbacks, engine.clone());
        let builder = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(engine.env.clone())
            .with_catalog_list(Arc::new(Catalogs(names.clone())))
            .with_physical_optimizer_rules(optimizer_rules(&engine.env.memory_pool))
            .with_query_planner(Arc::new(Planner))
            .with_optimizer_rules(logical_rules())
            .with_default_features();
        let builder = match functions {
            None | Some("default") => builder,
            Some("spark") => builder.with_spark_features(),
            Some(other) => {
                return Err(coded(
                    WEIR_INVALID_ARGUMENT,
                    "22023",
                    format!("unknown function set {other:?}: known are \"default\" and \"spark\""),
                ));
            }
        };
        let mut state = builder.build();
        state.register_function_rewrite(Arc::new(BoundedYears))?;
        let context = SessionContext::new_with_state(state);
        let _ = names.state.set(context.state_weak_ref());
        let functions = functions.unwrap_or("default").to_string();
        Ok(Arc::new(Session {
            id: N_SESSIONS.fetch_add(1, Ordering::Relaxed),
            engine: engine.clone(),
            names,
            context,
            functions,
            n_learnt: Mutex::new(0),
            settings: AtomicU64::new(0),
            first: OnceLock::new(),
        }))
    }

    /// Takes in the functions of extensions that came since the last statement.
    pub fn learn(&self) {
        let mut n_learnt = self.n_learnt.lock().unwrap();
        self.engine.additions.teach(&mut n_learnt, || self.context.state_ref());
    }

    /// Another number after each change of what its statements are planned by. To be read before the
    /// state, so that what is made of an old state never passes for what a new one gives.
    pub fn settings(&self) -> u64 {
        self.settings.load(Ordering::Acquire)
    }

    /// The state was changed, or may have been.
    pub fn changed(&self) {
        self.settings.fetch_add(1, Ordering::AcqRel);
    }

    pub fn set(&self, key: &str, value: &str) -> Result<()> {
        let outcome = self.set_option(key, value);
        self.changed();
        outcome
    }

    fn set_option(&self, key: &str, value: &str) -> Result<()> {
        let state = self.context.state_ref();
        let mut state = state.write();
        let options: &mut ConfigOptions = state.config_mut().options_mut();
        options.set(key, value).map_err(|error| {
            let text = error.strip_backtrace();
            match text.contains("not found") || text.contains("Could not find config namespace") {
                true => coded(WEIR_NOT_FOUND, "42704", format!("unknown setting {key:?}: {text}")),
                false => error,
            }
        })
    }

    /// The options before the first statement that changes one, which asks for them first.
    pub fn first_options(&self) -> &ConfigOptions {
        let state = self.context.state_ref();
        self.first.get_or_init(|| state.read().config_options().as_ref().clone())
    }

    /// The current default catalog and schema.
    pub fn names(&self) -> (String, String) {
        let state = self.context.state_ref();
        let state = state.read();
        let catalog = &state.config_options().catalog;
        (catalog.default_catalog.clone(), catalog.default_schema.clone())
    }
}

/// What each sort holds from its first row on, to merge with: all of a statement's an eighth of the memory at most.
fn merge_start(engine: &Engine, usual: usize) -> usize {
    match engine.env.memory_pool.memory_limit() {
        MemoryLimit::Finite(all) => usual.min(all / (8 * engine.threads)),
        _ => usual,
    }
}

/// The engine's own rules between ours.
fn logical_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let mut rules: Vec<Arc<dyn OptimizerRule + Send + Sync>> = vec![Arc::new(AsWritten)];
    rules.extend(Optimizer::new().rules);
    rules.push(Arc::new(ExcludedBounds));
    rules
}

/// The engine's own rules, and ours before filters are pushed down for good: later ones would undo
/// what that links.
fn optimizer_rules(
    memory: &Arc<dyn MemoryPool>,
) -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let pushes = |rule: &dyn PhysicalOptimizerRule| rule.name().starts_with("FilterPushdown");
    let rules = PhysicalOptimizer::new().rules.into_iter();
    let mut rules: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> = rules
        .map(|rule| match pushes(rule.as_ref()) {
            true => Arc::new(WhereNamesDiffer(rule)) as Arc<_>,
            false => rule,
        })
        .collect();
    let last = rules.iter().rposition(|rule| pushes(rule.as_ref()));
    rules.insert(last.unwrap_or(rules.len()), Arc::new(WatchJoins));
    rules.push(Arc::new(AwaitKeys));
    rules.push(Arc::new(NarrowCounts));
    rules.push(Arc::new(InOneStream));
    rules.push(Arc::new(CountedWindows));
    rules.push(Arc::new(KeysAsColumns(memory.clone())));
    rules
}
