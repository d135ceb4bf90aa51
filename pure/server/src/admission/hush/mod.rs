//! `Hush`: how many of the new requests the driver need not even read. To read one and to say nothing costs a sixteenth of a call, and
//! whoever hears nothing repeats itself six times: at ten times what we can do, that would be all that we do.
//!
//! Which ones, their octets say, so those that pass were heard at once, and how many they are says how many want something. To let
//! fewer pass costs nothing. To let more pass does: those that were not heard so far come with their repeats, so they are on
//! [`Trial`] at first.
//!
//! Of what is as soon answered as refused all that is read is answered, and late is better than never. So that nothing is read when its
//! sender has repeated it already, no more is to wait unread than is soon read.

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
    calm: Calm,
    /// What came in a period when the driver dropped nothing yet.
    whole: u64,
    stage: Stage,
    began: Time,
    unheard: Unheard,
    /// How many datagrams are to wait unread at most.
    room: Option<u32>,
    /// How much is read in a period, when it is much.
    reads: u64,
    trial: Trial,
}

/// What came through in a period.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    /// Whatever came.
    read: u64,
    seen: u64,
    /// Those of them who came by a datagram and want more than a sign of life, and those of these who had better not be served late.
    datagrams: u64,
    hasty: u64,
    /// Those who came by a datagram and want no more.
    signs: u64,
    /// Those who had better not be served late, however they came.
    calls: u64,
    begun: u64,
    turned_away: u64,
    lost: u64,
    /// The longest that anything waited to be read.
    waited: Duration,
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

/// Periods in a row in which hardly any call that came by a stream was turned away. What is answered whenever it is read says nothing of that: anybody could send so
/// much of it that all seem to find time.
#[derive(Clone, Copy, Debug, Default)]
struct Calm {
    periods: u64,
    /// What came in the last one, and in the last two in each: it was begun.
    last: u64,
    both: u64,
}

/// All.
const WHOLE: u64 = PARTS as u64;

/// The least that is let through: by it we see when there is less again.
const LEAST: u64 = 4;

/// When no more than one in so many is turned away, it is calm.
const CALM: u64 = 64;

/// After so many calm periods, each second one lets half as many more pass; after fewer it is less.
const BOLD: u64 = 10;

/// How long is counted.
const PERIOD: Duration = Duration::from_millis(500);

/// So many periods together say how much can be begun: one in which others have the processor says little.
const LEARNT: u64 = 7;

/// So many periods say well what comes.
const ENOUGH: u64 = 4;

/// When one in so many comes by a datagram, or would give up, they are served as all such would be.
const HASTY: u64 = 4;

/// When one in so many that come may be left out, that would help.
const HELPS: u64 = 4;

/// What waits unread is read in so many hundredths of a period, an eighth of a second: long before anybody repeats himself (T1 is 500 ms), but not
/// before a process runs again that may run for a part of each tenth of a second.
const SOON: u64 = 24;

/// So many datagrams may wait in any case: a driver that reads 64 at once and finds fewer takes it that there are no more.
const ROOM: u64 = 256;

/// When less than one in so many may be left out, something else is too much.
const FEW: u64 = 16;

/// When it was never all read for so long, too much passes. Who is patient comes with all who were not heard so far, and that is over after a while.
const NEVER_READ: Duration = Duration::from_secs(1);
const LONG_NEVER_READ: Duration = Duration::from_secs(4);

/// When it was not all read for so long, no more is to pass.
const LATE: Duration = Duration::from_millis(200);

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

