//! `Host` and `HostPort`: where a URI or a Via points (RFC 3261 §25.1 hostport; RFC 5118 for IPv6).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::ParseError;
use crate::row::decimal;
use crate::scan::{Scan, ascii, is_host, is_label};

/// `host = hostname / IPv4address / IPv6reference`
#[derive(Clone, Copy, Debug)]
pub enum Host<'a> {
    /// A name to be looked up.
    Name(&'a str),
    /// A number.
    Ip(IpAddr),
}

/// `hostport`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostPort<'a> {
    /// The host.
    pub host: Host<'a>,
    /// The port, when one is written.
    pub port: Option<u16>,
}

impl<'a> Host<'a> {
    /// Reads a host that stands alone. An IPv6 address may come without brackets (as in `received`).
    pub fn parse(text: &'a [u8]) -> Result<Self, ParseError> {
        let bare = ascii(text).and_then(|text| text.parse::<Ipv6Addr>().ok());
        if let Some(ip) = bare {
            return Ok(Self::Ip(ip.into()));
        }
        let mut scan = Scan::new(text, "host");
        let host = Self::read(&mut scan)?;
        scan.end()?;
        Ok(host)
    }

    /// Reads a host at the cursor.
    pub(crate) fn read(scan: &mut Scan<'a>) -> Result<Self, ParseError> {
        let error = scan.error();
        if scan.eat(b'[') {
            let text = ascii(scan.take_until(b']')).ok_or(error)?;
            scan.expect(b']')?;
            return text.parse::<Ipv6Addr>().map(|ip| Self::Ip(ip.into())).map_err(|_| error);
        }
        let rest = scan.rest();
        // Most hosts are numbers; what is no number after all is judged below.
        if let Some((ip, length)) = ipv4(rest) {
            scan.take(length);
            return Ok(Self::Ip(ip.into()));
        }
        name(scan).map(Host::Name)
    }

    /// The number, when it is one.
    pub const fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(ip) => Some(*ip),
            Self::Name(_) => None,
        }
    }
}

/// `hostname`: labels with dots between, and one may stand at the end. A name whose last label begins with a digit would be an IPv4
/// address (RFC 3261 §25.1 toplabel).
fn name<'a>(scan: &mut Scan<'a>) -> Result<&'a str, ParseError> {
    let (error, from) = (scan.error(), scan.at());
    let mut last = scan.take_while(is_label);
    let starts_well = !last.starts_with(b"-");
    while !last.is_empty() && scan.eat(b'.') {
        match scan.take_while(is_label) {
            // The one at the end.
            [] if scan.peek() != Some(b'.') => break,
            label => last = label,
        }
    }
    if !starts_well || !last.first().is_some_and(u8::is_ascii_alphabetic) {
        return Err(error);
    }
    std::str::from_utf8(scan.since(from)).map_err(|_| error)
}

/// An IPv4 address at the beginning of a text, and how long it is. Nothing, when it goes on as a name could.
pub(super) fn ipv4(text: &[u8]) -> Option<(Ipv4Addr, usize)> {
    let (a, rest) = part(text)?;
    let (b, rest) = part(after_dot(rest)?)?;
    let (c, rest) = part(after_dot(rest)?)?;
    let (d, rest) = part(after_dot(rest)?)?;
    let goes_on = rest.first().is_some_and(|octet| is_host(*octet));
    (!goes_on).then(|| ([a, b, c, d].into(), text.len().wrapping_sub(rest.len())))
}

const fn after_dot(text: &[u8]) -> Option<&[u8]> {
    match text {
        [b'.', rest @ ..] => Some(rest),
        _ => None,
    }
}

