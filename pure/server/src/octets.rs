//! Flows and numbers as octets: how passes and bindings keep them.

use std::net::{IpAddr, SocketAddr};

use protocol::doors::Neighbour;
use protocol::{Flow, Identity, Transport};

const TRANSPORTS: [Transport; 5] =
    [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss];

/// Says that an identity follows behind the flow.
const IDENTIFIED: u8 = 0x80;

/// In the short form: this is it; the number of the listener takes two octets; that of a connection follows; the address is one of IPv6.
const SHORT: u8 = 0x40;
const FAR_LISTENER: u8 = 0x20;
const CONNECTED: u8 = 0x10;
const SIX: u8 = 0x08;

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

/// The short form, for what stands in messages: 8 octets for datagrams over IPv4, 20 for IPv6; 4 more for a connection, and 16 when the
/// peer has proven who it is.
pub(crate) fn put_short_flow(octets: &mut Vec<u8>, flow: Flow) {
    let transport = TRANSPORTS.iter().position(|known| *known == flow.transport);
    let ip = flow.peer.ip().to_canonical();
    let marks = [
        (SIX, ip.is_ipv6()),
        (CONNECTED, flow.connection != 0),
        (FAR_LISTENER, flow.listener > 0xff),
        (IDENTIFIED, !flow.identity.is_none()),
    ];
    let first = transport.and_then(|at| u8::try_from(at).ok()).unwrap_or(0) | SHORT;
    octets.push(marks.iter().fold(first, |all, (mark, is)| if *is { all | mark } else { all }));
    let [high, low] = flow.listener.to_be_bytes();
    octets.extend((high != 0).then_some(high).into_iter().chain([low]));
    if flow.connection != 0 {
        octets.extend_from_slice(&flow.connection.to_be_bytes());
    }
    put_place(octets, (ip, flow.peer.port()));
    if !flow.identity.is_none() {
        octets.extend_from_slice(&flow.identity.octets());
    }
}

/// Reads a flow in its short form, and goes on behind it.
pub(crate) fn take_short_flow(rest: &mut &[u8]) -> Option<Flow> {
    let [first] = cut(rest)?;
    let has = |mark: u8| first & mark != 0;
    let transport = *TRANSPORTS.get(usize::from(first & 7)).filter(|_| has(SHORT))?;
    let [high] = if has(FAR_LISTENER) { cut(rest)? } else { [0] };
    let [low] = cut(rest)?;
    let connection = if has(CONNECTED) { u32::from_be_bytes(cut(rest)?) } else { 0 };
    let peer = if has(SIX) { take_place::<16>(rest)? } else { take_place::<4>(rest)? };
    let identity = if has(IDENTIFIED) { Identity::from_octets(cut(rest)?) } else { Identity::NONE };
    let listener = u16::from_be_bytes([high, low]);
    Some(Flow { transport, listener, connection, peer, identity })
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
    let ip = address.ip().to_canonical();
    octets.push(if ip.is_ipv4() { 4 } else { 6 });
    put_place(octets, (ip, address.port()));
}

fn put_place(octets: &mut Vec<u8>, (ip, port): (IpAddr, u16)) {
    match ip {
        IpAddr::V4(ip) => octets.extend_from_slice(&ip.octets()),
        IpAddr::V6(ip) => octets.extend_from_slice(&ip.octets()),
    }
    octets.extend_from_slice(&port.to_be_bytes());
}

fn take_address(rest: &mut &[u8]) -> Option<SocketAddr> {
    match cut(rest)? {
        [4] => take_place::<4>(rest),
        [6] => take_place::<16>(rest),
        _ => None,
    }
}

/// An address of so many octets, and the port behind it.
fn take_place<const N: usize>(rest: &mut &[u8]) -> Option<SocketAddr>
where
    IpAddr: From<[u8; N]>,
{
    let ip = cut::<N>(rest)?.into();
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
        let peers = ["192.0.2.1:5060", "[2001:db8::1]:65535"];
        let numbers = [(300, 7), (255, 0)];
        let ways = peers.iter().flat_map(|peer| numbers.map(|numbers| (*peer, numbers)));
        for (peer, (listener, connection)) in ways {
            for (at, transport) in TRANSPORTS.into_iter().enumerate() {
                let identity = [Identity::NONE, Identity::of("a.example")][at % 2];
                let peer = peer.parse().unwrap();
                let flow = Flow { transport, listener, connection, peer, identity };
                reads_back(flow, put_flow, take_flow);
                reads_back(flow, put_short_flow, take_short_flow);
            }
        }
    }

    fn reads_back(flow: Flow, put: fn(&mut Vec<u8>, Flow), take: fn(&mut &[u8]) -> Option<Flow>) {
        let mut octets = Vec::new();
        put(&mut octets, flow);
        assert_eq!(take(&mut &octets[..]), Some(flow));
        assert!((0..octets.len()).all(|end| take(&mut &octets[..end]).is_none()));
    }

    #[test]
    fn the_short_form_of_a_phone_behind_datagrams_has_eight_octets() {
        let peer = "192.0.2.1:5060".parse().unwrap();
        let (transport, identity) = (Transport::Udp, Identity::NONE);
        let mut octets = Vec::new();
        put_short_flow(&mut octets, Flow { transport, listener: 3, connection: 0, peer, identity });
        assert_eq!(octets.len(), 8);
    }
}
