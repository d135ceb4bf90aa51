//! `Search`: looks for a way between two phones. First our own addresses: that of the socket, that which a STUN server sees, that which a TURN
//! server lends. Then pairs of them with those of the other side (RFC 8445).
//!
//! All of it goes through one socket: what comes is told apart by where it comes from and how it begins (RFC 7983).

use std::net::SocketAddr;

use machine::{Dice, Time};
use rtp::Kind;

use crate::ice::{Check, Ice, NoWay, Path, Progress};
use crate::query::{Answer, Query};
use crate::relay::{Relay, State, Turn};
use crate::{Role, limits};

/// Who helps to find addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Servers {
    /// A STUN server.
    pub stun: Option<SocketAddr>,
    /// A TURN server.
    pub turn: Option<Turn>,
    /// Which of our addresses the other side is told.
    pub told: Told,
}

/// Which of our addresses the other side is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Told {
    /// All.
    #[default]
    All,
    /// That at the TURN server alone: everything goes there.
    Relayed,
}

/// A search, from the first question to the last check.
pub struct Search {
    base: SocketAddr,
    dice: Dice,
    told: Told,
    ice: Ice,
    query: Option<Query>,
    relay: Option<Relay>,
    gathering: Gathering,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gathering {
    Until(Time),
    Done,
}

/// What a datagram was.
#[derive(Debug, PartialEq, Eq)]
pub enum Came {
    /// Of the search itself.
    Taken,
    /// Of the other side, from there, by a relay: what it was.
    Relayed(SocketAddr, Vec<u8>),
    /// None of the search.
    Other,
}

/// What goes out: where to, and what.
pub type Sent = Vec<(SocketAddr, Vec<u8>)>;

impl Search {
    /// Begins to ask for addresses, by a socket that is bound there.
    pub fn new(
        now: Time,
        base: SocketAddr,
        (servers, mut dice): (&Servers, Dice),
        out: &mut Sent,
    ) -> Self {
        let mut ice = Ice::new(now, &mut dice);
        if servers.told == Told::All {
            ice.add_host(base);
        }
        let fits = |server: &SocketAddr| server.is_ipv4() == base.is_ipv4();
        let mut said = Vec::new();
        let query = servers.stun.filter(fits).map(|server| {
            let query = Query::new(now, server, Dice::new(dice.seed()), &mut said);
            out.extend(said.drain(..).map(|octets| (server, octets)));
            query
        });
        let turn = servers.turn.clone().filter(|turn| fits(&turn.at));
        let relay = turn.map(|turn| {
            let at = turn.at;
            let relay = Relay::new(now, turn, Dice::new(dice.seed()), &mut said);
            out.extend(said.drain(..).map(|octets| (at, octets)));
            relay
        });
        let gathering = Gathering::Until(now + limits::GATHERING);
        let told = servers.told;
        let mut search = Self { base, dice, told, ice, query, relay, gathering };
        search.settle(now);
        search
    }

    /// True once our own addresses are known, or nobody will tell them any more.
    pub fn is_ready(&self) -> bool {
        self.gathering == Gathering::Done
    }

    /// What our description says.
    pub fn said(&self) -> sdp::Ice {
        self.ice.said()
    }

    /// What is to stand in `c=` and `m=`: somebody who knows nothing of ICE sends there. It is one of the addresses that are told.
    pub fn default_address(&self) -> SocketAddr {
        let relayed = self.relay.as_ref().and_then(Relay::relayed);
        relayed.filter(|_| self.told == Told::Relayed).unwrap_or(self.base)
    }

    /// True when a description of theirs begins anew (RFC 8839 §4.4.1.1.1).
    pub fn is_restarted_by(&self, theirs: &sdp::Ice) -> bool {
        self.ice.is_restarted_by(theirs)
    }

    /// This machine is elsewhere now, where the servers know nothing of what was asked before. The way to the other side is tried on, from there.
    pub fn leave_servers(&mut self) {
        self.query = None;
        self.relay = None;
    }

    /// It takes the place of another, by the same socket: until it has found a way, what is said goes where it went (RFC 8839 §4.4.3.1.1).
    pub fn go_on_from(&mut self, before: &Self) {
        self.ice.go_on_from((self.base, before.base), &before.ice);
    }

    /// Before an answer: when their offer begins anew, we do too.
    pub fn hear_offer(&mut self, theirs: &sdp::Ice) {
        if self.is_restarted_by(theirs) {
            self.ice.restart(&mut self.dice);
        }
    }

    /// Their description: the checks begin, or go on.
    pub fn meet(&mut self, now: Time, (theirs, role): (&sdp::Ice, Role), out: &mut Sent) {
        let checks = self.ice.meet(now, (theirs, role), &mut self.dice);
        self.post(now, checks, out);
    }

    /// A fragment of their description that came later (RFC 8840 §9).
    pub fn trickled(&mut self, now: Time, fragment: &str, out: &mut Sent) {
        let checks = self.ice.trickled(now, fragment);
        self.post(now, checks, out);
    }

    /// Where what is said to the other side goes now: nowhere, while no way is found or when consent has ended.
    pub fn destination(&self, now: Time) -> Option<SocketAddr> {
        self.ice.path(now).map(|path| path.to)
    }

    /// Why no way was found, once it is given up (RFC 8445 §8.1.2, RFC 8863 §4).
    pub fn failure(&self) -> Option<NoWay> {
        match self.ice.progress() {
            Progress::Nothing(why) => Some(why),
            Progress::Searching | Progress::Found => None,
        }
    }

    /// The other side may hear of us only now: from here on it is waited for.
    pub fn wait_anew(&mut self, now: Time) {
        self.ice.wait_anew(now);
    }

