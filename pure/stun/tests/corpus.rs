//! Every datagram of the corpus: vectors of RFC 5769, what has crashed others, and what fuzzers of others have found.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test, and it reads the corpus from disk"
)]

use std::path::PathBuf;

use offhook_stun::{answer, looks_like_stun};

/// Binding requests among the vectors, and what is answered: 1 for success, 0x11 for an error.
const ANSWERED: [(&str, u8); 8] = [
    ("rfc5769-2.1.bin", 1),
    ("rfc5769-2.4.bin", 1),
    ("good-sha1.bin", 1),
    ("mi-last-byte.bin", 1),
    ("attr-after-mi-ignored.bin", 1),
    ("unknown-required-attr.bin", 0x11),
    ("username-nul.bin", 1),
    ("dup-mi.bin", 1),
];

fn corpus(folder: &str) -> Vec<(String, Vec<u8>)> {
    let shared = std::env::var("OFFHOOK_SHARED").map_or_else(
        |_| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let Ok(entries) = std::fs::read_dir(shared.join("corpus").join(folder)) else {
        let missing = format!("no corpus {folder}");
        assert!(std::env::var_os("OFFHOOK_REQUIRE_SAMPLES").is_none(), "{missing}");
        println!("skipped: {missing}");
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    let datagrams = paths.filter(|path| path.extension().is_some_and(|kind| kind != "tsv"));
    let mut all: Vec<_> = datagrams
        .map(|path| {
            (path.file_name().unwrap().display().to_string(), std::fs::read(&path).unwrap())
        })
        .collect();
    all.sort();
    all
}

#[test]
fn vectors_are_answered_as_they_should_be() {
    for (name, octets) in corpus("stun-vectors") {
        let answer = answer(&octets, "192.0.2.1:32853".parse().unwrap());
        if let Some((_, kind)) = ANSWERED.iter().find(|(known, _)| *known == name) {
            assert_eq!(answer.expect(&name)[1], *kind, "{name}");
        } else if let Some(answer) = answer {
            assert!(answer.len() <= 3 * octets.len(), "{name}");
        }
    }
}

#[test]
fn what_must_be_silence_is_silence() {
    let silent = ["fp-wrong.bin", "len-larger-than-datagram.bin", "class-bits-indication.bin"];
    let all = corpus("stun-vectors").into_iter().filter(|(name, _)| silent.contains(&&**name));
    for (name, octets) in all.chain(corpus("cve-stun")) {
        let answer = answer(&octets, "192.0.2.1:9".parse().unwrap());
        // What is no message integrity does not matter here: nobody asks for any.
        let harmless = name == "webrtc-rs-short-mac.bin";
        assert!(answer.is_none() || harmless, "{name}");
        assert!(looks_like_stun(&octets), "{name}");
    }
}

#[test]
fn nothing_that_others_have_found_is_worth_reflecting() {
    for (name, octets) in corpus("stun") {
        let answer = answer(&octets, "[2001:db8::1]:9".parse().unwrap());
        assert!(answer.is_none_or(|answer| answer.len() <= 3 * octets.len()), "{name}");
    }
}
