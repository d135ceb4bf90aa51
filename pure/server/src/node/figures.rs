//! What a shard has counted, for whoever measures it.

use super::Node;
use crate::figures::{Figures, Gauges};

impl Node {
    /// What this shard has counted since its start, and how much of everything there is now.
    pub fn figures(&self) -> Figures {
        let repeats = self.transactions.repeats();
        let now = Gauges {
            transactions: self.transactions.len(),
            forwarding: self.forwarding(),
            users: self.roles.registrar.len(),
            bindings: self.roles.registrar.location().bindings_in_all(),
            subscriptions: self.roles.regevent.len(),
            calls: self.calls.len(),
            barred: self.roles.bans.barred(),
        };
        let turned_away = self.roles.door.tally();
        let mut figures = Figures { now, repeats, turned_away, ..self.figures.clone() };
        figures.registrations.delay = self.roles.registrar.delays().clone();
        figures.sessions = self.calls.sessions().clone();
        figures
    }
}
