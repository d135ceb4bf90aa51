//! BIND, a name server that nobody here wrote, answers the resolver on loopback (Debian: bind9).

#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too: what cannot go on stops here"
)]

mod bind;

use std::sync::mpsc::channel;
use std::time::Duration;

use bind::Named;
use offhook_dns::{Resolver, Servers, Settings};
use protocol::Transport;
use protocol::locate::{Families, Hop, Means};
use sip::Uri;

const PATIENCE: Duration = Duration::from_secs(30);

fn resolver(named: &Named) -> Resolver {
    let servers = Servers::These(vec![named.address]);
    Resolver::start(Settings { servers, hosts: None, ..Settings::default() }, 9).unwrap()
}

fn find(resolver: &Resolver, uri: &str) -> String {
    let hop = Hop::of_uri(Uri::parse(uri.as_bytes()).unwrap().sip().unwrap()).unwrap();
    let transports = vec![Transport::Udp, Transport::Tcp, Transport::Tls];
    let (told, heard) = channel();
    let means = Means { transports, families: Families::Both };
    resolver.locate(hop, means, move |outcome| drop(told.send(outcome)));
    match heard.recv_timeout(PATIENCE).unwrap() {
        Ok(targets) => targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        Err(why) => format!("{why:?}"),
    }
}

#[test]
fn a_domain_is_located_with_bind() {
    let zone = "
@ IN NAPTR 10 10 \"s\" \"SIPS+D2T\" \"\" _sips._tcp
@ IN NAPTR 20 10 \"s\" \"SIP+D2T\" \"\" _sip._tcp
@ IN A 192.0.2.9
_sips._tcp IN SRV 0 1 5061 one
_sip._tcp IN SRV 1 1 5070 two
_sip._tcp IN SRV 0 1 5070 one
one IN A 192.0.2.1
one IN AAAA 2001:db8::1
two IN CNAME really
really IN A 192.0.2.2
_sip._udp.shut IN SRV 0 0 0 .
shut IN A 192.0.2.5
";
    let Some(named) = Named::start("domain", zone) else { return };
    let resolver = resolver(&named);
    for (uri, expected) in [
        ("sip:a.test", "TLS [2001:db8::1]:5061, TLS 192.0.2.1:5061"),
        ("sips:A.Test.", "TLS [2001:db8::1]:5061, TLS 192.0.2.1:5061"),
        (
            "sip:a.test;transport=tcp",
            "TCP [2001:db8::1]:5070, TCP 192.0.2.1:5070, TCP 192.0.2.2:5070",
        ),
        ("sip:a.test:5080", "UDP 192.0.2.9:5080"),
        ("sip:two.a.test", "UDP 192.0.2.2:5060"),
        ("sip:shut.a.test;transport=udp", "NotOffered"),
        ("sip:nobody.a.test", "Unknown"),
        // Not its zone: it refuses.
        ("sip:b.test:5060", "NoAnswer"),
    ] {
        assert_eq!(find(&resolver, uri), expected, "{uri}");
    }
    // All of that is kept, also that there is nobody.
    let sent = resolver.counts().sent.get();
    find(&resolver, "sip:a.test");
    find(&resolver, "sip:nobody.a.test");
    assert_eq!(resolver.counts().sent.get(), sent);
}

/// RFC 6116 §3: the records of a number, as BIND writes them on the wire.
#[test]
fn a_number_has_services_with_bind() {
    let zone = r#"
8.4.1.0 IN NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:info@a.test!" .
8.4.1.0 IN NAPTR 100 20 "u" "E2U+sip" "!^(.*)$!sip:\\1@a.test!" .
"#;
    let Some(named) = Named::start("enum", zone) else { return };
    let resolver = resolver(&named);
    let services = |name: &str| {
        let (told, heard) = channel();
        let name = protocol::locate::Domain::of(name).unwrap();
        resolver.services(name, move |found| drop(told.send(found)));
        heard.recv_timeout(PATIENCE).unwrap().unwrap()
    };
    let mut found = services("8.4.1.0.a.test");
    found.sort_by_key(|service| service.preference);
    let rules: Vec<_> = found.iter().map(|service| &*service.regexp).collect();
    assert_eq!(rules, ["!^.*$!sip:info@a.test!", r"!^(.*)$!sip:\1@a.test!"]);
    assert_eq!((&*found[0].flags, &*found[0].service), ("u", "E2U+sip"));
    assert!(services("9.a.test").is_empty());
}

#[test]
fn a_long_answer_of_bind_comes_by_tcp() {
    let mut zone: String =
        (0..90).map(|at| format!("_sip._udp IN SRV {at} 1 5060 host-number-{at}\n")).collect();
    zone += "host-number-0 IN A 192.0.2.1\n";
    let Some(named) = Named::start("long", &zone) else { return };
    let resolver = resolver(&named);
    assert_eq!(find(&resolver, "sip:a.test;transport=udp"), "UDP 192.0.2.1:5060");
    assert_eq!(resolver.counts().long.get(), 1);
}
