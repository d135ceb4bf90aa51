//! Questions and answers as octets (RFC 1035 §4; EDNS, RFC 6891; negative answers, RFC 2308). Reading and writing is done by the
//! `domain` library; here is what we believe of it.

use std::time::Duration;

use domain::base::iana::{Class, Rcode};
use domain::base::message::RecordSection;
use domain::base::{Message, MessageBuilder, Name, ParsedName, Rtype};
use domain::rdata::{A, Aaaa, Cname, Naptr as WireNaptr, Soa, Srv as WireSrv};
use protocol::locate::{Data, Domain, Found, Kind, Lookup, Naptr, Record, Srv};

use crate::limits;

/// Whether a question says that it understands larger answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edns {
    /// Answers of [`PAYLOAD`] octets are fine.
    Yes,
    /// For servers that do not understand that: 512 octets.
    No,
}

/// What a server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// An answer, and how long it may be kept.
    Answer(Found, Duration),
    /// The answer does not fit into a datagram: ask by TCP.
    Truncated,
    /// The server does not understand EDNS.
    NoEdns,
    /// The server cannot answer, or what it says makes no sense: ask another.
    Useless,
    /// Not an answer to this question.
    Strange,
}

/// Octets of the largest answer by UDP: fits unfragmented nearly everywhere.
pub const PAYLOAD: u16 = 1_232;

/// Writes a question; `None` when the name cannot be asked for.
pub fn query(id: u16, lookup: &Lookup, edns: Edns) -> Option<Vec<u8>> {
    let name: Name<Vec<u8>> = lookup.name.as_str().parse().ok()?;
    let mut message = MessageBuilder::new_vec();
    message.header_mut().set_id(id);
    message.header_mut().set_rd(true);
    let mut question = message.question();
    question.push((name, rtype(lookup.kind))).ok()?;
    let mut additional = question.additional();
    if edns == Edns::Yes {
        additional
            .opt(|opt| {
                opt.set_udp_payload_size(PAYLOAD);
                Ok(())
            })
            .ok()?;
    }
    Some(additional.finish())
}

/// Reads what came back. Never panics, and looks at no more records than [`protocol::limits::DNS_RECORDS`].
pub fn read(octets: &[u8], id: u16, lookup: &Lookup) -> Reply {
    let Ok(message) = Message::from_slice(octets) else { return Reply::Strange };
    if !is_answer_to(message, id, lookup) {
        return Reply::Strange;
    }
    if message.header().tc() {
        return Reply::Truncated;
    }
    match message.header().rcode() {
        Rcode::NOERROR | Rcode::NXDOMAIN => answer(message).unwrap_or(Reply::Useless),
        Rcode::FORMERR => Reply::NoEdns,
        _ => Reply::Useless,
    }
}

fn is_answer_to(message: &Message<[u8]>, id: u16, lookup: &Lookup) -> bool {
    let header = message.header();
    if header.id() != id || !header.qr() {
        return false;
    }
    match message.sole_question() {
        Ok(question) => {
            question.qtype() == rtype(lookup.kind)
                && question.qclass() == Class::IN
                && domain(question.qname()).as_ref() == Some(&lookup.name)
        }
        // Some servers leave out the question when they do not understand it.
        Err(_) => header.rcode() == Rcode::FORMERR && message.header_counts().qdcount() == 0,
    }
}

fn answer(message: &Message<[u8]>) -> Option<Reply> {
    let mut records = Vec::new();
    let mut ttl = limits::LONGEST_TTL;
    for record in message.answer().ok()?.take(protocol::limits::DNS_RECORDS) {
        let record = record.ok()?;
        if record.class() != Class::IN {
            continue;
        }
        let (Some(owner), Some(data)) = (domain(&record.owner()), data(&record)?) else { continue };
        ttl = ttl.min(seconds(record.ttl().as_secs()));
        records.push(Record { owner, data });
    }
    if !records.is_empty() {
        return Some(Reply::Answer(Found::Records(records), ttl));
    }
    let header = message.header();
    let said = soa(message.authority().ok()?);
    match said {
        Some(ttl) => Some(Reply::Answer(Found::Nothing, ttl.min(limits::LONGEST_NEGATIVE_TTL))),
        // Neither an answer nor an authority: it only knows somebody who might know.
        None if !header.ra() && !header.aa() => None,
        None => Some(Reply::Answer(Found::Nothing, limits::FAILURE_TTL)),
    }
}

type WireRecord<'a> = domain::base::record::ParsedRecord<'a, [u8]>;

/// What a record says. `Some(None)`: nothing of interest; `None`: it cannot be read, and nothing after it can be trusted.
fn data(record: &WireRecord<'_>) -> Option<Option<Data>> {
    match record.rtype() {
        Rtype::A => {
            let read = record.to_record::<A>().ok()??;
            Some(Some(Data::A(read.data().addr())))
        }
        Rtype::AAAA => {
            let read = record.to_record::<Aaaa>().ok()??;
            Some(Some(Data::Aaaa(read.data().addr())))
        }
        Rtype::CNAME => {
            let read = record.to_record::<Cname<ParsedName<&[u8]>>>().ok()??;
            Some(domain(read.data().cname()).map(Data::Alias))
        }
        Rtype::SRV => {
            let read = record.to_record::<WireSrv<ParsedName<&[u8]>>>().ok()??;
            let srv = read.data();
            Some(nowhere_or(srv.target()).map(|target| {
                let (priority, weight, port) = (srv.priority(), srv.weight(), srv.port());
                Data::Srv(Srv { priority, weight, port, target })
            }))
        }
        Rtype::NAPTR => {
            let read = record.to_record::<WireNaptr<&[u8], ParsedName<&[u8]>>>().ok()??;
            let naptr = read.data();
            Some(nowhere_or(naptr.replacement()).map(|replacement| {
                Data::Naptr(Naptr {
                    order: naptr.order(),
                    preference: naptr.preference(),
                    flags: text(naptr.flags().as_slice()),
                    service: text(naptr.services().as_slice()),
                    regexp: text(naptr.regexp().as_slice()),
                    replacement,
                })
            }))
        }
        _ => Some(None),
    }
}

/// How long "nothing" may be kept: the SOA's own time, or its minimum if that is shorter (RFC 2308 §5).
fn soa(authority: RecordSection<'_, [u8]>) -> Option<Duration> {
    let records = authority.take(protocol::limits::DNS_RECORDS);
    records.map_while(Result::ok).find_map(|record| {
        let soa = record.to_record::<Soa<ParsedName<&[u8]>>>().ok()??;
        Some(seconds(soa.ttl().as_secs().min(soa.data().minimum().as_secs())))
    })
}

/// RFC 2181 §8: a time with its first bit set is none.
fn seconds(ttl: u32) -> Duration {
    Duration::from_secs(if ttl > u32::MAX / 2 { 0 } else { ttl.into() })
}

fn domain(name: &ParsedName<&[u8]>) -> Option<Domain> {
    Domain::of(&name.to_string())
}

/// `Some(None)` for "."; `None` for a name that we could not look up.
fn nowhere_or(name: &ParsedName<&[u8]>) -> Option<Option<Domain>> {
    if name.is_root() { Some(None) } else { domain(name).map(Some) }
}

fn text(octets: &[u8]) -> Box<str> {
    String::from_utf8_lossy(octets).into()
}

const fn rtype(kind: Kind) -> Rtype {
    match kind {
        Kind::A => Rtype::A,
        Kind::Aaaa => Rtype::AAAA,
        Kind::Srv => Rtype::SRV,
        Kind::Naptr => Rtype::NAPTR,
    }
}
