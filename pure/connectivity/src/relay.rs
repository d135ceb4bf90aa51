//! `Relay`: an address at a TURN server, and those who may talk to us there (RFC 8656).
//!
//! The first Allocate is refused, and says for which realm the password is (§7.2); the second is signed. While the address is ours it
//! is refreshed, and so is everybody's permission and channel. What is passed on goes as a Send indication until the peer has a channel.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use machine::{Dice, Time};
use stun::{Draft, Message, attributes, kinds, long_term_key};

use crate::limits;
use crate::transaction::{Late, Transactions};

/// A TURN server, and who we are there.
#[derive(Clone, PartialEq, Eq)]
pub struct Turn {
    /// Where it listens, for UDP.
    pub at: SocketAddr,
    /// Our name.
    pub username: Box<str>,
    /// Our password.
    pub password: Box<str>,
}

/// The password is in no log.
impl std::fmt::Debug for Turn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turn")
            .field("at", &self.at)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// An address at a TURN server.
#[derive(Debug)]
pub(crate) struct Relay {
    turn: Turn,
    credential: Option<Credential>,
    transactions: Transactions<Purpose>,
    state: State,
    permissions: BTreeMap<IpAddr, Leave>,
    channels: BTreeMap<SocketAddr, Channel>,
    next_channel: u16,
}

#[derive(Clone)]
struct Credential {
    realm: Box<str>,
    nonce: Box<str>,
    key: [u8; 16],
}

/// Neither is the key.
impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential").field("realm", &self.realm).finish_non_exhaustive()
    }
}

/// What a request is for. `tries` counts how often it was refused for its credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Purpose {
    what: What,
    tries: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Allocate,
    Refresh,
    Release,
    Permission(IpAddr),
    Channel(SocketAddr, u16),
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The server was asked.
    Asking,
    /// The address is ours; it is asked for anew then.
    Open {
        /// The address at the relay.
        relayed: SocketAddr,
        /// From where the server sees us.
        mapped: SocketAddr,
        /// When the next refresh is due.
        again: Time,
    },
    /// There is none: the number of the error, or 0 when the server is silent.
    Closed(u16),
}

/// Permission for somebody.
#[derive(Clone, Copy, Debug)]
struct Leave {
    again: Time,
}

/// A channel to somebody.
#[derive(Clone, Copy, Debug)]
struct Channel {
    number: u16,
    /// Once the server has confirmed it, with when it is to be bound anew.
    bound: Option<Time>,
}

impl Relay {
    /// Asks the server for an address.
    pub(crate) fn new(now: Time, turn: Turn, dice: Dice, out: &mut Vec<Vec<u8>>) -> Self {
        let mut relay = Self {
            turn,
            credential: None,
            transactions: Transactions::new(dice),
            state: State::Asking,
            permissions: BTreeMap::new(),
            channels: BTreeMap::new(),
            next_channel: FIRST_CHANNEL,
        };
        relay.ask(now, Purpose { what: What::Allocate, tries: 0 }, out);
        relay
    }

    /// Where the server is.
    pub(crate) const fn server(&self) -> SocketAddr {
        self.turn.at
    }

    /// How far it has come.
    pub(crate) const fn state(&self) -> State {
        self.state
    }

    /// The address at the relay, once it is ours.
    pub(crate) const fn relayed(&self) -> Option<SocketAddr> {
        match self.state {
            State::Open { relayed, .. } => Some(relayed),
            State::Asking | State::Closed(_) => None,
        }
    }

    /// Passes something on to a peer, who gets permission with it.
    pub(crate) fn send(
        &mut self,
        now: Time,
        (peer, octets): (SocketAddr, &[u8]),
        out: &mut Vec<Vec<u8>>,
    ) {
        if self.relayed().is_none() {
            return;
        }
        let room = self.permissions.len() < limits::PERMISSIONS;
        if !self.permissions.contains_key(&peer.ip()) && room {
            self.permissions.insert(peer.ip(), Leave { again: now + limits::PERMISSION });
            self.ask(now, Purpose { what: What::Permission(peer.ip()), tries: 0 }, out);
        }
        match self.channels.get(&peer) {
            Some(Channel { number, bound: Some(_) }) => {
                let Ok(length) = u16::try_from(octets.len()) else { return };
                let head = [number.to_be_bytes(), length.to_be_bytes()].concat();
                out.push([&head, octets].concat());
            }
            _ => {
                let draft = self.transactions.indication(kinds::SEND);
                let draft = draft.with_address(attributes::XOR_PEER_ADDRESS, peer);
                out.push(draft.with(attributes::DATA, octets).finish(None));
            }
        }
    }

