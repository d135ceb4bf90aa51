//! `Receiver`: what comes in.

use std::fmt;

use crate::derive::Whose;
use crate::index::{Sources, Window};
use crate::sender::reporter;
use crate::session::{HIDDEN, Number, Place, REPORT_HEADER, Session};
use crate::{Master, Refused};

/// Opens what the other side sends.
#[derive(Clone)]
pub struct Receiver {
    sound: Session,
    reports: Session,
    packets: Sources<Window>,
    heard: Sources<Window>,
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("packets", &self.packets).finish_non_exhaustive()
    }
}

impl Receiver {
    /// With the key that the other side has told us. `None` never happens to a key that [`Master`] has taken.
    pub fn new(master: &Master) -> Option<Self> {
        Some(Self {
            sound: Session::new(master, Whose::Sound)?,
            reports: Session::new(master, Whose::Reports)?,
            packets: Sources::default(),
            heard: Sources::default(),
        })
    }

    /// Makes an SRTP packet the RTP packet that it was, in its place (RFC 3711 §3.3). Whatever is refused leaves no trace, and is to be dropped.
    pub fn open(&mut self, packet: &mut Vec<u8>) -> Result<(), Refused> {
        let end = packet.len().checked_sub(self.sound.tag()).ok_or(Refused::Short)?;
        let tag = packet.split_off(end);
        let header = rtp::Head::of(packet).map_err(|_| Refused::Short)?;
        let (sequence, ssrc) = (header.sequence, header.ssrc);
        self.packets.has_room(ssrc)?;
        let known = self.packets.get(ssrc);
        let index = known.map_or(Some(u64::from(sequence)), |window| window.index_of(sequence));
        let index = index.ok_or(Refused::Replayed)?;
        known.map_or(Ok(()), |window| window.judge(index))?;
        let place = Place { clear: header.octets, ssrc, number: Number::Sound(index) };
        self.sound.open(packet, &tag, place)?;
        note(&mut self.packets, ssrc, index);
        Ok(())
    }

    /// Makes an SRTCP packet the compound RTCP packet that it was, in its place (RFC 3711 §3.4). One that is only signed is taken too.
    pub fn open_report(&mut self, packet: &mut Vec<u8>) -> Result<(), Refused> {
        let body = packet.len().checked_sub(WORD + self.reports.tag()).ok_or(Refused::Short)?;
        let mut tail = packet.split_off(body);
        if body < REPORT_HEADER {
            return Err(Refused::Short);
        }
        // One of word and tag stands before the other.
        let (word, tag) = if self.reports.tag_is_inside() {
            let word = tail.split_off(self.reports.tag());
            (word, tail)
        } else {
            let tag = tail.split_off(WORD);
            (tail, tag)
        };
        let word = word.try_into().map(u32::from_be_bytes).map_err(|_| Refused::Short)?;
        let (ssrc, index) = (reporter(packet).ok_or(Refused::Short)?, u64::from(word & !HIDDEN));
        self.heard.has_room(ssrc)?;
        self.heard.get(ssrc).map_or(Ok(()), |window| window.judge(index))?;
        let clear = if word & HIDDEN == 0 { body } else { REPORT_HEADER };
        self.reports.open(packet, &tag, Place { clear, ssrc, number: Number::Report(word) })?;
        note(&mut self.heard, ssrc, index);
        Ok(())
    }
}

fn note(sources: &mut Sources<Window>, ssrc: u32, index: u64) {
    let mut window = sources.get(ssrc).unwrap_or_else(|| Window::begin(index));
    window.note(index);
    sources.set(ssrc, window);
}

/// Octets of the last word of a report.
const WORD: usize = 4;
