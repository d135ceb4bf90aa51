//! `Stream`: one call's audio as one value (RFC 3550, RFC 3551, RFC 4733).

mod agreement;
mod ear;
mod metrics;
mod mouth;
mod report;
#[cfg(test)]
mod tests;

pub use agreement::{Agreement, Direction, Extended};
pub use report::{Received, Report, Sent};

use std::time::Duration;

use bytes::Bytes;
use machine::{Dice, Time};
use rtp::rtcp::Rtcp;
use rtp::{Kind, Packet};

use crate::audio::Audio;
use crate::clock::{FRAME, FRAME_TIME, samples_in, time_at, time_of};
use crate::conceal::Concealer;
use crate::control::{Departing, Interval, Reports, Said};
use crate::dtmf::KeyEar;
use crate::jitter::{JitterBuffer, Played};
use crate::keys::NotPressed;
use crate::ledger::Tally;
use crate::limits;
use crate::quality::{Loss, Quality};
use agreement::Content;
use ear::{Ear, What};
use mouth::Mouth;

/// What a stream wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this to where the other side takes RTP.
    Rtp(Bytes),
    /// Send this to where the other side takes RTCP: the same place, when both agreed to multiplex (RFC 5761).
    Rtcp(Bytes),
    /// The other side pressed a key.
    Key(char),
}

/// One call's audio: what is sent, what is heard, how good it is.
///
/// It takes no part in addresses: whoever owns it decides from whom datagrams are let in, and where its output goes.
///
/// A second of sound, over a network that loses nothing:
///
/// ```
/// use machine::{Dice, Time};
/// use offhook_media::{Agreement, Codec, Output, Recorder, Stream, Tone, detect};
///
/// let agreement = Agreement::plain(Codec::Pcma, Some(101));
/// let mut alice = Stream::new(Time(0), agreement.clone(), Dice::new(1));
/// let mut bob = Stream::new(Time(0), agreement, Dice::new(2));
/// let (mut mouth, mut ear) = (Tone::sine(440.0), Recorder::default());
///
/// for _ in 0..50 {
///     let (now, mut said) = (alice.deadline(), Vec::new());
///     alice.wake(now, &mut mouth, &mut said);
///     for output in said {
///         if let Output::Rtp(datagram) = output {
///             bob.receive(now, &datagram, &mut Vec::new());
///         }
///     }
///     bob.wake(now, &mut ear, &mut Vec::new());
/// }
/// assert!(detect::tone(ear.samples(), 440.0).lasted.as_millis() > 900);
/// ```
#[derive(Debug)]
pub struct Stream {
    agreement: Agreement,
    dice: Dice,
    mouth: Mouth,
    /// The source that we hear.
    ear: Option<Ear>,
    /// A source that we do not believe yet.
    candidate: Option<Ear>,
    concealer: Concealer,
    /// Listens for keys where the other side does not send them as events.
    key_ear: KeyEar,
    reports: Reports,
    /// When the next frame is due.
    tick: Time,
    /// Whether frames were due since the last wake.
    pace: Pace,
    /// When we last met our own SSRC in somebody else's packet.
    collision: Option<Time>,
    received: Received,
    sent: Sent,
    /// What was counted of sources that we heard before.
    before: Tally,
}

/// Whether frames were due since the last wake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Pace {
    /// They were, every 20 ms.
    #[default]
    Steady,
    /// They were not: nobody spoke or listened.
    Resting,
}

impl Stream {
    /// Begins a stream. Its dice choose SSRC, sequence number, timestamp, CNAME and the times of reports.
    pub fn new(now: Time, agreement: Agreement, mut dice: Dice) -> Self {
        let mouth = Mouth::new(now, agreement.send.1, &mut dice);
        let reports = Reports::new(now, agreement.minimum, &mut dice);
        Self {
            agreement,
            mouth,
            ear: None,
            candidate: None,
            concealer: Concealer::default(),
            key_ear: KeyEar::default(),
            reports,
            pace: Pace::Steady,
            tick: now + FRAME_TIME,
            collision: None,
            received: Received::default(),
            sent: Sent::default(),
            before: Tally::default(),
            dice,
        }
    }

