//! Registrations as an operator sees them: listed in small portions, so that nobody's call waits for it, looked up, taken away.

use std::net::SocketAddr;

use machine::Time;
use protocol::{Output, Transport};
use sip::uri::without_password;

use super::Node;
use crate::limits;
use crate::location::Binding;
use crate::registrar::{Removal, Then, address};
use crate::settings::Bindings;

/// An address of record and where it can be reached now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The user part, as bindings are kept under it.
    pub user: Box<[u8]>,
    /// The address of record, as events name it.
    pub aor: Box<str>,
    /// Its bindings, in the order in which they were refreshed.
    pub contacts: Vec<Contact>,
}

/// One binding (RFC 3261 §10.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// The Contact URI.
    pub uri: Box<[u8]>,
    /// Preference, in thousandths.
    pub q: u16,
    /// Until when it holds.
    pub until: Time,
    /// Since when this phone has been registered without a break.
    pub since: Time,
    /// The Call-ID of the REGISTER that wrote it last.
    pub call_id: Box<[u8]>,
    /// How it came, where that is needed to reach it: its connection, or the other side of its NAT.
    pub flow: Option<(Transport, SocketAddr)>,
    /// How the phone names itself (RFC 5626 §4.1).
    pub instance: Option<Vec<u8>>,
    /// The Path that its REGISTER came by, topmost first (RFC 3327).
    pub path: Vec<Box<[u8]>>,
}

/// A portion of a shard's registrations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// What was found, in the order of the places in the table.
    pub found: Vec<Registration>,
    /// Where to go on; nothing when that was all.
    pub next: Option<u32>,
}

impl Node {
    /// The registrations from a place of the table on, of users whose name has `part` in it (an empty one: of all), at most `most`. What
    /// stays registered while somebody lists portion by portion is seen once. A visit ends early where it would keep calls waiting: the
    /// portion may be empty although there is more.
    pub fn registrations(&self, now: Time, from: u32, part: &[u8], most: usize) -> Listing {
        let location = self.roles.registrar.location();
        let mut listing = Listing::default();
        let mut spent = 0;
        let mut at = from;
        loop {
            if spent >= limits::A_VISIT || listing.found.len() >= most {
                listing.next = Some(at);
                return listing;
            }
            let Some((user, bindings)) = location.at(at) else { return listing };
            at = at.saturating_add(1);
            spent += 1;
            if user.is_empty() || !has(user, part) {
                continue;
            }
            let contacts: Vec<Contact> =
                bindings.filter(|binding| binding.until > now).map(Contact::of).collect();
            spent += contacts.len().saturating_mul(limits::A_BINDING);
            if !contacts.is_empty() {
                listing.found.push(self.found(user, contacts));
            }
        }
    }

    /// Where a user can be reached now; nothing when this shard knows of no place.
    pub fn registration(&self, now: Time, user: &[u8]) -> Option<Registration> {
        let bindings = self.roles.registrar.bindings(now, user);
        let contacts: Vec<Contact> = bindings.into_iter().map(Contact::of).collect();
        (!contacts.is_empty()).then(|| self.found(user, contacts))
    }

    fn found(&self, user: &[u8], contacts: Vec<Contact>) -> Registration {
        Registration { user: user.into(), aor: address(&self.house, user), contacts }
    }

    /// Has the store that nodes share asked which bindings a user has, before some are taken away: the one with this Contact URI, or all. Until
    /// it is known [`Node::removal`] says that it waits. If the store cannot be asked, what was meant is taken away there as soon as it can be.
    pub fn look_up(
        &mut self,
        now: Time,
        user: &[u8],
        contact: Option<&[u8]>,
        out: &mut Vec<Output>,
    ) {
        let (mut turn, roles) = self.turn(now, out);
        if turn.house.settings.bindings == Bindings::Shared && turn.is_home_of(user) {
            let then = Then::TakeAway(contact.map(Into::into));
            roles.registrar.recall(&mut turn, user, then);
        }
    }

    /// Takes bindings of a user away: the one with this Contact URI, or all; how many. Their phones are not told: they find out when
    /// they register again.
    pub fn unregister(
        &mut self,
        now: Time,
        user: &[u8],
        contact: Option<&[u8]>,
        out: &mut Vec<Output>,
    ) -> usize {
        let (mut turn, roles) = self.turn(now, out);
        let removed = roles.registrar.unregister(&mut turn, user, contact);
        roles.spread(&mut turn);
        removed
    }

    /// What has become of what was taken away from a user, here or where it is kept.
    pub fn removal(&self, user: &[u8]) -> Removal {
        self.roles.registrar.removal(user)
    }
}

impl Contact {
    fn of(binding: Binding) -> Self {
        Self {
            uri: without_password(binding.uri()).into(),
            q: binding.q,
            until: binding.until,
            since: binding.since,
            call_id: binding.call_id().into(),
            flow: binding.flow.map(|flow| (flow.transport, flow.peer)),
            instance: binding.instance(),
            path: binding.path().map(Into::into).collect(),
        }
    }
}

