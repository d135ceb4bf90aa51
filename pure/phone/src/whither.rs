//! `Whither`: from where a request should go to addresses (RFC 3261 §8.1.2, RFC 3263 §4).

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use machine::Time;
use protocol::Transport;
use sip::Uri;
use sip::uri::{Host, HostPort};

use crate::account::Account;
use crate::limits;

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hop {
    /// To the account's server.
    Server,
    /// To the host of a URI: the nearest proxy's, or the target's.
    Uri(Box<[u8]>),
}

/// What is known about a hop.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Go there, one after the other.
    Known(Vec<(Transport, SocketAddr)>),
    /// Somebody has to look a name up.
    Ask { host: Box<str>, port: u16, transport: Transport },
    /// It leads nowhere, and why.
    Nowhere(String),
}

/// A name to be looked up.
type Place = (Box<str>, u16, Transport);

/// Addresses that were looked up, and what was learned about peers.
#[derive(Debug, Default)]
pub(crate) struct Whither {
    names: BTreeMap<Place, (Time, Vec<(Transport, SocketAddr)>)>,
    datagrams_only: BTreeSet<SocketAddr>,
}

impl Whither {
    pub(crate) fn find(&self, now: Time, hop: &Hop, account: &Account) -> Way {
        let (host, port, transport) = match place(hop, account) {
            Ok(place) => place,
            Err(why) => return Way::Nowhere(why),
        };
        if let Ok(Host::Ip(ip)) = Host::parse(host.as_bytes()) {
            return Way::Known(vec![(transport, SocketAddr::new(ip, port))]);
        }
        let place = (host, port, transport);
        match self.names.get(&place) {
            Some((until, targets)) if now < *until => Way::Known(targets.clone()),
            _ => Way::Ask { host: place.0, port, transport },
        }
    }

    /// Remembers what a look-up has found.
    pub(crate) fn learn(
        &mut self,
        now: Time,
        hop: &Hop,
        account: &Account,
        targets: &[(Transport, SocketAddr)],
    ) {
        let Ok(place) = place(hop, account) else { return };
        self.names.retain(|_, (until, _)| now < *until);
        if self.names.len() < limits::NAMES {
            self.names.insert(place, (now + limits::BELIEVED, targets.to_vec()));
        }
    }

    /// Nobody takes connections there.
    pub(crate) fn no_stream(&mut self, peer: SocketAddr) {
        if self.datagrams_only.len() >= limits::NAMES {
            self.datagrams_only.clear();
        }
        self.datagrams_only.insert(peer);
    }

    /// True where a large request has to go by UDP.
    pub(crate) fn is_datagrams_only(&self, peer: SocketAddr) -> bool {
        self.datagrams_only.contains(&peer)
    }
}

/// The host, port and transport that a hop stands for.
pub(crate) fn place(hop: &Hop, account: &Account) -> Result<Place, String> {
    match hop {
        Hop::Server => {
            let transport = account.transport;
            if let Some(server) = &account.server {
                let port = server.port.unwrap_or(transport.default_port());
                return Ok((server.host.clone(), port, transport));
            }
            let home = HostPort::parse(account.domain.as_bytes());
            let HostPort { host, port } = home.map_err(|error| error.to_string())?;
            Ok((host.to_string().into(), port.unwrap_or(transport.default_port()), transport))
        }
        Hop::Uri(uri) => of_uri(uri),
    }
}

fn of_uri(uri: &[u8]) -> Result<Place, String> {
    let shown = String::from_utf8_lossy(uri);
    let Ok(Uri::Sip(read)) = Uri::parse(uri) else {
        return Err(format!("{shown} does not say where to send anything"));
    };
    let token = read.transport().unwrap_or(if read.secure { "TLS" } else { "UDP" });
    let transport = Transport::of(token).ok_or_else(|| format!("{shown}: no such transport"))?;
    // RFC 3261 §8.1.2: a SIPS URI must not be sent in the clear.
    if read.secure && !transport.is_secure() {
        return Err(format!("{shown} must go by TLS"));
    }
    let maddr = read.params.text("maddr").map(str::to_owned);
    let host = maddr.unwrap_or_else(|| read.host.to_string());
    Ok((host.into(), read.port.unwrap_or(transport.default_port()), transport))
}
