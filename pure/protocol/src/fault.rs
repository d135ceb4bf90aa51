//! `Fault`: a peer's mistake, with its status and the section that it breaks (RFC 3261 §21).

use std::borrow::Cow;

use sip::{ParseError, Status};

/// Why a request is refused. Each names the mistake, and becomes one response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A header is missing, doubled, or cannot be read (RFC 3261 §16.3 step 1, §21.4.1).
    Malformed(ParseError),
    /// The Request-URI's scheme is none of ours (RFC 3261 §16.3 step 2, §8.2.2.1).
    UnsupportedScheme,
    /// `Max-Forwards` was 0 (RFC 3261 §16.3 step 3).
    TooManyHops,
    /// The request has been here and comes back unchanged (RFC 3261 §16.3 step 4, RFC 5393 §4.2).
    LoopDetected,
    /// The same request came on another path (RFC 3261 §8.2.2.2).
    MergedRequest,
    /// It requires extensions that we do not have: their option tags, with commas (RFC 3261 §8.2.2.3, §16.3 step 5).
    BadExtension(Box<str>),
    /// We answer for this URI, but not to this method (RFC 3261 §8.2.1).
    MethodNotAllowed,
    /// The body is of a kind that we do not read, and must be read (RFC 3261 §8.2.3).
    UnsupportedMediaType,
    /// No answer that we could write is acceptable to the asker (RFC 3261 §21.4.7).
    NotAcceptable,
    /// Nobody of that name lives here (RFC 3261 §16.5, §10.3 step 5).
    NotFound,
    /// Somebody of that name lives here, and cannot be reached now (RFC 3261 §16.5).
    Unregistered,
    /// The name in From or To does not belong to the credentials (RFC 3261 §10.3 step 4, §22.1).
    WrongIdentity,
    /// The credentials are right, for another request than this one (RFC 7616 §3.4.6, RFC 8760 §2.6).
    CredentialsElsewhere,
    /// A request for another domain, and no route of ours leads there.
    NoRoute,
    /// A rule of the operator's forbids it: the status, and what it says.
    Denied(u16, Box<str>),
    /// More caller preferences than anybody needs (RFC 3841 §11).
    TooManyPreferences,
    /// Every member of the group has as many calls as it may have.
    NoLine,
    /// More bindings than an address of record may have.
    TooManyContacts(usize),
    /// `*` together with other contacts, or without `Expires: 0` (RFC 3261 §10.3 step 6).
    StarNotAlone,
    /// An address of record that is no SIP URI of ours, or a Contact that cannot be called.
    BadContact,
    /// A notification service that we do not use (RFC 8599 §5.6.1.2).
    PushUnsupported,
    /// An event package that we do not know, or none at all (RFC 6665 §4.2.1.1).
    BadEvent,
    /// A request within a subscription that there is not (RFC 6665 §4.1.2.3, RFC 3261 §12.2.2).
    NoSubscription,
    /// A Contact that is no SIP URI: nobody can call it through us (RFC 5627 §5.1).
    ForeignContact,
    /// A Contact with headers behind a `?`, which no call could carry.
    ContactWithHeaders,
    /// A Contact that is the very address that it is registered for: calls would go in a circle (RFC 5627 §5.1).
    ContactIsItself,
    /// Several contacts at once, and a `reg-id` among them: one REGISTER makes one flow (RFC 5626 §6).
    SeveralFlows,
    /// The request needs an extension that it does not list in Supported: its option tag (RFC 3261 §21.4.15).
    ExtensionRequired(&'static str),
    /// A Route of ours with a flow token that we did not write (RFC 5626 §5.3.1).
    ForgedToken,
    /// A flow is to be kept, and the first hop does not know how (RFC 5626 §6).
    LacksOutbound,
    /// A REGISTER older than one that we have seen (RFC 3261 §10.3 step 7).
    OutOfOrder,
    /// A registration shorter than we take, and what we take, in seconds (RFC 3261 §10.3 step 7).
    IntervalTooBrief(u32),
    /// A session interval shorter than we take, and what we take, in seconds (RFC 4028 §8.1).
    SessionTooBrief(u32),
    /// No branch may be forked any more (RFC 5393 §5.3.3).
    BreadthExceeded,
    /// Nothing to cancel (RFC 3261 §9.2).
    NoTransaction,
    /// The next hop cannot be found, or not by a transport of ours (RFC 3263).
    Unroutable(&'static str),
    /// More than we can take now, said to a server: without a time, in which it would send us nothing at all (RFC 7339 §5.10.2).
    Busy,
    /// More than we can take now; when to come back, in seconds (RFC 3261 §21.5.4).
    Overloaded(u32),
    /// We begin nothing any more; when to come back, in seconds: to another server, or to this one after its restart (RFC 3261 §21.5.4).
    Leaving(u32),
}

impl Fault {
    /// The status of the response.
    pub fn status(&self) -> Status {
        self.row().0
    }

    /// What the response says: the fault, in words.
    pub fn phrase(&self) -> Cow<'static, str> {
        match self {
            Self::Malformed(error) => {
                Cow::Owned(format!("Bad {} at Octet {}", error.what, error.at))
            }
            Self::Denied(_, reason) => Cow::Owned(reason.to_string()),
            Self::TooManyContacts(most) => Cow::Owned(format!("More Than {most} Contacts")),
            _ => Cow::Borrowed(self.row().1),
        }
    }

    /// Where the rule stands that was broken.
    pub fn section(&self) -> &'static str {
        self.row().2
    }

    fn row(&self) -> (Status, &'static str, &'static str) {
        match self {
            Self::UnsupportedScheme => {
                (Status::UNSUPPORTED_URI_SCHEME, "Unsupported URI Scheme", "RFC 3261 §16.3")
            }
            Self::TooManyHops => (Status::TOO_MANY_HOPS, "Too Many Hops", "RFC 3261 §16.3"),
            Self::LoopDetected => (Status::LOOP_DETECTED, "Loop Detected", "RFC 3261 §16.3"),
            Self::MergedRequest => (Status::LOOP_DETECTED, "Merged Request", "RFC 3261 §8.2.2.2"),
            Self::BadExtension(_) => (Status::BAD_EXTENSION, "Bad Extension", "RFC 3261 §8.2.2.3"),
            Self::MethodNotAllowed => {
                (Status::METHOD_NOT_ALLOWED, "Method Not Allowed Here", "RFC 3261 §8.2.1")
            }
            Self::UnsupportedMediaType => {
                (Status::UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type", "RFC 3261 §8.2.3")
            }
            Self::NotAcceptable => (Status::NOT_ACCEPTABLE, "Not Acceptable", "RFC 3261 §21.4.7"),
            Self::NotFound => (Status::NOT_FOUND, "No Such User Here", "RFC 3261 §16.5"),
            Self::Unregistered => {
                (Status::TEMPORARILY_UNAVAILABLE, "User Is Not Registered Now", "RFC 3261 §16.5")
            }
            Self::WrongIdentity => {
                (Status::FORBIDDEN, "From and To Must Belong to the Credentials", "RFC 3261 §10.3")
            }
            Self::CredentialsElsewhere => {
                (Status::BAD_REQUEST, "Credentials Are for Another Request-URI", "RFC 7616 §3.4.6")
            }
            Self::NoRoute => (Status::FORBIDDEN, "No Route to That Domain", "RFC 3261 §26.3.2.2"),
            Self::NoLine => (Status::SERVICE_UNAVAILABLE, "All Lines Are Busy", "RFC 3261 §21.5.4"),
            Self::Denied(status, _) => {
                let status = Status::new(*status).unwrap_or(Status::FORBIDDEN);
                (status, "Not Allowed", "RFC 3261 §21.4.4")
            }
            Self::SessionTooBrief(_) => {
                (Status::SESSION_INTERVAL_TOO_SMALL, "Session Interval Too Small", "RFC 4028 §8.1")
            }
            Self::TooManyPreferences => {
                (Status::BAD_REQUEST, "Too Many Caller Preferences", "RFC 3841 §11")
            }
            Self::BreadthExceeded => {
                (Status::MAX_BREADTH_EXCEEDED, "Max-Breadth Exceeded", "RFC 5393 §5.3.3")
            }
            Self::NoTransaction => {
                (Status::CALL_DOES_NOT_EXIST, "Nothing to Cancel", "RFC 3261 §9.2")
            }
            Self::Unroutable(why) => (Status::SERVER_INTERNAL_ERROR, why, "RFC 3261 §16.6"),
            Self::Busy => (Status::SERVICE_UNAVAILABLE, "Too Busy", "RFC 7339 §5.10.2"),
            Self::Overloaded(_) => (Status::SERVICE_UNAVAILABLE, "Too Busy", "RFC 3261 §21.5.4"),
            Self::Leaving(_) => {
                (Status::SERVICE_UNAVAILABLE, "Going Out of Service", "RFC 3261 §21.5.4")
            }
            _ => self.row_of_registrar(),
        }
    }

    /// The same for what only a registrar refuses.
    fn row_of_registrar(&self) -> (Status, &'static str, &'static str) {
        match self {
            Self::TooManyContacts(_) => {
                (Status::FORBIDDEN, "Too Many Contacts", "RFC 3261 §21.4.4")
            }
            Self::StarNotAlone => (
                Status::BAD_REQUEST,
                "Contact * Needs Expires 0 and Nothing Else",
                "RFC 3261 §10.3",
            ),
            Self::BadContact => {
                (Status::BAD_REQUEST, "Contact Is No SIP Address", "RFC 3261 §10.3")
            }
            Self::PushUnsupported => (
                Status::PUSH_NOTIFICATION_SERVICE_NOT_SUPPORTED,
                "Push Notification Service Not Supported",
                "RFC 8599 §5.6.1.2",
            ),
            Self::BadEvent => (Status::BAD_EVENT, "Bad Event", "RFC 6665 §4.2.1.1"),
            Self::NoSubscription => {
                (Status::CALL_DOES_NOT_EXIST, "Subscription Does Not Exist", "RFC 6665 §4.2.1.4")
            }
            Self::ForeignContact => (Status::FORBIDDEN, "Contact Is No SIP URI", "RFC 5627 §5.1"),
            Self::ContactWithHeaders => {
                (Status::BAD_REQUEST, "Contact URI Has Headers", "RFC 3261 §19.1.5")
            }
            Self::ContactIsItself => (
                Status::FORBIDDEN,
                "Contact Is the Address That It Is Registered For",
                "RFC 5627 §5.1",
            ),
            Self::SeveralFlows => {
                (Status::BAD_REQUEST, "One Contact at a Time with a reg-id", "RFC 5626 §6")
            }
            Self::ExtensionRequired(_) => {
                (Status::EXTENSION_REQUIRED, "Extension Required", "RFC 3261 §21.4.15")
            }
            Self::ForgedToken => (Status::FORBIDDEN, "Flow Token Is Forged", "RFC 5626 §5.3.1"),
            Self::LacksOutbound => (
                Status::FIRST_HOP_LACKS_OUTBOUND_SUPPORT,
                "First Hop Lacks Outbound Support",
                "RFC 5626 §6",
            ),
            Self::OutOfOrder => {
                (Status::SERVER_INTERNAL_ERROR, "CSeq Is Not Higher Than Before", "RFC 3261 §10.3")
            }
            Self::IntervalTooBrief(_) => {
                (Status::INTERVAL_TOO_BRIEF, "Interval Too Brief", "RFC 3261 §10.3")
            }
            _ => (Status::BAD_REQUEST, "Bad Request", "RFC 3261 §21.4.1"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_the_mistake_and_the_octet() {
        let fault = Fault::Malformed(ParseError { what: "CSeq", at: 31 });
        assert_eq!(
            (fault.status(), &*fault.phrase()),
            (Status::BAD_REQUEST, "Bad CSeq at Octet 31")
        );
        assert_eq!(Fault::TooManyContacts(10).phrase(), "More Than 10 Contacts");
        assert_eq!(Fault::OutOfOrder.section(), "RFC 3261 §10.3");
    }
}
