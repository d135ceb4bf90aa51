//! `Hop`: the next hop of a message, as it is written, before anybody has looked it up (RFC 3263 §4, §5).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use sip::header::Via;
use sip::uri::{Host, HostPort, SipUri};

use super::{Domain, Means, Search, Step, Target, Unlocated};
use crate::transport::Transport;

/// Where a message is to go, as a URI or a Via says it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hop {
    /// The domain to be contacted: what RFC 3263 §4 calls TARGET.
    pub place: Place,
    /// The domain that was asked for: who a TLS peer must prove to be (RFC 5922 §7.3). Not the same as the place when the URI
    /// has a `maddr`.
    pub domain: Box<str>,
    /// The port, when one is written.
    pub port: Option<u16>,
    /// The transport, when one is written.
    pub transport: Option<Transport>,
    /// `sip` or `sips`.
    pub scheme: Scheme,
}

/// A number, or a name that has to be looked up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A number.
    Number(IpAddr),
    /// A name.
    Name(Domain),
}

/// The scheme of a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// Any transport will do.
    Sip,
    /// TLS and nothing else (RFC 3261 §26.2.2).
    Sips,
}

impl Hop {
    /// The next hop that a URI names: of the Request-URI or of the first Route.
    ///
    /// # Errors
    /// When the transport is one that nobody here speaks, or the host cannot be in the DNS.
    pub fn of_uri(uri: &SipUri<'_>) -> Result<Self, Unlocated> {
        let transport = match uri.transport() {
            None => None,
            Some(token) => Some(Transport::of(token).ok_or(Unlocated::NoTransport)?),
        };
        let target = match uri.params.get("maddr") {
            None => uri.host,
            Some(maddr) => Host::parse(maddr).map_err(|_| Unlocated::NoName)?,
        };
        let scheme = if uri.secure { Scheme::Sips } else { Scheme::Sip };
        Ok(Self {
            place: Place::of(target)?,
            domain: domain(uri.host),
            port: uri.port,
            transport,
            scheme,
        })
    }

    /// A host, with its port when one is written, by a transport that is decided.
    ///
    /// # Errors
    /// When the host cannot be in the DNS.
    pub fn to(at: HostPort<'_>, transport: Transport) -> Result<Self, Unlocated> {
        Ok(Self {
            place: Place::of(at.host)?,
            domain: domain(at.host),
            port: at.port,
            transport: Some(transport),
            scheme: Scheme::Sip,
        })
    }

    /// Where a response goes when the way that its request came is gone: the sent-by of the top Via (RFC 3263 §5).
    ///
    /// # Errors
    /// When the transport is one that nobody here speaks, or the host cannot be in the DNS.
    pub fn of_via(via: &Via<'_>) -> Result<Self, Unlocated> {
        let transport = Transport::of(via.transport.0).ok_or(Unlocated::NoTransport)?;
        Self::to(via.sent_by(), transport)
    }
}

impl Hop {
    /// What can be said without asking anybody: of numbers, and of what leads nowhere. `None`: the DNS must be asked.
    pub fn at_once(&self, means: &Means) -> Option<Result<Vec<Target>, Unlocated>> {
        if let Place::Number(ip) = self.place {
            return Some(self.number(ip, means).map(|target| vec![target]));
        }
        match Search::new(self.clone(), means.clone()).step() {
            Step::Done(outcome) => Some(outcome),
            Step::Ask(_) | Step::Wait => None,
        }
    }
}

impl Hop {
    /// Where a hop is whose place is a number: there is nothing to look up.
    pub(super) fn number(&self, ip: IpAddr, means: &Means) -> Result<Target, Unlocated> {
        let transport = means.choose(self.transport, self.scheme)?;
        let address = usable((ip, self.port), transport, means).ok_or(Unlocated::Unusable)?;
        Ok(Target { transport, address, domain: self.domain.clone() })
    }

    /// Where a URI leads that names a number, and no other transport than one in the open: as most next hops of a call do. Nobody there
    /// has to prove a name, so none is written down. Nothing for any other URI, and for one that leads nowhere.
    pub fn in_the_open(uri: &SipUri<'_>, means: &Means) -> Option<Target> {
        let Host::Ip(ip) = uri.host else { return None };
        let transport = match uri.transport() {
            None => None,
            Some(token) => Some(Transport::of(token)?),
        };
        if uri.secure || uri.params.has("maddr") {
            return None;
        }
        let transport = means.choose(transport, Scheme::Sip).ok()?;
        let address = usable((ip.to_canonical(), uri.port), transport, means)?;
        let target = Target { transport, address, domain: Box::default() };
        Some(target).filter(|_| !transport.is_secure())
    }
}

