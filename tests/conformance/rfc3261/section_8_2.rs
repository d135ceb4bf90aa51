//! §8.2: what a server says to requests that are for itself.

use std::time::Duration;

use offhook_tests::office::{Office, Phone, Request, rows, status, trusting};
use sip::{Method, Name};

fn office() -> (Office, Phone) {
    (Office::new(trusting()), Phone::udp(101))
}

fn options(phone: &Phone) -> Request {
    phone.request("OPTIONS", "sip:example.test")
}

/// "if the UAS recognizes but does not support the method of a request, it MUST generate a 405 (Method Not Allowed) response … The UAS
/// MUST also add an Allow header field … The Allow header field MUST list the set of methods supported by the UAS"
/// Proves: rfc3261-8.2.1-1, rfc3261-8.2.1-2, rfc3261-8.2.1-3, rfc3261-8.2.1-4, rfc3261-16.1-1, rfc3261-20.5-1.
#[test]
fn trap_19_a_method_that_we_do_not_serve_ourselves_is_answered_with_those_that_we_do() {
    let (mut office, phone) = office();
    let mut served = vec!["ACK".to_owned(), "CANCEL".to_owned()];
    let others =
        Method::KNOWN.iter().filter(|known| !matches!(known, Method::Ack | Method::Cancel));
    for known in others {
        let mut request = phone.request(known.as_str(), "sip:example.test");
        request.to = "<sip:101@example.test>".into();
        let sent = office.receive(phone.flow, request.wire());
        match status(&sent) {
            405 => {
                assert_eq!(rows(&sent, Name::Allow), ["REGISTER, OPTIONS, SUBSCRIBE, ACK, CANCEL"])
            }
            // 489: it asks for no event that we know, so the method is one that we do.
            200 | 489 => served.push(known.to_string()),
            other => panic!("{known}: {other}"),
        }
    }
    let unknown = phone.request("FOO", "sip:example.test");
    let sent = office.receive(phone.flow, unknown.wire());
    assert_eq!(status(&sent), 405);
    let mut allowed: Vec<_> = rows(&sent, Name::Allow)[0].split(", ").map(str::to_owned).collect();
    allowed.sort();
    served.sort();
    assert_eq!(allowed, served);
}

/// "If a UAS does not understand a header field in a request …, the server MUST ignore that header field and continue processing the
/// message. A UAS SHOULD ignore any malformed header fields that are not necessary for processing requests."
/// Proves: rfc3261-8.2.2-1, rfc3261-8.2.2-2.
#[test]
fn headers_that_mean_nothing_here_do_no_harm() {
    let (mut office, phone) = office();
    let rows = "X-Nobody-Knows: \u{7f}\r\nDate: yesterday\r\nRetry-After: never\r\nAccept: ,,,";
    assert_eq!(status(&office.receive(phone.flow, options(&phone).row(rows).wire())), 200);
}

/// "If the Request-URI uses a scheme not supported by the UAS, it SHOULD reject the request with a 416 … If the Request-URI does not
/// identify an address that the UAS is willing to accept requests for, it SHOULD reject the request with a 404"
/// Proves: rfc3261-8.2.2.1-3, rfc3261-8.2.2.1-4.
#[test]
fn trap_19_a_scheme_that_is_not_ours_and_a_user_that_is_nobody() {
    let mut office = Office::default();
    let phone = Phone::udp(101);
    let mut request = phone.request("OPTIONS", "urn:service:sos");
    request.to = "<sip:a@b.example>".into();
    assert_eq!(status(&office.receive(phone.flow, request.wire())), 416);
    let nobody = phone.request("OPTIONS", "sip:nobody@example.test");
    assert_eq!(status(&office.converse(&phone, &nobody)), 404);
}

/// "If the request has no tag in the To header field, the UAS core MUST check the request against ongoing transactions. If the From tag,
/// Call-ID, and CSeq exactly match …, but the request does not match that transaction …, the UAS core SHOULD generate a 482"
/// Proves: rfc3261-8.2.2.2-1, rfc3261-8.2.2.2-2.
#[test]
fn trap_6_a_request_that_comes_by_two_paths_is_served_once() {
    let (mut office, phone) = office();
    let first = options(&phone);
    assert_eq!(status(&office.receive(phone.flow, first.wire())), 200);
    let mut second = first.clone();
    second.branch = "z9hG4bK-another-path".into();
    assert_eq!(status(&office.receive(phone.flow, second.wire())), 482);
    assert_eq!(
        status(&office.receive(phone.flow, first.wire())),
        200,
        "its repeat is no second path"
    );
}

