//! RFC 4733 §2.5.2: reading keys.

use std::time::Duration;

use media::{Agreement, Codec, Direction};
use offhook_tests::speaker::Speaker;
use rtp::Packet;
use rtp::rtcp::Rtcp;

use super::heard;

/// "further reports for the event MUST be ignored": a key counts once, whether its end is lost, repeated or late.
/// Proves: rfc4733-2.5.2.2-4, rfc4733-2.5.2.2-5.
#[test]
fn a_key_counts_once() {
    let (begin, end, next): ([u8; 4], [u8; 4], [u8; 4]) =
        ([5, 10, 0, 160], [5, 0x8A, 3, 32], [5, 10, 0, 160]);
    assert_eq!(heard(&[(320, &begin), (320, &end), (320, &end), (320, &end)]).keys(), "5");
    assert_eq!(heard(&[(320, &begin), (2_000, &next)]).keys(), "55", "the end was lost");
    assert_eq!(heard(&[(320, &end)]).keys(), "5", "all but the end was lost");
    assert_eq!(
        heard(&[(320, &begin), (2_000, &next), (320, &end)]).keys(),
        "55",
        "the end was late"
    );
}

/// "the receiver MUST compare the RTP timestamp for the new event with the sum of the RTP timestamp of the previous report plus the
/// duration (0xFFFF)"
/// Proves: rfc4733-2.5.2.3-1.
#[test]
fn a_long_key_is_one_key() {
    let (full, more): ([u8; 4], [u8; 4]) = ([5, 10, 0xFF, 0xFF], [5, 10, 0, 160]);
    assert_eq!(heard(&[(320, &full), (320 + 0xFFFF, &more)]).keys(), "5");
    assert_eq!(heard(&[(320, &full), (320 + 0xFFFF + 1, &more)]).keys(), "55");
}

/// Keys packed into one packet follow each other (§2.5.1.5).
#[test]
fn packed_keys_are_all_read() {
    assert_eq!(heard(&[(320, &[1, 0x8A, 1, 0x90, 2, 0x8A, 1, 0x90])]).keys(), "12");
}

/// "The receiver MUST calculate jitter for RTCP receiver reports based on all packets with a given timestamp."
/// Proves: rfc4733-2.5.2.2-7.
#[test]
fn every_packet_of_a_key_counts_for_the_jitter() {
    let plain = Agreement::plain(Codec::Pcma, Some(101));
    let mut speaker = Speaker::with(1, Agreement { direction: Direction::RecvOnly, ..plain });
    let (mut expected, mut last): (f64, Option<f64>) = (0.0, None);
    // A key held down: its timestamp stands still while time goes on.
    let mut compared = 0;
    for n in 0..250u64 {
        speaker.run(20);
        let reports = speaker.rtcp().len();
        if reports > compared && n > 2 {
            compared = reports;
            let packets = speaker.last_report();
            let Rtcp::ReceiverReport { reports, .. } = &packets[0] else { panic!("{packets:?}") };
            assert!(
                (f64::from(reports[0].jitter) - expected).abs() < 2.0,
                "{expected} {reports:?}"
            );
        }
        let [high, low] = ((n + 1) as u16 * 160).to_be_bytes();
        let mut octets = Vec::new();
        let (sequence, payload) = (n as u16, [5, 10, high, low]);
        Packet { payload_type: 101, sequence, ssrc: 9, payload: &payload, ..Packet::default() }
            .write(&mut octets);
        speaker.hear(&octets);
        let transit = Duration::from_millis(20 * (n + 1)).as_micros() as f64 / 125.0;
        if let Some(last) = last.replace(transit) {
            expected += ((transit - last).abs() - expected) / 16.0;
        }
    }
    assert!(compared > 0 && expected > 150.0, "{compared} {expected}");
}
