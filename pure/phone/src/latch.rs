//! `Latch`: from whom sound is let in, and where ours goes (symmetric RTP, RFC 4961; NATs).
//!
//! Sound comes from the announced address, or the other side is behind a NAT and it comes from somewhere else. In the first
//! seconds after an answer we learn from where; then nobody else is heard until the next answer. One packet from the announced
//! address settles it; a stranger has to be steady, and to be first.
//!
//! A NAT on the way may begin to use another port, or the other side may have moved to another network. Then the address that is known is silent,
//! and the same stream goes on from elsewhere: its SSRC, which nobody else on the Internet knows, and the numbers that follow. Who goes on so is
//! believed.

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
    /// This one and nobody else; what came from it last, and when. And how many packets have gone on with that from somewhere else.
    Locked { from: SocketAddr, last: Option<Last>, elsewhere: Option<(SocketAddr, u8)> },
}

/// The last packet of a stream, and when it came.
#[derive(Clone, Copy, Debug)]
struct Last {
    at: Time,
    trace: Trace,
}

/// What tells the packets of a stream from others: SSRC and sequence number (RFC 3550 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trace {
    pub(crate) ssrc: u32,
    pub(crate) number: u16,
}

impl Trace {
    /// Of an RTP packet; `None` for what is none.
    pub(crate) fn of(octets: &[u8]) -> Option<Self> {
        let packet = rtp::Packet::parse(octets).ok()?;
        Some(Self { ssrc: packet.ssrc, number: packet.sequence })
    }

    /// True when it goes on with that: the same source, and a number not far behind.
    fn follows(self, before: Self) -> bool {
        let ahead = self.number.wrapping_sub(before.number);
        self.ssrc == before.ssrc && (1..=limits::AHEAD).contains(&ahead)
    }
}

impl Latch {
    /// After an answer that announced this address.
    pub(crate) fn new(now: Time, announced: Option<SocketAddr>) -> Self {
        Self { announced, heard: Heard::Nobody { until: now + limits::LATCHING } }
    }

    /// Whether a packet from there is let in; `trace` tells which stream it is of.
    pub(crate) fn admits(
        &mut self,
        now: Time,
        from: SocketAddr,
        trace: Option<Trace>,
    ) -> Admission {
        let from = plain(from);
        let announced = self.announced.map(plain) == Some(from);
        let last = trace.map(|trace| Last { at: now, trace });
        let (packets, until) = match &mut self.heard {
            Heard::Locked { from: locked, last: before, elsewhere } if *locked == from => {
                (*before, *elsewhere) = (last.or(*before), None);
                return Admission::Welcome;
            }
            Heard::Locked { last: before, .. } => {
                let gone_on = before.zip(trace).is_some_and(|(before, trace)| {
                    before.at + limits::FALLEN_SILENT <= now && trace.follows(before.trace)
                });
                return if gone_on { self.elsewhere(from, last) } else { Admission::Refused };
            }
            Heard::Nobody { .. } | Heard::Stranger { .. } if announced => {
                self.heard = Heard::Locked { from, last, elsewhere: None };
                return Admission::Welcome;
            }
            Heard::Stranger { from: other, packets, until } if *other == from => {
                (packets.saturating_add(1), *until)
            }
            Heard::Nobody { until } | Heard::Stranger { until, .. } => (1, *until),
        };
        if now >= until {
            return Admission::Refused;
        }
        if packets < limits::STRANGERS {
            self.heard = Heard::Stranger { from, packets, until };
            return Admission::Refused;
        }
        self.heard = Heard::Locked { from, last, elsewhere: None };
        Admission::Welcome
    }

    /// The stream goes on from somewhere else: believed when it is steady.
    fn elsewhere(&mut self, from: SocketAddr, last: Option<Last>) -> Admission {
        let Heard::Locked { elsewhere, .. } = &mut self.heard else { return Admission::Refused };
        let packets =
            elsewhere.filter(|(other, _)| *other == from).map_or(0, |(_, packets)| packets);
        *elsewhere = Some((from, packets.saturating_add(1)));
        if packets.saturating_add(1) < limits::STRANGERS {
            return Admission::Refused;
        }
        self.heard = Heard::Locked { from, last, elsewhere: None };
        Admission::Welcome
    }

    /// Where our sound goes: to where theirs comes from, or to the announced address.
    pub(crate) const fn destination(&self) -> Option<SocketAddr> {
        match self.heard {
            Heard::Locked { from, .. } => Some(from),
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
        from.iter().map(|from| latch.admits(NOW, at(from), None) == Admission::Welcome).collect()
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
            assert_eq!(late.admits(later, at(nat), None), Admission::Refused);
        }
        assert_eq!(late.admits(later, at("10.0.0.1:4000"), None), Admission::Welcome);
    }

    /// A NAT that is used anew gives another port: who goes on with the stream is believed, when the old address is silent; and nobody else.
    #[test]
    fn trap_60_a_stream_that_goes_on_from_elsewhere_is_followed_and_no_other() {
        let (home, moved) = ("198.51.100.7:1024", "198.51.100.7:4711");
        let trace = |ssrc, number| Some(Trace { ssrc, number });
        let locked = || {
            let mut latch = Latch::new(NOW, Some(at(home)));
            assert_eq!(latch.admits(NOW, at(home), trace(7, 65_530)), Admission::Welcome);
            latch
        };
        let silent = NOW + limits::FALLEN_SILENT;
        let try_it = |when, from: [&str; 3], ssrc, number: u16| {
            let mut latch = locked();
            let tries = from.map(at).into_iter().zip(number..);
            let admitted =
                tries.map(|(from, number)| latch.admits(when, from, trace(ssrc, number)));
            admitted.last() == Some(Admission::Welcome)
        };
        assert!(try_it(silent, [moved; 3], 7, 3), "its numbers have wrapped");
        assert!(!try_it(NOW, [moved; 3], 7, 3), "the old address is not silent");
        assert!(!try_it(silent, [moved; 3], 8, 3), "another stream");
        assert!(!try_it(silent, [moved; 3], 7, 60_000), "what has been before");
        assert!(!try_it(silent, [moved, moved, "192.0.2.66:1"], 7, 3), "not steady");
        let mut latch = locked();
        for number in 0..2 {
            latch.admits(silent, at(moved), trace(7, number));
        }
        // The old one is there after all.
        assert_eq!(latch.admits(silent, at(home), trace(7, 2)), Admission::Welcome);
        assert_eq!(latch.admits(silent, at(moved), trace(7, 3)), Admission::Refused);
        assert_eq!(latch.destination(), Some(at(home)));
    }
}
