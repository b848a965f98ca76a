//! What a process has begun in stores and not ended, written down in the workspace, so that another takes it back when
//! this one is killed.
//!
//! ```text
//! DIRECTORY/0123456789abcdef.log    locked while its process lives
//!     upload N MS ALONE URL KEY     begun at a time; ALONE 1: nobody else writes this key
//!     id     N ID                   as the store calls it
//!     object N MS ALONE URL KEY     put in its place, and not yet to stay; or, with ALONE 0, not to stay longer
//!     end    N
//! ```
//! Fields are separated by tabs, which keys have none of.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

/// How far the clocks of a store and of this machine may be apart when an object is taken for one of ours, and how long the
/// beginning of an upload may have taken that a process did not live to see the end of.
pub const SKEW_MS: i64 = 60_000;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    Upload,
    Object,
    /// Uploads that were begun when one was to be: `id` is that one. An upload without an id to who comes after the process.
    Lost,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Begun {
    pub what: What,
    pub ms: i64,
    /// How long it took at most.
    pub took_ms: i64,
    pub alone: bool,
    pub url: String,
    pub key: String,
    pub id: Option<String>,
}

pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as i64)
}

/// Of this process.
#[derive(Debug, Default)]
pub struct Journal {
    directory: Option<PathBuf>,
    state: Mutex<State>,
    left: Mutex<Vec<Left>>,
}

#[derive(Debug, Default)]
struct State {
    file: Option<(PathBuf, File)>,
    last: u64,
    open: usize,
}

/// Of a process that is gone: ours as long as its lock is held.
#[derive(Debug)]
struct Left {
    path: PathBuf,
    _lock: File,
    begun: Vec<Begun>,
}

/// Something that was begun; one that is dropped without an end is left to a sweep.
#[derive(Debug)]
pub struct Entry {
    journal: Arc<Journal>,
    n: u64,
}

impl Journal {
    /// Finds what processes that are gone have left, too. A directory that cannot be used is as good as none.
    pub fn open(directory: Option<&Path>) -> Arc<Journal> {
        let usable = directory.filter(|directory| fs::create_dir_all(directory).is_ok());
        let left = usable.map(find_left).unwrap_or_default();
        let directory = usable.map(Path::to_path_buf);
        Arc::new(Journal { directory, state: Mutex::default(), left: Mutex::new(left) })
    }

    /// Ends some and begins others in one step.
    pub fn switch(self: &Arc<Self>, ended: Vec<Entry>, begun: &[Begun]) -> io::Result<Vec<Entry>> {
        let mut state = self.state.lock().unwrap();
        let first = state.last + 1;
        let mut lines = String::new();
        for entry in &ended {
            let _ = writeln!(lines, "end\t{}", entry.n);
        }
        for (n, one) in (first..).zip(begun) {
            let what = if one.what == What::Object { "object" } else { "upload" };
            let Begun { ms, url, key, .. } = one;
            let _ = writeln!(lines, "{what}\t{n}\t{ms}\t{}\t{url}\t{key}", one.alone as u8);
        }
        state.last += begun.len() as u64;
        state.open = state.open + begun.len() - ended.len();
        self.write(&mut state, &lines)?;
        Ok((first..).take(begun.len()).map(|n| Entry { journal: self.clone(), n }).collect())
    }

    fn write(&self, state: &mut State, lines: &str) -> io::Result<()> {
        let Some(directory) = &self.directory else { return Ok(()) };
        if state.file.is_none() {
            state.file = Some(create(directory)?);
        }
        let (_, file) = state.file.as_mut().expect("just made");
        if state.open == 0 {
            return file.set_len(0);
        }
        file.write_all(lines.as_bytes())
    }

    /// URLs of what was left: each is that of the store with the key.
    pub fn left(&self) -> Vec<String> {
        let left = self.left.lock().unwrap();
        left.iter()
            .flat_map(|left| &left.begun)
            .map(|one| format!("{}{}", one.url, one.key))
            .collect()
    }

    /// What was left in a store. Several may take it back at the same time, with other credentials.
    pub fn left_in(&self, url: &str) -> Vec<(PathBuf, Begun)> {
        let left = self.left.lock().unwrap();
        let all = left.iter().flat_map(|left| left.begun.iter().map(|one| (&left.path, one)));
        all.filter(|(_, one)| one.url == url)
            .map(|(path, one)| (path.clone(), one.clone()))
            .collect()
    }

    /// Of all uploads that any process of the workspace has open.
    pub fn known_ids(&self) -> Vec<String> {
        let entries = self.directory.iter().flat_map(fs::read_dir).flatten().flatten();
        let texts = entries.filter_map(|entry| fs::read_to_string(entry.path()).ok());
        texts.flat_map(|text| parse(&text)).filter_map(|begun| begun.id).collect()
    }

    pub fn taken_back(&self, path: &Path, begun: &Begun) {
        let mut all = self.left.lock().unwrap();
        let Some(left) = all.iter_mut().find(|left| left.path == path) else { return };
        left.begun.retain(|one| one != begun);
        if left.begun.is_empty() {
            let _ = fs::remove_file(path);
            all.retain(|left| left.path != path);
        }
    }

