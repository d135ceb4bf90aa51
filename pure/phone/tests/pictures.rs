//! Pictures of calls, as programs carry them, in the simulated world.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests too: what cannot go on stops here"
)]

mod desk;

use std::any::Any;

use desk::{Desk, ip, sounding, with_carol};
use media::detect;
use offhook_phone::{
    Account, Call, Ice, PhoneEvent, Servers, Srtp, Video, VideoCodec, VideoFormat,
};
use protocol::Transport;
use sim::{Change, HostId, Realm, Weather};

const H264: VideoCodec<'static> = ("H264", "profile-level-id=42e01f;packetization-mode=1");
const VP8: VideoCodec<'static> = ("VP8", "");

/// Keeps what it is told and shown.
#[derive(Default)]
struct Eye {
    agreed: Vec<Option<VideoFormat>>,
    seen: Vec<Vec<u8>>,
}

impl Video for Eye {
    fn agreed(&mut self, format: Option<&VideoFormat>) {
        self.agreed.push(format.cloned());
    }

    fn receive(&mut self, packet: &[u8]) {
        self.seen.push(packet.to_vec());
    }
}

fn show(desk: &mut Desk, (who, call): (HostId, Call), codecs: &[VideoCodec<'_>]) {
    desk.command(who, |phone, now, out| {
        phone.show(now, call, (codecs, Box::<Eye>::default()), out)
    })
    .unwrap();
}

fn eye<R>(desk: &mut Desk, (who, call): (HostId, Call), look: impl FnOnce(&mut Eye) -> R) -> R {
    desk.command(who, |phone, _, _| {
        let video: &mut dyn Any = phone.video(call).unwrap();
        look(video.downcast_mut().unwrap())
    })
}

/// What was agreed on last.
fn format(desk: &mut Desk, side: (HostId, Call)) -> Option<VideoFormat> {
    eye(desk, side, |eye| eye.agreed.last().cloned().flatten())
}

/// A packet of pictures, or a report about them.
fn packet(payload_type: u8, nth: u8) -> Vec<u8> {
    let head = [0x80, payload_type, 0, nth, 0, 0, 0, nth, 0, 0, 0, 9];
    [&head[..], &[nth; 100]].concat()
}

const REPORT: [u8; 8] = [0x80, 201, 0, 1, 0, 0, 0, 9];

fn send(desk: &mut Desk, (who, call): (HostId, Call), octets: &[u8]) {
    desk.command(who, |phone, _, out| phone.send_video(call, octets, out)).unwrap();
}

/// Alice calls Bob; both have pictures where they want some, in these codecs.
fn calling(
    change: fn(Account) -> Account,
    [ours, theirs]: [&[VideoCodec<'_>]; 2],
) -> (Desk, [(HostId, Call); 2]) {
    let mut desk = Desk::with(Weather::FAIR, change);
    let (alice, bob) = (desk.alice, desk.bob);
    let call = desk
        .command(alice, |phone, now, out| {
            phone.call(now, "sip:bob@192.0.2.2", sounding(440.0), out)
        })
        .unwrap();
    if !ours.is_empty() {
        show(&mut desk, (alice, call), ours);
    }
    desk.run(1.0);
    let taken = desk.incoming(bob);
    if !theirs.is_empty() {
        show(&mut desk, (bob, taken), theirs);
    }
    desk.command(bob, |phone, now, out| phone.answer(now, taken, sounding(660.0), out)).unwrap();
    desk.run(2.0);
    (desk, [(alice, call), (bob, taken)])
}

/// Both hear each other, whatever became of the pictures.
fn assert_heard(desk: &mut Desk, [alice, bob]: [(HostId, Call); 2]) {
    for (who, call) in [alice, bob] {
        desk.heard(who, call);
    }
    desk.run(2.0);
    for ((who, call), hz) in [(alice, 660.0), (bob, 440.0)] {
        let level = detect::level_of(&desk.heard(who, call), hz);
        assert!(level > -20.0, "{hz} Hz: {level}");
    }
}

/// Nothing is left of a call: no socket, on either side.
fn assert_gone(desk: &mut Desk, [(alice, call), (bob, _)]: [(HostId, Call); 2]) {
    desk.command(alice, |phone, now, out| phone.hang_up(now, call, out)).unwrap();
    desk.run(2.0);
    for who in [alice, bob] {
        assert_eq!(desk.world.host(who).unwrap().media_sockets(), 0);
    }
}

fn plain(account: Account) -> Account {
    account.srtp(Srtp::Off)
}

fn with_keys(account: Account) -> Account {
    account.srtp(Srtp::Required)
}

fn with_a_handshake(account: Account) -> Account {
    account.srtp(Srtp::Dtls)
}

/// Packets and reports go both ways as they were made, whatever protects them; while one side holds, it gets none.
#[test]
fn what_one_program_sends_the_other_gets() {
    for change in [plain, with_keys, with_a_handshake] {
        let (mut desk, both) = calling(change, [&[VP8, H264], &[H264]]);
        let [alice, bob] = both;
        for (from, to) in [(alice, bob), (bob, alice)] {
            let format = format(&mut desk, from).unwrap();
            assert_eq!((&*format.name, format.wanted), ("H264", true));
            assert!(format.parameters.unwrap().contains("profile-level-id=42e01f"));
            let sent: Vec<_> = (0..3).map(|nth| packet(format.send, nth)).collect();
            for octets in &sent {
                send(&mut desk, from, octets);
            }
            send(&mut desk, from, &REPORT);
            desk.run(0.2);
            let seen = eye(&mut desk, to, |eye| std::mem::take(&mut eye.seen));
            assert_eq!(seen, [&sent[..], &[REPORT.to_vec()]].concat());
        }
        assert_heard(&mut desk, both);
        desk.command(bob.0, |phone, now, out| phone.hold(now, bob.1, out)).unwrap();
        desk.run(1.0);
        let ours = format(&mut desk, alice).unwrap();
        assert!(!ours.wanted);
        send(&mut desk, alice, &packet(ours.send, 4));
        desk.run(0.2);
        assert!(eye(&mut desk, bob, |eye| eye.seen.is_empty()), "whoever holds sees nothing");
        desk.command(bob.0, |phone, now, out| phone.resume(now, bob.1, out)).unwrap();
        desk.run(1.0);
        let ours = format(&mut desk, alice).unwrap();
        send(&mut desk, alice, &packet(ours.send, 5));
        desk.run(0.2);
        assert_eq!(eye(&mut desk, bob, |eye| eye.seen.len()), 1);
        assert_gone(&mut desk, both);
    }
}

/// Port 0 in the answer: no pictures, and a call like any other.
#[test]
fn who_wants_no_pictures_or_others_is_talked_with() {
    for codecs in [[&[H264][..], &[]], [&[], &[H264]], [&[H264], &[VP8]]] {
        let (mut desk, both) = calling(plain, codecs);
        for (side, codecs) in both.into_iter().zip(codecs) {
            if !codecs.is_empty() {
                assert_eq!(format(&mut desk, side), None);
                send(&mut desk, side, &packet(96, 1));
            }
        }
        assert_heard(&mut desk, both);
        assert_gone(&mut desk, both);
    }
}

/// Where a way is looked for there is none for pictures, and the program is told.
#[test]
fn where_a_way_is_looked_for_there_is_sound_alone() {
    let searching = |account: Account| account.ice(Ice::On(Servers::default()));
    let (mut desk, both) = calling(searching, [&[H264], &[]]);
    let (alice, call) = both[0];
    assert!(desk.command(alice, |phone, _, _| phone.video(call).is_none()));
    assert_heard(&mut desk, both);
    assert_gone(&mut desk, both);
}

/// It can be said only before anything was offered or answered.
#[test]
fn it_is_said_in_time_or_not_at_all() {
    let (mut desk, both) = calling(plain, [&[], &[]]);
    for (who, call) in both {
        let eye = Box::<Eye>::default();
        let late = desk.command(who, |phone, now, out| phone.show(now, call, (&[VP8], eye), out));
        assert!(late.is_err());
        assert!(desk.command(who, |phone, _, _| phone.video(call).is_none()));
    }
    assert_gone(&mut desk, both);
}

/// A call that is cancelled before anybody picks up gives all of its sockets back.
#[test]
fn a_call_that_nobody_takes_leaves_nothing() {
    let mut desk = Desk::with(Weather::FAIR, plain);
    let alice = desk.alice;
    let call = desk
        .command(alice, |phone, now, out| {
            let call = phone.call(now, "sip:bob@192.0.2.2", sounding(440.0), out)?;
            phone.show(now, call, (&[H264], Box::<Eye>::default()), out)?;
            phone.hang_up(now, call, out)?;
            Ok::<_, offhook_phone::Unable>(call)
        })
        .unwrap();
    desk.run(1.0);
    let ended =
        |event: &PhoneEvent| matches!(event, PhoneEvent::Ended { call: it, .. } if *it == call);
    assert!(desk.events(alice).iter().any(ended));
    assert_eq!(desk.world.host(alice).unwrap().media_sockets(), 0);

    let bob = desk.bob;
    desk.command(alice, |phone, now, out| {
        let call = phone.call(now, "sip:bob@192.0.2.2", sounding(440.0), out)?;
        phone.show(now, call, (&[H264], Box::<Eye>::default()), out)
    })
    .unwrap();
    desk.run(1.0);
    let taken = desk.incoming(bob);
    show(&mut desk, (bob, taken), &[H264]);
    desk.run(1.0);
    assert!(desk.world.host(bob).unwrap().media_sockets() > 0);
    desk.command(bob, |phone, now, out| phone.refuse(now, taken, 486, out)).unwrap();
    desk.run(2.0);
    for who in [alice, bob] {
        assert_eq!(desk.world.host(who).unwrap().media_sockets(), 0);
    }

    let (mut desk, both) = calling(plain, [&[H264], &[H264]]);
    assert!(desk.world.host(both[0].0).unwrap().media_sockets() > 2);
    assert_gone(&mut desk, both);
}

/// They follow a phone to another address, as the sound does.
#[test]
fn they_follow_a_phone_that_moves() {
    let (mut desk, carol) = with_carol(Transport::Udp, plain);
    let alice = desk.alice;
    let call = desk
        .command(carol, |phone, now, out| {
            phone.call(now, "sip:alice@192.0.2.1", sounding(440.0), out)
        })
        .unwrap();
    show(&mut desk, (carol, call), &[VP8]);
    desk.run(1.0);
    let taken = desk.incoming(alice);
    show(&mut desk, (alice, taken), &[VP8]);
    desk.command(alice, |phone, now, out| phone.answer(now, taken, sounding(660.0), out)).unwrap();
    desk.run(1.0);
    desk.world.change(&Change::Move(carol, vec![(Realm::INTERNET, ip("198.51.100.7"))]));
    desk.command(carol, |phone, now, out| phone.moved(now, ip("198.51.100.7"), out));
    desk.run(3.0);
    let both = [(carol, call), (alice, taken)];
    for (from, to) in [(both[0], both[1]), (both[1], both[0])] {
        let format = format(&mut desk, from).unwrap();
        send(&mut desk, from, &packet(format.send, 1));
        desk.run(0.2);
        assert_eq!(eye(&mut desk, to, |eye| eye.seen.len()), 1);
    }
}