/// An address that we have the means to reach.
fn usable(
    (ip, port): (IpAddr, Option<u16>),
    transport: Transport,
    means: &Means,
) -> Option<SocketAddr> {
    let port = port.unwrap_or(transport.default_port());
    (means.families.has(ip) && port != 0).then(|| SocketAddr::new(ip, port))
}

impl Place {
    fn of(host: Host<'_>) -> Result<Self, Unlocated> {
        match host {
            Host::Ip(ip) => Ok(Self::Number(ip.to_canonical())),
            Host::Name(name) => Domain::of(name).map(Self::Name).ok_or(Unlocated::NoName),
        }
    }
}

/// The digits of every call's next hop: written without the detours of a formatter.
fn v4(ip: Ipv4Addr) -> Box<str> {
    let mut text = Vec::with_capacity(15);
    HostPort { host: Host::Ip(ip.into()), port: None }.write(&mut text);
    String::from_utf8(text).unwrap_or_default().into()
}

/// What a certificate would have to say.
fn domain(host: Host<'_>) -> Box<str> {
    match host {
        Host::Ip(IpAddr::V4(ip)) => v4(ip),
        Host::Ip(IpAddr::V6(ip)) => ip.to_ipv4_mapped().map_or_else(|| ip.to_string().into(), v4),
        Host::Name(name) => name.trim_end_matches('.').to_ascii_lowercase().into(),
    }
}

#[cfg(test)]
mod tests {
    use sip::Header as _;
    use sip::Uri;

    use super::*;

    fn of(uri: &str) -> Result<Hop, Unlocated> {
        Hop::of_uri(Uri::parse(uri.as_bytes()).unwrap().sip().unwrap())
    }

    #[test]
    fn a_uri_says_where_and_how() {
        let hop = of("sips:bob@Biloxi.Example.:5070;transport=TCP").unwrap();
        assert_eq!(hop.place, Place::Name(Domain::of("biloxi.example").unwrap()));
        assert_eq!(&*hop.domain, "biloxi.example");
        assert_eq!((hop.port, hop.transport), (Some(5070), Some(Transport::Tcp)));
        assert_eq!(hop.scheme, Scheme::Sips);
        assert_eq!(
            of("sip:[::ffff:192.0.2.1]").unwrap().place,
            Place::Number([192, 0, 2, 1].into())
        );
    }

    #[test]
    fn maddr_is_where_to_go_and_the_host_is_who_to_be() {
        let hop = of("sip:bob@biloxi.example;maddr=192.0.2.7").unwrap();
        assert_eq!(hop.place, Place::Number([192, 0, 2, 7].into()));
        assert_eq!(&*hop.domain, "biloxi.example");
        assert_eq!(of("sip:bob@biloxi.example;maddr="), Err(Unlocated::NoName));
    }

    /// The short way leads where the long one does, but for the name that nobody has to prove.
    #[test]
    fn a_number_in_the_open_is_where_a_search_finds_it() {
        let means = Means {
            transports: vec![Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws],
            families: super::super::Families::V4,
        };
        for (text, is_short) in [
            ("sip:192.0.2.1", true),
            ("sip:b@192.0.2.1:5070;transport=TCP", true),
            ("sip:[::ffff:192.0.2.1]", true),
            ("sip:192.0.2.1;transport=ws", true),
            ("sip:192.0.2.1;transport=tls", false),
            ("sip:192.0.2.1;transport=wss", false),
            ("sip:192.0.2.1;transport=x", false),
            ("sip:192.0.2.1:0", false),
            ("sip:[2001:db8::1]", false),
            ("sips:192.0.2.1", false),
            ("sip:192.0.2.1;maddr=192.0.2.2", false),
            ("sip:a.example", false),
        ] {
            let uri = Uri::parse(text.as_bytes()).unwrap();
            let short = Hop::in_the_open(uri.sip().unwrap(), &means);
            assert_eq!(short.is_some(), is_short, "{text}");
            let Some(short) = short else { continue };
            let long = of(text).unwrap().at_once(&means).unwrap().unwrap();
            assert_eq!(long.iter().map(Target::key).collect::<Vec<_>>(), [short.key()], "{text}");
        }
    }

    #[test]
    fn a_transport_that_nobody_speaks_is_an_error() {
        assert_eq!(of("sip:b@a.example;transport=sctp"), Err(Unlocated::NoTransport));
        let via = Via::parse(b"SIP/2.0/DCCP a.example;branch=z9hG4bK1").unwrap();
        assert_eq!(Hop::of_via(&via), Err(Unlocated::NoTransport));
    }
}
