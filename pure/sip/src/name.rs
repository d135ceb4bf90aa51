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
        let matches = |form: &str| !form.is_empty() && wire.eq_ignore_ascii_case(form.as_bytes());
        TABLE
            .iter()
            .find(|(long, short, ..)| matches(long) || matches(short))
            .map_or(Self::Other, |row| row.2)
    }

    /// Every known name with its compact form (empty where it has none).
    pub fn table() -> impl Iterator<Item = (Self, &'static str, &'static str)> {
        TABLE.iter().map(|&(long, short, name, _)| (name, long, short))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_23_every_form_of_every_name_is_recognised_in_any_case() {
        for (name, long, short) in Name::table() {
            assert_eq!(Name::of(long.to_ascii_uppercase().as_bytes()), name);
            assert_eq!(name.as_str(), long);
            if !short.is_empty() {
                assert_eq!(Name::of(short.to_ascii_uppercase().as_bytes()), name);
            }
        }
        assert_eq!(Name::of(b""), Name::Other);
        assert_eq!(Name::of(b"X-Unknown"), Name::Other);
    }
}
