//! `Hush`: how many of the new requests the driver need not even read. To read one and to say nothing costs a sixteenth of a call, and
//! whoever hears nothing repeats itself six times: at ten times what we can do, that would be all that we do.
//!
//! Which ones, their octets say, so those that pass were heard at once, and how many they are says how many want something. To let
//! fewer pass costs nothing. To let more pass does: those that were not heard so far come with their repeats, so they are on
//! [`Trial`] at first.
//!
//! Of what is as soon answered as refused all that is read is answered, and late is better than never. So that it is not read when its
//! sender has repeated it already, nothing passes now and then until what has come is answered.

#[cfg(test)]
mod tests;

use std::time::Duration;

use machine::Time;
use protocol::Transport;
use protocol::load::{Backlog, PARTS};
use sip::Message;

use super::trial::Trial;
use super::work::{self, Work};

/// How many new requests the driver lets through to us.
#[derive(Clone, Debug)]
pub(crate) struct Hush {
    /// The parts of all requests that are let through.
    open: u64,
    count: Count,
    /// What can be begun in a period, learnt from so many.
    can: u64,
    learnt: u64,
    steady: Steady,
    stage: Stage,
    began: Time,
    unheard: Unheard,
    /// Since when nothing passes, until what has come is answered.
    drains: Option<Time>,
    /// For how long nothing has passed in this period.
    drained: Duration,
    trial: Trial,
}

/// What came through in a period.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    /// Whatever came.
    read: u64,
    seen: u64,
    /// Those of them who had better not be served late.
    hasty: u64,
    begun: u64,
    turned_away: u64,
    lost: u64,
    /// What was spent on those that were not begun, in parts of what one takes that is.
    spent: u64,
}

/// What came since all settled after the last change, in so many periods.
#[derive(Clone, Copy, Debug, Default)]
struct Steady {
    came: u64,
    away: u64,
    periods: u64,
}

/// All.
const WHOLE: u64 = PARTS as u64;

/// The least that is let through: by it we see when there is less again.
const LEAST: u64 = 4;

/// How long is counted.
const PERIOD: Duration = Duration::from_millis(500);

/// So many periods together say how much can be begun: one in which others have the processor says little.
const LEARNT: u64 = 7;

/// So many periods say well what comes.
const ENOUGH: u64 = 4;

/// When one in so many would give up, they are served as all such would be.
const HASTY: u64 = 4;

/// When one in so many that come may be left out, that would help.
const HELPS: u64 = 4;

/// By then all that a socket holds is answered.
const DRAINED: Duration = Duration::from_secs(2);

/// What the next period is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing was left out so far: it may tell roughly how much is too much.
    Whole,
    /// What comes in it came before the last change, or is the first repeat of what was lost then. It tells nothing.
    Settling,
    /// It tells how much is too much.
    Settled,
}

/// What most of those do who are not heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unheard {
    /// Nothing: they have come by a stream.
    Nothing,
    /// They repeat themselves, and late is better than never.
    Wait,
    /// They repeat themselves, and soon give up.
    GiveUp,
}

/// How much of what is new comes in, or is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    Whole,
    Narrow,
}

impl Hush {
    /// The key tells the parts of the requests from each other.
    pub(crate) fn new(key: u32) -> Self {
        Self {
            open: WHOLE,
            count: Count::default(),
            can: 0,
            learnt: 0,
            steady: Steady::default(),
            stage: Stage::Whole,
            began: Time::default(),
            unheard: Unheard::Nothing,
            drains: None,
            drained: Duration::ZERO,
            trial: Trial::new(key),
        }
    }

    /// May a request that came by a datagram be the repeat of one that did not come through?
    pub(crate) fn may_be_late(&self, now: Time, request: &Message) -> bool {
        self.trial.has(now, request)
    }

    /// A request came through that need not have, by such a transport.
    pub(crate) fn seen(&mut self, transport: Transport, work: Work) {
        self.count.seen += 1;
        if transport.is_reliable() {
            return;
        }
        self.count.hasty += u64::from(work == Work::Much);
        if self.unheard == Unheard::Nothing {
            self.unheard = Unheard::GiveUp;
        }
    }

    /// A request is begun, whether it had to come through or not: there is time for so many.
    pub(crate) const fn begun(&mut self) {
        self.count.begun += 1;
    }

    /// One that need not have come through is not.
    pub(crate) const fn turned_away(&mut self) {
        self.count.turned_away += 1;
    }

    /// One was refused in words: that takes a part of what one takes that is begun.
    pub(crate) const fn spent_words(&mut self, work: Work) {
        self.count.spent += work.words();
    }

