//! `Valve`: how much new is begun in a second, by how long everything has to wait.
//!
//! What counts is the shortest wait of a while, as in CoDel (RFC 8289 §3): a burst makes the longest wait long, and a process that may
//! run only now and then finds a heap each time; but whoever keeps up is done with everything once in a while. A queue that never ends
//! is one too much. While it stands, no more is begun than was done lately; when it is gone, a little more each time.

#[cfg(test)]
mod tests;

use std::time::Duration;

use machine::Time;
use protocol::doors::Backlog;

use super::Class;

/// How much new is begun.
#[derive(Clone, Debug)]
pub(crate) struct Valve {
    window: Window,
    state: State,
}

/// What is known of the last moment.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    began: Time,
    /// The shortest wait.
    least: Option<Duration>,
    /// Something was thrown away unread.
    lost: bool,
    begun: u32,
    turned_away: u32,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Everything is begun. How many windows in a row were too long.
    Open {
        bad: u32,
    },
    Narrow(Narrow),
}

/// So much is begun.
#[derive(Clone, Copy, Debug)]
struct Narrow {
    /// In thousandths a second.
    rate: u64,
    /// The same, when a queue began to grow last.
    knee: u64,
    /// What may be begun at once, in thousandths; less than nothing when more urgent things were begun on credit.
    tokens: i64,
    at: Time,
    /// The shortest wait of the last window.
    least: Duration,
    /// Windows in a row with a standing queue.
    ill: u32,
    /// Windows in a row without a standing queue.
    well: u64,
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

/// How long a window lasts: twice as long as a process waits that may run for a part of each tenth of a second, as in a container.
const WINDOW: Duration = Duration::from_millis(200);

/// After so many windows in a row in which nobody was turned away, everything is begun again.
const QUIET: u32 = 10;

/// The least that is begun in a second, in thousandths: a server whose disk or neighbour is slow begins something all the same.
const FLOOR: u64 = 10_000;

impl Valve {
    pub(crate) fn new() -> Self {
        Self { window: Window::default(), state: State::Open { bad: 0 } }
    }

    /// True while not everything is begun.
    pub(crate) const fn is_narrow(&self) -> bool {
        matches!(self.state, State::Narrow(_))
    }

    /// How much new is begun in a second, while that is not everything.
    pub(crate) fn rate(&self) -> Option<u64> {
        match &self.state {
            State::Open { .. } => None,
            State::Narrow(narrow) => Some(narrow.rate / THOUSAND),
        }
    }

    /// The same without what is held back for a moment, so that a queue ends.
    pub(crate) fn capacity(&self) -> Option<u64> {
        match &self.state {
            State::Open { .. } => None,
            State::Narrow(narrow) => Some(narrow.rate.max(narrow.knee) / THOUSAND),
        }
    }

    /// What is told next has waited; longer than `target` is too long. Says when that changes something.
    pub(crate) fn waited(
        &mut self,
        now: Time,
        target: Duration,
        backlog: Backlog,
    ) -> Option<Turned> {
        let elapsed = now - self.window.began;
        let turned = if elapsed >= WINDOW { self.judge(now, target, elapsed) } else { None };
        let Window { least, lost, .. } = &mut self.window;
        *least = Some(least.map_or(backlog.waited, |least| least.min(backlog.waited)));
        *lost |= backlog.lost > 0;
        turned
    }

    /// May something of this class begin?
    pub(crate) fn lets(&mut self, now: Time, class: Class) -> bool {
        let may = match &mut self.state {
            State::Open { .. } => true,
            State::Narrow(narrow) => narrow.take(now, class),
        };
        let count = if may { &mut self.window.begun } else { &mut self.window.turned_away };
        *count = count.saturating_add(1);
        may
    }

