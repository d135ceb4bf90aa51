//! §8.2, §8.3: what a proxy writes into responses, and what it does when a session expires.

use std::time::Duration;

use offhook_tests::office::{Phone, Sent, reply, rows};
use sip::Name;

use super::{forwarded, office};

/// The 2xx that the caller gets, twice, and what they say of the timer.
fn answered(request: &str, response: &str) -> (Vec<String>, Vec<String>) {
    let mut office = office();
    let copy = forwarded(&mut office, request);
    let ok = reply(&copy.message, 200, response);
    let first = office.receive(copy.flow, ok.clone());
    let again = office.receive(copy.flow, ok);
    let said = |sent: &[Sent]| (rows(sent, Name::SessionExpires), rows(sent, Name::Require));
    assert_eq!(said(&first), said(&again), "a copy says the same");
    said(&first)
}

fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).into()
}

/// "the proxy MUST remember that it is using a session timer, and also remember the value of the Session-Expires"; "MUST be remembered for the
/// duration of the transaction"; "MUST remember … whether the request contained the Supported header field with the value 'timer'"; "This proxy
/// MUST insert a Session-Expires header field into the response with the value it remembered"; "MUST set the value of the 'refresher' parameter
/// to 'uac'"; "MUST add the 'timer' option tag to any Require"
/// Proves: rfc4028-8.1-12, rfc4028-8.1-13, rfc4028-8.1-14, rfc4028-8.2-1, rfc4028-8.2-2, rfc4028-8.2-3.
#[test]
fn a_caller_who_can_refreshes_alone_when_the_callee_cannot() {
    for (request, response, expires, require) in [
        ("Supported: timer\r\n", "", texts(["1800;refresher=uac"]), texts(["timer"])),
        (
            "Supported: timer\r\nSession-Expires: 400\r\n",
            "",
            texts(["400;refresher=uac"]),
            texts(["timer"]),
        ),
        (
            "Supported: timer\r\n",
            "Require: x\r\n",
            texts(["1800;refresher=uac"]),
            texts(["x", "timer"]),
        ),
        (
            "Supported: timer\r\n",
            "Require: x, timer\r\n",
            texts(["1800;refresher=uac"]),
            texts(["x, timer"]),
        ),
        ("", "", texts([]), texts([])),
    ] {
        assert_eq!(answered(request, response), (expires, require), "{request} {response}");
    }
}

/// "The proxy MUST NOT modify the value of the Session-Expires header field received in the response"
/// Proves: rfc4028-8.2-5.
#[test]
fn what_the_callee_says_of_the_timer_passes() {
    let says = "Require: timer\r\nSession-Expires: 900;refresher=uas\r\n";
    for request in ["", "Supported: timer\r\n"] {
        assert_eq!(answered(request, says), (texts(["900;refresher=uas"]), texts(["timer"])));
    }
}

/// A refusal and a 1xx are no session; and "Unlike the UA, it MUST NOT send a BYE": nothing is kept of a call that could expire.
/// Proves: rfc4028-8.3-1.
#[test]
fn only_a_2xx_is_a_session_and_when_it_expires_we_say_nothing() {
    for code in [180, 486] {
        let mut office = office();
        let copy = forwarded(&mut office, "Supported: timer\r\n");
        let sent = office.receive(copy.flow, reply(&copy.message, code, ""));
        assert!(sent.iter().all(|sent| !sent.message.has(Name::SessionExpires)), "{code}");
    }
    let mut office = office();
    let copy = forwarded(&mut office, "Supported: timer\r\n");
    let sent = office.receive(copy.flow, reply(&copy.message, 200, ""));
    assert_eq!(sent[0].flow, Phone::udp(101).flow);
    assert!(office.wait(Duration::from_secs(7200)).is_empty());
    assert_eq!((office.node.transactions(), office.node.forwarding()), (0, 0));
}
