//! Plans of queries over databases and views, kept for the next time that their session is given the
//! same text. One is used only where all that its planning asked of C was asked again and answered
//! alike (`look_ups.rs`), under settings that nobody touched: so there is nothing that it could miss.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::error::Result;
use crate::look_ups::{LookUp, are_answered_alike};
use crate::options::Options;
use crate::plan::Made;
use crate::session::Session;
use crate::store::count;

/// Of all sessions together. The one that was not used for longest goes.
const MAX_PLANS: usize = 256;
/// A plan may take a hundred times its text.
const MAX_TEXT: usize = 16 << 10;

#[derive(Default)]
pub struct PlanCache {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By session and text.
    plans: HashMap<u64, HashMap<String, Kept>>,
    n_plans: usize,
    /// Counts what was used.
    time: u64,
    /// Counts how often all plans were dropped.
    cleared: u64,
}

struct Kept {
    made: Arc<Made>,
    settings: u64,
    used: u64,
}

/// The kept plan of a statement, where whether it may be used is to be found out on any thread.
pub fn kept(session: &Session, sql: &str) -> Result<Option<Arc<Made>>> {
    let found = find(session, sql).filter(|made| {
        let mut look_ups = made.look_ups.iter().flatten();
        look_ups.all(LookUp::may_be_asked_anywhere)
    });
    confirm(session, found)
}

/// The plan of a statement: the kept one, or what `make` gives.
pub fn plan(
    session: &Session,
    sql: &str,
    make: impl FnOnce() -> Result<Made>,
) -> Result<Arc<Made>> {
    if !keeps(session, sql) {
        return make().map(Arc::new);
    }
    if let Some(kept) = confirm(session, find(session, sql))? {
        return Ok(kept);
    }
    let (cache, settings) = (&session.engine.plans, session.settings());
    let cleared = cache.cleared();
    let made = Arc::new(make()?);
    if made.look_ups.is_some() {
        count(&session.engine.counters.plans_made, 1);
        cache.keep(session.id, settings, cleared, &made);
    }
    Ok(made)
}

fn keeps(session: &Session, sql: &str) -> bool {
    let is_on = Options::of(session.context.state_ref().read().config_options()).plan_cache;
    is_on && sql.len() <= MAX_TEXT
}

fn find(session: &Session, sql: &str) -> Option<Arc<Made>> {
    let settings = session.settings();
    let is_kept = keeps(session, sql);
    is_kept.then(|| session.engine.plans.find(session.id, settings, sql)).flatten()
}

/// A plan that was found, if it would be made alike now; else it is forgotten.
fn confirm(session: &Session, found: Option<Arc<Made>>) -> Result<Option<Arc<Made>>> {
    let Some(kept) = found else { return Ok(None) };
    let look_ups = kept.look_ups.as_deref().unwrap_or_default();
    let alike = are_answered_alike(look_ups, &session.names);
    if let Ok(true) = alike {
        count(&session.engine.counters.plans_kept, 1);
        return Ok(Some(kept));
    }
    session.engine.plans.forget(session.id, &kept.sql);
    alike?;
    Ok(None)
}

/// What is taken out is dropped without the mutex: a table may take its time to be closed.
impl PlanCache {
    pub fn n_plans(&self) -> usize {
        self.state.lock().unwrap().n_plans
    }

    fn find(&self, session: u64, settings: u64, sql: &str) -> Option<Arc<Made>> {
        let mut state = self.state.lock().unwrap();
        state.time += 1;
        let time = state.time;
        let kept = state.plans.get_mut(&session)?.get_mut(sql)?;
        kept.used = time;
        (kept.settings == settings).then(|| kept.made.clone())
    }

    fn cleared(&self) -> u64 {
        self.state.lock().unwrap().cleared
    }

    /// Unless all plans were dropped since its planning began: it may hold what they held.
    fn keep(&self, session: u64, settings: u64, cleared: u64, made: &Arc<Made>) {
        let mut state = self.state.lock().unwrap();
        if state.cleared != cleared {
            return;
        }
        let before = state.take(session, &made.sql);
        let oldest = (state.n_plans >= MAX_PLANS).then(|| state.take_oldest());
        state.time += 1;
        state.n_plans += 1;
        let kept = Kept { made: made.clone(), settings, used: state.time };
        state.plans.entry(session).or_default().insert(made.sql.clone(), kept);
        drop(state);
        drop((before, oldest));
    }

    fn forget(&self, session: u64, sql: &str) {
        let taken = self.state.lock().unwrap().take(session, sql);
        drop(taken);
    }

    pub fn forget_session(&self, session: u64) {
        let mut state = self.state.lock().unwrap();
        let taken = state.plans.remove(&session);
        state.n_plans -= taken.as_ref().map_or(0, HashMap::len);
        drop(state);
        drop(taken);
    }

    /// Drops all plans, and so what they hold of tables that may be gone.
    pub fn clear(&self) {
        let mut state = self.state.lock().unwrap();
        let taken = std::mem::take(&mut state.plans);
        state.n_plans = 0;
        state.cleared += 1;
        drop(state);
        drop(taken);
    }
}

impl State {
    fn take(&mut self, session: u64, sql: &str) -> Option<Kept> {
        let plans = self.plans.get_mut(&session)?;
        let taken = plans.remove(sql)?;
        if plans.is_empty() {
            self.plans.remove(&session);
        }
        self.n_plans -= 1;
        Some(taken)
    }

    fn take_oldest(&mut self) -> Option<Kept> {
        let all = self.plans.iter().flat_map(|(session, plans)| {
            plans.iter().map(|(sql, kept)| (kept.used, *session, sql))
        });
        let (_, session, sql) = all.min()?;
        let sql = sql.clone();
        self.take(session, &sql)
    }
}
