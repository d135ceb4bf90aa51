//! Where an errand goes next: to the first address of its hop that we can send to, by a transport that it fits (RFC 3261 §18.1.1).

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;

use machine::Time;
use protocol::auth::{Sight, without_tokens};
use protocol::doors::Output;
use protocol::locate::{Risk, Target};
use protocol::{Flow, Identity, Listener, Transport};
use sip::header::MAGIC;
use sip::{Message, Method, Name, Status};

use super::Line;
use super::errand::{Errand, News, Place, Purpose, Size};
use crate::words;

impl Line {
    /// RFC 3263 §4.3: the next address, with a new branch; when there is none, that was it.
    pub(super) fn next_target(
        &mut self,
        now: Time,
        errand: Errand,
        (status, why): (Status, String),
        out: &mut Vec<Output>,
    ) {
        if errand.targets.is_empty() {
            return self.fail(errand, status, why);
        }
        self.launch(now, errand, out);
    }

    /// Sends to the first target that we have a listener for.
    pub(super) fn launch(&mut self, now: Time, mut errand: Errand, out: &mut Vec<Output>) {
        // Nobody waits for a registration; somebody waits for a call.
        let risk =
            if matches!(errand.purpose, Purpose::Register(_)) { Risk::Take } else { Risk::Avoid };
        let keys = |errand: &Errand| {
            let keys: Vec<_> =
                errand.targets.iter().map(|place| (place.transport, place.peer)).collect();
            keys.into_iter()
        };
        while let Some(at) = self.states.pick(now, keys(&errand), risk)
            && let Some(place) = errand.targets.remove(at)
        {
            let Place { transport, peer, identity, size } = place;
            let via = self.listener(transport, peer).map_or(0, |own| own.advertised.len()) + VIA;
            let large = transport == Transport::Udp
                && size == Size::Counts
                && !protocol::transport::fits_udp(errand.request.wire().len() + via)
                && !self.whither.is_datagrams_only(peer)
                && self.listener(Transport::Tcp, peer).is_some();
            let transport = if large {
                // RFC 3261 §18.1.1: by TCP when it is large, and by UDP after all when nobody takes it there.
                errand.targets.push_front(Place { size: Size::DoesNotCount, ..place });
                Transport::Tcp
            } else {
                transport
            };
            let Some(listener) = self.listener(transport, peer).cloned() else { continue };
            let flow = Flow { identity, ..Flow::to(&listener, peer) };
            let sight = self.sight(flow, errand.request.method());
            let bare = match sight {
                Sight::Open => without_tokens(&errand.request),
                Sight::Guarded => Ok(None),
            };
            // What cannot be taken off does not go.
            let Ok(bare) = bare else { continue };
            let request = bare.as_ref().unwrap_or(&errand.request);
            errand.tries.goes(request, sight);
            let Some(request) = self.with_via(request, &listener) else { continue };
            (errand.went, errand.left) = (Some(flow), now);
            self.note_detour(flow);
            return self.go(now, errand, (flow, request), out);
        }
        let why = words::no_listener(&self.account);
        self.fail(errand, Status::SERVICE_UNAVAILABLE, why);
    }

    fn go(
        &mut self,
        now: Time,
        errand: Errand,
        (flow, request): (Flow, Message),
        out: &mut Vec<Output>,
    ) {
        let purpose = errand.purpose;
        if let Purpose::Ack(invite) = purpose {
            out.push(Output::Send(flow, request.wire().clone()));
            return self.news.push_back(News::Acknowledged { invite, flow, ack: request });
        }
        let id = self.transactions.request(now, flow, request.clone(), out);
        self.pending.insert(id, errand);
        if request.method() == Some(Method::Invite) {
            self.news.push_back(News::Sent { purpose, id, flow, request });
        }
    }

    /// Who sees a token there (RFC 8898 §2.1.2): of a REGISTER by TLS to a server of the account nobody else. All other requests are passed on to
    /// whom they are for, credentials and all (RFC 3261 §22.3).
    fn sight(&self, flow: Flow, method: Option<Method<'_>>) -> Sight {
        let ours = |host: String| Identity::of(&host) == flow.identity;
        let guarded = method == Some(Method::Register)
            && flow.transport.is_secure()
            && self.account.hosts().any(ours);
        if guarded { Sight::Guarded } else { Sight::Open }
    }

    /// RFC 3261 §8.1.1.7, RFC 3581 §3.
    fn with_via(&mut self, request: &Message, listener: &Listener) -> Option<Message> {
        let (by, at) = (listener.transport, &listener.advertised);
        let branch = self.dice.roll();
        // An answer over WebSocket comes back by its connection.
        let rport = if by.is_web() { "" } else { ";rport" };
        let via = format!("SIP/2.0/{by} {at};branch={MAGIC}{branch:016x}{rport}");
        request.edit().push_raw(Name::Via, via.as_bytes()).finish().ok()
    }

    fn listener(&self, transport: Transport, peer: SocketAddr) -> Option<&Listener> {
        self.listeners.iter().find(|listener| {
            listener.transport == transport && listener.bound.is_ipv4() == peer.is_ipv4()
        })
    }
}

/// Addresses to try; whom a TLS peer must prove to be is told to the driver.
pub(super) fn places(targets: &[Target], out: &mut Vec<Output>) -> VecDeque<Place> {
    let secure = |target: &&Target| target.transport.is_secure();
    let names: BTreeSet<_> = targets.iter().filter(secure).map(|target| &target.domain).collect();
    out.extend(names.into_iter().map(|name| Output::Introduce(name.clone())));
    let place = |target: &Target| {
        let (transport, peer) = target.key();
        let secure = transport.is_secure();
        let identity = if secure { Identity::of(&target.domain) } else { Identity::NONE };
        Place { transport, peer, identity, size: Size::Counts }
    };
    targets.iter().map(place).collect()
}

/// What a Via adds to a request beside our address, in octets.
const VIA: usize = 60;
