//! §6, §8: a call of a program that has pictures, with who answers or offers otherwise than it should. The sound goes on.

use media::Silence;
use phone::{PhoneEvent, Video, VideoFormat};
use sip::Message;

use crate::handset::{Bench, SDP, back, reply, within};

/// Takes whatever comes.
struct Eye;

impl Video for Eye {
    fn agreed(&mut self, _: Option<&VideoFormat>) {}
    fn receive(&mut self, _: &[u8]) {}
}

const H264: &[(&str, &str)] = &[("H264", "")];

/// Alice's INVITE, with pictures beside the sound.
fn calls(alice: &mut Bench) -> (phone::Call, Message) {
    // The bench answers questions while they are asked: so the sockets are there only after both are wanted.
    let call = alice.act(|phone, now, out| {
        let call = phone.call(now, "sip:bob@biloxi.example", Box::new(Silence), out).unwrap();
        phone.show(now, call, (H264, Box::new(Eye)), out).unwrap();
        call
    });
    let invite = alice.only();
    assert_eq!(sections(&invite), [("audio".into(), true), ("video".into(), true)]);
    (call, invite)
}

/// Of a description: the kinds of its sections, and whether they are on.
fn sections(message: &Message) -> Vec<(String, bool)> {
    let text = String::from_utf8_lossy(message.body()).into_owned();
    let lines = text.lines().filter_map(|line| line.strip_prefix("m="));
    lines
        .map(|line| {
            let mut fields = line.split(' ');
            (fields.next().unwrap().to_owned(), fields.next() != Some("0"))
        })
        .collect()
}

fn answer(invite: &Message, body: &str) -> Message {
    reply(invite, 200, "bob", ("Contact: <sip:bob@192.0.2.9>", body))
}

fn is_up(alice: &mut Bench) -> bool {
    alice.events().iter().any(|event| matches!(event, PhoneEvent::Established { .. }))
}

/// An answer that leaves the pictures' section out, or says of it what was not offered: the call stands, and the next offer turns them off.
#[test]
fn pictures_that_cannot_be_agreed_on_cost_no_call() {
    let answers = [
        SDP.to_owned(),
        format!("{SDP}m=video 4002 RTP/AVP 31\r\n"),
        format!("{SDP}m=video 4002 RTP/SAVP 96\r\n"),
        format!("{SDP}m=video 4002 RTP/AVP 96\r\nc=IN IP4 nobody.example\r\n"),
        format!("{SDP}m=video 0 RTP/AVP 96\r\n"),
    ];
    for said in answers {
        let mut alice = Bench::new();
        let (call, invite) = calls(&mut alice);
        alice.tell(answer(&invite, &said));
        assert_eq!(alice.titles(), ["ACK"], "{said}");
        assert!(is_up(&mut alice), "{said}");
        alice.hold(call);
        let offer = alice.only();
        assert_eq!(sections(&offer)[0], ("audio".into(), true), "{said}");
    }
    let mut alice = Bench::new();
    let (call, invite) = calls(&mut alice);
    alice.tell(answer(&invite, &format!("{SDP}m=video 4002 RTP/AVP 31\r\n")));
    alice.sent();
    alice.hold(call);
    assert_eq!(sections(&alice.only())[1], ("video".into(), false));
}

/// The same in a provisional response: who picks up there has said all that is to be said.
#[test]
fn an_early_answer_without_pictures_is_one() {
    let mut alice = Bench::new();
    let (_, invite) = calls(&mut alice);
    let contact = "Contact: <sip:bob@192.0.2.9>";
    alice.tell(reply(&invite, 183, "bob", (contact, SDP)));
    alice.tell(reply(&invite, 200, "bob", (contact, "")));
    assert_eq!(alice.titles(), ["ACK"]);
    assert!(is_up(&mut alice));
}

/// Pictures alone are no call: neither in an answer nor in an offer; and what is refused changes nothing.
#[test]
fn pictures_alone_are_no_call() {
    let mut alice = Bench::new();
    let (_, invite) = calls(&mut alice);
    let deaf = SDP.replace("m=audio 4000", "m=audio 0");
    alice.tell(answer(&invite, &format!("{deaf}m=video 4002 RTP/AVP 96\r\n")));
    assert_eq!(alice.titles(), ["ACK", "BYE"]);

    let mut alice = Bench::new();
    let (_, invite) = calls(&mut alice);
    let both = format!("{SDP}m=video 4002 RTP/AVP 96\r\n");
    alice.tell(answer(&invite, &both));
    let ack = alice.only();
    let unfit = both.replace("RTP/AVP 8 0", "RTP/AVP 77").replace("o=- 1 1", "o=- 1 2");
    alice.tell(back(&ack, "INVITE", 1, "", &unfit));
    let ok = alice.only();
    assert_eq!(ok.status().unwrap().code(), 488);
    alice.tell(back(&ack, "ACK", 1, "", ""));
    alice.tell(back(&ack, "INVITE", 2, "", &both.replace("o=- 1 1", "o=- 1 3")));
    assert_eq!(sections(&alice.only()), [("audio".into(), true), ("video".into(), true)]);
}

/// Whoever offers pictures first, or beside two, gets one of each kind, in the order of the offer.
#[test]
fn sections_stay_where_they_were_offered() {
    let mut alice = Bench::new();
    let offer =
        SDP.replace("m=audio", "m=video 4002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\nm=audio");
    let invite = alice.request("INVITE", "", &format!("{offer}m=video 4004 RTP/AVP 97\r\n"));
    alice.tell(invite);
    let call = alice.incoming();
    alice.act(|phone, now, out| {
        phone.show(now, call, (H264, Box::new(Eye)), out).unwrap();
        phone.answer(now, call, Box::new(Silence), out).unwrap();
    });
    let ok = alice.only();
    let expected = [("video".into(), true), ("audio".into(), true), ("video".into(), false)];
    assert_eq!(sections(&ok), expected);
    alice.tell(within(&ok, "ACK", 1, "", ""));
}
