//! SRTP between phones, with keys in their descriptions (RFC 3711, RFC 4568): who hears what, and who hears nothing.

use std::any::Any;
use std::net::SocketAddr;
use std::time::Duration;

use machine::Dice;
use media::g711::Law;
use media::{Agreement, Audio, Codec, FRAME, Opus, Pair, Recorder, Stream, Tone, detect};
use offhook_tests::attendant::{Habits, Pickup, Wish};
use offhook_tests::exchange::Exchange;
use phone::{Call, PhoneEvent, Srtp};
use rtp::{Kind, Packet};
use sim::{Change, HostId, Parcel, Realm, Weather};

type Ears = Pair<Tone, Recorder>;

const ALICE: f64 = 440.0;
const BOB: f64 = 1000.0;
const HEARD: f64 = -20.0;
const SILENT: f64 = -50.0;

fn voice(hz: f64) -> Box<dyn Audio> {
    Box::new(Ears { mouth: Tone::sine(hz), ear: Recorder::default() })
}

/// Alice calls Bob; both have wishes about secrecy.
struct Talk {
    exchange: Exchange,
    alice: (HostId, Call),
    bob: (HostId, Option<Call>),
}

impl Talk {
    fn begin(seed: u64, wishes: (Srtp, Srtp)) -> Self {
        Self::begin_under(seed, wishes, |_, _| {})
    }

    /// The same, while something happens each millisecond.
    fn begin_under(
        seed: u64,
        (ours, theirs): (Srtp, Srtp),
        mut trouble: impl FnMut(&mut Exchange, u32),
    ) -> Self {
        let mut exchange = Exchange::new(seed, Weather::FAIR);
        let by_hand = Habits { ring: Some(Duration::ZERO), then: Pickup::Never, talk: None };
        let alice = exchange.discreet_phone("101", ours, by_hand);
        let bob = exchange.discreet_phone("102", theirs, by_hand);
        exchange.sign_on(&[alice, bob]);
        exchange.world.tap_on();
        let call = exchange.at_phone(alice, |attendant, now, out| {
            attendant.dial(now, "102", (Wish::default(), voice(ALICE)), out)
        });
        for nth in 0..1000 {
            exchange.live(1);
            trouble(&mut exchange, nth);
        }
        let incoming = exchange.attendant(bob).incoming();
        if let Some(incoming) = incoming {
            let answer = |phone: &mut phone::Phone, now, out: &mut Vec<_>| {
                phone.answer(now, incoming, voice(BOB), out)
            };
            exchange.by_hand(bob, answer).unwrap();
        }
        for nth in 1000..2000 {
            exchange.live(1);
            trouble(&mut exchange, nth);
        }
        Self { exchange, alice: (alice, call), bob: (bob, incoming) }
    }

    fn ear(&mut self, id: HostId, call: Call) -> Vec<i16> {
        self.exchange.by_hand(id, |phone, _, _| {
            let audio: &mut dyn Any = phone.audio(call).unwrap();
            audio.downcast_mut::<Ears>().unwrap().ear.take()
        })
    }

    /// How loud each hears the other for some seconds, in dBm0: Bob, Alice.
    fn listen(&mut self, seconds: u64) -> (f64, f64) {
        let ((alice, ours), (bob, theirs)) = (self.alice, (self.bob.0, self.bob.1.unwrap()));
        self.ear(alice, ours);
        self.ear(bob, theirs);
        self.exchange.live(seconds * 1000);
        let (at_bob, at_alice) = (self.ear(bob, theirs), self.ear(alice, ours));
        (detect::level_of(&at_bob, ALICE), detect::level_of(&at_alice, BOB))
    }

    fn suite(&mut self) -> Option<&'static str> {
        let (alice, call) = self.alice;
        self.exchange.by_hand(alice, |phone, _, _| phone.quality(call).unwrap().srtp)
    }

    /// What somebody on the way hears of Alice, if they play what they see as the sound that its header says it is.
    fn overheard(&mut self) -> Vec<i16> {
        let bob = self.bob.0;
        let sound = self.exchange.world.tap().sightings().filter(|one| one.to == Some(bob));
        let sound = sound.filter(|one| Kind::of(one.parcel.payload()) == Kind::Rtp);
        let opus = Codec::Opus(Opus::default());
        let agreement = Agreement { receive: vec![(96, opus)], ..Agreement::plain(opus, None) };
        let mut spy: Option<Stream> = None;
        let mut ear = Recorder::default();
        for one in sound {
            let spy =
                spy.get_or_insert_with(|| Stream::new(one.sent, agreement.clone(), Dice::new(9)));
            while spy.deadline() < one.sent {
                spy.wake(spy.deadline(), &mut ear, &mut Vec::new());
            }
            spy.receive(one.sent, one.parcel.payload(), &mut Vec::new());
        }
        ear.take()
    }

    fn status(&self) -> Option<u16> {
        self.exchange.attendant(self.alice.0).told.iter().find_map(|(_, event)| match event {
            PhoneEvent::Ended { status, .. } => Some(*status),
            _ => None,
        })
    }
}

