//! Names are C's: catalogs and schemas that ask `struct wr_catalog`, and tables in their forms.

use std::ffi::{CStr, CString, c_char, c_void};
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use async_trait::async_trait;
use datafusion::catalog::view::ViewTable;
use datafusion::catalog::{CatalogProvider, CatalogProviderList, SchemaProvider, TableProvider};
use datafusion::common::{TableReference, plan_err};
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{LogicalPlanBuilder, TableType};
use parking_lot::RwLock;

use crate::bindings::*;
use crate::calls;
use crate::error::{Result, call_c, coded, from_c};
use crate::files::FilesTable;
use crate::look_ups::Asked;
use crate::planning::{self, Input, Scope};
use crate::runtime::{Engine, with_large_stack};
use crate::stream_table::StreamTable;
use crate::view::{Query, view};

/// What catalogs, schemas and tables of one session share.
pub struct Names {
    callbacks: wr_catalog,
    pub engine: Arc<Engine>,
    /// The session's state, set once the session exists.
    pub state: OnceLock<Weak<RwLock<SessionState>>>,
}

// The contract of wr_catalog: callable from any thread.
unsafe impl Send for Names {}
unsafe impl Sync for Names {}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names")
    }
}

pub fn text(pointer: *const c_char) -> Option<String> {
    (!pointer.is_null()).then(|| unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned())
}

pub fn c_text(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| {
        coded(WEIR_INVALID_ARGUMENT, "22021", format!("a text holds a zero byte: {text:?}"))
    })
}

unsafe extern "C" fn emit(sink: *mut c_void, name: *const c_char) {
    if let Some(name) = text(name) {
        unsafe { &mut *sink.cast::<Vec<String>>() }.push(name);
    }
}

impl Names {
    pub fn new(callbacks: wr_catalog, engine: Arc<Engine>) -> Arc<Self> {
        Arc::new(Names { callbacks, engine, state: OnceLock::new() })
    }

    fn list(&self, catalog: Option<&str>, schema: Option<&str>) -> Result<Vec<String>> {
        let mut names: Vec<String> = vec![];
        let catalog = catalog.map(c_text).transpose()?;
        let schema = schema.map(c_text).transpose()?;
        let pointer = |t: &Option<CString>| t.as_ref().map_or(std::ptr::null(), |t| t.as_ptr());
        let Some(list) = self.callbacks.list else { return Ok(names) };
        call_c(|error| unsafe {
            let sink = (&raw mut names).cast();
            list(
                self.callbacks.context,
                pointer(&catalog),
                pointer(&schema),
                Some(emit),
                sink,
                error,
            )
        })?;
        Ok(names)
    }

    /// Whether names may be looked up in a catalog, or in a schema of it.
    fn has(&self, catalog: &str, schema: Option<&str>) -> bool {
        let (Ok(catalog), Ok(schema)) = (c_text(catalog), schema.map(c_text).transpose()) else {
            return false;
        };
        let schema = schema.as_ref().map_or(std::ptr::null(), |s| s.as_ptr());
        let has = self.callbacks.has;
        has.is_some_and(|has| unsafe { has(self.callbacks.context, catalog.as_ptr(), schema) } != 0)
    }

    /// Asks C for one table as the planning needs it.
    fn table(&self, catalog: &str, schema: &str, name: &str) -> Result<Option<Arc<Held>>> {
        let asked = Asked {
            catalog: catalog.to_string(),
            schema: schema.to_string(),
            name: name.to_string(),
            in_view: planning::is_in_view(),
        };
        let found = self.ask(&asked)?;
        planning::note(asked, &found);
        Ok(found)
    }

    /// None when there is no such table.
    pub fn ask(&self, asked: &Asked) -> Result<Option<Arc<Held>>> {
        let Some(ask) = self.callbacks.table else { return Ok(None) };
        let (written, given) = calls::decode(&asked.name);
        let (catalog, schema) = (c_text(&asked.catalog)?, c_text(&asked.schema)?);
        let name = c_text(written)?;
        let texts: Vec<(CString, CString)> = given
            .iter()
            .flatten()
            .map(|(key, value)| Ok((c_text(key)?, c_text(value)?)))
            .collect::<Result<_>>()?;
        let options: Vec<weir_option> = texts
            .iter()
            .map(|(key, value)| weir_option { key: key.as_ptr(), value: value.as_ptr() })
            .collect();
        let mut table = wr_table::default();
        let mut error = weir_error::default();
        let code = unsafe {
            ask(
                self.callbacks.context,
                catalog.as_ptr(),
                schema.as_ptr(),
                name.as_ptr(),
                // Not NULL for a call without any.
                if given.is_some() { options.as_ptr() } else { std::ptr::null() },
                options.len(),
                asked.in_view.into(),
                &mut table,
                &mut error,
            )
        };
        match code as u32 {
            0 => Ok(Some(Arc::new(Held(table)))),
            WEIR_NOT_FOUND if error.message[0] == 0 && given.is_none() => Ok(None),
            WEIR_NOT_FOUND if error.message[0] == 0 => Err(coded(
                WEIR_NOT_FOUND,
                "42883",
                format!("there is no table, table function or kind of table {written:?} to call"),
            )),
            _ => Err(from_c(error, code)),
        }
    }

