//! Classes 2, 4, 5, 13, 16 and 19: bodies, which a proxy carries and others read.

use offhook_tests::corpus::samples;
use sdp::Description;
use sip::Message;

use crate::watch::{one_bad_one_good, request};

/// A multipart body in so many others.
fn nested(depth: usize) -> String {
    (0..depth).fold("--b\r\n\r\ninside\r\n--b--".to_owned(), |inside, level| {
        format!("--x{level}\r\nContent-Type: multipart/mixed;boundary=\"x{}\"\r\n\r\n{inside}\r\n--x{level}--", level.max(1) - 1)
    })
}

/// Class 2: boundaries that are odd, missing, or longer than what they bound (CVE-2022-21723); 200 bodies in each other.
#[test]
fn class_2_odd_boundaries() {
    let mut bad = Vec::new();
    for boundary in [
        "",
        "\"\"",
        "b",
        "\"b",
        "b b",
        "-",
        "--",
        "\u{0}",
        &"b".repeat(5_000),
        "\"\\\"\"",
        "b;boundary=c",
    ] {
        for body in [
            "",
            "-",
            "--",
            "--b",
            "--b\r",
            "--b--",
            "--b\r\n--b",
            "b",
            "\r\n--b\r\n\r\n--b--\r\n",
            "--b\r\nA\r\n\r\nx",
            "--b\n\nx\n--b--",
        ] {
            let row = format!("Content-Type: multipart/mixed;boundary={boundary}\r\n");
            let wire = request("MESSAGE", &row, body);
            if let Ok(message) = Message::parse(wire.clone()) {
                let parts = message.content().map(|content| {
                    content.parts().map(|parts| parts.map_or(0, |parts| parts.len()))
                });
                assert!(
                    parts.is_none_or(|parts| parts.is_err() || parts.is_ok_and(|parts| parts < 40))
                );
            }
            bad.push(("a boundary", wire));
        }
    }
    for depth in [1, 8, 9, 200] {
        let row = format!("Content-Type: multipart/mixed;boundary=\"x{}\"\r\n", depth.max(1) - 1);
        bad.push(("nested", request("INVITE", &row, &nested(depth))));
    }
    one_bad_one_good(bad.iter().map(|(name, wire)| (*name, wire.clone())));
}

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nb=AS:64\r\nt=0 0\r\nm=audio 30000/2 RTP/AVP 0 101\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=maxptime:40\r\na=rtcp:30001\r\na=sendrecv\r\n";

/// Class 4: a NUL in an attribute (AST-2018-003).
#[test]
fn class_4_a_nul_in_a_description() {
    for at in 0..OFFER.len() {
        let (before, after) = OFFER.split_at(at);
        let with = format!("{before}\0{after}");
        if let Ok(read) = Description::parse(with.as_bytes()) {
            assert!(Description::parse(&read.write()).is_ok(), "{at}: what is written reads back");
        }
    }
}

/// Class 5: numbers at the edges of what a register holds (CVE-2018-1000098, CVE-2026-41416), in every place that has one.
#[test]
fn class_5_every_number_at_every_edge() {
    let numbers: Vec<_> =
        OFFER.match_indices(|c: char| c.is_ascii_digit()).map(|(at, _)| at).collect();
    for at in numbers {
        for edge in [
            "-1",
            "0",
            "255",
            "256",
            "32768",
            "65535",
            "65536",
            "2147483647",
            "2147483648",
            "4294967295",
            "4294967296",
            "9223372036854775808",
            "18446744073709551616",
            "99999999999999999999999999999999",
            "0x7f",
            "1e9",
            "",
        ] {
            let end = at + OFFER[at..].find(|c: char| !c.is_ascii_digit()).unwrap();
            let with = format!("{}{edge}{}", &OFFER[..at], &OFFER[end..]);
            let Ok(read) = Description::parse(with.as_bytes()) else { continue };
            for media in &read.media {
                assert!(media.ptime().is_none_or(|ptime| ptime > 0 || edge == "0"), "{edge}");
                let _ = (media.maxptime(), media.rtpmap(101), media.fmtp(101), media.rtcp());
                assert!(media.payload_types().count() <= 128);
            }
            assert!(Description::parse(&read.write()).is_ok(), "{with}");
        }
    }
}

