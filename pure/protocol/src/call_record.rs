//! `CallRecord`: what is known of one call that passes through a proxy: who called whom, when, by which way, and how it ended.
//!
//! It is kept for as long as the call lasts, so it is small: its texts lie one behind the other in one allocation.

use std::net::SocketAddr;

use machine::Time;

use crate::texts::Texts;
use crate::transport::Transport;

/// One call attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// When its INVITE came.
    pub began: Time,
    /// When the caller was first told that somebody rings (or hears something).
    pub rang: Option<Time>,
    /// When the caller was told that somebody answered.
    pub answered: Option<Time>,
    /// When it ended; nothing while it has not.
    pub ended: Option<Time>,
    /// By which transport, and from where, its INVITE came.
    pub source: (Transport, SocketAddr),
    /// Where the INVITE went that was answered, or refused last.
    pub target: Option<(Transport, SocketAddr)>,
    /// The final status that the caller was told; 0 while there is none.
    pub status: u16,
    /// To how many places it was sent.
    pub forks: u16,
    /// The session timer in seconds (RFC 4028); 0: there is none.
    pub session: u32,
    /// Who ended it.
    pub ender: Ender,
    texts: Texts,
}

/// Who ended a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ender {
    /// Nobody yet; or it was never answered, and its status says why.
    #[default]
    Nobody,
    /// The caller hung up, or cancelled.
    Caller,
    /// The callee hung up.
    Callee,
    /// An operator had it ended.
    Operator,
    /// Its session timer ran out: both are gone, or hung up without us.
    Timer,
    /// It lasted longer than calls are followed.
    Age,
    /// There were too many calls to follow them all.
    Crowd,
    /// The server was stopped; the call itself may go on.
    Server,
}

/// A text of a record. What is absent is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// `Call-ID`.
    CallId = 1,
    /// The URI of the From.
    From,
    /// The URI of the To.
    To,
    /// The Request-URI, as it came; that of the To, unless it is put: mostly they are the same.
    Dialled,
    /// The user of ours who has proven to be the caller.
    User,
    /// The route of the settings that it took.
    Route,
    /// The URI of the phone, or of the next hop, that gave the final answer.
    AnsweredBy,
    /// The Reason of whoever ended it, as written (RFC 3326).
    Reason,
}

impl CallRecord {
    /// A call that begins now.
    pub fn new(began: Time, source: (Transport, SocketAddr)) -> Self {
        Self {
            began,
            rang: None,
            answered: None,
            ended: None,
            source,
            target: None,
            status: 0,
            forks: 0,
            session: 0,
            ender: Ender::Nobody,
            texts: Texts::default(),
        }
    }

    /// Adds texts; of each kind the first one counts, empty ones are left out, and longer ones than `most` octets are cut, and end with
    /// `…`.
    pub fn put(&mut self, most: usize, texts: &[(Text, &[u8])]) {
        self.texts.put(texts.iter().map(|(kind, text)| (*kind as u8, cut(text, most))));
    }

    /// A text.
    pub fn text(&self, kind: Text) -> &[u8] {
        match (kind, self.texts.get(kind as u8)) {
            (Text::Dialled, b"") => self.texts.get(Text::To as u8),
            (_, text) => text,
        }
    }

    /// Octets that it takes.
    pub fn size(&self) -> usize {
        size_of::<Self>().saturating_add(self.texts.size())
    }
}

impl Ender {
    /// In one word; none for nobody.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "",
            Self::Caller => "caller",
            Self::Callee => "callee",
            Self::Operator => "operator",
            Self::Timer => "timer",
            Self::Age => "age",
            Self::Crowd => "crowd",
            Self::Server => "server",
        }
    }
}

/// A text, and what is written behind it when it had to be cut.
fn cut(text: &[u8], most: usize) -> [&[u8]; 2] {
    match text.get(..most.saturating_sub(CUT.len())) {
        Some(kept) if text.len() > most => [kept, CUT],
        _ => [text, b""],
    }
}

/// What stands for the rest of a text that was cut.
const CUT: &[u8] = "…".as_bytes();

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> CallRecord {
        CallRecord::new(Time(1), (Transport::Udp, ([192, 0, 2, 1], 5060).into()))
    }

    #[test]
    fn texts_come_out_as_they_went_in_and_the_first_of_a_kind_counts() {
        let mut record = record();
        record.put(100, &[(Text::CallId, b"a@b"), (Text::User, b""), (Text::To, b"\0\xff\r\n")]);
        record.put(100, &[(Text::Reason, b"Q.850;cause=16"), (Text::CallId, b"other")]);
        assert_eq!(record.text(Text::CallId), b"a@b");
        assert_eq!(record.text(Text::To), b"\0\xff\r\n");
        assert_eq!(record.text(Text::Reason), b"Q.850;cause=16");
        assert_eq!((record.text(Text::User), record.text(Text::From)), (&b""[..], &b""[..]));
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        let mut record = record();
        record.put(16, &[(Text::CallId, &[b'x'; 4096]), (Text::From, &[b'y'; 16])]);
        assert_eq!(record.text(Text::CallId), "xxxxxxxxxxxxx…".as_bytes());
        assert_eq!(record.text(Text::From), [b'y'; 16]);
        assert!(record.size() < size_of::<CallRecord>() + 50, "{}", record.size());
    }
}
