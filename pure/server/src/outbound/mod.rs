//! Outbound, as an edge proxy knows it: phones of another registrar that register through us are found again by the flow that they
//! came on. A token in our Path names it; whoever shows it in a Route reaches that phone and no other (RFC 5626 §5, RFC 3327 §5.2).

use protocol::{Fault, Flow};
use sip::header::{Contact, Supported};
use sip::uri::{HostPort, SipUri};
use sip::{Message, Method, Name};

use crate::admission::lists;
use crate::house::House;
use crate::octets::{put_flow, take_flow};

/// What the user part of a Route of ours says about a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// Nothing.
    None,
    /// This is the way to the phone.
    Flow(Box<Flow>),
    /// It says that it is a token, and is none of ours.
    Forged,
}

impl Token {
    /// Reads it off a Route of ours that a request from `came` shows. A phone that shows its own goes out by us, not to itself.
    pub(crate) fn of(route: &SipUri<'_>, came: Flow, house: &House) -> Self {
        let Some(user) = route.user.filter(|_| route.params.has("ob")) else { return Self::None };
        let flow = house.seal.verified(PURPOSE, user).and_then(|octets| {
            let mut rest = &octets[..];
            take_flow(&mut rest).filter(|_| rest.is_empty())
        });
        match flow {
            Some(flow) if flow == came => Self::None,
            Some(flow) => Self::Flow(flow.into()),
            None => Self::Forged,
        }
    }

    /// The way to the phone.
    pub(crate) fn flow(&self) -> Option<Flow> {
        match self {
            Self::Flow(flow) => Some(**flow),
            Self::None | Self::Forged => None,
        }
    }
}

/// What our tokens are signed for.
const PURPOSE: &[u8] = b"flow";

/// The user part of our Path for a REGISTER that we pass on, when the phone that sent it must be found again by its flow: we are the
/// first to see it, and it knows what a Path is.
pub(crate) fn token_for(house: &House, request: &Message, came: Flow) -> Option<String> {
    let begins_here = request.method() == Some(Method::Register)
        && request.elements(Name::Via).count() == 1
        && request.has(Name::Contact)
        && lists::<Supported<'_>>(request, "path");
    begins_here.then(|| {
        let mut octets = Vec::new();
        put_flow(&mut octets, came);
        house.seal.signed(PURPOSE, &octets)
    })
}

/// A phone that counts on its flow, and does not know the Path by which we would find it again, is told so (RFC 3327 §5.2, RFC 5626 §5.1).
pub(crate) fn judge(request: &Message) -> Result<(), Fault> {
    let flows = request.all::<Contact>().flatten();
    let counts_on_it = request.method() == Some(Method::Register)
        && request.elements(Name::Via).count() == 1
        && lists::<Supported<'_>>(request, "outbound")
        && flows.filter_map(|contact| contact.address().copied()).any(|at| at.params.has("reg-id"));
    if counts_on_it && !lists::<Supported<'_>>(request, "path") {
        return Err(Fault::ExtensionRequired("path"));
    }
    Ok(())
}

/// True for requests to a domain whose phones use us as their edge: it asks them itself who they are.
pub(crate) fn is_edge_for(house: &House, uri: &[u8]) -> bool {
    let Ok(sip::Uri::Sip(uri)) = sip::Uri::parse(uri) else { return false };
    house.settings.registrar.edge_for.iter().any(|domain| {
        HostPort::parse(domain.as_bytes()).is_ok_and(|domain| domain.host == uri.host)
    })
}
