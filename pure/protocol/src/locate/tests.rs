//! The whole decision, against a table of records.

use std::collections::BTreeMap;

use machine::Dice;
use sip::Uri;

use super::*;
use crate::limits;
use crate::transport::Transport;

/// Records written like a zone: `name type data…`; `!` instead of data: the look-up fails.
#[derive(Default)]
struct Zone {
    found: BTreeMap<Lookup, Found>,
    asked: Vec<String>,
}

fn name(text: &str) -> Domain {
    Domain::of(text).unwrap()
}

fn host(text: &str) -> Option<Domain> {
    Domain::of(text)
}

impl Zone {
    fn of(text: &str) -> Self {
        let mut zone = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let kind = match words[1] {
                "A" => Kind::A,
                "AAAA" => Kind::Aaaa,
                "SRV" => Kind::Srv,
                "NAPTR" => Kind::Naptr,
                "CNAME" => {
                    zone.alias(&name(words[0]), &name(words[2]));
                    continue;
                }
                other => panic!("{other}"),
            };
            let lookup = Lookup { name: name(words[0]), kind };
            let data = match (words[1], words[2]) {
                (_, "!") => {
                    zone.found.insert(lookup, Found::Failed);
                    continue;
                }
                ("A", ip) => Data::A(ip.parse().unwrap()),
                ("AAAA", ip) => Data::Aaaa(ip.parse().unwrap()),
                ("SRV", priority) => Data::Srv(Srv {
                    priority: priority.parse().unwrap(),
                    weight: words[3].parse().unwrap(),
                    port: words[4].parse().unwrap(),
                    target: host(words[5]),
                }),
                (_, order) => Data::Naptr(Naptr {
                    order: order.parse().unwrap(),
                    preference: words[3].parse().unwrap(),
                    flags: words[4].trim_matches('"').into(),
                    service: words[5].trim_matches('"').into(),
                    regexp: words[6].trim_matches('"').into(),
                    replacement: host(words[7]),
                }),
            };
            let found = zone.found.entry(lookup.clone()).or_insert(Found::Records(Vec::new()));
            if let Found::Records(records) = found {
                records.push(Record { owner: lookup.name, data });
            }
        }
        zone
    }

    fn alias(&mut self, owner: &Domain, to: &Domain) {
        for kind in [Kind::A, Kind::Aaaa, Kind::Srv, Kind::Naptr] {
            let record = Record { owner: owner.clone(), data: Data::Alias(to.clone()) };
            let lookup = Lookup { name: owner.clone(), kind };
            self.found.insert(lookup, Found::Records(vec![record]));
        }
    }

    fn search(&mut self, hop: Hop, means: Means) -> Result<Vec<Target>, Unlocated> {
        let mut dice = Dice::new(1);
        let mut search = Search::new(hop, means);
        while let Step::Ask(lookups) = search.step() {
            for lookup in lookups {
                self.asked.push(format!("{} {:?}", lookup.name, lookup.kind));
                let found = self.found.get(&lookup).cloned().unwrap_or(Found::Nothing);
                search.answer(&lookup, found, &mut dice);
            }
        }
        match search.step() {
            Step::Done(done) => done,
            step => panic!("everything is answered: {step:?}"),
        }
    }

    /// The targets of a URI, as words.
    fn find(&mut self, uri: &str, means: Means) -> String {
        self.asked.clear();
        let hop = Hop::of_uri(Uri::parse(uri.as_bytes()).unwrap().sip().unwrap());
        match hop.and_then(|hop| self.search(hop, means)) {
            Ok(targets) => targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            Err(why) => format!("{why:?}"),
        }
    }
}

fn all() -> Means {
    let transports =
        vec![Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss];
    Means { transports, families: Families::Both }
}

fn only(transports: &[Transport]) -> Means {
    Means { transports: transports.to_vec(), families: Families::Both }
}

