//! Call records: every attempt leaves one, at its end, whatever that was; and what is followed takes little room.

use std::time::Duration;

use offhook_tests::office::{
    Office, Phone, Request, Sent, always_at, reply, requests, rows, settings, status, trusting,
};
use protocol::doors::Event;
use protocol::{CallRecord, Ender, Text, Transport};
use server::settings::{
    Action, Calls, Elsewhere, Match, Proxy, Redirect, Route, SessionTimer, Settings,
};

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// The records since the last look.
fn records(office: &mut Office) -> Vec<CallRecord> {
    let events = std::mem::take(&mut office.events);
    let record = |event| if let Event::Called(record) = event { Some(*record) } else { None };
    events.into_iter().filter_map(record).collect()
}

fn text(record: &CallRecord, kind: Text) -> String {
    String::from_utf8_lossy(record.text(kind)).into_owned()
}

fn office(settings: Settings) -> Office {
    let mut office = Office::new(settings);
    office.register(&Phone::udp(102));
    office
}

/// 101 calls 102, whose phone rings.
fn ring(office: &mut Office, name: &str) -> (Request, Sent) {
    let alice = Phone::udp(101);
    let invite = alice.invite("sip:102@example.test").call(name);
    let sent = office.converse(&alice, &invite);
    let copy = requests(&sent, "INVITE").remove(0);
    office.wait(secs(1));
    office.receive(copy.flow, reply(&copy.message, 180, ""));
    (invite, copy)
}

/// 102 answers; the 200 as 101 gets it.
fn answer(office: &mut Office, copy: &Sent, more: &str) -> Vec<Sent> {
    office.wait(secs(2));
    let more = format!("Contact: <sip:102@198.51.100.2:5060>\r\n{more}");
    office.receive(copy.flow, reply(&copy.message, 200, &more))
}

/// A request of one of the two within the call.
fn within(
    office: &mut Office,
    from: &Phone,
    method: &str,
    call: (&Request, &[Sent]),
    more: &str,
) -> Vec<Sent> {
    let (invite, answered) = call;
    let (caller, callee) = (&invite.from, format!("{};tag=to-tag", invite.to));
    let is_caller = from.user == "101";
    let contact = if is_caller { "sip:102@198.51.100.2:5060" } else { "sip:101@198.51.100.1:5060" };
    let mut request = from.request(method, contact).call(&format!("{}-{method}", invite.call_id));
    for route in rows(answered, sip::Name::RecordRoute) {
        request = request.row(&format!("Route: {route}"));
    }
    request.call_id.clone_from(&invite.call_id);
    (request.from, request.to) =
        if is_caller { (caller.clone(), callee) } else { (callee, caller.clone()) };
    request.cseq = 9;
    if !more.is_empty() {
        request = request.row(more);
    }
    office.receive(from.flow, request.wire())
}

/// One of the two hangs up, and the other says yes.
fn hang_up(office: &mut Office, from: &Phone, call: (&Request, &[Sent]), more: &str) {
    office.wait(secs(60));
    let sent = within(office, from, "BYE", call, more);
    let bye = requests(&sent, "BYE").remove(0);
    office.receive(bye.flow, reply(&bye.message, 200, ""));
}

#[test]
fn a_call_leaves_a_record_of_who_whom_when_by_which_way_and_how_it_ended() {
    let mut office = office(settings());
    let began = office.now;
    let (invite, copy) = ring(&mut office, "one");
    let [(number, ringing)] = &office.node.calls(None, 9)[..] else { panic!("one call") };
    assert_eq!((ringing.rang, ringing.answered), (Some(began + secs(1)), None));
    let number = *number;
    let answered = answer(&mut office, &copy, "");
    assert_eq!(office.node.call(number).unwrap().status, 200);
    hang_up(&mut office, &Phone::udp(102), (&invite, &answered), "Reason: Q.850;cause=16");
    let [record] = &records(&mut office)[..] else { panic!("one record") };
    let times = [Some(record.began), record.rang, record.answered, record.ended];
    assert_eq!(times, [0, 1, 3, 63].map(|at| Some(began + secs(at))));
    assert_eq!((record.status, record.ender, record.forks), (200, Ender::Callee, 1));
    assert_eq!(record.source, (Transport::Udp, Phone::udp(101).flow.peer));
    assert_eq!(record.target, Some((Transport::Udp, Phone::udp(102).flow.peer)));
    for (kind, expected) in [
        (Text::CallId, &*invite.call_id),
        (Text::From, "sip:101@example.test"),
        (Text::To, "sip:102@example.test"),
        (Text::Dialled, "sip:102@example.test"),
        (Text::User, "101"),
        (Text::Route, ""),
        (Text::AnsweredBy, "sip:102@198.51.100.2:5060"),
        (Text::Reason, "Q.850;cause=16"),
    ] {
        assert_eq!(text(record, kind), expected, "{kind:?}");
    }
    assert_eq!(office.node.calling(), 0);
    assert!(office.node.call(number).is_none() && office.node.calls(None, 9).is_empty());
}

