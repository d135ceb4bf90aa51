//! What is heard, through the server and in bad weather: tones, hold, keys, and what losses do to them.

use std::any::Any;
use std::time::Duration;

use media::g711::Law;
use media::{Audio, Pair, Recorder, Tone, detect};
use offhook_tests::attendant::{Habits, Pickup, Wish};
use offhook_tests::exchange::Exchange;
use phone::{Call, CallQuality, PhoneEvent};
use protocol::Transport;
use sim::{Change, HostId, Weather};

type Ears = Pair<Tone, Recorder>;

const ALICE: f64 = 440.0;
const BOB: f64 = 1000.0;

fn voice(hz: f64) -> Box<dyn Audio> {
    Box::new(Ears { mouth: Tone::sine(hz), ear: Recorder::default() })
}

/// Alice and Bob in a call through the server, each with a tone of their own.
struct Talk {
    exchange: Exchange,
    alice: (HostId, Call),
    bob: (HostId, Call),
}

impl Talk {
    fn begin(seed: u64, transport: Transport) -> Self {
        let mut exchange = Exchange::new(seed, Weather::FAIR);
        let by_hand = Habits { ring: Some(Duration::ZERO), then: Pickup::Never, talk: None };
        let alice = exchange.phone("101", transport, by_hand);
        let bob = exchange.phone("102", transport, by_hand);
        exchange.sign_on(&[alice, bob]);
        exchange.world.tap_on();
        let ours = exchange.at_phone(alice, |attendant, now, out| {
            attendant.dial(now, "102", (Wish::default(), voice(ALICE)), out)
        });
        exchange.live(1000);
        let theirs = exchange.attendant(bob).incoming().unwrap();
        let answer = |phone: &mut phone::Phone, now, out: &mut Vec<_>| {
            phone.answer(now, theirs, voice(BOB), out)
        };
        exchange.by_hand(bob, answer).unwrap();
        exchange.live(200);
        Self { exchange, alice: (alice, ours), bob: (bob, theirs) }
    }

    /// Forgets what was heard so far, and listens for some seconds: how loud Alice's tone is at Bob's and Bob's at Alice's, in dBm0.
    fn listen(&mut self, seconds: u64) -> (f64, f64) {
        self.ear(self.alice);
        self.ear(self.bob);
        self.exchange.live(seconds * 1000);
        let (at_bob, at_alice) = (self.ear(self.bob), self.ear(self.alice));
        (detect::level_of(&at_bob, ALICE), detect::level_of(&at_alice, BOB))
    }

    fn ear(&mut self, (id, call): (HostId, Call)) -> Vec<i16> {
        self.exchange.by_hand(id, |phone, _, _| {
            let audio: &mut dyn Any = phone.audio(call).unwrap();
            audio.downcast_mut::<Ears>().unwrap().ear.take()
        })
    }

    fn told(&self, (id, _): (HostId, Call)) -> Vec<PhoneEvent> {
        self.exchange.attendant(id).told.iter().map(|(_, event)| event.clone()).collect()
    }

    /// Alice hangs up: how good the call was for her and for Bob.
    fn end(mut self) -> (CallQuality, CallQuality) {
        let (alice, call) = self.alice;
        self.exchange.world.change(&Change::Weather(Weather::FAIR));
        self.exchange.by_hand(alice, |phone, now, out| phone.hang_up(now, call, out)).unwrap();
        self.exchange.live(40_000);
        self.exchange.assert_nothing_is_left();
        let quality = |told: Vec<PhoneEvent>| {
            told.into_iter().find_map(|event| match event {
                PhoneEvent::Quality { quality, .. } => Some(*quality),
                _ => None,
            })
        };
        (quality(self.told(self.alice)).unwrap(), quality(self.told(self.bob)).unwrap())
    }
}

const HEARD: f64 = -20.0;
const SILENT: f64 = -50.0;

#[test]
fn each_hears_the_other_and_the_sound_never_touches_the_server() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut talk = Talk::begin(1, transport);
        let (at_bob, at_alice) = talk.listen(3);
        assert!(at_bob > HEARD && at_alice > HEARD, "{at_bob} {at_alice}");
        let server = talk.exchange.server;
        let media = |one: &&sim::Sighting| rtp::Kind::of(one.parcel.payload()) == rtp::Kind::Rtp;
        let through_us = talk.exchange.world.tap().sightings().filter(media);
        assert_eq!(through_us.filter(|one| one.to == Some(server)).count(), 0);
        let (alice, bob) = talk.end();
        for quality in [alice, bob] {
            let here = quality.here.unwrap();
            assert!(here.mos >= 430 && here.loss == 0 && quality.lost == 0, "{quality:?}");
        }
    }
}

