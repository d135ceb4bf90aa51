//! sipsak: asks whether a server lives, and registers.

use std::process::Command;
use std::time::Duration;

use crate::offhook::Offhook;
use crate::peer::Peer;
use crate::{place, table};

/// Runs sipsak to its end: whether it was content, and what it said.
fn ask(arguments: &[&str]) -> (bool, String) {
    let mut peer = Peer::start("sipsak", Command::new("sipsak").args(arguments));
    let ended = peer.end(Duration::from_secs(30));
    (ended.success(), peer.said())
}

#[test]
fn options_are_answered() {
    if !place::installed("sipsak", "sipsak") {
        return;
    }
    let folder = place::folder("sipsak-options");
    // sipsak writes its own address into From, which no password belongs to: it can ask only where OPTIONS is free.
    let server =
        Offhook::serve(&folder, &["101"], "auth = { challenge = [\"REGISTER\", \"INVITE\"] }");
    let (content, said) = ask(&["-vvv", "-s", "sip:localhost", "-p", &server.udp.to_string()]);
    assert!(content && said.contains("SIP/2.0 200"), "{said}");
    server.stop();
    table::passed(&table::SIPSAK, "OPTIONS is answered with 200", "UDP");
}

#[test]
fn a_user_registers_with_digest_and_a_wrong_password_does_not() {
    if !place::installed("sipsak", "sipsak") {
        return;
    }
    let folder = place::folder("sipsak-register");
    let server = Offhook::serve(&folder, &["101"], "");
    // The server's address goes into -p: sipsak 0.9.8 cuts the last digit off a port that stands in -s.
    let at = server.udp.to_string();
    let user = ["-U", "-C", "sip:101@127.0.0.1:5099", "-s", "sip:101@localhost", "-p", &at];
    let register = |password: &str| {
        ask(&[&user[..], &["-u", "101", "-a", password, "-x", "60", "-vvv"]].concat())
    };
    let (content, said) = register("pw-101");
    assert!(content && said.contains("SIP/2.0 401") && said.contains("SIP/2.0 200"), "{said}");
    let (content, said) = register("wrong");
    assert!(!content && !said.contains("SIP/2.0 200"), "{said}");
    server.stop();
    let feature = "REGISTER with digest; a wrong password is refused";
    table::passed(&table::SIPSAK, feature, "UDP");
}
