//! An operator ends calls of others: each side is told in the name of the other, by the way of its dialog, whatever has happened before.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use offhook_tests::office::{
    Office, Phone, Request, Sent, always_at, method, node, reply, requests, rows, status, trusting,
    uri, with_web,
};
use protocol::doors::{Asker, Event};
use protocol::{Answer, CallRecord, Ender, Flow, Identity, Input, Question, Text, Transport};
use server::settings::{Action, Route, Settings};
use server::{Stays, Was};
use sip::Name;

const REASON: &str = "Q.850;cause=31;text=\"Ended by the operator\"";

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A call from 101 to 102, and what each of them knows of it.
struct Talk {
    office: Office,
    caller: Phone,
    callee: Phone,
    invite: Request,
    /// The INVITE as the callee's side got it.
    copy: Sent,
    /// The 200 as the caller's side got it.
    answer: Sent,
}

impl Talk {
    /// 101 calls 102, who is registered; each has these rows of proxies between itself and us in what it sends.
    fn begin(mut office: Office, (caller, callee): (Phone, Phone), rows: &str) -> Self {
        office.register(&callee);
        let mut invite = caller.invite("sip:102@example.test").call("talk");
        invite.rows += rows;
        invite.cseq = 7;
        let sent = office.receive(caller.flow, invite.wire());
        let copy = requests(&sent, "INVITE").remove(0);
        let answer = copy.clone();
        Self { office, caller, callee, invite, copy, answer }
    }

    fn between(caller: Phone, callee: Phone) -> Self {
        Self::begin(Office::new(with_web(trusting())), (caller, callee), "").answered("")
    }

    fn of_two() -> Self {
        Self::between(Phone::udp(101), Phone::udp(102))
    }

    /// 102 answers; the proxies beyond us have put these rows above ours.
    fn answered(mut self, above: &str) -> Self {
        let contact = format!("Contact: <{}>\r\n", self.callee.contact());
        let text = reply(&self.copy.message, 200, &contact);
        let text = text.replacen("Record-Route", &format!("{above}Record-Route"), 1);
        self.answer = self.office.receive(self.copy.flow, text).remove(0);
        assert_eq!(status(std::slice::from_ref(&self.answer)), 200);
        self
    }

    /// A request of one of the two within the call, by the routes that it has learnt.
    fn within(&self, by: &Phone, method: &str, cseq: u32) -> Request {
        let calls = by.user == self.caller.user;
        let target = if calls { self.callee.contact() } else { self.caller.contact() };
        let mut request = by.request(method, &target).call(&format!("{method}{cseq}"));
        request.call_id.clone_from(&self.invite.call_id);
        request.cseq = cseq;
        let to = format!("{};tag=to-tag", self.invite.to);
        let from = self.invite.from.clone();
        (request.from, request.to) = if calls { (from, to) } else { (to, from) };
        let mut routes = rows(std::slice::from_ref(&self.answer), Name::RecordRoute);
        if calls {
            routes.reverse();
        }
        routes.iter().fold(request, |request, route| request.row(&format!("Route: {route}")))
    }

    /// A request within the call passes, and is answered so.
    fn passes(&mut self, by: &Phone, request: &Request, rows: &str) {
        let sent = self.office.receive(by.flow, request.wire());
        let copy = requests(&sent, &request.method).remove(0);
        self.office.receive(copy.flow, reply(&copy.message, 200, rows));
    }

    fn number(&self) -> u64 {
        self.office.node.calls(None, 9)[0].0
    }

    /// The operator ends it: the BYE to the caller, and that to the callee.
    fn hang_up(&mut self) -> [Sent; 2] {
        let number = self.number();
        let sent = self.order(number).unwrap();
        let byes = requests(&sent, "BYE");
        assert_eq!((sent.len(), byes.len()), (2, 2), "{sent:?}");
        let to_caller = |sent: &&Sent| field(sent, Name::From).ends_with(";tag=to-tag");
        let find = |wanted: bool| byes.iter().find(|sent| to_caller(sent) == wanted).unwrap();
        [true, false].map(|wanted| find(wanted).clone())
    }

    fn order(&mut self, number: u64) -> Result<Vec<Sent>, Stays> {
        let mut out = Vec::new();
        let done = self.office.node.hang_up(self.office.now, number, &mut out);
        done.map(|()| self.office.take(out))
    }

