//! `Ear`: one source that we hear: its numbers, its clock, its keys.

use machine::Time;
use rtp::{Event, Packet};

use super::agreement::Content;
use crate::clock::{FRAME, RATE};
use crate::comfort::Noise;
use crate::jitter::{Coded, JitterBuffer, Pushed};
use crate::keys::KeyReceiver;
use crate::ledger::{Copy, Ledger};
use crate::limits;
use crate::source::{Sequence, Source};

/// A source, and what it says.
#[derive(Debug)]
pub(super) struct Ear {
    pub(super) source: Source,
    pub(super) ledger: Ledger,
    pub(super) buffer: JitterBuffer,
    keys: KeyReceiver,
    clock: Option<Clock>,
    pub(super) last_heard: Time,
}

/// A source's clock: its last timestamp as it came, and unwrapped to 64 bits.
#[derive(Clone, Copy, Debug)]
struct Clock {
    rate: u32,
    last: u32,
    ticks: i64,
}

/// What was made of a packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) what: What,
    pub(super) keys: Vec<char>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum What {
    /// It was of use.
    #[default]
    Taken,
    /// It came too late to be played.
    Late,
    /// It came before.
    Again,
    /// Its number or its timestamp is far off.
    Stray,
    /// Its payload is not what its type says, or too long.
    Unreadable,
    /// Its payload type is none of ours.
    Unknown,
    /// We do not listen.
    Unwanted,
}

impl Ear {
    pub(super) fn new(now: Time, packet: &Packet<'_>, buffer: JitterBuffer) -> Self {
        Self {
            source: Source::new(packet.ssrc, packet.sequence),
            ledger: Ledger::default(),
            buffer,
            keys: KeyReceiver::default(),
            clock: None,
            last_heard: now,
        }
    }

    /// Takes a packet of this source.
    pub(super) fn take(&mut self, now: Time, packet: &Packet<'_>, content: Content) -> Heard {
        let number = match self.source.note(packet.sequence) {
            Sequence::Stray => return Heard { what: What::Stray, ..Heard::default() },
            Sequence::Probation => None,
            Sequence::Valid(number) => Some(number),
            Sequence::Begins(number) => {
                self.begin_again();
                Some(number)
            }
        };
        self.last_heard = now;
        let rate = self.rate_of(content);
        self.source.arrived(now, (packet.timestamp, rate));
        if let Some(number) = number {
            match self.ledger.enter(number) {
                Copy::First => {}
                Copy::Again => return Heard { what: What::Again, ..Heard::default() },
                Copy::TooOld => return Heard { what: What::Late, ..Heard::default() },
            }
        }
        let heard = self.listen(now, packet, content);
        if let (Some(number), What::Taken | What::Unknown | What::Unwanted) = (number, heard.what) {
            self.ledger.useful(number);
        }
        heard
    }

    /// A source that jumps to another place in its numbers has another clock as well; one that has just been believed has not.
    fn begin_again(&mut self) {
        if self.ledger.is_empty() {
            return;
        }
        self.ledger.begin();
        self.buffer.restart();
        self.clock = None;
        self.source.forget_transit();
    }

    /// Ticks a second of a packet's timestamp: what is no sound runs with the sound beside it.
    fn rate_of(&self, content: Content) -> u32 {
        match content {
            Content::Sound(codec) => codec.clock_rate(),
            _ => self.clock.map_or(8_000, |clock| clock.rate),
        }
    }

    /// When a packet's sound begins, in samples of ours. A codec with another clock begins anew (RFC 7160).
    fn moment(&mut self, timestamp: u32, rate: u32) -> i64 {
        if self.clock.is_some_and(|clock| clock.rate != rate) {
            self.buffer.restart();
            self.clock = None;
        }
        let begun = Clock { rate, last: timestamp, ticks: timestamp.into() };
        let Clock { last, ticks, .. } = self.clock.unwrap_or(begun);
        let ticks = ticks.saturating_add(timestamp.wrapping_sub(last).cast_signed().into());
        self.clock = Some(Clock { rate, last: timestamp, ticks });
        ticks.saturating_mul(RATE.into()) / i64::from(rate)
    }

    fn listen(&mut self, now: Time, packet: &Packet<'_>, content: Content) -> Heard {
        let what = match content {
            Content::Unknown => What::Unknown,
            Content::Unwanted => What::Unwanted,
            // Keys of a source that is not believed yet: they are repeated.
            Content::Keys if !self.source.is_believed() => What::Taken,
            Content::Keys => return self.keys(packet),
            Content::Noise => self.noise(now, packet),
            Content::Sound(_) if packet.payload.len() > limits::PACKET_OCTETS => What::Unreadable,
            Content::Sound(_) if packet.payload.is_empty() => What::Taken, // a keep-alive (RFC 6263 §4.1)
            Content::Sound(codec) => {
                let at = self.moment(packet.timestamp, codec.clock_rate());
                let (payload, samples) = (packet.payload.to_vec(), codec.samples(packet.payload));
                if samples == 0 || samples > limits::PACKET_SAMPLES {
                    return Heard { what: What::Unreadable, keys: Vec::new() };
                }
                match self.buffer.push(now, at, Coded { codec, payload, samples }) {
                    Pushed::Kept => What::Taken,
                    Pushed::Late | Pushed::Full => What::Late,
                    Pushed::Stray => What::Stray,
                }
            }
        };
        Heard { what, keys: Vec::new() }
    }

    /// From here on nothing is said, and the silence sounds like this.
    fn noise(&mut self, now: Time, packet: &Packet<'_>) -> What {
        let Some(noise) = Noise::parse(packet.payload) else { return What::Unreadable };
        let rate = self.rate_of(Content::Noise);
        let at = self.moment(packet.timestamp, rate);
        self.buffer.comfort(now, at, noise);
        What::Taken
    }

    /// Events packed into one packet follow each other in time (RFC 4733 §2.5.1.5).
    fn keys(&mut self, packet: &Packet<'_>) -> Heard {
        let Ok(events) = Event::parse(packet.payload) else {
            return Heard { what: What::Unreadable, keys: Vec::new() };
        };
        let mut since = packet.timestamp;
        let mut keys = Vec::new();
        for event in events {
            // Each report adds a frame to the event, and takes the place of that frame's sound.
            let end = since.wrapping_add(event.duration.into());
            if let Some(Clock { rate, .. }) = self.clock {
                let at = self.moment(end, rate).saturating_sub(FRAME as i64);
                self.buffer.hush(at, FRAME);
            }
            keys.extend(self.keys.note(since, event));
            since = end;
        }
        Heard { what: What::Taken, keys }
    }
}
