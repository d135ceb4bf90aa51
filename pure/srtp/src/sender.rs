//! `Sender`: what goes out.

use std::fmt;

use crate::derive::Whose;
use crate::index::{Sources, Window};
use crate::session::{HIDDEN, Number, Place, REPORT_HEADER, Session};
use crate::{Master, Refused, limits};

/// Protects what one side sends.
#[derive(Clone)]
pub struct Sender {
    sound: Session,
    reports: Session,
    packets: Sources<Window>,
    /// The index of the next report of each source.
    next: Sources<u32>,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("packets", &self.packets).finish_non_exhaustive()
    }
}

impl Sender {
    /// With the key that was told to the other side. `None` never happens to a key that [`Master`] has taken.
    pub fn new(master: &Master) -> Option<Self> {
        Some(Self {
            sound: Session::new(master, Whose::Sound)?,
            reports: Session::new(master, Whose::Reports)?,
            packets: Sources::default(),
            next: Sources::default(),
        })
    }

    /// Protects an RTP packet in its place (RFC 3711 §3.3): it grows by its tag. Each number is protected once, or two packets would have the same
    /// key stream.
    pub fn protect(&mut self, packet: &mut Vec<u8>) -> Result<(), Refused> {
        let header = rtp::Head::of(packet).map_err(|_| Refused::Short)?;
        let (sequence, ssrc) = (header.sequence, header.ssrc);
        self.packets.has_room(ssrc)?;
        let (index, mut window) = match self.packets.get(ssrc) {
            Some(window) => {
                let index = window.index_of(sequence).ok_or(Refused::UsedUp)?;
                (index, window)
            }
            None => (u64::from(sequence), Window::before(sequence)),
        };
        window.judge(index)?;
        let place = Place { clear: header.octets, ssrc, number: Number::Sound(index) };
        let tag = self.sound.seal(packet, place)?;
        packet.extend(tag);
        window.note(index);
        self.packets.set(ssrc, window);
        Ok(())
    }

    /// Protects a compound RTCP packet in its place (RFC 3711 §3.4): it grows by a word and its tag.
    pub fn protect_report(&mut self, packet: &mut Vec<u8>) -> Result<(), Refused> {
        let ssrc = reporter(packet).ok_or(Refused::Short)?;
        self.next.has_room(ssrc)?;
        let index = self.next.get(ssrc).unwrap_or_default();
        if index >= limits::REPORTS {
            return Err(Refused::UsedUp);
        }
        let word = index | HIDDEN;
        let place = Place { clear: REPORT_HEADER, ssrc, number: Number::Report(word) };
        let tag = self.reports.seal(packet, place)?;
        if self.reports.tag_is_inside() {
            packet.extend(tag);
            packet.extend(word.to_be_bytes());
        } else {
            packet.extend(word.to_be_bytes());
            packet.extend(tag);
        }
        self.next.set(ssrc, index + 1);
        Ok(())
    }
}

/// Who sends a report: the SSRC of its first header.
pub(crate) fn reporter(packet: &[u8]) -> Option<u32> {
    packet.get(4..REPORT_HEADER)?.try_into().ok().map(u32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Suite;

    /// "After that number of SRTP packets have been sent with a given (master or session) key, the sender MUST NOT send any more packets with that key":
    /// 2^48 packets, 2^31 reports; "the sender MUST keep packet counts".
    /// Proves: rfc3711-3.3.1-9, rfc3711-3.4-12, rfc3711-9.2-3.
    #[test]
    fn a_key_that_is_used_up_protects_nothing_more() {
        for suite in Suite::ALL {
            let master = Master::new(suite, &vec![7; Master::octets(suite)]).unwrap();
            let mut sender = Sender::new(&master).unwrap();
            let packet = |sequence: u16| {
                let [high, low] = sequence.to_be_bytes();
                vec![0x80, 0, high, low, 0, 0, 0, 1, 0, 0, 0, 7, 5, 5]
            };
            sender.packets.set(7, Window::begin(limits::PACKETS - 2));
            assert_eq!(sender.protect(&mut packet(0xFFFF)), Ok(()));
            for sequence in [0, 1, 0x7FFE] {
                assert_eq!(sender.protect(&mut packet(sequence)), Err(Refused::UsedUp));
            }
            let report = || vec![0x80, 201, 0, 1, 0, 0, 0, 7];
            sender.next.set(7, limits::REPORTS - 1);
            let mut last = report();
            assert_eq!(sender.protect_report(&mut last), Ok(()));
            for _ in 0..2 {
                assert_eq!(sender.protect_report(&mut report()), Err(Refused::UsedUp));
            }
        }
    }
}
