//! §5, §6.1, §6.2.1: what goes to a server, and how often.

use std::collections::BTreeSet;

use stun::kinds;

use crate::lender::{Lender, attributes_of, kind};

/// A call by a relay, from its first question to its end: everything that was said to the server, without what went in channels.
fn life() -> Vec<Vec<u8>> {
    let mut lender = Lender::open();
    let mut bob = lender.meet();
    lender.live(&mut bob, 1000);
    for _ in 0..40 {
        lender.act(|guest, now, out| guest.send(now, b"\x80\0sound", out));
        lender.live(&mut bob, 20);
    }
    lender.act(|guest, now, out| guest.close(now, out));
    let log = lender.log.into_iter().map(|(_, octets)| octets);
    log.filter(|octets| octets[0] < 64).collect()
}

/// "The most significant 2 bits of every STUN message MUST be zeroes." "The Magic Cookie field MUST contain the fixed value 0x2112A442" "the message
/// class MUST be either "Request" or "Indication" (as appropriate)" "Each attribute MUST be TLV encoded" "Each STUN attribute MUST end on a 32-bit
/// boundary." "The value in the Length field MUST contain the length of the Value part of the attribute, prior to padding" "The padding bits MUST be set
/// to zero on sending"
/// Proves: rfc8489-5-1, rfc8489-6.1-1, rfc8489-6.1-2, rfc8489-14-1, rfc8489-14-2, rfc8489-14-3, rfc8656-18-1.
#[test]
fn every_message_has_the_form_of_one() {
    let life = life();
    let asked: BTreeSet<u16> = life.iter().map(|octets| kind(octets)).collect();
    let (allocate, permit, bind) = (kinds::ALLOCATE, kinds::CREATE_PERMISSION, kinds::CHANNEL_BIND);
    assert_eq!(asked, [allocate, kinds::REFRESH, permit, bind, kinds::SEND].into());
    for octets in life {
        assert!(octets[0] >> 6 == 0 && octets[4..8] == *b"\x21\x12\xa4\x42");
        let length = usize::from(u16::from_be_bytes([octets[2], octets[3]]));
        assert!(length + 20 == octets.len() && length.is_multiple_of(4));
        for (kind, value, padding) in attributes_of(&octets) {
            assert!(padding.iter().all(|octet| *octet == 0), "{kind:04x} {value:02x?}");
        }
    }
}

/// "the transaction ID MUST be uniformly and randomly chosen from the interval 0 .. 2**96-1 and MUST be cryptographically random" (dice are SipHash under a key
/// that the system's random device has given) "the client MUST choose a new transaction ID for new transactions"
/// Proves: rfc8489-5-4.
#[test]
fn no_two_transactions_have_one_name_and_each_of_its_octets_is_random() {
    let (indications, requests): (Vec<_>, Vec<_>) =
        life().into_iter().partition(|octets| kind(octets) == kinds::SEND);
    for all in [indications, requests] {
        let names: Vec<&[u8]> = all.iter().map(|octets| &octets[8..20]).collect();
        assert!(names.len() > 4);
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        for place in 0..12 {
            let different: BTreeSet<u8> = names.iter().map(|name| name[place]).collect();
            assert!(different.len() > names.len() / 2, "{place}: {different:02x?}");
        }
    }
}

/// "Resends of the same request reuse the same transaction ID" "A client SHOULD retransmit a STUN request message starting with an interval of RTO …, doubling
/// after each retransmission." "the value of RTO SHOULD NOT be rounded up to the nearest second. Rather, a 1 ms accuracy SHOULD be maintained."
/// Proves: rfc8489-5-5, rfc8489-6.2.1-1, rfc8489-6.2.1-5, rfc8489-6.2.1-6.
#[test]
fn who_is_not_answered_says_the_same_again_ever_later() {
    let mut lender = Lender::new();
    lender.wait(10_000);
    let log = std::mem::take(&mut lender.log);
    assert_eq!(log.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 200, 600, 1400]);
    assert!(log.iter().all(|(_, octets)| *octets == log[0].1));
    let mut lender = Lender::new();
    let first = lender.only();
    lender.refuse(&first, 401);
    assert_ne!(lender.only()[8..20], first[8..20], "another request is another transaction");
}
