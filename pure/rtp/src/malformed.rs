//! `Malformed`: why octets are not the packet that they claim to be.

use std::fmt;

/// What is wrong with a packet. It is dropped (RFC 3550 appendix A.1 and A.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// It ends before its header, or a length in it, says so.
    Short,
    /// The version is not 2 (RFC 3550 §5.1).
    Version(u8),
    /// The padding count is zero or longer than what is padded, or an RTCP packet other than the last is padded.
    Padding,
    /// The RTCP lengths do not add up to the length of the datagram.
    Length,
    /// An SDES chunk has no end or an item reaches past it (RFC 3550 §6.5).
    Sdes,
    /// An XR block has a length that its type does not allow (RFC 3611 §4).
    Block(u8),
    /// A telephone-event payload that is not whole events of four octets (RFC 4733 §2.3).
    Event,
    /// More packets, blocks or events than [`limits`](crate::limits) allows.
    TooMany,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => f.write_str("ends before its lengths say"),
            Self::Version(version) => write!(f, "version {version} instead of 2"),
            Self::Padding => f.write_str("impossible padding"),
            Self::Length => f.write_str("lengths do not add up"),
            Self::Sdes => f.write_str("source description runs past its end"),
            Self::Block(kind) => write!(f, "extended report block {kind} of the wrong length"),
            Self::Event => f.write_str("telephone-event that is not whole events"),
            Self::TooMany => f.write_str("too many parts"),
        }
    }
}

impl std::error::Error for Malformed {}
