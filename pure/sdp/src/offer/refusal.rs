//! `Refusal`: why there is no agreement, and the status that says so (RFC 3264 §6, RFC 3261 §21.4.26).

use std::fmt;

use crate::ParseError;

/// Why an offer cannot be answered, an answer cannot be used, or an offer cannot be made now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// It is no description.
    Malformed(ParseError),
    /// An offer of ours waits for its answer (RFC 3264 §4).
    OfferPending,
    /// Theirs waits for our answer (RFC 3264 §4).
    AnswerPending,
    /// An answer came, and nothing was offered.
    NothingOffered,
    /// Fewer `m=` lines than there were, or another number than were offered (RFC 3264 §6, §8).
    Sections {
        /// How many came.
        got: usize,
        /// How many there must be, or at least.
        want: usize,
    },
    /// More `m=` lines than [`limits`](crate::limits) allows.
    TooManySections,
    /// An answer's section is of another kind than the offer's (RFC 3264 §6.1).
    Kind {
        /// The section, from 0.
        section: usize,
    },
    /// Nothing in the offer is of a kind that we have: no audio, say.
    NoMedia,
    /// A protocol that we do not speak, such as `RTP/SAVP`.
    Protocol {
        /// The section, from 0.
        section: usize,
        /// The protocol.
        protocol: Box<str>,
    },
    /// No address, or one where nothing can be sent: none at all, another network, a multicast group.
    Address {
        /// The section, from 0.
        section: usize,
    },
    /// SRTP without a key that can be used as it is offered, or an answer with another than was offered (RFC 4568 §5.1).
    Keys {
        /// The section, from 0.
        section: usize,
    },
    /// No format in common.
    Formats {
        /// The section, from 0.
        section: usize,
    },
}

impl Refusal {
    /// The status to refuse a request with.
    pub const fn status(&self) -> u16 {
        match self {
            Self::OfferPending => 491,
            // RFC 3261 §14.2: a second offer before ours is answered gets a 500 with Retry-After.
            Self::AnswerPending => 500,
            Self::Malformed(_) => 400,
            _ => 488,
        }
    }

    /// The code of a Warning (RFC 3261 §20.43) that goes with a 488; its text is the message.
    pub const fn warning(&self) -> Option<u16> {
        match self {
            Self::NoMedia => Some(304),
            Self::Formats { .. } => Some(305),
            Self::Protocol { .. } => Some(302),
            Self::Keys { .. } => Some(306),
            Self::Address { .. } => Some(301),
            Self::Sections { .. } | Self::TooManySections | Self::Kind { .. } => Some(399),
            _ => None,
        }
    }
}

impl From<ParseError> for Refusal {
    fn from(error: ParseError) -> Self {
        Self::Malformed(error)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "session description: {error}"),
            Self::OfferPending => f.write_str("our own offer waits for its answer"),
            Self::AnswerPending => f.write_str("your first offer waits for its answer"),
            Self::NothingOffered => f.write_str("an answer without an offer"),
            Self::Sections { got, want } => write!(f, "{got} m= lines instead of {want}"),
            Self::TooManySections => f.write_str("too many m= lines"),
            Self::Kind { section } => write!(f, "m= line {} changed its kind", Ordinal(*section)),
            Self::NoMedia => f.write_str("no media of a kind that is wanted here"),
            Self::Protocol { section, protocol } => {
                write!(f, "m= line {}: {protocol} is not spoken here", Ordinal(*section))
            }
            Self::Keys { section } => {
                write!(f, "m= line {}: no a=crypto in common", Ordinal(*section))
            }
            Self::Address { section } => {
                write!(f, "m= line {}: no address that media can be sent to", Ordinal(*section))
            }
            Self::Formats { section } => {
                write!(f, "m= line {}: no codec in common", Ordinal(*section))
            }
        }
    }
}

impl std::error::Error for Refusal {}

/// People count from 1.
struct Ordinal(usize);

impl fmt::Display for Ordinal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.saturating_add(1).fmt(f)
    }
}
