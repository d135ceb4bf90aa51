//! CANCEL: branches that nobody wants any more (RFC 3261 §16.10, §9.1), and why, so that phones need show no missed call (RFC 3326).

use machine::Time;
use protocol::transaction::{ClientId, ServerId, cancel_of};
use sip::{Message, Name, Status};

use super::Proxy;
use super::context::{Context, Leg, State};
use super::response::report;
use crate::calls::REASON;
use crate::turn::Turn;

/// Another phone has answered (RFC 3326 §3.1).
pub(super) const ANSWERED: &[u8] = br#"SIP;cause=200;text="Call completed elsewhere""#;
/// Somebody has said no for all.
pub(super) const REFUSED: &[u8] = br#"SIP;cause=603;text="Declined elsewhere""#;
/// It has rung for too long.
pub(super) const NOBODY_ANSWERED: &[u8] = br#"SIP;cause=408;text="Nobody answered""#;

impl Proxy {
    /// A CANCEL came: the request's branches are cancelled, for the reason that it gives.
    pub(crate) fn cancel(&mut self, turn: &mut Turn<'_>, invite: ServerId, cancel: &Message) {
        self.with(turn, invite, |proxy, turn, context| {
            if context.is_answered() {
                return;
            }
            let reasons: Vec<_> = cancel.rows(Name::Reason).collect();
            let reason = (!reasons.is_empty()).then(|| reasons.join(&b", "[..]).into());
            turn.call_cancelled(context.plan.call, cancel);
            proxy.close(turn, context, reason);
            proxy.settle(turn, context);
        });
    }

    /// An operator wants it to end. Its caller is told so at once: with what says that nobody else is to be tried. Who is asked is told so too.
    pub(crate) fn dismiss(&mut self, turn: &mut Turn<'_>, invite: ServerId) {
        self.with(turn, invite, |proxy, turn, context| {
            if context.is_answered() {
                return;
            }
            proxy.close(turn, context, Some(REASON.into()));
            context.state = State::Dismissed;
            let status = Status::REQUEST_TERMINATED;
            let over = turn.reply(&context.request, status, status.phrase());
            turn.answer(context.id, over.raw(Name::Reason, REASON).wire());
            turn.call_dismissed(context.plan.call, status);
            report(turn, context, status);
        });
    }

    /// Nobody else is asked any more, and who is asked is told so.
    pub(super) fn close(
        &mut self,
        turn: &mut Turn<'_>,
        context: &mut Context,
        reason: Option<Box<[u8]>>,
    ) {
        context.state = State::Closing;
        context.waiting.clear();
        context.reason = reason;
        self.cancel_branches(turn, context);
    }

    /// Those who ring have had their time: the next in order of preference do.
    pub(super) fn give_way(&mut self, turn: &mut Turn<'_>, context: &mut Context) {
        context.gives_way = Time::NEVER;
        for at in 0..context.branches.len() {
            // Who has given no sign of life gets no more copies.
            if let Some(Leg::Calling { client, .. }) = context.branches.get(at).map(|it| it.state) {
                turn.transactions.hush(client);
            }
            self.cancel_branch(turn, context, at, Some(NOBODY_ANSWERED));
        }
    }

    /// Cancels every branch that may still ring.
    pub(super) fn cancel_branches(&mut self, turn: &mut Turn<'_>, context: &mut Context) {
        for at in 0..context.branches.len() {
            self.cancel_branch(turn, context, at, None);
        }
    }

    /// Cancels one branch: now, or as soon as it gives a sign of life. Only INVITEs can be cancelled. The reason is its own, else that of
    /// all.
    pub(super) fn cancel_branch(
        &mut self,
        turn: &mut Turn<'_>,
        context: &mut Context,
        at: usize,
        reason: Option<&[u8]>,
    ) {
        let (invite, patience) = (context.is_invite(), turn.house.settings.timers.patience());
        let reason = reason.or(context.reason.as_deref());
        let Some(branch) = context.branches.get_mut(at) else { return };
        branch.tries_no_more();
        match branch.state {
            Leg::Looking { ticket, .. } => {
                self.tickets.remove(&ticket);
                branch.state = Leg::Done;
            }
            Leg::Calling { client, until, .. } if invite => {
                branch.state = Leg::Unwanted { client, until }
            }
            Leg::Ringing { client, .. } if invite => {
                branch.state = Leg::Cancelling { client, until: turn.now + patience };
                send(turn, client, reason);
            }
            _ => {}
        }
    }
}

/// Sends the CANCEL of an INVITE where that one went.
pub(super) fn send(turn: &mut Turn<'_>, client: ClientId, reason: Option<&[u8]>) {
    let Some(invite) = turn.transactions.client_request(client) else { return };
    let Some(flow) = turn.transactions.client_flow(client) else { return };
    let Ok(cancel) = Message::parse(cancel_of(&invite)) else { return };
    let told = reason
        .and_then(|reason| cancel.edit().append_raw(Name::Reason.as_str(), reason).finish().ok());
    turn.transactions.request(turn.now, flow, told.unwrap_or(cancel), turn.out);
}