    fn answer(&mut self, bye: &Sent, code: u16) -> Vec<Sent> {
        self.office.receive(bye.flow, reply(&bye.message, code, ""))
    }

    fn record(&mut self) -> Option<CallRecord> {
        self.office.events.drain(..).find_map(|event| match event {
            Event::Called(record) => Some(*record),
            _ => None,
        })
    }

    /// What was said of its end: what each has answered, and whether it is over.
    fn news(&self) -> Option<(u16, u16, bool)> {
        self.office.events.iter().find_map(|event| match event {
            Event::HungUp { caller, callee, over, .. } => Some((*caller, *callee, *over)),
            _ => None,
        })
    }
}

fn field(sent: &Sent, name: Name) -> String {
    let all: Vec<_> =
        sent.message.rows(name).map(|row| String::from_utf8_lossy(row).into_owned()).collect();
    all.join(", ")
}

/// What makes a BYE one of the dialog of whoever gets it.
fn assert_bye(bye: &Sent, talk: &Talk, to: &Phone, cseq: u32) {
    let (from, callee) = (talk.invite.from.clone(), format!("{};tag=to-tag", talk.invite.to));
    let (from, to_row) = if to.user == talk.caller.user { (callee, from) } else { (from, callee) };
    assert_eq!((field(bye, Name::From), field(bye, Name::To)), (from, to_row));
    assert_eq!(field(bye, Name::CSeq), format!("{cseq} BYE"));
    assert_eq!(field(bye, Name::CallId), talk.invite.call_id);
    assert_eq!(field(bye, Name::Reason), REASON);
    assert_eq!(field(bye, Name::MaxForwards), "69");
    let vias: Vec<_> = bye.message.elements(Name::Via).collect();
    assert_eq!(vias.len(), 1, "ours alone");
    let via = String::from_utf8_lossy(vias[0]).into_owned();
    assert!(via.starts_with("SIP/2.0/") && via.contains(" 192.0.2.10"), "{via}");
}

#[test]
fn both_are_told_in_the_name_of_each_other_and_the_record_says_by_whom() {
    let mut talk = Talk::of_two();
    talk.office.wait(secs(60));
    let number = talk.number();
    let [caller, callee] = talk.hang_up();
    for (bye, phone, cseq) in [(&caller, Phone::udp(101), 1), (&callee, Phone::udp(102), 8)] {
        assert_bye(bye, &talk, &phone, cseq);
        assert_eq!((bye.flow.peer, uri(bye)), (phone.flow.peer, phone.contact()));
        assert_eq!(field(bye, Name::Route), "", "our own route is taken off");
    }
    assert!(matches!(talk.office.events[..], [.., Event::HangsUp { up: true, .. }]));
    talk.office.wait(secs(2));
    assert!(talk.answer(&caller, 200).is_empty() && talk.record().is_none(), "one is told yet");
    assert!(talk.answer(&callee, 200).is_empty());
    assert_eq!(talk.news(), Some((200, 200, true)));
    let record = talk.record().unwrap();
    assert_eq!((record.ender, record.status), (Ender::Operator, 200));
    assert_eq!(record.text(Text::Reason), REASON.as_bytes());
    assert_eq!(record.ended.map(|ended| ended - record.answered.unwrap()), Some(secs(62)));
    let ending = talk.office.node.ending(number).unwrap();
    assert_eq!((ending.was, ending.caller, ending.callee), (Was::Up, Some(200), Some(200)));
    assert_eq!(talk.order(number).unwrap_err(), Stays::Unknown);
    talk.office.wait(secs(59));
    assert!(talk.office.node.ending(number).is_some(), "who asks again is told again");
    assert!(talk.office.wait(secs(41)).is_empty(), "nothing is repeated");
    assert_eq!((talk.office.node.calling(), talk.office.node.forwarding()), (0, 0));
    assert_eq!(talk.office.node.ending(number), None, "nothing is left of it");
}

