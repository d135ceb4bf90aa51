//! `[listen]`: where the server listens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::address;
use super::advertise::Advertised;
use super::fault::{At, Faults};
use super::key::{Key, Section};
use super::table::Table;
use crate::limits;

/// The addresses of each transport; an empty list is off. Port 0 is any free port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// SIP over UDP.
    pub udp: Vec<SocketAddr>,
    /// SIP over TCP.
    pub tcp: Vec<SocketAddr>,
    /// SIP over TLS.
    pub tls: Vec<SocketAddr>,
    /// SIP over WebSocket (RFC 7118).
    pub ws: Vec<SocketAddr>,
    /// SIP over secure WebSocket (RFC 7118).
    pub wss: Vec<SocketAddr>,
    /// What they say about where they are.
    pub advertised: Advertised,
    /// The HTTP API and the metrics.
    pub console: Option<SocketAddr>,
    /// The same, by a socket in the file system.
    pub console_socket: Option<PathBuf>,
}

impl Default for Listen {
    fn default() -> Self {
        let loopback = || vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 5060))];
        Self {
            udp: loopback(),
            tcp: loopback(),
            tls: Vec::new(),
            ws: Vec::new(),
            wss: Vec::new(),
            advertised: Advertised::default(),
            console: None,
            console_socket: None,
        }
    }
}

impl Listen {
    /// The transports of SIP with their addresses, under the names of their keys.
    pub fn transports(&self) -> [(&'static str, &[SocketAddr]); 5] {
        [
            ("udp", &self.udp),
            ("tcp", &self.tcp),
            ("tls", &self.tls),
            ("ws", &self.ws),
            ("wss", &self.wss),
        ]
    }

    /// UDP and TCP at any free port of an address.
    pub fn on_any_port(ip: IpAddr) -> Self {
        let any = || vec![SocketAddr::new(ip, 0)];
        Self { udp: any(), tcp: any(), ..Self::default() }
    }

    /// Does it listen on an address that other machines reach?
    pub fn reaches_others(&self) -> bool {
        self.transports()
            .iter()
            .any(|(_, addresses)| addresses.iter().any(|address| !address.ip().is_loopback()))
    }

    /// Does it listen for WebSockets?
    pub const fn has_web(&self) -> bool {
        !self.ws.is_empty() || !self.wss.is_empty()
    }

    pub(super) fn read(written: &Table<'_>, faults: &mut Faults) -> Self {
        let mut taken = Taken::default();
        let list = |key: &'static str, port: u16, taken: &mut Taken, faults: &mut Faults| {
            let texts = written.texts(key, faults)?;
            if texts.len() > limits::ADDRESSES {
                let what = format!("`{key}` has {} addresses", texts.len());
                faults.refuse(written.span_of(key), what, format!("at most {}", limits::ADDRESSES));
            }
            Some(
                texts
                    .into_iter()
                    .filter_map(|text| taken.take(key, text, port, faults))
                    .collect::<Vec<_>>(),
            )
        };
        let udp = list("udp", 5060, &mut taken, faults);
        let tcp = list("tcp", 5060, &mut taken, faults);
        // RFC 3261 §18.2.1: where one is listened for, so is the other. A default is spoken for like an address that is written.
        let both = |one: Option<Vec<_>>, other: &Option<Vec<_>>, key, taken: &mut Taken| {
            one.unwrap_or_else(|| {
                let there = other.clone().filter(|there| !there.is_empty());
                let there = there.unwrap_or(Self::default().udp);
                taken.0.extend(there.iter().map(|address| (key, *address)));
                there
            })
        };
        let mut listen = Self {
            advertised: Advertised::default(),
            udp: both(udp.clone(), &tcp, "udp", &mut taken),
            tcp: both(tcp, &udp, "tcp", &mut taken),
            tls: list("tls", 5061, &mut taken, faults).unwrap_or_default(),
            ws: list("ws", 5080, &mut taken, faults).unwrap_or_default(),
            wss: list("wss", 5443, &mut taken, faults).unwrap_or_default(),
            console: written
                .text("console", faults)
                .and_then(|text| taken.take("console", text, 8060, faults)),
            console_socket: written
                .text("console_socket", faults)
                .and_then(|path| read_path(path, faults)),
        };
        let texts = written.texts("advertise", faults).unwrap_or_default();
        let bound: Vec<_> =
            listen.transports().iter().flat_map(|(_, addresses)| addresses.to_vec()).collect();
        listen.advertised = Advertised::read(&texts, &bound, faults);
        let written_empty = ["udp", "tcp"].iter().all(|key| {
            written.value(key).is_some_and(|value| {
                value.get_ref().as_array().is_some_and(|array| array.is_empty())
            })
        });
        if written_empty && !["tls", "ws", "wss"].iter().any(|key| written.has(key)) {
            faults.refuse(
                written.span,
                "the server would listen nowhere",
                "remove udp = [] or tcp = []",
            );
        }
        listen
    }
}

