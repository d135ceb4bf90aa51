//! `Core`: what everybody asks of a message, read once when it is checked: its top Via, From, To and CSeq.
//!
//! Each remembers its row and where its parts stand in the value of that row, so it stays true when the row moves.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU16;

use crate::header::{CSeq, From, Marks, NameAddr, Source, To, Usual, Via, ViaTransport};
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

/// Some octets of a value, counted from its beginning: from one on, and to the one before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct At {
    from: u16,
    behind: NonZeroU16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ViaAt {
    transport: Usual,
    host: HostAt,
    port: Option<u16>,
    params: At,
    branch: Option<At>,
    source: Source<At>,
    load: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HostAt {
    Name(At),
    Number(Ipv4Addr),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct AddressAt {
    display: Option<At>,
    uri: At,
    params: At,
    tag: Option<At>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CSeqAt {
    number: u32,
    /// Its place among those that have a name here.
    method: u8,
}

impl Core {
    /// Notes the top Via. One of a transport that we do not speak, or of an IPv6 address, is read again by who wants it.
    pub(crate) fn note_via(&mut self, place: Place<'_>, via: &Via<'_>, marks: &Marks<'_>) {
        let Some(transport) = via.transport.usual() else { return };
        let host = match via.host {
            Host::Name(name) => HostAt::Name(place.at(name.as_bytes())),
            Host::Ip(IpAddr::V4(ip)) => HostAt::Number(ip),
            Host::Ip(IpAddr::V6(_)) => return,
        };
        let params = place.at(via.params.as_bytes());
        let branch = marks.branch.filter(|branch| !branch.is_empty()).map(|at| place.at(at));
        let branch = branch.filter(|branch| branch.is_called(NAME_OF_BRANCH, place.value));
        let source = marks.source.map(|name| place.at(name));
        let (port, load) = (via.port, marks.load);
        self.via = Some(place.holds(ViaAt { transport, host, port, params, branch, source, load }));
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
        let method = Method::place(cseq.method.as_str().as_bytes());
        self.cseq = method.map(|method| place.holds(CSeqAt { number: cseq.number, method }));
    }

    /// Row `from` of `old` is row `to` now, and as it was.
    #[inline]
    pub(crate) fn follow(&mut self, old: &Self, from: usize, to: usize) {
        let to = offset(to);
        let here = |row: u16| usize::from(row) == from;
        if let Some(known) = old.via.as_ref().filter(|known| here(known.row)) {
            self.via = Some(Known { row: to, ..*known });
        }
        if let Some(known) = old.from.as_ref().filter(|known| here(known.row)) {
            self.from = Some(Known { row: to, ..*known });
        }
        if let Some(known) = old.to.as_ref().filter(|known| here(known.row)) {
            self.to = Some(Known { row: to, ..*known });
        }
        if let Some(known) = old.cseq.as_ref().filter(|known| here(known.row)) {
            self.cseq = Some(Known { row: to, ..*known });
        }
    }

    /// Octets came into a row, at an octet of its value. The top Via grows in its parameters; of any other, and of a Via that grew
    /// elsewhere, nothing is known any more.
    pub(crate) fn grown(&mut self, row: usize, place: usize, text: &[u8]) {
        let other = |known: u16| usize::from(known) != row;
        self.from = self.from.filter(|known| other(known.row));
        self.to = self.to.filter(|known| other(known.row));
        self.cseq = self.cseq.filter(|known| other(known.row));
        let Some(via) = self.via.as_mut().filter(|via| usize::from(via.row) == row) else { return };
        let ViaAt { params, branch, source, .. } = &mut via.parts;
        if place > params.to() {
            // In a neighbour.
            return;
        }
        if !source.is_filled(place, text) {
            // It may say other things now.
            return self.via = None;
        }
        let by = offset(text.len());
        match branch {
            Some(branch) if place > branch.to() => {}
            Some(branch)
                if place.saturating_add(NAME_OF_BRANCH.len()) <= usize::from(branch.from) =>
            {
                branch.move_by(by);
            }
            // Within it.
            Some(_) | None => return self.via = None,
        }
        if place > usize::from(params.from) {
            params.grow_by(by);
        } else {
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
            HostAt::Number(ip) => Host::Ip(ip.into()),
        };
        let params = Params::new(parts.params.of(value));
        let transport = ViaTransport(parts.transport.as_str());
        Some(Via { transport, host, port: parts.port, params })
    }

    /// The branch of the top Via.
    pub(crate) fn branch<'a>(&self, message: &'a Message) -> Option<&'a [u8]> {
        let Known { row, parts } = self.via?;
        Some(parts.branch?.of(message.octets_of(row)?))
    }

    /// What the top Via says, but for its branches.
    pub(crate) fn marks<'a>(&self, message: &'a Message) -> Option<Marks<'a>> {
        let Known { row, parts } = self.via?;
        let value = message.octets_of(row)?;
        let source = parts.source.map(|name| name.of(value));
        Some(Marks { source, load: parts.load, ..Marks::default() })
    }

    /// The tag of From.
    pub(crate) fn tag_of_from<'a>(&self, message: &'a Message) -> Option<Option<&'a [u8]>> {
        self.from.as_ref()?.tag(message)
    }

    /// The tag of To.
    pub(crate) fn tag_of_to<'a>(&self, message: &'a Message) -> Option<Option<&'a [u8]>> {
        self.to.as_ref()?.tag(message)
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
        Some(CSeq { number, method: Method::at(method)? })
    }
}

