//! §2.1, §4: which token is shown, to whom, and by which way.

use std::net::SocketAddr;

use machine::Machine as _;
use phone::{Account, Credentials, PhoneEvent, Token};
use protocol::doors::Input;
use protocol::{Flow, Listener, Transport};
use sip::{Message, Method, Name};

use crate::handset::{Bench, HOME, PEER, reply};

/// The authorization server that Alice trusts.
const LOGIN: &str = "https://login.example.test/oauth2";
/// A token that whoever sees it can use.
const OPEN: &str = "mF_9.B5f-4.1JqM";
/// One that is encrypted: a JWE in its compact form.
const SEALED: &str = "eyJhbGciOiJkaXIifQ..aXY.dGV4dA.dGFn";

/// A 401's row, for a token of Alice's server.
const ASKED: &str = "WWW-Authenticate: Bearer realm=\"r\", authz_server=\"https://login.example.test/oauth2\", scope=\"sip\"";

/// Alice, with this token and no password.
fn alice(token: &str) -> Account {
    let account = Account::new("sip:alice@atlanta.example").unwrap().server(PEER).unwrap();
    account.token(Token::new(token, LOGIN).unwrap())
}

/// Her phone, by one transport, registering: the REGISTER too.
fn registering(account: Account, transport: Transport) -> (Bench, Message) {
    let at: SocketAddr = HOME.parse().unwrap();
    let mut bench = Bench::on(account.by(transport), vec![Listener::new(0, transport, at)]);
    bench.act(|phone, now, out| phone.register(now, out));
    let register = bench.only();
    (bench, register)
}

/// The server answers by the way that the request came.
fn answer(bench: &mut Bench, transport: Transport, request: &Message, (status, rows): (u16, &str)) {
    let mut flow =
        Flow::to(&Listener::new(0, transport, HOME.parse().unwrap()), PEER.parse().unwrap());
    flow.identity = if transport.is_secure() {
        protocol::Identity::of("atlanta.example")
    } else {
        flow.identity
    };
    let reply = reply(request, status, "r", (rows, ""));
    bench.act(|phone, now, out| phone.handle(now, Input::Received(flow, reply), out));
}

/// What a request proves itself by.
fn shown(request: &Message, name: Name) -> Vec<String> {
    request.rows(name).map(|row| String::from_utf8_lossy(row).into_owned()).collect()
}

/// Why the registration failed.
fn cause(bench: &mut Bench) -> String {
    let failed = bench.events().into_iter().find_map(|event| match event {
        PhoneEvent::NotRegistered { reason, .. } => Some(reason.to_string()),
        _ => None,
    });
    failed.unwrap()
}

/// "The UAC sends a REGISTER request with an Authorization header field containing the response to the challenge, including the "Bearer" scheme
/// carrying a valid access token"
#[test]
fn who_is_trusted_is_shown_the_token_and_so_is_the_next_request() {
    let (mut bench, first) = registering(alice(OPEN), Transport::Tls);
    assert!(shown(&first, Name::Authorization).is_empty(), "nobody has asked yet");
    answer(&mut bench, Transport::Tls, &first, (401, ASKED));
    let again = bench.only();
    assert_eq!(shown(&again, Name::Authorization), [format!("Bearer {OPEN}")]);
    answer(&mut bench, Transport::Tls, &again, (200, "Expires: 60"));
    assert!(bench.phone.is_registered());
    bench.act(|phone, now, out| phone.register(now, out));
    assert_eq!(shown(&bench.only(), Name::Authorization), [format!("Bearer {OPEN}")]);
}

/// "The UAC MUST check the AS URL received in the 401/407 response against a list of trusted ASs configured on the UAC"
#[test]
fn who_names_another_authorization_server_is_shown_nothing() {
    let evil = ASKED.replace("login.example.test", "login.example.test.evil");
    let (mut bench, first) = registering(alice(OPEN), Transport::Tls);
    answer(&mut bench, Transport::Tls, &first, (401, &evil));
    assert!(bench.sent().is_empty());
    let why = cause(&mut bench);
    assert!(
        why.contains("https://login.example.test.evil/oauth2") && why.contains("not trusted"),
        "{why}"
    );
    let (mut bench, first) = registering(alice(OPEN), Transport::Tls);
    answer(&mut bench, Transport::Tls, &first, (401, "WWW-Authenticate: Bearer realm=\"r\""));
    assert!(bench.sent().is_empty(), "nor who names none");
}

/// "SIP endpoints that support this document MUST use encrypted JWTs …, unless some other mechanism is used to guarantee that only authorized SIP
/// endpoints have access to the access token": ours is TLS to a server of the account.
#[test]
fn a_token_that_is_not_encrypted_goes_by_tls_to_the_own_server_alone() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let (mut bench, first) = registering(alice(OPEN), transport);
        answer(&mut bench, transport, &first, (401, ASKED));
        assert!(bench.sent().is_empty(), "{transport}");
        let why = cause(&mut bench);
        assert!(why.contains("not encrypted"), "{why}");
        let (mut bench, first) = registering(alice(SEALED), transport);
        answer(&mut bench, transport, &first, (401, ASKED));
        assert_eq!(shown(&bench.only(), Name::Authorization), [format!("Bearer {SEALED}")]);
    }
}

