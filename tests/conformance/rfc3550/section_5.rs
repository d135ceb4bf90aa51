//! RFC 3550 §5: RTP data packets.

use std::collections::BTreeSet;

use media::{Direction, Output};
use offhook_tests::speaker::{Speaker, talk};
use rtp::{Extension, Kind, Packet};

/// "This identifier SHOULD be chosen randomly", and so the first sequence number and timestamp.
/// Proves: rfc3550-3-1, rfc3550-5.1-4, rfc3550-5.1-7, rfc3550-5.1-8.
#[test]
fn every_stream_begins_at_random() {
    let firsts: Vec<_> = (0..50)
        .map(|seed| {
            let mut speaker = Speaker::new(seed);
            let (_, first) = speaker.run(20).rtp()[0];
            (first.ssrc, first.sequence, first.timestamp)
        })
        .collect();
    let ssrcs: BTreeSet<_> = firsts.iter().map(|first| first.0).collect();
    let sequences: BTreeSet<_> = firsts.iter().map(|first| first.1).collect();
    let timestamps: BTreeSet<_> = firsts.iter().map(|first| first.2).collect();
    assert_eq!((ssrcs.len(), timestamps.len()), (50, 50));
    assert!(sequences.len() > 45, "{}", sequences.len());
    // They come from the whole range.
    assert!(firsts.iter().any(|first| first.0 > 0xC000_0000 && first.0 != 0));
    assert!(
        firsts.iter().any(|first| first.1 < 0x4000) && firsts.iter().any(|first| first.1 > 0xC000)
    );
}

/// "a clock that increments monotonically and linearly in time", and with 8,000 ticks a second; also over a pause.
/// Proves: rfc3550-5.1-5, rfc3550-5.1-6.
#[test]
fn timestamps_follow_the_clock() {
    let mut speaker = Speaker::new(1);
    speaker.run(500);
    speaker.stream.turn(Direction::RecvOnly);
    speaker.run(3_000);
    speaker.stream.turn(Direction::SendRecv);
    speaker.run(500);
    let sent = speaker.rtp();
    assert_eq!(sent.len(), 50);
    for (time, packet) in &sent {
        let ticks = (*time - sent[0].0).as_micros() / 125;
        assert_eq!(u128::from(packet.timestamp.wrapping_sub(sent[0].1.timestamp)), ticks);
    }
}

/// "A receiver MUST ignore packets with payload types that it does not understand."
/// Proves: rfc3550-5.1-3, rfc3550-A.8-5.
#[test]
fn payload_types_that_were_not_agreed_on_are_ignored() {
    let (mut alice, mut bob) = (Speaker::new(1), Speaker::new(2));
    talk(&mut alice, &mut bob, 1_000);
    let before = bob.stream.report().received;
    for payload_type in (0..128).filter(|payload_type| ![8, 101].contains(payload_type)) {
        let last = alice.rtp().last().unwrap().1;
        let mut octets = Vec::new();
        Packet { payload_type, ssrc: 99, payload: &[0x2A; 160], ..last }.write(&mut octets);
        if Kind::of(&octets) == Kind::Rtp {
            bob.hear(&octets);
        }
    }
    let after = bob.stream.report().received;
    assert!(after.unknown >= 90);
    assert_eq!((after.packets, after.sources), (before.packets, 1));
}

/// "If the X bit in the RTP header is one, a variable-length header extension MUST be appended to the RTP header, following
/// the CSRC list if present."
/// Proves: rfc3550-5.1-1, rfc3550-5.3.1-2.
#[test]
fn the_extension_follows_the_header_if_the_bit_says_so() {
    let csrcs = [[1, 2, 3, 4], [5, 6, 7, 8]];
    let extension = Some(Extension { profile: 0xBEDE, data: &[9, 9, 9, 9] });
    let packet = Packet { extension, csrcs: &csrcs, payload: &[7], ..Packet::default() };
    let mut octets = Vec::new();
    packet.write(&mut octets);
    assert_eq!(octets[0] & 0x10, 0x10);
    assert_eq!(octets[12..20], [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(octets[20..], [0xBE, 0xDE, 0, 1, 9, 9, 9, 9, 7]);
    assert!(Packet::parse(&octets[..24]).is_err(), "the bit without the extension");
    let mut without = Vec::new();
    Packet { extension: None, ..packet }.write(&mut without);
    assert_eq!((without[0] & 0x10, without.len()), (0, 21));
}

/// RTP and RTCP leave by different doors, and on one port their second octet tells them apart.
/// Proves: rfc3550-6-1.
#[test]
fn data_and_control_packets_are_told_apart() {
    let mut speaker = Speaker::new(1);
    for (_, output) in &speaker.run(10_000).out {
        match output {
            Output::Rtp(octets) => assert_eq!(Kind::of(octets), Kind::Rtp),
            Output::Rtcp(octets) => assert_eq!(Kind::of(octets), Kind::Rtcp),
            Output::Key(key) => panic!("nobody pressed {key}"),
        }
    }
    assert!(!speaker.rtcp().is_empty());
}
