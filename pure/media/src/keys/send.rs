//! Sending keys, one after the other (RFC 4733 §2.5.1).

use std::collections::VecDeque;
use std::fmt;

use rtp::Event;

use super::KeySet;
use crate::{Tone, limits};

/// A key lasts 100 ms, well above the 40 ms that everybody must notice (ITU-T Q.24), in an update every frame.
const LENGTH: u16 = 5;
/// The last packet is sent three times (RFC 4733 §2.5.1.4).
const REPEATS: u8 = 2;
/// With the repeats, 60 ms of pause between two keys.
const PAUSE: u8 = 1;
/// A key as a tone: 100 ms of it, 60 ms of silence.
const TONE_FRAMES: u8 = 5;
const TONE_PAUSE: u8 = 3;
/// In dBm0 without the sign; as loud as our tones.
const VOLUME: u8 = 8;

/// Why a key is not pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotPressed {
    /// No phone has this key: `0`–`9`, `*`, `#`, `A`–`D`.
    NoSuchKey(char),
    /// Too many keys wait already ([`limits::KEYS`]).
    TooMany,
}

impl fmt::Display for NotPressed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchKey(key) => write!(f, "no phone has a key {key:?}; press 0-9, *, # or A-D"),
            Self::TooMany => write!(f, "{} keys wait already; press more later", limits::KEYS),
        }
    }
}

impl std::error::Error for NotPressed {}

/// Keys that wait, and the one that is being sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeySender {
    waiting: VecDeque<u8>,
    state: State,
}

#[derive(Clone, Debug, Default)]
enum State {
    #[default]
    Idle,
    /// Since a timestamp, for so many frames.
    Pressed {
        event: u8,
        since: u32,
        frames: u16,
    },
    Released {
        event: u8,
        since: u32,
        repeats: u8,
    },
    Sounding {
        tone: Tone,
        frames: u8,
    },
    Pausing {
        frames: u8,
    },
}

/// What a frame carries.
#[derive(Debug, PartialEq)]
pub(crate) enum Turn<'a> {
    /// The sound of the call.
    Sound,
    /// An event packet instead, with the marker when it is the first.
    Event { event: Event, since: u32 },
    /// This tone instead.
    Tone(&'a mut Tone),
}

impl KeySender {
    pub(crate) fn press(&mut self, key: char) -> Result<(), NotPressed> {
        let code = rtp::event::code(key).ok_or(NotPressed::NoSuchKey(key))?;
        if self.waiting.len() >= limits::KEYS {
            return Err(NotPressed::TooMany);
        }
        self.waiting.push_back(code);
        Ok(())
    }

    /// True when no key waits or is being sent.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && matches!(self.state, State::Idle)
    }

    /// What the frame that begins at `timestamp` and lasts for so many ticks carries. Keys that the other side does not take as events become
    /// tones.
    pub(crate) fn turn(
        &mut self,
        (timestamp, ticks): (u32, u16),
        events: Option<KeySet>,
    ) -> Turn<'_> {
        self.step(timestamp, events);
        match &mut self.state {
            State::Idle | State::Pausing { .. } => Turn::Sound,
            State::Pressed { event, since, frames } => {
                let (end, duration) = (*frames >= LENGTH, frames.saturating_mul(ticks));
                let event = Event { event: *event, end, volume: VOLUME, duration };
                Turn::Event { event, since: *since }
            }
            State::Released { event, since, .. } => {
                let duration = LENGTH.saturating_mul(ticks);
                let event = Event { event: *event, end: true, volume: VOLUME, duration };
                Turn::Event { event, since: *since }
            }
            State::Sounding { tone, .. } => Turn::Tone(tone),
        }
    }

    fn step(&mut self, timestamp: u32, events: Option<KeySet>) {
        self.state = match std::mem::take(&mut self.state) {
            State::Idle => self.next(timestamp, events),
            State::Pressed { event, since, frames } if frames < LENGTH => {
                State::Pressed { event, since, frames: frames + 1 }
            }
            State::Pressed { event, since, .. } => {
                State::Released { event, since, repeats: REPEATS - 1 }
            }
            State::Released { repeats: 0, .. } => State::Pausing { frames: PAUSE },
            State::Released { event, since, repeats } => {
                State::Released { event, since, repeats: repeats - 1 }
            }
            State::Sounding { frames: 0, .. } => State::Pausing { frames: TONE_PAUSE },
            State::Sounding { tone, frames } => State::Sounding { tone, frames: frames - 1 },
            State::Pausing { frames } if frames > 1 => State::Pausing { frames: frames - 1 },
            State::Pausing { .. } => self.next(timestamp, events),
        }
    }

    fn next(&mut self, since: u32, events: Option<KeySet>) -> State {
        let Some(event) = self.waiting.pop_front() else { return State::Idle };
        let tone = Event { event, end: false, volume: 0, duration: 0 }.key().and_then(Tone::key);
        match tone.filter(|_| !events.is_some_and(|events| events.has(event))) {
            Some(tone) => State::Sounding { tone, frames: TONE_FRAMES - 1 },
            None => State::Pressed { event, since, frames: 1 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(sender: &mut KeySender, frames: u32) -> Vec<Option<(u32, Event)>> {
        let turn = |frame: u32| match sender.turn((frame * 160, 160), Some(KeySet::default())) {
            Turn::Event { event, since } => Some((since, event)),
            _ => None,
        };
        (0..frames).map(turn).collect()
    }

    #[test]
    fn a_key_grows_ends_and_is_repeated_under_one_timestamp() {
        let mut sender = KeySender::default();
        sender.press('5').unwrap();
        let sent = events(&mut sender, 9);
        let sent: Vec<_> = sent
            .iter()
            .map(|sent| sent.map(|(since, event)| (since, event.event, event.duration, event.end)))
            .collect();
        let packet = |duration, end| Some((0, 5, duration, end));
        assert_eq!(
            sent,
            [
                packet(160, false),
                packet(320, false),
                packet(480, false),
                packet(640, false),
                packet(800, true),
                packet(800, true),
                packet(800, true),
                None,
                None
            ]
        );
        assert!(sender.is_idle());
    }

    #[test]
    fn the_next_key_comes_after_a_pause_with_its_own_timestamp() {
        let mut sender = KeySender::default();
        sender.press('#').unwrap();
        sender.press('d').unwrap();
        let sent = events(&mut sender, 16);
        assert_eq!(sent[7], None);
        assert_eq!(sent[8].map(|(since, event)| (since, event.event)), Some((8 * 160, 15)));
    }

    #[test]
    fn a_key_may_be_a_tone() {
        let mut sender = KeySender::default();
        sender.press('1').unwrap();
        let tones: Vec<_> =
            (0..9u32).map(|n| matches!(sender.turn((n, 160), None), Turn::Tone(_))).collect();
        assert_eq!(tones, [true, true, true, true, true, false, false, false, false]);
    }

    #[test]
    fn keys_that_do_not_exist_or_are_too_many_are_refused() {
        let mut sender = KeySender::default();
        assert_eq!(sender.press('x'), Err(NotPressed::NoSuchKey('x')));
        assert!((0..limits::KEYS).all(|_| sender.press('0').is_ok()));
        assert_eq!(sender.press('0'), Err(NotPressed::TooMany));
    }
}
