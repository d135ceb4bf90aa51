//! §5: what everybody has, and how long it is.

use srtp::{Master, Suite};

use super::{COMMON, REPORT, SOUND, both, hex, libsrtp, sealed, sealed_report};

/// AES in counter mode with keys of 128 bits and salts of 112, "SHALL be the default encryption algorithm"; HMAC-SHA1, its keys of 160 bits and its tags
/// of 80, "the default message authentication code"; session keys by AES from a master key of 128 bits and a salt of 112, once. "Use of master salt is
/// strongly RECOMMENDED": there is no key without one.
/// Proves: rfc3711-5.1-1, rfc3711-5.1-2, rfc3711-5.1-3, rfc3711-5.2-1, rfc3711-5.2-2, rfc3711-5.3-1, rfc3711-5.3-2, rfc3711-3.2.1-5.
#[test]
fn what_everybody_has_is_there_in_its_lengths() {
    assert_eq!((COMMON.key_octets(), COMMON.salt_octets()), (16, 14));
    assert_eq!((COMMON.tag_octets(), COMMON.report_tag_octets()), (10, 10));
    let (mut sender, _) = both(&libsrtp());
    assert_eq!(sealed(&mut sender, hex(SOUND.0)), hex(SOUND.1));
    sealed_report(&mut sender, hex(REPORT.0));
    assert_eq!(sealed_report(&mut sender, hex(REPORT.0)), hex(REPORT.1));
    for suite in Suite::ALL {
        assert!(Master::of(suite, &vec![7; suite.key_octets()], &[]).is_none(), "{suite:?}");
    }
}
