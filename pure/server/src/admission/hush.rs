//! `Hush`: how many of the new requests the driver need not even read. To read one and to say nothing costs a tenth of a call, and
//! whoever hears nothing repeats itself six times: at ten times what we can do, that would be all that we do.

use std::time::Duration;

use machine::Time;

/// How many new requests the driver lets through to us.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hush {
    /// The share that is let through, in 1024ths.
    open: u64,
    /// What came through in this period.
    seen: u64,
    /// The most that was begun in a second lately.
    peak: Option<u64>,
    began: Time,
}

/// All.
const WHOLE: u64 = 1024;

/// The least that is let through: by it we see when there is less again.
const LEAST: u64 = 16;

/// How long is counted.
const PERIOD: Duration = Duration::from_millis(400);

impl Default for Hush {
    fn default() -> Self {
        Self { open: WHOLE, seen: 0, peak: None, began: Time::default() }
    }
}

impl Hush {
    /// A request came through.
    pub(crate) const fn seen(&mut self) {
        self.seen += 1;
    }

    /// So many datagrams did not, because there was no room: in a flood they are requests.
    pub(crate) const fn lost(&mut self, datagrams: u64) {
        self.seen = self.seen.saturating_add(datagrams);
    }

    /// What the driver is to be told, when that changes: the share that it need not read, in 1024ths. As much as is begun may pass, and
    /// a quarter more to be refused in words.
    pub(crate) fn update(&mut self, now: Time, rate: Option<u64>) -> Option<u16> {
        let elapsed = now - self.began;
        if elapsed < PERIOD && (rate.is_some() || self.open == WHOLE) {
            return None;
        }
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
        let seen = std::mem::take(&mut self.seen);
        self.began = now;
        self.peak = rate.map(|rate| rate.max(self.peak.unwrap_or(rate) * 63 / 64));
        let wanted = self.peak.map_or(WHOLE, |rate| {
            let offered = (seen * 1000 / millis).saturating_mul(WHOLE) / self.open;
            let share = rate.saturating_mul(WHOLE * 5 / 4).checked_div(offered);
            share.unwrap_or(WHOLE).clamp(LEAST, WHOLE)
        });
        let before = self.open;
        self.open = if rate.is_none() || wanted > before * 2 {
            wanted
        } else if wanted < before * 7 / 8 {
            // At first there is a heap of what came before: half the way is enough.
            wanted.midpoint(before)
        } else if wanted > before * 5 / 4 {
            // Those that were not heard so far come late: only when it is sure, and not all at once.
            before + before / 8 + 1
        } else {
            before
        };
        (self.open != before).then(|| u16::try_from(WHOLE - self.open).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What came through of so many in each second, and how many of them the driver drops at the end.
    fn after(hush: &mut Hush, from: u64, seconds: u64, offered: u64, rate: Option<u64>) -> u16 {
        let mut told = u16::try_from(WHOLE - hush.open).unwrap();
        for step in 0..seconds * 10 {
            for _ in 0..offered * (WHOLE - u64::from(told)) / WHOLE / 10 {
                hush.seen();
            }
            let now = Time((from * 10 + step + 1) * 100_000_000);
            told = hush.update(now, rate).unwrap_or(told);
        }
        told
    }

    #[test]
    fn as_many_pass_as_can_be_answered() {
        let mut hush = Hush::default();
        assert_eq!(after(&mut hush, 0, 5, 100, None), 0, "nobody while nothing is wrong");
        assert_eq!(after(&mut hush, 5, 5, 120, Some(100)), 0, "nor while all can be answered");
        let dropped = after(&mut hush, 10, 5, 1600, Some(100));
        assert!((900..=960).contains(&dropped), "nine in ten: {dropped}");
        let dropped = after(&mut hush, 15, 5, 1_000_000, Some(100));
        assert!((1000..=1008).contains(&dropped), "some always pass: {dropped}");
        assert_eq!(after(&mut hush, 20, 3, 50, Some(100)), 0, "soon nobody, when it is over");
    }
}
