//! RFC 4235: who talks with whom, as our phone tells it and hears it.

mod section_3;
mod section_3_7;
mod section_4_3;

use phone::packages::Dialogs;
use sip::{Message, Method, Name};

use crate::handset::{Bench, account, reply, rows};

/// The type of the documents.
const KIND: &str = "application/dialog-info+xml";

/// A phone of Alice's that shows its calls to Bob.
fn shown() -> Bench {
    shown_to(&["sip:bob@biloxi.example"])
}

/// The same, that shows them to these; it is registered with the server here, which looks who somebody is.
fn shown_to(these: &[&str]) -> Bench {
    let account = account().server("192.0.2.9").unwrap();
    let mut bench = Bench::with(account.shows_calls(these));
    bench.act(|phone, now, out| phone.register(now, out));
    let register = bench.only();
    bench.tell(reply(&register, 200, "r", ("", "")));
    bench.events();
    bench
}

/// A SUBSCRIBE of this sender, with more rows.
fn subscribe(bench: &mut Bench, from: &str, more: &str) -> Message {
    let row = if more.contains("Event:") { "" } else { "Event: dialog\r\n" };
    let asked = bench.request("SUBSCRIBE", &format!("{row}{more}"), "");
    let text = String::from_utf8(asked.wire().to_vec()).unwrap();
    Message::parse(text.replace("sip:bob@biloxi.example", from)).unwrap()
}

/// Bob watches: the first document.
fn watched(bench: &mut Bench) -> Dialogs {
    let asked = subscribe(bench, "sip:bob@biloxi.example", "");
    bench.tell(asked);
    told(bench).pop().unwrap()
}

/// What was told since the last look; each NOTIFY is answered.
fn told(bench: &mut Bench) -> Vec<Dialogs> {
    let sent = bench.sent();
    let notifies = sent.iter().filter(|sent| sent.method() == Some(Method::Notify));
    let read = |notify: &Message| {
        assert_eq!(rows(notify, Name::ContentType), [KIND]);
        bench.tell(reply(notify, 200, "", ("", "")));
        Dialogs::read(notify.body()).unwrap()
    };
    notifies.map(read).collect()
}
