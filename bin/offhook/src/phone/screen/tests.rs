//! Screens as they were looked at once, and what keys make of them. `OFFHOOK_WRITE=1 cargo test -p offhook --lib screen` writes them anew.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use phone::{Call, CallQuality, Direction, Grade, Inquiry, PhoneEvent, Watch};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Color;

use super::super::board::{Board, Key, Known, State};
use super::super::order::Order;
use super::super::past::{PastCall, PastCalls};
use super::super::patch::Patch;
use super::super::watch::What;
use super::super::watchlist::{WatchList, Whom};
use super::keys::{Lists, TABLE, Want};
use super::look::{Colours, Letters, Look};
use super::model::{Mode, Model, Reception};
use super::view::{Scene, draw};

const FULL: Look = Look { colours: Colours::Some, letters: Letters::Unicode };
const PLAIN: Look = Look { colours: Colours::None, letters: Letters::Ascii };
const NOW: Duration = Duration::from_secs(125);

/// A phone on a desk, with all that is around it.
struct Desk {
    model: Model,
    board: Board,
    past: PastCalls,
    watched: WatchList,
}

impl Desk {
    /// Two accounts, one of which the registrar does not take.
    fn new() -> Self {
        let addresses = ["sip:101@192.168.1.10", "sip:alice@example.test"];
        let mut desk = Self {
            model: Model::new(addresses.into_iter().map(Into::into)),
            board: Board::default(),
            past: PastCalls::default(),
            watched: WatchList::default(),
        };
        desk.hear(0, &PhoneEvent::Registered { expires: 3600 });
        desk.hear(1, &PhoneEvent::NotRegistered { status: 401, reason: "wrong password".into() });
        for (minute, direction, with, status, talked) in [
            (1, Direction::In, "\"Bob\" <sip:102@192.168.1.10>", 200, Some(75)),
            (9, Direction::Out, "103", 486, None),
            (30, Direction::In, "sip:carol@example.test", 487, None),
        ] {
            let at = Timestamp::from_second(1_800_000_000 + minute * 60).unwrap();
            let (account, talked) =
                ("sip:101@192.168.1.10".into(), talked.map(Duration::from_secs));
            let with = with.to_owned();
            desk.past.add(PastCall { at, account, direction, with, status, talked }).unwrap();
        }
        desk
    }

    /// One call that is up and measured, one that waits, one that comes.
    fn busy() -> Self {
        let mut desk = Self::new();
        desk.place(0, 1, "103");
        desk.hear(0, &PhoneEvent::Established { call: Call(1) });
        desk.board.get_mut(KEY).unwrap().holds = true;
        desk.place(0, 2, "sip:102@192.168.1.10");
        let up = PhoneEvent::Established { call: Call(2) };
        desk.board.hear(Duration::from_secs(63), 0, &up);
        let from = "\"Carol\" <sip:carol@example.test>".into();
        desk.hear(1, &PhoneEvent::Incoming { call: Call(1), from });
        let known = desk.board.get_mut(TALK).unwrap();
        known.meter.set(9000, 1200);
        known.quality = Some(QUALITY);
        desk.hear(0, &PhoneEvent::Key { call: Call(2), key: '5' });
        desk.model.selected = Some(TALK);
        desk
    }

    fn place(&mut self, line: usize, call: u32, with: &str) {
        let key = Key { line, call: Call(call) };
        self.board.place(Known::new(Duration::ZERO, key, (Direction::Out, with)));
        self.model.selected = Some(key);
    }

    fn hear(&mut self, line: usize, event: &PhoneEvent) {
        self.watched.hear(line, event);
        self.board.hear(Duration::ZERO, line, event);
        self.model.hear(Duration::from_secs(120), line, event, &self.board);
    }

    fn press(&mut self, code: KeyCode) -> Option<Want> {
        let lists = Lists { board: &self.board, past: &self.past, watched: &self.watched };
        self.model.press(NOW, KeyEvent::new(code, KeyModifiers::NONE), lists)
    }

    /// Types; what is wanted at the end.
    fn types(&mut self, keys: &str) -> Option<Want> {
        let press = |c| self.press(if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) });
        keys.chars().map(press).last().flatten()
    }

    fn drawn(&self, width: u16, height: u16, look: Look) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let Self { model, board, past, watched } = self;
        let scene = Scene { model, board, past, watched, now: NOW, zone: &TimeZone::UTC, look };
        terminal.draw(|frame| _ = draw(&scene, frame.area(), frame.buffer_mut())).unwrap();
        terminal.backend().buffer().clone()
    }

    fn text(&self, look: Look) -> String {
        rows(&self.drawn(80, 24, look))
    }
}

