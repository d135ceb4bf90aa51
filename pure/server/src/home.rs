//! Which shard a message belongs to: a keyed hash of its Call-ID; of a REGISTER or a SUBSCRIBE, of the address of record.

use std::hash::BuildHasher as _;

use machine::{Dice, HashKey};
use sip::header::{CSeq, To, Via};
use sip::{Message, Method};

use crate::location::aor_of;

/// How the branches of requests begin that a shard sends by itself. Those that are passed on have a digit there.
const OWN: &str = "z9hG4bKs";

/// The shard that has sent the request that this message answers.
fn own(message: &Message) -> Option<u16> {
    message.status()?;
    let via = message.get::<Via>()?;
    let digits = via.branch()?.strip_prefix(OWN.as_bytes())?.get(..4)?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Steers messages to shards. Its key is secret, or strangers choose our hottest core.
#[derive(Clone, Copy, Debug)]
pub struct Steering {
    key: HashKey,
    shards: u16,
}

impl Steering {
    /// For so many shards; 0 counts as 1. The secret is the one of the [`Settings`](crate::Settings).
    pub fn new(secret: u128, shards: u16) -> Self {
        Self { key: HashKey::of(secret), shards: shards.max(1) }
    }

    /// The shard of a message: all messages of one call meet there.
    pub fn home(&self, message: &Message) -> u16 {
        if self.shards == 1 {
            return 0;
        }
        if let Some(shard) = own(message) {
            return shard.checked_rem(self.shards).unwrap_or(0);
        }
        // One that is passed on waits for its answer where its user is at home; an answer does not say to which package.
        let answers = || message.get::<CSeq<'_>>().map(|cseq| cseq.method);
        let method = message.method().or_else(answers);
        let by_user = matches!(method, Some(Method::Register | Method::Subscribe));
        let aor = by_user.then(|| message.get::<To>().and_then(|to| aor_of(to.uri))).flatten();
        match aor {
            Some(aor) => self.home_of(&aor),
            None => self.home_of_call(message.call_id()),
        }
    }

    /// The shard that all calls with this Call-ID pass through.
    pub fn home_of_call(&self, call_id: &[u8]) -> u16 {
        self.pick(call_id)
    }

    /// A branch for a request that a shard sends by itself: its answers come back to that shard.
    pub(crate) fn branch(&self, shard: u16, dice: &mut Dice) -> String {
        format!("{OWN}{shard:04x}{:016x}", dice.roll())
    }

    /// The shard that keeps the bindings of an address of record ([`aor_of`]): where a `Question::Locate` goes.
    pub fn home_of(&self, aor: &[u8]) -> u16 {
        self.pick(aor)
    }

    fn pick(&self, octets: &[u8]) -> u16 {
        let shard = self.key.hash_one(octets).checked_rem(u64::from(self.shards));
        shard.and_then(|shard| u16::try_from(shard).ok()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(method: &str, call_id: &str, to: &str) -> Message {
        let wire = format!("{method} sip:h SIP/2.0\r\nTo: <{to}>\r\nCall-ID: {call_id}\r\n\r\n");
        Message::parse(wire).unwrap()
    }

    #[test]
    fn a_call_meets_on_one_shard_and_a_registration_on_that_of_its_user() {
        let steering = Steering::new(7, 16);
        let homes: Vec<_> = (0..64)
            .map(|n| {
                let id = n.to_string();
                let home = steering.home(&message("INVITE", &id, "sip:a@h"));
                assert_eq!(home, steering.home(&message("BYE", &id, "sip:b@h;x=y")));
                home
            })
            .collect();
        assert!((0..16).filter(|shard| homes.contains(shard)).count() > 10, "{homes:?}");
        let register = steering.home(&message("REGISTER", "1", "sip:%31%30%31@a.test"));
        assert_eq!(register, steering.home(&message("REGISTER", "2", "sips:101@b.test;x")));
        assert_eq!(register, steering.home_of(b"101"));
        let other = Steering::new(8, 16);
        assert_ne!(
            homes,
            (0..64)
                .map(|n| other.home(&message("INVITE", &n.to_string(), "sip:a@h")))
                .collect::<Vec<_>>()
        );
    }

    /// A phone registers with somebody else through us, or watches who is registered there.
    #[test]
    fn the_answer_comes_where_the_request_was_passed_on() {
        let steering = Steering::new(7, 16);
        for method in ["REGISTER", "SUBSCRIBE", "INVITE"] {
            for user in ["101", "102", "103"] {
                let to = format!("sip:{user}@elsewhere.test");
                let wire = format!(
                    "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK01\r\nTo: <{to}>;tag=1\r\nCall-ID: x\r\n\
                     CSeq: 1 {method}\r\n\r\n"
                );
                let answer = Message::parse(wire).unwrap();
                let request = message(method, "x", &to);
                assert_eq!(steering.home(&answer), steering.home(&request), "{method} {user}");
            }
        }
    }

    #[test]
    fn who_watches_registrations_goes_where_they_are_and_so_do_the_answers_to_what_it_is_told() {
        let steering = Steering::new(7, 16);
        for user in ["101", "102", "103"] {
            let to = format!("sip:{user}@a.test");
            let subscribe = message("SUBSCRIBE", "1", &to);
            assert_eq!(steering.home(&subscribe), steering.home_of(user.as_bytes()));
        }
        let mut dice = Dice::new(1);
        for shard in 0..16 {
            let branch = steering.branch(shard, &mut dice);
            let via = format!("Via: SIP/2.0/UDP h;branch={branch}\r\n");
            let answer = Message::parse(format!("SIP/2.0 200 OK\r\n{via}Call-ID: x\r\n\r\n"));
            assert_eq!(steering.home(&answer.unwrap()), shard);
        }
    }
}
