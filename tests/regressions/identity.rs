//! Classes 24 to 27, 45 and 62: who may say what, and as whom.

use offhook_tests::office::{Office, Phone, reply, requests, settings, status, trusting};
use protocol::Flow;
use server::Settings;
use server::settings::Route;
use sip::Name;

use crate::watch::{elsewhere, houses, request, with_head};

/// Class 24: methods that nobody thought of asking for (CVE-2021-37624: MESSAGE; CVE-2021-41157: SUBSCRIBE): every method, in and out of a
/// dialog that there is not, from every name, to us, to a user and to elsewhere.
#[test]
fn class_24_no_method_passes_unasked() {
    let methods = [
        "REGISTER",
        "INVITE",
        "MESSAGE",
        "SUBSCRIBE",
        "NOTIFY",
        "PUBLISH",
        "REFER",
        "INFO",
        "UPDATE",
        "PRACK",
        "OPTIONS",
        "BYE",
        "FOO",
    ];
    for method in methods {
        for tag in ["", ";tag=x"] {
            for from in ["sip:102@example.test", "sip:166@example.test", "sip:x@elsewhere.example"]
            {
                for uri in
                    ["sip:102@example.test", "sip:102@198.51.100.2:5060", "sip:x@elsewhere.example"]
                {
                    let mut office = Office::default();
                    office.register(&Phone::udp(102));
                    let stranger = Phone::udp(166);
                    let mut request = stranger.request(method, uri);
                    request.from = format!("<{from}>;tag=y");
                    request.to = format!("<{uri}>{tag}");
                    let sent = office.receive(stranger.flow, request.wire());
                    assert!(
                        sent.iter().all(|sent| !sent.message.is_request()),
                        "{method} {uri} {from}"
                    );
                    let code = status(&sent);
                    assert!(matches!(code, 401 | 403 | 404 | 407), "{method} {uri} {from}: {code}");
                    assert!(
                        office.asked.is_empty(),
                        "{method} {uri}: nothing is looked up for strangers"
                    );
                }
            }
        }
    }
}

/// Class 25: somebody's challenge answered with a digest of our password (CVE-2021-41158): a server has none, and answers no challenge.
#[test]
fn class_25_a_server_answers_no_challenge() {
    for code in [401, 407] {
        let mut office = Office::new(trusting());
        let (alice, bob) = (Phone::udp(101), Phone::udp(102));
        office.register(&bob);
        let sent = office.receive(alice.flow, alice.invite("sip:102@example.test").wire());
        let copy = requests(&sent, "INVITE").remove(0);
        let asks = "WWW-Authenticate: Digest realm=\"example.test\", nonce=\"n\"\r\nProxy-Authenticate: Digest realm=\"example.test\", nonce=\"n\"\r\n";
        let sent = office.receive(bob.flow, reply(&copy.message, code, asks));
        for sent in &sent {
            assert!(
                !sent.message.has(Name::Authorization)
                    && !sent.message.has(Name::ProxyAuthorization)
            );
        }
        assert!(requests(&sent, "INVITE").is_empty(), "it is for the caller");
    }
}

/// Class 26: right credentials, and somebody else's name (CVE-2025-47779): 403 for every method, and nobody is called.
#[test]
fn class_26_a_name_that_is_not_the_sender_s() {
    for method in ["INVITE", "MESSAGE", "SUBSCRIBE", "PUBLISH", "REFER", "NOTIFY"] {
        for from in [
            "<sip:101@example.test>;tag=1",
            "\"101\" <sip:101@EXAMPLE.test>;tag=1",
            "<sips:101@example.test>;tag=1",
            "<sip:%31%30%31@example.test>;tag=1",
            "<sip:106@other.example>;tag=1",
            "<tel:101>;tag=1",
        ] {
            let mut office = Office::default();
            let mallory = Phone::udp(106);
            office.register(&Phone::udp(102));
            let mut request = mallory.request(method, "sip:102@example.test");
            request.from = from.into();
            let sent = office.converse(&mallory, &request);
            assert_eq!(status(&sent), 403, "{method} {from}");
            assert!(sent.iter().all(|sent| !sent.message.is_request()));
        }
    }
}

/// Class 27: a rule that matched everybody (CVE-2024-35190): a peer is known by its address, and nobody else is that peer.
#[test]
fn class_27_who_matches_nothing_is_nobody() {
    let routes = vec![Route::domain("peer.example", Some("sip:203.0.113.7"))];
    let peer: Flow = {
        let mut flow = elsewhere();
        flow.peer = "203.0.113.7:5060".parse().unwrap();
        flow
    };
    for (flow, from, code) in [
        (peer, "sip:x@peer.example", 100),
        (elsewhere(), "sip:x@peer.example", 407),
        (peer, "sip:x@another.example", 407),
        (peer, "sip:x@peer.example.evil", 407),
        (peer, "sip:101@example.test", 407),
        (peer, "sip:peer.example", 100),
        (peer, "tel:+1", 407),
    ] {
        let mut office = Office::new(Settings { routes: routes.clone(), ..settings() });
        office.register(&Phone::udp(102));
        let mut caller = Phone::udp(166);
        caller.flow = flow;
        let mut invite = caller.invite("sip:102@example.test");
        invite.from = format!("<{from}>;tag=1");
        assert_eq!(status(&office.receive(flow, invite.wire())), code, "{from} from {}", flow.peer);
    }
}

/// Class 45: names that are commands to somebody else: SQL, format strings, shells, markup. They are names.
#[test]
fn class_45_a_name_is_a_name() {
    let names = [
        "'%20OR%20'1'='1",
        "1;DROP%20TABLE%20users",
        "%25n%25s%25x",
        "$(reboot)",
        "%60id%60",
        "..%2f..%2fetc%2fpasswd",
        "%00",
        "%0d%0aVia:%20x",
        "&lt;script&gt;",
        "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "*)(uid=*",
    ];
    for mut watch in houses() {
        for name in names {
            let uri = format!("sip:{name}@example.test");
            for sent in watch.datagram(name, &with_head("INVITE", &uri, "", "")) {
                let text = String::from_utf8_lossy(sent.message.wire()).into_owned();
                assert!(!text.contains("\r\nVia: x"), "{name}: an escape became a line");
            }
            let row = format!("User-Agent: {name}\r\nSubject: {name}\r\n");
            watch.datagram(name, &request("REGISTER", &row, ""));
        }
        watch.assert_nothing_is_left();
    }
}

/// The same: names of the store's own rows begin with a NUL, so nobody registers under one and is barred, or bars others, by it.
#[test]
fn class_45_nobody_is_called_as_the_store_s_own_rows() {
    let mut office = Office::new(trusting());
    for name in ["%00ban", "%00", "101%00"] {
        let mut request = Phone::udp(101).register("");
        request.to = format!("<sip:{name}@example.test>");
        assert_eq!(status(&office.receive(Phone::udp(101).flow, request.wire())), 404, "{name}");
    }
    office.register(&Phone::udp(101));
}
