//! Traps 19 to 24, 46 to 49 and 56: what a message may look like.

use offhook_tests::corpus::samples;
use offhook_tests::office::{
    Office, Phone, method, requests, rows, settings, status, trusting, uri,
};
use sip::header::{Contact, Via};
use sip::{Header as _, Message, Name, check};

fn served() -> (Office, Phone, Phone) {
    let mut office = Office::new(trusting());
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register(&bob);
    (office, alice, bob)
}

/// Trap 19: a method that nobody knows is forwarded as it came, and answered 405 where it is for us; a scheme that we cannot go to is 416.
#[test]
fn trap_19_unknown_methods_and_schemes_are_understood() {
    let (mut office, alice, bob) = served();
    let sent = office.receive(alice.flow, alice.request("F.O-O!", "sip:102@example.test").wire());
    assert_eq!((method(&sent[0]), sent[0].flow), ("F.O-O!", bob.flow));
    let sent = office.receive(alice.flow, alice.request("FOO", "sip:example.test").wire());
    assert_eq!(status(&sent), 405);
    let allow = rows(&sent, Name::Allow).remove(0);
    assert!(allow.contains("REGISTER") && !allow.contains("FOO"), "{allow}");
    for scheme in ["unknown:102@example.test", "http://example.test/", "x-y.z+1:a"] {
        let sent = office.receive(alice.flow, alice.invite(scheme).call(scheme).wire());
        assert_eq!(status(&sent), 416, "{scheme}");
    }
}

/// Trap 20: `invite` is not INVITE; `CALL-ID` is Call-ID.
#[test]
fn trap_20_methods_have_a_case_and_names_have_none() {
    let (mut office, alice, _) = served();
    let sent = office.receive(alice.flow, alice.request("invite", "sip:102@example.test").wire());
    assert_eq!((sent.len(), method(&sent[0])), (1, "invite"), "no 100: it is no INVITE");
    let odd = alice.invite("sip:102@example.test").wire();
    let odd = odd.replace("Call-ID", "cALL-id").replace("CSeq", "CSEQ").replace("Via", "vIA");
    assert_eq!(status(&office.receive(alice.flow, odd)), 100);
    let wrong = alice.request("INVITE", "sip:102@example.test").call("x").wire();
    let wrong = wrong.replace("1 INVITE", "1 invite");
    assert_eq!(status(&office.receive(alice.flow, wrong)), 400, "the CSeq is of another method");
}

/// Trap 21: octets that are no UTF-8 hide no header behind them, and go on as they came.
#[test]
fn trap_21_strange_letters_lose_nothing() {
    let (mut office, alice, _) = served();
    let wire = alice.invite("sip:102@example.test").row("Proxy-Require: foo").wire();
    let strange = b"Subject: caf\xe9 \xff\xfe \xc0\xaf\r\n";
    let with = |wire: &str| {
        let (before, after) = wire.split_at(wire.find("Max-Forwards").unwrap());
        [before.as_bytes(), strange, after.as_bytes()].concat()
    };
    let sent = office.receive(alice.flow, with(&wire));
    assert_eq!(status(&sent), 420, "what is required behind them is seen");
    let plain = wire.replace("Proxy-Require: foo\r\n", "").replace("z9hG4bK", "z9hG4bKx");
    let sent = requests(&office.receive(alice.flow, with(&plain)), "INVITE");
    let subject = sent[0].message.rows(Name::Subject).next().unwrap();
    assert_eq!(subject, &strange[9..strange.len() - 2]);
}

/// Trap 22: commas separate where the grammar says so, and nowhere else.
#[test]
fn trap_22_a_comma_separates_only_where_it_may() {
    let message = Message::parse(
        "OPTIONS sip:h SIP/2.0\r\nContact: \"a, b\" <sip:a,b@h>;q=0.5, <sip:c@h>\r\nVia: SIP/2.0/UDP a, SIP/2.0/UDP b\r\n\
         Authorization: Digest username=\"u\", realm=\"r\"\r\nDate: Sat, 13 Nov 2010 23:29:00 GMT\r\nSubject: a, b\r\n\r\n",
    )
    .unwrap();
    let count = |name| message.elements(name).count();
    assert_eq!((count(Name::Contact), count(Name::Via)), (2, 2));
    for name in [Name::Authorization, Name::Date, Name::Subject] {
        assert_eq!(count(name), 1, "{name:?}");
    }
}