    /// One was read for nothing: a smaller part.
    pub(crate) const fn spent_silence(&mut self, work: Work) {
        self.count.spent += work.silence();
    }

    /// So much comes; and so many datagrams did not come through, because there was no room: in a flood they are requests.
    pub(crate) const fn hears(&mut self, backlog: Backlog) {
        self.count.read = self.count.read.saturating_add(backlog.read);
        self.count.lost = self.count.lost.saturating_add(backlog.lost);
    }

    /// Would there be less to do if less passed? What is read in any case may be what there is too much of, requests or not.
    pub(crate) const fn would_help(&self) -> bool {
        self.count.seen.saturating_mul(HELPS) >= self.count.read
    }

    /// How much the driver lets through.
    pub(crate) const fn width(&self) -> Width {
        if self.open == WHOLE && self.drains.is_none() { Width::Whole } else { Width::Narrow }
    }

    /// What the driver is to be told, when that changes: how many parts of all requests it need not read. As much as is begun may pass,
    /// and a sixteenth more to be refused in words.
    pub(crate) fn update(&mut self, now: Time, begins: Width) -> Option<u16> {
        let elapsed = now - self.began;
        // The machine may have slept meanwhile.
        let is_over = begins == Width::Whole && self.drains.take().is_some();
        if !is_over && (elapsed < PERIOD || self.drains.is_some()) {
            return None;
        }
        self.began = now;
        let count = std::mem::take(&mut self.count);
        let drained = std::mem::take(&mut self.drained);
        self.judge(count);
        let before = self.open;
        match begins {
            Width::Narrow if drained.is_zero() => self.open = self.next(now, count),
            Width::Narrow => self.open = self.after_drains(count, drained, elapsed),
            Width::Whole => (self.open, self.learnt, self.stage) = (WHOLE, 0, Stage::Whole),
        }
        self.open = self.open.clamp(LEAST, WHOLE);
        if self.open != before || begins == Width::Whole {
            self.steady = Steady::default();
            self.stage = match self.open {
                WHOLE => Stage::Whole,
                _ if self.unheard == Unheard::GiveUp => Stage::Settling,
                // What comes is what there is, or welcome though it comes late.
                _ => Stage::Settled,
            };
        }
        self.trial.keep_from(dropped(self.open));
        if self.open == WHOLE || self.open >= 2 * before {
            // There is less than there was: rather late than never.
            self.trial.end();
            self.unheard = Unheard::Nothing;
        } else if self.open > before && self.unheard == Unheard::GiveUp {
            self.trial.begin(now, dropped(self.open)..dropped(before));
        }
        (is_over || self.open != before).then(|| dropped(self.open))
    }

    /// While what has come waits for longer than that, or is lost, nothing more passes, if those who come are patient. Says what the driver is to
    /// be told when that begins or is over.
    pub(crate) fn drain(&mut self, now: Time, backlog: Backlog, target: Duration) -> Option<u16> {
        let Some(since) = self.drains else {
            if backlog.lost == 0 && backlog.waited <= target {
                return None;
            }
            self.judge(self.count);
            if self.unheard != Unheard::Wait || !self.would_help() {
                return None;
            }
            self.drains = Some(now);
            return Some(dropped(LEAST));
        };
        if backlog.unread && now - since < DRAINED {
            return None;
        }
        self.drains = None;
        self.drained += now - since;
        Some(dropped(self.open))
    }

    /// Who comes?
    fn judge(&mut self, count: Count) {
        if count.seen > 0 && self.unheard != Unheard::Nothing {
            let hasty = count.hasty * HASTY > count.seen;
            self.unheard = if hasty { Unheard::GiveUp } else { Unheard::Wait };
        }
    }

    /// What passes when for so much of the time nothing has passed.
    fn after_drains(&mut self, count: Count, drained: Duration, elapsed: Duration) -> u64 {
        self.learn(count.in_a_period(elapsed));
        self.steady = Steady::default();
        // Who was not heard so far comes, too, so it is narrowed slowly, unless it is far too much; and a drain wastes nothing.
        let too_long = drained.saturating_sub(elapsed / 4);
        let too_long = if count.lost > 0 { too_long } else { too_long / 2 };
        scaled(self.open, elapsed.saturating_sub(too_long), elapsed)
    }