const EXAMPLE: &str = r#"
    example.com NAPTR 50 50 "s" "SIPS+D2T" "" _sips._tcp.example.com
    example.com NAPTR 90 50 "s" "SIP+D2T" "" _sip._tcp.example.com
    example.com NAPTR 100 50 "s" "SIP+D2U" "" _sip._udp.example.com
    _sips._tcp.example.com SRV 0 1 5061 server1.example.com
    _sip._tcp.example.com SRV 0 1 5060 server1.example.com
    _sip._tcp.example.com SRV 1 2 5080 server2.example.com
    _sip._udp.example.com SRV 0 1 5060 server1.example.com
    server1.example.com A 192.0.2.1
    server2.example.com A 192.0.2.2
    example.com A 192.0.2.9
"#;

#[test]
fn numbers_need_no_dns() {
    let mut zone = Zone::default();
    for (uri, expected) in [
        ("sip:192.0.2.1", "UDP 192.0.2.1:5060"),
        ("sips:192.0.2.1", "TLS 192.0.2.1:5061"),
        ("sip:192.0.2.1:5080", "UDP 192.0.2.1:5080"),
        ("sips:192.0.2.1:5080;transport=tcp", "TLS 192.0.2.1:5080"),
        ("sip:[2001:db8::1];transport=tcp", "TCP [2001:db8::1]:5060"),
        ("sip:[2001:db8::1];transport=tls", "TLS [2001:db8::1]:5061"),
        ("sip:192.0.2.1;transport=ws", "WS 192.0.2.1:80"),
        ("sips:192.0.2.1;transport=ws", "WSS 192.0.2.1:443"),
        ("sip:a.example;maddr=192.0.2.7", "UDP 192.0.2.7:5060"),
        ("sips:192.0.2.1;transport=udp", "NoTransport"),
        ("sip:192.0.2.1;transport=sctp", "NoTransport"),
        ("sip:192.0.2.1:0", "Unusable"),
    ] {
        assert_eq!(zone.find(uri, all()), expected, "{uri}");
        assert!(zone.asked.is_empty(), "{uri}");
    }
    assert_eq!(
        zone.find("sip:[2001:db8::1]", Means { families: Families::V4, ..all() }),
        "Unusable"
    );
}

#[test]
fn trap_29_naptr_is_asked_first_and_the_best_transport_in_common_is_chosen() {
    let mut zone = Zone::of(EXAMPLE);
    assert_eq!(zone.find("sip:example.com", all()), "TLS 192.0.2.1:5061");
    assert_eq!(
        zone.asked,
        [
            "example.com Naptr",
            "_sips._tcp.example.com Srv",
            "server1.example.com A",
            "server1.example.com Aaaa"
        ]
    );
    let tcp = zone.find("sip:example.com", only(&[Transport::Udp, Transport::Tcp]));
    assert_eq!(tcp, "TCP 192.0.2.1:5060, TCP 192.0.2.2:5080");
    assert_eq!(zone.find("sip:example.com", only(&[Transport::Udp])), "UDP 192.0.2.1:5060");
    assert_eq!(zone.find("sips:example.com", all()), "TLS 192.0.2.1:5061");
    assert_eq!(zone.find("sips:example.com", only(&[Transport::Udp])), "NoTransport");
}

#[test]
fn trap_29_a_port_means_no_srv_and_a_transport_means_no_naptr() {
    let mut zone = Zone::of(EXAMPLE);
    assert_eq!(zone.find("sip:example.com:5060", all()), "UDP 192.0.2.9:5060");
    assert_eq!(zone.asked, ["example.com A", "example.com Aaaa"]);
    assert_eq!(zone.find("sips:example.com:5070", all()), "TLS 192.0.2.9:5070");
    let tcp = zone.find("sip:example.com;transport=tcp", all());
    assert_eq!(tcp, "TCP 192.0.2.1:5060, TCP 192.0.2.2:5080");
    assert_eq!(zone.asked[0], "_sip._tcp.example.com Srv");
    assert_eq!(zone.find("sip:example.com;transport=tls", all()), "TLS 192.0.2.1:5061");
    assert_eq!(zone.find("sips:example.com;transport=tcp", all()), "TLS 192.0.2.1:5061");
}

