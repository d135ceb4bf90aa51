//! Why a call of a script did not come about: each cause has its own words, and its exit code.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::Path;
use std::time::Duration;

use crate::account::Account;
use crate::authority::{Authority, Flaw};
use crate::baresip::PATIENCE;
use crate::land::Host;
use crate::offhook::{Offhook, command};
use crate::peer::Peer;
use crate::phone::Phone;
use crate::place;

/// Ends with this code, and says these words.
fn ends(mut peer: Peer, code: i32, words: &[&str]) {
    let ended = peer.end(SILENCE);
    let said = peer.said();
    let all = words.iter().all(|words| said.contains(words));
    assert!(ended.code() == Some(code) && all, "{ended}, and not {words:?}:\n{said}");
}

/// 101 does something by this transport, with a server there.
fn start(transport: &str, server: &str, account: &str, deed: &[&str]) -> Peer {
    let mut program = command(&["phone", "--account", account, "--transport", transport]);
    program.args(["--bind", "127.0.0.1"]).args(deed).env("OFFHOOK_PASSWORD", "pw-101");
    if !server.is_empty() {
        program.args(["--server", server]);
    }
    Peer::start("offhook phone", &mut program)
}

/// A port at which nobody listens.
fn closed() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().to_string()
}

#[test]
fn who_refuses_and_who_is_silent_are_told_apart() {
    let (refuses, account) = (closed(), "sip:101@example.test");
    for transport in ["udp", "tcp", "tls", "ws"] {
        let register = start(transport, &refuses, account, &["register"]);
        ends(register, 6, &[&refuses, "refused", "nobody listens there"]);
    }
    ends(start("tcp", &refuses, account, &["call", "102"]), 6, &[&refuses, "refused"]);
    // Alive, and no SIP server: a request is repeated for 32 seconds.
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let silent = silent.local_addr().map(|at| (at.to_string(), silent)).unwrap();
    let options = start("udp", &silent.0, account, &["options", "102"]);
    ends(options, 6, &["no answer from", &silent.0, "within 32 s"]);
}

#[test]
fn a_host_that_nobody_knows_is_no_dead_one() {
    let unknown = start("udp", "", "sip:101@nowhere.invalid", &["register"]);
    // Where there is no DNS at all that is said instead.
    ends(unknown, 6, &["the DNS does", "nowhere.invalid"]);
}

/// A server shows a certificate of ours for these names; the phone trusts that authority, wants the server to be `localhost`, and ends so.
fn shown(
    (folder, ours): (&Path, &Authority),
    (name, flaw): (&str, Flaw),
    trusted: &Authority,
    (code, words): (i32, &str),
) {
    let any = "127.0.0.1:0";
    let proof = ours.line(&ours.issue("server", &[name], flaw));
    let lines = format!(
        "domains = [\"localhost\"]\nlisten = {{ udp = \"{any}\", tcp = \"{any}\", tls = \"{any}\" }}\n\
         store = {{ durability = \"memory\" }}\n{proof}"
    );
    let mut server = Offhook::serve_on(&Host::HERE, folder, &["101"], &lines);
    let at = format!("localhost:{}", server.other("tls").port());
    let trusted = trusted.file().display().to_string();
    let phone = start("tls", &at, "sip:101@localhost", &["register", "--ca", &trusted]);
    ends(phone, code, &[words]);
    server.stop();
}

#[test]
fn a_bad_certificate_is_not_a_dead_network() {
    let folder = place::folder("phone-certificates");
    let (ours, others) = (Authority::new(), Authority::new());
    let here = (&*folder, &ours);
    shown(here, ("localhost", Flaw::None), &ours, (0, "registered for"));
    shown(here, ("other.test", Flaw::None), &ours, (6, "is for other.test, not for localhost"));
    shown(here, ("localhost", Flaw::Expired), &ours, (6, "expired on 2021-02-0"));
    let unknown = "issued by an authority that is not trusted here";
    shown(here, ("localhost", Flaw::None), &others, (6, unknown));
    // TLS with somebody who does not speak it.
    let server = Offhook::serve(&folder, &["101"], "");
    let port = format!("localhost:{}", server.tcp.port());
    ends(start("tls", &port, "sip:101@localhost", &["register"]), 6, &["TLS"]);
    server.stop();
}

#[test]
fn busy_refused_unanswered_unproven_and_soundless_have_codes_of_their_own() {
    let folder = place::folder("phone-codes");
    let server = Offhook::serve(&folder, &["101", "102"], "");
    let call = |more: &[&str]| {
        let account = format!("sip:101@{}", server.udp);
        start("udp", &server.udp.to_string(), &account, &[&["call", "102"], more].concat())
    };
    for (status, code) in [("486", 3), ("600", 3), ("603", 5), ("403", 5), ("488", 8)] {
        let refuse = ["answer", "--refuse", status];
        let mut bob = Phone::start(&folder, &Account::new("102", server.udp), &refuse);
        bob.peer.wait_for("\"registered\"", PATIENCE);
        ends(call(&[]), code, &[status]);
        ends(bob.peer, 0, &["incoming"]);
    }
    let mut bob =
        Phone::start(&folder, &Account::new("102", server.udp), &["answer", "--after", "60s"]);
    bob.peer.wait_for("\"registered\"", PATIENCE);
    ends(call(&["--ring-for", "1s"]), 4, &["nobody answered in time"]);
    drop(bob);
    // He speaks no SRTP, and we want it.
    let open = ["answer", "--srtp", "off", "--calls", "2"];
    let mut bob = Phone::start(&folder, &Account::new("102", server.udp), &open);
    bob.peer.wait_for("\"registered\"", PATIENCE);
    ends(call(&["--srtp", "required"]), 8, &["488"]);
    drop(bob);
    let wrong = ["call", "102", "--password", "wrong"];
    let account = format!("sip:101@{}", server.udp);
    ends(start("udp", &server.udp.to_string(), &account, &wrong), 7, &["failed"]);
    server.stop();
}

#[test]
fn a_call_in_which_nothing_is_heard_fails_when_sound_is_expected() {
    let folder = place::folder("phone-silent");
    let server = Offhook::serve(&folder, &["101", "102"], "");
    let (at, account) = (server.udp.to_string(), format!("sip:101@{}", server.udp));
    for (says, code) in [("silence", 8), ("tone:660", 0)] {
        let mut bob = start(
            "udp",
            &at,
            &format!("sip:102@{at}"),
            &["answer", "--play", says, "--password", "pw-102"],
        );
        bob.wait_for("registered", PATIENCE);
        let call = ["call", "102", "--hangup-after", "1s", "--expect-sound"];
        ends(start("udp", &at, &account, &call), code, &["the call is over"]);
        ends(bob, 0, &["calls"]);
    }
    // How long answers take, and what the other side is.
    let options = start("udp", &at, &account, &["options", "101", "--count", "2"]);
    ends(options, 4, &["480", "asked 2 times, answered 2 times; there and back "]);
    server.stop();
}

/// Longer than a request waits for its answer (RFC 3261 §17.1.2.2 timer F).
const SILENCE: Duration = Duration::from_secs(60);
