//! INFO within a call: keys, as old gateways send them (RFC 6086; `application/dtmf-relay`).

use protocol::dialog::{DialogId, Fault};
use protocol::transaction::ServerId;
use sip::{Message, Name, Status};

use super::Conversation;
use crate::abilities;
use crate::account::Ice;
use crate::refusal::Refusal;
use crate::turn::Turn;

impl Conversation {
    /// RFC 3261 §12.2.2: whether a request of theirs comes in its turn.
    pub(crate) fn in_order(&mut self, request: &Message) -> Result<(), Fault> {
        let id = DialogId::of_request(request).ok_or(Fault::Unreadable)?;
        self.dialog_mut(&id).map_or(Ok(()), |dialog| dialog.receive(request).map(drop))
    }

    /// An INFO: keys, or nothing that we would understand.
    pub(crate) fn info(&mut self, turn: &mut Turn<'_>, id: ServerId, request: &Message) {
        if request.has(Name::InfoPackage) {
            let package = request.rows(Name::InfoPackage).next().unwrap_or_default();
            let ice = turn.line.account.ice != Ice::Off;
            if ice && package.trim_ascii().eq_ignore_ascii_case(abilities::TRICKLE.as_bytes()) {
                turn.reply(id, request, Status::OK);
                return self.trickled(turn, request);
            }
            // RFC 6086 §4.2.2: we have announced no other package.
            let status = Status::new(469).unwrap_or(Status::UNSUPPORTED_MEDIA_TYPE);
            let ours = if ice { abilities::TRICKLE } else { "" };
            let no = Refusal::saying(status, "Bad Info Package").with(Name::RecvInfo, ours);
            return turn.refuse(id, request, &no);
        }
        turn.reply(id, request, Status::OK);
        let keys = key(request.body()).into_iter().collect();
        self.keys(turn, keys);
    }
}

impl Conversation {
    /// Addresses of theirs that come later (RFC 8840).
    fn trickled(&mut self, turn: &mut Turn<'_>, request: &Message) {
        let fragment = String::from_utf8_lossy(request.body());
        if let Some(sound) = &mut self.sound {
            sound.trickled(turn.now, &fragment, turn.out);
        }
    }
}

/// `Signal=5`, or the key alone.
fn key(body: &[u8]) -> Option<char> {
    let text = std::str::from_utf8(body).ok()?;
    let signal = text.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        name.trim().eq_ignore_ascii_case("signal").then_some(value)
    });
    let word = signal.unwrap_or(text).trim();
    match word {
        "10" => Some('*'),
        "11" => Some('#'),
        _ => {
            let mut letters = word.chars();
            let key = letters.next()?.to_ascii_uppercase();
            let known = key.is_ascii_digit() || matches!(key, '*' | '#' | 'A'..='D');
            (known && letters.next().is_none()).then_some(key)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_in_all_their_spellings() {
        assert_eq!(key(b"Signal=5\r\nDuration=160\r\n"), Some('5'));
        assert_eq!(key(b"signal = d\r\n"), Some('D'));
        assert_eq!(key(b"11"), Some('#'));
        assert_eq!((key(b"Signal=55"), key(b""), key(b"\xff")), (None, None, None));
    }
}
