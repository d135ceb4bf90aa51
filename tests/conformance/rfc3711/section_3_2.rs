//! §3.2: cryptographic contexts, and which packet belongs to which.

use srtp::{Refused, limits};

use super::{COMMON, ends, opened, opened_report, packet, report, sealed, sealed_report};

/// "A cryptographic context SHALL be uniquely identified by the triplet" of SSRC, address and port: a pair of sockets has its own keys, and
/// within them each SSRC its own state. "separate replay lists and packet counters for each stream (SSRC) MUST still be maintained"; "separate
/// SRTP indices MUST then be maintained."
/// Proves: rfc3711-3.2.1-8, rfc3711-3.2.1-9, rfc3711-3.2.3-1.
#[test]
fn each_source_is_counted_by_itself() {
    let (mut sender, mut here) = ends(COMMON, 0);
    let (_, mut there) = ends(COMMON, 1);
    let one = sealed(&mut sender, packet(65_535, 1, b"one"));
    let other = sealed(&mut sender, packet(65_535, 2, b"other"));
    assert_eq!(opened(&mut there, &one), Err(Refused::Forged));
    assert!(opened(&mut here, &one).is_ok() && opened(&mut here, &other).is_ok());
    // One goes into its second round; the other begins again with a number that it had, and is refused.
    let round = sealed(&mut sender, packet(0, 1, b"one"));
    assert!(opened(&mut here, &round).is_ok());
    assert_eq!(sender.protect(&mut packet(65_535, 2, b"other")), Err(Refused::Replayed));
    let late = sealed(&mut sender, packet(65_534, 2, b"late"));
    assert!(opened(&mut here, &late).is_ok());
    let reports = [1, 2].map(|ssrc| sealed_report(&mut sender, report(ssrc)));
    assert!(reports.iter().all(|wire| wire[16..20] == [0x80, 0, 0, 0]), "{reports:?}");
    assert!(reports.iter().all(|wire| opened_report(&mut here, wire).is_ok()));
}

/// "If no valid context can be found for a packet corresponding to a certain context identifier, that packet MUST be discarded."
/// Proves: rfc3711-3.2.3-2.
#[test]
fn who_has_no_context_is_not_let_in() {
    let (mut sender, mut receiver) = ends(COMMON, 0);
    let (mut strangers, _) = ends(COMMON, 1);
    let stranger = sealed(&mut strangers, packet(1, 1, b"whoever"));
    assert_eq!(opened(&mut receiver, &stranger), Err(Refused::Forged));
    for ssrc in 0..limits::SOURCES as u32 {
        let wire = sealed(&mut sender, packet(1, ssrc, b"sound"));
        assert!(opened(&mut receiver, &wire).is_ok());
    }
    let (mut again, _) = ends(COMMON, 0);
    let more = sealed(&mut again, packet(1, 99, b"sound"));
    assert_eq!(opened(&mut receiver, &more), Err(Refused::TooManySources));
}
