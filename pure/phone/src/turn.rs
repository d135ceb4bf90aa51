//! `Turn`: what the parts of a phone need to act now: the time, the way out, the outbox.

use machine::Time;
use protocol::dialog::{Dialog, Tag};
use protocol::doors::{Event, Output, PhoneEvent};
use protocol::transaction::{ClientId, ServerId};
use sip::{Draft, Message, Name, Status};

use crate::abilities;
use crate::account::Ice;
use crate::line::{Errand, Line, News, Purpose, Tiding};
use crate::lingering::Lingering;
use crate::refusal::Refusal;
use crate::sound::{Sound, Srtp, Wishes};
use crate::whither::Hop;

/// One turn of a phone.
pub(crate) struct Turn<'a> {
    pub(crate) now: Time,
    pub(crate) line: &'a mut Line,
    pub(crate) lingering: &'a mut Lingering,
    pub(crate) out: &'a mut Vec<Output>,
}

impl Turn<'_> {
    /// What we can do, for an INVITE or its 2xx; with ICE, that addresses may be told later (RFC 8840 §10.5).
    pub(crate) fn announce(&self, draft: Draft) -> Draft {
        let draft = abilities::announce(draft);
        match self.line.account.ice {
            Ice::On(_) => draft.raw(Name::RecvInfo, abilities::TRICKLE.as_bytes()),
            Ice::Off | Ice::Welcome => draft,
        }
    }

    /// What the account wishes of the way that sound takes, after this offer or for one of ours. The certificate is made when it is needed first,
    /// and is the same from then on.
    pub(crate) fn wishes(&mut self, offer: Option<&sdp::Description>) -> Wishes {
        let srtp = self.line.account.srtp;
        let needed = match srtp {
            Srtp::Off => false,
            Srtp::Welcome | Srtp::Required => offer.is_some_and(Sound::wants_handshake),
            Srtp::Dtls => true,
        };
        let identity = needed.then(|| self.line.identity(self.now)).flatten();
        let codecs = self.line.account.codecs.clone();
        let ice = match &self.line.account.ice {
            Ice::On(_) => true,
            Ice::Welcome => offer.is_some_and(Sound::wants_ice),
            Ice::Off => false,
        };
        let ice = ice.then(|| self.line.account.servers());
        Wishes { srtp, codecs, identity, ice }
    }

    /// Tells the program around the phone.
    pub(crate) fn report(&mut self, event: PhoneEvent) {
        match event {
            PhoneEvent::Progress { call, status } => {
                self.line.tell(News::Told(call, Tiding::Progress(status)));
            }
            PhoneEvent::Established { call } => self.line.tell(News::Told(call, Tiding::Up)),
            PhoneEvent::Ended { call, status, .. } => {
                self.line.tell(News::Told(call, Tiding::Over(status)));
            }
            _ => {}
        }
        self.out.push(Output::Report(Event::Phone(event)));
    }

    /// Answers a request.
    pub(crate) fn respond(&mut self, id: ServerId, draft: Draft) {
        self.line.respond(self.now, id, draft.wire(), self.out);
    }

    /// Answers a request with a status and its usual phrase; a To tag of ours is thrown where it has none.
    pub(crate) fn reply(&mut self, id: ServerId, request: &Message, status: Status) {
        let draft = self.draft(request, status, status.phrase());
        self.respond(id, draft);
    }

    /// Answers a request with a no.
    pub(crate) fn refuse(&mut self, id: ServerId, request: &Message, no: &Refusal) {
        let draft = no.rows(self.draft(request, no.status, &no.phrase));
        self.respond(id, draft);
    }

    /// Begins the answer to a request that makes no dialog.
    pub(crate) fn draft(&mut self, request: &Message, status: Status, phrase: &str) -> Draft {
        let tag = Tag::throw(&mut self.line.dice).to_string();
        let draft = Draft::reply_tagged(request, status, phrase, &tag);
        self.line.account.sign(draft, Name::Server)
    }

    /// Answers what we can do (RFC 3261 §11.2).
    pub(crate) fn tell_abilities(&mut self, id: ServerId, request: &Message) {
        let draft = abilities::answer(self.draft(request, Status::OK, Status::OK.phrase()));
        let sound = Sound::capabilities(self.line.ip(), &self.wishes(None));
        self.respond(id, draft.body(abilities::ACCEPT, &sound));
    }

    /// Sends a request within a dialog.
    pub(crate) fn send_within(&mut self, purpose: Purpose, dialog: &Dialog, request: Message) {
        let hop = Hop::Uri(dialog.next_hop().into());
        self.line.send(self.now, Errand::new(purpose, request, hop), self.out);
    }

    /// Acknowledges a 2xx to `invite`, with an answer when the 2xx had an offer (RFC 3261 §13.2.2.4).
    pub(crate) fn acknowledge(
        &mut self,
        (id, invite): (ClientId, &Message),
        dialog: &Dialog,
        answer: Option<&[u8]>,
    ) {
        let draft = with_sdp(dialog.ack(invite), answer);
        if let Ok(ack) = Message::parse(draft.wire()) {
            self.send_within(Purpose::Ack(id), dialog, ack);
        }
    }
}

/// With more rows.
pub(crate) fn rows(draft: Draft, rows: Vec<(Name, String)>) -> Draft {
    rows.into_iter().fold(draft, |draft, (name, value)| draft.raw(name, value.as_bytes()))
}

/// With a session description, when there is one.
pub(crate) fn with_sdp(draft: Draft, sdp: Option<&[u8]>) -> Draft {
    match sdp {
        Some(sdp) => draft.body(crate::abilities::ACCEPT, sdp),
        None => draft,
    }
}