/// Class 13: bodies that others read with fixed buffers (message-summary, PIDF, dialog-info, sipfrag): we carry them as octets.
#[test]
fn class_13_bodies_that_we_do_not_read() {
    let long = "x".repeat(20_000);
    let bodies = [
        (
            "application/simple-message-summary",
            format!("Messages-Waiting: yes\r\nMessage-Account: sip:{long}@a\r\n"),
        ),
        (
            "application/simple-message-summary",
            "Voice-Message: 99999999999/-1 (%n/%s)\r\n".to_owned(),
        ),
        (
            "application/pidf+xml",
            format!("<?xml version=\"1.0\"?><presence entity=\"{long}\"><tuple"),
        ),
        (
            "application/dialog-info+xml",
            "<!DOCTYPE x [<!ENTITY a \"&a;&a;\">]><x>&a;</x>".to_owned(),
        ),
        ("message/sipfrag", format!("SIP/2.0 200 {long}\r\nX")),
        ("message/sipfrag", "SIP/2.0".to_owned()),
    ];
    let bad = bodies.map(|(kind, body)| {
        ("a body", request("NOTIFY", &format!("Content-Type: {kind}\r\n"), &body))
    });
    one_bad_one_good(bad);
}

/// Class 16: descriptions that end too soon (CVE-2022-31003; `v=\nv=0`): every beginning, every line left out, every line twice.
#[test]
fn class_16_descriptions_with_parts_left_out() {
    let lines: Vec<&str> = OFFER.split_inclusive("\r\n").collect();
    let mut ways: Vec<String> = (0..OFFER.len()).map(|end| OFFER[..end].to_owned()).collect();
    for at in 0..lines.len() {
        let without: String =
            lines.iter().enumerate().filter(|(nth, _)| *nth != at).map(|(_, line)| *line).collect();
        let twice: String = lines
            .iter()
            .enumerate()
            .map(|(nth, line)| line.repeat(1 + usize::from(nth == at)))
            .collect();
        ways.extend([without, twice, lines[at].to_owned(), lines[at][..2].to_owned()]);
    }
    ways.extend(
        ["v=\nv=0", "v=0\n", "=", "m=", "m=audio", "c=", "a=", "v=0\r\nm=audio 0 RTP/AVP\r\n"]
            .map(str::to_owned),
    );
    for way in ways {
        if let Ok(read) = Description::parse(way.as_bytes()) {
            assert!(Description::parse(&read.write()).is_ok(), "{way}");
        }
    }
}

/// Class 19: parts of a description that others copied into small arrays: the media type, the address, ICE's fragments.
#[test]
fn class_19_long_parts_of_a_description() {
    for length in [256, 1_024, 20_000] {
        let long = "9".repeat(length);
        for (from, to) in [
            ("m=audio", format!("m={long}")),
            ("RTP/AVP", long.clone()),
            ("IN IP4 192.0.2.1\r\nb", format!("IN IP4 {long}\r\nb")),
            (
                "a=sendrecv",
                format!(
                    "a=ice-ufrag:{long}\r\na=ice-pwd:{long}\r\na=candidate:{long} 1 UDP 1 {long} 9 typ host"
                ),
            ),
            ("telephone-event", long.clone()),
            ("o=-", format!("o={long}")),
        ] {
            let with = OFFER.replacen(from, &to, 1);
            if let Ok(read) = Description::parse(with.as_bytes()) {
                assert!(Description::parse(&read.write()).is_ok(), "{from}");
            }
        }
    }
    for sample in samples(&["sdp"]) {
        let _ = Description::parse(&sample.octets);
    }
}
