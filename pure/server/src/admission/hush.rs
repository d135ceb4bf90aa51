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
    /// What can be begun in a period.
    can: u64,
    /// The period before this one, when only both together say something.
    earlier: Option<Count>,
    /// Pairs of periods in a row in which nearly all could be begun.
    few: u32,
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

/// All.
const WHOLE: u64 = PARTS as u64;

/// The least that is let through: by it we see when there is less again.
const LEAST: u64 = 4;

/// How long is counted.
const PERIOD: Duration = Duration::from_millis(500);

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
            earlier: None,
            few: 0,
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
    /// and an eighth more to be refused in words.
    pub(crate) fn update(&mut self, now: Time, begins: Width) -> Option<u16> {
        if now - self.began < PERIOD {
            return None;
        }
        self.began = now;
        let count = std::mem::take(&mut self.count);
        let before = self.open;
        match begins {
            Width::Narrow => self.open = self.next(now, count).clamp(LEAST, WHOLE),
            Width::Whole => (self.open, self.can, self.earlier, self.few) = (WHOLE, 0, None, 0),
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

    fn next(&mut self, now: Time, count: Count) -> u64 {
        self.learn(count);
        if count.away() * 8 > count.came() * 3 {
            (self.earlier, self.few) = (None, 0);
            // The first moments say little, and some that come now were lost before: not all the way at once.
            return self.fits(now, count.came(), 24).max(self.open / 3).min(self.open);
        }
        // One period says little of how many want something.
        let Some(earlier) = self.earlier.take() else {
            self.earlier = Some(count);
            return self.open;
        };
        let came = count.came().midpoint(earlier.came());
        let away = count.away().midpoint(earlier.away());
        self.few = if away * 16 > came { 0 } else { self.few + 1 };
        match self.few {
            0 if away * 5 > came => self.fits(now, came, 18).min(self.open),
            0 => self.open,
            // Even if all passed, there would be time for all.
            _ if came * WHOLE <= self.can * self.heard(now) => WHOLE,
            1 => self.open,
            _ => self.widen(now, came),
        }
    }

    fn learn(&mut self, count: Count) {
        let could = count.begun + count.spent / 80;
        self.can = match count.away() {
            // Nobody knows how much more could be begun.
            0 => self.can.max(could),
            _ if self.can == 0 => could,
            // A moment in which others have the processor says little.
            _ => self.can / 4 * 3 + could / 4,
        };
    }

    /// How many parts must pass so that so many sixteenths come of what can be begun, when so many come now.
    fn fits(&self, now: Time, came: u64, sixteenths: u64) -> u64 {
        self.heard(now).saturating_mul(self.can * sixteenths / 16) / came.max(1)
    }

    /// The parts from which comes what is counted.
    fn heard(&self, now: Time) -> u64 {
        self.open.saturating_sub(self.trial.parts(now)).max(1)
    }

    /// Too much is left out.
    fn widen(&self, now: Time, came: u64) -> u64 {
        let fits = self.fits(now, came, 17);
        match () {
            () if fits >= 2 * self.open => fits,
            () if self.trial.parts(now) > 0 => self.open,
            () => fits.max(self.open + self.open / 16 + 1),
        }
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
        assert_eq!(after(&mut hush, 15, 60, (16_000, 1000)).1, 0, "what is right stays");
        let (dropped, _) = after(&mut hush, 75, 5, (1_000_000, 1000));
        assert!((1010..=1020).contains(&dropped), "some always pass: {dropped}");
        assert_eq!(after(&mut hush, 80, 5, (500, 1000)).0, 0, "soon nobody, when it is over");
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
