//! §4: initial, refreshed, changed, removed.

use phone::packages::{Basic, Presence};
use phone::{Account, PhoneEvent};
use protocol::{Listener, Transport};
use sip::{Message, Method, Name};

use crate::handset::{Bench, number, reply, rows, uri};

fn say(bench: &mut Bench, basic: Basic) {
    let presence = Presence::of("sip:alice@atlanta.example", basic, None);
    bench.act(|phone, now, out| phone.publish(now, &presence, out));
}

/// Published, and taken under the name `one`, for 100 seconds.
fn published() -> (Bench, Message) {
    let mut bench = Bench::new();
    say(&mut bench, Basic::Open);
    let first = bench.only();
    bench.tell(reply(
        &first,
        200,
        "e",
        ("Expires: 100\r\nSIP-ETag: one\r\nRecord-Route: <sip:evil;lr>", ""),
    ));
    (bench, first)
}

/// "the EPA MUST include a single Event header field in PUBLISH requests"; "An initial PUBLISH request MUST NOT contain a SIP-If-Match header field",
/// and "MUST contain a body".
/// Proves: rfc3903-4.1-1, rfc3903-4.2-1, rfc3903-4.2-3.
#[test]
fn the_first_says_it_and_names_nothing() {
    let (mut bench, first) = published();
    assert_eq!(
        (first.method(), uri(&first)),
        (Some(Method::Publish), "sip:alice@atlanta.example".into())
    );
    assert_eq!(rows(&first, Name::Event), ["presence"]);
    assert!(!first.has(Name::SipIfMatch));
    assert!(Presence::read(first.body()).unwrap().is_open());
    assert_eq!(bench.events(), [PhoneEvent::Published { expires: 100 }]);
}

/// "MUST create a PUBLISH request that includes in a SIP-If-Match header field the entity-tag", which "MUST contain a single entity-tag", stored
/// "replacing any existing entity-tag"; it "MUST NOT have a body". A Record-Route "MUST be ignored".
/// Proves: rfc3903-4.1-2, rfc3903-4.1-3, rfc3903-4.3-1, rfc3903-4.3-2, rfc3903-4.3-3, rfc3903-A-1, rfc3903-A-2.
#[test]
fn a_refresh_names_it_and_says_nothing() {
    let (mut bench, first) = published();
    bench.wait(80_000);
    let refresh = bench.only();
    assert_eq!(rows(&refresh, Name::SipIfMatch), ["one"]);
    assert!(refresh.body().is_empty() && !refresh.has(Name::Route));
    assert_eq!(number(&refresh), number(&first) + 1);
    bench.tell(reply(&refresh, 200, "e", ("Expires: 100\r\nSIP-ETag: two", "")));
    bench.wait(80_000);
    assert_eq!(rows(&bench.only(), Name::SipIfMatch), ["two"]);
}

/// A change names what it changes and says what is new, and "The EPA MUST store this entity-tag"; "EPAs MUST NOT send a new PUBLISH request … until
/// they have received a final response … for the previous one". "if the EPA expects an appropriate, locally stored entity-tag to still be valid, it
/// SHOULD first try to modify".
/// Proves: rfc3903-4.4-1, rfc3903-4.4-2, rfc3903-4.4-3, rfc3903-A-3, rfc3903-4.2-2.
#[test]
fn a_change_names_it_and_waits_for_its_turn() {
    let (mut bench, _) = published();
    say(&mut bench, Basic::Closed);
    let change = bench.only();
    assert_eq!(rows(&change, Name::SipIfMatch), ["one"]);
    assert!(!Presence::read(change.body()).unwrap().is_open());
    say(&mut bench, Basic::Open);
    assert_eq!(bench.titles(), [""; 0], "one at a time");
    bench.tell(reply(&change, 200, "e", ("Expires: 100\r\nSIP-ETag: two", "")));
    let next = bench.only();
    assert_eq!(rows(&next, Name::SipIfMatch), ["two"]);
    assert!(Presence::read(next.body()).unwrap().is_open());
}

/// "MUST create a PUBLISH request with an Expires value of "0", and set the SIP-If-Match header field to contain the entity-tag"; it "MUST NOT contain a
/// body".
/// Proves: rfc3903-4.5-1, rfc3903-4.5-2.
#[test]
fn what_is_taken_back_is_named_and_gone() {
    let (mut bench, _) = published();
    bench.act(phone::Phone::unpublish);
    let remove = bench.only();
    assert_eq!(
        (rows(&remove, Name::Expires), rows(&remove, Name::SipIfMatch)),
        (vec!["0".into()], vec!["one".into()])
    );
    assert!(remove.body().is_empty());
    bench.tell(reply(&remove, 200, "e", ("Expires: 0", "")));
    bench.wait(1_000_000);
    assert_eq!(bench.titles(), [""; 0]);
}

