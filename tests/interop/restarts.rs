//! The server dies in the middle of everything and comes back, with real phones around it.

use crate::account::Account;
use crate::baresip::PATIENCE;
use crate::land::{Host, Land};
use crate::offhook::{Offhook, listen_at};
use crate::phone::Phone;
use crate::place;

struct Office {
    server: Host,
    phones: Host,
    folder: std::path::PathBuf,
    _land: Land,
}

impl Office {
    fn open(name: &str) -> Option<(Self, Offhook)> {
        let mut land = Land::new(name)?;
        let server = land.host("server", &["10.45.0.1/24"]);
        let phones = land.host("phones", &["10.45.0.11/24"]);
        let folder = place::folder(name);
        let lines = listen_at(&server) + "domains = [\"10.45.0.1\"]";
        let serving = Offhook::serve_on(&server, &folder, &["101", "102", "103"], &lines);
        Some((Self { server, phones, folder, _land: land }, serving))
    }

    fn phone(&self, number: &str, transport: &'static str, deed: &[&str]) -> Phone {
        let account = Account::new(number, self.server.at(5060)).by(transport).on(&self.phones);
        Phone::start(&self.folder, &account, deed)
    }

    fn answering(&self, number: &str, transport: &'static str, deed: &[&str]) -> Phone {
        let mut phone = self.phone(number, transport, &[&["answer"], deed].concat());
        phone.peer.wait_for("\"registered\"", PATIENCE);
        phone
    }
}

/// Calls that are up go past the server, and the one that hangs up finds the way through one that has never heard of them.
fn a_call_outlives_its_server(transport: &'static str) {
    let Some((office, serving)) = Office::open(&format!("restart-{transport}")) else { return };
    let mut bob = office.answering("102", transport, &[]);
    let mut alice = office.phone("101", transport, &["call", "102"]);
    alice.peer.wait_for("\"established\"", PATIENCE);
    bob.peer.wait_for("\"established\"", PATIENCE);
    serving.die();
    let serving = Offhook::start(&office.server, &office.folder);
    alice.peer.terminate();
    assert!(alice.peer.end(PATIENCE).success(), "{}", alice.peer.said());
    bob.peer.wait_for("hung up by the other side", PATIENCE);
    assert!(bob.peer.end(PATIENCE).success(), "{}", bob.peer.said());
    serving.stop();
}

#[test]
fn a_call_over_udp_outlives_its_server() {
    a_call_outlives_its_server("udp");
}

#[test]
fn a_call_over_tcp_outlives_its_server() {
    a_call_outlives_its_server("tcp");
}

/// An operator stops the server (SIGTERM) while a phone rings: whoever picks up is still connected, and only then does the server go.
/// The next server knows the way for who hangs up.
#[test]
fn a_phone_that_rings_while_its_server_is_stopped_is_answered() {
    let Some((office, mut serving)) = Office::open("restart-ringing") else { return };
    let mut bob = office.answering("102", "udp", &["--after", "3s"]);
    let mut alice = office.phone("101", "udp", &["call", "102"]);
    alice.peer.wait_for("\"status\":180", PATIENCE);
    serving.peer.terminate();
    serving.peer.wait_for("draining", PATIENCE);
    // Nobody new is let in.
    let mut late = office.phone("103", "udp", &["call", "102"]);
    assert!(
        !late.peer.end(PATIENCE).success() && late.peer.said().contains("503"),
        "{}",
        late.peer.said()
    );
    alice.peer.wait_for("\"established\"", PATIENCE);
    bob.peer.wait_for("\"established\"", PATIENCE);
    serving.goes();
    let serving = Offhook::start(&office.server, &office.folder);
    bob.peer.terminate();
    assert!(bob.peer.end(PATIENCE).success(), "{}", bob.peer.said());
    alice.peer.wait_for("hung up by the other side", PATIENCE);
    assert!(alice.peer.end(PATIENCE).success(), "{}", alice.peer.said());
    serving.stop();
}

/// Whoever was registered is found at once by the server that comes back: over datagrams where it was, over a connection as soon as the
/// phone has noticed that the old one broke.
fn a_phone_is_called_after_its_server_died(transport: &'static str) {
    let Some((office, serving)) = Office::open(&format!("restart-called-{transport}")) else {
        return;
    };
    let mut bob = office.answering("102", transport, &[]);
    serving.die();
    let mut serving = Offhook::start(&office.server, &office.folder);
    if transport == "tcp" {
        serving.peer.wait_for("\"registered\"", PATIENCE);
    }
    let alice = office.phone("101", "udp", &["call", "102", "--hangup-after", "1s"]);
    alice.ends_well();
    bob.peer.wait_for("hung up by the other side", PATIENCE);
    serving.stop();
}

#[test]
fn a_phone_on_udp_is_called_after_its_server_died() {
    a_phone_is_called_after_its_server_died("udp");
}

#[test]
fn a_phone_on_tcp_is_called_after_its_server_died() {
    a_phone_is_called_after_its_server_died("tcp");
}
