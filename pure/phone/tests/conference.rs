//! Conferences that a phone holds with its calls, in the simulated world, heard (RFC 4579 §5).

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests too: what cannot go on stops here"
)]

mod desk;

use desk::{Desk, phone_of, sounding};
use media::detect;
use offhook_phone::packages::{self, Conference};
use offhook_phone::{Account, Call, Entry, PhoneEvent, Referrals, Unable};
use sim::{HostId, Realm, Weather};

/// Alice, who holds the conference; the others, each with a call of hers; and what each says.
struct Table {
    desk: Desk,
    /// Who, Alice's call with them, their call with Alice, their tone.
    guests: Vec<(HostId, Call, Call, f64)>,
}

/// All do what they are asked to.
fn follow(account: Account) -> Account {
    account.referrals(Referrals::Follow)
}

const ALICE: f64 = 440.0;
const GUESTS: [(&str, &str, f64); 3] =
    [("bob", "192.0.2.2", 660.0), ("carol", "192.0.2.3", 880.0), ("dave", "192.0.2.4", 1100.0)];

impl Table {
    /// Alice talks to so many at once, each alone.
    fn with(count: usize) -> Self {
        let mut desk = Desk::with(Weather::FAIR, follow);
        let mut guests = Vec::new();
        for (n, (name, ip, hz)) in GUESTS.into_iter().take(count).enumerate() {
            let home = [(Realm::INTERNET, ip.parse().unwrap())];
            let who = match name {
                "bob" => desk.bob,
                _ => desk.world.add(name, phone_of(name, ip, 3 + n as u128, follow), &home),
            };
            let target = format!("sip:{name}@{ip}");
            let alice = desk.alice;
            let call = |phone: &mut offhook_phone::Phone, now, out: &mut Vec<_>| {
                phone.call(now, &target, sounding(ALICE), out)
            };
            let ours = desk.command(alice, call).unwrap();
            desk.run(1.0);
            let theirs = desk.incoming(who);
            desk.command(who, |phone, now, out| phone.answer(now, theirs, sounding(hz), out))
                .unwrap();
            desk.run(1.0);
            guests.push((who, ours, theirs, hz));
        }
        Self { desk, guests }
    }

    fn join(&mut self) -> Vec<Call> {
        let calls: Vec<_> = self.guests.iter().map(|(_, ours, ..)| *ours).collect();
        let (alice, all) = (self.desk.alice, calls.clone());
        self.desk.command(alice, move |phone, now, out| phone.join(now, &all, out)).unwrap();
        self.desk.run(2.0);
        calls
    }

    /// Which tones somebody hears in two seconds, among all there are.
    fn hears(&mut self, who: HostId, call: Call) -> Vec<f64> {
        self.desk.heard(who, call);
        self.desk.run(2.0);
        let heard = self.desk.heard(who, call);
        let tones = [ALICE].into_iter().chain(GUESTS.map(|(.., hz)| hz));
        tones.filter(|hz| detect::level_of(&heard, *hz) > -20.0).collect()
    }

    /// The last that Alice was told of who takes part.
    fn told(&self) -> Option<Vec<Call>> {
        let events = self.desk.events(self.desk.alice);
        events.into_iter().rev().find_map(|event| match event {
            PhoneEvent::Conference { members } => Some(members.to_vec()),
            _ => None,
        })
    }
}

#[test]
fn each_hears_all_others_and_nobody_itself() {
    let mut table = Table::with(3);
    let calls = table.join();
    assert_eq!(table.told(), Some(calls.clone()));
    for (who, _, theirs, own) in table.guests.clone() {
        let others = [ALICE, 660.0, 880.0, 1100.0].into_iter().filter(|hz| *hz != own);
        assert_eq!(table.hears(who, theirs), others.collect::<Vec<_>>());
    }
    let alice = table.desk.alice;
    assert_eq!(
        table.hears(alice, calls[0]),
        [660.0, 880.0, 1100.0],
        "the owner, by the first call"
    );
    assert_eq!(table.hears(alice, calls[1]), [], "the ear of another rests");
    assert_eq!(table.desk.world.spins(), 0);
}

