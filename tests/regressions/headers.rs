//! Classes 3, 6 to 10, 12, 15, 18 and 58: what headers and addresses may hold.

use offhook_tests::corpus::samples;
use offhook_tests::office::{Office, Phone, requests, rows, trusting};
use sip::header::{Authorization, To};
use sip::{Header as _, Message, Name, Uri};

use crate::watch::{houses, one_bad_one_good, request, status_of, with_head};

/// Class 3: many headers of one kind, which filled a fixed array (CVE-2018-7284): refused or served, never half read.
#[test]
fn class_3_many_headers_of_one_kind() {
    let names = [
        "Accept: a/b",
        "Via: SIP/2.0/UDP a;branch=z9hG4bKx",
        "Route: <sip:a;lr>",
        "Contact: <sip:a@b>",
        "X: y",
    ];
    let mut bad = Vec::new();
    for row in names {
        for count in [50, 500, 513, 5_000] {
            let rows: String = format!("{row}\r\n").repeat(count);
            bad.push((row, request("OPTIONS", &rows, "")));
        }
        bad.push((
            row,
            request("OPTIONS", &format!("{}{row}\r\n", format!("{row}\r\n").repeat(12)), ""),
        ));
    }
    one_bad_one_good(bad);
    let [mut watch, _] = houses();
    let many = request("OPTIONS", &"X: y\r\n".repeat(5_000), "");
    assert_eq!(status_of(&watch.datagram("5,000 rows", &many)), Some(400));
}

/// Class 6: strings that were built anew one octet too short (CVE-2018-8828): what is forwarded reads as what came.
#[test]
fn class_6_what_is_written_anew_reads_the_same() {
    let mut office = Office::new(trusting());
    let alice = Phone::udp(101);
    for (nth, uri) in [
        "sip:203.0.113.5",
        "sip:203.0.113.5;x",
        "sip:@203.0.113.5",
        "sip:a:b@203.0.113.5:1;c=d;e",
        "sip:%00%ff@203.0.113.5",
        "sip:a@203.0.113.5;maddr=203.0.113.6",
    ]
    .into_iter()
    .enumerate()
    {
        let invite = alice
            .invite(uri)
            .call(&nth.to_string())
            .row("Subject: \r\nX-A:\r\nX-B: b \r\nSupported:");
        let wire = invite.wire();
        let Ok(came) = Message::parse(wire.clone()) else { continue };
        let sent = office.receive(alice.flow, wire);
        for copy in requests(&sent, "INVITE") {
            assert_eq!(copy.message.request_uri(), came.request_uri());
            for (name, value) in came.all_rows() {
                let ours = [Name::Via, Name::MaxForwards].contains(&Name::of(name));
                assert!(ours || copy.message.all_rows().any(|row| row == (name, value)), "{uri}");
            }
        }
    }
}

/// Class 7: a header that may stand once and stands twice, an empty tag (CVE-2018-14767): 400.
#[test]
fn class_7_what_may_stand_once_and_stands_twice() {
    let doubled = [
        "From: <sip:x@y>;tag=2",
        "To: <sip:x@y>",
        "Call-ID: another",
        "CSeq: 2 OPTIONS",
        "Max-Forwards: 3",
    ];
    for row in doubled {
        for mut watch in houses() {
            let bad = request("OPTIONS", &format!("{row}\r\n"), "");
            let sent = watch.datagram(row, &bad);
            assert_eq!(status_of(&sent), Some(400), "{row}");
        }
    }
    // An empty tag is none (phones by Pingtel write one): what we answer has a tag, and one only.
    let text = String::from_utf8(request("OPTIONS", "", "")).unwrap();
    let empty = text.replace("To: <sip:102@example.test>", "To: <sip:102@example.test>;tag=");
    let [mut watch, _] = houses();
    let sent = watch.datagram("an empty tag", empty.as_bytes());
    let to = rows(&sent, Name::To).remove(0);
    assert_eq!(to.matches("tag=").count(), 1, "{to}");
    assert!(sent[0].message.get::<To>().unwrap().tag().is_some(), "{to}");
}