/// "Note that Require and Proxy-Require MUST NOT be used in a SIP CANCEL request … These header fields MUST be ignored if they are
/// present in these requests."
/// Proves: rfc3261-8.2.2.3-4, rfc3261-20.32-1, rfc3261-20.32-2.
#[test]
fn trap_47_require_is_no_matter_in_a_cancel_and_counts_elsewhere() {
    let (mut office, phone) = office();
    let sent = office.receive(phone.flow, options(&phone).row("Require: nothing").wire());
    assert_eq!((status(&sent), rows(&sent, Name::Unsupported)), (420, vec!["nothing".to_owned()]));
    let (caller, callee) = (Phone::udp(102), Phone::udp(103));
    office.register(&callee);
    let invite = caller.invite("sip:103@example.test");
    office.receive(caller.flow, invite.wire());
    let mut cancel = invite;
    cancel.method = "CANCEL".into();
    let cancel = cancel.row("Require: nothing\r\nProxy-Require: nothing");
    assert_eq!(status(&office.receive(caller.flow, cancel.wire())), 200);
}

/// "If there are any bodies whose type … are not understood, and that body part is not optional …, the UAS MUST reject the request with
/// a 415 … The response MUST contain an Accept header field … an Accept-Encoding header field … an Accept-Language header field"
/// Proves: rfc3261-8.2.3-1, rfc3261-8.2.3-2, rfc3261-8.2.3-3, rfc3261-8.2.3-4.
#[test]
fn trap_48_a_body_that_must_be_read_and_cannot_be() {
    let (mut office, phone) = office();
    let mut request = options(&phone)
        .row("Content-Type: text/plain\r\nContent-Encoding: gzip\r\nContent-Language: ia");
    request.body = "hello".into();
    let sent = office.receive(phone.flow, request.wire());
    assert_eq!((status(&sent), rows(&sent, Name::Accept)), (415, vec![String::new()]));
    assert_eq!(rows(&sent, Name::AcceptEncoding), ["identity"]);
    assert_eq!(rows(&sent, Name::AcceptLanguage), ["en"]);
    let request = request.again().row("Content-Disposition: render;handling=optional");
    assert_eq!(status(&office.receive(phone.flow, request.wire())), 200);
}

/// "A UAS that wishes to apply some extension when generating the response MUST NOT do so unless support for that extension is indicated
/// in the Supported header field in the request."
/// Proves: rfc3261-8.2.4-1, rfc3261-8.2.4-6.
#[test]
fn an_extension_is_applied_only_for_those_who_say_that_they_have_it() {
    for (supported, expected) in
        [("", 0), ("Supported: path\r\n", 1), ("Supported: outbound\r\n", 0)]
    {
        let (mut office, phone) = office();
        let rows = format!("{supported}Path: <sip:p.example;lr>\r\nContact: <sip:a@b.example>\r\n");
        let sent = office.receive(phone.flow, phone.register(&rows).wire());
        assert_eq!(status(&sent), 200);
        assert_eq!(sent[0].message.rows(Name::Path).count(), expected, "{supported}");
    }
}

/// "UASs SHOULD NOT issue a provisional response for a non-INVITE request. Rather, UASs SHOULD generate a final response to a non-INVITE
/// request as soon as possible."
/// "When a 100 (Trying) response is generated, any Timestamp header field present in the request MUST be copied"
/// Proves: rfc3261-8.2.6.1-1, rfc3261-8.2.6.1-2, rfc3261-8.2.6.1-3.
#[test]
fn trap_43_a_100_is_for_an_invite_and_has_its_timestamp() {
    let (mut office, phone) = office();
    assert_eq!(status(&office.receive(phone.flow, options(&phone).wire())), 200);
    let callee = Phone::udp(102);
    office.register(&callee);
    let invite = phone.invite("sip:102@example.test").row("Timestamp: 54.2");
    let sent = office.receive(phone.flow, invite.wire());
    assert_eq!((status(&sent), rows(&sent, Name::Timestamp)), (100, vec!["54.2".to_owned()]));
}

