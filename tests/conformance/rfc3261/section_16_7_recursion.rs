//! §16.5, §16.7 step 4: the contacts of a 3xx are tried for the caller, when the settings let a phone send its calls on.

use std::time::Duration;

use offhook_tests::office::{
    Office, Phone, Sent, answers, reply, requests, rows, settings, status, trusting, uri,
};
use server::settings::{Proxy, Recurse, Route, Settings};
use sip::Name;

const ALICE: u16 = 101;
const BOB: u16 = 102;

/// 101 calls 102, whose phone gets the INVITE; 103 is registered too.
fn called(recurse: Recurse, settings: Settings) -> (Office, Phone, Sent) {
    let mut office =
        Office::new(Settings { proxy: Proxy { recurse, ..Proxy::default() }, ..settings });
    let (alice, bob) = (Phone::udp(ALICE), Phone::udp(BOB));
    office.register(&bob);
    office.register(&Phone::udp(103));
    let sent = office.converse(&alice, &alice.invite("sip:102@example.test"));
    let invite = requests(&sent, "INVITE").remove(0);
    (office, alice, invite)
}

fn moved(office: &mut Office, invite: &Sent, contacts: &str) -> Vec<Sent> {
    let mut sent = office
        .receive(invite.flow, reply(&invite.message, 302, &format!("Contact: {contacts}\r\n")));
    sent.extend(office.locate());
    sent
}

fn uris(sent: &[Sent]) -> Vec<String> {
    requests(sent, "INVITE").iter().map(uri).collect()
}

#[test]
fn without_a_setting_a_302_is_for_the_caller() {
    let (mut office, alice, invite) = called(Recurse::Never, trusting());
    let sent = moved(&mut office, &invite, "<sip:103@example.test>");
    assert_eq!((answers(&sent, alice.flow), uris(&sent).len()), (vec![302], 0));
}

/// "If the proxy recurses on all of the contacts in a 3xx response, the proxy SHOULD NOT add the resulting contactless response to the
/// response context."
/// Proves: rfc3261-16.7-9.
#[test]
fn a_user_who_has_moved_to_another_is_called_there() {
    let (mut office, alice, invite) = called(Recurse::ToUsers, trusting());
    let sent = moved(&mut office, &invite, "<sip:103@example.test>");
    assert_eq!(uris(&sent), [Phone::udp(103).contact()]);
    assert!(answers(&sent, alice.flow).is_empty());
    let third = requests(&sent, "INVITE").remove(0);
    let sent = office.receive(third.flow, reply(&third.message, 486, ""));
    assert_eq!(answers(&sent, alice.flow), [486], "the 302 is no answer any more");
}

/// "If the proxy chooses to recurse on any contacts in a 3xx response by adding them to the target set, it MUST remove them from the response
/// before adding the response to the response context." And §16.5: whoever is no user of ours is for the caller to follow.
/// Proves: rfc3261-16.7-7.
#[test]
fn what_is_not_followed_goes_back_without_what_was() {
    let (mut office, alice, invite) = called(Recurse::AlongRoutes, trusting());
    let contacts = "<sip:premium@far.test>, <sip:103@example.test>;q=0.5, <mailto:a@b>";
    let sent = moved(&mut office, &invite, contacts);
    assert_eq!(uris(&sent), [Phone::udp(103).contact()]);
    let third = requests(&sent, "INVITE").remove(0);
    let sent = office.receive(third.flow, reply(&third.message, 486, ""));
    let back: Vec<_> = sent.into_iter().filter(|sent| sent.flow == alice.flow).collect();
    assert_eq!(status(&back), 302);
    assert_eq!(rows(&back, Name::Contact), ["<sip:premium@far.test>", "<mailto:a@b>"]);
}

/// "any given URI MUST NOT be added to the set more than once"
/// Proves: rfc3261-16.5-10.
#[test]
fn nobody_is_called_in_a_circle() {
    let (mut office, alice, invite) = called(Recurse::ToUsers, trusting());
    let sent = moved(&mut office, &invite, "<sip:103@example.test>");
    let third = requests(&sent, "INVITE").remove(0);
    let circle = format!(
        "<sip:102@example.test>, <sip:%31%303@EXAMPLE.test>, <{}>",
        Phone::udp(BOB).contact()
    );
    let sent = moved(&mut office, &third, &circle);
    assert_eq!((uris(&sent).len(), answers(&sent, alice.flow)), (0, vec![302]));
    office.wait(Duration::from_secs(300));
    assert_eq!((office.node.transactions(), office.node.forwarding()), (0, 0));
}

