//! §3.3, §3.7: what a server asks, and how a client reads it.

use offhook_tests::office::{Office, Phone, rows, settings, status};
use protocol::auth::{Algorithm, GiveUp, Names};
use server::Settings;
use server::settings::User;
use sip::Name;

use crate::client::{Client, bob, param};

/// "a sender MUST only generate the quoted string syntax values for the following parameters: realm, domain, nonce, opaque, and qop" "a
/// sender MUST NOT generate the quoted string syntax values for … stale and algorithm" "[qop] MUST be used by all implementations"
/// Proves: rfc7616-3.3-8, rfc7616-3.3-10, rfc7616-3.3-11, rfc8760-8-2.
#[test]
fn a_challenge_is_quoted_where_it_must_be_and_nowhere_else() {
    let users = vec![User::new("101", "p\u{e4}ss")];
    let names = Names::Hashed;
    let mut office = Office::new(Settings { users, names, ..settings() });
    let phone = Phone::udp(101);
    let register = phone.register("");
    let sent = office.receive(phone.flow, register.wire());
    for row in rows(&sent, Name::WwwAuthenticate) {
        for quoted in ["realm=\"", "nonce=\"", "qop=\"auth\"", "charset=\"UTF-8\""] {
            assert!(row.contains(quoted), "{row}");
        }
        assert!(row.contains("algorithm=SHA-256,") || row.contains("algorithm=MD5,"), "{row}");
        assert!(row.contains("userhash=true"), "{row}");
    }
}

/// "The server SHOULD only set stale to true if it receives a request for which the nonce is invalid" "MD5 … is NOT RECOMMENDED"
/// Proves: rfc7616-3.3-5, rfc7616-3.2-1, rfc8760-3-1.
#[test]
fn stale_is_said_of_nonces_alone_and_md5_comes_last_or_not_at_all() {
    let phone = Phone::udp(101);
    let mut office = Office::default();
    let register = phone.register("");
    let first = office.receive(phone.flow, register.wire());
    let challenges = rows(&first, Name::WwwAuthenticate);
    assert!(challenges[0].contains("SHA-256") && challenges[1].contains("MD5"));
    let right = phone.credentials(&register, &first[0].message);
    let stale = |office: &mut Office, nth: usize, row: &str| {
        let mut again = register.again();
        (0..nth).for_each(|_| again = again.again());
        let sent = office.receive(phone.flow, again.row(row).wire());
        (status(&sent), rows(&sent, Name::WwwAuthenticate).iter().any(|row| row.contains("stale")))
    };
    assert_eq!(stale(&mut office, 0, "X: y"), (401, false), "nothing was said");
    let wrong = right.replace("response=\"", "response=\"0");
    assert_eq!(stale(&mut office, 1, &wrong), (401, false), "a wrong password");
    assert_eq!(stale(&mut office, 2, &right), (200, false));
    assert_eq!(stale(&mut office, 3, &right), (401, true), "the nonce alone");
    let strong = Settings { algorithms: vec![Algorithm::Sha256], ..settings() };
    let sent = Office::new(strong).receive(phone.flow, register.wire());
    assert!(rows(&sent, Name::WwwAuthenticate).iter().all(|row| !row.contains("MD5")));
}

/// "each one of these challenges MUST use a different digest algorithm. The server MUST add these challenges to the response in order of
/// preference, starting with the most preferred algorithm"
/// Proves: rfc7616-3.7-1, rfc7616-3.7-2, rfc8760-2.3-1, rfc8760-2.3-2.
#[test]
fn each_algorithm_stands_once_in_the_order_that_is_preferred() {
    use Algorithm::{Md5, Sha256, Sha512_256};
    for order in [vec![Sha512_256, Sha256, Md5], vec![Md5, Sha256], vec![Sha256]] {
        let mut office = Office::new(Settings { algorithms: order.clone(), ..settings() });
        let phone = Phone::udp(101);
        let register = phone.register(&format!("X-Long: {}\r\n", "x".repeat(300)));
        let sent = office.receive(phone.flow, register.wire());
        let said: Vec<_> = rows(&sent, Name::WwwAuthenticate)
            .iter()
            .map(|row| {
                row.split("algorithm=").nth(1).unwrap().split(',').next().unwrap().to_owned()
            })
            .collect();
        assert_eq!(said, order.iter().map(|one| one.token()).collect::<Vec<_>>());
    }
}

