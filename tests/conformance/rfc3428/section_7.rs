//! §7: texts for us.

use phone::PhoneEvent;
use sip::{Message, Name};

use crate::handset::{Bench, rows, within};

const PLAIN: &str = "Content-Type: text/plain\r\n";

fn told(bench: &mut Bench) -> Vec<(String, String)> {
    let text = |event: PhoneEvent| match event {
        PhoneEvent::Message { from, text } => Some((from.into(), text.into())),
        _ => None,
    };
    bench.events().into_iter().filter_map(text).collect()
}

/// "A 2xx response to a MESSAGE request MUST NOT contain a body. A UAS MUST NOT insert a Contact header field into a 2xx response."
/// Proves: rfc3428-A-5, rfc3428-A-6.
#[test]
fn a_text_is_told_and_answered_with_nothing_but_yes() {
    let mut bench = Bench::new();
    let message = bench.request("MESSAGE", PLAIN, "Watson, come here.");
    bench.tell(message);
    let ok = bench.only();
    assert_eq!(ok.status().unwrap().code(), 200);
    assert!(!ok.has(Name::Contact) && ok.body().is_empty());
    let from = "Bob <sip:bob@biloxi.example>".to_owned();
    assert_eq!(told(&mut bench), [(from, "Watson, come here.".to_owned())]);
}

/// Within a call too; what cannot be read is refused with what can; what is no text does no harm.
#[test]
fn texts_within_calls_and_texts_that_are_none() {
    let mut bench = Bench::new();
    let (_, _, ok) = bench.taken();
    bench.events();
    let inside = within(&ok, "MESSAGE", 2, "", "");
    let wire = String::from_utf8(inside.wire().to_vec()).unwrap();
    let text = "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi";
    bench.tell(Message::parse(wire.trim_end().to_owned() + "\r\n" + text).unwrap());
    assert_eq!(bench.titles(), ["200"]);
    assert_eq!(told(&mut bench)[0].1, "hi");
    let html = bench.request("MESSAGE", "Content-Type: text/html\r\n", "<b>");
    bench.tell(html);
    let no = bench.only();
    assert_eq!(
        (no.status().unwrap().code(), rows(&no, Name::Accept)),
        (415, vec!["text/plain".into()])
    );
    let odd = bench.request("MESSAGE", PLAIN, "\u{1b}[31m\r\n");
    bench.tell(odd);
    assert_eq!(bench.titles(), ["200"]);
    assert_eq!(told(&mut bench)[0].1, "\u{1b}[31m\r\n", "a terminal has to look after itself");
}