/// "If an EPA receives a 412 …, it MUST NOT reattempt the PUBLISH request. Instead …, the EPA SHOULD perform an initial publication"; it "MUST also discard
/// the entity-tag". One that wants it longer gets it so; one that does not know it is left in peace.
/// Proves: rfc3903-5-1, rfc3903-5-2, rfc3903-5-3.
#[test]
fn what_a_server_does_not_know_any_more_is_said_again() {
    let (mut bench, _) = published();
    bench.wait(80_000);
    let refresh = bench.only();
    bench.tell(reply(&refresh, 412, "e", ("", "")));
    let anew = bench.only();
    assert!(!anew.has(Name::SipIfMatch) && !anew.body().is_empty());
    bench.tell(reply(&anew, 423, "e", ("Min-Expires: 7200", "")));
    let longer = bench.only();
    assert_eq!(rows(&longer, Name::Expires), ["7200"]);
    bench.tell(reply(&longer, 489, "e", ("", "")));
    bench.events();
    bench.wait(1_000_000);
    assert_eq!(bench.titles(), [""; 0]);
}

/// What has changed while a refresh was under way is said also when the server wants it for longer.
#[test]
fn a_change_is_not_lost_when_the_time_was_too_short() {
    let (mut bench, _) = published();
    bench.wait(80_000);
    let refresh = bench.only();
    say(&mut bench, Basic::Closed);
    bench.tell(reply(&refresh, 423, "e", ("Min-Expires: 7200", "")));
    let change = bench.only();
    assert_eq!(rows(&change, Name::Expires), ["7200"]);
    assert!(!Presence::read(change.body()).unwrap().is_open());
}

/// "A PUA that uses PUBLISH … MUST support the PIDF presence format"; "the EPA MUST keep the "id" attributes of tuples consistent"; "If a publication
/// modifies the contents of a tuple, that tuple MUST maintain its original "id"".
/// Proves: rfc3903-10.1-3, rfc3903-10.4-2, rfc3903-10.4-3.
#[test]
fn a_tuple_that_changes_keeps_its_name() {
    let (mut bench, first) = published();
    say(&mut bench, Basic::Closed);
    let change = bench.only();
    let read = |publish: &Message| {
        assert_eq!(rows(publish, Name::ContentType), ["application/pidf+xml"]);
        Presence::read(publish.body()).unwrap().tuples.remove(0)
    };
    let (before, after) = (read(&first), read(&change));
    assert!(!before.id.is_empty() && before.basic != after.basic);
    assert_eq!(before.id, after.id);
}

/// "ESCs and EPAs MUST implement Digest for authenticating PUBLISH requests", "with replay protection": each proof is counted, and good for one request.
/// Proves: rfc3903-14.1-2, rfc3903-14.2-2, rfc3903-14.3-1.
#[test]
fn a_publication_is_proven_anew_each_time() {
    let mut bench = Bench::new();
    say(&mut bench, Basic::Open);
    let first = bench.only();
    let challenge = "WWW-Authenticate: Digest realm=\"atlanta.example\", nonce=\"n1\", qop=\"auth\", algorithm=SHA-256";
    bench.tell(reply(&first, 401, "e", (challenge, "")));
    let proven = bench.only();
    let proof = |publish: &Message| rows(publish, Name::Authorization).concat();
    assert!(proof(&proven).contains("qop=auth") && proof(&proven).contains("nc=00000001"));
    assert_eq!(proven.body(), first.body());
    bench.tell(reply(&proven, 200, "e", ("Expires: 100\r\nSIP-ETag: one", "")));
    say(&mut bench, Basic::Closed);
    let change = bench.only();
    assert!(proof(&change).contains("nc=00000002"), "{}", proof(&change));
    let answer = |publish: &Message| {
        let proof = proof(publish);
        proof.split("response=").nth(1).map(str::to_owned)
    };
    assert_ne!(answer(&change), answer(&proven));
}

/// "EPAs SHOULD be capable of initiating TLS and SHOULD support the SIPS URI scheme."
/// Proves: rfc3903-14.4-4, rfc3903-14.5-2.
#[test]
fn who_has_a_secure_address_publishes_by_tls() {
    let account = Account::new("sips:alice@atlanta.example").unwrap();
    let account = account.by(Transport::Tls).server("192.0.2.9:5061").unwrap();
    let at = "192.0.2.1:5061".parse().unwrap();
    let mut bench = Bench::on(account, vec![Listener::new(0, Transport::Tls, at)]);
    say(&mut bench, Basic::Open);
    let (_, flow, publish) = bench.sent_with_times().remove(0);
    assert_eq!(flow.transport, Transport::Tls);
    assert_eq!(uri(&publish), "sips:alice@atlanta.example");
}