#[test]
fn an_attempt_that_nobody_answers_leaves_one_record_too() {
    for (code, reason) in [(486, "SIP;cause=600"), (603, ""), (480, "")] {
        let mut office = office(settings());
        let (_, copy) = ring(&mut office, "no");
        let more = if reason.is_empty() { String::new() } else { format!("Reason: {reason}\r\n") };
        office.receive(copy.flow, reply(&copy.message, code, &more));
        let [record] = &records(&mut office)[..] else { panic!("one record") };
        assert_eq!((record.status, record.ender, record.answered), (code, Ender::Nobody, None));
        assert_eq!(text(record, Text::Reason), reason);
        assert!(record.ended.is_some() && office.node.calling() == 0);
    }
}

#[test]
fn a_caller_who_gives_up_is_who_ended_it() {
    let mut office = office(settings());
    let (invite, copy) = ring(&mut office, "gone");
    let mut cancel = invite.again();
    (cancel.method, cancel.rows, cancel.body) = ("CANCEL".into(), String::new(), String::new());
    let cancel = cancel.row("Reason: SIP;cause=200;text=\"x\"");
    let sent = office.receive(Phone::udp(101).flow, cancel.wire());
    let cancel = requests(&sent, "CANCEL").remove(0);
    office.receive(cancel.flow, reply(&cancel.message, 200, ""));
    office.receive(copy.flow, reply(&copy.message, 487, ""));
    let [record] = &records(&mut office)[..] else { panic!("one record") };
    assert_eq!((record.status, record.ender), (487, Ender::Caller));
    assert_eq!(text(record, Text::Reason), "SIP;cause=200;text=\"x\"");
}

#[test]
fn whoever_is_only_asked_who_it_is_has_not_called_yet() {
    let mut office = office(settings());
    let alice = Phone::udp(101);
    office.receive(alice.flow, alice.invite("sip:102@example.test").wire());
    assert_eq!((records(&mut office).len(), office.node.calling()), (0, 0));
    // Nor is a guess of the password, nor what is no call at all.
    let options = alice.request("OPTIONS", "sip:102@example.test");
    office.converse(&alice, &options);
    assert_eq!((records(&mut office).len(), office.node.calling()), (0, 0));
}

#[test]
fn what_goes_nowhere_or_elsewhere_is_an_attempt() {
    let elsewhere = |to: &str| Elsewhere { to: vec![to.into()], status: 302, expires: None };
    let redirects = vec![Redirect { user: "sales".into(), to: elsewhere("sip:102@example.test") }];
    let prefix = |name: &str, prefix: &str, action| Route {
        name: name.into(),
        matches: Match { prefixes: vec![prefix.into()], ..Match::default() },
        action,
        ..Route::prefix(prefix, "sip:unused")
    };
    let deny = Action::Deny { status: 603, reason: "No".into() };
    let routes = vec![
        prefix("premium", "0900", deny),
        prefix("moved", "08", Action::Redirect(elsewhere("sip:192.0.2.77"))),
        Route { name: "carrier".into(), ..Route::prefix("+", "sip:203.0.113.1:5060") },
    ];
    let house = Settings { redirects, routes, ..settings() };
    for (dialled, code, route) in [
        ("999", 404, ""),
        ("sales", 302, ""),
        ("0900123", 603, "premium"),
        ("0811", 302, "moved"),
        ("105", 480, ""),
        ("+4420", 486, "carrier"),
    ] {
        let mut office = office(house.clone());
        let alice = Phone::udp(101);
        let sent = office.converse(&alice, &alice.invite(&format!("sip:{dialled}@example.test")));
        for copy in requests(&sent, "INVITE") {
            office.receive(copy.flow, reply(&copy.message, 486, ""));
        }
        let [record] = &records(&mut office)[..] else { panic!("one record for {dialled}") };
        assert_eq!((record.status, &*text(record, Text::Route)), (code, route), "{dialled}");
        assert_eq!((&*text(record, Text::User), office.node.calling()), ("101", 0));
    }
}

#[test]
fn a_call_that_is_forked_and_fails_over_says_how_often() {
    let places = ["sip:203.0.113.1:5060", "sip:203.0.113.2:5060"];
    let mut office = office(always_at("103", &places, settings()));
    let alice = Phone::udp(101);
    let sent = office.converse(&alice, &alice.invite("sip:103@example.test"));
    let copies = requests(&sent, "INVITE");
    office.receive(copies[0].flow, reply(&copies[0].message, 486, ""));
    answer(&mut office, &copies[1], "");
    let [(_, record)] = &office.node.calls(None, 9)[..] else { panic!("one call") };
    assert_eq!((record.forks, record.target.unwrap().1), (2, copies[1].flow.peer));
}

