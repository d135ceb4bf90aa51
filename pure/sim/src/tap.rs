//! `Tap`: who sent what to whom and what became of it; ladders are drawn from it.

use std::collections::VecDeque;

use machine::Time;

use crate::{HostId, Parcel, limits};

/// One parcel and its fate. What a host writes to a stream is one sighting, whatever pieces it arrives in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// When it was sent.
    pub sent: Time,
    /// When its fate was sealed: its arrival, or the moment it was dropped.
    pub at: Time,
    /// Who sent it; nobody if it was injected.
    pub from: Option<HostId>,
    /// Whom it reached or would have reached, as far as that is known.
    pub to: Option<HostId>,
    /// The parcel as the receiver saw it or, if there was none, as it was when it was dropped.
    pub parcel: Parcel,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// It arrived.
    Delivered,
    /// A second copy of it arrived.
    Doubled,
    /// It arrived with a bit turned over.
    Corrupted,
    /// The weather lost it.
    Lost,
    /// The queue of a slow link was full, or the world's agenda.
    Overflowed,
    /// It was longer than the path carries.
    TooBig,
    /// There was a partition between the two.
    Parted,
    /// Nobody has the address that it was sent to.
    NoRoute,
    /// The sender does not own the address that it sent from.
    Foreign,
    /// A NAT has no mapping for it.
    Unmapped,
    /// A NAT has a mapping, but does not let this sender in (RFC 4787 §5).
    Filtered,
    /// A NAT was out of ports or mappings.
    Exhausted,
    /// A NAT does not turn parcels around (RFC 4787 §6).
    NoHairpin,
    /// The host was down.
    Down,
    /// Nobody listened at that door.
    Closed,
    /// The stream was gone.
    Gone,
}

impl Fate {
    /// True when the addressee got it.
    pub const fn arrived(self) -> bool {
        matches!(self, Self::Delivered | Self::Doubled | Self::Corrupted)
    }
}

/// The record of a world's traffic; off until it is switched on.
#[derive(Debug, Default)]
pub enum Tap {
    /// Nothing is recorded.
    #[default]
    Off,
    /// The last [`limits::SIGHTINGS`] sightings, by the time their fate was sealed.
    On(VecDeque<Sighting>),
}

impl Tap {
    /// What was seen so far, in the order of [`Sighting::at`].
    pub fn sightings(&self) -> impl Iterator<Item = &Sighting> {
        let seen = match self {
            Self::Off => None,
            Self::On(seen) => Some(seen),
        };
        seen.into_iter().flatten()
    }

    /// How many sightings met this fate.
    pub fn count(&self, fate: Fate) -> usize {
        self.sightings().filter(|sighting| sighting.fate == fate).count()
    }

    /// Takes what was seen so far out, so that a caller can follow along.
    pub fn drain(&mut self) -> Vec<Sighting> {
        match self {
            Self::Off => Vec::new(),
            Self::On(seen) => seen.drain(..).collect(),
        }
    }

    pub(crate) fn see(&mut self, sighting: impl FnOnce() -> Sighting) {
        let Self::On(seen) = self else { return };
        if seen.len() >= limits::SIGHTINGS {
            seen.pop_front();
        }
        seen.push_back(sighting());
    }
}
