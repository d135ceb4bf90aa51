//! `Messages`: what waits in a mailbox (RFC 3842 §5.2).

use super::Unreadable;
use crate::limits;

/// What waits in a mailbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Messages {
    /// Whether anything does.
    pub waiting: bool,
    /// Whose mailbox, when it is said.
    pub account: Option<String>,
    /// Each kind of message: `voice-message`, `fax-message` …
    pub classes: Vec<(String, Class)>,
}

/// How many messages of one kind there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Class {
    /// New ones.
    pub new: u32,
    /// Old ones.
    pub old: u32,
    /// New ones that are urgent.
    pub urgent_new: u32,
    /// Old ones that are urgent.
    pub urgent_old: u32,
}

impl Messages {
    /// Reads `application/simple-message-summary`. Rows that it does not know are left out.
    pub fn read(body: &[u8]) -> Result<Self, Unreadable> {
        let text = std::str::from_utf8(body).map_err(|_| Unreadable::because("no UTF-8"))?;
        let mut messages = Self::default();
        let mut said = None;
        for line in text.lines().take(limits::SUMMARY_LINES) {
            let Some((name, value)) = line.split_once(':') else { continue };
            let (name, value) = (name.trim(), value.trim());
            if name.eq_ignore_ascii_case("Messages-Waiting") {
                said = Some(value.eq_ignore_ascii_case("yes"));
            } else if name.eq_ignore_ascii_case("Message-Account") {
                messages.account = Some(value.to_owned());
            } else if let Some(class) = class(value) {
                messages.classes.push((name.to_ascii_lowercase(), class));
            }
        }
        messages.waiting = said.ok_or_else(|| Unreadable::because("no Messages-Waiting"))?;
        Ok(messages)
    }
}

/// `new/old (urgent-new/urgent-old)`.
fn class(value: &str) -> Option<Class> {
    let (all, urgent) = match value.split_once('(') {
        Some((all, urgent)) => (all, urgent.trim_end().strip_suffix(')')?),
        None => (value, "0/0"),
    };
    let ((new, old), (urgent_new, urgent_old)) = (pair(all)?, pair(urgent)?);
    Some(Class { new, old, urgent_new, urgent_old })
}

fn pair(text: &str) -> Option<(u32, u32)> {
    let (first, second) = text.trim().split_once('/')?;
    Some((number(first)?, number(second)?))
}

/// RFC 3842 §3.5: what is larger than 2^32 - 1 is that.
fn number(text: &str) -> Option<u32> {
    let digits = text.trim();
    let all = !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit());
    all.then(|| digits.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc_is_read() {
        let body = b"Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\nVoice-Message: 2/8 (0/2)\r\nfax-message: 99999999999/0\r\n\r\nSubject: x: 1/2 y\r\n";
        let read = Messages::read(body).unwrap();
        assert!(read.waiting);
        assert_eq!(read.account.as_deref(), Some("sip:alice@vmail.example.com"));
        let voice = Class { new: 2, old: 8, urgent_new: 0, urgent_old: 2 };
        let fax = Class { new: u32::MAX, ..Class::default() };
        assert_eq!(read.classes, [("voice-message".into(), voice), ("fax-message".into(), fax)]);
        assert!(!Messages::read(b"messages-waiting: no").unwrap().waiting);
        assert!(Messages::read(b"Voice-Message: 1/2").is_err());
    }
}
