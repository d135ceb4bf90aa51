//! §9: names and passwords at a server.

use stun::{Draft, Message, attributes, kinds};

use crate::lender::{Lender, attributes_of, key, success};

const INTEGRITY: u16 = 0x0008;
const INTEGRITY_SHA256: u16 = 0x001c;

fn has(octets: &[u8], kind: u16) -> bool {
    attributes_of(octets).iter().any(|(it, ..)| *it == kind)
}

/// What a request says of who asks: name, realm, nonce; and whether its signature is right.
fn credentials(octets: &[u8]) -> ([Option<String>; 3], bool) {
    let message = Message::read(octets).unwrap();
    let names = [attributes::USERNAME, attributes::REALM, attributes::NONCE];
    (names.map(|kind| message.text(kind).map(str::to_owned)), message.is_signed_with(&key()))
}

fn known(nonce: &str) -> ([Option<String>; 3], bool) {
    (["turn", "example.test", nonce].map(|text| Some(text.to_owned())), true)
}

/// "If the client has not completed a successful request/response transaction with the server, it MUST omit the USERNAME, USERHASH, MESSAGE-INTEGRITY,
/// MESSAGE-INTEGRITY-SHA256, REALM, NONCE, PASSWORD-ALGORITHMS, and PASSWORD-ALGORITHM attributes." "the client SHOULD retry the request with a new
/// transaction. This request MUST contain a USERNAME or a USERHASH …. The request MUST contain the REALM, copied from the error response. The request MUST contain
/// the NONCE, copied from the error response." The mechanism is that of the long term: RFC 8656 §5 wants it.
/// Proves: rfc8489-9.2.3.1-1, rfc8489-9.2.5-3, rfc8489-9.2.5-4, rfc8489-9.2.5-6, rfc8489-9.2.5-7, rfc8656-5-1.
#[test]
fn who_is_asked_who_it_is_says_so_and_not_before() {
    let mut lender = Lender::new();
    let first = lender.only();
    for kind in [0x0006, 0x001e, INTEGRITY, INTEGRITY_SHA256, 0x0014, 0x0015, 0x8002, 0x001d] {
        assert!(!has(&first, kind), "{kind:04x}");
    }
    lender.refuse(&first, 401);
    let second = lender.only();
    assert_ne!(second[8..20], first[8..20]);
    assert_eq!(credentials(&second), known("n1"));
}

/// "The client MUST NOT perform this retry if it is not changing the USERNAME, USERHASH, REALM, or its associated password from the previous attempt."
/// Proves: rfc8489-9.2.5-11.
#[test]
fn a_password_that_was_wrong_is_not_tried_again() {
    let mut lender = Lender::new();
    let first = lender.only();
    lender.refuse(&first, 401);
    let second = lender.only();
    lender.nonce = "n2".into();
    lender.refuse(&second, 401);
    lender.wait(300_000);
    assert!(lender.asked().is_empty());
    assert!(lender.guest.is_ready());
}

/// "If the response is an error response with an error code of 438 (Stale Nonce), the client MUST retry the request, using the new NONCE attribute supplied in the
/// 438 (Stale Nonce) response. This retry MUST also include either the USERNAME or USERHASH, the REALM, and either the MESSAGE-INTEGRITY or
/// MESSAGE-INTEGRITY-SHA256 attribute."
/// Proves: rfc8489-9.2.5-12, rfc8489-9.2.5-13.
#[test]
fn a_nonce_that_is_old_gives_way_to_the_new_one() {
    let mut lender = Lender::open();
    lender.meet();
    let asked = lender.asked();
    lender.nonce = "n2".into();
    lender.refuse(&asked[0], 438);
    let again = lender.only();
    assert_eq!(credentials(&again), known("n2"));
    assert_eq!(again[..2], asked[0][..2], "the same request");
}

