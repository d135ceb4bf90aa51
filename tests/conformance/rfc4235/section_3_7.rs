//! §3.7, §3.10, §4: what is told, when, and how it is written.

use std::collections::BTreeSet;

use phone::packages::{Dialogs, TalkState};
use sip::Message;

use super::{shown, told, watched};
use crate::handset::{Bench, SDP, reply, titles, within};

/// A call of somebody whose address wants to be escaped.
fn rings(bench: &mut Bench) -> Message {
    let invite = bench.request("INVITE", "", SDP);
    let text = String::from_utf8(invite.wire().to_vec()).unwrap();
    let invite = Message::parse(text.replace("sip:bob@biloxi", "sip:b&'b@biloxi")).unwrap();
    bench.tell(invite.clone());
    invite
}

/// "if a notifier receives a SUBSCRIBE request, the triggered NOTIFY SHOULD contain the state of all dialogs", "Complete information on the dialog state
/// SHOULD be sent"; "The notifier SHOULD generate a NOTIFY request on any change", "along with complete dialog IDs"; the document is well-formed XML 1.0
/// in UTF-8, its version "a non-negative 32 bit integer"; "The id MUST be unique amongst all current dialogs".
/// Proves: rfc4235-3.6-5, rfc4235-3.7-2, rfc4235-3.7.2-4, rfc4235-3.7.2-5, rfc4235-4-1, rfc4235-4-2, rfc4235-4.1-1, rfc4235-4.1.1-1.
#[test]
fn every_change_is_told_with_all_calls_and_their_names() {
    let mut bench = shown();
    let first = watched(&mut bench);
    assert!(first.is_whole && first.talks.is_empty());
    assert_eq!(first.entity, "sip:alice@atlanta.example");
    bench.wait(1_000);
    let invite = rings(&mut bench);
    let call = bench.incoming();
    let ringing = told(&mut bench).pop().unwrap();
    assert_eq!((ringing.version, ringing.is_whole), (first.version + 1, true));
    let talk = &ringing.talks[0];
    assert_eq!((talk.state, talk.is_outgoing), (TalkState::Early, false));
    assert_eq!(talk.remote.as_deref(), Some("sip:b&'b@biloxi.example"));
    let [call_id, _, remote] = talk.dialog.clone().unwrap();
    assert_eq!((call_id.as_bytes(), &*remote), (invite.call_id(), "b1"));
    bench.wait(1_000);
    bench.answer(call);
    let sent = bench.sent();
    let [_, ok, notify] = &sent[..] else { panic!("{:?}", titles(&sent)) };
    let body = std::str::from_utf8(notify.body()).unwrap();
    assert!(body.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"), "{body}");
    assert!(body.contains("sip:b&amp;") && !body.contains("b&'"), "{body}");
    let up = Dialogs::read(notify.body()).unwrap();
    assert_eq!((up.version, up.talks[0].state), (first.version + 2, TalkState::Confirmed));
    assert_eq!(up.talks[0].id, talk.id);
    bench.tell(reply(notify, 200, "", ("", "")));
    bench.tell(within(ok, "ACK", 1, "", ""));
    bench.wait(1_000);
    bench.sent();
    // Another one, of ours.
    let target = "sip:carol@chicago.example";
    bench.act(|phone, now, out| phone.call(now, target, Box::new(media::Silence), out)).unwrap();
    let two = told(&mut bench).pop().unwrap();
    let ids: BTreeSet<_> = two.talks.iter().map(|talk| &talk.id).collect();
    assert_eq!((two.talks.len(), ids.len()), (2, 2));
    // Whoever asks now is told both at once.
    assert_eq!(watched(&mut bench).talks, two.talks);
    bench.hang_up(call);
    bench.wait(1_000);
    assert_eq!(told(&mut bench).pop().unwrap().talks.len(), 1);
}

/// "It is RECOMMENDED that the server not generate notifications for a single subscriber faster than once every 1 second."
/// Proves: rfc4235-3.10-1.
#[test]
fn news_come_once_a_second_at_most() {
    let mut bench = shown();
    watched(&mut bench);
    let from = bench.millis();
    for _ in 0..20 {
        rings(&mut bench);
        bench.wait(50);
    }
    bench.wait(3_000);
    let sent = bench.sent_with_times();
    let notify = |message: &Message| message.method() == Some(sip::Method::Notify);
    let mut times: Vec<_> =
        sent.into_iter().filter(|(.., sent)| notify(sent)).map(|(at, ..)| at - from).collect();
    // UDP: what nobody answers is said again.
    times.dedup();
    assert!(times[0] >= 1_000, "{times:?}");
}
