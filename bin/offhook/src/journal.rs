//! What happens in the server, as lines of the log.

use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use machine::Time;
use net::{Heard, Losses, Notice, Passed, Sink};
use protocol::bans::{Ban, Treatment};
use protocol::doors::Event;

use crate::flood::{Flood, LeftOut};
use crate::ink;
use crate::limits;
use crate::log::{Level, Log, Page, timestamp};

/// Writes what is heard until nobody speaks any more. Lines gather for a moment: to be woken for each of them would cost the shards
/// more than the line. What found no room meanwhile is told.
pub(crate) fn keep<T>(
    log: Log,
    (heard, losses): (&Receiver<T>, &Losses),
    words: impl Fn(&T) -> &Heard,
) {
    let (mut page, mut flood, mut told) = (log.page(), Flood::default(), 0);
    while let Ok(first) = heard.recv() {
        thread::sleep(GATHER);
        let lost = losses.get();
        ink::miss(lost.saturating_sub(std::mem::replace(&mut told, lost)));
        for heard in std::iter::once(first).chain(heard.try_iter().take(limits::LOG_LINES)) {
            let heard = words(&heard);
            let word = flood.hear(heard);
            if let Some(left_out) = word.left_out {
                enter_left_out(&mut page, heard, left_out);
            }
            if word.write {
                enter(&mut page, heard);
            }
        }
        page.turn();
    }
}

/// How long lines gather: nobody who reads a log notices.
const GATHER: Duration = Duration::from_millis(20);

/// A sink for a log that leaves something out: what nobody reads is not even passed on.
pub(crate) struct Terse<S> {
    pub(crate) sink: S,
    pub(crate) log: Log,
}

impl<S: Sink> Sink for Terse<S> {
    fn event(&self, now: Time, shard: u16, event: Event) {
        let level = if event.is_daily() { Level::Info } else { Level::Warning };
        if self.log.wants(level) {
            self.sink.event(now, shard, event);
        }
    }

    fn notice(&self, now: Time, shard: u16, notice: Notice) {
        self.sink.notice(now, shard, notice);
    }

    fn wants_daily(&self) -> bool {
        self.log.wants(Level::Info) && self.sink.wants_daily()
    }

    fn wants_messages(&self) -> bool {
        self.sink.wants_messages()
    }

    fn message(&self, passed: Passed) {
        self.sink.message(passed);
    }
}

/// What is heard as one line of JSON, for programs; nothing for what is not told.
pub(crate) fn line(json: Log, heard: &Heard) -> Option<String> {
    let mut page = json.page();
    enter(&mut page, heard);
    Some(page.text().to_owned()).filter(|line| !line.is_empty())
}

fn enter(page: &mut Page, heard: &Heard) {
    match heard {
        Heard::Event(time, _, event) => enter_event(page, since_1970(*time), event),
        Heard::Notice(time, _, notice) => enter_notice(page, since_1970(*time), notice),
        // Messages are for ladders.
        Heard::Message(_) => {}
    }
}

/// More happened than strangers may make us write.
fn enter_left_out(page: &mut Page, heard: &Heard, LeftOut { lines, refusals }: LeftOut) {
    let (Heard::Event(time, ..) | Heard::Notice(time, ..)) = heard else { return };
    let fields = [("lines", lines.into()), ("refusals", refusals.into())];
    // That phones are asked who they are is how every call begins.
    match refusals {
        0 => page.info(since_1970(*time), "left_out", &fields),
        _ => page.warning(since_1970(*time), "left_out", &fields),
    }
}

const fn since_1970(time: Time) -> Duration {
    Duration::from_nanos(time.0)
}

