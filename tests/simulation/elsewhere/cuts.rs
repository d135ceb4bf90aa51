//! Now one node does not reach the store, now the other, now neither. Phones register, sign off and lose their connections meanwhile, and an operator takes
//! away what a node knows. Once all is well both nodes know who is there, and that is who should be.

use std::time::Duration;

use machine::{Dice, Time};
use offhook_tests::office::{Phone, answers};
use offhook_tests::seeds::seeds;
use protocol::{Flow, Input};

use super::Pair;
use super::losses::{listed, look_up, register, take_away};

/// A phone, and what it may rely on.
struct Owner {
    phone: Phone,
    nth: u32,
    is: Is,
    /// Where it has registered last, and when.
    last: (usize, Time),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    There,
    Away,
    /// It was taken away at a node that could not ask the store, and did not know of it, or not that it had registered since.
    Either,
}

struct Life {
    pair: Pair,
    owners: Vec<Owner>,
    dice: Dice,
    connections: u32,
}

impl Life {
    fn new(seed: u64) -> Self {
        let pair = Pair::new(|settings| settings);
        let now = pair.now;
        let owner = |number: u16| {
            let (nth, is, last) = (0, Is::Away, (0, now));
            let phone = if number < 112 { Phone::udp(number) } else { Phone::tcp(number, 0) };
            Owner { phone: Phone { user: "101".into(), ..phone }, nth, is, last }
        };
        let owners = (110..113).map(owner).collect();
        Self { pair, owners, dice: Dice::new(seed.into()), connections: 0 }
    }

    fn goes_on(&mut self) {
        let (number, who) = (self.dice.below(2) as usize, self.dice.below(3) as usize);
        match self.dice.below(8) {
            0..=3 => self.speaks(number, who),
            4 => self.loses_its_connection(who),
            5 => {
                let one = self.dice.chance(50).then_some(who);
                self.is_taken_away(number, one);
            }
            _ => self.pair.cut[number] = !self.pair.cut[number],
        }
        let pause = Duration::from_millis(1 + self.dice.below(4_000));
        self.pair.wait(pause);
    }

    fn speaks(&mut self, number: usize, who: usize) {
        let Owner { phone, nth, .. } = &mut self.owners[who];
        *nth += 1;
        let expires = if self.dice.chance(70) { 600 } else { 0 };
        if phone.flow.transport.is_reliable() {
            self.connections += 1;
            phone.flow.connection = self.connections;
        }
        let (phone, request) = (phone.clone(), register(phone, *nth, expires));
        let sent = self.pair.hear(number, &phone, &request);
        if answers(&sent, phone.flow) == [200] {
            let is = if expires > 0 { Is::There } else { Is::Away };
            let owner = &mut self.owners[who];
            (owner.is, owner.last) = (is, (number, self.pair.now));
        }
    }

    fn loses_its_connection(&mut self, who: usize) {
        let Owner { phone, is, last, .. } = &mut self.owners[who];
        let (number, flow) = (last.0, phone.flow);
        if flow.transport.is_reliable() && *is == Is::There {
            *is = Is::Away;
            // The latest may be that of a REGISTER that was refused.
            for connection in 1..=self.connections {
                self.pair.tell(number, Input::Failed(Flow { connection, ..flow }));
            }
        }
    }

    fn is_taken_away(&mut self, number: usize, who: Option<usize>) {
        let contact = who.map(|who| self.owners[who].phone.contact());
        look_up(&mut self.pair, number, contact.as_deref());
        let known = self.pair.offices[number].node.registration(self.pair.now, b"101");
        let known = known.map(|known| known.contacts).unwrap_or_default();
        take_away(&mut self.pair, number, contact.as_deref());
        for (at, owner) in self.owners.iter_mut().enumerate() {
            let uri = owner.phone.contact();
            let is_known = known.iter().any(|contact| *contact.uri == *uri.as_bytes());
            let is_meant = who.is_none_or(|who| who == at);
            let until = owner.last.1 + Duration::from_secs(600);
            let is_latest = known.iter().any(|contact| contact.until == until);
            let is_certain = is_known && (is_latest || !self.pair.cut[number]);
            if is_meant && owner.is != Is::Away {
                owner.is = if is_certain { Is::Away } else { Is::Either };
            }
        }
    }

    fn all_is_well(&mut self, seed: u64) {
        self.pair.cut = [false; 2];
        self.pair.wait(Duration::from_secs(5));
        let found = [0, 1].map(|number| listed(&mut self.pair, number));
        for owner in &self.owners {
            let uri = owner.phone.contact();
            for found in &found {
                let is = found.iter().any(|contact| contact.contains(&uri));
                let wrong = match owner.is {
                    Is::There => !is,
                    Is::Away => is,
                    Is::Either => false,
                };
                assert!(!wrong, "seed {seed}: {uri} is {:?}, and found is {found:?}", owner.is);
            }
        }
        assert_eq!(found[0].len(), found[1].len(), "seed {seed}");
    }
}

#[test]
fn both_nodes_know_who_is_there_when_all_is_well_again() {
    for seed in seeds(0..100) {
        let mut life = Life::new(seed);
        for _ in 0..6 {
            for _ in 0..8 {
                life.goes_on();
            }
            life.all_is_well(seed);
        }
    }
}