    /// With this peer we will talk for long: a channel costs four octets a packet instead of forty (RFC 8656 §12).
    pub(crate) fn bind(&mut self, now: Time, peer: SocketAddr, out: &mut Vec<Vec<u8>>) {
        let full = self.channels.len() >= limits::CHANNELS;
        if self.relayed().is_none() || self.channels.contains_key(&peer) || full {
            return;
        }
        let number = self.next_channel;
        self.next_channel = self.next_channel.saturating_add(1);
        self.channels.insert(peer, Channel { number, bound: None });
        self.ask(now, Purpose { what: What::Channel(peer, number), tries: 0 }, out);
    }

    /// A datagram of the server; what a peer has sent by it is returned.
    pub(crate) fn receive(
        &mut self,
        now: Time,
        octets: &[u8],
        out: &mut Vec<Vec<u8>>,
    ) -> Option<(SocketAddr, Vec<u8>)> {
        if let [64..=79, ..] = octets {
            return self.of_channel(octets);
        }
        let message = Message::read(octets)?;
        if message.kind == kinds::DATA {
            let peer = message.address(attributes::XOR_PEER_ADDRESS)?;
            // RFC 8656 §11.4: from whom we have let in, nobody else.
            self.permissions.get(&peer.ip())?;
            return Some((peer, message.find(attributes::DATA)?.to_vec()));
        }
        let is_refused = message.kind & CLASS == ERROR;
        let asks = matches!(message.error(), Some(UNAUTHENTICATED | STALE_NONCE));
        if !(is_refused && asks || self.is_genuine(&message)) {
            // As if it had never come: the server's own answer may come yet (RFC 8489 §9.2.5).
            return None;
        }
        let purpose = self.transactions.answered(&message)?;
        if is_refused {
            self.refused(now, purpose, &message, out);
        } else {
            self.granted(now, purpose.what, &message);
        }
        None
    }

    /// Refreshes what ends.
    pub(crate) fn wake(&mut self, now: Time, out: &mut Vec<Vec<u8>>) {
        while let Some(late) = self.transactions.late(now) {
            match late {
                Late::Again(octets) => out.push(octets),
                Late::Unanswered(purpose) => self.unanswered(now, purpose.what),
            }
        }
        let State::Open { again, .. } = &mut self.state else { return };
        let mut due = Vec::new();
        if *again <= now {
            *again = now + limits::REFRESH;
            due.push(What::Refresh);
        }
        for (ip, leave) in self.permissions.iter_mut().filter(|(_, leave)| leave.again <= now) {
            leave.again = now + limits::PERMISSION;
            due.push(What::Permission(*ip));
        }
        for (peer, channel) in &mut self.channels {
            if channel.bound.is_some_and(|again| again <= now) {
                channel.bound = Some(now + limits::CHANNEL);
                due.push(What::Channel(*peer, channel.number));
            }
        }
        for what in due {
            self.ask(now, Purpose { what, tries: 0 }, out);
        }
    }

