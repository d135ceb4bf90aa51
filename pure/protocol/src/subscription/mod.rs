//! Subscription: the notifier's side of one, a usage of a dialog (RFC 6665 §4.2).
//!
//! What is watched is the business of an event package; here is what all of them share: what a SUBSCRIBE asks for ([`Wish`]), how long
//! it gets it, and which NOTIFY goes out when. There is never more than one NOTIFY on its way, so that the watcher need not put them in
//! order: what changes meanwhile is told by the next.

mod standing;
mod wish;

use std::time::Duration;

use machine::Time;
use sip::header::Contact;
use sip::{Draft, Header as _, Message, Method, Name, Status};

use crate::dialog::{Dialog, DialogId, Fault, Order, Tag};
use crate::transport::Transport;

pub use standing::{Reason, Standing};
pub use wish::{Bounds, Wish};

/// One subscription, as its notifier keeps it.
#[derive(Clone, Debug)]
pub struct Subscription {
    dialog: Dialog,
    /// The Event header of its SUBSCRIBE: every NOTIFY says the same (§4.5.2).
    event: Box<[u8]>,
    until: Time,
    mail: Mail,
    /// No NOTIFY for a mere change before this.
    rest: Time,
}

/// What is to be told, and what is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mail {
    /// The watcher knows everything.
    Settled,
    /// It is to be told.
    Owed,
    /// A NOTIFY is on its way.
    Sent,
    /// A NOTIFY is on its way, and already old.
    SentAndOwed,
}

impl Subscription {
    /// Begins one with the SUBSCRIBE that asked for it; `tag` is that of its 200. Its watcher is to be told at once (§4.2.1.2).
    pub fn begin(request: &Message, tag: Tag, by: Transport, until: Time) -> Result<Self, Fault> {
        let mut dialog = Dialog::of_callee(request, tag, by)?;
        dialog.confirm();
        let event = request.rows(Name::Event).next().unwrap_or_default().into();
        Ok(Self { dialog, event, until, mail: Mail::Owed, rest: Time(0) })
    }

    /// A SUBSCRIBE within it: it lasts until then, and its watcher is told everything again (§4.2.1.4).
    pub fn refresh(&mut self, request: &Message, until: Time) -> Result<(), Fault> {
        if self.dialog.receive(request)? == Order::Next {
            self.dialog.refresh(request);
            self.until = until;
            self.rest = Time(0);
            self.owe();
        }
        Ok(())
    }

    /// Its name.
    pub const fn id(&self) -> &DialogId {
        self.dialog.id()
    }

    /// True when a SUBSCRIBE in its dialog means this one: the Event's `id` tells two apart (§4.5.2).
    pub fn is_named_by(&self, request: &Message) -> bool {
        let id = |row: &[u8]| {
            sip::header::Event::parse(row).ok().and_then(|event| event.id().map(<[u8]>::to_vec))
        };
        request.rows(Name::Event).next().and_then(id) == id(&self.event)
    }

    /// When it ends, unless it is refreshed.
    pub const fn until(&self) -> Time {
        self.until
    }

    /// Where its watcher wants to be reached first: the nearest proxy, or the watcher itself.
    pub fn next_hop(&self) -> &[u8] {
        self.dialog.next_hop()
    }

    /// Something has changed that the watcher must be told.
    pub const fn owe(&mut self) {
        self.mail = match self.mail {
            Mail::Settled | Mail::Owed => Mail::Owed,
            Mail::Sent | Mail::SentAndOwed => Mail::SentAndOwed,
        };
    }

    /// When the next NOTIFY may go out, if one is owed: changes do not come faster than the package allows.
    pub fn next_mail(&self) -> Option<Time> {
        (self.mail == Mail::Owed).then_some(self.rest)
    }

    /// The NOTIFY to send now: everything but Via, Contact and body.
    pub fn notify(&mut self, now: Time, pace: Duration) -> Draft {
        self.mail = Mail::Sent;
        self.rest = now + pace;
        let standing = match self.until <= now {
            true => Standing::Terminated(Reason::Timeout),
            false => Standing::Active { left: self.until - now },
        };
        self.dialog
            .request(Method::Notify)
            .raw(Name::Event, &self.event)
            .raw(Name::SubscriptionState, standing.to_string().as_bytes())
    }

    /// The last NOTIFY: everything but Via, Contact and body. What was watched is no more, or cannot be told any more.
    pub fn end(&mut self, reason: Reason) -> Draft {
        self.mail = Mail::Sent;
        self.dialog
            .request(Method::Notify)
            .raw(Name::Event, &self.event)
            .raw(Name::SubscriptionState, Standing::Terminated(reason).to_string().as_bytes())
    }

    /// The number of the next request: for a NOTIFY that goes out again, because its sender was asked who it is.
    pub fn next_cseq(&mut self) -> u32 {
        self.dialog.next_cseq()
    }

    /// The watcher has answered a NOTIFY, or has not. False when the subscription is over with that (§4.2.2).
    pub fn answered(&mut self, answer: Option<Status>) -> bool {
        self.mail = match self.mail {
            Mail::SentAndOwed | Mail::Owed => Mail::Owed,
            Mail::Sent | Mail::Settled => Mail::Settled,
        };
        answer.is_some_and(|status| !ends(status))
    }
}

/// Answers to a NOTIFY that end its subscription (§4.2.2).
fn ends(status: Status) -> bool {
    matches!(status.code(), 404 | 405 | 410 | 416 | 480..=485 | 489 | 501 | 604)
}

/// True for a SUBSCRIBE that says where its sender can be told: without that there is no subscription (RFC 3261 §8.1.1.8).
pub fn says_where(request: &Message) -> bool {
    matches!(request.get::<Contact>(), Some(Contact::At(_)))
}

#[cfg(test)]
mod tests;
