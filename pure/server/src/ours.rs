//! "Is this URI us?" (RFC 3261 §16.4, §16.5): our domains, our addresses, and the port, which counts as much.

use std::net::{IpAddr, SocketAddr};

use protocol::Transport;
use sip::header::Via;
use sip::uri::{Host, HostPort, SipUri};

use crate::settings::Settings;

/// Every name and address of ours, read once.
#[derive(Debug)]
pub(crate) struct Ours {
    domains: Vec<Known>,
    /// What listeners advertise; the port is always there.
    advertised: Vec<(Known, u16)>,
    bound: Vec<SocketAddr>,
    /// With or without a port.
    aliases: Vec<(Known, Option<u16>)>,
}

/// A host, as it is kept: a name without its last dot, or a number.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Known {
    Name(Box<str>),
    Ip(IpAddr),
}

impl Known {
    fn of(host: Host<'_>) -> Self {
        match host {
            Host::Name(name) => Self::Name(name.strip_suffix('.').unwrap_or(name).into()),
            Host::Ip(ip) => Self::Ip(ip.to_canonical()),
        }
    }

    fn is(&self, host: &Host<'_>) -> bool {
        match (self, host) {
            (Self::Name(name), Host::Name(other)) => {
                **name == **other
                    || name.eq_ignore_ascii_case(other.strip_suffix('.').unwrap_or(other))
            }
            (Self::Ip(ip), Host::Ip(other)) => *ip == other.to_canonical(),
            _ => false,
        }
    }
}

impl Ours {
    pub(crate) fn new(settings: &Settings) -> Self {
        let host = |text: &str| Host::parse(text.as_bytes()).ok().map(Known::of);
        let place = |text: &str| {
            let at = HostPort::parse(text.as_bytes()).ok()?;
            Some((Known::of(at.host), at.port))
        };
        let listeners = settings.listeners.iter().chain(&settings.leaving);
        let advertised = listeners.clone().filter_map(|listener| {
            let (host, port) = place(&listener.advertised)?;
            Some((host, port.unwrap_or(listener.transport.default_port())))
        });
        Self {
            domains: settings.domains.iter().filter_map(|domain| host(domain)).collect(),
            advertised: advertised.collect(),
            bound: listeners.map(|listener| listener.bound).collect(),
            aliases: settings.aliases.iter().filter_map(|alias| place(alias)).collect(),
        }
    }

    /// Is this URI us? (`maddr` is the host that really counts, §16.4.)
    pub(crate) fn has(&self, uri: &SipUri<'_>) -> bool {
        let maddr = uri.params.get("maddr").and_then(|maddr| Host::parse(maddr).ok());
        let default = match uri.transport().and_then(Transport::of) {
            _ if uri.secure => Transport::Tls.default_port(),
            Some(transport) => transport.default_port(),
            None => Transport::Udp.default_port(),
        };
        let at = HostPort { host: maddr.unwrap_or(uri.host), port: uri.port };
        self.has_address(&at, default)
    }

    /// The same for a host and a port that may be absent. One of our names is us at the usual ports (for WebSocket those of the web
    /// server that stands before us) and at every port of ours; a number only where we listen: on one machine, the phone beside the server has the same number, and often it is a domain, too.
    pub(crate) fn has_address(&self, at: &HostPort<'_>, default_port: u16) -> bool {
        let host = &at.host;
        let port = at.port.unwrap_or(default_port);
        let domain = self.has_domain(host);
        if domain && at.port.is_none() {
            return true;
        }
        let here = |bound: &SocketAddr| {
            let ip = bound.ip().to_canonical();
            let everywhere = bound.ip().is_unspecified() && domain;
            bound.port() == port && (everywhere || Known::Ip(ip).is(host))
        };
        let usual =
            matches!(port, 5060 | 5061 | 80 | 443) || self.bound.iter().any(|at| at.port() == port);
        let by_name = matches!(host, Host::Name(_)) && usual;
        domain && by_name
            || self.bound.iter().any(here)
            || self.advertised.iter().any(|(ours, at)| *at == port && ours.is(host))
            || self.aliases.iter().any(|(ours, at)| at.is_none_or(|at| at == port) && ours.is(host))
    }

