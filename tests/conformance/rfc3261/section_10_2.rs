//! §10.2: how a phone registers.

use phone::{Account, PhoneEvent};
use protocol::{Listener, Transport};
use sip::header::{Contact, From, To};
use sip::{Message, Method, Name, Uri};

use crate::handset::{Bench, number, reply, rows, titles, uri};

/// What the registrar says to a REGISTER: yes, for so many seconds, and what else it says.
fn yes(register: &Message, seconds: u32, more: &str) -> Message {
    let contact = rows(register, Name::Contact).remove(0);
    let contact = contact.split(';').next().unwrap_or_default();
    reply(register, 200, "r", (&format!("Contact: {contact};expires={seconds}\n{more}"), ""))
}

/// A phone that has just asked to be registered, and its REGISTER.
fn asked() -> (Bench, Message) {
    let mut bench = Bench::new();
    bench.act(|phone, now, out| phone.register(now, out));
    let register = bench.only();
    (bench, register)
}

/// The Request-URI is the domain of the address of record, which stands in To and From; Call-ID, CSeq and a Contact of its own are there.
/// Proves: rfc3261-10.2-3, rfc3261-10.2-4, rfc3261-10.2-5, rfc3261-10.2.6-1.
#[test]
fn a_register_names_domain_user_and_contact() {
    let (_, register) = asked();
    assert_eq!(register.method(), Some(Method::Register));
    assert_eq!(uri(&register), "sip:atlanta.example");
    let (to, from) = (register.get::<To<'_>>().unwrap(), register.get::<From<'_>>().unwrap());
    assert_eq!((to.uri, from.uri), (&b"sip:alice@atlanta.example"[..], to.uri));
    assert!(matches!(Uri::parse(to.uri), Ok(Uri::Sip(_))));
    assert!(to.tag().is_none() && from.tag().is_some());
    assert!(!register.call_id().is_empty() && number(&register) > 0);
    assert!(register.has(Name::MaxForwards) && register.has(Name::Via));
    let contact = register.get::<Contact<'_>>().unwrap();
    assert!(
        contact.address().is_some_and(|address| address.uri.starts_with(b"sip:alice@192.0.2.1"))
    );
}

/// One Call-ID for all registrations of a phone, numbers that rise by one, challenges included; each names its own Contact alone, without an
/// `action`, and goes where the first went.
/// Proves: rfc3261-10.2-6, rfc3261-10.2-7, rfc3261-10.2-9, rfc3261-10.2.4-1, rfc3261-10.2.4-2, rfc3261-10.2.4-3.
#[test]
fn registrations_are_numbered_one_after_the_other() {
    let (mut bench, first) = asked();
    let challenge =
        "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=MD5, qop=\"auth\"";
    bench.tell(reply(&first, 401, "r", (challenge, "")));
    let second = bench.only();
    bench.tell(yes(&second, 600, ""));
    bench.wait(599_000);
    let third = bench.sent().into_iter().find(|sent| sent.method().is_some()).unwrap();
    assert_eq!([&second, &third].map(number), [number(&first) + 1, number(&first) + 2]);
    assert!([&second, &third].iter().all(|later| later.call_id() == first.call_id()));
    for later in [&second, &third] {
        assert_eq!(
            (uri(later), rows(later, Name::Contact)),
            (uri(&first), rows(&first, Name::Contact))
        );
        assert!(!rows(later, Name::Contact)[0].contains("action"));
    }
}

