//! `Handshake`: DTLS between two phones, which gives both the keys for SRTP (RFC 5764, RFC 5763).
//!
//! Whoever is named in the description is told by their certificate, not by their address. So several may try, each on a [`Seat`] of
//! their own: a stranger's garbage costs the stranger's seat, and the one who was announced has a seat that nobody else can take.

use std::net::SocketAddr;
use std::sync::Arc;

use dimpl::{Config, Dtls, KeyingMaterial, SrtpProfile};
use machine::Time;
use sdp::{Fingerprint, Part};

use crate::clock::Clock;
use crate::hello::{is_hello, is_hopeless};
use crate::identity::{Identity, is_named};
use crate::limits;

/// A handshake for the keys of one stream.
#[derive(Debug)]
pub struct Handshake {
    part: Part,
    identity: Identity,
    theirs: Vec<Fingerprint>,
    clock: Clock,
    config: Option<Arc<Config>>,
    /// Where they were announced, or where a way to them was found.
    aim: Option<SocketAddr>,
    seats: Vec<Seat>,
    state: State,
    /// When it is given up.
    until: Time,
    /// When the one who was announced is asked anew, after it broke.
    anew: Option<Time>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Shaking,
    Done,
    Failed,
}

/// One who tries.
#[derive(Debug)]
struct Seat {
    at: SocketAddr,
    dtls: Dtls,
    deadline: Time,
    trust: Trust,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    /// Their certificate has not been seen.
    Unknown,
    /// It is one of those that were named.
    Named,
}

/// What a handshake says.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    /// A datagram for there.
    Send(SocketAddr, Vec<u8>),
    /// The keys are there.
    Keys(Keys),
    /// There will be none: why.
    Failed(Broken),
}

/// The keys of both sides, each the master key and behind it the salt.
#[derive(PartialEq, Eq)]
pub struct Keys {
    /// The protection profile (RFC 5764 §4.1.2).
    pub profile: u16,
    /// What we send with.
    pub ours: Vec<u8>,
    /// What the other side sends with.
    pub theirs: Vec<u8>,
}

/// Keys are in no log.
impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("profile", &self.profile).finish_non_exhaustive()
    }
}

/// Why there are no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The certificate is not the one of the description: somebody is in between (RFC 5763 §5).
    Stranger,
    /// They speak DTLS and do not want SRTP, or with no profile that we have (RFC 5764 §4.1.1).
    NoProfile,
    /// The handshake came to no end in time, or broke again and again.
    NoEnd,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Stranger => "the other side's certificate is not the one of its description",
            Self::NoProfile => "no way to protect sound in common",
            Self::NoEnd => "the handshake for the keys came to no end",
        })
    }
}

impl Handshake {
    /// A handshake with whoever has one of these certificates. It begins when it has an [`aim`](Self::aim).
    pub fn new(now: Time, identity: Identity, (part, theirs): (Part, Vec<Fingerprint>)) -> Self {
        let config = Config::builder()
            .mtu(limits::DATAGRAM)
            .flight_start_rto(limits::FIRST_WAIT)
            .flight_retries(limits::TRIES)
            .handshake_timeout(limits::HANDSHAKE)
            .build();
        Self {
            part,
            identity,
            theirs,
            clock: Clock::new(now),
            config: config.ok().map(Arc::new),
            aim: None,
            seats: Vec::new(),
            state: State::Shaking,
            until: now + limits::HANDSHAKE,
            anew: None,
        }
    }

    /// True when it is with whom, and in which part, a new description says (RFC 8842 §4): then its keys stay.
    pub fn is_with(&self, part: Part, theirs: &[Fingerprint]) -> bool {
        self.part == part && self.theirs == theirs
    }

