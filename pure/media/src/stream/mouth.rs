//! `Mouth`: what we send: sound and keys in RTP packets (RFC 3550 §5.1, RFC 4733 §2.5.1).

use machine::{Dice, Time};
use rtp::rtcp::SenderInfo;
use rtp::{Ntp, Packet};

use super::Output;
use super::agreement::Agreement;
use crate::audio::Audio;
use crate::clock::{FRAME, samples_in, ticks_of};
use crate::codec::{Codec, Encoder};
use crate::comfort::{Hush, Silenced};
use crate::keys::{KeySender, NotPressed, Turn};

/// Our side as a source.
#[derive(Debug)]
pub(super) struct Mouth {
    pub(super) ssrc: u32,
    sequence: u16,
    /// The moment of a sample, and its timestamp: the clock runs on whether we send or not.
    clock: (Time, u32),
    encoder: Encoder,
    /// Octets of a packet that is not full yet, how many frames they are, and its timestamp.
    pending: Vec<u8>,
    pending_frames: usize,
    pending_since: u32,
    marker: Marker,
    pub(super) packets: u32,
    pub(super) octets: u32,
    pub(super) last_sent: Option<Time>,
    keys: KeySender,
    hush: Hush,
}

/// Whether the next packet begins to speak (RFC 3551 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Marker {
    Due,
    Given,
}

impl Mouth {
    pub(super) fn new(now: Time, codec: Codec, dice: &mut Dice) -> Self {
        let (ssrc, numbers) = (dice.roll() as u32, dice.roll());
        Self {
            ssrc,
            sequence: numbers as u16,
            clock: (now, (numbers >> 32) as u32),
            encoder: Encoder::new(codec),
            pending: Vec::new(),
            pending_frames: 0,
            pending_since: 0,
            marker: Marker::Due,
            packets: 0,
            octets: 0,
            last_sent: None,
            keys: KeySender::default(),
            hush: Hush::default(),
        }
    }

    /// Becomes another source, after a collision: another SSRC, and all counts from the beginning (RFC 3550 §6.4.1).
    pub(super) fn rename(&mut self, now: Time, dice: &mut Dice) {
        let keys = std::mem::take(&mut self.keys);
        *self = Self { keys, ..Self::new(now, self.encoder.codec(), dice) };
    }

    pub(super) fn press(&mut self, key: char) -> Result<(), NotPressed> {
        self.keys.press(key)
    }

    pub(super) fn is_pressing(&self) -> bool {
        !self.keys.is_idle()
    }

    /// What has been said so far is not sent any more; the next packet begins to speak.
    pub(super) fn pause(&mut self) {
        self.pending.clear();
        self.pending_frames = 0;
        self.marker = Marker::Due;
        self.hush = Hush::default();
    }

    /// Goes on with another codec. Timestamps go on from where they are, at its clock.
    pub(super) fn use_codec(&mut self, now: Time, codec: Codec) {
        if codec != self.encoder.codec() {
            self.clock = (now, self.timestamp(now));
            self.encoder = Encoder::new(codec);
        }
    }

    /// What a sender report says about us (RFC 3550 §6.4.1).
    pub(super) fn info(&self, now: Time) -> SenderInfo {
        SenderInfo {
            ntp: Ntp::from_unix_nanos(now.0),
            timestamp: self.timestamp(now),
            packets: self.packets,
            octets: self.octets,
        }
    }

    /// The timestamp of the sample that is taken at this moment.
    fn timestamp(&self, now: Time) -> u32 {
        self.clock.1.wrapping_add(self.ticks(samples_in(now - self.clock.0)) as u32)
    }

    /// How many ticks of our timestamps so many samples are.
    fn ticks(&self, samples: u64) -> u64 {
        ticks_of(samples, self.encoder.codec().clock_rate())
    }

