//! What the phone can do, said in one place: Allow, Accept, Supported come from here, and so do refusals (RFC 3261 §8.2, §11.2).

use sip::{Draft, Method, Name};

/// How the phone calls itself (RFC 3261 §20.41).
pub(crate) const NAME: &str = concat!("Offhook/", env!("CARGO_PKG_VERSION"));

/// The methods that we take, for Allow.
pub(crate) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO";

/// The bodies that we read.
pub(crate) const ACCEPT: &str = "application/sdp";

/// What is encoded is not read.
pub(crate) const ENCODING: &str = "identity";

/// The language of our reason phrases.
pub(crate) const LANGUAGE: &str = "en";

/// Whether we take a method: the same list as in Allow.
pub(crate) fn takes(method: Method<'_>) -> bool {
    ALLOW.split(", ").any(|name| name == method.as_str())
}

/// The rows of a 2xx to INVITE, of an INVITE, and of a 200 to OPTIONS.
pub(crate) fn announce(draft: Draft) -> Draft {
    draft
        .raw(Name::Allow, ALLOW.as_bytes())
        // No extension of ours changes what a server does: the list is there, and empty.
        .raw(Name::Supported, b"")
        .raw(Name::Accept, ACCEPT.as_bytes())
}

/// The bodies that we read in an INFO: keys, as old gateways send them.
pub(crate) const ACCEPT_INFO: &str = "application/dtmf-relay, application/dtmf";

/// The answer to "what can you do?" (RFC 3261 §11.2).
pub(crate) fn answer(draft: Draft) -> Draft {
    announce(draft)
        .raw(Name::AcceptEncoding, ENCODING.as_bytes())
        .raw(Name::AcceptLanguage, LANGUAGE.as_bytes())
}
