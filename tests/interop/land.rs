//! `Land`: a network that a test makes for itself. Its hosts are network namespaces: nothing reaches the machine's own network, and all of
//! it is gone with the test. The ports of its hosts are the test's own, so they may be the usual ones.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where a program runs: on a host of a land, or on this machine's loopback.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    space: Option<String>,
    /// The address that its programs use.
    pub(crate) ip: IpAddr,
}

impl Host {
    /// This machine's loopback.
    pub(crate) const HERE: Self = Self { space: None, ip: IpAddr::V4(Ipv4Addr::LOCALHOST) };

    /// The same command, on this host.
    pub(crate) fn run(&self, command: &Command) -> Command {
        let Some(space) = &self.space else { return again(command, Vec::new()) };
        again(command, vec!["ip", "netns", "exec", space])
    }

    /// Runs a command like `ip` or `nft` on this host, to its end.
    pub(crate) fn set(&self, line: &str) {
        must(&mut self.run(&words(line)));
    }

    /// Nothing passes between it and another from now on, either way.
    pub(crate) fn cut(&self, other: &Self) {
        self.set("nft add table ip cut");
        for (chain, whose) in [("input", "saddr"), ("output", "daddr")] {
            self.set(&format!(
                "nft add chain ip cut {chain} {{ type filter hook {chain} priority 0 ; }}"
            ));
            self.set(&format!("nft add rule ip cut {chain} ip {whose} {} drop", other.ip));
        }
    }

    /// All that was cut at it passes again.
    pub(crate) fn heal(&self) {
        self.set("nft delete table ip cut");
    }

    /// Whether somebody waits on a port of it, for datagrams (`-u`) or connections (`-t`).
    pub(crate) fn listens(&self, what: &str, port: u16) -> bool {
        let output = self.run(&words(&format!("ss -Hln {what} sport = :{port}"))).output();
        output.is_ok_and(|output| !output.stdout.is_empty())
    }

    /// Its address with a port.
    pub(crate) const fn at(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.ip, port)
    }

    /// The same host by another of its addresses.
    pub(crate) fn by(&self, ip: &str) -> Self {
        Self { ip: ip.parse().unwrap(), ..self.clone() }
    }

    /// Its programs ask this name server.
    pub(crate) fn ask_names_at(&self, server: IpAddr) {
        let folder = etc(self.space());
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("resolv.conf"), format!("nameserver {server}\n")).unwrap();
    }

    pub(crate) fn space(&self) -> &str {
        self.space.as_deref().expect("a host of a land")
    }
}

/// A network of a test's own: hosts at one switch, and others.
pub(crate) struct Land {
    name: String,
    spaces: Vec<String>,
}

impl Land {
    /// An empty one; `None`, with words, where namespaces may not be made.
    pub(crate) fn new(name: &str) -> Option<Self> {
        sweep();
        let name = format!("{PREFIX}{}-{name}", std::process::id());
        let mut land = Self { name, spaces: Vec::new() };
        if !land.try_space("switch") {
            let missing = "network namespaces cannot be made (they need root, and iproute2)";
            assert!(std::env::var_os("OFFHOOK_REQUIRE_PEERS").is_none(), "{missing}");
            println!("skipped: {missing}");
            return None;
        }
        land.ip(&format!("-n {} link add name {SWITCH} up type bridge", land.switch()));
        Some(land)
    }

    /// A host at the switch with these addresses (`10.0.0.1/24`); its programs use the first.
    pub(crate) fn host(&mut self, name: &str, addresses: &[&str]) -> Host {
        let mut host = self.apart(name);
        host.ip = ip_of(addresses[0]);
        self.plug(&host, "eth0", addresses);
        host
    }

    /// A host that no cable leads to.
    pub(crate) fn apart(&mut self, name: &str) -> Host {
        assert!(self.try_space(name), "{name}: a second one, or no namespace");
        let host = Host { space: self.spaces.last().cloned(), ..Host::HERE };
        host.set("ip link set lo up");
        host
    }

    /// Nothing passes any more between a host and the switch, and neither is told.
    pub(crate) fn cut(&self, host: &Host) {
        let (socket, switch) = (self.socket(host, "eth0"), self.switch());
        self.ip(&format!("-n {switch} link set {socket} nomaster"));
    }

