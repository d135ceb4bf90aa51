//! §3.4: SRTCP.

use srtp::{Master, Refused, Suite};

use super::{
    COMMON, REPORT, SOUND, both, ends, hex, libsrtp, opened, opened_report, packet, report, sealed,
    sealed_report,
};

/// "The three mandatory fields MUST be appended": the E flag, the index of 31 bits and the tag. "the RTCP encryption prefix … MUST NOT be used".
/// "SRTCP SHALL by default share the crypto context with SRTP", with session keys of its own: "the session key(s) MUST NOT be so shared." Libsrtp's
/// packet and report are under one master key.
/// Proves: rfc3711-3.4-1, rfc3711-3.4-4, rfc3711-3.4-5, rfc3711-3.4-6, rfc3711-3.4-10, rfc3711-3.2.1-6, rfc3711-3.2.1-7, rfc3711-4.3.2-1,
/// rfc3711-4.3.2-2.
#[test]
fn a_report_is_protected_as_others_do() {
    let (mut sender, mut receiver) = both(&libsrtp());
    assert_eq!(sealed(&mut sender, hex(SOUND.0)), hex(SOUND.1));
    assert_eq!(sealed_report(&mut sender, hex(REPORT.0))[24..28], [0x80, 0, 0, 0]);
    assert_eq!(sealed_report(&mut sender, hex(REPORT.0)), hex(REPORT.1));
    assert_eq!(opened(&mut receiver, &hex(SOUND.1)), Ok(hex(SOUND.0)));
    assert_eq!(opened_report(&mut receiver, &hex(REPORT.1)), Ok(hex(REPORT.0)));
}

/// "The SRTCP index MUST be set to zero before the first SRTCP packet is sent, and MUST be incremented by one … after each SRTCP packet".
/// Proves: rfc3711-3.4-7.
#[test]
fn reports_are_numbered_from_zero() {
    let (mut sender, mut receiver) = ends(COMMON, 0);
    for index in 0..300_u32 {
        let wire = sealed_report(&mut sender, report(7));
        assert_eq!(wire[16..20], (1 << 31 | index).to_be_bytes());
        assert!(opened_report(&mut receiver, &wire).is_ok());
        assert_eq!(opened_report(&mut receiver, &wire), Err(Refused::Replayed));
    }
}

/// "Authentication Tag: configurable length, REQUIRED"; "Message authentication for RTCP is REQUIRED"; as for sound, but never shorter: "for SRTCP,
/// the pre-defined HMAC-SHA1 MUST NOT be applied with a value of n_tag … smaller than these defaults"; "SRTCP MUST NOT be used with weak (or NULL)
/// authentication."
/// Proves: rfc3711-3.4-9, rfc3711-3.4-11, rfc3711-3.4-13, rfc3711-5.2-3, rfc3711-9.5-3.
#[test]
fn the_tag_of_a_report_is_never_short() {
    for suite in Suite::ALL {
        let (mut sender, mut receiver) = ends(suite, 0);
        let wire = sealed_report(&mut sender, report(7));
        let tag = suite.report_tag_octets();
        assert!(tag >= 10 && tag >= suite.tag_octets(), "{suite:?}");
        assert_eq!(wire.len(), report(7).len() + usize::from(suite.report_cover_octets()));
        assert_eq!(wire.len(), report(7).len() + 4 + tag);
        for at in 0..wire.len() {
            let mut forged = wire.clone();
            forged[at] ^= 1;
            assert!(opened_report(&mut receiver, &forged).is_err(), "{suite:?} {at}");
        }
        assert_eq!(opened_report(&mut receiver, &report(7)), Err(Refused::Short));
        assert_eq!(opened_report(&mut receiver, &wire), Ok(report(7)));
    }
}

/// "the NULL algorithm SHALL be applied to the RTCP packets not to be encrypted": it "SHALL simply copy the plaintext input into the ciphertext
/// output". A report without the E flag, which is signed and not hidden, is read as it is; with it taken off, it is not.
/// Proves: rfc3711-4.1.3-1.
#[test]
fn a_report_that_is_only_signed_is_read_as_it_stands() {
    let (key, salt) = ("1bb09b07f38fd149659f9ec8daa2ec8b", "e68e51569ef7d150eb328b573392");
    let master = Master::of(COMMON, &hex(key), &hex(salt)).unwrap();
    let plain = "80c80006501f65f3873d9fd22f810a31cca032a9cde7d364ad1e778a";
    let wire = hex(&format!("{plain}0000000427f0f4146397cd834628"));
    let (_, mut receiver) = both(&master);
    let mut flagged = wire.clone();
    flagged[28] |= 0x80;
    assert_eq!(opened_report(&mut receiver, &flagged), Err(Refused::Forged));
    assert_eq!(opened_report(&mut receiver, &wire), Ok(hex(plain)));
}

/// Sound is no report, though both come by one port: each has keys of its own.
#[test]
fn a_packet_of_sound_does_not_open_as_a_report() {
    let (mut sender, mut receiver) = ends(COMMON, 0);
    let wire = sealed(&mut sender, packet(1, 7, &[0; 40]));
    assert_eq!(opened_report(&mut receiver, &wire), Err(Refused::Forged));
}
