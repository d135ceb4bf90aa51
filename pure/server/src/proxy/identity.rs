//! Who a caller is, as those say who trust each other; and who may know it (RFC 3325, RFC 3323).
//!
//! The trust domain is what the settings name. What comes from outside of it is not believed; what leaves it says of a caller only what
//! that one lets be known. We know who sent a request when it has proven that to us, and say so to those who trust us. For the other kinds
//! of privacy we are no service: they pass, and who insists on them (`critical`) is told when nobody behind us will provide them.

use std::net::IpAddr;

use sip::header::{From, PPreferredIdentity, Privacy};
use sip::uri::{escape_user, unescape};
use sip::{Edit, Message, Name, Uri};

use super::copy::Original;
use crate::house::House;

/// Writes the identities of a copy for who gets it.
pub(super) fn assert(original: &Original<'_>, to: IpAddr, edit: &mut Edit<'_>) {
    let Original { house, request, plan, came, .. } = original;
    let (trusted, to_trusted) = (house.trusts(came.peer.ip()), house.trusts(to));
    if request.has(Name::PPreferredIdentity) {
        edit.remove_all(Name::PPreferredIdentity);
    }
    if request.has(Name::PAssertedIdentity) && (!trusted || !to_trusted && hides_identity(request))
    {
        edit.remove_all(Name::PAssertedIdentity);
    }
    if let Some(user) = plan.proven.as_deref().filter(|_| to_trusted && !trusted) {
        edit.append_raw(Name::PAssertedIdentity.as_str(), &identity(house, request, user));
    }
}

/// A response without the identities that whom it goes to may not know, or that nobody vouches for; nothing, when there are none.
pub(super) fn of_response(
    house: &House,
    response: &Message,
    (from, to): (IpAddr, IpAddr),
) -> Option<Message> {
    let asserted = response.has(Name::PAssertedIdentity)
        && (!house.trusts(from) || !house.trusts(to) && hides_identity(response));
    if !asserted && !response.has(Name::PPreferredIdentity) {
        return None;
    }
    let mut edit = response.edit();
    edit.remove_all(Name::PPreferredIdentity);
    if asserted {
        edit.remove_all(Name::PAssertedIdentity);
    }
    edit.finish().ok()
}

/// The kinds of privacy that a request insists on, and that nobody provides who is not trusted to (RFC 3323 §5).
pub(super) fn denied(house: &House, request: &Message, to: IpAddr) -> Option<String> {
    let privacy = request.get::<Privacy<'_>>().filter(|privacy| privacy.asks("critical"))?;
    let ours =
        |kind: &str| ["critical", "none", "id"].iter().any(|it| it.eq_ignore_ascii_case(kind));
    let others: Vec<_> = privacy.iter().filter(|kind| !ours(kind)).collect();
    (!others.is_empty() && !house.trusts(to)).then(|| others.join(", "))
}

/// True when a caller does not want to be known: it says so, or says nothing and has written no name.
fn hides_identity(message: &Message) -> bool {
    match message.get::<Privacy<'_>>() {
        Some(privacy) => privacy.asks("id") && !privacy.asks("none"),
        None => message.get::<From<'_>>().is_some_and(|from| {
            matches!(Uri::parse(from.uri), Ok(Uri::Sip(uri))
                if uri.host.to_string().eq_ignore_ascii_case("anonymous.invalid"))
        }),
    }
}

/// Who has proven to have sent a request: with the name that it prefers, when that is its own (RFC 3325 §6).
fn identity(house: &House, request: &Message, user: &[u8]) -> Vec<u8> {
    let preferred = request.all::<PPreferredIdentity<'_>>().flatten().find(|preferred| {
        matches!(Uri::parse(preferred.uri), Ok(Uri::Sip(uri))
            if house.is_ours(&uri) && uri.user.is_some_and(|name| unescape(name) == user))
    });
    let mut text = Vec::new();
    match preferred {
        Some(preferred) => {
            sip::header::NameAddr { params: sip::Params::new(b""), ..preferred.0 }.write(&mut text)
        }
        None => {
            text.extend_from_slice(b"<sip:");
            text.extend_from_slice(&escape_user(user));
            text.extend_from_slice(format!("@{}>", house.domain()).as_bytes());
        }
    }
    text
}
