//! §22.2, §22.3, §22.4: the client's side of digest.

use protocol::auth::{Answers, Credentials, GiveUp, Qop, Tries};
use sip::header::ProxyAuthorization;
use sip::{Header as _, Method, Name};

use crate::client::{Client, URI, bob, expected, param};
use crate::handset::{Bench, picked_up, reply};

/// Trap 33: qop lists, quotes and their absence, opaque, domain-less realms, quotes and commas within a realm.
/// Proves: rfc3261-22.4-3, rfc3261-22.4-6.
#[test]
fn trap_33_an_answer_has_what_the_challenge_asked_for() {
    let mut client = Client::new(bob());
    let asked = r#"WWW-Authenticate: Digest realm="a, \"b\"", nonce=abc, qop="auth-int , AUTH", opaque="x\\y", ALGORITHM="md5""#;
    client.learn(&[asked]).unwrap();
    let row = client.row();
    assert!(row.starts_with(
        r#"Digest username="bob", realm="a, \"b\"", nonce="abc", uri="sip:bob@biloxi.example", "#
    ));
    assert!(
        row.contains(r#", algorithm=md5, opaque="x\\y", qop=auth, nc=00000001, cnonce=""#),
        "{row}"
    );
    assert_eq!(param(&row, "response").unwrap(), expected(&row, "MD5", Qop::Auth));
}

/// An old server names neither qop nor algorithm, and gets neither back.
/// Proves: rfc3261-22.4-4.
#[test]
fn a_server_of_rfc_2069_gets_no_cnonce() {
    let mut client = Client::new(bob());
    client.learn(&[r#"WWW-Authenticate: Digest realm="r", nonce="n""#]).unwrap();
    let row = client.row();
    for absent in ["qop", "nc", "cnonce", "algorithm", "opaque"] {
        assert_eq!(param(&row, absent), None, "{absent}");
    }
    assert_eq!(param(&row, "response").unwrap(), expected(&row, "MD5", Qop::Absent));
}

/// RFC 8760 §2.4: what we do not understand is ignored; of the rest the strongest counts, wherever it stands.
#[test]
fn the_strongest_challenge_of_a_realm_is_answered() {
    let mut client = Client::new(bob());
    client
        .learn(&[
            r#"WWW-Authenticate: Digest realm="r", nonce="1", algorithm=MD5, qop="auth""#,
            r#"WWW-Authenticate: Digest realm="r", nonce="2", algorithm=SHA-512-256, qop="auth""#,
            r#"WWW-Authenticate: Digest realm="r", nonce="3", algorithm=SHA-256, qop="auth""#,
            r#"WWW-Authenticate: Digest realm="r", nonce="4", algorithm=SHA-3, qop="auth""#,
            r#"WWW-Authenticate: Bearer realm="r""#,
        ])
        .unwrap();
    let row = client.row();
    assert_eq!(param(&row, "nonce").as_deref(), Some("2"));
    assert_eq!(param(&row, "response").unwrap(), expected(&row, "SHA-512-256", Qop::Auth));
}

#[test]
fn auth_int_protects_the_body_when_nothing_else_is_offered() {
    let mut client = Client::new(bob());
    client
        .learn(&[
            r#"WWW-Authenticate: Digest realm="r", nonce="1", algorithm=SHA-256, qop="auth-int""#,
        ])
        .unwrap();
    let rows = client.rows_with(b"v=0");
    let row = &rows[0].1;
    assert!(row.contains("qop=auth-int"));
    assert_eq!(param(row, "response").unwrap(), expected(row, "SHA-256", Qop::AuthInt(b"v=0")));
    assert_ne!(param(row, "response").unwrap(), expected(row, "SHA-256", Qop::AuthInt(b"")));
}

/// `-sess` keeps its cnonce for the life of the nonce; without a qop it cannot be answered.
#[test]
fn a_session_variant_keeps_its_cnonce() {
    let mut client = Client::new(bob());
    client
        .learn(&[
            r#"WWW-Authenticate: Digest realm="r", nonce="1", algorithm=MD5-sess, qop="auth""#,
        ])
        .unwrap();
    let (first, second) = (client.row(), client.row());
    assert_eq!(param(&first, "cnonce"), param(&second, "cnonce"));
    for row in [&first, &second] {
        assert_eq!(param(row, "response").unwrap(), expected(row, "MD5-sess", Qop::Auth));
    }
    let without = r#"WWW-Authenticate: Digest realm="r", nonce="1", algorithm=MD5-sess"#;
    assert_eq!(Client::new(bob()).learn(&[without]), Err(GiveUp::NotUnderstood));
}

/// The nonce is used again with the next count, until another one comes.
/// Proves: rfc3261-22.2-3.
#[test]
fn later_requests_carry_the_answer_with_the_next_count() {
    let mut client = Client::new(bob());
    assert!(client.rows().is_empty());
    client.learn(&[r#"WWW-Authenticate: Digest realm="r", nonce="1", qop="auth""#]).unwrap();
    let counts: Vec<_> = (0..17).map(|_| param(&client.row(), "nc").unwrap()).collect();
    assert_eq!((counts[0].as_str(), counts[16].as_str()), ("00000001", "00000011"));
    client.tries = Tries::default();
    client.learn(&[r#"WWW-Authenticate: Digest realm="r", nonce="2", qop="auth""#]).unwrap();
    let row = client.row();
    assert_eq!(
        (param(&row, "nonce").unwrap(), param(&row, "nc").unwrap()),
        ("2".into(), "00000001".into())
    );
}

/// Several realms in one request, each with its own header and its own credentials.
/// Proves: rfc3261-22.3-12, rfc3261-22.3-13.
#[test]
fn every_realm_gets_its_own_answer_in_its_own_header() {
    let own = vec![
        Credentials::for_realm("proxy", "p", "1"),
        Credentials::for_any_realm("any", "2"),
        Credentials::for_realm("server", "s", "3"),
    ];
    let mut client = Client::new(Answers::new(own));
    client
        .learn(&[
            r#"Proxy-Authenticate: Digest realm="proxy", nonce="1", qop="auth""#,
            r#"WWW-Authenticate: Digest realm="server", nonce="2", qop="auth""#,
            r#"Proxy-Authenticate: Digest realm="other", nonce="3", qop="auth""#,
        ])
        .unwrap();
    let rows = client.rows();
    let users: Vec<_> =
        rows.iter().map(|(name, row)| (*name, param(row, "username").unwrap())).collect();
    let expected = [
        (Name::Authorization, "s"),
        (Name::ProxyAuthorization, "p"),
        (Name::ProxyAuthorization, "any"),
    ];
    assert_eq!(users, expected.map(|(name, user)| (name, user.to_owned())));
    assert!(rows.iter().all(|(_, row)| ProxyAuthorization::parse(row.as_bytes()).is_ok()));
}

/// Proves: rfc3261-22.1-11.
#[test]
fn a_refused_answer_is_not_tried_again_but_a_stale_one_is() {
    let asked = |nonce: &str, more: &str| {
        format!(r#"WWW-Authenticate: Digest realm="r", nonce="{nonce}", qop="auth"{more}"#)
    };
    let mut client = Client::new(bob());
    client.learn(&[&asked("1", "")]).unwrap();
    client.learn(&[&asked("2", ", stale=TRUE")]).unwrap();
    assert_eq!(param(&client.row(), "nonce").as_deref(), Some("2"));
    let refused = client.learn(&[&asked("3", ", stale=false")]).unwrap_err();
    assert_eq!(refused, GiveUp::Refused { realm: "r".into(), user: "bob".into() });
    // Even a server that calls everything stale is left alone in the end.
    let mut client = Client::new(bob());
    let ended = (0..100)
        .find_map(|round| client.learn(&[&asked(&round.to_string(), ", stale=true")]).err());
    assert_eq!(ended, Some(GiveUp::Endless));
}

/// "When a UAC receives a challenge, it SHOULD render to the user the contents of the "realm" parameter … if the UAC device does not already
/// know of a credential for the realm in question." "it SHOULD either prompt the user for credentials or take an appropriate credential from a
/// keyring corresponding to the "realm""
/// Proves: rfc3261-22.1-10, rfc3261-26.3.2.1-8.
#[test]
fn a_give_up_says_why() {
    let mut nobody = Client::new(Answers::new(vec![Credentials::for_realm("x", "u", "p")]));
    let why = nobody.learn(&[r#"WWW-Authenticate: Digest realm="r", nonce="1""#]).unwrap_err();
    assert_eq!(why.to_string(), "no password is set for realm \"r\"");
    for nothing in [
        "WWW-Authenticate: Basic realm=\"r\"",
        "Subject: x",
        "WWW-Authenticate: Digest nonce=\"1\"",
    ] {
        assert_eq!(Client::new(bob()).learn(&[nothing]), Err(GiveUp::NotUnderstood), "{nothing}");
    }
}

#[test]
fn a_password_is_never_shown() {
    let shown = format!("{:?}", bob());
    assert!(!shown.contains("zanzibar") && shown.contains("bob for any realm"), "{shown}");
}

/// What a proxy has asked for is told within the call and not in the next one: it may go another way, past people who should
/// not see it.
/// Proves: rfc3261-22.3-5, rfc3261-22.3-6, rfc3261-22.3-7.
#[test]
fn an_answer_to_a_proxy_stays_within_its_call() {
    let mut bench = Bench::new();
    let (call, invite) = bench.calls(URI);
    let asked = r#"Proxy-Authenticate: Digest realm="proxy", nonce="1", qop="auth""#;
    bench.tell(reply(&invite, 407, "p", (asked, "")));
    let invite = bench.sent().into_iter().find(|sent| sent.method() == Some(Method::Invite));
    let invite = invite.unwrap();
    assert!(invite.has(Name::ProxyAuthorization));
    bench.tell(picked_up(&invite));
    bench.sent();
    let (_, other) = bench.calls(URI);
    assert!(!other.has(Name::ProxyAuthorization), "while the first call lasts");
    bench.hang_up(call);
    let bye = bench.only();
    assert!(bye.has(Name::ProxyAuthorization));
    bench.tell(reply(&bye, 200, "", ("", "")));
    let (_, later) = bench.calls(URI);
    assert!(!later.has(Name::ProxyAuthorization), "and when it is over");
}