#[test]
fn equal_orders_are_tried_by_preference_and_other_orders_not_at_all() {
    let mut zone = Zone::of(
        r#"
        a.example NAPTR 10 20 "S" "sip+d2t" "" _sip._tcp.a.example
        a.example NAPTR 10 10 "s" "SIP+D2U" "" _sip._udp.a.example
        a.example NAPTR 20 1 "s" "SIPS+D2T" "" _sips._tcp.a.example
        _sip._udp.a.example SRV 0 0 5060 h.a.example
        _sip._tcp.a.example SRV 0 0 5060 h.a.example
        _sips._tcp.a.example SRV 0 0 5061 h.a.example
        h.a.example A 192.0.2.1
    "#,
    );
    assert_eq!(zone.find("sip:a.example", all()), "UDP 192.0.2.1:5060, TCP 192.0.2.1:5060");
}

#[test]
fn naptr_records_of_others_are_passed_over() {
    let mut zone = Zone::of(
        r#"
        a.example NAPTR 1 1 "u" "E2U+sip" "!^.*$!sip:x@a.example!" .
        a.example NAPTR 2 1 "s" "SIP+D2S" "" _sip._sctp.a.example
        a.example NAPTR 3 1 "s" "SIPS+D2U" "" _sips._udp.a.example
        a.example NAPTR 4 1 "a" "SIP+D2U" "" h.a.example
        a.example NAPTR 5 1 "s" "SIP+D2U" "!a!b!" _sip._udp.a.example
        a.example NAPTR 6 1 "s" "SIP+D2U" "" .
        a.example NAPTR 7 1 "s" "SIP+D2W" "" _sip._ws.a.example
        _sip._ws.a.example SRV 0 0 80 h.a.example
        _sip._udp.a.example SRV 0 0 5066 h.a.example
        h.a.example A 192.0.2.1
    "#,
    );
    assert_eq!(zone.find("sip:a.example", all()), "WS 192.0.2.1:80");
    // None is left: as if there were none.
    assert_eq!(zone.find("sip:a.example", only(&[Transport::Udp])), "UDP 192.0.2.1:5066");
}

#[test]
fn without_naptr_the_services_are_asked_and_without_these_the_addresses() {
    let mut zone = Zone::of(
        "_sip._tcp.a.example SRV 0 0 5070 h.a.example
         h.a.example A 192.0.2.1
         h.a.example AAAA 2001:db8::1
         b.example AAAA 2001:db8::2",
    );
    assert_eq!(zone.find("sip:a.example", all()), "TCP [2001:db8::1]:5070, TCP 192.0.2.1:5070");
    let services = ["_sip._tcp.a.example Srv", "_sip._udp.a.example Srv"];
    assert_eq!(zone.asked[1..3], services);
    assert_eq!(zone.find("sip:b.example", all()), "UDP [2001:db8::2]:5060");
    assert_eq!(zone.find("sips:b.example", all()), "TLS [2001:db8::2]:5061");
    assert_eq!(zone.asked[1], "_sips._tcp.b.example Srv");
    assert_eq!(zone.find("sip:b.example;transport=tcp", all()), "TCP [2001:db8::2]:5060");
    assert_eq!(
        zone.find("sip:b.example", only(&[Transport::Tls, Transport::Tcp])),
        "TCP [2001:db8::2]:5060"
    );
    assert_eq!(zone.find("sip:c.example", all()), "Unknown");
}

#[test]
fn a_service_that_is_denied_is_not_looked_for_elsewhere() {
    let mut zone = Zone::of(
        "_sip._udp.a.example SRV 0 0 0 .
         _sip._tcp.a.example SRV 0 0 0 .
         a.example A 192.0.2.1
         _sip._udp.b.example SRV 0 0 0 .
         b.example A 192.0.2.2",
    );
    assert_eq!(zone.find("sip:a.example", all()), "NotOffered");
    assert_eq!(zone.find("sip:a.example;transport=udp", all()), "NotOffered");
    assert_eq!(zone.find("sip:b.example", all()), "TCP 192.0.2.2:5060");
}

#[test]
fn servers_without_an_address_do_not_hide_the_others() {
    let mut zone = Zone::of(
        "_sip._udp.a.example SRV 0 0 5060 gone.a.example
         _sip._udp.a.example SRV 1 0 0 portless.a.example
         _sip._udp.a.example SRV 2 0 5060 broken.a.example
         _sip._udp.a.example SRV 3 0 5062 h.a.example
         portless.a.example A 192.0.2.7
         broken.a.example A !
         h.a.example A 192.0.2.1
         _sip._udp.b.example SRV 0 0 5060 broken.a.example
         b.example A 192.0.2.8",
    );
    assert_eq!(zone.find("sip:a.example", all()), "UDP 192.0.2.1:5062");
    assert!(!zone.asked.contains(&"portless.a.example A".to_owned()));
    assert_eq!(zone.find("sip:b.example", all()), "NoAnswer");
}