const KEY: Key = Key { line: 0, call: Call(1) };
const TALK: Key = Key { line: 0, call: Call(2) };

const QUALITY: CallQuality = CallQuality {
    codec: "opus",
    srtp: Some("AES_CM_128_HMAC_SHA1_80"),
    refused: 0,
    sent: 3100,
    received: 3071,
    lost: 29,
    late: 2,
    concealed: 27,
    round_trip: Some(Duration::from_millis(41)),
    here: Some(Grade { loss: 9, jitter: Duration::from_micros(2300), mos: 421 }),
    there: Some(Grade { loss: 0, jitter: Duration::from_micros(900), mos: 438 }),
};

fn rows(buffer: &Buffer) -> String {
    let row = |y| {
        let cells = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol());
        cells.collect::<String>().trim_end().to_owned() + "\n"
    };
    (0..buffer.area.height).map(row).collect()
}

/// Is the screen as it was looked at once?
fn golden(name: &str, text: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/phone/screen/golden");
    let file = folder.join(name);
    if std::env::var_os("OFFHOOK_WRITE").is_some() {
        std::fs::write(&file, text).unwrap();
    }
    let known = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(known == text, "{name} was\n{known}\nand is\n{text}");
}

#[test]
fn screens_are_as_they_were_looked_at() {
    let mut desk = Desk::new();
    golden("idle.txt", &desk.text(FULL));
    desk.types("c10");
    golden("dialling.txt", &desk.text(FULL));
    let mut busy = Desk::busy();
    golden("calls.txt", &busy.text(FULL));
    golden("calls-ascii.txt", &busy.text(PLAIN));
    assert!(TABLE.len() <= 21 && TABLE.iter().all(|(_, what)| what.len() <= 80 - 21));
    busy.types("?");
    golden("help.txt", &busy.text(FULL));
}

#[test]
fn the_page_shows_the_screen_as_it_is() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/phone.md");
    let page = std::fs::read_to_string(page).unwrap();
    let screen = Desk::busy().text(FULL);
    assert!(page.contains(screen.trim_end()), "docs/phone.md should show\n{screen}");
}

#[test]
fn nothing_is_said_by_a_colour_alone() {
    let busy = Desk::busy();
    let mute = Look { colours: Colours::None, ..FULL };
    let [colourful, mute] = [FULL, mute].map(|look| busy.drawn(80, 24, look));
    assert_eq!(rows(&colourful), rows(&mute));
    let coloured = |buffer: &Buffer| {
        buffer.content.iter().any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset)
    };
    assert!(coloured(&colourful) && !coloured(&mute));
    assert!(busy.text(PLAIN).is_ascii());
}

#[test]
fn any_size_is_drawn_and_a_small_one_says_so() {
    let mut busy = Desk::busy();
    for width in (1..140).step_by(3) {
        for height in 1..40 {
            busy.drawn(width, height, FULL);
        }
    }
    assert!(rows(&busy.drawn(39, 24, FULL)).starts_with("too small: 40 columns"));
    // What is chosen is seen, however low the window.
    assert!(rows(&busy.drawn(80, 12, FULL)).contains("> 2 to   102@"));
    // The end of a long line is what is being typed.
    busy.types(&format!("c{}end", "x".repeat(100)));
    assert!(rows(&busy.drawn(60, 24, FULL)).contains("xxxend\n"));
}

#[test]
fn what_strangers_say_does_not_upset_the_terminal() {
    let mut desk = Desk::new();
    let evil: Box<str> = "\u{1b}[2J\u{7}\u{202e}evil\r\n".into();
    desk.hear(0, &PhoneEvent::Incoming { call: Call(1), from: evil.clone() });
    desk.hear(0, &PhoneEvent::Message { from: evil.clone(), text: evil });
    for _ in 0..2 {
        let cells = desk.drawn(80, 24, FULL).content;
        assert!(cells.iter().all(|cell| !cell.symbol().contains(crate::log::upsets)));
        desk.press(KeyCode::Tab);
    }
    assert!(desk.text(FULL).contains("evil"));
}

