//! `Core`: what everybody asks of a message, read once when it is checked: its top Via, From, To and CSeq.
//!
//! Each remembers its row and where its parts stand in the value of that row, so it stays true when the row moves.

use std::net::IpAddr;

use crate::header::{CSeq, From, NameAddr, To, Via, ViaTransport};
use crate::read::offset;
use crate::uri::Host;
use crate::{Message, Method, Name, Params};

/// What is known of a message; nothing of one that was not checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Core {
    via: Option<Known<ViaAt>>,
    from: Option<Known<AddressAt>>,
    to: Option<Known<AddressAt>>,
    cseq: Option<Known<CSeqAt>>,
}

/// What stands in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known<T> {
    row: u16,
    parts: T,
}

/// Some octets of a value, counted from its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct At {
    from: u16,
    to: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ViaAt {
    transport: &'static str,
    host: HostAt,
    port: Option<u16>,
    params: At,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HostAt {
    Name(At),
    Ip(IpAddr),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct AddressAt {
    display: Option<At>,
    uri: At,
    params: At,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CSeqAt {
    number: u32,
    method: Method<'static>,
}

impl Core {
    /// Notes the top Via. One of a transport that we do not speak is read again by who wants it.
    pub(crate) fn note_via(&mut self, place: Place<'_>, via: &Via<'_>) {
        let Some(transport) = via.transport.usual() else { return };
        let host = match via.host {
            Host::Name(name) => HostAt::Name(place.at(name.as_bytes())),
            Host::Ip(ip) => HostAt::Ip(ip),
        };
        let params = place.at(via.params.as_bytes());
        self.via = Some(place.holds(ViaAt { transport, host, port: via.port, params }));
    }

    /// Notes who asks.
    pub(crate) fn note_from(&mut self, place: Place<'_>, address: &NameAddr<'_>) {
        self.from = Some(place.holds(place.address(address)));
    }

    /// Notes who was asked for.
    pub(crate) fn note_to(&mut self, place: Place<'_>, address: &NameAddr<'_>) {
        self.to = Some(place.holds(place.address(address)));
    }

    /// Notes the CSeq. One of a method without a name here is read again.
    pub(crate) fn note_cseq(&mut self, place: Place<'_>, cseq: &CSeq<'_>) {
        let method = Method::KNOWN.iter().find(|known| **known == cseq.method);
        let (number, method) = (cseq.number, method.copied());
        self.cseq = method.map(|method| place.holds(CSeqAt { number, method }));
    }

    /// Row `from` of `old` is row `to` now, and as it was.
    #[inline]
    pub(crate) fn follow(&mut self, old: &Self, from: usize, to: usize) {
        let to = offset(to);
        let here = |row: u16| usize::from(row) == from;
        if let Some(known) = old.via.filter(|known| here(known.row)) {
            self.via = Some(Known { row: to, ..known });
        }
        if let Some(known) = old.from.filter(|known| here(known.row)) {
            self.from = Some(Known { row: to, ..known });
        }
        if let Some(known) = old.to.filter(|known| here(known.row)) {
            self.to = Some(Known { row: to, ..known });
        }
        if let Some(known) = old.cseq.filter(|known| here(known.row)) {
            self.cseq = Some(Known { row: to, ..known });
        }
    }

    /// So many octets came into a row, at an octet of its value. The top Via grows in its parameters; of any other, and of a Via that
    /// grew elsewhere, nothing is known any more.
    pub(crate) fn grown(&mut self, row: usize, place: usize, by: u16) {
        let other = |known: u16| usize::from(known) != row;
        self.from = self.from.filter(|known| other(known.row));
        self.to = self.to.filter(|known| other(known.row));
        self.cseq = self.cseq.filter(|known| other(known.row));
        let Some(via) = self.via.as_mut().filter(|via| usize::from(via.row) == row) else { return };
        let params = &mut via.parts.params;
        if usize::from(params.from) < place && place <= usize::from(params.to) {
            params.to = params.to.wrapping_add(by);
        } else if place <= usize::from(params.from) {
            self.via = None;
        }
    }

    /// A row of this name has come in: which is the first, must be looked at.
    pub(crate) fn forget(&mut self, name: Name) {
        match name {
            Name::Via => self.via = None,
            Name::From => self.from = None,
            Name::To => self.to = None,
            Name::CSeq => self.cseq = None,
            _ => {}
        }
    }

    /// The top Via.
    pub(crate) fn via<'a>(&self, message: &'a Message) -> Option<Via<'a>> {
        let Known { row, parts } = self.via?;
        let value = message.octets_of(row)?;
        let host = match parts.host {
            HostAt::Name(name) => Host::Name(std::str::from_utf8(name.of(value)).ok()?),
            HostAt::Ip(ip) => Host::Ip(ip),
        };
        let params = Params::new(parts.params.of(value));
        Some(Via { transport: ViaTransport(parts.transport), host, port: parts.port, params })
    }

    /// Who asks.
    pub(crate) fn from<'a>(&self, message: &'a Message) -> Option<From<'a>> {
        let Known { row, parts } = self.from?;
        Some(From(parts.of(message.octets_of(row)?)))
    }

    /// Who was asked for.
    pub(crate) fn to<'a>(&self, message: &'a Message) -> Option<To<'a>> {
        let Known { row, parts } = self.to?;
        Some(To(parts.of(message.octets_of(row)?)))
    }

    /// Its place in its dialog.
    pub(crate) fn cseq(&self) -> Option<CSeq<'static>> {
        let CSeqAt { number, method } = self.cseq?.parts;
        Some(CSeq { number, method })
    }
}

/// A row, and where its value begins in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) row: usize,
    pub(crate) value: &'a [u8],
}

impl Place<'_> {
    const fn holds<T>(self, parts: T) -> Known<T> {
        Known { row: offset(self.row), parts }
    }

    fn at(self, part: &[u8]) -> At {
        let from = (part.as_ptr() as usize).saturating_sub(self.value.as_ptr() as usize);
        At { from: offset(from), to: offset(from + part.len()) }
    }

    fn address(self, address: &NameAddr<'_>) -> AddressAt {
        AddressAt {
            display: address.display.map(|display| self.at(display)),
            uri: self.at(address.uri),
            params: self.at(address.params.as_bytes()),
        }
    }
}

impl At {
    fn of(self, value: &[u8]) -> &[u8] {
        value.get(usize::from(self.from)..usize::from(self.to)).unwrap_or_default()
    }
}

impl AddressAt {
    fn of<'a>(&self, value: &'a [u8]) -> NameAddr<'a> {
        NameAddr {
            display: self.display.map(|display| display.of(value)),
            uri: self.uri.of(value),
            params: Params::new(self.params.of(value)),
        }
    }
}
