//! Two who look for a way, a server, and the wire between them, in virtual time.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use machine::{Dice, Time};

use super::server::{Datagram, PASSWORD, Server, USER};
use crate::{Came, Role, Search, Servers, Turn};

pub(super) const BEGAN: Time = Time(1_700_000_000_000_000_000);

pub(super) fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Alice, Bob, and a server; each at an address, Alice perhaps behind another.
pub(super) struct World {
    pub(super) now: Time,
    pub(super) parties: [Search; 2],
    homes: [SocketAddr; 2],
    /// From where the world sees Alice.
    outside: SocketAddr,
    pub(super) server: Server,
    /// What the wire does not carry.
    pub(super) cut: fn(SocketAddr, SocketAddr) -> bool,
    wire: VecDeque<Datagram>,
    /// What came that was none of the search: who got it, from whom, what.
    pub(super) heard: Vec<(usize, SocketAddr, Vec<u8>)>,
    /// Everything that was put onto the wire, and when.
    pub(super) log: Vec<(Time, Datagram)>,
}

pub(super) const ALICE: &str = "10.0.0.1:4000";
pub(super) const BOB: &str = "192.0.2.2:5000";
pub(super) const SERVER: &str = "203.0.113.3:3478";

impl World {
    pub(super) fn new(outside: &str, servers: [&Servers; 2]) -> Self {
        let homes = [at(ALICE), at(BOB)];
        let mut sent = Vec::new();
        let parties = [0, 1].map(|who| {
            let dice = Dice::new(10 + who as u128);
            let mut out = Vec::new();
            let search = Search::new(BEGAN, homes[who], (servers[who], dice), &mut out);
            sent.push((who, out));
            search
        });
        let mut world = Self {
            now: BEGAN,
            parties,
            homes,
            outside: at(outside),
            server: Server::new(at(SERVER)),
            cut: |_, _| false,
            wire: VecDeque::new(),
            heard: Vec::new(),
            log: Vec::new(),
        };
        for (who, out) in sent {
            world.send(who, out);
        }
        world
    }

    pub(super) fn send(&mut self, who: usize, out: Vec<(SocketAddr, Vec<u8>)>) {
        let from = if who == 0 { self.outside } else { self.homes[1] };
        for (to, octets) in out {
            self.log.push((self.now, (from, to, octets.clone())));
            self.wire.push_back((from, to, octets));
        }
    }

    /// Lives on in steps of five milliseconds.
    pub(super) fn live(&mut self, milliseconds: u64) {
        for _ in 0..milliseconds / 5 {
            self.now = self.now + Duration::from_millis(5);
            for who in [0, 1] {
                let party = &mut self.parties[who];
                let due = party.deadline().filter(|due| *due <= self.now);
                let mut out = Vec::new();
                due.into_iter().for_each(|_| party.wake(self.now, &mut out));
                self.send(who, out);
            }
            for _ in 0..self.wire.len() {
                let datagram = self.wire.pop_front().unwrap();
                self.carry(datagram);
            }
        }
    }

    fn carry(&mut self, (from, to, octets): Datagram) {
        if (self.cut)(from, to) {
            return;
        }
        let who = match to {
            to if to == self.outside => 0,
            to if to == self.homes[1] => 1,
            to if to.ip() == self.server.at.ip() => {
                return self.wire.extend(self.server.receive((from, to, octets)));
            }
            _ => return,
        };
        let mut out = Vec::new();
        match self.parties[who].receive(self.now, (from, &octets), &mut out) {
            Came::Taken => {}
            Came::Relayed(peer, octets) => self.heard.push((who, peer, octets)),
            Came::Other => self.heard.push((who, from, octets)),
        }
        self.send(who, out);
    }

    /// Each tells the other its description.
    pub(super) fn meet(&mut self) {
        let said = [self.parties[1].said(), self.parties[0].said()];
        for (who, role) in [(1, Role::Controlled), (0, Role::Controlling)] {
            let mut out = Vec::new();
            self.parties[who].meet(self.now, (&said[who], role), &mut out);
            self.send(who, out);
        }
    }

    /// Each says something to the other by the way that was found.
    pub(super) fn talk(&mut self) {
        for who in [0, 1] {
            let mut out = Vec::new();
            self.parties[who].send(self.now, b"\x80\0sound", &mut out);
            self.send(who, out);
        }
        self.live(20);
    }

    pub(super) fn ends(&self) -> [Option<String>; 2] {
        [0, 1].map(|who| self.parties[who].destination(self.now).map(|at| at.to_string()))
    }
}

pub(super) fn stun() -> Servers {
    Servers { stun: Some(at(SERVER)), ..Servers::default() }
}

pub(super) fn turn() -> Servers {
    let turn = Turn { at: at(SERVER), username: USER.into(), password: PASSWORD.into() };
    Servers { turn: Some(turn), ..Servers::default() }
}
