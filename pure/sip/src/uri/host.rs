//! `Host` and `HostPort`: where a URI or a Via points (RFC 3261 §25.1 hostport; RFC 5118 for IPv6).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::ParseError;
use crate::row::decimal;
use crate::scan::{Scan, ascii, is_label, number as decimal_of};

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
        let (mut label, mut end) = (0_usize, 0_usize);
        loop {
            let from = end;
            while rest.get(end).is_some_and(|octet| is_label(*octet)) {
                end = end.wrapping_add(1);
            }
            let dot = rest.get(end) == Some(&b'.');
            // One dot may stand at the end; none at the beginning, and no two together.
            if from == end && (end == 0 || dot) {
                return Err(error);
            }
            label = if from == end { label } else { from };
            if !dot {
                break;
            }
            end = end.wrapping_add(1);
        }
        let text = scan.take(end);
        let last = text.get(label..).unwrap_or_default();
        let text = std::str::from_utf8(text).map_err(|_| error)?;
        // A name whose last label begins with a digit would be an IPv4 address (RFC 3261 §25.1 toplabel).
        match last.first() {
            Some(octet) if octet.is_ascii_digit() => {
                text.parse::<Ipv4Addr>().map(|ip| Self::Ip(ip.into())).map_err(|_| error)
            }
            Some(octet) if octet.is_ascii_alphabetic() && !text.starts_with('-') => {
                Ok(Self::Name(text))
            }
            _ => Err(error),
        }
    }

    /// The number, when it is one.
    pub const fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(ip) => Some(*ip),
            Self::Name(_) => None,
        }
    }
}

/// An IPv4 address at the beginning of a text, and how long it is. Nothing, when it goes on as a name could.
fn ipv4(text: &[u8]) -> Option<(Ipv4Addr, usize)> {
    let mut octets = [0_u8; 4];
    let mut rest = text;
    for (place, octet) in octets.iter_mut().enumerate() {
        if place > 0 {
            rest = rest.strip_prefix(b".")?;
        }
        let digits = rest.iter().take(4).take_while(|octet| octet.is_ascii_digit()).count();
        let (number, after) = rest.split_at_checked(digits)?;
        // As everybody reads it: 010 would be eight for some.
        if digits > 1 && number.starts_with(b"0") {
            return None;
        }
        *octet = u8::try_from(decimal_of(number)?).ok()?;
        rest = after;
    }
    let ended = rest.first().is_none_or(|octet| !is_label(*octet) && *octet != b'.');
    ended.then(|| (octets.into(), text.len() - rest.len()))
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
