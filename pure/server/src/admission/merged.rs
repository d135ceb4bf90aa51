//! Merged requests: the same request to us, come by two paths (RFC 3261 §8.2.2.2).

use std::time::Duration;

use machine::{Dice, HashKey, Time};
use protocol::Fault;
use protocol::transaction::merged;
use sip::Message;

use crate::limits;

/// The requests to us that are still remembered, as numbers, and by which branch each came. They stand in rows, each request in the
/// row that its number says; in a row the latest come first, and the oldest go. So a request costs a look at one line of the cache.
#[derive(Debug)]
pub(crate) struct Merged {
    key: HashKey,
    rows: Box<[Row]>,
    /// How long a transaction is ongoing: 64·T1.
    life: Duration,
}

#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Row([Seen; 4]);

/// A request: its number, the number of its branch (two of them are the same once in four billion), and until when it is remembered.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    like: u64,
    branch: u32,
    until: Tick,
}

/// A time in parts of 17 ms, rounded up. They begin anew after two years and a quarter.
#[derive(Clone, Copy, Debug, Default)]
struct Tick(u32);

impl Tick {
    const fn after(time: Time) -> Self {
        Self(((time.0 >> 24) as u32).wrapping_add(1))
    }

    /// Is it no earlier than that?
    const fn reaches(self, other: Self) -> bool {
        self.0.wrapping_sub(other.0) < u32::MAX / 2
    }
}

impl Merged {
    pub(crate) fn new(life: Duration, dice: &mut Dice) -> Self {
        let rows = vec![Row::default(); limits::MERGED / 4].into();
        Self { key: HashKey::throw(dice), rows, life }
    }

    /// Notes a request that is new to the transactions, which know it by this number; refuses it when its like came by another branch.
    pub(crate) fn note(&mut self, now: Time, branch: u128, request: &Message) -> Result<(), Fault> {
        let Some(parts) = merged(request) else { return Ok(()) };
        let number = self.key.number(parts);
        let (like, place) = (number as u64, (number >> 64) as usize % self.rows.len().max(1));
        let branch = branch as u32;
        let Some(Row(row)) = self.rows.get_mut(place) else { return Ok(()) };
        if let Some(seen) =
            row.iter().find(|seen| seen.like == like && seen.until.reaches(Tick::after(now)))
        {
            return if seen.branch == branch { Ok(()) } else { Err(Fault::MergedRequest) };
        }
        // The oldest stands last.
        row.rotate_right(1);
        row[0] = Seen { like, branch, until: Tick::after(now + self.life) };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(branch: u128, cseq: u32, to: &str) -> (u128, Message) {
        let request = Message::parse(format!(
            "OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK{branch}\r\nFrom: <sip:a@h>;tag=1\r\nTo: {to}\r\n\
             Call-ID: x\r\nCSeq: {cseq} OPTIONS\r\n\r\n"
        ));
        (branch, request.unwrap())
    }

    #[test]
    fn trap_6_the_second_path_is_refused_while_the_first_is_remembered() {
        let mut merged = Merged::new(Duration::from_secs(32), &mut Dice::new(1));
        let mut note = |at, (branch, request)| merged.note(Time(at), branch, &request);
        assert_eq!(note(1, request(1, 1, "<sip:b@h>")), Ok(()));
        assert_eq!(note(2, request(2, 1, "<sip:b@h>")), Err(Fault::MergedRequest));
        assert_eq!(note(3, request(3, 2, "<sip:b@h>")), Ok(()));
        assert_eq!(note(4, request(4, 1, "<sip:b@h>;tag=2")), Ok(()));
        assert_eq!(note(33_000_000_000, request(5, 1, "<sip:b@h>")), Ok(()));
    }
}
