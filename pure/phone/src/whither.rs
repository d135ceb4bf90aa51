//! `Whither`: from where a request should go to addresses (RFC 3261 §8.1.2, RFC 3263 §4).

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use machine::Time;
use protocol::locate::{self, Means, Target, Unlocated};
use sip::Uri;
use sip::uri::HostPort;

use crate::account::Account;
use crate::{limits, words};

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hop {
    /// To the account's server.
    Server,
    /// To this proxy, and by no other way: a flow of its own (RFC 5626 §4.2.1).
    Flow(Box<[u8]>),
    /// To the host of a URI: the nearest proxy's, or the target's.
    Uri(Box<[u8]>),
}

/// What is known about a hop.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Go there, one after the other.
    Known(Vec<Target>),
    /// Somebody has to look a name up.
    Ask(locate::Hop),
    /// It leads nowhere, and why.
    Nowhere(String),
}

/// Addresses that were looked up, and what was learned about peers.
#[derive(Debug, Default)]
pub(crate) struct Whither {
    names: BTreeMap<locate::Hop, (Time, Vec<Target>)>,
    datagrams_only: BTreeSet<SocketAddr>,
}

impl Whither {
    pub(crate) fn find(&self, now: Time, hop: &Hop, account: &Account, means: &Means) -> Way {
        let place = match place(hop, account) {
            Ok(place) => place,
            Err(why) => return Way::Nowhere(why),
        };
        match (place.at_once(means), self.names.get(&place)) {
            (Some(Ok(targets)), _) => Way::Known(self.as_server(targets, account, means)),
            (Some(Err(why)), _) => Way::Nowhere(words::unlocated(&place.domain, why)),
            (None, Some((until, targets))) if now < *until => Way::Known(targets.clone()),
            (None, _) => Way::Ask(place),
        }
    }

    /// Remembers what a look-up has found.
    pub(crate) fn learn(&mut self, now: Time, hop: &Hop, account: &Account, targets: &[Target]) {
        let Ok(found) = place(hop, account) else { return };
        let server = place(&Hop::Server, account).ok();
        // Where the server stood is not forgotten: calls last longer than that is believed.
        self.names.retain(|hop, (until, _)| now < *until || Some(hop) == server.as_ref());
        let known = self.names.contains_key(&found) || Some(&found) == server.as_ref();
        if known || self.names.len() < limits::NAMES {
            self.names.insert(found, (now + limits::BELIEVED, targets.to_vec()));
        }
    }

