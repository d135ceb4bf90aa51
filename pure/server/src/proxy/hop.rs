//! Next hops: from a URI to addresses (RFC 3261 §16.6 step 7, RFC 3263 §4).

use std::net::SocketAddr;

use protocol::doors::Question;
use protocol::locate::{self, Place, Scheme, Unlocated};
use protocol::{Fault, Flow, Transport};
use sip::uri::SipUri;

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
    let hop = locate::Hop::of_uri(uri).map_err(|why| {
        Fault::Unroutable(match why {
            Unlocated::NoTransport => "The Next Hop Wants an Unknown Transport",
            _ => "The Next Hop Is No Name",
        })
    })?;
    let transport = match (hop.scheme, hop.transport.unwrap_or(Transport::Udp)) {
        (Scheme::Sip, transport) => transport,
        (Scheme::Sips, Transport::Ws | Transport::Wss) => Transport::Wss,
        (Scheme::Sips, Transport::Udp | Transport::Tcp | Transport::Tls) => Transport::Tls,
    };
    let port = hop.port.unwrap_or(transport.default_port());
    Ok(match hop.place {
        Place::Number(ip) => Hop::At(transport, SocketAddr::new(ip, port)),
        Place::Name(name) => {
            let host = name.to_string().into();
            Hop::Named(Question::Resolve { host, port, transport })
        }
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
