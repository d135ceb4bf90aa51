//! Locating SIP servers.

mod section_4;
mod section_4_1;
mod section_4_2;
mod section_5;
mod section_7;

use protocol::locate::{Data, Domain, Families, Hop, Means, Naptr, Srv};
use protocol::{Answer, Transport};
use sip::Uri;
use stage::Names;

/// Records written like a zone file: `name type data…`.
fn zone(text: &str) -> Names {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).fold(
        Names::default(),
        |names, line| {
            let words: Vec<&str> =
                line.split_whitespace().map(|word| word.trim_matches('"')).collect();
            let number = |at: usize| words[at].parse().unwrap();
            let data = match words[1] {
                "A" => Data::A(words[2].parse().unwrap()),
                "AAAA" => Data::Aaaa(words[2].parse().unwrap()),
                "SRV" => Data::Srv(Srv {
                    priority: number(2),
                    weight: number(3),
                    port: number(4),
                    target: Domain::of(words[5]),
                }),
                "NAPTR" => Data::Naptr(Naptr {
                    order: number(2),
                    preference: number(3),
                    flags: words[4].into(),
                    service: words[5].into(),
                    regexp: words[6].into(),
                    replacement: Domain::of(words[7]),
                }),
                other => panic!("{other}"),
            };
            names.with_record(words[0], &data)
        },
    )
}

fn speaking(transports: &[Transport]) -> Means {
    Means { transports: transports.to_vec(), families: Families::Both }
}

fn everything() -> Means {
    speaking(&[Transport::Udp, Transport::Tcp, Transport::Tls])
}

fn hop(uri: &str) -> Hop {
    Hop::of_uri(Uri::parse(uri.as_bytes()).unwrap().sip().unwrap()).unwrap()
}

fn words(answer: &Answer) -> String {
    match answer {
        Answer::Targets(targets) => {
            targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        }
        Answer::Unlocated(why) => why.to_string(),
        other => panic!("{other:?}"),
    }
}

/// Where a URI leads.
fn located(names: &mut Names, uri: &str, means: Means) -> String {
    words(&names.resolve(hop(uri), means))
}

/// The example of §4.1.
const EXAMPLE: &str = r#"
    example.com NAPTR 50 50 "s" "SIPS+D2T" "" _sips._tcp.example.com
    example.com NAPTR 90 50 "s" "SIP+D2T" "" _sip._tcp.example.com
    example.com NAPTR 100 50 "s" "SIP+D2U" "" _sip._udp.example.com
    _sips._tcp.example.com SRV 0 1 5061 server1.example.com
    _sip._tcp.example.com SRV 0 1 5060 server1.example.com
    _sip._tcp.example.com SRV 1 2 5060 server2.example.com
    _sip._udp.example.com SRV 0 1 5060 server1.example.com
    server1.example.com A 192.0.2.1
    server2.example.com A 192.0.2.2
    example.com A 192.0.2.9
"#;