/// "If this parameter is omitted …, the client SHOULD assume that the protection space consists of all URIs" "not meaningful in
/// Proxy-Authenticate …; if present, it MUST be ignored" "a string of data … that SHOULD be returned by the client unchanged … in
/// subsequent requests"
/// Proves: rfc7616-3.3-1, rfc7616-3.3-2, rfc7616-3.3-3.
#[test]
fn later_requests_to_anywhere_carry_the_answer_and_the_opaque() {
    for challenge in [
        r#"WWW-Authenticate: Digest realm="r", nonce="n", qop="auth", opaque="a,b==""#,
        r#"Proxy-Authenticate: Digest realm="r", domain="sip:only.example", nonce="n", qop="auth", opaque="a,b==""#,
    ] {
        let mut client = Client::new(bob());
        client.learn(&[challenge]).unwrap();
        for uri in ["sip:bob@biloxi.example", "sip:elsewhere.example", "tel:1"] {
            let rows = client.answers.rows("MESSAGE", uri.as_bytes(), b"");
            let row = String::from_utf8(rows[0].1.clone()).unwrap();
            assert_eq!(param(&row, "opaque").as_deref(), Some("a,b=="));
            assert_eq!(param(&row, "uri").as_deref(), Some(uri));
            assert_eq!(param(&row, "domain"), None);
        }
    }
}

/// "If stale is false, or anything other than true, or the stale parameter is not present, the username and/or password are invalid, and
/// new values MUST be obtained."
/// Proves: rfc7616-3.3-6.
#[test]
fn what_is_not_stale_is_wrong() {
    for stale in ["", ", stale=false", ", stale=maybe", ", stale=\"\""] {
        let mut client = Client::new(bob());
        let challenge =
            format!(r#"WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"{stale}"#);
        client.learn(&[&challenge]).unwrap();
        let why = client.learn(&[&challenge]).unwrap_err();
        assert_eq!(why, GiveUp::Refused { realm: "r".into(), user: "bob".into() }, "{stale}");
    }
}

/// "If the algorithm is not understood, the challenge SHOULD be ignored (and a different one used, if there is more than one)"
/// "Unrecognized options MUST be ignored" "it SHOULD use the first challenge it supports, unless a local policy dictates otherwise": ours is
/// to use the strongest. "A user agent MUST choose to use the strongest auth-scheme it understands"
/// Proves: rfc7616-3.3-7, rfc7616-3.3-9, rfc7616-3.7-3, rfc7616-5.6-1, rfc7616-5.8-1, rfc8760-2.4-1, rfc8760-2.4-2.
#[test]
fn what_is_not_understood_is_passed_over_and_the_strongest_is_answered() {
    let mut client = Client::new(bob());
    client
        .learn(&[
            r#"WWW-Authenticate: Basic realm="r""#,
            r#"WWW-Authenticate: Digest realm="r", nonce="1", algorithm=SHA3-512, qop="auth""#,
            r#"WWW-Authenticate: Digest realm="r", nonce="2", algorithm=MD5, qop="auth""#,
            r#"WWW-Authenticate: Digest realm="r", nonce="3", algorithm=SHA-256, qop="auth-conf,auth""#,
        ])
        .unwrap();
    let row = client.row();
    assert_eq!(param(&row, "nonce").as_deref(), Some("3"));
    assert_eq!(param(&row, "qop").as_deref(), Some("auth"));
    let unknown = r#"WWW-Authenticate: Digest realm="r", nonce="1", qop="auth-conf""#;
    assert_eq!(Client::new(bob()).learn(&[unknown]), Err(GiveUp::NotUnderstood));
}
