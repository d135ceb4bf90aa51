//! What was read is changed as a proxy does, written, and read again: the changes are there, and nothing else is different.

use sip::header::{MaxForwards, Via};
use sip::{Header, Message, Name};

/// Reads `octets` as a datagram and forwards it.
pub fn run(octets: &[u8]) {
    let Ok(message) = Message::parse(octets.to_vec()) else { return };
    assert_eq!(message.edit().wire(), message.wire(), "no change is no change");
    // What is added must fit.
    if message.wire().len() > 60_000 || message.all_rows().count() + 4 > sip::limits::ROWS {
        return;
    }
    forwarded(&message);
    with_another_body(&message, octets);
    injected(&message, octets);
}

/// Rows that no change here touches.
fn kept(message: &Message) -> Vec<(&[u8], &[u8])> {
    let touched = [Name::Via, Name::MaxForwards, Name::Route, Name::ContentLength];
    message
        .all_rows()
        .filter(|(name, _)| !touched.contains(&Name::of(name)) && !name.starts_with(b"X-Added"))
        .collect()
}

fn forwarded(message: &Message) {
    let Ok(via) = Via::parse(b"SIP/2.0/UDP proxy.example;branch=z9hG4bKx") else { return };
    let mut edit = message.edit();
    edit.push(&via).replace(&MaxForwards(7)).remove_first(Name::Route).measured();
    edit.append_raw("X-Added", b"1");
    let changed = edit.finish().unwrap_or_else(|bad| panic!("{bad}"));
    assert_eq!(changed.first::<Via<'_>>(), Some(Ok(via)));
    assert_eq!(changed.first::<MaxForwards>(), Some(Ok(MaxForwards(7))));
    assert_eq!(changed.rows_named("X-Added").count(), message.rows_named("X-Added").count() + 1);
    let routes = |message: &Message| message.elements(Name::Route).count();
    assert_eq!(routes(&changed), routes(message).saturating_sub(1));
    assert_eq!(changed.elements(Name::Via).count(), message.elements(Name::Via).count() + 1);
    assert_eq!(kept(&changed), kept(message));
    assert_eq!(changed.body(), message.body());
}

fn with_another_body(message: &Message, body: &[u8]) {
    let changed = message.edit().body(body).finish().unwrap_or_else(|bad| panic!("{bad}"));
    assert_eq!(changed.body(), body);
    assert_eq!(changed.rows(Name::ContentLength).count(), 1);
    assert_eq!(kept(&changed), kept(message));
}

/// Octets that nobody looked at, as a value, a name and a URI: they add one row each, and no more.
fn injected(message: &Message, octets: &[u8]) {
    let value = octets.get(..octets.len().min(300)).unwrap_or_default();
    let mut edit = message.edit();
    edit.push_raw(Name::Subject, value)
        .append_raw("X-Added", value)
        .replace_raw(Name::Server, value);
    let changed = edit.finish().unwrap_or_else(|bad| panic!("{bad}"));
    let added = if message.has(Name::Server) { 2 } else { 3 };
    assert_eq!(changed.all_rows().count(), message.all_rows().count() + added);
    assert_eq!(changed.body(), message.body());
}
