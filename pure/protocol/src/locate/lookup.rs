//! `Lookup`: a question to the DNS; `Found`: what came of it (RFC 1035, RFC 2782, RFC 3403).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::Domain;

/// A question to the DNS.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lookup {
    /// Of which name.
    pub name: Domain,
    /// Which records.
    pub kind: Kind,
}

/// Which records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// Servers of a service.
    Srv,
    /// Services of a domain.
    Naptr,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The records of the answer, aliases too, in the order in which they came.
    Records(Vec<Record>),
    /// There is no such name, or it has no such records.
    Nothing,
    /// Nobody answered, or the answer was that the question could not be answered.
    Failed,
}

/// A record of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose record it is.
    pub owner: Domain,
    /// What it says.
    pub data: Data,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// CNAME: look there instead.
    Alias(Domain),
    /// A.
    A(Ipv4Addr),
    /// AAAA.
    Aaaa(Ipv6Addr),
    /// SRV.
    Srv(Srv),
    /// NAPTR.
    Naptr(Naptr),
}

/// A server of a service (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srv {
    /// Lower ones are tried first.
    pub priority: u16,
    /// Its share of the load among those of its priority.
    pub weight: u16,
    /// Its port.
    pub port: u16,
    /// Its host; `None` for ".": decidedly no such service.
    pub target: Option<Domain>,
}

/// A service of a domain (RFC 3403 §4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naptr {
    /// Lower ones come first; once one matches, higher ones are not looked at.
    pub order: u16,
    /// Among those of an order: lower ones come first.
    pub preference: u16,
    /// `s`: the replacement has SRV records.
    pub flags: Box<str>,
    /// `SIP+D2U`, `SIPS+D2T`, …
    pub service: Box<str>,
    /// A rewriting rule; empty for SIP.
    pub regexp: Box<str>,
    /// Where to look next; `None` for ".".
    pub replacement: Option<Domain>,
}
