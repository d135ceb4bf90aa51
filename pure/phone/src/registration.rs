//! `Registration`: registered, and kept so (RFC 3261 §10.2; pauses as in RFC 5626 §4.5, keep-alives as in §4.4).

use std::net::IpAddr;
use std::time::Duration;

use machine::{Dice, Time};
use protocol::Flow;
use protocol::auth::{Answers, Credentials};
use protocol::dialog::{CallId, Tag};
use protocol::doors::{Event, Output, PhoneEvent};
use sip::header::{Contact, Expires};
use sip::{Bytes, Draft, Message, Method, Name, Status, Uri};

use crate::line::{Errand, Line, Outcome, Purpose};
use crate::request;
use crate::{limits, patience};

/// What the phone does about being registered.
pub(crate) struct Registration {
    call_id: CallId,
    tag: Tag,
    cseq: u32,
    answers: Answers,
    /// Seconds to ask for: the account's, or what a 423 demanded.
    expires: u32,
    failures: u32,
    want: Want,
    state: State,
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
    /// A REGISTER is under way. Only one at a time (RFC 3261 §10.2).
    Asking(Want),
    /// Registered; asked again at `refresh`. At `ping` the way is kept open, for a router on it forgets who is silent.
    On { refresh: Time, flow: Flow, ping: Time },
    /// Not registered; tried again at `again`.
    Pausing { again: Time },
}

impl Registration {
    pub(crate) fn new(credentials: Vec<Credentials>, expires: u32, dice: &mut Dice) -> Self {
        Self {
            call_id: CallId::throw(dice),
            tag: Tag::throw(dice),
            cseq: 0,
            answers: Answers::new(credentials),
            expires,
            failures: 0,
            want: Want::Gone,
            state: State::Off,
        }
    }

    /// True while a registrar believes us to be here.
    pub(crate) const fn is_on(&self) -> bool {
        matches!(self.state, State::On { .. })
    }

    /// True for the address of the server that we are registered with.
    pub(crate) fn comes_from(&self, ip: IpAddr) -> bool {
        let plain = ip.to_canonical();
        matches!(self.state, State::On { flow, .. } if flow.peer.ip().to_canonical() == plain)
    }

    /// True when nothing is under way.
    pub(crate) const fn is_quiet(&self) -> bool {
        matches!(self.state, State::Off | State::On { .. })
    }

    /// True while a REGISTER waits for its answer.
    pub(crate) const fn is_asking(&self) -> bool {
        matches!(self.state, State::Asking(_))
    }

    /// Registers now, or again.
    pub(crate) fn register(&mut self, now: Time, line: &mut Line, out: &mut Vec<Output>) {
        self.want = Want::Registered;
        self.ask(now, line, out);
    }

    /// Takes our binding away.
    pub(crate) fn unregister(&mut self, now: Time, line: &mut Line, out: &mut Vec<Output>) {
        self.want = Want::Gone;
        match self.state {
            State::Off => report(PhoneEvent::Unregistered, out),
            // The last try may have come through without our hearing of it.
            State::On { .. } | State::Pausing { .. } | State::Asking(_) => self.ask(now, line, out),
        }
    }

    /// The way to the server broke: whoever is registered over it is not reachable any more.
    pub(crate) fn flow_failed(&mut self, now: Time, flow: Flow, dice: &mut Dice) {
        if let State::On { refresh, .. } = &mut self.state
            && flow.transport.is_reliable()
        {
            let most = u64::try_from(limits::RECONNECT.as_millis()).unwrap_or(u64::MAX);
            let soon = now + Duration::from_millis(dice.below(most));
            *refresh = soon.min(*refresh);
        }
    }

