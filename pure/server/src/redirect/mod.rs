//! Redirect: somebody is somewhere else (RFC 3261 §8.3, §21.3). The answer says where, best place first.

use sip::uri::same;
use sip::{Bytes, Message, Name, Status, Uri};

use crate::settings::Elsewhere;
use crate::turn::Turn;

/// One place where somebody may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) uri: Bytes,
    /// Preference, in thousandths; `None`: there is no other to be preferred to.
    pub(crate) q: Option<u16>,
    /// For how many seconds it is so.
    pub(crate) expires: Option<u32>,
}

/// The places of a setting: the first is preferred to the second, and so on.
pub(crate) fn places(elsewhere: &Elsewhere, uris: Vec<Bytes>) -> Vec<Place> {
    let several = uris.len() > 1;
    let place =
        |(place, uri)| Place { uri, q: several.then(|| q_of(place)), expires: elsewhere.expires };
    uris.into_iter().enumerate().map(place).collect()
}

/// The answer; `None` when only the place that was asked for would be left (§8.3: nobody is sent in a circle).
pub(crate) fn answer(
    turn: &Turn<'_>,
    request: &Message,
    status: u16,
    places: &[Place],
) -> Option<Bytes> {
    let asked = request.request_uri().and_then(|uri| Uri::parse(uri).ok());
    let circle = |place: &&Place| match (&asked, Uri::parse(&place.uri)) {
        (Some(asked), Ok(uri)) => same(asked, &uri),
        _ => false,
    };
    let status = Status::new(status).unwrap_or(Status::MOVED_TEMPORARILY);
    let mut draft = turn.reply(request, status, status.phrase());
    let mut any = false;
    for place in places.iter().filter(|place| !circle(place)) {
        draft = draft.raw(Name::Contact, contact(place).as_bytes());
        any = true;
    }
    any.then(|| draft.wire())
}

/// `<uri>;q=0.9;expires=60`
fn contact(place: &Place) -> String {
    let mut text = format!("<{}>", String::from_utf8_lossy(&place.uri));
    if let Some(q) = place.q {
        text += format!(";q={}.{:03}", q / 1000, q % 1000).trim_end_matches('0');
        if text.ends_with('.') {
            text.push('0');
        }
    }
    if let Some(expires) = place.expires {
        text += &format!(";expires={expires}");
    }
    text
}

/// The preference of the n-th place, from 0: 1.0, 0.9 … 0.1, and no lower.
fn q_of(place: usize) -> u16 {
    u16::try_from(10_usize.saturating_sub(place).max(1)).unwrap_or(1).saturating_mul(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_written_as_a_contact() {
        let place =
            |q, expires| contact(&Place { uri: Bytes::from_static(b"sip:a@h;x=1"), q, expires });
        assert_eq!(place(None, None), "<sip:a@h;x=1>");
        for (q, written) in [(1000, "1.0"), (900, "0.9"), (1, "0.001"), (750, "0.75"), (0, "0.0")] {
            assert_eq!(place(Some(q), Some(60)), format!("<sip:a@h;x=1>;q={written};expires=60"));
        }
        assert_eq!([0, 1, 9, 10, 99].map(q_of), [1000, 900, 100, 100, 100]);
    }
}
