//! Conferences that a phone holds with its calls, in the simulated world, heard (RFC 4579 §5).

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests too: what cannot go on stops here"
)]

mod desk;

use desk::{Desk, phone_of, sounding};
use media::detect;
use offhook_phone::{Account, Call, PhoneEvent, Unable};
use sim::{HostId, Realm, Weather};

/// Alice, who holds the conference; the others, each with a call of hers; and what each says.
struct Table {
    desk: Desk,
    /// Who, Alice's call with them, their call with Alice, their tone.
    guests: Vec<(HostId, Call, Call, f64)>,
}

const ALICE: f64 = 440.0;
const GUESTS: [(&str, &str, f64); 3] =
    [("bob", "192.0.2.2", 660.0), ("carol", "192.0.2.3", 880.0), ("dave", "192.0.2.4", 1100.0)];

impl Table {
    /// Alice talks to so many at once, each alone.
    fn with(count: usize) -> Self {
        let change = |account: Account| account;
        let mut desk = Desk::with(Weather::FAIR, change);
        let mut guests = Vec::new();
        for (n, (name, ip, hz)) in GUESTS.into_iter().take(count).enumerate() {
            let home = [(Realm::INTERNET, ip.parse().unwrap())];
            let who = match name {
                "bob" => desk.bob,
                _ => desk.world.add(name, phone_of(name, ip, 3 + n as u128, change), &home),
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
