//! `Town`: two nodes of a cluster, the Redis cluster that they share, and a host for phones; and who reaches whom in it.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::account::Account;
use crate::authority::{Authority, Pair};
use crate::baresip::PATIENCE;
use crate::land::{Host, Land};
use crate::offhook::{Offhook, listen_secured};
use crate::peer::Peer;
use crate::phone::Phone;
use crate::place;
use crate::redis::Redis;

/// Two nodes, a store, and a host for phones.
pub(crate) struct Town {
    pub(crate) nodes: [Host; 2],
    pub(crate) store: Host,
    pub(crate) phones: Host,
    pub(crate) folder: PathBuf,
    pub(crate) numbers: Vec<String>,
    pub(crate) redis: Redis,
    /// The file of the authority of the store, if it speaks TLS.
    trust: Option<PathBuf>,
    _land: Land,
}

impl Town {
    pub(crate) fn open(name: &str, replicas: u16) -> Option<Self> {
        Self::open_with(name, replicas, None)
    }

    /// The same; the store speaks TLS, as an authority certifies.
    pub(crate) fn open_secured(name: &str, authority: &Authority) -> Option<Self> {
        Self::open_with(name, 0, Some(authority))
    }

    fn open_with(name: &str, replicas: u16, authority: Option<&Authority>) -> Option<Self> {
        let mut land = Land::new(name)?;
        let nodes = [land.host("a", &["10.46.0.1/24"]), land.host("b", &["10.46.0.2/24"])];
        let store = land.host("store", &["10.46.0.100/24"]);
        let phones = land.host("phones", &["10.46.0.11/24"]);
        let folder = place::folder(name);
        let redis = Redis::start(&store, &folder, replicas, authority)?;
        let trust = authority.map(Authority::file);
        let numbers = (101..110).map(|number| number.to_string()).collect();
        Some(Self { nodes, store, phones, folder, numbers, redis, trust, _land: land })
    }

    /// The node with this number, from the start.
    pub(crate) fn serve(&self, node: usize) -> Offhook {
        self.serve_in(node, &[])
    }

    /// The same, with these in its environment.
    pub(crate) fn serve_in(&self, node: usize, environment: &[(&str, &str)]) -> Offhook {
        let host = &self.nodes[node];
        let (at, web) = (host.at(5060), host.at(5080));
        let folder = self.folder.join(node.to_string());
        std::fs::create_dir_all(&folder).unwrap();
        let socket = console(&folder);
        let listen = format!(
            "listen = {{ udp = \"{at}\", tcp = \"{at}\", ws = \"{web}\", console_socket = {socket:?} }}\n"
        );
        let lines = self.lines(node, &listen, "");
        Offhook::serve_in(host, &folder, (&self.accounts(), &lines), environment)
    }

    /// The same, for phones that know no node, but an address that moves to whichever lives.
    pub(crate) fn serve_moving(&self, node: usize) -> Offhook {
        let (any, phones) = ("0.0.0.0:5060", self.phones.ip);
        // A crowd that comes from one address has the share of one otherwise.
        self.serve_by(
            node,
            &format!(
                "listen = {{ udp = \"{any}\", tcp = \"{any}\", advertise = \"{MOVES}\" }}\n\
                 overload = {{ unlimited = [\"{phones}/32\"] }}\n"
            ),
        )
    }

    /// Has the address move to a node; from another one, when it is there.
    pub(crate) fn move_to(&self, node: usize, from: Option<usize>) {
        if let Some(from) = from {
            self.nodes[from].set(&format!("ip address delete {MOVES}/24 dev eth0"));
        }
        self.nodes[node].set(&format!("ip address add {MOVES}/24 dev eth0"));
        // As if the node had told everybody, which programs that move addresses do (gratuitous ARP).
        self.phones.set("ip neigh flush dev eth0");
    }

    /// An account of a phone that knows no node.
    pub(crate) fn moving(&self, number: &str, transport: &'static str) -> Account {
        let at = SocketAddr::new(MOVES.parse().unwrap(), 5060);
        Account::new(number, at).of("example.test").by(transport).on(&self.phones)
    }

    /// The same, for phones that speak TLS; nodes speak TLS among themselves, if they have an authority.
    pub(crate) fn serve_secured(
        &self,
        node: usize,
        phones: &Authority,
        nodes: Option<&Authority>,
    ) -> Offhook {
        let listen = listen_secured(&self.nodes[node], "example.test", phones);
        let between = nodes.map(|authority| self.proof(node, authority));
        self.serve_as(node, &listen, &between.unwrap_or_default())
    }

