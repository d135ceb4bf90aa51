//! Next hops that stand for each other: one is dead, one is full, one comes back; callers notice as little as can be.

use std::time::Duration;

use offhook_tests::office::{
    Office, Phone, Request, Sent, answers, reply, requests, rows, settings, status, uri,
};
use protocol::doors::{Event, Warning};
use protocol::locate::Failure;
use protocol::{Input, Transport};
use server::settings::{
    Action, Balance, Group, Match, Member, Probe, Route, Settings, Shard, Trust, Whose,
};

const A: &str = "203.0.113.1:5060";
const B: &str = "203.0.113.2:5060";
const C: &str = "203.0.113.3:5060";

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn group() -> Group {
    Group::of("carriers", &[A, B].map(|at| format!("sip:{at}")).each_ref().map(String::as_str))
}

fn house(group: Group) -> Settings {
    let action = Action::Group(group.name.clone());
    let route = Route { action, ..Route::prefix("+", "sip:unused") };
    Settings { routes: vec![route], groups: vec![group], ..settings() }
}

/// A call to +44…, asked and answered for the password.
fn call(office: &mut Office, name: &str) -> (Request, Vec<Sent>) {
    let alice = Phone::udp(101);
    let invite = alice.invite("sip:+4420@example.test").call(name);
    let sent = office.converse(&alice, &invite);
    (invite, sent)
}

/// Where the INVITEs among what was sent went, in their order.
fn went(sent: &[Sent]) -> Vec<String> {
    requests(sent, "INVITE").iter().map(|invite| invite.flow.peer.to_string()).collect()
}

/// The member says this to an INVITE.
fn says(office: &mut Office, invite: &Sent, code: u16) -> Vec<Sent> {
    office.receive(invite.flow, reply(&invite.message, code, "Contact: <sip:gw@203.0.113.9>\r\n"))
}

/// The caller hangs up a call that a member answered.
fn hang_up(office: &mut Office, invite: &Request, answered: &[Sent]) -> Vec<Sent> {
    let alice = Phone::udp(101);
    let mut bye =
        alice.request("BYE", "sip:gw@203.0.113.9").call(&format!("{}-bye", invite.call_id));
    for route in rows(answered, sip::Name::RecordRoute) {
        bye = bye.row(&format!("Route: {route}"));
    }
    bye.call_id.clone_from(&invite.call_id);
    bye.to = format!("{};tag=to-tag", invite.to);
    bye.cseq = 9;
    office.receive(alice.flow, bye.wire())
}

#[test]
fn a_dead_member_costs_one_caller_a_moment_and_the_next_none() {
    let mut office = Office::new(house(group()));
    let (_, sent) = call(&mut office, "one");
    assert_eq!(went(&sent), [A]);
    assert_eq!(uri(&requests(&sent, "INVITE")[0]), format!("sip:+4420@{A}"));
    let sent = office.wait(Duration::from_millis(3_400));
    assert!(went(&sent).iter().all(|at| at == A));
    let sent = office.wait(Duration::from_millis(200));
    // A's last copy, and the first to B.
    assert_eq!(went(&sent), [A, B]);
    says(&mut office, &requests(&sent, "INVITE")[1], 486);
    let (_, sent) = call(&mut office, "two");
    assert_eq!(went(&sent), [B]);
    says(&mut office, &requests(&sent, "INVITE")[0], 486);
    // Its time is up: one call finds out, the one beside it does not wait for that.
    office.wait(secs(31));
    let (_, sent) = call(&mut office, "three");
    let asked = requests(&sent, "INVITE");
    let (_, beside) = call(&mut office, "four");
    assert_eq!((went(&sent), went(&beside)), (vec![A.to_owned()], vec![B.to_owned()]));
    says(&mut office, &asked[0], 100);
    let (_, sent) = call(&mut office, "five");
    assert_eq!(went(&sent), [A], "it is back");
}

