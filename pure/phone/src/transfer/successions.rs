//! `Succession`: one call goes on as another. The new one gets mouth and ear of the old one as soon as it is up.

use machine::Time;
use media::Silence;
use protocol::doors::{Call, Event, Output, PhoneEvent};
use sip::Status;

use crate::call::{Conversation, refer_to};
use crate::line::Tiding;
use crate::phone::Phone;
use crate::unable::Unable;

/// Why a call follows another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Succession {
    /// The other side of `old` has asked for it with the REFER of this number.
    Referred { old: Call, refer: u32 },
    /// The INVITE of the new one said so.
    Replaces { old: Call },
    /// The new one is no successor: it joins the old one, as the INVITE, a REFER of this number or the program said.
    Joins { old: Call, refer: Option<u32> },
}

impl Phone {
    /// Transfers a call: the other side is asked to call somebody else (RFC 3515). [`PhoneEvent::Transfer`] tells how that goes; when it is answered
    /// there, our call is hung up.
    pub fn transfer(
        &mut self,
        now: Time,
        call: Call,
        target: &str,
        out: &mut Vec<Output>,
    ) -> Result<(), Unable> {
        let target = self.target(target)?;
        let to = [b"<", &*target, b">"].concat();
        self.with(now, call, out, |conversation, turn| conversation.transfer(turn, &to))
    }

    /// Transfers a call to the other side of another one of ours: those two talk, and we are out of it (RFC 5589 §7).
    pub fn transfer_to(
        &mut self,
        now: Time,
        call: Call,
        other: Call,
        out: &mut Vec<Output>,
    ) -> Result<(), Unable> {
        let up = self.calls.get(&other).and_then(Conversation::confirmed);
        let to = refer_to(up.ok_or(Unable::NotNow("stands"))?);
        self.with(now, call, out, |conversation, turn| conversation.transfer(turn, &to))
    }

    /// Does what the other side of a call has asked for ([`PhoneEvent::Referred`]): calls whom it named. The new call has the mouth and the ear of
    /// the old one as soon as it is up ([`PhoneEvent::GoesOn`]). In a call of our conference it is somebody who is to be called into it: the new call
    /// joins.
    pub fn follow(&mut self, now: Time, call: Call, out: &mut Vec<Output>) -> Result<Call, Unable> {
        if self.is_full() {
            return Err(Unable::TooManyCalls);
        }
        let conversation = self.calls.get_mut(&call).ok_or(Unable::NoSuchCall)?;
        let (refer, wanted) = conversation.accept_referral().ok_or(NOT_ASKED)?;
        let joins = conversation.is_of_focus();
        let audio = Box::new(Silence);
        let new = self.begin(now, (wanted.target.clone(), wanted.rows()), audio, out);
        if let (Some(token), Some(call)) = (wanted.token, self.calls.get_mut(&new)) {
            call.carry(token);
        }
        let succession = match joins {
            true => Succession::Joins { old: call, refer: Some(refer) },
            false => Succession::Referred { old: call, refer },
        };
        self.comes(new, succession);
        self.settle(now, out);
        Ok(new)
    }

    /// Does not do what the other side of a call has asked for.
    pub fn decline(&mut self, now: Time, call: Call, out: &mut Vec<Output>) -> Result<(), Unable> {
        self.with(now, call, out, |conversation, turn| {
            let (refer, _) = conversation.accept_referral().ok_or(NOT_ASKED)?;
            conversation.tell(turn, refer, Status::DECLINE);
            Ok(())
        })
    }

    /// What has become of a call, for the one that it follows: 100 to 199, 200 when it is up, else why it failed.
    pub(crate) fn told(&mut self, now: Time, (new, tiding): (Call, Tiding), out: &mut Vec<Output>) {
        let status = tiding.status();
        let Some(succession) = self.successions.get(&new).copied() else { return };
        if status >= 200 {
            self.successions.remove(&new);
        }
        let up = tiding == Tiding::Up;
        let old = match succession {
            Succession::Referred { old, .. }
            | Succession::Replaces { old }
            | Succession::Joins { old, .. } => old,
        };
        match succession {
            Succession::Joins { .. } if up => self.come_in(now, (old, new), out),
            Succession::Joins { .. } => {}
            _ if up => self.succeed(now, (old, new), out),
            _ => {}
        }
        match succession {
            Succession::Referred { refer, .. } | Succession::Joins { refer: Some(refer), .. } => {
                let Some(status) = Status::new(status) else { return };
                // Whoever asked may be gone meanwhile.
                let _ = self.with_quietly(now, old, out, |conversation, turn| {
                    conversation.tell(turn, refer, status);
                    Ok(())
                });
            }
            Succession::Replaces { .. } if up => {
                // It may have ended at the same moment.
                let _ = self.with_quietly(now, old, out, Conversation::hang_up);
            }
            Succession::Replaces { .. } | Succession::Joins { refer: None, .. } => {}
        }
    }

    fn succeed(&mut self, now: Time, (old, new): (Call, Call), out: &mut Vec<Output>) {
        let before = self.calls.get_mut(&old).and_then(Conversation::lend_audio);
        let audio = before.or_else(|| {
            let at = self.ended.iter().position(|(ended, _)| *ended == old)?;
            self.ended.remove(at).map(|(_, audio)| audio)
        });
        let sound = self.calls.get_mut(&new).and_then(Conversation::sound);
        if let (Some(audio), Some(sound)) = (audio, sound) {
            sound.hand_over(audio);
        }
        out.push(Output::Report(Event::Phone(PhoneEvent::GoesOn { call: old, new })));
        self.follows(now, (old, new), out);
    }
}

const NOT_ASKED: Unable = Unable::NotNow("was asked to call somebody else");
