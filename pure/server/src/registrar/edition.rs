//! `Edition`: the bindings of an address as the nodes of a cluster share them: which edition they are, and who vouches for it.

use std::time::Duration;

use machine::{Dice, Time};
use protocol::doors::Neighbour;

use crate::house::House;
use crate::location::{Binding, Location};
use crate::octets::cut;
use crate::push;

/// One state of the bindings of an address. Each edition has a higher number than the one whose place it takes.
#[derive(Debug)]
pub(super) struct Edition {
    pub(super) number: u64,
    pub(super) bindings: Vec<Binding>,
}

/// Why what is kept is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spoilt {
    /// No node has written this under this address; the number is what it says.
    Tampered(u64),
    /// A newer program has written it, in a form that is not known here.
    Newer,
}

impl Edition {
    /// Writes it: its number, the form, the bindings, and a signature that no other key and no other address has.
    pub(super) fn write(house: &House, aor: &[u8], number: u64, bindings: &[Binding]) -> Box<[u8]> {
        let mut octets = number.to_be_bytes().to_vec();
        octets.push(FORM);
        octets.extend_from_slice(&Location::packed(aor, bindings));
        let signature = house.seal.sign([PURPOSE, aor, &octets]);
        octets.extend_from_slice(&signature);
        octets.into()
    }

    /// Reads it, as it looks from here: flows of ours are ours again, unless they are of an earlier life.
    pub(super) fn read(
        house: &House,
        now: Time,
        aor: &[u8],
        octets: &[u8],
    ) -> Result<Self, Spoilt> {
        let mut rest = octets;
        let number = cut::<8>(&mut rest).map_or(0, u64::from_be_bytes);
        let tampered = Spoilt::Tampered(number);
        let (signed, signature) = octets.split_last_chunk::<SIGNATURE>().ok_or(tampered)?;
        if !house.seal.has_signed([PURPOSE, aor, signed], signature) {
            return Err(tampered);
        }
        let (form, packed) = signed.get(8..).and_then(<[u8]>::split_first).ok_or(tampered)?;
        if *form > FORM {
            return Err(Spoilt::Newer);
        }
        let bindings = Location::unpacked(aor, packed).ok_or(tampered)?;
        let valid = bindings.into_iter().filter(|binding| binding.until > now);
        let bindings = valid.filter_map(|binding| from_here(house, aor, binding)).collect();
        let mut edition = Self { number, bindings };
        // The clock of the node that has granted it may be ahead of ours: nobody is registered for longer than anybody may be, or than was left
        // when this was written, for then more may have been granted.
        let (written, longest) = (edition.written(), now + house.settings.registrar.max);
        for Binding { until, .. } in &mut edition.bindings {
            *until = longest.max(now + (*until - written)).min(*until);
        }
        Ok(edition)
    }

    /// How far the clock of the node that has written it is ahead of ours, at least.
    pub(super) fn lead(&self, now: Time) -> Duration {
        self.written() - now
    }

    /// When it was written, by the clock of the node that did.
    const fn written(&self) -> Time {
        Time((self.number >> DICE_BITS).saturating_mul(MICRO))
    }

    /// The number of the edition after another, by a clock that all nodes have more or less.
    pub(super) fn after(number: u64, now: Time, dice: &mut Dice) -> u64 {
        let clock = (now.0 / MICRO) << DICE_BITS | dice.roll() >> (64 - DICE_BITS);
        clock.max(number.saturating_add(1))
    }
}

/// Bindings as all nodes are to see them: flows of ours say that they are.
pub(super) fn for_all(us: Neighbour, bindings: &[Binding]) -> Vec<Binding> {
    let named = |binding: &Binding| {
        let node = binding.node.or(binding.flow.map(|_| us));
        binding.clone().at(node)
    };
    bindings.iter().map(named).collect()
}

/// What is still true of a binding, seen from here.
fn from_here(house: &House, aor: &[u8], binding: Binding) -> Option<Binding> {
    let us = house.settings.cluster.map(|cluster| cluster.us);
    let (Some(flow), Some(node), Some(us)) = (binding.flow, binding.node, us) else {
        return Some(binding);
    };
    if node.at != us.at {
        return Some(binding);
    }
    let binding = binding.at(None);
    let lives = node.life == us.life || flow.connection == 0;
    let listener = house.listener(flow.listener);
    if lives && listener.is_some_and(|listener| listener.transport == flow.transport) {
        return Some(binding);
    }
    binding.without(flow, |binding| push::can_be_woken(house, aor, binding.uri()).is_some())
}

/// What the signatures are for.
const PURPOSE: &[u8] = b"bindings";

/// The form of what is written. Earlier ones are read; a program leaves alone what it does not know.
const FORM: u8 = 2;

const SIGNATURE: usize = 16;

