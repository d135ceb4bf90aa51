//! Requests that are answered once: MESSAGE (RFC 3428) and OPTIONS (RFC 3261 §11).

use std::time::Duration;

use machine::Time;
use protocol::auth::Answers;
use protocol::doors::{Event, Inquiry, Output, PhoneEvent};
use protocol::transaction::ServerId;
use sip::{Draft, Message, Method, Name, Status};

use super::{Names, Outside};
use crate::call::caller;
use crate::line::{Errand, Line, Outcome, Purpose};
use crate::phone::Phone;
use crate::turn::Turn;
use crate::unable::Unable;
use crate::{abilities, limits, request};

/// One that waits for its answer.
pub(super) struct Asked {
    at: Time,
    names: Names,
    answers: Answers,
}

impl Phone {
    /// Sends a text (RFC 3428). [`PhoneEvent::Answered`] tells whether it has arrived: 200 at a phone or a mailbox, 202 at somebody who will pass it
    /// on. That anybody has read it nobody says.
    pub fn message(
        &mut self,
        now: Time,
        target: &str,
        text: &str,
        out: &mut Vec<Output>,
    ) -> Result<Inquiry, Unable> {
        let target = self.target(target)?;
        let body = |draft: Draft| draft.body("text/plain;charset=UTF-8", text.as_bytes());
        self.ask(now, (Method::Message, &target), body, out)
    }

    /// Asks somebody what they can do, and how long that takes (OPTIONS): [`PhoneEvent::Answered`].
    pub fn ping(
        &mut self,
        now: Time,
        target: &str,
        out: &mut Vec<Output>,
    ) -> Result<Inquiry, Unable> {
        let target = self.target(target)?;
        let contact = format!("<{}>", self.line.contact(self.line.account.transport()));
        let rows = |draft: Draft| {
            let draft = draft.raw(Name::Contact, contact.as_bytes());
            draft.raw(Name::Accept, abilities::ACCEPT.as_bytes())
        };
        self.ask(now, (Method::Options, &target), rows, out)
    }

    fn ask(
        &mut self,
        now: Time,
        (method, target): (Method<'_>, &[u8]),
        more: impl FnOnce(Draft) -> Draft,
        out: &mut Vec<Output>,
    ) -> Result<Inquiry, Unable> {
        if self.outside.inquiries.len() >= limits::INQUIRIES {
            return Err(Unable::TooFast);
        }
        let (line, mut answers) = (&mut self.line, self.answers.fresh());
        let mut names = Names::throw(&mut line.dice);
        names.next();
        let draft = more(request::outside(&line.account, method, (target, target), &names));
        let request = request::signed(draft, &mut answers).ok_or(Unable::TooLong)?;
        if method == Method::Message && request.wire().len() > limits::MESSAGE {
            return Err(Unable::TooLong);
        }
        let number = self.outside.number();
        self.outside.inquiries.insert(number, Asked { at: now, names, answers });
        let hop = request::first_hop(&line.account, target);
        line.send(now, Errand::new(Purpose::Inquiry(number), request, hop), out);
        self.settle(now, out);
        Ok(Inquiry(number))
    }

    /// Somebody sends us a text. It may come within a call.
    pub(crate) fn read(
        &mut self,
        now: Time,
        id: ServerId,
        request: &Message,
        out: &mut Vec<Output>,
    ) {
        let turn = &mut Turn { now, line: &mut self.line, lingering: &mut self.lingering, out };
        turn.reply(id, request, Status::OK);
        let part = request.content().and_then(|body| body.find("text", "plain").ok()?);
        let text = part
            .map_or_else(String::new, |part| String::from_utf8_lossy(part.octets()).into_owned());
        let from = caller(request).into();
        turn.report(PhoneEvent::Message { from, text: text.into() });
    }
}

impl Outside {
    pub(super) fn answered(
        &mut self,
        now: Time,
        number: u32,
        (mut errand, outcome): (Errand, Outcome),
        line: &mut Line,
        out: &mut Vec<Output>,
    ) {
        let Some(asked) = self.inquiries.get_mut(&number) else { return };
        if let Some(again) = request::proven(
            (&mut errand, &outcome),
            &mut asked.answers,
            || asked.names.next(),
            &mut line.dice,
        ) {
            errand.request = again;
            return line.send_again(now, errand, out);
        }
        let (status, took) = (outcome.status().code(), now - asked.at);
        self.inquiries.remove(&number);
        let (reason, rows) = match outcome {
            Outcome::Response(response) => (request::reason(&response), said(&response)),
            Outcome::Failure(_, why) => (why, Box::default()),
        };
        let event = PhoneEvent::Answered {
            inquiry: Inquiry(number),
            status,
            reason: reason.into(),
            took: took.min(Duration::from_secs(3600)),
            rows,
        };
        out.push(Output::Report(Event::Phone(event)));
    }
}

/// What an answer says of who gave it.
fn said(response: &Message) -> Box<[(Box<str>, Box<str>)]> {
    let names = [
        Name::Server,
        Name::UserAgent,
        Name::Allow,
        Name::Supported,
        Name::Accept,
        Name::AllowEvents,
    ];
    let row = |name: Name| {
        let values: Vec<_> = response.rows(name).map(String::from_utf8_lossy).collect();
        (!values.is_empty()).then(|| (name.as_str().into(), values.join(", ").into()))
    };
    names.into_iter().filter_map(row).collect()
}
