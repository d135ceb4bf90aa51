//! How long two look for a way before they give up (RFC 8863), and why they say they did.

use machine::Time;
use sdp::Trickle;
use stun::{Draft, Message, attributes, kinds};

use super::world::{ALICE, BOB, World, at};
use crate::{NoWay, Role, Search, Servers, limits};

/// Of Bob's description: with these candidates, and with or without more to come.
struct Told {
    candidates: &'static [&'static str],
    trickle: Trickle,
}

const EVERY: [Trickle; 3] = [Trickle::Off, Trickle::Open, Trickle::Complete];

/// Alice has read that of Bob, who has not read hers.
fn met(told: &Told) -> (World, sdp::Ice) {
    let mut world = World::new(ALICE, [&Servers::default(), &Servers::default()]);
    let alice = world.parties[0].said();
    let candidates = told.candidates.iter().map(|one| (*one).into()).collect();
    let bob = sdp::Ice { candidates, trickle: told.trickle, ..world.parties[1].said() };
    meet(&mut world, 0, (&bob, Role::Controlling));
    (world, alice)
}

fn meet(world: &mut World, who: usize, (theirs, role): (&sdp::Ice, Role)) {
    let mut out = Vec::new();
    world.parties[who].meet(world.now, (theirs, role), &mut out);
    world.send(who, out);
}

fn live_until(world: &mut World, since: Time, milliseconds: u64) {
    let passed = u64::try_from((world.now - since).as_millis()).unwrap();
    world.live(milliseconds - passed);
}

/// RFC 8863 §3.1 to §3.3, §4, §5: no candidates, none that fits, none that answers; and whether it is said that all are told or not. "While the timer is
/// still running, the ICE agent MUST NOT update a checklist state from Running to Failed, even if there are no pairs left"; then it must.
#[test]
fn nobody_is_given_up_too_early_or_never() {
    let cases: [(&[&str], NoWay); 4] = [
        (&[], NoWay::NoPair),
        (&["1 1 udp 2130706431 2001:db8::7 5000 typ host"], NoWay::NoPair),
        (&["1 1 tcp 2130706431 192.0.2.2 9 typ host tcptype active"], NoWay::NoPair),
        (&["1 1 udp 2130706431 192.0.2.77 5000 typ host"], NoWay::NoAnswer),
    ];
    for (candidates, why) in cases {
        for trickle in EVERY {
            let (mut world, _) = met(&Told { candidates, trickle });
            world.live(39_400);
            assert_eq!(world.parties[0].failure(), None, "{candidates:?} {trickle:?}");
            world.live(200);
            assert_eq!(world.parties[0].failure(), Some(why), "{candidates:?} {trickle:?}");
        }
    }
}

/// Who has no address of their own is not waited for without end either.
#[test]
fn without_an_address_of_ours_it_ends_too() {
    let relayed = Servers { told: crate::Told::Relayed, ..Servers::default() };
    let mut world = World::new(ALICE, [&relayed, &Servers::default()]);
    let bob = world.parties[1].said();
    meet(&mut world, 0, (&bob, Role::Controlling));
    world.live(39_400);
    assert_eq!(world.parties[0].failure(), None);
    world.live(200);
    assert_eq!(world.parties[0].failure(), Some(NoWay::NoPair));
}

/// RFC 8863 §1: "such candidates are referred to as peer-reflexive candidates; once discovered", they are as good as any.
#[test]
fn a_check_in_the_last_second_shows_the_way() {
    for trickle in EVERY {
        let (mut world, alice) = met(&Told { candidates: &[], trickle });
        world.live(38_500);
        meet(&mut world, 1, (&alice, Role::Controlled));
        world.live(2000);
        assert_eq!(world.ends(), [Some(BOB.into()), Some(ALICE.into())], "{trickle:?}");
        assert!(world.parties.iter().all(|party| party.failure().is_none()));
    }
}

/// Addresses that come one after the other are all tried to the end, and that of the last one is the end (RFC 8838 §8).
#[test]
fn what_came_last_is_tried_to_its_end() {
    let (mut world, _) = met(&Told { candidates: &[], trickle: Trickle::Open });
    let since = world.now;
    world.live(35_000);
    let bob = world.parties[1].said();
    let fragment = format!(
        "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\na=candidate:1 1 udp 2130706431 192.0.2.77 5000 typ host\r\n",
        bob.ufrag, bob.password
    );
    let mut out = Vec::new();
    world.parties[0].trickled(world.now, &fragment, &mut out);
    world.send(0, out);
    live_until(&mut world, since, 50_000);
    assert_eq!(world.parties[0].failure(), None, "it is still being tried");
    live_until(&mut world, since, 75_000);
    assert_eq!(world.parties[0].failure(), Some(NoWay::NoAnswer));
}

/// Their checks come, again and again, and nothing that we send arrives: a wire that carries one way alone.
#[test]
fn who_is_heard_and_does_not_hear_is_given_up_in_the_end() {
    let (mut world, alice) = met(&Told { candidates: &[], trickle: Trickle::Off });
    let since = world.now;
    let bob = world.parties[1].said();
    let name = format!("{}:{}", alice.ufrag, bob.ufrag);
    for nth in 0..15 {
        let check = Draft::new(kinds::BINDING, [nth; 12])
            .with(attributes::USERNAME, name.as_bytes())
            .with(0x0024, &[0x6e, 0xff, 0xff, 0xff])
            .with(0x8029, &[1; 8])
            .finish(Some(alice.password.as_bytes()));
        let mut out = Vec::new();
        world.parties[0].receive(world.now, (at("192.0.2.77:5000"), &check), &mut out);
        assert!(!out.is_empty());
        world.live(5000);
    }
    live_until(&mut world, since, 78_900);
    assert_eq!(world.parties[0].failure(), None);
    live_until(&mut world, since, 79_100);
    assert_eq!(world.parties[0].failure(), Some(NoWay::NoAnswer));
}

