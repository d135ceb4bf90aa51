//! What happens in the server, as lines of the log.

use net::{Heard, Notice};
use protocol::doors::Event;

use crate::log::Log;

/// Writes what was heard.
pub(crate) fn write(log: Log, heard: &Heard) {
    match heard {
        Heard::Event(_, _, event) => write_event(log, event),
        Heard::Notice(_, _, notice) => write_notice(log, notice),
        // Messages are for ladders.
        Heard::Message(_) => {}
    }
}

fn write_event(log: Log, event: &Event) {
    match event {
        Event::Registered { aor, contacts, from } => {
            let from = from.to_string();
            let fields = [
                ("aor", (&**aor).into()),
                ("contacts", (*contacts).into()),
                ("from", (&from).into()),
            ];
            log.info(if *contacts == 0 { "unregistered" } else { "registered" }, &fields);
        }
        Event::Challenged { method, from, source } => {
            let source = source.to_string();
            let fields = [
                ("method", (&**method).into()),
                ("from", (&**from).into()),
                ("source", (&source).into()),
            ];
            log.info("challenged", &fields);
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
            log.warning("refused", &fields);
        }
        Event::Answered { call_id, status } => {
            let fields = [("call_id", (&**call_id).into()), ("status", u32::from(*status).into())];
            log.info("answered", &fields);
        }
        Event::Unregistered { aor, contacts } => {
            log.info("unregistered", &[("aor", (&**aor).into()), ("contacts", (*contacts).into())]);
        }
        Event::Ended { call_id } => log.info("ended", &[("call_id", (&**call_id).into())]),
        Event::TlsWithdrawn { domain } => {
            log.warning("tls_withdrawn", &[("domain", (&**domain).into())]);
        }
        Event::Unreadable { source, reason } => {
            let source = source.to_string();
            let fields = [("source", (&source).into()), ("reason", (&**reason).into())];
            log.warning("unreadable", &fields);
        }
        // A phone's events go to the one who holds it.
        Event::Phone(_) | _ => {}
    }
}

fn write_notice(log: Log, notice: &Notice) {
    let text = notice.to_string();
    let fields = [("what", (&text).into())];
    match notice {
        Notice::Panicked { .. } => log.error("driver", &fields),
        _ => log.warning("driver", &fields),
    }
}
