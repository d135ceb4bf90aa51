//! How much there is to do, and what is done about it below the messages.

use std::time::Duration;

use memchr::{memchr, memchr_iter, memchr2_iter};
use sip::stream::Plain;

/// How it goes with what comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How long ago everything that had come was read last.
    pub waited: Duration,
    /// Datagrams that were thrown away since, because there was no room for them.
    pub lost: u64,
    /// How much is told next, requests or not.
    pub read: u64,
    /// More has come that is not read yet.
    pub unread: bool,
}

/// What need not be read of what comes. A datagram is judged by its octets, so that its repeats meet the same fate; what comes by TCP or
/// TLS is never repeated: there one is left out as often as the share says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deafness {
    /// So many of the [parts](part) of all requests that begin something: those below.
    pub share: u16,
    /// By what the parts are told from each other: an odd number. Who does not know it cannot choose one.
    pub key: u32,
    /// But none that calls one of these.
    pub spared: Box<[Box<str>]>,
    /// So many datagrams at most are to wait unread on a socket, whatever they are; `None`: as many as it has room for.
    pub room: Option<u32>,
}

impl Deafness {
    /// Does it concern this request? One that begins something, calls nobody who is spared, and tells of nothing begun before. What is
    /// doubtful it does not.
    pub fn concerns(&self, plain: &Plain<'_>) -> bool {
        let begins = plain.head().first_chunk().is_some_and(|word| BEGINNING.contains(&word));
        begins && !self.spares(called(plain.head())) && !plain.rows().any(tells_of_more)
    }

    /// The same for a datagram, of which the kernel looks at the first octets alone. What it cannot judge is read: a NOTIFY or a REFER, a URI
    /// that is neither `sip`, `sips` nor `tel` or has a `%` at the beginning of its user, a number that begins and ends as one that is spared, a
    /// datagram that ends before it is told.
    pub fn concerns_datagram(&self, datagram: &[u8]) -> bool {
        let method = datagram.first_chunk().and_then(|word: &[u8; 4]| {
            JUDGED.iter().find(|(begin, _)| *begin == word).map(|(_, length)| *length as usize)
        });
        let looked_at = datagram.get(..looked_at(datagram)).filter(|head| !head.is_empty());
        let (Some(method), Some(head)) = (method, looked_at) else { return false };
        let begun =
            |at: usize| datagram.get(at..).unwrap_or_default().first_chunk().is_some_and(is_begun);
        let called = datagram.get(method + 1..).and_then(after_scheme);
        let called = called.is_some_and(|user| {
            let first = user.get(..DIGITS).unwrap_or(user);
            !first.contains(&b'%') && !self.spared.iter().any(|one| resembles(user, one.as_bytes()))
        });
        // In small letters a line feed is a star: what has one there the kernel lets pass too.
        called && !memchr2_iter(b'\n', b'*', head).any(begun)
    }

    /// Is somebody spared called, however the URI is written?
    fn spares(&self, called: &[u8]) -> bool {
        let mut parts = called.splitn(2, |octet| *octet == b':');
        let (scheme, rest) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let user = number(rest);
        let is_doubtful = scheme.eq_ignore_ascii_case(b"urn") || user.contains(&b'%');
        is_doubtful || self.is_spared(user)
    }

    fn is_spared(&self, user: &[u8]) -> bool {
        self.spared.iter().any(|spared| user == spared.as_bytes())
    }
}

/// The URI of a request line.
fn called(request: &[u8]) -> &[u8] {
    let uri = memchr(b' ', request).and_then(|at| request.get(at + 1..)).unwrap_or_default();
    memchr(b' ', uri).and_then(|end| uri.get(..end)).unwrap_or(uri)
}

/// The number that is called, of what follows the scheme.
fn number(called: &[u8]) -> &[u8] {
    called.split(|octet| BEHIND_NUMBER.contains(octet)).next().unwrap_or_default()
}

/// Is what follows the scheme as long as a number, and does it begin and end like it? By no more the kernel tells long ones from each other.
fn resembles(called: &[u8], number: &[u8]) -> bool {
    let Some((called, behind)) = called.split_at_checked(number.len()) else { return false };
    let first = called.get(..4).unwrap_or(called);
    number.starts_with(first)
        && called.last_chunk::<4>() == number.last_chunk()
        && behind.first().is_some_and(|octet| BEHIND_NUMBER.contains(octet))
}

