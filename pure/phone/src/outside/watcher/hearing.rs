//! What a watcher hears: the NOTIFYs (RFC 6665 §4.1.3), of one place or of many.

use std::time::Duration;

use machine::Time;
use protocol::dialog::{CallId, Dialog, Tag};
use protocol::doors::PhoneEvent;
use protocol::transaction::ServerId;
use protocol::{Flow, Transport};
use sip::header::{Event, SubscriptionState};
use sip::{Bytes, Message, Status};

use super::{Again, LEAST, State, Watcher};
use crate::turn::Turn;
use crate::{limits, patience};

impl Watcher {
    /// True for a NOTIFY of it: its Call-ID and our tag (§4.1.3); the other tag may be a surprise (§4.1.4).
    pub(in crate::outside) fn is_named_by(&self, notify: &Message) -> bool {
        CallId::in_message(notify) == self.names.call_id
            && Tag::in_to(notify).as_ref() == Some(&self.names.tag)
    }

    /// True when whoever sends this NOTIFY is the one that is listened to.
    pub(in crate::outside) fn hears(&self, notify: &Message) -> bool {
        let remote = self.dialog.as_ref().map(|dialog| &dialog.id().remote);
        remote.is_some() && remote == Tag::in_from(notify).as_ref()
    }

    /// Whether a NOTIFY of somebody else makes a place of its own: not after timer N (§4.1.2.4).
    pub(in crate::outside) fn forks(&self, now: Time) -> bool {
        let told = matches!(self.state, State::Active { .. });
        told && self.package.is_of_many() && now < self.open
    }

    /// A NOTIFY of it. It is answered at once.
    pub(in crate::outside) fn notified(
        &mut self,
        turn: &mut Turn<'_>,
        (id, flow): (ServerId, Flow),
        request: &Message,
    ) {
        let state = match self.admit(request, flow.transport) {
            Ok(state) => state,
            Err(no) => return turn.reply(id, request, no),
        };
        turn.reply(id, request, Status::OK);
        self.tell(turn, &state, request);
        if state.is("terminated") {
            return self.terminated(turn, &state);
        }
        if !matches!(self.state, State::Leaving { .. }) {
            self.stands(turn.now, state.expires().unwrap_or(self.expires));
            self.note_gap(turn.now, request.body());
        }
    }

    /// What it says of the subscription, when it comes in the dialog that is listened to, or makes one; else nothing has changed.
    fn admit<'a>(
        &mut self,
        notify: &'a Message,
        by: Transport,
    ) -> Result<SubscriptionState<'a>, Status> {
        let event = notify.get::<Event<'_>>();
        if event.is_none_or(|event| event.package != self.package.name()) {
            return Err(Status::BAD_EVENT);
        }
        let state = notify.get::<SubscriptionState<'_>>().ok_or(Status::BAD_REQUEST)?;
        let asking = matches!(self.state, State::Asking { .. });
        let mut dialog = match &self.dialog {
            // §4.1.2.4: what has failed is over, whoever tells something yet.
            _ if matches!(self.state, State::Pausing { .. } | State::Over) => {
                return Err(Status::CALL_DOES_NOT_EXIST);
            }
            Some(known) if self.hears(notify) => known.clone(),
            // §4.1.4: of many that answer we listen to the first that tells something, whoever has said 200.
            Some(_) if !(asking && self.package.is_of_many()) => {
                return Err(Status::CALL_DOES_NOT_EXIST);
            }
            // §4.1.2.4: it may come before the 200.
            _ => {
                let new = Dialog::of_subscriber(self.names.cseq, notify, by);
                new.map_err(|fault| fault.status())?
            }
        };
        dialog.receive(notify).map_err(|fault| fault.status())?;
        dialog.refresh(notify);
        self.dialog = Some(dialog);
        Ok(state)
    }

    /// RFC 4235 §4.3: where a document is missing before one that says only what has changed, the whole is to be asked for; unless it comes by itself.
    fn note_gap(&mut self, now: Time, body: &[u8]) {
        let Some((version, whole)) = self.package.edition(body) else { return };
        let follows = self.version.is_some_and(|last| last.wrapping_add(1) == version);
        self.version = Some(version);
        if whole {
            self.gap = None;
        } else if !follows {
            self.gap.get_or_insert(now + Duration::from_secs(LEAST.into()));
        }
    }

    fn tell(&self, turn: &mut Turn<'_>, state: &SubscriptionState<'_>, notify: &Message) {
        let body = notify.content();
        let kind = body.as_ref().and_then(sip::Body::media);
        let kind = kind.map(|media| format!("{}/{}", media.kind, media.subtype));
        turn.report(PhoneEvent::Watched {
            watch: self.id,
            place: self.place,
            state: state.state.into(),
            kind: kind.unwrap_or_default().into(),
            body: Bytes::copy_from_slice(notify.body()),
        });
    }

    /// §4.1.3: what its reason says about trying again.
    fn terminated(&mut self, turn: &mut Turn<'_>, state: &SubscriptionState<'_>) {
        let leaving = matches!(self.state, State::Leaving { .. });
        if leaving || self.place > 0 {
            self.state = State::Over;
            if self.place == 0 {
                self.tell_end((200, "watched no more"), Again::No, turn.out);
            }
            return;
        }
        let later = state.retry_after().map(|seconds| Duration::from_secs(seconds.into()));
        let reason = state.reason().unwrap_or_default();
        let is = |other: &str| reason.eq_ignore_ascii_case(other);
        if is("rejected") || is("noresource") || is("invariant") {
            return self.over((if is("rejected") { 403 } else { 404 }, reason), turn.out);
        }
        let soon = is("deactivated") || is("timeout");
        let pause = match later {
            Some(later) => later.clamp(limits::WATCH_AGAIN, limits::RETRY_LAST),
            None if soon => limits::WATCH_AGAIN,
            None => patience::pause(self.failures, &mut turn.line.dice),
        };
        self.pause(turn.now, pause, turn.out);
    }
}