    /// Says the frame that ends at `tick`; a packet, when one is full.
    pub(super) fn speak(
        &mut self,
        tick: Time,
        agreement: &Agreement,
        audio: &mut dyn Audio,
        out: &mut Vec<Output>,
    ) {
        let mut frame = [0; FRAME];
        audio.speak(&mut frame);
        let ticks = self.ticks(FRAME as u64);
        let since = self.timestamp(tick).wrapping_sub(ticks as u32);
        match self.keys.turn((since, ticks as u16), agreement.send_keys.map(|(_, keys)| keys)) {
            Turn::Sound => {}
            Turn::Tone(tone) => tone.speak(&mut frame),
            Turn::Event { event, since: began } => {
                self.flush(tick, agreement, out);
                let kind = agreement.send_keys.map_or(0, |(kind, _)| kind);
                // The first report of an event carries the marker (RFC 4733 §2.5.1.2).
                let head = (began == since, kind, began);
                out.push(self.packet(tick, head, &event.octets()));
                return;
            }
        }
        if self.hushed(&frame, (tick, since), agreement, out) {
            return;
        }
        if self.pending.is_empty() {
            self.pending_since = since;
        }
        let before = self.pending.len();
        self.encoder.encode(&frame, &mut self.pending);
        self.pending_frames += 1;
        if self.pending.len() == before {
            // Silence that need not be sent: what follows begins to speak (RFC 3551 §4.1).
            self.marker = Marker::Due;
        }
        if !self.encoder.codec().joins() || self.pending_frames >= agreement.frames() {
            self.flush(tick, agreement, out);
        }
    }

    /// Where the other side makes up silence by itself, it is told how that sounds, now and then (RFC 3389 §5). True: the frame is not sent.
    fn hushed(
        &mut self,
        frame: &[i16; FRAME],
        (tick, since): (Time, u32),
        agreement: &Agreement,
        out: &mut Vec<Output>,
    ) -> bool {
        let Some(kind) = agreement.send_noise.filter(|_| self.encoder.codec().is_narrow()) else {
            return false;
        };
        let silenced = self.hush.frame(frame);
        if silenced == Silenced::Spoken {
            return false;
        }
        self.flush(tick, agreement, out);
        if let Silenced::Told(noise) = silenced {
            // RFC 3389 §4: without the marker; the timestamp is where the noise begins.
            out.push(self.packet(tick, (false, kind, since), &noise.octets()));
        }
        self.marker = Marker::Due;
        true
    }

    /// Sends what waits.
    fn flush(&mut self, now: Time, agreement: &Agreement, out: &mut Vec<Output>) {
        self.pending_frames = 0;
        if self.pending.is_empty() {
            return;
        }
        let payload = std::mem::take(&mut self.pending);
        let marker = self.marker == Marker::Due;
        self.marker = Marker::Given;
        let head = (marker, agreement.send.0, self.pending_since);
        out.push(self.packet(now, head, &payload));
        self.pending = payload;
        self.pending.clear();
    }

    fn packet(&mut self, now: Time, head: (bool, u8, u32), payload: &[u8]) -> Output {
        let (marker, payload_type, timestamp) = head;
        let (sequence, ssrc) = (self.sequence, self.ssrc);
        let packet = Packet {
            marker,
            payload_type,
            sequence,
            timestamp,
            ssrc,
            payload,
            ..Packet::default()
        };
        let mut datagram = Vec::with_capacity(12 + payload.len());
        packet.write(&mut datagram);
        self.sequence = sequence.wrapping_add(1);
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(payload.len() as u32);
        self.last_sent = Some(now);
        Output::Rtp(datagram.into())
    }
}

#[cfg(test)]
impl Mouth {
    /// Begins with a timestamp.
    pub(super) const fn begin_at(&mut self, timestamp: u32) {
        self.clock.1 = timestamp;
    }

    /// Goes on with other numbers, as a sender does that has restarted.
    pub(super) const fn jump(&mut self, packets: u16, samples: i32) {
        self.sequence = self.sequence.wrapping_add(packets);
        self.clock.1 = self.clock.1.wrapping_add_signed(samples);
    }
}
