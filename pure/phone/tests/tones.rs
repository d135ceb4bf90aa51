//! What the owner of a phone hears beside the other side (RFC 3960 §3): that it rings there, that they are busy, that somebody else calls; and what
//! whom we hold hears.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests too: what cannot go on stops here"
)]

mod desk;

use desk::{Desk, phone_of, sounding};
use media::{Signals, Tone, detect};
use offhook_phone::{Account, Call, Phone, PhoneEvent};
use sim::{HostId, Realm, Weather};

const EUROPE: f64 = 425.0;

fn with_tones() -> Desk {
    Desk::with(Weather::FAIR, |account: Account| account.signals(Signals::Europe))
}

fn calls(desk: &mut Desk) -> Call {
    let call = |phone: &mut Phone, now, out: &mut Vec<_>| {
        phone.call(now, "sip:bob@192.0.2.2", sounding(700.0), out)
    };
    let call = desk.command(desk.alice, call).unwrap();
    desk.run(1.0);
    call
}

/// How loud a tone is in what somebody hears in so many seconds.
fn hears(desk: &mut Desk, (who, call): (HostId, Call), seconds: f64, hz: f64) -> f64 {
    desk.heard(who, call);
    desk.run(seconds);
    detect::level_of(&desk.heard(who, call), hz)
}

#[test]
fn it_is_heard_that_it_rings_until_something_comes_from_there() {
    let mut desk = with_tones();
    let (alice, bob) = (desk.alice, desk.bob);
    let ours = calls(&mut desk);
    assert!(hears(&mut desk, (alice, ours), 2.0, EUROPE) < -60.0, "nothing rings yet");
    let theirs = desk.incoming(bob);
    desk.command(bob, |phone, now, out| phone.ring(now, theirs, out)).unwrap();
    assert!(hears(&mut desk, (alice, ours), 1.0, EUROPE) > -15.0);
    desk.run(0.2);
    assert!(hears(&mut desk, (alice, ours), 3.5, EUROPE) < -60.0, "a second in five");
    // A greeting: from then on it is heard, and no tone of ours.
    desk.command(bob, |phone, now, out| phone.announce(now, theirs, sounding(880.0), out)).unwrap();
    desk.run(1.0);
    assert!(hears(&mut desk, (alice, ours), 6.0, EUROPE) < -40.0);
    assert!(hears(&mut desk, (alice, ours), 1.0, 880.0) > -15.0);
    // Another 180 does not bring it back.
    desk.command(bob, |phone, now, out| phone.ring(now, theirs, out)).unwrap();
    assert!(hears(&mut desk, (alice, ours), 6.0, EUROPE) < -40.0);
    desk.command(bob, |phone, now, out| phone.answer(now, theirs, sounding(660.0), out)).unwrap();
    desk.run(1.0);
    assert!(hears(&mut desk, (alice, ours), 2.0, 660.0) > -15.0);
    assert_eq!(desk.world.spins(), 0);
}

#[test]
fn whoever_picks_up_is_heard_without_a_tone() {
    let mut desk = with_tones();
    let (alice, bob) = (desk.alice, desk.bob);
    let ours = calls(&mut desk);
    let theirs = desk.incoming(bob);
    desk.command(bob, |phone, now, out| phone.ring(now, theirs, out)).unwrap();
    desk.run(3.0);
    desk.command(bob, |phone, now, out| phone.answer(now, theirs, sounding(660.0), out)).unwrap();
    desk.run(0.5);
    assert!(hears(&mut desk, (alice, ours), 6.0, EUROPE) < -40.0);
}

#[test]
fn who_is_busy_sounds_busy_and_a_program_hears_nothing() {
    for (signals, status, heard) in [
        (Signals::Europe, 486, true),
        (Signals::Europe, 503, true),
        (Signals::Europe, 603, false),
        (Signals::Silent, 486, false),
    ] {
        let mut desk = match signals {
            Signals::Silent => Desk::new(Weather::FAIR),
            _ => with_tones(),
        };
        let (alice, bob) = (desk.alice, desk.bob);
        let ours = calls(&mut desk);
        let theirs = desk.incoming(bob);
        desk.command(bob, |phone, now, out| phone.refuse(now, theirs, status, out)).unwrap();
        desk.run(0.1);
        let over = |event: &PhoneEvent| matches!(event, PhoneEvent::Ended { .. });
        assert!(desk.events(alice).iter().any(over), "it is told at once");
        let level = hears(&mut desk, (alice, ours), 2.0, EUROPE);
        assert_eq!(level > -20.0, heard, "{status} {level}");
        desk.run(60.0);
        assert!(desk.world.host(alice).unwrap().machine().unwrap().is_quiet());
        assert!(desk.command(alice, |phone, _, _| phone.take_audio(ours)).is_some());
    }
}

#[test]
fn who_talks_hears_that_somebody_waits() {
    let (mut desk, ours, _) = with_tones().talk();
    let alice = desk.alice;
    assert!(hears(&mut desk, (alice, ours), 4.0, EUROPE) < -40.0);
    let home = [(Realm::INTERNET, "192.0.2.3".parse().unwrap())];
    let carol = desk.world.add("carol", phone_of("carol", "192.0.2.3", 3, |it| it), &home);
    let call = |phone: &mut Phone, now, out: &mut Vec<_>| {
        phone.call(now, "sip:alice@192.0.2.1", sounding(900.0), out)
    };
    let second = desk.command(carol, call).unwrap();
    desk.run(0.1);
    assert!(hears(&mut desk, (alice, ours), 0.6, EUROPE) > -30.0);
    assert!(hears(&mut desk, (alice, ours), 2.0, 660.0) > -15.0, "and the other side still");
    desk.command(carol, |phone, now, out| phone.hang_up(now, second, out)).unwrap();
    desk.run(0.5);
    assert!(hears(&mut desk, (alice, ours), 5.0, EUROPE) < -40.0);
}

#[test]
fn who_is_held_hears_music_and_not_the_room() {
    let (mut desk, ours, theirs) = Desk::established(Weather::FAIR);
    let (alice, bob) = (desk.alice, desk.bob);
    let music = |phone: &mut Phone, now, out: &mut Vec<_>| {
        phone.set_music(now, ours, Some(Box::new(Tone::sine(1500.0))), out)
    };
    desk.command(alice, music).unwrap();
    assert!(hears(&mut desk, (bob, theirs), 2.0, 440.0) > -15.0, "it is not heard in the call");
    desk.command(alice, |phone, now, out| phone.hold(now, ours, out)).unwrap();
    desk.run(1.0);
    assert!(hears(&mut desk, (bob, theirs), 2.0, 440.0) < -40.0);
    assert!(hears(&mut desk, (bob, theirs), 2.0, 1500.0) > -15.0);
    desk.command(alice, |phone, now, out| phone.set_music(now, ours, None, out)).unwrap();
    desk.run(1.0);
    assert!(hears(&mut desk, (bob, theirs), 2.0, 1500.0) < -40.0);
    desk.command(alice, |phone, now, out| phone.resume(now, ours, out)).unwrap();
    desk.run(1.0);
    assert!(hears(&mut desk, (bob, theirs), 2.0, 440.0) > -15.0);
}
