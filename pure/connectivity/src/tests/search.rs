//! Two who look for a way: past each other's NATs, by a relay, through floods; and what ends it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use machine::{Dice, Time};

use super::server::{Datagram, PASSWORD, Server, USER};
use crate::{Came, Role, Search, Servers, Turn};

const BEGAN: Time = Time(1_700_000_000_000_000_000);

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Alice, Bob, and a server; each at an address, Alice perhaps behind another.
struct World {
    now: Time,
    parties: [Search; 2],
    homes: [SocketAddr; 2],
    /// From where the world sees Alice.
    outside: SocketAddr,
    server: Server,
    /// What the wire does not carry.
    cut: fn(SocketAddr, SocketAddr) -> bool,
    wire: VecDeque<Datagram>,
    /// What came that was none of the search: who got it, from whom, what.
    heard: Vec<(usize, SocketAddr, Vec<u8>)>,
}

const ALICE: &str = "10.0.0.1:4000";
const BOB: &str = "192.0.2.2:5000";
const SERVER: &str = "203.0.113.3:3478";

impl World {
    fn new(outside: &str, servers: [&Servers; 2]) -> Self {
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
        };
        for (who, out) in sent {
            world.send(who, out);
        }
        world
    }

    fn send(&mut self, who: usize, out: Vec<(SocketAddr, Vec<u8>)>) {
        let from = if who == 0 { self.outside } else { self.homes[1] };
        self.wire.extend(out.into_iter().map(|(to, octets)| (from, to, octets)));
    }

    /// Lives on in steps of five milliseconds.
    fn live(&mut self, milliseconds: u64) {
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
    fn meet(&mut self) {
        let said = [self.parties[1].said(), self.parties[0].said()];
        for (who, role) in [(1, Role::Controlled), (0, Role::Controlling)] {
            let mut out = Vec::new();
            self.parties[who].meet(self.now, (&said[who], role), &mut out);
            self.send(who, out);
        }
    }

    /// Each says something to the other by the way that was found.
    fn talk(&mut self) {
        for who in [0, 1] {
            let mut out = Vec::new();
            self.parties[who].send(self.now, b"\x80\0sound", &mut out);
            self.send(who, out);
        }
        self.live(20);
    }

    fn ends(&self) -> [Option<String>; 2] {
        [0, 1].map(|who| self.parties[who].destination(self.now).map(|at| at.to_string()))
    }
}

fn stun() -> Servers {
    Servers { stun: Some(at(SERVER)), ..Servers::default() }
}

fn turn() -> Servers {
    let turn = Turn { at: at(SERVER), username: USER.into(), password: PASSWORD.into() };
    Servers { turn: Some(turn), ..Servers::default() }
}

#[test]
fn two_who_see_each_other_find_each_other_in_a_blink() {
    let mut world = World::new(ALICE, [&Servers::default(), &Servers::default()]);
    assert!(world.parties[0].is_ready(), "nobody to ask");
    world.meet();
    world.live(500);
    assert_eq!(world.ends(), [Some(BOB.into()), Some(ALICE.into())]);
    world.talk();
    assert_eq!(world.heard.len(), 2);
    assert!(world.parties[1].knows(at(ALICE)) && !world.parties[1].knows(at("192.0.2.9:1")));
}

/// RFC 8445 §5.1.1.2: the address that the NAT shows is one of ours.
#[test]
fn behind_a_nat_the_server_says_how_we_look_from_outside() {
    let outside = "198.51.100.1:40123";
    let mut world = World::new(outside, [&stun(), &stun()]);
    assert!(!world.parties[0].is_ready());
    world.live(100);
    assert!(world.parties[0].is_ready());
    let said = world.parties[0].said().candidates.join("\n");
    assert!(said.contains("198.51.100.1 40123 typ srflx"), "{said}");
    assert!(said.contains("10.0.0.1 4000 typ host"), "{said}");
    let bobs = world.parties[1].said().candidates.join("\n");
    assert!(!bobs.contains("srflx"), "who is not behind a NAT has one address: {bobs}");
    world.meet();
    world.live(1000);
    assert_eq!(world.ends(), [Some(BOB.into()), Some(outside.into())]);
}

#[test]
fn a_server_that_is_silent_holds_no_call_up_for_long() {
    let mut world = World::new(ALICE, [&stun(), &turn()]);
    world.cut = |_, to| to == at(SERVER);
    world.live(1000);
    assert!(!world.parties[0].is_ready());
    world.live(600);
    assert!(world.parties.iter().all(Search::is_ready));
    world.meet();
    world.live(500);
    assert_eq!(world.ends(), [Some(BOB.into()), Some(ALICE.into())]);
}