    pub(crate) fn wake(&mut self, now: Time, line: &mut Line, out: &mut Vec<Output>) {
        if self.deadline().is_none_or(|due| due > now) {
            return;
        }
        match &mut self.state {
            State::On { refresh, flow, ping } if now < *refresh => {
                out.push(Output::Send(*flow, Bytes::from_static(KEEP_ALIVE)));
                *ping = now + silence(*flow, &mut line.dice);
            }
            _ => self.ask(now, line, out),
        }
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        match self.state {
            State::On { refresh, ping, .. } => Some(refresh.min(ping)),
            State::Pausing { again } => Some(again),
            State::Off | State::Asking(_) => None,
        }
    }

    /// Sends a REGISTER for what is wanted, unless one is under way: then its answer comes first.
    fn ask(&mut self, now: Time, line: &mut Line, out: &mut Vec<Output>) {
        if matches!(self.state, State::Asking(_)) {
            return;
        }
        self.state = State::Asking(self.want);
        self.cseq = self.cseq.saturating_add(1);
        let draft = self.draft(line);
        let Some(request) = request::signed(draft, &mut self.answers) else { return };
        let uri = registrar(line);
        line.send(
            now,
            Errand::new(
                Purpose::Register,
                request,
                request::first_hop(&line.account, uri.as_bytes()),
            ),
            out,
        );
    }

    /// RFC 3261 §10.2: To and From are the address of record, the Request-URI is the domain.
    fn draft(&self, line: &Line) -> Draft {
        let account = &line.account;
        let expires = if self.want == Want::Gone { 0 } else { self.expires };
        let me = account.name_addr();
        let instance = account.instance.as_ref();
        let instance = instance.map_or(String::new(), |urn| format!(";+sip.instance=\"<{urn}>\""));
        let contact =
            format!("<{}>{instance};expires={expires}", line.address(account.transport()));
        let draft = request::route(account)
            .begin(Method::Register, registrar(line).as_bytes())
            .raw(Name::MaxForwards, b"70")
            .raw(Name::From, format!("{me};tag={}", self.tag).as_bytes())
            .raw(Name::To, me.as_bytes())
            .raw(Name::CallId, self.call_id.as_bytes())
            .raw(Name::CSeq, format!("{} REGISTER", self.cseq).as_bytes())
            .raw(Name::Contact, contact.as_bytes())
            .raw(Name::Expires, expires.to_string().as_bytes())
            .raw(Name::Supported, if instance.is_empty() { b"path" } else { b"path, gruu" })
            .raw(Name::Allow, crate::abilities::ALLOW.as_bytes());
        account.sign(draft, Name::UserAgent)
    }

