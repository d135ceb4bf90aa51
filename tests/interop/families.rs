//! IPv6: phones and a server that have nothing else; and one server between phones of both families.

use crate::account::Account;
use crate::baresip::{Baresip, PATIENCE};
use crate::land::{Host, Land};
use crate::offhook::{Offhook, listen_at};
use crate::phone::Phone;
use crate::{place, sound, table};

const SERVER: &str = "fd45::1";

/// A server without IPv4, a baresip that is 102, and a host for 101.
fn without_ipv4(name: &str, transport: &'static str) {
    if !place::installed("baresip", "baresip-core") {
        return;
    }
    let Some(mut land) = Land::new(name) else { return };
    let mut host = |name: &str, ip: &str| land.host(name, &[&format!("{ip}/64")]);
    let (server, alice, bob) =
        (host("server", SERVER), host("alice", "fd45::11"), host("bob", "fd45::12"));
    let folder = place::folder(name);
    let lines = format!("{}domains = [\"[{SERVER}]\"]", listen_at(&server));
    let server = Offhook::serve_on(&server, &folder, &["101", "102"], &lines);
    let account = |number, host: &Host| Account::new(number, server.udp).by(transport).on(host);
    let mut bob = Baresip::register(&folder, &account("102", &bob).playing(1000.0));

    let caller =
        Phone::start(&folder, &account("101", &alice), &["call", "102", "--hangup-after", "5s"]);
    bob.peer.wait_for("terminated", PATIENCE);
    sound::assert_heard(&caller.ends_well(), 1000.0, 440.0);

    let mut callee = Phone::start(&folder, &account("101", &alice), &["answer"]);
    callee.peer.wait_for("\"registered\"", PATIENCE);
    bob.dial(&account("101", &alice).uri());
    bob.listen(4);
    bob.hang_up();
    sound::assert_heard(&callee.ends_well(), 1000.0, 440.0);
    sound::assert_heard(&bob.quit(), 440.0, 1000.0);
    server.stop();
    let feature =
        "`offhook phone` calls it and is called where nobody has an IPv4 address; sound both ways";
    table::passed(&table::BARESIP, feature, &format!("{} over IPv6", transport.to_uppercase()));
}

#[test]
fn phones_call_where_there_is_no_ipv4_over_udp() {
    without_ipv4("ipv6-udp", "udp");
}

#[test]
fn phones_call_where_there_is_no_ipv4_over_tcp() {
    without_ipv4("ipv6-tcp", "tcp");
}

/// Each phone has one family, the server both: it stands in the route once for each side (RFC 3261 §16.6 step 4, RFC 5658).
#[test]
fn a_phone_with_ipv4_calls_one_with_ipv6() {
    let Some(mut land) = Land::new("families") else { return };
    let server = land.host("server", &["10.45.0.1/24", "fd45::1/64"]);
    let (alice, bob) = (land.host("alice", &["10.45.0.11/24"]), land.host("bob", &["fd45::12/64"]));
    let folder = place::folder("families");
    let lines =
        "listen = { udp = [\"10.45.0.1:5060\", \"[fd45::1]:5060\"] }\ndomains = [\"both.example\"]";
    let mut serving = Offhook::serve_on(&server, &folder, &["101", "102"], lines);
    let account = |number, server: &Host, host: &Host, transport| {
        Account::new(number, server.at(5060)).of("both.example").by(transport).on(host)
    };
    for (a, b) in [("udp", "udp"), ("tcp", "udp"), ("udp", "tcp")] {
        let bob = account("102", &server.by("fd45::1"), &bob, b);
        let mut callee = Phone::start(&folder, &bob, &["answer"]);
        callee.peer.wait_for("\"registered\"", PATIENCE);
        let alice = account("101", &server, &alice, a);
        let mut caller = Phone::start(&folder, &alice, &["call", "102"]);
        caller.peer.wait_for("\"established\"", PATIENCE);
        callee.peer.terminate(); // hangs up: its BYE goes the whole way back
        // Neither hears the other: nobody here carries sound from one family to the other.
        assert!(caller.peer.end(PATIENCE).success(), "{}", caller.peer.said());
        serving.peer.wait_for("\"ended\"", PATIENCE);
    }
    serving.stop();
}