/// A proxy on the caller's side, two on the callee's, the nearer of which is a strict router (RFC 3261 §12.2.1.1, §16.12.1.2).
#[test]
fn the_way_leads_through_the_routers_of_either_side() {
    let near =
        "Record-Route: <sip:p@198.51.100.50;lr>\r\nRecord-Route: <sip:q@198.51.100.51;lr>\r\n";
    for (above, target, routes, peer) in [
        (
            "Record-Route: <sip:198.51.100.61;lr>\r\nRecord-Route: <sip:198.51.100.60;lr>\r\n",
            "sip:102@198.51.100.2:5060",
            "<sip:198.51.100.60;lr>, <sip:198.51.100.61;lr>",
            "198.51.100.60:5060",
        ),
        (
            "Record-Route: <sip:198.51.100.61;lr>, <sip:198.51.100.60>\r\n",
            "sip:198.51.100.60",
            "<sip:198.51.100.61;lr>, <sip:102@198.51.100.2:5060>",
            "198.51.100.60:5060",
        ),
    ] {
        let office = Office::new(trusting());
        let between = (Phone::udp(101), Phone::udp(102));
        let mut talk = Talk::begin(office, between, near).answered(above);
        let [caller, callee] = talk.hang_up();
        assert_eq!((uri(&callee), field(&callee, Name::Route)), (target.into(), routes.into()));
        assert_eq!(callee.flow.peer.to_string(), peer);
        assert_eq!(uri(&caller), "sip:101@198.51.100.1:5060");
        assert_eq!(
            field(&caller, Name::Route),
            "<sip:p@198.51.100.50;lr>, <sip:q@198.51.100.51;lr>"
        );
        assert_eq!(caller.flow.peer.to_string(), "198.51.100.50:5060");
    }
}

/// RFC 3261 §12.2.1.1, §12.2.2: numbers rise, and a target refresh moves whoever says where it is now.
#[test]
fn numbers_and_targets_are_those_of_the_moment() {
    let mut talk = Talk::of_two();
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    let info = talk.within(&bob, "INFO", 300);
    talk.passes(&bob, &info, "");
    let moved = talk.within(&bob, "INVITE", 301).row("Contact: <sip:bob@198.51.100.77>");
    talk.passes(&bob, &moved, "Contact: <sip:alice@198.51.100.88>\r\n");
    let again = talk.within(&alice, "UPDATE", 20).row("Contact: <sip:alice@198.51.100.89>");
    talk.passes(&alice, &again, "Contact: <sip:bob@198.51.100.78>\r\n");
    // What was refused moves nobody; its number counts.
    let refused = talk.within(&alice, "INVITE", 21).row("Contact: <sip:alice@198.51.100.90>");
    let sent = talk.office.receive(alice.flow, refused.wire());
    let copy = requests(&sent, "INVITE").remove(0);
    talk.office.receive(copy.flow, reply(&copy.message, 488, ""));
    // So does that of a BYE which was asked who it is.
    let asked = talk.within(&alice, "BYE", 23);
    let sent = talk.office.receive(alice.flow, asked.wire());
    let copy = requests(&sent, "BYE").remove(0);
    talk.office.receive(copy.flow, reply(&copy.message, 407, ""));
    let [caller, callee] = talk.hang_up();
    assert_bye(&caller, &talk, &alice, 302);
    assert_bye(&callee, &talk, &bob, 24);
    let to = |bye: &Sent| (uri(bye), bye.flow.peer.to_string());
    assert_eq!(to(&caller), ("sip:alice@198.51.100.89".into(), "198.51.100.89:5060".into()));
    assert_eq!(to(&callee), ("sip:bob@198.51.100.78".into(), "198.51.100.78:5060".into()));
}

#[test]
fn before_the_answer_numbers_and_targets_change_too() {
    let between = (Phone::udp(101), Phone::udp(102));
    let mut talk = Talk::begin(Office::new(trusting()), between, "");
    let contact = "Contact: <sip:102@198.51.100.2:5060>\r\n";
    let ring = reply(&talk.copy.message, 183, contact);
    talk.answer = talk.office.receive(talk.copy.flow, ring).remove(0);
    let update = talk.within(&Phone::udp(101), "UPDATE", 9).row("Contact: <sip:a@198.51.100.89>");
    talk.passes(&Phone::udp(101), &update, contact);
    let mut talk = talk.answered("");
    let [caller, callee] = talk.hang_up();
    assert_eq!(
        (uri(&caller), field(&callee, Name::CSeq)),
        ("sip:a@198.51.100.89".into(), "10 BYE".into())
    );
}

