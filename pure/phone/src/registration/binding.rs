//! `Binding`: one of our Contacts at a registrar, by one flow: asked for, refreshed, asked for anew (RFC 3261 §10.2; pauses as in RFC 5626 §4.5).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use machine::{Dice, Time};
use protocol::Flow;
use protocol::auth::{Answers, Token};
use protocol::dialog::{CallId, Routes, Tag};
use protocol::doors::{Alive, Output};
use sip::header::{Contact, Expires, FlowTimer, Via};
use sip::{Draft, Message, Method, Name, Status, Uri};

use super::keeping::{Keeping, Verdict};
use crate::account::Account;
use crate::line::{Errand, Lead, Line, Outcome, Purpose};
use crate::request;
use crate::whither::Hop;
use crate::{abilities, limits, patience};

/// One Contact of ours, by one flow.
pub(super) struct Binding {
    /// Its `reg-id`, where flows are kept (RFC 5626 §4.2.1): the same after each start.
    number: u8,
    /// The proxy to which its flow goes; nothing: where the account says.
    way: Option<Box<[u8]>>,
    call_id: CallId,
    tag: Tag,
    cseq: u32,
    answers: Answers,
    /// Seconds to ask for: the account's, or what a 423 demanded.
    expires: u32,
    failures: u32,
    want: Want,
    state: State,
    /// Whether flows are asked for; not any more, when the first hop has said that it knows none (439).
    outbound: bool,
    /// Where others reach us by this registration.
    addresses: Lead,
    /// A Contact of ours that is to go with the next REGISTER: this machine had another address.
    before: Option<Box<str>>,
    said: Option<Said>,
}

/// What has become of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Registered(u32),
    Unregistered,
    Not(u16, Box<str>),
}

/// What the program wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Want {
    Registered,
    Gone,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Not registered, and nothing to do.
    Off,
    /// A REGISTER is under way. Only one at a time (RFC 3261 §10.2). And how the flow was kept open until now.
    Asking(Want, Option<Keeping>),
    /// Registered; asked again at `refresh`. The way is kept open, for a router on it forgets who is silent.
    On { refresh: Time, keeping: Keeping },
    /// Not registered; tried again at `again`, and until then the flow is kept open where it can be (RFC 5626 §4.2.2).
    Pausing { again: Time, keeping: Option<Keeping> },
}

impl Binding {
    pub(super) fn new(
        account: &Account,
        number: u8,
        way: Option<Box<[u8]>>,
        dice: &mut Dice,
    ) -> Self {
        Self {
            number,
            way,
            call_id: CallId::throw(dice),
            tag: Tag::throw(dice),
            cseq: 0,
            answers: account.answers(),
            expires: account.expires,
            failures: 0,
            want: Want::Gone,
            state: State::Off,
            outbound: account.keeps_flows(),
            addresses: Lead::default(),
            before: None,
            said: None,
        }
    }

    pub(super) const fn number(&self) -> u8 {
        self.number
    }

    pub(super) const fn is_on(&self) -> bool {
        matches!(self.state, State::On { .. })
    }

    pub(super) const fn is_off(&self) -> bool {
        matches!(self.state, State::Off)
    }

    /// True for the address of the server that we are registered with; while that is asked for again, too.
    pub(super) fn comes_from(&self, ip: IpAddr) -> bool {
        let leads_to = |keeping: Keeping| keeping.flow().peer.ip().to_canonical();
        self.stands() && self.keeping().map(leads_to) == Some(ip.to_canonical())
    }

    pub(super) const fn is_quiet(&self) -> bool {
        matches!(self.state, State::Off | State::On { .. })
    }

    pub(super) const fn is_asking(&self) -> bool {
        matches!(self.state, State::Asking(..))
    }

    /// True while what the registrar said last may be relied on.
    pub(super) const fn stands(&self) -> bool {
        matches!(self.state, State::On { .. } | State::Asking(_, Some(_)))
    }

    /// How its flow is kept open, while there is one.
    const fn keeping(&self) -> Option<Keeping> {
        match self.state {
            State::On { keeping, .. } => Some(keeping),
            State::Asking(_, keeping) | State::Pausing { keeping, .. } => keeping,
            State::Off => None,
        }
    }