/// Trap 23: a request whose every name is in its compact form is served like any other.
#[test]
fn trap_23_compact_names_are_names() {
    let (mut office, alice, bob) = served();
    let mut wire = alice.invite("sip:102@example.test").row("Supported: path").wire();
    for (long, short) in [
        ("Via", "v"),
        ("From", "f"),
        ("To", "t"),
        ("Call-ID", "i"),
        ("Contact", "m"),
        ("Content-Length", "l"),
        ("Supported", "k"),
    ] {
        wire = wire.replace(&format!("{long}:"), &format!("{short}:"));
    }
    let sent = office.receive(alice.flow, wire);
    assert_eq!((status(&sent), sent[1].flow), (100, bob.flow));
    for (short, name) in [
        ("x", Name::SessionExpires),
        ("r", Name::ReferTo),
        ("b", Name::ReferredBy),
        ("o", Name::Event),
        ("u", Name::AllowEvents),
        ("n", Name::IdentityInfo),
        ("y", Name::Identity),
        ("a", Name::AcceptContact),
        ("j", Name::RejectContact),
        ("d", Name::RequestDisposition),
        ("e", Name::ContentEncoding),
        ("c", Name::ContentType),
        ("s", Name::Subject),
    ] {
        assert_eq!(Name::of(short.to_uppercase().as_bytes()), name, "{short}");
    }
}

/// Trap 24: without brackets the parameters belong to the header, and whatever would be misread gets brackets.
#[test]
fn trap_24_brackets_decide_whose_parameters_they_are() {
    let contact = |value: &'static str| Contact::parse(value.as_bytes()).unwrap();
    assert_eq!(contact("sip:a@h;expires=5").expires(), Some(5));
    assert_eq!(contact("<sip:a@h;expires=5>").expires(), None);
    let mut office = Office::new(trusting());
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register_at(&bob, "sip:102@198.51.100.22;x=y");
    let invite = alice.invite("sip:102@example.test");
    let sent = requests(&office.receive(alice.flow, invite.wire()), "INVITE");
    assert_eq!(uri(&sent[0]), "sip:102@198.51.100.22", "x was the header's");
    office.register_at(&bob, "<sip:102@198.51.100.22;x=y>");
    let sent = requests(&office.receive(alice.flow, invite.call("two").wire()), "INVITE");
    assert!(sent.iter().any(|sent| uri(sent) == "sip:102@198.51.100.22;x=y"));
    let listed = office.converse(&bob, &bob.register("").again().again());
    assert!(rows(&listed, Name::Contact).iter().all(|row| row.starts_with('<')));
}

/// Trap 46: without Max-Forwards there are 70 hops; with none left it is 483, but for an OPTIONS, which is told how far it came.
#[test]
fn trap_46_hops_end() {
    for (name, rows_in, code) in [
        ("INVITE", "", 100),
        ("INVITE", "Max-Forwards: 0\r\n", 483),
        ("MESSAGE", "Max-Forwards: 0\r\n", 483),
        ("OPTIONS", "Max-Forwards: 0\r\n", 200),
        ("INVITE", "Max-Forwards: 256\r\n", 400),
        ("INVITE", "Max-Forwards: x\r\n", 400),
    ] {
        let (mut office, alice, _) = served();
        let wire = alice.request(name, "sip:102@example.test").wire();
        let sent = office.receive(alice.flow, wire.replace("Max-Forwards: 70\r\n", rows_in));
        assert_eq!(status(&sent), code, "{name} {rows_in}");
        if code == 100 {
            assert_eq!(rows(&sent[1..], Name::MaxForwards), ["70"]);
        }
    }
}

/// Trap 47: what is required and unknown is named in a 420; a proxy minds only what is required of it; ACK and CANCEL are not refused.
#[test]
fn trap_47_what_is_required_must_be_understood() {
    let (mut office, alice, _) = served();
    let sent = office.receive(
        alice.flow,
        alice
            .request("OPTIONS", "sip:example.test")
            .row("Require: path, foo\r\nRequire: bar")
            .wire(),
    );
    assert_eq!(
        (status(&sent), rows(&sent, Name::Unsupported).join(", ")),
        (420, "foo, bar".into())
    );
    let invite = alice.invite("sip:102@example.test").row("Require: foo").call("require");
    let sent = office.receive(alice.flow, invite.wire());
    assert_eq!(status(&sent), 100, "that is for the phone");
    let cancel = invite.wire().replace("INVITE", "CANCEL");
    assert_eq!(status(&office.receive(alice.flow, cancel)), 200);
    let invite = alice.invite("sip:102@example.test").row("Proxy-Require: foo").call("proxy");
    let sent = office.receive(alice.flow, invite.wire());
    assert_eq!((status(&sent), rows(&sent, Name::Unsupported)), (420, vec!["foo".to_owned()]));
}

