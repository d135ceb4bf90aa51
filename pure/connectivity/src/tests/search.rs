//! Two who look for a way: past each other's NATs, by a relay, through floods; and what ends it.

use std::net::SocketAddr;

use super::world::{ALICE, BOB, SERVER, World, at, stun, turn};
use crate::{Came, NoWay, Role, Search, Servers};

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

/// RFC 8656: an address at the relay, got with a long-term credential; permission for who is checked, before and while it is; a channel for who is talked
/// with, not before; and all of it for an hour. The server here breaks none of its rules.
/// Proves: rfc8445-5.1.1.2-6, rfc8445-7.2.1-1, rfc8445-7.2.1-2, rfc8445-7.2.1-3, rfc8445-7.2.1-4, rfc8445-12.1-2.
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
    assert_eq!(world.server.channelled, 0, "no channel before somebody speaks");
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
    assert_eq!(world.parties[0].default_address(), world.server.relayed);
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
    assert!(world.parties[0].failure().is_none(), "there was a way");
}

#[test]
fn where_there_is_no_way_that_is_said() {
    let mut world = World::new(ALICE, [&Servers::default(), &Servers::default()]);
    world.cut = |_, _| true;
    world.meet();
    world.live(40_000);
    assert!(world.parties.iter().all(|party| party.failure() == Some(NoWay::NoAnswer)));
}

/// RFC 8838: candidates may come when the checks have begun; RFC 8840 §9: in a fragment that names whose they are.
#[test]
fn candidates_that_come_later_count_when_they_are_of_the_other_side() {
    let mut world = World::new(ALICE, [&Servers::default(), &Servers::default()]);
    let mut bob = world.parties[1].said();
    let later = std::mem::take(&mut bob.candidates);
    bob.trickle = sdp::Trickle::Open;
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

/// RFC 8838 §8.1: what was told first fits none of ours (IPv6); what comes seconds later does.
#[test]
fn who_tells_addresses_one_after_the_other_is_waited_for() {
    let mut world = World::new(ALICE, [&Servers::default(), &Servers::default()]);
    let (alice, bob) = (world.parties[0].said(), world.parties[1].said());
    let first = bob.candidates[0].replace("192.0.2.2", "2001:db8::7").into();
    let nowhere = sdp::Ice { candidates: vec![first], trickle: sdp::Trickle::Open, ..bob.clone() };
    let mut out = Vec::new();
    world.parties[0].meet(world.now, (&nowhere, Role::Controlling), &mut out);
    world.send(0, out);
    world.live(8_000);
    assert!(world.parties[0].failure().is_none(), "more may come");
    let mut out = Vec::new();
    world.parties[1].meet(world.now, (&alice, Role::Controlled), &mut out);
    world.send(1, out);
    world.cut = |from, _| from == at(BOB);
    world.live(1_000);
    world.cut = |_, _| false;
    let mut out = Vec::new();
    let [name, password, candidate] = [&bob.ufrag, &bob.password, &bob.candidates[0]];
    let later =
        format!("a=ice-ufrag:{name}\r\na=ice-pwd:{password}\r\na=candidate:{candidate}\r\n");
    world.parties[0].trickled(world.now, &later, &mut out);
    world.send(0, out);
    world.live(2_000);
    assert_eq!(world.ends(), [Some(BOB.into()), Some(ALICE.into())]);
}

/// RFC 8445 §2.5: a peer that only answers. It says so, and we decide: "The full agent MUST take the controlling role".
/// Proves: rfc8445-6.1.1-2.
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