    /// What there is to say since it was asked last.
    pub(super) const fn said(&mut self) -> Option<Said> {
        self.said.take()
    }

    /// The way out by this flow, and where others reach us by it.
    pub(super) fn lead(&self) -> Lead {
        self.addresses.clone()
    }

    /// Registers now, or again.
    pub(super) fn register(&mut self, now: Time, line: &mut Line, out: &mut Vec<Output>) {
        self.want = Want::Registered;
        self.ask(now, line, out);
    }

    /// Shows this token from now on.
    pub(super) fn renew_token(&mut self, token: &Token) {
        self.answers.renew(token);
    }

    /// Takes our binding away.
    pub(super) fn unregister(&mut self, now: Time, line: &mut Line, out: &mut Vec<Output>) {
        self.want = Want::Gone;
        match self.state {
            State::Off => self.said = Some(Said::Unregistered),
            // The last try may have come through without our hearing of it.
            State::On { .. } | State::Pausing { .. } | State::Asking(..) => {
                self.ask(now, line, out)
            }
        }
    }

    /// A way broke: when it was this one, we register anew soon.
    pub(super) fn failed(&mut self, now: Time, failed: Flow, dice: &mut Dice) {
        if let State::On { refresh, keeping } = &mut self.state
            && failed.transport.is_reliable()
            && failed.any_connection() == keeping.flow().any_connection()
        {
            let most = u64::try_from(limits::RECONNECT.as_millis()).unwrap_or(u64::MAX);
            let soon = now + Duration::from_millis(dice.below(most));
            *refresh = soon.min(*refresh);
        }
    }

    /// A sign of life was answered.
    pub(super) fn alive(
        &mut self,
        now: Time,
        answer: (Flow, Alive),
        line: &mut Line,
        out: &mut Vec<Output>,
    ) {
        let (State::On { keeping, .. } | State::Pausing { keeping: Some(keeping), .. }) =
            &mut self.state
        else {
            return;
        };
        match (keeping.alive(now, answer, &mut line.dice), &mut self.state) {
            (Verdict::Lives, _) => {}
            // The next try has its time.
            (Verdict::Dead, State::Pausing { keeping, .. }) => *keeping = None,
            (Verdict::Dead, _) => self.form_anew(now, line, out),
        }
    }

    /// This machine has another address.
    pub(super) fn moved(
        &mut self,
        now: Time,
        before: &str,
        line: &mut Line,
        out: &mut Vec<Output>,
    ) {
        match self.state {
            State::Off => return,
            // What is under way never arrives, or is answered to where we are no more.
            State::Asking(_, keeping) => {
                line.abandon_errand(Purpose::Register(self.number));
                self.state = State::Pausing { again: now, keeping };
            }
            State::On { .. } | State::Pausing { .. } => {}
        }
        // Where flows are kept, the new binding takes the place of the old one.
        if !self.outbound && before != line.address(line.account.transport()) {
            self.before.get_or_insert_with(|| before.into());
        }
        self.failures = 0;
        self.form_anew(now, line, out);
    }

    /// The flow is dead: another takes its place (RFC 5626 §4.5).
    fn form_anew(&mut self, now: Time, line: &mut Line, out: &mut Vec<Output>) {
        if let Some(flow) = self.keeping().map(|keeping| keeping.flow()) {
            if flow.transport.is_reliable() {
                line.leave(now, flow, out);
            }
            self.state = State::Pausing { again: now, keeping: None };
        }
        self.ask(now, line, out);
    }

    pub(super) fn wake(&mut self, now: Time, line: &mut Line, out: &mut Vec<Output>) {
        if self.deadline().is_none_or(|due| due > now) {
            return;
        }
        match &mut self.state {
            State::On { refresh, keeping } if now < *refresh => {
                if keeping.wake(now, &mut line.dice, out) == Verdict::Dead {
                    self.form_anew(now, line, out);
                }
            }
            State::Pausing { again, keeping } if now < *again => {
                keeping.take_if(|keeping| keeping.wake(now, &mut line.dice, out) == Verdict::Dead);
            }
            _ => self.ask(now, line, out),
        }
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        match &self.state {
            State::On { refresh, keeping } => Some((*refresh).min(keeping.deadline())),
            State::Pausing { again, keeping } => {
                let ping = keeping.as_ref().map(Keeping::deadline);
                Some(ping.map_or(*again, |ping| ping.min(*again)))
            }
            State::Off | State::Asking(..) => None,
        }
    }

