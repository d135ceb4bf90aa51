//! `Turn`: what a role is lent while it reacts to one input.

use std::borrow::Cow;

use machine::{Dice, Time};
use protocol::doors::Event;
use protocol::transaction::{ServerId, Transactions};
use protocol::transport::response_flow;
use protocol::{Fault, Flow, Output};
use sip::header::{From, MinExpires, MinSe};
use sip::uri::without_password;
use sip::{Bytes, Draft, Message, Method, Name, Params, Status};

use crate::calls::Calls;
use crate::house::House;
use crate::limits;
use crate::options;
use crate::regevent;

/// One turn: the time, the house, and where to write.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    pub(crate) now: Time,
    pub(crate) house: &'a House,
    pub(crate) transactions: &'a mut Transactions,
    pub(crate) calls: &'a mut Calls,
    pub(crate) dice: &'a mut Dice,
    pub(crate) out: &'a mut Vec<Output>,
    /// Whether somebody follows what happens every day.
    pub(crate) followed: bool,
    /// What our 2xx says to whoever has proven who it is: the value of its Authentication-Info (RFC 3261 §20.6).
    pub(crate) info: Option<Box<str>>,
}

impl Turn<'_> {
    /// Lends to a test what it needs of a house, now.
    #[cfg(test)]
    pub(crate) fn lend<T>(now: Time, house: &House, what: impl FnOnce(&mut Turn<'_>) -> T) -> T {
        let (mut out, mut dice, mut calls) = (Vec::new(), Dice::new(2), Calls::new(None));
        let mut transactions = Transactions::new(house.settings.timers, &mut dice);
        let (transactions, calls, dice, out) = (&mut transactions, &mut calls, &mut dice, &mut out);
        what(&mut Turn { now, house, transactions, calls, dice, out, followed: true, info: None })
    }

    /// Answers a request without keeping anything of it (RFC 3261 §8.2.7). An ACK is never answered. A datagram is answered only
    /// where it came from: whoever forges a Via gets nothing sent to others.
    pub(crate) fn refuse(&mut self, flow: Flow, request: &Message, fault: &Fault) {
        if request.method() == Some(Method::Ack) {
            return;
        }
        let phrase = fault.phrase();
        let wire = self.refusal(request, fault, &phrase);
        self.send_back(flow, request, wire);
        self.report_refusal(flow, request, fault.status(), &phrase);
    }

    /// The same for somebody who comes when there is too much to do: that is not said of each.
    pub(crate) fn turn_away(&mut self, flow: Flow, request: &Message, fault: &Fault) {
        let wire = self.refusal(request, fault, &fault.phrase());
        self.send_back(flow, request, wire);
    }

    /// Whoever a request came from is who it seems to be.
    pub(crate) fn vouch(&mut self, flow: Flow) {
        if flow.connection != 0 {
            self.out.push(Output::Vouch(flow));
        }
    }

    /// Sends an answer that no transaction repeats.
    pub(crate) fn send_back(&mut self, flow: Flow, request: &Message, wire: Bytes) {
        let back = response_flow(request, flow);
        self.out.push(Output::Send(back, wire));
    }

    /// Answers a request within its transaction.
    pub(crate) fn refuse_in(&mut self, id: ServerId, flow: Flow, request: &Message, fault: &Fault) {
        let phrase = fault.phrase();
        let wire = self.refusal(request, fault, &phrase);
        self.transactions.respond(self.now, id, wire, self.out);
        self.report_refusal(flow, request, fault.status(), &phrase);
    }

    /// Answers within a transaction.
    pub(crate) fn answer(&mut self, id: ServerId, wire: Bytes) {
        self.transactions.respond(self.now, id, wire, self.out);
    }

    /// True when this shard keeps the bindings of an address of record.
    pub(crate) fn is_home_of(&self, aor: &[u8]) -> bool {
        self.house.steering.home_of(aor) == self.house.settings.shard.number
    }

    /// Begins an answer of our own: with a To tag and our name.
    pub(crate) fn reply(&self, request: &Message, status: Status, phrase: &str) -> Draft {
        let tag = self.house.tag(request);
        let draft = Draft::reply_tagged(request, status, phrase, tag);
        let draft = match &self.info {
            Some(info) if status.is_success() => {
                draft.raw(Name::AuthenticationInfo, info.as_bytes())
            }
            _ => draft,
        };
        match &*self.house.settings.software {
            "" => draft,
            software => draft.raw(Name::Server, software.as_bytes()),
        }
    }

    fn refusal(&self, request: &Message, fault: &Fault, phrase: &str) -> Bytes {
        let draft = self.reply(request, fault.status(), phrase);
        match fault {
            Fault::BadExtension(tags) => draft.raw(Name::Unsupported, tags.as_bytes()),
            Fault::ExtensionRequired(tag) => draft.raw(Name::Require, tag.as_bytes()),
            Fault::BadEvent => draft.raw(Name::AllowEvents, regevent::PACKAGE.as_bytes()),
            Fault::MethodNotAllowed => draft.raw(Name::Allow, options::ALLOW.as_bytes()),
            Fault::UnsupportedMediaType => draft
                .raw(Name::Accept, options::ACCEPT.as_bytes())
                .raw(Name::AcceptEncoding, options::ACCEPT_ENCODING.as_bytes())
                .raw(Name::AcceptLanguage, options::ACCEPT_LANGUAGE.as_bytes()),
            Fault::IntervalTooBrief(min) => draft.header(&MinExpires(*min)),
            Fault::SessionTooBrief(min) => {
                draft.header(&MinSe { seconds: *min, params: Params::new(b"") })
            }
            Fault::Overloaded(seconds) | Fault::Leaving(seconds) => {
                draft.raw(Name::RetryAfter, seconds.to_string().as_bytes())
            }
            _ => draft,
        }
        .wire()
    }

    /// Tells the readers of events what happens every day, if anybody follows that.
    pub(crate) fn report_daily(&mut self, event: impl FnOnce() -> Event) {
        self.out.extend(self.followed.then(|| Output::Report(event())));
    }

    /// Tells the readers of events that somebody was asked who it is.
    pub(crate) fn report_challenge(&mut self, flow: Flow, request: &Message) {
        let (method, from, call_id) = match self.followed {
            true => (method(request), from(request), call_id(request)),
            // Nobody follows, but it is counted.
            false => Default::default(),
        };
        let source = flow.peer;
        self.out.push(Output::Report(Event::Challenged { method, from, source, call_id }));
    }

    /// Tells the readers of events that somebody was refused.
    pub(crate) fn report_refusal(
        &mut self,
        flow: Flow,
        request: &Message,
        status: Status,
        reason: &str,
    ) {
        let (method, from) = (method(request), from(request));
        let (source, call_id) = (flow.peer, call_id(request));
        let (status, reason) = (status.code(), reason.into());
        let event = Event::Refused { method, from, source, status, reason, call_id };
        self.out.push(Output::Report(event));
    }
}

