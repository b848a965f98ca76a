//! What the planning of one statement shares: each table that it met, looked up once, and the views
//! that are being planned. A statement is planned on one thread.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::{TableReference, plan_err};
use datafusion::execution::SessionState;

use crate::catalog::Held;
use crate::error::Result;
use crate::look_ups::{Asked, LookUp};

/// A view that names itself is an error, and so is a chain of views longer than this.
const MAX_VIEW_DEPTH: usize = 64;

/// A table that a statement reads, directly or through views.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    pub kind: String,
    /// Another text whenever the table's own rows, or a view's text, may be others.
    pub version: Option<String>,
}

pub type Inputs = BTreeMap<String, Input>;

struct Planning {
    views: Vec<(String, bool)>, // outermost first; whether it has its own rights
    /// And whether each was asked for in a view only.
    tables: HashMap<TableReference, (Arc<dyn TableProvider>, bool)>,
    inputs: Inputs,
    /// All that was asked; None: the plan stands on more than that.
    look_ups: Option<Vec<LookUp>>,
    state: Option<Arc<SessionState>>,
}

impl Planning {
    fn is_in_view(&self) -> bool {
        !self.views.is_empty() && self.views.iter().all(|(_, own_rights)| *own_rights)
    }
}

thread_local! {
    static PLANNING: RefCell<Option<Planning>> = const { RefCell::new(None) };
}

/// While it lives, a statement is being planned on this thread.
pub struct Scope(());

impl Scope {
    pub fn enter() -> Scope {
        PLANNING.set(Some(Planning {
            views: vec![],
            tables: HashMap::new(),
            inputs: Inputs::new(),
            look_ups: Some(vec![]),
            state: None,
        }));
        Scope(())
    }

    /// The tables that were met, and what was asked of C.
    pub fn end(self) -> (Inputs, Option<Vec<LookUp>>) {
        with(|planning| (std::mem::take(&mut planning.inputs), planning.look_ups.take()))
            .unwrap_or_default()
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        PLANNING.set(None);
    }
}

fn with<T>(f: impl FnOnce(&mut Planning) -> T) -> Option<T> {
    PLANNING.with_borrow_mut(|planning| planning.as_mut().map(f))
}

/// Whether a statement is being planned, rather than information_schema being read.
pub fn is_active() -> bool {
    PLANNING.with_borrow(Option::is_some)
}

/// A table that the statement met before: it sees one list of files, and a view is planned once.
/// And whether it was met in a view only.
pub fn known(name: &TableReference) -> Option<(Arc<dyn TableProvider>, bool)> {
    with(|planning| planning.tables.get(name).cloned()).flatten()
}

/// A known table may be read outside of a view too.
pub fn allow(name: &TableReference) {
    with(|planning| planning.tables.get_mut(name).map(|known| known.1 = false));
}

/// What C was asked, and its answer.
pub fn note(asked: Asked, found: &Option<Arc<Held>>) {
    if with(|planning| planning.look_ups.is_some()) != Some(true) {
        return;
    }
    // Not while the planning is borrowed: it asks the table's kind.
    let noted = LookUp::new(asked, found).ok().flatten();
    with(|planning| match (noted, &mut planning.look_ups) {
        (Some(look_up), Some(look_ups)) => look_ups.push(look_up),
        _ => planning.look_ups = None,
    });
}

/// Whether what is planned now stands in views that have their own rights.
pub fn is_in_view() -> bool {
    with(|planning| planning.is_in_view()) == Some(true)
}

pub fn remember(name: &TableReference, table: &Arc<dyn TableProvider>, input: Input) {
    with(|planning| {
        let in_view = planning.is_in_view();
        planning.tables.insert(name.clone(), (table.clone(), in_view));
        planning.inputs.insert(path(name), input);
    });
}

/// Where a table stands in the tree; a path or URL that was given in its place is as it was given.
fn path(name: &TableReference) -> String {
    let table = name.table();
    match (name.catalog(), name.schema()) {
        _ if table.contains('/') => table.to_string(),
        (Some(catalog), Some(".")) => format!("/{catalog}/{table}"),
        (Some(catalog), Some(schema)) => format!("/{catalog}/{schema}/{table}"),
        _ => table.to_string(),
    }
}

/// The session's state, made once: a copy of it costs as much as planning a small view.
pub fn state(make: impl FnOnce() -> Result<Arc<SessionState>>) -> Result<Arc<SessionState>> {
    if let Some(state) = with(|planning| planning.state.clone()).flatten() {
        return Ok(state);
    }
    let state = make()?;
    with(|planning| planning.state = Some(state.clone()));
    Ok(state)
}

/// While it lives, a view of that name is being planned.
pub struct InView(());

impl InView {
    pub fn enter(name: String, own_rights: bool) -> Result<InView> {
        let entered = with(|planning| {
            let views = &mut planning.views;
            if let Some(at) = views.iter().position(|(view, _)| *view == name) {
                let cycle = views[at..].iter().map(|(view, _)| view.as_str());
                let cycle = cycle.chain([name.as_str()]).collect::<Vec<_>>().join(" -> ");
                return plan_err!("a view reads itself: {cycle}");
            }
            if views.len() >= MAX_VIEW_DEPTH {
                return plan_err!("views are nested more than {MAX_VIEW_DEPTH} deep at {name}");
            }
            views.push((name, own_rights));
            Ok(())
        });
        entered.unwrap_or(Ok(())).map(InView)
    }
}

impl Drop for InView {
    fn drop(&mut self) {
        with(|planning| planning.views.pop());
    }
}