    /// Sends a REGISTER for what is wanted, unless one is under way: then its answer comes first.
    fn ask(&mut self, now: Time, line: &mut Line, out: &mut Vec<Output>) {
        let keeping = match self.state {
            State::Asking(..) => return,
            _ => self.keeping(),
        };
        self.state = State::Asking(self.want, keeping);
        self.cseq = self.cseq.saturating_add(1);
        let draft = self.draft(line);
        let Some(request) = request::signed(draft, &mut self.answers) else {
            let why = "the REGISTER is too long".to_owned();
            let refusal = (Status::BAD_REQUEST, why, Some(limits::RETRY_LAST));
            return self.refused(now, (self.want, false), refusal, line);
        };
        let hop = match &self.way {
            Some(way) => Hop::Flow(way.clone()),
            None => request::first_hop(&line.account, registrar(line).as_bytes()),
        };
        line.send(now, Errand::new(Purpose::Register(self.number), request, hop), out);
    }

    /// RFC 3261 §10.2: To and From are the address of record, the Request-URI is the domain.
    fn draft(&self, line: &Line) -> Draft {
        let account = &line.account;
        let expires = if self.want == Want::Gone { 0 } else { self.expires };
        let me = account.name_addr();
        let instance = account.instance.as_ref();
        let mut marks = instance.map_or(String::new(), |urn| format!(";+sip.instance=\"<{urn}>\""));
        if self.outbound {
            marks += &format!(";reg-id={}", self.number);
        }
        let mut contact =
            format!("<{}>{marks};expires={expires}", line.address(account.transport()));
        if let Some(before) = &self.before {
            contact += &format!(", <{before}>;expires=0");
        }
        let supported = match (marks.is_empty(), self.outbound) {
            (true, _) => "path",
            (false, false) => "path, gruu",
            (false, true) => "path, outbound, gruu",
        };
        let route = match &self.way {
            Some(way) => Routes::through(way),
            None => request::route(account),
        };
        let draft = route
            .begin(Method::Register, registrar(line).as_bytes())
            .raw(Name::MaxForwards, b"70")
            .raw(Name::From, format!("{me};tag={}", self.tag).as_bytes())
            .raw(Name::To, me.as_bytes())
            .raw(Name::CallId, self.call_id.as_bytes())
            .raw(Name::CSeq, format!("{} REGISTER", self.cseq).as_bytes())
            .raw(Name::Contact, contact.as_bytes())
            .raw(Name::Expires, expires.to_string().as_bytes())
            .raw(Name::Supported, supported.as_bytes())
            .raw(Name::Allow, abilities::ALLOW.as_bytes());
        account.sign(draft, Name::UserAgent)
    }

    /// The answer to our REGISTER.
    pub(super) fn done(
        &mut self,
        now: Time,
        (errand, outcome, spare): (Errand, Outcome, bool),
        line: &mut Line,
        out: &mut Vec<Output>,
    ) {
        let State::Asking(asked, _) = self.state else { return };
        let status = outcome.status();
        match (outcome, status) {
            (Outcome::Response(response), status) if status.is_success() => {
                self.answers.informed(&response);
                let way = (asked, errand.went());
                self.granted(now, way, &response, line);
            }
            (
                Outcome::Response(response),
                Status::UNAUTHORIZED | Status::PROXY_AUTHENTICATION_REQUIRED,
            ) => {
                return self.challenged(now, (errand, spare), &response, line, out);
            }
            // RFC 5626 §4.2.1: then without a flow.
            (Outcome::Response(_), Status::FIRST_HOP_LACKS_OUTBOUND_SUPPORT) if self.outbound => {
                self.outbound = false;
                self.state = State::Off;
                return self.ask(now, line, out);
            }
            (Outcome::Response(response), Status::INTERVAL_TOO_BRIEF)
                if patience::raise(&mut self.expires, &response) =>
            {
                self.state = State::Off;
                return self.ask(now, line, out);
            }
            (Outcome::Response(response), status) => {
                let pause = request::retry_after(&response);
                let why = request::reason(&response);
                self.refused(now, (asked, spare), (status, why, pause), line);
            }
            (Outcome::Failure(status, why), _) => {
                self.refused(now, (asked, spare), (status, why, None), line);
            }
        }
        // The program has changed its mind while we waited.
        if asked != self.want {
            self.ask(now, line, out);
        }
    }

