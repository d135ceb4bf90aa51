//! §4: the transforms that everybody has, and how their keys are made.

use std::collections::HashSet;

use srtp::{Master, Refused, Suite};

use super::{
    COMMON, REPORT, SOUND, both, ends, hex, libsrtp, opened, packet, sealed, sealed_report,
};

/// AES in counter mode from an IV of salt, SSRC and index, HMAC-SHA1 over the packet and its rollover counter, keys from AES in counter mode with a
/// label each, once for all packets: libsrtp gets the same octets. "The keystream prefix MUST NOT be used for encryption": there is none.
/// Proves: rfc3711-4.1-1, rfc3711-4.1.1-1, rfc3711-4.1.1-3, rfc3711-4.1.1-4, rfc3711-4.2-1, rfc3711-4.2.1-1, rfc3711-4.2.1-2, rfc3711-4.2.1-3,
/// rfc3711-4.3.1-1, rfc3711-4.3.1-2, rfc3711-4.3.1-5, rfc3711-4.3.1-6, rfc3711-4.3.1-7, rfc3711-4.3.1-8, rfc3711-4.3.1-9, rfc3711-4.3.3-1.
#[test]
fn packets_and_reports_are_those_of_libsrtp() {
    let (mut sender, _) = both(&libsrtp());
    assert_eq!(sealed(&mut sender, hex(SOUND.0)), hex(SOUND.1));
    sealed_report(&mut sender, hex(REPORT.0));
    assert_eq!(sealed_report(&mut sender, hex(REPORT.0)), hex(REPORT.1));
}

/// A stranger's packets around the edge, the second of them in the second round and of three blocks: "the block indices are in increasing order".
/// "The key derivation function SHALL initially be invoked before the first packet", and "for a key_derivation_rate of 0 … exactly once": both
/// rounds have the same keys.
/// Proves: rfc3711-4.1.1-2, rfc3711-4.3.1-3, rfc3711-4.3.1-4, rfc3711-4.3.1-11.
#[test]
fn blocks_follow_each_other_and_keys_stay_over_the_edge() {
    let (key, salt) = ("1bb09b07f38fd149659f9ec8daa2ec8b", "e68e51569ef7d150eb328b573392");
    let (mut sender, mut receiver) = both(&Master::of(COMMON, &hex(key), &hex(salt)).unwrap());
    for (plain, wire) in [
        (
            "8000ffff268ac4a9501f65f3e415f0114046a64c4b75581456124a56948270ba",
            "8000ffff268ac4a9501f65f3924f01fa261db2ebe803f9bd23bc86d71bc512bf88464da60b1c0ec13894",
        ),
        (
            "80000001381382a0501f65f330c77b59ac12bdd0f164ac13b0cd704cfb717dc706d258ee0dded4824a756fb536",
            "80000001381382a0501f65f3963e6b99700e4c6d97015c7a98013f11fa5d43de705816e79ed9f9aa71098146b89747b57f3a9594ce18ab",
        ),
    ] {
        assert_eq!(sealed(&mut sender, hex(plain)), hex(wire));
        assert_eq!(opened(&mut receiver, &hex(wire)), Ok(hex(plain)));
    }
}

/// "For a particular Counter Mode key, each IV value used as an input MUST be distinct"; "the combination of the SRTP packet index of ROC || SEQ, and the
/// SSRC … are distinct for any particular key": no key stream hides two packets, nor sound and a report, and no number is protected twice.
/// Proves: rfc3711-4.1.1-6, rfc3711-4.1.1-7, rfc3711-9.1-1, rfc3711-9.2-6.
#[test]
fn no_key_stream_is_used_twice() {
    for suite in Suite::ALL {
        let (mut sender, _) = ends(suite, 0);
        let mut streams = HashSet::new();
        // 64 octets of nothing show the key stream; two rounds of two sources.
        for sequence in (0..=u16::MAX).chain(0..=u16::MAX).step_by(1_021) {
            for ssrc in [7, 8] {
                let wire = sealed(&mut sender, packet(sequence, ssrc, &[0; 64]));
                assert!(streams.insert(wire[12..28].to_vec()), "{suite:?} {sequence} {ssrc}");
                let again = sender.protect(&mut packet(sequence, ssrc, b"other"));
                assert_eq!(again, Err(Refused::Replayed));
            }
        }
        for _ in 0..100 {
            let report = [vec![0x80, 201, 0, 17, 0, 0, 0, 7], vec![0; 64]].concat();
            let wire = sealed_report(&mut sender, report);
            assert!(streams.insert(wire[8..24].to_vec()), "{suite:?}");
        }
    }
}

/// "otherwise, it is invalid and the error audit message "AUTHENTICATION FAILURE" MUST be returned."
/// Proves: rfc3711-4.2-3.
#[test]
fn a_tag_that_is_not_right_is_said_so() {
    for suite in Suite::ALL {
        let (mut sender, mut receiver) = ends(suite, 0);
        let wire = sealed(&mut sender, packet(1, 7, b"sound"));
        for at in wire.len() - suite.tag_octets()..wire.len() {
            let mut forged = wire.clone();
            forged[at] ^= 0x10;
            assert_eq!(opened(&mut receiver, &forged), Err(Refused::Forged), "{suite:?} {at}");
        }
    }
}
