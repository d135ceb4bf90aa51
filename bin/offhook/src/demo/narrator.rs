//! `Narrator`: draws the ladder of the demo while it happens, and explains it to those who want to know.

use std::net::SocketAddr;

use ladder::{Ladder, Lifeline, Look, Printer, Rung, Step, Tone, Way};
use machine::Time;
use net::Passed;
use sip::Message;

use super::lesson::{Answered, lesson};
use super::side::Side;
use crate::limits;

/// Whether each message is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lessons {
    /// The ladder alone.
    Untold,
    /// Each kind of message is explained when it is seen first.
    Told,
}

/// Draws the ladder of a server with a phone at either side.
pub(super) struct Narrator {
    ladder: Ladder,
    printer: Printer,
    phones: [(Side, SocketAddr); 2],
    lines: [Lifeline; 2],
    server: Lifeline,
    lessons: Lessons,
    told: Vec<&'static str>,
    answered: Answered,
}

impl Narrator {
    /// Alice at the left, the server, Bob at the right, with the addresses that the phones send from.
    pub(super) fn new(look: Look, phones: [(Side, SocketAddr); 2], lessons: Lessons) -> Self {
        let mut ladder = Ladder::default();
        let alice = ladder.lifeline(Side::Alice.name());
        let server = ladder.lifeline("server");
        let bob = ladder.lifeline(Side::Bob.name());
        let names: Vec<&str> = ladder.names().iter().map(String::as_str).collect();
        let printer = Printer::new(look, &names);
        let lines = [alice, bob];
        Self {
            ladder,
            printer,
            phones,
            lines,
            server,
            lessons,
            told: Vec::new(),
            answered: Answered::No,
        }
    }

    /// The names over the lifelines.
    pub(super) fn head(&self) -> String {
        self.printer.head()
    }

    /// The end of the lifelines.
    pub(super) fn foot(&self) -> String {
        self.printer.foot()
    }

    /// What was drawn so far.
    pub(super) const fn ladder(&self) -> &Ladder {
        &self.ladder
    }

    /// A message that the server received or sent: its lines; empty for what nobody here sent.
    pub(super) fn message(&mut self, passed: &Passed) -> String {
        let Some((side, _)) = self.phones.iter().find(|(_, address)| *address == passed.flow.peer)
        else {
            return String::new();
        };
        let Ok(message) = Message::parse(passed.wire.clone()) else { return String::new() };
        let phone = self.line(*side);
        let (from, to) = match passed.way {
            net::Way::In => (phone, self.server),
            net::Way::Out => (self.server, phone),
        };
        let tone = message.status().map_or(Tone::Request, |status| Tone::of_status(status.code()));
        let rung = Rung::arrow(passed.at, from, to, &message.title(), tone);
        self.answered = Answered::by(&message).unwrap_or(self.answered);
        let lesson = lesson(&message, self.answered)
            .filter(|lesson| self.lessons == Lessons::Told && !self.told.contains(&lesson.text));
        match lesson {
            Some(lesson) => {
                self.told.push(lesson.text);
                self.rung(rung.note(&format!("{} ({})", lesson.text, lesson.section)))
            }
            None => self.rung(rung),
        }
    }

    /// A chapter begins.
    pub(super) fn caption(&mut self, at: Time, text: &str) -> String {
        self.rung(Rung::new(at, Step::Caption(text.into())))
    }

    /// Something happens to one phone alone.
    pub(super) fn remark(&mut self, at: Time, side: Side, text: &str) -> String {
        let line = self.line(side);
        self.rung(Rung::new(at, Step::Remark { at: line, text: text.into() }))
    }

    /// Sound flows between the phones: it does not touch the server.
    pub(super) fn media(&mut self, at: Time, label: &str, way: Way) -> String {
        let [a, b] = self.lines;
        self.rung(Rung::new(at, Step::Media { a, b, label: label.into(), way }))
    }

    /// A phone is put on hold.
    pub(super) fn hold(&mut self, at: Time, side: Side) -> String {
        let line = self.line(side);
        self.rung(Rung::new(at, Step::Hold(line)))
    }

    /// A phone is taken back.
    pub(super) fn resume(&mut self, at: Time, side: Side) -> String {
        let line = self.line(side);
        self.rung(Rung::new(at, Step::Resume(line)))
    }

    const fn line(&self, side: Side) -> Lifeline {
        *side.of(&self.lines)
    }

    fn rung(&mut self, rung: Rung) -> String {
        let lines = self.printer.rung(&rung);
        self.ladder.push(rung);
        lines
    }
}

/// How the ladder is drawn here: for a terminal with its width and colours, for a file without.
pub(super) fn look() -> Look {
    use std::io::IsTerminal as _;
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let mut look = Look::terminal(columns.unwrap_or(limits::TERMINAL_WIDTH));
    let plain = std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty());
    if plain || !std::io::stdout().is_terminal() {
        look.paint = ladder::Paint::Plain;
    }
    look
}

#[cfg(test)]
mod tests {
    use net::Way as Direction;
    use protocol::{Flow, Identity, Transport};

    use super::*;

    const ALICE: ([u8; 4], u16) = ([127, 0, 0, 1], 4001);
    const BOB: ([u8; 4], u16) = ([127, 0, 0, 1], 4002);

    fn passed(way: Direction, peer: ([u8; 4], u16), wire: &'static str) -> Passed {
        let flow = Flow {
            transport: Transport::Udp,
            listener: 0,
            connection: 0,
            peer: peer.into(),
            identity: Identity::NONE,
        };
        Passed { at: Time(0), shard: 0, way, flow, wire: wire.into() }
    }

    #[test]
    fn messages_become_arrows_and_each_lesson_is_told_once() {
        let look = Look { width: 78, ..Look::GOLDEN };
        let mut narrator = Narrator::new(
            look,
            [(Side::Alice, ALICE.into()), (Side::Bob, BOB.into())],
            Lessons::Told,
        );
        let invite = "INVITE sip:b@h SIP/2.0\r\nTo: <sip:b@h>\r\n\r\n";
        let first = narrator.message(&passed(Direction::In, ALICE, invite));
        assert!(first.contains("INVITE") && first.contains("13.2"), "{first}");
        let second = narrator.message(&passed(Direction::Out, BOB, invite));
        assert!(second.contains("INVITE") && !second.contains("RFC"), "{second}");
        let ok = "SIP/2.0 200 OK\r\nCSeq: 1 BYE\r\n\r\n";
        assert!(narrator.message(&passed(Direction::In, BOB, ok)).contains("200 OK (BYE)"));
        let stranger = ([127, 0, 0, 1], 4003);
        assert_eq!(narrator.message(&passed(Direction::In, stranger, ok)), "");
    }
}
