//! `Address`: network type, address type, address, as `o=`, `c=` and `a=rtcp` have them (RFC 8866 §5.2, §5.7).

use std::net::IpAddr;

use crate::ParseError;
use crate::read::{Field, Fields};
use crate::write;

/// `nettype addrtype unicast-address`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// `IN`, the Internet; others exist and are kept.
    pub network: Box<str>,
    /// `IP4` or `IP6`; others exist and are kept.
    pub family: Box<str>,
    /// An IP address or a name.
    pub host: Box<str>,
}

/// Where somebody is: an address, or a name that has to be resolved first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// An address.
    Ip(IpAddr),
    /// A name.
    Name(Box<str>),
}

impl Address {
    /// The host, if it is on the Internet and is written as its type says; else nothing can be sent there.
    pub fn host(&self) -> Option<Host> {
        if !self.network.eq_ignore_ascii_case("IN") {
            return None;
        }
        let v6 = self.family.eq_ignore_ascii_case("IP6");
        if !v6 && !self.family.eq_ignore_ascii_case("IP4") {
            return None;
        }
        // A zone (RFC 4007 §11) means nothing on another machine.
        let bare = self.host.split_once('%').map_or(&*self.host, |(bare, _)| bare);
        match bare.parse::<IpAddr>() {
            Ok(address) => (address.is_ipv6() == v6).then_some(Host::Ip(address)),
            Err(_) => is_name(&self.host).then(|| Host::Name(self.host.clone())),
        }
    }

    /// The IP address, if it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self.host()? {
            Host::Ip(address) => Some(address),
            Host::Name(_) => None,
        }
    }

    pub(crate) fn read(fields: &mut Fields<'_>, what: &'static str) -> Result<Self, ParseError> {
        let (network, family, host) = (fields.need(what)?, fields.need(what)?, fields.need(what)?);
        Self::of(network, family, host, what)
    }

    pub(crate) fn of(
        network: Field<'_>,
        family: Field<'_>,
        host: Field<'_>,
        what: &'static str,
    ) -> Result<Self, ParseError> {
        let address = Self { network: network.boxed(), family: family.boxed(), host: host.boxed() };
        // Other networks have addresses that we do not know; on ours an address that nobody can use is a mistake.
        let ours = address.network.eq_ignore_ascii_case("IN");
        if ours && address.host().is_none() { Err(host.bad(what)) } else { Ok(address) }
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        write::field(out, &self.network);
        write::space(out);
        write::field(out, &self.family);
        write::space(out);
        write::field(out, &self.host);
    }
}

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        let family = if address.is_ipv6() { "IP6" } else { "IP4" };
        Self { network: "IN".into(), family: family.into(), host: address.to_string().into() }
    }
}

/// A domain name of RFC 1035, with the underscores that people use. One without any letter is a mistyped address.
fn is_name(text: &str) -> bool {
    text.bytes().any(|octet| octet.is_ascii_alphabetic())
        && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-._".contains(&octet))
}
