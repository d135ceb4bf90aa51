//! Guesses: somebody tries passwords. It is not heard for a while, its neighbours are, and nobody can have somebody else silenced.

mod shards;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use offhook_tests::office::{Office, Phone, Request, Sent, rows, settings, status};
use protocol::bans::{Caution, Offence, Source, Treatment};
use protocol::doors::Event;
use protocol::{Input, Question, Transport};
use server::Settings;
use server::settings::{Bans, Bindings, Route, Shard};
use sip::header::WwwAuthenticate;
use sip::{Message, Name};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A phone of a user, at an address and a port.
fn at(user: u16, address: &str, port: u16) -> Phone {
    let mut phone = Phone::udp(user);
    phone.flow.peer = (address.parse::<IpAddr>().unwrap(), port).into();
    phone
}

fn source(address: &str) -> Source {
    address.parse().unwrap()
}

/// A REGISTER that nobody has seen before.
fn register(phone: &Phone, nth: u32) -> Request {
    let mut request = phone.register(&format!("Contact: <{}>\r\n", phone.contact()));
    (request.cseq, request.branch) = (nth * 2 + 1, format!("z9hG4bK-{nth}-{}", phone.flow.peer));
    request.call_id += &phone.flow.peer.to_string();
    request
}

/// Its credentials, with the right password or a wrong one.
#[derive(Clone, Copy)]
enum Password {
    Right,
    Wrong,
}

fn credentials(
    phone: &Phone,
    request: &Request,
    challenge: &Message,
    password: Password,
) -> String {
    let right = phone.credentials(request, challenge);
    match password {
        Password::Right => right,
        Password::Wrong => right.replace("response=\"", "response=\"f0"),
    }
}

/// Asks for a challenge and answers it; what the server sends then.
fn attempt(office: &mut Office, phone: &Phone, nth: u32, password: Password) -> Vec<Sent> {
    let request = register(phone, nth);
    let asked = office.receive(phone.flow, request.wire());
    let Some(asked) = asked.first() else { return Vec::new() };
    let again = request.again().row(&credentials(phone, &request, &asked.message, password));
    office.receive(phone.flow, again.wire())
}

fn guess(office: &mut Office, phone: &Phone, times: u32) -> Vec<u16> {
    (0..times).map(|nth| status(&attempt(office, phone, nth, Password::Wrong))).collect()
}

fn bans(office: &Office) -> Vec<(Treatment, Offence, u32, Duration)> {
    let ban = |event: &Event| match event {
        Event::Banned(ban) => Some((ban.treatment, ban.offence, ban.count, ban.until - ban.since)),
        _ => None,
    };
    office.events.iter().filter_map(ban).collect()
}

#[test]
fn after_ten_wrong_passwords_a_source_is_not_heard_and_each_time_for_longer() {
    let mut office = Office::default();
    let (guesser, owner) = (at(101, "203.0.113.9", 5060), at(101, "198.51.100.1", 5060));
    assert_eq!(guess(&mut office, &guesser, 12), [[401; 10].as_slice(), &[0, 0]].concat());
    let barred = (Treatment::Barred, Offence::WrongPassword, 10, secs(300));
    assert_eq!(bans(&office), [barred]);
    assert!(office.barred.contains(&source("203.0.113.9")), "the driver is told");
    assert!(attempt(&mut office, &guesser, 20, Password::Right).is_empty());
    assert_eq!(status(&attempt(&mut office, &owner, 0, Password::Right)), 200, "from elsewhere");

    let listed = office.node.bans(None);
    assert_eq!(listed.len(), 1);
    assert_eq!(&*listed[0].sample, "REGISTER from sip:101@example.test, no User-Agent");
    office.wait(secs(301));
    assert!(office.node.bans(None).is_empty() && office.barred.is_empty());
    assert!(office.events.contains(&Event::Unbanned { source: source("203.0.113.9") }));
    assert_eq!(status(&attempt(&mut office, &guesser, 30, Password::Right)), 200);
}

#[test]
fn bans_of_a_repeater_grow_to_a_day_and_quiet_is_rewarded() {
    let mut office = Office::default();
    let guesser = at(999, "203.0.113.9", 5060);
    let mut lasts = Vec::new();
    for _ in 0..6 {
        guess(&mut office, &guesser, 10);
        let ban = office.node.bans(None).pop().unwrap();
        assert_eq!(ban.offence, Offence::UnknownUser);
        lasts.push((ban.until - ban.since).as_secs());
        office.wait(ban.until - office.now);
    }
    assert_eq!(lasts, [300, 1200, 4800, 19_200, 76_800, 86_400]);
    office.wait(secs(86_401));
    guess(&mut office, &guesser, 10);
    assert_eq!(office.node.bans(None).pop().unwrap().until - office.now, secs(300));
}

