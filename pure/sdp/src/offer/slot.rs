//! `Slot`: the place of an `m=` line, which it keeps as long as the session lasts (RFC 3264 §8).

use super::StreamId;
use super::formats::{Listed, Memory};
use crate::{Media, Part};

/// One place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// The stream of ours that stands here, or stood here last.
    pub(super) stream: Option<StreamId>,
    pub(super) life: Life,
    /// What payload types mean here.
    pub(super) memory: Memory,
    /// What we last wrote here.
    pub(super) written: Media,
    /// Our part of the handshake that made the keys of now: it stays, whoever offers next (RFC 8842 §5.5).
    pub(super) part: Option<Part>,
}

/// Whether the section is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// It is, and our section lists these.
    On(Vec<Listed>),
    /// Port 0.
    Off,
}

impl Slot {
    pub(super) fn off(written: Media) -> Self {
        Self { stream: None, life: Life::Off, memory: Memory::default(), written, part: None }
    }

    pub(super) const fn is_on(&self) -> bool {
        matches!(self.life, Life::On(_))
    }
}