fn enter_event(page: &mut Page, time: Duration, event: &Event) {
    match event {
        Event::Registered { aor, contacts, from, call_id } => {
            let from = from.to_string();
            let fields = [
                ("aor", (&**aor).into()),
                ("contacts", (*contacts).into()),
                ("from", (&from).into()),
                ("call_id", (&**call_id).into()),
            ];
            page.info(time, if *contacts == 0 { "unregistered" } else { "registered" }, &fields);
        }
        Event::Challenged { .. } => enter_challenged(page, time, event),
        Event::Refused { method, from, source, status, reason, call_id } => {
            let source = source.to_string();
            let fields = [
                ("method", (&**method).into()),
                ("from", (&**from).into()),
                ("source", (&source).into()),
                ("status", u32::from(*status).into()),
                ("reason", (&**reason).into()),
                ("call_id", (&**call_id).into()),
            ];
            page.warning(time, "refused", &fields);
        }
        Event::Answered { call_id, status } => {
            let fields = [("call_id", (&**call_id).into()), ("status", u32::from(*status).into())];
            page.info(time, "answered", &fields);
        }
        Event::Unregistered { aor, contacts } => {
            page.info(
                time,
                "unregistered",
                &[("aor", (&**aor).into()), ("contacts", (*contacts).into())],
            );
        }
        Event::Ended { call_id } => page.info(time, "ended", &[("call_id", (&**call_id).into())]),
        Event::HangsUp { .. } | Event::HungUp { .. } => enter_hung_up(page, time, event),
        Event::TlsWithdrawn { domain } => {
            page.warning(time, "tls_withdrawn", &[("domain", (&**domain).into())]);
        }
        Event::Untrusted { distrust } => {
            let (peer, what) = (distrust.peer.to_string(), distrust.to_string());
            let domain = (&*distrust.domain).into();
            let fields = [("peer", (&peer).into()), ("domain", domain), ("what", (&what).into())];
            page.warning(time, "untrusted", &fields);
        }
        Event::Tampered { aor } => page.error(time, "store_tampered", &[("aor", (&**aor).into())]),
        Event::Newer { aor } => page.error(time, "store_is_newer", &[("aor", (&**aor).into())]),
        Event::Member { .. } => enter_member(page, time, event),
        Event::Overloaded { .. } | Event::Relieved { .. } | Event::TooFast { .. } => {
            enter_overload(page, time, event);
        }
        Event::Unreadable { .. } => enter_unreadable(page, time, event),
        _ => enter_harm(page, time, event),
    }
}

/// A source is not heard any more. fail2ban reads this line (docs/examples/fail2ban/offhook.conf), so the source stands first: no text of a
/// stranger stands before it.
fn enter_banned(page: &mut Page, time: Duration, ban: &Ban) {
    let (source, until) = (ban.source.to_string(), timestamp(since_1970(ban.until)));
    let fields = [
        ("source", (&source).into()),
        ("reason", ban.offence.as_str().into()),
        ("count", ban.count.into()),
        ("times", ban.times.into()),
        ("until", (&until).into()),
        ("sample", (&*ban.sample).into()),
    ];
    let event = match ban.treatment {
        Treatment::Barred => "banned",
        Treatment::Slowed => "slowed",
    };
    page.warning(time, event, &fields);
}

/// An operator ends a call.
fn enter_hung_up(page: &mut Page, time: Duration, event: &Event) {
    match event {
        Event::HangsUp { call_id, up } => {
            let state = if *up { "up" } else { "ringing" };
            let fields = [
                ("call_id", (&**call_id).into()),
                ("state", state.into()),
                ("by", "operator".into()),
            ];
            page.info(time, "hangs_up", &fields);
        }
        Event::HungUp { call_id, caller, callee, over } => {
            let fields = [
                ("call_id", (&**call_id).into()),
                ("caller", u32::from(*caller).into()),
                ("callee", u32::from(*callee).into()),
                ("over", (*over).into()),
            ];
            page.info(time, "hung_up", &fields);
        }
        _ => {}
    }
}

/// Somebody does harm, is not heard any more, or is again.
fn enter_harm(page: &mut Page, time: Duration, event: &Event) {
    match event {
        Event::Banned(ban) => enter_banned(page, time, ban),
        Event::Unbanned { source } => {
            let source = source.to_string();
            page.info(time, "unbanned", &[("source", (&source).into())]);
        }
        Event::Besieged { user } => {
            page.warning(time, "besieged", &[("user", (&**user).into())]);
        }
        Event::Fraud { user, source, method, number, paused, call_id } => {
            let source = source.to_string();
            let fields = [
                ("source", (&source).into()),
                ("user", (&**user).into()),
                ("method", (&**method).into()),
                ("number", (&**number).into()),
                ("paused", (*paused).into()),
                ("call_id", (&**call_id).into()),
            ];
            page.warning(time, "fraud", &fields);
        }
        // A phone's events go to the one who holds it.
        _ => {}
    }
}

