//! §3.4: credentials.

use offhook_tests::office::{Office, Phone, status};
use protocol::auth::Algorithm;
use protocol::doors::Event;
use sip::Name;

use crate::client::{Client, URI, bob, param};

/// "Its value MUST be one of the alternatives the server indicated it supports" "[cnonce, nc] MUST be used by all implementations" "a sender
/// MUST only generate the quoted string syntax for …: username, realm, nonce, uri, response, cnonce, and opaque" "a sender MUST NOT generate
/// the quoted string syntax for …: algorithm, qop, and nc" "it MUST agree with the request-target. In particular, it MUST be an
/// "absolute-URI" if the request-target is" one.
/// Proves: rfc7616-3.4-2, rfc7616-3.4-3, rfc7616-3.4-4, rfc7616-3.4-5, rfc7616-3.4-6, rfc7616-3.4.6-1, rfc7616-3.4.6-2, rfc8760-8-1.
#[test]
fn what_a_client_writes() {
    for (offered, taken) in [
        ("auth", "auth"),
        ("auth-int", "auth-int"),
        ("auth,auth-int", "auth"),
        ("auth-int , auth", "auth"),
    ] {
        let mut client = Client::new(bob());
        let challenge = format!(
            r#"WWW-Authenticate: Digest realm="r", nonce="n", algorithm=SHA-256, opaque="o", qop="{offered}""#
        );
        client.learn(&[&challenge]).unwrap();
        let row = client.row();
        for quoted in ["username", "realm", "nonce", "uri", "response", "cnonce", "opaque"] {
            assert!(row.contains(&format!("{quoted}=\"")), "{quoted} in {row}");
        }
        for plain in ["algorithm=SHA-256", &format!("qop={taken}"), "nc=00000001"] {
            assert!(row.contains(plain), "{plain} in {row}");
        }
        assert_eq!(param(&row, "uri").as_deref(), Some(URI));
        assert!(!param(&row, "cnonce").unwrap().is_empty());
    }
}

/// "If the client supports the userhash parameter, and the userhash parameter value … is set to "true", then the client MUST calculate a
/// hash of the username after any other hash calculation and include the userhash parameter with the value of "true""
/// Proves: rfc7616-3.4.4-2.
#[test]
fn a_client_hides_its_name_from_whoever_wishes_so() {
    for (token, algorithm) in [("MD5", Algorithm::Md5), ("SHA-256", Algorithm::Sha256)] {
        let challenge = |hash: &str| {
            format!(
                r#"WWW-Authenticate: Digest realm="r", nonce="n", algorithm={token}, qop="auth"{hash}"#
            )
        };
        let mut plain = Client::new(bob());
        plain.learn(&[&challenge("")]).unwrap();
        let mut hashed = Client::new(bob());
        hashed.learn(&[&challenge(", userhash=true")]).unwrap();
        let (plain, hashed) = (plain.row(), hashed.row());
        assert_eq!(param(&hashed, "username").unwrap(), algorithm.user_hash("bob", "r"));
        assert!(hashed.contains("userhash=true") && !plain.contains("userhash"));
        assert_eq!(param(&plain, "response"), param(&hashed, "response"), "of the name itself");
    }
}

/// "Sending both username and username* in the same header option MUST be treated as an error."
/// Proves: rfc7616-3.4-1.
#[test]
fn a_name_that_is_said_twice_is_an_error() {
    let mut office = Office::default();
    let phone = Phone::udp(101);
    let register = phone.register("");
    let first = office.receive(phone.flow, register.wire());
    let right = phone.credentials(&register, &first[0].message);
    let twice = right.replace("username=", "username*=UTF-8''101, username=");
    assert_eq!(status(&office.receive(phone.flow, register.again().row(&twice).wire())), 401);
    let long = right.replace("username=\"101\"", "username*=UTF-8''%31%30%31");
    let again = register.again().again().row(&long);
    assert_eq!(status(&office.receive(phone.flow, again.wire())), 200);
}

/// "If the response is invalid, then a login failure SHOULD be logged" "careful with the information being logged so that it won't put a
/// cleartext password (e.g., entered into the username field) into the log"
/// Proves: rfc7616-3.4-7, rfc7616-3.4-8.
#[test]
fn a_failure_is_reported_without_what_was_typed() {
    let mut office = Office::default();
    let phone = Phone::udp(101);
    let register = phone.register("");
    let first = office.receive(phone.flow, register.wire());
    let right = phone.credentials(&register, &first[0].message);
    for (nth, (from, to, why)) in [
        ("response=\"", "response=\"0", "Wrong Password"),
        ("username=\"101\"", "username=\"my-secret-word\"", "Unknown User"),
    ]
    .into_iter()
    .enumerate()
    {
        office.events.clear();
        let mut again = register.again();
        (0..nth).for_each(|_| again = again.again());
        office.receive(phone.flow, again.row(&right.replace(from, to)).wire());
        let [Event::Refused { status: 401, reason, source, .. }] = &office.events[..] else {
            panic!("{:?}", office.events)
        };
        assert_eq!((&**reason, *source), (why, phone.flow.peer));
        assert!(!format!("{:?}", office.events).contains("my-secret-word"));
    }
}

/// "The authenticating server MUST assure that the resource designated by the "uri" parameter is the same as the resource specified in the
/// Request-Line; if they are not, the server SHOULD return a 400" "a UAS MUST check if the Request-URI in the Authorization/Proxy-
/// Authorization header field value corresponds to a user for whom the UAS is willing to accept forwarded or direct requests"
/// Proves: rfc7616-3.4.6-3, rfc8760-5-1.
#[test]
fn credentials_are_for_the_request_that_they_came_with() {
    for (uri, code) in [
        ("sip:102@example.test", 480),
        ("sip:103@example.test", 400),
        ("sip:102@other.example", 400),
    ] {
        let mut office = Office::default();
        let phone = Phone::udp(101);
        let mut request = phone.request("MESSAGE", "sip:102@example.test");
        let first = office.receive(phone.flow, request.wire());
        request.uri = uri.into();
        let row = phone.credentials(&request, &first[0].message);
        request.uri = "sip:102@example.test".into();
        let sent = office.receive(phone.flow, request.again().row(&row).wire());
        assert_eq!(status(&sent), code, "{uri}");
        assert!(!sent[0].message.has(Name::ProxyAuthenticate));
    }
}
