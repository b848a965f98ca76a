//! What a planning asked C for and was answered. A plan that stands on queries, databases and objects
//! of stores alone would be made alike as long as the same questions are answered alike.

use std::sync::Arc;

use arrow::datatypes::Schema;

use crate::bindings::*;
use crate::catalog::{FormOf, Held, Names, options, slice, text};
use crate::error::{Result, call_c};
use crate::objects;
use crate::stream::import_schema;
use crate::view::Query;

/// A table's full name, and whether it stands in a view that has its own rights.
pub struct Asked {
    pub catalog: String,
    pub schema: String,
    pub name: String,
    pub in_view: bool,
}

pub struct LookUp {
    asked: Asked,
    answer: Answer,
    /// enum weir_kind_role of the kind that answered.
    roles: u32,
}

#[derive(PartialEq)]
enum Answer {
    Nothing,
    Query { query: Query, definition: Option<String>, is_view: bool, has_own_rights: bool },
    Remote(Remote),
    Objects(Objects),
}

/// A plan holds what it knows of each of its files: with more of them than this it is not kept.
const MOST_FILES: usize = 256;

/// A table of the FILES form whose files are objects of stores, each in one version. What files of this machine depend on,
/// the copy of a pipe, is not held for a plan that may never be wanted again.
#[derive(PartialEq)]
struct Objects {
    kind: Option<String>,
    is_view: bool,
    definition: Option<String>,
    declared: Option<Schema>,
    partition_columns: Option<Schema>,
    /// Format, compression, order, where rows are written.
    texts: [Option<String>; 4],
    options: Vec<(String, String)>,
    files: Vec<Object>,
}

#[derive(PartialEq)]
struct Object {
    url: String,
    etag: String,
    n_bytes: i64,
    modified_ns: i64,
    partition_values: Vec<Option<String>>,
}

/// A table of the REMOTE form. It is held, so that no other one comes to be at its address.
struct Remote {
    held: Arc<Held>,
    schema: Schema,
    version: Option<String>,
    /// As the kind's statistics have them.
    n_rows: i64,
}

impl LookUp {
    /// None: a plan with that table stands on more than what is told by looking it up.
    pub fn new(asked: Asked, found: &Option<Arc<Held>>) -> Result<Option<LookUp>> {
        let roles = found.as_ref().map_or(0, |held| held.kind().roles);
        Ok(Answer::of(found)?.map(|answer| LookUp { asked, answer, roles }))
    }

    /// Not only by a thread that plans: the kind would do no more there, nor wait for longer than the
    /// call lasts.
    pub fn may_be_asked_anywhere(&self) -> bool {
        match &self.answer {
            Answer::Nothing => true,
            // What is asked of a store ends with the call.
            Answer::Objects(_) => true,
            Answer::Query { .. } | Answer::Remote(_) => self.roles & WEIR_ENDS_AT_ONCE != 0,
        }
    }

    fn is_answered_alike(&self, names: &Names) -> Result<bool> {
        let found = names.ask(&self.asked)?;
        Ok(Answer::of(&found)?.is_some_and(|answer| answer == self.answer))
    }
}

