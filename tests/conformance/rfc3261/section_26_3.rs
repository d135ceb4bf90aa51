//! §26.3: who is asked, who may go where, and what a stranger costs.

use std::time::Duration;

use offhook_tests::office::{Office, Phone, requests, rows, settings, status, trusting};
use protocol::{Listener, Transport};
use server::Settings;
use server::settings::Route;
use sip::Name;

/// "Proxy servers, redirect servers, registrars, and UAs MUST implement Digest Authorization" "SHOULD be configured with at least one Digest
/// realm, and at least one "realm" string supported by a given server SHOULD correspond to the server's hostname or domainname." "the
/// registrar SHOULD challenge the request with a 401" "The "realm" parameter … SHOULD correspond to the domain"
/// Proves: rfc3261-26.3.1-7, rfc3261-26.3.1-8, rfc3261-26.3.2.1-6, rfc3261-26.3.2.1-7.
#[test]
fn every_role_asks_for_the_realm_of_its_domain() {
    let phone = Phone::udp(101);
    for (request, code, name) in [
        (phone.register("Contact: <sip:a@b>\r\n"), 401, Name::WwwAuthenticate),
        (phone.invite("sip:102@example.test"), 407, Name::ProxyAuthenticate),
    ] {
        let listeners = settings().listeners;
        let users = settings().users;
        let mut office = Office::new(Settings { users, ..Settings::of("example.test", listeners) });
        let sent = office.receive(phone.flow, request.wire());
        assert_eq!(status(&sent), code);
        let challenges = rows(&sent, name);
        assert!(!challenges.is_empty());
        assert!(
            challenges.iter().all(|row| row.contains("realm=\"example.test\"")),
            "{challenges:?}"
        );
    }
}

/// "The username of this credential SHOULD correspond with the "userinfo" portion of the URI in the To header field of the REGISTER"
/// Proves: rfc3261-26.3.2.1-9.
#[test]
fn a_phone_registers_the_user_of_its_password() {
    for (to, code) in [("sip:101@example.test", 200), ("sip:102@example.test", 403)] {
        let mut office = Office::default();
        let phone = Phone::udp(101);
        let mut register = phone.register("Contact: <sip:a@b>\r\n");
        register.to = format!("<{to}>");
        assert_eq!(status(&office.converse(&phone, &register)), code);
    }
}

/// "When the local outbound proxy server has validated the credentials presented by the UA in the INVITE, it SHOULD inspect the Request-URI
/// to determine how the message should be routed" "both proxy servers SHOULD add a Record-Route header field"
/// Proves: rfc3261-26.3.2.2-3, rfc3261-26.3.2.2-10.
#[test]
fn who_has_proven_itself_goes_where_routes_lead_and_we_stay_on_the_path() {
    let routes = vec![Route::domain("biloxi.test", Some("sip:203.0.113.9"))];
    let alice = Phone::udp(101);
    for (target, code) in [("sip:bob@biloxi.test", 100), ("sip:bob@elsewhere.test", 403)] {
        let mut office = Office::new(Settings { routes: routes.clone(), ..settings() });
        let sent = office.converse(&alice, &alice.invite(target));
        assert_eq!(status(&sent), code, "{target}");
        for copy in requests(&sent, "INVITE") {
            assert_eq!(copy.flow.peer.ip().to_string(), "203.0.113.9");
            assert_eq!(rows(&[copy], Name::RecordRoute).len(), 1);
        }
    }
}

/// "the proxy server SHOULD identify the existing TLS channel, if any, associated with the user targeted by this request": the connection
/// that the phone registered on, of any kind.
/// Proves: rfc3261-26.3.2.2-9.
#[test]
fn a_user_is_called_on_the_connection_that_it_registered_on() {
    let mut secure = trusting();
    secure.listeners.push(Listener::new(2, Transport::Tls, "192.0.2.10:5061".parse().unwrap()));
    let mut office = Office::new(secure);
    let alice = Phone::udp(101);
    let mut bob = Phone::tcp(102, 9);
    bob.flow.transport = Transport::Tls;
    bob.flow.listener = 2;
    office.register_at(&bob, "<sip:102@10.0.0.1:5061;transport=tls>");
    let sent = office.receive(alice.flow, alice.invite("sip:102@example.test").wire());
    assert_eq!(requests(&sent, "INVITE")[0].flow, bob.flow);
}

/// "UAs and proxy servers SHOULD challenge questionable requests with only a single 401 (Unauthorized) or 407 …, forgoing the normal
/// response retransmission algorithm, and thus behaving statelessly towards unauthenticated requests."
/// Proves: rfc3261-26.3.2.4-2.
#[test]
fn a_challenge_is_said_once_and_nothing_is_kept() {
    for method in ["INVITE", "REGISTER", "MESSAGE", "OPTIONS"] {
        let mut office = Office::default();
        let stranger = Phone::udp(166);
        let sent =
            office.receive(stranger.flow, stranger.request(method, "sip:102@example.test").wire());
        assert_eq!(sent.len(), 1, "{method}");
        assert_eq!(office.node.transactions(), 0);
        assert!(office.wait(Duration::from_secs(100)).is_empty(), "{method}");
    }
}
