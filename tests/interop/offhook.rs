//! `Offhook`: our own program, as its users start it.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::account::Account;
use crate::authority::Authority;
use crate::land::Host;
use crate::peer::Peer;

/// `offhook serve`, running.
pub(crate) struct Offhook {
    pub(crate) peer: Peer,
    /// Where it listens for datagrams.
    pub(crate) udp: SocketAddr,
    /// Where it listens for connections.
    pub(crate) tcp: SocketAddr,
    /// Where it listens for others, under the names of their keys.
    others: Vec<(String, SocketAddr)>,
}

/// The program with these arguments: the one that was built with the tests, or that which `OFFHOOK` names, to measure a release.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let built = || env!("CARGO_BIN_EXE_offhook").into();
    let mut command = Command::new(std::env::var_os("OFFHOOK").unwrap_or_else(built));
    command.args(arguments);
    command
}

/// The lines of a config that has a server listen where servers do.
pub(crate) fn listen_at(host: &Host) -> String {
    let at = host.at(5060);
    format!("listen = {{ udp = \"{at}\", tcp = \"{at}\" }}\n")
}

/// The same, with TLS: the server proves to be the domain.
pub(crate) fn listen_secured(host: &Host, domain: &str, authority: &Authority) -> String {
    let (at, tls) = (host.at(5060), host.at(5061));
    let proof = authority.line(&authority.certify(&[domain]));
    format!("listen = {{ udp = \"{at}\", tcp = \"{at}\", tls = \"{tls}\" }}\n{proof}")
}

impl Offhook {
    /// Serves on loopback with free ports, one account for each number with the password `pw-NUMBER`, and these lines more of config.
    pub(crate) fn serve(folder: &Path, numbers: &[&str], more: &str) -> Self {
        let lines = "listen = { udp = \"127.0.0.1:0\", tcp = \"127.0.0.1:0\" }\n\
                     store = { durability = \"memory\" }";
        Self::serve_on(&Host::HERE, folder, numbers, &format!("{lines}\n{more}"))
    }

    /// Serves on loopback with 101 and 102, by TLS too; their accounts for a transport. By TLS it proves this name or number: some phones
    /// look nothing up, others compare certificates with names alone.
    pub(crate) fn office(
        folder: &Path,
        transport: &'static str,
        name: &'static str,
    ) -> (Self, impl Fn(&str) -> Account) {
        let (any, authority) = ("127.0.0.1:0", Authority::new());
        let proof = authority.line(&authority.certify(&[name]));
        let is_number = name.parse::<IpAddr>().is_ok();
        // Without TLS phones know the server by its number.
        let domains = if is_number { vec![name] } else { vec![name, "127.0.0.1"] };
        let lines = format!(
            "domains = {domains:?}\nlisten = {{ udp = \"{any}\", tcp = \"{any}\", tls = \"{any}\" }}\n\
             store = {{ durability = \"memory\" }}\n{proof}"
        );
        let mut server = Self::serve_on(&Host::HERE, folder, &["101", "102"], &lines);
        let (udp, tcp, tls) = (server.udp, server.tcp, server.other("tls"));
        let named = move |at: SocketAddr| if is_number { at.to_string() } else { name.into() };
        let account = move |number: &str| match transport {
            "tls" => Account::new(number, tls).of(&named(tls)).trusting(&authority),
            "tcp" => Account::new(number, tcp).by(transport),
            _ => Account::new(number, udp),
        };
        (server, account)
    }

    /// Serves on a host: the lines say where it listens, for UDP and TCP at least.
    pub(crate) fn serve_on(host: &Host, folder: &Path, numbers: &[&str], lines: &str) -> Self {
        Self::serve_in(host, folder, (numbers, lines), &[])
    }

    /// The same, with these in its environment.
    pub(crate) fn serve_in(
        host: &Host,
        folder: &Path,
        (numbers, lines): (&[&str], &str),
        environment: &[(&str, &str)],
    ) -> Self {
        write(folder, numbers, lines);
        Self::start_in(host, folder, environment)
    }

    /// Goes on by another config.
    pub(crate) fn reload(&mut self, folder: &Path, numbers: &[&str], lines: &str) {
        write(folder, numbers, lines);
        let id = self.peer.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
        let line = self.peer.wait_for("reloaded\"", START);
        assert!(line.contains("\"reloaded\""), "{}", self.peer.said());
    }

    /// Serves with the config, and with what else lies in the folder since an earlier run.
    pub(crate) fn start(host: &Host, folder: &Path) -> Self {
        Self::start_in(host, folder, &[])
    }

    /// The same, with these in its environment.
    fn start_in(host: &Host, folder: &Path, environment: &[(&str, &str)]) -> Self {
        let mut program = command(&["--log", "json", "serve", "--config", CONFIG]);
        program.envs(environment.iter().copied());
        let mut peer = Peer::start("offhook serve", &mut host.run(program.current_dir(folder)));
        let (mut udp, mut tcp, mut others) = (None, None, Vec::new());
        while udp.is_none() || tcp.is_none() {
            let line = peer.wait_for("\"listening\"", START);
            let event: serde_json::Value = serde_json::from_str(&line).unwrap();
            let address: Option<SocketAddr> =
                event["address"].as_str().and_then(|address| address.parse().ok());
            match event["transport"].as_str() {
                Some("udp") => udp = udp.or(address),
                Some("tcp") => tcp = tcp.or(address),
                other => others.extend(other.map(Into::into).zip(address)),
            }
        }
        Self { peer, udp: udp.unwrap(), tcp: tcp.unwrap(), others }
    }

    /// Where it listens for `tls`, `ws` or `wss`, when the config says so: that is said last.
    pub(crate) fn other(&mut self, transport: &str) -> SocketAddr {
        loop {
            if let Some((_, address)) = self.others.iter().find(|(key, _)| key == transport) {
                return *address;
            }
            let line = self.peer.wait_for("\"listening\"", START);
            let event: serde_json::Value = serde_json::from_str(&line).unwrap();
            let address = event["address"].as_str().and_then(|address| address.parse().ok());
            self.others.extend(event["transport"].as_str().map(Into::into).zip(address));
        }
    }

    /// The power fails: it ends without a word.
    pub(crate) fn die(self) {
        drop(self.peer);
    }

    /// Ends the server as an operator would: it has served to the end, and nothing is broken.
    pub(crate) fn stop(self) {
        self.peer.terminate();
        self.goes();
    }

    /// Waits for the end of one that was told to stop.
    pub(crate) fn goes(mut self) {
        let ended = self.peer.end(STOP);
        assert!(ended.success(), "{ended}\n{}", self.peer.said());
        assert!(!self.peer.said().contains("\"level\":\"error\""), "{}", self.peer.said());
    }
}

/// Writes a config of these lines, with an account for each number.
fn write(folder: &Path, numbers: &[&str], lines: &str) {
    let account =
        |number| format!("[[extension]]\nnumber = \"{number}\"\npassword = \"pw-{number}\"\n");
    let accounts: String = numbers.iter().map(account).collect();
    std::fs::write(folder.join(CONFIG), format!("{lines}\n{accounts}")).unwrap();
}

const CONFIG: &str = "offhook.toml";
/// Transactions that have just ended still wait for repeats, up to 32 seconds (timers H and J).
const STOP: Duration = Duration::from_secs(60);
/// A debug build on a busy machine needs its time.
const START: Duration = Duration::from_secs(20);