    /// True for an address from which they have shown that they read our description (RFC 8445 §7.3).
    pub fn knows(&self, at: SocketAddr) -> bool {
        self.ice.knows(at)
    }

    /// Sends something by the way that was found.
    pub fn send(&mut self, now: Time, octets: &[u8], out: &mut Sent) {
        let Some(path) = self.ice.path(now) else { return };
        if Some(path.from) == self.relay.as_ref().and_then(Relay::relayed) {
            self.with_relay(out, |relay, said| relay.bind(now, path.to, said));
        }
        self.put(now, (path, octets), out);
    }

    /// A datagram came on the socket.
    pub fn receive(
        &mut self,
        now: Time,
        (from, octets): (SocketAddr, &[u8]),
        out: &mut Sent,
    ) -> Came {
        let kind = Kind::of(octets);
        // One server may be asked for both: each answer names its question.
        let query = self.query.as_mut().filter(|query| query.server() == from);
        if query.and_then(|query| query.receive(now, octets)).is_some() {
            self.settle(now);
            return Came::Taken;
        }
        let is_relay = self.relay.as_ref().is_some_and(|relay| relay.server() == from);
        if is_relay && matches!(kind, Kind::Stun | Kind::TurnChannel) {
            return self.receive_relayed(now, octets, out);
        }
        if kind != Kind::Stun {
            return Came::Other;
        }
        let checks = self.ice.receive(now, (Path { from: self.base, to: from }, octets));
        self.post(now, checks, out);
        Came::Taken
    }

    fn receive_relayed(&mut self, now: Time, octets: &[u8], out: &mut Sent) -> Came {
        let mut inside = None;
        self.with_relay(out, |relay, said| inside = relay.receive(now, octets, said));
        self.settle(now);
        let relayed = self.relay.as_ref().and_then(Relay::relayed);
        let (Some((peer, octets)), Some(at)) = (inside, relayed) else { return Came::Taken };
        if Kind::of(&octets) != Kind::Stun {
            return Came::Relayed(peer, octets);
        }
        let checks = self.ice.receive(now, (Path { from: at, to: peer }, &octets));
        self.post(now, checks, out);
        Came::Taken
    }

    /// Does what is due.
    pub fn wake(&mut self, now: Time, out: &mut Sent) {
        if let Some(query) = &mut self.query {
            let (server, mut said) = (query.server(), Vec::new());
            query.wake(now, &mut said);
            out.extend(said.into_iter().map(|octets| (server, octets)));
        }
        self.with_relay(out, |relay, said| relay.wake(now, said));
        self.settle(now);
        let checks = self.ice.wake(now);
        self.post(now, checks, out);
        if let Some(query) = self.query.as_mut().filter(|_| self.ice.progress() == Progress::Found)
        {
            query.rest();
        }
    }

    /// When something is due.
    pub fn deadline(&self) -> Option<Time> {
        let gathering = match self.gathering {
            Gathering::Until(until) => Some(until),
            Gathering::Done => None,
        };
        let query = self.query.as_ref().and_then(Query::deadline);
        let relay = self.relay.as_ref().and_then(Relay::deadline);
        [gathering, query, relay, self.ice.deadline()].into_iter().flatten().min()
    }

    /// The address at the relay is given back.
    pub fn close(&mut self, now: Time, out: &mut Sent) {
        self.with_relay(out, |relay, said| relay.close(now, said));
    }

    /// Takes over what the servers have said.
    fn settle(&mut self, now: Time) {
        let Gathering::Until(until) = self.gathering else { return };
        let mapped = match self.query.as_ref().map(Query::answer) {
            Some(Answer::Waiting) => None,
            Some(Answer::Mapped(at)) => Some(Some(at)),
            Some(Answer::Silence) | None => Some(None),
        };
        let lent = match self.relay.as_ref().map(Relay::state) {
            Some(State::Asking) => None,
            Some(State::Open { relayed, mapped, .. }) => Some(Some((relayed, mapped))),
            Some(State::Closed(_)) | None => Some(None),
        };
        let late = until <= now;
        if (mapped.is_none() || lent.is_none()) && !late {
            return;
        }
        self.gathering = Gathering::Done;
        let (mapped, lent) = (mapped.flatten(), lent.flatten());
        let mapped = mapped.or(lent.map(|(_, mapped)| mapped));
        if let Some(at) = mapped.filter(|_| self.told == Told::All) {
            self.ice.add_mapped(at, self.base);
        }
        if let Some((relayed, _)) = lent {
            self.ice.add_relayed(relayed, self.base);
        }
    }

    fn post(&mut self, now: Time, checks: Vec<Check>, out: &mut Sent) {
        for Check { path, octets } in checks {
            self.put(now, (path, &octets), out);
        }
    }

    fn put(&mut self, now: Time, (path, octets): (Path, &[u8]), out: &mut Sent) {
        if path.from == self.base {
            return out.push((path.to, octets.to_vec()));
        }
        let is_relayed = |relay: &Relay| relay.relayed() == Some(path.from);
        if self.relay.as_ref().is_some_and(is_relayed) {
            self.with_relay(out, |relay, said| relay.send(now, (path.to, octets), said));
        }
    }

    fn with_relay(&mut self, out: &mut Sent, deed: impl FnOnce(&mut Relay, &mut Vec<Vec<u8>>)) {
        let Some(relay) = &mut self.relay else { return };
        let (at, mut said) = (relay.server(), Vec::new());
        deed(relay, &mut said);
        out.extend(said.into_iter().map(|octets| (at, octets)));
    }
}
