//! RFC 3550 §6.4: sender and receiver reports.

use std::time::Duration;

use machine::Time;
use media::{Agreement, Codec, Direction};
use offhook_tests::speaker::{Speaker, talk};
use rtp::rtcp::{ReportBlock, Rtcp, SenderInfo};
use rtp::{Ntp, Packet};

fn sender_report(speaker: &Speaker) -> (SenderInfo, Vec<ReportBlock>) {
    let packets = speaker.last_report();
    let Rtcp::SenderReport { info, reports, .. } = &packets[0] else { panic!("{packets:?}") };
    (*info, reports.clone())
}

/// The RTP timestamp in a report "MUST be calculated from the corresponding NTP timestamp": both name the same moment, though it
/// lies between two packets.
/// Proves: rfc3550-6.4.1-2.
#[test]
fn both_timestamps_of_a_sender_report_are_one_moment() {
    let mut speaker = Speaker::new(1);
    speaker.run(10_000);
    let (info, _) = sender_report(&speaker);
    let time = speaker.rtcp().last().unwrap().0;
    assert_eq!(info.ntp, Ntp::from_unix_nanos(time.0));
    // The first frame began 20 ms before its packet left.
    let (left, first) = speaker.rtp()[0];
    let passed = (time - left + Duration::from_millis(20)).as_micros() / 125;
    assert_eq!(u128::from(info.timestamp.wrapping_sub(first.timestamp)), passed);
    let sent = speaker.rtp().iter().filter(|(sent, _)| *sent <= time).count() as u32;
    assert_eq!((info.packets, info.octets), (sent, sent * 160));
}

/// "The interarrival jitter SHOULD be calculated continuously as each data packet i is received … MUST conform to the formula"
/// Proves: rfc3550-6.4.1-6, rfc3550-6.4.1-7.
#[test]
fn jitter_is_that_of_the_formula() {
    let listening =
        Agreement { direction: Direction::RecvOnly, ..Agreement::plain(Codec::Pcmu, None) };
    let mut speaker = Speaker::with(1, listening);
    let start = speaker.now;
    let (mut expected, mut last): (f64, Option<f64>) = (0.0, None);
    let mut reported = 0;
    for n in 0..1_500u64 {
        let delay = n * n % 31;
        let arrival = start + Duration::from_millis(40 * n + delay);
        let wait = (arrival - speaker.now).as_millis() as u64;
        speaker.run(wait);
        let mut octets = Vec::new();
        let (sequence, timestamp) = (n as u16, (n * 320) as u32);
        let packet =
            Packet { sequence, timestamp, ssrc: 9, payload: &[0; 160], ..Packet::default() };
        packet.write(&mut octets);
        let before = speaker.rtcp().len();
        if before > std::mem::replace(&mut reported, before) && n > 20 {
            let packets = speaker.last_report();
            let Rtcp::ReceiverReport { reports, .. } = &packets[0] else { panic!("{packets:?}") };
            assert!((f64::from(reports[0].jitter) - expected).abs() < 2.0, "{n} {expected}");
        }
        speaker.hear(&octets);
        let transit = (delay * 8) as f64;
        if let Some(last) = last.replace(transit) {
            expected += ((transit - last).abs() - expected) / 16.0;
        }
    }
    assert!(reported > 5 && expected > 40.0);
}

/// Losses of one packet in five are reported as such: a fraction since the last report, a sum since the first packet.
#[test]
fn losses_are_reported() {
    let (mut alice, mut bob) = (Speaker::new(1), Speaker::new(2));
    for _ in 0..1_500 {
        alice.run(20);
        bob.run(20);
        let (_, packet) = *alice.rtp().last().unwrap();
        let mut octets = Vec::new();
        packet.write(&mut octets);
        if packet.sequence % 5 != 0 {
            bob.hear(&octets);
        }
    }
    let (_, reports) = sender_report(&bob);
    assert!((48..=56).contains(&reports[0].fraction_lost), "{reports:?}");
    assert!((240..=300).contains(&reports[0].lost), "{reports:?}");
    assert_eq!(reports[0].ssrc, alice.stream.ssrc());
}

/// "LSR" and "DLSR" make the round trip known to the sender, whatever the clock of the listener says.
#[test]
fn the_last_sender_report_is_answered() {
    let (mut alice, mut bob) = (Speaker::new(1), Speaker::new(2));
    talk(&mut alice, &mut bob, 15_000);
    let (_, reports) = sender_report(&bob);
    let sent = bob.rtcp().last().unwrap().0;
    let answered: Vec<(Time, u32)> = alice
        .rtcp()
        .iter()
        .map(|(time, _)| (*time, Ntp::from_unix_nanos(time.0).middle()))
        .filter(|(_, middle)| *middle == reports[0].last_sr)
        .collect();
    let stay = Duration::from_secs_f64(f64::from(reports[0].delay_since_last_sr) / 65_536.0);
    let passed = sent - answered[0].0;
    assert!(passed >= stay && passed - stay <= Duration::from_millis(6), "{passed:?} {stay:?}");
    assert!(alice.stream.report().round_trip.unwrap() <= Duration::from_millis(12));
}

/// "The count SHOULD be reset if the sender changes its SSRC identifier"; and "Receivers SHOULD NOT carry over statistics".
/// Proves: rfc3550-6.4.1-3, rfc3550-6.4.1-4, rfc3550-6.4.1-5.
#[test]
fn another_ssrc_begins_all_counts_anew() {
    let (mut alice, mut bob) = (Speaker::new(1), Speaker::new(2));
    talk(&mut alice, &mut bob, 10_000);
    // A stranger shows alice her own SSRC.
    let mut octets = Vec::new();
    Packet { ssrc: alice.stream.ssrc(), payload_type: 8, ..Packet::default() }.write(&mut octets);
    alice.hear(&octets);
    let (first, begun) = (alice.rtp().len(), alice.now);
    talk(&mut alice, &mut bob, 10_000);
    let (info, _) = sender_report(&alice);
    let reported = alice.rtcp().last().unwrap().0;
    assert!(reported > begun);
    let since = alice.rtp()[first..].iter().filter(|(time, _)| *time <= reported).count() as u32;
    assert_eq!((info.packets, info.octets), (since, since * 160));
    let (_, reports) = sender_report(&bob);
    assert_eq!((reports[0].ssrc, reports[0].lost), (alice.stream.ssrc(), 0));
    // Its numbers begin where the new stream began, not where the old one ended.
    let highest = reports[0].highest_sequence as u16;
    let sequence = alice.rtp()[first].1.sequence;
    assert!(highest.wrapping_sub(sequence) <= 500, "{highest} {sequence}");
}