    /// A window is over.
    fn judge(&mut self, now: Time, target: Duration, elapsed: Duration) -> Option<Turned> {
        let window =
            std::mem::replace(&mut self.window, Window { began: now, ..Window::default() });
        // Whoever has slept knows nothing of a queue.
        let slept = elapsed > 8 * WINDOW;
        let least = window.least.unwrap_or_default();
        let bad = !slept && (least > target || window.lost);
        let begun = u64::from(window.begun).saturating_mul(THOUSAND * THOUSAND);
        let begun = begun / millis(elapsed).max(1);
        match &mut self.state {
            State::Open { bad: before } if bad && *before > 0 => {
                let rate = (begun * 4 / 5).max(FLOOR);
                let narrow = Narrow {
                    rate,
                    knee: rate,
                    tokens: 0,
                    at: now,
                    least,
                    ill: 0,
                    well: 0,
                    idle: 0,
                };
                self.state = State::Narrow(narrow);
                Some(Turned::Narrow)
            }
            State::Open { bad: before } => {
                *before = u32::from(bad);
                None
            }
            State::Narrow(narrow) => {
                if bad {
                    narrow.cut(begun, target, window);
                } else {
                    narrow.grow(least, (window.begun, window.turned_away));
                }
                let over = slept || narrow.idle >= QUIET;
                if over {
                    self.state = State::Open { bad: 0 };
                }
                over.then_some(Turned::Open)
            }
        }
    }
}

const THOUSAND: u64 = 1000;
const PERCENT: u64 = 100;

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Narrow {
    fn take(&mut self, now: Time, class: Class) -> bool {
        let passed = u64::try_from((now - self.at).as_micros()).unwrap_or(u64::MAX);
        self.at = self.at.max(now);
        let grown = self.rate.saturating_mul(passed) / (THOUSAND * THOUSAND);
        // What comes in a window may be begun at once.
        let most = i64::try_from(self.rate / 10).unwrap_or(i64::MAX).max(2 * ONE);
        let grown = i64::try_from(grown).unwrap_or(i64::MAX);
        self.tokens = self.tokens.saturating_add(grown).min(most);
        let left = self.tokens.saturating_sub(ONE);
        let may = left >= most.saturating_mul(class.credit()).saturating_neg();
        if may {
            self.tokens = left;
        }
        may
    }

    /// A queue stands: less than was begun while it did; and for a moment still less, so that it ends.
    fn cut(&mut self, begun: u64, target: Duration, window: Window) {
        let (least, lost) = (window.least.unwrap_or_default(), window.lost);
        let before = std::mem::replace(&mut self.least, least);
        (self.well, self.idle) = (0, 0);
        // A buffer that runs over grows no longer.
        // After a second of it, what stands is a heap from before: to begin still less would not make it go sooner.
        self.ill += 1;
        if (lost || least > before) && (self.ill <= 5 || self.ill.is_multiple_of(16)) {
            let percent = if lost { 94 } else { 97 };
            let done = begun.max(self.rate * 9 / 10).min(self.rate);
            self.knee = (done * percent / PERCENT).max(FLOOR);
        }
        let drained = PERCENT - (millis(least.saturating_sub(target)) / 10).clamp(2, 40);
        self.rate = (self.knee * drained / PERCENT).max(FLOOR);
    }

    /// There is none: soon as much as could be done before, then little by little more, and after a while faster.
    fn grow(&mut self, least: Duration, (begun, turned_away): (u32, u32)) {
        (self.least, self.ill) = (least, 0);
        if turned_away == 0 {
            self.idle += 1;
            return;
        }
        self.idle = 0;
        // Where hardly anybody is turned away, it is hardly the rate that holds them up.
        if turned_away < begun / 64 {
            self.rate += self.rate / 128;
            return;
        }
        self.well = (self.well + 1).min(64);
        let nearly = self.knee - self.knee / 32;
        let more = if self.well > 12 { self.well * self.well } else { self.well * 8 };
        self.rate = if self.rate < nearly {
            nearly
        } else {
            self.rate.saturating_add(self.rate * more / 4096 + 100)
        };
    }
}

const ONE: i64 = 1000;
