//! `Framer`: messages cut out of a byte stream (RFC 3261 §7.5, §18.3; keep-alives of RFC 5626 §3.5.1).

use bytes::{Buf as _, Bytes, BytesMut};
use memchr::memmem;

use crate::core::Core;
use crate::read::Head;
use crate::scan::is_token;
use crate::{Malformed, Message, ParseError, limits};

mod plain;

pub use self::plain::Plain;

/// What came out of a stream.
#[derive(Clone, Debug)]
pub enum Frame {
    /// A message.
    Message(Message),
    /// `CRLF CRLF`: the peer asks whether we live; the answer is `CRLF` (RFC 5626 §4.4.1).
    Ping,
    /// `CRLF`: the answer to our ping, or padding.
    Pong,
}

/// Reads what a transport delivered as one whole: a message and nothing else, or a keep-alive (RFC 7118 §5, §6). Without a
/// Content-Length the body runs to the end.
///
/// # Errors
/// When it is no message, or more than one, or less.
pub fn whole(octets: Bytes) -> Result<Frame, Malformed> {
    match octets.as_ref() {
        b"\r\n\r\n" => return Ok(Frame::Ping),
        b"\r\n" => return Ok(Frame::Pong),
        _ => {}
    }
    let message = Message::parse(octets.clone())?;
    // The reader leaves out line ends before the start line, and octets behind the body.
    let before = message.wire().as_ptr() as usize - octets.as_ptr() as usize;
    let end = before + message.wire().len();
    if end == octets.len() {
        return Ok(Frame::Message(message));
    }
    let error = ParseError { what: "end of the message (more follows)", at: end };
    Err(Malformed { wire: octets, error })
}

/// Collects octets and hands out whole messages. After an error the stream has no meaning any more and must be closed.
#[derive(Clone, Debug, Default)]
pub struct Framer {
    kept: BytesMut,
    /// How much of `kept` is known to hold no end of a head.
    searched: usize,
    /// The message at the front of `kept`, once its head is there: that is read once, however slowly the body comes.
    begun: Option<Begun>,
    /// The last frame was a lone CRLF: another one makes it a ping that was cut in its middle.
    half_a_ping: bool,
}

/// A message of which the head is there.
#[derive(Clone, Debug)]
struct Begun {
    head: Head,
    /// How long it is with its body.
    length: usize,
}

impl Framer {
    /// Takes octets as they came.
    pub fn push(&mut self, octets: &[u8]) {
        self.kept.extend_from_slice(octets);
    }

    /// How many octets wait for more.
    pub fn pending(&self) -> usize {
        self.kept.len()
    }

    /// The next whole frame; `None` when more octets are needed.
    pub fn cut(&mut self) -> Result<Option<Frame>, Malformed> {
        if let Some(frame) = self.keep_alive() {
            return Ok(frame);
        }
        if !self.kept.is_empty() {
            self.half_a_ping = false;
        }
        if self.begun.is_some() {
            return Ok(self.take());
        }
        // A TLS handshake or a STUN request would wait for an empty line for ever (RFC 3261 §7.1: a token comes first).
        if self.kept.first().is_some_and(|octet| !is_token(*octet)) {
            return Err(self.refuse("start of a message", 0));
        }
        let Some(end) = self.head_end() else {
            return if self.kept.len() > limits::HEAD {
                Err(self.refuse("length of the headers", limits::HEAD))
            } else {
                Ok(None)
            };
        };
        // The same reader as for datagrams: it decides what the Content-Length is.
        let kept = self.kept.get(..end).unwrap_or_default();
        let read = Head::read(kept).and_then(|head| Ok((head.content_length(kept)?, head)));
        let (body, head) = match read {
            // RFC 3261 §20.14: on a stream Content-Length MUST be there.
            Ok((None, _)) => return Err(self.refuse("Content-Length (missing on a stream)", end)),
            Ok((Some(body), head)) => (body, head),
            Err(error) => return Err(Malformed { wire: self.kept.split().freeze(), error }),
        };
        let length = end.saturating_add(body);
        if length > limits::MESSAGE {
            return Err(self.refuse("length of the message", end));
        }
        self.begun = Some(Begun { head, length });
        Ok(self.take())
    }

