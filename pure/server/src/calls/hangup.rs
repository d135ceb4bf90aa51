//! Hanging up: an operator has a call ended that passes through here. A BYE goes to both sides, to each in the name of the other; who still
//! rings is told so by CANCEL, and the caller by a 487. Why a proxy does that: docs/decisions/0031.

use machine::Time;
use protocol::doors::Event;
use protocol::transaction::ServerId;
use protocol::{Ender, Flow, Output, Text};
use sip::{Message, Status};

use super::line::{Line, Side};
use super::{Calls, Number, Stage, follow};
use crate::limits;
use crate::turn::{Turn, text};

/// What both sides, and records, are told (RFC 3326, RFC 6432): normal, and neither of the two.
pub(crate) const REASON: &[u8] = br#"Q.850;cause=31;text="Ended by the operator""#;

/// A call that an operator has ended, and what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// How far it was.
    pub was: Was,
    /// What its caller has answered: to the BYE in the name of the other, 408 when nothing. Nothing yet: `None`.
    pub caller: Option<u16>,
    /// What its callee has; nothing at all, when none had answered.
    pub callee: Option<u16>,
    /// Until when an answer is waited for; then how long it is remembered.
    pub(super) until: Time,
}

/// How far a call was when it was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Was {
    /// Somebody was looked for, or rang.
    Ringing,
    /// It was answered.
    Up,
}

/// Why a call cannot be ended from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stays {
    /// There is no such call now.
    Unknown,
    /// Nothing was done yet of what it needs: in a moment it can.
    TooEarly,
    /// Its requests do not pass here: our Record-Route did not come back, or was too long to be kept.
    Unseen,
}

impl Ending {
    /// True once both have answered, or cannot any more.
    pub const fn is_complete(&self) -> bool {
        matches!(self.was, Was::Ringing) || self.caller.is_some() && self.callee.is_some()
    }

    /// True when it is over: one of the two has obeyed, or is not there. Who is alone has no call.
    pub fn is_over(&self) -> bool {
        let gone = |said: Option<u16>| said.is_some_and(has_left);
        self.is_complete() && (self.was == Was::Ringing || gone(self.caller) || gone(self.callee))
    }
}

/// What says that there is no call any more on that side: yes; or: I know of none; or nobody is there (RFC 3261 §12.2.1.2, RFC 5057 §5.1).
const fn has_left(status: u16) -> bool {
    matches!(status, 200..=299 | 404 | 408 | 410 | 430 | 480 | 481)
}

impl Turn<'_> {
    /// An operator wants a call to end. One that is being ended already is not told twice. Says which INVITE is to be given up, when it rings.
    pub(crate) fn hangs_up(&mut self, number: u64) -> Result<Option<ServerId>, Stays> {
        let Some(followed) = self.calls.shelf.get(number) else { return Err(Stays::Unknown) };
        if self.calls.is_ending(number) {
            return Ok(None);
        }
        let bye = |by| followed.line.bye(self.house, &followed.record, by);
        let (was, invite, byes) = match followed.stage {
            Stage::New => return Err(Stays::TooEarly),
            Stage::Rings(invite) => (Was::Ringing, Some(invite), None),
            Stage::Stands(_) => {
                let byes = bye(Side::Caller).zip(bye(Side::Callee)).ok_or(Stays::Unseen)?;
                (Was::Up, None, Some(byes))
            }
        };
        let call_id = text(followed.record.text(Text::CallId)).into();
        let event = Event::HangsUp { call_id, up: was == Was::Up };
        self.out.push(Output::Report(event));
        let until = self.now + self.house.settings.timers.patience().saturating_mul(2);
        self.calls.byes.extend(byes.into_iter().flat_map(|(one, other)| [one, other]));
        self.calls.endings.begin(number, Ending { was, caller: None, callee: None, until });
        Ok(invite)
    }

    /// The caller of one that rings was told: it is over.
    pub(crate) fn call_dismissed(&mut self, number: Number, status: Status) {
        if let Some(number) = number.get() {
            self.calls.endings.change(number, |ending| ending.caller = Some(status.code()));
        }
        if let Some(record) = self.calls.record(number) {
            record.ender = Ender::Operator;
            record.put(limits::CALL_TEXT, &[(Text::Reason, REASON)]);
        }
        self.call_refused(number, status, None);
    }

    /// Somebody answers a call that is over by the operator's order: it is told so in the name of the caller.
    pub(crate) fn call_comes_late(&mut self, (came, invite): (Flow, &Message), answer: &Message) {
        let mut line = Line::default();
        line.answered(self.house, came, (invite, answer), b"");
        let record = follow::record(self.now, came, invite);
        let bye = record.and_then(|record| line.bye(self.house, &record, Side::Caller));
        self.calls.byes.extend(bye);
    }

    /// One of our BYEs was answered, or was not (408).
    pub(crate) fn bye_answered(&mut self, bye: &Message, status: Status) {
        let Some((number, by)) = self.standing(bye) else { return };
        if let Some(followed) = self.calls.shelf.get_mut(number) {
            followed.line.passes(by, bye);
        }
        self.calls.obeyed(number, (by.other(), status.code()), self.now, self.out);
    }
}

impl Calls {
    /// A BYE that is to be taken on its way, under a name, and from where it seems to come.
    pub(crate) fn next_bye(&mut self) -> Option<(ServerId, Flow, Message)> {
        let (came, bye) = self.byes.pop()?;
        self.made = self.made.wrapping_add(1);
        Some((ServerId::of_own(self.made), came, bye))
    }

    /// What came of the end of a call, or has come so far.
    pub(crate) fn ending(&self, number: u64) -> Option<Ending> {
        self.endings.get(number).copied()
    }

    /// Is it just being ended?
    pub(super) fn is_ending(&self, number: u64) -> bool {
        self.endings.get(number).is_some_and(|ending| !ending.is_complete())
    }

    fn obeyed(
        &mut self,
        number: u64,
        (side, status): (Side, u16),
        now: Time,
        out: &mut Vec<Output>,
    ) {
        if !self.is_ending(number) {
            return;
        }
        let answers = |ending: &mut Ending| {
            match side {
                Side::Caller => ending.caller = Some(status),
                Side::Callee => ending.callee = Some(status),
            }
            if ending.is_complete() {
                ending.until = now + limits::ENDING;
            }
        };
        let Some(ending) = self.endings.change(number, answers) else { return };
        let (Some(caller), Some(callee)) = (ending.caller, ending.callee) else { return };
        let over = ending.is_over();
        let Some(followed) = self.shelf.get_mut(number) else { return };
        let call_id = text(followed.record.text(Text::CallId)).into();
        out.push(Output::Report(Event::HungUp { call_id, caller, callee, over }));
        if over {
            followed.record.put(limits::CALL_TEXT, &[(Text::Reason, REASON)]);
            self.end(number, (now, Ender::Operator), out);
        }
    }

    /// Who has not answered, and has no transaction any more, will not. What came of it is forgotten in the end.
    pub(super) fn wait_no_more(&mut self, now: Time, out: &mut Vec<Output>) {
        while let Some((number, ending)) = self.endings.due(now) {
            if ending.is_complete() {
                self.endings.forget(number);
                continue;
            }
            let silent = Status::REQUEST_TIMEOUT.code();
            self.obeyed(number, (Side::Caller, ending.caller.unwrap_or(silent)), now, out);
            self.obeyed(number, (Side::Callee, ending.callee.unwrap_or(silent)), now, out);
        }
    }
}
