//! Classes 1, 11, 14, 17 and 23: how long things are, and how long they say they are.

use offhook_tests::corpus::samples;
use sip::stream::Framer;
use sip::{Bytes, Message};

use crate::watch::{houses, one_bad_one_good, request, status_of};

/// Class 1: a buffer on the stack for a token of the peer's (CVE-2017-9372): tokens of 64 kilobytes, with and without the branch that
/// RFC 2543 did not have.
#[test]
fn class_1_tokens_of_64_kilobytes() {
    let good = String::from_utf8(request("OPTIONS", "", "")).unwrap();
    let long = "a".repeat(60_000);
    let branch = good.split("branch=").nth(1).unwrap().split('\r').next().unwrap().to_owned();
    let ways = [
        good.replace("1 OPTIONS", &format!("1 {long}")),
        good.replace("OPTIONS", &long),
        good.replace(&branch, &format!("z9hG4bK{long}")),
        good.replace(&format!(";branch={branch}"), &format!(";{long}")),
        good.replace(&format!(";branch={branch}"), "")
            .replace("Call-ID: bad", &format!("Call-ID: {long}")),
        good.replace(";tag=m", &format!(";tag={long}")),
        good.replace("sip:102@example.test SIP", &format!("sip:{long}@example.test SIP")),
        good.replace("UDP 198", &format!("{long} 198")),
    ];
    one_bad_one_good(ways.map(|way| ("a long token", way.into_bytes())));
    let [mut watch, _] = houses();
    let sent = watch.datagram("CSeq", good.replace("1 OPTIONS", &format!("1 {long}")).as_bytes());
    assert_eq!(status_of(&sent), Some(400));
}

/// Class 11: lengths that wrap, have a sign, or say two things (CVE-2023-28097): 400, and a stream ends there.
#[test]
fn class_11_lengths_that_lie() {
    let good = String::from_utf8(request("OPTIONS", "", "")).unwrap();
    for length in [
        "-1",
        "+1",
        "4294967296",
        "4294967295",
        "2147483648",
        "18446744073709551615",
        "18446744073709551616",
        "9223372036854775808",
        "0x10",
        "1e3",
        "1 1",
        "1,1",
        "\u{661}",
        "",
        " ",
        "1;a",
        "9999999999999999999999999999999999999999",
    ] {
        let bad = good.replace("Content-Length: 0", &format!("Content-Length: {length}"));
        for mut watch in houses() {
            assert_eq!(status_of(&watch.datagram(length, bad.as_bytes())), Some(400), "{length:?}");
            watch.stream(length, bad.as_bytes());
        }
        let mut framer = Framer::default();
        framer.push(bad.as_bytes());
        assert!(framer.cut().is_err(), "{length:?}");
    }
}

/// Class 14: messages of one octet, and of every other number of octets up to the whole.
#[test]
fn class_14_every_beginning_of_every_sample() {
    for sample in
        samples(&["cve-sip", "sip-rfc4475", "sip-rfc5118", "sip-messages", "sip-captured"])
    {
        let octets = Bytes::from(sample.octets);
        // Of the longest, as much as holds all that there is to stumble over, and some from further on.
        let ends = (0..=octets.len().min(1_200)).chain((1_200..octets.len()).step_by(997));
        for end in ends {
            let part = octets.slice(..end);
            if let Ok(message) = Message::parse(part.clone()) {
                let _ = sip::check(&message);
            }
            let mut framer = Framer::default();
            framer.push(&part);
            while let Ok(Some(_)) = framer.cut() {}
        }
    }
    let whole =
        request("INVITE", "Route: <sip:a;lr>\r\nAuthorization: Digest a=\"b\"\r\n", "v=0\r\n");
    one_bad_one_good((0..whole.len()).map(|end| ("a beginning", whole[..end].to_vec())));
}

/// Class 17: names of 4 kilobytes in places that others copied into 256 octets: served, and written back whole.
#[test]
fn class_17_long_names_are_written_back_whole() {
    let good = String::from_utf8(request("OPTIONS", "", "")).unwrap();
    let long = "i".repeat(4_096);
    for (from, to) in [
        ("Call-ID: bad", format!("Call-ID: {long}")),
        (";tag=m", format!(";tag={long}")),
        ("<sip:106@example", format!("<sip:{long}@example")),
        ("branch=z9hG4bK", format!("branch=z9hG4bK{long}")),
    ] {
        for mut watch in houses() {
            let sent = watch.datagram(from, good.replace(from, &to).as_bytes());
            let answer = sent.iter().find(|sent| !sent.message.is_request());
            if let Some(answer) = answer {
                assert!(String::from_utf8_lossy(answer.message.wire()).contains(&long), "{from}");
            }
            watch.assert_nothing_is_left();
        }
    }
}
