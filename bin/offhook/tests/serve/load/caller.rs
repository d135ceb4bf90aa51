//! Those who call: INVITE, ACK, BYE, and what is not answered again (RFC 3261 §17.1).

use std::time::{Duration, Instant};

use sip::header::{CSeq, Contact};
use sip::{Message, Name};

use super::Phones;

/// A call that has begun.
pub(super) struct Call {
    /// The connection that it goes by; none: datagrams.
    pub(super) line: Option<usize>,
    user: String,
    began: Instant,
    stage: Stage,
    /// When what was said last is said again, or what comes next is due.
    alarm: Instant,
}

enum Stage {
    /// The INVITE has gone out, and is said again after this time.
    Calling { again: Duration },
    /// Somebody is at it.
    Ringing,
    /// It stands: what acknowledges it, and where it is hung up.
    Up { ack: String, target: String, routes: String, to: String },
    /// The BYE has gone out, and is said again after this time.
    HangingUp { bye: String, again: Duration },
}

impl Call {
    pub(super) const fn alarm(&self) -> Instant {
        self.alarm
    }
}

impl Phones {
    /// Begins a call: most by datagrams to a user, some to a number of a route, some by a connection.
    pub(super) fn begin(&mut self, number: u64) {
        let kind = number % 10;
        let lines = self.lines.len() as u64;
        let line = (kind >= 8 && lines > 0).then(|| ((number / 10) % lines) as usize);
        let user = if kind >= 6 { format!("77{number}") } else { "102".to_owned() };
        let began = Instant::now();
        let again = T1;
        let alarm = began + line.map_or(again, |_| TIMER_B);
        let call = Call { line, user, began, stage: Stage::Calling { again }, alarm };
        self.report.by_line += u64::from(line.is_some());
        let invite = self.request(&call, ("INVITE", "1 INVITE", 'i'), number, None);
        self.say(call.line, &invite);
        self.alarms.insert((alarm, number));
        self.calls.insert(number, call);
    }