/// A number below 256, as everybody reads it: 010 would be eight for some, so nothing follows a 0.
#[inline(always)]
fn part(text: &[u8]) -> Option<(u8, &[u8])> {
    let digit = |octet: &u8| octet.wrapping_sub(b'0');
    let [first, rest @ ..] = text else { return None };
    let first = digit(first);
    if first.wrapping_sub(1) > 8 {
        return (first == 0).then_some((0, rest));
    }
    let (second, more) = match rest {
        [second, more @ ..] if digit(second) < 10 => (digit(second), more),
        _ => return Some((first, rest)),
    };
    let two = first.wrapping_mul(10).wrapping_add(second);
    match more {
        [third, rest @ ..] if digit(third) < 10 => {
            let below_256 = two < 25 || two == 25 && digit(third) < 6;
            below_256.then(|| (two.wrapping_mul(10).wrapping_add(digit(third)), rest))
        }
        _ => Some((two, more)),
    }
}

/// Names are compared without regard to case; an IPv4 address mapped into IPv6 is that address.
impl<'a> PartialEq for Host<'a> {
    fn eq(&self, other: &Self) -> bool {
        let plain = |name: &'a str| name.strip_suffix('.').unwrap_or(name);
        match (self, other) {
            (Self::Name(a), Self::Name(b)) => plain(a).eq_ignore_ascii_case(plain(b)),
            (Self::Ip(a), Self::Ip(b)) => a.to_canonical() == b.to_canonical(),
            _ => false,
        }
    }
}

impl Eq for Host<'_> {}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Ip(IpAddr::V4(ip)) => ip.fmt(f),
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
        }
    }
}

impl<'a> HostPort<'a> {
    /// Reads a hostport that stands alone.
    pub fn parse(text: &'a [u8]) -> Result<Self, ParseError> {
        let mut scan = Scan::new(text, "host");
        let hostport = Self::read(&mut scan)?;
        scan.end()?;
        Ok(hostport)
    }

    /// Writes it.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self.host {
            Host::Name(name) => out.extend_from_slice(name.as_bytes()),
            Host::Ip(IpAddr::V4(ip)) => {
                for part in ip.octets() {
                    decimal(part.into(), out);
                    out.push(b'.');
                }
                out.pop();
            }
            Host::Ip(IpAddr::V6(ip)) => out.extend_from_slice(format!("[{ip}]").as_bytes()),
        }
        if let Some(port) = self.port {
            out.push(b':');
            decimal(port.into(), out);
        }
    }

    /// Reads a hostport at the cursor; blanks around the colon are allowed, as in a Via.
    pub(crate) fn read(scan: &mut Scan<'a>) -> Result<Self, ParseError> {
        let host = Host::read(scan)?;
        let port = if scan.eat_spaced(b':') { Some(scan.number()?) } else { None };
        Ok(Self { host, port })
    }

    /// The address, when the host is a number; with this port when none is written.
    pub fn address(&self, default_port: u16) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.host.ip()?, self.port.unwrap_or(default_port)))
    }
}

impl From<SocketAddr> for HostPort<'static> {
    fn from(address: SocketAddr) -> Self {
        Self { host: Host::Ip(address.ip()), port: Some(address.port()) }
    }
}

impl fmt::Display for HostPort<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.host.fmt(f)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_numbers() {
        let text = |text: &str| HostPort::parse(text.as_bytes()).map(|host| host.to_string()).ok();
        for good in ["a.example", "a-b.c", "192.0.2.1:5060", "[2001:db8::1]:5061", "a_b.example"] {
            assert_eq!(text(good).as_deref(), Some(good));
            let mut out = Vec::new();
            HostPort::parse(good.as_bytes()).unwrap().write(&mut out);
            assert_eq!(out, good.as_bytes());
        }
        for bad in ["", "[::1", "1.2.3", "256.1.1.1", "a:99999", "a:", ".a", "a..b", "[::1%eth0]"] {
            assert_eq!(text(bad), None, "{bad}");
        }
        assert_eq!(Host::parse(b"::ffff:192.0.2.1").unwrap(), Host::parse(b"192.0.2.1").unwrap());
    }
}