    /// Takes one message of these octets, or a part of one, and gives back what comes behind it. One that its head says is unwanted, all of which
    /// is there, and whose length is plain to see, is stepped over: nobody reads it. What is not so plain is taken like any other.
    pub fn sift<'a>(
        &mut self,
        mut octets: &'a [u8],
        mut unwanted: impl FnMut(&Plain<'_>) -> bool,
    ) -> &'a [u8] {
        while self.kept.is_empty()
            && let Some(plain) = Plain::all_there(octets)
        {
            if !unwanted(&plain) {
                return self.take_in(octets, plain.whole());
            }
            self.half_a_ping = false;
            octets = octets.get(plain.whole()..).unwrap_or_default();
        }
        let rest = self.fill(octets);
        if self.has_new_head()
            && let Some(plain) = Plain::all_there(&self.kept)
            && unwanted(&plain)
        {
            let whole = plain.whole();
            self.kept.advance(whole);
            (self.searched, self.half_a_ping) = (0, false);
        }
        rest
    }

    /// Takes no more of the octets than belongs to the message that has begun, or to its head while nobody knows how long it is.
    fn fill<'a>(&mut self, mut octets: &'a [u8]) -> &'a [u8] {
        if self.begun.is_none() && !self.has_new_head() {
            let ping = self.kept.is_empty() && octets.starts_with(b"\r\n");
            let head = if ping { Some(2) } else { head_end(octets) };
            octets = self.take_in(octets, head.unwrap_or(octets.len()));
        }
        let length = if self.has_new_head() {
            Plain::of(&self.kept).map(|plain| plain.whole())
        } else {
            self.begun.as_ref().map(|begun| begun.length)
        };
        self.take_in(octets, length.unwrap_or(0).saturating_sub(self.kept.len()))
    }

    /// True when a head is there that nobody has read. Octets are searched for its end once, however slowly they come.
    fn has_new_head(&mut self) -> bool {
        self.begun.is_none() && self.head_end().is_some()
    }

    /// Takes so many octets, and gives the rest back.
    fn take_in<'a>(&mut self, octets: &'a [u8], count: usize) -> &'a [u8] {
        let (ours, rest) = octets.split_at_checked(count).unwrap_or((octets, &[]));
        self.push(ours);
        rest
    }

    /// The message that has begun, when all of it is there.
    fn take(&mut self) -> Option<Frame> {
        let kept = self.kept.len();
        let Begun { head, length } = self.begun.take_if(|begun| begun.length <= kept)?;
        self.searched = 0;
        let wire: Bytes = self.kept.split_to(length).freeze();
        Some(Frame::Message(Message::known(wire, (head, Core::default()))))
    }

    /// Gives back the memory that the last message has needed, when nothing is pending. Half a ping is remembered.
    pub fn forget(&mut self) {
        if self.kept.is_empty() {
            *self = Self { half_a_ping: self.half_a_ping, ..Self::default() };
        }
    }

    /// CRLFs before a start line. One alone may be the first half of a ping: it waits for what follows.
    fn keep_alive(&mut self) -> Option<Option<Frame>> {
        let (frame, length) = match self.kept.as_ref() {
            [b'\r', b'\n', b'\r', b'\n', ..] => (Some(Frame::Ping), 4),
            [b'\r', b'\n', b'\r'] | [b'\r'] => (None, 0),
            [b'\r', b'\n', ..] if self.half_a_ping => (Some(Frame::Ping), 2),
            [b'\r', b'\n', ..] => (Some(Frame::Pong), 2),
            [] | [_, ..] => return None,
        };
        if let Some(frame) = &frame {
            self.half_a_ping = matches!(frame, Frame::Pong);
        }
        drop(self.kept.split_to(length));
        self.searched = 0;
        Some(frame)
    }

    /// Where the body would begin.
    fn head_end(&mut self) -> Option<usize> {
        let from = self.searched.saturating_sub(3);
        let found = head_end(self.kept.get(from..).unwrap_or_default());
        if found.is_none() {
            self.searched = self.kept.len();
        }
        Some(from + found?)
    }

    fn refuse(&mut self, what: &'static str, at: usize) -> Malformed {
        Malformed { wire: self.kept.split().freeze(), error: ParseError { what, at } }
    }
}

