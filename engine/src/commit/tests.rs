// SPDX-License-Identifier: Apache-2.0
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::UInt64Type;
use datafusion::error::Result;
use datafusion::physical_plan::{ExecutionPlan, collect, execute_stream};
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use object_store::ObjectStoreExt;
use url::Url;

use super::*;

/// A directory that goes when its test ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let random = RandomState::new().build_hasher().finish();
        let home = std::env::temp_dir().join(format!("weir-commit-{random:x}")).join("home");
        fs::create_dir_all(&home).unwrap();
        Scratch(home)
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// All files with their texts, and directories with a slash.
    fn tree(&self) -> BTreeMap<String, String> {
        let entries = walk(&self.0).unwrap().into_iter().map(|entry| {
            let name = entry.path.to_str().unwrap().to_string();
            match entry.is_dir {
                true => (name + "/", String::new()),
                false => (name, fs::read_to_string(self.0.join(&entry.path)).unwrap()),
            }
        });
        entries.collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0.parent().unwrap());
    }
}

fn tree(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect()
}

fn stage(staging: &Staging, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = staging.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

#[test]
fn a_file_appears_at_commit_and_replaces_the_old_one() {
    let scratch = Scratch::new();
    let target = scratch.0.join("deep/er/x.csv");
    for text in ["old", "new"] {
        let staging = Staging::begin(&target, true, false).unwrap();
        fs::write(staging.path(), text).unwrap();
        assert_eq!(target.exists(), text == "new");
        staging.commit().unwrap();
        assert_eq!(
            scratch.tree(),
            tree(&[("deep/", ""), ("deep/er/", ""), ("deep/er/x.csv", text)])
        );
    }
}

#[test]
fn a_file_behind_a_link_is_replaced_and_keeps_its_mode() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let scratch = Scratch::new();
    scratch.put("real/x.csv", "old");
    let real = scratch.0.join("real/x.csv");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&real, scratch.0.join("link.csv")).unwrap();
    let staging = Staging::begin(&scratch.0.join("link.csv"), true, false).unwrap();
    fs::write(staging.path(), "new").unwrap();
    staging.commit().unwrap();
    assert!(fs::symlink_metadata(scratch.0.join("link.csv")).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&real).unwrap(), "new");
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn a_directory_is_made_even_when_nothing_was_written() {
    let scratch = Scratch::new();
    Staging::begin(&scratch.0.join("a/t"), false, false).unwrap().commit().unwrap();
    assert_eq!(scratch.tree(), tree(&[("a/", ""), ("a/t/", "")]));
}

#[test]
fn overwrite_leaves_only_the_new_files() {
    let scratch = Scratch::new();
    scratch.put("t/k=1/old", "old");
    let staging = Staging::begin(&scratch.0.join("t/"), false, true).unwrap();
    stage(&staging, &[("k=2/new", "new")]);
    staging.commit().unwrap();
    assert_eq!(scratch.tree(), tree(&[("t/", ""), ("t/k=2/", ""), ("t/k=2/new", "new")]));
}

#[test]
fn added_files_keep_their_directories_and_the_old_files_stay() {
    let scratch = Scratch::new();
    scratch.put("t/k=1/old", "old");
    let staging = Staging::begin(&scratch.0.join("t"), false, false).unwrap();
    stage(&staging, &[("k=1/a", "a"), ("k=2/b", "b"), ("c", "c")]);
    staging.commit().unwrap();
    let after = [
        ("t/", ""),
        ("t/k=1/", ""),
        ("t/k=1/old", "old"),
        ("t/k=1/a", "a"),
        ("t/k=2/", ""),
        ("t/k=2/b", "b"),
        ("t/c", "c"),
    ];
    assert_eq!(scratch.tree(), tree(&after));
}

#[test]
fn files_can_be_added_from_inside_the_target() {
    let scratch = Scratch::new();
    scratch.put("t/old", "old");
    let target = scratch.0.join("t");
    let dir = Arc::new(create_dir(&target).unwrap());
    fs::create_dir(dir.path.join("data")).unwrap();
    let staging = Staging { dir, target, single_file: false, overwrite: false };
    stage(&staging, &[("new", "new")]);
    staging.commit().unwrap();
    assert_eq!(scratch.tree(), tree(&[("t/", ""), ("t/old", "old"), ("t/new", "new")]));
}

