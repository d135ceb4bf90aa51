//! §10.3 leaves much to the registrar: how many contacts, which ones, for how long, and who may register whom.

use std::time::Duration;

use offhook_tests::office::{
    Office, Phone, Sent, always_at, requests, rows, settings, status, trusting, uri,
};
use server::settings::WhenFull;
use sip::Name;

fn full(when_full: WhenFull) -> Office {
    let mut settings = trusting();
    settings.registrar.max_contacts = 2;
    settings.registrar.when_full = when_full;
    Office::new(settings)
}

/// A REGISTER of 101 with these contacts, one after the other.
fn say(office: &mut Office, cseq: u32, contacts: &str) -> Vec<Sent> {
    let phone = Phone::udp(101);
    let mut request = phone.register(&format!("Contact: {contacts}\r\n"));
    request.cseq = cseq;
    request.branch += &cseq.to_string();
    office.receive(phone.flow, request.wire())
}

fn uris(sent: &[Sent]) -> Vec<String> {
    rows(sent, Name::Contact)
        .iter()
        .map(|row| row.split(['<', '>']).nth(1).unwrap().into())
        .collect()
}

#[test]
fn one_contact_too_many_is_refused_or_takes_the_place_of_the_oldest() {
    for (when_full, expected) in [(WhenFull::Refuse, 403), (WhenFull::Oldest, 200)] {
        let mut office = full(when_full);
        say(&mut office, 1, "<sip:a@b.example>");
        say(&mut office, 2, "<sip:b@b.example>");
        let refreshed = say(&mut office, 3, "<sip:a@b.example>");
        assert_eq!(uris(&refreshed), ["sip:b@b.example", "sip:a@b.example"]);
        let sent = say(&mut office, 4, "<sip:c@b.example>");
        assert_eq!(status(&sent), expected);
        if when_full == WhenFull::Oldest {
            assert_eq!(
                uris(&sent),
                ["sip:a@b.example", "sip:c@b.example"],
                "b was refreshed first"
            );
        }
        let many = "<sip:d@b.example>, <sip:e@b.example>, <sip:f@b.example>";
        assert_eq!(status(&say(&mut office, 5, many)), 403, "more at once than there may ever be");
    }
}

#[test]
fn a_contact_that_nobody_can_call_is_refused_in_words() {
    for (contact, expected) in [
        ("<mailto:a@b.example>", "403 Contact Is No SIP URI"),
        ("<tel:+49301234>", "403 Contact Is No SIP URI"),
        ("<sip:a@b.example?Subject=x>", "400 Contact URI Has Headers"),
        ("<sip:101@example.test>", "403 Contact Is the Address That It Is Registered For"),
        ("<sip:%3101@192.0.2.10:5060;x>", "403 Contact Is the Address That It Is Registered For"),
    ] {
        let mut office = Office::new(trusting());
        let sent = say(&mut office, 1, contact);
        let line =
            String::from_utf8_lossy(sent[0].message.wire()).lines().next().unwrap().to_owned();
        assert_eq!(line, format!("SIP/2.0 {expected}"), "{contact}");
        assert_eq!(office.node.registered(), 0);
    }
    // Whatever is there may be taken away.
    assert_eq!(
        status(&say(&mut Office::new(trusting()), 1, "<mailto:a@b.example>;expires=0")),
        200
    );
}

#[test]
fn what_a_phone_says_of_itself_is_kept_and_told_again() {
    let mut office = Office::new(trusting());
    let said = ";methods=\"INVITE,BYE\";video;mobility=\"fixed\";+sip.instance=\"<urn:uuid:1>\"";
    let sent = say(&mut office, 1, &format!("<sip:a@b.example>;q=0.3;expires=600{said}"));
    assert_eq!(
        rows(&sent, Name::Contact),
        [format!("<sip:a@b.example>;q=0.300;expires=600{said}")]
    );
}

/// Some get a little less, nobody less than the least, and nobody more than it wished.
#[test]
fn expiries_are_spread_so_that_a_storm_does_not_come_back() {
    let granted = |jitter: u8, wish: u32| {
        let mut settings = trusting();
        settings.registrar.jitter = jitter;
        settings.registrar.max_contacts = 60;
        let mut office = Office::new(settings);
        let all = (1..=50).map(|n| {
            let sent = say(&mut office, n, &format!("<sip:{n}@b.example>;expires={wish}"));
            let row = rows(&sent, Name::Contact).pop().unwrap();
            row.split("expires=").nth(1).unwrap().parse::<u32>().unwrap()
        });
        all.collect::<Vec<_>>()
    };
    let spread = granted(10, 3600);
    let kinds: std::collections::BTreeSet<_> = spread.iter().collect();
    assert!(
        kinds.len() > 30 && spread.iter().all(|granted| (3240..=3600).contains(granted)),
        "{spread:?}"
    );
    assert_eq!(granted(10, 3600), spread, "the same dice, the same times");
    assert!(granted(0, 3600).iter().all(|granted| *granted == 3600));
    assert!(granted(50, 60).iter().all(|granted| *granted == 60), "the least is the least");
}

/// A gateway registers its telephones with its own password; nobody else may, and it may nobody else.
#[test]
fn trap_36_only_who_is_named_registers_for_others() {
    let mut settings = settings();
    settings.users[8].may_register = vec!["101".into()];
    let mut office = Office::new(settings);
    for (who, whom, expected) in [(109, "101", 200), (109, "102", 403), (108, "101", 403)] {
        let gateway = Phone::udp(who);
        let mut request = gateway.register(&format!("Contact: <sip:{whom}@198.51.100.99>\r\n"));
        request.to = format!("<sip:{whom}@example.test>");
        request.call_id += whom;
        request.branch += whom;
        assert_eq!(status(&office.converse(&gateway, &request)), expected, "{who} for {whom}");
    }
    assert_eq!(office.node.registered(), 1);
    // What it sends beside REGISTERs is its own.
    let mut invite = Phone::udp(109).invite("sip:102@example.test");
    invite.from = "<sip:101@example.test>;tag=1".into();
    assert_eq!(status(&office.converse(&Phone::udp(109), &invite)), 403);
}

/// A place from the settings rings beside the registrations; no phone sees it, and none can take it away.
#[test]
fn who_is_somewhere_at_all_times_is_called_there_at_all_times() {
    let mut office = Office::new(always_at("101", &["sip:gateway@198.51.100.200"], trusting()));
    let caller = Phone::udp(103);
    let rung = |office: &mut Office, name: &str| {
        let invite = caller.invite("sip:101@example.test").call(name);
        let sent = office.receive(caller.flow, invite.wire());
        requests(&sent, "INVITE").iter().map(uri).collect::<Vec<_>>()
    };
    let gateway = "sip:gateway@198.51.100.200";
    assert_eq!(rung(&mut office, "alone"), [gateway]);
    assert_eq!(uris(&say(&mut office, 1, "<sip:101@b.example>")), ["sip:101@b.example"]);
    assert!(rows(&say(&mut office, 2, "*\r\nExpires: 0"), Name::Contact).is_empty());
    office.register(&Phone::udp(101));
    assert_eq!(rung(&mut office, "both"), ["sip:101@198.51.100.1:5060", gateway]);
    office.wait(Duration::from_secs(10_000));
    assert_eq!(rung(&mut office, "later"), [gateway]);
}