#[test]
fn a_dns_that_cannot_answer_one_kind_is_asked_for_the_next() {
    let mut zone = Zone::of(
        "a.example NAPTR !
         _sip._udp.a.example SRV !
         a.example AAAA !
         a.example A 192.0.2.1
         dead.example NAPTR !
         _sip._udp.dead.example SRV !
         dead.example A !",
    );
    assert_eq!(zone.find("sip:a.example", all()), "UDP 192.0.2.1:5060");
    assert_eq!(zone.find("sip:dead.example", all()), "NoAnswer");
}

#[test]
fn two_hosts_are_never_interleaved() {
    let mut zone = Zone::of(
        "_sip._tcp.example.com SRV 10 1 5060 sip-1.example.com
         _sip._tcp.example.com SRV 20 1 5060 sip-2.example.com
         sip-1.example.com A 192.0.2.45
         sip-1.example.com AAAA 2001:db8:58:c02::face
         sip-1.example.com A 203.0.113.109
         sip-1.example.com AAAA 2001:db8:c:a06::2:cafe
         sip-2.example.com A 192.0.2.75
         sip-2.example.com AAAA 2001:db8:58:c02::dead",
    );
    assert_eq!(
        zone.find("sip:example.com;transport=tcp", all()),
        "TCP [2001:db8:58:c02::face]:5060, TCP [2001:db8:c:a06::2:cafe]:5060, TCP 192.0.2.45:5060, \
         TCP 203.0.113.109:5060, TCP [2001:db8:58:c02::dead]:5060, TCP 192.0.2.75:5060"
    );
}

#[test]
fn aliases_are_followed_and_circles_are_not() {
    let mut zone = Zone::of(
        "a.example CNAME b.example
         b.example CNAME c.example
         c.example A 192.0.2.1
         x.example CNAME y.example
         y.example CNAME x.example",
    );
    assert_eq!(zone.find("sip:a.example:5060", all()), "UDP 192.0.2.1:5060");
    assert_eq!(zone.find("sip:x.example", all()), "Unknown");
    assert!(zone.asked.len() < limits::LOOKUPS, "{:?}", zone.asked);
    let chain: String =
        (0..100).map(|at| format!("n{at}.example CNAME n{}.example\n", at + 1)).collect();
    let mut zone = Zone::of(&chain);
    assert_eq!(zone.find("sip:n0.example:5060", all()), "Unknown");
    assert_eq!(zone.asked.len(), 2 * limits::DNS_ALIASES);
}

#[test]
fn a_thousand_servers_cost_no_more_than_the_limits() {
    let mut text = String::new();
    for server in 0..1_000 {
        text += &format!("_sip._udp.a.example SRV 0 1 5060 h{server}.a.example\n");
        for address in 0..20 {
            text +=
                &format!("h{server}.a.example A 10.{}.{}.{address}\n", server / 256, server % 256);
        }
    }
    let mut zone = Zone::of(&text);
    let found = zone.find("sip:a.example;transport=udp", all());
    assert_eq!(found.split(", ").count(), limits::TARGETS);
    assert_eq!(zone.asked.len(), 1 + 2 * limits::SERVERS);
    // And when each of them has its own alias.
    let mut text = String::new();
    for server in 0..1_000 {
        text += &format!("_sip._udp.a.example SRV 0 1 5060 h{server}.a.example\n");
        text += &format!("h{server}.a.example CNAME i{server}.a.example\n");
    }
    let mut zone = Zone::of(&text);
    assert_eq!(zone.find("sip:a.example;transport=udp", all()), "NoAnswer");
    assert_eq!(zone.asked.len(), limits::LOOKUPS);
}