#[test]
fn a_call_is_made_held_transferred_and_ended_by_keys() {
    let mut desk = Desk::new();
    let order = |want: Option<Want>| match want {
        Some(Want::Order(order)) => order,
        other => panic!("{other:?}"),
    };
    assert_eq!(order(desk.types("102\n")), Order::Call(0, "102".into()));
    desk.place(0, 1, "102");
    assert_eq!(order(desk.types("x")), Order::HangUp(KEY));
    assert_eq!(desk.types("h"), None, "nothing to hold yet");
    desk.hear(0, &PhoneEvent::Established { call: Call(1) });
    for (keys, wanted) in [
        ("h", Order::Hold(KEY)),
        (" ", Order::TalkIn(KEY)),
        ("m", Order::Mute(KEY)),
        ("#", Order::Press(KEY, '#')),
        ("kB", Order::Press(KEY, 'B')),
    ] {
        assert_eq!(order(desk.types(keys)), wanted, "{keys}");
    }
    assert_eq!(desk.press(KeyCode::Esc), None, "the keypad is left");
    desk.board.get_mut(KEY).unwrap().holds = true;
    assert_eq!(order(desk.types("h")), Order::TalkIn(KEY));
    assert_eq!(order(desk.types("t103\n")), Order::Transfer(KEY, "103".into()));
    // Ask first: a second call, and then both others talk.
    assert_eq!(order(desk.types("T103\n")), Order::Call(0, "103".into()));
    desk.place(0, 2, "103");
    desk.hear(0, &PhoneEvent::Established { call: Call(2) });
    assert_eq!(order(desk.types("T")), Order::Join(KEY, TALK));
    assert_eq!(order(desk.types("C")), Order::Confer);
    desk.hear(0, &PhoneEvent::Conference { members: [Call(1), Call(2)].into() });
    assert!(desk.text(FULL).contains("in conference"));
    assert_eq!(order(desk.types("C")), Order::Split(TALK));
    desk.hear(0, &PhoneEvent::Conference { members: Box::default() });
    assert!(!desk.text(FULL).contains("in conference"));
    desk.hear(0, &PhoneEvent::Referred { call: Call(2), to: "sip:104@h".into() });
    assert_eq!(order(desk.types("y")), Order::Follow(TALK));
    assert_eq!(order(desk.types("x")), Order::HangUp(TALK));
}

#[test]
fn calls_that_come_are_answered_refused_or_turned_away() {
    let mut desk = Desk::busy();
    let coming = Key { line: 1, call: Call(1) };
    assert_eq!(desk.types("b"), Some(Want::Order(Order::Refuse(coming))));
    assert_eq!(desk.types("x"), Some(Want::Order(Order::HangUp(TALK))), "it is the chosen one");
    assert_eq!(desk.types("a"), Some(Want::Order(Order::Answer(coming))));
    assert_eq!(desk.types("x"), Some(Want::Order(Order::Refuse(coming))), "it is the chosen one");
    assert_eq!(desk.types("n"), Some(Want::Order(Order::DoNotDisturb)));
    assert!(desk.text(FULL).contains("DO NOT DISTURB"));
    assert_eq!(desk.types("n"), Some(Want::Order(Order::Open)));
    assert_eq!(desk.types("f104\n"), Some(Want::Order(Order::Forward("104".into()))));
    assert!(
        !desk.text(FULL).contains("FORWARDED"),
        "the phone may say that there is no such address"
    );
    desk.model.forwarded("104".into());
    assert!(desk.text(FULL).contains("FORWARDED to 104"));
    assert_eq!(desk.types("f"), Some(Want::Order(Order::Open)));
    assert_eq!(desk.model.reception, Reception::Open);
    // Gone, it is not chosen any more.
    let gone = PhoneEvent::Ended { call: Call(1), status: 487, reason: "gone".into() };
    desk.hear(1, &gone);
    assert_eq!(desk.model.selected, Some(TALK));
    assert!(desk.board.calls().iter().all(|known| known.state != State::Comes));
}

#[test]
fn a_message_is_followed_until_it_has_arrived() {
    let mut desk = Desk::new();
    let sent = Order::Message(1, "102".into(), "Dinner is ready, n".into());
    assert_eq!(desk.types("os102\nDinner is ready, n\n"), Some(Want::Order(sent)));
    desk.model.sent(1, Inquiry(7), ("102".into(), "Dinner".into()));
    desk.press(KeyCode::Tab);
    assert!(desk.text(FULL).contains("to   102: Dinner (on its way)"));
    let answered = |status, reason: &str| {
        let (took, rows) = (Duration::ZERO, Box::default());
        PhoneEvent::Answered { inquiry: Inquiry(7), status, reason: reason.into(), took, rows }
    };
    desk.hear(0, &answered(404, "Not Found"));
    assert!(desk.text(FULL).contains("(on its way)"), "that was another account's");
    desk.hear(1, &answered(200, "OK"));
    assert!(desk.text(FULL).contains("to   102: Dinner (arrived)"));
}