    /// Goes on under another agreement: after a re-INVITE, or for a hold. SSRC, numbers and keys that wait stay.
    pub fn agree(&mut self, now: Time, agreement: Agreement) {
        let codec = agreement.send.1;
        self.go_on(agreement);
        self.mouth.use_codec(now, codec);
    }

    fn go_on(&mut self, agreement: Agreement) {
        if !agreement.direction.sends() || agreement.send != self.agreement.send {
            self.mouth.pause();
        }
        if self.agreement.direction == Direction::Inactive {
            self.pace = Pace::Resting;
        }
        if !agreement.direction.receives() {
            // Nothing of before is heard when we listen again.
            self.concealer = Concealer::default();
            self.ear.iter_mut().for_each(|ear| ear.buffer.restart());
        }
        self.agreement = agreement;
    }

    /// The same agreement, but for the direction: hold and resume.
    pub fn turn(&mut self, direction: Direction) {
        self.go_on(Agreement { direction, ..self.agreement.clone() });
    }

    /// What holds now.
    pub const fn agreement(&self) -> &Agreement {
        &self.agreement
    }

    /// Presses a key: it is sent when those before it have been, as events or as tones.
    pub fn press(&mut self, key: char) -> Result<(), NotPressed> {
        self.mouth.press(key)
    }

    /// True while keys wait or are being sent.
    pub fn is_pressing(&self) -> bool {
        self.mouth.is_pressing()
    }

    /// True once somebody is heard.
    pub const fn hears(&self) -> bool {
        self.ear.is_some()
    }

    /// Reports are so many octets longer on their way: their time goes by their length (RFC 3711 §3.4).
    pub fn cover(&mut self, octets: u16) {
        self.reports.cover(octets);
    }

    /// Our SSRC: it changes when somebody else has the same.
    pub const fn ssrc(&self) -> u32 {
        self.mouth.ssrc
    }

    /// The moment by which [`wake`](Self::wake) must be called.
    pub fn deadline(&self) -> Time {
        let idle = self.agreement.direction == Direction::Inactive;
        if idle { self.reports.next() } else { self.tick.min(self.reports.next()) }
    }

    /// Does what has become due: says and plays the frames of 20 ms that are over, and reports.
    pub fn wake(&mut self, now: Time, audio: &mut dyn Audio, out: &mut Vec<Output>) {
        self.leave_out(now);
        while self.tick <= now {
            self.frame(self.tick, audio, out);
            self.tick = self.tick + FRAME_TIME;
        }
        if self.reports.next() <= now {
            self.report_now(now, Departing::No, out);
            let interval = self.interval(now);
            self.reports.schedule(now, interval, &mut self.dice);
        }
    }

    /// Ends the stream: says BYE, if we ever said anything (RFC 3550 §6.3.7).
    pub fn close(&mut self, now: Time, out: &mut Vec<Output>) {
        if self.mouth.packets > 0 || self.reports.has_reported() {
            self.report_now(now, Departing::Yes, out);
        }
    }

    /// When we are woken much too late, the oldest frames are neither said nor played. After a pause none is: they would all come
    /// late.
    fn leave_out(&mut self, now: Time) {
        let behind = samples_in(now - self.tick) / FRAME as u64;
        let kept = match std::mem::take(&mut self.pace) {
            Pace::Steady => limits::FRAMES_BEHIND,
            Pace::Resting => 0,
        };
        let Some(skipped) = behind.checked_sub(kept).filter(|n| *n > 0) else {
            return;
        };
        let samples = skipped.saturating_mul(FRAME as u64);
        self.tick = self.tick + time_of(samples);
        if let Some(ear) = &mut self.ear {
            ear.buffer.skip(samples);
        }
    }

