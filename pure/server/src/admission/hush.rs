//! `Hush`: how many of the new requests the driver need not even read. To read one and to say nothing costs a tenth of a call, and
//! whoever hears nothing repeats itself six times: at ten times what we can do, that would be all that we do.
//!
//! To let more pass has its price: those that were not heard so far come with their repeats, and are served late. So a share that is
//! nearly right stays.

use std::time::Duration;

use machine::Time;

/// How many new requests the driver lets through to us.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hush {
    /// The share that is let through, in 1024ths.
    open: u64,
    count: Count,
    /// What can be begun in a period.
    can: u64,
    /// Periods in a row in which nearly all could be begun.
    calm: u32,
    began: Time,
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
const WHOLE: u64 = 1024;

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

impl Default for Hush {
    fn default() -> Self {
        Self { open: WHOLE, count: Count::default(), can: 0, calm: 0, began: Time::default() }
    }
}

impl Hush {
    /// A request came through.
    pub(crate) const fn seen(&mut self) {
        self.count.seen += 1;
    }

    /// One that did is begun.
    pub(crate) const fn begun(&mut self) {
        self.count.begun += 1;
    }

    /// One is not.
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

    /// What the driver is to be told, when that changes: the share that it need not read, in 1024ths. As much as is begun may pass, and
    /// a quarter more to be refused in words.
    pub(crate) fn update(&mut self, now: Time, begins: Width) -> Option<u16> {
        if now - self.began < PERIOD {
            return None;
        }
        self.began = now;
        let count = std::mem::take(&mut self.count);
        let before = self.open;
        match begins {
            Width::Narrow => self.open = self.next(count).clamp(LEAST, WHOLE),
            Width::Whole => (self.open, self.can, self.calm) = (WHOLE, 0, 0),
        }
        (self.open != before).then(|| u16::try_from(WHOLE - self.open).unwrap_or_default())
    }

    fn next(&mut self, count: Count) -> u64 {
        let Count { seen, begun, turned_away, lost, spent } = count;
        let (came, away) = (seen.saturating_add(lost), turned_away.saturating_add(lost));
        let could = begun + spent / 80;
        self.can = if away > 0 { self.can.midpoint(could).max(could) } else { self.can.max(could) };
        let fits = |part: u64| self.open.saturating_mul(self.can * part / 16) / came.max(1);
        if away * 8 > came * 3 {
            self.calm = 0;
            // The first moments say little: not all the way at once.
            return fits(20).max(self.open / 3).min(self.open);
        }
        if away * 16 > came {
            self.calm = 0;
            return self.open;
        }
        self.calm += 1;
        let more = fits(18).min(self.open * 2);
        match self.calm {
            // There is less again, or too much was left out.
            2.. if more > self.open + self.open / 8 => more,
            calm if calm.is_multiple_of(3) => self.open + self.open / 16 + 1,
            _ => self.open,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many come in each second of which so many can be begun, for some seconds: the share that the driver drops at the end, and how
    /// often it changed.
    fn after(hush: &mut Hush, from: u64, seconds: u64, (offered, can): (u64, u64)) -> (u16, usize) {
        let mut told = u16::try_from(WHOLE - hush.open).unwrap();
        let mut changes = 0;
        for step in 0..seconds * 10 {
            let passed = offered * (WHOLE - u64::from(told)) / WHOLE / 10;
            (0..passed).for_each(|_| hush.seen());
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
        let mut hush = Hush::default();
        assert_eq!(after(&mut hush, 0, 5, (900, 1000)), (0, 0), "nobody while nothing is wrong");
        assert_eq!(after(&mut hush, 5, 5, (1200, 1000)), (0, 0), "nor while all can be answered");
        let (dropped, _) = after(&mut hush, 10, 5, (16_000, 1000));
        assert!((920..=965).contains(&dropped), "nine in ten: {dropped}");
        assert_eq!(after(&mut hush, 15, 60, (16_000, 1000)).1, 0, "what is right stays");
        let (dropped, _) = after(&mut hush, 75, 5, (1_000_000, 1000));
        assert!((1010..=1020).contains(&dropped), "some always pass: {dropped}");
        assert_eq!(after(&mut hush, 80, 5, (500, 1000)).0, 0, "soon nobody, when it is over");
    }
}