/// "The client SHOULD cache the username, password, realm, and nonce for subsequent communications with the server." "it MUST include either the USERNAME or
/// USERHASH, REALM, NONCE, and PASSWORD-ALGORITHM attributes with these cached values" (ours names no algorithms) "It MUST include a MESSAGE-INTEGRITY attribute or a
/// MESSAGE-INTEGRITY-SHA256 attribute"
/// Proves: rfc8489-9.2.3.2-1, rfc8489-9.2.3.2-2, rfc8489-9.2.3.2-3.
#[test]
fn who_is_known_says_who_it_is_with_each_request() {
    let mut lender = Lender::open();
    let mut bob = lender.meet();
    lender.live(&mut bob, 1000);
    lender.act(|guest, now, out| guest.send(now, b"\x80\0sound", out));
    lender.live(&mut bob, 500_000);
    let log = lender.log.into_iter().map(|(_, octets)| octets);
    let requests = log.filter(|octets| octets[0] < 64).filter(|octets| {
        let kind = Message::read(octets).unwrap().kind;
        kind != kinds::SEND
    });
    let requests: Vec<_> = requests.skip(1).collect();
    assert!(requests.len() > 4);
    assert!(requests.iter().all(|octets| credentials(octets) == known("n1")));
}

/// "If the response is an error response with an error code of 400 (Bad Request) and does not contain either the MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256
/// attribute, then the response MUST be discarded, as if it were never received." And of any response that is signed wrongly, or not at all: "If the request was
/// sent over an unreliable transport, the response MUST be discarded, as if it had never been received."
/// Proves: rfc8489-9.2.5-15, rfc8489-9.2.5-16.
#[test]
fn what_the_server_has_not_signed_is_as_if_it_had_not_come() {
    type Forge = fn(&Lender, &[u8]) -> Vec<u8>;
    let forged: [Forge; 5] = [
        |_, request| success(request).finish(None),
        |_, request| success(request).finish(Some(b"another key")),
        |lender, request| lender.refusal(request, 400).finish(None),
        |lender, request| lender.refusal(request, 437).finish(None),
        |lender, request| lender.refusal(request, 486).finish(Some(b"another key")),
    ];
    for (nth, forge) in forged.into_iter().enumerate() {
        let mut lender = Lender::new();
        let first = lender.only();
        lender.refuse(&first, 401);
        let second = lender.only();
        let octets = forge(&lender, &second);
        lender.says(&octets);
        assert!(!lender.guest.is_ready(), "{nth}");
        lender.wait(200);
        assert_eq!(lender.only(), second, "{nth}: it is said again");
        lender.grant(&second);
        assert!(lender.guest.is_ready(), "{nth}");
        assert_eq!(lender.guest.default_address().to_string(), "203.0.113.3:49152", "{nth}");
    }
}

/// "agents MUST ignore all attributes that follow MESSAGE-INTEGRITY, with the exception of the MESSAGE-INTEGRITY-SHA256 and FINGERPRINT attributes. Similarly, agents
/// MUST ignore all attributes that follow the MESSAGE-INTEGRITY-SHA256 attribute if the MESSAGE-INTEGRITY attribute is not present"
/// Proves: rfc8489-9-1, rfc8489-9-2.
#[test]
fn what_stands_behind_a_signature_is_not_there() {
    let text = |rows: &[(u16, &[u8])]| {
        let draft = Draft::new(kinds::ALLOCATE_ERROR, [1; 12]);
        let draft = rows.iter().fold(draft, |draft, (kind, value)| draft.with(*kind, value));
        let octets = draft.finish(None);
        Message::read(&octets).unwrap().text(attributes::REALM).map(str::to_owned)
    };
    let (realm, sha1, sha256) = (
        (attributes::REALM, &b"evil"[..]),
        (INTEGRITY, &[0; 20][..]),
        (INTEGRITY_SHA256, &[0; 32][..]),
    );
    assert_eq!(text(&[realm]).as_deref(), Some("evil"));
    assert_eq!(text(&[sha1, realm]), None);
    assert_eq!(text(&[sha256, realm]), None);
    assert_eq!(text(&[sha1, sha256, realm]), None);
    assert_eq!(text(&[sha256, realm, sha1]).as_deref(), Some("evil"), "the one by SHA-1 is there");
}
