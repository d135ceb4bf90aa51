//! Next hops: from a URI to addresses (RFC 3261 §16.6 step 7, RFC 3263 §4).

use std::net::SocketAddr;

use protocol::doors::Question;
use protocol::locate::{self, Target, Unlocated};
use protocol::{Fault, Flow, Output, Transport};
use sip::uri::SipUri;

use crate::house::House;

/// Where a URI leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hop {
    /// To these addresses, in the order to try.
    At(Vec<Target>),
    /// To a name that must be looked up.
    Named(Question),
}

/// Reads a next hop. SIPS never goes but by TLS (§26.2.2).
pub(crate) fn of(uri: &SipUri<'_>, house: &House) -> Result<Hop, Fault> {
    if let Some(target) = locate::Hop::in_the_open(uri, &house.means) {
        return Ok(Hop::At(vec![target]));
    }
    let hop = locate::Hop::of_uri(uri).map_err(fault)?;
    match hop.at_once(&house.means) {
        Some(Ok(mut targets)) => {
            house.standing.name(&mut targets);
            Ok(Hop::At(targets))
        }
        Some(Err(why)) => Err(fault(why)),
        None => Ok(Hop::Named(Question::Resolve(hop))),
    }
}

/// Why a next hop leads nowhere, in words for the caller.
pub(crate) const fn fault(why: Unlocated) -> Fault {
    Fault::Unroutable(match why {
        Unlocated::NoName => "The Next Hop Is No Name",
        Unlocated::NoTransport => "We Do Not Speak the Transport of the Next Hop",
        Unlocated::Unknown => "The DNS Does Not Know the Next Hop",
        Unlocated::NotOffered => "The Next Hop Offers No Such Service",
        Unlocated::Unusable => "The Next Hop Has No Address for Us",
        Unlocated::NoAnswer => "The DNS Is Silent about the Next Hop",
    })
}

/// The flow to a target. Over TLS it names the domain that must be there, and the driver is told the name (RFC 5922 §7.3).
pub(crate) fn flow_of(
    house: &House,
    target: &Target,
    came_by: u16,
    out: &mut Vec<Output>,
) -> Option<Flow> {
    let flow = flow_to(house, target.transport, target.address, came_by)?.proving(&target.domain);
    if !flow.identity.is_none() {
        out.push(Output::Introduce(target.domain.clone()));
    }
    Some(flow)
}

/// The flow to a URI that is a number, and needs no look-up.
pub(crate) fn direct_flow(uri: &SipUri<'_>, house: &House, came_by: u16) -> Option<Flow> {
    let Ok(Hop::At(targets)) = of(uri, house) else { return None };
    let mut flows = targets.iter().map(|at| flow_to(house, at.transport, at.address, came_by));
    flows.find_map(|flow| flow)
}

/// The flow to an address: from the listener that the request came by when that can be, else from one that can.
pub(crate) fn flow_to(
    house: &House,
    transport: Transport,
    peer: SocketAddr,
    came_by: u16,
) -> Option<Flow> {
    let listener = house.listener_for(transport, peer.ip(), came_by)?;
    Some(Flow::to(listener, peer))
}
