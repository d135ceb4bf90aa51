//! Next hops: from a URI to addresses (RFC 3261 §16.6 step 7, RFC 3263 §4).

use std::net::SocketAddr;

use protocol::doors::Question;
use protocol::{Fault, Flow, Transport};
use sip::uri::{Host, SipUri};

use crate::house::House;

/// Where a URI leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hop {
    /// To an address.
    At(Transport, SocketAddr),
    /// To a name that must be looked up.
    Named(Question),
}

/// Reads a next hop. SIPS never goes but by TLS (§26.2.2).
pub(crate) fn of(uri: &SipUri<'_>) -> Result<Hop, Fault> {
    let transport = match uri.transport().map(Transport::of) {
        Some(None) => return Err(Fault::Unroutable("The Next Hop Wants an Unknown Transport")),
        Some(Some(transport)) => transport,
        None => Transport::Udp,
    };
    let transport = match (uri.secure, transport) {
        (false, transport) => transport,
        (true, Transport::Ws | Transport::Wss) => Transport::Wss,
        (true, Transport::Udp | Transport::Tcp | Transport::Tls) => Transport::Tls,
    };
    let maddr = uri.params.get("maddr").and_then(|maddr| Host::parse(maddr).ok());
    let port = uri.port.unwrap_or(transport.default_port());
    Ok(match maddr.unwrap_or(uri.host) {
        Host::Ip(ip) => Hop::At(transport, SocketAddr::new(ip.to_canonical(), port)),
        Host::Name(name) => Hop::Named(Question::Resolve { host: name.into(), port, transport }),
    })
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
