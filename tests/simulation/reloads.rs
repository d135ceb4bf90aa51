//! The settings change while calls are set up, phones are registered, and somebody guesses.

use std::time::Duration;

use machine::Dice;
use offhook_tests::office::{
    Office, Phone, Sent, answers, reply, requests, rows, settings, status, trusting,
};
use protocol::Transport;
use protocol::doors::Event;
use server::House;
use server::settings::{Action, Group, Member, Probe, Route, Settings, User};
use sip::Name;

const A: &str = "203.0.113.1:5060";
const B: &str = "203.0.113.2:5060";
const C: &str = "203.0.113.3:5060";

/// Other settings, from now on.
fn renew(office: &mut Office, settings: Settings) {
    drop(office.node.renew(House::new(settings, &mut Dice::new(9))));
}

/// A house whose calls to +… go to a group of these members.
fn house(members: &[&str]) -> Settings {
    let members: Vec<_> = members.iter().map(|at| format!("sip:{at}")).collect();
    let members: Vec<_> = members.iter().map(String::as_str).collect();
    let group = Group::of("carriers", &members);
    let action = Action::Group(group.name.clone());
    let route = Route { action, ..Route::prefix("+", "sip:unused") };
    Settings { routes: vec![route], groups: vec![group], ..settings() }
}

fn call(office: &mut Office, name: &str) -> Vec<Sent> {
    let alice = Phone::udp(101);
    let invite = alice.invite("sip:+4420@example.test").call(name);
    office.converse(&alice, &invite)
}

/// Where the INVITEs among what was sent went, in their order.
fn went(sent: &[Sent]) -> Vec<String> {
    requests(sent, "INVITE").iter().map(|invite| invite.flow.peer.to_string()).collect()
}

fn says(office: &mut Office, sent: &[Sent], code: u16) -> Vec<Sent> {
    let invite = requests(sent, "INVITE").remove(0);
    office.receive(invite.flow, reply(&invite.message, code, "Contact: <sip:gw@203.0.113.9>\r\n"))
}

#[test]
fn a_call_goes_on_by_the_members_that_it_began_with() {
    let mut office = Office::new(house(&[A, B]));
    let sent = call(&mut office, "one");
    assert_eq!(went(&sent), [A]);
    renew(&mut office, settings());
    assert_eq!(office.node.generation(), 2);
    renew(&mut office, house(&[C]));
    // The call that has begun fails over to B, which no new call would.
    let next = says(&mut office, &sent, 503);
    assert_eq!(went(&next), [B]);
    assert_eq!(answers(&says(&mut office, &next, 486), Phone::udp(101).flow), [486]);
    assert_eq!(went(&call(&mut office, "two")), [C]);
}

#[test]
fn members_that_stay_keep_their_calls_and_what_probes_know_of_them() {
    let one_line = |members: &[&str]| {
        let mut settings = house(members);
        for member in &mut settings.groups[0].members {
            member.calls = Some(1);
        }
        settings
    };
    let mut office = Office::new(one_line(&[A, B]));
    let sent = call(&mut office, "one");
    says(&mut office, &sent, 200);
    renew(&mut office, one_line(&[C, A]));
    let sent = call(&mut office, "two");
    assert_eq!(went(&sent), [C]);
    assert!(went(&says(&mut office, &sent, 503)).is_empty(), "A has its one call");
    renew(&mut office, one_line(&[A, A]));
    assert_eq!(went(&call(&mut office, "three")), [A], "one that is named twice has two lines");
    assert!(went(&call(&mut office, "four")).is_empty());
}

#[test]
fn a_member_that_is_down_is_down_after_a_reload() {
    let probe = Probe {
        interval: Duration::from_secs(10),
        timeout: Duration::from_secs(2),
        down: 2,
        up: 2,
    };
    let probing = |members: &[&str]| {
        let mut settings = house(members);
        settings.groups[0].probe = Some(probe);
        settings
    };
    let mut office = Office::new(probing(&[A]));
    office.wait(Duration::from_secs(30));
    let down = |office: &mut Office| {
        let events = office.events.drain(..).filter(|it| matches!(it, Event::Member { .. }));
        events.count()
    };
    assert_eq!(down(&mut office), 1);
    renew(&mut office, probing(&[A, B]));
    let sent = office.wait(Duration::from_secs(12));
    // B is asked too, and A is not news.
    let asked = requests(&sent, "OPTIONS");
    assert!(asked.iter().any(|probe| probe.flow.peer.to_string() == B));
    assert_eq!(down(&mut office), 0);
    assert_eq!(went(&call(&mut office, "while A is down")), [B]);
    renew(&mut office, settings());
    // The last that were asked before have two seconds to answer.
    office.wait(Duration::from_secs(3));
    assert!(requests(&office.wait(Duration::from_secs(60)), "OPTIONS").is_empty());
}

