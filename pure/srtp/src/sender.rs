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