/// RFC 8656: an address at the relay, permission, and a channel for who is talked with; and all of it for an hour.
#[test]
fn where_no_way_leads_from_one_to_the_other_the_relay_is_one() {
    let mut world = World::new("198.51.100.1:40123", [&turn(), &Servers::default()]);
    world.cut = |from, to| {
        let pair = [from.ip(), to.ip()];
        pair.contains(&at(BOB).ip()) && pair.contains(&at("198.51.100.1:1").ip())
    };
    world.live(200);
    assert!(world.parties[0].said().candidates.join("\n").contains("203.0.113.3 49152 typ relay"));
    world.meet();
    world.live(3000);
    assert_eq!(world.ends(), [Some(BOB.into()), Some(world.server.relayed.to_string())]);
    world.talk();
    assert_eq!(world.heard.len(), 2);
    assert_eq!(world.heard[0].2, b"\x80\0sound");
    assert!(world.heard.iter().any(|(who, from, _)| (*who, *from) == (0, at(BOB))));
    world.live(100);
    let before = world.server.channelled;
    world.talk();
    assert!(world.server.channelled > before, "the second goes in a channel");
    world.server.age();
    world.live(15 * 60 * 1000);
    assert!(world.server.stale > 0, "a nonce grows stale");
    world.heard.clear();
    world.talk();
    assert_eq!(world.heard.len(), 2, "after a quarter of an hour");
    let mut out = Vec::new();
    world.parties[0].close(world.now, &mut out);
    world.send(0, out);
    world.live(20);
    assert!(world.server.released);
}

/// Who wants to be reached by the relay alone tells no other address, and sends from no other.
#[test]
fn who_hides_behind_the_relay_tells_no_other_address() {
    let hidden = Servers { told: crate::Told::Relayed, ..turn() };
    let mut world = World::new(ALICE, [&hidden, &Servers::default()]);
    world.live(100);
    let said = world.parties[0].said().candidates;
    assert!(said.len() == 1 && said[0].contains("typ relay"), "{said:?}");
    assert_eq!(world.parties[0].default_address(), Some(world.server.relayed));
    world.cut = |from, to| [from, to] == [at(ALICE), at(BOB)];
    world.meet();
    world.live(2000);
    assert_eq!(world.ends(), [Some(BOB.into()), Some(world.server.relayed.to_string())]);
}

/// Reliability R16: checks with a wrong name or a wrong signature, a thousand a second.
#[test]
fn checks_of_strangers_are_neither_answered_nor_in_the_way() {
    let mut world = World::new(ALICE, [&Servers::default(), &Servers::default()]);
    let (alice, bob) = (world.parties[0].said(), world.parties[1].said());
    let check = |ufrags: String, password: &str| {
        stun::Draft::new(stun::kinds::BINDING, [5; 12])
            .with(stun::attributes::USERNAME, ufrags.as_bytes())
            .with(0x0024, &[0x7f; 4])
            .with(0x802a, &[0; 8])
            .with(0x0025, b"")
            .finish(Some(password.as_bytes()))
    };
    let wrong = [
        check(format!("{}:nobody", alice.ufrag), "not the password of alice"),
        check("nobody:nobody".into(), &alice.password),
        check(format!("{}:{}", bob.ufrag, alice.ufrag), "not the password of bob"),
        check(format!("{}:{}", alice.ufrag, bob.ufrag), &bob.password),
    ];
    let mut answers = 0;
    for round in 0..1000_u64 {
        if round == 100 {
            world.meet();
        }
        for (nth, octets) in wrong.iter().enumerate() {
            let who = nth % 2;
            let from = SocketAddr::new(at("203.0.113.66:1").ip(), 1024 + round as u16);
            let mut out = Vec::new();
            assert_eq!(
                world.parties[who].receive(world.now, (from, octets), &mut out),
                Came::Taken
            );
            answers += out.iter().filter(|(to, _)| *to == from).count();
            world.send(who, out);
        }
        if round % 5 == 0 {
            world.live(5);
        }
    }
    assert_eq!(answers, 0);
    assert_eq!(world.ends(), [Some(BOB.into()), Some(ALICE.into())]);
    assert!(!world.parties[0].knows(at("203.0.113.66:1024")));
}

/// RFC 7675 §5.1: whoever does not say again that they want it is sent nothing.
#[test]
fn who_does_not_answer_any_more_is_sent_nothing_any_more() {
    let mut world = World::new(ALICE, [&Servers::default(), &Servers::default()]);
    world.meet();
    world.live(500);
    world.cut = |_, to| to == at(BOB);
    world.live(31_000);
    assert_eq!(world.parties[0].destination(world.now), None);
    assert!(!world.parties[0].has_failed(), "there was a way");
}

