//! Two servers that serve the same users, with a Redis cluster between them.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use crate::account::Account;
use crate::baresip::PATIENCE;
use crate::land::{Host, Land};
use crate::offhook::Offhook;
use crate::peer::Peer;
use crate::phone::Phone;
use crate::place;
use crate::redis::Redis;

/// Two nodes, a store, and a host for phones.
struct Town {
    nodes: [Host; 2],
    phones: Host,
    folder: PathBuf,
    redis: Redis,
    _land: Land,
}

impl Town {
    fn open(name: &str, replicas: u16) -> Option<Self> {
        let mut land = Land::new(name)?;
        let nodes = [land.host("a", &["10.46.0.1/24"]), land.host("b", &["10.46.0.2/24"])];
        let store = land.host("store", &["10.46.0.100/24"]);
        let phones = land.host("phones", &["10.46.0.11/24"]);
        let folder = place::folder(name);
        let redis = Redis::start(&store, &folder, replicas)?;
        Some(Self { nodes, phones, folder, redis, _land: land })
    }

    /// The node with this number, from the start.
    fn serve(&self, node: usize) -> Offhook {
        let host = &self.nodes[node];
        let folder = self.folder.join(node.to_string());
        std::fs::create_dir_all(&folder).unwrap();
        let secret = self.folder.join("secret");
        std::fs::write(&secret, "00112233445566778899aabbccddeeff\n").unwrap();
        std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o600)).unwrap();
        let lines = format!(
            "domains = [\"example.test\"]\n\
             listen = {{ udp = \"{at}\", tcp = \"{at}\", ws = \"{web}\" }}\n\
             store = {{ url = \"{url}\" }}\n\
             cluster = {{ listen = \"{between}\", secret_file = \"{secret}\" }}\n",
            at = host.at(5060),
            web = host.at(5080),
            url = self.redis.url(),
            between = host.at(5070),
            secret = secret.display(),
        );
        let numbers: Vec<_> = (101..110).map(|number| number.to_string()).collect();
        let numbers: Vec<_> = numbers.iter().map(String::as_str).collect();
        Offhook::serve_on(host, &folder, &numbers, &lines)
    }

    fn account(&self, number: &str, node: usize, transport: &'static str) -> Account {
        let port = if transport == "ws" { 5080 } else { 5060 };
        Account::new(number, self.nodes[node].at(port))
            .of("example.test")
            .by(transport)
            .on(&self.phones)
    }

    fn answering(&self, number: &str, node: usize, transport: &'static str) -> Phone {
        let account = self.account(number, node, transport);
        let mut phone = Phone::start(&self.folder, &account, &["answer"]);
        phone.peer.wait_for("\"registered\"", PATIENCE);
        phone
    }

    /// The same, for a phone that is told to come back later: it does.
    fn coming_back(&self, number: &str, node: usize, transport: &'static str) -> Phone {
        let account = self.account(number, node, transport);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut phone = Phone::start(&self.folder, &account, &["answer"]);
            if phone.peer.seek("\"registered\"", PATIENCE).is_ok() {
                return phone;
            }
            assert!(Instant::now() < deadline, "{}", phone.peer.said());
        }
    }

    fn calls(&self, (number, node): (&str, usize), whom: &str) {
        let account = self.account(number, node, "udp");
        let deed = ["call", whom, "--hangup-after", "1s"];
        Phone::start(&self.folder, &account, &deed).ends_well();
    }
}

/// Whoever is registered at one node is called by whoever uses the other.
fn a_phone_at_the_other_node_is_called(transport: &'static str) {
    let Some(town) = Town::open(&format!("cluster-{transport}"), 0) else { return };
    let (a, b) = (town.serve(0), town.serve(1));
    let mut bob = town.answering("102", 1, transport);
    town.calls(("101", 0), "102");
    bob.peer.wait_for("hung up by the other side", PATIENCE);
    drop(bob);
    a.stop();
    b.stop();
}

#[test]
fn a_phone_on_udp_at_the_other_node_is_called() {
    a_phone_at_the_other_node_is_called("udp");
}
/// A master of the store and a node die, one after the other, while calls go on: those who use the other node notice neither.
#[test]
fn a_master_and_a_node_die_and_calls_go_on() {
    let Some(mut town) = Town::open("cluster-deaths", 1) else { return };
    let (a, b) = (town.serve(0), town.serve(1));
    let mut bob = town.answering("102", 1, "udp");
    let mut carol = town.answering("103", 0, "udp");
    town.calls(("101", 1), "102");
    bob.peer.wait_for("hung up by the other side", PATIENCE);
    drop(bob);
    let master = town.redis.servers.iter().map(|(port, _)| *port);
    let master = master.into_iter().find(|port| town.redis.is_master(*port)).unwrap();
    town.redis.kill(master);
    // At once: what the dead master had is not known to its replica's clients yet.
    for _ in 0..3 {
        town.calls(("101", 1), "103");
        carol.peer.wait_for("hung up by the other side", PATIENCE);
        drop(carol);
        carol = town.coming_back("103", 0, "udp");
    }
    a.die();
    drop(carol);
    // Who was registered there comes to the other one.
    let mut carol = town.answering("103", 1, "udp");
    town.calls(("101", 1), "103");
    carol.peer.wait_for("hung up by the other side", PATIENCE);
    b.die();
}

#[test]
fn a_phone_on_tcp_at_the_other_node_is_called_through_it() {
    a_phone_at_the_other_node_is_called("tcp");
}

#[test]
fn a_phone_on_websocket_at_the_other_node_is_called_through_it() {
    a_phone_at_the_other_node_is_called("ws");
}

/// A nonce is good at both nodes; what was said with it is good once, wherever it is said again.
#[test]
fn what_was_said_at_one_node_cannot_be_said_again_at_the_other() {
    if !place::installed("python3", "python3-minimal") {
        return;
    }
    let Some(town) = Town::open("cluster-replay", 0) else { return };
    let (a, b) = (town.serve(0), town.serve(1));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/interop/replay.py");
    let mut command = Command::new("python3");
    command.arg(script).arg(town.phones.ip.to_string());
    command.args(town.nodes.iter().map(|node| node.ip.to_string()));
    let mut phone = Peer::start("replay.py", &mut town.phones.run(&command));
    assert!(phone.end(PATIENCE).success());
    let said = phone.said();
    let expected = ["200", "401 stale", "401 stale", "200", "401 stale", "200"];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
    a.stop();
    b.stop();
}
