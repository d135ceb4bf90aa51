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
    let (mut page, mut flood) = (log.page(), Flood::default());
    while let Ok(first) = heard.recv() {
        thread::sleep(GATHER);
        for heard in std::iter::once(first).chain(heard.try_iter().take(limits::LOG_LINES)) {
            if flood.admits(&mut page, words(&heard)) {
                enter(&mut page, words(&heard));
            }
        }
        page.turn();
    }
}

/// What strangers can make us write: so many lines a second, then how many more there were. Whoever floods the server must not fill its
/// disk too.
#[derive(Debug, Default)]
struct Flood {
    second: u64,
    lines: u32,
    more: usize,
}

impl Flood {
    fn admits(&mut self, page: &mut Page, heard: &Heard) -> bool {
        let (time, by_strangers) = match heard {
            Heard::Event(time, _, event) => (time, is_by_strangers(event)),
            Heard::Notice(time, _, Notice::Refused { .. }) => (time, true),
            Heard::Notice(..) | Heard::Message(_) => return true,
        };
        if time.as_secs() != self.second {
            if self.more > 0 {
                page.warning(since_1970(*time), "left_out", &[("lines", self.more.into())]);
            }
            *self = Self { second: time.as_secs(), ..Self::default() };
        }
        if !by_strangers || self.lines < limits::LINES_OF_STRANGERS {
            self.lines += u32::from(by_strangers);
            return true;
        }
        self.more += 1;
        false
    }
}

const fn is_by_strangers(event: &Event) -> bool {
    matches!(event, Event::Unreadable { .. } | Event::Refused { .. } | Event::Challenged { .. })
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
        Event::Challenged { .. } => enter_challenged(page, time, event),
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
        Event::Untrusted { distrust } => {
            let (peer, what) = (distrust.peer.to_string(), distrust.to_string());
            let domain = (&*distrust.domain).into();
            let fields = [("peer", (&peer).into()), ("domain", domain), ("what", (&what).into())];
            page.warning(time, "untrusted", &fields);
        }
        Event::Member { .. } => enter_member(page, time, event),
        Event::Unreadable { source, reason } => {
            let source = source.to_string();
            let fields = [("source", (&source).into()), ("reason", (&**reason).into())];
            page.warning(time, "unreadable", &fields);
        }
        // A phone's events go to the one who holds it.
        Event::Phone(_) | _ => {}
    }
}

/// Somebody was asked who it is.
fn enter_challenged(page: &mut Page, time: Duration, event: &Event) {
    let Event::Challenged { method, from, source } = event else { return };
    let source = source.to_string();
    let fields =
        [("method", (&**method).into()), ("from", (&**from).into()), ("source", (&source).into())];
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

    #[test]
    fn a_flood_of_strangers_is_counted_not_written() {
        let (mut page, mut flood) = (Log::new(Format::Text).page(), Flood::default());
        let heard = |second: u64, event| Heard::Event(Time(second * 1_000_000_000), 0, event);
        let source = std::net::SocketAddr::from(([192, 0, 2, 1], 5060));
        let stray = |second| heard(second, Event::Unreadable { source, reason: "x".into() });
        let most = usize::try_from(limits::LINES_OF_STRANGERS).unwrap();
        let written = (0..most + 500).filter(|_| flood.admits(&mut page, &stray(7))).count();
        assert_eq!(written, most);
        let ended = heard(7, Event::Ended { call_id: "c".into() });
        assert!(flood.admits(&mut page, &ended), "calls are written all the same");
        assert!(flood.admits(&mut page, &stray(8)));
        assert!(page.text().contains("left_out lines=500"), "{}", page.text());
    }
}