#[test]
fn a_member_that_fails_sends_on_and_one_that_says_no_does_not() {
    for (code, listed, sends_on, end) in [
        (503, &[][..], true, 500),
        (500, &[], false, 500),
        (500, &[500, 480], true, 500),
        (486, &[500], false, 486),
        (480, &[480], true, 480),
        (603, &[], false, 603),
        (404, &[], false, 404),
    ] {
        let mut office = Office::new(house(Group { failover: listed.to_vec(), ..group() }));
        let (_, sent) = call(&mut office, "call");
        let mut sent = says(&mut office, &requests(&sent, "INVITE")[0], code);
        assert_eq!(went(&sent), if sends_on { vec![B] } else { Vec::new() }, "{code}");
        if sends_on {
            sent = says(&mut office, &requests(&sent, "INVITE")[0], code);
        }
        assert_eq!(answers(&sent, Phone::udp(101).flow), [end], "{code}");
    }
}

/// RFC 3841 lets a caller wish that all places ring at once: places that stand for each other do not.
#[test]
fn no_caller_has_every_carrier_called_at_once() {
    let mut office = Office::new(house(group()));
    let alice = Phone::udp(101);
    let invite = alice.invite("sip:+4420@example.test").row("Request-Disposition: parallel");
    assert_eq!(went(&office.converse(&alice, &invite)), [A]);
}

/// A list in a route is a group without a name.
#[test]
fn the_next_of_a_list_is_tried_when_one_cannot_be_reached() {
    let hops = [A, B].map(|at| format!("sip:{at}").into());
    let route = Route { action: Action::To(hops.into()), ..Route::prefix("+", "sip:unused") };
    let mut office = Office::new(Settings { routes: vec![route], ..settings() });
    let (_, sent) = call(&mut office, "call");
    let first = requests(&sent, "INVITE").remove(0);
    assert_eq!(first.flow.peer.to_string(), A);
    assert_eq!(went(&office.tell(Input::Failed(first.flow))), [B]);
    let (_, sent) = call(&mut office, "busy");
    let second = requests(&sent, "INVITE").remove(0);
    assert_eq!(second.flow.peer.to_string(), B, "the first has just failed");
    assert_eq!(answers(&says(&mut office, &second, 486), Phone::udp(101).flow), [486]);
}

fn probing() -> Group {
    let probe = Probe { interval: secs(10), timeout: secs(2), down: 2, up: 2 };
    Group { probe: Some(probe), ..group() }
}

/// Answers the probes among what was sent, but not for this address; how many were asked.
fn answer_probes(office: &mut Office, sent: &[Sent], dead: &str) -> usize {
    let mut probes = requests(sent, "OPTIONS");
    // Copies of one probe are one.
    probes.sort_by_key(|probe| probe.message.call_id().to_vec());
    probes.dedup_by_key(|probe| probe.message.call_id().to_vec());
    for probe in probes.iter().filter(|probe| probe.flow.peer.to_string() != dead) {
        office.receive(probe.flow, reply(&probe.message, 405, ""));
    }
    probes.len()
}

fn news(office: &mut Office) -> Vec<(String, bool)> {
    let events = office.events.drain(..).filter_map(|event| match event {
        Event::Member { address, down, .. } => Some((address.to_string(), down)),
        _ => None,
    });
    events.collect()
}

