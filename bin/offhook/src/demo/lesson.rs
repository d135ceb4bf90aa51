//! `Lesson`: what a message means, in one sentence for somebody who sees his first call.

use sip::header::CSeq;
use sip::{Message, Method, Name};

/// A sentence, and where it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lesson {
    pub(super) text: &'static str,
    pub(super) section: &'static str,
}

/// How the latest INVITE was answered: an ACK means something else each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    /// With a 2xx.
    Yes,
    /// With a refusal, or a challenge.
    No,
}

impl Answered {
    /// What a response to an INVITE tells; nothing, when it tells nothing for good.
    pub(super) fn by(message: &Message) -> Option<Self> {
        let status = message.status().filter(|status| status.is_final())?;
        let to_invite = message.get::<CSeq>()?.method == Method::Invite;
        to_invite.then_some(if status.is_success() { Self::Yes } else { Self::No })
    }
}

/// What `message` means, when there is something to say about it.
pub(super) fn lesson(message: &Message, answered: Answered) -> Option<Lesson> {
    let (text, section) = match (message.method(), message.status()) {
        (Some(Method::Ack), _) => acknowledgement(answered),
        (Some(method), _) => request(method, message)?,
        (None, Some(status)) => {
            let cseq = message.get::<CSeq>()?;
            response(status.code(), cseq.method, message)?
        }
        (None, None) => return None,
    };
    Some(Lesson { text, section })
}

type Words = (&'static str, &'static str);

fn request(method: Method<'_>, message: &Message) -> Option<Words> {
    let proven = message.has(Name::Authorization) || message.has(Name::ProxyAuthorization);
    let again = message.get::<sip::header::To>().is_some_and(|to| to.tag().is_some());
    Some(match method {
        Method::Register if proven => (
            "the same again, with a digest of the password: the password itself never travels",
            "RFC 7616 §3.4",
        ),
        Method::Register => ("\"this is where I can be reached\"", "RFC 3261 §10.2"),
        Method::Invite if again && on_hold(message) => (
            "\"please listen, I will not\": hold is an INVITE within the call, with other media",
            "RFC 3264 §8.4",
        ),
        Method::Invite if again => {
            ("and back: the same media as before, both ways", "RFC 3261 §14.1")
        }
        Method::Invite if proven => {
            ("the same again, with a proof of who is calling", "RFC 3261 §22.3")
        }
        Method::Invite => (
            "\"will you talk to me?\" The body says which sound can be sent, and where to",
            "RFC 3261 §13.2",
        ),
        Method::Bye => ("somebody hangs up", "RFC 3261 §15.1"),
        Method::Cancel => {
            ("the caller has changed his mind before anybody answered", "RFC 3261 §9.1")
        }
        _ => return None,
    })
}

const fn acknowledgement(answered: Answered) -> Words {
    match answered {
        Answered::Yes => (
            "\"I heard your answer\": three steps, because networks lose things",
            "RFC 3261 §13.2.2.4",
        ),
        Answered::No => ("a refusal is acknowledged too, by every hop", "RFC 3261 §17.1.1.3"),
    }
}

fn response(code: u16, method: Method<'_>, message: &Message) -> Option<Words> {
    Some(match (code, method) {
        (100, _) => ("\"got it, you need not repeat it\"", "RFC 3261 §17.2.1"),
        (180, _) => ("it rings", "RFC 3261 §13.3.1.1"),
        (401, _) => (
            "not an error: everybody is asked for a proof once. The nonce makes each proof good for one time",
            "RFC 3261 §22.2",
        ),
        (407, _) => ("a proxy asks for a proof too", "RFC 3261 §22.3"),
        (200, Method::Register) => ("known from now on, and for how long", "RFC 3261 §10.3"),
        (200, Method::Invite) if on_hold(message) => {
            ("agreed: from now on sound goes one way", "RFC 3264 §6.1")
        }
        (200, Method::Invite) => (
            "somebody answered. Its body chooses the sound; that goes by itself, beside the signalling",
            "RFC 3261 §13.3.1.4",
        ),
        (200, Method::Bye) => ("and the call is over", "RFC 3261 §15.1.2"),
        (486, _) => ("busy", "RFC 3261 §21.4.24"),
        (487, _) => ("the call was taken back in time", "RFC 3261 §21.4.25"),
        _ => return None,
    })
}

/// True when the session description wants sound one way only.
fn on_hold(message: &Message) -> bool {
    message
        .body()
        .split(|octet| *octet == b'\n')
        .any(|line| matches!(line.trim_ascii_end(), b"a=sendonly" | b"a=recvonly" | b"a=inactive"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(start: &str, rest: &str) -> &'static str {
        let text = format!("{start}\r\nTo: <sip:b@h>\r\n{rest}\r\n");
        lesson(&Message::parse(text).unwrap(), Answered::No).map_or("", |lesson| lesson.text)
    }

    #[test]
    fn a_challenge_is_no_error_and_hold_is_an_invite() {
        assert!(of("SIP/2.0 401 Unauthorized", "CSeq: 1 REGISTER\r\n").starts_with("not an error"));
        assert!(of("REGISTER sip:h SIP/2.0", "Authorization: Digest a=b\r\n").contains("digest"));
        let hold = "INVITE sip:b@h SIP/2.0\r\nTo: <sip:b@h>;tag=1\r\n\r\nv=0\r\na=sendonly\r\n";
        let hold = lesson(&Message::parse(hold).unwrap(), Answered::No).unwrap();
        assert_eq!(hold.section, "RFC 3264 §8.4");
        assert!(of("ACK sip:b@h SIP/2.0", "").starts_with("a refusal"));
        let refused = "SIP/2.0 486 Busy Here\r\nCSeq: 1 INVITE\r\n\r\n";
        assert_eq!(Answered::by(&Message::parse(refused).unwrap()), Some(Answered::No));
        assert_eq!(of("NOTIFY sip:b@h SIP/2.0", ""), "");
    }
}
