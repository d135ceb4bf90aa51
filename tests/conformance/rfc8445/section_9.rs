//! §9, and RFC 8839 §4.4: a search that begins anew because the phone has moved; and §8.1.2 with RFC 8863: when one is given up.

use std::net::SocketAddr;

use media::Silence;
use phone::{Ice, PhoneEvent, Servers};
use protocol::doors::{Input, Socket};
use sip::{Message, Method};
use stun::{Draft, attributes, kinds};

use crate::handset::{Bench, SDP, account, back, reply, within};

const ELSEWHERE: &str = "198.51.100.7";

/// The other side's description, of this version, with one address.
fn theirs(version: u32) -> String {
    let ice = "a=ice-ufrag:theirs\r\na=ice-pwd:a-password-of-24-letters\r\na=ice-options:ice2\r\n\
               a=candidate:1 1 udp 2130706431 192.0.2.9 4000 typ host\r\na=rtcp-mux\r\n";
    format!("{SDP}{ice}").replace("o=- 1 1", &format!("o=- 1 {version}"))
}

/// The same, which begins anew.
fn theirs_anew(version: u32) -> String {
    theirs(version).replace("ufrag:theirs", "ufrag:anew").replace("a-password-of", "b-password-of")
}

/// What a description says for ICE.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    names: Vec<String>,
    /// The host of the stream's `c=`, or that of the session.
    at: String,
    candidates: Vec<SocketAddr>,
}

fn said(message: &Message) -> Said {
    let text = String::from_utf8_lossy(message.body()).into_owned();
    let all = |begin: &str| -> Vec<String> {
        text.lines().filter_map(|line| line.strip_prefix(begin)).map(str::to_owned).collect()
    };
    let candidate = |line: String| {
        let fields: Vec<_> = line.split(' ').collect();
        SocketAddr::new(fields[4].parse().unwrap(), fields[5].parse().unwrap())
    };
    let said = Said {
        names: [all("a=ice-ufrag:"), all("a=ice-pwd:")].concat(),
        at: all("c=IN IP4 ").pop().unwrap(),
        candidates: all("a=candidate:").into_iter().map(candidate).collect(),
    };
    // RFC 8839 §4.2.1.3: else the other side would say `ice-mismatch`, and look for no way.
    assert!(said.candidates.iter().any(|one| one.ip().to_string() == said.at), "{said:?}");
    said
}

/// A call of Alice's that stands; her STUN server is silent, so that she asks for her addresses for a second and a half. Her INVITE, and her ACK.
fn talking() -> (Bench, Message, Message) {
    let stun = "203.0.113.9:3478".parse().ok();
    let servers = Servers { stun, ..Servers::default() };
    let mut alice = Bench::with(account().server("192.0.2.9").unwrap().ice(Ice::On(servers)));
    alice
        .act(|phone, now, out| phone.call(now, "sip:bob@biloxi.example", Box::new(Silence), out))
        .unwrap();
    alice.wait(1600);
    let invite = alice.only();
    let answer = reply(&invite, 200, "bob", ("Contact: <sip:bob@192.0.2.9>", &theirs(1)));
    alice.tell(answer);
    let ack = alice.only();
    alice.wait(100);
    assert_eq!(alice.titles(), [""; 0]);
    (alice, invite, ack)
}

fn moves(alice: &mut Bench) {
    alice.act(|phone, now, out| phone.moved(now, ELSEWHERE.parse().unwrap(), out));
    assert_eq!(alice.titles(), [""; 0], "nothing is said before there is something to say");
}

/// So long after, the call has been hung up: why.
fn ended(alice: &mut Bench, millis: u64) -> String {
    alice.wait(millis);
    assert_eq!(alice.titles()[0], "BYE");
    let why = alice.events().into_iter().find_map(|event| match event {
        PhoneEvent::Ended { status, reason, .. } => Some(format!("{status} {reason}")),
        _ => None,
    });
    why.unwrap()
}