#[test]
fn what_is_known_so_far_can_be_had_at_any_moment() {
    let mut zone = Zone::of(EXAMPLE);
    let hop = Hop::of_uri(Uri::parse(b"sip:example.com;transport=tcp").unwrap().sip().unwrap());
    let mut search = Search::new(hop.unwrap(), all());
    let mut dice = Dice::new(1);
    assert_eq!(search.so_far(), Err(Unlocated::NoAnswer));
    let service = Lookup { name: name("_sip._tcp.example.com"), kind: Kind::Srv };
    assert_eq!(search.step(), Step::Ask(vec![service.clone()]));
    assert_eq!(search.step(), Step::Wait);
    // What was not asked changes nothing; nor does a second answer.
    let early = Lookup { name: name("server1.example.com"), kind: Kind::A };
    search.answer(&early, zone.found[&early].clone(), &mut dice);
    assert_eq!(search.so_far(), Err(Unlocated::NoAnswer));
    search.answer(&service, zone.found[&service].clone(), &mut dice);
    search.answer(&service, Found::Failed, &mut dice);
    let Step::Ask(asked) = search.step() else { panic!() };
    assert_eq!(asked.len(), 4);
    search.answer(&early, zone.found.remove(&early).unwrap(), &mut dice);
    assert_eq!(search.so_far().unwrap().len(), 1);
    assert_eq!(search.step(), Step::Wait);
    // Its IPv6 address would come first; another server's would not.
    assert!(!search.knows_the_first());
    search.answer(&Lookup { kind: Kind::Aaaa, ..early }, Found::Nothing, &mut dice);
    assert!(search.knows_the_first());
    assert_eq!(search.step(), Step::Wait);
}

#[test]
fn the_order_in_which_addresses_come_changes_nothing() {
    let text: String = (0..8).map(|at| format!("_sip._udp.a.example SRV 0 {at} 5060 h{at}.a.example\nh{at}.a.example A 192.0.2.1{at}\n")).collect();
    let zone = Zone::of(&text);
    let found = |backwards: usize| {
        let hop = Hop::of_uri(Uri::parse(b"sip:a.example;transport=udp").unwrap().sip().unwrap());
        let (mut search, mut dice) = (Search::new(hop.unwrap(), all()), Dice::new(9));
        while let Step::Ask(mut asked) = search.step() {
            if backwards == 1 {
                asked.reverse();
            }
            for lookup in asked {
                let found = zone.found.get(&lookup).cloned().unwrap_or(Found::Nothing);
                search.answer(&lookup, found, &mut dice);
            }
        }
        search.so_far()
    };
    assert_eq!(found(0), found(1));
    assert_eq!(found(0).unwrap().len(), 8);
}

#[test]
fn tls_is_checked_against_what_was_asked_for_and_not_against_what_the_dns_said() {
    let mut zone = Zone::of(
        r#"
        a.example NAPTR 1 1 "s" "SIPS+D2T" "" _sips._tcp.elsewhere.example
        _sips._tcp.elsewhere.example SRV 0 0 5061 evil.example
        evil.example A 192.0.2.66
    "#,
    );
    let hop = Hop::of_uri(Uri::parse(b"sips:A.example").unwrap().sip().unwrap()).unwrap();
    let targets = zone.search(hop, all()).unwrap();
    assert_eq!(targets.len(), 1);
    assert_eq!(&*targets[0].domain, "a.example");
}

#[test]
fn whether_a_domain_offers_tls_is_known_when_it_was_asked() {
    let offer = |text: &str, uri: &str| {
        let mut zone = Zone::of(text);
        let hop = Hop::of_uri(Uri::parse(uri.as_bytes()).unwrap().sip().unwrap()).unwrap();
        let (mut search, mut dice) = (Search::new(hop, all()), Dice::new(1));
        while let Step::Ask(asked) = search.step() {
            for lookup in asked {
                let found = zone.found.remove(&lookup).unwrap_or(Found::Nothing);
                search.answer(&lookup, found, &mut dice);
            }
        }
        search.offer().map(|(_, offer)| offer)
    };
    assert_eq!(offer(EXAMPLE, "sip:example.com"), Some(Offer::Tls));
    assert_eq!(offer("", "sip:example.com"), Some(Offer::NoTls));
    assert_eq!(offer("example.com NAPTR !", "sip:example.com"), None);
    assert_eq!(offer(EXAMPLE, "sip:example.com:5060"), None);
}