#[test]
fn probes_find_out_who_is_dead_and_who_is_back() {
    let mut office = Office::new(house(probing()));
    let sent = office.wait(secs(2));
    assert_eq!(answer_probes(&mut office, &sent, ""), 2);
    let probe = requests(&sent, "OPTIONS").remove(0);
    assert!(probe.message.get::<sip::header::MaxForwards>().is_some());
    let mut sent = Vec::new();
    for second in 0..40 {
        let now = office.wait(secs(1));
        answer_probes(&mut office, &now, A);
        sent.extend(now);
        // One silence, after some ten seconds, is an accident; two are not.
        match second {
            16 => assert!(office.warnings.is_empty(), "{:?}", office.warnings),
            25 => assert!(!office.warnings.is_empty()),
            _ => {}
        }
    }
    assert_eq!(news(&mut office), [(A.to_owned(), true)]);
    let watched = |warning: &Warning| matches!(warning.failure, Some(Failure::Watched(_)));
    assert!(office.warnings.iter().all(watched), "{:?}", office.warnings);
    // No caller waits: also when its time would be up long since.
    office.wait(secs(1));
    let (_, sent) = call(&mut office, "while it is dead");
    assert_eq!(went(&sent), [B]);
    says(&mut office, &requests(&sent, "INVITE")[0], 486);
    office.warnings.clear();
    for _ in 0..25 {
        let now = office.wait(secs(1));
        answer_probes(&mut office, &now, "");
    }
    assert_eq!(news(&mut office), [(A.to_owned(), false)]);
    assert_eq!(office.warnings.last().map(|warning| warning.failure), Some(None));
    assert_eq!(went(&call(&mut office, "when it is back").1), [A]);
}

#[test]
fn one_shard_probes_and_the_others_believe_it() {
    let shard = Shard { number: 1, count: 2 };
    let mut office = Office::new(Settings { shard, ..house(probing()) });
    assert!(requests(&office.wait(secs(60)), "OPTIONS").is_empty());
    let (transport, address) = (Transport::Udp, A.parse().unwrap());
    let failure = Some(Failure::Watched(secs(22)));
    office.tell(Input::Warned(Warning { transport, address, failure }));
    let goes_to = |office: &mut Office, name: &str| {
        let (_, sent) = call(office, name);
        says(office, &requests(&sent, "INVITE")[0], 486);
        went(&sent)
    };
    assert_eq!(goes_to(&mut office, "down"), [B]);
    office.tell(Input::Warned(Warning { transport, address, failure: None }));
    assert_eq!(goes_to(&mut office, "back"), [A]);
    office.tell(Input::Warned(Warning { transport, address, failure }));
    office.wait(secs(21));
    assert_eq!(goes_to(&mut office, "down again"), [B]);
    // When the one that probes is silent itself, calls find out.
    office.wait(secs(2));
    assert_eq!(goes_to(&mut office, "nobody says so"), [A]);
}

#[test]
fn a_member_has_as_many_calls_as_it_may_and_not_one_more() {
    let mut limited = group();
    limited.members.truncate(1);
    limited.members[0].calls = Some(2);
    let mut office = Office::new(house(limited));
    let (first, sent) = call(&mut office, "first");
    let up = says(&mut office, &requests(&sent, "INVITE")[0], 200);
    let (_, sent) = call(&mut office, "second");
    let second = requests(&sent, "INVITE").remove(0);
    let (_, full) = call(&mut office, "third");
    assert_eq!(answers(&full, Phone::udp(101).flow), [503]);
    assert!(
        String::from_utf8_lossy(full[0].message.wire())
            .starts_with("SIP/2.0 503 All Lines Are Busy\r\n")
    );
    // A call that fails leaves its line.
    says(&mut office, &second, 486);
    let (_, sent) = call(&mut office, "fourth");
    let fourth = requests(&sent, "INVITE").remove(0);
    assert_eq!(status(&call(&mut office, "fifth").1), 503);
    // So does one that is hung up.
    assert_eq!(requests(&hang_up(&mut office, &first, &up), "BYE").len(), 1);
    let (_, sent) = call(&mut office, "sixth");
    assert_eq!(went(&sent), [requests(&sent, "INVITE")[0].flow.peer.to_string()]);
    says(&mut office, &requests(&sent, "INVITE")[0], 486);
    // And one that nobody hung up, at last; this one said by its session timer when.
    let timed =
        reply(&fourth.message, 200, "Contact: <sip:gw@203.0.113.9>\r\nSession-Expires: 1800\r\n");
    office.receive(fourth.flow, timed);
    let (_, sent) = call(&mut office, "seventh");
    says(&mut office, &requests(&sent, "INVITE")[0], 200);
    office.wait(secs(1799));
    assert_eq!(status(&call(&mut office, "eighth").1), 503);
    office.wait(secs(2));
    let (_, sent) = call(&mut office, "ninth");
    assert_eq!(went(&sent), [A]);
    says(&mut office, &requests(&sent, "INVITE")[0], 200);
    assert_eq!(status(&call(&mut office, "tenth").1), 503);
    office.wait(secs(4 * 3600));
    assert_eq!(went(&call(&mut office, "eleventh").1), [A]);
}

