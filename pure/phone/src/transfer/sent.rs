//! `Transfer`: a REFER of ours, and what we are told about it (RFC 3515 §2.4.4, §2.4.5).

use machine::Time;
use sip::header::Event;
use sip::{Message, Status};

/// A REFER of ours that was not refused, or not yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transfer {
    /// The CSeq number of the REFER.
    pub(crate) number: u32,
    /// When nothing is waited for any more.
    pub(crate) until: Time,
    /// What is done once somebody there has picked up.
    pub(crate) then: Then,
}

/// What becomes of our own call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// It was transferred: it is hung up.
    HangUp,
    /// They were asked to come to us, or to where we are: it stays.
    Stay,
}

impl Transfer {
    /// Which of them a NOTIFY speaks of: the one that it names, else the oldest (§2.4.6).
    pub(crate) fn named_by(notify: &Message, all: &[Self]) -> Option<usize> {
        let event = notify.get::<Event<'_>>()?;
        match event.id() {
            Some(id) => {
                let number: u32 = std::str::from_utf8(id).ok()?.parse().ok()?;
                all.iter().position(|transfer| transfer.number == number)
            }
            None => (!all.is_empty()).then_some(0),
        }
    }
}

/// The status of a `message/sipfrag` that begins with a status line (§2.4.5).
pub(crate) fn status_of(notify: &Message) -> Option<Status> {
    let body = notify.content()?;
    let part = body.find("message", "sipfrag").ok()??;
    let line = part.octets().split(|octet| *octet == b'\r' || *octet == b'\n').next()?;
    let rest = line.strip_prefix(b"SIP/2.0 ")?;
    let code = std::str::from_utf8(rest.get(..3)?).ok()?;
    match rest.get(3) {
        None | Some(b' ') => Status::new(code.parse().ok()?),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notify(rows: &str, body: &str) -> Message {
        Message::parse(format!(
            "NOTIFY sip:a@h SIP/2.0\r\nContent-Type: message/sipfrag;version=2.0\r\n{rows}\r\n{body}"
        ))
        .unwrap()
    }

    #[test]
    fn the_first_line_is_what_counts() {
        for (body, status) in [
            ("SIP/2.0 200 OK\r\n", Some(200)),
            ("SIP/2.0 180 Ringing", Some(180)),
            ("SIP/2.0 603 Declined\r\nSIP/2.0 200 OK\r\n", Some(603)),
            ("SIP/2.0 486", Some(486)),
            ("SIP/2.0 4860 x", None),
            ("SIP/2.0 099 x", None),
            ("INVITE sip:x SIP/2.0\r\n", None),
            ("", None),
            ("SIP/2.0 \u{e9}00 x", None),
        ] {
            assert_eq!(status_of(&notify("", body)).map(Status::code), status, "{body}");
        }
    }

    #[test]
    fn a_name_says_which_and_no_name_is_the_first() {
        let all = [7, 9].map(|number| Transfer { number, until: Time(0), then: Then::HangUp });
        let which = |rows: &str| Transfer::named_by(&notify(rows, ""), &all);
        assert_eq!(which("Event: refer\r\n"), Some(0));
        assert_eq!(which("o: refer;id=9\r\n"), Some(1));
        assert_eq!(which("Event: refer;id=8\r\n"), None);
        assert_eq!(which("Event: refer;id=99999999999\r\n"), None);
        assert_eq!(Transfer::named_by(&notify("Event: refer\r\n", ""), &[]), None);
    }
}
