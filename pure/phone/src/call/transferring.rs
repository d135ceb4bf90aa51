//! A call that we transfer: REFER, and what we are told about it (RFC 3515 §2.4, RFC 5589).

use protocol::dialog::Dialog;
use protocol::doors::PhoneEvent;
use protocol::transaction::ServerId;
use sip::header::{Event, ReferSub, Replaces, SubscriptionState};
use sip::uri::escape_header;
use sip::{Header as _, Message, Method, Name, Status, Uri};

use super::{Conversation, Role, State};
use crate::line::{Outcome, Part, Purpose};
use crate::transfer::{Then, Transfer, status_of};
use crate::turn::Turn;
use crate::unable::Unable;
use crate::{abilities, limits, request};

impl Conversation {
    /// Asks the other side to call somebody else: `to` is a Refer-To.
    pub(crate) fn transfer(&mut self, turn: &mut Turn<'_>, to: &[u8]) -> Result<(), Unable> {
        self.ask_to_call(turn, to, Then::HangUp)
    }

    /// Asks the focus at the other side to call somebody into its conference.
    pub(crate) fn invite_there(&mut self, turn: &mut Turn<'_>, to: &[u8]) -> Result<(), Unable> {
        match &self.state {
            State::Up(up) if up.focus == Role::Focus => self.ask_to_call(turn, to, Then::Stay),
            _ => Err(Unable::NotNow("is with the focus of a conference")),
        }
    }

    fn ask_to_call(&mut self, turn: &mut Turn<'_>, to: &[u8], then: Then) -> Result<(), Unable> {
        let contact = self.contact(turn);
        let State::Up(up) = &mut self.state else { return Err(Unable::NotNow("stands")) };
        if self.transfers.len() >= limits::TRANSFERS {
            return Err(Unable::NotNow("is not being transferred already"));
        }
        let account = &turn.line.account;
        let draft = up
            .dialog
            .request(Method::Refer)
            .raw(Name::ReferTo, to)
            .raw(Name::ReferredBy, format!("<{}>", account.address()).as_bytes())
            .raw(Name::Contact, contact.as_bytes());
        let draft = abilities::announce(account.sign(draft, Name::UserAgent));
        let number = up.dialog.local_cseq().unwrap_or_default();
        let until = turn.now + limits::TRANSFER;
        if let Some(refer) = request::signed(draft, &mut self.answers) {
            self.transfers.push(Transfer { number, until, then });
            turn.send_within(Purpose::Call(self.id, Part::Refer(number)), &up.dialog, refer);
        }
        Ok(())
    }

    /// The REFER goes out again with another number: NOTIFYs will name that one.
    pub(super) fn renumber(&mut self, part: Part, number: u32) -> Part {
        let Part::Refer(before) = part else { return part };
        for transfer in self.transfers.iter_mut().filter(|one| one.number == before) {
            transfer.number = number;
        }
        Part::Refer(number)
    }

    /// The answer to our REFER: a yes says only that it will be tried.
    pub(super) fn refer_done(&mut self, turn: &mut Turn<'_>, number: u32, outcome: &Outcome) {
        let quiet = match outcome {
            Outcome::Response(response) if outcome.status().is_success() => {
                // RFC 4488: nothing more will be told.
                response.get::<ReferSub<'_>>().is_some_and(|wish| !wish.is_wanted())
            }
            _ => {
                let known = self.transfers.iter().any(|transfer| transfer.number == number);
                self.transfers.retain(|transfer| transfer.number != number);
                if known {
                    self.tell_transfer(turn, outcome.status());
                }
                return;
            }
        };
        if quiet {
            self.transfers.retain(|transfer| transfer.number != number);
        }
    }

    /// A NOTIFY within the call: how it went with whom we asked to call.
    pub(crate) fn notified(&mut self, turn: &mut Turn<'_>, id: ServerId, request: &Message) {
        let refer = request.get::<Event<'_>>().is_some_and(|event| event.package == "refer");
        if !refer {
            return turn.reply(id, request, Status::BAD_EVENT);
        }
        let Some(at) = Transfer::named_by(request, &self.transfers) else {
            return turn.reply(id, request, Status::CALL_DOES_NOT_EXIST);
        };
        turn.reply(id, request, Status::OK);
        let status = status_of(request);
        let over =
            request.get::<SubscriptionState<'_>>().is_some_and(|state| state.is("terminated"));
        let last = status.is_some_and(Status::is_final);
        let then = self.transfers.get(at).map(|transfer| transfer.then);
        if over || last {
            self.transfers.remove(at);
        }
        match status {
            Some(status) if last || !over => self.tell_transfer(turn, status),
            // Nobody will say how it has gone.
            _ if over => self.tell_transfer(turn, Status::REQUEST_TIMEOUT),
            _ => {}
        }
        if status.is_some_and(Status::is_success) && then == Some(Then::HangUp) {
            self.hang_up_now(turn, (200, "transferred"));
        }
    }

    /// Transfers of which nothing is heard are given up.
    pub(super) fn wake_transfers(&mut self, turn: &mut Turn<'_>) {
        let late = |transfer: &Transfer| transfer.until <= turn.now;
        let lost = self.transfers.iter().filter(|transfer| late(transfer)).count();
        self.transfers.retain(|transfer| !late(transfer));
        for _ in 0..lost {
            self.tell_transfer(turn, Status::REQUEST_TIMEOUT);
        }
    }

    fn tell_transfer(&self, turn: &mut Turn<'_>, status: Status) {
        turn.report(PhoneEvent::Transfer { call: self.id, status: status.code() });
    }
}

/// The Refer-To that leads to the other side of a call, in the place of that call (RFC 3891 §4, RFC 5589 §7). To its phone, when everybody can
/// reach that: by its GRUU, or where no proxy stands between; else to its user, whose other phones say that they do not know the call.
pub(crate) fn refer_to(dialog: &Dialog) -> Vec<u8> {
    let gruu = matches!(Uri::parse(dialog.target()), Ok(Uri::Sip(uri)) if uri.params.has("gr"));
    let near = dialog.next_hop() == dialog.target();
    let uri = if gruu || near { dialog.target() } else { dialog.remote_uri() };
    let id = dialog.id();
    let (to_tag, from_tag) = (id.remote.to_string(), id.local.to_string());
    let replaces = Replaces {
        call_id: sip::header::CallWord(id.call_id.as_bytes()),
        to_tag: &to_tag,
        from_tag: &from_tag,
        early_only: false,
    };
    let mut value = Vec::new();
    replaces.write(&mut value);
    let question: &[u8] = if uri.contains(&b'?') { b"&" } else { b"?" };
    [b"<", uri, question, b"Replaces=", &*escape_header(&value), b">"].concat()
}