    /// It passes again.
    pub(crate) fn heal(&self, host: &Host) {
        let (socket, switch) = (self.socket(host, "eth0"), self.switch());
        self.ip(&format!("-n {switch} link set {socket} master {SWITCH}"));
    }

    /// A cable from a host to the switch.
    pub(crate) fn plug(&mut self, host: &Host, port: &str, addresses: &[&str]) {
        let (other, switch) = (self.socket(host, port), self.switch().to_owned());
        let space = host.space();
        self.ip(&format!("link add {port} netns {space} type veth peer {other} netns {switch}"));
        self.ip(&format!("-n {switch} link set {other} master {SWITCH} up"));
        give(host, port, addresses);
    }

    /// The name of the end at the switch: a port's name may have 15 letters; a host's number is short, and no other host has it.
    fn socket(&self, host: &Host, port: &str) -> String {
        let number = self.spaces.iter().position(|space| space == host.space()).unwrap();
        format!("{port}-{number}")
    }

    /// A cable between two hosts, past the switch.
    pub(crate) fn cable(&self, one: &End<'_>, other: &End<'_>) {
        let (a, b) = (one.host.space(), other.host.space());
        let (port, peer) = (one.port, other.port);
        self.ip(&format!("link add {port} netns {a} type veth peer {peer} netns {b}"));
        give(one.host, one.port, &[one.address]);
        give(other.host, other.port, &[other.address]);
    }

    fn try_space(&mut self, name: &str) -> bool {
        let space = format!("{}-{name}", self.name);
        let made = Command::new("ip").args(["netns", "add", &space]).output();
        let made = made.is_ok_and(|output| output.status.success());
        if made {
            self.spaces.push(space);
        }
        made
    }

    fn switch(&self) -> &str {
        &self.spaces[0]
    }

    fn ip(&self, line: &str) {
        must(&mut words(&format!("ip {line}")));
    }
}

impl Drop for Land {
    fn drop(&mut self) {
        self.spaces.iter().for_each(|space| remove(space));
    }
}

/// One end of a cable.
pub(crate) struct End<'a> {
    pub(crate) host: &'a Host,
    pub(crate) port: &'a str,
    pub(crate) address: &'a str,
}

/// Gives a port its addresses, and switches it on.
pub(crate) fn give(host: &Host, port: &str, addresses: &[&str]) {
    for address in addresses {
        // An IPv6 address is to be used at once, not after a second of asking whether somebody has it.
        let at_once = if address.contains(':') { "nodad" } else { "" };
        host.set(&format!("ip address add {address} dev {port} {at_once}"));
    }
    host.set(&format!("ip link set {port} up"));
}

/// The address of `10.0.0.1/24`.
fn ip_of(address: &str) -> IpAddr {
    address.split('/').next().unwrap().parse().unwrap()
}

fn words(line: &str) -> Command {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().expect("a program"));
    command.args(words);
    command
}

/// Runs a command that cannot fail.
fn must(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

/// The same command after these words.
fn again(command: &Command, before: Vec<&str>) -> Command {
    let words = before.into_iter().map(AsRef::as_ref);
    let mut words = words.chain([command.get_program()]).chain(command.get_args());
    let mut same = Command::new(words.next().expect("a program"));
    same.args(words);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => same.env(name, value),
            None => same.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        same.current_dir(folder);
    }
    same
}

fn remove(space: &str) {
    // It may be gone.
    let _ = Command::new("ip").args(["netns", "delete", space]).output();
    let _ = std::fs::remove_dir_all(etc(space));
}

/// What `ip netns exec` lays over /etc.
fn etc(space: &str) -> PathBuf {
    Path::new("/etc/netns").join(space)
}

/// Removes what test runs left behind that were killed.
fn sweep() {
    for entry in std::fs::read_dir("/run/netns").into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let run = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        let over = |run: &str| !Path::new("/proc").join(run).exists();
        if run.is_some_and(over) {
            remove(&name);
        }
    }
}

const PREFIX: &str = "offhook-";
const SWITCH: &str = "switch";
