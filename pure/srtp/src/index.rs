//! `Window`: which packet a sequence number means, and whether it came before (RFC 3711 §3.3.1, §3.3.2).

use crate::{Refused, limits};

/// The newest packet of a source, and which of those before it have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    newest: u64,
    /// Bit n: the packet n before the newest.
    seen: u128,
}

impl Window {
    /// One that begins with a first packet.
    pub(crate) const fn begin(first: u64) -> Self {
        Self { newest: first, seen: 1 }
    }

    /// One of which nothing has gone out yet, and that begins with this packet in its first round.
    pub(crate) const fn before(first: u16) -> Self {
        Self { newest: first as u64, seen: 0 }
    }

    /// The index (rollover counter and sequence number) that a sequence number means after what has come: the one next to the newest.
    /// `None` when that would be before the first of all.
    pub(crate) fn index_of(self, sequence: u16) -> Option<u64> {
        let (rounds, newest) = (self.newest >> 16, (self.newest & 0xFFFF) as u16);
        let ahead = sequence.wrapping_sub(newest);
        let rounds = match (ahead <= 0x8000 && newest < 0x8000 || ahead < 0x8000, sequence < newest)
        {
            // Ahead, and over the edge.
            (true, true) => rounds.checked_add(1)?,
            (true, false) | (false, true) => rounds,
            // Behind, and back over the edge.
            (false, false) => rounds.checked_sub(1)?,
        };
        Some(rounds << 16 | u64::from(sequence)).filter(|index| *index < limits::PACKETS)
    }

    /// Whether a packet may still come.
    pub(crate) fn judge(self, index: u64) -> Result<(), Refused> {
        let Some(behind) = self.newest.checked_sub(index) else { return Ok(()) };
        let seen = behind >= limits::WINDOW || self.seen >> behind & 1 == 1;
        if seen { Err(Refused::Replayed) } else { Ok(()) }
    }

    /// It has come, and is what it says.
    pub(crate) fn note(&mut self, index: u64) {
        match index.checked_sub(self.newest) {
            Some(ahead) => {
                self.seen = if ahead < limits::WINDOW { self.seen << ahead | 1 } else { 1 };
                self.newest = index;
            }
            None => self.seen |= 1_u128.checked_shl((self.newest - index) as u32).unwrap_or(0),
        }
    }
}

/// What is known of each source under a key.
#[derive(Clone, Debug)]
pub(crate) struct Sources<T>(Vec<(u32, T)>);

impl<T> Default for Sources<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy> Sources<T> {
    pub(crate) fn get(&self, ssrc: u32) -> Option<T> {
        self.0.iter().find(|(known, _)| *known == ssrc).map(|(_, state)| *state)
    }

    /// Whether there is room for what is learned of this source.
    pub(crate) fn has_room(&self, ssrc: u32) -> Result<(), Refused> {
        let fits = self.0.len() < limits::SOURCES || self.get(ssrc).is_some();
        if fits { Ok(()) } else { Err(Refused::TooManySources) }
    }

    pub(crate) fn set(&mut self, ssrc: u32, state: T) {
        match self.0.iter_mut().find(|(known, _)| *known == ssrc) {
            Some((_, old)) => *old = state,
            None => self.0.push((ssrc, state)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_number_means_the_packet_next_to_the_newest() {
        let meant = |newest, sequence| Window::begin(newest).index_of(sequence);
        assert_eq!(meant(5, 6), Some(6));
        assert_eq!(meant(5, 2), Some(2));
        assert_eq!(meant(0xFFFF, 0), Some(0x1_0000));
        assert_eq!(meant(0x1_0000, 0xFFFF), Some(0xFFFF));
        assert_eq!(meant(0x1_7FFF, 0xFFFF), Some(0x1_FFFF));
        assert_eq!(meant(0x1_8000, 0), Some(0x1_0000));
        assert_eq!(meant(0x1_8001, 0), Some(0x2_0000));
        // Before the first of all.
        assert_eq!(meant(5, 0xFFFF), None);
        // After the last of all.
        assert_eq!(meant((1 << 48) - 1, 0), None);
    }

    #[test]
    fn a_packet_is_let_in_once_and_not_when_it_is_too_old() {
        let mut window = Window::begin(1000);
        assert_eq!(window.judge(1000), Err(Refused::Replayed));
        window.note(1002);
        assert_eq!(window.judge(1001), Ok(()));
        window.note(1001);
        assert_eq!(window.judge(1001), Err(Refused::Replayed));
        window.note(1000 + limits::WINDOW);
        assert_eq!(window.judge(1003), Ok(()));
        assert_eq!(window.judge(1002), Err(Refused::Replayed));
        assert_eq!(window.judge(1000), Err(Refused::Replayed));
        window.note(900_000);
        assert_eq!(window.judge(899_999), Ok(()));
        assert_eq!(window.judge(1003), Err(Refused::Replayed));
    }
}
