//! `Watcher`: one subscription to somebody's registrations, and what it is still to be told.

use std::time::Duration;

use machine::Time;
use protocol::dialog::Tag;
use protocol::subscription::Subscription;
use protocol::transaction::ClientId;
use protocol::{Fault, Flow, Transport};
use sip::{Message, Name, Uri};

use super::changes::Change;
use super::reginfo::{self, Kind};
use crate::house::House;
use crate::location::{Binding, flow_to_keep};
use crate::proxy::direct_flow;
use crate::turn::Turn;

/// One watcher.
#[derive(Debug)]
pub(super) struct Watcher {
    pub(super) aor: Box<[u8]>,
    pub(super) subscription: Subscription,
    pub(super) owed: Owed,
    /// For when its alarm is set.
    pub(super) alarm: Time,
    /// The number of the next document (RFC 3680 §5.1).
    version: u32,
    /// The way of its NOTIFYs.
    way: Flow,
}

/// What it is still to be told.
#[derive(Clone, Debug)]
pub(super) enum Owed {
    /// All there is: it is new, or has missed too much.
    Everything,
    /// What has changed.
    Changes(Vec<Change>),
}

impl Watcher {
    /// Begins one, with a SUBSCRIBE.
    pub(super) fn begin(
        turn: &Turn<'_>,
        (came, request): (Flow, &Message),
        aor: &[u8],
        until: Time,
    ) -> Result<Self, Fault> {
        let tag = Tag::of(&turn.house.tag(request));
        let subscription = Subscription::begin(request, tag, came.transport, until)
            .map_err(|_| Fault::BadContact)?;
        let way = way(turn.house, (came, request), &subscription);
        let (owed, alarm) = (Owed::Everything, Time::NEVER);
        Ok(Self { aor: aor.into(), subscription, owed, alarm, version: 0, way })
    }

    /// Our Contact in its dialog: an address of this server that is good from everywhere (RFC 6665 §4.5.1, RFC 5627 §4.3).
    pub(super) fn contact(&self, house: &House) -> String {
        let Some(listener) = house.listener(self.way.listener) else { return String::new() };
        let transport = match listener.transport {
            Transport::Udp => String::new(),
            other => format!(";transport={}", other.token().to_ascii_lowercase()),
        };
        format!("<sip:{}{transport};gr>", listener.advertised)
    }

    /// Something has changed. One change is told as such; when another waits already, all is told again.
    pub(super) fn owe(&mut self, changes: &[Change]) {
        self.owed = match &self.owed {
            Owed::Changes(waiting) if waiting.is_empty() => Owed::Changes(changes.to_vec()),
            Owed::Changes(_) | Owed::Everything => Owed::Everything,
        };
        self.subscription.owe();
    }

    /// Sends the NOTIFY that is due.
    pub(super) fn notify(
        &mut self,
        turn: &mut Turn<'_>,
        bindings: &[Binding],
        pace: Duration,
    ) -> Option<ClientId> {
        let owed = std::mem::replace(&mut self.owed, Owed::Changes(Vec::new()));
        let all = || bindings.iter().map(|binding| Change::found(binding.clone())).collect();
        let (kind, contacts): (_, Vec<_>) = match owed {
            Owed::Everything => (Kind::Full, all()),
            Owed::Changes(changes) if changes.is_empty() => (Kind::Full, all()),
            Owed::Changes(changes) => (Kind::Partial, changes),
        };
        let document = reginfo::Document {
            aor: &self.aor,
            version: self.version,
            kind,
            contacts: &contacts,
            is_registered: !bindings.is_empty(),
        };
        let body = document.write(turn);
        self.version = self.version.wrapping_add(1);
        let draft = self
            .subscription
            .notify(turn.now, pace)
            .raw(Name::Via, self.via(turn).as_bytes())
            .raw(Name::Contact, self.contact(turn.house).as_bytes())
            .body("application/reginfo+xml", body.as_bytes());
        let notify = Message::parse(draft.wire()).ok()?;
        Some(turn.transactions.request(turn.now, self.way, notify, turn.out))
    }

    /// A Via whose branch leads the answer back to this shard.
    fn via(&self, turn: &mut Turn<'_>) -> String {
        let branch = turn.house.steering.branch(turn.house.settings.shard.number, turn.dice);
        let sent_by = turn.house.listener(self.way.listener).map_or("", |at| &at.advertised);
        let rport = if self.way.transport == Transport::Udp { ";rport" } else { "" };
        format!("SIP/2.0/{} {sent_by};branch={branch}{rport}", self.way.transport)
    }
}

/// The way back to a watcher: its connection or its NAT, its next hop where that is a number, else where its SUBSCRIBE came from.
fn way(house: &House, (came, request): (Flow, &Message), subscription: &Subscription) -> Flow {
    let direct = request.elements(Name::Via).count() == 1;
    let kept = flow_to_keep(came, request, subscription.next_hop()).filter(|_| direct);
    let next = || match Uri::parse(subscription.next_hop()) {
        Ok(Uri::Sip(uri)) => direct_flow(&uri, house, came.listener),
        _ => None,
    };
    kept.or_else(next).unwrap_or(came)
}