/// Class 62: more users than one turn looks at.
#[test]
fn class_62_registrations_of_users_who_are_gone_go_and_the_others_stay() {
    let mut office = Office::new(trusting());
    for number in 1_000..4_000 {
        let user = Phone { user: number.to_string(), ..Phone::udp(101) };
        assert_eq!(
            status(&office.receive(
                user.flow,
                user.register("Contact: <sip:x@192.0.2.7>\r\n").call(&user.user).wire()
            )),
            200
        );
    }
    assert_eq!(office.node.registered(), 3_000);
    office.events.clear();
    let users = (1_000..4_000).step_by(3).map(|n| User::new(&n.to_string(), "secret")).collect();
    renew(&mut office, Settings { users, ..settings() });
    assert_eq!(office.node.registered(), 3_000, "nobody waits for that");
    office.wait(Duration::from_secs(1));
    assert_eq!(office.node.registered(), 1_000);
    let gone = office.events.iter().filter(|it| matches!(it, Event::Unregistered { .. }));
    assert_eq!(gone.count(), 2_000);
    // Its phone keeps trying: it is asked who it is, and nothing is kept.
    let gone = Phone { user: "1001".into(), ..Phone::udp(101) };
    for again in 0..100 {
        let register =
            gone.register("Contact: <sip:x@192.0.2.7>\r\n").call(&format!("gone{again}"));
        assert_eq!(status(&office.receive(gone.flow, register.wire())), 401);
    }
    assert_eq!((office.node.registered(), office.node.transactions()), (1_000, 3_000));
    office.wait(Duration::from_secs(40));
    assert_eq!((office.node.registered(), office.node.transactions()), (1_000, 0));
}

#[test]
fn a_password_and_a_realm_count_from_the_next_challenge_on() {
    let mut office = Office::default();
    let phone = Phone::udp(101);
    office.register(&phone);
    let changed = |password: &str, realm: &str| Settings {
        users: vec![User::new("101", password)],
        realm: realm.into(),
        ..settings()
    };
    renew(&mut office, changed("another", "example.test"));
    let register = phone.register("");
    assert_eq!(status(&office.converse(&phone, &register.clone().call("old"))), 401);
    // The phone is still registered, and can be called.
    let sent = office.converse(&Phone::udp(101), &register.clone().call("x"));
    assert_eq!(status(&sent), 401);
    assert_eq!(office.node.registered(), 1);
    renew(&mut office, changed("secret-101", "other.test"));
    let sent = office.receive(phone.flow, register.clone().call("realm").wire());
    let challenge = &rows(&sent, Name::WwwAuthenticate)[0];
    assert!(challenge.contains("realm=\"other.test\""), "{challenge}");
    let sent = office.converse(&phone, &register.call("right"));
    assert_eq!(status(&sent), 200);
    assert_eq!(rows(&sent, Name::Contact).len(), 1, "it was registered all the time");
}

#[test]
fn a_listener_that_goes_ends_what_has_begun_and_says_so_to_who_begins() {
    let mut office = Office::new(trusting());
    let (alice, bob) = (Phone::udp(101), Phone::tcp(102, 7));
    office.register(&bob);
    let sent = office.receive(alice.flow, alice.invite("sip:102@example.test").wire());
    let ringing = requests(&sent, "INVITE").remove(0);
    let mut fewer = trusting();
    fewer.leaving = vec![fewer.listeners.remove(0)];
    renew(&mut office, fewer.clone());
    let contact = format!("Contact: <{}>\r\n", bob.contact());
    let sent = office.receive(ringing.flow, reply(&ringing.message, 200, &contact));
    assert_eq!(answers(&sent, alice.flow), [200]);
    // Alice hangs up, as the Record-Route says: it is ours still.
    let mut bye = alice.request("BYE", &bob.contact());
    for route in rows(&sent, Name::RecordRoute) {
        bye = bye.row(&format!("Route: {route}"));
    }
    bye.call_id = alice.invite("").call_id;
    bye.to += ";tag=to-tag";
    let sent = office.receive(alice.flow, bye.wire());
    assert_eq!(requests(&sent, "BYE").len(), 1, "{sent:?}");
    // New calls are to look for another address; over connections everything goes on.
    let sent = office.receive(alice.flow, alice.invite("sip:102@example.test").call("new").wire());
    assert_eq!(answers(&sent, alice.flow), [503]);
    assert_eq!(rows(&sent, Name::RetryAfter), ["10"]);
    let line = sent[0].message.wire().to_vec();
    assert!(line.starts_with(b"SIP/2.0 503 Going Out of Service\r\n"));
    let call = Phone::tcp(103, 8).invite("sip:102@example.test");
    assert_eq!(requests(&office.receive(Phone::tcp(103, 8).flow, call.wire()), "INVITE").len(), 1);
    // What we send to UDP phones does not go by it any more.
    fewer.routes = vec![Route {
        action: Action::To(vec![format!("sip:{A}").into()]),
        ..Route::prefix("9", "sip:unused")
    }];
    renew(&mut office, fewer);
    let call = Phone::tcp(103, 8).invite("sip:9@example.test").call("out");
    let sent = office.receive(Phone::tcp(103, 8).flow, call.wire());
    assert!(
        requests(&sent, "INVITE").iter().all(|it| it.flow.transport == Transport::Tcp),
        "{sent:?}"
    );
}

/// The ACK of a refusal that was given before the reload is no call of its own.
#[test]
fn the_ack_of_an_answer_from_before_is_known() {
    let mut office = Office::default();
    let alice = Phone::udp(101);
    let invite = alice.invite("sip:102@example.test");
    let sent = office.receive(alice.flow, invite.wire());
    assert_eq!(status(&sent), 407);
    let tag = rows(&sent, Name::To)[0].clone();
    renew(
        &mut office,
        Settings {
            groups: vec![Group { members: vec![Member::at("sip:x")], ..Group::of("g", &[]) }],
            ..settings()
        },
    );
    let mut ack = invite;
    (ack.method, ack.to) = ("ACK".into(), tag);
    assert!(office.receive(alice.flow, ack.wire().replace("1 INVITE", "1 ACK")).is_empty());
    assert!(office.events.iter().all(|event| !matches!(event, Event::Refused { .. })));
}
