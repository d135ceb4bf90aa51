//! `JitterBuffer`: what waits to be played, and the cursor that plays it.

use std::collections::BTreeMap;

use machine::Time;

use super::bend::{self, Bent};
use super::transits::Transits;
use crate::clock::{FRAME, sample_at, samples_in, samples_of};
use crate::codec::{Codec, Decoder};
use crate::comfort::{Filler, Noise};
use crate::conceal::Concealer;
use crate::limits;

/// Frames between two changes of speed: more often would be heard.
const CHANGE_EVERY: u8 = 5;
/// The cursor is not moved forward for less than this, 10 ms, and not back for less than half of it: late is worse.
const SLACK: i64 = samples_of(10) as i64;

/// Packets that wait to be played. Timestamps are counted in samples of ours, from the source's zero, and do not wrap.
#[derive(Debug, Default)]
pub(crate) struct JitterBuffer {
    /// Packets by timestamp, not decoded yet: a codec wants them in the order of their time.
    coded: BTreeMap<i64, Coded>,
    /// Sound by timestamp.
    waiting: BTreeMap<i64, Vec<i16>>,
    decoder: Option<Decoder>,
    playing: Option<Playing>,
    transits: Transits,
    /// Lost packets that the next one has told again.
    recovered: u64,
    comfort: Option<Comfort>,
}

/// A silence that the source has told about.
#[derive(Debug)]
struct Comfort {
    from: i64,
    /// When it has begun to speak again.
    until: Option<i64>,
    filler: Filler,
}

impl Comfort {
    fn covers(&self, at: i64) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

/// The payload of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Coded {
    pub(crate) codec: Codec,
    pub(crate) payload: Vec<u8>,
    /// How many samples it holds.
    pub(crate) samples: usize,
}

#[derive(Clone, Debug)]
struct Playing {
    /// The timestamp of the sample that is played next.
    cursor: i64,
    /// The timestamp of the packet that came last.
    last: i64,
    /// Up to where sound was decoded.
    decoded: i64,
    /// A packet that did not fit our clock: two of a kind are a new clock.
    stray: Option<i64>,
    late_in_a_row: u8,
    since_change: u8,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It waits to be played.
    Kept,
    /// It came after its time.
    Late,
    /// It does not fit into the sender's time.
    Stray,
    /// There is no room for it.
    Full,
}

/// What a frame was made of, the least first: of a mixture it is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Played {
    /// Nothing is being sent.
    Silence,
    /// What was sent.
    Sound,
    /// Something was missing, and what was sent before stands in for it.
    Concealed,
}

impl JitterBuffer {
    /// Takes a packet in.
    pub(crate) fn push(&mut self, now: Time, at: i64, packet: Coded) -> Pushed {
        let Some(playing) = &mut self.playing else {
            self.start(now, at);
            return self.keep(at, packet);
        };
        if self.waiting.contains_key(&at) || self.coded.contains_key(&at) {
            return Pushed::Kept; // once is enough
        }
        let transit = sample_at(now).saturating_sub(at);
        if self.transits.jump(transit) > samples_in(limits::CLOCK_JUMP) {
            return self.stray(now, at, packet);
        }
        playing.last = at;
        playing.stray = None;
        self.transits.note(transit);
        if at.saturating_add(packet.samples as i64) > playing.cursor {
            playing.late_in_a_row = 0;
            return self.keep(at, packet);
        }
        playing.late_in_a_row += 1;
        if playing.late_in_a_row >= limits::LATE_IN_A_ROW {
            self.start(now, at);
            return self.keep(at, packet);
        }
        self.transits.wish();
        Pushed::Late
    }

    /// The source sends no sound here, and says so: what would be concealed as a loss is silence.
    pub(crate) fn hush(&mut self, at: i64, samples: usize) {
        let Some(playing) = &self.playing else { return };
        let is_near = at.abs_diff(playing.last) <= samples_in(limits::CLOCK_JUMP);
        let is_new = !self.waiting.contains_key(&at) && !self.coded.contains_key(&at);
        if is_near && at >= playing.cursor && is_new && !self.is_full() {
            self.waiting.insert(at, vec![0; samples.min(limits::PACKET_SAMPLES)]);
        }
    }