    fn frame(&mut self, tick: Time, audio: &mut dyn Audio, out: &mut Vec<Output>) {
        if self.agreement.direction.sends() {
            let before = out.len();
            self.mouth.speak(tick, &self.agreement, audio, out);
            self.count(out.get(before..).unwrap_or_default());
        }
        if self.agreement.direction.receives() {
            let mut frame = [0; FRAME];
            match &mut self.ear {
                Some(ear) => match ear.buffer.pull(tick, &mut frame, &mut self.concealer) {
                    Played::Sound => self.received.played += 1,
                    Played::Concealed => self.received.concealed += 1,
                    Played::Silence => {}
                },
                None => self.concealer.fill(&mut frame),
            }
            if self.agreement.receive_keys.is_none() {
                let mut keys = Vec::new();
                self.key_ear.hear(&frame, &mut keys);
                out.extend(keys.into_iter().map(Output::Key));
            }
            audio.hear(&frame);
        }
    }

    fn count(&mut self, packets: &[Output]) {
        for packet in packets {
            if let Output::Rtp(datagram) = packet {
                self.sent.packets += 1;
                self.sent.octets += datagram.len().saturating_sub(HEADER) as u64;
            }
        }
    }

    /// Takes a datagram that came on the RTP port. RTCP is welcome there too (RFC 5761).
    pub fn receive(&mut self, now: Time, datagram: &[u8], out: &mut Vec<Output>) {
        match Kind::of(datagram) {
            Kind::Rtcp => self.receive_rtcp(now, datagram, out),
            Kind::Rtp => match Packet::parse(datagram) {
                Ok(packet) => self.packet(now, &packet, out),
                Err(_) => self.received.unreadable += 1,
            },
            _ => self.received.unreadable += 1,
        }
    }

    fn packet(&mut self, now: Time, packet: &Packet<'_>, out: &mut Vec<Output>) {
        if packet.ssrc == self.mouth.ssrc {
            return self.collide(now, out);
        }
        let content = self.agreement.content(packet.payload_type);
        let ear = match &mut self.ear {
            Some(ear) if ear.source.ssrc() == packet.ssrc => {
                // Whoever else speaks meanwhile has to wait until this one is silent.
                self.candidate = None;
                ear
            }
            // RFC 3550 appendix A.1: a payload type that is not known makes no source.
            _ if content == Content::Unknown => return self.received.unknown += 1,
            _ if content == Content::Unwanted => return self.received.unwanted += 1,
            _ => match &mut self.candidate {
                Some(candidate) if candidate.source.ssrc() == packet.ssrc => candidate,
                candidate => candidate.insert(Ear::new(now, packet, JitterBuffer::default())),
            },
        };
        let heard = ear.take(now, packet, content);
        let counter = match heard.what {
            What::Taken => &mut self.received.packets,
            What::Late => &mut self.received.late,
            What::Again => &mut self.received.duplicates,
            What::Stray => &mut self.received.stray,
            What::Unreadable => &mut self.received.unreadable,
            What::Unknown => &mut self.received.unknown,
            What::Unwanted => &mut self.received.unwanted,
        };
        *counter += 1;
        if heard.what == What::Taken {
            self.received.octets += packet.payload.len() as u64;
            self.received.last = Some(now);
            self.received.left = None;
        }
        out.extend(heard.keys.into_iter().map(Output::Key));
        self.believe();
    }

    /// A candidate that has proven itself takes the place of the source that we heard.
    fn believe(&mut self) {
        let Some(ear) = self.candidate.take_if(|candidate| candidate.source.is_believed()) else {
            return;
        };
        if let Some(old) = self.ear.replace(ear) {
            self.before.add(old.ledger.tally());
            self.received.recovered += old.buffer.recovered();
        }
        self.received.sources += 1;
    }

    /// Somebody else uses our SSRC: we take another (RFC 3550 §8.2). If that happens again soon, our own packets come back,
    /// and another SSRC would not help.
    fn collide(&mut self, now: Time, out: &mut Vec<Output>) {
        let again = self.collision.replace(now);
        if again.is_some_and(|last| now - last < LOOP_MEMORY) {
            self.received.looped += 1;
            return;
        }
        self.close(now, out);
        let known = [self.mouth.ssrc, self.heard_ssrc().unwrap_or(self.mouth.ssrc)];
        self.mouth.rename(now, &mut self.dice);
        if known.contains(&self.mouth.ssrc) {
            self.mouth.rename(now, &mut self.dice);
        }
        self.reports.forget_told();
    }

