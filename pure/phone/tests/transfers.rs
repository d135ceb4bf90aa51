//! Transfers between three phones in the simulated world, heard (RFC 5589).

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests too: what cannot go on stops here"
)]

mod desk;

use desk::{Desk, phone_of, sounding};
use media::detect;
use offhook_phone::{Call, PhoneEvent, Referrals};
use sim::{HostId, Realm, Weather};

/// Alice (440 Hz) talks to Bob (660 Hz); Carol has a phone too. All do what they are asked to.
fn three(weather: Weather) -> (Desk, HostId, Call, Call) {
    let follow = |account: offhook_phone::Account| account.referrals(Referrals::Follow);
    let mut desk = Desk::with(weather, follow);
    let home = [(Realm::INTERNET, "192.0.2.3".parse().unwrap())];
    let carol = desk.world.add("carol", phone_of("carol", "192.0.2.3", 3, follow), &home);
    let (desk, ours, theirs) = desk.talk();
    (desk, carol, ours, theirs)
}

/// Whoever is called last picks up, with this tone.
fn pick_up(desk: &mut Desk, who: HostId, hz: f64) -> Call {
    let call = desk
        .events(who)
        .into_iter()
        .rev()
        .find_map(|event| match event {
            PhoneEvent::Incoming { call, .. } => Some(call),
            _ => None,
        })
        .unwrap();
    desk.command(who, |phone, now, out| phone.ring(now, call, out)).unwrap();
    desk.run(2.0);
    desk.command(who, |phone, now, out| phone.answer(now, call, sounding(hz), out)).unwrap();
    desk.run(4.0);
    call
}

/// The call that `who`'s call goes on as.
fn goes_on(desk: &Desk, who: HostId, was: Call) -> Call {
    desk.events(who)
        .into_iter()
        .find_map(|event| match event {
            PhoneEvent::GoesOn { call, new } if call == was => Some(new),
            _ => None,
        })
        .unwrap()
}

fn transfers(desk: &Desk, who: HostId) -> Vec<u16> {
    let status = |event: PhoneEvent| match event {
        PhoneEvent::Transfer { status, .. } => Some(status),
        _ => None,
    };
    desk.events(who).into_iter().filter_map(status).collect()
}

/// Who came in, or was called for others, without anybody being asked.
fn entered(desk: &Desk, who: HostId) -> Vec<(Call, String, Option<Call>)> {
    let entered = |event: PhoneEvent| match event {
        PhoneEvent::Entered { call, with, wanted_in } => Some((call, with.into(), wanted_in)),
        _ => None,
    };
    desk.events(who).into_iter().filter_map(entered).collect()
}

fn hears(desk: &mut Desk, who: HostId, call: Call, hz: f64) -> bool {
    desk.heard(who, call);
    desk.run(2.0);
    detect::level_of(&desk.heard(who, call), hz) > -20.0
}

#[test]
fn a_blind_transfer_leaves_the_two_others_talking() {
    for weather in [Weather::FAIR, Weather::BREEZE] {
        let (mut desk, carol, ours, theirs) = three(weather);
        let (alice, bob) = (desk.alice, desk.bob);
        desk.command(alice, |phone, now, out| {
            phone.transfer(now, ours, "sip:carol@192.0.2.3", out)
        })
        .unwrap();
        desk.run(2.0);
        let hers = pick_up(&mut desk, carol, 880.0);
        let now = goes_on(&desk, bob, theirs);
        assert!(hears(&mut desk, bob, now, 880.0), "Bob hears Carol with the same ear");
        assert!(hears(&mut desk, carol, hers, 660.0), "Carol hears Bob");
        let told = transfers(&desk, alice);
        assert_eq!((told[0], *told.last().unwrap()), (100, 200), "{told:?}");
        desk.run(330.0);
        assert_eq!(desk.command(alice, |phone, _, _| phone.calls().count()), 0);
        assert!(desk.world.host(alice).unwrap().machine().unwrap().is_quiet());
        assert_eq!(desk.command(bob, |phone, _, _| phone.calls().collect::<Vec<_>>()), [now]);
        assert_eq!(desk.world.host(bob).unwrap().media_sockets(), 2);
    }
}

