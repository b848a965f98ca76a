//! RESET: a setting is what it was before the session's first SET. The engine's own RESET knows the engine's defaults alone, where
//! a session of ours has others; it would take the bound from the memory of statements.

use std::sync::Arc;

use datafusion::config::ConfigOptions;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::logical_expr::{LogicalPlan, Statement};

use crate::error::Result;
use crate::session::Session;

const DICTIONARY_ENABLED: &str = "datafusion.execution.parquet.dictionary_enabled";
const OWN: &str = "weir.";
const RUNTIME: &str = "datafusion.runtime.";

/// What the statement resets.
pub fn key_of(plan: &LogicalPlan) -> Option<&str> {
    match plan {
        LogicalPlan::Statement(Statement::ResetVariable(reset)) => Some(&reset.variable),
        _ => None,
    }
}

/// Whether the engine has a setting of that name, which it resets first.
pub fn is_engines(key: &str) -> bool {
    !key.starts_with(OWN)
}

pub fn reset(session: &Session, first: &ConfigOptions, key: &str) -> Result<()> {
    match key.strip_prefix(RUNTIME) {
        Some(part) => reset_runtime(session, part),
        None => reset_option(session, first, key),
    }
}

/// The parts of the runtime are the engine's: all settings of one part are reset together.
fn reset_runtime(session: &Session, setting: &str) -> Result<()> {
    let state = session.context.state_ref();
    let mut state = state.write();
    let (own, env) = (&session.engine.env, state.runtime_env().as_ref().clone());
    let env = match setting {
        "memory_limit" => RuntimeEnv { memory_pool: own.memory_pool.clone(), ..env },
        "temp_directory" | "max_temp_directory_size" | "max_spill_merge_fan_in" => {
            RuntimeEnv { disk_manager: own.disk_manager.clone(), ..env }
        }
        _ => RuntimeEnv { cache_manager: own.cache_manager.clone(), ..env },
    };
    *state = SessionStateBuilder::from(state.clone()).with_runtime_env(Arc::new(env)).build();
    Ok(())
}

/// The setting, or all whose names begin with it.
fn reset_option(session: &Session, first: &ConfigOptions, key: &str) -> Result<()> {
    let state = session.context.state_ref();
    let mut state = state.write();
    let options = state.config_mut().options_mut();
    let is_reset = |name: &str| {
        name.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let mut n_values = 0;
    for entry in first.entries().into_iter().filter(|entry| is_reset(&entry.key)) {
        if let Some(value) = entry.value {
            options.set(&entry.key, &value)?;
        }
        n_values += 1;
    }
    // No text stands for no value, which the engine gives to all others that have none at first.
    if is_reset(DICTIONARY_ENABLED) {
        let first = first.execution.parquet.dictionary_enabled;
        options.execution.parquet.dictionary_enabled = first;
    }
    // One of ours that is none: the error names those that there are.
    if n_values == 0 { options.set(key, "") } else { Ok(()) }
}