/// Phones behind NATs have no other way than the connection that they have made (RFC 5626 §5.3).
#[test]
fn who_is_reached_by_a_connection_is_told_by_it() {
    let web = |number, connection| Phone::web(number, Transport::Wss, connection);
    for (caller, callee) in [
        (Phone::udp(101), Phone::tcp(102, 5)),
        (Phone::tcp(101, 4), Phone::udp(102)),
        (web(101, 8), Phone::tcp(102, 5)),
        (Phone::tcp(101, 4), web(102, 9)),
    ] {
        let mut talk = Talk::between(caller.clone(), callee.clone());
        let byes = talk.hang_up();
        for (bye, phone) in byes.iter().zip([&caller, &callee]) {
            assert_eq!(bye.flow, phone.flow, "{caller:?} {callee:?}");
            assert_eq!(uri(bye), phone.contact());
        }
        byes.iter().for_each(|bye| drop(talk.answer(bye, 200)));
        assert_eq!(talk.record().unwrap().ender, Ender::Operator);
    }
}

#[test]
fn whatever_they_answer_it_comes_to_an_end_that_is_told() {
    for (said, news, over) in [
        ([Some(200), Some(481)], (200, 481), true),
        ([Some(481), Some(481)], (481, 481), true),
        ([Some(407), Some(200)], (407, 200), true),
        ([Some(500), None], (500, 408), true),
        ([None, None], (408, 408), true),
        ([Some(401), Some(407)], (401, 407), false),
        ([Some(503), Some(500)], (503, 500), false),
    ] {
        let mut talk = Talk::of_two();
        let (number, byes) = (talk.number(), talk.hang_up());
        assert!(talk.order(number).unwrap().is_empty(), "one order is enough");
        for (bye, said) in byes.iter().zip(said) {
            said.into_iter().for_each(|code| drop(talk.answer(bye, code)));
        }
        let repeats = talk.office.wait(secs(70));
        // RFC 3261 §17.1.2.2: timers E and F.
        assert_eq!(repeats.len(), 10 * said.iter().filter(|said| said.is_none()).count());
        assert!(repeats.iter().all(|sent| method(sent) == "BYE"));
        assert_eq!(talk.news(), Some((news.0, news.1, over)));
        let record = talk.record();
        assert_eq!(record.is_some_and(|record| record.ender == Ender::Operator), over, "{said:?}");
        assert_eq!(talk.office.node.calling(), usize::from(!over));
        talk.office.wait(secs(60));
        assert_eq!(talk.office.node.ending(number), None);
        if !over {
            let [caller, callee] = talk.hang_up();
            assert_eq!(field(&caller, Name::CSeq), "2 BYE", "a further try is another request");
            [caller, callee].iter().for_each(|bye| drop(talk.answer(bye, 200)));
            assert_eq!(talk.record().unwrap().ender, Ender::Operator);
        }
    }
}

/// A BYE that leads nowhere here is waited for no longer than one that nobody answers; and a call that ends otherwise meanwhile was ended by the
/// operator all the same.
#[test]
fn whatever_becomes_of_the_order_the_record_says_whose_it_was() {
    let deny = Action::Deny { status: 603, reason: "No".into() };
    let route = Route { action: deny, ..Route::prefix("0900", "sip:unused") };
    let house = Settings { routes: vec![route], ..trusting() };
    let between = || (Phone::udp(101), Phone::udp(102));
    let mut talk = Talk::begin(Office::new(house.clone()), between(), "");
    let text = reply(&talk.copy.message, 200, "Contact: <sip:0900@example.test>\r\n");
    talk.office.receive(talk.copy.flow, text);
    let number = talk.number();
    let byes = requests(&talk.order(number).unwrap(), "BYE");
    assert_eq!(byes.len(), 1);
    talk.answer(&byes[0], 200);
    talk.office.wait(secs(63));
    assert!(talk.news().is_none());
    talk.office.wait(secs(2));
    assert_eq!(talk.news(), Some((200, 408, true)));
    let mut talk = Talk::begin(Office::new(house), between(), "").answered("");
    talk.hang_up();
    let mut out = Vec::new();
    talk.office.node.close(talk.office.now, &mut out);
    talk.office.take(out);
    assert_eq!(talk.record().unwrap().ender, Ender::Operator);
}