fn read_path(path: At<&str>, faults: &mut Faults) -> Option<PathBuf> {
    // A path in `sockaddr_un` has 108 octets, and we need some for a name beside it (unix(7)).
    let fits = (1..=limits::SOCKET_PATH).contains(&path.value.len()) && !path.value.contains('\0');
    if !fits {
        let what = "`console_socket` is empty, or too long for a socket";
        faults.refuse(path.span, what, format!("a path of at most {} octets", limits::SOCKET_PATH));
    }
    fits.then(|| path.value.into())
}

/// The addresses that are spoken for.
#[derive(Default)]
struct Taken(Vec<(&'static str, SocketAddr)>);

impl Taken {
    fn take(
        &mut self,
        key: &'static str,
        text: At<&str>,
        port: u16,
        faults: &mut Faults,
    ) -> Option<SocketAddr> {
        let address = address::read(text, port, faults)?;
        if let Some((other, theirs)) = self.0.iter().find(|taken| collide(**taken, (key, address)))
        {
            let what = match (*other == key, *theirs == address) {
                (true, true) => format!("`{address}` is listed twice"),
                (false, true) => format!("`{address}` is also the address of `{other}`"),
                _ => format!("`{address}` collides with `{theirs}` of `{other}`"),
            };
            faults.refuse(text.span, what, "a port of an address can be taken only once");
        }
        self.0.push((key, address));
        Some(address)
    }
}

/// Would the system refuse the second one? UDP has its own ports; all others share those of TCP.
fn collide(one: (&str, SocketAddr), other: (&str, SocketAddr)) -> bool {
    let ((key, address), (other_key, other_address)) = (one, other);
    let same_host = address.ip() == other_address.ip()
        || address.is_ipv4() == other_address.is_ipv4()
            && (address.ip().is_unspecified() || other_address.ip().is_unspecified());
    (key == "udp") == (other_key == "udp")
        && address.port() != 0
        && address.port() == other_address.port()
        && same_host
}

pub(super) const SECTION: Section = Section {
    name: "listen",
    repeated: false,
    about: "Where the server listens: lists of addresses with a port, or one of them without brackets. A key that is \
            absent is off, except `udp` and `tcp`; `[]` turns these off too. `0.0.0.0` is every IPv4 address of the \
            machine, `[::]` every IPv6 address; port 0 is any free port.",
    keys: &[
        Key::new(
            "udp",
            r#"["127.0.0.1:5060"]"#,
            "SIP over UDP. The default is loopback: nobody else reaches a server before its owner has said so. With `tcp` \
             alone: the same addresses.",
        ),
        Key::new(
            "tcp",
            r#"["127.0.0.1:5060"]"#,
            "SIP over TCP, which every SIP element must speak (RFC 3261 §18). With `udp` alone: the same addresses.",
        ),
        Key::new("tls", "[]", "SIP over TLS, usually port 5061. Needs `[tls]`."),
        Key::new(
            "ws",
            "[]",
            "SIP over WebSocket (RFC 7118), for browsers behind a proxy that does TLS.",
        ),
        Key::new("wss", "[]", "SIP over secure WebSocket (RFC 7118), for browsers. Needs `[tls]`."),
        Key::optional(
            "advertise",
            "what they are bound to; for `0.0.0.0` and `[::]` the address that this machine uses towards the world",
            "What listeners say about where they are, when others reach them by another address or name: behind a NAT, in a cloud. \
             \"203.0.113.5\" or \"sip.example.test:5060\" for all of them, \"10.0.0.7:5060 as 203.0.113.5\" for those of one address; a list \
             for several.",
        ),
        Key::optional(
            "console",
            "off",
            "HTTP API and metrics (docs/console.md): one address, \"127.0.0.1:8060\" by custom. Whoever can connect there can see who is \
             registered, and end the server: see `[console]`. A server without a config has it on.",
        ),
        Key::optional(
            "console_socket",
            "off",
            "The same by a socket in the file system, whose permissions say who may use it: \"/run/offhook/console.sock\".",
        ),
    ],
};
