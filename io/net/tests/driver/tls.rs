//! TLS: who we are, whom we trust, and new certificates while calls go on (RFC 5922, RFC 5923).

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use offhook_net::Program;
use offhook_net::tls::{Clients, Terms};
use protocol::transport::Wildcards;
use protocol::{Identity, Input, Output, Transport};

use crate::authority::{Authority, Flaw};
use crate::echo::{House, PATIENCE, options};
use crate::secure::{Server, ask, call, came, files, house, named, plan, send, to, tried};

/// Proves: rfc5923-8.2-1, rfc5923-8.2-2.
#[test]
fn a_request_is_answered_by_tls_of_both_versions() {
    let authority = Authority::new();
    let house = house(&authority.terms(&["a.example"]));
    for version in rustls::ALL_VERSIONS {
        let config = authority.client_by(None, &[version]);
        let mut peer = call(&config, house.address(0), "a.example");
        assert_eq!(ask(&mut peer, "hello").unwrap(), "hello");
        assert_eq!(peer.conn.protocol_version(), Some(version.version));
        let flow = came(&house);
        assert_eq!((flow.transport, flow.identity), (Transport::Tls, Identity::NONE));
        // Much at once, and nothing is lost.
        let body = "x".repeat(60_000);
        for _ in 0..20 {
            peer.write_all(&options("long", &body)).unwrap();
        }
        for _ in 0..20 {
            assert_eq!(crate::secure::read_answer(&mut peer).unwrap(), "long");
            came(&house);
        }
    }
    assert_eq!(house.count(|counters| &counters.handshakes), 2);
}

/// RFC 5626 §4.4.1 and §5.4 hold within TLS too.
///
/// Proves: rfc5626-5.4-2.
#[test]
fn a_ping_of_line_ends_gets_its_pong() {
    let authority = Authority::new();
    let house = house(&authority.terms(&["a.example"]));
    let mut peer = call(&authority.client(None), house.address(0), "a.example");
    for half in [&b"\r\n\r\n"[..], b"\r\n", b"\r\n"] {
        peer.write_all(half).unwrap();
    }
    // Two pings, one of them in halves.
    let mut pongs = [0; 4];
    peer.read_exact(&mut pongs).unwrap();
    assert_eq!(&pongs, b"\r\n\r\n");
    assert_eq!(ask(&mut peer, "after").unwrap(), "after");
}

#[test]
fn who_comes_back_has_a_short_handshake() {
    let authority = Authority::new();
    let house = house(&authority.terms(&["a.example"]));
    for version in rustls::ALL_VERSIONS {
        let config = authority.client_by(None, &[version]);
        for _ in 0..3 {
            ask(&mut call(&config, house.address(0), "a.example"), "hello").unwrap();
        }
    }
    assert_eq!(house.count(|counters| &counters.handshakes), 6);
    assert_eq!(house.count(|counters| &counters.handshakes_resumed), 4);
}

#[test]
fn each_domain_shows_its_own_certificate() {
    let authority = Authority::new();
    let terms = Terms {
        domains: vec![named("B.example", &authority.issue("b", &["b.example"], Flaw::None))],
        ..authority.terms(&["a.example"])
    };
    let house = house(&terms);
    let config = authority.client(None);
    for domain in ["a.example", "b.example"] {
        assert_eq!(ask(&mut call(&config, house.address(0), domain), domain).unwrap(), domain);
    }
    // Who asks for another gets the first, and can see that it is another's.
    assert!(ask(&mut call(&config, house.address(0), "c.example"), "c").is_err());
}

