//! `Keeping`: a flow is kept open by signs of life, and known to be dead when they are not answered any more (RFC 5626 §4.4).

use std::net::SocketAddr;
use std::time::Duration;

use machine::{Dice, Time};
use protocol::Flow;
use protocol::doors::{Alive, Output};
use sip::Bytes;

use crate::limits;

/// How a flow is kept open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keeping {
    flow: Flow,
    /// Whether the other side has said that it answers signs of life: the 200 required `outbound`.
    answers: bool,
    /// Seconds after which it takes us for dead (Flow-Timer), if it said so.
    timer: Option<u32>,
    /// Where it has seen us, by STUN.
    mapped: Option<SocketAddr>,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Nothing is said before `ping`.
    Resting { ping: Time },
    /// A pong is awaited.
    Pinged { since: Time },
    /// An answer of STUN is awaited; the request is repeated at `again`, twice as late each time.
    Asked { transaction: [u8; 12], since: Time, again: Time, pause: Duration, sent: u8 },
}

/// Whether a flow is to be taken for dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Lives,
    Dead,
}

impl Keeping {
    /// For a flow by which we were just registered.
    pub(super) fn new(
        now: Time,
        (flow, answers, timer): (Flow, bool, Option<u32>),
        dice: &mut Dice,
    ) -> Self {
        let state = State::Resting { ping: Time::NEVER };
        let mut keeping = Self { flow, answers, timer, mapped: None, state };
        keeping.rest((now, now), dice);
        keeping
    }

    /// The same flow after its registration was refreshed: where we were seen is remembered.
    pub(super) fn after(self, before: &Self) -> Self {
        let same = before.flow == self.flow;
        Self { mapped: before.mapped.filter(|_| same), ..self }
    }

    /// With where the other side has just seen us, if it says so.
    pub(super) fn seen_at(self, seen: Option<SocketAddr>) -> Self {
        Self { mapped: seen.or(self.mapped), ..self }
    }

    pub(super) const fn flow(&self) -> Flow {
        self.flow
    }

    pub(super) fn deadline(&self) -> Time {
        match self.state {
            State::Resting { ping } => ping,
            State::Pinged { since } => since + limits::PONG,
            State::Asked { again, .. } => again,
        }
    }

    /// Gives a sign of life, or finds that the last one was not answered.
    pub(super) fn wake(&mut self, now: Time, dice: &mut Dice, out: &mut Vec<Output>) -> Verdict {
        if self.deadline() > now {
            return Verdict::Lives;
        }
        match self.state {
            State::Resting { .. } if !self.answers => {
                self.send(Bytes::from_static(KEEP_ALIVE), out);
                self.rest((now, now), dice);
            }
            State::Resting { .. } if self.flow.transport.is_reliable() => {
                self.send(Bytes::from_static(KEEP_ALIVE), out);
                self.state = State::Pinged { since: now };
            }
            State::Resting { .. } => {
                let mut transaction = [0; 12];
                let (some, rest) = (dice.roll().to_be_bytes(), dice.roll().to_be_bytes());
                let thrown = some.iter().chain(&rest);
                transaction.iter_mut().zip(thrown).for_each(|(place, octet)| *place = *octet);
                let pause = limits::STUN_AGAIN;
                self.send(stun::ask(&transaction).into(), out);
                let (since, again) = (now, now + pause);
                self.state = State::Asked { transaction, since, again, pause, sent: 1 };
            }
            State::Pinged { .. } => return Verdict::Dead,
            State::Asked { sent: limits::STUN_SENT.., .. } => return Verdict::Dead,
            State::Asked { transaction, since, pause, sent, .. } => {
                self.send(stun::ask(&transaction).into(), out);
                let sent = sent.saturating_add(1);
                // RFC 8489 §6.2.1: after the last one we wait 16 times as long as after the first.
                let last = limits::STUN_AGAIN.saturating_mul(limits::STUN_LAST);
                let pause = if sent >= limits::STUN_SENT { last } else { pause.saturating_mul(2) };
                self.state = State::Asked { transaction, since, again: now + pause, pause, sent };
            }
        }
        Verdict::Lives
    }

    /// A sign of life was answered, perhaps ours: dead is a flow whose other side sees us elsewhere.
    pub(super) fn alive(
        &mut self,
        now: Time,
        (from, alive): (Flow, Alive),
        dice: &mut Dice,
    ) -> Verdict {
        if from.any_connection() != self.flow.any_connection() {
            return Verdict::Lives;
        }
        match (self.state, alive) {
            (State::Pinged { since }, Alive::Pong) => self.rest((since, now), dice),
            (State::Asked { transaction, since, .. }, Alive::Mapped(answered, mapped))
                if transaction == answered =>
            {
                if self.mapped.is_some_and(|before| before != mapped) {
                    return Verdict::Dead;
                }
                self.mapped = Some(mapped);
                self.rest((since, now), dice);
            }
            _ => {}
        }
        Verdict::Lives
    }

    fn send(&self, octets: Bytes, out: &mut Vec<Output>) {
        out.push(Output::Send(self.flow, octets));
    }

    /// How long the way may be silent is thrown, so that not all phones speak at once; it is counted from the last sign of life.
    fn rest(&mut self, (since, now): (Time, Time), dice: &mut Dice) {
        let usual = if self.flow.transport.is_reliable() {
            limits::STREAM_SILENCE
        } else {
            limits::SILENCE
        };
        let (least, most) = match self.timer {
            Some(seconds) => {
                let most = Duration::from_secs(seconds.max(1).into());
                (most.saturating_mul(4) / 5, most)
            }
            None => usual,
        };
        let spread = u64::try_from(most.saturating_sub(least).as_millis()).unwrap_or(u64::MAX);
        let silence = least + Duration::from_millis(dice.below(spread));
        self.state = State::Resting { ping: now.max(since + silence) };
    }
}

/// Two line ends: over streams a ping that is answered (RFC 5626 §3.5.1), over datagrams nothing but a datagram.
const KEEP_ALIVE: &[u8] = b"\r\n\r\n";