#[test]
fn to_be_asked_counts_nothing_and_one_wrong_password_a_minute_neither() {
    let mut office = Office::default();
    let phone = at(101, "203.0.113.9", 5060);
    for nth in 0..2_000 {
        let asked = office.receive(phone.flow, register(&phone, nth).wire());
        assert_eq!(status(&asked), 401, "{nth}");
    }
    for nth in 0..100 {
        let answer = attempt(&mut office, &phone, nth, Password::Wrong);
        assert_eq!(status(&answer), 401, "{nth}");
        office.wait(secs(61));
    }
    assert_eq!(bans(&office), []);
}

#[test]
fn a_name_that_does_not_exist_counts_like_one_that_does() {
    let told = |user: u16, agent: &str| {
        let mut office = Office::default();
        let phone = at(user, "203.0.113.9", 5060);
        let mut said = Vec::new();
        for nth in 0..12 {
            let request = register(&phone, nth).row(agent);
            let asked = office.receive(phone.flow, request.wire());
            let Some(asked) = asked.first() else { break };
            let row = credentials(&phone, &request, &asked.message, Password::Wrong);
            let answer = office.receive(phone.flow, request.again().row(&row).wire());
            let text = String::from_utf8(answer[0].message.wire().to_vec()).unwrap();
            said.push(text.replace(&user.to_string(), "USER"));
        }
        said
    };
    let (known, unknown) = (told(101, "X: y"), told(901, "X: y"));
    assert_eq!((known.len(), unknown.len()), (10, 10));
    // All but the tag, which comes from dice and from the name.
    let alike = |text: &String| text.split(";tag=").next().unwrap().to_owned();
    assert_eq!(
        known.iter().map(alike).collect::<Vec<_>>(),
        unknown.iter().map(alike).collect::<Vec<_>>()
    );
    // A tool that says what it is has fewer tries, for any name.
    for user in [101, 901] {
        assert_eq!(told(user, "User-Agent: Friendly-Scanner 1").len(), 2);
    }
}

#[test]
fn nobody_gets_somebody_else_banned_by_writing_its_address() {
    let mut office = Office::default();
    let (attacker, victim) = (at(101, "203.0.113.9", 5060), at(101, "198.51.100.1", 5060));
    for nth in 0..200 {
        let request = register(&attacker, nth);
        let asked = office.receive(attacker.flow, request.wire());
        let row = credentials(&attacker, &request, &asked[0].message, Password::Wrong);
        // The datagram says that it comes from the victim; what is answered the attacker never sees.
        office.receive(victim.flow, request.again().row(&row).wire());
    }
    assert_eq!(bans(&office), []);
    assert_eq!(status(&attempt(&mut office, &victim, 900, Password::Right)), 200);
}

/// Who once had an address keeps what it was asked there. Somebody else has the address now.
#[test]
fn nobody_gets_somebody_else_banned_by_an_old_question() {
    let mut office = Office::default();
    let then = at(101, "198.51.100.1", 5060);
    let request = register(&then, 0);
    let asked = office.receive(then.flow, request.wire());
    let row = credentials(&then, &request, &asked[0].message, Password::Wrong);
    office.wait(secs(301));
    for nth in 1..=20 {
        let guess = register(&at(101, "198.51.100.1", 6000), nth).row(&row);
        office.receive(then.flow, guess.row("User-Agent: sipvicious").wire());
    }
    assert_eq!(bans(&office), []);
    assert_eq!(status(&attempt(&mut office, &then, 900, Password::Right)), 200);
}

#[test]
fn a_nonce_of_ones_own_making_tells_no_password() {
    let mut office = Office::default();
    let mut other = Office::new(Settings { nonce_secret: Some(9), ..settings() });
    let guesser = at(101, "203.0.113.9", 5060);
    let mut answer = |nth: u32, password| {
        let request = register(&guesser, nth);
        // A nonce that looks like ours.
        let asked = other.receive(guesser.flow, request.wire());
        let row = credentials(&guesser, &request, &asked[0].message, password);
        let sent = office.receive(guesser.flow, request.again().row(&row).wire());
        (status(&sent), rows(&sent, Name::WwwAuthenticate)[0].contains("stale=true"))
    };
    assert_eq!(answer(0, Password::Right), (401, true), "after a restart no phone asks its user");
    for nth in 1..=10 {
        assert_eq!(answer(nth, Password::Wrong), (401, false));
    }
    assert_eq!(answer(11, Password::Right), (401, false), "it has tried too often to be told");
    assert_eq!(bans(&office), [], "but it may be somebody who writes that address");
}