/// A stranger may name Alice's authorization server too; by TLS it is a stranger still.
#[test]
fn a_stranger_is_not_shown_a_token_that_it_could_use() {
    for (token, expected) in [(OPEN, Vec::new()), (SEALED, vec![format!("Bearer {SEALED}")])] {
        let account = Account::new("sips:alice@atlanta.example").unwrap();
        let account = account.token(Token::new(token, LOGIN).unwrap());
        let at: SocketAddr = HOME.parse().unwrap();
        let mut bench = Bench::on(account, vec![Listener::new(0, Transport::Tls, at)]);
        let (_, invite) = bench.calls("sips:bob@192.0.2.9");
        answer(&mut bench, Transport::Tls, &invite, (401, ASKED));
        let sent = bench.sent();
        let again = sent.iter().filter(|sent| sent.method() == Some(Method::Invite));
        let rows: Vec<_> = again.flat_map(|again| shown(again, Name::Authorization)).collect();
        assert_eq!(rows, expected);
    }
}

/// "The access token MUST be protected in a way so that only authorized SIP servers will have access to it": what is no REGISTER the own server passes on,
/// with its credentials, to whom it is for; and that one may ask for them, in its own name or in that of a proxy.
#[test]
fn whom_we_call_through_our_own_server_is_not_shown_a_token_that_it_could_use() {
    for (token, expected) in [(OPEN, Vec::new()), (SEALED, vec![format!("Bearer {SEALED}")])] {
        for (status, asked, name) in [
            (401, ASKED.to_owned(), Name::Authorization),
            (407, ASKED.replace("WWW", "Proxy"), Name::ProxyAuthorization),
        ] {
            let (mut bench, first) = registering(alice(token), Transport::Tls);
            answer(&mut bench, Transport::Tls, &first, (200, "Expires: 60"));
            let (_, invite) = bench.calls("sip:mallory@atlanta.example");
            answer(&mut bench, Transport::Tls, &invite, (status, &asked));
            let sent = bench.sent();
            let again = sent.iter().filter(|sent| sent.method() == Some(Method::Invite));
            let rows: Vec<_> = again.flat_map(|again| shown(again, name)).collect();
            assert_eq!(rows, expected, "{status}");
        }
    }
}

/// "If the access token included in a REGISTER request is not accepted and the UAC receives a 401 response …, the UAC follows the procedures in
/// Section 2.1.1": it needs another one.
#[test]
fn a_token_that_is_refused_is_not_shown_twice() {
    let refused = format!("{ASKED}, error=\"invalid_token\"");
    let (mut bench, first) = registering(alice(OPEN), Transport::Tls);
    answer(&mut bench, Transport::Tls, &first, (401, ASKED));
    let again = bench.only();
    answer(&mut bench, Transport::Tls, &again, (401, &refused));
    assert!(bench.sent().is_empty());
    assert_eq!(cause(&mut bench), "its token is not accepted: invalid_token");
    // The next try shows it at once, and is refused at once.
    bench.act(|phone, now, out| phone.register(now, out));
    let next = bench.only();
    answer(&mut bench, Transport::Tls, &next, (401, &refused));
    assert!(bench.sent().is_empty());
}

/// "If the UAC receives a 401/407 response with multiple … header fields, providing challenges using different authentication schemes for the same
/// realm, the UAC provides credentials for one of the schemes that it supports, based on local policy"
#[test]
fn of_two_schemes_the_token_counts_where_it_may_be_shown_and_digest_else() {
    let both = format!("WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\n{ASKED}");
    let alice = |token| alice(token).login(Credentials::for_any_realm("alice", "secret"));
    let (mut bench, first) = registering(alice(OPEN), Transport::Tls);
    answer(&mut bench, Transport::Tls, &first, (401, &both));
    let again = bench.only();
    assert_eq!(shown(&again, Name::Authorization), [format!("Bearer {OPEN}")]);
    answer(&mut bench, Transport::Tls, &again, (401, &both));
    let digest = shown(&bench.only(), Name::Authorization);
    assert!(digest.len() == 1 && digest[0].starts_with("Digest "), "refused: {digest:?}");
    let (mut bench, first) = registering(alice(OPEN), Transport::Udp);
    answer(&mut bench, Transport::Udp, &first, (401, &both));
    let digest = shown(&bench.only(), Name::Authorization);
    assert!(digest.len() == 1 && digest[0].starts_with("Digest "), "by UDP: {digest:?}");
}

/// "the UAC uses it to request a new access token from the AS before the currently used access token expires"
#[test]
fn a_renewed_token_is_shown_by_the_next_refresh() {
    let (mut bench, first) = registering(alice(OPEN), Transport::Tls);
    answer(&mut bench, Transport::Tls, &first, (401, ASKED));
    let again = bench.only();
    answer(&mut bench, Transport::Tls, &again, (200, "Expires: 60"));
    bench.phone.renew_token(&Token::new("another", LOGIN).unwrap());
    assert!(bench.sent().is_empty());
    bench.wait(55_000);
    let refresh = bench.sent().remove(0);
    assert_eq!(shown(&refresh, Name::Authorization), ["Bearer another"]);
}

/// "When a proxy … is willing to accept an access token as a credential, it MUST include a Proxy-Authenticate header field": answered by its own.
#[test]
fn a_proxy_is_shown_the_token_in_its_own_header() {
    let asked = ASKED.replace("WWW", "Proxy");
    let (mut bench, first) = registering(alice(SEALED), Transport::Udp);
    answer(&mut bench, Transport::Udp, &first, (407, &asked));
    let again = bench.only();
    assert_eq!(shown(&again, Name::ProxyAuthorization), [format!("Bearer {SEALED}")]);
    assert!(shown(&again, Name::Authorization).is_empty());
}