/// While her addresses are asked for anew, offers of both sides carry on with what the other side knows: a description that does not begin anew "MUST include
/// the same set of ICE-related information" (RFC 8839 §4.4.1.2.1). Then one offer tells all of it; "an agent MUST change both".
/// Proves: rfc8445-9-2.
#[test]
fn nothing_is_told_of_a_new_search_before_it_knows_what_to_tell() {
    let (mut alice, invite, ack) = talking();
    let before = said(&invite);
    moves(&mut alice);
    alice.wait(200);
    alice.tell(back(&ack, "INVITE", 1, "", &theirs(2)));
    let ok = alice.only();
    assert_eq!(said(&ok), before, "their offer");
    alice.tell(back(&ack, "ACK", 1, "", ""));
    alice.tell(back(&ack, "INVITE", 2, "", ""));
    let ok = alice.only();
    assert_eq!(said(&ok), before, "our offer, which they asked for");
    alice.tell(back(&ack, "ACK", 2, "Content-Type: application/sdp\r\n", &theirs(3)));
    alice.wait(500);
    assert_eq!(alice.titles(), [""; 0]);
    alice.wait(1000);
    let again = alice.only();
    let after = said(&again);
    assert_eq!((again.method(), &*after.at), (Some(Method::Invite), ELSEWHERE));
    assert!(before.names.iter().all(|name| !after.names.contains(name)), "{after:?}");
}

/// "Should a subsequent offer fail, ICE processing continues as if the subsequent offer had never been made" (RFC 8839 §4.4); when they begin anew after
/// that, we do too, with what we know by now.
#[test]
fn a_new_search_that_is_refused_was_never_there() {
    let (mut alice, invite, ack) = talking();
    let before = said(&invite);
    moves(&mut alice);
    alice.wait(1600);
    let offer = alice.only();
    let after = said(&offer);
    alice.tell(reply(&offer, 488, "", ("", "")));
    assert_eq!(alice.titles(), ["ACK"]);
    alice.tell(back(&ack, "INVITE", 1, "", &theirs(2)));
    assert_eq!(said(&alice.only()), before);
    alice.tell(back(&ack, "ACK", 1, "", ""));
    // Not even one more move makes them know what they refused.
    alice.act(|phone, now, out| phone.moved(now, "203.0.113.7".parse().unwrap(), out));
    alice.tell(back(&ack, "INVITE", 2, "", &theirs(3)));
    assert_eq!(said(&alice.only()), before);
    alice.tell(back(&ack, "ACK", 2, "", ""));
    alice.wait(1600);
    let offer = alice.only();
    let third = said(&offer);
    alice.tell(reply(&offer, 488, "", ("", "")));
    assert_eq!(alice.titles(), ["ACK"]);
    alice.tell(back(&ack, "INVITE", 3, "", &theirs_anew(4)));
    assert_eq!(said(&alice.only()), third);
    assert_ne!(third.names, after.names);
}

/// Time passes while somebody at the other side's address answers the checks that are signed with this password, or nobody; how much sound goes there.
fn sound_goes(alice: &mut Bench, password: Option<&str>) -> usize {
    let (there, here) = ("192.0.2.9:4000".parse().unwrap(), "192.0.2.1:20002".parse().unwrap());
    let mut sound = 0;
    for _ in 0..50 {
        alice.wait(20);
        for (to, octets) in alice.media() {
            let check = stun::Message::read(&octets);
            sound += usize::from(to == there && check.is_none());
            let (Some(check), Some(password)) = (check, password) else { continue };
            let answer = Draft::new(kinds::BINDING_SUCCESS, check.transaction)
                .with_address(attributes::XOR_MAPPED_ADDRESS, here)
                .finish(Some(password.as_bytes()));
            alice.input(Input::Media(Socket(2), there, answer.into()));
        }
    }
    sound
}

