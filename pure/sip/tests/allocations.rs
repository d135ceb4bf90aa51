//! Reading a message takes the memory for its index, and no more: a proxy reads millions.

use allocation_counter::measure;
use offhook_sip::header::{CSeq, CallId, Contact, From, MaxForwards, RecordRoute, Route, To, Via};
use offhook_sip::stream::{Frame, Framer};
use offhook_sip::{Message, Name, check};

const INVITE: &str = "INVITE sip:workshop@branch.offhook.example;transport=udp SIP/2.0\r\n\
    Via: SIP/2.0/UDP 203.0.113.20:5060;branch=z9hG4bK5c1f7e0a9d2b.2;rport;received=203.0.113.20,\r\n \
    SIP/2.0/UDP desk7.offhook.example:5060;branch=z9hG4bKf00dfeed;received=203.0.113.107\r\n\
    Max-Forwards: 69\r\nRecord-Route: <sip:203.0.113.20;lr>\r\nRoute: <sip:gate.branch.offhook.example;lr>\r\n\
    From: \"Front, Desk\" <sip:desk7@offhook.example>;tag=8f14e45f\r\nTo: <sip:workshop@branch.offhook.example>\r\n\
    Call-ID: 0c6a2f6e-9b1d4f0e8a77@desk7.offhook.example\r\nCSeq: 20417 INVITE\r\n\
    Contact: <sip:desk7@203.0.113.107:5060;transport=udp;ob>\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n\
    Supported: replaces, 100rel, timer\r\nX-Mine: 1\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n";

/// Reads what a proxy reads of each request; true when all of it is there.
fn typed(message: &Message) -> bool {
    check(message).is_ok()
        && message.all::<Via<'_>>().count() == 2
        && message.get::<From<'_>>().is_some_and(|from| from.tag().is_some())
        && message.get::<To<'_>>().is_some_and(|to| to.parsed().is_ok())
        && message.get::<CallId<'_>>().is_some()
        && message.get::<CSeq<'_>>().is_some()
        && message.get::<Contact<'_>>().is_some()
        && message.get::<MaxForwards>().is_some()
        && message.get::<Route<'_>>().is_some_and(|route| route.params.get("x").is_none())
        && message.get::<RecordRoute<'_>>().is_some()
        && message.elements(Name::Allow).count() == 5
}

#[test]
fn an_invite_is_read_with_at_most_two_allocations() {
    let octets = INVITE.as_bytes().to_vec();
    let taken = measure(|| assert!(typed(&Message::parse(octets).unwrap())));
    assert!(taken.count_total <= 2, "{} allocations", taken.count_total);
    // The index of 17 rows, and what shares the octets; a page would be too much.
    assert!(taken.bytes_total < 1024, "{} octets", taken.bytes_total);
}

#[test]
fn to_read_headers_of_an_indexed_message_takes_none() {
    let message = Message::parse(INVITE).unwrap();
    let taken = measure(|| assert!(typed(&message)));
    assert_eq!(taken.count_total, 0);
}

#[test]
fn a_message_is_cut_out_of_a_stream_without_a_copy_of_it() {
    let mut framer = Framer::default();
    for _ in 0..3 {
        framer.push(INVITE.as_bytes());
    }
    let taken = measure(|| {
        for _ in 0..3 {
            assert!(matches!(framer.cut(), Ok(Some(Frame::Message(_)))));
        }
    });
    assert!(taken.bytes_total < 3 * 1024, "{} octets", taken.bytes_total);
}

#[test]
fn a_forwarded_request_is_written_once() {
    let message = Message::parse(INVITE).unwrap();
    let taken = measure(|| {
        let mut edit = message.edit();
        edit.push_raw(Name::Via, b"SIP/2.0/UDP 203.0.113.21:5060;branch=z9hG4bK9e10;rport");
        edit.replace(&MaxForwards(68)).remove_first(Name::Route);
        assert!(edit.wire().len() > 700);
    });
    assert!(taken.count_total <= 4, "{} allocations", taken.count_total);
}
