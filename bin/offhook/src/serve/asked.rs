//! `Asked`: reloads that somebody wants. One is under way at most, on a thread of its own: it may wait for a disk, and signals and the console must not.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use ::console::TellReloaded;

use super::steward::Steward;
use crate::limits;

/// Reloads that somebody wants.
#[derive(Default)]
pub(super) struct Asked(Mutex<State>);

#[derive(Default)]
struct State {
    /// One is under way.
    busy: bool,
    /// Another one after it: the file may have changed since that one has read it.
    again: bool,
    /// Whom that one is for.
    tell: Vec<TellReloaded>,
}

impl Asked {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who waits for the next one, if there is to be one; else nothing is under way any more.
    fn next(&self) -> Option<Vec<TellReloaded>> {
        let mut state = self.state();
        state.busy = std::mem::take(&mut state.again);
        state.busy.then(|| std::mem::take(&mut state.tell))
    }
}

impl Steward {
    /// Reloads soon, and tells what came of it. Whoever finds too many before him is not told, and hears that.
    pub(super) fn reload_soon(self: &Arc<Self>, tell: Option<TellReloaded>) {
        let mut state = self.asked.state();
        if state.tell.len() < limits::RELOADS_ASKED {
            state.tell.extend(tell);
        }
        state.again = true;
        if std::mem::replace(&mut state.busy, true) {
            return;
        }
        drop(state);
        let steward = Arc::clone(self);
        let work = move || steward.obey();
        if let Err(error) = thread::Builder::new().name("reload".into()).spawn(work) {
            self.log.error("not_reloaded", &[("what", (&error.to_string()).into())]);
            // Without a thread nobody is told, and who asked hears that.
            *self.asked.state() = State::default();
        }
    }

    /// Reloads as often as somebody wants it.
    fn obey(&self) {
        while let Some(tell) = self.asked.next() {
            // Whatever becomes of this one, the next one is possible.
            let Ok(result) = catch_unwind(AssertUnwindSafe(|| self.reload())) else { continue };
            for tell in tell {
                tell(match &result {
                    Ok(generation) => Ok((*generation).into()),
                    Err(mistakes) => Err(mistakes.to_string().lines().map(Into::into).collect()),
                });
            }
        }
    }
}