    /// To let too few pass costs more than to let too many pass, for it is not taken back soon: what comes is thinned roughly at first, to rather too
    /// much, and then the closer the more was counted.
    fn next(&mut self, now: Time, count: Count) -> u64 {
        self.learn(count);
        let stage = std::mem::replace(&mut self.stage, Stage::Settled);
        if stage == Stage::Settling {
            return self.open;
        }
        let (came, away) = self.steady.note(count);
        let periods = self.steady.periods;
        // Even if all passed, there would be time for all. A moment in which few come says little, where it costs much to be wrong.
        let is_sure = periods > 1 || self.unheard == Unheard::Wait;
        if is_sure && came * WHOLE <= self.can * self.heard(now) {
            return WHOLE;
        }
        if away * 16 > came {
            let (much, fits) = match periods {
                // Half of what comes in the first moments may be what was lost a moment before.
                1 if stage == Stage::Whole && self.repeats() => (32, 32),
                1 if self.repeats() => (28, 22),
                1..=3 => (22, 19),
                8.. if self.open < WHOLE => (18, 17),
                // As long as nobody is left out, so many can be told.
                _ => (20, 18),
            };
            let is_much = came * 16 > self.can * much;
            return if is_much { self.fits(now, came, fits).min(self.open) } else { self.open };
        }
        let enough = if self.unheard == Unheard::Wait { 1 } else { ENOUGH };
        if periods < enough { self.open } else { self.widen(now, (came, away)) }
    }

    /// Do some come again that were not heard?
    fn repeats(&self) -> bool {
        self.unheard != Unheard::Nothing
    }

    fn learn(&mut self, count: Count) {
        let could = count.begun + count.spent / work::WHOLE;
        // As long as hardly anybody is turned away, nobody knows how much more could be begun.
        if count.away() * 16 <= count.came() && could <= self.can {
            return;
        }
        if self.unheard == Unheard::Wait && could > self.can {
            // All that is read is begun. What was begun once can be, and a drain says it when there was more.
            (self.can, self.learnt) = (could, 1);
            return;
        }
        let before = self.learnt.min(LEARNT);
        self.can = (self.can * before + could) / (before + 1);
        self.learnt = before + 1;
    }

    /// How many parts must pass so that so many sixteenths come of what can be begun, when so many come now.
    fn fits(&self, now: Time, came: u64, sixteenths: u64) -> u64 {
        self.heard(now).saturating_mul(self.can * sixteenths / 16) / came.max(1)
    }

    /// The parts from which comes what is counted.
    fn heard(&self, now: Time) -> u64 {
        self.open.saturating_sub(self.trial.parts(now)).max(1)
    }

    /// Too much may be left out.
    fn widen(&self, now: Time, (came, away): (u64, u64)) -> u64 {
        let fits = self.fits(now, came, 17);
        match () {
            // They come with those who wait already.
            () if self.unheard == Unheard::Wait => fits.clamp(self.open, self.open * 9 / 8 + 1),
            () if fits >= 2 * self.open => fits,
            () if self.trial.parts(now) > 0 => self.open,
            () if fits > self.open || away > 0 => fits.max(self.open),
            // Nobody knows how much more could be begun.
            () => self.open + self.open / 16 + 1,
        }
    }
}

impl Steady {
    /// One more period: what comes in one on average, and what is turned away.
    fn note(&mut self, count: Count) -> (u64, u64) {
        let (before, came) = (self.came.checked_div(self.periods), count.came());
        if before.is_some_and(|before| before > 2 * came || came > 2 * before) {
            // Something has changed.
            *self = Self::default();
        }
        if self.periods == 2 * ENOUGH {
            (self.came, self.away, self.periods) = (self.came / 2, self.away / 2, ENOUGH);
        }
        self.periods += 1;
        self.came = self.came.saturating_add(came);
        self.away = self.away.saturating_add(count.away());
        (self.came / self.periods, self.away / self.periods)
    }
}

/// What the driver drops so that so much is open.
fn dropped(open: u64) -> u16 {
    u16::try_from(WHOLE - open).unwrap_or_default()
}

/// What is so many in one time is so many in another.
fn scaled(count: u64, to: Duration, from: Duration) -> u64 {
    let [to, from] = [to, from].map(|it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX));
    count.saturating_mul(to) / from.max(1)
}

impl Count {
    /// What was counted for so long, as it would be in a period.
    fn in_a_period(self, time: Duration) -> Self {
        let scaled = |count| scaled(count, PERIOD, time);
        Self {
            read: scaled(self.read),
            seen: scaled(self.seen),
            hasty: scaled(self.hasty),
            begun: scaled(self.begun),
            turned_away: scaled(self.turned_away),
            lost: scaled(self.lost),
            spent: scaled(self.spent),
        }
    }

    const fn came(self) -> u64 {
        self.seen.saturating_add(self.lost)
    }

    const fn away(self) -> u64 {
        self.turned_away.saturating_add(self.lost)
    }
}
