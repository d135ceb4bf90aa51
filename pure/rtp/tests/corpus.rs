//! The shared corpus: broken packets are refused, and no prefix of any packet makes a parser panic.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test, and it reads the corpus from disk"
)]

use std::path::PathBuf;

use offhook_rtp::{Event, Kind, Packet, rtcp};

/// Every file of one folder of the corpus with its name; `None` and a word about it when the corpus is not there.
fn folder(name: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let shared = std::env::var_os("OFFHOOK_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let folder = shared.join("corpus").join(name);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        let missing = format!("no corpus at {} (set OFFHOOK_SHARED)", folder.display());
        assert!(std::env::var_os("OFFHOOK_REQUIRE_SAMPLES").is_none(), "{missing}");
        println!("skipped: {missing}");
        return None;
    };
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension != "tsv"))
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                std::fs::read(&path).unwrap(),
            )
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    Some(files)
}

#[test]
fn broken_rtp_is_dropped() {
    for (name, octets) in folder("cve-rtp").unwrap_or_default() {
        match (name.as_str(), Packet::parse(&octets)) {
            // RTP well-formed, payload not: the payload's reader says no.
            ("dtmf-3-bytes.bin", packet) => {
                assert!(Event::parse(packet.unwrap().payload).is_err(), "{name}")
            }
            // H.264 (RFC 6184): no payload type of ours, so the media stream drops it (tested there).
            ("h264-stapa-over.bin", packet) => {
                assert_eq!(packet.unwrap().payload_type, 96, "{name}")
            }
            (_, packet) => assert!(packet.is_err(), "{name}: {packet:?}"),
        }
    }
}

#[test]
fn broken_rtcp_is_dropped() {
    for (name, octets) in folder("cve-rtcp").unwrap_or_default() {
        assert_eq!(Kind::of(&octets), Kind::Rtcp, "{name}");
        let read = rtcp::parse(&octets);
        assert!(read.is_err(), "{name}: {read:?}");
    }
}

#[test]
fn captured_rtcp_is_read_and_writes_back() {
    for (name, octets) in folder("rtcp").unwrap_or_default() {
        let packets = rtcp::parse(&octets).unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
        assert_eq!(rtcp::write(&packets), without_reserved_bits(octets), "{name}");
    }
}

/// RFC 3611 §2: the five bits after the padding bit of an XR packet are reserved; we send them as 0, whatever came.
fn without_reserved_bits(mut octets: Vec<u8>) -> Vec<u8> {
    let mut at = 0;
    while let Some([first, kind, high, low]) = octets.get_mut(at..at + 4) {
        if *kind == 207 {
            *first &= 0b1110_0000;
        }
        at += 4 * (1 + usize::from(u16::from_be_bytes([*high, *low])));
    }
    octets
}

#[test]
fn no_prefix_of_anything_panics() {
    for name in ["rtcp", "rtp-seeds", "cve-rtp", "cve-rtcp"] {
        for (_, octets) in folder(name).unwrap_or_default() {
            (0..=octets.len()).for_each(|end| read_from_every_start(octets.get(..end).unwrap()));
        }
    }
}

fn read_from_every_start(octets: &[u8]) {
    for start in 0..=octets.len().min(20) {
        let part = octets.get(start..).unwrap();
        let _ = (Kind::of(part), rtcp::parse(part), Event::parse(part).map(Iterator::count));
        let _ = Packet::parse(part);
    }
}
