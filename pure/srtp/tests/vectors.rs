//! Known answers: packets of libsrtp, RFC 7714 and RFC 6188 protected and opened, and sequences with replays, forgeries and rollovers.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test, and it reads the corpus from disk"
)]

use std::path::PathBuf;

use offhook_srtp::{Master, Receiver, Refused, Sender, Suite};
use serde_json::Value;

/// A file of the corpus; an empty list and a word about it when the corpus is not there.
fn read(folder: &str, name: &str) -> Vec<Value> {
    let Ok(text) = std::fs::read(corpus().join(folder).join(name)) else {
        let missing = format!("no corpus at {} (set OFFHOOK_SHARED)", corpus().display());
        assert!(std::env::var_os("OFFHOOK_REQUIRE_SAMPLES").is_none(), "{missing}");
        println!("skipped: {missing}");
        return Vec::new();
    };
    let all: Vec<Value> = serde_json::from_slice(&text).unwrap();
    assert!(!all.is_empty());
    all
}

fn corpus() -> PathBuf {
    let shared = std::env::var_os("OFFHOOK_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    shared.join("corpus")
}

fn octets(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

fn master(of: &Value) -> Master {
    let suite = Suite::named(of["suite"].as_str().unwrap()).unwrap();
    Master::of(suite, &octets(&of["master_key"]), &octets(&of["master_salt"])).unwrap()
}

/// Those that begin with a master key and hide what we hide: RFC 6904 hides header extensions too, by a line of its own in SDP that we do not speak. The rest
/// are steps on the way, which the sequences go too.
const OURS: [&str; 2] = ["rtp", "rtcp"];

#[test]
fn packets_are_protected_as_others_do_and_opened_again() {
    for vector in read("srtp-vectors", "vectors.json") {
        let kind = vector["kind"].as_str().unwrap();
        if !OURS.contains(&kind) {
            continue;
        }
        let master = master(&vector);
        let (plain, secret) = (octets(&vector["plain"]), octets(&vector["protected"]));
        let (mut sender, mut receiver) =
            (Sender::new(&master).unwrap(), Receiver::new(&master).unwrap());
        let (mut there, mut back) = (plain.clone(), secret.clone());
        match kind {
            "rtp" => {
                sender.protect(&mut there).unwrap();
                receiver.open(&mut back).unwrap();
            }
            _ => {
                assert_eq!((kind, &vector["index"]), ("rtcp", &Value::from(1)));
                sender.protect_report(&mut plain.clone()).unwrap();
                sender.protect_report(&mut there).unwrap();
                receiver.open_report(&mut back).unwrap();
            }
        }
        assert_eq!(there, secret, "{}", vector["id"]);
        assert_eq!(back, plain, "{}", vector["id"]);
    }
}

#[test]
fn sequences_are_opened_in_their_order_and_what_is_wrong_changes_nothing() {
    for sequence in read("srtp-vectors", "sequences.json") {
        let mut receiver = Receiver::new(&master(&sequence)).unwrap();
        for step in sequence["steps"].as_array().unwrap() {
            let mut packet = octets(&step["protected"]);
            let opened = match step["kind"].as_str().unwrap() {
                "rtp" => receiver.open(&mut packet),
                _ => receiver.open_report(&mut packet),
            };
            let expect = step["expect"].as_str().unwrap();
            let what = format!("{}: {}", sequence["id"], step);
            let as_wanted = match expect.split([' ', ':']).next().unwrap() {
                "ok" => opened == Ok(()),
                "replay" => opened == Err(Refused::Replayed),
                // With another number it may be too old to be looked at.
                "auth" => matches!(opened, Err(Refused::Forged | Refused::Replayed)),
                _ => opened == Err(Refused::Short),
            };
            assert!(as_wanted, "{opened:?}: {what}");
            if opened.is_ok() && step["plain"].is_string() {
                assert_eq!(packet, octets(&step["plain"]), "{what}");
            }
        }
    }
}

/// Bug class 31: no octets make a length run under or over.
#[test]
fn octets_that_others_fell_over_are_refused() {
    let Ok(files) = std::fs::read_dir(corpus().join("srtp-fuzz")) else { return };
    let masters: Vec<_> =
        Suite::ALL.map(|suite| Master::new(suite, &[7; 46][..Master::octets(suite)])).into();
    for file in files {
        let file = std::fs::read(file.unwrap().path()).unwrap();
        for master in masters.iter().flatten() {
            let mut receiver = Receiver::new(master).unwrap();
            for end in 0..=file.len().min(200) {
                assert!(receiver.open(&mut file[..end].to_vec()).is_err());
                assert!(receiver.open_report(&mut file[..end].to_vec()).is_err());
            }
        }
    }
}
