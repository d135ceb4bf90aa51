//! `Flood`: how much strangers can make us write. Whoever floods the server must not fill its disk, and not hide others in the noise.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use machine::Time;
use net::{Heard, Notice};
use protocol::doors::Event;

use crate::limits;

/// Lines that strangers cause: so many at once, then so many a second, of each source and of all together. What is more is counted.
#[derive(Debug)]
pub(crate) struct Flood {
    all: Allowance,
    sources: BTreeMap<IpAddr, Allowance>,
    second: u64,
    more: LeftOut,
}

/// What was not written in a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LeftOut {
    /// Lines.
    pub(crate) lines: usize,
    /// Those of them that were refusals or no SIP at all, which somebody may want to look for.
    pub(crate) refusals: usize,
}

/// What to do with something that was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// Write it.
    pub(crate) write: bool,
    /// Before that, say what was left out.
    pub(crate) left_out: Option<LeftOut>,
}

/// Lines that may still be written, in nanoseconds of the time in which one grows again.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    saved: u64,
    at: Time,
}

impl Default for Flood {
    fn default() -> Self {
        let all = Allowance { saved: ALL.most(), at: Time::default() };
        Self { all, sources: BTreeMap::new(), second: 0, more: LeftOut::default() }
    }
}

impl Flood {
    /// Judges what was heard.
    pub(crate) fn hear(&mut self, heard: &Heard) -> Word {
        let (time, stranger) = match heard {
            Heard::Event(time, _, event) => (*time, stranger(event)),
            Heard::Notice(time, _, Notice::Refused { source, .. }) => (*time, Some(source.ip())),
            Heard::Notice(..) | Heard::Message(_) => return Word { write: true, left_out: None },
        };
        let left_out = self.turn(time);
        let write = stranger.is_none_or(|source| self.admits(time, source));
        if !write {
            let asked = matches!(heard, Heard::Event(_, _, Event::Challenged { .. }));
            self.more.lines += 1;
            self.more.refusals += usize::from(!asked);
        }
        Word { write, left_out }
    }

    /// Once a second: what was left out, and sources that are quiet again need not be remembered.
    fn turn(&mut self, time: Time) -> Option<LeftOut> {
        if time.as_secs() == self.second {
            return None;
        }
        self.second = time.as_secs();
        self.sources.retain(|_, source| !source.is_whole(time, SOURCE));
        Some(std::mem::take(&mut self.more)).filter(|more| more.lines > 0)
    }

    fn admits(&mut self, time: Time, source: IpAddr) -> bool {
        let new = Allowance { saved: SOURCE.most(), at: time };
        let room = self.sources.len() < limits::NOISY_SOURCES;
        let own = match self.sources.get_mut(&source) {
            Some(own) => own.take(time, SOURCE),
            None if room => self.sources.entry(source).or_insert(new).take(time, SOURCE),
            // So many at once are one flood.
            None => true,
        };
        own && self.all.take(time, ALL)
    }
}

/// Where something comes from that anybody can cause.
fn stranger(event: &Event) -> Option<IpAddr> {
    match event {
        Event::Unreadable { source, .. }
        | Event::Refused { source, .. }
        | Event::Challenged { source, .. } => Some(source.ip()),
        _ => None,
    }
}

/// So many lines at once, and one more each `every`.
#[derive(Clone, Copy, Debug)]
struct Rate {
    at_once: u64,
    every: Duration,
}

const SOURCE: Rate = Rate { at_once: limits::LINES_OF_A_SOURCE, every: Duration::from_secs(1) };
const ALL: Rate = Rate {
    at_once: limits::LINES_OF_STRANGERS,
    // Nine, and one that says how many more there were.
    every: Duration::from_nanos(1_000_000_000 / 9),
};

impl Rate {
    const fn line(self) -> u64 {
        self.every.as_nanos() as u64
    }

    const fn most(self) -> u64 {
        self.at_once * self.line()
    }
}

impl Allowance {
    fn grow(&mut self, time: Time, rate: Rate) {
        let passed = u64::try_from((time - self.at).as_nanos()).unwrap_or(u64::MAX);
        self.saved = self.saved.saturating_add(passed).min(rate.most());
        self.at = self.at.max(time);
    }

    fn is_whole(&mut self, time: Time, rate: Rate) -> bool {
        self.grow(time, rate);
        self.saved == rate.most()
    }

    fn take(&mut self, time: Time, rate: Rate) -> bool {
        self.grow(time, rate);
        let left = self.saved.checked_sub(rate.line());
        self.saved = left.unwrap_or(self.saved);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use super::*;

    fn at(millis: u64) -> Time {
        Time(1_800_000_000_000_000_000 + millis * 1_000_000)
    }

    fn from(number: u32) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::from(number), 5060))
    }

    fn stray(millis: u64, source: u32) -> Heard {
        let reason = "x".into();
        Heard::Event(at(millis), 0, Event::Unreadable { source: from(source), reason })
    }

    /// Lines that were written, those about lines included, for `per_second` strays of so many sources.
    fn written(
        flood: &mut Flood,
        seconds: std::ops::Range<u64>,
        per_second: u64,
        sources: u64,
    ) -> usize {
        let mut lines = 0;
        for second in seconds {
            for nth in 0..per_second {
                let source = u32::try_from(second * 7919 + nth % sources).unwrap();
                let word = flood.hear(&stray(second * 1000 + nth * 1000 / per_second, source));
                lines += usize::from(word.write) + usize::from(word.left_out.is_some());
            }
        }
        lines
    }

    #[test]
    fn a_flood_leaves_ten_lines_a_second_and_says_how_many_more_there_were() {
        for sources in [1, 100, 50_000] {
            let mut flood = Flood::default();
            let first = written(&mut flood, 0..30, 5_000, sources);
            assert!(first <= 200 + 300, "{sources}: {first}");
            let later = written(&mut flood, 30..40, 5_000, sources);
            // What the last second before left over, besides.
            assert!(later <= 100 + 9, "{sources}: {later} in ten seconds");
            assert!(flood.sources.len() <= limits::NOISY_SOURCES);
        }
    }

    #[test]
    fn who_makes_noise_hides_nobody() {
        let mut flood = Flood::default();
        let mut seen = 0;
        for nth in 0..60_000 {
            flood.hear(&stray(nth, 1));
            if nth % 10_000 == 0 {
                seen += usize::from(flood.hear(&stray(nth, 2)).write);
            }
        }
        assert_eq!(seen, 6, "every line about somebody else");
    }

    #[test]
    fn an_office_that_comes_to_work_is_written_whole() {
        let mut flood = Flood::default();
        for phone in 0..100 {
            for _ in 0..2 {
                assert!(flood.hear(&stray(u64::from(phone), phone)).write);
            }
        }
        let ended = Heard::Event(at(200), 0, Event::Ended { call_id: "c".into() });
        assert_eq!(flood.hear(&ended), Word { write: true, left_out: None });
    }

    #[test]
    fn what_was_left_out_is_told_once() {
        let mut flood = Flood::default();
        for _ in 0..500 {
            flood.hear(&stray(0, 1));
        }
        let told = flood.hear(&stray(1000, 2)).left_out.unwrap();
        assert_eq!((told.lines, told.refusals), (480, 480));
        assert_eq!(flood.hear(&stray(1001, 2)).left_out, None);
        assert_eq!(flood.hear(&stray(2001, 2)).left_out, None);
    }
}