    /// The answer to our REGISTER.
    pub(crate) fn done(
        &mut self,
        now: Time,
        errand: Errand,
        outcome: Outcome,
        line: &mut Line,
        out: &mut Vec<Output>,
    ) {
        let State::Asking(asked) = self.state else { return };
        let status = outcome.status();
        match (outcome, status) {
            (Outcome::Response(response), status) if status.is_success() => {
                self.answers.informed(&response);
                let way = (asked, errand.went());
                self.granted(now, way, &response, line, out);
            }
            (
                Outcome::Response(response),
                Status::UNAUTHORIZED | Status::PROXY_AUTHENTICATION_REQUIRED,
            ) => {
                return self.challenged(now, errand, &response, line, out);
            }
            (Outcome::Response(response), Status::INTERVAL_TOO_BRIEF)
                if patience::raise(&mut self.expires, &response) =>
            {
                self.state = State::Off;
                return self.ask(now, line, out);
            }
            (Outcome::Response(response), status) => {
                let pause = request::retry_after(&response);
                self.refused(now, asked, (status, request::reason(&response), pause), line, out);
            }
            (Outcome::Failure(status, why), _) => {
                self.refused(now, asked, (status, why, None), line, out);
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
        mut errand: Errand,
        response: &Message,
        line: &mut Line,
        out: &mut Vec<Output>,
    ) {
        let State::Asking(asked) = self.state else { return };
        match self.answers.learn(response, &mut errand.tries, &mut line.dice) {
            Ok(()) => {
                self.cseq = self.cseq.saturating_add(1);
                if let Some(again) = request::again(&errand.request, self.cseq, &mut self.answers) {
                    errand.request = again;
                    line.send_again(now, errand, out);
                }
            }
            Err(why) => {
                let status = response.status().unwrap_or(Status::UNAUTHORIZED);
                // Nobody will learn our password by trying: the longest pause, so that no server takes us for a burglar.
                let pause = Some(limits::RETRY_LAST);
                self.refused(now, asked, (status, why.to_string(), pause), line, out);
                if asked != self.want {
                    self.ask(now, line, out);
                }
            }
        }
    }

    fn granted(
        &mut self,
        now: Time,
        (asked, went): (Want, Option<Flow>),
        response: &Message,
        line: &mut Line,
        out: &mut Vec<Output>,
    ) {
        self.failures = 0;
        let (Want::Registered, Some(flow)) = (asked, went) else {
            self.state = State::Off;
            line.set_gruu(None);
            return report(PhoneEvent::Unregistered, out);
        };
        let expires =
            granted_seconds(response, &line.address(line.account.transport()), self.expires);
        // Between 50 and 90 % of the time, so that phones that started together do not stay together.
        // RFC 5627 §4.2: halfway, where time is short.
        let spread = if expires < 64 { 0 } else { line.dice.below(41) };
        let percent = 50_u64.saturating_add(spread);
        let refresh =
            Duration::from_millis(u64::from(expires).saturating_mul(percent).saturating_mul(10));
        line.set_gruu(gruu(response, &line.address(line.account.transport())));
        let ping = now + silence(flow, &mut line.dice);
        self.state = State::On { refresh: now + refresh, flow, ping };
        report(PhoneEvent::Registered { expires }, out);
    }

    fn refused(
        &mut self,
        now: Time,
        asked: Want,
        (status, why, pause): (Status, String, Option<Duration>),
        line: &mut Line,
        out: &mut Vec<Output>,
    ) {
        // RFC 5627 §4.4: an address of a registration that may be over is not ours to give.
        line.set_gruu(None);
        if asked == Want::Gone {
            // The registrar forgets us by itself when our time is over.
            self.state = State::Off;
            return report(PhoneEvent::Unregistered, out);
        }
        let pause = pause.unwrap_or_else(|| patience::pause(self.failures, &mut line.dice));
        self.failures = self.failures.saturating_add(1);
        self.state = State::Pausing { again: now + pause };
        report(PhoneEvent::NotRegistered { status: status.code(), reason: why.into() }, out);
    }
}

/// Two line ends: over streams a ping that is answered (RFC 5626 §3.5.1), over datagrams nothing but a datagram.
const KEEP_ALIVE: &[u8] = b"\r\n\r\n";

/// How long the way may be silent: thrown, so that not all phones speak at once (RFC 5626 §4.4).
fn silence(flow: Flow, dice: &mut Dice) -> Duration {
    let (least, most) =
        if flow.transport.is_reliable() { limits::STREAM_SILENCE } else { limits::SILENCE };
    let spread = u64::try_from(most.saturating_sub(least).as_millis()).unwrap_or(u64::MAX);
    least + Duration::from_millis(dice.below(spread))
}

fn report(event: PhoneEvent, out: &mut Vec<Output>) {
    out.push(Output::Report(Event::Phone(event)));
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

/// The public GRUU that came with our Contact (RFC 5627 §4.2), as it came.
fn gruu(response: &Message, own: &str) -> Option<Box<str>> {
    let contact = ours(response, own)?;
    let gruu = String::from_utf8(contact.address()?.params.unquoted("pub-gruu")?).ok()?;
    let fits = matches!(Uri::parse(gruu.as_bytes()), Ok(Uri::Sip(uri)) if uri.params.has("gr"));
    fits.then(|| gruu.into())
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
}
