//! Handshakes between two, in virtual time: with loss, with strangers, with garbage.

use std::net::SocketAddr;
use std::time::Duration;

use machine::{Dice, Time};
use sdp::Part;

use crate::{Broken, Handshake, Identity, Keys, Said};

const BEGAN: Time = Time(1_700_000_000_000_000_000);

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Who shakes hands, where they are, and what they have said.
struct Party {
    at: SocketAddr,
    shake: Handshake,
    keys: Option<Keys>,
    broken: Option<Broken>,
    sent: u32,
}

/// Alice begins, Bob waits.
struct Pair {
    now: Time,
    parties: [Party; 2],
    /// Every so many datagrams is lost; 0: none.
    lose: u32,
    /// All that was sent.
    wire: Vec<Vec<u8>>,
}

fn identity(seed: u128) -> Identity {
    Identity::new(BEGAN, &mut Dice::new(seed)).unwrap()
}

impl Pair {
    fn new(lose: u32) -> Self {
        Self::naming([identity(2), identity(1)], lose)
    }

    /// Each expects the certificate of one of these.
    fn naming(named: [Identity; 2], lose: u32) -> Self {
        let party = |number: u128, part, named: &Identity| Party {
            at: at(&format!("192.0.2.{number}:4000")),
            shake: Handshake::new(
                BEGAN,
                identity(number),
                (part, vec![named.fingerprint().clone()]),
            ),
            keys: None,
            broken: None,
            sent: 0,
        };
        let parties = [party(1, Part::Active, &named[0]), party(2, Part::Passive, &named[1])];
        Self { now: BEGAN, parties, lose, wire: Vec::new() }
    }

    fn say(&mut self, who: usize, said: Vec<Said>) {
        for said in said {
            match said {
                Said::Send(to, octets) => self.carry(who, to, octets),
                Said::Keys(keys) => self.parties[who].keys = Some(keys),
                Said::Failed(why) => self.parties[who].broken = Some(why),
            }
        }
    }

    /// From one to the other, unless it is lost, or for somebody else.
    fn carry(&mut self, who: usize, to: SocketAddr, octets: Vec<u8>) {
        let (party, other) = (&mut self.parties[who], 1 - who);
        party.sent += 1;
        let (from, lost) = (party.at, self.lose > 0 && party.sent.is_multiple_of(self.lose));
        self.wire.push(octets.clone());
        if lost || to != self.parties[other].at {
            return;
        }
        let mut answer = Vec::new();
        self.parties[other].shake.receive(self.now, (from, &octets), &mut answer);
        self.say(other, answer);
    }

    fn begin(&mut self) {
        let places = [self.parties[1].at, self.parties[0].at];
        for who in [1, 0] {
            let mut said = Vec::new();
            self.parties[who].shake.aim(self.now, places[who], &mut said);
            self.say(who, said);
        }
    }

    /// Lives on until both are done, or for so long.
    fn live(&mut self, seconds: u64) {
        let until = self.now + Duration::from_secs(seconds);
        while self.now < until && self.parties.iter().any(|party| !party.shake.is_done()) {
            let next = self.parties.iter().filter_map(|party| party.shake.deadline()).min();
            self.now = next.unwrap_or(until).clamp(self.now + Duration::from_millis(1), until);
            for who in [0, 1] {
                let mut said = Vec::new();
                self.parties[who].shake.wake(self.now, &mut said);
                self.say(who, said);
            }
        }
    }

    fn assert_keys(&self) {
        let [alice, bob] = &self.parties;
        let (alice, bob) = (alice.keys.as_ref().unwrap(), bob.keys.as_ref().unwrap());
        assert_eq!(alice.profile, bob.profile);
        assert_eq!((&alice.ours, &alice.theirs), (&bob.theirs, &bob.ours));
        assert_ne!(alice.ours, alice.theirs);
        let suite = srtp::Suite::of_profile(alice.profile).unwrap();
        assert!(srtp::Master::new(suite, &alice.ours).is_some(), "{suite:?}");
    }
}

/// RFC 5764 §4.2: what one sends with, the other receives with, and with nothing else.
/// Proves: rfc5764-4.2-1, rfc5764-4.2-2.
#[test]
fn both_have_the_same_keys_at_once() {
    let mut pair = Pair::new(0);
    pair.begin();
    pair.live(1);
    pair.assert_keys();
    assert_eq!(
        pair.parties[0].keys.as_ref().unwrap().profile,
        8,
        "the strongest: AEAD_AES_256_GCM"
    );
}

