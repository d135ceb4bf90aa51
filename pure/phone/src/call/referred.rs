//! A call whose other side asks us to call somebody else: what we promise, and what it hears about it (RFC 3515 §2.4.2, §2.4.4).

use std::time::Duration;

use protocol::dialog::Dialog;
use protocol::doors::PhoneEvent;
use protocol::transaction::ServerId;
use sip::header::{CSeq, Event, Expires};
use sip::{Draft, Message, Name, Status};

use super::{Conversation, State};
use crate::line::{News, Part, Purpose};
use crate::refusal::Refusal;
use crate::transfer::{Order, Referral, Referrals, Wanted};
use crate::turn::Turn;
use crate::{abilities, limits, request};

impl Conversation {
    /// REFER.
    pub(crate) fn refer(&mut self, turn: &mut Turn<'_>, id: ServerId, request: &Message) {
        match self.consider_referral(turn, request) {
            Ok(wanted) => self.promise(turn, (id, request), wanted),
            Err(no) => turn.refuse(id, request, &no),
        }
    }

    fn consider_referral(&self, turn: &Turn<'_>, request: &Message) -> Result<Wanted, Refusal> {
        if !matches!(self.state, State::Up(_)) {
            return Err(Refusal::saying(Status::FORBIDDEN, "Only Within A Call"));
        }
        let wanted = Wanted::read(request, &turn.line.account)?;
        if turn.line.account.referrals == Referrals::Refuse {
            return Err(Refusal::new(Status::DECLINE));
        }
        // Whoever is asked decides about the one that they were shown, and then about the next.
        if self.referrals.len() >= limits::TRANSFERS || self.referrals.iter().any(Referral::is_open)
        {
            return Err(Refusal::new(Status::BUSY_HERE));
        }
        Ok(wanted)
    }

    /// 202, and at once the first NOTIFY. Whether it is done the account says, or the program.
    fn promise(
        &mut self,
        turn: &mut Turn<'_>,
        (id, request): (ServerId, &Message),
        wanted: Wanted,
    ) {
        let contact = self.contact(turn);
        let draft = turn
            .draft(request, Status::ACCEPTED, Status::ACCEPTED.phrase())
            .raw(Name::Contact, contact.as_bytes());
        let draft = match wanted.is_quiet() {
            true => draft.raw(Name::ReferSub, b"false"),
            false => draft,
        };
        turn.respond(id, draft);
        let number = request.get::<CSeq<'_>>().map_or(0, |cseq| cseq.number);
        let to: Box<str> = String::from_utf8_lossy(&wanted.target).into();
        self.referrals.push(Referral::new(turn.now, number, self.order, wanted));
        self.order = Order::Later;
        self.notify(turn);
        if turn.line.account.referrals == Referrals::Follow {
            turn.line.tell(News::Follow(self.id, to.clone()));
        }
        turn.report(PhoneEvent::Referred { call: self.id, to });
    }

    /// What is to be done about the REFER that nobody has decided about.
    pub(crate) fn accept_referral(&mut self) -> Option<(u32, Wanted)> {
        let referral = self.referrals.iter_mut().find(|referral| referral.is_open())?;
        Some((referral.number, referral.take()?))
    }

    /// It has come so far with what a REFER asked for.
    pub(crate) fn tell(&mut self, turn: &mut Turn<'_>, refer: u32, status: Status) {
        for referral in self.referrals.iter_mut().filter(|one| one.number == refer) {
            referral.tell(status);
        }
        self.notify(turn);
    }

    /// SUBSCRIBE within the call: the transferor asks how it stands, or wants to hear no more (RFC 3515 §2.4.4, §2.4.6). What it asked for is
    /// done all the same.
    pub(crate) fn subscribed(&mut self, turn: &mut Turn<'_>, id: ServerId, request: &Message) {
        let event = request.get::<Event<'_>>();
        // RFC 6665 §4.5.2: what else can be watched here has a dialog of its own.
        let alone = || Refusal::saying(Status::FORBIDDEN, "Dialog Sharing Not Supported");
        match event.map(|event| event.package) {
            Some("refer") => {}
            Some("dialog" | "conference") => return turn.refuse(id, request, &alone()),
            _ => {
                let no = Refusal::new(Status::BAD_EVENT).with(Name::AllowEvents, abilities::EVENTS);
                return turn.refuse(id, request, &no);
            }
        }
        let named = event
            .and_then(|event| event.id())
            .and_then(|id| std::str::from_utf8(id).ok()?.parse::<u32>().ok());
        let mut fits =
            self.referrals.iter_mut().filter(|one| named.is_none_or(|id| id == one.number));
        let Some(referral) = fits.next() else { return turn.refuse(id, request, &alone()) };
        let wish = request.get::<Expires>().map(|Expires(seconds)| seconds);
        let wish = Duration::from_secs(wish.map_or(limits::REFERRAL.as_secs(), u64::from));
        referral.refresh(turn.now, wish);
        let granted = wish.min(limits::REFERRAL).as_secs().to_string();
        let draft = turn
            .draft(request, Status::OK, Status::OK.phrase())
            .raw(Name::Expires, granted.as_bytes());
        turn.respond(id, draft);
        self.notify(turn);
    }

    /// Sends what is owed.
    pub(super) fn notify(&mut self, turn: &mut Turn<'_>) {
        let mut letters: Vec<(u32, Draft, Dialog)> = Vec::new();
        for referral in &mut self.referrals {
            let dialog = match &mut self.state {
                State::Up(up) => Some(&mut up.dialog),
                State::Leaving(dialog, _) => Some(&mut **dialog),
                _ => self.last.as_deref_mut(),
            };
            let Some(dialog) = dialog else { continue };
            let draft = referral.notify(turn.now, dialog);
            letters.extend(draft.map(|draft| (referral.number, draft, dialog.clone())));
        }
        self.referrals.retain(|referral| !referral.is_over());
        let contact = self.contact(turn);
        for (number, draft, dialog) in letters {
            let draft = draft.raw(Name::Contact, contact.as_bytes());
            let draft = turn.line.account.sign(draft, Name::UserAgent);
            if let Some(notify) = request::signed(draft, &mut self.answers) {
                turn.send_within(Purpose::Call(self.id, Part::Notify(number)), &dialog, notify);
            }
        }
    }

    /// The transferor has answered a NOTIFY.
    pub(super) fn notify_done(&mut self, turn: &mut Turn<'_>, number: u32, status: Status) {
        for referral in self.referrals.iter_mut().filter(|one| one.number == number) {
            referral.answered(status);
        }
        self.notify(turn);
    }

    /// What is due to be told.
    pub(super) fn wake_referrals(&mut self, turn: &mut Turn<'_>) {
        for referral in &mut self.referrals {
            referral.wake(turn.now);
        }
        self.notify(turn);
    }
}