#[test]
fn where_somebody_is_registered_guesses_are_slowed_and_its_phones_are_served() {
    let mut office = Office::default();
    let (phone, colleague) = (at(101, "203.0.113.9", 5060), at(102, "203.0.113.9", 5070));
    assert_eq!(status(&attempt(&mut office, &phone, 0, Password::Right)), 200);
    let guesser = at(101, "203.0.113.9", 6000);
    let first = guess(&mut office, &guesser, 10);
    assert_eq!(first, [401; 10]);
    assert_eq!(bans(&office), [(Treatment::Slowed, Offence::WrongPassword, 10, secs(600))]);
    let mut heard = 0;
    for nth in 0..3_000 {
        let answer = attempt(&mut office, &guesser, 100 + nth, Password::Wrong);
        heard += usize::from(!answer.is_empty());
        office.wait(Duration::from_millis(100));
        if nth % 500 == 250 {
            let again = attempt(&mut office, &phone, 1 + nth, Password::Right);
            assert_eq!(status(&again), 200, "the owner, from the same address");
        }
    }
    assert!((20..=30).contains(&heard), "{heard} guesses in five minutes");
    // Nobody else was barred with it: a call from there is asked who it is, as ever.
    let invite = colleague.invite("sip:101@example.test");
    assert_eq!(status(&office.receive(colleague.flow, invite.wire())), 407);
    office.wait(secs(1_300));
    assert!(office.node.bans(None).is_empty());
    assert_eq!(status(&attempt(&mut office, &colleague, 0, Password::Right)), 200);
}

/// Whoever guesses at an address without end keeps no telephone there from coming back.
#[test]
fn where_guesses_are_slowed_a_phone_is_served_from_another_port_and_so_is_a_second_one() {
    for transport in [Transport::Udp, Transport::Tcp] {
        for guessed in [101, 103, 999] {
            let mut office = Office::default();
            let guesser = at(guessed, "203.0.113.9", 6000);
            let phone = |user: u16, port: u16| {
                let mut phone = at(user, "203.0.113.9", port);
                (phone.flow.transport, phone.flow.connection) = (transport, port.into());
                phone.flow.listener = u16::from(transport == Transport::Tcp);
                phone
            };
            assert_eq!(status(&attempt(&mut office, &phone(101, 5060), 0, Password::Right)), 200);
            guess(&mut office, &guesser, 20);
            assert_eq!(bans(&office)[0].0, Treatment::Slowed);
            for nth in 0..600 {
                office.wait(Duration::from_millis(100));
                attempt(&mut office, &guesser, 100 + nth, Password::Wrong);
                let port = 20_000 + u16::try_from(nth).unwrap();
                // It has a new port, a second one of its user is where it was, and one comes that was never here.
                let who = [phone(101, port), phone(101, 5062), phone(102, port + 1_000)];
                if let Some(who) = who.get(nth as usize % 200) {
                    let answer = attempt(&mut office, who, 1_000 + nth, Password::Right);
                    assert_eq!(status(&answer), 200, "{transport:?} {guessed} {nth} {who:?}");
                }
            }
        }
    }
}

