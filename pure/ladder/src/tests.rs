//! What a ladder looks like.

use std::time::Duration;

use machine::Time;

use super::*;

fn at(millis: u64) -> Time {
    Time(1_700_000_000_000_000_000) + Duration::from_millis(millis)
}

/// A call with everything that a ladder can show.
fn call() -> Ladder {
    let mut ladder = Ladder::default();
    let (a, s, b) = (ladder.lifeline("alice"), ladder.lifeline("server"), ladder.lifeline("bob"));
    ladder.push(Rung::new(at(0), Step::Caption("A call".into())));
    ladder.arrow(at(0), a, s, "INVITE", Tone::Request);
    ladder.arrow(at(1), s, a, "100 Trying", Tone::Provisional);
    ladder.push(Rung::arrow(at(2), s, b, "INVITE", Tone::Request).lost());
    let again = Rung::arrow(at(502), s, b, "INVITE", Tone::Request);
    ladder.push(again.note("timer A (§17.1.1.2)"));
    ladder.push(Rung::new(at(503), Step::Remark { at: b, text: "rings".into() }));
    ladder.arrow(at(900), b, s, "200 OK (INVITE)", Tone::Success);
    ladder.arrow(at(901), s, a, "200 OK (INVITE)", Tone::Success);
    ladder.arrow(at(902), a, b, "ACK", Tone::Request);
    let label = "RTP PCMU".to_owned();
    ladder.push(Rung::new(at(950), Step::Media { a, b, label: label.clone(), way: Way::Both }));
    ladder.push(Rung::new(at(2000), Step::Hold(b)));
    ladder.push(Rung::new(at(2020), Step::Media { a: b, b: a, label, way: Way::Back }));
    ladder.push(Rung::new(at(3000), Step::Resume(b)));
    ladder.arrow(
        at(61_000),
        b,
        a,
        "BYE, and a label that is far too long for the arrow that it has to stand on",
        Tone::Request,
    );
    ladder.arrow(at(61_001), a, a, "hangs up", Tone::Plain);
    ladder
}