/// The Call-ID of a message, as events name it.
pub(crate) fn call_id(message: &Message) -> Box<str> {
    let octets = message.call_id();
    text(octets.get(..limits::CALL_TEXT).unwrap_or(octets)).into()
}

/// Octets as text. Those that are text already, which most are, are looked at once.
pub(crate) fn text(octets: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(octets).map_or_else(|_| String::from_utf8_lossy(octets), Cow::Borrowed)
}

fn method(request: &Message) -> Box<str> {
    request.method().map_or("", Method::as_str).into()
}

/// Who asks.
fn from(request: &Message) -> Box<str> {
    let from = request.get::<From>();
    from.map(|from| text(&without_password(from.uri)).into()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use protocol::{Identity, Transport};

    use super::*;
    use crate::settings::Settings;

    /// What is told of a stranger who is challenged and refused.
    fn told(turn: &mut Turn<'_>) -> Vec<Output> {
        let peer = SocketAddr::from(([198, 51, 100, 7], 5060));
        let (transport, identity) = (Transport::Udp, Identity::NONE);
        let flow = Flow { transport, listener: 0, connection: 0, peer, identity };
        let wire = "REGISTER sip:h SIP/2.0\r\nFrom: <sip:101:secret@h>;tag=1\r\nCall-ID: 7\r\n\r\n";
        let request = Message::parse(wire).unwrap();
        turn.report_challenge(flow, &request);
        turn.report_refusal(flow, &request, Status::FORBIDDEN, "no");
        std::mem::take(turn.out)
    }

    #[test]
    fn what_happens_every_day_has_no_words_while_nobody_follows_it() {
        let source = SocketAddr::from(([198, 51, 100, 7], 5060));
        let challenged = |[method, from, call_id]: [&str; 3]| {
            let [method, from, call_id] = [method, from, call_id].map(Into::into);
            Output::Report(Event::Challenged { method, from, source, call_id })
        };
        let house = House::new(Settings::of("h", Vec::new()), &mut Dice::new(1));
        let (followed, unfollowed) = Turn::lend(Time(1), &house, |turn| {
            let followed = told(turn);
            turn.followed = false;
            (followed, told(turn))
        });
        assert_eq!(followed[0], challenged(["REGISTER", "sip:101@h", "7"]));
        assert_eq!(unfollowed[0], challenged([""; 3]));
        let [method, from, reason, call_id] = ["REGISTER", "sip:101@h", "no", "7"].map(Into::into);
        let refused = Event::Refused { method, from, source, status: 403, reason, call_id };
        assert_eq!(
            [&followed[1], &unfollowed[1]],
            [&Output::Report(refused); 2],
            "that is not every day's"
        );
    }
}
