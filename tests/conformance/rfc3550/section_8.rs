//! RFC 3550 §8: two sources with one identifier.

use offhook_tests::speaker::{Speaker, talk};
use rtp::Packet;
use rtp::rtcp::{self, Rtcp};

fn packet_of(ssrc: u32) -> Vec<u8> {
    let mut octets = Vec::new();
    Packet { ssrc, payload_type: 8, payload: &[0xD5; 160], ..Packet::default() }.write(&mut octets);
    octets
}

/// "it MUST send an RTCP BYE packet for the old identifier and choose another random one"
/// Proves: rfc3550-8.2-1, rfc3550-8.2-2.
#[test]
fn whoever_finds_its_ssrc_taken_says_bye_and_takes_another() {
    let report =
        |ssrc| rtcp::write(&[Rtcp::ReceiverReport { ssrc, reports: vec![], extension: &[] }]);
    let found_in: [fn(u32) -> Vec<u8>; 2] = [packet_of, report];
    for theirs in found_in {
        let (mut alice, mut bob) = (Speaker::new(1), Speaker::new(2));
        talk(&mut alice, &mut bob, 2_000);
        let old = alice.stream.ssrc();
        alice.hear(&theirs(old));
        let packets = alice.last_report();
        assert_eq!(packets.last(), Some(&Rtcp::Bye { sources: vec![old], reason: &[] }));
        assert!(![old, bob.stream.ssrc()].contains(&alice.stream.ssrc()));
        talk(&mut alice, &mut bob, 2_000);
        assert_eq!(alice.rtp().last().unwrap().1.ssrc, alice.stream.ssrc());
        assert_eq!(bob.stream.report().received.lost, 0);
    }
}

/// Our own packets come back: that is a loop, which another SSRC would not end. It is counted.
/// Proves: rfc3550-8.2-4, rfc3550-8.2-12.
#[test]
fn a_loop_changes_the_ssrc_once_and_is_counted() {
    let mut speaker = Speaker::new(1);
    let mut seen = vec![speaker.stream.ssrc()];
    for _ in 0..500 {
        speaker.run(20);
        speaker.hear(&packet_of(speaker.stream.ssrc()));
        seen.push(speaker.stream.ssrc());
    }
    seen.dedup();
    assert_eq!((seen.len(), speaker.stream.report().received.looped), (2, 499));
}
