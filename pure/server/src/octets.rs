//! Flows and numbers as octets: how passes and bindings keep them.

use std::net::{IpAddr, SocketAddr};

use protocol::doors::Neighbour;
use protocol::{Flow, Identity, Transport};

const TRANSPORTS: [Transport; 5] =
    [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss];

/// Says that an identity follows behind the flow.
const IDENTIFIED: u8 = 0x80;

/// Writes a flow: 14 octets for IPv4, 26 for IPv6; 16 more when the peer has proven who it is.
pub(crate) fn put_flow(octets: &mut Vec<u8>, flow: Flow) {
    let transport = TRANSPORTS.iter().position(|known| *known == flow.transport);
    let identified = if flow.identity.is_none() { 0 } else { IDENTIFIED };
    octets.push(transport.and_then(|at| u8::try_from(at).ok()).unwrap_or(0) | identified);
    octets.extend_from_slice(&flow.listener.to_be_bytes());
    octets.extend_from_slice(&flow.connection.to_be_bytes());
    put_address(octets, flow.peer);
    if identified != 0 {
        octets.extend_from_slice(&flow.identity.octets());
    }
}

/// Reads a flow, and goes on behind it.
pub(crate) fn take_flow(rest: &mut &[u8]) -> Option<Flow> {
    let [first] = cut(rest)?;
    let transport = *TRANSPORTS.get(usize::from(first & !IDENTIFIED))?;
    let listener = u16::from_be_bytes(cut(rest)?);
    let connection = u32::from_be_bytes(cut(rest)?);
    let peer = take_address(rest)?;
    let identity = match first & IDENTIFIED {
        0 => Identity::NONE,
        _ => Identity::from_octets(cut(rest)?),
    };
    Some(Flow { transport, listener, connection, peer, identity })
}

/// Writes which node has a flow: 11 octets for IPv4, 23 for IPv6.
pub(crate) fn put_neighbour(octets: &mut Vec<u8>, node: Neighbour) {
    put_address(octets, node.at);
    octets.extend_from_slice(&node.life.to_be_bytes());
}

/// Reads it, and goes on behind it.
pub(crate) fn take_neighbour(rest: &mut &[u8]) -> Option<Neighbour> {
    Some(Neighbour { at: take_address(rest)?, life: u32::from_be_bytes(cut(rest)?) })
}

fn put_address(octets: &mut Vec<u8>, address: SocketAddr) {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => {
            octets.push(4);
            octets.extend_from_slice(&ip.octets());
        }
        IpAddr::V6(ip) => {
            octets.push(6);
            octets.extend_from_slice(&ip.octets());
        }
    }
    octets.extend_from_slice(&address.port().to_be_bytes());
}

fn take_address(rest: &mut &[u8]) -> Option<SocketAddr> {
    let ip = match cut(rest)? {
        [4] => IpAddr::from(cut::<4>(rest)?),
        [6] => IpAddr::from(cut::<16>(rest)?),
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_be_bytes(cut(rest)?)))
}

/// Takes `N` octets.
pub(crate) fn cut<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

/// Takes a number of octets that is not known before.
pub(crate) fn cut_some<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_and_half_of_it_does_not() {
        for peer in ["192.0.2.1:5060", "[2001:db8::1]:65535"] {
            for (at, transport) in TRANSPORTS.into_iter().enumerate() {
                let identity = [Identity::NONE, Identity::of("a.example")][at % 2];
                let peer = peer.parse().unwrap();
                let flow = Flow { transport, listener: 300, connection: 7, peer, identity };
                let mut octets = Vec::new();
                put_flow(&mut octets, flow);
                assert_eq!(take_flow(&mut &octets[..]), Some(flow));
                assert!((0..octets.len()).all(|end| take_flow(&mut &octets[..end]).is_none()));
            }
        }
    }
}