#[test]
fn a_phone_that_hangs_up_at_the_same_moment_does_not_confuse() {
    for by in [Phone::udp(101), Phone::udp(102)] {
        let mut talk = Talk::of_two();
        let [caller, callee] = talk.hang_up();
        let sent = talk.office.receive(by.flow, talk.within(&by, "BYE", 30).wire());
        let crossing = requests(&sent, "BYE").remove(0);
        // Each has left when the BYE of the other comes, and says so.
        assert_eq!(answered(&talk.answer(&crossing, 481)), [481]);
        talk.answer(&caller, 481);
        assert!(talk.record().is_none(), "one has not answered yet");
        talk.answer(&callee, 200);
        assert_eq!(talk.news(), Some((481, 200, true)));
        assert_eq!(talk.record().unwrap().ender, Ender::Operator);
        // A later request goes the way that it always went.
        let late = talk.within(&by, "INFO", 31);
        let sent = talk.office.receive(by.flow, late.wire());
        assert_eq!(requests(&sent, "INFO").len(), 1);
    }
}

fn answered(sent: &[Sent]) -> Vec<u16> {
    sent.iter().filter_map(|sent| sent.message.status()).map(sip::Status::code).collect()
}

#[test]
fn who_rings_is_cancelled_and_the_caller_hears_at_once_that_it_is_over() {
    let places = ["sip:a@198.51.100.21", "sip:b@198.51.100.22"];
    let mut office = Office::new(always_at("103", &places, trusting()));
    let alice = Phone::udp(101);
    let sent = office.receive(alice.flow, alice.invite("sip:103@example.test").wire());
    let copies = requests(&sent, "INVITE");
    office.receive(copies[0].flow, reply(&copies[0].message, 180, ""));
    let number = office.node.calls(None, 9)[0].0;
    let mut out = Vec::new();
    office.node.hang_up(office.now, number, &mut out).unwrap();
    let sent = office.take(out);
    let over = sent.iter().find(|sent| sent.message.status().is_some()).unwrap();
    assert_eq!((over.flow, status(std::slice::from_ref(over))), (alice.flow, 487));
    assert_eq!(field(over, Name::Reason), REASON);
    let cancel = requests(&sent, "CANCEL");
    assert_eq!((sent.len(), cancel.len(), cancel[0].flow), (2, 1, copies[0].flow));
    assert_eq!(field(&cancel[0], Name::Reason), REASON);
    // The other gives its first sign of life, and is cancelled then (§9.1).
    let sent = office.receive(copies[1].flow, reply(&copies[1].message, 180, ""));
    let [cancelled] = &requests(&sent, "CANCEL")[..] else { panic!("{sent:?}") };
    assert_eq!((cancelled.flow, sent.len()), (copies[1].flow, 1));
    let Some(Event::Called(record)) =
        office.events.iter().find(|event| matches!(event, Event::Called(_)))
    else {
        panic!("no record")
    };
    assert_eq!((record.ender, record.status, record.answered), (Ender::Operator, 487, None));
    let ending = office.node.ending(number).unwrap();
    assert_eq!((ending.was, ending.caller, ending.is_over()), (Was::Ringing, Some(487), true));
    assert_eq!(office.node.calling(), 0);
    // The first answers all the same: what it says passes, and it is told that nobody is there.
    let text = reply(&copies[0].message, 200, "Contact: <sip:a@198.51.100.21>\r\n");
    let sent = office.receive(copies[0].flow, text);
    let [bye] = &requests(&sent, "BYE")[..] else { panic!("{sent:?}") };
    assert_eq!((uri(bye), bye.flow), ("sip:a@198.51.100.21".into(), copies[0].flow));
    assert_eq!((field(bye, Name::CSeq), answered(&sent)), ("2 BYE".into(), vec![200]));
    office.receive(bye.flow, reply(&bye.message, 200, ""));
    office.receive(copies[1].flow, reply(&copies[1].message, 487, ""));
    office.receive(cancelled.flow, reply(&cancelled.message, 200, ""));
    office.receive(cancel[0].flow, reply(&cancel[0].message, 200, ""));
    office.wait(secs(100));
    assert_eq!((office.node.forwarding(), office.node.transactions()), (0, 0));
    assert_eq!(office.node.ending(number), None);
}