#[test]
fn a_new_certificate_is_taken_over_and_calls_go_on() {
    let authority = Authority::new();
    let terms = authority.terms(&["a.example"]);
    let plan = plan(&terms);
    let keyring = Arc::clone(plan.tls.as_ref().unwrap().keyring().unwrap());
    let house = House::open(plan, Program::new());
    let config = authority.client(None);
    let mut old = call(&config, house.address(0), "a.example");
    ask(&mut old, "one").unwrap();
    let shown = |peer: &crate::secure::Peer| peer.conn.peer_certificates().unwrap()[0].clone();
    let before = shown(&old);
    assert!(keyring.look().is_empty(), "nothing has changed");

    // Somebody is still writing: one look is not enough.
    let pair = authority.issue("house", &["a.example"], Flaw::None);
    assert!(keyring.look().is_empty());
    let looks = keyring.look();
    assert!(looks[0].taken.is_ok() && looks.len() == 1 && looks[0].files == files(&pair));
    let fresh = || call(&authority.client(None), house.address(0), "a.example");
    let mut new = fresh();
    ask(&mut new, "two").unwrap();
    assert_ne!(shown(&new), before);
    assert_eq!(ask(&mut old, "three").unwrap(), "three");

    // What is broken is not taken, and said once.
    fs::write(&pair.certificate, "-----BEGIN CERTIFICATE-----\nMII!\n-----END CERTIFICATE-----\n")
        .unwrap();
    keyring.look();
    let looks = keyring.look();
    let error = looks[0].taken.as_ref().unwrap_err().to_string();
    assert!(error.ends_with("house.pem:2: this is not base64, or not all of it"), "{error}");
    keyring.look();
    assert!(keyring.look().is_empty());
    ask(&mut fresh(), "four").unwrap();
    assert_eq!(ask(&mut new, "five").unwrap(), "five");
    // The certificate alone is half the truth.
    authority.issue("other", &["a.example"], Flaw::None);
    fs::copy(authority.folder().join("other.pem"), &pair.certificate).unwrap();
    keyring.look();
    let error = keyring.look()[0].taken.as_ref().unwrap_err().to_string();
    assert!(error.contains("house.key: this is not the key of the certificate in"), "{error}");
    fs::copy(authority.folder().join("other.key"), &pair.key).unwrap();
    keyring.look();
    assert!(keyring.look()[0].taken.is_ok());
    ask(&mut fresh(), "six").unwrap();
}

/// Proves: rfc5922-7.4-1, rfc5922-7.4-2, rfc3261-26.3.1-1.
#[test]
fn who_calls_us_is_whom_its_certificate_names() {
    let authority = Authority::new();
    let stranger = Authority::new();
    let terms = |clients| Terms {
        clients,
        known: vec!["c.example".into()],
        ..authority.terms(&["a.example"])
    };
    let one = authority.issue("one", &["b.example"], Flaw::None);
    let both = authority.issue("both", &["b.example", "c.example"], Flaw::None);
    let uri = authority.issue("uri", &["sip:d.example", "e.example"], Flaw::None);
    let bad = stranger.issue("bad", &["b.example"], Flaw::None);
    let old = authority.issue("old", &["b.example"], Flaw::Expired);
    for clients in [Clients::Ask, Clients::Require] {
        let house = house(&terms(clients));
        let enter =
            |files| ask(&mut call(&authority.client(files), house.address(0), "a.example"), "hi");
        for (files, name) in [(&one, "b.example"), (&both, "c.example"), (&uri, "d.example")] {
            enter(Some(files)).unwrap();
            assert_eq!(came(&house).identity, Identity::of(name), "{name}");
        }
        match clients {
            Clients::Require => assert!(enter(None).is_err()),
            _ => {
                enter(None).unwrap();
                assert_eq!(came(&house).identity, Identity::NONE);
            }
        }
        assert!(enter(Some(&bad)).is_err() && enter(Some(&old)).is_err());
    }
    // Who is not asked shows nothing.
    let house = house(&terms(Clients::Off));
    ask(&mut call(&authority.client(Some(&one)), house.address(0), "a.example"), "hi").unwrap();
    assert_eq!(came(&house).identity, Identity::NONE);
}

/// Proves: rfc5922-7.3-1, rfc5922-7.3-2, rfc5922-7.3-3, rfc5922-7.1-1, rfc5922-7.1-2, rfc5922-7.2-4, rfc5922-7.2-6,
/// rfc3261-26.3.1-4, rfc3261-26.3.2.1-4, rfc3261-26.3.2.2-6, rfc3261-26.3.2.2-7, rfc3261-26.3.2.3-2.
#[test]
fn trap_31_a_server_must_be_the_domain_that_was_asked_for() {
    let authority = Authority::new();
    let house = house(&authority.terms(&["a.example"]));
    let shows =
        |names: &[&str], flaw| Server::new(authority.server(&authority.issue("peer", names, flaw)));
    for names in [
        &["b.example"][..],
        &["sip:b.example"],
        &["x.example", "B.EXAMPLE"],
        &["sip:x.example", "sip:b.example;transport=tls"],
    ] {
        assert_eq!(tried(&house, &shows(names, Flaw::None), "b.example"), Ok(()), "{names:?}");
    }
    let no = |names: &[&str], flaw| tried(&house, &shows(names, flaw), "b.example").unwrap_err();
    let is_for =
        |whom: &str| format!("the certificate of 127.0.0.1 is for {whom}, not for b.example");
    assert_eq!(no(&["c.example"], Flaw::None), is_for("c.example"));
    // The domain, not a host of it, whatever the DNS said.
    assert_eq!(no(&["sip.b.example"], Flaw::None), is_for("sip.b.example"));
    assert_eq!(no(&["*.x.example"], Flaw::None), is_for("*.x.example"));
    assert_eq!(no(&["sip:c.example", "b.example"], Flaw::None), is_for("c.example"));
    assert!(no(&["b.example"], Flaw::CommonName).contains("names no SIP domain"));
    assert!(no(&["b.example"], Flaw::Expired).ends_with("for b.example expired on 2021-02-03"));
    assert!(no(&["b.example"], Flaw::NotYetValid).contains("is valid only from 2099-01-01 on"));
    assert!(no(&["b.example"], Flaw::ForClients).contains("extended key usage"));
    assert!(no(&["b.example"], Flaw::Authority).contains("it is an authority's"));
    let stranger = Authority::new();
    let server = Server::new(stranger.server(&stranger.issue("peer", &["b.example"], Flaw::None)));
    let why = tried(&house, &server, "b.example").unwrap_err();
    assert!(why.contains("issued by an authority that is not trusted here"), "{why}");
    assert_eq!(house.count(|counters| &counters.connections), 0);
}