    /// The source says nothing from here on, and tells how that sounds. Its packets keep time like all others.
    pub(crate) fn comfort(&mut self, now: Time, at: i64, noise: Noise) {
        let transit = sample_at(now).saturating_sub(at);
        let Some(playing) = &mut self.playing else { return self.start(now, at) };
        if self.transits.jump(transit) > samples_in(limits::CLOCK_JUMP) {
            return;
        }
        playing.last = at;
        self.transits.note(transit);
        match &mut self.comfort {
            Some(comfort) if comfort.until.is_none() => comfort.filler.turn_to(noise),
            comfort => {
                *comfort = Some(Comfort { from: at, until: None, filler: Filler::new(noise) })
            }
        }
    }

    fn keep(&mut self, at: i64, packet: Coded) -> Pushed {
        if self.is_full() {
            return Pushed::Full;
        }
        self.coded.insert(at, packet);
        Pushed::Kept
    }

    fn is_full(&self) -> bool {
        self.coded.len() + self.waiting.len() >= limits::WAITING
    }

    /// Decodes what is played before `until`.
    fn ripen(&mut self, until: i64) {
        while let Some(first) = self.coded.first_entry().filter(|first| *first.key() < until) {
            let (at, packet) = first.remove_entry();
            self.recover(at, &packet);
            let samples = self.decoder(packet.codec).decode(&packet.payload);
            self.decoded(at, samples);
        }
        let next = self.coded.first_key_value();
        // Only a codec whose packets do not simply join tells a lost one again.
        let Some((at, next)) = next.filter(|(_, next)| !next.codec.joins()) else { return };
        if at.saturating_sub(next.samples as i64) < until && self.is_lost_before(*at, next) {
            let (at, next) = (*at, next.clone());
            self.recover(at, &next);
        }
    }

    /// True when the packet before this one is missing, and its place is not over yet.
    fn is_lost_before(&self, at: i64, next: &Coded) -> bool {
        let lost = at.saturating_sub(next.samples as i64);
        let is_gap = self.playing.as_ref().is_some_and(|playing| {
            playing.decoded <= lost && lost.saturating_add(next.samples as i64) > playing.cursor
        });
        is_gap && !self.waiting.contains_key(&lost) && self.decoder_is(next.codec)
    }

    /// A packet that is lost, as long as the one after it: that one may say what was in it.
    fn recover(&mut self, at: i64, next: &Coded) {
        if !self.is_lost_before(at, next) {
            return;
        }
        let lost = at.saturating_sub(next.samples as i64);
        if let Some(told) = self.decoder(next.codec).recover(&next.payload, next.samples) {
            self.decoded(lost, told);
            self.recovered += 1;
        }
    }

    /// How many lost packets were told again by the one after them (RFC 7587 §3.3).
    pub(crate) const fn recovered(&self) -> u64 {
        self.recovered
    }

    /// Sound that begins there. A packet that holds none, whatever it says, is a lost one.
    fn decoded(&mut self, at: i64, samples: Vec<i16>) {
        if samples.is_empty() {
            return;
        }
        if let Some(comfort) = self.comfort.as_mut().filter(|comfort| at > comfort.from) {
            comfort.until = Some(comfort.until.map_or(at, |until| until.min(at)));
        }
        if let Some(playing) = &mut self.playing {
            playing.decoded = playing.decoded.max(at.saturating_add(samples.len() as i64));
        }
        self.waiting.insert(at, samples);
    }

    fn decoder_is(&self, codec: Codec) -> bool {
        self.decoder.as_ref().is_some_and(|decoder| decoder.codec() == codec)
    }