/// Proves: rfc3261-10.2-8.
#[test]
fn no_second_register_leaves_before_the_first_is_answered() {
    let (mut bench, first) = asked();
    bench.act(|phone, now, out| phone.register(now, out));
    bench.act(|phone, now, out| phone.unregister(now, out));
    bench.wait(400);
    assert!(bench.sent().is_empty(), "one at a time");
    bench.tell(yes(&first, 600, ""));
    let next = bench.only();
    assert_eq!(
        (titles(std::slice::from_ref(&next)), number(&next)),
        (vec!["REGISTER".into()], number(&first) + 1)
    );
    // It is the one that takes the first back.
    assert_eq!(next.get::<Contact<'_>>().and_then(|contact| contact.expires()), Some(0));
}

/// "If the address-of-record in the To header field of a REGISTER request is a SIPS URI, then any Contact header field values in the request SHOULD
/// also be SIPS URIs."
/// Proves: rfc3261-10.2.1-1.
#[test]
fn who_is_called_securely_registers_so() {
    let account = Account::new("sips:alice@atlanta.example").unwrap();
    let at = "192.0.2.1:5061".parse().unwrap();
    let listeners = vec![Listener::new(0, Transport::Tls, at)];
    let mut bench = Bench::on(account.server("192.0.2.9").unwrap(), listeners);
    bench.act(|phone, now, out| phone.register(now, out));
    let register = bench.only();
    assert!(register.get::<To<'_>>().unwrap().uri.starts_with(b"sips:alice@"));
    assert!(rows(&register, Name::Contact)[0].starts_with("<sips:alice@192.0.2.1:5061>"));
}

/// A Record-Route in the answer to a REGISTER means nothing: no dialog begins, and later requests go the same way as before.
/// Proves: rfc3261-10.2-2.
#[test]
fn a_record_route_in_the_answer_makes_no_route() {
    let (mut bench, register) = asked();
    bench.tell(yes(&register, 600, "Record-Route: <sip:evil.example;lr>"));
    bench.wait(599_000);
    let again = bench.sent().into_iter().find(|sent| sent.method().is_some()).unwrap();
    assert!(!again.has(Name::Route) && uri(&again) == "sip:atlanta.example");
    let (_, invite) = bench.calls("sip:bob@biloxi.example");
    assert!(!invite.has(Name::Route));
}

/// A phone takes its binding back before its time, and its own alone: it never says `*`.
/// Proves: rfc3261-10.2.2-1, rfc3261-10.2.2-2.
#[test]
fn a_phone_takes_back_its_own_contact_alone() {
    let (mut bench, register) = asked();
    bench.tell(yes(&register, 600, ""));
    bench.sent();
    bench.act(|phone, now, out| phone.unregister(now, out));
    let last = bench.only();
    let contact = last.get::<Contact<'_>>().unwrap();
    assert!(contact.address().is_some(), "not *");
    assert_eq!(contact.expires(), Some(0));
}

/// The next REGISTER, and how long after `since` it left, in milliseconds.
fn next(bench: &mut Bench, since: u64) -> (u64, Message) {
    // Short steps, so that nobody waits so long that it is sent a second time.
    for _ in 0..20_000 {
        bench.wait(100);
        if let Some((at, _, register)) = bench.sent_with_times().pop() {
            assert_eq!(register.method(), Some(Method::Register));
            return (at - since, register);
        }
    }
    panic!("no REGISTER within 2000 seconds");
}

/// Trap 38: phones that registered together do not stay together.
#[test]
fn trap_38_a_registration_is_refreshed_at_a_thrown_time_well_before_its_end() {
    let (mut bench, mut register) = asked();
    let mut pauses = Vec::new();
    for _ in 0..40 {
        bench.tell(yes(&register, 600, ""));
        let granted = bench.millis();
        let (pause, again) = next(&mut bench, granted);
        pauses.push(pause);
        register = again;
    }
    assert!(pauses.iter().all(|pause| (300_000..=540_000).contains(pause)), "{pauses:?}");
    let (first, last) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
    assert!(last - first > 120_000, "spread over the time there is: {pauses:?}");
}

/// Trap 38: a registrar in trouble is asked ever more rarely (RFC 5626 §4.5), and as usual when it is well again.
#[test]
fn trap_38_a_registrar_that_fails_is_asked_ever_more_rarely() {
    let (mut bench, mut register) = asked();
    for most in [30, 60, 120, 240, 480, 960, 1800, 1800] {
        bench.tell(reply(&register, 500, "r", ("", "")));
        let refused = bench.millis();
        let (pause, again) = next(&mut bench, refused);
        assert!((most * 500..=most * 1000).contains(&pause), "{pause} ms of {most} s");
        register = again;
    }
    bench.tell(yes(&register, 600, ""));
    let granted = bench.millis();
    let (_, register) = next(&mut bench, granted);
    bench.tell(reply(&register, 500, "r", ("", "")));
    let refused = bench.millis();
    assert!((15_000..=30_000).contains(&next(&mut bench, refused).0), "it begins anew");
}

/// A registrar that says nothing at all is not asked again at once.
/// Proves: rfc3261-10.2.7-1.
#[test]
fn trap_38_a_registrar_that_is_silent_is_left_in_peace_for_a_while() {
    let (mut bench, register) = asked();
    let own = |bench: &mut Bench| {
        let sent = bench.sent().into_iter().filter(|sent| sent.method() == Some(Method::Register));
        sent.filter(|sent| number(sent) != number(&register)).count()
    };
    bench.wait(32_000);
    assert_eq!(own(&mut bench), 0, "copies of the first, until timer F");
    bench.wait(10_000);
    assert_eq!(own(&mut bench), 0, "then a pause");
    bench.wait(60_000);
    assert!(own(&mut bench) > 0, "and then anew");
}

/// Trap 38: a registrar that says when it will be well again is believed.
#[test]
fn trap_38_a_registrar_says_when_to_come_again() {
    let (mut bench, register) = asked();
    bench.tell(reply(&register, 500, "r", ("Retry-After: 700", "")));
    let refused = bench.millis();
    assert!(next(&mut bench, refused).0 >= 700_000);
}

/// How many times a registrar is asked again within ten seconds that answers so, whatever it is asked.
fn asked_of(answer: impl Fn(&Message) -> Message) -> usize {
    let (mut bench, mut register) = asked();
    let (mut times, until) = (0, bench.millis() + 10_000);
    while bench.millis() < until {
        bench.tell(answer(&register));
        bench.wait(100);
        let sent = bench.sent();
        times += sent.len();
        register = sent.last().cloned().unwrap_or(register);
    }
    times
}

#[test]
fn a_registrar_that_wants_it_at_once_is_asked_once_a_second_at_most() {
    assert_eq!(asked_of(|register| yes(register, 0, "")), 10);
    assert_eq!(asked_of(|register| yes(register, 1, "")), 10);
    assert_eq!(asked_of(|register| reply(register, 503, "r", ("Retry-After: 0", ""))), 10);
    assert!(asked_of(|register| reply(register, 423, "r", ("Min-Expires: 604800", ""))) == 1);
}

/// A challenge that no request has room to answer is a failure like others.
#[test]
fn what_cannot_be_answered_is_told_and_tried_again() {
    let (mut bench, register) = asked();
    let nonce = "n".repeat(65_000);
    let challenge = format!("WWW-Authenticate: Digest realm=\"r\", nonce=\"{nonce}\"");
    bench.tell(reply(&register, 401, "r", (&challenge, "")));
    let told = bench.events();
    assert!(matches!(told[..], [PhoneEvent::NotRegistered { status: 401, .. }]), "{told:?}");
    bench.wait(1_800_000);
    assert_eq!(bench.sent()[0].method(), Some(Method::Register));
}
