//! The corpus of streams beside the project: segments as they may come on a connection, and how many messages are in them.

use std::path::{Path, PathBuf};

use offhook_sip::check;
use offhook_sip::stream::{Frame, Framer};
use serde_json::Value;

/// A case: its name, its segments, how many messages, and whether the connection ends because of what came.
struct Case {
    name: String,
    segments: Vec<Vec<u8>>,
    messages: u64,
    refused: bool,
}

impl Case {
    fn read(case: &Value) -> Option<Self> {
        let expect = case.get("expect")?;
        let connection = expect.get("connection")?.as_str()?;
        let segments = case.get("chunks")?.as_array()?.iter();
        Some(Self {
            name: case.get("name")?.as_str()?.to_owned(),
            segments: segments.map(|segment| base64(segment.as_str()?)).collect::<Option<_>>()?,
            messages: expect.get("messages")?.as_u64()?,
            // On the others nothing but time may end it.
            refused: connection.contains("closed") && !connection.contains("timeout"),
        })
    }
}

#[test]
fn each_stream_holds_as_many_messages_as_its_index_says() {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("OFFHOOK_SHARED").map_or_else(beside, PathBuf::from);
    let Ok(text) = std::fs::read_to_string(root.join("corpus/sip-stream/cases.json")) else {
        let missing =
            format!("{}/corpus/sip-stream is not there (set OFFHOOK_SHARED)", root.display());
        assert!(std::env::var_os("OFFHOOK_REQUIRE_SAMPLES").is_none(), "{missing}");
        println!("skipped: {missing}");
        return;
    };
    let Value::Array(cases) = serde_json::from_str(&text).unwrap() else { panic!("no list") };
    assert!(!cases.is_empty());
    for case in cases {
        let case = Case::read(&case).unwrap();
        assert_eq!(outcome(&case.segments), (case.messages, case.refused), "{}", case.name);
    }
}

/// How many good messages come out, and whether the stream ends in an error or in a message that gets a 400.
fn outcome(segments: &[Vec<u8>]) -> (u64, bool) {
    let (mut framer, mut messages) = (Framer::default(), 0);
    for segment in segments {
        framer.push(segment);
        loop {
            match framer.cut() {
                Ok(Some(Frame::Message(message))) if check(&message).is_ok() => messages += 1,
                Ok(Some(Frame::Ping | Frame::Pong)) => {}
                Ok(None) => break,
                Ok(Some(Frame::Message(_))) | Err(_) => return (messages, true),
            }
        }
    }
    (messages, false)
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut octets, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        let digit = digits.iter().position(|other| *other == letter)?;
        (bits, count) = (bits << 6 | digit as u32, count + 6);
        if count >= 8 {
            count -= 8;
            octets.push((bits >> count) as u8);
        }
    }
    Some(octets)
}