/// RFC 4733 §6: what is pressed is as secret as what is said.
/// Proves: rfc4733-6-2.
#[test]
fn both_hear_each_other_and_nobody_on_the_way_does() {
    let mut talk = Talk::begin(1, (Srtp::Required, Srtp::Welcome));
    let (at_bob, at_alice) = talk.listen(3);
    assert!(at_bob > HEARD && at_alice > HEARD, "{at_bob} {at_alice}");
    assert_eq!(talk.suite(), Some("AEAD_AES_256_GCM"));
    let overheard = talk.overheard();
    assert!(overheard.len() > 16_000 && detect::level_of(&overheard, ALICE) < -25.0);

    let mut open = Talk::begin(1, (Srtp::Welcome, Srtp::Welcome));
    open.listen(3);
    assert_eq!(open.suite(), None);
    assert!(detect::level_of(&open.overheard(), ALICE) > HEARD, "or the test above shows nothing");
}

/// RFC 5763: the keys are made by the phones, whoever of them offers; and sound and reports share a port (RFC 5761).
#[test]
fn keys_of_a_handshake_are_with_the_two_who_talk() {
    for (ours, theirs) in
        [(Srtp::Dtls, Srtp::Welcome), (Srtp::Dtls, Srtp::Required), (Srtp::Dtls, Srtp::Dtls)]
    {
        let mut talk = Talk::begin(5, (ours, theirs));
        let (at_bob, at_alice) = talk.listen(6);
        assert!(at_bob > HEARD && at_alice > HEARD, "{at_bob} {at_alice}");
        assert_eq!(talk.suite(), Some("AEAD_AES_256_GCM"));
        let overheard = talk.overheard();
        assert!(overheard.len() > 16_000 && detect::level_of(&overheard, ALICE) < -25.0);
        let media = talk.exchange.world.tap().sightings().map(|one| &one.parcel);
        let media: Vec<_> = media.filter(|one| Kind::of(one.payload()) != Kind::Unknown).collect();
        assert!(media.iter().any(|one| Kind::of(one.payload()) == Kind::Rtcp));
        assert!(media.iter().all(|one| one.to.port() % 2 == 0), "a port of its own for RTCP");
    }
}

/// Reliability R16: hellos without a cipher, a thousand a second, from strangers and in the name of the other side, while a call is set up.
#[test]
fn a_flood_of_hellos_without_a_cipher_is_in_no_calls_way() {
    let body = [&[254, 253][..], &[7; 32], &[0, 0], &[0, 2, 0, 1], &[1, 0], &[0, 0]].concat();
    let length = u8::try_from(body.len()).unwrap();
    let hello = [&[1, 0, 0, length, 0, 0, 0, 0, 0, 0, 0, length][..], &body].concat();
    let length = u8::try_from(hello.len()).unwrap();
    let hello = [&[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, length][..], &hello].concat();
    for seed in 0..3 {
        let mut ports = Vec::new();
        let mut talk = Talk::begin_under(seed, (Srtp::Dtls, Srtp::Dtls), |exchange, nth| {
            if ports.len() < 2 {
                ports = media_ports(exchange);
            }
            let stranger: SocketAddr =
                format!("203.0.113.{}:{}", nth % 200 + 1, 4000 + nth).parse().unwrap();
            for (to, other) in ports.iter().zip(ports.iter().rev()) {
                let from = if nth % 2 == 0 { stranger } else { *other };
                let parcel = Parcel::datagram(from, *to, hello.clone());
                exchange.world.inject(Realm::INTERNET, parcel);
            }
        });
        let (at_bob, at_alice) = talk.listen(2);
        assert!(at_bob > HEARD && at_alice > HEARD, "{seed}: {at_bob} {at_alice}");
    }
}