/// "Data other than RTP/RTCP MUST use ordinary DTLS framing and MUST be placed in separate datagrams": each datagram is records, to its end. The
/// client offers its profiles with `use_srtp`, and the server chooses one of them.
/// Proves: rfc5764-4.1-2, rfc5764-A-4, rfc5764-A-5, rfc5764-A-6, rfc5764-A-7.
#[test]
fn what_is_sent_is_dtls_and_has_the_extension_in_both_hellos() {
    let mut pair = Pair::new(0);
    pair.begin();
    pair.live(1);
    pair.assert_keys();
    for datagram in &pair.wire {
        let mut rest = &datagram[..];
        while !rest.is_empty() {
            assert!((20..=23).contains(&rest[0]) && rest[1] == 254, "{datagram:02x?}");
            rest = &rest[13 + usize::from(u16::from_be_bytes([rest[11], rest[12]]))..];
        }
    }
    let says = |hello: u8, extension: &[u8]| {
        let mut hellos = pair.wire.iter().filter(|it| it[0] == 22 && it[13] == hello).peekable();
        hellos.peek().is_some()
            && hellos.all(|it| it.windows(extension.len()).any(|part| part == extension))
    };
    assert!(says(1, &[0, 14, 0, 9, 0, 6, 0, 8, 0, 7, 0, 1, 0]), "the client's");
    assert!(says(2, &[0, 14, 0, 5, 0, 2, 0, 8, 0]), "the server's");
}

#[test]
fn what_is_lost_is_said_again() {
    for lose in [2, 3, 4, 5] {
        let mut pair = Pair::new(lose);
        pair.begin();
        pair.live(20);
        pair.assert_keys();
        assert!(lose > 3 || pair.now > BEGAN, "{lose}");
    }
}

/// RFC 5763 §5: the certificate is that of the description, or there are no keys.
#[test]
fn whoever_shows_another_certificate_gets_no_keys() {
    for (named, who) in [([identity(3), identity(1)], 0), ([identity(2), identity(3)], 1)] {
        let mut pair = Pair::naming(named, 0);
        pair.begin();
        pair.live(40);
        assert_eq!(pair.parties[who].broken, Some(Broken::Stranger));
        assert!(pair.parties[who].keys.is_none());
    }
}

/// A ClientHello that offers nothing but the cipher NULL, as it goes over the wire.
fn without_cipher() -> Vec<u8> {
    let body = [&[254, 253][..], &[7; 32], &[0, 0], &[0, 2, 0, 1], &[1, 0], &[0, 0]].concat();
    let length = u8::try_from(body.len()).unwrap();
    let head = [&[1, 0, 0, length, 0, 0, 0, 0, 0, 0, 0, length][..], &body].concat();
    let record = [&[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, head.len() as u8][..], &head];
    record.concat()
}

/// Reliability R16: whoever forges, from their own address or from that of the other side, changes nothing.
#[test]
fn garbage_from_strangers_and_in_the_name_of_the_other_side_is_in_nobodys_way() {
    let mut pair = Pair::new(0);
    let (alice, stranger) = (pair.parties[0].at, at("203.0.113.9:9"));
    let garbage =
        [without_cipher(), vec![22; 400], b"\x16\xfe\xfd\0\0\0\0\0\0\0\0\xff\xff".to_vec()];
    let mut said = Vec::new();
    pair.parties[1].shake.aim(BEGAN, alice, &mut said);
    for round in 0..300_u64 {
        for octets in &garbage {
            let from = SocketAddr::new(stranger.ip(), 1000 + u16::try_from(round % 50).unwrap());
            pair.parties[1].shake.receive(BEGAN, (from, octets), &mut said);
            pair.parties[1].shake.receive(BEGAN, (alice, octets), &mut said);
        }
    }
    assert!(said.len() < 50 && pair.parties[1].broken.is_none(), "{}", said.len());
    pair.begin();
    for _ in 0..10 {
        pair.parties[1].shake.receive(pair.now, (alice, &without_cipher()), &mut said);
        pair.live(2);
    }
    pair.assert_keys();
}

/// Somebody behind a NAT comes from where nobody expected them.
#[test]
fn who_has_the_certificate_may_come_from_anywhere() {
    let mut pair = Pair::new(0);
    let announced = at("10.0.0.1:4000");
    let mut said = Vec::new();
    pair.parties[1].shake.aim(BEGAN, announced, &mut said);
    let bob = pair.parties[1].at;
    pair.parties[0].shake.aim(BEGAN, bob, &mut said);
    pair.say(0, said);
    pair.live(5);
    pair.assert_keys();
}

#[test]
fn a_hello_that_is_whole_and_offers_one_cipher_of_ours_is_looked_at() {
    use crate::hello::is_hopeless;
    assert!(is_hopeless(&without_cipher()));
    let mut said = Vec::new();
    let mut alice = Pair::new(0).parties;
    let bob = alice[1].at;
    alice[0].shake.aim(BEGAN, bob, &mut said);
    let Some(Said::Send(_, hello)) = said.first() else { panic!("{said:?}") };
    assert!(!is_hopeless(hello));
    for end in 0..hello.len() {
        assert!(!is_hopeless(&hello[..end]), "{end}: what is cut off is for the library to say");
    }
}

/// When it has failed it is over: nobody is said hello to for as long as the call lasts.
#[test]
fn what_has_failed_does_not_begin_again() {
    let mut pair = Pair::new(1);
    pair.begin();
    pair.live(40);
    let alice = &pair.parties[0];
    assert!(alice.broken.is_some());
    assert_eq!(alice.shake.deadline(), None);
}