/// The call goes to a carrier, which sends it back to a user of ours: the dialog passes here twice, and each side is told once.
#[test]
fn a_call_that_passes_twice_is_told_once_on_each_side() {
    let mut office = Office::new(trusting());
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register(&bob);
    let invite = alice.invite("sip:00102@198.51.100.70").wire();
    let out = requests(&office.receive(alice.flow, invite), "INVITE").remove(0);
    let text = String::from_utf8_lossy(out.message.wire()).into_owned();
    let back = text
        .replacen("sip:00102@198.51.100.70", "sip:102@example.test", 1)
        .replacen("Via:", "Via: SIP/2.0/UDP 198.51.100.70;branch=z9hG4bKc\r\nVia:", 1)
        .replacen("Record-Route:", "Record-Route: <sip:198.51.100.70;lr>\r\nRecord-Route:", 1);
    let copy = requests(&office.receive(out.flow, back), "INVITE").remove(0);
    let ok = reply(&copy.message, 200, "Contact: <sip:102@198.51.100.2:5060>\r\n");
    let first = office.receive(bob.flow, ok).remove(0);
    let text = String::from_utf8_lossy(first.message.wire()).into_owned();
    let via = text.lines().find(|line| line.starts_with("Via:")).unwrap().to_owned() + "\r\n";
    assert_eq!(answered(&office.receive(out.flow, text.replacen(&via, "", 1))), [200]);
    let [(number, _)] = office.node.calls(None, 9)[..] else { panic!("one call") };
    let mut sent = Vec::new();
    office.node.hang_up(office.now, number, &mut sent).unwrap();
    let byes = requests(&office.take(sent), "BYE");
    let to = |bye: &Sent| bye.flow.peer.to_string();
    let mut all: Vec<_> = byes.iter().map(to).collect();
    all.sort();
    assert_eq!(all, ["198.51.100.1:5060", "198.51.100.70:5060"]);
    let on = byes.iter().find(|bye| bye.flow == out.flow).unwrap();
    // The carrier takes its route off and sends it on to us: from here it goes to the callee.
    let text = String::from_utf8_lossy(on.message.wire()).into_owned();
    let text = text.replacen("<sip:198.51.100.70;lr>, ", "", 1).replacen(
        "Via:",
        "Via: SIP/2.0/UDP 198.51.100.70;branch=z9hG4bKd\r\nVia:",
        1,
    );
    let last = requests(&office.receive(out.flow, text), "BYE").remove(0);
    assert_eq!((uri(&last), last.flow), ("sip:102@198.51.100.2:5060".into(), bob.flow));
    let ok = office.receive(last.flow, reply(&last.message, 200, "")).remove(0);
    assert_eq!(ok.flow, out.flow);
    assert_eq!(office.node.calling(), 1, "what passes on its second way ends nothing");
    let text = String::from_utf8_lossy(ok.message.wire()).into_owned();
    let via = text.lines().find(|line| line.starts_with("Via:")).unwrap().to_owned() + "\r\n";
    office.receive(out.flow, text.replacen(&via, "", 1));
    let other = byes.iter().find(|bye| bye.flow != out.flow).unwrap();
    office.receive(other.flow, reply(&other.message, 200, ""));
    let ended = |event: &Event| matches!(event, Event::Called(it) if it.ender == Ender::Operator);
    assert!(office.events.iter().any(ended) && office.node.calling() == 0);
}

#[test]
fn what_cannot_be_ended_from_here_is_said() {
    let between = || (Phone::udp(101), Phone::udp(102));
    let mut talk = Talk::begin(Office::new(trusting()), between(), "");
    assert_eq!(talk.order(4711).unwrap_err(), Stays::Unknown);
    // A callee that does not give our Record-Route back: nothing of its dialog passes here.
    let text = reply(&talk.copy.message, 200, "Contact: <sip:102@198.51.100.2:5060>\r\n");
    let text = text.replace("Record-Route", "X-Lost");
    talk.office.receive(talk.copy.flow, text);
    let number = talk.number();
    assert_eq!(talk.order(number).unwrap_err(), Stays::Unseen);
    // Nor is somebody who is reached by no SIP URI.
    let mut talk = Talk::begin(Office::new(trusting()), between(), "");
    let text = reply(&talk.copy.message, 200, "Contact: <tel:+493012345>\r\n");
    talk.office.receive(talk.copy.flow, text);
    let number = talk.number();
    assert_eq!(talk.order(number).unwrap_err(), Stays::Unseen);
    // What a stranger makes too long is not kept.
    let long = format!("Record-Route: <sip:{}@h;lr>\r\n", "x".repeat(2_000));
    let mut talk = Talk::begin(Office::new(trusting()), between(), "").answered(&long);
    let number = talk.number();
    assert_eq!(talk.order(number).unwrap_err(), Stays::Unseen);
    let mut talk = Talk::begin(Office::new(trusting()), between(), "");
    talk.invite.call_id = "x".repeat(600);
    talk.invite.branch += "-long";
    let alice = Phone::udp(101);
    let sent = talk.office.receive(alice.flow, talk.invite.wire());
    talk.copy = requests(&sent, "INVITE").remove(0);
    let mut talk = talk.answered("");
    let number = talk.office.node.calls(None, 9)[1].0;
    assert_eq!(talk.order(number).unwrap_err(), Stays::Unseen, "half a Call-ID is none");
}