#[test]
fn a_name_that_exists_is_an_error_that_names_it_and_nothing_changes() {
    let scratch = Scratch::new();
    scratch.put("t/k=1/a", "old");
    let before = scratch.tree();
    let staging = Staging::begin(&scratch.0.join("t"), false, false).unwrap();
    stage(&staging, &[("k=1/a", "new"), ("b", "b")]);
    let error = staging.commit().unwrap_err().to_string();
    assert!(error.contains("home/t/k=1/a"), "{error}");
    assert_eq!(scratch.tree(), before);
}

/// A commit that fails at its last rename, after all files were moved.
fn fail_late(staging: &Staging) -> (PathBuf, Vec<Entry>) {
    stage(staging, &[("k=1/a", "a"), ("k=2/b", "b"), ("c", "c")]);
    let staged = staging.path();
    let mut entries = walk(&staged).unwrap();
    entries.push(Entry { path: "gone".into(), is_dir: false });
    (staged, entries)
}

#[test]
fn files_already_moved_are_taken_back_when_a_later_one_fails() {
    let scratch = Scratch::new();
    scratch.put("t/k=1/old", "old");
    let before = scratch.tree();
    let staging = Staging::begin(&scratch.0.join("t"), false, false).unwrap();
    let (staged, entries) = fail_late(&staging);
    let error = staging.publish(&staged, &entries).unwrap_err().to_string();
    assert!(error.contains("home/t/gone"), "{error}");
    drop(staging);
    assert_eq!(scratch.tree(), before);
}

#[test]
fn what_a_dead_process_half_published_is_taken_back_by_the_next_one() {
    let scratch = Scratch::new();
    scratch.put("t/k=1/old", "old");
    let before = scratch.tree();
    let staging = Staging::begin(&scratch.0.join("t"), false, false).unwrap();
    let (staged, entries) = fail_late(&staging);
    staging.add(&staged, &entries).unwrap_err();
    assert!(scratch.0.join("t/c").exists());
    staging.dir._lock.unlock().unwrap();
    std::mem::forget(staging);
    drop(Staging::begin(&scratch.0.join("u"), true, false).unwrap());
    assert_eq!(scratch.tree(), before);
}

#[test]
fn only_dead_staging_directories_are_swept() {
    let scratch = Scratch::new();
    let alive = Staging::begin(&scratch.0.join("a"), true, false).unwrap();
    fs::write(alive.path(), "a").unwrap();
    for other in [".weir-0123456789abcdef/data/young", ".weir-notes/lock", "0123456789abcdef/lock"]
    {
        scratch.put(other, "");
    }
    scratch.put(".weir-fedcba9876543210/lock", "");
    drop(Staging::begin(&scratch.0.join("b"), true, false).unwrap());
    assert!(!scratch.0.join(".weir-fedcba9876543210").exists());
    assert!(scratch.0.join(".weir-0123456789abcdef/data/young").exists());
    assert!(scratch.0.join(".weir-notes/lock").exists());
    alive.commit().unwrap();
    assert_eq!(fs::read_to_string(scratch.0.join("a")).unwrap(), "a");
}

#[tokio::test]
async fn nothing_stays_of_a_dropped_staging_whose_writers_are_at_work() -> Result<()> {
    let scratch = Scratch::new();
    let staging = Staging::begin(&scratch.0.join("t"), false, false)?;
    stage(&staging, &[("a", "a")]);
    let stores = staging.stores(&SessionContext::new().runtime_env().object_store_registry);
    let store = stores.get_store(&Url::parse("file:///").unwrap())?;
    let named = |name| object_store::path::Path::from_absolute_path(staging.path().join(name));
    let (early, late) = (named("b=1/early")?, named("b=2/late")?);
    store.put(&early, "x".into()).await?;
    let mut parts = store.put_multipart(&named("parts")?).await?;
    let held = Arc::downgrade(&staging.dir).upgrade();
    drop(staging);
    assert!(!scratch.tree().is_empty(), "a write is at work");
    drop(held);
    assert_eq!(scratch.tree(), tree(&[]));
    parts.put_part("x".into()).await.unwrap_err();
    store.put(&late, "x".into()).await.unwrap_err();
    assert_eq!(scratch.tree(), tree(&[]));
    Ok(())
}

#[test]
fn nothing_stays_of_a_copy_whose_engine_ends() {
    let scratch = Scratch::new();
    for n in 0..40 {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let target = scratch.0.join("t");
        runtime.spawn(async move {
            let ctx = SessionContext::new();
            let rest = "STORED AS CSV PARTITIONED BY (k)";
            let plan = copy(&ctx, ROWS, &target, rest).await?;
            collect(plan, ctx.task_ctx()).await
        });
        std::thread::sleep(Duration::from_millis(n));
        runtime.shutdown_timeout(Duration::from_secs(60));
        let _ = fs::remove_dir_all(scratch.0.join("t"));
        assert_eq!(scratch.tree(), tree(&[]), "after {n} ms");
    }
}

