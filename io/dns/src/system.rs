//! What the system says: its name servers and its own table of hosts (resolv.conf(5), hosts(5), RFC 6761 §6.3, §6.4).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use protocol::locate::{Data, Domain, Found, Kind, Lookup, Record};

use crate::limits;

/// Names that are known without the DNS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts {
    table: BTreeMap<Domain, Vec<IpAddr>>,
}

impl Hosts {
    /// Reads a hosts file: an address, then its names; `#` begins a remark. Lines that cannot be read are passed over.
    pub fn read(text: &str) -> Self {
        let mut hosts = Self::default();
        for line in text.lines() {
            let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
            let Some(ip) = words.next().and_then(|word| word.parse().ok()) else { continue };
            for name in words.filter_map(Domain::of) {
                let known = hosts.table.entry(name).or_default();
                if known.len() < protocol::limits::ADDRESSES {
                    known.push(ip);
                }
            }
        }
        hosts
    }

    /// The answer, when it is known without the DNS. A name in the table is that host, and has no other services;
    /// `localhost` is this one, and `invalid` is nobody.
    pub fn find(&self, lookup: &Lookup) -> Option<Found> {
        let name = lookup.name.as_str();
        // What stands below: `_sip._udp.localhost`.
        let host = name.trim_start_matches("_sips.").trim_start_matches("_sip.");
        let host = ["_udp.", "_tcp.", "_ws."]
            .iter()
            .find_map(|way| host.strip_prefix(way))
            .unwrap_or(host);
        let is = |top: &str| {
            host == top || host.strip_suffix(top).is_some_and(|rest| rest.ends_with('.'))
        };
        if is("invalid") {
            return Some(Found::Nothing);
        }
        let known = Domain::of(host).and_then(|host| self.table.get(&host).cloned());
        let addresses = match known {
            Some(addresses) => addresses,
            None if is("localhost") => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            None => return None,
        };
        let records = addresses.into_iter().filter_map(|ip| match (ip, lookup.kind) {
            (IpAddr::V4(ip), Kind::A) => Some(Data::A(ip)),
            (IpAddr::V6(ip), Kind::Aaaa) => Some(Data::Aaaa(ip)),
            _ => None,
        });
        let records: Vec<Record> =
            records.map(|data| Record { owner: lookup.name.clone(), data }).collect();
        Some(if records.is_empty() { Found::Nothing } else { Found::Records(records) })
    }
}

/// Reads the servers out of a resolv.conf. Without any, the one on this machine.
pub fn servers(text: &str) -> Vec<SocketAddr> {
    let mut servers: Vec<SocketAddr> = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        if words.next() != Some("nameserver") {
            continue;
        }
        let server = words.next().and_then(|word| word.parse::<IpAddr>().ok());
        if let Some(ip) = server
            && servers.len() < limits::SERVERS
        {
            servers.push(SocketAddr::new(ip, 53));
        }
    }
    if servers.is_empty() {
        servers.push(SocketAddr::from((Ipv4Addr::LOCALHOST, 53)));
    }
    servers
}

/// A file that is read again when it has changed.
#[derive(Debug)]
pub(crate) struct Watched {
    path: PathBuf,
    seen: Option<SystemTime>,
}

impl Watched {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self { path, seen: None }
    }

    /// Its text, when it is new. A file that is gone stays as it was.
    pub(crate) fn news(&mut self) -> Option<String> {
        let changed = self.path.metadata().and_then(|data| data.modified()).ok()?;
        if self.seen == Some(changed) {
            return None;
        }
        self.seen = Some(changed);
        text_of(&self.path)
    }
}

fn text_of(path: &Path) -> Option<String> {
    let mut octets = Vec::new();
    File::open(path).ok()?.take(limits::FILE).read_to_end(&mut octets).ok()?;
    Some(String::from_utf8_lossy(&octets).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(hosts: &Hosts, name: &str, kind: Kind) -> Option<usize> {
        let name = Domain::of(name).unwrap();
        match hosts.find(&Lookup { name, kind })? {
            Found::Records(records) => Some(records.len()),
            Found::Nothing | Found::Failed => Some(0),
        }
    }

    #[test]
    fn a_hosts_file_names_hosts() {
        let hosts = Hosts::read(
            "# ours\n192.0.2.1\tPBX.example pbx # the office\n2001:db8::1 pbx\n\nnonsense x\n192.0.2.2 # nobody\n",
        );
        assert_eq!(found(&hosts, "pbx", Kind::A), Some(1));
        assert_eq!(found(&hosts, "pbx", Kind::Aaaa), Some(1));
        assert_eq!(found(&hosts, "pbx.example", Kind::Aaaa), Some(0));
        // It is that host, so nobody is asked for its services.
        assert_eq!(found(&hosts, "pbx.example", Kind::Naptr), Some(0));
        assert_eq!(found(&hosts, "_sip._udp.pbx.example", Kind::Srv), Some(0));
        assert_eq!(found(&hosts, "_sips._tcp.pbx", Kind::Srv), Some(0));
        assert_eq!(found(&hosts, "other.example", Kind::A), None);
        assert_eq!(found(&hosts, "x", Kind::A), None);
        let many: String = (0..100).map(|last| format!("192.0.2.{last} many\n")).collect();
        let some = protocol::limits::ADDRESSES;
        assert_eq!(found(&Hosts::read(&many), "many", Kind::A), Some(some));
    }

    #[test]
    fn localhost_and_invalid_never_leave_this_machine() {
        let hosts = Hosts::default();
        assert_eq!(found(&hosts, "localhost", Kind::A), Some(1));
        assert_eq!(found(&hosts, "a.localhost", Kind::Aaaa), Some(1));
        assert_eq!(found(&hosts, "_sip._udp.localhost", Kind::Srv), Some(0));
        assert_eq!(found(&hosts, "df7jal23ls0d.invalid", Kind::A), Some(0));
        assert_eq!(found(&hosts, "notlocalhost", Kind::A), None);
        let moved = Hosts::read("192.0.2.1 localhost");
        assert_eq!(found(&moved, "localhost", Kind::Aaaa), Some(0));
    }

    #[test]
    fn servers_are_read_in_their_order() {
        let text = "domain a\nnameserver 192.0.2.53\n# nameserver 192.0.2.54\nnameserver 2001:db8::53 x\nnameserver fe80::1%eth0\noptions ndots:1\n";
        let read: Vec<String> = servers(text).iter().map(ToString::to_string).collect();
        assert_eq!(read, ["192.0.2.53:53", "[2001:db8::53]:53"]);
        assert_eq!(servers(""), [SocketAddr::from(([127, 0, 0, 1], 53))]);
        assert_eq!(servers(&"nameserver 192.0.2.1\n".repeat(100)).len(), limits::SERVERS);
    }

    #[test]
    fn a_file_is_news_once() {
        let path = std::env::temp_dir().join(format!("offhook-hosts-{}", std::process::id()));
        std::fs::write(&path, "192.0.2.1 a").unwrap();
        let mut watched = Watched::new(path.clone());
        assert_eq!(watched.news().as_deref(), Some("192.0.2.1 a"));
        assert_eq!(watched.news(), None);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(watched.news(), None);
    }
}
