// SPDX-License-Identifier: Apache-2.0
//! Files that appear whole or not at all.
//!
//! Writers write into a hidden directory beside the target; [`Staging::commit`] syncs what they
//! wrote and renames it into place. The directory looks like this:
//!
//! ```text
//! .weir-0123456789abcdef/
//!     lock    locked while its process lives; when it is free, the process is dead: swept
//!     NAME    the staged file, named as its target, or
//!     data/   the staged tree
//!     undo    while files move into an existing directory: what a sweep takes back
//! ```

use std::ffi::{CString, OsStr};
use std::fs::{self, DirBuilder, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind, Result as IoResult};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreRegistry;

use staged::Directory;

pub use exec::CommitExec;
pub use target::Target;

mod exec;
mod staged;
mod target;
#[cfg(test)]
mod tests;

/// A directory without a lock may be just coming up or going down; only this old it is swept.
const UNLOCKED_AGE: Duration = Duration::from_secs(3600);

/// Files on their way to a target on the local file system. Only [`commit`](Self::commit) makes
/// them visible; dropping this removes them, once those who write have ended. The functions block, and their errors name the
/// path.
#[derive(Debug)]
pub struct Staging {
    dir: Arc<Directory>,
    target: PathBuf,
    single_file: bool,
    overwrite: bool,
}

impl Staging {
    /// Makes the staging directory and removes what dead processes left beside it. `target` is a
    /// file, which is replaced if it exists; or a directory, which is made, added to, or with
    /// `overwrite` replaced. Links are followed. Nothing else is made before the commit.
    pub fn begin(target: &Path, single_file: bool, overwrite: bool) -> Result<Staging> {
        let (target, existing) = resolve(target)?;
        let wrong = match &existing {
            Some(meta) if single_file && !meta.is_file() => Some("it is not a regular file"),
            Some(meta) if !single_file && !meta.is_dir() => Some("it is not a directory"),
            _ => None,
        };
        at("write", &target, wrong.map_or(Ok(()), |wrong| Err(io::Error::other(wrong))))?;
        let above = target.ancestors().skip(1).find(|path| path.exists());
        let Some(home) = above.filter(|_| target.file_name().is_some()) else {
            return Ok(at("write", &target, Err(ErrorKind::InvalidInput.into()))?);
        };
        let mut made = create_dir(home);
        // Files can also be added from inside: the parent may be closed, or another file system.
        if existing.is_some() && !single_file && !overwrite && !beside(&made, &target) {
            made = create_dir(&target);
        }
        let staging = Staging { dir: Arc::new(made?), target, single_file, overwrite };
        if !single_file {
            let data = staging.path();
            at("make", &data, fs::create_dir(&data))?;
        }
        sweep(&staging.dir.path);
        Ok(staging)
    }

    /// Where the files will be.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Where to write: a file that does not exist yet, or an empty directory.
    pub fn path(&self) -> PathBuf {
        match self.target.file_name() {
            Some(name) if self.single_file => self.dir.path.join(name),
            _ => self.dir.path.join("data"),
        }
    }

    /// What its writers write into.
    pub fn stores(&self, inner: &Arc<dyn ObjectStoreRegistry>) -> Arc<dyn ObjectStoreRegistry> {
        let (inner, directory) = (inner.clone(), Arc::downgrade(&self.dir));
        Arc::new(staged::Stores { inner, directory })
    }

    /// Makes the staged files durable and then visible. Files that are added to a directory keep
    /// their sub-directories and replace nothing. On an error the target is as it was, unless it
    /// says that the target could not be synced.
    pub fn commit(self) -> Result<()> {
        let staged = self.path();
        let entries = walk(&staged)?;
        sync(&staged, &entries)?;

        let absent = |path: &&Path| !path.exists();
        let missing: Vec<_> = self.target.ancestors().skip(1).take_while(absent).collect();
        let published = missing
            .iter()
            .rev()
            .try_for_each(|path| at("make", path, make_dir(path)))
            .and_then(|()| self.publish(&staged, &entries));
        if let Err(e) = published {
            missing.iter().for_each(|path| drop(fs::remove_dir(path)));
            return Err(e.into());
        }
        for path in self.target.ancestors().skip(1).take(missing.len() + 1) {
            at("sync", path, sync_path(path))?;
        }
        Ok(())
    }