    /// The file stays when something is open.
    pub fn close(&self) {
        let mut state = self.state.lock().unwrap();
        if let Some((path, _)) = state.file.take().filter(|_| state.open == 0) {
            let _ = fs::remove_file(path);
        }
    }
}

impl Entry {
    pub fn set_id(&self, id: &str) -> io::Result<()> {
        let mut state = self.journal.state.lock().unwrap();
        self.journal.write(&mut state, &format!("id\t{}\t{id}\n", self.n))
    }

    pub fn end(self) {
        // What cannot be written is swept in vain.
        let journal = self.journal.clone();
        let _ = journal.switch(vec![self], &[]);
    }
}

/// Locked before it has its name, so that no sweep finds it free.
fn create(directory: &Path) -> io::Result<(PathBuf, File)> {
    let random = RandomState::new().build_hasher().finish();
    let path = directory.join(format!("{random:016x}.log"));
    let new = path.with_extension("new");
    let file = File::options().append(true).create_new(true).open(&new)?;
    match file.lock() {
        Err(e) if e.kind() != ErrorKind::Unsupported => return Err(e),
        _ => fs::rename(&new, &path)?,
    }
    Ok((path, file))
}

fn find_left(directory: &Path) -> Vec<Left> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let mut found = vec![];
    for path in paths.filter(|path| path.extension().is_some_and(|extension| extension == "log")) {
        let Ok(lock) = File::open(&path) else { continue };
        if lock.try_lock().is_err() {
            continue;
        }
        // Read once it is ours: another may have swept it meanwhile.
        let begun = fs::read_to_string(&path).map(|text| parse(&text)).unwrap_or_default();
        if begun.is_empty() {
            let _ = fs::remove_file(&path);
            continue;
        }
        found.push(Left { path, _lock: lock, begun });
    }
    found
}

fn parse(text: &str) -> Vec<Begun> {
    let mut open = BTreeMap::<u64, Begun>::new();
    // A line that was not written to its end says nothing.
    for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let fields: Vec<_> = line.split('\t').collect();
        let Some(n) = fields.get(1).and_then(|n| n.parse().ok()) else { continue };
        match fields[..] {
            [what @ ("upload" | "object"), _, ms, alone, url, key] => {
                let what = if what == "upload" { What::Upload } else { What::Object };
                let ms = ms.parse().unwrap_or(0);
                let (url, key) = (url.to_string(), key.to_string());
                let (took_ms, alone) = (SKEW_MS, alone == "1");
                open.insert(n, Begun { what, ms, took_ms, alone, url, key, id: None });
            }
            ["id", _, id] => {
                if let Some(begun) = open.get_mut(&n) {
                    begun.id = Some(id.to_string());
                }
            }
            ["end", _] => drop(open.remove(&n)),
            _ => {}
        }
    }
    open.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(key: &str) -> Begun {
        let (url, key) = ("s3://b/".into(), key.into());
        Begun { what: What::Upload, ms: 7, took_ms: 0, alone: true, url, key, id: None }
    }

    #[test]
    fn what_is_not_ended_is_left_for_who_comes_after_the_process() {
        let random = RandomState::new().build_hasher().finish();
        let directory = std::env::temp_dir().join(format!("weir-journal-{random:016x}"));
        let journal = Journal::open(Some(&directory));
        let entries = journal.switch(vec![], &[begun("a b"), begun("c")]).unwrap();
        entries[0].set_id("one").unwrap();
        let mut entries = entries.into_iter();
        let kept = entries.next();
        entries.next().unwrap().end();
        assert!(Journal::open(Some(&directory)).left().is_empty(), "its process lives");
        drop((kept, journal));
        let next = Journal::open(Some(&directory));
        assert_eq!(next.left(), ["s3://b/a b"]);
        assert!(next.left_in("s3://other/").is_empty());
        let (path, one) = next.left_in("s3://b/").remove(0);
        assert_eq!((one.id.as_deref(), one.ms, one.alone), (Some("one"), 7, true));
        next.taken_back(&path, &begun("another"));
        assert!(path.exists() && next.left_in("s3://b/").len() == 1);
        next.taken_back(&path, &one);
        assert!(!path.exists());
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_journal_with_nothing_open_is_empty_and_goes_with_its_process() {
        let random = RandomState::new().build_hasher().finish();
        let directory = std::env::temp_dir().join(format!("weir-journal-{random:016x}"));
        let journal = Journal::open(Some(&directory));
        let entries = journal.switch(vec![], &[begun("a")]).unwrap();
        let path = fs::read_dir(&directory).unwrap().next().unwrap().unwrap().path();
        let entries = journal.switch(entries, &[begun("b")]).unwrap();
        assert_eq!(parse(&fs::read_to_string(&path).unwrap())[0].key, "b");
        entries.into_iter().for_each(Entry::end);
        assert_eq!(fs::metadata(&path).unwrap().len(), 0);
        journal.close();
        assert!(!path.exists());
        fs::remove_dir_all(directory).unwrap();
        assert_eq!(parse("upload\t1\t7\t0\ts3://b/\tk\nend\t1").len(), 1);
    }
}