/// Ours are answered, and the other side never says which pair it takes.
#[test]
fn a_way_that_nobody_takes_is_none() {
    let mut world = World::new(ALICE, [&Servers::default(), &Servers::default()]);
    let [alice, bob] = [0, 1].map(|who| world.parties[who].said());
    world.cut = |from, _| from == at(BOB);
    meet(&mut world, 0, (&bob, Role::Controlled));
    meet(&mut world, 1, (&alice, Role::Controlling));
    let mut seen = 0;
    for _ in 0..790 {
        assert_eq!(world.parties[0].failure(), None);
        world.live(100);
        let answers: Vec<_> = world.log[seen..].iter().map(|(_, sent)| sent.clone()).collect();
        seen = world.log.len();
        for (from, _, octets) in answers {
            let is = Message::read(&octets).is_some_and(|it| it.kind == kinds::BINDING_SUCCESS);
            if from == at(BOB) && is {
                let mut out = Vec::new();
                world.parties[0].receive(world.now, (from, &octets), &mut out);
                world.send(0, out);
                seen = world.log.len();
            }
        }
    }
    world.live(100);
    assert_eq!(world.parties[0].failure(), Some(NoWay::NoneTaken));
}

/// RFC 7675 §5.1: without consent nothing is sent, and what is lost for long is given up; ten seconds of silence are nothing.
#[test]
fn a_way_that_is_lost_is_given_up_in_the_end() {
    let mut world = World::new(ALICE, [&Servers::default(), &Servers::default()]);
    world.meet();
    world.live(2000);
    assert!(world.ends().iter().all(Option::is_some));
    world.cut = |_, _| true;
    let since = world.now;
    live_until(&mut world, since, 50_000);
    assert_eq!(world.ends(), [None, None]);
    assert!(world.parties.iter().all(|party| party.failure().is_none()), "it may come back");
    live_until(&mut world, since, 69_600);
    assert!(world.parties.iter().all(|party| party.failure() == Some(NoWay::Lost)));

    let mut world = World::new(ALICE, [&Servers::default(), &Servers::default()]);
    world.meet();
    world.live(2000);
    let since = world.now;
    world.cut = |_, _| true;
    live_until(&mut world, since, 10_000);
    world.cut = |_, _| false;
    live_until(&mut world, since, 120_000);
    assert!(world.ends().iter().all(Option::is_some));
    assert!(world.parties.iter().all(|party| party.failure().is_none()));
}

/// Who hears of us only when somebody picks up is waited for from then on.
#[test]
fn the_patience_can_begin_anew() {
    let (mut world, alice) = met(&Told { candidates: &[], trickle: Trickle::Off });
    world.live(60_000);
    assert!(world.parties[0].failure().is_some());
    world.parties[0].wait_anew(world.now);
    assert_eq!(world.parties[0].failure(), None);
    world.live(30_000);
    assert_eq!(world.parties[0].failure(), None);
    meet(&mut world, 1, (&alice, Role::Controlled));
    world.live(1000);
    assert_eq!(world.ends(), [Some(BOB.into()), Some(ALICE.into())]);
    world.parties.iter_mut().for_each(|party| party.wait_anew(world.now));
    assert!(world.ends().iter().all(Option::is_some), "what was found stays");
}

/// A search that takes the place of another says on what is said where it went before, from the new place, until it has a way of its own.
#[test]
fn what_is_said_goes_on_while_a_way_is_searched_anew() {
    let mut world = World::new(ALICE, [&Servers::default(), &Servers::default()]);
    world.meet();
    world.live(500);
    let mut next = Search::new(
        world.now,
        at("10.0.0.7:4000"),
        (&Servers::default(), machine::Dice::new(9)),
        &mut Vec::new(),
    );
    assert_eq!(next.destination(world.now), None);
    next.go_on_from(&world.parties[0]);
    let mut out = Vec::new();
    next.send(world.now, b"\x80\0sound", &mut out);
    assert_eq!(out, [(at(BOB), b"\x80\0sound".to_vec())]);
    world.now = world.now + limits::CONSENT;
    assert_eq!(next.destination(world.now), None, "and not without consent");
}

/// RFC 7675 §5.1: consent is an answer. Whoever begins anew and does not answer has given none.
#[test]
fn to_begin_anew_is_no_consent() {
    let mut world = World::new(ALICE, [&Servers::default(), &Servers::default()]);
    world.meet();
    world.live(2000);
    let bob = world.parties[1].said();
    world.cut = |_, _| true;
    world.live(20_000);
    for nth in 0..3 {
        let names = format!("name{nth}");
        let anew = sdp::Ice {
            ufrag: names.as_str().into(),
            password: names.repeat(5).into(),
            ..bob.clone()
        };
        meet(&mut world, 0, (&anew, Role::Controlling));
        world.live(5000);
    }
    assert_eq!(world.parties[0].destination(world.now), None);
}
