//! Bans that are written down: the next life of a server knows them, and the other nodes of a cluster do, each with its reason and its end.

use std::sync::Arc;
use std::time::Duration;

use offhook_tests::office::{self, Office, Phone, status};
use protocol::bans::{Offence, Source, Treatment};
use protocol::doors::Event;
use protocol::{Answer, Input, Output, Question, Record};
use server::settings::{Bindings, Settings};

const HOUR: Duration = Duration::from_secs(3600);

fn kept() -> Settings {
    Settings { bindings: Bindings::Kept, ..office::trusting() }
}

fn source(phone: &Phone) -> Source {
    phone.flow.peer.ip().into()
}

/// What is written down of what an operator does.
fn written(office: &mut Office, deed: impl FnOnce(&mut Office, &mut Vec<Output>)) -> Record {
    let mut out = Vec::new();
    deed(office, &mut out);
    let record = out.into_iter().find_map(|output| match output {
        Output::Ask(_, Question::Keep(record)) => Some(Arc::unwrap_or_clone(record)),
        _ => None,
    });
    record.expect("something is written down")
}

fn bans(office: &mut Office, phone: &Phone) -> Record {
    written(office, |office, out| office.node.ban(office.now, source(phone), HOUR, out))
}

fn lifts(office: &mut Office, phone: &Phone) -> Record {
    office.now.0 += 1;
    written(office, |office, out| assert!(office.node.unban(office.now, source(phone), out)))
}

fn is_heard(office: &mut Office, phone: &Phone) -> bool {
    office.now.0 += 1_000;
    let request = phone.request("OPTIONS", "sip:example.test");
    !office.receive(phone.flow, request.call(&office.now.0.to_string()).wire()).is_empty()
}

/// It is told what is on the board: all that is told there has an hour left. What it writes there itself.
fn heeds(office: &mut Office, octets: &[u8]) -> Option<Record> {
    heeds_until(office, octets, HOUR)
}

/// The same, of which so much is left.
fn heeds_until(office: &mut Office, octets: &[u8], left: Duration) -> Option<Record> {
    let (mut out, mut written) = (Vec::new(), None);
    office.node.heed(office.now, (octets, left), &mut out);
    for output in out {
        match output {
            Output::Report(event) => office.events.push(event),
            Output::Bar(source, _) => drop(office.barred.insert(source)),
            Output::Unbar(source) => drop(office.barred.remove(&source)),
            Output::Ask(_, Question::Keep(record)) => written = Some(Arc::unwrap_or_clone(record)),
            other => panic!("{other:?}"),
        }
    }
    written
}

#[test]
fn a_ban_outlives_a_restart_and_ends_when_it_was_to_end() {
    let (mut office, stranger) = (Office::new(kept()), Phone::udp(150));
    let Record { key, value, until } = bans(&mut office, &stranger);
    assert_eq!(until, office.now + HOUR);
    let mut next = Office::new(kept());
    next.now = office.now + Duration::from_secs(60);
    next.node.restore(next.now, (&key, &value), 0);
    assert!(!is_heard(&mut next, &stranger));
    next.wait(Duration::from_millis(1));
    assert!(next.barred.contains(&source(&stranger)), "the driver is told");
    let listed = next.node.bans(None);
    let [ban] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!((ban.offence, ban.treatment), (Offence::ByHand, Treatment::Barred));
    assert_eq!(ban.until, until);
    next.wait(HOUR);
    assert!(is_heard(&mut next, &stranger) && next.barred.is_empty());
    // One that is over by then is not taken up.
    let mut late = Office::new(kept());
    late.now = until;
    late.node.restore(late.now, (&key, &value), 0);
    assert!(is_heard(&mut late, &stranger) && late.node.bans(None).is_empty());
    // What was lifted is taken from the disk.
    assert!(lifts(&mut office, &stranger).value.is_empty());
}

