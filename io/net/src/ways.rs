//! `Ways`: by which of our addresses peers reach us on a wildcard listener, so that answers come from there.

use std::collections::HashMap;
use std::mem;
use std::net::{IpAddr, SocketAddr};

/// Remembers the newest peers; the oldest are forgotten by halves.
#[derive(Debug)]
pub(crate) struct Ways {
    half: usize,
    young: HashMap<SocketAddr, IpAddr>,
    old: HashMap<SocketAddr, IpAddr>,
}

impl Ways {
    /// Room for so many peers.
    pub(crate) fn new(room: usize) -> Self {
        Self { half: (room / 2).max(1), young: HashMap::new(), old: HashMap::new() }
    }

    /// A peer reached us by `local`.
    pub(crate) fn note(&mut self, peer: SocketAddr, local: IpAddr) {
        if self.young.len() >= self.half && !self.young.contains_key(&peer) {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(peer, local);
    }

    /// How a peer reached us last.
    pub(crate) fn of(&self, peer: SocketAddr) -> Option<IpAddr> {
        self.young.get(&peer).or_else(|| self.old.get(&peer)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_half_is_always_known_and_memory_has_an_end() {
        let mut ways = Ways::new(4);
        let peer = |port: u16| SocketAddr::from(([192, 0, 2, 1], port));
        for port in 1..=100 {
            ways.note(peer(port), [127, 0, 0, (port % 200) as u8].into());
            assert!(ways.young.len() + ways.old.len() <= 4);
        }
        assert_eq!(ways.of(peer(100)), Some([127, 0, 0, 100].into()));
        assert_eq!(ways.of(peer(99)), Some([127, 0, 0, 99].into()));
        assert_eq!(ways.of(peer(1)), None);
    }
}