    /// Numbers at which the account's server stands: there it proves to be who it has always proven to be, and not those numbers (RFC 5922
    /// §7.3). Servers write their numbers into Contact, with certificates that have their names alone.
    fn as_server(&self, targets: Vec<Target>, account: &Account, means: &Means) -> Vec<Target> {
        let Ok(server) = place(&Hop::Server, account) else { return targets };
        let at_once = server.at_once(means).and_then(Result::ok);
        let known = at_once.as_deref().or(self.names.get(&server).map(|(_, known)| &**known));
        let at = |target: &Target| known?.iter().find(|known| known.key() == target.key());
        targets.into_iter().map(|target| at(&target).cloned().unwrap_or(target)).collect()
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

/// The next hop that a hop of ours stands for.
pub(crate) fn place(hop: &Hop, account: &Account) -> Result<locate::Hop, String> {
    // A WebSocket client has its one connection, and no other way to anybody (RFC 7118 §B.2).
    let only = account.proxy.as_ref().filter(|_| account.transport.is_web());
    match (hop, only) {
        (Hop::Flow(proxy), _) => of_uri(proxy, account),
        (Hop::Uri(_), Some(proxy)) => of_uri(proxy, account),
        (Hop::Uri(uri), None) if !account.transport.is_web() => of_uri(uri, account),
        (Hop::Server | Hop::Uri(_), _) => {
            let at = match &account.server {
                Some(server) => HostPort::parse(server.host.as_bytes())
                    .map(|at| HostPort { port: server.port, ..at }),
                None => HostPort::parse(account.domain.as_bytes()),
            };
            let at = at.map_err(|error| error.to_string())?;
            let nowhere = |why: Unlocated| words::unlocated(&at.host.to_string(), why);
            let hop = locate::Hop::to(at, account.transport()).map_err(nowhere)?;
            // A number is where the server is; who it must be is the domain (RFC 5922 §7.3).
            let domain = HostPort::parse(account.domain.as_bytes())
                .ok()
                .filter(|_| matches!(hop.place, locate::Place::Number(_)))
                .map(|domain| domain.host.to_string().to_ascii_lowercase().into());
            Ok(locate::Hop { domain: domain.unwrap_or(hop.domain), ..hop })
        }
    }
}

fn of_uri(uri: &[u8], account: &Account) -> Result<locate::Hop, String> {
    let shown = String::from_utf8_lossy(uri);
    let Ok(Uri::Sip(read)) = Uri::parse(uri) else {
        return Err(format!("{shown} does not say where to send anything"));
    };
    let hop = locate::Hop::of_uri(&read).map_err(|why| words::unlocated(&shown, why))?;
    Ok(at_server(hop, account))
}

/// Whoever says where the server of its domain is knows better than the DNS: that name, in a Record-Route too, leads there.
fn at_server(hop: locate::Hop, account: &Account) -> locate::Hop {
    let read = |text: &str| HostPort::parse(text.as_bytes()).ok().map(|at| at.host.to_string());
    let ours = read(&account.domain).is_some_and(|domain| domain.eq_ignore_ascii_case(&hop.domain));
    let named = matches!(hop.place, locate::Place::Name(_));
    let Some(server) = account.server.as_ref().filter(|_| ours && named) else { return hop };
    let there = HostPort::parse(server.host.as_bytes());
    match there.ok().and_then(|at| locate::Hop::to(at, account.transport()).ok()) {
        Some(there) => locate::Hop { place: there.place, port: hop.port.or(server.port), ..hop },
        None => hop,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use protocol::Transport;
    use protocol::locate::Families;

    use super::*;

    const NOW: Time = Time(0);

    fn domain_of(whither: &Whither, account: &Account, uri: &str) -> String {
        let hop = Hop::Uri(uri.as_bytes().into());
        let means = Means { transports: vec![Transport::Tls], families: Families::V4 };
        match whither.find(NOW, &hop, account, &means) {
            Way::Known(targets) => targets[0].domain.to_string(),
            other => panic!("{uri}: {other:?}"),
        }
    }

    fn account() -> Account {
        Account::new("sip:101@example.test").unwrap().by(Transport::Tls)
    }

    #[test]
    fn at_its_number_the_server_is_who_it_always_is() {
        let account = account().server("192.0.2.1:5061").unwrap();
        let named = |uri: &str| domain_of(&Whither::default(), &account, uri);
        assert_eq!(named("sip:192.0.2.1:5061;transport=tls"), "example.test");
        assert_eq!(named("sips:101@192.0.2.1"), "example.test");
        // Another place, another port, another way there: nothing was proven.
        assert_eq!(named("sip:192.0.2.2:5061;transport=tls"), "192.0.2.2");
        assert_eq!(named("sip:192.0.2.1:5071;transport=tls"), "192.0.2.1");
    }

    #[test]
    fn where_its_name_led_is_known_for_as_long_as_calls_last() {
        let (account, mut whither) = (account(), Whither::default());
        let at = |domain: &str, address: &str| Target {
            transport: Transport::Tls,
            address: address.parse().unwrap(),
            domain: domain.into(),
        };
        let uri = "sip:192.0.2.1;transport=tls";
        assert_eq!(domain_of(&whither, &account, uri), "192.0.2.1");
        whither.learn(NOW, &Hop::Server, &account, &[at("example.test", "192.0.2.1:5061")]);
        assert_eq!(domain_of(&whither, &account, uri), "example.test");
        let (later, other) =
            (NOW + Duration::from_secs(36_000), Hop::Uri((*b"sip:other.test").into()));
        whither.learn(later, &other, &account, &[at("other.test", "192.0.2.9:5061")]);
        assert_eq!(domain_of(&whither, &account, uri), "example.test");
    }

    /// Many names, of whoever is called, do not crowd the server's out when it moves.
    #[test]
    fn the_server_is_found_again_however_many_names_are_known() {
        let (account, mut whither) = (account(), Whither::default());
        let at = |domain: &str, address: &str| Target {
            transport: Transport::Tls,
            address: address.parse().unwrap(),
            domain: domain.into(),
        };
        whither.learn(NOW, &Hop::Server, &account, &[at("example.test", "192.0.2.1:5061")]);
        let later = NOW + limits::BELIEVED;
        for number in 0..limits::NAMES {
            let hop = Hop::Uri(format!("sip:other{number}.test").into_bytes().into());
            whither.learn(later, &hop, &account, &[at("other.test", "192.0.2.9:5061")]);
        }
        let new = [at("example.test", "192.0.2.2:5061")];
        whither.learn(later, &Hop::Server, &account, &new);
        let means = Means { transports: vec![Transport::Tls], families: Families::V4 };
        let found = whither.find(later, &Hop::Server, &account, &means);
        assert_eq!(found, Way::Known(new.to_vec()));
    }
}
