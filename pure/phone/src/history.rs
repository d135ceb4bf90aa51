//! `Past`: the calls that there were, and whom to call again.

use std::collections::VecDeque;

use machine::Time;
use media::Audio;
use protocol::doors::{Call, Output};

use crate::limits;
use crate::line::Tiding;
use crate::phone::Phone;
use crate::unable::Unable;

/// A call that there was, or is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Its number.
    pub call: Call,
    /// Who called.
    pub direction: Direction,
    /// The other side: whom we called, or who the From says that it was.
    pub with: Box<str>,
    /// When it began.
    pub began: Time,
    /// When it was answered, if it was.
    pub answered: Option<Time>,
    /// When it ended, if it has.
    pub ended: Option<Time>,
    /// How far it has come: 100 to 199; 200 while it is up and when it was hung up; else why it failed.
    pub status: u16,
}

/// Who called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// We did.
    Out,
    /// They did.
    In,
}

impl Past {
    /// A call of theirs that nobody has answered.
    pub fn is_missed(&self) -> bool {
        self.direction == Direction::In && self.answered.is_none() && self.ended.is_some()
    }
}

/// The last calls, in the order of their beginning.
#[derive(Debug, Default)]
pub(crate) struct History(VecDeque<Past>);

impl History {
    pub(crate) fn begin(&mut self, now: Time, (call, direction): (Call, Direction), with: &str) {
        if self.0.len() >= limits::HISTORY {
            self.0.pop_front();
        }
        let (answered, ended) = (None, None);
        let with = with.into();
        self.0.push_back(Past { call, direction, with, began: now, answered, ended, status: 100 });
    }

    pub(crate) fn go_on(&mut self, now: Time, call: Call, tiding: Tiding) {
        let Some(past) = self.0.iter_mut().rev().find(|past| past.call == call) else { return };
        past.status = tiding.status();
        match tiding {
            Tiding::Progress(_) => {}
            Tiding::Up => past.answered = Some(now),
            Tiding::Over(_) => past.ended = Some(now),
        }
    }
}

impl Phone {
    /// The last calls, the oldest first; at most [`limits::HISTORY`].
    pub fn history(&self) -> impl DoubleEndedIterator<Item = &Past> {
        self.history.0.iter()
    }

    /// Calls again whom we called last.
    pub fn redial(
        &mut self,
        now: Time,
        audio: Box<dyn Audio>,
        out: &mut Vec<Output>,
    ) -> Result<Call, Unable> {
        let last = self.history().rev().find(|past| past.direction == Direction::Out);
        let target = last.map(|past| past.with.clone()).ok_or(Unable::NobodyCalled)?;
        self.call(now, &target, audio, out)
    }
}
