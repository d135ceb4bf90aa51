//! Session timers, as a proxy asks for them: a call whose end was lost ends by itself (RFC 4028 §8).
//!
//! What we asked for is computed again from the request and the settings for as long as the request is there; after that, only what was
//! written into a 2xx is remembered, until nobody repeats it. Nothing is kept of a call.

use std::collections::{BTreeMap, VecDeque};

use machine::Time;
use protocol::Fault;
use protocol::transaction::ClientId;
use sip::header::{MinSe, Require, SessionExpires, Supported};
use sip::{Edit, Message, Method, Name, Params};

use crate::admission::lists;
use crate::settings::SessionTimer;

/// The shortest Min-SE that there is, and the one of those who write none (§5).
const LEAST: u32 = 90;

/// What the copy of a request says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Asked {
    expires: u32,
    min: u32,
}

/// A phone that can count is told when it wants a shorter interval than we take (§8.1).
pub(super) fn admits(timer: Option<SessionTimer>, request: &Message) -> Result<(), Fault> {
    let Some(timer) = timer.filter(|_| refreshes(request)) else { return Ok(()) };
    match request.get::<SessionExpires<'_>>() {
        Some(wish) if wish.seconds < timer.min && knows_timers(request) => {
            Err(Fault::SessionTooBrief(timer.min))
        }
        _ => Ok(()),
    }
}

/// Asks for a session timer in the copy of a request.
pub(super) fn ask(timer: Option<SessionTimer>, request: &Message, edit: &mut Edit<'_>) {
    let Some(Asked { expires, min }) = asked(timer, request) else { return };
    let params = Params::new(b"");
    match request.get::<SessionExpires<'_>>() {
        // Who refreshes is for the two phones to say.
        Some(wish) if wish.seconds != expires => {
            edit.replace(&SessionExpires { seconds: expires, params: wish.params });
        }
        Some(_) => {}
        None => drop(edit.append(&SessionExpires { seconds: expires, params })),
    }
    let written = request.get::<MinSe<'_>>();
    if min > written.map_or(LEAST, |min| min.seconds) {
        edit.replace(&MinSe { seconds: min, params });
    }
}

/// What a 2xx owes the caller: its phone knows session timers, that of the callee does not (§8.2).
pub(super) fn owed(
    timer: Option<SessionTimer>,
    request: &Message,
    response: &Message,
) -> Option<u32> {
    let success = response.status().is_some_and(sip::Status::is_success);
    let owes = success && !response.has(Name::SessionExpires) && knows_timers(request);
    asked(timer, request).filter(|_| owes).map(|asked| asked.expires)
}

/// Writes what is owed: the caller alone sees to it that the session ends.
pub(super) fn pay(expires: u32, response: &Message, edit: &mut Edit<'_>) {
    edit.append(&SessionExpires { seconds: expires, params: Params::new(b";refresher=uac") });
    if !lists::<Require<'_>>(response, TIMER) {
        edit.append(&Require(TIMER));
    }
}

/// What was written into the 2xx of calls: when they are repeated, they say the same, though nothing else is kept of the request.
#[derive(Debug, Default)]
pub(super) struct Paid {
    expires: BTreeMap<ClientId, u32>,
    /// In the order of time: a 2xx is repeated for as long as its transaction lasts, and all last equally long.
    until: VecDeque<(Time, ClientId)>,
}

impl Paid {
    /// Notes what a 2xx of a transaction got, until then.
    pub(super) fn note(&mut self, client: ClientId, expires: u32, until: Time) {
        self.expires.insert(client, expires);
        self.until.push_back((until, client));
    }

    /// What it got.
    pub(super) fn to(&self, client: ClientId) -> Option<u32> {
        self.expires.get(&client).copied()
    }

    /// Forgets those that are not repeated any more.
    pub(super) fn forget(&mut self, now: Time) {
        while let Some((_, client)) = self.until.front().filter(|(until, _)| *until <= now) {
            self.expires.remove(client);
            self.until.pop_front();
        }
    }
}

/// What we ask for, when we ask for anything.
fn asked(timer: Option<SessionTimer>, request: &Message) -> Option<Asked> {
    let timer = timer.filter(|_| refreshes(request))?;
    let wish = request.get::<SessionExpires<'_>>().map(|wish| wish.seconds);
    let written = request.get::<MinSe<'_>>().map_or(LEAST, |min| min.seconds.max(LEAST));
    // Who does not know session timers cannot be refused: somebody before us has asked for too little in its name.
    let too_brief = wish.is_some_and(|wish| wish < timer.min) && !knows_timers(request);
    let min = if too_brief { written.max(timer.min) } else { written };
    let expires = wish.unwrap_or(timer.expires).min(timer.expires).max(min);
    // Only what is below the minimum is raised.
    let expires = wish.filter(|wish| *wish >= min).map_or(expires, |wish| expires.min(wish));
    Some(Asked { expires, min })
}

/// True for requests that begin or renew a session (§3).
fn refreshes(request: &Message) -> bool {
    matches!(request.method(), Some(Method::Invite | Method::Update))
}

fn knows_timers(request: &Message) -> bool {
    lists::<Supported<'_>>(request, TIMER)
}

const TIMER: &str = "timer";

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &str) -> Option<(u32, u32)> {
        let wire = format!("INVITE sip:b@h SIP/2.0\r\n{rows}\r\n");
        let timer = SessionTimer { expires: 1800, min: 300 };
        let asked = asked(Some(timer), &Message::parse(wire).unwrap());
        asked.map(|Asked { expires, min }| (expires, min))
    }

    #[test]
    fn the_interval_is_lowered_but_never_below_what_somebody_takes() {
        for (rows, expected) in [
            ("", (1800, 90)),
            ("Supported: timer\r\n", (1800, 90)),
            ("Session-Expires: 3600\r\n", (1800, 90)),
            ("Session-Expires: 3600\r\nMin-SE: 2400\r\n", (2400, 2400)),
            ("Min-SE: 2400\r\n", (2400, 2400)),
            ("Session-Expires: 1000\r\n", (1000, 90)),
            ("Session-Expires: 100\r\n", (300, 300)),
            ("Session-Expires: 100\r\nMin-SE: 400\r\n", (400, 400)),
            ("x: 1000;refresher=uas\r\nMin-SE: 10\r\n", (1000, 90)),
        ] {
            assert_eq!(of(rows), Some(expected), "{rows}");
        }
        let other = Message::parse("BYE sip:b@h SIP/2.0\r\n\r\n").unwrap();
        assert_eq!(asked(Some(SessionTimer { expires: 1800, min: 90 }), &other), None);
        assert_eq!(asked(None, &Message::parse("INVITE sip:b@h SIP/2.0\r\n\r\n").unwrap()), None);
    }
}