fn has(user: &[u8], part: &[u8]) -> bool {
    part.is_empty() || user.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::SocketAddr;

    use machine::{Dice, Machine as _};
    use protocol::{Flow, Identity, Input, Listener};
    use sip::Message;

    use super::*;
    use crate::Settings;
    use crate::settings::Overload;

    fn node() -> Node {
        let here = SocketAddr::from(([192, 0, 2, 1], 5060));
        let listeners = vec![Listener::new(0, Transport::Udp, here)];
        let challenge = Vec::new();
        // Everybody registers from one address.
        let overload = Overload { per_source: 0, ..Overload::default() };
        let usual = Settings::of("example.test", listeners);
        Node::new(Settings { challenge, overload, ..usual }, Dice::new(1))
    }

    fn register(node: &mut Node, user: u32, contacts: u32) {
        let peer = SocketAddr::from(([198, 51, 100, 7], 5060));
        let (transport, identity) = (Transport::Udp, Identity::NONE);
        let flow = Flow { transport, listener: 0, connection: 0, peer, identity };
        let contact = |port| format!("Contact: <sip:{user}@198.51.100.7:{}>\r\n", 5060 + port);
        let contacts: String = (0..contacts).map(contact).collect();
        let wire = format!(
            "REGISTER sip:example.test SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK{user}\r\n\
             From: <sip:{user}@example.test>;tag=1\r\nTo: <sip:{user}@example.test>\r\nCall-ID: {user}\r\n\
             CSeq: 1 REGISTER\r\n{contacts}Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        );
        let (message, mut out) = (Message::parse(wire).unwrap(), Vec::new());
        node.handle(Time(1_000_000_000), Input::Received(flow, message), &mut out);
    }

    /// It is noted from where somebody registers: not each time, but each time that this is another place, and as long as it goes on.
    #[test]
    fn where_a_phone_registers_it_is_at_home_until_it_stays_away() {
        let mut node = node();
        let flow = |host| {
            let peer = SocketAddr::from(([198, 51, 100, host], 5060));
            let (transport, identity) = (Transport::Udp, Identity::NONE);
            Flow { transport, listener: 0, connection: 0, peer, identity }
        };
        let mut cseq = 0;
        let mut comes = |node: &mut Node, host: u8, hours: u64| {
            cseq += 1;
            let wire = format!(
                "REGISTER sip:example.test SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.{host};branch=z9hG4bK{cseq}\r\n\
                 From: <sip:7@example.test>;tag=1\r\nTo: <sip:7@example.test>\r\nCall-ID: 1\r\nCSeq: {cseq} REGISTER\r\n\
                 Contact: <sip:7@phone.test>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
            );
            let (message, mut out) = (Message::parse(wire).unwrap(), Vec::new());
            node.handle(at(hours), Input::Received(flow(host), message), &mut out);
        };
        let is_home = |node: &Node, host, hours| node.roles.bans.is_home(at(hours), flow(host));
        for hours in 100..110 {
            comes(&mut node, 7, hours);
            assert!(is_home(&node, 7, hours + 1), "{hours}");
        }
        assert!(!is_home(&node, 8, 110));
        comes(&mut node, 8, 110);
        assert!(is_home(&node, 8, 111) && is_home(&node, 7, 110), "both are known");
        comes(&mut node, 7, 113);
        assert!(is_home(&node, 7, 114) && !is_home(&node, 8, 120) && !is_home(&node, 7, 120));
    }

    fn at(hours: u64) -> Time {
        Time(hours * 3_600_000_000_000)
    }

    /// All that is listed, portion by portion, and how many portions there were.
    fn all(node: &Node, part: &[u8]) -> (Vec<Box<[u8]>>, usize) {
        let (mut users, mut from, mut visits) = (Vec::new(), Some(0), 0);
        while let Some(place) = from {
            let listing = node.registrations(Time(2_000_000_000), place, part, 1_000);
            users.extend(listing.found.into_iter().map(|found| found.user));
            (from, visits) = (listing.next, visits + 1);
        }
        (users, visits)
    }

    #[test]
    fn everybody_is_listed_once_in_portions_of_bounded_work() {
        let mut node = node();
        (0..6_000).for_each(|user| register(&mut node, user, 1 + user % 3));
        let (users, visits) = all(&node, b"");
        assert_eq!(users.iter().collect::<BTreeSet<_>>().len(), 6_000);
        assert_eq!(users.len(), 6_000);
        // A place that has two bindings costs 17; none exceeds a visit by more than one.
        assert!(visits >= 6_000 * 17 / (limits::A_VISIT + 4 * limits::A_BINDING), "{visits}");
        let (some, visits) = all(&node, b"599");
        assert_eq!((some.len(), visits), (16, 2), "places that do not fit are passed over quickly");
        // Who goes leaves a place that the next one takes.
        let mut out = Vec::new();
        for user in 0..3_000_u32 {
            let name = user.to_string();
            let gone = node.unregister(Time(3_000_000_000), name.as_bytes(), None, &mut out);
            assert_eq!(gone, 1 + user as usize % 3);
        }
        assert_eq!(all(&node, b"").0.len(), 3_000);
        register(&mut node, 9_000, 1);
        assert_eq!(all(&node, b"9000").0.len(), 1);
        assert_eq!(
            (node.figures().now.users, node.registration(Time(2), b"9000").is_some()),
            (3_001, true)
        );
    }

    #[test]
    fn one_binding_is_taken_away_and_the_others_stay() {
        let mut node = node();
        register(&mut node, 101, 3);
        let mut out = Vec::new();
        let second = Some(&b"sip:101@198.51.100.7:5061"[..]);
        for removed in [1, 0] {
            assert_eq!(node.unregister(Time(2), b"101", second, &mut out), removed);
        }
        assert_eq!(node.registration(Time(2), b"101").unwrap().contacts.len(), 2);
        assert_eq!(
            (node.figures().now.bindings, node.unregister(Time(2), b"101", None, &mut out)),
            (2, 2)
        );
        assert_eq!((node.figures().now.bindings, node.registration(Time(2), b"101")), (0, None));
    }
}
