//! Registrations as an operator sees them: listed in small portions, so that nobody's call waits for it, looked up, taken away.

use std::net::SocketAddr;

use machine::Time;
use protocol::{Output, Transport};

use super::Node;
use crate::limits;
use crate::location::Binding;
use crate::registrar::address;

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
}

impl Contact {
    fn of(binding: Binding) -> Self {
        Self {
            uri: binding.uri().into(),
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