#[test]
fn a_call_whose_bye_never_comes_ends_with_its_session_or_with_its_time() {
    let timer = Some(SessionTimer { expires: 1800, min: 90 });
    for (more, renewed, seconds, ender) in [
        ("", false, 86_400, Ender::Age),
        ("Session-Expires: 1800;refresher=uas\r\n", false, 1800 + 32, Ender::Timer),
        ("Session-Expires: 1800;refresher=uas\r\n", true, 900 + 1800 + 32, Ender::Timer),
    ] {
        let proxy = Proxy { session_timer: timer, ..Proxy::default() };
        let mut office = office(Settings { proxy, ..settings() });
        let (invite, copy) = ring(&mut office, "lost");
        let answered = answer(&mut office, &copy, more);
        let up = office.now;
        if renewed {
            office.wait(secs(900));
            let bob = Phone::udp(102);
            let sent =
                within(&mut office, &bob, "UPDATE", (&invite, &answered), "Session-Expires: 1800");
            let update = requests(&sent, "UPDATE").remove(0);
            office.receive(update.flow, reply(&update.message, 200, more));
        }
        office.wait(secs(100_000));
        let [record] = &records(&mut office)[..] else { panic!("one record") };
        assert_eq!((record.ender, record.ended), (ender, Some(up + secs(seconds))));
        assert_eq!(record.session, if more.is_empty() { 0 } else { 1800 });
    }
}

#[test]
fn a_bye_that_is_asked_who_it_is_does_not_end_the_call_yet() {
    let mut office = office(settings());
    let (invite, copy) = ring(&mut office, "asked");
    let answered = answer(&mut office, &copy, "");
    let alice = Phone::udp(101);
    let sent = within(&mut office, &alice, "BYE", (&invite, &answered), "");
    let bye = requests(&sent, "BYE").remove(0);
    office.receive(bye.flow, reply(&bye.message, 407, ""));
    assert_eq!((records(&mut office).len(), office.node.calling()), (0, 1));
    office.wait(secs(40));
    hang_up(&mut office, &alice, (&invite, &answered), "");
    let [record] = &records(&mut office)[..] else { panic!("one record") };
    assert_eq!(record.ender, Ender::Caller);
}

#[test]
fn nothing_is_followed_when_nobody_wants_it() {
    let mut office = office(Settings { calls: None, ..settings() });
    let (invite, copy) = ring(&mut office, "unseen");
    let answered = answer(&mut office, &copy, "");
    assert_eq!(status(&answered), 200);
    hang_up(&mut office, &Phone::udp(101), (&invite, &answered), "");
    assert_eq!((records(&mut office).len(), office.node.calling()), (0, 0));
}

/// Octets that a server needs for each of so many calls that stand.
fn octets_a_call(calls: Option<Calls>, count: u32) -> i64 {
    let house = always_at("102", &["sip:102@198.51.100.2:5060"], trusting());
    let mut office = Office::new(Settings { calls, ..house });
    let stand = |office: &mut Office| {
        for call in 0..count {
            let (_, copy) = ring(office, &format!("3848276298220188511-{call}@198.51.100.1"));
            answer(office, &copy, "");
            // What transactions needed is given back.
            office.wait(secs(40));
        }
        office.events.clear();
        office.events.shrink_to_fit();
    };
    let used = allocation_counter::measure(|| stand(&mut office)).bytes_current;
    assert_eq!(office.node.calling(), if calls.is_some() { count as usize } else { 0 });
    used / i64::from(count)
}

/// A call that stands may take 512 octets of the server's memory, all in all.
#[test]
fn a_call_that_stands_takes_little_room() {
    let followed = octets_a_call(Some(Calls::default()), 1000);
    assert!(followed <= 512, "{followed} octets a call");
    let not = octets_a_call(None, 1000);
    assert!(not < 32, "{not} octets a call that nobody follows");
}

/// A call that rings may take 2.07 kB, all in all: the INVITE as it came, what its CANCEL would need of the one that went, what the 180 has of its own, two transactions, what
/// is needed to try elsewhere, and its record.
#[test]
fn a_call_that_rings_takes_little_room() {
    const COUNT: u32 = 1000;
    let house = always_at("102", &["sip:102@198.51.100.2:5060"], trusting());
    let mut office = Office::new(Settings { calls: Some(Calls::default()), ..house });
    let alice = Phone::udp(101);
    let ring_all = |office: &mut Office| {
        for call in 0..COUNT {
            let name = format!("3848276298220188511-{call}@198.51.100.1");
            let sent = office.converse(&alice, &alice.invite("sip:102@example.test").call(&name));
            let copy = requests(&sent, "INVITE").remove(0);
            office.receive(copy.flow, reply(&copy.message, 180, ""));
        }
        office.wait(secs(2));
        office.events.clear();
        office.events.shrink_to_fit();
    };
    let used = allocation_counter::measure(|| ring_all(&mut office)).bytes_current;
    assert_eq!(office.node.calling(), COUNT as usize);
    let each = used / i64::from(COUNT);
    assert!(each <= 2_070, "{each} octets a call");
}
