//! §7.2: a request goes to those phones of a user that the caller wants, by what they said when they registered.

use offhook_tests::office::{Office, Phone, Sent, reply, requests, trusting, uri};
use server::settings::{Route, Settings};

const PHONES: &str = "<sip:desk@198.51.100.2>;audio;methods=\"INVITE,BYE\", \
     <sip:mobile@198.51.100.2>;audio;video;mobility=\"mobile\";methods=\"INVITE,BYE,MESSAGE\", \
     <sip:silent@198.51.100.2>";

fn called(method: &str, rows: &str) -> (Office, Vec<Sent>) {
    let mut office = Office::new(trusting());
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register_at(&bob, PHONES);
    let mut request = alice.request(method, "sip:102@example.test");
    if !rows.is_empty() {
        request = request.row(rows);
    }
    let sent = requests(&office.receive(alice.flow, request.wire()), method);
    (office, sent)
}

fn names(sent: &[Sent]) -> Vec<String> {
    let mut names: Vec<_> = sent.iter().map(uri).collect();
    names.iter_mut().for_each(|name| {
        *name = name.trim_start_matches("sip:").split('@').next().unwrap_or_default().to_owned();
    });
    names
}

/// "if it is the owner of the domain, and accessing a location service that has capabilities associated with request targets, it SHOULD apply
/// the processing described in this section"
/// Proves: rfc3841-7.2-2.
#[test]
fn only_phones_that_the_caller_wants_ring() {
    for (method, rows, expected) in [
        ("INVITE", "", &["desk", "mobile", "silent"][..]),
        ("MESSAGE", "", &["mobile", "silent"]),
        ("INVITE", "Reject-Contact: *;mobility=\"mobile\"", &["desk", "silent"]),
        ("INVITE", "Accept-Contact: *;video;require;explicit", &["mobile", "silent"]),
        ("INVITE", "Accept-Contact: *;mobility=\"mobile\";require;explicit", &["mobile", "silent"]),
    ] {
        let (mut office, sent) = called(method, rows);
        let mut names = names(&sent);
        for copy in &sent {
            let sent = office.receive(copy.flow, reply(&copy.message, 480, ""));
            assert_eq!(requests(&sent, method).len(), 0, "all rang at once");
        }
        names.sort();
        assert_eq!(names, expected, "{method} {rows}");
    }
}

/// "Within each equivalence class, the contacts are then ordered based on their values of Qa."
#[test]
fn those_that_fit_better_ring_first() {
    let (mut office, sent) = called("INVITE", "Accept-Contact: *;video;explicit");
    let mut first = names(&sent);
    first.sort();
    assert_eq!(first, ["mobile", "silent"]);
    let mut then = Vec::new();
    for copy in &sent {
        then.extend(office.receive(copy.flow, reply(&copy.message, 480, "")));
    }
    assert_eq!(names(&requests(&then, "INVITE")), ["desk"]);
}

/// "When the caller makes an explicit preference, it is agreeing that its request might fail": 480, and nobody rings; but what a method
/// implies leaves out nobody when it would leave out all.
#[test]
fn whoever_wants_what_nobody_has_reaches_nobody() {
    let mut office = Office::new(trusting());
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register_at(&bob, "<sip:desk@198.51.100.2>;audio;methods=\"INVITE\"");
    let wants =
        alice.invite("sip:102@example.test").row("Accept-Contact: *;video;require;explicit");
    let sent = office.receive(alice.flow, wants.wire());
    assert_eq!(requests(&sent, "INVITE").len(), 0);
    assert_eq!(offhook_tests::office::answers(&sent, alice.flow), [100, 480]);
    let refer = alice.request("REFER", "sip:102@example.test");
    let sent = office.receive(alice.flow, refer.wire());
    assert_eq!(names(&requests(&sent, "REFER")), ["desk"], "it says 405 by itself");
}

/// "A proxy compliant to this specification MUST NOT apply the preferences matching operation described here to a request unless it is the
/// owner of the domain in the request URI"
/// Proves: rfc3841-7.2-1.
#[test]
fn for_the_users_of_others_we_do_not_choose() {
    let routes = vec![Route::domain("far.test", Some("sip:192.0.2.60"))];
    let mut office = Office::new(Settings { routes, ..trusting() });
    let alice = Phone::udp(101);
    let rows = "Reject-Contact: *;audio\r\nAccept-Contact: *;video;require;explicit";
    let sent = office.receive(alice.flow, alice.invite("sip:b@far.test").row(rows).wire());
    assert_eq!(requests(&sent, "INVITE").len(), 1);
}