/// "The agent will continue to send media using this pair", the previous selected one, until there is another (RFC 8839 §4.4.3.1.1): while her addresses are
/// asked for, and when the other side has agreed to begin anew.
#[test]
fn sound_goes_on_while_a_way_is_searched_anew() {
    let (mut alice, ..) = talking();
    sound_goes(&mut alice, Some("a-password-of-24-letters"));
    assert!(sound_goes(&mut alice, Some("a-password-of-24-letters")) > 40);
    moves(&mut alice);
    assert!(sound_goes(&mut alice, None) > 40);
    assert!(sound_goes(&mut alice, None) > 40);
    // Said again once: nobody has answered for half a second.
    let offer = alice.sent().remove(0);
    assert_eq!(said(&offer).at, ELSEWHERE);
    alice.tell(reply(&offer, 200, "", ("Contact: <sip:bob@192.0.2.9>", &theirs_anew(2))));
    assert_eq!(alice.titles(), ["ACK"]);
    assert!(sound_goes(&mut alice, None) > 40);
    for _ in 0..30 {
        sound_goes(&mut alice, None);
    }
    assert_eq!(sound_goes(&mut alice, None), 0, "without consent nothing is sent (RFC 7675 §5.1)");
}

/// What is refused of theirs ends nothing either: it began anew, and had no sound.
#[test]
fn an_offer_that_begins_anew_and_is_refused_ends_no_search() {
    let (mut alice, invite, ack) = talking();
    let unfit = theirs_anew(2).replace("RTP/AVP 8 0", "RTP/AVP 99");
    alice.tell(back(&ack, "INVITE", 1, "", &unfit));
    assert_eq!(alice.titles(), ["488"]);
    alice.tell(back(&ack, "ACK", 1, "", ""));
    alice.tell(back(&ack, "INVITE", 2, "", &theirs(2)));
    assert_eq!(said(&alice.only()), said(&invite));
}

/// RFC 8863 §4: a call whose way is not found is ended when the timer has run out, and its owner learns why.
#[test]
fn a_call_whose_way_is_not_found_ends_and_says_why() {
    let (mut alice, ..) = talking();
    alice.wait(39_300);
    assert_eq!(alice.titles(), [""; 0]);
    let because = ended(&mut alice, 200);
    let expected = "488 no sound could be agreed on: no way to the other side was found: nobody \
                    answers at any address that the other side told";
    assert_eq!(because, expected);
}

/// A way that was found and is lost: nothing is sent after half a minute (RFC 7675 §5.1), and the call is not kept for ever.
#[test]
fn a_call_whose_way_is_lost_ends_and_says_why() {
    let (mut alice, ..) = talking();
    for _ in 0..5 {
        sound_goes(&mut alice, Some("a-password-of-24-letters"));
    }
    alice.wait(60_000);
    assert_eq!(alice.titles(), [""; 0]);
    let because = ended(&mut alice, 10_000);
    assert_eq!(
        because,
        "408 the other side is gone: nobody answers any more where a way was found"
    );
}

/// Whoever does not take reliable responses may learn of our address only when we pick up, a minute after it was first said: from then on they are waited for.
#[test]
fn who_is_heard_of_when_somebody_picks_up_is_waited_for_from_then_on() {
    let on = Ice::On(Servers::default());
    let mut alice = Bench::with(account().server("192.0.2.9").unwrap().ice(on));
    let invite = alice.request("INVITE", "", &theirs(1));
    alice.tell(invite);
    let call = alice.incoming();
    alice.act(|phone, now, out| phone.announce(now, call, Box::new(Silence), out)).unwrap();
    assert_eq!(alice.titles(), ["183"]);
    alice.wait(50_000);
    alice.answer(call);
    let ok = alice.only();
    alice.tell(within(&ok, "ACK", 1, "", ""));
    alice.wait(39_000);
    assert_eq!(alice.titles(), [""; 0]);
    alice.wait(600);
    assert_eq!(alice.titles(), ["BYE"]);
}
