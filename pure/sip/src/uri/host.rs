//! `Host` and `HostPort`: where a URI or a Via points (RFC 3261 §25.1 hostport; RFC 5118 for IPv6).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::ParseError;
use crate::octets::find;
use crate::row::decimal;
use crate::scan::{Scan, ascii, is_host};

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
        let text = scan.take_while(is_host);
        let (mut label, mut after) = (0, 0);
        // One dot may stand at the end; none at the beginning, and no two together.
        while let Some(dot) = text.get(after..).and_then(|rest| find(b'.', rest)) {
            if dot == 0 {
                return Err(error);
            }
            (label, after) = (after, after + dot + 1);
        }
        let last = text.get(if after < text.len() { after } else { label }..).unwrap_or_default();
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
    let (mut address, mut dots, mut part, mut digits, mut length) = (0_u32, 0, 0_u32, 0, 0);
    for octet in text {
        match octet {
            // As everybody reads it: 010 would be eight for some.
            b'0'..=b'9' if digits < 3 && (part > 0 || digits == 0) => {
                part = part * 10 + u32::from(octet - b'0');
                digits += 1;
            }
            b'.' if digits > 0 && dots < 3 && part < 256 => {
                address = address << 8 | part;
                (dots, part, digits) = (dots + 1, 0, 0);
            }
            other if is_host(*other) => return None,
            _ => break,
        }
        length += 1;
    }
    let whole = dots == 3 && digits > 0 && part < 256;
    whole.then(|| ((address << 8 | part).into(), length))
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