/// Class 8: a broken Via that fed what came after it (CVE-2018-16657): it is answered at its source, or not at all.
#[test]
fn class_8_a_broken_via_leads_to_nobody() {
    let good = String::from_utf8(request("OPTIONS", "", "")).unwrap();
    let own = "SIP/2.0/UDP 198.51.100.66:5060;branch=z9hG4bK7";
    assert!(good.contains(own));
    let vias = [
        "",
        ";",
        ",",
        "SIP",
        "SIP/2.0/UDP",
        "SIP/2.0/UDP ",
        "SIP/2.0/UDP ;branch=x",
        "SIP/2.0/UDP :5060",
        "SIP/2.0/UDP a:99999",
        "SIP/2.0/UDP a:-1",
        "SIP/2.0/UDP [::1",
        "SIP/2.0/UDP a;branch",
        "SIP/2.0/UDP a;branch=",
        "SIP/2.0/UDP a;branch=z9hG4bK",
        "SIP/2.0/UDP a;received=203.0.113.66;rport=1",
        "SIP/2.0/UDP 203.0.113.66;maddr=203.0.113.66;ttl=255",
        "SIP/2.0/UDP a,",
        "SIP/3.0/UDP a;branch=z9hG4bKx",
        "SIP/2.0/SCTP a;branch=z9hG4bKx",
        "SIP / 2.0 / UDP a ; branch = z9hG4bKx",
        "\u{0}",
        "SIP/2.0/UDP a;\"",
    ];
    for via in vias {
        for mut watch in houses() {
            let sent = watch.datagram(via, good.replace(own, via).as_bytes());
            let back = sent.iter().filter(|sent| !sent.message.is_request());
            assert!(
                back.into_iter().all(|sent| sent.flow.peer.ip().to_string() == "198.51.100.66"),
                "{via}"
            );
        }
    }
}

/// Class 9: a header that is not recognised for the blank before its colon (CVE-2020-28361): it is the same header.
#[test]
fn class_9_a_blank_before_the_colon_hides_nothing() {
    for blank in [" ", "\t", " \t  "] {
        for mut watch in houses() {
            let required = request("OPTIONS", &format!("Proxy-Require{blank}: foo\r\n"), "");
            assert_eq!(status_of(&watch.datagram(blank, &required)), Some(420), "{blank:?}");
        }
        let wire = format!(
            "OPTIONS sip:h SIP/2.0\r\nP-Asserted-Identity{blank}: <sip:a@b>\r\nX-Bypass{blank}: 1\r\n\r\n"
        );
        let message = Message::parse(wire).unwrap();
        assert!(message.has(Name::PAssertedIdentity));
        assert_eq!(message.rows_named("x-bypass").count(), 1);
        let without = message.edit().remove_all(Name::PAssertedIdentity).finish().unwrap();
        assert!(!String::from_utf8_lossy(without.wire()).contains("Asserted"));
    }
}

/// Class 10: control characters that one reader took for blanks and another did not: `To\x01:` is no To.
#[test]
fn class_10_a_control_character_is_no_blank() {
    let good = String::from_utf8(request("OPTIONS", "", "")).unwrap();
    for control in (0_u8..32).chain([127]).filter(|octet| !b"\t\n\r".contains(octet)) {
        let odd = good.replace("\r\nTo:", &format!("\r\nTo{}:", char::from(control)));
        for mut watch in houses() {
            let sent = watch.datagram("To with a control character", odd.as_bytes());
            assert!(matches!(status_of(&sent), None | Some(400)), "{control}");
        }
        let value = format!("<sip:a@b>{}", char::from(control));
        assert!(To::parse(value.as_bytes()).is_err(), "{control}");
    }
}

/// Class 12: credentials that end too soon (CVE-2023-28098): no proof, and nothing else.
#[test]
fn class_12_credentials_that_end_too_soon() {
    let whole = "Digest username=\"106\", realm=\"example.test\", nonce=\"n\\\"\", uri=\"sip:a\", response=\"0\", qop=auth, nc=00000001, cnonce=\"c\"";
    let mut bad: Vec<(&str, Vec<u8>)> = Vec::new();
    for name in ["Authorization", "Proxy-Authorization", "WWW-Authenticate", "Authentication-Info"]
    {
        for end in 0..whole.len() {
            bad.push((name, request("OPTIONS", &format!("{name}: {}\r\n", &whole[..end]), "")));
        }
        for odd in [
            "\"",
            "D",
            "Digest",
            "Digest =",
            "Digest a",
            "Digest a=",
            "Digest ,",
            "Digest a=\"",
            "Digest nc=\u{0}",
            "Digest a=b,,c=d",
        ] {
            bad.push((name, request("REGISTER", &format!("{name}: {odd}\r\n"), "")));
        }
    }
    for mut watch in houses() {
        for (name, octets) in &bad {
            watch.datagram(name, octets);
        }
        watch.assert_nothing_is_left();
    }
    assert!(Authorization::parse(b"Digest a=\"").is_err());
}

