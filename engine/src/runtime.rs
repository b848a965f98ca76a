//! The engine: one tokio runtime, one memory pool, one spill directory.

use std::cell::Cell;
use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::future::Future;
use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use datafusion::execution::cache::cache_manager::CacheManagerConfig;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{MemoryPool, TrackConsumersPool, UnboundedMemoryPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::additions::Additions;
use crate::bindings::*;
use crate::call::Ending;
use crate::error::{Result, coded, from_panic};
use crate::fair::FairPool;
use crate::files::FileSet;
use crate::footers::Footers;
use crate::objects::Registry;
use crate::plan_cache::PlanCache;
use crate::planners::{self, Planners};
use crate::store::{Counters, OpenBeneath, Stores};

/// Physical expressions recurse too, where they are evaluated and dropped.
const WORKER_STACK: usize = 16 << 20;
/// A stream partition that waits for its reader keeps a blocking thread, and a merge needs all of
/// its inputs.
const BLOCKING_THREADS: usize = 2048;
const IO_THREADS: usize = 2;
const SPILL_PREFIX: &str = "weir-spill-";
const DEFAULT_SPILL_LIMIT: u64 = 100 << 30;
/// With what is under way when the engine is closed.
const PATIENCE: Duration = Duration::from_secs(5);

pub struct Engine {
    runtime: Mutex<Option<Runtime>>,
    pub handle: Handle,
    pub planners: Arc<Planners>,
    pub env: Arc<RuntimeEnv>,
    pub threads: usize,
    /// Schemas and statistics of file lists by all their identities, so that they are never stale.
    pub file_sets: Mutex<HashMap<String, Arc<FileSet>>>,
    pub footers: Arc<Footers>,
    pub additions: Additions,
    pub counters: Arc<Counters>,
    pub plans: PlanCache,
    pub objects: Arc<Registry>,
    /// Sends the requests to stores: made when the first of these is opened.
    io: Mutex<Option<Runtime>>,
    /// What C posts with; None: it could not be made.
    pub poster: OnceLock<Option<reqwest::Client>>,
    spill: Option<SpillDirectory>,
}

thread_local! {
    static ENGINE_THREAD: Cell<bool> = const { Cell::new(false) };
    /// Of the engine's threads, one that runs no tasks.
    static PLANS: Cell<bool> = const { Cell::new(false) };
}

/// The same for what waits for the network alone, which a thread that plans may.
pub fn check_waiting() -> Result<()> {
    if PLANS.get() { Ok(()) } else { check_thread() }
}

/// A thread of the engine's that plans, or does for planning what may wait.
pub fn begin_planning() {
    begin_thread();
    PLANS.set(true);
}

/// Refuses a call that would wait for the engine on one of its own threads.
pub fn check_thread() -> Result<()> {
    if ENGINE_THREAD.get() {
        return Err(coded(
            WEIR_INVALID_STATE,
            "55000",
            "weir was called from inside a callback of its own engine",
        ));
    }
    Ok(())
}

/// A thread of the engine's. Signals are for the program's own threads: a handler that is meant for
/// one of them must not run here.
pub fn begin_thread() {
    ENGINE_THREAD.set(true);
    unsafe {
        let mut all = std::mem::zeroed();
        libc::sigfillset(&mut all);
        for fault in [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGABRT] {
            libc::sigdelset(&mut all, fault);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &all, std::ptr::null_mut());
    }
}

/// Runs what recurses as deep as planning does on a thread of its own, one of the engine's too, from
/// a thread that may wait.
pub fn with_large_stack<T: Send>(thread: &str, f: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name(thread.into())
            .stack_size(planners::STACK)
            .spawn_scoped(scope, || {
                begin_planning();
                f()
            })
            .map_err(|e| coded(WEIR_IO, "53000", format!("no thread for planning: {e}")))?;
        thread.join().unwrap_or_else(|payload| Err(from_panic(payload)))
    })
}

