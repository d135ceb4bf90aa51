//! What a SIP message costs: reading, changing, writing (RFC 3261 §7, §16.6).

use std::hint::black_box;

use protocol::load::{Deafness, PARTS};
use sip::header::{CSeq, CallId, Contact, From, MaxForwards, RecordRoute, Route, To, Via};
use sip::stream::{Frame, Framer};
use sip::{Bytes, Edit, Header as _, Message, Name, Status, Uri};

/// An INVITE as a phone sends it, one proxy later: 18 rows and a session description, 1,158 octets.
const INVITE: &str = "INVITE sip:workshop@branch.offhook.example;transport=udp SIP/2.0\r\n\
    Via: SIP/2.0/UDP 203.0.113.20:5060;branch=z9hG4bK5c1f7e0a9d2b.2;rport;received=203.0.113.20\r\n\
    Via: SIP/2.0/UDP desk7.offhook.example:5060;branch=z9hG4bKf00dfeed;rport=5060;received=203.0.113.107\r\n\
    Max-Forwards: 69\r\n\
    Record-Route: <sip:203.0.113.20;lr;leg=4711>\r\n\
    Route: <sip:gate.branch.offhook.example;lr>\r\n\
    From: \"Front Desk\" <sip:desk7@offhook.example>;tag=8f14e45f\r\n\
    To: Workshop <sip:workshop@branch.offhook.example>\r\n\
    Call-ID: 0c6a2f6e-9b1d4f0e8a77@desk7.offhook.example\r\n\
    CSeq: 20417 INVITE\r\n\
    Contact: <sip:desk7@203.0.113.107:5060;transport=udp;ob>\r\n\
    Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK, INFO, REFER, NOTIFY\r\n\
    Supported: replaces, 100rel, timer, norefersub\r\n\
    Session-Expires: 1800\r\n\
    Min-SE: 90\r\n\
    User-Agent: Offhook bench phone/1\r\n\
    Date: Wed, 25 Nov 2026 08:00:00 GMT\r\n\
    Content-Type: application/sdp\r\n\
    Content-Length: 256\r\n\r\n\
    v=0\r\no=desk7 3003 3003 IN IP4 203.0.113.107\r\ns=-\r\nc=IN IP4 203.0.113.107\r\nt=0 0\r\n\
    m=audio 41000 RTP/AVP 0 8 9 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:9 G722/8000\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n";

fn wire() -> Bytes {
    Bytes::from_static(INVITE.as_bytes())
}

/// The index alone.
pub(crate) fn sip_index(count: u64) {
    let wire = wire();
    for _ in 0..count {
        let message = Message::parse(black_box(wire.clone()));
        assert!(black_box(message).is_ok());
    }
}

/// The index, and what a proxy asks of each request, by type.
pub(crate) fn sip_parse_invite(count: u64) {
    let wire = wire();
    for _ in 0..count {
        let message = Message::parse(black_box(wire.clone()));
        assert!(message.is_ok_and(|message| typed(&message).is_some()));
    }
}

fn typed(message: &Message) -> Option<()> {
    black_box(message.first::<Via<'_>>()?.ok()?);
    black_box(message.first::<From<'_>>()?.ok()?);
    black_box(message.first::<To<'_>>()?.ok()?);
    black_box(message.first::<CallId<'_>>()?.ok()?);
    black_box(message.first::<CSeq<'_>>()?.ok()?);
    black_box(message.first::<Contact<'_>>()?.ok()?);
    black_box(message.first::<MaxForwards>()?.ok()?);
    black_box(message.first::<Route<'_>>()?.ok()?);
    Some(())
}

/// The same message, cut out of a stream that carries one after the other.
pub(crate) fn sip_cut(count: u64) {
    let mut framer = Framer::default();
    for _ in 0..count / 4 {
        (0..4).for_each(|_| framer.push(INVITE.as_bytes()));
        for _ in 0..4 {
            assert!(matches!(black_box(framer.cut()), Ok(Some(Frame::Message(_)))));
        }
    }
}

/// The same message in a stream, which nobody has to read in a flood.
pub(crate) fn sip_step_over(count: u64) {
    let invite = INVITE.replace("\r\nRoute: <sip:gate.branch.offhook.example;lr>", "");
    let (mut framer, stream) = (Framer::default(), invite.repeat(4));
    let deafness =
        Deafness { share: PARTS, key: 1, spared: ["112".into(), "911".into()].into(), room: None };
    for _ in 0..count / 4 {
        let mut left_out = 0;
        let rest = framer.sift(black_box(stream.as_bytes()), |plain| {
            let unwanted = deafness.concerns(plain);
            left_out += u64::from(unwanted);
            unwanted
        });
        assert!(rest.is_empty() && left_out == 4);
    }
}

/// Every rule that holds for every message.
pub(crate) fn sip_check(count: u64) {
    let message = Message::parse(wire());
    for _ in 0..count {
        assert!(message.as_ref().is_ok_and(|message| sip::check(black_box(message)).is_ok()));
    }
}

/// What a proxy changes on the way (RFC 3261 §16.6): the octets that go out.
pub(crate) fn sip_edit(count: u64) {
    forwarded(count, |edit| assert!(black_box(edit.wire()).len() > 1_100));
}

/// The same, as a message: its index is not read, but made from the old one.
pub(crate) fn sip_edit_index(count: u64) {
    forwarded(count, |edit| assert!(black_box(edit.finish()).is_ok()));
}

fn forwarded(count: u64, written: impl Fn(&mut Edit<'_>)) {
    let Ok(message) = Message::parse(wire()) else { return };
    let via = b"SIP/2.0/UDP 203.0.113.21:5060;branch=z9hG4bK9e107d9d372b;rport";
    let route = b"<sip:203.0.113.21;lr>";
    let (Ok(via), Ok(route)) = (Via::parse(via), RecordRoute::parse(route)) else { return };
    for _ in 0..count {
        let mut edit = black_box(&message).edit();
        edit.request_uri(b"sip:workshop@203.0.113.150:5060").push(&via).push(&route);
        edit.replace(&MaxForwards(68)).remove_first(Name::Route);
        written(&mut edit);
    }
}

/// A response to it.
pub(crate) fn sip_reply(count: u64) {
    let Ok(message) = Message::parse(wire()) else { return };
    for _ in 0..count {
        black_box(black_box(&message).reply(Status::RINGING).wire());
    }
}

/// Two URIs compared (RFC 3261 §19.1.4), as a registrar does.
pub(crate) fn sip_uri_same(count: u64) {
    let a = Uri::parse(b"sip:%64esk7@203.0.113.107:5060;transport=UDP;ob");
    let b = Uri::parse(b"sip:desk7@203.0.113.107:5060;ob;Transport=udp");
    let (Ok(a), Ok(b)) = (a, b) else { return };
    for _ in 0..count {
        assert!(sip::uri::same(black_box(&a), black_box(&b)));
    }
}