/// Nanoseconds of a microsecond.
const MICRO: u64 = 1_000;

/// Two nodes hardly ever write in the same microsecond; should they, these tell their editions apart.
const DICE_BITS: u32 = 8;

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use machine::Machine as _;
    use protocol::doors::{Event, Question, Ticket};
    use protocol::{Answer, Flow, Identity, Input, Listener, Output, Transport};
    use sip::{Message, Name, Status};

    use super::*;
    use crate::Node;
    use crate::settings::{Bindings, Cluster, Settings};

    fn settings() -> Settings {
        let at = |port| SocketAddr::from(([192, 0, 2, 10], port));
        let listeners = vec![
            Listener::new(0, Transport::Udp, at(5060)),
            Listener::new(1, Transport::Tcp, at(5070)),
        ];
        let us = Neighbour { at: at(5070), life: 1 };
        let (challenge, cluster) = (Vec::new(), Some(Cluster { us, listener: 1 }));
        let usual = Settings::of("example.test", listeners);
        Settings { challenge, cluster, bindings: Bindings::Shared, secret: 7, ..usual }
    }

    /// What a node that is newer than this one has written: signed as all sign, and in a form that is not known here.
    fn newer() -> Box<[u8]> {
        let house = House::new(settings(), &mut Dice::new(1));
        let octets = Edition::write(&house, b"101", 7 << DICE_BITS, &[]);
        let (signed, _) = octets.split_last_chunk::<SIGNATURE>().unwrap();
        let mut octets = signed.to_vec();
        octets[8] = FORM + 1;
        octets.extend_from_slice(b"and more than is known here");
        let signature = house.seal.sign([PURPOSE, b"101", &octets]);
        [&octets[..], &signature].concat().into()
    }

    /// What the node says to a REGISTER with these rows, and, if it asks the store for something, to what that says.
    fn registers(node: &mut Node, cseq: u32, rows: &str, told: Answer) -> Vec<Output> {
        let peer = SocketAddr::from(([198, 51, 100, 7], 5060));
        let (transport, identity) = (Transport::Udp, Identity::NONE);
        let flow = Flow { transport, listener: 0, connection: 0, peer, identity };
        let wire = format!(
            "REGISTER sip:example.test SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK{cseq}\r\n\
             From: <sip:101@example.test>;tag=1\r\nTo: <sip:101@example.test>\r\nCall-ID: 1\r\n\
             CSeq: {cseq} REGISTER\r\n{rows}Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        );
        let (now, mut out) = (Time(1_700_000_000_000_000_000), Vec::new());
        node.handle(now, Input::Received(flow, Message::parse(wire).unwrap()), &mut out);
        let (ticket, _) = questions(&out).next().expect("the store is asked");
        out.clear();
        node.handle(now, Input::Answered(ticket, told), &mut out);
        out
    }

    fn questions(out: &[Output]) -> impl Iterator<Item = (Ticket, &Question)> {
        out.iter().filter_map(|output| match output {
            Output::Ask(ticket, question) => Some((*ticket, question)),
            _ => None,
        })
    }

    fn answer(out: &[Output]) -> Message {
        let wire = out.iter().find_map(|output| match output {
            Output::Send(_, wire) => Some(wire.clone()),
            _ => None,
        });
        Message::parse(wire.expect("an answer")).unwrap()
    }

    fn is_told(out: &[Output]) -> bool {
        let newer = |output: &Output| match output {
            Output::Report(Event::Newer { aor }) => &**aor == "101",
            _ => false,
        };
        out.iter().any(newer)
    }

    #[test]
    fn what_a_newer_program_has_written_is_left_as_it_is_and_said() {
        let house = House::new(settings(), &mut Dice::new(1));
        let read = Edition::read(&house, Time(1), b"101", &newer());
        assert!(matches!(read, Err(Spoilt::Newer)), "{read:?}");
        let mut node = Node::new(settings(), Dice::new(2));
        let contact = "Contact: <sip:101@198.51.100.7>\r\n";
        let out = registers(&mut node, 1, contact, Answer::Differs(newer()));
        let refused = answer(&out);
        assert_eq!(refused.status(), Some(Status::SERVICE_UNAVAILABLE));
        assert!(refused.has(Name::RetryAfter) && is_told(&out));
        assert_eq!(questions(&out).count(), 0, "nothing is put in its place");
        // Who asks is told of nobody.
        let out = registers(&mut node, 2, "", Answer::Recalled(Some(newer())));
        let ok = answer(&out);
        assert_eq!((ok.status(), ok.has(Name::Contact)), (Some(Status::OK), false));
        assert!(is_told(&out));
        assert_eq!(questions(&out).count(), 0, "nothing is put in its place");
        assert_eq!(node.registered(), 0);
    }
}
