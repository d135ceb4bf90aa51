//! The trapezoid: two domains, a server in each, the DNS between them, and phones of different kinds at the ends. The first server that the
//! DNS names for each domain is dead.

use std::path::PathBuf;

use crate::account::Account;
use crate::authority::Authority;
use crate::baresip::{Baresip, PATIENCE};
use crate::bind::Named;
use crate::kamailio::Kamailio;
use crate::land::{Host, Land};
use crate::offhook::{Offhook, listen_secured};
use crate::phone::Phone;
use crate::{place, sound, table};

/// Two domains and the way between them; the servers are still to be started.
struct Towns {
    a: Host,
    b: Host,
    /// Alice's phone belongs to a.example, Bob's to b.example.
    alice: Host,
    bob: Host,
    folder: PathBuf,
    middle: Middle,
    /// Both domains trust it.
    authority: Authority,
    _names: Named,
    /// Gone last: the others live in it.
    _land: Land,
}

/// How the two domains reach each other.
#[derive(Clone, Copy)]
struct Middle {
    name: &'static str,
    /// The service of the NAPTR record (RFC 3263 §4.1).
    service: &'static str,
    /// The name of the SRV records.
    srv: &'static str,
    port: u16,
}

const UDP: Middle =
    Middle { name: "UDP in the middle", service: "SIP+D2U", srv: "_sip._udp", port: 5060 };
const TCP: Middle =
    Middle { name: "TCP in the middle", service: "SIP+D2T", srv: "_sip._tcp", port: 5060 };
const TLS: Middle = Middle { name: "TLS", service: "SIPS+D2T", srv: "_sips._tcp", port: 5061 };

impl Towns {
    fn build(name: &str, middle: Middle) -> Option<Self> {
        if !place::installed("baresip", "baresip-core") {
            return None;
        }
        let mut land = Land::new(name)?;
        let names = land.host("names", &["10.45.0.53/24"]);
        let zone = |server: &str| {
            let Middle { service, srv, port, .. } = middle;
            format!(
                "@ IN NAPTR 10 10 \"s\" \"{service}\" \"\" {srv}\n{srv} IN SRV 1 0 {port} dead\n\
                 {srv} IN SRV 2 0 {port} alive\ndead IN A 10.45.0.99\nalive IN A {server}\n@ IN A {server}\n"
            )
        };
        let zones = [("a.example", zone("10.45.0.1")), ("b.example", zone("10.45.0.2"))];
        let there = |program: &str| names.run(&std::process::Command::new(program));
        let bind = Named::start_at(names.at(53), name, &zones, there)?;
        let mut host = |name: &str, ip: &str| {
            let host = land.host(name, &[ip]);
            host.ask_names_at(names.ip);
            host
        };
        let (a, b) = (host("a", "10.45.0.1/24"), host("b", "10.45.0.2/24"));
        let (alice, bob) = (host("alice", "10.45.0.11/24"), host("bob", "10.45.0.12/24"));
        let folder = place::folder(name);
        let authority = Authority::new();
        Some(Self { a, b, alice, bob, folder, middle, authority, _names: bind, _land: land })
    }

    fn account(
        &self,
        number: &str,
        (domain, server): (&str, &Host),
        transport: &'static str,
        phone: &Host,
    ) -> Account {
        let at = server.at(if transport == "tls" { 5061 } else { 5060 });
        let account = Account::new(number, at).of(domain).on(phone);
        match transport {
            "tls" => account.trusting(&self.authority),
            other => account.by(other),
        }
    }

    /// A server of ours for one of the domains, that knows the way to the other.
    fn serve(&self, host: &Host, domain: &str, other: &str, number: &str) -> Offhook {
        self.serve_proven(host, (domain, domain), other, number)
    }

    /// The same, with a certificate that is for another domain, perhaps.
    fn serve_proven(
        &self,
        host: &Host,
        (domain, proven): (&str, &str),
        other: &str,
        number: &str,
    ) -> Offhook {
        let folder = self.folder.join(domain);
        std::fs::create_dir_all(&folder).unwrap();
        let lines = format!(
            "{}domains = [\"{domain}\"]\n[[route]]\nmatch = {{ domain = \"{other}\" }}",
            listen_secured(host, proven, &self.authority)
        );
        Offhook::serve_on(host, &folder, &[number], &lines)
    }
}

/// The server of b.example.
enum Far {
    Ours(Offhook),
    Kamailio(#[expect(dead_code, reason = "it serves as long as it is here")] Kamailio),
}

impl Far {
    fn saw_the_end(&mut self) {
        if let Self::Ours(server) = self {
            server.peer.wait_for("\"ended\"", PATIENCE);
        }
    }