/// §16.5: outside of our users a call leads only along a route, and only when the settings say so.
#[test]
fn a_phone_sends_calls_to_the_outside_only_along_a_route() {
    let routed = || {
        let routes = vec![
            Route::prefix("+44", "sip:192.0.2.50"),
            Route::domain("far.test", Some("sip:192.0.2.60")),
        ];
        Settings { routes, ..trusting() }
    };
    for (contact, leads) in [
        ("<sip:+442079460000@example.test>", Some("192.0.2.50:5060")),
        ("<sip:carol@far.test>", Some("192.0.2.60:5060")),
        ("<sip:carol@elsewhere.test>", None),
        ("<sip:192.0.2.99>", None),
    ] {
        let (mut office, alice, invite) = called(Recurse::AlongRoutes, routed());
        let sent = moved(&mut office, &invite, contact);
        let went: Vec<_> =
            requests(&sent, "INVITE").iter().map(|sent| sent.flow.peer.to_string()).collect();
        assert_eq!(went, leads.into_iter().collect::<Vec<_>>(), "{contact}");
        let (mut office, ..) = called(Recurse::ToUsers, routed());
        let invite = invite_again(&mut office, &alice);
        assert_eq!(uris(&moved(&mut office, &invite, contact)).len(), 0, "{contact}");
    }
}

fn invite_again(office: &mut Office, alice: &Phone) -> Sent {
    let mut again = alice.invite("sip:102@example.test");
    (again.branch, again.call_id) = ("z9hG4bK-again".into(), "again".into());
    requests(&office.receive(alice.flow, again.wire()), "INVITE").remove(0)
}

/// "a proxy SHOULD NOT recurse to a non-SIPS URI if the Request-URI of the original request was a SIPS URI", and nobody else's answer
/// sends a call anywhere: not that of a trunk, nor one to a caller who does not want it (RFC 3841 §9.1).
/// Proves: rfc3261-16.7-8.
#[test]
fn the_callers_no_and_another_elements_yes_count() {
    let (mut office, alice, _) = called(Recurse::AlongRoutes, trusting());
    let mut invite = alice.invite("sip:102@example.test").row("Request-Disposition: no-recurse");
    (invite.branch, invite.call_id) = ("z9hG4bK-no".into(), "no".into());
    let invite = requests(&office.receive(alice.flow, invite.wire()), "INVITE").remove(0);
    let sent = moved(&mut office, &invite, "<sip:103@example.test>");
    assert_eq!((answers(&sent, alice.flow), uris(&sent).len()), (vec![302], 0));

    let routes = vec![Route::prefix("+44", "sip:192.0.2.50")];
    let proxy = Proxy { recurse: Recurse::AlongRoutes, ..Proxy::default() };
    let mut office = Office::new(Settings { routes, proxy, ..settings() });
    office.register(&Phone::udp(103));
    let sent = office.converse(&alice, &alice.invite("sip:+4420@example.test"));
    let trunk = requests(&sent, "INVITE").remove(0);
    let sent = moved(&mut office, &trunk, "<sip:103@example.test>");
    assert_eq!((answers(&sent, alice.flow), uris(&sent).len()), (vec![302], 0));
}

#[test]
fn contacts_are_tried_by_preference_and_before_those_who_come_later() {
    let mut office = Office::new(Settings {
        proxy: Proxy { recurse: Recurse::ToUsers, ..Proxy::default() },
        ..trusting()
    });
    let (alice, bob) = (Phone::udp(ALICE), Phone::udp(BOB));
    office.register_at(&bob, "<sip:first@198.51.100.2>, <sip:last@198.51.100.2>;q=0.1");
    office.register(&Phone::udp(103));
    office.register(&Phone::udp(104));
    let sent = office.receive(alice.flow, alice.invite("sip:102@example.test").wire());
    let mut invite = requests(&sent, "INVITE").remove(0);
    let mut tried = vec![uri(&invite)];
    let mut sent =
        moved(&mut office, &invite, "<sip:103@example.test>;q=0.2, <sip:104@example.test>;q=0.9");
    while let Some(next) = requests(&sent, "INVITE").pop() {
        tried.push(uri(&next));
        invite = next;
        sent = office.receive(invite.flow, reply(&invite.message, 480, ""));
        sent.extend(office.locate());
    }
    let (third, fourth) = (Phone::udp(103).contact(), Phone::udp(104).contact());
    assert_eq!(tried, ["sip:first@198.51.100.2", &*fourth, &*third, "sip:last@198.51.100.2"]);
}