#[test]
fn an_attended_transfer_takes_the_place_of_the_second_call() {
    for weather in [Weather::FAIR, Weather::BREEZE] {
        let (mut desk, carol, ours, theirs) = three(weather);
        let (alice, bob) = (desk.alice, desk.bob);
        desk.command(alice, |phone, now, out| phone.hold(now, ours, out)).unwrap();
        desk.run(2.0);
        let second = desk
            .command(alice, |phone, now, out| {
                phone.call(now, "sip:carol@192.0.2.3", sounding(440.0), out)
            })
            .unwrap();
        desk.run(2.0);
        let hers = pick_up(&mut desk, carol, 880.0);
        desk.command(alice, |phone, now, out| phone.transfer_to(now, ours, second, out)).unwrap();
        desk.run(6.0);
        let (bobs, carols) = (goes_on(&desk, bob, theirs), goes_on(&desk, carol, hers));
        assert!(hears(&mut desk, bob, bobs, 880.0) && hears(&mut desk, carol, carols, 660.0));
        assert_eq!(transfers(&desk, alice).last(), Some(&200));
        desk.run(300.0);
        assert_eq!(desk.command(alice, |phone, _, _| phone.calls().count()), 0);
        let (called, came) = (entered(&desk, bob), entered(&desk, carol));
        assert_eq!(called, [(bobs, "sip:carol@192.0.2.3:5060".to_owned(), Some(theirs))]);
        assert!(came.len() == 1 && came[0].0 == carols && came[0].2.is_none(), "{came:?}");
        assert!(came[0].1.contains("bob@"), "{came:?}");
        let incoming = |event: &PhoneEvent| matches!(event, PhoneEvent::Incoming { .. });
        assert_eq!(desk.events(carol).iter().filter(|event| incoming(event)).count(), 1);
    }
}

#[test]
fn a_transfer_to_somebody_who_refuses_leaves_the_call_as_it_was() {
    let (mut desk, carol, ours, theirs) = three(Weather::FAIR);
    let (alice, bob) = (desk.alice, desk.bob);
    desk.command(alice, |phone, now, out| phone.transfer(now, ours, "sip:carol@192.0.2.3", out))
        .unwrap();
    desk.run(2.0);
    let hers = desk.incoming(carol);
    desk.command(carol, |phone, now, out| phone.refuse(now, hers, 486, out)).unwrap();
    desk.run(3.0);
    assert_eq!(transfers(&desk, alice).last(), Some(&486));
    assert!(hears(&mut desk, alice, ours, 660.0) && hears(&mut desk, bob, theirs, 440.0));
}

/// The phones are as they come: the program decides, and who does not answer has declined.
#[test]
fn nobody_is_called_for_others_unasked() {
    let (mut desk, ours, theirs) = Desk::established(Weather::FAIR);
    let (alice, bob) = (desk.alice, desk.bob);
    let ask = |desk: &mut Desk| {
        desk.command(alice, |phone, now, out| {
            phone.transfer(now, ours, "sip:carol@192.0.2.3", out)
        })
        .unwrap();
        desk.run(2.0);
    };
    ask(&mut desk);
    let referred = PhoneEvent::Referred { call: theirs, to: "sip:carol@192.0.2.3".into() };
    assert!(desk.events(bob).contains(&referred));
    assert_eq!(transfers(&desk, alice), [100]);
    desk.command(bob, |phone, now, out| phone.decline(now, theirs, out)).unwrap();
    desk.run(2.0);
    assert_eq!(transfers(&desk, alice), [100, 603]);
    assert!(desk.command(bob, |phone, now, out| phone.follow(now, theirs, out)).is_err());
    ask(&mut desk);
    desk.run(250.0);
    assert_eq!(transfers(&desk, alice), [100, 603, 100, 603]);
    assert!(hears(&mut desk, alice, ours, 660.0));
}

/// Whoever sees that Carol is to be called does not call somebody else by saying yes.
#[test]
fn who_is_called_is_who_was_shown() {
    let (mut desk, ours, theirs) = Desk::established(Weather::FAIR);
    let (alice, bob) = (desk.alice, desk.bob);
    for target in ["sip:carol@192.0.2.3", "sip:mallory@192.0.2.9"] {
        desk.command(alice, |phone, now, out| phone.transfer(now, ours, target, out)).unwrap();
        desk.run(2.0);
    }
    let shown: Vec<_> = desk
        .events(bob)
        .into_iter()
        .filter_map(|event| match event {
            PhoneEvent::Referred { to, .. } => Some(to),
            _ => None,
        })
        .collect();
    assert_eq!(shown, ["sip:carol@192.0.2.3".into()]);
    assert_eq!(transfers(&desk, alice), [100, 486]);
    desk.command(bob, |phone, now, out| phone.follow(now, theirs, out)).unwrap();
    let last = desk.command(bob, |phone, _, _| phone.history().last().unwrap().with.clone());
    assert_eq!(&*last, "sip:carol@192.0.2.3");
}
