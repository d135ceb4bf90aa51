//! Redirect: users that are somewhere else (RFC 3261 §8.3).

use sip::uri::same;
use sip::{Bytes, Message, Name, Status, Uri};

use crate::settings::Redirect;
use crate::turn::Turn;

/// Where a user is instead, when it is redirected.
pub(crate) fn of<'a>(turn: &'a Turn<'_>, user: &[u8]) -> Option<&'a Redirect> {
    turn.house.settings.redirects.iter().find(|redirect| redirect.user.as_bytes() == user)
}

/// The 302, best place first; `None` when only the place that was asked for would be left (§8.3: nobody is sent in a circle).
pub(crate) fn answer(turn: &Turn<'_>, request: &Message, redirect: &Redirect) -> Option<Bytes> {
    let asked = request.request_uri().and_then(|uri| Uri::parse(uri).ok());
    let circle = |uri: &str| {
        let uri = Uri::parse(uri.as_bytes()).ok();
        asked.zip(uri).is_some_and(|(asked, uri)| same(&asked, &uri))
    };
    let places: Vec<&str> =
        redirect.to.iter().map(|uri| &**uri).filter(|uri| !circle(uri)).collect();
    let status = Status::MOVED_TEMPORARILY;
    let mut draft = turn.reply(request, status, status.phrase());
    for (place, uri) in places.iter().enumerate() {
        let q = if places.len() > 1 { format!(";q={}", q_of(place)) } else { String::new() };
        draft = draft.raw(Name::Contact, format!("<{uri}>{q}").as_bytes());
    }
    (!places.is_empty()).then(|| draft.wire())
}

/// The preference of the n-th place, from 0: 1.0, 0.9 … 0.1, and no lower.
fn q_of(place: usize) -> String {
    match 10_usize.saturating_sub(place).max(1) {
        10 => "1.0".into(),
        tenths => format!("0.{tenths}"),
    }
}
