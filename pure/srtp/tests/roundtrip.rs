//! What is protected opens to what it was, whatever gets lost and in whatever order it comes; what is touched does not open.

#![expect(clippy::unwrap_used, reason = "a test")]

use offhook_srtp::{Master, Receiver, Refused, Sender, Suite, limits};
use proptest::prelude::*;

fn both(suite: Suite) -> (Sender, Receiver) {
    let octets: Vec<u8> = (0..Master::octets(suite) as u8).collect();
    let master = Master::new(suite, &octets).unwrap();
    (Sender::new(&master).unwrap(), Receiver::new(&master).unwrap())
}

fn packet(sequence: u16, ssrc: u32, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 0];
    packet.extend(sequence.to_be_bytes());
    packet.extend([0, 0, 0, 1]);
    packet.extend(ssrc.to_be_bytes());
    packet.extend(payload);
    packet
}

fn report(ssrc: u32) -> Vec<u8> {
    let mut report = vec![0x80, 201, 0, 1];
    report.extend(ssrc.to_be_bytes());
    report.extend([0x81, 203, 0, 1]);
    report.extend(ssrc.to_be_bytes());
    report
}

proptest! {
    #[test]
    fn packets_that_overtake_each_other_open_once(
        suite in prop::sample::select(&Suite::ALL[..]),
        first in any::<u16>(),
        swaps in prop::collection::vec(0_usize..8, 200),
        payload in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let (mut sender, mut receiver) = both(suite);
        let mut sent: Vec<_> = (0..200_u16).map(|n| {
            let plain = packet(first.wrapping_add(n), 7, &payload);
            let mut secret = plain.clone();
            sender.protect(&mut secret).unwrap();
            (plain, secret)
        }).collect();
        for (n, by) in swaps.iter().enumerate().skip(1) {
            sent.swap(n, (n + by).min(199));
        }
        for (plain, secret) in &sent {
            let mut opened = secret.clone();
            receiver.open(&mut opened).unwrap();
            prop_assert_eq!(&opened, plain);
            prop_assert_eq!(receiver.open(&mut secret.clone()), Err(Refused::Replayed));
        }
    }

    #[test]
    fn one_bit_is_enough(suite in prop::sample::select(&Suite::ALL[..]), bit in any::<prop::sample::Index>()) {
        let (mut sender, mut receiver) = both(suite);
        let (mut sound, mut control) = (packet(9, 7, &[5; 160]), report(7));
        sender.protect(&mut sound).unwrap();
        sender.protect_report(&mut control).unwrap();
        let flip = |packet: &[u8]| {
            let (mut packet, bit) = (packet.to_vec(), bit.index(packet.len() * 8));
            packet[bit / 8] ^= 1 << (bit % 8);
            packet
        };
        prop_assert!(receiver.open(&mut flip(&sound)).is_err());
        prop_assert!(receiver.open_report(&mut flip(&control)).is_err());
        prop_assert_eq!(receiver.open(&mut sound), Ok(()));
        prop_assert_eq!(receiver.open_report(&mut control), Ok(()));
        prop_assert_eq!(control, report(7));
    }
}

/// RFC 3711 §9.1: a key stream that is used twice gives both packets away.
#[test]
fn no_number_is_protected_twice() {
    let (mut sender, _) = both(Suite::AesCm128HmacSha1With80);
    sender.protect(&mut packet(65_535, 7, b"one")).unwrap();
    sender.protect(&mut packet(0, 7, b"two")).unwrap();
    assert_eq!(sender.protect(&mut packet(0, 7, b"other")), Err(Refused::Replayed));
    assert_eq!(sender.protect(&mut packet(0, 8, b"another source")), Ok(()));
}

#[test]
fn sources_are_bounded_and_forged_ones_take_no_place() {
    let (mut sender, mut receiver) = both(Suite::AeadAes128Gcm);
    for ssrc in 0..1_000 {
        let mut forged = packet(1, 10_000 + ssrc, &[0; 40]);
        assert_eq!(receiver.open(&mut forged), Err(Refused::Forged));
    }
    for ssrc in 0..limits::SOURCES as u32 {
        let mut good = packet(1, ssrc, b"sound");
        sender.protect(&mut good).unwrap();
        receiver.open(&mut good).unwrap();
    }
    assert_eq!(sender.protect(&mut packet(1, 99, b"sound")), Err(Refused::TooManySources));
}
