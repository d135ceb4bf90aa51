//! `Weather`: what a network does to parcels.

use std::time::Duration;

/// What happens between two hosts, in one direction. Percentages are of parcels; streams suffer loss as delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weather {
    /// The least one-way delay.
    pub delay: Duration,
    /// Further random delay of up to this much; it also reorders datagrams.
    pub jitter: Duration,
    /// Percentage of datagrams lost.
    pub loss: u64,
    /// Percentage of datagrams that arrive twice.
    pub twice: u64,
    /// Percentage of datagrams that arrive with one bit turned over (as if the checksum had not seen it).
    pub corrupt: u64,
    /// How long a datagram may be.
    pub mtu: Mtu,
    /// How fast the link is.
    pub rate: Rate,
    /// Into what pieces the octets of a stream are cut.
    pub cut: Cut,
}

/// How long a packet may be, headers and all, and what happens to a longer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mtu {
    /// Anything goes: longer ones travel in fragments that always arrive.
    Fragments,
    /// Longer ones vanish: fragments are dropped, as many firewalls do.
    Drops(usize),
    /// Longer ones come back as [`Unreachable::TooBig`](crate::Unreachable::TooBig).
    Refuses(usize),
}

/// How fast a link is, in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// So fast that it does not matter.
    Unlimited,
    /// Parcels wait for each other.
    Limited {
        /// Octets of payload a second.
        octets_per_second: u64,
        /// Octets that may wait; a datagram that finds more waiting is dropped.
        queue: u64,
    },
}

/// Into what pieces the octets of a stream are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Each write arrives in one piece.
    Whole,
    /// Pieces of any length, down to one octet; pieces that arrive together may be joined, across writes too.
    Any,
    /// Octet by octet.
    Octets,
}

impl Weather {
    /// Nothing is lost and nothing is late: 1 ms, always.
    pub const FAIR: Self = Self {
        delay: Duration::from_millis(1),
        jitter: Duration::ZERO,
        loss: 0,
        twice: 0,
        corrupt: 0,
        mtu: Mtu::Fragments,
        rate: Rate::Unlimited,
        cut: Cut::Whole,
    };

    /// A good day on the Internet: 20 to 25 ms, reordered at times, streams cut anywhere.
    pub const BREEZE: Self = Self {
        delay: Duration::from_millis(20),
        jitter: Duration::from_millis(5),
        cut: Cut::Any,
        ..Self::FAIR
    };

    /// A day on which every second call would be noticed: 30 % lost, 5 % twice, 20 to 100 ms in any order.
    pub const STORM: Self =
        Self { jitter: Duration::from_millis(80), loss: 30, twice: 5, ..Self::BREEZE };
}
