//! §4, §8: texts of ours.

use phone::{PhoneEvent, Unable};
use sip::{Method, Name};

use crate::handset::{Bench, reply, rows, uri};

fn sent(bench: &mut Bench) -> sip::Message {
    bench
        .act(|phone, now, out| {
            phone.message(now, "sip:bob@biloxi.example", "Watson, come here.", out)
        })
        .unwrap();
    bench.only()
}

fn answered(bench: &mut Bench) -> (u16, u128) {
    let found = bench.events().into_iter().find_map(|event| match event {
        PhoneEvent::Answered { status, took, .. } => Some((status, took.as_millis())),
        _ => None,
    });
    found.unwrap()
}

/// "All UACs which support the MESSAGE method MUST be prepared to send MESSAGE requests with a body of type text/plain."; "User Agents MUST NOT
/// insert Contact header fields into MESSAGE requests." No dialog is made for it.
/// Proves: rfc3428-4-1, rfc3428-4-2, rfc3428-2-1.
#[test]
fn a_text_goes_by_itself() {
    let mut bench = Bench::new();
    let message = sent(&mut bench);
    assert_eq!(
        (message.method(), uri(&message)),
        (Some(Method::Message), "sip:bob@biloxi.example".into())
    );
    assert_eq!(rows(&message, Name::ContentType), ["text/plain;charset=UTF-8"]);
    assert_eq!(message.body(), b"Watson, come here.");
    assert!(!message.has(Name::Contact) && !rows(&message, Name::To)[0].contains("tag="));
}

/// What becomes of it is told as the status that came, and as nothing more: "It MUST NOT assume that the recipient has actually read the instant
/// message"; after a 202 it "MUST NOT assume the message has been delivered".
/// Proves: rfc3428-A-1, rfc3428-A-2, rfc3428-A-3.
#[test]
fn what_became_of_a_text_is_told_as_it_was_said() {
    for status in [200, 202, 404, 603] {
        let mut bench = Bench::new();
        let message = sent(&mut bench);
        bench.wait(250);
        bench.tell(reply(&message, status, "bob", ("", "")));
        assert_eq!(answered(&mut bench), (status, 250));
    }
    let mut silent = Bench::new();
    sent(&mut silent);
    silent.wait(33_000);
    assert_eq!(answered(&mut silent).0, 408);
}

/// "When local proxies are used for transmission of outbound messages, proxy authentication … is RECOMMENDED."
/// Proves: rfc3428-11.1-1.
#[test]
fn a_text_proves_itself() {
    let mut bench = Bench::new();
    let message = sent(&mut bench);
    let challenge = "Proxy-Authenticate: Digest realm=\"p\", nonce=\"n\", qop=\"auth\"";
    bench.tell(reply(&message, 407, "", (challenge, "")));
    let again = bench.only();
    assert!(again.has(Name::ProxyAuthorization));
    assert_eq!(again.body(), message.body());
    bench.tell(reply(&again, 200, "bob", ("", "")));
    assert_eq!(answered(&mut bench).0, 200);
}

/// "The size of MESSAGE requests outside of a media session MUST NOT exceed 1300 bytes".
/// Proves: rfc3428-8-2.
#[test]
fn a_text_that_is_too_long_is_not_sent() {
    let mut bench = Bench::new();
    let long = "x".repeat(1300);
    let refused = bench.act(|phone, now, out| phone.message(now, "bob", &long, out));
    assert_eq!(refused, Err(Unable::TooLong));
    assert_eq!(bench.titles(), [""; 0]);
}

/// A ping: how long it takes, and what the other side says of itself.
#[test]
fn a_ping_tells_who_is_there() {
    let mut bench = Bench::new();
    bench.act(|phone, now, out| phone.ping(now, "bob", out)).unwrap();
    let options = bench.only();
    assert_eq!((options.method(), options.has(Name::Contact)), (Some(Method::Options), true));
    bench.wait(30);
    bench.tell(reply(&options, 200, "bob", ("Allow: INVITE, ACK\r\nServer: x/1", "")));
    let events = bench.events();
    let PhoneEvent::Answered { status, rows, took, .. } = &events[0] else { panic!("{events:?}") };
    assert_eq!((*status, took.as_millis()), (200, 30));
    let pairs: Vec<_> = rows.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(pairs, ["Server: x/1", "Allow: INVITE, ACK"]);
}