#[test]
fn who_leaves_leaves_the_rest_and_the_last_two_are_no_conference() {
    let mut table = Table::with(3);
    let calls = table.join();
    let [bob, carol, dave] = [0, 1, 2].map(|n| table.guests[n]);
    // The first leaves, by whose mouth and ear the owner has talked.
    table.desk.command(bob.0, |phone, now, out| phone.hang_up(now, bob.2, out)).unwrap();
    table.desk.run(1.0);
    assert_eq!(table.told(), Some(calls[1..].to_vec()));
    assert_eq!(table.hears(carol.0, carol.2), [ALICE, 1100.0]);
    let alice = table.desk.alice;
    assert_eq!(table.hears(alice, calls[1]), [880.0, 1100.0]);
    assert!(!table.desk.heard(alice, calls[0]).is_empty(), "what was heard before is given back");
    table.desk.command(alice, |phone, now, out| phone.hang_up(now, calls[1], out)).unwrap();
    table.desk.run(1.0);
    assert_eq!(table.told(), Some(vec![]));
    assert_eq!(table.hears(dave.0, dave.2), [ALICE]);
    assert_eq!(table.hears(alice, calls[2]), [1100.0], "its own ear hears again");
    table.desk.command(alice, |phone, now, out| phone.hang_up(now, calls[2], out)).unwrap();
    table.desk.run(60.0);
    assert!(table.desk.world.host(alice).unwrap().machine().unwrap().is_quiet());
}

#[test]
fn who_is_on_hold_is_taken_back_to_join_and_hears_nothing_when_held_again() {
    let mut table = Table::with(2);
    let alice = table.desk.alice;
    let [bob, carol] = [0, 1].map(|n| table.guests[n]);
    table.desk.command(alice, |phone, now, out| phone.hold(now, bob.1, out)).unwrap();
    table.desk.run(1.0);
    table.join();
    assert_eq!(table.hears(bob.0, bob.2), [ALICE, 880.0]);
    table.desk.command(alice, |phone, now, out| phone.hold(now, bob.1, out)).unwrap();
    table.desk.run(1.0);
    assert_eq!(table.hears(bob.0, bob.2), []);
    assert_eq!(table.hears(carol.0, carol.2), [ALICE]);
    // Whoever puts the conference on hold is not heard either.
    table.desk.command(alice, |phone, now, out| phone.resume(now, bob.1, out)).unwrap();
    table.desk.command(carol.0, |phone, now, out| phone.hold(now, carol.2, out)).unwrap();
    table.desk.run(1.0);
    assert_eq!(table.hears(bob.0, bob.2), [ALICE]);
}

#[test]
fn a_call_is_taken_out_and_put_in_again() {
    let mut table = Table::with(3);
    let calls = table.join();
    let alice = table.desk.alice;
    table.desk.command(alice, |phone, now, out| phone.split(now, calls[2], out)).unwrap();
    table.desk.run(1.0);
    let dave = table.guests[2];
    assert_eq!(table.hears(dave.0, dave.2), [ALICE]);
    assert_eq!(table.hears(alice, calls[0]), [660.0, 880.0]);
    // To talk with the conference again is to put him on hold, and nobody else.
    table.desk.command(alice, |phone, now, out| phone.talk_in(now, calls[1], out)).unwrap();
    table.desk.run(1.0);
    assert_eq!(table.hears(alice, calls[0]), [660.0, 880.0]);
    table.join();
    assert_eq!(table.hears(dave.0, dave.2), [ALICE, 660.0, 880.0]);
}

#[test]
fn one_is_no_conference_and_what_does_not_stand_takes_no_part() {
    let mut table = Table::with(2);
    let alice = table.desk.alice;
    let calls = [table.guests[0].1, table.guests[1].1];
    let join = |table: &mut Table, calls: Vec<Call>| {
        table.desk.command(alice, move |phone, now, out| phone.join(now, &calls, out))
    };
    assert_eq!(join(&mut table, vec![calls[0]]), Err(Unable::NotSoMany));
    assert_eq!(join(&mut table, vec![calls[0], calls[0]]), Err(Unable::NotSoMany));
    assert_eq!(join(&mut table, vec![calls[0], Call(77)]), Err(Unable::NoSuchCall));
    let third = table.desk.command(alice, |phone, now, out| {
        phone.call(now, "sip:nobody@192.0.2.99", sounding(ALICE), out)
    });
    let third = third.unwrap();
    assert_eq!(join(&mut table, vec![calls[0], third]), Err(Unable::NotNow("stands")));
    let split = table.desk.command(alice, |phone, now, out| phone.split(now, calls[0], out));
    assert_eq!(split, Err(Unable::NotNow("takes part in the conference")));
    assert_eq!(table.told(), None);
}