#[test]
fn where_there_is_no_way_that_is_said() {
    let mut world = World::new(ALICE, [&Servers::default(), &Servers::default()]);
    world.cut = |_, _| true;
    world.meet();
    world.live(31_000);
    assert!(world.parties.iter().all(Search::has_failed));
}

/// RFC 8838: candidates may come when the checks have begun; RFC 8840 §9: in a fragment that names whose they are.
#[test]
fn candidates_that_come_later_count_when_they_are_of_the_other_side() {
    let mut world = World::new(ALICE, [&Servers::default(), &Servers::default()]);
    let mut bob = world.parties[1].said();
    let later = std::mem::take(&mut bob.candidates);
    let alice = world.parties[0].said();
    let mut out = Vec::new();
    world.parties[0].meet(world.now, (&bob, Role::Controlling), &mut out);
    world.parties[1].meet(
        world.now,
        (&sdp::Ice { candidates: vec![], ..alice }, Role::Controlled),
        &mut out,
    );
    world.live(500);
    assert_eq!(world.ends(), [None, None]);
    let fragment = |ufrag: &str| {
        let head = format!(
            "a=ice-ufrag:{ufrag}\r\na=ice-pwd:{}\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n",
            bob.password
        );
        let candidates = later.iter().map(|one| format!("a=candidate:{one}\r\n"));
        candidates.fold(head, |text, line| text + &line) + "a=end-of-candidates\r\n"
    };
    let mut out = Vec::new();
    world.parties[0].trickled(world.now, &fragment("another"), &mut out);
    world.live(500);
    assert_eq!(world.ends(), [None, None]);
    world.parties[0].trickled(world.now, &fragment(&bob.ufrag), &mut out);
    world.send(0, out);
    world.live(1000);
    assert_eq!(world.ends(), [Some(BOB.into()), Some(ALICE.into())]);
}

/// RFC 8445 §2.5: a peer that only answers. It says so, and we decide.
#[test]
fn with_a_peer_that_only_answers_we_decide_whoever_offered() {
    let mut world = World::new(ALICE, [&Servers::default(), &Servers::default()]);
    let said = [world.parties[1].said(), world.parties[0].said()];
    let lite = sdp::Ice { lite: true, ..said[0].clone() };
    let mut out = Vec::new();
    // Bob plays the lite one: he offered, and would decide if he were not.
    world.parties[0].meet(world.now, (&lite, Role::Controlled), &mut out);
    world.send(0, out);
    let mut out = Vec::new();
    world.parties[1].meet(world.now, (&said[1], Role::Controlled), &mut out);
    world.send(1, out);
    world.live(500);
    assert_eq!(world.ends(), [Some(BOB.into()), Some(ALICE.into())]);
}

/// An address at the relay is ours for ten minutes: a server that is silent for some seconds when it is to be refreshed ends no call.
#[test]
fn some_seconds_of_silence_of_the_relay_end_nothing() {
    let mut world = World::new("198.51.100.1:40123", [&turn(), &Servers::default()]);
    let apart = |from: SocketAddr, to: SocketAddr| {
        let pair = [from.ip(), to.ip()];
        pair.contains(&at(BOB).ip()) && pair.contains(&at("198.51.100.1:1").ip())
    };
    world.cut = apart;
    world.live(200);
    world.meet();
    world.live(3000);
    world.live(8 * 60 * 1000 - 4000);
    world.cut = |_, to| to == at(SERVER);
    world.live(6000);
    world.cut = apart;
    world.live(10_000);
    world.heard.clear();
    world.talk();
    assert_eq!(world.heard.len(), 2);
}

/// Checks that overtake the description of those who make them: when it has come, ours go out by themselves.
#[test]
fn checks_that_come_too_early_hold_nothing_up() {
    let mut world = World::new(ALICE, [&Servers::default(), &Servers::default()]);
    let (alice, bob) = (world.parties[0].said(), world.parties[1].said());
    let mut out = Vec::new();
    world.parties[1].meet(world.now, (&alice, Role::Controlled), &mut out);
    world.send(1, out);
    world.live(1000);
    world.cut = |from, _| from == at(BOB);
    let mut out = Vec::new();
    world.parties[0].meet(world.now, (&bob, Role::Controlling), &mut out);
    assert!(world.parties[0].deadline().is_some(), "it goes on by itself");
    world.send(0, out);
    world.live(200);
    world.cut = |_, _| false;
    world.live(1000);
    assert_eq!(world.ends(), [Some(BOB.into()), Some(ALICE.into())]);
}
