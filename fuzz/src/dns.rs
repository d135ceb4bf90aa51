//! An answer of the DNS: it is read or refused, and whatever it says, a search ends within its limits.

use dns::wire::{Edns, Reply, query, read};
use machine::Dice;
use protocol::locate::{Domain, Families, Found, Hop, Kind, Lookup, Means, Search, Step};
use protocol::{Transport, limits};
use sip::Uri;

/// What is asked: the question of the samples, and ours.
const ASKED: [(&str, Kind, &[u8]); 4] = [
    ("_sip._udp.example.com", Kind::Srv, b"sip:example.com;transport=udp"),
    ("a.test", Kind::Naptr, b"sip:a.test"),
    ("a.test", Kind::A, b"sip:a.test:5060"),
    ("a.test", Kind::Aaaa, b"sips:a.test:5061"),
];

/// A whole answer; and, behind the header and the question of ours, anything at all: the first five octets are flags and counts.
pub fn run(octets: &[u8]) {
    for (name, kind, uri) in ASKED {
        let Some(name) = Domain::of(name) else { return };
        let lookup = Lookup { name, kind };
        let id = octets.first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
        take(octets, id, &lookup, uri);
        let Some(mut answer) = query(7, &lookup, Edns::No) else { return };
        if let Some((flags, rest)) = octets.split_first_chunk::<5>() {
            let header =
                [0, 7, flags[0] | 0x80, flags[1], 0, 1, 0, flags[2], 0, flags[3], 0, flags[4]];
            answer.splice(..header.len(), header);
            answer.extend_from_slice(rest);
            take(&answer, 7, &lookup, uri);
        }
    }
}

fn take(octets: &[u8], id: u16, lookup: &Lookup, uri: &[u8]) {
    let Reply::Answer(found, ttl) = read(octets, id, lookup) else { return };
    assert!(ttl <= dns::limits::LONGEST_TTL);
    if let Found::Records(records) = &found {
        assert!((1..=limits::DNS_RECORDS).contains(&records.len()));
    }
    let hop = Uri::parse(uri).ok().and_then(|uri| Hop::of_uri(uri.sip()?).ok());
    let Some(hop) = hop else { return };
    let transports = vec![Transport::Udp, Transport::Tcp, Transport::Tls];
    let mut search = Search::new(hop, Means { transports, families: Families::Both });
    let (mut dice, mut asked) = (Dice::new(1), 0);
    while let Step::Ask(lookups) = search.step() {
        asked += lookups.len();
        for one in lookups {
            let found = if one == *lookup { found.clone() } else { Found::Nothing };
            search.answer(&one, found, &mut dice);
        }
    }
    assert!(asked <= limits::LOOKUPS);
    if let Ok(targets) = search.so_far() {
        assert!((1..=limits::TARGETS).contains(&targets.len()));
        assert!(targets.iter().all(|target| target.address.port() != 0));
        assert!(
            uri.starts_with(b"sip:") || targets.iter().all(|target| target.transport.is_secure())
        );
    }
}