/// Where sound is wanted, as descriptions on the way say it.
fn media_ports(exchange: &mut Exchange) -> Vec<SocketAddr> {
    let mut found = Vec::new();
    for one in exchange.world.tap().sightings() {
        let text = String::from_utf8_lossy(one.parcel.payload());
        let word = |before: &str, nth: usize| {
            text.lines().find_map(|line| line.strip_prefix(before)?.split(' ').nth(nth))
        };
        let (Some(ip), Some(port)) = (word("c=IN IP4 ", 0), word("m=audio ", 0)) else { continue };
        found.extend(format!("{ip}:{port}").parse::<SocketAddr>());
    }
    found.sort();
    found.dedup();
    found
}

#[test]
fn hold_and_bad_weather_do_not_lose_the_keys() {
    for (seed, wish) in
        [Srtp::Required, Srtp::Required, Srtp::Dtls, Srtp::Dtls].into_iter().enumerate()
    {
        let mut talk = Talk::begin(seed as u64, (wish, wish));
        let rough =
            Weather { loss: 5, twice: 5, jitter: Duration::from_millis(40), ..Weather::BREEZE };
        talk.exchange.world.change(&Change::Weather(rough));
        let (at_bob, at_alice) = talk.listen(5);
        assert!(at_bob > HEARD && at_alice > HEARD, "{at_bob} {at_alice}");
        talk.exchange.world.change(&Change::Weather(Weather::FAIR));
        let (bob, call) = (talk.bob.0, talk.bob.1.unwrap());
        talk.exchange.by_hand(bob, |phone, now, out| phone.hold(now, call, out)).unwrap();
        talk.exchange.live(500);
        let (at_bob, at_alice) = talk.listen(2);
        assert!(at_bob < SILENT && at_alice < SILENT, "{at_bob} {at_alice}");
        talk.exchange.by_hand(bob, |phone, now, out| phone.resume(now, call, out)).unwrap();
        talk.exchange.live(500);
        let (at_bob, at_alice) = talk.listen(2);
        assert!(at_bob > HEARD && at_alice > HEARD, "{at_bob} {at_alice}");
    }
}

#[test]
fn who_must_not_be_heard_is_not_called_and_does_not_call_without_keys() {
    for wishes in [
        (Srtp::Required, Srtp::Off),
        (Srtp::Off, Srtp::Required),
        (Srtp::Welcome, Srtp::Required),
        (Srtp::Dtls, Srtp::Off),
        (Srtp::Off, Srtp::Dtls),
        (Srtp::Welcome, Srtp::Dtls),
        (Srtp::Required, Srtp::Dtls),
    ] {
        let mut talk = Talk::begin(3, wishes);
        assert_eq!(talk.status(), Some(488), "{wishes:?}");
        assert_eq!(talk.overheard(), [], "{wishes:?}");
    }
}

/// Bug classes 28 and 30: a flood of forged packets, from the right address too and from before the first good one, neither ends the call nor
/// turns it away, nor is it heard; keys travel in the same packets.
/// Proves: rfc4733-6-1.
#[test]
fn forged_packets_are_neither_heard_nor_learned_from() {
    let mut talk = Talk::begin(4, (Srtp::Required, Srtp::Required));
    let good = talk.exchange.world.tap().sightings();
    let good = good.filter(|one| Kind::of(one.parcel.payload()) == Kind::Rtp);
    let good = good.filter(|one| one.to == Some(talk.bob.0)).last().unwrap().parcel.clone();
    let ssrc = rtp::Head::of(good.payload()).unwrap().ssrc;
    let stranger = "203.0.113.9:20000".parse().unwrap();
    let mut tone = Tone::sine(2000.0);
    for nth in 0..10_000_u16 {
        let (mut frame, mut octets) = ([0; FRAME], Vec::new());
        tone.speak(&mut frame);
        // Half of the samples: the tone is low enough for that.
        let payload = Law::A.encode(&frame.iter().step_by(2).copied().collect::<Vec<_>>());
        let (sequence, timestamp) = (nth, u32::from(nth) * 160);
        Packet {
            sequence,
            timestamp,
            payload_type: 8,
            ssrc,
            payload: &payload,
            ..Packet::default()
        }
        .write(&mut octets);
        let from = if nth % 2 == 0 { good.from } else { stranger };
        let parcel = sim::Parcel::datagram(from, good.to, octets);
        talk.exchange.world.inject(sim::Realm::INTERNET, parcel);
        if nth % 50 == 0 {
            talk.exchange.live(20);
        }
    }
    let (at_bob, at_alice) = talk.listen(2);
    assert!(at_bob > HEARD && at_alice > HEARD, "{at_bob} {at_alice}");
    let (bob, call) = (talk.bob.0, talk.bob.1.unwrap());
    talk.exchange.live(1000);
    let heard = talk.ear(bob, call);
    assert!(detect::level_of(&heard, 2000.0) < SILENT);
}
