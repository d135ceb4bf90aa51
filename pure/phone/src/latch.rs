//! `Latch`: from whom sound is let in, and where ours goes (symmetric RTP, RFC 4961; NATs).
//!
//! Sound comes from the announced address, or the other side is behind a NAT and it comes from somewhere else. In the first
//! seconds after an answer we learn from where; then nobody else is heard until the next answer. One packet from the announced
//! address settles it; a stranger has to be steady, and to be first.

use std::net::SocketAddr;

use machine::Time;

use crate::limits;

/// Whom a call listens to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Latch {
    announced: Option<SocketAddr>,
    heard: Heard,
}

#[derive(Clone, Copy, Debug)]
enum Heard {
    /// Nobody yet; strangers may be learned until then.
    Nobody { until: Time },
    /// Packets in a row from somebody who was not announced.
    Stranger { from: SocketAddr, packets: u8, until: Time },
    /// This one and nobody else.
    Locked(SocketAddr),
}

impl Latch {
    /// After an answer that announced this address.
    pub(crate) fn new(now: Time, announced: Option<SocketAddr>) -> Self {
        Self { announced, heard: Heard::Nobody { until: now + limits::LATCHING } }
    }

    /// Whether a packet from there is let in.
    pub(crate) fn admits(&mut self, now: Time, from: SocketAddr) -> Admission {
        let from = plain(from);
        let announced = self.announced.map(plain) == Some(from);
        let (packets, until) = match self.heard {
            Heard::Locked(locked) if locked == from => return Admission::Welcome,
            Heard::Locked(_) => return Admission::Refused,
            Heard::Nobody { .. } | Heard::Stranger { .. } if announced => {
                self.heard = Heard::Locked(from);
                return Admission::Welcome;
            }
            Heard::Stranger { from: other, packets, until } if other == from => {
                (packets.saturating_add(1), until)
            }
            Heard::Nobody { until } | Heard::Stranger { until, .. } => (1, until),
        };
        if now >= until {
            return Admission::Refused;
        }
        if packets < limits::STRANGERS {
            self.heard = Heard::Stranger { from, packets, until };
            return Admission::Refused;
        }
        self.heard = Heard::Locked(from);
        Admission::Welcome
    }

    /// Where our sound goes: to where theirs comes from, or to the announced address.
    pub(crate) const fn destination(&self) -> Option<SocketAddr> {
        match self.heard {
            Heard::Locked(from) => Some(from),
            Heard::Nobody { .. } | Heard::Stranger { .. } => self.announced,
        }
    }
}

/// See [`Latch::admits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Welcome,
    Refused,
}

/// An IPv4 address that a socket of both families shows as IPv6.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time(1);

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn feed(latch: &mut Latch, from: &[&str]) -> Vec<bool> {
        from.iter().map(|from| latch.admits(NOW, at(from)) == Admission::Welcome).collect()
    }

    #[test]
    fn trap_60_the_announced_address_is_heard_at_once_and_then_nobody_else() {
        let mut latch = Latch::new(NOW, Some(at("192.0.2.1:4000")));
        assert_eq!(latch.destination(), Some(at("192.0.2.1:4000")));
        let spray = [
            "192.0.2.66:1",
            "[::ffff:192.0.2.1]:4000",
            "192.0.2.66:1",
            "192.0.2.66:1",
            "192.0.2.66:1",
        ];
        assert_eq!(feed(&mut latch, &spray), [false, true, false, false, false]);
    }

    #[test]
    fn trap_60_a_steady_stranger_is_learned_once_and_only_in_the_beginning() {
        let mut latch = Latch::new(NOW, Some(at("10.0.0.1:4000")));
        let (nat, other) = ("198.51.100.7:1024", "198.51.100.8:1024");
        assert_eq!(
            feed(&mut latch, &[nat, other, nat, nat, nat, other]),
            [false, false, false, false, true, false]
        );
        assert_eq!(latch.destination(), Some(at(nat)));
        assert_eq!(feed(&mut latch, &["10.0.0.1:4000"]), [false]);
        let mut late = Latch::new(NOW, Some(at("10.0.0.1:4000")));
        let later = NOW + limits::LATCHING;
        for _ in 0..9 {
            assert_eq!(late.admits(later, at(nat)), Admission::Refused);
        }
        assert_eq!(late.admits(later, at("10.0.0.1:4000")), Admission::Welcome);
    }
}
