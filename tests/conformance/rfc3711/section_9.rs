//! §8, §9: where keys come from, and what our phone does with them.

use media::Silence;
use phone::{Account, Call, Srtp, Video, VideoFormat};
use protocol::doors::{Input, Socket};
use sdp::{Codec, Crypto, Description, Origin, Secrecy, Session, Stream};
use sip::Message;
use srtp::{Master, Receiver, Sender, Suite};

use super::{COMMON, opened, packet, sealed};
use crate::handset::{Bench, account, back, reply};

fn discreet() -> Account {
    account().server("192.0.2.9").unwrap().srtp(Srtp::Required)
}

/// The lines with keys in an INVITE: the suites, and the keys as they are written.
fn keys(invite: &Message) -> Vec<(Suite, String)> {
    let text = String::from_utf8_lossy(invite.body()).into_owned();
    let lines = text.lines().filter_map(|line| line.strip_prefix("a=crypto:"));
    let read = |line: &str| {
        let fields: Vec<&str> = line.split(' ').collect();
        (Suite::named(fields[1]).unwrap(), fields[2].to_owned())
    };
    lines.map(read).collect()
}

/// A call with keys in the signalling, and the other side's ends of its way.
struct Secret {
    bench: Bench,
    call: Call,
    sender: Sender,
    receiver: Receiver,
}

impl Secret {
    fn new() -> Self {
        let mut bench = Bench::with(discreet());
        let (call, invite) = bench.calls("sip:bob@biloxi.example");
        let at = [192, 0, 2, 9].into();
        let mut bob = Session::new(Origin::new(1, at));
        let key: Vec<u8> = (100..100 + Master::octets(COMMON) as u8).collect();
        let crypto = Crypto { tag: 1, suite: COMMON.name().into(), key: key.into() };
        let audio = Stream::audio((at, 4000).into(), [Codec::pcmu()]);
        bob.add(Stream { secrecy: Secrecy::Required(vec![crypto]), ..audio });
        let offer = Description::parse(invite.body()).unwrap();
        let (answer, agreed) = bob.answer(&offer).unwrap();
        let secrets = agreed[0].secrets.clone().unwrap();
        let master = |key: &[u8]| Master::new(COMMON, key).unwrap();
        let sender = Sender::new(&master(secrets.ours.reveal())).unwrap();
        let receiver = Receiver::new(&master(secrets.theirs.reveal())).unwrap();
        let answer = String::from_utf8(answer.write()).unwrap();
        bench.tell(reply(&invite, 200, "bob", ("Contact: <sip:bob@192.0.2.9>", &answer)));
        Self { bench, call, sender, receiver }
    }

    /// The phone gets a datagram from where Bob's sound comes from.
    fn comes(&mut self, wire: &[u8]) {
        let from = "192.0.2.9:4000".parse().unwrap();
        self.bench.input(Input::Media(Socket(2), from, wire.to_vec().into()));
    }

    /// Packets that were of use, and packets that were refused.
    fn counted(&mut self) -> (u64, u64) {
        let quality = self.bench.phone.quality(self.call).unwrap();
        (quality.received, quality.refused)
    }
}

/// "If the packet is judged to be replayed, then the packet MUST be discarded, and the event SHOULD be logged", and so what is forged: counted, and told
/// when the call ends. Nothing that is not of the key is heard.
/// Proves: rfc3711-5-1, rfc3711-5-2.
#[test]
fn what_is_forged_or_comes_again_is_counted_and_not_heard() {
    let mut secret = Secret::new();
    let good: Vec<_> = (1..=20)
        .map(|sequence| sealed(&mut secret.sender, packet(sequence, 7, &[0xD5; 160])))
        .collect();
    good.iter().for_each(|wire| secret.comes(wire));
    let (heard, refused) = secret.counted();
    assert!((heard, refused) == (20, 0), "{heard} {refused}");
    good.iter().for_each(|wire| secret.comes(wire));
    assert_eq!(secret.counted(), (20, 20));
    secret.comes(&packet(21, 7, &[0xD5; 160]));
    secret.comes(&[packet(22, 7, &[0xD5; 160]), vec![0; 10]].concat());
    assert_eq!(secret.counted(), (20, 22));
    let next = sealed(&mut secret.sender, packet(21, 7, &[0xD5; 160]));
    secret.comes(&next);
    assert_eq!(secret.counted(), (21, 22));
}

/// "SRTP streams authenticated under the same key MUST have a distinct SSRC"; "it is RECOMMENDED that each SSRC have its own master key": each side has
/// its own, and one (RFC 5764 §4.1: "exactly one master key that is used to protect packets at any given time"). What we send is under ours; and
/// what is under ours we do not take from others.
/// Proves: rfc3711-8-3, rfc3711-9.1-4, rfc3711-9.1-6, rfc5764-A-12.
#[test]
fn each_side_has_a_key_of_its_own() {
    let mut secret = Secret::new();
    secret.bench.wait(100);
    let sent: Vec<_> = secret.bench.media().into_iter().map(|(_, wire)| wire).collect();
    assert!(sent.len() >= 4, "{}", sent.len());
    for wire in &sent {
        assert!(opened(&mut secret.receiver, wire).is_ok());
        secret.comes(wire);
    }
    assert_eq!(secret.counted(), (0, sent.len() as u64));
}

