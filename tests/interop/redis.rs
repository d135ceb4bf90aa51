//! `Redis`: the store of a cluster, as Debian has it: masters, and replicas that stand by.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::authority::{Authority, Pair};
use crate::land::Host;
use crate::peer::Peer;
use crate::place;

/// A Redis cluster on one host.
pub(crate) struct Redis {
    host: Host,
    /// Three masters, then what replicas there are.
    pub(crate) servers: Vec<(u16, Peer)>,
    /// Where it speaks TLS: by what it proves who it is, and the file of the authority that says so.
    proof: Option<Proof>,
}

type Proof = (Pair, PathBuf);

impl Redis {
    /// Three masters with so many replicas each; `None` when Redis is not installed. With an authority it speaks TLS alone.
    pub(crate) fn start(
        host: &Host,
        folder: &Path,
        replicas: u16,
        authority: Option<&Authority>,
    ) -> Option<Self> {
        if !place::installed("redis-server", "redis-server") {
            return None;
        }
        let proof = authority
            .map(|authority| (authority.certify(&[&host.ip.to_string()]), authority.file()));
        let ports = 7_000..7_000 + 3 * (1 + replicas);
        let servers = ports.map(|port| (port, serve(host, folder, port, proof.as_ref()))).collect();
        let redis = Self { host: host.clone(), servers, proof };
        redis.join(replicas);
        Some(redis)
    }

    /// The URL by which our servers know it: all of them, with a password.
    pub(crate) fn url(&self) -> String {
        let hosts: Vec<_> =
            self.servers.iter().map(|(port, _)| self.host.at(*port).to_string()).collect();
        let scheme = if self.proof.is_some() { "rediss" } else { "redis" };
        format!("{scheme}://:{PASSWORD}@{}", hosts.join(","))
    }

    fn join(&self, replicas: u16) {
        let all = self.servers.iter().map(|(port, _)| self.host.at(*port).to_string());
        let mut words = vec!["--cluster".to_owned(), "create".to_owned()];
        words.extend(all);
        let copies = replicas.to_string();
        words.extend(["--cluster-replicas", &copies, "--cluster-yes"].map(str::to_owned));
        let said = self.cli(self.servers[0].0, &words);
        assert!(said.contains("All 16384 slots covered"), "{said}");
        self.wait_until_whole();
    }

    /// Waits until every server that runs says that the cluster is whole, and every replica has what its master has.
    pub(crate) fn wait_until_whole(&self) {
        let copies = |port: u16| {
            let said = self.cli(port, &["info", "replication"]);
            said.contains("role:master") || said.contains("master_link_status:up")
        };
        let whole = |port: u16| {
            self.cli(port, &["cluster", "info"]).contains("cluster_state:ok") && copies(port)
        };
        let deadline = std::time::Instant::now() + PATIENCE;
        while !self.servers.iter().all(|(port, _)| whole(*port)) {
            assert!(std::time::Instant::now() < deadline, "the cluster is not whole");
            std::thread::yield_now();
        }
    }

    /// What a server says to a command.
    pub(crate) fn cli(&self, port: u16, words: &[impl AsRef<str>]) -> String {
        let mut command = Command::new("redis-cli");
        command.args(["-h", &self.host.ip.to_string(), "-p", &port.to_string()]);
        command.args(["--no-auth-warning", "-a", PASSWORD]);
        if let Some((_, authority)) = &self.proof {
            command.args(["--tls", "--cacert"]).arg(authority);
        }
        command.args(words.iter().map(AsRef::as_ref));
        let output = self.host.run(&command).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&said).into_owned()
    }

    /// Begins to move the slot of a key from its master to another: what is not there yet is asked for elsewhere (ASK). The slot, and both.
    pub(crate) fn begins_to_move(&self, key: &str) -> Move {
        let first = self.servers[0].0;
        let slot = self.cli(first, &["cluster", "keyslot", key]).trim().to_owned();
        let from = self.master_of(key);
        let to = self.servers.iter().map(|(port, _)| *port).find(|port| *port != from).unwrap();
        let id = |port| self.cli(port, &["cluster", "myid"]).trim().to_owned();
        let (from, to) = ((from, id(from)), (to, id(to)));
        self.sets_slot(to.0, &[&slot, "importing", &from.1]);
        self.sets_slot(from.0, &[&slot, "migrating", &to.1]);
        Move { slot, from: from.0, to }
    }

    /// The master of the slot of a key.
    pub(crate) fn master_of(&self, key: &str) -> u16 {
        let has_it = |port: &u16| !self.cli(*port, &["exists", key]).contains("MOVED");
        self.servers.iter().map(|(port, _)| *port).find(has_it).unwrap()
    }

    /// Ends a move: from now on the slot is elsewhere (MOVED).
    pub(crate) fn has_moved(&self, done: &Move) {
        for port in [done.to.0, done.from] {
            self.sets_slot(port, &[&done.slot, "node", &done.to.1]);
        }
    }

    fn sets_slot(&self, port: u16, words: &[&str]) {
        let said = self.cli(port, &[&["cluster", "setslot"], words].concat());
        assert!(said.starts_with("OK"), "{words:?}: {said}");
    }

    /// Whether a server is a master.
    pub(crate) fn is_master(&self, port: u16) -> bool {
        self.cli(port, &["role"]).starts_with("master")
    }

    /// The power of a server fails.
    pub(crate) fn kill(&mut self, port: u16) {
        self.servers.retain(|(other, _)| *other != port);
    }
}

/// A slot on its way from one master to another.
#[derive(Debug)]
pub(crate) struct Move {
    slot: String,
    from: u16,
    to: (u16, String),
}

fn serve(host: &Host, folder: &Path, port: u16, proof: Option<&Proof>) -> Peer {
    let folder = folder.join(port.to_string());
    std::fs::create_dir_all(&folder).unwrap();
    let mut command = Command::new("redis-server");
    let (ip, port) = (host.ip.to_string(), port.to_string());
    command.args(["--bind", &ip, "--cluster-enabled", "yes"]);
    match proof {
        None => drop(command.args(["--port", &port])),
        Some((Pair { certificate, key }, authority)) => {
            command.args(["--port", "0", "--tls-port", &port, "--tls-auth-clients", "no"]);
            command.args(["--tls-cluster", "yes", "--tls-replication", "yes"]);
            command.arg("--tls-cert-file").arg(certificate).arg("--tls-key-file").arg(key);
            command.arg("--tls-ca-cert-file").arg(authority);
        }
    }
    command.args([
        "--cluster-node-timeout",
        "2000",
        "--repl-diskless-sync-delay",
        "0",
        "--save",
        "",
        "--appendonly",
        "no",
    ]);
    command.args(["--requirepass", PASSWORD, "--masterauth", PASSWORD]);
    command.args(["--cluster-require-full-coverage", "no"]).current_dir(folder);
    let mut peer = Peer::start(&format!("redis {port}"), &mut host.run(&command));
    peer.wait_for("Ready to accept connections", PATIENCE);
    peer
}

const PASSWORD: &str = "pw-of-the-store";
const PATIENCE: Duration = Duration::from_secs(60);
