//! RFC 3550 §6.5: source descriptions.

use std::collections::BTreeSet;

use offhook_tests::speaker::{Speaker, talk};
use rtp::Packet;
use rtp::rtcp::{self, Chunk, Item, Rtcp, item};

fn name(speaker: &Speaker) -> Vec<u8> {
    let packets = speaker.last_report();
    let Rtcp::Sdes(chunks) = &packets[1] else { panic!("{packets:?}") };
    chunks[0].items[0].text.to_vec()
}

/// "The list of items in each chunk MUST be terminated by one or more null octets", up to the next word.
/// Proves: rfc3550-6.5-1, rfc3550-6.5-2.
#[test]
fn a_chunk_ends_with_zeros_up_to_a_word() {
    for length in 0..12 {
        let text = vec![b'x'; length];
        let items = vec![Item { kind: item::CNAME, text: &text }];
        let octets = rtcp::write(&[Rtcp::Sdes(vec![Chunk { ssrc: 1, items }])]);
        let zeros = &octets[10 + length..];
        assert!(
            (1..=4).contains(&zeros.len()) && zeros.iter().all(|octet| *octet == 0),
            "{length}"
        );
        assert!(octets.len().is_multiple_of(4));
    }
}

/// "the CNAME identifier SHOULD also be unique among all participants"
/// Proves: rfc3550-6.5.1-2, rfc3550-6.5.1-5.
#[test]
fn every_stream_has_its_own_name() {
    let names: BTreeSet<_> = (0..50).map(|seed| name(Speaker::new(seed).run(8_000))).collect();
    assert_eq!(names.len(), 50);
    assert!(names.iter().all(|name| name.len() == 16 && name.is_ascii()));
}

/// The name binds the new SSRC to the old one: it "SHOULD be fixed for that participant".
/// Proves: rfc3550-6.5.1-3.
#[test]
fn the_name_outlives_the_ssrc() {
    let (mut alice, mut bob) = (Speaker::new(1), Speaker::new(2));
    talk(&mut alice, &mut bob, 8_000);
    let (before, ssrc) = (name(&alice), alice.stream.ssrc());
    let mut octets = Vec::new();
    Packet { ssrc, payload_type: 8, ..Packet::default() }.write(&mut octets);
    alice.hear(&octets);
    talk(&mut alice, &mut bob, 8_000);
    assert_ne!(alice.stream.ssrc(), ssrc);
    assert_eq!(name(&alice), before);
}