/// What stands before a branch.
const NAME_OF_BRANCH: &[u8] = b";branch=";

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
        let behind = NonZeroU16::MIN.saturating_add(offset(from.saturating_add(part.len())));
        At { from: offset(from), behind }
    }

    fn address(self, address: &NameAddr<'_>) -> AddressAt {
        AddressAt {
            display: address.display.map(|display| self.at(display)),
            uri: self.at(address.uri),
            params: self.at(address.params.as_bytes()),
            tag: address.tag().map(|tag| self.at(tag)),
        }
    }
}

impl Known<AddressAt> {
    /// The tag, if there is one.
    fn tag<'a>(&self, message: &'a Message) -> Option<Option<&'a [u8]>> {
        let value = message.octets_of(self.row)?;
        Some(self.parts.tag.map(|tag| tag.of(value)))
    }
}

impl At {
    fn of(self, value: &[u8]) -> &[u8] {
        value.get(usize::from(self.from)..self.to()).unwrap_or_default()
    }

    /// True when just this stands before it.
    fn is_called(self, name: &[u8], value: &[u8]) -> bool {
        let before = value.get(..usize::from(self.from)).unwrap_or_default();
        let at = before.len().checked_sub(name.len());
        at.and_then(|at| before.get(at..)).is_some_and(|it| it.eq_ignore_ascii_case(name))
    }

    /// Where it ends.
    fn to(self) -> usize {
        usize::from(self.behind.get()).saturating_sub(1)
    }

    const fn grow_by(&mut self, by: u16) {
        self.behind = self.behind.saturating_add(by);
    }

    const fn move_by(&mut self, by: u16) {
        self.from = self.from.saturating_add(by);
        self.grow_by(by);
    }
}

impl Source<At> {
    /// True when a port, and maybe where it was received from, came in behind the `rport` that waited for it, and nothing else.
    fn is_filled(&mut self, place: usize, text: &[u8]) -> bool {
        let waited = matches!(self, Self::Blank(name) if name.to() == place);
        let Some((b"=", port)) = text.split_at_checked(1) else { return false };
        let digits = port.iter().take_while(|octet| octet.is_ascii_digit()).count();
        let rest = port.get(digits..).unwrap_or_default();
        let is_octet = |octet: &u8| octet.is_ascii_digit() || *octet == b'.';
        let is_address = |ip: &[u8]| ip.iter().all(is_octet);
        let fits = rest.is_empty() || rest.strip_prefix(b";received=").is_some_and(is_address);
        *self = Self::Rport;
        waited && digits > 0 && fits
    }
}