#[test]
fn a_number_is_proven_as_a_number() {
    let authority = Authority::new();
    let house = house(&authority.terms(&["a.example"]));
    for names in [&["127.0.0.1"][..], &["sip:127.0.0.1"]] {
        let server = Server::new(authority.server(&authority.issue("peer", names, Flaw::None)));
        assert_eq!(tried(&house, &server, "127.0.0.1"), Ok(()), "{names:?}");
    }
    let server =
        Server::new(authority.server(&authority.issue("peer", &["192.0.2.1"], Flaw::None)));
    assert!(tried(&house, &server, "127.0.0.1").is_err());
}

#[test]
fn wildcards_count_only_when_they_are_allowed() {
    let authority = Authority::new();
    let terms = Terms { wildcards: Wildcards::Allowed, ..authority.terms(&["a.example"]) };
    let house = house(&terms);
    let server =
        Server::new(authority.server(&authority.issue("peer", &["*.b.example"], Flaw::None)));
    assert_eq!(tried(&house, &server, "c.b.example"), Ok(()));
    assert!(tried(&house, &server, "b.example").is_err());
    assert!(tried(&house, &server, "d.c.b.example").is_err());
}

#[test]
fn who_speaks_no_tls_is_told_apart_from_who_is_silent() {
    let authority = Authority::new();
    let house = |patience| {
        let mut plan = plan(&authority.terms(&["a.example"]));
        plan.patience.handshake = patience;
        House::open(plan, Program::new())
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = listener.local_addr().unwrap();
    let why = |house: &House, answer: &[u8]| {
        send(house, "b.example", peer, "hello");
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(answer).unwrap();
        let (_, Input::Untrusted(_, why)) = house.input() else { panic!() };
        (why.to_string(), stream)
    };
    let patient = house(PATIENCE);
    let (said, _) = why(&patient, b"SIP/2.0 400 Bad Request\r\n\r\n");
    assert!(said.ends_with("does not speak TLS (asked for b.example)"), "{said}");
    assert_eq!(patient.count(|counters| &counters.handshakes_failed), 1);
    let house = house(std::time::Duration::from_millis(40));
    let (said, _stream) = why(&house, b"");
    assert!(said.contains("never finished it (asked for b.example)"), "{said}");
    assert_eq!(house.count(|counters| &counters.handshakes_slow), 1);
    // Whom nobody has named, nobody can be.
    house.put(0, Output::Send(to("nobody.example", peer), options("x", "").into()));
    let (_, Input::Untrusted(flow, why)) = house.input() else { panic!() };
    assert_eq!(flow, to("nobody.example", peer));
    assert!(why.to_string().contains("no name that a certificate could be for"), "{why}");
}

#[test]
fn what_a_peer_says_when_it_wants_our_certificate_is_passed_on() {
    let authority = Authority::new();
    let strict = Terms { clients: Clients::Require, ..authority.terms(&["b.example"]) };
    let theirs = house(&strict);
    let mut terms = authority.terms(&["a.example"]);
    terms.certificate = None;
    let ours = house(&terms);
    send(&ours, "b.example", theirs.address(0), "hello");
    let (_, Input::Untrusted(_, why)) = ours.input() else { panic!() };
    assert!(why.to_string().contains("it wants a certificate of ours"), "{why}");
    // With one we are let in, and they know who we are.
    let ours = house(&authority.terms(&["a.example"]));
    send(&ours, "b.example", theirs.address(0), "hello");
    assert_eq!(came(&theirs).identity, Identity::of("a.example"));
    let (_, Input::Received(flow, answer)) = ours.input() else { panic!() };
    assert_eq!(answer.status(), Some(sip::Status::OK));
    assert_eq!(flow.identity, Identity::of("b.example"));
}