    /// The session's state, one copy for all of a statement's planning.
    pub fn state(&self) -> Result<Arc<SessionState>> {
        planning::state(|| {
            let state = self.state.get().and_then(Weak::upgrade).ok_or_else(|| {
                coded(WEIR_INVALID_STATE, "55000", "the session of this table was closed")
            })?;
            let state = state.read().clone();
            Ok(Arc::new(state))
        })
    }
}

/// A table that C handed over, given back when nothing uses it any more.
pub struct Held(pub wr_table);

unsafe impl Send for Held {}
unsafe impl Sync for Held {}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(release) = self.0.release {
            unsafe { release(&mut self.0) };
        }
    }
}

impl Held {
    pub fn kind(&self) -> &weir_table_kind {
        unsafe { &*self.0.kind }
    }

    /// What the kind says of its rows' version.
    pub fn version(&self) -> Result<Option<String>> {
        let Some(ask) = self.kind().version else { return Ok(None) };
        let mut version = [0 as c_char; WEIR_VERSION_SIZE as usize];
        call_c(|error| unsafe { ask(self.0.instance, version.as_mut_ptr(), error) })?;
        version[version.len() - 1] = 0;
        Ok(text(version.as_ptr()).filter(|version| !version.is_empty()))
    }
}

/// A slice of a C array; empty for NULL.
pub unsafe fn slice<'a, T>(pointer: *const T, length: usize) -> &'a [T] {
    if pointer.is_null() || length == 0 {
        return &[];
    }
    unsafe { std::slice::from_raw_parts(pointer, length) }
}

pub fn options(items: *const weir_option, n_items: usize) -> Vec<(String, String)> {
    unsafe { slice(items, n_items) }
        .iter()
        .filter_map(|o| Some((text(o.key)?, text(o.value).unwrap_or_default())))
        .collect()
}

#[derive(Debug)]
pub struct Catalogs(pub Arc<Names>);

impl CatalogProviderList for Catalogs {
    fn register_catalog(
        &self,
        _name: String,
        _catalog: Arc<dyn CatalogProvider>,
    ) -> Option<Arc<dyn CatalogProvider>> {
        None // only C makes catalogs
    }

    fn catalog_names(&self) -> Vec<String> {
        self.0.list(None, None).unwrap_or_default()
    }

    fn catalog(&self, name: &str) -> Option<Arc<dyn CatalogProvider>> {
        self.0.has(name, None).then(|| {
            Arc::new(Catalog { names: self.0.clone(), name: name.to_string() })
                as Arc<dyn CatalogProvider>
        })
    }
}

#[derive(Debug)]
struct Catalog {
    names: Arc<Names>,
    name: String,
}

impl CatalogProvider for Catalog {
    fn schema_names(&self) -> Vec<String> {
        self.names.list(Some(&self.name), None).unwrap_or_default()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        self.names.has(&self.name, Some(name)).then(|| {
            Arc::new(SchemaOfC {
                names: self.names.clone(),
                catalog: self.name.clone(),
                name: name.to_string(),
            }) as Arc<dyn SchemaProvider>
        })
    }
}

#[derive(Debug, Clone)]
struct SchemaOfC {
    names: Arc<Names>,
    catalog: String,
    name: String,
}

impl SchemaOfC {
    async fn look_up(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let full = TableReference::full(&*self.catalog, &*self.name, name);
        if let Some((known, asked_in_view)) = planning::known(&full) {
            // What a view may read, its reader need not.
            if asked_in_view && !planning::is_in_view() {
                if self.names.table(&self.catalog, &self.name, name)?.is_none() {
                    return Ok(None);
                }
                planning::allow(&full);
            }
            return Ok(Some(known));
        }
        let Some(held) = self.names.table(&self.catalog, &self.name, name)? else {
            return Ok(None);
        };
        let form = FormOf::of(&held);
        let (table, version) = provider(&self.names, &held, form, &full).await?;
        let kind = text(held.kind().name).unwrap_or_default();
        planning::remember(&full, &table, Input { kind, version });
        Ok(Some(table))
    }
}