    /// True for the name of one of our domains.
    pub(crate) fn has_domain(&self, host: &Host<'_>) -> bool {
        self.domains.iter().any(|domain| domain.is(host))
    }

    /// True when a Via is one that we wrote: its sent-by is what one of our listeners advertises.
    pub(crate) fn wrote(&self, via: &Via<'_>) -> bool {
        let transport = Transport::of(via.transport.0);
        let port = via.port.or(transport.map(Transport::default_port));
        self.advertised.iter().any(|(ours, at)| Some(*at) == port && ours.is(&via.host))
    }
}

#[cfg(test)]
mod tests {
    use protocol::Listener;
    use sip::Uri;

    use super::*;

    fn listener(number: u16, transport: Transport, bound: &str) -> Listener {
        Listener::new(number, transport, bound.parse().unwrap())
    }

    fn ours(domains: &[&str], listeners: Vec<Listener>) -> Ours {
        let mut settings = Settings::of("example.test", listeners);
        settings.domains.extend(domains.iter().map(|domain| (*domain).into()));
        settings.aliases = vec!["outside.example:6000".into(), "old.example".into()];
        Ours::new(&settings)
    }

    fn is(ours: &Ours, uri: &str) -> bool {
        let Ok(Uri::Sip(uri)) = Uri::parse(uri.as_bytes()) else { panic!("{uri}") };
        ours.has(&uri)
    }

    #[test]
    fn a_phone_on_our_own_machine_is_not_us() {
        let listeners = vec![
            listener(0, Transport::Udp, "127.0.0.1:5060"),
            listener(1, Transport::Udp, "192.0.2.1:5070"),
        ];
        let ours = ours(&["127.0.0.1"], listeners);
        for uri in [
            "sip:a@127.0.0.1",
            "sip:a@127.0.0.1:5060",
            "sip:192.0.2.1:5070",
            "sip:a@[::ffff:127.0.0.1]",
        ] {
            assert!(is(&ours, uri), "{uri}");
        }
        for uri in
            ["sip:a@127.0.0.1:5070", "sip:a@127.0.0.1:5090", "sip:192.0.2.1", "sip:127.0.0.2"]
        {
            assert!(!is(&ours, uri), "{uri}");
        }
    }

    #[test]
    fn a_name_of_ours_is_us_in_any_case_and_at_the_usual_ports() {
        let ours = ours(&[], vec![listener(0, Transport::Udp, "192.0.2.1:5070")]);
        for uri in [
            "sip:a@EXAMPLE.test.",
            "sip:example.test:5060",
            "sips:example.test:5061",
            "sip:example.test:5070",
            "sip:x:5070;maddr=192.0.2.1",
            "sip:old.example:1",
            "sip:example.test;transport=ws",
            "sip:example.test:443;transport=ws",
            "sips:example.test;transport=ws",
            "sip:outside.example:6000",
        ] {
            assert!(is(&ours, uri), "{uri}");
        }
        for uri in
            ["sip:example.test:5099", "sip:test", "sip:outside.example", "sip:a@example.test.evil"]
        {
            assert!(!is(&ours, uri), "{uri}");
        }
    }

    #[test]
    fn who_listens_everywhere_is_found_at_each_of_its_domains_numbers() {
        let ours = ours(&["192.0.2.7"], vec![listener(0, Transport::Udp, "0.0.0.0:5062")]);
        assert!(is(&ours, "sip:192.0.2.7:5062") && is(&ours, "sip:192.0.2.7"));
        assert!(!is(&ours, "sip:192.0.2.8:5062") && !is(&ours, "sip:192.0.2.7:5060"));
    }
}
