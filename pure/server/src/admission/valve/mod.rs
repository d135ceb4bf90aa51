//! `Valve`: whether all is begun that is asked for, and how much is. What is refused, and when, the [`Room`](super::room::Room) decides;
//! here it is counted.

#[cfg(test)]
mod tests;

use std::time::Duration;

use machine::Time;

use super::hush::Width;

/// What was begun and what was turned away.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Valve {
    began: Time,
    begun: u64,
    turned_away: u64,
    narrow: Option<Narrow>,
}

/// Not everything is begun.
#[derive(Clone, Copy, Debug)]
struct Narrow {
    /// What was begun in a second lately: in thousandths, a moving average.
    rate: u64,
    /// Windows in a row in which nobody was turned away.
    idle: u32,
}

/// What has become of the valve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turned {
    /// Not everything is begun any more.
    Narrow,
    /// Everything is.
    Open,
}

/// How long is counted: twice as long as a process waits that may run for a part of each tenth of a second, as in a container.
const WINDOW: Duration = Duration::from_millis(200);

/// After so many windows in a row in which nobody was turned away, it is over.
const QUIET: u32 = 10;

const THOUSAND: u64 = 1000;

impl Valve {
    /// True while not everything is begun.
    pub(crate) const fn is_narrow(&self) -> bool {
        self.narrow.is_some()
    }

    /// How much of what is new is begun.
    pub(crate) const fn width(&self) -> Width {
        if self.is_narrow() { Width::Narrow } else { Width::Whole }
    }

    /// How much new is begun in a second, while that is not everything.
    pub(crate) fn rate(&self) -> Option<u64> {
        self.narrow.map(|narrow| narrow.rate / THOUSAND)
    }

    /// Something is begun.
    pub(crate) const fn begun(&mut self) {
        self.begun = self.begun.saturating_add(1);
    }

    /// Something is not, because there is too much to do.
    pub(crate) const fn turned_away(&mut self) {
        self.turned_away = self.turned_away.saturating_add(1);
    }

    /// Time passes. Says when that changes something. What the driver does not let through is turned away too.
    pub(crate) fn passes(&mut self, now: Time, driver: Width) -> Option<Turned> {
        let elapsed = now - self.began;
        if elapsed < WINDOW {
            return None;
        }
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
        let begun = self.begun.saturating_mul(THOUSAND * THOUSAND) / millis;
        let busy = self.turned_away > 0 || driver == Width::Narrow;
        (self.began, self.begun, self.turned_away) = (now, 0, 0);
        let Some(narrow) = &mut self.narrow else {
            self.narrow = busy.then_some(Narrow { rate: begun, idle: 0 });
            return busy.then_some(Turned::Narrow);
        };
        narrow.rate = narrow.rate / 4 * 3 + begun / 4;
        narrow.idle = if busy { 0 } else { narrow.idle + 1 };
        // Whoever has slept knows of nothing that stands.
        if narrow.idle < QUIET && elapsed < WINDOW * QUIET {
            return None;
        }
        self.narrow = None;
        Some(Turned::Open)
    }
}