/// There is more to do than can be done, or not any more.
fn enter_overload(page: &mut Page, time: Duration, event: &Event) {
    match event {
        Event::Overloaded { waited, rate, refused, unheard } => {
            let waited = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
            let fields = [
                ("waited_ms", waited.into()),
                ("begun_per_second", (*rate).into()),
                ("refused", (*refused).into()),
                ("unheard", (*unheard).into()),
            ];
            page.warning(time, "overloaded", &fields);
        }
        Event::Relieved { refused, unheard } => {
            let fields = [("refused", (*refused).into()), ("unheard", (*unheard).into())];
            page.warning(time, "relieved", &fields);
        }
        Event::TooFast { source } => {
            let source = source.to_string();
            page.warning(time, "too_fast", &[("source", (&source).into())]);
        }
        _ => {}
    }
}

/// Octets came that are no message.
fn enter_unreadable(page: &mut Page, time: Duration, event: &Event) {
    let Event::Unreadable { source, reason } = event else { return };
    let source = source.to_string();
    let fields = [("source", (&source).into()), ("reason", (&**reason).into())];
    page.warning(time, "unreadable", &fields);
}

/// Somebody was asked who it is.
fn enter_challenged(page: &mut Page, time: Duration, event: &Event) {
    let Event::Challenged { method, from, source, call_id } = event else { return };
    let source = source.to_string();
    let fields = [
        ("method", (&**method).into()),
        ("from", (&**from).into()),
        ("source", (&source).into()),
        ("call_id", (&**call_id).into()),
    ];
    page.info(time, "challenged", &fields);
}

/// A member of a group went down, or came back.
fn enter_member(page: &mut Page, time: Duration, event: &Event) {
    let Event::Member { group, transport, address, down } = event else { return };
    let (transport, address) = (transport.to_string(), address.to_string());
    let fields = [
        ("group", (&**group).into()),
        ("transport", (&transport).into()),
        ("address", (&address).into()),
    ];
    match down {
        true => page.warning(time, "member_down", &fields),
        false => page.info(time, "member_back", &fields),
    }
}

fn enter_notice(page: &mut Page, time: Duration, notice: &Notice) {
    let text = notice.to_string();
    let fields = [("what", (&text).into())];
    match notice {
        Notice::Panicked { .. } => page.error(time, "driver", &fields),
        _ => page.warning(time, "driver", &fields),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Format;

    /// Whoever looks for a call finds all lines about it by its Call-ID.
    #[test]
    fn every_line_about_a_request_names_its_call() {
        let source = "192.0.2.1:5060".parse().unwrap();
        let call_id = || "a\nb@c".into();
        let asked = || ("INVITE".into(), "sip:101@h".into());
        let ((method, from), aor) = (asked(), "sip:101@h".into());
        let challenged = Event::Challenged { method, from, source, call_id: call_id() };
        let ((method, from), (status, reason)) = (asked(), (404, "x".into()));
        let events = [
            challenged,
            Event::Refused { method, from, source, status, reason, call_id: call_id() },
            Event::Registered { aor, contacts: 1, from: source, call_id: call_id() },
            Event::Answered { call_id: call_id(), status: 200 },
            Event::Ended { call_id: call_id() },
            Event::Fraud {
                user: "101".into(),
                source,
                method: "INVITE".into(),
                number: "0900".into(),
                paused: false,
                call_id: call_id(),
            },
        ];
        for event in events {
            let heard = Heard::Event(Time(7_000_000_000), 0, event);
            for (format, named) in
                [(Format::Text, r#" call_id="a\nb@c""#), (Format::Json, r#""call_id":"a\nb@c""#)]
            {
                let mut page = Log::new(format).page();
                enter(&mut page, &heard);
                assert!(page.text().contains(named), "{}", page.text());
                assert_eq!(page.text().lines().count(), 1);
            }
        }
    }

    #[test]
    fn what_is_left_out_is_a_warning_only_when_somebody_was_refused() {
        let heard = Heard::Event(Time(7_000_000_000), 0, Event::Ended { call_id: "c".into() });
        for (refusals, expected) in [(0, "info left_out lines=5"), (2, "warning left_out lines=5")]
        {
            let mut page = Log::new(Format::Text).page();
            enter_left_out(&mut page, &heard, LeftOut { lines: 5, refusals });
            assert!(page.text().contains(expected), "{}", page.text());
        }
    }
}