    fn challenged(
        &mut self,
        now: Time,
        (mut errand, spare): (Errand, bool),
        response: &Message,
        line: &mut Line,
        out: &mut Vec<Output>,
    ) {
        let State::Asking(asked, _) = self.state else { return };
        let why = match self.answers.learn(response, &mut errand.tries, &mut line.dice) {
            Ok(()) => {
                self.cseq = self.cseq.saturating_add(1);
                if let Some(again) = request::again(&errand.request, self.cseq, &mut self.answers) {
                    errand.request = again;
                    return line.send_again(now, errand, out);
                }
                "its challenge is too long to be answered".to_owned()
            }
            Err(why) => why.to_string(),
        };
        let status = response.status().unwrap_or(Status::UNAUTHORIZED);
        // Nobody will learn our password by trying: the longest pause, so that no server takes us for a burglar.
        let pause = Some(limits::RETRY_LAST);
        self.refused(now, (asked, spare), (status, why, pause), line);
        if asked != self.want {
            self.ask(now, line, out);
        }
    }

    fn granted(
        &mut self,
        now: Time,
        (asked, went): (Want, Option<Flow>),
        response: &Message,
        line: &mut Line,
    ) {
        self.failures = 0;
        self.before = None;
        let State::Asking(_, before) = self.state else { return };
        let (Want::Registered, Some(flow)) = (asked, went) else {
            self.state = State::Off;
            self.addresses = Lead::default();
            self.said = Some(Said::Unregistered);
            return;
        };
        let own = line.address(line.account.transport());
        let expires = granted_seconds(response, &own, self.expires).min(limits::LONGEST_EXPIRES);
        // Between 50 and 90 % of the time, so that phones that started together do not stay together.
        // RFC 5627 §4.2: halfway, where time is short.
        let spread = if expires < 64 { 0 } else { line.dice.below(41) };
        let percent = 50_u64.saturating_add(spread);
        let refresh =
            Duration::from_millis(u64::from(expires).saturating_mul(percent).saturating_mul(10));
        let kept = self.outbound && requires_outbound(response);
        self.addresses = Lead {
            way: self.way.clone(),
            gruu: gruu(response, &own, "pub-gruu"),
            temporary: gruu(response, &own, "temp-gruu"),
            outbound: kept,
        };
        let timer = response.get::<FlowTimer>().map(|FlowTimer(seconds)| seconds);
        let keeping = Keeping::new(now, (flow, kept, timer), &mut line.dice);
        let keeping = before.map_or(keeping, |before| keeping.after(&before));
        let keeping = keeping.seen_at(seen(response));
        self.state = State::On { refresh: now + refresh.max(limits::REGISTER_PACE), keeping };
        self.said = Some(Said::Registered(expires));
    }

    fn refused(
        &mut self,
        now: Time,
        (asked, spare): (Want, bool),
        (status, why, pause): (Status, String, Option<Duration>),
        line: &mut Line,
    ) {
        // Whoever answers is there: its connection is not closed for that.
        let answered = !matches!(status, Status::REQUEST_TIMEOUT) && self.outbound;
        let keeping = match self.state {
            State::Asking(_, keeping) if answered => keeping,
            _ => None,
        };
        // RFC 5627 §4.4: an address of a registration that may be over is not ours to give.
        self.addresses = Lead::default();
        if asked == Want::Gone {
            // The registrar forgets us by itself when our time is over.
            self.state = State::Off;
            self.said = Some(Said::Unregistered);
            return;
        }
        let first = if spare { limits::RETRY_FIRST_SPARE } else { limits::RETRY_FIRST };
        // RFC 5626 §4.5 counts the failure that has just been.
        let failures = self.failures.saturating_add(self.outbound.into());
        let pause = pause.unwrap_or_else(|| patience::pause_from(first, failures, &mut line.dice));
        let pause = pause.max(limits::REGISTER_PACE);
        self.failures = self.failures.saturating_add(1);
        self.state = State::Pausing { again: now + pause, keeping };
        self.said = Some(Said::Not(status.code(), why.into()));
    }
}

