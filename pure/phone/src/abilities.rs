//! What the phone can do, said in one place: Allow, Accept, Supported come from here, and so do refusals (RFC 3261 §8.2, §11.2).

use protocol::session::{RELIABLY, TIMER};
use sip::{Draft, Message, Method, Name};

/// How the phone calls itself (RFC 3261 §20.41).
pub(crate) const NAME: &str = concat!("Offhook/", env!("CARGO_PKG_VERSION"));

/// The methods that we take, for Allow.
pub(crate) const ALLOW: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY, SUBSCRIBE, MESSAGE";

/// The bodies that we read.
pub(crate) const ACCEPT: &str = "application/sdp";

/// What is encoded is not read.
pub(crate) const ENCODING: &str = "identity";

/// The extensions that we have, for Supported: each is taken when somebody requires it.
pub(crate) const SUPPORTED: [&str; 7] =
    [RELIABLY, TIMER, "replaces", "join", "norefersub", "gruu", "outbound"];

/// The event packages whose state we tell.
pub(crate) const EVENTS: &str = "refer, conference, dialog";

/// The package of INFO in which addresses come later (RFC 8840 §10), and what it carries.
pub(crate) const TRICKLE: &str = "trickle-ice";

/// The language of our reason phrases.
pub(crate) const LANGUAGE: &str = "en";

/// Whether we take a method: the same list as in Allow.
pub(crate) fn takes(method: Method<'_>) -> bool {
    ALLOW.split(", ").any(|name| name == method.as_str())
}

/// Whether an extension is one of ours.
pub(crate) fn knows(tag: &str) -> bool {
    SUPPORTED.iter().any(|known| known.eq_ignore_ascii_case(tag))
}

/// Whether the sender of a message says that it takes a method; nothing, when it does not say what it takes.
pub(crate) fn allows(message: &Message, method: Method<'_>) -> Option<bool> {
    let mut allowed = message.all::<sip::header::Allow<'_>>().flatten().peekable();
    allowed.peek()?;
    Some(allowed.any(|allow| allow.0 == method.as_str()))
}

/// The rows of a 2xx to INVITE, of an INVITE, and of a 200 to OPTIONS. That we read SDP need not be said to whom we send it, and an INVITE has
/// to fit into a datagram.
pub(crate) fn announce(draft: Draft) -> Draft {
    draft.raw(Name::Allow, ALLOW.as_bytes()).raw(Name::Supported, SUPPORTED.join(", ").as_bytes())
}

/// The bodies that we read in requests of this method: keys in an INFO, as old gateways send them; in a NOTIFY how far a transfer has come, and
/// what event packages tell; text in a MESSAGE.
pub(crate) const fn accept(method: Option<Method<'_>>) -> &'static str {
    match method {
        Some(Method::Info) => {
            "application/dtmf-relay, application/dtmf, application/trickle-ice-sdpfrag"
        }
        Some(Method::Notify) => {
            "message/sipfrag, application/simple-message-summary, application/pidf+xml, application/dialog-info+xml, application/conference-info+xml"
        }
        Some(Method::Message) => "text/plain",
        _ => ACCEPT,
    }
}

/// The answer to "what can you do?" (RFC 3261 §11.2).
pub(crate) fn answer(draft: Draft) -> Draft {
    announce(draft)
        .raw(Name::Accept, ACCEPT.as_bytes())
        .raw(Name::AcceptEncoding, ENCODING.as_bytes())
        .raw(Name::AcceptLanguage, LANGUAGE.as_bytes())
}