/// Two nodes of a cluster, the store that they share, and what they say to each other.
struct Cluster {
    nodes: [Office; 2],
    store: BTreeMap<Box<[u8]>, Box<[u8]>>,
}

impl Cluster {
    fn new() -> Self {
        let nodes = [0, 1].map(|number| Office::new(node(number, 1)));
        Self { nodes, store: BTreeMap::new() }
    }

    /// What a node gets; what goes out to phones in the end, by which node.
    fn receive(&mut self, at: usize, flow: Flow, wire: impl Into<Vec<u8>>) -> Vec<(usize, Sent)> {
        let sent = self.nodes[at].receive(flow, wire);
        self.settle(at, sent)
    }

    fn settle(&mut self, at: usize, sent: Vec<Sent>) -> Vec<(usize, Sent)> {
        let mut out = Vec::new();
        for (ticket, question) in std::mem::take(&mut self.nodes[at].asked) {
            let answer = match question {
                Question::Share(share) => {
                    self.store.insert(share.record.key, share.record.value);
                    Answer::Kept
                }
                Question::Recall(key) => Answer::Recalled(self.store.get(&key).cloned()),
                question => {
                    let asker = Asker { shard: 0, ticket };
                    let sent = self.nodes[at].tell(Input::Asked(asker, question));
                    out.extend(self.settle(at, sent));
                    self.nodes[at].told.pop().unwrap()
                }
            };
            let sent = self.nodes[at].tell(Input::Answered(ticket, answer));
            out.extend(self.settle(at, sent));
        }
        for sent in sent {
            if sent.flow.listener == 2 {
                let peer = SocketAddr::from(([192, 0, 2, 10 + at as u8], 5070));
                let (transport, identity) = (Transport::Tcp, Identity::NONE);
                let flow = Flow { transport, listener: 2, connection: 1, peer, identity };
                out.extend(self.receive(1 - at, flow, sent.message.wire().to_vec()));
            } else {
                out.push((at, sent));
            }
        }
        out
    }
}

/// Each of the two nodes that a call passes through can end it, by the connections that either of them has.
#[test]
fn a_call_of_two_nodes_is_ended_by_either() {
    for by in 0..2 {
        let mut cluster = Cluster::new();
        let (alice, bob) = (Phone::tcp(101, 4), Phone::tcp(102, 5));
        let register = bob.register(&format!("Contact: <{}>\r\n", bob.contact()));
        let sent = cluster.receive(1, bob.flow, register.wire());
        assert_eq!(status(&[sent[0].1.clone()]), 200);
        let sent = cluster.receive(0, alice.flow, alice.invite("sip:102@example.test").wire());
        let (_, copy) = sent.into_iter().find(|(_, sent)| method(sent) == "INVITE").unwrap();
        assert_eq!(copy.flow, bob.flow);
        let ok = reply(&copy.message, 200, &format!("Contact: <{}>\r\n", bob.contact()));
        assert_eq!(cluster.receive(1, bob.flow, ok)[0].1.flow, alice.flow);
        let (now, number) = (cluster.nodes[by].now, cluster.nodes[by].node.calls(None, 9)[0].0);
        let mut out = Vec::new();
        cluster.nodes[by].node.hang_up(now, number, &mut out).unwrap();
        let sent = cluster.nodes[by].take(out);
        let byes = cluster.settle(by, sent);
        assert_eq!(byes.len(), 2);
        for (at, bye) in byes {
            let phone = if at == 0 { &alice } else { &bob };
            assert_eq!((method(&bye), bye.flow, uri(&bye)), ("BYE", phone.flow, phone.contact()));
            cluster.receive(at, bye.flow, reply(&bye.message, 200, ""));
        }
        for node in &cluster.nodes {
            let ended = node.events.iter().filter(|it| matches!(it, Event::Called(_))).count();
            assert_eq!((ended, node.node.calling()), (1, 0), "by {by}");
        }
        assert_eq!(cluster.nodes[by].node.ending(number).map(|it| it.is_over()), Some(true));
    }
}
