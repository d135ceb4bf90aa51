//! Merged requests: the same request to us, come by two paths (RFC 3261 §8.2.2.2).

use std::collections::VecDeque;
use std::time::Duration;

use machine::{Dice, HashKey, Numbers, Time};
use protocol::Fault;
use protocol::transaction::merged;
use sip::Message;

use crate::limits;

/// The requests to us that are still remembered, as numbers, and by which branch each came.
#[derive(Debug)]
pub(crate) struct Merged {
    key: HashKey,
    seen: Numbers<Branch>,
    order: VecDeque<(Time, u128)>,
    /// How long a transaction is ongoing: 64·T1.
    life: Duration,
}

/// The branch that a request came by, as a number.
type Branch = u64;

impl Merged {
    pub(crate) fn new(life: Duration, dice: &mut Dice) -> Self {
        let key = HashKey::throw(dice);
        Self { key, seen: Numbers::default(), order: VecDeque::new(), life }
    }

    /// Notes a request that is new to the transactions; refuses it when its like came by another branch.
    pub(crate) fn note(&mut self, now: Time, request: &Message) -> Result<(), Fault> {
        self.forget(now);
        let Some(parts) = merged(request) else { return Ok(()) };
        let like = self.key.number(parts);
        let branch = self.key.number([request.branch().unwrap_or_default()]) as Branch;
        match self.seen.get(&like) {
            Some(other) if *other != branch => Err(Fault::MergedRequest),
            Some(_) => Ok(()),
            None => {
                self.order.push_back((now + self.life, like));
                self.seen.insert(like, branch);
                Ok(())
            }
        }
    }

    fn forget(&mut self, now: Time) {
        while let Some((until, _)) = self.order.front() {
            if *until > now && self.order.len() <= limits::MERGED {
                return;
            }
            if let Some((_, like)) = self.order.pop_front() {
                self.seen.remove(&like);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(branch: &str, cseq: u32, to: &str) -> Message {
        Message::parse(format!(
            "OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/UDP a;branch={branch}\r\nFrom: <sip:a@h>;tag=1\r\nTo: {to}\r\n\
             Call-ID: x\r\nCSeq: {cseq} OPTIONS\r\n\r\n"
        ))
        .unwrap()
    }

    #[test]
    fn trap_6_the_second_path_is_refused_while_the_first_is_remembered() {
        let mut merged = Merged::new(Duration::from_secs(32), &mut Dice::new(1));
        let mut note = |at, request| merged.note(Time(at), &request);
        assert_eq!(note(1, request("z9hG4bK1", 1, "<sip:b@h>")), Ok(()));
        assert_eq!(note(2, request("z9hG4bK2", 1, "<sip:b@h>")), Err(Fault::MergedRequest));
        assert_eq!(note(3, request("z9hG4bK3", 2, "<sip:b@h>")), Ok(()));
        assert_eq!(note(4, request("z9hG4bK4", 1, "<sip:b@h>;tag=2")), Ok(()));
        assert_eq!(note(33_000_000_000, request("z9hG4bK5", 1, "<sip:b@h>")), Ok(()));
    }
}
