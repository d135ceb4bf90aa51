//! §2.4 to §2.6: several realms, forks, and no Basic.

use offhook_tests::office::{Office, Phone, reply, requests, rows, status, trusting};
use protocol::auth::{Answers, Credentials, GiveUp};
use sip::Name;

use crate::client::{Client, bob, param};

/// "When the UAC receives a 401 response with multiple WWW-Authenticate header fields with different realms, it SHOULD retry and add an
/// Authorization header field containing credentials that match the topmost header field of any of the realms"
/// Proves: rfc8760-2.4-3.
#[test]
fn each_realm_that_we_know_is_answered() {
    let own = vec![
        Credentials::for_realm("two", "second", "2"),
        Credentials::for_realm("three", "third", "3"),
    ];
    let mut client = Client::new(Answers::new(own));
    client
        .learn(&[
            r#"WWW-Authenticate: Digest realm="one", nonce="1", algorithm=SHA-256, qop="auth""#,
            r#"WWW-Authenticate: Digest realm="two", nonce="2", algorithm=SHA-256, qop="auth""#,
            r#"WWW-Authenticate: Digest realm="two", nonce="2", algorithm=MD5, qop="auth""#,
            r#"WWW-Authenticate: Digest realm="three", nonce="3", algorithm=MD5, qop="auth""#,
        ])
        .unwrap();
    let said: Vec<_> = client
        .rows()
        .iter()
        .map(|(_, row)| ["username", "realm", "algorithm"].map(|name| param(row, name).unwrap()))
        .collect();
    assert_eq!(
        said,
        [["second", "two", "SHA-256"], ["third", "three", "MD5"]].map(|one| one.map(str::to_owned))
    );
}

/// "If the UAC cannot respond to any of the challenges in the response, then it SHOULD abandon attempts to send the request"
/// Proves: rfc8760-2.4-4.
#[test]
fn who_can_answer_nothing_gives_up() {
    let unknown = r#"WWW-Authenticate: Digest realm="r", nonce="1", algorithm=SHA-3, qop="auth""#;
    assert_eq!(Client::new(bob()).learn(&[unknown]), Err(GiveUp::NotUnderstood));
    let other = vec![Credentials::for_realm("mine", "u", "p")];
    let asked = r#"WWW-Authenticate: Digest realm="r", nonce="1", qop="auth""#;
    let why = Client::new(Answers::new(other)).learn(&[asked]);
    assert_eq!(why, Err(GiveUp::NoCredentials { realm: "r".into() }));
}

/// "Each WWW-Authenticate and Proxy-Authenticate value received in response to the forked request MUST be placed into the single response"
/// "When the forking proxy places multiple … header fields received from one downstream proxy into a single response, it MUST maintain the
/// order of these header fields."
/// Proves: rfc8760-2.5-1, rfc8760-2.5-2.
#[test]
fn a_fork_gathers_all_challenges_each_in_its_order() {
    let mut office = Office::new(trusting());
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register_at(&bob, "<sip:a@198.51.100.21>, <sip:b@198.51.100.22>");
    let sent = office.receive(alice.flow, alice.invite("sip:102@example.test").wire());
    let copies = requests(&sent, "INVITE");
    let asks = |name: &str, realm: &str| -> String {
        ["SHA-256", "SHA-512-256", "MD5"]
            .map(|algorithm| {
                format!("{name}: Digest realm=\"{realm}\", nonce=\"n\", algorithm={algorithm}\r\n")
            })
            .concat()
    };
    office.receive(
        copies[0].flow,
        reply(&copies[0].message, 407, &asks("Proxy-Authenticate", "one")),
    );
    let sent = office.receive(
        copies[1].flow,
        reply(&copies[1].message, 407, &asks("Proxy-Authenticate", "two")),
    );
    let back: Vec<_> = sent.into_iter().filter(|sent| sent.flow == alice.flow).collect();
    let challenges = rows(&back, Name::ProxyAuthenticate);
    assert_eq!(challenges.len(), 6);
    for realm in ["one", "two"] {
        let order: Vec<_> = challenges
            .iter()
            .filter(|row| row.contains(&format!("\"{realm}\"")))
            .map(|row| row.split("algorithm=").nth(1).unwrap())
            .collect();
        assert_eq!(order, ["SHA-256", "SHA-512-256", "MD5"], "{realm}");
    }
}

/// "SIP clients and servers MUST NOT accept or request Basic authentication."
/// Proves: rfc8760-2.6-1.
#[test]
fn nobody_asks_for_or_takes_a_password_in_the_open() {
    let mut office = Office::default();
    let phone = Phone::udp(101);
    let register = phone.register("").row("Authorization: Basic MTAxOnNlY3JldC0xMDE=");
    let sent = office.receive(phone.flow, register.wire());
    assert_eq!(status(&sent), 401);
    assert!(rows(&sent, Name::WwwAuthenticate).iter().all(|row| row.starts_with("Digest ")));
    let basic = r#"WWW-Authenticate: Basic realm="r""#;
    assert_eq!(Client::new(bob()).learn(&[basic]), Err(GiveUp::NotUnderstood));
}
