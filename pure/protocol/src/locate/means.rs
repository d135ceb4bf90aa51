//! `Means`: what this side can send by (RFC 3263 §4.1, RFC 7984 §3.1).

use std::net::IpAddr;

use super::{Domain, Scheme, Unlocated};
use crate::transport::{Listener, Transport};

/// What this side can send by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Means {
    /// The transports that it speaks, the preferred first.
    pub transports: Vec<Transport>,
    /// The families of addresses that it has.
    pub families: Families,
}

/// Families of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Families {
    /// IPv4 alone.
    V4,
    /// IPv6 alone.
    V6,
    /// Both.
    Both,
}

impl Means {
    /// What can be sent by from these listeners. WebSocket only as its client: to a server whoever wants that comes.
    pub fn of(listeners: &[Listener]) -> Self {
        let has = |transport: &Transport| {
            let goes_out = |one: &&Listener| !transport.is_web() || one.is_client();
            listeners.iter().filter(goes_out).any(|one| one.transport == *transport)
        };
        let transports =
            [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss];
        let v4 = listeners.iter().any(|listener| listener.bound.is_ipv4());
        let v6 = listeners.iter().any(|listener| listener.bound.is_ipv6());
        Self {
            transports: transports.into_iter().filter(has).collect(),
            families: match (v4, v6) {
                (true, true) => Families::Both,
                (false, true) => Families::V6,
                (_, false) => Families::V4,
            },
        }
    }

    /// True when it speaks this transport.
    pub fn speaks(&self, transport: Transport) -> bool {
        self.transports.contains(&transport)
    }

    /// The transport for a hop about which the DNS does not say more: the one in its URI, made secure for `sips`; else UDP for
    /// `sip` and TLS for `sips` (§4.1). Whoever does not speak UDP uses what it prefers among TCP and TLS.
    pub(super) fn choose(
        &self,
        transport: Option<Transport>,
        scheme: Scheme,
    ) -> Result<Transport, Unlocated> {
        let wanted: &[Transport] = match (transport, scheme) {
            (Some(transport), Scheme::Sip) => &[transport],
            (Some(Transport::Tcp | Transport::Tls), Scheme::Sips) => &[Transport::Tls],
            (Some(Transport::Ws | Transport::Wss), Scheme::Sips) => &[Transport::Wss],
            (Some(Transport::Udp), Scheme::Sips) => &[],
            (None, Scheme::Sips) => &[Transport::Tls],
            (None, Scheme::Sip) if self.speaks(Transport::Udp) => &[Transport::Udp],
            (None, Scheme::Sip) => &[Transport::Tcp, Transport::Tls],
        };
        let spoken = self.transports.iter().find(|transport| wanted.contains(transport));
        spoken.copied().ok_or(Unlocated::NoTransport)
    }

    /// The services to ask for when the domain has no NAPTR records: `_sip` for `sip`, `_sips` for `sips`.
    pub(super) fn services(&self, scheme: Scheme, domain: &Domain) -> Vec<(Transport, Domain)> {
        let asked: &[Transport] = match scheme {
            Scheme::Sip => &[Transport::Udp, Transport::Tcp],
            Scheme::Sips => &[Transport::Tls],
        };
        let spoken = self.transports.iter().filter(|transport| asked.contains(transport));
        spoken.filter_map(|transport| Some((*transport, service(*transport, domain)?))).collect()
    }
}

impl Families {
    pub(super) const fn v4(self) -> bool {
        matches!(self, Self::V4 | Self::Both)
    }

    pub(super) const fn v6(self) -> bool {
        matches!(self, Self::V6 | Self::Both)
    }

    pub(super) const fn has(self, ip: IpAddr) -> bool {
        if ip.is_ipv4() { self.v4() } else { self.v6() }
    }
}

/// Where the servers of a domain are listed, for one transport.
pub(super) fn service(transport: Transport, domain: &Domain) -> Option<Domain> {
    domain.below(match transport {
        Transport::Udp => "_sip._udp",
        Transport::Tcp => "_sip._tcp",
        Transport::Tls => "_sips._tcp",
        Transport::Ws => "_sip._ws",
        Transport::Wss => "_sips._ws",
    })
}
