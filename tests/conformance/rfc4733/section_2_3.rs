//! RFC 4733 §2.1 and §2.3: what is in an event.

use offhook_tests::speaker::Speaker;
use rtp::Event;

use super::{events, heard, pressed};

/// "they MUST use the same sequence number and timestamp base as the regular audio channel"; each packet's number is one higher.
/// Proves: rfc4733-2.1-1, rfc4733-2.5.1.2-1, rfc4733-2.5.1.6-1.
#[test]
fn keys_and_sound_share_numbers_and_clock() {
    let speaker = pressed("1");
    let sent = speaker.rtp();
    assert!(sent.windows(2).all(|pair| pair[1].1.sequence == pair[0].1.sequence.wrapping_add(1)));
    assert!(sent.iter().all(|(_, packet)| packet.ssrc == speaker.stream.ssrc()));
    let at = sent.iter().position(|(_, packet)| packet.payload_type == super::EVENTS).unwrap();
    // The key begins where the sound before it ended, and the sound goes on where it would have been without the key.
    assert_eq!(sent[at].1.timestamp, sent[at - 1].1.timestamp.wrapping_add(160));
    let after = sent.iter().skip(at).find(|(_, packet)| packet.payload_type == 8).unwrap();
    let ticks = (after.0 - sent[at].0).as_micros() / 125;
    assert_eq!(u128::from(after.1.timestamp.wrapping_sub(sent[at].1.timestamp)), ticks);
}

/// "The sender MUST set it to zero, and the receiver MUST ignore it": the R bit.
/// Proves: rfc4733-2.3.3-1.
#[test]
fn the_reserved_bit_means_nothing() {
    let speaker = pressed("0123456789*#ABCD");
    assert!(events(&speaker).iter().all(|(packet, _)| packet.payload[1] & 0x40 == 0));
    assert_eq!(Event::read([5, 0x40 | 10, 0, 160]), Event::read([5, 10, 0, 160]));
    assert_eq!(heard(&[(320, &[5, 0x40, 0, 160])]).keys(), "5");
}

/// "A sender MUST NOT transmit a zero duration"; "The receiver SHOULD ignore an event report with zero duration".
/// Proves: rfc4733-2.3.5-1, rfc4733-2.3.5-2, rfc4733-2.5.2.2-2.
#[test]
fn no_key_lasts_no_time() {
    let speaker = pressed("12");
    assert!(events(&speaker).iter().all(|(_, event)| event.duration >= 160));
    assert_eq!(heard(&[(320, &[5, 0x80, 0, 0])]).keys(), "");
}

/// Proves: rfc4733-2.5.1.1-3, rfc4733-9.2-1.
#[test]
fn who_does_not_say_takes_all_sixteen_keys_and_nothing_else_is_sent() {
    let speaker = pressed("0123456789*#ABCD");
    let mut codes: Vec<u8> = events(&speaker).iter().map(|(_, event)| event.event).collect();
    codes.dedup();
    assert_eq!(codes, (0..codes.len() as u8).collect::<Vec<_>>());
    assert!(codes.len() > 9);
    assert!(Speaker::new(1).stream.press('!').is_err());
}
