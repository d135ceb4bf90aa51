//! `Lingering`: INVITEs of ours that were answered, for as long as 2xx may still come (RFC 3261 §13.2.2.4).

use std::collections::BTreeMap;

use machine::Time;
use protocol::Flow;
use protocol::dialog::{Dialog, Tag};
use protocol::doors::{Call, Output};
use protocol::session::{Heard, Invitation};
use protocol::transaction::{ClientId, Timers};
use sip::Message;

/// Answered INVITEs, by transaction.
#[derive(Debug, Default)]
pub(crate) struct Lingering(BTreeMap<ClientId, Answered>);

#[derive(Debug)]
struct Answered {
    call: Call,
    invitation: Invitation,
    until: Time,
}

impl Lingering {
    /// Keeps one for 64*T1 from now.
    pub(crate) fn keep(&mut self, now: Time, timers: &Timers, call: Call, invitation: Invitation) {
        let answered = Answered { call, until: now + timers.patience(), invitation };
        self.0.insert(answered.invitation.id(), answered);
    }

    /// Its ACK went out: it goes out again whenever the 2xx comes again.
    pub(crate) fn acknowledged(&mut self, invite: ClientId, flow: Flow, ack: &Message) {
        if let (Some(answered), Some(tag)) = (self.0.get_mut(&invite), Tag::in_to(ack)) {
            answered.invitation.acknowledged(&tag, flow, ack.wire().clone());
        }
    }

    /// One more 2xx. Of another fork: the call that it does not belong to, its INVITE and its dialog, to be acknowledged and hung up.
    pub(crate) fn hear(
        &mut self,
        now: Time,
        timers: &Timers,
        (id, response): (ClientId, &Message),
        out: &mut Vec<Output>,
    ) -> Option<(Call, Message, Box<Dialog>)> {
        let answered = self.0.get_mut(&id)?;
        match answered.invitation.hear(now, timers, response, out) {
            Heard::Surplus(dialog) | Heard::Answered(dialog) => {
                Some((answered.call, answered.invitation.invite().clone(), dialog))
            }
            Heard::Progress(..)
            | Heard::Reliable(..)
            | Heard::Cancel(_)
            | Heard::Refused
            | Heard::Nothing => None,
        }
    }

    /// Forgets those whose time is over.
    pub(crate) fn wake(&mut self, now: Time) {
        self.0.retain(|_, answered| now < answered.until);
    }

    /// When the next one is forgotten.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.0.values().map(|answered| answered.until).min()
    }

    /// True when none is kept.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