    /// A node that speaks TLS goes on with these other listeners, and with new certificates.
    pub(crate) fn renews(
        &self,
        (node, server): (usize, &mut Offhook),
        others: &str,
        (phones, nodes): (&Authority, &Authority),
    ) {
        let tls = self.nodes[node].at(5061);
        let proof = phones.line(&phones.certify(&["example.test"]));
        let listen = format!("listen = {{ {others}, tls = \"{tls}\" }}\n{proof}");
        let lines = self.lines(node, &listen, &self.proof(node, nodes));
        server.reload(&self.folder.join(node.to_string()), &self.accounts(), &lines);
    }

    /// What a node shows to the other.
    fn proof(&self, node: usize, authority: &Authority) -> String {
        let Pair { certificate, key } = authority.certify(&[&self.nodes[node].ip.to_string()]);
        let file = authority.file();
        format!(", certificate = {certificate:?}, private_key = {key:?}, authority = {file:?}")
    }

    fn serve_by(&self, node: usize, listen: &str) -> Offhook {
        self.serve_as(node, listen, "")
    }

    fn serve_as(&self, node: usize, listen: &str, more: &str) -> Offhook {
        let folder = self.folder.join(node.to_string());
        std::fs::create_dir_all(&folder).unwrap();
        let lines = self.lines(node, listen, more);
        Offhook::serve_on(&self.nodes[node], &folder, &self.accounts(), &lines)
    }

    fn accounts(&self) -> Vec<&str> {
        self.numbers.iter().map(String::as_str).collect()
    }

    /// The config of a node, without its accounts.
    fn lines(&self, node: usize, listen: &str, more: &str) -> String {
        let secret = self.folder.join("secret");
        std::fs::write(&secret, "00112233445566778899aabbccddeeff\n").unwrap();
        std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o600)).unwrap();
        let trust = self.trust.as_ref().map(|file| format!(", authority = {file:?}"));
        format!(
            "domains = [\"example.test\"]\n\
             {listen}\
             store = {{ url = \"{url}\"{trust} }}\n\
             cluster = {{ listen = \"{between}\", secret_file = \"{secret}\"{more} }}\n",
            url = self.redis.url(),
            trust = trust.unwrap_or_default(),
            between = self.nodes[node].at(5070),
            secret = secret.display(),
        )
    }

    pub(crate) fn account(&self, number: &str, node: usize, transport: &'static str) -> Account {
        let port = if transport == "ws" { 5080 } else { 5060 };
        Account::new(number, self.nodes[node].at(port))
            .of("example.test")
            .by(transport)
            .on(&self.phones)
    }

    pub(crate) fn answering(&self, number: &str, node: usize, transport: &'static str) -> Phone {
        let account = self.account(number, node, transport);
        let mut phone = Phone::start(&self.folder, &account, &["answer"]);
        phone.peer.wait_for("\"registered\"", PATIENCE);
        phone
    }

    /// The account of a phone that is reached by TLS alone.
    pub(crate) fn secure(&self, number: &str, node: usize, authority: &Authority) -> Account {
        let account = Account::new(number, self.nodes[node].at(5061)).of("example.test");
        account.trusting(authority).secure().on(&self.phones)
    }

    /// The same, for a phone that is told to come back later: it does.
    pub(crate) fn coming_back(&self, number: &str, node: usize, transport: &'static str) -> Phone {
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

    pub(crate) fn calls(&self, (number, node): (&str, usize), whom: &str) {
        let account = self.account(number, node, "udp");
        let deed = ["call", whom, "--hangup-after", "1s"];
        Phone::start(&self.folder, &account, &deed).ends_well();
    }

    /// The nodes that are started from now on believe this authority about the store.
    pub(crate) fn trusts(&mut self, authority: &Authority) {
        self.trust = Some(authority.file());
    }

    /// Somebody who registers what it is told to.
    pub(crate) fn registrant(&self, number: &str) -> Registrant {
        let mut command = Command::new("python3");
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/interop/registrant.py"));
        command.args([&self.phones.ip.to_string(), number]);
        Registrant(Peer::start("registrant.py", &mut self.phones.run(&command)))
    }
}

/// Registers as it is told.
pub(crate) struct Registrant(Peer);

impl Registrant {
    /// What a node says to a REGISTER with a contact, for so many seconds: the status, and all contacts that are there then.
    pub(crate) fn registers(&mut self, node: &Host, contact: &str, expires: u32) -> String {
        self.asks(&format!("{} {contact} {expires}", node.ip))
    }

    /// The contacts that a node knows.
    pub(crate) fn queries(&mut self, node: &Host) -> String {
        self.asks(&node.ip.to_string())
    }

    fn asks(&mut self, line: &str) -> String {
        self.0.type_line(line);
        let said = self.0.wait_for("said ", PATIENCE);
        said.trim_start_matches("said ").to_owned()
    }
}

/// The address that moves.
pub(crate) const MOVES: &str = "10.46.0.10";

/// The socket of the console of a server in a folder.
pub(crate) fn console(folder: &Path) -> String {
    folder.join("console").display().to_string()
}
