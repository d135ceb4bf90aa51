//! §3.1, §3.3: what a protected packet looks like, and in which order it is made and read.

use srtp::{Refused, Suite};

use super::{COMMON, SOUND, both, ends, hex, libsrtp, opened, packet, sealed};

/// "the sender SHALL do the following to construct an SRTP packet"; "the receiver SHALL do the following"; "encryption SHALL be applied before
/// authentication on the sender side and conversely on the receiver side": the tag of libsrtp's packet is one over what is hidden.
/// Proves: rfc3711-3.1-7, rfc3711-3.3-1, rfc3711-8-1.
#[test]
fn a_packet_is_hidden_then_signed_and_read_the_other_way_round() {
    let (mut sender, mut receiver) = both(&libsrtp());
    assert_eq!(sealed(&mut sender, hex(SOUND.0)), hex(SOUND.1));
    // What is touched is not even decrypted: the tag is looked at first.
    let mut touched = hex(SOUND.1);
    touched[20] ^= 1;
    assert_eq!(opened(&mut receiver, &touched), Err(Refused::Forged));
    assert_eq!(opened(&mut receiver, &hex(SOUND.1)), Ok(hex(SOUND.0)));
}

/// "Authentication tag: configurable length, RECOMMENDED": each suite has one, and nothing else is added, so no MKI. "each SRTP stream SHOULD be
/// protected by HMAC-SHA1 with an 80-bit output tag …, or a message authentication code with equivalent strength"; "Secure RTP SHOULD NOT be used
/// without message authentication"; against replay "non-null authentication is REQUIRED".
/// Proves: rfc3711-3.1-1, rfc3711-3.1-4, rfc3711-3.1-6, rfc3711-7.5-1, rfc3711-9.5-2, rfc3711-9.5-7, rfc3711-9.5-8, rfc3711-9.5-9.
#[test]
fn every_packet_grows_by_its_tag_and_by_nothing_else() {
    for suite in Suite::ALL {
        let (mut sender, mut receiver) = ends(suite, 0);
        let plain = packet(1, 7, &[0xD5; 160]);
        let wire = sealed(&mut sender, plain.clone());
        assert!(suite.tag_octets() >= 4);
        assert_eq!(wire.len(), plain.len() + suite.tag_octets(), "{suite:?}");
        assert_eq!(opened(&mut receiver, &plain), Err(Refused::Forged), "{suite:?}");
        assert_eq!(opened(&mut receiver, &wire), Ok(plain));
    }
}

/// "The values of n_a, n_tag, and SRTP_PREFIX_LENGTH MUST be fixed for any particular fixed value of the key": the header is as it was, the tag as
/// long as ever, whatever the packet.
/// Proves: rfc3711-4.2-2.
#[test]
fn tags_of_a_key_have_one_length() {
    let (mut sender, _) = ends(COMMON, 0);
    for sequence in 0..100 {
        let plain = packet(sequence, 7, &vec![5; usize::from(sequence) * 10]);
        let wire = sealed(&mut sender, plain.clone());
        assert_eq!((&wire[..12], wire.len()), (&plain[..12], plain.len() + 10));
    }
}