/// What follows the scheme of a URI that calls a number, or somebody's name.
fn after_scheme(uri: &[u8]) -> Option<&[u8]> {
    SCHEMES.iter().find_map(|scheme| {
        let (head, rest) = uri.split_at_checked(scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then_some(rest)
    })
}

/// Does what begins with a row tell by that row of something begun before? So does the tag of whoever is called.
fn tells_of_more(row: &[u8]) -> bool {
    match row {
        [b'T' | b't', ..] => has_tag(row),
        [first, second, third, ..] => is_begun(&[b'\n', *first, *second, *third]),
        _ => false,
    }
}

/// Do a line feed and the beginning of a row tell of something begun before?
fn is_begun(word: &[u8; 4]) -> bool {
    let small = |word: &[u8; 4]| u32::from_be_bytes(*word) | SMALL;
    BEGUN.iter().any(|begun| small(begun) == small(word))
}

/// Does a row that may be that of To have a tag?
fn has_tag(row: &[u8]) -> bool {
    let row = memchr(b'\n', row).and_then(|end| row.get(..end)).unwrap_or(row);
    let Some((name, to)) = memchr(b':', row).and_then(|at| row.split_at_checked(at)) else {
        return false;
    };
    let name = name.trim_ascii_end();
    let is_tag = |at: usize| {
        let word: Option<&[u8; 3]> = to.get(at..).and_then(<[u8]>::first_chunk);
        word.is_some_and(|word| word.eq_ignore_ascii_case(b"tag"))
    };
    (name.eq_ignore_ascii_case(b"To") || name.eq_ignore_ascii_case(b"t"))
        && memchr2_iter(b't', b'T', to).any(is_tag)
}

/// Methods that begin something, by their first letters.
pub const BEGINNING: [&[u8; 4]; 8] =
    [b"INVI", b"REGI", b"OPTI", b"SUBS", b"MESS", b"PUBL", b"NOTI", b"REFE"];

/// Those of which the kernel may drop datagrams, and how long their names are. A NOTIFY and a REFER mostly go on with something, which the tag
/// in To would say; for that it cannot look.
pub const JUDGED: [(&[u8; 4], u32); 6] =
    [(b"INVI", 6), (b"REGI", 8), (b"OPTI", 7), (b"SUBS", 9), (b"MESS", 7), (b"PUBL", 7)];

/// Schemes of URIs that call a number, or somebody by name.
pub const SCHEMES: [&[u8]; 3] = [b"sip:", b"tel:", b"sips:"];

/// What may stand behind a number.
pub const BEHIND_NUMBER: [u8; 4] = *b"@:; ";

/// Numbers that are spared, at most, and octets of each: with as many the kernel's filter just has room for what else it is to do. E.164 has 15
/// digits, and a plus.
pub const SPARED: usize = 64;
/// See [`SPARED`].
pub const DIGITS: usize = 16;

/// Headers that tell of something begun before, after their line feed: Route, Authorization, Proxy-Authorization.
pub const BEGUN: [&[u8; 4]; 3] = [b"\nRou", b"\nAut", b"\nPro"];

/// Does a response say that a phone is registered? Whoever has heard that from us is no stranger.
pub fn welcomes(response: &[u8]) -> bool {
    let says = |at: usize| {
        let row = response.get(at + 1..)?;
        let row = row.strip_prefix(b"CSeq:")?.split(|octet| *octet == b'\r').next()?;
        Some(row.ends_with(b" REGISTER"))
    };
    response.starts_with(b"SIP/2.0 200 ")
        && memchr_iter(b'\n', response).find_map(says).unwrap_or(false)
}

/// Does a request register somebody, or renew that?
pub fn registers(request: &[u8]) -> bool {
    request.starts_with(b"REGISTER ")
}

/// Into so many parts the requests fall.
pub const PARTS: u16 = 1024;

/// The first octets of a request say to which part it belongs. A filter of Linux takes 4,096 instructions.
pub const LOOKED_AT: u32 = 600;

/// So many are looked at or none, for such a filter may not look behind the end.
pub const BLOCK: u32 = 40;

/// Behind a block stand so many more at least: a word begins at each octet of it.
pub const BEHIND: u32 = 3;

/// After each block the first bits are mixed into the last ones, which they would not reach by multiplication.
pub const FOLD: u32 = 15;

/// With what the number is multiplied at the end, so that its first bits depend on all (2³² by the golden ratio).
pub const SPREAD: u32 = 0x9e37_79b1;

/// Capital letters and small ones become the same, four at once. (And a line feed becomes a `*`.)
pub const SMALL: u32 = 0x2020_2020;

/// How much of a request is looked at.
fn looked_at(request: &[u8]) -> usize {
    let blocks = request.len().saturating_sub(BEHIND as usize) / BLOCK as usize;
    (blocks * BLOCK as usize).min(LOOKED_AT as usize)
}

/// To which part a request belongs. A repeat is the same octets, and belongs to the same.
pub fn part(key: u32, request: &[u8]) -> u16 {
    let (blocks, _) =
        request.get(..looked_at(request)).unwrap_or_default().as_chunks::<{ BLOCK as usize }>();
    let mix = |number: u32, word: &[u8; 4]| {
        (number ^ (u32::from_be_bytes(*word) | SMALL)).wrapping_mul(key | 1)
    };
    let number = blocks.iter().fold(0, |number, block| {
        let (words, _) = block.as_chunks();
        let number = words.iter().fold(number, mix);
        number ^ number >> FOLD
    });
    let place = number.wrapping_mul(SPREAD) >> (u32::BITS - PARTS.ilog2());
    u16::try_from(place).unwrap_or_default()
}