/// What somebody was told of the conference that it takes part in: the members of the last document, without their scheme and host.
fn roster(desk: &Desk, who: HostId, focus: &str) -> Option<Vec<String>> {
    let events = desk.events(who);
    let last = events.into_iter().rev().find_map(|event| match event {
        PhoneEvent::Watched { kind, body, .. } if !body.is_empty() => Some((kind, body)),
        _ => None,
    });
    let (kind, body) = last?;
    assert_eq!(&*kind, "application/conference-info+xml");
    let conference = Conference::read(&body).unwrap();
    assert!(conference.is_whole && conference.entity.contains(focus));
    let name = |member: &packages::Member| {
        let user = member.entity.trim_start_matches("sip:").split('@').next().unwrap();
        format!("{user} {}", member.phones.join(","))
    };
    Some(conference.members.iter().map(name).collect())
}

#[test]
fn members_see_the_focus_and_watch_who_is_there() {
    let mut table = Table::with(3);
    let calls = table.join();
    let [bob, carol, _] = [0, 1, 2].map(|n| table.guests[n]);
    let focus = |desk: &Desk, who| {
        desk.events(who).into_iter().find_map(|event| match event {
            PhoneEvent::Focus { call, conference } => Some((call, conference.unwrap())),
            _ => None,
        })
    };
    assert_eq!(focus(&table.desk, bob.0), Some((bob.2, "sip:alice@192.0.2.1:5060".into())));
    let all = ["alice", "bob", "carol", "dave"].map(|who| format!("{who} connected"));
    assert_eq!(roster(&table.desk, bob.0, "alice"), Some(all.to_vec()));
    // What changes is told: a hold, and that somebody leaves.
    table.desk.command(carol.0, |phone, now, out| phone.hold(now, carol.2, out)).unwrap();
    table.desk.run(3.0);
    assert_eq!(roster(&table.desk, bob.0, "alice").unwrap()[2], "carol on-hold");
    table.desk.command(carol.0, |phone, now, out| phone.hang_up(now, carol.2, out)).unwrap();
    table.desk.run(3.0);
    let rest = ["alice", "bob", "dave"].map(|who| format!("{who} connected"));
    assert_eq!(roster(&table.desk, bob.0, "alice"), Some(rest.to_vec()));
    // With the conference ends what is told of it, and nobody asks again.
    let alice = table.desk.alice;
    table.desk.command(alice, |phone, now, out| phone.split(now, calls[2], out)).unwrap();
    table.desk.run(5.0);
    let last = table.desk.events(bob.0).into_iter().rev().find_map(|event| match event {
        PhoneEvent::Focus { conference, .. } => Some(conference),
        _ => None,
    });
    assert_eq!(last, Some(None), "it is told that Alice is no focus any more");
    table.desk.command(alice, |phone, now, out| phone.hang_up(now, calls[0], out)).unwrap();
    table.desk.command(alice, |phone, now, out| phone.hang_up(now, calls[2], out)).unwrap();
    table.desk.run(120.0);
    for who in [alice, bob.0, carol.0] {
        assert!(table.desk.world.host(who).unwrap().machine().unwrap().is_quiet());
    }
}

#[test]
fn the_focus_calls_whom_a_member_asks_for() {
    let mut table = Table::with(2);
    table.join();
    let home = [(Realm::INTERNET, "192.0.2.4".parse().unwrap())];
    let dave = table.desk.world.add("dave", phone_of("dave", "192.0.2.4", 9, follow), &home);
    let [bob, carol] = [0, 1].map(|n| table.guests[n]);
    let ask = |phone: &mut offhook_phone::Phone, now, out: &mut Vec<_>| {
        phone.invite(now, bob.2, "sip:dave@192.0.2.4", out)
    };
    table.desk.command(bob.0, ask).unwrap();
    table.desk.run(2.0);
    let call = table.desk.incoming(dave);
    table
        .desk
        .command(dave, |phone, now, out| phone.answer(now, call, sounding(1100.0), out))
        .unwrap();
    table.desk.run(3.0);
    let told = table.desk.events(bob.0).into_iter().filter_map(|event| match event {
        PhoneEvent::Transfer { status, .. } => Some(status),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), [100, 200]);
    assert_eq!(table.hears(dave, call), [ALICE, 660.0, 880.0]);
    assert_eq!(table.hears(bob.0, bob.2), [ALICE, 880.0, 1100.0], "Bob's own call stays");
    assert_eq!(roster(&table.desk, carol.0, "alice").unwrap().len(), 4);
    // Whoever is alone with somebody is no focus.
    let ask = table
        .desk
        .command(dave, |phone, now, out| phone.add(now, Call(77), "x", sounding(1.0), out));
    assert_eq!(ask, Err(Unable::NoSuchCall));
}

