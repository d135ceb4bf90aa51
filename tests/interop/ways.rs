//! Ways that are looked for and kept from others (DTLS-SRTP, ICE, STUN, TURN), with programs that we did not write.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::account::Account;
use crate::baresip::PATIENCE;
use crate::handset::Handset;
use crate::land::{Host, Land};
use crate::offhook::{Offhook, listen_at};
use crate::peer::Peer;
use crate::phone::Phone;
use crate::pjsua::Pjsua;
use crate::{place, sound, table};

/// coturn, with a user `turn` whose password is `pw-turn`.
struct Coturn {
    peer: Peer,
    at: SocketAddr,
}

impl Coturn {
    fn start(host: &Host, folder: &Path) -> Option<Self> {
        if !place::installed("turnserver", "coturn") {
            return None;
        }
        let (ip, port) = (host.ip, place::free_port());
        let mut program = Command::new("turnserver");
        program.args(["-n", "--no-cli"]);
        program.args([format!("--listening-ip={ip}"), format!("--relay-ip={ip}")]);
        program.args(["--realm=interop.test", "--user=turn:pw-turn", "--lt-cred-mech"]);
        program.args(["--allow-loopback-peers", "--no-tls", "--no-dtls", "--log-file=stdout"]);
        program.args(["--verbose", "--simple-log", &format!("--listening-port={port}")]);
        program.arg(format!("--userdb={}", folder.join("turndb").display()));
        program.arg(format!("--pidfile={}", folder.join("turn.pid").display()));
        let mut peer = Peer::start("coturn", &mut host.run(&program));
        peer.wait_until("listens", PATIENCE, || host.listens("-u", port));
        Some(Self { peer, at: host.at(port) })
    }

    fn turn(&self) -> String {
        format!("turn:pw-turn@{}", self.at)
    }

    /// It has given somebody an address of its, and passes on what comes there.
    fn relays(&mut self) {
        self.peer.wait_for("ALLOCATE processed, success", PATIENCE);
        self.peer.wait_for("CHANNEL_BIND processed, success", PATIENCE);
    }

    fn stop(mut self) {
        self.peer.terminate();
        self.peer.end(PATIENCE);
    }
}

/// 101 calls 102 with these options each; both record the other's tone.
fn two_of_ours(folder: &Path, ours: &[&str], theirs: &[&str]) -> serde_json::Value {
    let server = Offhook::serve(folder, &["101", "102"], "");
    let answer = [&["answer"], theirs].concat();
    let bob = Account::new("102", server.udp).playing(1000.0);
    let mut bob = Phone::start(folder, &bob, &answer);
    bob.peer.wait_for("\"registered\"", PATIENCE);
    let call = [&["call", "102", "--hangup-after", "6s"], ours].concat();
    let alice = Phone::start(folder, &Account::new("101", server.udp), &call);
    let (heard, quality) = alice.ends_with_quality();
    sound::assert_heard(&heard, 1000.0, 440.0);
    sound::assert_heard(&bob.ends_well(), 440.0, 1000.0);
    server.stop();
    quality
}

#[test]
fn two_of_ours_make_their_keys_themselves() {
    let folder = place::folder("ways-dtls");
    let quality = two_of_ours(&folder, &["--srtp", "dtls"], &[]);
    assert_eq!(quality["srtp"], "AEAD_AES_256_GCM");
}

/// RFC 8656: by the relay of coturn, when the other side is told no other address.
#[test]
fn two_of_ours_talk_by_coturn() {
    let folder = place::folder("ways-coturn");
    let Some(mut coturn) = Coturn::start(&Host::HERE, &folder) else { return };
    let turn = coturn.turn();
    let ours = ["--srtp", "dtls", "--turn", &turn, "--ice", "relay"];
    two_of_ours(&folder, &ours, &["--ice", "on"]);
    coturn.relays();
    coturn.stop();
    let feature = "`offhook phone` calls another by its relay alone, in a channel; DTLS-SRTP inside; each records the other's tone";
    table::passed(&table::COTURN, feature, "TURN over UDP");
}

/// Nothing passes between the two: by the relay of one of them they hear each other.
fn by_the_relay_of(whose: &str, feature: &str) {
    if !Pjsua::is_there() {
        return;
    }
    let Some(mut land) = Land::new(&format!("relay-{whose}")) else { return };
    let centre = land.host("centre", &["10.78.0.1/24"]);
    let [ours, theirs] = [("ours", "10.78.0.2/24"), ("theirs", "10.78.0.3/24")]
        .map(|(name, address)| land.host(name, &[address]));
    ours.cut(&theirs);
    let folder = place::folder(&format!("ways-relay-{whose}"));
    let Some(mut coturn) = Coturn::start(&centre, &folder) else { return };
    let server = Offhook::serve_on(&centre, &folder, &["101", "102"], &listen_at(&centre));
    let (turn, at) = (coturn.turn(), coturn.at.to_string());
    let (words, wishes): (&[&str], &[(&str, &str)]) = match whose {
        "ours" => (&["--turn", &turn, "--ice", "relay"], &[("ICE", "on")]),
        _ => (&["--ice", "on"], &[("ICE", "on"), ("TURN", &at)]),
    };
    let bob = Account::new("102", server.udp).on(&theirs).playing(1000.0);
    let mut bob = Pjsua::register_with(&folder, &bob, wishes);
    let alice = Account::new("101", server.udp).on(&ours);
    let mut alice = Handset::register(&folder, &alice, words);
    alice.calls("102");
    alice.hears(1, 1000.0);
    bob.hears(1, 440.0);
    alice.hangs_up();
    bob.says(&format!("call {}", Account::new("101", server.udp).uri()));
    alice.picks_up();
    alice.hears(2, 1000.0);
    bob.hears(2, 440.0);
    alice.hangs_up();
    coturn.relays();
    alice.quit();
    bob.quit();
    server.stop();
    coturn.stop();
    table::passed(&table::PJSIP, feature, "TURN over UDP");
}

#[test]
fn pjsua_is_heard_by_our_relay() {
    let feature = "`offhook phone` calls it and is called, by the relay of `offhook phone` at coturn alone: nothing else passes between the two; each records the other's tone";
    by_the_relay_of("ours", feature);
}

#[test]
fn pjsua_is_heard_by_its_relay() {
    let feature = "`offhook phone` calls it and is called, by the relay of PJSIP at coturn alone: nothing else passes between the two; each records the other's tone";
    by_the_relay_of("theirs", feature);
}