/// Where the body begins, behind the empty row.
fn head_end(octets: &[u8]) -> Option<usize> {
    memmem::find(octets, b"\r\n\r\n").map(|at| at + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str =
        "MESSAGE sip:b@h SIP/2.0\r\nContent-Length :\r\n 4\r\nCSeq: 1 MESSAGE\r\n\r\nabcd";

    fn frames(framer: &mut Framer) -> String {
        let mut seen = String::new();
        while let Some(frame) = framer.cut().unwrap() {
            seen.push(match frame {
                Frame::Message(message) => {
                    assert_eq!(message.body(), b"abcd");
                    'M'
                }
                Frame::Ping => 'p',
                Frame::Pong => 'o',
            });
        }
        seen
    }

    const PLAIN: &str =
        "INVITE sip:b@h SIP/2.0\r\nContact: <sip:a@h>\r\nContent-Length: 4\r\n\r\nabcd";

    /// What is read of a stream that comes in pieces of such a size, and how many heads were judged that begin with INVITE; of those each `nth` is
    /// not wanted.
    fn sifted(stream: &str, size: usize, nth: usize) -> (String, usize) {
        let (mut framer, mut seen, mut judged) = (Framer::default(), String::new(), 0);
        let mut is_unwanted = |plain: &Plain<'_>| {
            let is_invite = plain.head().starts_with(b"INVITE");
            judged += usize::from(is_invite);
            is_invite && judged.is_multiple_of(nth)
        };
        for mut piece in stream.as_bytes().chunks(size) {
            while !piece.is_empty() {
                piece = framer.sift(piece, &mut is_unwanted);
                seen += &frames(&mut framer);
            }
        }
        assert_eq!(framer.pending(), 0);
        (seen, judged)
    }

    /// What is stepped over ends where the reader of messages would have ended it, or is read.
    #[test]
    fn what_is_not_wanted_is_one_whole_message() {
        let longer = PLAIN.replace("h: 4", "h:   004");
        assert_eq!(sifted(&format!("{PLAIN}{ONE}{PLAIN}{longer}"), 1000, 1), ("M".into(), 3));
        for doubtful in [
            PLAIN.replace("Content-Length:", "l:"),
            PLAIN.replace("Content-Length: 4", "Content-Length:\r\n 4"),
            PLAIN.replace("Content-Length: 4", "Content-Length: 4 "),
            PLAIN.replace("Content-Length: 4", "Content-Length:\t4"),
            PLAIN.replace("Content-Length: 4", "Content-Length: 4\r\nl: 4"),
        ] {
            let stream = format!("{doubtful}{PLAIN}{doubtful}");
            assert_eq!(sifted(&stream, 1000, 1), ("MM".into(), 1), "{doubtful}");
        }
        for broken in [
            PLAIN.replace("Content-Length: 4", "Content-Length: 4\r\nContent-Length: 2"),
            PLAIN.replace("Content-Length: 4", "content-length: 2\r\nContent-Length: 4"),
            PLAIN.replace("Content-Length: 4", "Content-Length: +4"),
            PLAIN.replace("Content-Length: 4\r\n", ""),
            PLAIN.replace("Contact", "Con\ntact"),
        ] {
            let mut framer = Framer::default();
            framer.sift(broken.as_bytes(), |_| panic!("it is read in any case: {broken}"));
            assert!(framer.cut().is_err(), "{broken}");
        }
        let half = PLAIN.replace("abcd", "abc");
        let mut framer = Framer::default();
        framer.sift(half.as_bytes(), |_| panic!("it is not all there"));
        assert!(framer.cut().is_ok_and(|frame| frame.is_none()));
    }

    /// However the octets fall into pieces: each message is judged once at most, and what is wanted is read as it was sent.
    #[test]
    fn what_is_stepped_over_leaves_what_lies_between_as_it_is() {
        let stream = format!("{PLAIN}{ONE}\r\n\r\n{PLAIN}{PLAIN}\r\n{ONE}\r\n{PLAIN}");
        for (size, nth) in (1..=stream.len()).flat_map(|size| [(size, 1), (size, 2)]) {
            let (seen, judged) = sifted(&stream, size, nth);
            assert!(judged <= 4, "in pieces of {size}: {judged}");
            // What is half there when a piece ends may be read without being judged.
            let read = seen.matches('M').count();
            assert_eq!(read + judged / nth, 6, "in pieces of {size}: {seen}");
            let between = seen.replace("op", "p").replace('M', "");
            assert_eq!(between.replace("ooo", "poo"), "poo", "in pieces of {size}: {seen}");
            assert!(judged == 4 || size < stream.len(), "all are plain to see");
        }
    }

    /// Proves: rfc3261-7.5-1.
    #[test]
    fn trap_18_every_split_gives_the_same_messages() {
        let stream = format!("{ONE}\r\n\r\n{ONE}{ONE}");
        for split in 0..=stream.len() {
            let (head, tail) = stream.split_at(split);
            let mut framer = Framer::default();
            framer.push(head.as_bytes());
            let mut seen = frames(&mut framer);
            framer.push(tail.as_bytes());
            seen += &frames(&mut framer);
            // A ping cut in its middle is half a pong at first, and is answered when it is whole.
            assert!(seen == "MpMM" || seen == "MopMM", "split at {split}: {seen}");
            assert_eq!(framer.pending(), 0);
        }
    }

    /// Proves: rfc7118-5-2.
    #[test]
    fn trap_54_what_comes_as_a_whole_is_one_message_and_needs_no_length() {
        let whole = |text: &str| super::whole(Bytes::copy_from_slice(text.as_bytes()));
        let bare = "MESSAGE sip:b@h SIP/2.0\r\nCSeq: 1 MESSAGE\r\n\r\n";
        let Ok(Frame::Message(message)) = whole(&format!("{bare}to the end")) else { panic!() };
        assert_eq!(message.body(), b"to the end");
        assert!(matches!(whole(&format!("\r\n{ONE}")), Ok(Frame::Message(_))));
        assert!(matches!(whole("\r\n\r\n"), Ok(Frame::Ping)));
        assert!(matches!(whole("\r\n"), Ok(Frame::Pong)));
        for refused in [
            format!("{ONE}{ONE}"),
            format!("{ONE}\r\n"),
            ONE[..ONE.len() - 1].into(),
            bare[..bare.len() - 2].into(),
            "\r\n\r\n\r\n".into(),
            "hello".into(),
            String::new(),
        ] {
            assert!(whole(&refused).is_err(), "{refused:?}");
        }
    }

    #[test]
    fn no_length_two_lengths_or_too_much_is_refused() {
        for rows in ["", "l: 1\r\nl: 2\r\n", "l: 4294967297\r\n", "l: 999999\r\n", "l: -1\r\n"] {
            let mut framer = Framer::default();
            framer.push(format!("OPTIONS sip:b SIP/2.0\r\n{rows}\r\n").as_bytes());
            assert!(framer.cut().is_err(), "{rows:?}");
        }
        for (other, octets) in
            [("TLS", &b"\x16\x03\x01"[..]), ("STUN", &[0, 1]), ("blank", b" "), ("LF", b"\n")]
        {
            let mut framer = Framer::default();
            framer.push(octets);
            assert_eq!(framer.cut().unwrap_err().error.at, 0, "{other}");
        }
        let mut framer = Framer::default();
        framer.push(&vec![b'a'; limits::HEAD + 1]);
        assert!(framer.cut().is_err());
    }
}
