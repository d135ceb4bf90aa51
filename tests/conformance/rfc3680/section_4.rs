//! §4: who may watch, for how long, and how often it is told.

use std::time::Duration;

use offhook_tests::office::{Office, Phone, answers, requests, rows, status};
use sip::Name;

use super::{Watcher, attribute, office, subscribe};

/// §4.6: registrations are told to their user, who has proven who it is, and to nobody else.
#[test]
fn nobody_watches_somebody_else() {
    let mut office = Office::default();
    let (owner, other) = (Phone::udp(101), Phone::udp(102));
    assert_eq!(status(&office.receive(owner.flow, subscribe(&owner, "").wire())), 401);
    assert_eq!(status(&office.converse(&owner, &subscribe(&owner, "").call("a"))), 200);
    let mut nosy = subscribe(&other, "").call("b");
    nosy.uri = "sip:101@example.test".into();
    nosy.to = "<sip:101@example.test>".into();
    assert_eq!(status(&office.converse(&other, &nosy)), 403);
    let mut unknown = subscribe(&other, "").call("c");
    unknown.uri = "sip:nobody@example.test".into();
    assert_eq!(status(&office.converse(&other, &unknown)), 404);
}

/// §4.4: the default is 3761 seconds.
#[test]
fn who_wishes_nothing_watches_for_3761_seconds() {
    let (mut office, phone) = (office(), Phone::udp(101));
    let sent = office.receive(phone.flow, subscribe(&phone, "").wire());
    assert_eq!(rows(&sent, Name::Expires), ["3761"]);
}

/// §4.8: changes are told no faster than once in 5 seconds; what comes too fast is told together, as everything there is.
#[test]
fn changes_come_no_faster_than_every_five_seconds() {
    let mut office = office();
    let mut watcher = Watcher::new(&mut office);
    let change = |office: &mut Office, n: u32| {
        let mut request = Phone::udp(101).register(&format!("Contact: <sip:{n}@b.example>\r\n"));
        request.cseq = n;
        request.branch += &n.to_string();
        requests(&office.receive(Phone::udp(101).flow, request.wire()), "NOTIFY")
    };
    for n in 1..4 {
        assert!(change(&mut office, n).is_empty(), "the first NOTIFY has just gone out");
    }
    assert!(office.wait(Duration::from_millis(4999)).is_empty());
    let told = office.wait(Duration::from_millis(1));
    let body = watcher.hear(&mut office, &told);
    assert_eq!(
        (attribute(&body, "reginfo", "state"), body.matches("<contact ").count()),
        ("full".into(), 3)
    );
    office.wait(Duration::from_secs(10));
    let told = change(&mut office, 4);
    let body = watcher.hear(&mut office, &told);
    assert_eq!(
        (attribute(&body, "reginfo", "state"), body.matches("<contact ").count()),
        ("partial".into(), 1)
    );
    assert_eq!(attribute(&body, "reginfo", "version"), "2", "one more with each");
}

/// Bounds: a user's phones may all watch, and no more than there can be.
#[test]
fn there_is_an_end_to_the_watchers_of_one_user() {
    let (mut office, phone) = (office(), Phone::udp(101));
    let many = |office: &mut Office, n: u32| {
        let sent = office.receive(phone.flow, subscribe(&phone, "").call(&n.to_string()).wire());
        answers(&sent, phone.flow)
    };
    let all: Vec<_> = (0..21).flat_map(|n| many(&mut office, n)).collect();
    assert_eq!((all.len(), all[19], all[20]), (21, 200, 503));
}
