//! Which shard a message belongs to: a keyed hash of its Call-ID; a REGISTER by its address of record.

use std::hash::BuildHasher as _;

use machine::HashKey;
use sip::header::To;
use sip::{Message, Method};

use crate::location::aor_of;

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
        let register = match message.method() {
            Some(method) => method == Method::Register,
            None => false,
        };
        let aor = register.then(|| message.get::<To>().and_then(|to| aor_of(to.uri))).flatten();
        match aor {
            Some(aor) => self.home_of(&aor),
            None => self.pick(message.call_id()),
        }
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
}