    fn publish(&self, staged: &Path, entries: &[Entry]) -> IoResult<()> {
        let target = &self.target;
        if self.single_file {
            if let Ok(old) = fs::metadata(target) {
                at("set the mode of", staged, fs::set_permissions(staged, old.permissions()))?;
            }
            return at("rename to", target, fs::rename(staged, target));
        }
        match rename(staged, target, libc::RENAME_NOREPLACE) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            other => return at("rename to", target, other),
        }
        if self.overwrite {
            return at("replace", target, rename(staged, target, libc::RENAME_EXCHANGE));
        }
        let added = self.add(staged, entries);
        if added.is_err() {
            undo(&self.dir.path)?;
        }
        added
    }

    /// Moves files into the existing target. The journal is gone only when all of them are there to
    /// stay.
    fn add(&self, staged: &Path, entries: &[Entry]) -> IoResult<()> {
        let mut new = Vec::new();
        for entry in entries {
            let to = self.target.join(&entry.path);
            match fs::symlink_metadata(&to) {
                Ok(meta) if entry.is_dir && meta.is_dir() => {}
                Ok(_) => return at("write", &to, Err(ErrorKind::AlreadyExists.into())),
                Err(_) => new.push(entry),
            }
        }
        let mut journal = self.target.as_os_str().as_bytes().to_vec();
        for entry in &new {
            journal.push(0);
            journal.extend(entry.path.as_os_str().as_bytes());
        }
        let undo = self.dir.path.join("undo");
        at("write", &undo, write_whole(&undo, &journal))?;
        for entry in new {
            let (from, to) = (staged.join(&entry.path), self.target.join(&entry.path));
            match entry.is_dir {
                true => at("make", &to, make_dir(&to))?,
                false => at("rename to", &to, rename(&from, &to, libc::RENAME_NOREPLACE))?,
            }
        }
        for entry in entries.iter().filter(|entry| entry.is_dir) {
            let to = self.target.join(&entry.path);
            at("sync", &to, sync_path(&to))?;
        }
        at("sync", &self.target, sync_path(&self.target))?;
        at("remove", &undo, fs::remove_file(&undo).and_then(|()| sync_path(&self.dir.path)))
    }
}

/// The absolute path behind links, and what is there.
fn resolve(target: &Path) -> IoResult<(PathBuf, Option<fs::Metadata>)> {
    let absolute = at("find", target, std::path::absolute(target))?;
    let target = match fs::canonicalize(&absolute) {
        Err(e) if e.kind() == ErrorKind::NotFound => absolute.components().collect(),
        other => at("find", &absolute, other)?,
    };
    match fs::metadata(&target) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok((target, None)),
        other => at("look at", &target, other).map(|meta| (target, Some(meta))),
    }
}

/// Makes a staging directory in `home` and locks it.
fn create_dir(home: &Path) -> IoResult<Directory> {
    let dir = loop {
        let random = RandomState::new().build_hasher().finish();
        let dir = home.join(format!(".weir-{random:016x}"));
        match DirBuilder::new().mode(0o700).create(&dir) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            made => break at("make", &dir, made).map(|()| dir)?,
        }
    };
    // Locked before it has its name, so that a sweep never finds it free.
    let locked = File::create_new(dir.join("lock.new")).and_then(|lock| {
        match lock.lock() {
            Err(e) if e.kind() != ErrorKind::Unsupported => return Err(e),
            _ => fs::rename(dir.join("lock.new"), dir.join("lock"))?,
        }
        Ok(lock)
    });
    if locked.is_err() {
        let _ = fs::remove_dir_all(&dir);
    }
    at("lock", &dir, locked).map(|lock| Directory { path: dir, _lock: lock })
}

/// Whether a new staging directory is on the file system of `target`.
fn beside(made: &IoResult<Directory>, target: &Path) -> bool {
    let device = |path: &Path| fs::metadata(path).map(|meta| meta.dev()).ok();
    made.as_ref().is_ok_and(|dir| device(&dir.path) == device(target))
}

/// Removes our dead processes' staging directories beside `own`, and takes back what they had half
/// published.
fn sweep(own: &Path) {
    let (Some(home), Ok(meta)) = (own.parent(), fs::metadata(own)) else {
        return;
    };
    let is_name = |name: &OsStr| {
        let hex = name.to_str().and_then(|name| name.strip_prefix(".weir-"));
        hex.is_some_and(|hex| hex.len() == 16 && hex.bytes().all(|c| c.is_ascii_hexdigit()))
    };
    for entry in fs::read_dir(home).into_iter().flatten().flatten() {
        let dir = entry.path();
        let Ok(found) = fs::symlink_metadata(&dir) else {
            continue;
        };
        if dir == own
            || !is_name(&entry.file_name())
            || !found.is_dir()
            || found.uid() != meta.uid()
        {
            continue;
        }
        let lock = File::open(dir.join("lock"));
        let dead = match &lock {
            Ok(lock) => lock.try_lock().is_ok(),
            Err(e) if e.kind() == ErrorKind::NotFound => found
                .modified()
                .is_ok_and(|time| time.elapsed().is_ok_and(|age| age > UNLOCKED_AGE)),
            Err(_) => false,
        };
        if dead && undo(&dir).is_ok() {
            let _ = fs::remove_dir_all(&dir);
        }
    }
}