/// Asks all of it again, in the same order. What fails would fail in a new planning too, which came
/// just as far: so that nobody waits twice for a database that hangs, it is the statement's error.
pub fn are_answered_alike(look_ups: &[LookUp], names: &Names) -> Result<bool> {
    for look_up in look_ups {
        if !look_up.is_answered_alike(names)? {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Answer {
    fn of(found: &Option<Arc<Held>>) -> Result<Option<Answer>> {
        let Some(held) = found else { return Ok(Some(Answer::Nothing)) };
        let table = &held.0;
        Ok(match table.form.type_ as u32 {
            WEIR_FORM_SQL => Some(Answer::Query {
                query: FormOf::of(held).query(),
                definition: text(table.definition),
                is_view: table.is_view != 0,
                has_own_rights: table.has_own_rights != 0,
            }),
            WEIR_FORM_REMOTE => Some(Answer::Remote(Remote {
                held: held.clone(),
                schema: import_schema(&table.form.schema)?,
                version: held.version()?,
                n_rows: n_rows(held)?,
            })),
            WEIR_FORM_FILES => Objects::of(held)?.map(Answer::Objects),
            _ => None,
        })
    }
}

impl Objects {
    fn of(held: &Held) -> Result<Option<Objects>> {
        let (table, form) = (&held.0, &held.0.form);
        let files = &form.files;
        if !(1..=MOST_FILES).contains(&files.n_files) {
            return Ok(None);
        }
        let schema = |schema: &ArrowSchema| schema.release.map(|_| import_schema(schema));
        let partition_columns = unsafe { files.partition_columns.as_ref() };
        let partition_columns = partition_columns.and_then(schema).transpose()?;
        let n_values = partition_columns.as_ref().map_or(0, |columns| columns.fields().len());
        let found = unsafe { slice(files.files, files.n_files) };
        let found = found.iter().map(|file| Object::of(file, n_values)).collect();
        let Some(found) = found else { return Ok(None) };
        Ok(Some(Objects {
            kind: text(held.kind().name),
            is_view: table.is_view != 0,
            definition: text(table.definition),
            declared: schema(&form.schema).transpose()?,
            partition_columns,
            texts: [files.format, files.compression, files.order_by, files.write_url].map(text),
            options: options(files.options, files.n_options),
            files: found,
        }))
    }
}

impl Object {
    /// None: it is none, or nothing tells its versions apart.
    fn of(file: &weir_file, n_values: usize) -> Option<Object> {
        let (url, etag) = (text(file.url)?, text(file.etag)?);
        let is_stored = url.strip_prefix(objects::SCHEME)?.starts_with("://");
        is_stored.then(|| Object {
            url,
            etag,
            n_bytes: file.n_bytes,
            modified_ns: file.modified_ns,
            partition_values: texts(file.partition_values, n_values),
        })
    }
}

fn n_rows(held: &Held) -> Result<i64> {
    let Some(ask) = held.kind().statistics else { return Ok(-1) };
    let mut known = weir_statistics { size: size_of::<weir_statistics>(), ..Default::default() };
    call_c(|error| unsafe { ask(held.0.instance, &mut known, error) })?;
    let n_rows = known.n_rows;
    if let Some(release) = known.release {
        unsafe { release(&mut known) };
    }
    Ok(n_rows)
}

impl PartialEq for Remote {
    fn eq(&self, other: &Remote) -> bool {
        let (a, b) = (&self.held.0, &other.held.0);
        std::ptr::eq(a.kind, b.kind)
            && std::ptr::eq(a.instance, b.instance)
            && self.n_rows == other.n_rows
            && self.version == other.version
            && (a.is_view, text(a.definition)) == (b.is_view, text(b.definition))
            && self.schema == other.schema
            && same_remote(&a.form.remote, &b.form.remote, self.schema.fields().len())
    }
}

fn same_remote(a: &weir_remote, b: &weir_remote, n_columns: usize) -> bool {
    let columns = |remote: &weir_remote| match remote.columns.is_null() {
        true => vec![],
        false => texts(remote.columns, n_columns),
    };
    let partitions = |remote: &weir_remote| texts(remote.partitions, remote.n_partitions);
    text(a.dialect) == text(b.dialect)
        && text(a.backend) == text(b.backend)
        && text(a.table) == text(b.table)
        && columns(a) == columns(b)
        && partitions(a) == partitions(b)
        && a.execute.map(|f| f as usize) == b.execute.map(|f| f as usize)
        && a.change.map(|f| f as usize) == b.change.map(|f| f as usize)
}

fn texts(pointer: *const *const std::ffi::c_char, n: usize) -> Vec<Option<String>> {
    unsafe { slice(pointer, n) }.iter().map(|item| text(*item)).collect()
}
