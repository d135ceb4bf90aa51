//! Header names, their compact forms, and which are comma lists (RFC 3261 §7.3, §20, and the registry).

/// Whether several values may stand in one row, separated by commas (RFC 3261 §7.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grammar {
    /// `#value`: commas separate elements.
    List,
    /// One value a row; a comma is part of it.
    Single,
}

macro_rules! names {
    ($($variant:ident $long:literal $short:literal $grammar:ident),* $(,)?) => {
        /// A header name that we know. Any other row is `Other`, kept as it came.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Name {
            $(#[doc = concat!("`", $long, "`")] $variant,)*
            /// A name that is not in the table.
            Other,
        }

        /// One table instead of four matches: long form, compact form, grammar.
        const TABLE: &[(&str, &str, Name, Grammar)] =
            &[$(($long, $short, Name::$variant, Grammar::$grammar)),*];

        impl Name {
            /// The long form; empty for `Other`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $long,)* Self::Other => "" }
            }

            /// How a row begins that has this name.
            pub(crate) const fn beginning_of_row(self) -> &'static str {
                match self { $(Self::$variant => concat!($long, ": "),)* Self::Other => "-: " }
            }

            /// Whether commas separate elements.
            pub(crate) const fn grammar(self) -> Grammar {
                match self { $(Self::$variant => Grammar::$grammar,)* Self::Other => Grammar::Single }
            }
        }
    };
}

names! {
    Via "Via" "v" List, From "From" "f" Single, To "To" "t" Single, CallId "Call-ID" "i" Single,
    CSeq "CSeq" "" Single, MaxForwards "Max-Forwards" "" Single, Contact "Contact" "m" List,
    ContentLength "Content-Length" "l" Single, ContentType "Content-Type" "c" Single,
    Route "Route" "" List, RecordRoute "Record-Route" "" List,
    Authorization "Authorization" "" Single, ProxyAuthorization "Proxy-Authorization" "" Single,
    WwwAuthenticate "WWW-Authenticate" "" Single, ProxyAuthenticate "Proxy-Authenticate" "" Single,
    AuthenticationInfo "Authentication-Info" "" Single, ProxyAuthenticationInfo "Proxy-Authentication-Info" "" Single,
    Expires "Expires" "" Single, MinExpires "Min-Expires" "" Single, Supported "Supported" "k" List,
    Require "Require" "" List, ProxyRequire "Proxy-Require" "" List, Unsupported "Unsupported" "" List,
    Allow "Allow" "" List, UserAgent "User-Agent" "" Single, Server "Server" "" Single,
    Accept "Accept" "" List, AcceptEncoding "Accept-Encoding" "" List, AcceptLanguage "Accept-Language" "" List,
    AlertInfo "Alert-Info" "" List, CallInfo "Call-Info" "" List, ContentDisposition "Content-Disposition" "" Single,
    ContentEncoding "Content-Encoding" "e" List, ContentLanguage "Content-Language" "" List, Date "Date" "" Single,
    ErrorInfo "Error-Info" "" List, InReplyTo "In-Reply-To" "" List, MimeVersion "MIME-Version" "" Single,
    Organization "Organization" "" Single, Priority "Priority" "" Single, ReplyTo "Reply-To" "" Single,
    RetryAfter "Retry-After" "" Single, Subject "Subject" "s" Single, Timestamp "Timestamp" "" Single,
    Warning "Warning" "" List,
    RAck "RAck" "" Single, RSeq "RSeq" "" Single, Event "Event" "o" Single, AllowEvents "Allow-Events" "u" List,
    SubscriptionState "Subscription-State" "" Single, ReferTo "Refer-To" "r" Single, ReferredBy "Referred-By" "b" Single,
    ReferSub "Refer-Sub" "" Single, Replaces "Replaces" "" Single, Join "Join" "" Single,
    TargetDialog "Target-Dialog" "" Single, SessionExpires "Session-Expires" "x" Single, MinSe "Min-SE" "" Single,
    Path "Path" "" List, ServiceRoute "Service-Route" "" List, FlowTimer "Flow-Timer" "" Single,
    PAssertedIdentity "P-Asserted-Identity" "" List, PPreferredIdentity "P-Preferred-Identity" "" List,
    Privacy "Privacy" "" Single, Reason "Reason" "" List, Diversion "Diversion" "" List,
    HistoryInfo "History-Info" "" List, Identity "Identity" "y" List, IdentityInfo "Identity-Info" "n" Single,
    SecurityClient "Security-Client" "" List, SecurityServer "Security-Server" "" List,
    SecurityVerify "Security-Verify" "" List, AcceptContact "Accept-Contact" "a" List,
    RejectContact "Reject-Contact" "j" List, RequestDisposition "Request-Disposition" "d" List,
    SipETag "SIP-ETag" "" Single, SipIfMatch "SIP-If-Match" "" Single, MaxBreadth "Max-Breadth" "" Single,
    InfoPackage "Info-Package" "" Single, RecvInfo "Recv-Info" "" List, SessionId "Session-ID" "" Single,
    PAssociatedUri "P-Associated-URI" "" List, GeolocationRouting "Geolocation-Routing" "" Single,
    Geolocation "Geolocation" "" List, ResourcePriority "Resource-Priority" "" List,
    AcceptResourcePriority "Accept-Resource-Priority" "" List, AnswerMode "Answer-Mode" "" Single,
}