#[test]
fn a_call_in_ascii() {
    let look = Look { width: 76, ..Look::GOLDEN };
    let expected = include_str!("golden/call.txt");
    let text = call().text(look);
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn a_call_in_unicode() {
    let look = Look { paint: Paint::Plain, ..Look::terminal(90) };
    let text = call().text(look);
    assert_eq!(text, include_str!("golden/call.unicode.txt"), "\n{text}");
}

#[test]
fn a_call_on_a_narrow_terminal_is_a_list() {
    let text = call().text(Look { width: 40, ..Look::GOLDEN });
    assert_eq!(text, include_str!("golden/call.list.txt"), "\n{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 40));
}

#[test]
fn no_line_is_wider_than_asked() {
    for width in 30..200 {
        let text = call().text(Look { width, ..Look::GOLDEN });
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= width, "{widest} of {width}\n{text}");
    }
}

#[test]
fn media_points_the_way_it_flows() {
    let heads = |a, b, way| {
        let media = Step::Media { a: Lifeline(a), b: Lifeline(b), label: String::new(), way };
        let mut printer = Printer::new(Look::GOLDEN, &["alice", "bob"]);
        let text = printer.rung(&Rung::new(at(0), media));
        (text.contains('<'), text.contains('>'))
    };
    assert_eq!((heads(0, 1, Way::Both), heads(1, 0, Way::Both)), ((true, true), (true, true)));
    assert_eq!((heads(0, 1, Way::Forth), heads(1, 0, Way::Forth)), ((false, true), (true, false)));
    assert_eq!((heads(0, 1, Way::Back), heads(1, 0, Way::Back)), ((true, false), (false, true)));
}

#[test]
fn line_by_line_is_the_same_as_whole() {
    let (ladder, look) = (call(), Look::terminal(100));
    let mut printer = Printer::new(look, &["alice", "server", "bob"]);
    let mut text = printer.head();
    for rung in ladder.rungs() {
        text.push_str(&printer.rung(rung));
    }
    text.push_str(&printer.foot());
    assert_eq!(text, ladder.text(look));
}

#[test]
fn colours_change_nothing_else() {
    let plain = call().text(Look { paint: Paint::Plain, ..Look::terminal(90) });
    let coloured = call().text(Look::terminal(90));
    let mut bare = String::new();
    for (nth, part) in coloured.split("\x1b[").enumerate() {
        bare.push_str(if nth == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    assert_eq!(bare, plain);
    assert!(coloured.contains('\x1b'));
    assert!(coloured.lines().all(|line| !line.contains('\x1b') || !open(line)));
}

/// Whether a line leaves a colour on.
fn open(line: &str) -> bool {
    line.rsplit("\x1b[").next().is_some_and(|last| !last.starts_with("0m"))
}

/// Every place where a stranger's text can stand, with the same text in it.
fn forged(text: &str) -> Ladder {
    let mut ladder = Ladder::default();
    let (a, b) = (ladder.lifeline(text), ladder.lifeline("b"));
    ladder.push(Rung::arrow(at(0), a, b, text, Tone::Request).note(text));
    ladder.arrow(at(0), a, a, text, Tone::Request);
    ladder.push(Rung::new(at(0), Step::Remark { at: a, text: text.into() }));
    ladder.push(Rung::new(at(0), Step::Media { a, b, label: text.into(), way: Way::Both }));
    ladder.push(Rung::new(at(0), Step::Caption(text.into())));
    ladder
}

#[test]
fn no_stranger_writes_on_the_readers_terminal() {
    let ladder = forged("\x1b]0;owned\x07\r\n\u{9b}2J\u{202e}");
    for look in [Look::GOLDEN, Look { width: 20, ..Look::GOLDEN }] {
        for glyphs in [Glyphs::Ascii, Glyphs::Unicode] {
            let text = ladder.text(Look { glyphs, ..look });
            assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
            assert!(glyphs == Glyphs::Unicode || text.is_ascii());
            assert!(text.contains("0;owned"), "it is shown, not hidden");
        }
    }
}

#[test]
fn no_stranger_writes_on_the_readers_page() {
    let svg = forged("\"'><script>alert(1)</script>&\x1b").svg();
    assert!(!svg.contains("<script"));
    assert!(svg.chars().all(|c| c == '\n' || !c.is_control()));
    assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
    assert!(svg.replace("&quot;", "").replace("&#39;", "").contains("&lt;script&gt;"));
}

#[test]
fn a_picture_has_every_label_and_is_the_same_each_time() {
    let svg = call().svg();
    assert_eq!(svg, call().svg());
    for label in
        ["alice", "server", "bob", "100 Trying", "200 OK (INVITE)", "rings", "on hold", "§17.1.1.2"]
    {
        assert!(svg.contains(label), "{label}");
    }
    assert_eq!(svg.matches("class=\"lost\"").count(), 2, "a shaft and a cross");
    assert_eq!(svg.matches("life held").count(), 1);
    assert!(svg.contains("prefers-color-scheme:dark"));
}

#[test]
fn limits_hold() {
    let mut ladder = Ladder::default();
    for n in 0..limits::LIFELINES + 5 {
        assert!(ladder.lifeline(&n.to_string()).0 < limits::LIFELINES);
    }
    for _ in 0..limits::RUNGS + 5 {
        ladder.arrow(at(0), Lifeline(0), Lifeline(usize::MAX), "x", Tone::Plain);
    }
    assert_eq!((ladder.rungs().len(), ladder.omitted()), (limits::RUNGS, 5));
    assert!(ladder.text(Look::GOLDEN).contains("and 5 more"));
    let wide = call().text(Look { width: usize::MAX, ..Look::GOLDEN });
    assert!(wide.lines().all(|line| line.len() <= limits::WIDTH));
    let mut empty = Ladder::default();
    empty.arrow(at(0), Lifeline(3), Lifeline(4), "x", Tone::Plain);
    assert!(empty.text(Look::GOLDEN).contains('x') && empty.svg().contains("</svg>"));
}

#[test]
fn a_name_is_found_again() {
    let mut ladder = Ladder::default();
    let alice = ladder.find("alice\x07");
    assert_eq!((ladder.find("bob"), ladder.find("alice\x07")), (Lifeline(1), alice));
}