/// What is broken on connections is no guess: whoever sends it has nobody wait.
#[test]
fn where_guesses_are_slowed_broken_messages_keep_nobody_waiting() {
    let mut office = Office::default();
    let phone = at(101, "203.0.113.9", 5060);
    assert_eq!(status(&attempt(&mut office, &phone, 0, Password::Right)), 200);
    let mut broken = Phone::tcp(102, 1);
    broken.flow.peer = (phone.flow.peer.ip(), 6000).into();
    for _ in 0..300 {
        office.receive(broken.flow, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    assert_eq!(bans(&office)[0].0, Treatment::Slowed);
    let colleague = at(102, "203.0.113.9", 5070);
    assert_eq!(status(&attempt(&mut office, &colleague, 0, Password::Right)), 200);
}

/// An edge proxy speaks for many: who guesses behind it for one user keeps no other waiting.
#[test]
fn behind_an_address_that_speaks_for_many_each_user_waits_for_itself() {
    let never = vec!["203.0.113.0/24".parse().unwrap()];
    let bans_of = Bans { never, ..Bans::default() };
    let mut office = Office::new(Settings { bans: bans_of, ..settings() });
    let (guessed, other) = (at(101, "203.0.113.9", 5060), at(102, "203.0.113.9", 5060));
    guess(&mut office, &guessed, 50);
    assert_eq!(bans(&office)[0].0, Treatment::Slowed);
    assert_eq!(status(&attempt(&mut office, &guessed, 60, Password::Right)), 0);
    assert_eq!(status(&attempt(&mut office, &other, 0, Password::Right)), 200);
    office.wait(secs(10));
    assert_eq!(status(&attempt(&mut office, &guessed, 61, Password::Right)), 200);
}

/// All of it comes from the one port of the edge proxy: who guesses for a user that is not registered behind it is heard once in ten seconds, whoever is registered
/// beside it; those are served at once, and so is whoever comes anew.
#[test]
fn who_guesses_through_the_one_port_of_an_edge_proxy_is_slowed_for_that_user_alone() {
    let never = vec!["203.0.113.0/24".parse().unwrap()];
    let bans_of = Bans { never, ..Bans::default() };
    let mut office = Office::new(Settings { bans: bans_of, ..settings() });
    let behind = |user: u16| at(user, "203.0.113.9", 5060);
    assert_eq!(status(&attempt(&mut office, &behind(101), 90, Password::Right)), 200);
    guess(&mut office, &behind(102), 10);
    assert_eq!(bans(&office)[0].0, Treatment::Slowed);
    let mut heard = 0;
    for nth in 0..600 {
        office.wait(Duration::from_millis(100));
        heard +=
            usize::from(!attempt(&mut office, &behind(102), 100 + nth, Password::Wrong).is_empty());
        let who = [101, 103, 104].get(nth as usize % 100).copied();
        if let Some(who) = who {
            let answer = attempt(&mut office, &behind(who), 1_000 + nth, Password::Right);
            assert_eq!(status(&answer), 200, "{nth} {who}");
        }
    }
    assert!((5..=7).contains(&heard), "{heard} guesses in a minute");
    // Its own owner comes from elsewhere as ever.
    let elsewhere = at(102, "198.51.100.2", 5060);
    assert_eq!(status(&attempt(&mut office, &elsewhere, 0, Password::Right)), 200);
}

#[test]
fn after_a_restart_it_is_known_who_is_registered() {
    let kept = || Settings { bindings: Bindings::Kept, ..settings() };
    let mut office = Office::new(kept());
    let (phone, guesser) = (at(102, "203.0.113.9", 5060), at(101, "203.0.113.9", 6000));
    attempt(&mut office, &phone, 0, Password::Right);
    let Some((_, Question::Keep(record))) = office.asked.pop() else { panic!("nothing is kept") };
    for (restored, expected) in [(false, Treatment::Barred), (true, Treatment::Slowed)] {
        let mut office = Office::new(kept());
        if restored {
            office.node.restore(office.now, (&record.key, &record.value), 0);
        }
        guess(&mut office, &guesser, 10);
        assert_eq!(office.node.bans(None)[0].treatment, expected, "{restored}");
    }
}

#[test]
fn our_own_networks_and_those_to_whom_routes_lead_are_slowed_at_most() {
    let route = Route::domain("other.test", Some("sip:203.0.113.9:5080"));
    let never = vec!["192.0.2.128/25".parse().unwrap()];
    let bans_of = Bans { never, ..Bans::default() };
    let mut office = Office::new(Settings { routes: vec![route], bans: bans_of, ..settings() });
    for (address, treatment) in [
        ("203.0.113.9", Treatment::Slowed),
        ("192.0.2.130", Treatment::Slowed),
        ("203.0.113.8", Treatment::Barred),
        ("127.0.0.1", Treatment::Barred),
    ] {
        guess(&mut office, &at(101, address, 5060), 10);
        assert_eq!(bans(&office).last().map(|ban| ban.0), Some(treatment), "{address}");
    }
}

#[test]
fn a_thousand_sources_with_one_guess_each_lock_nobody_out_who_is_known() {
    let mut office = Office::default();
    let (home, mobile) = (at(101, "198.51.100.1", 5060), at(101, "198.51.100.2", 5060));
    assert_eq!(status(&attempt(&mut office, &home, 0, Password::Right)), 200);
    let mut heard = 0;
    for nth in 0..1_000_u32 {
        let address = format!("203.0.{}.{}", nth / 250, nth % 250 + 1);
        heard +=
            guess(&mut office, &at(101, &address, 5060), 1).into_iter().filter(|s| *s > 0).count();
        office.wait(Duration::from_millis(20));
    }
    assert!((50..=75).contains(&heard), "{heard} guesses in twenty seconds");
    assert!(office.events.contains(&Event::Besieged { user: "101".into() }));
    assert_eq!(bans(&office), [], "each has guessed once");
    for (nth, port) in [5060, 40_000].into_iter().enumerate() {
        let home = at(101, "198.51.100.1", port);
        // Just now a stranger was heard, or would not have been.
        guess(&mut office, &at(101, "203.0.100.1", port), 1);
        let nth = 10 + u32::try_from(nth).unwrap();
        assert_eq!(status(&attempt(&mut office, &home, nth, Password::Right)), 200, "{port}");
    }
    // Others are not besieged.
    assert_eq!(status(&attempt(&mut office, &at(102, "203.0.9.9", 5060), 0, Password::Right)), 200);
    // From somewhere new it may take a moment.
    office.wait(secs(2));
    assert_eq!(status(&attempt(&mut office, &mobile, 0, Password::Right)), 200);
    office.wait(secs(1_300));
    assert_eq!(guess(&mut office, &at(101, "203.0.77.7", 5060), 3), [401; 3], "it is over");
}

#[test]
fn what_is_no_sip_counts_on_connections_only() {
    let mut office = Office::default();
    for (transport, expected) in [(Transport::Udp, 0), (Transport::Tcp, 1)] {
        let mut phone = Phone::tcp(101, 1);
        phone.flow.transport = transport;
        for _ in 0..150 {
            office.receive(phone.flow, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        }
        assert_eq!(bans(&office).len(), expected);
    }
    assert_eq!(bans(&office)[0].1, Offence::NotSip);
}

#[test]
fn an_operator_bars_and_lifts() {
    let mut office = Office::default();
    let phone = at(101, "2001:db8::7", 5060);
    let (network, mut out) = (source("2001:db8::9"), Vec::new());
    office.node.ban(office.now, network, secs(60), &mut out);
    assert!(attempt(&mut office, &phone, 0, Password::Right).is_empty());
    assert_eq!(office.node.bans(None)[0].offence, Offence::ByHand);
    assert!(office.node.unban(office.now, network, &mut out));
    assert!(!office.node.unban(office.now, network, &mut out));
    assert!(office.node.bans(None).is_empty());
    assert_eq!(status(&attempt(&mut office, &phone, 1, Password::Right)), 200);
}

/// Sources that do a little harm each, more than are remembered.
fn crowd(office: &mut Office) {
    for nth in 0..100_000_u32 {
        let mut phone = Phone::tcp(102, nth + 1);
        phone.flow.peer = (Ipv4Addr::from_bits(0x0a00_0000 + nth), 5060).into();
        office.receive(phone.flow, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    }
}

#[test]
fn nobody_comes_free_because_many_others_do_harm() {
    let mut office = Office::default();
    let (banned, mut out) = (source("203.0.113.9"), Vec::new());
    office.node.ban(office.now, banned, secs(1), &mut out);
    office.take(out);
    crowd(&mut office);
    assert_eq!(office.node.bans(None).len(), 1, "it is listed");
    assert!(office.barred.contains(&banned));
    office.wait(secs(1));
    assert!(office.node.bans(None).is_empty() && office.barred.is_empty());
}

/// All of them that are not listed are heard again.
#[test]
fn of_more_bans_than_are_remembered_the_first_ends_for_the_driver_too() {
    let mut office = Office::default();
    for nth in 0..100_010_u32 {
        let (ip, mut out) = (Ipv4Addr::from_bits(0x0a00_0000 + nth), Vec::new());
        let lasts = secs(60 + u64::from(nth));
        office.node.ban(office.now, IpAddr::from(ip).into(), lasts, &mut out);
        office.take(out);
    }
    office.turn_ends();
    let (mut listed, mut after) = (BTreeSet::new(), None);
    loop {
        let page: Vec<_> = office.node.bans(after).into_iter().map(|ban| ban.source).collect();
        let Some(last) = page.last() else { break };
        after = Some(*last);
        listed.extend(page);
    }
    assert_eq!(listed.len(), 100_000);
    assert!(listed == office.barred, "{} are barred", office.barred.len());
}

#[test]
fn whoever_wants_no_bans_has_none() {
    let bans_of = Bans { failures: 0, ..Bans::default() };
    let mut office = Office::new(Settings { bans: bans_of, ..settings() });
    let statuses = guess(&mut office, &at(101, "203.0.113.9", 5060), 300);
    assert!(statuses.iter().all(|status| *status == 401));
}