impl Engine {
    pub fn open(
        threads: i32,
        memory_limit: i64,
        spill_parent: Option<&Path>,
        spill_limit: i64,
        cache: Option<wr_cache>,
        open_beneath: OpenBeneath,
    ) -> Result<Arc<Engine>> {
        let threads = match usize::try_from(threads) {
            Ok(0) => std::thread::available_parallelism().map(usize::from).unwrap_or(1),
            Ok(n) => n,
            Err(_) => {
                return Err(coded(WEIR_INVALID_ARGUMENT, "22023", "threads must not be negative"));
            }
        };
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .max_blocking_threads(BLOCKING_THREADS)
            .thread_stack_size(WORKER_STACK)
            .thread_name("weir")
            .on_thread_start(begin_thread)
            .enable_all()
            .build()?;
        let spill = spill_parent.map(SpillDirectory::make).transpose()?;
        let disk = DiskManagerBuilder::default()
            .with_mode(match &spill {
                Some(spill) => DiskManagerMode::Directories(vec![spill.path.clone()]),
                None => DiskManagerMode::OsTmpDirectory,
            })
            .with_max_temp_directory_size(match u64::try_from(spill_limit) {
                Ok(n) if n > 0 => n,
                _ => DEFAULT_SPILL_LIMIT,
            });
        let counters = Arc::new(Counters::default());
        let footers = Arc::new(Footers::new(cache, &counters));
        let caches = CacheManagerConfig::default().with_file_metadata_cache(Some(footers.clone()));
        let objects = Arc::new(Registry::default());
        let stores = Stores::new(open_beneath, &objects, &counters);
        let env = RuntimeEnvBuilder::new()
            .with_memory_pool(memory_pool(memory_limit))
            .with_disk_manager_builder(disk)
            .with_cache_manager(caches)
            .with_object_store_registry(Arc::new(stores))
            .build_arc()?;
        Ok(Arc::new(Engine {
            handle: runtime.handle().clone(),
            planners: Arc::default(),
            runtime: Mutex::new(Some(runtime)),
            env,
            threads,
            file_sets: Mutex::default(),
            footers,
            additions: Additions::default(),
            counters,
            plans: PlanCache::default(),
            objects,
            io: Mutex::new(None),
            poster: OnceLock::new(),
            spill,
        }))
    }

    /// The end of the call that this thread serves.
    pub fn ending(&self) -> Ending {
        Ending::of_this_thread(self.planners.calls())
    }

    /// Plans on a thread that is made for it, until the call that this one serves is cancelled.
    pub fn plan<T: Send, F: Future<Output = Result<T>>>(
        &self,
        make: impl FnOnce() -> F + Send,
    ) -> Result<T> {
        self.planners.run(|| self.finish(make()))
    }

    /// The same on such a thread.
    pub fn finish<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.handle.block_on(self.ending().or(work))
    }

    /// What requests to stores run on: they do not wait for computing.
    pub fn io(&self) -> Result<Handle> {
        let mut io = self.io.lock().unwrap();
        if io.is_none() {
            let runtime = Builder::new_multi_thread()
                .worker_threads(IO_THREADS)
                .thread_name("weir-io")
                .on_thread_start(begin_thread)
                .enable_all()
                .build()?;
            *io = Some(runtime);
        }
        Ok(io.as_ref().expect("just made").handle().clone())
    }

    pub fn is_closed(&self) -> bool {
        self.runtime.lock().unwrap().is_none()
    }

    /// Ends all work. Tasks that do not yield within five seconds are left behind.
    pub fn close(&self) {
        self.planners.close(PATIENCE);
        self.plans.clear();
        self.objects.close(PATIENCE);
        if let Some(runtime) = self.runtime.lock().unwrap().take() {
            runtime.shutdown_timeout(PATIENCE);
        }
        if let Some(io) = self.io.lock().unwrap().take() {
            io.shutdown_timeout(PATIENCE);
        }
        self.objects.close_blocks();
        if let Some(spill) = &self.spill {
            let _ = std::fs::remove_dir_all(&spill.path);
        }
    }
}

fn memory_pool(limit: i64) -> Arc<dyn MemoryPool> {
    let consumers_named = NonZeroUsize::new(5).unwrap();
    match usize::try_from(limit) {
        Ok(0) | Err(_) => Arc::new(UnboundedMemoryPool::default()),
        Ok(limit) => Arc::new(TrackConsumersPool::new(FairPool::new(limit), consumers_named)),
    }
}

/// A directory for what is spilled. Locked for as long as its engine lives, so that those of engines which were killed can be told
/// from it: a process's number says little in a container, where each process has the number of the one before.
struct SpillDirectory {
    path: PathBuf,
    _lock: Option<File>,
}

impl SpillDirectory {
    /// Makes `weir-spill-PID-N` below `parent`, after removing those of engines that are gone.
    fn make(parent: &Path) -> Result<SpillDirectory> {
        for entry in std::fs::read_dir(parent)?.flatten() {
            let is_one = entry.file_name().to_str().is_some_and(|n| n.starts_with(SPILL_PREFIX));
            if is_one && let Ok(Some(_lock)) = locked(&entry.path()) {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
        let pid = std::process::id();
        for n in 0.. {
            let path = parent.join(format!("{SPILL_PREFIX}{pid}-{n}"));
            match std::fs::create_dir(&path) {
                Ok(()) => {}
                Err(e) if e.kind() == ErrorKind::AlreadyExists => continue,
                Err(e) => {
                    return Err(coded(
                        WEIR_IO,
                        "58030",
                        format!("cannot make the spill directory {}: {e}", path.display()),
                    ));
                }
            }
            match locked(&path) {
                Ok(Some(lock)) if path.exists() => {
                    return Ok(SpillDirectory { path, _lock: Some(lock) });
                }
                // Another engine that begins took it for one that was left.
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                // There are file systems without locks.
                Err(_) => return Ok(SpillDirectory { path, _lock: None }),
            }
        }
        unreachable!("an endless range ended")
    }
}

/// None: somebody else has it locked.
fn locked(directory: &Path) -> std::io::Result<Option<File>> {
    let file = File::open(directory)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(e),
    }
}
