//! `c=`: where media goes (RFC 8866 §5.7).

use std::net::IpAddr;

use crate::read::{Field, Row};
use crate::{Address, ParseError, write};

/// `c=<nettype> <addrtype> <connection-address>[/<ttl>][/<number of addresses>]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The address, or the first of them.
    pub address: Address,
    /// Time to live of IPv4 multicast.
    pub ttl: Option<u8>,
    /// How many addresses in a row, for multicast in layers; kept and without meaning for unicast.
    pub count: Option<u32>,
}

impl Connection {
    /// The old way to put somebody on hold: `0.0.0.0` (RFC 3264 §8.4), or `::`.
    pub fn is_nowhere(&self) -> bool {
        self.address.ip().is_some_and(|address| address.is_unspecified())
    }

    /// Whether many may listen there.
    pub fn is_multicast(&self) -> bool {
        self.address.ip().is_some_and(|address| address.is_multicast())
    }

    pub(crate) fn read(row: &Row<'_>) -> Result<Self, ParseError> {
        let mut fields = row.fields("c=")?;
        let (network, family) =
            (fields.need("network type in c=")?, fields.need("address type in c=")?);
        let (host, mut more) = fields.need("address in c=")?.cut('/');
        fields.end("end of c=")?;
        let address = Address::of(network, family, host, "address in c=")?;
        let v4 = !matches!(address.ip(), Some(IpAddr::V6(_)));
        let mut ttl = None;
        if let Some(field) = more.filter(|_| v4) {
            let (first, rest) = field.cut('/');
            ttl = Some(first.number("ttl in c=")?);
            more = rest;
        }
        let count =
            more.map(|field| Field::number(&field, "number of addresses in c=")).transpose()?;
        Ok(Self { address, ttl, count })
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        write::begin(out, b'c');
        self.address.write(out);
        let ttl = self.ttl.map(u32::from);
        for number in [ttl, self.count].into_iter().flatten() {
            out.push(b'/');
            write::number(out, number);
        }
        write::end(out);
    }
}

impl From<IpAddr> for Connection {
    fn from(address: IpAddr) -> Self {
        Self { address: address.into(), ttl: None, count: None }
    }
}