/// "The From field of the response MUST equal the From header field of the request" and so on.
/// Proves: rfc3261-8.2.6.2-1, rfc3261-8.2.6.2-2, rfc3261-8.2.6.2-3, rfc3261-8.2.6.2-4, rfc3261-8.2.6.2-5, rfc3261-8.2.6.2-6.
#[test]
fn an_answer_repeats_what_says_whose_it_is() {
    let (mut office, phone) = office();
    let via = "Via: SIP/2.0/UDP other.example;branch=z9hG4bKlower;received=192.0.2.5";
    let mut request = options(&phone).row(via);
    request.to = "\"Us\" <sip:example.test;a=b>".into();
    let sent = office.receive(phone.flow, request.wire());
    let vias = rows(&sent, Name::Via);
    assert_eq!(vias[0], format!("SIP/2.0/UDP 198.51.100.1:5060;branch={}", request.branch));
    assert_eq!(format!("Via: {}", vias[1]), via);
    assert_eq!(rows(&sent, Name::From), [request.from.clone()]);
    assert_eq!(rows(&sent, Name::CallId), [request.call_id.clone()]);
    assert_eq!(rows(&sent, Name::CSeq), ["1 OPTIONS"]);
    assert!(rows(&sent, Name::To)[0].starts_with("\"Us\" <sip:example.test;a=b>;tag="));
    let mut tagged = request.again();
    tagged.to = "<sip:example.test>;tag=mine".into();
    let sent = office.receive(phone.flow, tagged.wire());
    assert_eq!(rows(&sent, Name::To), ["<sip:example.test>;tag=mine"]);
}

/// "The same tag MUST be used for all responses to that request, both final and provisional"
/// Proves: rfc3261-8.2.6.2-7.
#[test]
fn trap_1_the_answer_to_a_cancel_and_the_end_of_its_invite_have_one_tag() {
    let (mut office, phone) = office();
    let mut invite = phone.invite("sip:102@192.0.2.99");
    invite.uri = "sip:102@nowhere.example".into();
    office.receive(phone.flow, invite.wire());
    let mut cancel = invite.clone();
    cancel.method = "CANCEL".into();
    let sent = office.receive(phone.flow, cancel.wire());
    let codes: Vec<_> = sent.iter().map(|sent| sent.message.status().unwrap().code()).collect();
    assert_eq!(codes, [200, 487]);
    assert_eq!(rows(&sent, Name::To), rows(&sent[1..], Name::To));
    assert!(rows(&sent, Name::To)[0].contains(";tag="));
}

/// "A stateless UAS MUST NOT send provisional (1xx) responses … MUST NOT retransmit responses … MUST ignore ACK requests … To header
/// tags MUST be generated for responses in a stateless manner"
/// Proves: rfc3261-8.2.7-1, rfc3261-8.2.7-2, rfc3261-8.2.7-3, rfc3261-8.2.7-5.
#[test]
fn trap_45_whoever_is_not_known_leaves_no_trace() {
    let mut office = Office::default();
    let phone = Phone::udp(101);
    let invite = phone.invite("sip:102@example.test");
    let first = office.receive(phone.flow, invite.wire());
    let again = office.receive(phone.flow, invite.wire());
    assert_eq!((status(&first), status(&again), first.len()), (407, 407, 1));
    assert_eq!(rows(&first, Name::To), rows(&again, Name::To));
    let mut ack = invite.clone();
    ack.method = "ACK".into();
    ack.to = rows(&first, Name::To)[0].clone();
    assert!(office.receive(phone.flow, ack.wire()).is_empty());
    assert_eq!(office.node.transactions(), 0);
    assert!(office.wait(Duration::from_secs(60)).is_empty());
}

/// Octets that are no message get an answer that names the mistake, when it can be read whom to tell; responses and ACKs get none.
#[test]
fn what_cannot_be_read_is_named_to_its_sender() {
    let (mut office, phone) = office();
    let good = options(&phone).wire();
    for (from, to, phrase) in [
        ("CSeq: 1 OPTIONS", "CSeq: 1 INVITE", "Bad CSeq (method is not the request's) at Octet "),
        ("Call-ID: call-of-101", "Call-ID: a b", "Bad Call-ID at Octet "),
        (
            "Content-Length: 0",
            "Content-Length: 5",
            "Bad Content-Length (body is shorter) at Octet ",
        ),
        ("Content-Length: 0", "Content-Length: x", "Bad Content-Length at Octet "),
    ] {
        let sent = office.receive(phone.flow, good.replace(from, to));
        assert_eq!(status(&sent), 400, "{to}");
        let line = format!("SIP/2.0 400 {phrase}");
        assert!(sent[0].message.wire().starts_with(line.as_bytes()), "{:?}", sent[0].message);
    }
    for silent in [
        "hello\r\n\r\n".to_owned(),
        good.replace("Via: SIP/2.0/UDP", "Via: UDP"),
        good.replace("OPTIONS", "ACK").replace("Call-ID: call-of-101", "Call-ID: a b"),
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h\r\n\r\n".to_owned(),
    ] {
        assert!(office.receive(phone.flow, silent.clone()).is_empty(), "{silent}");
    }
    assert_eq!(office.node.transactions(), 0);
}