    /// True once the keys are there.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// The other side is there. Somebody who has moved goes on in the same handshake.
    pub fn aim(&mut self, now: Time, at: SocketAddr, out: &mut Vec<Said>) {
        let before = self.aim.replace(at);
        if before == Some(at) {
            return;
        }
        if before.is_none() {
            self.until = now + limits::HANDSHAKE; // whoever was looked for until now had no time of it
        }
        let old = self.seats.iter().position(|seat| Some(seat.at) == before);
        match old.and_then(|old| self.seats.get_mut(old)) {
            Some(seat) => seat.at = at,
            None if self.part == Part::Active && self.state == State::Shaking => {
                self.anew = None;
                self.sit(now, at);
                self.run(now, out);
            }
            None => {}
        }
    }

    /// A DTLS datagram came from there.
    pub fn receive(&mut self, now: Time, (from, octets): (SocketAddr, &[u8]), out: &mut Vec<Said>) {
        let hopeless = match self.part {
            Part::Passive => is_hopeless(octets),
            Part::Active => is_hello(octets),
        };
        if self.state == State::Failed || hopeless {
            return;
        }
        if !self.seats.iter().any(|seat| seat.at == from) && !self.admit(now, from) {
            return;
        }
        let there = self.clock.there(now);
        let Some(seat) = self.seats.iter_mut().find(|seat| seat.at == from) else { return };
        let taken = seat.dtls.handle_timeout(there).and_then(|()| seat.dtls.handle_packet(octets));
        match taken {
            Ok(()) => self.run(now, out),
            Err(_) => self.broken(now, from),
        }
    }

    /// Repeats what was lost.
    pub fn wake(&mut self, now: Time, out: &mut Vec<Said>) {
        let there = self.clock.there(now);
        let due = self.seats.iter_mut().filter(|seat| seat.deadline <= now);
        let late: Vec<_> = due
            .filter_map(|seat| seat.dtls.handle_timeout(there).is_err().then_some(seat.at))
            .collect();
        for at in late {
            self.broken(now, at);
        }
        if self.state == State::Shaking && self.until <= now {
            return self.fail(Broken::NoEnd, out);
        }
        if let (Some(at), Some(_)) = (self.aim, self.anew.take_if(|anew| *anew <= now)) {
            self.sit(now, at);
        }
        self.run(now, out);
    }

    /// When something is due.
    pub fn deadline(&self) -> Option<Time> {
        let seats = self.seats.iter().map(|seat| seat.deadline);
        let until = (self.state == State::Shaking).then_some(self.until);
        seats.chain(self.anew).chain(until).min()
    }

    /// A seat for somebody new. Whoever was not announced gets one only where we wait for others to begin.
    fn admit(&mut self, now: Time, from: SocketAddr) -> bool {
        if self.state == State::Done || self.part == Part::Active {
            return false;
        }
        let strangers = self.seats.iter().filter(|seat| Some(seat.at) != self.aim).count();
        (self.aim == Some(from) || strangers < limits::STRANGERS) && self.sit(now, from)
    }

    fn sit(&mut self, now: Time, at: SocketAddr) -> bool {
        let Some(config) = self.config.clone() else { return false };
        let mut dtls = Dtls::new_12(config, self.identity.shown(), self.clock.there(now));
        dtls.set_active(self.part == Part::Active);
        let begun = dtls.handle_timeout(self.clock.there(now)).is_ok();
        self.seats.push(Seat { at, dtls, deadline: now, trust: Trust::Unknown });
        begun
    }

    /// Something came to no good end there. The one who was announced may try again: it may have been somebody else in their name.
    fn broken(&mut self, now: Time, at: SocketAddr) {
        if self.state != State::Shaking {
            return; // the keys are there, or will never be: more is not wanted of it
        }
        self.seats.retain(|seat| seat.at != at);
        if self.aim == Some(at) && self.part == Part::Active {
            self.anew = Some(now + limits::FIRST_WAIT);
        }
    }

    fn fail(&mut self, why: Broken, out: &mut Vec<Said>) {
        if self.state == State::Shaking {
            self.state = State::Failed;
            self.anew = None;
            self.seats.clear();
            out.push(Said::Failed(why));
        }
    }

