//! RFC 3550 §6.1: compound packets; §6.6: BYE; §6.7: APP.

use std::collections::BTreeSet;

use media::{Agreement, Codec, Direction};
use offhook_tests::speaker::{Speaker, talk};
use rtp::rtcp::{self, Rtcp, item};

/// "the first RTCP packet in the compound packet MUST always be a report packet", and our name is in each.
/// Proves: rfc3550-4-1, rfc3550-6.1-2, rfc3550-6.1-3, rfc3550-6.1-4, rfc3550-6.1-7, rfc3550-6.1-10,
/// rfc3550-6.1-17, rfc3550-6.5.1-1, rfc3550-12.1-1, rfc3711-3.4-2, rfc3711-3.4-3.
#[test]
fn a_report_comes_first_and_our_name_is_in_each() {
    let (mut alice, mut bob) = (Speaker::new(1), Speaker::new(2));
    talk(&mut alice, &mut bob, 30_000);
    alice.close();
    assert!(alice.rtcp().len() > 4);
    for (_, octets) in alice.rtcp() {
        let packets = rtcp::parse(octets).unwrap();
        assert!(packets.len() >= 2);
        assert!(matches!(packets[0], Rtcp::SenderReport { .. } | Rtcp::ReceiverReport { .. }));
        let Rtcp::Sdes(chunks) = &packets[1] else { panic!("{packets:?}") };
        assert_eq!((chunks.len(), chunks[0].ssrc), (1, alice.stream.ssrc()));
        assert!(chunks[0].items.iter().any(|item| item.kind == item::CNAME));
    }
}

/// "This is true even if no data has been sent or received, in which case an empty RR MUST be sent, and even if the only
/// other RTCP packet in the compound packet is a BYE."
/// Proves: rfc3550-6.1-8, rfc3550-6.4.2-1.
#[test]
fn who_neither_sends_nor_hears_sends_empty_receiver_reports() {
    let silent =
        Agreement { direction: Direction::RecvOnly, ..Agreement::plain(Codec::Pcmu, None) };
    let mut speaker = Speaker::with(3, silent);
    speaker.run(20_000).close();
    assert!(speaker.rtp().is_empty() && speaker.rtcp().len() > 2);
    for (_, octets) in speaker.rtcp() {
        let packets = rtcp::parse(octets).unwrap();
        let Rtcp::ReceiverReport { reports, .. } = &packets[0] else { panic!("{packets:?}") };
        assert!(reports.is_empty());
    }
    assert!(matches!(speaker.last_report()[2], Rtcp::Bye { .. }));
}

/// Every packet ends on a word; none of ours is padded; a compound fits into any packet that a network carries.
/// Proves: rfc3550-6.1-1, rfc3550-6.1-16, rfc3550-6.4.1-1, rfc3550-A.8-4.
#[test]
fn packets_end_on_words_without_padding() {
    let (mut alice, mut bob) = (Speaker::new(1), Speaker::new(2));
    talk(&mut alice, &mut bob, 20_000);
    for (_, octets) in alice.close().rtcp() {
        assert!(octets.len().is_multiple_of(4) && octets.len() < 200);
        let mut at = 0;
        while at < octets.len() {
            assert_eq!(octets[at] & 0x20, 0, "padding bit");
            at += 4 * (1 + usize::from(u16::from_be_bytes([octets[at + 2], octets[at + 3]])));
        }
        assert_eq!(at, octets.len());
    }
    // And whoever pads another packet than the last is not read.
    let mut padded = vec![0xA0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4];
    assert!(rtcp::parse(&padded).is_ok());
    padded.extend([0x80, 201, 0, 1, 0, 0, 0, 1]);
    assert!(rtcp::parse(&padded).is_err());
}

/// "BYE SHOULD be the last packet sent with a given SSRC/CSRC"
/// Proves: rfc3550-6.1-11.
#[test]
fn a_bye_is_the_last_word() {
    let mut speaker = Speaker::new(1);
    let ssrc = speaker.stream.ssrc();
    speaker.run(7_000).close();
    let packets = speaker.last_report();
    assert_eq!(packets.last(), Some(&Rtcp::Bye { sources: vec![ssrc], reason: &[] }));
    assert_eq!(packets.iter().filter(|packet| matches!(packet, Rtcp::Bye { .. })).count(), 1);
}

/// "An individual RTP participant SHOULD send only one compound RTCP packet per report interval"
/// Proves: rfc3550-6.1-12.
#[test]
fn there_is_one_compound_in_an_interval() {
    let mut speaker = Speaker::new(1);
    speaker.run(60_000);
    let times: BTreeSet<_> = speaker.rtcp().iter().map(|(time, _)| *time).collect();
    assert_eq!(times.len(), speaker.rtcp().len());
}

/// "An implementation SHOULD ignore incoming RTCP packets with types unknown to it." "APP packets with unrecognized names
/// SHOULD be ignored."
/// Proves: rfc3550-6.1-18, rfc3550-6.7-1.
#[test]
fn what_is_not_known_is_passed_over_and_the_rest_is_read() {
    let (mut alice, mut bob) = (Speaker::new(1), Speaker::new(2));
    talk(&mut alice, &mut bob, 5_000);
    assert_eq!(alice.stream.report().received.left, None);
    let ssrc = bob.stream.ssrc();
    alice.hear(&rtcp::write(&[
        Rtcp::ReceiverReport { ssrc, reports: vec![], extension: &[] },
        Rtcp::Other { count: 3, packet_type: 211, body: &[1, 2, 3, 4] },
        Rtcp::App { subtype: 1, ssrc, name: *b"WHO?", data: &[5, 6, 7, 8] },
        Rtcp::Bye { sources: vec![ssrc], reason: b"supper" },
    ]));
    assert!(alice.stream.report().received.left.is_some());
    assert_eq!(alice.stream.report().received.unreadable, 0);
}

/// "a participant which never sent an RTP or RTCP packet MUST NOT send a BYE packet when they leave the group"
/// Proves: rfc3550-6.3.7-2.
#[test]
fn who_never_said_anything_leaves_silently() {
    assert!(Speaker::new(1).close().out.is_empty());
    assert_eq!(Speaker::new(1).run(20).close().rtcp().len(), 1);
}

/// The reason of a BYE, and what an APP carries, are filled up to a word.
/// Proves: rfc3550-6.6-3, rfc3550-6.7-4.
#[test]
fn texts_are_filled_up_to_a_word() {
    let bye = rtcp::write(&[Rtcp::Bye { sources: vec![1], reason: b"bye" }]);
    assert_eq!(bye, [0x81, 203, 0, 2, 0, 0, 0, 1, 3, b'b', b'y', b'e']);
    let bye = rtcp::write(&[Rtcp::Bye { sources: vec![1], reason: b"away" }]);
    assert_eq!(bye[8..], [4, b'a', b'w', b'a', b'y', 0, 0, 0]);
    let app = rtcp::write(&[Rtcp::App { subtype: 0, ssrc: 1, name: *b"TEST", data: &[1] }]);
    assert_eq!(app[12..], [1, 0, 0, 0]);
}