/// A set of names: one look at it spares a look at every row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names([u64; 2]);

impl Names {
    /// Those of some rows.
    pub(crate) fn of(names: impl Iterator<Item = Name>) -> Self {
        let [mut low, mut high] = [0; 2];
        for name in names {
            match name as u8 {
                at @ 0..64 => low |= 1 << at,
                at => high |= 1 << (at % 64),
            }
        }
        Self([low, high])
    }

    /// True when it is among them.
    #[inline]
    pub(crate) const fn has(self, name: Name) -> bool {
        let Self([low, high]) = self;
        match name as u8 {
            at @ 0..64 => low >> at & 1 == 1,
            at => high >> (at % 64) & 1 == 1,
        }
    }
}

/// Two words have room for all of them.
const _: () = assert!((Name::Other as u8) < 128);

impl Name {
    /// Recognises a name as it stands on the wire, long or compact, in any case.
    pub fn of(wire: &[u8]) -> Self {
        let mut row = [0; ROOM];
        match row.get_mut(..=wire.len()) {
            Some([name @ .., colon]) => {
                name.copy_from_slice(wire);
                *colon = b':';
            }
            // Longer than any that we know.
            _ => return Self::Other,
        }
        Self::beginning(&row).map_or(Self::Other, |(name, _)| name)
    }

    /// Recognises the name that a row begins with, when its colon stands right behind it; and where that stands.
    #[inline]
    pub(crate) fn beginning(row: &[u8; ROOM]) -> Option<(Self, usize)> {
        let mut next = FIRST.get(slot(row)).copied();
        while let Some(at) = next.map(usize::from)
            && let Some(entry) = ENTRIES.get(at)
        {
            if entry.begins(row) {
                return Some((entry.name, usize::from(entry.length)));
            }
            next = Some(entry.next);
        }
        let [letter, b':', ..] = row else { return None };
        let short = SHORT.get(usize::from(*letter)).and_then(|at| ENTRIES.get(usize::from(*at)));
        short.map(|entry| (entry.name, 1))
    }

    /// Every known name with its compact form (empty where it has none).
    pub fn table() -> impl Iterator<Item = (Self, &'static str, &'static str)> {
        TABLE.iter().map(|&(long, short, name, _)| (name, long, short))
    }
}

/// Octets of the longest name that is looked for, with its colon: four words.
pub(crate) const ROOM: usize = 8 * WORDS;

const WORDS: usize = 4;

/// A name of the table with its colon, as words to compare a row with: letters in any case, all else as it is.
struct Entry {
    /// Which bits of the row to set first: the one that makes a letter small.
    small: [u64; WORDS],
    /// Which bits of the row count.
    counts: [u64; WORDS],
    /// What they must be.
    text: [u64; WORDS],
    name: Name,
    length: u8,
    /// The next entry whose name begins alike.
    next: u8,
}

impl Entry {
    #[inline]
    fn begins(&self, row: &[u8; ROOM]) -> bool {
        let words = row.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
        let parts = self.small.iter().zip(&self.counts).zip(&self.text);
        let different = words.zip(parts).fold(0, |all, (word, ((small, counts), text))| {
            all | (((word | small) ^ text) & counts)
        });
        different == 0
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "done while compiling: a wrong index does not compile"
    )]
    const fn of(row: &(&str, &str, Name, Grammar), next: u8) -> Self {
        let (mut small, mut counts, mut text) = ([0; ROOM], [0; ROOM], [0; ROOM]);
        let name = row.0.as_bytes();
        let mut at = 0;
        while at < name.len() {
            small[at] = if name[at].is_ascii_alphabetic() { 0x20 } else { 0 };
            counts[at] = 0xff;
            text[at] = name[at].to_ascii_lowercase();
            at += 1;
        }
        (counts[at], text[at]) = (0xff, b':');
        let (small, counts, text) = (words(&small), words(&counts), words(&text));
        Self { small, counts, text, name: row.2, length: name.len() as u8, next }
    }
}