    /// Takes out all that there is to say, of all who try.
    fn run(&mut self, now: Time, out: &mut Vec<Said>) {
        let mut at = 0;
        while let Some(seat) = self.seats.get_mut(at) {
            let found = seat.poll(self.clock, (self.part, &self.theirs), out);
            let from = seat.at;
            match found {
                Found::Nothing => at += 1,
                // The first who is who was named has won: the others get up.
                Found::Keys(keys) if self.state == State::Shaking => {
                    self.state = State::Done;
                    self.seats.retain(|seat| seat.at == from);
                    out.push(Said::Keys(keys));
                    return;
                }
                Found::Keys(_) => at += 1,
                Found::Broken(why) if Some(from) == self.aim => return self.fail(why, out),
                Found::Broken(_) => {
                    self.seats.remove(at);
                }
            }
        }
        self.seats.iter_mut().for_each(|seat| seat.deadline = seat.deadline.max(now));
    }
}

/// What a poll has found.
enum Found {
    Nothing,
    Keys(Keys),
    Broken(Broken),
}

impl Seat {
    fn poll(
        &mut self,
        clock: Clock,
        (part, named): (Part, &[Fingerprint]),
        out: &mut Vec<Said>,
    ) -> Found {
        let mut buffer = vec![0; BUFFER];
        let (mut keys, mut connected) = (None, false);
        loop {
            match self.dtls.poll_output(&mut buffer) {
                dimpl::Output::Packet(packet) => out.push(Said::Send(self.at, packet.to_vec())),
                dimpl::Output::BufferTooSmall { needed } if needed <= LARGEST => {
                    buffer.resize(needed, 0);
                }
                dimpl::Output::PeerCert(certificate) if is_named(certificate, named) => {
                    self.trust = Trust::Named;
                }
                dimpl::Output::PeerCert(_) => return Found::Broken(Broken::Stranger),
                dimpl::Output::KeyingMaterial(material, profile) => {
                    keys = cut(&material, profile, part);
                }
                dimpl::Output::Connected => connected = true,
                dimpl::Output::Timeout(at) => {
                    self.deadline = clock.here(at);
                    break;
                }
                dimpl::Output::BufferTooSmall { .. } => {
                    return Found::Broken(Broken::NoEnd);
                }
                _ => {}
            }
        }
        match (keys, connected) {
            (Some(_), _) if self.trust == Trust::Unknown => Found::Broken(Broken::Stranger),
            (Some(keys), _) => Found::Keys(keys),
            (None, true) => Found::Broken(Broken::NoProfile),
            (None, false) => Found::Nothing,
        }
    }
}

/// RFC 5764 §4.2: the client's key, the server's, the client's salt, the server's.
fn cut(material: &KeyingMaterial, profile: SrtpProfile, part: Part) -> Option<Keys> {
    let (number, key, salt) = match profile {
        SrtpProfile::AES128_CM_SHA1_80 => (1, 16, 14),
        SrtpProfile::AEAD_AES_128_GCM => (7, 16, 12),
        SrtpProfile::AEAD_AES_256_GCM => (8, 32, 12),
        _ => return None,
    };
    let (client_key, rest) = material.split_at_checked(key)?;
    let (server_key, rest) = rest.split_at_checked(key)?;
    let (client_salt, rest) = rest.split_at_checked(salt)?;
    let server_salt = rest.get(..salt)?;
    let client = [client_key, client_salt].concat();
    let server = [server_key, server_salt].concat();
    let (ours, theirs) = match part {
        Part::Active => (client, server),
        Part::Passive => (server, client),
    };
    Some(Keys { profile: number, ours, theirs })
}

/// Octets of a datagram that the library fills.
const BUFFER: usize = 2048;

/// The largest that it may ask for.
const LARGEST: usize = 65_536;