    fn heard_ssrc(&self) -> Option<u32> {
        self.ear.as_ref().map(|ear| ear.source.ssrc())
    }

    /// Takes a datagram that came on the RTCP port.
    pub fn receive_rtcp(&mut self, now: Time, datagram: &[u8], out: &mut Vec<Output>) {
        let ours = self.mouth.ssrc;
        let Ok(packets) = self.reports.read(now, datagram, ours) else {
            self.received.unreadable += 1;
            return;
        };
        self.received.reports += 1;
        let heard = self.heard_ssrc();
        let mut collision = false;
        for packet in packets {
            match packet {
                Rtcp::SenderReport { ssrc, .. } | Rtcp::ReceiverReport { ssrc, .. } => {
                    collision |= ssrc == ours;
                }
                Rtcp::Bye { sources, .. }
                    if heard.is_some_and(|heard| sources.contains(&heard)) =>
                {
                    self.received.left = Some(now);
                }
                _ => {}
            }
        }
        if collision {
            self.collide(now, out);
        }
    }

    fn report_now(&mut self, now: Time, departing: Departing, out: &mut Vec<Output>) {
        let info = self.reports.is_recent(self.mouth.last_sent).then(|| self.mouth.info(now));
        let metrics = self.metrics();
        let ear = self.ear.as_mut().filter(|ear| ear.source.has_news());
        let block = ear.map(|ear| ear.source.report());
        let said = Said { ssrc: self.mouth.ssrc, info, block, metrics };
        out.push(Output::Rtcp(self.reports.write(now, said, departing).into()));
        self.sent.reports += 1;
    }

    /// Who takes part just now: we, and the other side until it has been silent for too long (RFC 3550 §6.3.5).
    fn interval(&self, now: Time) -> Interval {
        let we_send = self.reports.is_recent(self.mouth.last_sent);
        let last_packet = self.ear.as_ref().map(|ear| ear.last_heard);
        let senders = u32::from(we_send) + u32::from(self.reports.is_recent(last_packet));
        let two = Interval { members: 2, senders, we_send, ..self.reports.interval() };
        let heard = last_packet.max(self.reports.last_heard());
        if heard.is_some_and(|last| now - last <= two.patience()) {
            return two;
        }
        Interval { members: 1, senders: u32::from(we_send), ..two }
    }

    /// What there is to say about the stream until now.
    pub fn report(&self) -> Report {
        let mut received = self.received;
        let mut tally = self.before;
        if let Some(ear) = &self.ear {
            tally.add(ear.ledger.tally());
            received.jitter = ear.source.jitter_time();
            received.recovered += ear.buffer.recovered();
            received.buffer = time_of(ear.buffer.delay().unsigned_abs());
        }
        received.lost = tally.lost;
        let round_trip = self.reports.round_trip();
        let way = round_trip.unwrap_or_default() / 2 + FRAME_TIME;
        let here = self.ear.as_ref().map(|_| {
            let heard = Loss::of(tally.mended(received.recovered));
            let quality = Quality::new(heard, received.jitter, way + received.buffer);
            Quality { loss: Loss::of(tally).part(), ..quality }
        });
        Report { sent: self.sent, received, round_trip, here, there: self.there(way) }
    }

    /// What the other side's reports say about us.
    fn there(&self, way: Duration) -> Option<Quality> {
        let told = self.reports.told()?;
        let loss = f64::from(told.lost.max(0)) / f64::from(self.mouth.packets.max(1));
        let jitter = time_at(told.jitter, self.agreement.send.1.clock_rate());
        // Its jitter buffer is not known; one of twice the jitter is usual.
        let guessed = Quality::new(Loss::random(loss), jitter, way + 2 * jitter);
        Some(self.reports.metrics().map_or(guessed, |metrics| metrics::told(metrics, guessed)))
    }
}

/// Octets before the payload of a packet that we send (RFC 3550 §5.1).
const HEADER: usize = 12;

/// How long a collision is remembered: ten report intervals (RFC 3550 §8.2).
const LOOP_MEMORY: Duration = Duration::from_secs(50);
