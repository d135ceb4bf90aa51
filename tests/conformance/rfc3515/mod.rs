//! RFC 3515, the REFER method, as our phone sends and follows it.

mod section_2_4_1;
mod section_2_4_2;
mod section_2_4_4;
mod section_2_4_6;

use phone::{Call, Referrals};
use sip::{Message, Method, Name};

use crate::handset::{Bench, account, rows, within};

const CAROL: &str = "Refer-To: <sip:carol@chicago.example>\r\n";

/// A phone that does what it is asked to, and its call with Bob: the call, and its 200.
fn obedient() -> (Bench, Call, Message) {
    let account = account().server("192.0.2.9").unwrap().referrals(Referrals::Follow);
    let mut bench = Bench::with(account);
    let (call, _, ok) = bench.taken();
    (bench, call, ok)
}

/// Bob's REFER within the call.
fn refer(ok: &Message, number: u32, rows: &str) -> Message {
    within(ok, "REFER", number, rows, "")
}

/// The messages of a method.
fn of(sent: &[Message], method: Method<'_>) -> Vec<Message> {
    sent.iter().filter(|message| message.method() == Some(method)).cloned().collect()
}

/// What a NOTIFY says: event, state, body.
fn news(notify: &Message) -> (String, String, String) {
    let row = |name| rows(notify, name).concat();
    let body = String::from_utf8_lossy(notify.body()).into_owned();
    (row(Name::Event), row(Name::SubscriptionState), body)
}
