//! Traps 16 to 18: where a message begins and ends.

use offhook_tests::corpus::samples;
use offhook_tests::office::{Office, Phone, status, trusting};
use sip::stream::{Frame, Framer};
use sip::{Message, check};

/// Everything that comes out of a stream: messages as octets; `None` at the end when the stream was refused.
fn cut(segments: &[&[u8]]) -> Vec<Option<Vec<u8>>> {
    let (mut framer, mut found) = (Framer::default(), Vec::new());
    for segment in segments {
        framer.push(segment);
        loop {
            match framer.cut() {
                Ok(Some(Frame::Message(message))) => found.push(Some(message.wire().to_vec())),
                Ok(Some(Frame::Ping | Frame::Pong)) => {}
                Ok(None) => break,
                Err(_) => {
                    found.push(None);
                    return found;
                }
            }
        }
    }
    found
}

fn options(length: &str, body: &str) -> String {
    format!(
        "OPTIONS sip:example.test SIP/2.0\r\nVia: SIP/2.0/TCP 198.51.100.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n\
         To: <sip:example.test>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n{length}\r\n{body}"
    )
}

/// Trap 16: the largest datagram that there is, 65,507 octets, is one message. (That the kernel gives it to us whole:
/// `trap_16_the_largest_datagram_is_read_whole` in io/net.)
#[test]
fn trap_16_the_largest_datagram_is_read() {
    let empty = options("", "").len();
    let wire = options("", &"x".repeat(65_507 - empty));
    let message = Message::parse(wire).unwrap();
    assert_eq!((message.wire().len(), message.body().len()), (65_507, 65_507 - empty));
    assert!(check(&message).is_ok());
}

/// Trap 17: in a datagram the body runs to the end when nothing is said, what is behind its length is no part of it, and a body that is
/// too short is a 400.
#[test]
fn trap_17_what_a_length_means_in_a_datagram() {
    let body = |length: &str, body: &str| {
        Message::parse(options(length, body)).map(|message| message.body().to_vec())
    };
    assert_eq!(body("", "abc").unwrap(), b"abc");
    assert_eq!(body("Content-Length: 2\r\n", "abc").unwrap(), b"ab");
    assert_eq!(body("Content-Length: 0\r\n", "abc").unwrap(), b"");
    assert!(body("Content-Length: 4\r\n", "abc").is_err());
    for bad in ["-1", "0x3", "3 3", "18446744073709551617", "+3", "", "3;x", "three"] {
        assert!(body(&format!("Content-Length: {bad}\r\n"), "abc").is_err(), "{bad}");
    }
    let mut office = Office::new(trusting());
    let phone = Phone::udp(101);
    let long = options("Content-Length: 4\r\n", "abc");
    assert_eq!(status(&office.receive(phone.flow, long)), 400);
}

/// Trap 18: the ways to write a length that are right are understood on a stream, and the next message begins where it must.
#[test]
fn trap_18_a_length_may_be_written_in_many_ways() {
    let second = options("Content-Length: 0\r\n", "");
    for length in [
        "Content-Length: 4\r\n",
        "Content-Length : 4\r\n",
        "content-length\t:\t4 \r\n",
        "Content-Length:\r\n 4\r\n",
        "l: 4\r\n",
        "L:4\r\n",
        "Content-Length: 0004\r\n",
        "Content-Length: 4\r\nContent-Length: 4\r\n",
    ] {
        let first = options(length, "abcd");
        let found = cut(&[first.as_bytes(), second.as_bytes()]);
        let expected: Vec<_> = [&first, &second].map(|one| Some(one.clone().into_bytes())).into();
        // Twice the same is no message that we serve, but the next begins where it must, or nothing does.
        let twice = length.matches("4").count() > 1;
        assert!(found == expected || twice && found == [None], "{length:?}: {found:?}");
    }
}

/// Trap 18: what could be read in two ways ends the stream: nobody smuggles a request past one of two readers.
#[test]
fn trap_18_what_is_ambiguous_ends_the_stream() {
    for length in [
        "Content-Length: 4\r\nContent-Length: 5\r\n",
        "Content-Length: 4\r\nl: 0\r\n",
        "Content-Length: 4, 5\r\n",
        "Content-Length: -4\r\n",
        "Content-Length: +4\r\n",
        "Content-Length: 4294967300\r\n",
        "Content-Length: 18446744073709551620\r\n",
        "Content-Length: 0x4\r\n",
        "Content-Length: 4x\r\n",
        "X-Content-Length: 4\r\n",
        "",
    ] {
        let smuggled = options("Content-Length: 0\r\n", "");
        let found = cut(&[options(length, "abcd").as_bytes(), smuggled.as_bytes()]);
        assert_eq!(found, [None], "{length:?}");
    }
}

/// Trap 18: wherever the network cuts a stream, also within a line end, a keep-alive or a body, the same messages come out.
#[test]
fn trap_18_a_stream_may_be_cut_anywhere() {
    let first = options("Content-Length: 6\r\n", "a\r\n\r\nb");
    let stream = format!("\r\n\r\n{first}\r\n{}\r\n\r\n", options("l: 0\r\n", ""));
    let whole = cut(&[stream.as_bytes()]);
    assert_eq!(whole.len(), 2);
    for at in 0..stream.len() {
        let (before, after) = stream.as_bytes().split_at(at);
        assert_eq!(cut(&[before, after]), whole, "{at}");
    }
    let octets: Vec<_> = stream.as_bytes().chunks(1).collect();
    assert_eq!(cut(&octets), whole);
}

/// Trap 18: framer and reader agree about every sample that was ever made to hurt somebody: what the one cuts out, the other reads as
/// the same message, and nothing is left over.
#[test]
fn trap_18_framer_and_reader_are_of_one_mind() {
    let folders =
        ["cve-sip", "sip-rfc4475", "sip-rfc5118", "sip-fuzz", "sip-messages", "sip-captured"];
    for sample in samples(&folders) {
        for found in cut(&[&sample.octets]).into_iter().flatten() {
            let message =
                Message::parse(found.clone()).unwrap_or_else(|_| panic!("{}", sample.name));
            assert_eq!(message.wire().as_ref(), found, "{}", sample.name);
        }
    }
}