/// What the driver need not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unread {
    /// So many parts of all requests.
    pub share: u16,
    /// What comes when so many wait.
    pub room: Option<u32>,
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
            calm: Calm::default(),
            whole: 0,
            stage: Stage::Whole,
            began: Time::default(),
            unheard: Unheard::Nothing,
            room: None,
            reads: 0,
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
        self.count.calls += u64::from(work == Work::Much);
        if transport.is_reliable() {
            return;
        }
        match work {
            Work::Sign => self.count.signs += 1,
            Work::Answer | Work::Much => self.count.datagrams += 1,
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
    pub(crate) fn hears(&mut self, backlog: Backlog) {
        self.count.waited = self.count.waited.max(backlog.waited);
        self.count.read = self.count.read.saturating_add(backlog.read);
        self.count.lost = self.count.lost.saturating_add(backlog.lost);
    }

    /// Would there be less to do if less passed?
    pub(crate) const fn would_help(&self) -> bool {
        self.count.can_be_less()
    }

    /// Are the most of those who are not heard patient?
    pub(crate) fn is_patient(&self) -> bool {
        self.unheard == Unheard::Wait
    }

    /// How much the driver lets through.
    pub(crate) const fn width(&self) -> Width {
        if self.open == WHOLE { Width::Whole } else { Width::Narrow }
    }

    /// What the driver is to be told, when that changes: how much it need not read. As much as is begun may pass, and a sixteenth more to be refused
    /// in words.
    pub(crate) fn update(&mut self, now: Time, begins: Width) -> Option<Unread> {
        let is_over = begins == Width::Whole && self.room.is_some();
        if now - self.began < PERIOD && !is_over {
            return None;
        }
        self.began = now;
        let count = std::mem::take(&mut self.count);
        self.judge(count);
        let (before, room) = (self.open, self.room);
        match begins {
            Width::Narrow => self.open = self.next(now, count).clamp(LEAST, WHOLE),
            Width::Whole => {
                (self.open, self.learnt, self.stage) = (WHOLE, 0, Stage::Whole);
                self.calm = Calm::default();
            }
        }
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
        self.room = self.soon_read(begins, count);
        if self.open == WHOLE || self.open >= 2 * before {
            // There is less than there was: rather late than never.
            self.trial.end();
            self.unheard = Unheard::Nothing;
        } else if self.open > before && self.unheard == Unheard::GiveUp {
            self.trial.begin(now, dropped(self.open)..dropped(before));
        }
        let is_new = (self.open, self.room) != (before, room);
        is_new.then(|| Unread { share: dropped(self.open), room: self.room })
    }

    /// How many datagrams may wait unread, if those who send them repeat themselves and it would help to read fewer.
    fn soon_read(&mut self, begins: Width, count: Count) -> Option<u32> {
        if begins == Width::Whole {
            self.reads = 0;
        } else if count.can_be_less() {
            self.reads = (self.reads * 7 / 8).max(count.read);
        }
        let is_much = self.open < WHOLE || count.waited > LATE || count.lost * 16 > count.came();
        let is_short = begins == Width::Narrow && is_much && self.repeats() && count.can_be_less();
        let room = (self.reads * SOON / 100).max(ROOM);
        is_short.then(|| u32::try_from(room).unwrap_or(u32::MAX))
    }

    /// Who comes? Those who ask whether we live are as patient as whoever else comes.
    fn judge(&mut self, count: Count) {
        let by_datagrams = count.datagrams + count.signs;
        if by_datagrams > 0 {
            self.unheard = match () {
                () if by_datagrams * HASTY < count.seen => Unheard::Nothing,
                () if count.hasty * HASTY > count.datagrams => Unheard::GiveUp,
                () => Unheard::Wait,
            };
        }
    }

    /// To let too few pass costs more than to let too many pass, for it is not taken back soon: what comes is thinned roughly at first, to rather too
    /// much, and then the closer the more was counted.
    fn next(&mut self, now: Time, count: Count) -> u64 {
        self.learn(count);
        self.calm.note(count, self.unheard);
        let stage = std::mem::replace(&mut self.stage, Stage::Settled);
        if stage == Stage::Settling {
            return self.open;
        }
        if let Some(open) = self.overrun(count) {
            return open;
        }
        if self.open == WHOLE {
            self.whole = count.came();
        }
        let (came, away) = self.steady.note(count);
        let periods = self.steady.periods;
        // Even if all passed, there would be time for all. A moment in which few come says little, where it costs much to be wrong.
        let is_sure = periods > 1 || self.unheard == Unheard::Wait;
        if is_sure && came * WHOLE <= self.can * self.heard(now) {
            return WHOLE;
        }
        if self.calm.periods > 1 && periods > 1 && self.trial.parts(now) == 0 {
            return self.reopen(now, came);
        }
        if away * 16 > came {
            let (much, fits) = match periods {
                // Half of what comes in the first moments may be what was lost a moment before.
                1 if stage == Stage::Whole && self.unheard == Unheard::GiveUp => (32, 32),
                1 if self.unheard == Unheard::GiveUp => (28, 22),
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

    /// How much may pass after some calm. Nobody repeats what he sends by a stream, so what was too much before does not come again; and what was learnt may be
    /// of a moment in which the machine stood still, so the longer it is calm the more is tried.
    fn reopen(&mut self, now: Time, came: u64) -> u64 {
        self.can = self.can.max(self.calm.both);
        let more = (self.open << (self.calm.periods.min(BOLD) / 2)) / 64;
        self.fits(now, came, 17).max(self.open + more + 1)
    }

    /// How much may pass when what waits was not all read for long. Once the driver drops some on our behalf, nobody knows for how many more there
    /// was no room.
    fn overrun(&mut self, count: Count) -> Option<u64> {
        let open = self.open;
        if open == WHOLE || count.seen.saturating_mul(FEW) < count.read {
            return None;
        }
        let is_over = |time| count.waited > time;
        match self.unheard {
            Unheard::GiveUp if is_over(NEVER_READ) => Some(open * 3 / 4),
            Unheard::Wait if is_over(LONG_NEVER_READ) => Some(open * 15 / 16),
            // What was begun says little when the machine stood still meanwhile.
            Unheard::Wait if is_over(PERIOD) => Some(self.thinned(count).clamp(open / 2, open)),
            Unheard::Wait if is_over(LATE) => Some(open),
            _ => None,
        }
    }

    /// How much may pass, by what came when all did. Told once, for what could be begun just then was less than it seems: a process had not run for a while,
    /// or now has to tell the kernel what to drop.
    fn thinned(&mut self, count: Count) -> u64 {
        let whole = std::mem::take(&mut self.whole);
        (WHOLE * count.begun * 18 / 16).checked_div(whole).unwrap_or(WHOLE)
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
            // All that is read is begun. What was begun once can be.
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
            () if self.unheard == Unheard::Wait => fits.clamp(self.open, self.open * 3 / 2 + 1),
            () if fits >= 2 * self.open => fits,
            () if self.trial.parts(now) > 0 => self.open,
            () if fits > self.open || away > 0 => fits.max(self.open),
            // Nobody knows how much more could be begun.
            () => self.open + self.open / 16 + 1,
        }
    }
}

impl Calm {
    /// One more period.
    fn note(&mut self, count: Count, unheard: Unheard) {
        let is_calm = unheard == Unheard::Nothing
            && count.calls > 0
            && count.calls * HASTY >= count.came()
            && count.away() * CALM <= count.calls
            && count.waited <= LATE;
        let (last, both) = (count.came(), count.came().min(self.last));
        let calm = Self { periods: self.periods + 1, last, both };
        *self = if is_calm { calm } else { Self::default() };
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

impl Count {
    /// Would there be less to do if less passed? What is read in any case may be what there is too much of, requests or not.
    const fn can_be_less(self) -> bool {
        self.seen.saturating_mul(HELPS) >= self.read
    }

    const fn came(self) -> u64 {
        self.seen.saturating_add(self.lost)
    }

    const fn away(self) -> u64 {
        self.turned_away.saturating_add(self.lost)
    }
}
