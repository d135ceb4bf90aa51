//! §3.5: Authentication-Info.

use std::time::Duration;

use offhook_tests::office::{Office, Phone, Sent, rows, status};
use protocol::auth::{Algorithm, Asked, Ha1, Qop, response};
use sip::header::{AuthParams, AuthenticationInfo, WwwAuthenticate};
use sip::{Message, Name};

use crate::client::{Client, URI, bob, expected, param};

/// A phone that is let in with the nth use of a nonce, when that is so old.
fn let_in(qop: &str, after: u64) -> (Phone, Message, Vec<Sent>) {
    let mut office = Office::default();
    let phone = Phone::udp(101);
    let register = phone.register("");
    let first = office.receive(phone.flow, register.wire());
    office.wait(Duration::from_secs(after));
    let asked: AuthParams<'_> = first[0].message.get::<WwwAuthenticate>().unwrap().0;
    let row = format!("Authorization: {}", phone.answer(&register, &asked, (qop, 10)));
    let sent = office.receive(phone.flow, register.again().row(&row).wire());
    assert_eq!(status(&sent), 200, "{qop}");
    (phone, first[0].message.clone(), sent)
}

/// "The server SHOULD use the same value for the qop parameter in the response as was sent by the client" "The cnonce value and nc value
/// MUST be the ones for the client request" "The rspauth, cnonce, and nc parameters MUST be present if "qop=auth" or "qop=auth-int" is
/// specified" "MUST only generate the quoted string syntax for …: nextnonce, rspauth, and cnonce" "MUST NOT … qop and nc" "the nc value MUST
/// be exactly 8 hexadecimal digits"
/// Proves: rfc7616-3.5-4, rfc7616-3.5-5, rfc7616-3.5-6, rfc7616-3.5-7, rfc7616-3.5-8, rfc7616-3.5-9.
#[test]
fn who_is_let_in_is_shown_that_we_know_the_password_too() {
    for (qop, protected) in [("auth", Qop::Auth), ("auth-int", Qop::AuthInt(b""))] {
        let (_, challenge, sent) = let_in(qop, 200);
        let row = rows(&sent, Name::AuthenticationInfo).remove(0);
        assert!(row.contains(&format!(", qop={qop}, ")) && row.ends_with(", nc=0000000a"), "{row}");
        for quoted in ["nextnonce=\"", "rspauth=\"", "cnonce=\"c\""] {
            assert!(row.contains(quoted), "{row}");
        }
        let asked = challenge.get::<WwwAuthenticate>().unwrap().0;
        let proof = Asked {
            algorithm: Algorithm::Sha256,
            session: false,
            method: "",
            uri: "sip:example.test",
            nonce: &asked.text("nonce").unwrap(),
            nc: "0000000a",
            cnonce: "c",
            qop: protected,
        };
        let ha1 = Ha1::of(Algorithm::Sha256, "101", "example.test", "secret-101");
        let AuthenticationInfo(info) = sent[0].message.get().unwrap();
        assert_eq!(info.text("rspauth").unwrap(), response(&ha1, &proof));
    }
}

/// "Server implementations SHOULD carefully consider the performance implications of the use of this mechanism" "the performance vs.
/// security tradeoffs of allowing an old nonce value to be used for a limited time": the next nonce is handed out in the second half of the
/// life of the old one, which stays good to its end.
/// Proves: rfc7616-3.5-2, rfc7616-3.5-3.
#[test]
fn a_next_nonce_is_offered_in_time_and_never_forced() {
    for (after, offered) in [(0, false), (140, false), (160, true), (299, true)] {
        let (.., sent) = let_in("auth", after);
        assert_eq!(sent[0].message.has(Name::AuthenticationInfo), offered, "{after} s");
    }
}

/// A 200 with an Authentication-Info.
fn granted(info: &str) -> Message {
    Message::parse(format!("SIP/2.0 200 OK\r\nAuthentication-Info: {info}\r\n\r\n")).unwrap()
}

/// "If the nextnonce field is present, the client SHOULD use it when constructing the Authorization header field for its next request." One
/// who shows that he does not know the password is not believed.
/// Proves: rfc7616-3.5-1.
#[test]
fn a_client_takes_the_next_nonce_from_whoever_knows_its_password() {
    let asked = r#"WWW-Authenticate: Digest realm="r", nonce="1", algorithm=SHA-256, qop="auth""#;
    let fresh = || {
        let mut client = Client::new(bob());
        client.learn(&[asked]).unwrap();
        let row = client.row();
        (client, row)
    };
    let (mut client, _) = fresh();
    client.answers.informed(&granted("nextnonce=\"2\""));
    let row = client.row();
    assert_eq!(
        (param(&row, "nonce").unwrap(), param(&row, "nc").unwrap()),
        ("2".into(), "00000001".into())
    );
    assert_eq!(param(&row, "response").unwrap(), expected(&row, "SHA-256", Qop::Auth));

    let (mut client, row) = fresh();
    let cnonce = param(&row, "cnonce").unwrap();
    let ha1 = Ha1::of(Algorithm::Sha256, "bob", "r", "zanzibar");
    let proof = |uri: &str| {
        response(
            &ha1,
            &Asked {
                algorithm: Algorithm::Sha256,
                session: false,
                method: "",
                uri,
                nonce: "1",
                nc: "00000001",
                cnonce: &cnonce,
                qop: Qop::Auth,
            },
        )
    };
    let info = |proof: &str| {
        format!("nextnonce=\"2\", qop=auth, rspauth=\"{proof}\", cnonce=\"{cnonce}\", nc=00000001")
    };
    client.answers.informed(&granted(&info(&proof("sip:another"))));
    assert_eq!(param(&client.row(), "nonce").as_deref(), Some("1"), "not proven");
    let (mut client, _) = fresh();
    client.answers.informed(&granted(&info(&proof(URI))));
    assert_eq!(param(&client.row(), "nonce").as_deref(), Some("2"), "proven");
}