    /// The decoder; a new one, when the codec has changed.
    fn decoder(&mut self, codec: Codec) -> &mut Decoder {
        let fitting = self.decoder.take().filter(|decoder| decoder.codec() == codec);
        self.decoder.insert(fitting.unwrap_or_else(|| Decoder::new(codec)))
    }

    /// Follows a new clock that begins with this timestamp.
    fn start(&mut self, now: Time, at: i64) {
        self.restart();
        self.transits.restart(sample_at(now).saturating_sub(at));
        let cursor = at.saturating_sub(self.transits.spread());
        self.playing = Some(Playing {
            cursor,
            last: at,
            decoded: at,
            stray: None,
            late_in_a_row: 0,
            since_change: 0,
        });
    }

    fn stray(&mut self, now: Time, at: i64, packet: Coded) -> Pushed {
        let Some(playing) = &mut self.playing else { return Pushed::Stray };
        let near = |stray: i64| at.abs_diff(stray) <= samples_in(limits::CLOCK_JUMP);
        if !playing.stray.replace(at).is_some_and(near) {
            return Pushed::Stray;
        }
        self.start(now, at);
        self.keep(at, packet)
    }

    /// Another source, or the same one after a restart: its clock is another, the network is the same.
    pub(crate) fn restart(&mut self) {
        self.coded.clear();
        self.waiting.clear();
        self.comfort = None;
        self.decoder = None;
        self.playing = None;
    }

    /// Leaves out what should have been played while nobody asked for it.
    pub(crate) fn skip(&mut self, samples: u64) {
        let Some(playing) = &mut self.playing else { return };
        playing.cursor = playing.cursor.saturating_add(samples.cast_signed());
        self.forget();
    }

    /// The delay that the buffer adds for a packet that comes as quickly as the quickest, in samples.
    pub(crate) const fn delay(&self) -> i64 {
        self.transits.spread()
    }

    /// Plays the frame whose tick rings at `tick`.
    pub(crate) fn pull(
        &mut self,
        tick: Time,
        frame: &mut [i16; FRAME],
        concealer: &mut Concealer,
    ) -> Played {
        let Some(cursor) = self.playing.as_ref().map(|playing| playing.cursor) else {
            concealer.fill(frame);
            return Played::Silence;
        };
        let ahead = sample_at(tick).saturating_sub(cursor) - self.transits.wanted();
        self.ripen(cursor.saturating_add(FRAME as i64));
        if let Some(bent) = self.bend(ahead, concealer) {
            frame.iter_mut().zip(&bent.frame).for_each(|(sample, bent)| *sample = *bent);
            concealer.heard(frame);
            self.advance(bent.taken as i64);
            return Played::Sound;
        }
        let (played, open) = self.play(cursor, frame, concealer);
        // What is merely late is waited for, when the delay is too short anyhow.
        let wait = ahead.saturating_neg().clamp(0, open as i64);
        self.advance(FRAME as i64 - wait);
        if played == Played::Silence {
            self.settle(ahead);
        }
        played
    }