    fn stop(self) {
        if let Self::Ours(server) = self {
            server.stop();
        }
    }
}

/// Alice calls Bob and hangs up, then Bob calls Alice and hangs up; they hear each other.
fn calls_both_ways(towns: &Towns, mut b: Far, ends: (&'static str, &'static str)) {
    let mut a = towns.serve(&towns.a, "a.example", "b.example", "101");
    let alice = towns.account("101", ("a.example", &towns.a), ends.0, &towns.alice);
    let bob = towns.account("102", ("b.example", &towns.b), ends.1, &towns.bob);
    let mut bob = Baresip::register(&towns.folder, &bob.playing(1000.0));

    let deed = ["call", "sip:102@b.example", "--hangup-after", "5s"];
    let caller = Phone::start(&towns.folder, &alice, &deed);
    bob.peer.wait_for("Call established", PATIENCE);
    bob.peer.wait_for("terminated", PATIENCE);
    sound::assert_heard(&caller.ends_well(), 1000.0, 440.0);
    // The hanging-up came through both servers: each has left its Via, and the first one's tells how it reached the second.
    let vias = bob.vias("BYE sip:");
    let way = format!("SIP/2.0/{} ", &towns.middle.name[..3]);
    assert!(vias.len() == 3 && vias[1].contains(&way), "{vias:?}");
    a.peer.wait_for("\"ended\"", PATIENCE);
    b.saw_the_end();

    let mut callee = Phone::start(&towns.folder, &alice, &["answer"]);
    callee.peer.wait_for("\"registered\"", PATIENCE);
    bob.dial("sip:101@a.example");
    bob.listen(4);
    bob.hang_up();
    sound::assert_heard(&callee.ends_well(), 1000.0, 440.0);
    a.peer.wait_for("\"ended\"", PATIENCE);
    b.saw_the_end();
    sound::assert_heard(&bob.quit(), 440.0, 1000.0);
    a.stop();
    b.stop();
}

fn with_ours(name: &str, middle: Middle, ends: (&'static str, &'static str)) {
    let Some(towns) = Towns::build(name, middle) else { return };
    let b = towns.serve(&towns.b, "b.example", "a.example", "102");
    calls_both_ways(&towns, Far::Ours(b), ends);
    let feature = "Between two domains of ours whose first server is dead it calls `offhook phone` and is called";
    table::passed(&table::BARESIP, feature, middle.name);
}

fn with_kamailio(name: &str, middle: Middle, ends: (&'static str, &'static str)) {
    if !place::installed("kamailio", "kamailio") {
        return;
    }
    let Some(towns) = Towns::build(name, middle) else { return };
    let b = Kamailio::serve(&towns.b, &towns.folder, "b.example", &towns.authority);
    calls_both_ways(&towns, Far::Kamailio(b), ends);
    let feature = "A call each way between its domain and ours, whose first servers are dead; it has a baresip, we an `offhook phone`";
    table::passed(&table::KAMAILIO, feature, middle.name);
}

#[test]
fn two_domains_over_udp_with_phones_on_tcp_and_udp() {
    with_ours("trapezoid-udp", UDP, ("tcp", "udp"));
}

#[test]
fn two_domains_over_tcp_with_phones_on_udp_and_tcp() {
    with_ours("trapezoid-tcp", TCP, ("udp", "tcp"));
}

#[test]
fn the_other_domain_is_kamailios_over_udp() {
    with_kamailio("kamailio-udp", UDP, ("tcp", "udp"));
}

#[test]
fn the_other_domain_is_kamailios_over_tcp() {
    with_kamailio("kamailio-tcp", TCP, ("udp", "tcp"));
}

#[test]
fn two_domains_over_tls_with_phones_on_tls() {
    with_ours("trapezoid-tls", TLS, ("tls", "tls"));
}

#[test]
fn the_other_domain_is_kamailios_over_tls() {
    with_kamailio("kamailio-tls", TLS, ("tls", "tls"));
}

/// The server of b.example proves to be another domain's: the call fails, and words say why, at the phone and in the log.
#[test]
fn a_domain_whose_server_proves_to_be_another_is_refused() {
    let Some(towns) = Towns::build("trapezoid-impostor", TLS) else { return };
    let mut a = towns.serve(&towns.a, "a.example", "b.example", "101");
    let b = towns.serve_proven(&towns.b, ("b.example", "c.example"), "a.example", "102");
    let alice = towns.account("101", ("a.example", &towns.a), "tls", &towns.alice);
    let mut alice = Phone::start(&towns.folder, &alice, &["call", "sip:102@b.example"]);
    let (ended, said) = (alice.peer.end(PATIENCE), alice.peer.said());
    assert!(!ended.success() && said.contains("Not Proven Who It Is"), "{said}");
    let why = a.peer.wait_for("\"untrusted\"", PATIENCE);
    assert!(why.contains("c.example, not for b.example"), "{why}");
    a.stop();
    b.stop();
}

/// A phone calls the server of b.example, which proves to be c.example: it does not register there, and says why.
#[test]
fn a_phone_does_not_register_where_the_server_proves_to_be_another() {
    let Some(towns) = Towns::build("trapezoid-phone", TLS) else { return };
    let b = towns.serve_proven(&towns.b, ("b.example", "c.example"), "a.example", "102");
    let bob = towns.account("102", ("b.example", &towns.b), "tls", &towns.bob);
    let mut bob = Phone::start(&towns.folder, &bob, &["register"]);
    let (ended, said) = (bob.peer.end(PATIENCE), bob.peer.said());
    assert!(!ended.success() && said.contains("c.example, not for b.example"), "{said}");
    b.stop();
}

/// `sips:` goes by TLS on every hop.
#[test]
fn a_sips_call_goes_by_tls_all_the_way() {
    let Some(towns) = Towns::build("trapezoid-sips", TLS) else { return };
    let a = towns.serve(&towns.a, "a.example", "b.example", "101");
    let b = towns.serve(&towns.b, "b.example", "a.example", "102");
    let alice = towns.account("101", ("a.example", &towns.a), "tls", &towns.alice).secure();
    let bob = towns.account("102", ("b.example", &towns.b), "tls", &towns.bob).secure();
    let bob = bob.playing(1000.0);
    let mut bob = Phone::start(&towns.folder, &bob, &["answer"]);
    bob.peer.wait_for("\"registered\"", PATIENCE);
    let deed = ["call", "sips:102@b.example", "--hangup-after", "5s"];
    let alice = Phone::start(&towns.folder, &alice, &deed);
    sound::assert_heard(&alice.ends_well(), 1000.0, 440.0);
    sound::assert_heard(&bob.ends_well(), 440.0, 1000.0);
    a.stop();
    b.stop();
}