#[test]
fn a_ban_of_one_node_holds_at_the_other_until_it_is_lifted() {
    let (mut here, mut there) = (Office::new(office::node(0, 1)), Office::new(office::node(1, 1)));
    let stranger = Phone::udp(150);
    let record = bans(&mut here, &stranger);
    heeds(&mut there, &record.value);
    assert!(!is_heard(&mut there, &stranger));
    assert_eq!(there.node.bans(None), here.node.bans(None));
    assert!(there.barred.contains(&source(&stranger)));
    // Heard twice, it is said once.
    heeds(&mut there, &record.value);
    let said = |event: &&Event| matches!(event, Event::Banned(_));
    assert_eq!(there.events.iter().filter(said).count(), 1);
    let lifted = lifts(&mut here, &stranger);
    heeds(&mut there, &lifted.value);
    assert!(is_heard(&mut there, &stranger) && there.barred.is_empty());
    // What was lifted before does not lift what comes after.
    here.now.0 += 1;
    let again = bans(&mut here, &stranger);
    heeds(&mut there, &again.value);
    heeds(&mut there, &lifted.value);
    assert!(!is_heard(&mut there, &stranger));
}

/// The clock of the node that bans is a year ahead: elsewhere its ban lasts an hour all the same, and any node can lift it.
#[test]
fn a_ban_lasts_as_long_as_it_was_given_for_whatever_the_time_is_elsewhere() {
    let (mut here, stranger) = (Office::new(office::node(0, 1)), Phone::udp(150));
    here.now = here.now + 365 * 24 * HOUR;
    let record = bans(&mut here, &stranger);
    let there = || {
        let mut there = Office::new(office::node(1, 1));
        heeds(&mut there, &record.value);
        assert!(!is_heard(&mut there, &stranger));
        there
    };
    let mut waits = there();
    waits.wait(HOUR);
    assert!(is_heard(&mut waits, &stranger) && waits.barred.is_empty());
    let (mut hears, mut lifting) = (there(), there());
    heeds(&mut hears, &lifts(&mut lifting, &stranger).value);
    assert!(is_heard(&mut hears, &stranger));
}