/// Where the next hop has seen our REGISTER come from (RFC 3581 §4).
fn seen(response: &Message) -> Option<SocketAddr> {
    let via = response.get::<Via<'_>>()?;
    Some(SocketAddr::new(via.received()?, via.rport()??))
}

/// The registrar and all on the way to it keep flows (RFC 5626 §4.2.1).
fn requires_outbound(response: &Message) -> bool {
    response.elements(Name::Require).any(|tag| tag.eq_ignore_ascii_case(b"outbound"))
}

/// `sip:` and the domain: no user (RFC 3261 §10.2).
fn registrar(line: &Line) -> String {
    format!("{}:{}", line.account.scheme(), line.account.domain)
}

/// The seconds that a 200 grants: the `expires` of our Contact in it, else its Expires, else what we asked for (RFC 3261 §10.2.4).
fn granted_seconds(response: &Message, own: &str, asked: u32) -> u32 {
    let general = response.get::<Expires>().map(|Expires(seconds)| seconds);
    let ours = ours(response, own).and_then(|contact| contact.expires());
    ours.or(general).unwrap_or(asked)
}

/// A GRUU that came with our Contact (RFC 5627 §4.2), as it came.
fn gruu(response: &Message, own: &str, kind: &str) -> Option<Box<str>> {
    let contact = ours(response, own)?;
    let gruu = String::from_utf8(contact.address()?.params.unquoted(kind)?).ok()?;
    let fits = matches!(Uri::parse(gruu.as_bytes()), Ok(Uri::Sip(uri)) if uri.params.has("gr"));
    (fits && request::fits_brackets(gruu.as_bytes())).then(|| gruu.into())
}

/// Our Contact among those of a 200.
fn ours<'a>(response: &'a Message, own: &str) -> Option<Contact<'a>> {
    let own = Uri::parse(own.as_bytes()).ok()?;
    let is = |contact: &Contact<'_>| {
        let theirs = contact.address().and_then(|address| address.parsed().ok());
        theirs.is_some_and(|theirs| sip::uri::same(&own, &theirs))
    };
    response.all::<Contact>().filter_map(Result::ok).find(is)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_contact_counts_and_not_a_stranger_s() {
        let granted = |rows: &str| {
            let response = Message::parse(format!("SIP/2.0 200 OK\r\n{rows}\r\n")).unwrap();
            granted_seconds(&response, "sip:101@192.0.2.1:5060", 3600)
        };
        let both =
            "Contact: <sip:101@192.0.2.9>;expires=7, <sip:101@192.0.2.1:5060>;expires=120\r\n";
        assert_eq!(granted(both), 120);
        assert_eq!(granted("Contact: <sip:101@192.0.2.1:5060>\r\nExpires: 60\r\n"), 60);
        assert_eq!(granted("Contact: <sip:101@192.0.2.1:5060>;expires=x\r\n"), 3600);
        assert_eq!(granted(""), 3600);
    }

    #[test]
    fn a_gruu_is_an_address_and_brings_nothing_else_along() {
        let given = |gruu: &str| {
            let own = "sip:101@192.0.2.1:5060";
            let response =
                format!("SIP/2.0 200 OK\r\nContact: <{own}>;pub-gruu=\"{gruu}\"\r\n\r\n");
            super::gruu(&Message::parse(response).unwrap(), own, "pub-gruu")
        };
        assert_eq!(given("sip:101@h;gr=x").as_deref(), Some("sip:101@h;gr=x"));
        for bad in [
            "",
            "sip:101@h",
            "tel:+1;gr",
            "sip:101@h;gr=x>,<sip:evil@h",
            "sip:101@h;gr=x\\\"",
            "sip:101@h;gr=x y",
        ] {
            assert_eq!(given(bad), None, "{bad:?}");
        }
    }
}