/// Class 15: addresses whose escapes ended too soon (CVE-2022-31001): read or refused, and compared without a fall.
#[test]
fn class_15_addresses_that_end_within_an_escape() {
    let uris = [
        "%",
        "sip:%",
        "sip:%0",
        "sip:%@h",
        "sip:a%0@h",
        "sip:a@h;b=%",
        "sip:a@h?b=%4",
        "sip:",
        "sip:@",
        "sip:a@",
        "sip::@h",
        "sips:",
        "tel:",
        "tel:%",
        "tel:+",
        "sip:a@h:",
        "sip:a@[",
        "sip:a@]",
        "sip:;lr",
        "sip:?a",
        "\u{0}:",
        ":",
        "sip:a@h;;",
        "sip:a@h;=",
    ];
    for uri in uris {
        let read = Uri::parse(uri.as_bytes());
        for other in uris {
            if let (Ok(a), Ok(b)) = (&read, &Uri::parse(other.as_bytes())) {
                assert_eq!(sip::uri::same(a, b), sip::uri::same(b, a), "{uri} {other}");
            }
        }
        for row in
            ["Contact: ", "Contact: <", "Route: <", "Refer-To: <", "Path: <", "To: <", "From: <"]
        {
            let close = if row.ends_with('<') { ">" } else { "" };
            for mut watch in houses() {
                watch.datagram(uri, &request("REGISTER", &format!("{row}{uri}{close}\r\n"), ""));
                watch.datagram(uri, &with_head("INVITE", uri, "", ""));
            }
        }
    }
}

/// Class 18: a known header with nothing in it (underflow in a Warning): read as nothing, or refused.
#[test]
fn class_18_known_headers_that_are_empty() {
    let names = [
        "Accept",
        "Accept-Contact",
        "Alert-Info",
        "Allow",
        "Authorization",
        "Call-Info",
        "Contact",
        "Content-Disposition",
        "Content-Encoding",
        "Content-Type",
        "Date",
        "Diversion",
        "Event",
        "Expires",
        "History-Info",
        "Identity",
        "In-Reply-To",
        "Max-Breadth",
        "Min-Expires",
        "Min-SE",
        "P-Asserted-Identity",
        "Path",
        "Privacy",
        "Proxy-Authorization",
        "Proxy-Require",
        "RAck",
        "Reason",
        "Record-Route",
        "Refer-To",
        "Replaces",
        "Require",
        "Retry-After",
        "Route",
        "Security-Client",
        "Session-Expires",
        "Session-ID",
        "SIP-If-Match",
        "Subscription-State",
        "Supported",
        "Timestamp",
        "Unsupported",
        "Via",
        "Warning",
        "X-Unknown",
    ];
    for mut watch in houses() {
        for name in names {
            for value in ["", " ", ",", ";", "\"\"", "<>", "=", "\r\n ", ",,", " \t "] {
                for method in ["OPTIONS", "REGISTER", "INVITE", "SUBSCRIBE"] {
                    watch.datagram(name, &request(method, &format!("{name}:{value}\r\n"), ""));
                }
            }
        }
        watch.assert_nothing_is_left();
    }
}

/// Class 58: text cut within a letter of several octets: no sample, wherever such a letter is put into it, stops us.
#[test]
fn class_58_letters_of_several_octets_anywhere() {
    let good = request(
        "INVITE",
        "Subject: s\r\nRoute: <sip:a;lr>\r\nUser-Agent: u\r\nReason: SIP;cause=1;text=\"t\"\r\n",
        "v=0",
    );
    for letter in ["\u{e9}", "\u{20ac}", "\u{1f4de}"] {
        for mut watch in houses() {
            for at in 0..=good.len() {
                let (before, after) = good.split_at(at);
                watch.datagram(letter, &[before, letter.as_bytes(), after].concat());
                watch.datagram(
                    letter,
                    &[before, &letter.as_bytes()[..1], after.get(1..).unwrap_or_default()].concat(),
                );
            }
            watch.assert_nothing_is_left();
        }
    }
}

/// Class 59: one message that ends the whole loop: after each sample that there is, as a datagram and on a stream, a good one is served.
#[test]
fn class_59_one_bad_one_good_over_every_sample() {
    let folders =
        ["cve-sip", "sip-rfc4475", "sip-rfc5118", "sip-fuzz", "sip-messages", "sip-captured"];
    let samples = samples(&folders);
    one_bad_one_good(samples.iter().map(|sample| (&*sample.name, sample.octets.clone())));
}

/// Class 6, 58: what a sample makes us forward, we and others can read again.
#[test]
fn class_6_what_is_forwarded_is_a_message() {
    for sample in samples(&["cve-sip", "sip-rfc4475", "sip-messages", "sip-captured"]) {
        let [_, mut trusting] = houses();
        for sent in trusting.datagram(&sample.name, &sample.octets) {
            let again = Message::parse(sent.message.wire().clone()).unwrap();
            assert_eq!(
                again.all_rows().count(),
                sent.message.all_rows().count(),
                "{}",
                sample.name
            );
        }
    }
}
