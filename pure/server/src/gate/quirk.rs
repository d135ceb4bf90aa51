//! Phones that give up when a challenge names an algorithm that they do not know, instead of passing over it (RFC 3261 §22.1).

use protocol::auth::Algorithm;
use sip::{Message, Name};

/// How their User-Agent begins. Seen: baresip 1.0.0 ("Function not implemented"), sipsak 0.9.8.1 ("unsupported authentication
/// algorithm"); docs/interop.md has the whole table.
const GIVE_UP: &[&str] = &["baresip v0.", "baresip v1.", "sipsak "];

/// What this sender is offered of our algorithms: all of them, except for those that would take it for a reason to give up. Whoever
/// claims to be one of these gets the MD5 that stands in every challenge anyway, so nobody is weaker for it.
pub(super) fn offered<'a>(
    request: &Message,
    all: &'a [Algorithm],
) -> impl Iterator<Item = Algorithm> + use<'a> {
    let gives_up = all.contains(&Algorithm::Md5)
        && request
            .rows(Name::UserAgent)
            .any(|agent| GIVE_UP.iter().any(|begin| agent.starts_with(begin.as_bytes())));
    all.iter().copied().filter(move |algorithm| !gives_up || *algorithm == Algorithm::Md5)
}

#[cfg(test)]
mod tests {
    use sip::{Draft, Method};

    use super::*;

    const BOTH: &[Algorithm] = &[Algorithm::Sha256, Algorithm::Md5];

    fn offered_to(agent: &str, all: &[Algorithm]) -> Vec<Algorithm> {
        let draft = Draft::request(Method::Register, b"sip:example.test")
            .raw(Name::Via, b"SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1")
            .raw(Name::UserAgent, agent.as_bytes());
        offered(&Message::parse(draft.wire()).unwrap(), all).collect()
    }

    #[test]
    fn a_phone_that_would_give_up_is_offered_what_it_knows() {
        assert_eq!(offered_to("baresip v1.0.0 (x86_64/linux)", BOTH), [Algorithm::Md5]);
        assert_eq!(offered_to("sipsak 0.9.8.1", BOTH), [Algorithm::Md5]);
    }

    #[test]
    fn every_other_is_offered_all_the_strongest_first() {
        assert_eq!(offered_to("baresip v3.0.0", BOTH), BOTH);
        assert_eq!(offered_to("Yealink", BOTH), BOTH);
    }

    #[test]
    fn where_md5_is_not_offered_it_is_offered_to_nobody() {
        assert_eq!(offered_to("sipsak 0.9.8.1", &[Algorithm::Sha256]), [Algorithm::Sha256]);
    }
}