    /// Fills the frame from the cursor on; says how many samples at its end have not come (yet).
    fn play(
        &mut self,
        cursor: i64,
        frame: &mut [i16],
        concealer: &mut Concealer,
    ) -> (Played, usize) {
        let (mut done, mut open, mut played) = (0, 0, Played::Silence);
        while let Some(rest) = frame.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let at = cursor.saturating_add(done as i64);
            let piece = self.from(at);
            let room = if piece.is_empty() { self.gap(at, rest.len()) } else { piece.len() };
            let Some(part) = rest.get_mut(..room.min(rest.len())) else { break };
            done += part.len();
            let is_silent = piece.is_empty() && self.is_comforted(at);
            open = if piece.is_empty() && !is_silent { part.len() } else { 0 };
            if let Some(comfort) = self.comfort.as_mut().filter(|_| is_silent) {
                comfort.filler.fill(part);
                concealer.heard(part);
                continue;
            }
            played = played.max(put(part, self.from(at), concealer));
        }
        (played, open)
    }

    fn is_comforted(&self, at: i64) -> bool {
        self.comfort.as_ref().is_some_and(|comfort| comfort.covers(at))
    }

    /// The samples of the packet that holds this moment, from it on; none if no packet does.
    fn from(&self, at: i64) -> &[i16] {
        let packet = self.waiting.range(..=at).next_back();
        packet
            .and_then(|(start, samples)| samples.get(usize::try_from(at - start).ok()?..))
            .unwrap_or_default()
    }

    /// How long nothing comes, from this moment on, at most `room`.
    fn gap(&self, at: i64, room: usize) -> usize {
        let next = self.waiting.range(at..).next();
        next.and_then(|(next, _)| usize::try_from(next - at).ok()).map_or(room, |gap| gap.min(room))
    }

    /// Changes the speed when the cursor is far from where it should be, and there is sound enough to do so.
    fn bend(&mut self, ahead: i64, concealer: &Concealer) -> Option<Bent> {
        let playing = self.playing.as_mut()?;
        playing.since_change = playing.since_change.saturating_add(1);
        if (-SLACK / 2..SLACK).contains(&ahead) || playing.since_change < CHANGE_EVERY {
            return None;
        }
        let cursor = playing.cursor;
        self.ripen(cursor.saturating_add(bend::NEEDED as i64));
        let sound = self.unbroken(cursor);
        let bent = if ahead > 0 {
            bend::faster(&sound, usize::try_from(ahead).unwrap_or(bend::LONGEST))
        } else {
            bend::slower(concealer.past(), &sound)
        };
        if let (Some(playing), Some(_)) = (&mut self.playing, &bent) {
            playing.since_change = 0;
        }
        bent
    }

    /// What comes next without a gap, as far as bending needs it.
    fn unbroken(&self, cursor: i64) -> Vec<i16> {
        let mut sound = Vec::with_capacity(bend::NEEDED);
        while sound.len() < bend::NEEDED {
            let piece = self.from(cursor.saturating_add(sound.len() as i64));
            if piece.is_empty() {
                break;
            }
            sound.extend(piece.iter().take(bend::NEEDED - sound.len()));
        }
        sound
    }

    /// In silence the cursor can go where it should be, and nobody hears it.
    fn settle(&mut self, ahead: i64) {
        if !(-SLACK / 2..SLACK).contains(&ahead) {
            self.advance(ahead);
        }
    }

    fn advance(&mut self, samples: i64) {
        if let Some(playing) = &mut self.playing {
            playing.cursor = playing.cursor.saturating_add(samples);
        }
        self.forget();
    }

    /// Lets go of what has been played.
    fn forget(&mut self) {
        let Some(cursor) = self.playing.as_ref().map(|playing| playing.cursor) else { return };
        while let Some(first) = self.waiting.first_entry() {
            if first.key().saturating_add(first.get().len() as i64) > cursor {
                break;
            }
            first.remove();
        }
        while let Some(first) = self.coded.first_entry() {
            if first.key().saturating_add(first.get().samples as i64) > cursor {
                break;
            }
            first.remove();
        }
    }
}

/// Fills a part of a frame with what was sent, or, if that is nothing, with what conceals it.
fn put(part: &mut [i16], sent: &[i16], concealer: &mut Concealer) -> Played {
    if sent.is_empty() {
        concealer.fill(part);
        return if concealer.is_silent() { Played::Silence } else { Played::Concealed };
    }
    part.iter_mut().zip(sent).for_each(|(sample, sent)| *sample = *sent);
    concealer.heard(part);
    Played::Sound
}

#[cfg(test)]
impl JitterBuffer {
    /// How many packets wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len() + self.coded.len()
    }

    /// How far the cursor is behind where it should be, in samples.
    pub(super) fn ahead_of(&self, tick: Time) -> i64 {
        let cursor = self.playing.as_ref().map_or(0, |playing| playing.cursor);
        sample_at(tick) - cursor - self.transits.wanted()
    }
}