impl<Name> Source<Name> {
    fn map<Other>(self, to: impl FnOnce(Name) -> Other) -> Source<Other> {
        match self {
            Self::Unsaid => Source::Unsaid,
            Self::Received => Source::Received,
            Self::Blank(name) => Source::Blank(to(name)),
            Self::Rport => Source::Rport,
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Route;
    use crate::{Edit, Header as _};

    const VIAS: [&str; 4] = [
        "SIP/2.0/UDP a.example:5060;branch=z9hG4bK1;rport",
        "SIP/2.0/TCP [2001:db8::1] ;x=\"a;b\" ; branch=z9hG4bK2, SIP/2.0/UDP c",
        "SIP/2.0/FOO 192.0.2.1;branch",
        "SIP / 2.0 / UDP 192.0.2.1:7;OC-seq=1.2",
    ];
    const ADDRESSES: [&str; 4] =
        ["\"A \\\" B\" <sip:a@h>;tag=1", "sip:a@h;x=y;tag=2", "<sip:a@h>", "A <sip:a@h;lr> ;tag"];

    fn messages() -> impl Iterator<Item = Message> {
        let all = VIAS.iter().flat_map(|via| {
            let both = ADDRESSES.iter().flat_map(|from| ADDRESSES.map(|to| (*from, to)));
            both.map(move |(from, to)| (*via, from, to))
        });
        all.map(|(via, from, to)| {
            let wire = format!(
                "FOO sip:b@h SIP/2.0\r\nRoute: <sip:r>\r\nTo: {to}\r\nVia: {via}\r\nVia: SIP/2.0/UDP z\r\nCSeq: 7 FOO\r\n\
                 From: {from}\r\nCall-ID: x\r\n\r\n"
            );
            let mut message = Message::parse(wire.replace("FOO", ["FOO", "BYE"][to.len() % 2])).unwrap();
            message.checked().unwrap();
            message
        })
    }

    /// Whoever asks a message that was checked hears what it would hear of one that was not.
    fn agrees(message: &Message) {
        let unread = Message::parse(message.wire().clone()).unwrap();
        assert_eq!(message.get::<Via<'_>>(), unread.get::<Via<'_>>());
        assert_eq!(message.get::<From<'_>>(), unread.get::<From<'_>>());
        assert_eq!(message.get::<To<'_>>(), unread.get::<To<'_>>());
        assert_eq!(message.get::<CSeq<'_>>(), unread.get::<CSeq<'_>>());
        assert_eq!(message.via_marks(), unread.via_marks());
        assert_eq!(message.branch(), unread.branch());
        assert_eq!(message.from_tag(), unread.from_tag());
        assert_eq!(message.to_tag(), unread.to_tag());
    }

    #[test]
    fn what_is_known_is_what_is_read_also_when_the_message_has_changed() {
        let changes: [fn(&mut Edit<'_>); 6] = [
            |edit| _ = edit.push_raw(Name::Via, b"SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK9"),
            |edit| _ = edit.remove_first(Name::Via),
            |edit| _ = edit.replace_raw(Name::From, b"<sip:z@h>;tag=9"),
            |edit| {
                _ = edit.remove_first(Name::Route).append(&CSeq { number: 9, method: Method::Bye });
            },
            |edit| _ = edit.request_uri(b"sip:somebody-else@h").push_raw(Name::To, b"<sip:y@h>"),
            |edit| _ = edit.push_raw(Route::NAME, b"<sip:q>"),
        ];
        for message in messages() {
            agrees(&message);
            for change in changes {
                let mut edit = message.edit();
                change(&mut edit);
                agrees(&edit.finish().unwrap());
            }
        }
    }

    #[test]
    fn what_is_known_is_what_is_read_wherever_the_message_grows() {
        let texts = [&b"1"[..], b"=1;received=2", b";branch=other"];
        let places = |message: &Message| 0..message.wire().len();
        for message in messages() {
            for (place, text) in places(&message).flat_map(|at| texts.map(|text| (at, text))) {
                let mut grown = message.clone();
                grown.insert_behind(place, |out| out.extend_from_slice(text));
                agrees(&grown);
            }
        }
    }
}