/// "the master key(s), which MUST be random and kept secret"; "The master key and master salt MUST be random"; "A master key MUST NOT be shared among
/// different RTP sessions"; "It is REQUIRED that automatic key management be used": a key for each suite, fresh for each call, and in no log.
/// Proves: rfc3711-3.2.1-3, rfc3711-3.2.1-4, rfc3711-4.3.1-10, rfc3711-8-4, rfc3711-9.1-2, rfc3711-9.1-3, rfc3711-9.2-1.
#[test]
fn every_call_has_fresh_keys() {
    let mut bench = Bench::with(discreet());
    let mut all: Vec<String> = Vec::new();
    for _ in 0..3 {
        let (_, invite) = bench.calls("sip:bob@biloxi.example");
        all.extend(keys(&invite).into_iter().map(|(_, key)| key));
    }
    let many = all.len();
    assert_eq!(many, 3 * Suite::ALL.len());
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), many);
}

/// "A full 80-bit authentication-tag SHOULD be used, but a shorter tag … MAY be used under certain conditions"; for SRTP, smaller values "are NOT
/// RECOMMENDED"; "Implementations SHOULD use keys that are as large as possible": what is offered first is wished most (RFC 4568 §5.1.1).
/// Proves: rfc3711-5.2-4, rfc3711-7.5-2, rfc3711-9.2-2, rfc3711-9.5-1.
#[test]
fn the_longest_key_and_the_longest_tag_are_offered_first() {
    let mut bench = Bench::with(discreet());
    let (_, invite) = bench.calls("sip:bob@biloxi.example");
    let offered: Vec<Suite> = keys(&invite).into_iter().map(|(suite, _)| suite).collect();
    let full = |suite: &Suite| suite.tag_octets() >= 10;
    let first_short = offered.iter().position(|suite| !full(suite)).unwrap();
    assert!(offered[..first_short].iter().all(full) && !offered[first_short..].iter().any(full));
    assert_eq!(offered[0].key_octets(), 32);
    for (one, next) in offered.iter().zip(&offered[1..]) {
        let same_kind = one.tag_octets() == next.tag_octets();
        assert!(!same_kind || one.key_octets() >= next.key_octets(), "{offered:?}");
    }
}

/// Sees nothing.
struct Blind;

impl Video for Blind {
    fn agreed(&mut self, _: Option<&VideoFormat>) {}
    fn receive(&mut self, _: &[u8]) {}
}

/// "the same key stream … MUST NOT be used to encrypt … different" packets: pictures that come back under the keys that they had count on, whatever was between.
#[test]
fn pictures_that_come_back_are_not_counted_from_the_beginning() {
    let mut bench = Bench::with(discreet());
    let call = bench.act(|phone, now, out| {
        let call = phone.call(now, "sip:bob@biloxi.example", Box::new(Silence), out).unwrap();
        phone.show(now, call, (&[("VP8", "")], Box::new(Blind)), out).unwrap();
        call
    });
    let invite = bench.only();
    let at = [192, 0, 2, 9].into();
    let mut bob = Session::new(Origin::new(1, at));
    let key: Vec<u8> = (100..100 + Master::octets(COMMON) as u8).collect();
    let crypto = Crypto { tag: 1, suite: COMMON.name().into(), key: key.into() };
    let secrecy = Secrecy::Required(vec![crypto]);
    let audio = Stream::audio((at, 4000).into(), [Codec::pcmu()]);
    bob.add(Stream { secrecy: secrecy.clone(), ..audio });
    let video = Stream::video((at, 4002).into(), [Codec::new("VP8", 90_000)]);
    bob.add(Stream { secrecy, ..video });
    let (answer, _) = bob.answer(&Description::parse(invite.body()).unwrap()).unwrap();
    let both = String::from_utf8(answer.write()).unwrap();
    bench.tell(reply(&invite, 200, "bob", ("Contact: <sip:bob@192.0.2.9>", &both)));
    let ack = bench.only();
    // The number of a report stands before its tag of ten octets (§3.4).
    let number = |bench: &mut Bench| {
        bench.media();
        bench
            .act(|phone, _, out| phone.send_video(call, &[0x80, 201, 0, 1, 0, 0, 0, 9], out))
            .unwrap();
        let sent = bench.media().into_iter().filter(|(to, _)| to.port() == 4003);
        let numbers: Vec<_> =
            sent.map(|(_, wire)| wire[wire.len() - 14..wire.len() - 10].to_vec()).collect();
        numbers
    };
    let first = number(&mut bench);
    assert_eq!(first.len(), 1);
    let mut last = first;
    let version = |text: &str, nth: u32| {
        let origin = text.lines().find(|line| line.starts_with("o=")).unwrap();
        let mut fields: Vec<_> = origin.split(' ').map(str::to_owned).collect();
        fields[2] = (fields[2].parse::<u64>().unwrap() + u64::from(nth)).to_string();
        text.replace(origin, &fields.join(" "))
    };
    for round in 1..3 {
        let off = version(&both.replace("m=video 4002", "m=video 0"), 2 * round);
        bench.tell(back(&ack, "INVITE", 2 * round, "", &off));
        bench.tell(back(&ack, "ACK", 2 * round, "", ""));
        bench.sent();
        assert!(number(&mut bench).is_empty(), "there are none now");
        bench.tell(back(&ack, "INVITE", 2 * round + 1, "", &version(&both, 2 * round + 1)));
        bench.tell(back(&ack, "ACK", 2 * round + 1, "", ""));
        bench.sent();
        let again = number(&mut bench);
        assert!(again.len() == 1 && again > last, "{again:?} after {last:?}");
        last = again;
    }
}
