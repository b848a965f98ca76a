// SPDX-License-Identifier: Apache-2.0
//! Where a statement writes: files of this machine, or objects of a store.

use std::sync::Arc;

use datafusion::datasource::listing::ListingTableUrl;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::prelude::SessionConfig;

use super::Staging;
use crate::bindings::*;
use crate::error::{coded, is_coded};
use crate::files::{local_path, url_of};
use crate::objects::scope::Tally;
use crate::objects::writing::{Commit, Mode};
use crate::objects::{self, Registry};

/// Writers into stores hand on what they have in pieces of so many bytes.
const PIECE: usize = 1 << 20;

/// What is written, before it is there.
#[derive(Debug)]
pub enum Target {
    Files(Staging),
    Objects(Commit),
}

impl Target {
    /// `url` is one of users', or one that C gave for an object. Returns where the writers write, too. A single file takes the
    /// place of one that is there; a directory is added to, or replaced.
    pub fn begin(
        config: &SessionConfig,
        url: &str,
        single_file: bool,
        overwrite: bool,
    ) -> Result<(Target, ListingTableUrl)> {
        let parsed = ListingTableUrl::parse(url)?;
        if parsed.scheme() == "file" {
            let staging = Staging::begin(&local_path(&parsed)?, single_file, overwrite)?;
            let staged = url_of(&staging.path(), !single_file)?;
            return Ok((Target::Files(staging), staged));
        }
        let registry = config.get_extension::<Registry>();
        let registry = registry.ok_or_else(|| {
            coded(WEIR_INTERNAL, "XX000", "a session without the engine's stores")
        })?;
        let (store, key) = match parsed.scheme() {
            objects::SCHEME => registry.of_plan(url)?,
            _ => registry.locate(url)?,
        };
        let mode = match (single_file, overwrite) {
            (true, _) => Mode::One,
            (false, false) => Mode::Add,
            (false, true) => Mode::Replace,
        };
        if single_file && key.ends_with('/') {
            let text = format!("{url} names a directory, not a file");
            return Err(coded(WEIR_INVALID_ARGUMENT, "22023", text));
        }
        let key = key.trim_end_matches('/');
        let tally = config.get_extension::<Tally>();
        let (commit, url) = Commit::begin(&registry, store, key, mode, tally)?;
        Ok((Target::Objects(commit), ListingTableUrl::parse(url.as_str())?))
    }

    pub fn name(&self) -> String {
        match self {
            Target::Files(staging) => staging.target().display().to_string(),
            Target::Objects(commit) => commit.target(),
        }
    }

    pub async fn commit(self) -> Result<()> {
        let task = match self {
            Target::Files(staging) => tokio::task::spawn_blocking(move || staging.commit()),
            Target::Objects(commit) => tokio::spawn(commit.commit()),
        };
        task.await.map_err(|e| DataFusionError::ExecutionJoin(Box::new(e)))?
    }

    /// Takes back what was written; the error that says why.
    pub async fn fail(self, error: DataFusionError) -> DataFusionError {
        let name = self.name();
        match self {
            Target::Files(_) => writing(error, &name),
            Target::Objects(commit) => writing(commit.fail(error).await, &name),
        }
    }

    /// What the writers run with.
    pub fn context(&self, context: Arc<TaskContext>) -> Arc<TaskContext> {
        let mut config = context.session_config().clone();
        let mut env = context.runtime_env();
        match self {
            Target::Files(staging) => {
                let object_store_registry = staging.stores(&env.object_store_registry);
                env = Arc::new(RuntimeEnv { object_store_registry, ..env.as_ref().clone() });
            }
            Target::Objects(_) => {
                config.options_mut().execution.objectstore_writer_buffer_size = PIECE;
            }
        }
        Arc::new(TaskContext::new(
            context.task_id(),
            context.session_id(),
            config,
            context.scalar_functions().clone(),
            context.higher_order_functions().clone(),
            context.aggregate_functions().clone(),
            context.window_functions().clone(),
            env,
        ))
    }
}

/// An error of the rows speaks for itself; one of the writing has to say where.
fn writing(error: DataFusionError, target: &str) -> DataFusionError {
    let text = error.strip_backtrace();
    let reason = match error.find_root() {
        _ if is_coded(&error) => return error,
        DataFusionError::ObjectStore(_) | DataFusionError::IoError(_) => text.as_str(),
        // The writers keep the cause to themselves here.
        DataFusionError::Internal(text) if text.contains("finalizing writes") => {
            "its files could not be written to their end; is there room for them?"
        }
        _ => return error,
    };
    let full = [libc::ENOSPC, libc::EFBIG, libc::EDQUOT]
        .iter()
        .any(|errno| reason.contains(&format!("(os error {errno})")));
    let sqlstate = if full { "53100" } else { "58030" };
    coded(WEIR_IO, sqlstate, format!("cannot write {target}: {reason}"))
}