    /// When something is due.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let State::Open { again, .. } = self.state else { return self.transactions.deadline() };
        let permissions = self.permissions.values().map(|leave| leave.again);
        let channels = self.channels.values().filter_map(|channel| channel.bound);
        let all = permissions.chain(channels).chain([again]);
        all.chain(self.transactions.deadline()).min()
    }

    /// The address is wanted no more (RFC 8656 §8). Said once: who does not hear it sees it end by itself.
    pub(crate) fn close(&mut self, now: Time, out: &mut Vec<Vec<u8>>) {
        if self.relayed().is_some() {
            self.ask(now, Purpose { what: What::Release, tries: 0 }, out);
            self.state = State::Closed(0);
        }
    }

    fn ask(&mut self, now: Time, purpose: Purpose, out: &mut Vec<Vec<u8>>) {
        let kind = match purpose.what {
            What::Allocate => kinds::ALLOCATE,
            What::Refresh | What::Release => kinds::REFRESH,
            What::Permission(_) => kinds::CREATE_PERMISSION,
            What::Channel(..) => kinds::CHANNEL_BIND,
        };
        let (credential, username) = (self.credential.clone(), &self.turn.username);
        let write = |draft: Draft| {
            let draft = purpose.what.write(draft);
            let Some(Credential { realm, nonce, key }) = credential else {
                return draft.finish(None);
            };
            draft
                .with(attributes::USERNAME, username.as_bytes())
                .with(attributes::REALM, realm.as_bytes())
                .with(attributes::NONCE, nonce.as_bytes())
                .finish(Some(&key))
        };
        out.push(self.transactions.ask(now, (purpose, kind), write));
    }

    /// RFC 8489 §9.2.5: what is signed by nobody who knows the password, nobody has said.
    fn is_genuine(&self, message: &Message<'_>) -> bool {
        self.credential.as_ref().is_none_or(|credential| message.is_signed_with(&credential.key))
    }

    fn granted(&mut self, now: Time, what: What, message: &Message<'_>) {
        match what {
            What::Allocate => {
                let relayed = message.address(attributes::XOR_RELAYED_ADDRESS);
                let mapped = message.address(attributes::XOR_MAPPED_ADDRESS);
                self.state = match relayed.zip(mapped) {
                    Some((relayed, mapped)) => {
                        State::Open { relayed, mapped, again: now + limits::REFRESH }
                    }
                    None => State::Closed(0),
                };
            }
            What::Channel(peer, _) => {
                if let Some(channel) = self.channels.get_mut(&peer) {
                    channel.bound = Some(now + limits::CHANNEL);
                }
            }
            What::Refresh | What::Release | What::Permission(_) => {}
        }
    }

    fn refused(
        &mut self,
        now: Time,
        Purpose { what, tries }: Purpose,
        message: &Message<'_>,
        out: &mut Vec<Vec<u8>>,
    ) {
        let error = message.error().unwrap_or_default();
        let realm =
            message.text(attributes::REALM).or(self.credential.as_ref().map(|known| &*known.realm));
        let again = match error {
            UNAUTHENTICATED => self.credential.is_none(),
            STALE_NONCE => true,
            _ => false,
        };
        match (realm, message.text(attributes::NONCE)) {
            (Some(realm), Some(nonce)) if again && tries < limits::CREDENTIAL_TRIES => {
                let key = long_term_key(&self.turn.username, realm, &self.turn.password);
                self.credential =
                    Some(Credential { realm: realm.into(), nonce: nonce.into(), key });
                self.ask(now, Purpose { what, tries: tries.saturating_add(1) }, out);
            }
            _ => self.lost(what, error),
        }
    }

    /// The server is silent. An address that we have is ours for some time yet: it is asked again later.
    fn unanswered(&mut self, now: Time, what: What) {
        match (what, &mut self.state) {
            (What::Refresh, State::Open { again, .. }) => *again = now + limits::REFRESH_AGAIN,
            _ => self.lost(what, 0),
        }
    }

    fn lost(&mut self, what: What, error: u16) {
        match what {
            What::Allocate | What::Refresh => self.state = State::Closed(error),
            // Of our address the server knows nothing (RFC 8656 §5).
            _ if error == NO_ALLOCATION => self.state = State::Closed(error),
            // Who is refused is not asked for again with each datagram, but when a permission would have to be.
            What::Permission(ip) if error == 0 => {
                self.permissions.remove(&ip);
            }
            What::Permission(_) => {}
            What::Channel(peer, _) => {
                // Indications do it too; and the number is used up.
                if let Some(channel) = self.channels.get_mut(&peer) {
                    channel.bound = None;
                }
            }
            What::Release => {}
        }
    }

    fn of_channel(&self, octets: &[u8]) -> Option<(SocketAddr, Vec<u8>)> {
        let ([n0, n1, l0, l1], rest) = octets.split_first_chunk::<4>()?;
        let (number, length) = (u16::from_be_bytes([*n0, *n1]), u16::from_be_bytes([*l0, *l1]));
        let (peer, _) = self.channels.iter().find(|(_, channel)| channel.number == number)?;
        Some((*peer, rest.get(..usize::from(length))?.to_vec()))
    }
}

impl What {
    fn write(self, draft: Draft) -> Draft {
        match self {
            Self::Allocate => draft.with(attributes::REQUESTED_TRANSPORT, &[UDP, 0, 0, 0]),
            Self::Refresh => draft,
            Self::Release => draft.with(attributes::LIFETIME, &[0; 4]),
            // A permission is for an address, whatever the port (RFC 8656 §10).
            Self::Permission(ip) => {
                draft.with_address(attributes::XOR_PEER_ADDRESS, SocketAddr::new(ip, 0))
            }
            Self::Channel(peer, number) => {
                let [n0, n1] = number.to_be_bytes();
                draft
                    .with(attributes::CHANNEL_NUMBER, &[n0, n1, 0, 0])
                    .with_address(attributes::XOR_PEER_ADDRESS, peer)
            }
        }
    }
}

/// Protocol number 17.
const UDP: u8 = 17;

/// RFC 8656 §12: 0x4000 to 0x4FFF.
const FIRST_CHANNEL: u16 = 0x4000;

/// The bits of the class in a type, and those of an error (RFC 8489 §5).
const CLASS: u16 = 0x0110;
const ERROR: u16 = 0x0110;

const UNAUTHENTICATED: u16 = 401;
const STALE_NONCE: u16 = 438;
const NO_ALLOCATION: u16 = 437;
