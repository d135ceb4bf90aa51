//! What happens in the server, as lines of the log.

use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use machine::Time;
use net::{Heard, Notice};
use protocol::doors::Event;

use crate::limits;
use crate::log::{Log, Page};

/// Writes what is heard until nobody speaks any more. Lines gather for a moment: to be woken for each of them would cost the shards
/// more than the line.
pub(crate) fn keep<T>(log: Log, heard: &Receiver<T>, words: impl Fn(&T) -> &Heard) {
    let mut page = log.page();
    while let Ok(first) = heard.recv() {
        thread::sleep(GATHER);
        enter(&mut page, words(&first));
        heard.try_iter().take(limits::LOG_LINES).for_each(|next| enter(&mut page, words(&next)));
        page.turn();
    }
}

/// How long lines gather: nobody who reads a log notices.
const GATHER: Duration = Duration::from_millis(20);

fn enter(page: &mut Page, heard: &Heard) {
    match heard {
        Heard::Event(time, _, event) => enter_event(page, since_1970(*time), event),
        Heard::Notice(time, _, notice) => enter_notice(page, since_1970(*time), notice),
        // Messages are for ladders.
        Heard::Message(_) => {}
    }
}

const fn since_1970(time: Time) -> Duration {
    Duration::from_nanos(time.0)
}

fn enter_event(page: &mut Page, time: Duration, event: &Event) {
    match event {
        Event::Registered { aor, contacts, from } => {
            let from = from.to_string();
            let fields = [
                ("aor", (&**aor).into()),
                ("contacts", (*contacts).into()),
                ("from", (&from).into()),
            ];
            page.info(time, if *contacts == 0 { "unregistered" } else { "registered" }, &fields);
        }
        Event::Challenged { method, from, source } => {
            let source = source.to_string();
            let fields = [
                ("method", (&**method).into()),
                ("from", (&**from).into()),
                ("source", (&source).into()),
            ];
            page.info(time, "challenged", &fields);
        }
        Event::Refused { method, from, source, status, reason } => {
            let source = source.to_string();
            let fields = [
                ("method", (&**method).into()),
                ("from", (&**from).into()),
                ("source", (&source).into()),
                ("status", u32::from(*status).into()),
                ("reason", (&**reason).into()),
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
        Event::TlsWithdrawn { domain } => {
            page.warning(time, "tls_withdrawn", &[("domain", (&**domain).into())]);
        }
        Event::Unreadable { source, reason } => {
            let source = source.to_string();
            let fields = [("source", (&source).into()), ("reason", (&**reason).into())];
            page.warning(time, "unreadable", &fields);
        }
        // A phone's events go to the one who holds it.
        Event::Phone(_) | _ => {}
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