#[test]
fn who_is_watched_and_what_waits_is_shown() {
    let mut desk = Desk::new();
    let watch = Order::Watch(1, "102".into(), What::Presence);
    assert_eq!(desk.types("ow102\n"), Some(Want::Order(watch)));
    assert!(desk.text(FULL).contains("Watched (Tab: past calls)"));
    desk.watched.begin((1, Watch(4)), Whom::Somebody("102".into(), What::Presence));
    desk.watched.begin((0, Watch(4)), Whom::Own);
    let told = |kind: &str, body: &str| {
        let (state, body) = ("active".into(), body.as_bytes().to_vec().into());
        PhoneEvent::Watched { watch: Watch(4), place: 0, state, kind: kind.into(), body }
    };
    let there = "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:102@example.test'>\
                 <tuple id='a'><status><basic>open</basic></status></tuple></presence>";
    desk.hear(1, &told("application/pidf+xml", there));
    let summary = "Messages-Waiting: yes\r\nVoice-Message: 2/8\r\n";
    desk.hear(0, &told("application/simple-message-summary", summary));
    let text = desk.text(FULL);
    assert!(text.contains("registered for 60 min, 2 new messages\n"), "{text}");
    assert!(
        text.contains("102 presence                    sip:102@example.test is there  by alice\n"),
        "{text}"
    );
}

#[test]
fn calls_of_two_accounts_confer_and_one_leaves() {
    let mut desk = Desk::new();
    let patch = Patch::default();
    for line in [0, 1] {
        desk.place(line, 1, "102");
        desk.hear(line, &PhoneEvent::Established { call: Call(1) });
        let known = desk.board.get_mut(Key { line, call: Call(1) }).unwrap();
        known.meter.plug(Some(patch.plug(line)));
    }
    let other = Key { line: 1, call: Call(1) };
    assert!(desk.board.are_together(KEY, other));
    assert_eq!(desk.text(FULL).matches("in conference").count(), 2);
    desk.board.toggle_mute(KEY);
    assert_eq!(desk.text(FULL).matches("in conference, MUTED").count(), 2);
    assert_eq!(desk.types("C"), Some(Want::Order(Order::Split(other))));
    assert_eq!(desk.types("T"), Some(Want::Order(Order::Join(KEY, other))));
}

#[test]
fn past_calls_are_at_hand_and_leaving_asks_when_calls_are_up() {
    let mut desk = Desk::new();
    desk.types("c");
    desk.press(KeyCode::Up);
    desk.press(KeyCode::Up);
    assert_eq!(desk.types("\n"), Some(Want::Order(Order::Call(0, "103".into()))));
    desk.types("c");
    (0..9).for_each(|_| drop(desk.press(KeyCode::Up)));
    let bob = Order::Call(0, "sip:102@192.168.1.10".into());
    assert_eq!(desk.types("\n"), Some(Want::Order(bob)));
    // What is pasted is typed and never a command, and a newline in it does nothing.
    desk.model.paste("q");
    desk.types("c");
    desk.model.paste("10\n2");
    assert_eq!(desk.types("\n"), Some(Want::Order(Order::Call(0, "102".into()))));
    assert_eq!(desk.types("r"), Some(Want::Redial));
    assert_eq!(desk.types("q"), Some(Want::Quit));
    let mut busy = Desk::busy();
    assert_eq!(busy.types("q"), None);
    assert_eq!(busy.model.mode, Mode::Leaving);
    assert_eq!(busy.types("z"), None);
    assert_eq!(busy.types("qq"), Some(Want::Quit));
}

/// A name may have as many letters as a message: no draw takes longer for that.
#[test]
fn a_name_without_end_is_cut() {
    let mut desk = Desk::new();
    let from = format!("\"{}\" <sip:eve@h>", "\u{301}a".repeat(30_000));
    desk.hear(0, &PhoneEvent::Incoming { call: Call(9), from: from.into() });
    let known = desk.board.calls().last().unwrap();
    assert_eq!(known.with.chars().count(), crate::limits::NAME);
    assert!(desk.text(FULL).contains("CALLS YOU"));
}

/// Who comes in without anybody being asked stands in the list, and is one of the past calls.
#[test]
fn who_joins_or_takes_over_is_shown() {
    let mut desk = Desk::new();
    desk.place(0, 1, "102");
    let entered = |call, with: &str| PhoneEvent::Entered {
        call: Call(call),
        with: with.into(),
        wanted_in: None,
    };
    let members = [Call(1), Call(2)].into();
    desk.hear(0, &entered(2, "sip:eve@h"));
    for event in [PhoneEvent::Established { call: Call(2) }, PhoneEvent::Conference { members }] {
        desk.hear(0, &event);
    }
    assert!(desk.text(FULL).contains("eve@h"));
    desk.hear(0, &entered(3, "sip:dave@h"));
    desk.hear(0, &PhoneEvent::GoesOn { call: Call(2), new: Call(3) });
    let known = desk.board.get(Key { line: 0, call: Call(3) }).unwrap();
    assert_eq!(known.with, "sip:dave@h");
}