#[test]
fn a_target_of_the_wrong_sort_is_refused_before_anything_is_made() {
    let scratch = Scratch::new();
    scratch.put("file", "");
    let before = scratch.tree();
    for (target, single_file) in [(".", true), ("file", false), ("file/below", true), ("/", false)]
    {
        Staging::begin(&scratch.0.join(target), single_file, false).unwrap_err();
        assert_eq!(scratch.tree(), before);
    }
    assert!(Staging::begin(Path::new("/dev/null"), true, false).is_err());
}

/// The plan of COPY into a staging for `target`.
async fn copy(
    ctx: &SessionContext,
    query: &str,
    target: &Path,
    rest: &str,
) -> Result<Arc<dyn ExecutionPlan>> {
    let single_file = target.extension().is_some();
    let staging = Staging::begin(target, single_file, false)?;
    let slash = if single_file { "" } else { "/" };
    let sql = format!("COPY ({query}) TO '{}{slash}' {rest}", staging.path().display());
    let plan = ctx.sql(&sql).await?.create_physical_plan().await?;
    Ok(Arc::new(CommitExec::new(plan, Arc::new(Mutex::new(Some(Target::Files(staging)))))))
}

const ROWS: &str = "SELECT value AS v, value % 3 AS k FROM range(0, 300000)";

#[tokio::test]
async fn copy_shows_its_files_and_count_once() -> Result<()> {
    let scratch = Scratch::new();
    let ctx = SessionContext::new();
    for (name, rest) in [("x.parquet", ""), ("t", "STORED AS PARQUET PARTITIONED BY (k)")] {
        let plan = copy(&ctx, ROWS, &scratch.0.join(name), rest).await?;
        assert!(!scratch.0.join(name).exists());
        let rows = collect(plan.clone(), ctx.task_ctx()).await?;
        assert_eq!(rows[0].column(0).as_primitive::<UInt64Type>().values(), &[300_000]);
        assert!(collect(plan, ctx.task_ctx()).await.is_err());
    }
    assert!(!walk(&scratch.0)?.iter().any(|entry| entry.path.to_str().unwrap().contains(".weir-")));
    let sql = format!(
        "SELECT count(*) FROM '{0}/x.parquet' UNION ALL SELECT count(*) FROM '{0}/t/k=1/'",
        scratch.0.display()
    );
    let rows = ctx.enable_url_table().sql(&sql).await?.to_string().await?;
    assert!(rows.contains("300000") && rows.contains("100000"), "{rows}");
    Ok(())
}

#[tokio::test]
async fn nothing_is_visible_after_a_copy_that_fails_or_is_dropped() -> Result<()> {
    let scratch = Scratch::new();
    let ctx = SessionContext::new();
    for (name, rest) in
        [("x.parquet", ""), ("x.csv", ""), ("t", "STORED AS PARQUET PARTITIONED BY (k)")]
    {
        let bad = format!("SELECT k, 1 / (v - 299999) AS v FROM ({ROWS})");
        let plan = copy(&ctx, &bad, &scratch.0.join(name), rest).await?;
        let error = collect(plan, ctx.task_ctx()).await.unwrap_err().to_string();
        assert!(error.contains("Divide by zero"), "{error}");

        let plan = copy(&ctx, ROWS, &scratch.0.join(name), rest).await?;
        let mut stream = execute_stream(plan, ctx.task_ctx())?;
        let _ = tokio::time::timeout(Duration::from_millis(5), stream.next()).await;
        drop(stream);
    }
    for _ in 0..100 {
        if scratch.tree().is_empty() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("still there: {:?}", scratch.tree());
}

#[tokio::test]
async fn copy_of_no_rows_makes_an_empty_file_or_directory() -> Result<()> {
    let scratch = Scratch::new();
    let ctx = SessionContext::new();
    let none = format!("SELECT * FROM ({ROWS}) WHERE v < 0");
    for (name, rest) in [
        ("x.parquet", ""),
        ("x.csv", ""),
        ("x.json", ""),
        ("x.arrow", ""),
        ("t", "STORED AS PARQUET"),
        ("p", "STORED AS CSV PARTITIONED BY (k)"),
    ] {
        let target = scratch.0.join(name);
        collect(copy(&ctx, &none, &target, rest).await?, ctx.task_ctx()).await?;
        assert!(target.exists(), "{name}");
    }
    assert_eq!(fs::read_to_string(scratch.0.join("x.csv"))?, "v,k\n");
    Ok(())
}