/// Of three nodes one has a clock that is half an hour ahead, and one a minute. A ban is lifted everywhere by whichever node, and what was lifted does not lift
/// what comes after, however often that is heard.
#[test]
fn the_last_word_counts_whatever_the_clocks_of_the_nodes_say() {
    for [first, second, third] in [[0, 1, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut nodes = [0, 1, 2].map(|number| Office::new(office::node(number, 1)));
        nodes[1].now = nodes[1].now + HOUR / 2;
        nodes[2].now = nodes[2].now + Duration::from_secs(60);
        let (stranger, mut all_lifted) = (Phone::udp(150), Vec::<Box<[u8]>>::new());
        for [banning, lifting] in [[first, second], [third, first], [second, third]] {
            let banned = bans(&mut nodes[banning], &stranger).value;
            for node in &mut nodes {
                heeds(node, &banned);
                all_lifted.iter().for_each(|lifted| drop(heeds(node, lifted)));
                assert!(!is_heard(node, &stranger), "{banning} has banned it");
            }
            all_lifted.push(lifts(&mut nodes[lifting], &stranger).value);
            for node in &mut nodes {
                all_lifted.iter().for_each(|lifted| drop(heeds(node, lifted)));
                assert!(is_heard(node, &stranger), "{lifting} has lifted it");
            }
        }
    }
}

/// The clock of the node that hears of it is five hours ahead, or half a day behind: there it lasts as long as the store says that it still does.
#[test]
fn a_ban_holds_where_the_clock_is_ahead_by_more_than_it_lasts() {
    let (mut here, stranger) = (Office::new(office::node(0, 1)), Phone::udp(150));
    here.now = here.now + 24 * HOUR;
    let record = bans(&mut here, &stranger);
    let half = HOUR / 2;
    for hours in [29, 25, 24, 12] {
        let mut there = Office::new(office::node(1, 1));
        there.now = there.now + hours * HOUR;
        heeds_until(&mut there, &record.value, half);
        assert!(!is_heard(&mut there, &stranger), "{hours}");
        there.wait(half - Duration::from_secs(1));
        assert!(!is_heard(&mut there, &stranger) && !there.barred.is_empty(), "{hours}");
        there.wait(Duration::from_secs(1));
        assert!(is_heard(&mut there, &stranger) && there.barred.is_empty(), "{hours}");
    }
}

/// A replica that takes over may not have heard that a ban was lifted. Whoever knows that is not moved, and tells the store again.
#[test]
fn a_ban_that_was_lifted_does_not_come_back_when_the_store_tells_of_it_again() {
    let mut nodes = [0, 1, 2].map(|number| Office::new(office::node(number, 1)));
    let stranger = Phone::udp(150);
    let banned = bans(&mut nodes[0], &stranger);
    heeds(&mut nodes[1], &banned.value);
    let lifted = lifts(&mut nodes[1], &stranger);
    assert!(lifted.until >= banned.until, "it is told as long as somebody may tell of the ban");
    // The third has never heard of the ban.
    for node in [0, 2] {
        let left = lifted.until - nodes[node].now;
        heeds_until(&mut nodes[node], &lifted.value, left);
    }
    for minutes in [0, 20, 38] {
        for node in &mut nodes {
            node.wait(Duration::from_secs(60 * minutes));
            let left = banned.until - node.now;
            let again = heeds_until(node, &banned.value, left).expect("it is told again");
            assert!(is_heard(node, &stranger), "{minutes}");
            assert_eq!((again.key, again.value), (lifted.key.clone(), lifted.value.clone()));
            assert!(again.until >= node.now + left);
        }
    }
    // A new one is a new word.
    let next = bans(&mut nodes[2], &stranger);
    heeds(&mut nodes[0], &next.value);
    assert!(!is_heard(&mut nodes[0], &stranger));
    // And when the store has forgotten that one it is told again, as long as it holds.
    let mut out = Vec::new();
    nodes[0].node.miss(nodes[0].now, &next.value, &mut out);
    let [Output::Ask(_, Question::Keep(record))] = &out[..] else { panic!("{out:?}") };
    assert_eq!((&record.key, &record.value), (&next.key, &next.value));
    nodes[0].node.miss(nodes[0].now, &banned.value, &mut out);
    nodes[0].wait(HOUR);
    nodes[0].node.miss(nodes[0].now, &next.value, &mut out);
    assert_eq!(out.len(), 1, "nothing is told of what is over");
}

/// Somebody who can write to the store, and does not know the secret, puts back what a node had written days ago.
#[test]
fn a_ban_that_has_ended_days_ago_bars_nobody() {
    let stranger = Phone::udp(150);
    let record = bans(&mut Office::new(office::node(0, 1)), &stranger);
    let mut there = Office::new(office::node(1, 1));
    there.now = there.now + 26 * HOUR;
    heeds(&mut there, &record.value);
    assert!(is_heard(&mut there, &stranger));
    assert!(matches!(there.events[..], [Event::Tampered { .. }]));
}

/// A ban that has ended by itself is put back: who knew it is not moved.
#[test]
fn a_ban_that_is_over_does_not_begin_again() {
    let (mut office, stranger) = (Office::new(office::node(0, 1)), Phone::udp(150));
    let record = bans(&mut office, &stranger);
    office.wait(HOUR);
    assert!(is_heard(&mut office, &stranger));
    heeds(&mut office, &record.value);
    assert!(is_heard(&mut office, &stranger));
}

#[test]
fn who_is_registered_at_a_node_is_not_barred_there_by_another() {
    let (mut here, mut there) = (Office::new(office::node(0, 1)), Office::new(office::node(1, 1)));
    let phone = Phone::udp(101);
    let request = phone.register(&format!("Contact: <{}>\r\n", phone.contact()));
    there.receive(phone.flow, request.wire());
    let (ticket, _) = there.asked.pop().unwrap();
    assert_eq!(status(&there.tell(Input::Answered(ticket, Answer::Kept))), 200);
    heeds(&mut there, &bans(&mut here, &phone).value);
    assert!(is_heard(&mut there, &phone));
}

#[test]
fn a_ban_that_no_node_has_written_bans_nobody() {
    let stranger = Phone::udp(150);
    let value = bans(&mut Office::new(office::node(0, 1)), &stranger).value;
    let strange = Settings { secret: 8, ..office::node(0, 1) };
    let other = bans(&mut Office::new(strange), &stranger).value;
    let mut changed = value.clone();
    changed[5] ^= 1;
    for forged in [&other[..], &changed, &value[..value.len() - 1], b""] {
        let mut office = Office::new(office::node(1, 1));
        heeds(&mut office, forged);
        assert!(is_heard(&mut office, &stranger));
        assert!(matches!(office.events[..], [Event::Tampered { .. }]));
    }
}