    /// A request of a call: within it, with where it goes, by which routes, and to whom.
    fn request(
        &self,
        call: &Call,
        (method, cseq, branch): (&str, &str, char),
        number: u64,
        within: Option<(&str, &str, &str)>,
    ) -> String {
        let (transport, us) = match call.line.and_then(|line| self.lines.get(line)) {
            Some(line) => ("TCP", line.us),
            None => ("UDP", self.us),
        };
        let to = format!("<sip:{}@localhost>", call.user);
        let uri = format!("sip:{}@localhost", call.user);
        let (uri, routes, to) = within.unwrap_or((&uri, "", &to));
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{transport} {us};branch=z9hG4bK{branch}{number};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:load@elsewhere.test>;tag=f{number}\r\nTo: {to}\r\nCall-ID: load-{number}\r\nCSeq: {cseq}\r\n\
             {routes}Contact: <sip:load@{us}>\r\nContent-Length: 0\r\n\r\n"
        )
    }

    fn say(&mut self, line: Option<usize>, text: &str) {
        match line.and_then(|line| self.lines.get_mut(line)) {
            Some(line) => line.write(text),
            // What the kernel does not take is said again.
            None => drop(self.udp.send_to(text.as_bytes(), self.server)),
        }
    }

    /// An answer came.
    pub(super) fn hear(&mut self, answer: Message) {
        let id = String::from_utf8_lossy(answer.call_id()).into_owned();
        let number = id.strip_prefix("load-").and_then(|number| number.parse().ok());
        let (Some(number), Some(status)) = (number, answer.status()) else { return };
        let invited = answer.get::<CSeq<'_>>().is_some_and(|cseq| cseq.number == 1);
        let Some(call) = self.calls.get_mut(&number) else { return };
        match (invited, status.code(), &call.stage) {
            (true, 100..200, Stage::Calling { .. }) => {
                call.stage = Stage::Ringing;
                self.set(number, TIMER_C);
            }
            (true, 200..300, Stage::Calling { .. } | Stage::Ringing) => {
                self.stands(number, &answer)
            }
            (true, 200..300, Stage::Up { ack, .. }) => {
                let (ack, line) = (ack.clone(), call.line);
                self.report.repeats += 1;
                self.say(line, &ack);
            }
            (true, 300.., Stage::Calling { .. } | Stage::Ringing) => {
                let to = text(&answer, Name::To);
                let uri = format!("sip:{}@localhost", call.user);
                let line = call.line;
                let Some(call) = self.calls.get(&number) else { return };
                let ack = self.request(call, ("ACK", "1 ACK", 'i'), number, Some((&uri, "", &to)));
                self.say(line, &ack);
                let said = String::from_utf8_lossy(answer.wire()).into_owned();
                let said = said.lines().next().unwrap_or_default().to_owned();
                let after = text(&answer, Name::RetryAfter);
                self.end(number, Err(format!("{said}; Retry-After: {after}")));
            }
            (false, 200..300, Stage::HangingUp { .. }) => self.end(number, Ok(())),
            (false, 300.., Stage::HangingUp { .. }) => {
                self.end(number, Err(format!("BYE: {}", status.code())));
            }
            _ => {}
        }
    }

    /// The callee has answered: the call is acknowledged.
    fn stands(&mut self, number: u64, answer: &Message) {
        let Some(call) = self.calls.get(&number) else { return };
        self.report.longest = self.report.longest.max(call.began.elapsed());
        let contact = answer.get::<Contact<'_>>();
        let target = contact.as_ref().and_then(Contact::address).expect("a 200 has a Contact").uri;
        let target = String::from_utf8_lossy(target).into_owned();
        let mut routes: Vec<_> = answer
            .elements(Name::RecordRoute)
            .map(|route| format!("Route: {}\r\n", String::from_utf8_lossy(route)))
            .collect();
        routes.reverse();
        let (routes, to) = (routes.concat(), text(answer, Name::To));
        let within = Some((&*target, &*routes, &*to));
        let ack = self.request(call, ("ACK", "1 ACK", 'a'), number, within);
        self.say(call.line, &ack);
        let stage = Stage::Up { ack, target, routes, to };
        if let Some(call) = self.calls.get_mut(&number) {
            call.stage = stage;
        }
        self.set(number, self.wish.talk);
    }

    fn set(&mut self, number: u64, after: Duration) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        self.alarms.remove(&(call.alarm, number));
        call.alarm = Instant::now() + after;
        self.alarms.insert((call.alarm, number));
    }

    /// Does what is due.
    pub(super) fn ring(&mut self) {
        let now = Instant::now();
        while let Some((_, number)) = self.alarms.first().copied().filter(|(at, _)| *at <= now) {
            self.alarms.pop_first();
            let Some(call) = self.calls.get(&number) else { continue };
            let (line, waited) = (call.line, call.began.elapsed());
            match &call.stage {
                Stage::Calling { .. } | Stage::Ringing if waited >= TIMER_B => {
                    self.end(number, Err("no answer to the INVITE".into()));
                }
                Stage::Ringing => self.set(number, TIMER_C),
                Stage::Calling { again } => {
                    let again = *again * 2;
                    let invite = self.request(call, ("INVITE", "1 INVITE", 'i'), number, None);
                    self.repeat(number, (line, &invite), again);
                    if let Some(call) = self.calls.get_mut(&number) {
                        call.stage = Stage::Calling { again };
                    }
                }
                Stage::Up { target, routes, to, .. } => {
                    let within = Some((&**target, &**routes, &**to));
                    let bye = self.request(call, ("BYE", "2 BYE", 'b'), number, within);
                    self.say(line, &bye);
                    let again = T1;
                    if let Some(call) = self.calls.get_mut(&number) {
                        call.began = Instant::now();
                        call.stage = Stage::HangingUp { bye, again };
                    }
                    self.set(number, line.map_or(again, |_| TIMER_B));
                }
                Stage::HangingUp { .. } if waited >= TIMER_B => {
                    self.end(number, Err("no answer to the BYE".into()));
                }
                Stage::HangingUp { bye, again } => {
                    let (bye, again) = (bye.clone(), (*again * 2).min(T2));
                    self.repeat(number, (line, &bye), again);
                    if let Some(call) = self.calls.get_mut(&number) {
                        call.stage = Stage::HangingUp { bye, again };
                    }
                }
            }
        }
    }

    fn repeat(&mut self, number: u64, (line, text): (Option<usize>, &str), again: Duration) {
        // Streams lose nothing.
        if line.is_none() {
            self.report.repeats += 1;
            self.say(line, text);
        }
        self.set(number, again);
    }
}

fn text(message: &Message, name: Name) -> String {
    String::from_utf8_lossy(message.rows(name).next().unwrap_or_default()).into_owned()
}

const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
/// As long as a call waits; a busy machine is given more than RFC 3261 gives.
const TIMER_B: Duration = Duration::from_secs(60);
const TIMER_C: Duration = Duration::from_secs(61);
