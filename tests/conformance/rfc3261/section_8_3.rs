//! §8.3: redirect servers.

use offhook_tests::office::{Office, Phone, Request, status, trusting};
use server::settings::{Redirect, Settings};
use sip::Name;

fn office() -> Office {
    let redirects = vec![
        Redirect::new("sales", &["sip:101@example.test"]),
        Redirect::new("help", &["sip:a@b.example", "sip:c@d.example"]),
        Redirect::new("me", &["sip:me@example.test"]),
    ];
    Office::new(Settings { redirects, ..trusting() })
}

fn ask(office: &mut Office, request: &Request) -> (u16, Vec<String>) {
    let sent = office.receive(Phone::udp(101).flow, request.wire());
    let contacts = sent[0].message.rows(Name::Contact);
    (status(&sent), contacts.map(|row| String::from_utf8_lossy(row).into_owned()).collect())
}

#[test]
fn a_user_that_is_elsewhere_is_told_of_best_place_first() {
    let mut office = office();
    let phone = Phone::udp(101);
    let sales = ask(&mut office, &phone.invite("sip:sales@example.test"));
    assert_eq!(sales, (302, vec!["<sip:101@example.test>".into()]));
    let mut second = phone.invite("sip:help@example.test").again();
    second.call_id = "second".into();
    let help = ask(&mut office, &second);
    let places = ["<sip:a@b.example>;q=1.0", "<sip:c@d.example>;q=0.9"].map(str::to_owned);
    assert_eq!(help, (302, places.to_vec()));
}

/// "redirect servers MUST NOT redirect a request to a URI equal to the one in the Request-URI; instead … the server … MAY reject it with
/// a 404"
/// Proves: rfc3261-8.3-2.
#[test]
fn nobody_is_sent_in_a_circle() {
    let phone = Phone::udp(101);
    assert_eq!(ask(&mut office(), &phone.invite("sip:me@example.test")).0, 404);
    assert_eq!(ask(&mut office(), &phone.invite("sip:%6de@EXAMPLE.test")).0, 404);
}

/// "Redirect servers MUST ignore features that are not understood (including unrecognized header fields, any unknown option tags in
/// Require, or even method names) and proceed with the redirection"
/// Proves: rfc3261-8.3-4.
#[test]
fn what_a_request_wants_is_for_the_one_it_is_sent_to() {
    let phone = Phone::udp(101);
    let strange = phone.request("FOO", "sip:sales@example.test");
    let strange = strange.row("Require: 100rel, magic\r\nProxy-Require: magic\r\nX-Y: z");
    assert_eq!(ask(&mut office(), &strange).0, 302);
}

/// "For well-formed CANCEL requests, it SHOULD return a 2xx response."
/// Proves: rfc3261-8.3-1.
#[test]
fn a_cancel_that_comes_too_late_is_fine() {
    let mut office = office();
    let mut request = Phone::udp(101).invite("sip:sales@example.test");
    assert_eq!(ask(&mut office, &request).0, 302);
    request.method = "CANCEL".into();
    assert_eq!(ask(&mut office, &request).0, 200);
}
