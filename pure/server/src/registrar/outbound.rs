//! Outbound: may a phone name its flows, so that each is kept as a binding of its own (RFC 5626 §6)?

use protocol::Fault;
use sip::header::{Contact, Supported};
use sip::{Message, Name};

use super::contact::names_a_flow;
use crate::admission::lists;
use crate::proxy::sip_uri;

/// Whether `reg-id` counts in a REGISTER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outbound {
    /// Its flow leads to the phone: it came to us directly, or by an edge proxy that keeps flows.
    Applies,
    /// The first hop would not find the flow again: a `reg-id` is passed over.
    Ignored,
}

impl Outbound {
    /// Reads it off the way that a REGISTER took. Refused when the phone counts on it, and it cannot be.
    pub(super) fn of(request: &Message) -> Result<Self, Fault> {
        if is_first_hop(request) || came_by_an_edge(request) {
            return Ok(Self::Applies);
        }
        let flows = request.all::<Contact>().flatten();
        let names_flows = flows.filter_map(|contact| contact.address().copied());
        let counts_on_it = lists::<Supported<'_>>(request, "outbound");
        if counts_on_it && names_flows.into_iter().any(|address| names_a_flow(&address)) {
            return Err(Fault::LacksOutbound);
        }
        Ok(Self::Ignored)
    }

    /// True when the 200 must say that flows are kept.
    pub(super) fn is_told(self, request: &Message) -> bool {
        let flows = request.all::<Contact>().flatten();
        self == Self::Applies
            && lists::<Supported<'_>>(request, "outbound")
            && flows.filter_map(|contact| contact.address().copied()).any(|a| names_a_flow(&a))
    }
}

/// True when nobody stands between us and the phone.
pub(super) fn is_first_hop(request: &Message) -> bool {
    request.elements(Name::Via).count() == 1
}

/// The proxy that saw the phone first wrote its Path first, so it stands last; nobody else may write `ob` (RFC 5626 §5.1). A Path that
/// its phone does not know of is none (RFC 3327 §5.3).
fn came_by_an_edge(request: &Message) -> bool {
    let first = request.elements(Name::Path).last();
    lists::<Supported<'_>>(request, "path")
        && first.and_then(sip_uri).is_some_and(|uri| uri.params.has("ob"))
}