#[test]
fn somebody_is_called_into_a_call_and_it_is_a_conference() {
    let mut table = Table::with(1);
    let bob = table.guests[0];
    let home = [(Realm::INTERNET, "192.0.2.4".parse().unwrap())];
    let dave = table.desk.world.add("dave", phone_of("dave", "192.0.2.4", 9, follow), &home);
    let alice = table.desk.alice;
    let add = |phone: &mut offhook_phone::Phone, now, out: &mut Vec<_>| {
        phone.add(now, bob.1, "sip:dave@192.0.2.4", sounding(1.0), out)
    };
    let new = table.desk.command(alice, add).unwrap();
    table.desk.run(2.0);
    assert_eq!(table.hears(bob.0, bob.2), [ALICE], "until he picks up, nothing changes");
    let call = table.desk.incoming(dave);
    table
        .desk
        .command(dave, |phone, now, out| phone.answer(now, call, sounding(1100.0), out))
        .unwrap();
    table.desk.run(2.0);
    assert_eq!(table.told(), Some(vec![bob.1, new]));
    assert_eq!(table.hears(bob.0, bob.2), [ALICE, 1100.0]);
    assert_eq!(roster(&table.desk, dave, "alice").unwrap().len(), 3);
}

/// Bob's calls as Carol sees them, who is shown them.
fn seen(desk: &Desk, who: HostId) -> Option<packages::Talk> {
    let events = desk.events(who);
    let last = events.into_iter().rev().find_map(|event| match event {
        PhoneEvent::Watched { kind, body, .. } if &*kind == "application/dialog-info+xml" => {
            Some(packages::Dialogs::read(&body).unwrap())
        }
        _ => None,
    });
    last?.talks.into_iter().next()
}

/// Bob shows his calls to Carol, who watches them; he calls Alice, or she him.
fn watched() -> (Desk, HostId) {
    let shows = |account: Account| account.shows_calls(&["sip:carol@192.0.2.3"]);
    let mut desk = Desk::with(Weather::FAIR, shows);
    let home = [(Realm::INTERNET, "192.0.2.3".parse().unwrap())];
    let carol = desk.world.add("carol", phone_of("carol", "192.0.2.3", 3, follow), &home);
    let watch = |phone: &mut offhook_phone::Phone, now, out: &mut Vec<_>| {
        phone.watch(now, "sip:bob@192.0.2.2", packages::Package::Dialogs, out)
    };
    desk.command(carol, watch).unwrap();
    desk.run(1.0);
    (desk, carol)
}

#[test]
fn a_third_comes_in_by_join_where_it_may() {
    let (desk, carol) = watched();
    let (mut desk, ours, _) = desk.talk();
    desk.run(2.0);
    let talk = seen(&desk, carol).unwrap();
    assert_eq!((talk.state, talk.is_outgoing), (packages::TalkState::Confirmed, false));
    assert_eq!(talk.remote.as_deref(), Some("sip:alice@192.0.2.1"));
    let named = talk.there().unwrap();
    let enter = move |phone: &mut offhook_phone::Phone, now, out: &mut Vec<_>| {
        phone.enter(now, "sip:bob@192.0.2.2", (&named, Entry::Join), sounding(880.0), out)
    };
    // Dave was told the names by somebody, and is refused.
    let home = [(Realm::INTERNET, "192.0.2.4".parse().unwrap())];
    let dave = desk.world.add("dave", phone_of("dave", "192.0.2.4", 4, follow), &home);
    desk.command(dave, enter.clone()).unwrap();
    desk.run(1.0);
    let refused = |event: &PhoneEvent| matches!(event, PhoneEvent::Ended { status: 403, .. });
    assert!(desk.events(dave).iter().any(refused));
    let call = desk.command(carol, enter).unwrap();
    desk.run(3.0);
    let mut table = Table { desk, guests: Vec::new() };
    assert_eq!(table.hears(carol, call), [ALICE, 660.0]);
    let alice = table.desk.alice;
    assert_eq!(table.hears(alice, ours), [660.0, 880.0]);
    assert_eq!(roster(&table.desk, alice, "bob").unwrap().len(), 3);
}