#[expect(clippy::indexing_slicing, reason = "done while compiling: a wrong index does not compile")]
const fn words(octets: &[u8; ROOM]) -> [u64; WORDS] {
    let (mut words, mut at) = ([0; WORDS], 0);
    while at < WORDS {
        words[at] = u64::from_le_bytes(octets.as_chunks::<8>().0[at]);
        at += 1;
    }
    words
}

/// Entries are found by their first three letters.
const SLOTS: usize = 256;

const NONE: u8 = u8::MAX;

#[inline]
const fn slot(row: &[u8; ROOM]) -> usize {
    let [first, second, third, ..] = row;
    let letters = u32::from_le_bytes([*first | 0x20, *second | 0x20, *third | 0x20, 0]);
    // The golden ratio: what is alike is spread.
    (letters.wrapping_mul(0x9E37_79B9) >> 24) as usize
}

/// For each slot the first entry.
static FIRST: [u8; SLOTS] = INDEX.0;

/// For each octet the entry whose compact form it is.
static SHORT: [u8; 256] = INDEX.1;

static ENTRIES: [Entry; TABLE.len()] = INDEX.2;

#[expect(clippy::indexing_slicing, reason = "done while compiling: a wrong index does not compile")]
const INDEX: ([u8; SLOTS], [u8; 256], [Entry; TABLE.len()]) = {
    let (mut first, mut short) = ([NONE; SLOTS], [NONE; 256]);
    let mut entries = [const { Entry::of(&TABLE[0], NONE) }; TABLE.len()];
    // From the end, so that of names that begin alike those come first that the table has first.
    let mut at = TABLE.len();
    while at > 0 {
        at -= 1;
        let (name, compact) = (TABLE[at].0.as_bytes(), TABLE[at].1.as_bytes());
        let mut row = [b':'; ROOM];
        (row[0], row[1]) = (name[0], name[1]);
        row[2] = if name.len() > 2 { name[2] } else { b':' };
        let slot = slot(&row);
        entries[at] = Entry::of(&TABLE[at], first[slot]);
        first[slot] = at as u8;
        if let [letter] = compact {
            short[*letter as usize] = at as u8;
            short[letter.to_ascii_uppercase() as usize] = at as u8;
        }
    }
    (first, short, entries)
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_begin_alike_are_few() {
        let chain = |first: &u8| {
            let after = |at: &u8| ENTRIES.get(usize::from(*at)).map(|entry| entry.next);
            std::iter::successors(Some(*first), after).count() - 1
        };
        assert!(FIRST.iter().all(|first| chain(first) <= 9));
        assert!(TABLE.iter().all(|(long, short, ..)| long.len() < ROOM && short.len() < 2));
    }

    #[test]
    fn one_octet_less_or_other_is_another_name() {
        let is_none = |wire: &[u8]| assert_eq!(Name::of(wire), Name::Other, "{wire:?}");
        let names = Name::table().map(|(_, long, _)| long.as_bytes());
        for (long, at) in names.flat_map(|long| (0..long.len()).map(move |at| (long, at))) {
            let (before, after) = (&long[..at], &long[at + 1..]);
            for octet in [b'\r', b'_', b' ', 0, long[at] ^ 0x80, long[at] ^ 1] {
                is_none(&[before, &[octet], after].concat());
            }
            if long.len() > 2 {
                is_none(&[before, after].concat());
            }
        }
    }

    #[test]
    fn trap_23_every_form_of_every_name_is_recognised_in_any_case() {
        for (name, long, short) in Name::table() {
            assert_eq!(Name::of(long.to_ascii_uppercase().as_bytes()), name);
            assert_eq!(name.as_str(), long);
            if !short.is_empty() {
                assert_eq!(Name::of(short.to_ascii_uppercase().as_bytes()), name);
            }
        }
        for other in [&b""[..], b"X-Unknown", b"z", b"-", b"Vi", b"Cseq ", b"CSeq\r"] {
            assert_eq!(Name::of(other), Name::Other);
        }
    }
}
