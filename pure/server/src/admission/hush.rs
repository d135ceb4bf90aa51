//! `Hush`: how many of the new requests the driver need not even read. To read one and to say nothing costs a sixteenth of a call, and
//! whoever hears nothing repeats itself six times: at ten times what we can do, that would be all that we do.
//!
//! Which ones, their octets say, so those that pass were heard at once, and how many they are says how many want something. To let
//! fewer pass costs nothing. To let more pass does: those that were not heard so far come with their repeats, so they are on
//! [`Trial`] at first.
//!
//! Of what is as soon answered as refused all that is read is answered, and late is better than never. So that it is not read when its
//! sender has repeated it already, nothing passes now and then until what has come is answered.

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

    /// So many datagrams did not come through, because there was no room: in a flood they are requests.
    pub(crate) const fn lost(&mut self, datagrams: u64) {
        self.count.lost = self.count.lost.saturating_add(datagrams);
    }

    /// How much the driver lets through.
    pub(crate) const fn width(&self) -> Width {
        if self.open == WHOLE && self.drains.is_none() { Width::Whole } else { Width::Narrow }
    }

    /// What the driver is to be told, when that changes: how many parts of all requests it need not read. As much as is begun may pass,
    /// and a sixteenth more to be refused in words.
    pub(crate) fn update(&mut self, now: Time, begins: Width) -> Option<u16> {
        let elapsed = now - self.began;
        if elapsed < PERIOD || self.drains.is_some() {
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
        (self.open != before).then(|| dropped(self.open))
    }

    /// While what has come waits for longer than that, or is lost, nothing more passes, if those who come are patient. Says what the driver is to
    /// be told when that begins or is over.
    pub(crate) fn drain(&mut self, now: Time, backlog: Backlog, target: Duration) -> Option<u16> {
        let Some(since) = self.drains else {
            if backlog.lost == 0 && backlog.waited <= target {
                return None;
            }
            self.judge(self.count);
            // Where little comes that may be left out, it is not what there is too much of.
            let seen = scaled(self.count.seen, PERIOD, now - self.began);
            if self.unheard != Unheard::Wait || 2 * seen < self.can {
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
        scaled(self.open, elapsed - too_long, elapsed)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// So many come in each second of which so many can be begun, for some seconds: the share that the driver drops at the end, and how
    /// often it changed.
    fn after(hush: &mut Hush, from: u64, seconds: u64, rates: (u64, u64)) -> (u16, usize) {
        after_by(Transport::Udp, hush, (from, seconds), rates)
    }

    /// The same by such a transport.
    fn after_by(
        transport: Transport,
        hush: &mut Hush,
        (from, seconds): (u64, u64),
        (offered, can): (u64, u64),
    ) -> (u16, usize) {
        let mut told = u16::try_from(WHOLE - hush.open).unwrap();
        let mut changes = 0;
        for step in 0..seconds * 10 {
            let passed = offered * (WHOLE - u64::from(told)) / WHOLE / 10;
            (0..passed).for_each(|_| hush.seen(transport, Work::Much));
            (0..passed.min(can / 10)).for_each(|_| hush.begun());
            (can / 10..passed).for_each(|_| hush.turned_away());
            let now = Time((from * 10 + step + 1) * 100_000_000);
            let begins = if offered > can { Width::Narrow } else { hush.width() };
            if let Some(share) = hush.update(now, begins) {
                (told, changes) = (share, changes + 1);
            }
        }
        (told, changes)
    }

    #[test]
    fn as_many_pass_as_can_be_answered() {
        let mut hush = Hush::new(7);
        assert_eq!(after(&mut hush, 0, 5, (900, 1000)), (0, 0), "nobody while nothing is wrong");
        assert_eq!(after(&mut hush, 5, 5, (1200, 1000)), (0, 0), "nor while all can be answered");
        let (dropped, _) = after(&mut hush, 10, 5, (16_000, 1000));
        assert!((920..=965).contains(&dropped), "nine in ten: {dropped}");
        let (dropped, _) = after(&mut hush, 15, 10, (16_000, 1000));
        assert!((952..=960).contains(&dropped), "a tenth more than there is time for: {dropped}");
        assert_eq!(after(&mut hush, 25, 60, (16_000, 1000)).1, 0, "what is right stays");
        let (dropped, _) = after(&mut hush, 85, 5, (1_000_000, 1000));
        assert!((1010..=1020).contains(&dropped), "some always pass: {dropped}");
        assert_eq!(after(&mut hush, 90, 3, (500, 1000)).0, 0, "soon nobody, when it is over");
    }

    /// Half seconds in each of which so many come, so many are begun, and so many are lost.
    fn half_seconds(hush: &mut Hush, from: u64, counts: &[(u64, u64, u64)]) {
        for (nth, (came, begun, lost)) in (from..).zip(counts) {
            (*lost..*came).for_each(|_| hush.seen(Transport::Udp, Work::Much));
            (0..*begun).for_each(|_| hush.begun());
            (begun + lost..*came).for_each(|_| hush.turned_away());
            hush.lost(*lost);
            hush.update(Time(nth * 500_000_000), Width::Narrow);
        }
    }

    /// What was lost in the first second comes again in the next one, and is no more than there was.
    #[test]
    fn what_comes_twice_in_the_first_moments_is_not_taken_for_twice_as_many() {
        let mut hush = Hush::new(7);
        let pass = |hush: &Hush| 768 * hush.open / WHOLE;
        half_seconds(&mut hush, 1, &[(946, 178, 375)]);
        for (nth, again) in (2..42).zip([170, 40].into_iter().chain(std::iter::repeat(0))) {
            let came = pass(&hush) + again;
            half_seconds(&mut hush, nth, &[(came, came.min(192), 0)]);
        }
        assert!((192..=213).contains(&pass(&hush)), "{} of 192", pass(&hush));
    }

    /// Where the processor comes in bursts somebody is always turned away: that does not say that no more can be begun.
    #[test]
    fn when_few_are_turned_away_more_can_be_begun_than_is() {
        let mut hush = Hush::new(7);
        after_by(Transport::Tcp, &mut hush, (0, 20), (10_000, 1000));
        let before = hush.open;
        for nth in 41..61 {
            let came = 2_500 * hush.open / WHOLE;
            (0..came).for_each(|_| hush.seen(Transport::Tcp, Work::Much));
            (0..came - came / 32).for_each(|_| hush.begun());
            (0..came / 32).for_each(|_| hush.turned_away());
            hush.update(Time(nth * 500_000_000), Width::Narrow);
        }
        assert!(hush.open * 10 >= before * 18, "half as many come: {} after {before}", hush.open);
    }

    /// The last of a flood are turned away while hardly anybody comes any more: that they were does not keep the others out.
    #[test]
    fn when_a_flood_is_over_all_pass_after_a_second() {
        let mut hush = Hush::new(7);
        after_by(Transport::Tcp, &mut hush, (0, 20), (10_000, 1000));
        half_seconds(&mut hush, 41, &[(25, 15, 0), (14, 14, 0)]);
        assert_eq!(hush.open, WHOLE);
    }

    /// By streams nobody repeats himself, so the first moment says what there is.
    #[test]
    fn by_streams_it_is_soon_known_how_many_come() {
        let mut hush = Hush::new(7);
        let (dropped, _) = after_by(Transport::Tcp, &mut hush, (0, 2), (10_000, 1000));
        let pass = 10_000 * (WHOLE - u64::from(dropped)) / WHOLE;
        assert!((1000..1250).contains(&pass), "{pass} of 1000");
    }

    /// Where others have the processor now and then, one half second says nothing.
    #[test]
    fn a_moment_in_which_few_come_opens_nothing() {
        let mut hush = Hush::new(7);
        after_by(Transport::Tcp, &mut hush, (0, 20), (10_000, 1000));
        let before = hush.open;
        half_seconds(&mut hush, 41, &[(20, 20, 0), (540, 400, 0), (530, 510, 0), (530, 500, 0)]);
        assert_eq!(hush.open, before);
    }

    #[test]
    fn what_passes_again_is_on_trial_unless_the_flood_has_fallen_by_half() {
        let mut hush = Hush::new(7);
        let (before, _) = after(&mut hush, 0, 5, (16_000, 1000));
        let (dropped, changes) = after(&mut hush, 5, 4, (12_000, 1000));
        assert!(dropped < before && changes == 1, "a quarter less: {dropped} after {before}");
        let now = Time(9_000_000_000);
        assert_eq!(hush.trial.parts(now), u64::from(before - dropped));
        let until = (9..15).find(|from| after(&mut hush, *from, 1, (4_000, 1000)).1 > 0).unwrap();
        assert!(hush.open >= 2 * (WHOLE - u64::from(dropped)), "{}", hush.open);
        assert_eq!(hush.trial.parts(Time((until + 1) * 1_000_000_000)), 0);
    }

    /// A hundred a second that could be left out, and thousands that could not: to leave out those few would help nobody.
    #[test]
    fn what_is_always_read_narrows_nobody_else() {
        let mut hush = Hush::new(7);
        for step in 1..=600 {
            (0..10).for_each(|_| hush.seen(Transport::Udp, Work::Much));
            (0..9).for_each(|_| hush.turned_away());
            // One of those, and a hundred of the others less one.
            (0..100).for_each(|_| hush.begun());
            assert_eq!(hush.update(Time(step * 100_000_000), Width::Narrow), None);
        }
    }

    #[test]
    fn nobody_who_comes_by_a_stream_is_on_trial() {
        let mut hush = Hush::new(7);
        let (before, _) = after_by(Transport::Tcp, &mut hush, (0, 5), (16_000, 1000));
        let (dropped, _) = after_by(Transport::Tcp, &mut hush, (5, 4), (12_000, 1000));
        assert!(dropped < before, "more pass: {dropped} after {before}");
        assert_eq!(hush.trial.parts(Time(9_000_000_000)), 0);
    }

    /// A quarter of a second in which so many registrations come, and all that are read are answered: what the driver is told then.
    fn registered(hush: &mut Hush, quarter: u64, (came, lost): (u64, u64)) -> Option<u16> {
        (0..came).for_each(|_| hush.seen(Transport::Udp, Work::Answer));
        (0..came).for_each(|_| hush.begun());
        hush.lost(lost);
        let (now, backlog) = (Time(quarter * 250_000_000), behind(lost));
        let target = Duration::from_millis(200);
        let drains = hush.drain(now, backlog, target);
        hush.update(now, Width::Narrow).or(drains)
    }

    /// More waits, and so much has been lost.
    fn behind(lost: u64) -> Backlog {
        Backlog { waited: Duration::from_millis(5), lost, unread: true }
    }

    #[test]
    fn what_has_come_is_answered_before_more_passes() {
        let mut hush = Hush::new(7);
        assert_eq!([1, 2].map(|quarter| registered(&mut hush, quarter, (500, 0))), [None; 2]);
        assert_eq!(registered(&mut hush, 3, (500, 1500)), Some(dropped(LEAST)), "nothing passes");
        assert_eq!(registered(&mut hush, 4, (500, 0)), None, "as long as there is more");
        let (now, all_is_read) = (Time(1_300_000_000), Backlog::default());
        assert_eq!(hush.drain(now, all_is_read, Duration::ZERO), Some(0), "all are heard again");
        let told = hush.update(now, Width::Narrow);
        // Of 800 ms nothing has passed in 550, of which 200 may be.
        assert_eq!(told, Some(dropped(WHOLE * (800 - 350) / 800)));
        assert_eq!(hush.trial.parts(now), 0, "late is welcome");
        // A fourth comes of what can be answered.
        let told = [6, 8].map(|quarter| registered(&mut hush, quarter, (100, 0)));
        assert_eq!(told, [None, Some(0)], "it is over");
    }

    /// When what always passes is too much, nobody else is kept out for it for long.
    #[test]
    fn a_drain_ends_even_if_more_comes_that_is_always_read() {
        let mut hush = Hush::new(7);
        assert_eq!([1, 2].map(|quarter| registered(&mut hush, quarter, (500, 0))), [None; 2]);
        assert!(registered(&mut hush, 3, (500, 1500)).is_some());
        let ends = (4..20).find(|quarter| registered(&mut hush, *quarter, (0, 100)).is_some());
        assert_eq!(ends, Some(11), "after two seconds");
        let again = (12..60).find_map(|quarter| registered(&mut hush, quarter, (10, 100)));
        assert!(again.is_none_or(|told| told < dropped(LEAST)), "few come: {again:?}");
    }

    /// Whoever calls gives up soon: calls wait in the room, and are read meanwhile.
    #[test]
    fn where_calls_are_among_them_more_is_read() {
        let mut hush = Hush::new(7);
        for quarter in 1..=8 {
            (0..200).for_each(|_| hush.seen(Transport::Udp, Work::Much));
            let told = registered(&mut hush, quarter, (300, 500));
            assert!(told.is_none_or(|told| told < dropped(LEAST)), "{told:?}");
        }
    }
}