#[test]
fn a_call_that_rings_elsewhere_is_picked_up_here() {
    let (mut desk, carol) = watched();
    let alice = desk.alice;
    let ours = desk
        .command(alice, |phone, now, out| {
            phone.call(now, "sip:bob@192.0.2.2", sounding(ALICE), out)
        })
        .unwrap();
    desk.run(1.0);
    let theirs = desk.incoming(desk.bob);
    let bob = desk.bob;
    desk.command(bob, |phone, now, out| phone.ring(now, theirs, out)).unwrap();
    desk.run(2.0);
    let talk = seen(&desk, carol).unwrap();
    assert_eq!(talk.state, packages::TalkState::Early);
    let (named, caller) = (talk.beyond().unwrap(), talk.remote.unwrap());
    let enter = move |phone: &mut offhook_phone::Phone, now, out: &mut Vec<_>| {
        phone.enter(now, &caller, (&named, Entry::PickUp), sounding(880.0), out)
    };
    let call = desk.command(carol, enter).unwrap();
    desk.run(3.0);
    let goes_on = desk.events(alice).into_iter().find_map(|event| match event {
        PhoneEvent::GoesOn { call, new } if call == ours => Some(new),
        _ => None,
    });
    let new = goes_on.expect("Alice's call goes on with Carol");
    let mut table = Table { desk, guests: Vec::new() };
    assert_eq!(table.hears(carol, call), [ALICE]);
    assert_eq!(table.hears(alice, new), [880.0]);
    let cancelled =
        |event: &PhoneEvent| matches!(event, PhoneEvent::Ended { call, .. } if *call == theirs);
    assert!(table.desk.events(bob).iter().any(cancelled), "and rings at Bob's no more");
}

/// A conference is told to its members, calls to those whom they are shown to, and nothing to strangers.
#[test]
fn strangers_watch_nothing() {
    let mut table = Table::with(2);
    let home = [(Realm::INTERNET, "192.0.2.4".parse().unwrap())];
    let dave = table.desk.world.add("dave", phone_of("dave", "192.0.2.4", 9, follow), &home);
    let refused = |desk: &mut Desk, package| {
        let watch = desk
            .command(dave, |phone, now, out| phone.watch(now, "sip:alice@192.0.2.1", package, out));
        desk.run(2.0);
        desk.events(dave).into_iter().find_map(|event| match event {
            PhoneEvent::NotWatched { watch: which, status, .. } if Ok(which) == watch => {
                Some(status)
            }
            _ => None,
        })
    };
    let (conference, dialogs) = (packages::Package::Conference, packages::Package::Dialogs);
    assert_eq!(refused(&mut table.desk, conference), Some(404), "there is none");
    table.join();
    assert_eq!(refused(&mut table.desk, conference), Some(403));
    assert_eq!(refused(&mut table.desk, dialogs), Some(403));
    assert_eq!(refused(&mut table.desk, packages::Package::Presence), Some(489));
}

/// Whoever was let out of a conference hears no more of who is there, whatever they have asked for while they were in it.
#[test]
fn who_is_out_watches_no_more() {
    let mut table = Table::with(3);
    let calls = table.join();
    let [dave, alice] = [table.guests[2].0, table.desk.alice];
    let watch = table.desk.command(dave, |phone, now, out| {
        phone.watch(now, "sip:alice@192.0.2.1", packages::Package::Conference, out)
    });
    table.desk.run(2.0);
    let ended = |desk: &Desk| {
        desk.events(dave).into_iter().find_map(|event| match event {
            PhoneEvent::NotWatched { watch: which, status, again, .. } if Ok(which) == watch => {
                Some((status, again))
            }
            _ => None,
        })
    };
    assert_eq!(ended(&table.desk), None);
    table.desk.command(alice, |phone, now, out| phone.split(now, calls[2], out)).unwrap();
    table.desk.run(2.0);
    assert_eq!(ended(&table.desk), Some((403, false)));
}
