//! `Kind`: what a datagram on a media port is, by its first octets (RFC 5761 §4, RFC 7983 §7).

/// What came in on a media port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A media packet.
    Rtp,
    /// A control packet, on its own port or multiplexed (RFC 5761).
    Rtcp,
    /// A connectivity check or keep-alive (RFC 8489).
    Stun,
    /// A key exchange (RFC 5764).
    Dtls,
    /// Data on a TURN channel (RFC 8656).
    TurnChannel,
    /// Nothing that we know.
    Unknown,
}

impl Kind {
    /// Looks at the first two octets; whether the rest is well-formed is for the parser to say.
    pub const fn of(datagram: &[u8]) -> Self {
        match datagram {
            // RFC 5761 §4: the RTCP packet types in use are 192 to 223; as RTP that would be payload types 64 to 95.
            [128..=191, 192..=223, ..] => Self::Rtcp,
            [128..=191, _, ..] => Self::Rtp,
            [0..=3, ..] => Self::Stun,
            [20..=63, ..] => Self::Dtls,
            [64..=79, ..] => Self::TurnChannel,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "If other packet types are to be multiplexed as well, implementors … SHOULD ensure that they can be demultiplexed"; "The following method SHOULD be
    /// used": 0 to 3 is STUN, 20 to 63 DTLS, 128 to 191 RTP.
    /// Proves: rfc5764-5.1.2-1, rfc5764-5.1.2-2.
    #[test]
    fn the_first_two_octets_decide() {
        for (octets, kind) in [
            (&[0x80, 0][..], Kind::Rtp),
            (&[0x80, 0x80], Kind::Rtp), // PCMU with the marker
            (&[0x90, 127], Kind::Rtp),
            (&[0x80, 200], Kind::Rtcp),
            (&[0x81, 192], Kind::Rtcp),
            (&[0x81, 223], Kind::Rtcp),
            (&[0x81, 224], Kind::Rtp),
            (&[0x00, 0x01], Kind::Stun),
            (&[22, 254], Kind::Dtls),
            (&[0x40, 0], Kind::TurnChannel),
            (&[3, 0], Kind::Stun),
            (&[4, 0], Kind::Unknown),
            (&[19, 0], Kind::Unknown),
            (&[20, 0], Kind::Dtls),
            (&[63, 0], Kind::Dtls),
            (&[127, 0], Kind::Unknown),
            (&[191, 0], Kind::Rtp),
            (&[192, 0], Kind::Unknown),
            (&[0x80], Kind::Unknown),
            (&[], Kind::Unknown),
        ] {
            assert_eq!(Kind::of(octets), kind, "{octets:?}");
        }
    }
}
