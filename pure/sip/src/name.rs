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

impl Name {
    /// Recognises a name as it stands on the wire, long or compact, in any case.
    pub fn of(wire: &[u8]) -> Self {
        let mut next = match wire {
            [letter] => SHORT.get(usize::from(*letter)).copied(),
            _ => slot(wire).and_then(|slot| LONG.get(slot)).copied(),
        };
        while let Some(at) = next.map(usize::from)
            && let Some((long, _, name, _)) = TABLE.get(at)
        {
            let long = long.as_bytes();
            if wire.len() == 1 || wire == long || wire.eq_ignore_ascii_case(long) {
                return *name;
            }
            next = NEXT.get(at).copied();
        }
        Self::Other
    }

    /// Every known name with its compact form (empty where it has none).
    pub fn table() -> impl Iterator<Item = (Self, &'static str, &'static str)> {
        TABLE.iter().map(|&(long, short, name, _)| (name, long, short))
    }
}

/// Names are found by length, first, middle and last letter: most slots hold one, and a name is compared once.
const SLOTS: usize = 512;

const NONE: u8 = u8::MAX;

fn slot(wire: &[u8]) -> Option<usize> {
    let (first, last) = (wire.first()?, wire.last()?);
    Some(mix(wire.len(), *first, *wire.get(wire.len() / 2)?, *last))
}

const fn mix(length: usize, first: u8, middle: u8, last: u8) -> usize {
    let (first, middle, last) = (first | 0x20, middle | 0x20, last | 0x20);
    let mixed = length
        .wrapping_mul(MULTIPLIERS.0)
        .wrapping_add((first as usize).wrapping_mul(MULTIPLIERS.1))
        .wrapping_add((middle as usize).wrapping_mul(MULTIPLIERS.2));
    mixed.wrapping_add(last as usize) % SLOTS
}

/// Found by trial; any others would do, with longer chains.
const MULTIPLIERS: (usize, usize, usize) = (1, 35, 24);

/// For each slot the first row of the table, and for each row the next of its slot.
static LONG: [u8; SLOTS] = INDEX.0;
static NEXT: [u8; TABLE.len()] = INDEX.1;

/// For each octet the row whose compact form it is.
static SHORT: [u8; 256] = INDEX.2;

#[expect(clippy::indexing_slicing, reason = "done while compiling: a wrong index does not compile")]
const INDEX: ([u8; SLOTS], [u8; TABLE.len()], [u8; 256]) = {
    let (mut long, mut next, mut short) = ([NONE; SLOTS], [NONE; TABLE.len()], [NONE; 256]);
    let mut at = TABLE.len();
    while at > 0 {
        at -= 1;
        let (name, compact) = (TABLE[at].0.as_bytes(), TABLE[at].1.as_bytes());
        let slot = mix(name.len(), name[0], name[name.len() / 2], name[name.len() - 1]);
        next[at] = long[slot];
        long[slot] = at as u8;
        if let [letter] = compact {
            short[*letter as usize] = at as u8;
            short[letter.to_ascii_uppercase() as usize] = at as u8;
        }
    }
    (long, next, short)
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_compared_once() {
        assert!(
            NEXT.iter().all(|next| *next == NONE),
            "choose other multipliers: two names share a slot"
        );
        assert!(TABLE.iter().all(|(_, short, ..)| short.len() < 2));
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
