//! §3.6, §3.8: servers, proxies and clients at work.

use offhook_tests::office::{Office, Phone, reply, requests, rows, status, trusting};
use protocol::auth::{Algorithm, Asked, Ha1, Qop, response};
use sip::Name;

use crate::client::{Client, bob, param};

/// "the server MUST perform the same digest operation (e.g., MD5, SHA-256) performed by the client and compare the result": the example of
/// §3.9.1, and every algorithm through a server.
/// Proves: rfc7616-3.6-1.
#[test]
fn the_server_hashes_as_the_client_did() {
    for (algorithm, right) in [
        (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
        (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let ha1 = Ha1::of(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life");
        let asked = Asked {
            algorithm,
            session: false,
            method: "GET",
            uri: "/dir/index.html",
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            nc: "00000001",
            cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            qop: Qop::Auth,
        };
        assert_eq!(response(&ha1, &asked), right);
    }
    for at in [0, 1] {
        let mut office = Office::default();
        let phone = Phone::udp(101);
        let register = phone.register("");
        let first = office.receive(phone.flow, register.wire());
        let row = rows(&first, Name::WwwAuthenticate).remove(at);
        let one = format!("SIP/2.0 401 x\r\nWWW-Authenticate: {row}\r\n\r\n");
        let row = phone.credentials(&register, &sip::Message::parse(one).unwrap());
        assert_eq!(status(&office.receive(phone.flow, register.again().row(&row).wire())), 200);
    }
}

/// "A client SHOULD remember the username, password, nonce, nonce count, and opaque values"
/// Proves: rfc7616-3.6-2.
#[test]
fn a_client_remembers_what_it_was_asked() {
    let mut client = Client::new(bob());
    client
        .learn(&[r#"WWW-Authenticate: Digest realm="r", nonce="n", qop="auth", opaque="o""#])
        .unwrap();
    for count in 1..=20_u32 {
        let row = client.row();
        let said = ["username", "nonce", "opaque", "nc"].map(|name| param(&row, name).unwrap());
        assert_eq!(said, ["bob".into(), "n".into(), "o".into(), format!("{count:08x}")]);
    }
}

/// "Proxies MUST be completely transparent in the Digest access authentication scheme. That is, they MUST forward the WWW-Authenticate,
/// Authentication-Info, and Authorization header fields untouched."
/// Proves: rfc7616-3.6-3, rfc7616-3.6-4.
#[test]
fn a_proxy_touches_nothing_of_it() {
    let mut office = Office::new(trusting());
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register(&bob);
    let credentials =
        "Digest  username=\"x\",realm=\"other\" , nonce=\"n\", uri=\"sip:a\",response=\"r\"";
    let request = alice.request("MESSAGE", "sip:102@example.test");
    let request = request.row(&format!("Authorization: {credentials}"));
    let copy = requests(&office.receive(alice.flow, request.wire()), "MESSAGE");
    assert_eq!(rows(&copy, Name::Authorization), [credentials]);
    let info = "nextnonce=\"2\",qop=auth , rspauth=\"r\", cnonce=\"c\", nc=00000001";
    let sent = office.receive(
        bob.flow,
        reply(&copy[0].message, 200, &format!("Authentication-Info: {info}\r\n")),
    );
    assert_eq!(rows(&sent, Name::AuthenticationInfo), [info]);
    let copy = requests(&office.receive(alice.flow, request.again().wire()), "MESSAGE");
    let challenges = [
        "Digest realm=\"a\", nonce=\"1\",algorithm=SHA-256",
        "Digest realm=\"a\" ,nonce=\"1\", algorithm=MD5",
    ];
    let asks: String =
        challenges.iter().map(|one| format!("WWW-Authenticate: {one}\r\n")).collect();
    let sent = office.receive(bob.flow, reply(&copy[0].message, 401, &asks));
    assert_eq!(rows(&sent, Name::WwwAuthenticate), challenges, "in their order");
}

/// "Upon receiving a request that requires authentication, the proxy/server MUST issue the "407 …" response with a "Proxy-Authenticate"
/// header field." "The client/proxy MUST then reissue the request with a Proxy-Authorization header field"
/// Proves: rfc7616-3.8-1, rfc7616-3.8-2.
#[test]
fn a_proxy_asks_with_407_and_is_answered_in_its_own_header() {
    let mut office = Office::default();
    let phone = Phone::udp(101);
    let sent = office.receive(phone.flow, phone.request("MESSAGE", "sip:102@example.test").wire());
    assert_eq!(status(&sent), 407);
    let challenges = rows(&sent, Name::ProxyAuthenticate);
    assert!(!challenges.is_empty() && !sent[0].message.has(Name::WwwAuthenticate));
    let mut client = Client::new(bob());
    client.learn(&[&format!("Proxy-Authenticate: {}", challenges[0])]).unwrap();
    let rows = client.rows();
    assert_eq!((rows.len(), rows[0].0), (1, Name::ProxyAuthorization));
}