#[async_trait]
impl SchemaProvider for SchemaOfC {
    fn table_names(&self) -> Vec<String> {
        self.names.list(Some(&self.catalog), Some(&self.name)).unwrap_or_default()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if planning::is_active() {
            return self.look_up(name).await;
        }
        // information_schema lists all columns: a view is planned with its own rights here too, and
        // one table that cannot be read does not end the listing.
        let (schema, name) = (self.clone(), name.to_string());
        let planned = tokio::task::spawn_blocking(move || {
            with_large_stack("weir-columns", || {
                let _scope = Scope::enter();
                schema.names.engine.handle.block_on(schema.look_up(&name))
            })
        });
        Ok(planned.await.ok().and_then(Result::ok).flatten())
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        match self.names.table(&self.catalog, &self.name, name) {
            // Nor does it end the listing of all tables: it is one of them.
            Err(_) if !planning::is_active() => Ok(Some(TableType::Base)),
            Err(error) => Err(error),
            Ok(held) => {
                Ok(held.map(|h| if h.0.is_view != 0 { TableType::View } else { TableType::Base }))
            }
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        self.table_names().iter().any(|n| n == name)
    }
}

// What a form points to is not changed while it is held.
unsafe impl Send for weir_form {}
unsafe impl Sync for weir_form {}

/// A form pointer that a future may hold: what it points to lives as long as its `Held`.
#[derive(Clone, Copy)]
pub struct FormOf(*const weir_form);

unsafe impl Send for FormOf {}
unsafe impl Sync for FormOf {}

impl FormOf {
    pub fn of(held: &Held) -> FormOf {
        FormOf(&raw const held.0.form)
    }

    pub fn get(&self) -> &weir_form {
        unsafe { &*self.0 }
    }

    /// The query of the SQL form.
    pub fn query(&self) -> Query {
        let sql = &self.get().sql;
        Query {
            text: text(sql.query).unwrap_or_default(),
            catalog: text(sql.catalog),
            schema: text(sql.schema),
            source: text(sql.source),
            inputs: options(sql.inputs, sql.n_inputs),
            parameters: options(sql.parameters, sql.n_parameters),
        }
    }

    fn parts(&self) -> Vec<FormOf> {
        let form = self.get();
        unsafe { slice(form.parts, form.n_parts) }.iter().map(|part| FormOf(*part)).collect()
    }
}

type Loaded = (Arc<dyn TableProvider>, Option<String>);

/// The engine's table for a form, and its version.
fn provider<'a>(
    names: &'a Arc<Names>,
    held: &'a Arc<Held>,
    form: FormOf,
    name: &'a TableReference,
) -> std::pin::Pin<Box<dyn Future<Output = Result<Loaded>> + Send + 'a>> {
    Box::pin(async move {
        match form.get().type_ as u32 {
            WEIR_FORM_FILES => {
                let state = names.state()?;
                let table = FilesTable::new(&names.engine, &state, held, form, name).await?;
                let version = table.version();
                Ok((Arc::new(table) as Arc<dyn TableProvider>, version))
            }
            WEIR_FORM_SQL => {
                let version = form.query().version();
                Ok((view(names, held, form, name).await?, Some(version)))
            }
            WEIR_FORM_STREAM | WEIR_FORM_REMOTE => {
                let table = StreamTable::new(held, form, names.state()?.as_ref())?;
                Ok((Arc::new(table) as Arc<dyn TableProvider>, held.version()?))
            }
            WEIR_FORM_UNION => union(names, held, form, name).await,
            other => plan_err!("table {name} has an unknown form {other}"),
        }
    })
}

async fn union(
    names: &Arc<Names>,
    held: &Arc<Held>,
    form: FormOf,
    name: &TableReference,
) -> Result<Loaded> {
    let mut plan: Option<LogicalPlanBuilder> = None;
    let mut versions = Some(String::new());
    for part in form.parts() {
        let (source, version) = provider(names, held, part, name).await?;
        versions = versions.zip(version).map(|(all, one)| format!("{all} {one}"));
        let scan = LogicalPlanBuilder::scan("part", provider_as_source(source), None)?;
        plan = Some(match plan {
            Some(plan) => plan.union_by_name(scan.build()?)?,
            None => scan,
        });
    }
    let Some(plan) = plan else {
        return plan_err!("table {name} is a union without parts");
    };
    // Analysed now, so that the table's columns have the types that its parts agree on.
    let state = names.state()?;
    let options = state.config_options();
    let plan = state.analyzer().execute_and_check(plan.build()?, options, |_, _| {})?;
    Ok((Arc::new(ViewTable::new(plan, None)), versions))
}