#[test]
fn on_hold_nobody_is_heard_and_afterwards_both_are_again() {
    let mut talk = Talk::begin(2, Transport::Udp);
    let (alice, call) = talk.alice;
    for _ in 0..2 {
        talk.exchange.by_hand(alice, |phone, now, out| phone.hold(now, call, out)).unwrap();
        talk.exchange.live(500);
        assert_eq!(
            talk.told(talk.alice).last(),
            Some(&PhoneEvent::HoldDone { call, hold: true, status: 200 })
        );
        let (at_bob, at_alice) = talk.listen(2);
        assert!(at_bob < SILENT, "{at_bob}: who is held must not hear what is said in the room");
        assert!(at_alice < SILENT, "{at_alice}");
        talk.exchange.by_hand(alice, |phone, now, out| phone.resume(now, call, out)).unwrap();
        talk.exchange.live(500);
        let (at_bob, at_alice) = talk.listen(2);
        assert!(at_bob > HEARD && at_alice > HEARD, "{at_bob} {at_alice}");
    }
    talk.end();
}

#[test]
fn both_hold_and_both_come_back() {
    let mut talk = Talk::begin(3, Transport::Udp);
    let parties = [talk.alice, talk.bob];
    for (id, call) in parties {
        talk.exchange.by_hand(id, |phone, now, out| phone.hold(now, call, out)).unwrap();
    }
    talk.exchange.live(10_000);
    let (at_bob, at_alice) = talk.listen(2);
    assert!(at_bob < SILENT && at_alice < SILENT, "{at_bob} {at_alice}");
    for (id, call) in parties {
        talk.exchange.by_hand(id, |phone, now, out| phone.resume(now, call, out)).unwrap();
    }
    talk.exchange.live(10_000);
    let (at_bob, at_alice) = talk.listen(2);
    assert!(at_bob > HEARD && at_alice > HEARD, "{at_bob} {at_alice}");
    talk.end();
}

#[test]
fn with_5_of_100_lost_and_jitter_the_tones_are_there_and_the_score_falls() {
    for seed in 0..3 {
        let mut talk = Talk::begin(seed, Transport::Udp);
        let rough = Weather { loss: 5, jitter: Duration::from_millis(40), ..Weather::BREEZE };
        talk.exchange.world.change(&Change::Weather(rough));
        talk.exchange.live(2000);
        let (at_bob, at_alice) = talk.listen(20);
        assert!(at_bob > HEARD && at_alice > HEARD, "{at_bob} {at_alice}");
        let (alice, bob) = talk.end();
        for quality in [alice, bob] {
            let here = quality.here.unwrap();
            println!("{quality:?}");
            assert!((20..100).contains(&here.loss), "{here:?}");
            assert!((300..430).contains(&here.mos), "{here:?}");
            assert!(
                quality.concealed > 20 && here.jitter > Duration::from_millis(2),
                "{quality:?}"
            );
        }
    }
}

#[test]
fn keys_arrive_once_and_in_order_when_packets_are_lost_and_doubled() {
    for seed in 0..5 {
        let mut talk = Talk::begin(seed, Transport::Udp);
        let rough =
            Weather { loss: 10, twice: 10, jitter: Duration::from_millis(30), ..Weather::BREEZE };
        talk.exchange.world.change(&Change::Weather(rough));
        let (alice, call) = talk.alice;
        let pressed = "1234567890*#";
        for key in pressed.chars() {
            talk.exchange
                .by_hand(alice, |phone, now, out| phone.press(now, call, key, out))
                .unwrap();
            talk.exchange.live(400);
        }
        talk.exchange.live(2000);
        let heard: String = talk
            .told(talk.bob)
            .iter()
            .filter_map(|event| match event {
                PhoneEvent::Key { key, .. } => Some(*key),
                _ => None,
            })
            .collect();
        assert_eq!(heard, pressed, "seed {seed}");
        talk.end();
    }
}

/// A stranger who knows the port speaks into the call from the first second on: nobody hears it.
#[test]
fn a_stranger_s_packets_are_not_heard() {
    let mut talk = Talk::begin(4, Transport::Udp);
    talk.listen(1);
    let bob = talk.exchange.attendant(talk.bob.0);
    assert!(bob.was_up(talk.bob.1));
    let at: std::net::SocketAddr = talk
        .exchange
        .world
        .tap()
        .sightings()
        .filter(|one| rtp::Kind::of(one.parcel.payload()) == rtp::Kind::Rtp)
        .find(|one| one.to == Some(talk.bob.0))
        .unwrap()
        .parcel
        .to;
    let from = "203.0.113.9:20000".parse().unwrap();
    let mut samples = Tone::sine(2000.0);
    for nth in 0..150_u16 {
        let mut frame = [0; media::FRAME];
        Audio::speak(&mut samples, &mut frame);
        // Half of the samples: its tone is low enough for that.
        let payload = Law::A.encode(&frame.iter().step_by(2).copied().collect::<Vec<_>>());
        let packet = rtp::Packet {
            sequence: nth,
            timestamp: u32::from(nth) * 160,
            payload_type: 8,
            ssrc: 99,
            payload: &payload,
            ..rtp::Packet::default()
        };
        let mut octets = Vec::new();
        packet.write(&mut octets);
        let parcel = sim::Parcel::datagram(from, at, octets);
        talk.exchange.world.inject(sim::Realm::INTERNET, parcel);
        talk.exchange.live(20);
    }
    let heard = talk.ear(talk.bob);
    assert!(detect::level_of(&heard, 2000.0) < SILENT);
    assert!(detect::level_of(&heard, ALICE) > HEARD);
}