/// Takes back what the journal of a staging directory says was moved, that is: what is no longer in
/// the staged tree.
fn undo(dir: &Path) -> IoResult<()> {
    let undo = dir.join("undo");
    let journal = match fs::read(&undo) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        other => at("read", &undo, other)?,
    };
    let mut paths =
        journal.split(|byte| *byte == 0).map(|bytes| Path::new(OsStr::from_bytes(bytes)));
    let target = paths.next().unwrap_or(Path::new(""));
    let mut paths: Vec<_> = paths.collect();
    paths.reverse();
    let mut result = Ok(());
    for path in paths {
        let (from, to) = (dir.join("data").join(path), target.join(path));
        if from.is_dir() {
            // Others may have put files there.
            let _ = fs::remove_dir(&to);
        } else if !from.exists() {
            match fs::remove_file(&to) {
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                other => result = result.and(at("take back", &to, other)),
            }
        }
    }
    result?;
    at("remove", &undo, fs::remove_file(&undo))
}

struct Entry {
    path: PathBuf,
    is_dir: bool,
}

/// All that is under `root`, relative to it, each directory before what it holds. Nothing under a
/// file.
fn walk(root: &Path) -> IoResult<Vec<Entry>> {
    let mut entries = Vec::new();
    if !at("find", root, fs::symlink_metadata(root))?.is_dir() {
        return Ok(entries);
    }
    let mut pending = vec![PathBuf::new()];
    while let Some(dir) = pending.pop() {
        for entry in at("list", root, fs::read_dir(root.join(&dir)))? {
            let entry = at("list", root, entry)?;
            let path = dir.join(entry.file_name());
            let is_dir = at("look at", &path, entry.file_type())?.is_dir();
            if is_dir {
                pending.push(path.clone());
            }
            entries.push(Entry { path, is_dir });
        }
    }
    Ok(entries)
}

fn sync(root: &Path, entries: &[Entry]) -> IoResult<()> {
    for path in entries.iter().map(|entry| root.join(&entry.path)).chain([root.to_path_buf()]) {
        at("sync", &path, sync_path(&path))?;
    }
    Ok(())
}

fn sync_path(path: &Path) -> IoResult<()> {
    File::open(path)?.sync_all()
}

fn make_dir(path: &Path) -> IoResult<()> {
    match fs::create_dir(path) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        other => other,
    }
}

/// Writes a file that exists whole or not at all, and durably.
fn write_whole(path: &Path, bytes: &[u8]) -> IoResult<()> {
    let new = path.with_extension("new");
    fs::write(&new, bytes)?;
    sync_path(&new)?;
    fs::rename(&new, path)?;
    path.parent().map_or(Ok(()), sync_path)
}

/// renameat2 with RENAME_NOREPLACE or RENAME_EXCHANGE; in more than one step where the file system
/// lacks it.
fn rename(from: &Path, to: &Path, flags: libc::c_uint) -> IoResult<()> {
    let c_path = |path: &Path| CString::new(path.as_os_str().as_bytes());
    let (c_from, c_to) = (c_path(from)?, c_path(to)?);
    let cwd = libc::AT_FDCWD;
    // SAFETY: both paths end with NUL and outlive the call.
    let code = unsafe {
        libc::syscall(libc::SYS_renameat2, cwd, c_from.as_ptr(), cwd, c_to.as_ptr(), flags)
    };
    if code == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    if !matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENOSYS)) {
        return Err(error);
    }
    if flags == libc::RENAME_NOREPLACE {
        return match fs::symlink_metadata(to) {
            Ok(_) => Err(ErrorKind::AlreadyExists.into()),
            Err(_) => fs::rename(from, to),
        };
    }
    let old = from.with_extension("old");
    fs::rename(to, &old)?;
    fs::rename(from, to).inspect_err(|_| drop(fs::rename(&old, to)))
}

fn at<T>(action: &str, path: &Path, result: IoResult<T>) -> IoResult<T> {
    result.map_err(|e| io::Error::new(e.kind(), format!("cannot {action} {}: {e}", path.display())))
}