/// Trap 48: a body for us that we cannot read is 415 with what we can; one that is optional, or for somebody else, is none of our business.
#[test]
fn trap_48_a_body_for_us_is_read_or_refused() {
    let (mut office, alice, _) = served();
    for (rows_in, code) in [
        ("Content-Type: application/xml", 415),
        ("Content-Type: application/xml\r\nContent-Disposition: x;handling=required", 415),
        ("Content-Type: application/xml\r\nContent-Disposition: x;handling=optional", 200),
    ] {
        let mut request = alice.request("OPTIONS", "sip:example.test").row(rows_in).call(rows_in);
        request.body = "<a/>".into();
        let sent = office.receive(alice.flow, request.wire());
        assert_eq!((status(&sent), sent[0].message.has(Name::Accept)), (code, true), "{rows_in}");
    }
    let mut request = alice.request("MESSAGE", "sip:102@example.test").row("Content-Type: x/y");
    request.body = "z".into();
    assert_eq!(method(&office.receive(alice.flow, request.wire())[0]), "MESSAGE");
}

/// Trap 49: what OPTIONS says is true: each method of its Allow is served, what is not in it is 405, and each tag of its Supported may be
/// required.
#[test]
fn trap_49_options_says_what_is_true() {
    let (mut office, alice, _) = served();
    let options = alice.request("OPTIONS", "sip:example.test");
    let sent = office.receive(alice.flow, options.wire());
    let allow = rows(&sent, Name::Allow).join(", ");
    for name in ["REGISTER", "OPTIONS", "INVITE", "MESSAGE", "SUBSCRIBE", "PUBLISH", "FOO"] {
        let request = alice.request(name, "sip:example.test").call(name);
        let refused = status(&office.receive(alice.flow, request.wire())) == 405;
        assert_eq!(refused, !allow.split(", ").any(|allowed| allowed == name), "{name}: {allow}");
    }
    let supported = rows(&sent, Name::Supported).join(", ");
    let row = format!("Require: {supported}");
    let sent = office.receive(alice.flow, options.again().call("supported").row(&row).wire());
    assert_eq!(status(&sent), 200, "{supported}");
}

/// Trap 56: IPv6 everywhere that an address may stand, and one address for an IPv4 that came in IPv6's clothes.
#[test]
fn trap_56_addresses_of_ipv6() {
    let via =
        Via::parse(b"SIP/2.0/UDP [2001:db8::9:1]:6050;received=2001:db8::9:255;branch=z9hG4bKx")
            .unwrap();
    assert_eq!((via.host.to_string(), via.port), ("[2001:db8::9:1]".into(), Some(6050)));
    let mut office = Office::new(trusting());
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register_at(&bob, "<sip:102@198.51.100.2>");
    let mut mapped = alice.clone();
    mapped.flow.peer = "[::ffff:198.51.100.1]:5060".parse().unwrap();
    let mut request = alice.request("OPTIONS", "sip:example.test");
    request.via = "SIP/2.0/UDP [2001:db8::1]:5060;rport".into();
    let sent = office.receive(mapped.flow, request.wire());
    assert!(rows(&sent, Name::Via)[0].contains(";rport=5060;received=198.51.100.1"), "{sent:?}");
    for (target, code) in [("sip:[::ffff:192.0.2.10]", 200), ("sip:[2001:db8::10]", 500)] {
        let request = alice.request("OPTIONS", target).call(target);
        let sent = office.receive(alice.flow, request.wire());
        assert_eq!(status(&sent), code, "{target}: no listener of ours speaks IPv6");
    }
    for bad in ["sip:[::1", "sip:[1:2]", "sip:[fe80::1%eth0]", "sip:::1"] {
        let request = alice.request("OPTIONS", bad).call(bad);
        assert_eq!(status(&office.receive(alice.flow, request.wire())), 400, "{bad}");
    }
}

/// Trap 56: the samples of RFC 5118 are what the RFC says of them, through a whole server.
#[test]
fn trap_56_the_samples_of_rfc_5118() {
    // The others have line ends that SIP does not know.
    let samples = samples(&["sip-rfc5118"]).into_iter();
    for sample in samples.filter(|sample| sample.name.ends_with(".crlf.dat")) {
        let well_formed =
            Message::parse(sample.octets.clone()).is_ok_and(|message| check(&message).is_ok());
        match sample.class.as_str() {
            "accept" => assert!(well_formed, "{}", sample.name),
            "reject" => assert!(!well_formed, "{}", sample.name),
            _ => {}
        }
        let mut office = Office::new(settings());
        let phone = Phone::udp(101);
        for sent in office.receive(phone.flow, sample.octets.clone()) {
            assert_eq!(sent.flow.peer.ip(), phone.flow.peer.ip(), "{}", sample.name);
        }
    }
}