#[test]
fn a_full_member_is_passed_over_and_a_second_has_so_many_calls() {
    let mut limited = group();
    limited.members[0].rate = Some(2);
    limited.members[1].calls = Some(1);
    let mut office = Office::new(house(limited));
    let mut first = |name: &str| {
        let (_, sent) = call(&mut office, name);
        went(&sent).pop().unwrap_or_else(|| status(&sent).to_string())
    };
    let all = ["a", "b", "c", "d"].map(&mut first);
    assert_eq!(all, [A, A, B, "503"]);
    office.wait(Duration::from_millis(500));
    assert_eq!(went(&call(&mut office, "e").1), [A]);
    assert_eq!(status(&call(&mut office, "f").1), 503);
}

#[test]
fn members_are_chosen_in_turn_by_call_or_by_caller() {
    let three = |balance| {
        let mut group = group();
        group.members.push(Member::at(&format!("sip:{C}")));
        Group { balance, ..group }
    };
    let firsts = |balance, calls: u16| {
        let mut office = Office::new(house(three(balance)));
        let mut firsts = Vec::new();
        for n in 0..calls {
            let (_, sent) = call(&mut office, &format!("call {n}"));
            firsts.extend(went(&sent));
            says(&mut office, &requests(&sent, "INVITE")[0], 486);
        }
        firsts
    };
    assert_eq!(firsts(Balance::RoundRobin, 5), [A, B, C, A, B]);
    let by_call = firsts(Balance::CallId, 40);
    assert_eq!(by_call, firsts(Balance::CallId, 40), "the same again");
    assert!([A, B, C].iter().all(|at| by_call.iter().any(|first| first == at)));
    let by_caller = firsts(Balance::Caller, 10);
    assert!(by_caller.iter().all(|first| *first == by_caller[0]), "{by_caller:?}");
}

/// A carrier's edge: a PBX that cannot prove anything calls out through two carriers, and one of them calls in.
#[test]
fn an_edge_between_a_pbx_and_its_carriers() {
    let mut settings = house(group());
    let pbx = Match { networks: vec!["198.51.100.77".parse().unwrap()], ..Match::default() };
    let out = Match { prefixes: vec!["+".into()], ..pbx };
    settings.routes[0] =
        Route { matches: out, trust: Trust::Network, ..settings.routes[0].clone() };
    let whose = Whose::Domain("carrier.test".into());
    let carrier = Match { whose, ..Match::default() };
    settings.routes.push(Route { matches: carrier, ..settings.routes[0].clone() });
    let mut office = Office::new(settings);
    let mut invite = Phone::udp(77).invite("sip:+4420@example.test");
    invite.from = "<sip:pbx@pbx.test>;tag=1".into();
    assert_eq!(went(&office.receive(Phone::udp(77).flow, invite.wire())), [A]);
    let elsewhere = office.receive(Phone::udp(78).flow, invite.call("elsewhere").wire());
    assert_eq!(status(&elsewhere), 407);
    let mut bell = Phone::udp(79);
    let mut invite = bell.invite("sip:102@example.test").call("in");
    invite.from = "<sip:+33@carrier.test>;tag=1".into();
    assert_eq!(status(&office.receive(bell.flow, invite.wire())), 407);
    bell.flow.peer = B.parse().unwrap();
    assert_eq!(status(&office.receive(bell.flow, invite.wire())), 100);
}
