//! Every sample of hostile DNS answers goes through the reader, and any octets at all.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use protocol::locate::{Domain, Found, Kind, Lookup};

use super::zone::Zone;
use crate::wire::{Edns, Reply, query, read};

fn lookup(name: &str, kind: Kind) -> Lookup {
    Lookup { name: Domain::of(name).unwrap(), kind }
}

fn shared() -> PathBuf {
    match std::env::var_os("OFFHOOK_SHARED") {
        Some(path) => path.into(),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
    }
}

/// Class 61 of the known mistakes: parsers of DNS answers that loop.
#[test]
fn class_61_every_sample_is_read_and_none_that_is_broken_is_believed() {
    let mut read_ones = 0;
    for folder in ["dns", "cve-dns"] {
        let Ok(index) = fs::read_to_string(shared().join("corpus").join(folder).join("INDEX.tsv"))
        else {
            let missing = format!("no corpus at {}", shared().display());
            assert!(std::env::var_os("OFFHOOK_REQUIRE_SAMPLES").is_none(), "{missing}");
            println!("skipped: {missing}");
            continue;
        };
        for line in index.lines().skip(1) {
            let columns: Vec<&str> = line.split('\t').collect();
            let octets = fs::read(shared().join("corpus").join(folder).join(columns[0])).unwrap();
            read_ones += 1;
            let id = u16::from_be_bytes([octets[0], octets[1]]);
            let asked =
                [lookup("_sip._udp.example.com", Kind::Srv), lookup("sip.pjsip.org", Kind::A)];
            let replies: Vec<Reply> =
                asked.iter().map(|lookup| read(&octets, id, lookup)).collect();
            if columns[4] == "reject" {
                assert_eq!(replies, [Reply::Useless, Reply::Strange], "{}", columns[0]);
            } else {
                assert!(
                    matches!(&replies[1], Reply::Answer(Found::Records(records), _) if records.len() == 1)
                );
            }
        }
    }
    println!("{read_ones} samples");
}

proptest! {
    #[test]
    fn any_octets_are_read(octets in proptest::collection::vec(any::<u8>(), 0..600)) {
        read(&octets, 1, &lookup("a.test", Kind::Srv));
    }

    /// An answer with some octets changed is an answer, or none; the reader does not care which.
    #[test]
    fn damaged_answers_are_read(damage in proptest::collection::vec((0_usize..300, any::<u8>()), 1..8)) {
        let zone = Zone::of(
            "a.test 60 NAPTR 1 1 s SIP+D2U x _sip._udp.a.test
             a.test 60 NAPTR 2 1 s SIPS+D2T x _sips._tcp.a.test
             b.test 60 CNAME c.test\nc.test 60 SRV 1 2 3 d.test\nc.test 60 SRV 1 2 3 e.test",
        );
        for (name, kind) in [("a.test", Kind::Naptr), ("b.test", Kind::Srv), ("none.test", Kind::A)] {
            let mut octets = zone.answer(&query(9, &lookup(name, kind), Edns::Yes).unwrap());
            for (at, value) in &damage {
                if let Some(octet) = octets.get_mut(*at) {
                    *octet = *value;
                }
            }
            read(&octets, 9, &lookup(name, kind));
        }
    }
}
