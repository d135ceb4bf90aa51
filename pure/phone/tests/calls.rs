//! Calls between two phones in the simulated world, with sound.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests too: what cannot go on stops here"
)]

mod desk;

use desk::{Desk, sounding};
use media::detect;
use offhook_phone::{PhoneEvent, Unable};
use sim::{Change, Outage, Weather};

#[test]
fn a_call_is_heard_on_both_sides() {
    let (mut desk, ours, theirs) = Desk::established(Weather::FAIR);
    let (alice, bob) = (desk.alice, desk.bob);
    desk.run(3.0);
    let (a, b) = (desk.heard(alice, ours), desk.heard(bob, theirs));
    assert!(
        detect::level_of(&a[16_000..], 660.0) > -20.0,
        "{}",
        detect::level_of(&a[16_000..], 660.0)
    );
    assert!(detect::level_of(&b[16_000..], 440.0) > -20.0);
    assert!(detect::level_of(&b[16_000..], 660.0) < -40.0);
    desk.command(alice, |phone, now, out| phone.hang_up(now, ours, out)).unwrap();
    desk.run(60.0);
    for (who, call) in [(alice, ours), (bob, theirs)] {
        let events = desk.events(who);
        let quality = events.iter().find_map(|event| match event {
            PhoneEvent::Quality { quality, .. } => Some(quality.clone()),
            _ => None,
        });
        let quality = quality.unwrap();
        assert!(quality.received > 150 && quality.lost == 0, "{quality:?}");
        assert!(quality.here.unwrap().mos > 400, "{quality:?}");
        assert!(matches!(events.last(), Some(PhoneEvent::Ended { status: 200, .. })), "{events:?}");
        assert!(desk.world.host(who).unwrap().machine().unwrap().is_quiet());
        assert_eq!(desk.world.host(who).unwrap().media_sockets(), 0);
        assert!(desk.command(who, |phone, _, _| phone.take_audio(call)).is_some());
    }
    assert_eq!(desk.world.spins(), 0);
}

#[test]
fn hold_and_resume_are_heard_and_told() {
    let (mut desk, ours, theirs) = Desk::established(Weather::FAIR);
    let (alice, bob) = (desk.alice, desk.bob);
    desk.command(alice, |phone, now, out| phone.hold(now, ours, out)).unwrap();
    desk.run(2.0);
    assert!(desk.events(alice).contains(&PhoneEvent::HoldDone {
        call: ours,
        hold: true,
        status: 200
    }));
    assert!(desk.events(bob).contains(&PhoneEvent::Held { call: theirs, held: true }));
    desk.heard(alice, ours);
    desk.heard(bob, theirs);
    desk.run(2.0);
    assert_eq!(desk.heard(alice, ours), Vec::<i16>::new());
    let held = desk.heard(bob, theirs);
    assert!(detect::level_of(&held, 440.0) < -40.0, "who is held hears nothing of the room");
    desk.command(alice, |phone, now, out| phone.resume(now, ours, out)).unwrap();
    desk.run(2.0);
    assert!(desk.events(bob).contains(&PhoneEvent::Held { call: theirs, held: false }));
    desk.heard(alice, ours);
    desk.run(2.0);
    assert!(detect::level_of(&desk.heard(alice, ours), 660.0) > -20.0);
}

#[test]
fn keys_arrive_in_order() {
    let (mut desk, ours, theirs) = Desk::established(Weather::BREEZE);
    let (alice, bob) = (desk.alice, desk.bob);
    for key in "12*#A".chars() {
        desk.command(alice, |phone, now, out| phone.press(now, ours, key, out)).unwrap();
    }
    let wrong = desk.command(alice, |phone, now, out| phone.press(now, ours, 'x', out));
    assert_eq!(wrong, Err(Unable::BadKey('x')));
    desk.run(5.0);
    let keys: String = desk
        .events(bob)
        .iter()
        .filter_map(|event| match event {
            PhoneEvent::Key { call, key } if *call == theirs => Some(*key),
            _ => None,
        })
        .collect();
    assert_eq!(keys, "12*#A");
}

/// Whoever waits hears a greeting before anybody picks up, and then somebody else; in weather that loses the first PRACK too.
#[test]
fn early_media_is_heard_before_anybody_picks_up() {
    for weather in [Weather::FAIR, Weather::BREEZE] {
        let mut desk = Desk::new(weather);
        let (alice, bob) = (desk.alice, desk.bob);
        let ours = desk
            .command(alice, |phone, now, out| {
                phone.call(now, "sip:bob@192.0.2.2", sounding(440.0), out)
            })
            .unwrap();
        desk.run(2.0);
        let theirs = desk.incoming(bob);
        desk.command(bob, |phone, now, out| phone.announce(now, theirs, sounding(880.0), out))
            .unwrap();
        desk.run(4.0);
        let early = desk.heard(alice, ours);
        assert!(detect::level_of(&early[8000..], 880.0) > -20.0, "the greeting");
        assert!(!desk.events(alice).contains(&PhoneEvent::Established { call: ours }));
        desk.command(bob, |phone, now, out| phone.answer(now, theirs, sounding(660.0), out))
            .unwrap();
        desk.run(2.0);
        assert!(desk.events(alice).contains(&PhoneEvent::Established { call: ours }));
        desk.heard(alice, ours);
        desk.run(3.0);
        assert!(detect::level_of(&desk.heard(alice, ours), 660.0) > -20.0, "whoever picked up");
    }
}

/// A long call is refreshed by the two phones, and one whose other side has vanished ends by itself (RFC 4028).
#[test]
fn a_long_call_stays_up_and_one_with_nobody_ends() {
    let (mut desk, ours, _) =
        Desk::with(Weather::FAIR, |account| account.session_expires(90)).talk();
    let alice = desk.alice;
    desk.run(600.0);
    assert!(desk.command(alice, |phone, _, _| phone.calls().any(|call| call == ours)));
    let bob = desk.bob;
    desk.world.change(&Change::Down(bob, Outage::Power));
    desk.run(120.0);
    let ended =
        |event: &PhoneEvent| matches!(event, PhoneEvent::Ended { call, .. } if *call == ours);
    assert!(desk.events(alice).iter().any(ended));
}
