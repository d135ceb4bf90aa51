//! Numbers whose place the DNS is asked for (ENUM, RFC 6116): it knows, it knows nothing, it is silent, it lies.

use std::time::Duration;

use offhook_tests::office::{
    Office, Phone, Request, Sent, answers, requests, settings, status, uri,
};
use protocol::locate::{Naptr, Unlocated};
use protocol::{Answer, Input, Question, Ticket};
use server::explain::Verdict;
use server::routes::{Network, Rewrite};
use server::settings::{Action, Match, Route, Settings, Trust};
use sip::Message;

fn house() -> Settings {
    let rewrite = Rewrite { strip: 1, prepend: "+49".into(), replace: None };
    let ask = Route {
        name: "enum".into(),
        action: Action::Enum("e164.test".into()),
        rewrite: Some(rewrite),
        ..Route::prefix("0", "sip:unused")
    };
    let routes = vec![ask, Route::prefix("0", "sip:203.0.113.1")];
    Settings { routes, ..settings() }
}

fn rule(preference: u16, regexp: &str) -> Naptr {
    Naptr {
        order: 1,
        preference,
        flags: "u".into(),
        service: "E2U+sip".into(),
        regexp: regexp.into(),
        replacement: None,
    }
}

/// 101 dials 030; what was asked.
fn dialled(office: &mut Office) -> (Request, Ticket) {
    let alice = Phone::udp(101);
    let invite = alice.invite("sip:030@example.test").call("number");
    let sent = office.converse(&alice, &invite);
    assert_eq!(answers(&sent, alice.flow), [100]);
    let (ticket, question) = office.asked.pop().unwrap();
    let Question::Services(name) = question else { panic!("{question:?}") };
    assert_eq!(name.as_str(), "0.3.9.4.e164.test");
    (invite, ticket)
}

fn told(office: &mut Office, ticket: Ticket, answer: Answer) -> Vec<Sent> {
    office.tell(Input::Answered(ticket, answer))
}

#[test]
fn a_number_is_where_the_dns_says_the_preferred_place_first() {
    let mut office = Office::new(house());
    let (_, ticket) = dialled(&mut office);
    let records = vec![
        rule(20, "!^.*$!sip:second@203.0.113.9!"),
        rule(10, "!^\\+49(.*)$!sip:n\\1@203.0.113.8:5070!"),
    ];
    let sent = told(&mut office, ticket, Answer::Services(records));
    let first = requests(&sent, "INVITE").remove(0);
    assert_eq!(uri(&first), "sip:n30@203.0.113.8:5070");
    assert_eq!(first.flow.peer, "203.0.113.8:5070".parse().unwrap());
    let sent = office.tell(Input::Failed(first.flow));
    assert_eq!(uri(&requests(&sent, "INVITE")[0]), "sip:second@203.0.113.9");
}

#[test]
fn a_number_may_be_a_user_of_ours() {
    let mut office = Office::new(house());
    let bob = Phone::udp(102);
    office.register(&bob);
    let (_, ticket) = dialled(&mut office);
    let rules = vec![rule(1, "!^.*$!sip:102@example.test!")];
    let sent = told(&mut office, ticket, Answer::Services(rules));
    assert!(requests(&sent, "INVITE").is_empty());
    let (ticket, question) = office.asked.pop().unwrap();
    let asker = protocol::doors::Asker { shard: 0, ticket };
    office.tell(Input::Asked(asker, question));
    let bindings = office.told.pop().unwrap();
    assert_eq!(requests(&told(&mut office, ticket, bindings), "INVITE")[0].flow, bob.flow);
}

#[test]
fn when_the_dns_says_nothing_of_use_the_next_route_is_taken() {
    let nothing = [
        Answer::Services(vec![]),
        Answer::Services(vec![rule(1, "!^.*$!tel:+49!"), rule(2, "!(!sip:a@h!")]),
        Answer::Services(vec![rule(1, "!^.*$!sip:nobody@example.test!")]),
        Answer::Services(vec![rule(1, "!^.*$!sip:example.test!")]),
        Answer::Unlocated(Unlocated::NoAnswer),
        Answer::Nothing,
    ];
    for answer in nothing {
        let mut office = Office::new(house());
        let (_, ticket) = dialled(&mut office);
        let sent = told(&mut office, ticket, answer.clone());
        assert_eq!(uri(&requests(&sent, "INVITE")[0]), "sip:030@203.0.113.1", "{answer:?}");
        assert!(told(&mut office, ticket, answer).is_empty(), "once");
    }
    // And when there is none, nobody has the number.
    let mut last = house();
    last.routes.pop();
    let mut office = Office::new(last);
    let (_, ticket) = dialled(&mut office);
    let sent = told(&mut office, ticket, Answer::Services(vec![]));
    assert_eq!(answers(&sent, Phone::udp(101).flow), [404]);
}

#[test]
fn whoever_hangs_up_meanwhile_calls_nobody() {
    let mut office = Office::new(house());
    let (invite, ticket) = dialled(&mut office);
    let mut cancel = invite.again();
    (cancel.method, cancel.cseq, cancel.rows) = ("CANCEL".into(), 2, String::new());
    let sent = office.receive(Phone::udp(101).flow, cancel.wire());
    assert!(answers(&sent, Phone::udp(101).flow).contains(&200), "{sent:?}");
    let sent =
        told(&mut office, ticket, Answer::Services(vec![rule(1, "!^.*$!sip:a@203.0.113.8!")]));
    assert!(requests(&sent, "INVITE").is_empty());
    office.wait(Duration::from_secs(100));
    assert_eq!(office.node.forwarding(), 0);
}

/// A resolver that never answers is not waited for.
#[test]
fn a_call_does_not_wait_for_ever() {
    let mut office = Office::new(house());
    dialled(&mut office);
    let sent = office.wait(Duration::from_secs(60));
    let end = answers(&sent, Phone::udp(101).flow);
    assert!(end.iter().any(|code| *code >= 400), "{end:?}");
}

#[test]
fn whoever_was_let_on_unproven_is_let_on_no_other_route() {
    let mut open = house();
    let network: Network = "198.51.100.77".parse().unwrap();
    open.routes[0].matches = Match { networks: vec![network], ..open.routes[0].matches.clone() };
    open.routes[0].trust = Trust::Network;
    let mut office = Office::new(open);
    let mut invite = Phone::udp(77).invite("sip:030@example.test");
    invite.from = "<sip:x@pbx.test>;tag=1".into();
    assert_eq!(status(&office.receive(Phone::udp(77).flow, invite.wire())), 100);
    let (ticket, _) = office.asked.pop().unwrap();
    let sent = told(&mut office, ticket, Answer::Services(vec![]));
    assert_eq!(answers(&sent, Phone::udp(77).flow), [404]);
}

#[test]
fn it_is_explained_without_asking() {
    let mut office = Office::new(house());
    let request = Message::parse(Phone::udp(101).invite("sip:030@example.test").wire()).unwrap();
    let said = office.node.explain(office.now, Phone::udp(101).flow, &request);
    assert_eq!(said.verdict, Verdict::Asked("0.3.9.4.e164.test".into()));
    assert!(office.asked.is_empty());
    // What is no global number is not asked for: the route does not fit.
    let mut plain = house();
    plain.routes[0].rewrite = None;
    let mut office = Office::new(plain);
    let said = office.node.explain(office.now, Phone::udp(101).flow, &request);
    assert_eq!(said.passed[0].why, "it asks the DNS, which knows only numbers with +, not 030");
    assert!(matches!(said.verdict, Verdict::Forwarded(_)));
}
