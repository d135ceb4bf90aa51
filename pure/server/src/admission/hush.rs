//! `Hush`: how many of the new requests the driver need not even read. To read one and to say nothing costs a sixteenth of a call, and
//! whoever hears nothing repeats itself six times: at ten times what we can do, that would be all that we do.
//!
//! Which ones, their octets say, so those that pass were heard at once, and how many they are says how many want something. To let
//! fewer pass costs nothing. To let more pass does: those that were not heard so far come with their repeats, so they are on
//! [`Trial`] at first.

use std::time::Duration;

use machine::Time;
use protocol::Transport;
use protocol::load::PARTS;
use sip::Message;

use super::trial::Trial;

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
    /// Some of those that come would repeat themselves: they come in datagrams.
    repeats: bool,
    trial: Trial,
}

/// What came through in a period.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    seen: u64,
    begun: u64,
    turned_away: u64,
    lost: u64,
    /// What was spent on those that were not begun, in eightieths of what one takes that is.
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
            repeats: false,
            trial: Trial::new(key),
        }
    }

    /// May a request that came by a datagram be the repeat of one that did not come through?
    pub(crate) fn may_be_late(&self, now: Time, request: &Message) -> bool {
        self.trial.has(now, request)
    }

    /// A request came through that need not have, by such a transport.
    pub(crate) const fn seen(&mut self, transport: Transport) {
        self.count.seen += 1;
        self.repeats |= !transport.is_reliable();
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
    pub(crate) const fn spent_words(&mut self) {
        self.count.spent += 16;
    }

    /// One was read for nothing: a smaller part.
    pub(crate) const fn spent_silence(&mut self) {
        self.count.spent += 5;
    }

    /// So many datagrams did not come through, because there was no room: in a flood they are requests.
    pub(crate) const fn lost(&mut self, datagrams: u64) {
        self.count.lost = self.count.lost.saturating_add(datagrams);
    }

    /// How much the driver lets through.
    pub(crate) const fn width(&self) -> Width {
        if self.open == WHOLE { Width::Whole } else { Width::Narrow }
    }

    /// What the driver is to be told, when that changes: how many parts of all requests it need not read. As much as is begun may pass,
    /// and a sixteenth more to be refused in words.
    pub(crate) fn update(&mut self, now: Time, begins: Width) -> Option<u16> {
        if now - self.began < PERIOD {
            return None;
        }
        self.began = now;
        let count = std::mem::take(&mut self.count);
        let before = self.open;
        match begins {
            Width::Narrow => self.open = self.next(now, count).clamp(LEAST, WHOLE),
            Width::Whole => (self.open, self.learnt, self.stage) = (WHOLE, 0, Stage::Whole),
        }
        if self.open != before || begins == Width::Whole {
            self.steady = Steady::default();
            self.stage = match self.open {
                WHOLE => Stage::Whole,
                // Who comes by a stream does not repeat itself: what comes is what there is.
                _ if !self.repeats => Stage::Settled,
                _ => Stage::Settling,
            };
        }
        let dropped = |open: u64| u16::try_from(WHOLE - open).unwrap_or_default();
        self.trial.keep_from(dropped(self.open));
        if self.open == WHOLE || self.open >= 2 * before {
            // There is less than there was: rather late than never.
            self.trial.end();
            self.repeats = false;
        } else if self.open > before && self.repeats {
            self.trial.begin(now, dropped(self.open)..dropped(before));
        }
        (self.open != before).then(|| dropped(self.open))
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
        // Even if all passed, there would be time for all. A moment in which few come says little.
        if periods > 1 && came * WHOLE <= self.can * self.heard(now) {
            return WHOLE;
        }
        if away * 16 > came {
            let (much, fits) = match periods {
                // Half of what comes in the first moments may be what was lost a moment before.
                1 if stage == Stage::Whole && self.repeats => (32, 32),
                1 if self.repeats => (28, 22),
                1..=3 => (22, 19),
                8.. if self.open < WHOLE => (18, 17),
                // As long as nobody is left out, so many can be told.
                _ => (20, 18),
            };
            let is_much = came * 16 > self.can * much;
            return if is_much { self.fits(now, came, fits).min(self.open) } else { self.open };
        }
        if periods < ENOUGH { self.open } else { self.widen(now, (came, away)) }
    }

    fn learn(&mut self, count: Count) {
        let could = count.begun + count.spent / 80;
        // As long as hardly anybody is turned away, nobody knows how much more could be begun.
        if count.away() * 16 <= count.came() && could <= self.can {
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

impl Count {
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
            (0..passed).for_each(|_| hush.seen(transport));
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
            (*lost..*came).for_each(|_| hush.seen(Transport::Udp));
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
            (0..came).for_each(|_| hush.seen(Transport::Tcp));
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
            (0..10).for_each(|_| hush.seen(Transport::Udp));
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
}
