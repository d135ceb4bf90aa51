//! Ways that are looked for and kept from others (DTLS-SRTP, ICE, STUN, TURN), with programs that we did not write.

use std::path::Path;
use std::process::Command;

use crate::account::Account;
use crate::baresip::PATIENCE;
use crate::offhook::Offhook;
use crate::peer::Peer;
use crate::phone::Phone;
use crate::{place, sound, table};

/// coturn, with a user `turn` whose password is `pw-turn`.
struct Coturn {
    peer: Peer,
    port: u16,
}

impl Coturn {
    fn start(folder: &Path) -> Option<Self> {
        if !place::installed("turnserver", "coturn") {
            return None;
        }
        let port = place::free_port();
        let mut program = Command::new("turnserver");
        program.args(["-n", "--no-cli", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1"]);
        program.args(["--realm=interop.test", "--user=turn:pw-turn", "--lt-cred-mech"]);
        program.args(["--allow-loopback-peers", "--no-tls", "--no-dtls", "--log-file=stdout"]);
        program.args(["--verbose", "--simple-log", &format!("--listening-port={port}")]);
        program.arg(format!("--userdb={}", folder.join("turndb").display()));
        program.arg(format!("--pidfile={}", folder.join("turn.pid").display()));
        let mut peer = Peer::start("coturn", &mut program);
        peer.wait_until("listens", PATIENCE, || place::is_taken(port));
        Some(Self { peer, port })
    }

    fn turn(&self) -> String {
        format!("turn:pw-turn@127.0.0.1:{}", self.port)
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
    let Some(mut coturn) = Coturn::start(&folder) else { return };
    let turn = coturn.turn();
    let ours = ["--srtp", "dtls", "--turn", &turn, "--ice", "relay"];
    two_of_ours(&folder, &ours, &["--ice", "on"]);
    coturn.peer.wait_for("ALLOCATE processed, success", PATIENCE);
    coturn.peer.wait_for("CHANNEL_BIND processed, success", PATIENCE);
    coturn.peer.terminate();
    coturn.peer.end(PATIENCE);
    let feature = "`offhook phone` calls another by its relay alone, in a channel; DTLS-SRTP inside; each records the other's tone";
    table::passed(&table::COTURN, feature, "TURN over UDP");
}
