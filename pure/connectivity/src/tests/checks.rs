//! What goes over the wire while two look for a way (RFC 8445): how a check is written, who decides, how fast it goes, and what keeps the way open.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use machine::Time;
use stun::{Draft, Message, attributes, kinds};

use super::world::{ALICE, BOB, SERVER, World, at, stun, turn};
use crate::{Came, Role, Search, Servers};

const PRIORITY: u16 = 0x0024;
const USE_CANDIDATE: u16 = 0x0025;
const CONTROLLED: u16 = 0x8029;
const CONTROLLING: u16 = 0x802A;

/// Two who see each other, and have found each other.
fn found() -> World {
    let mut world = World::new(ALICE, [&Servers::default(), &Servers::default()]);
    world.meet();
    world.live(2000);
    assert_eq!(world.ends(), [Some(BOB.into()), Some(ALICE.into())]);
    world
}

/// What of this kind went from there: when, where to, and what.
fn went(world: &World, from: &str, kind: u16) -> Vec<(Time, SocketAddr, Vec<u8>)> {
    let is = |octets: &[u8]| Message::read(octets).is_some_and(|message| message.kind == kind);
    let all = world.log.iter().filter(|(_, (by, _, octets))| *by == at(from) && is(octets));
    all.map(|(time, (_, to, octets))| (*time, *to, octets.clone())).collect()
}

/// True when the last attribute is a FINGERPRINT.
fn has_fingerprint(octets: &[u8]) -> bool {
    octets.len() >= 28 && octets[octets.len() - 8..].starts_with(&[0x80, 0x28, 0, 4])
}

/// "A connectivity-check Binding request MUST utilize the STUN short-term credential mechanism", with FINGERPRINT; "The PRIORITY attribute MUST be
/// included … with the candidate type preference of peer-reflexive candidates"; the controlling side says so in each, with one number, and the other
/// that it is controlled, and never USE-CANDIDATE. "the short-term credential mechanism MUST be used for the response"; nothing is as RFC 3489 had it.
/// Proves: rfc8445-7-1, rfc8445-7.1.1-1, rfc8445-7.1.2-2, rfc8445-7.1.3-1, rfc8445-7.1.3-2, rfc8445-7.2.2-1, rfc8445-7.2.4-1, rfc8445-7.2.4-2,
/// rfc8445-7.3-3, rfc8445-7.3-7, rfc8445-7.3-8, rfc8445-16.1-1, rfc8445-16.1-2, rfc8489-9.1.2-2, rfc8489-9.1.3-11, rfc8489-9.1.3-12.
#[test]
fn a_check_is_signed_and_says_whose_it_is() {
    let world = found();
    let said = [0, 1].map(|who| world.parties[who].said());
    for (who, home, role, other) in
        [(0, ALICE, CONTROLLING, CONTROLLED), (1, BOB, CONTROLLED, CONTROLLING)]
    {
        let (ours, theirs) = (&said[who], &said[1 - who]);
        let mut numbers = BTreeSet::new();
        let checks = went(&world, home, kinds::BINDING);
        assert!(!checks.is_empty());
        for (_, _, octets) in &checks {
            let check = Message::read(octets).unwrap();
            let name = format!("{}:{}", theirs.ufrag, ours.ufrag);
            assert_eq!(check.text(attributes::USERNAME), Some(&*name));
            assert!(check.is_signed_with(theirs.password.as_bytes()) && has_fingerprint(octets));
            assert_eq!(check.number(PRIORITY).unwrap() >> 24, 110);
            numbers.insert(check.find(role).unwrap().to_vec());
            assert!(check.find(other).is_none());
            assert!(who == 0 || check.find(USE_CANDIDATE).is_none());
        }
        assert_eq!(numbers.len(), 1);
        let answers = went(&world, home, kinds::BINDING_SUCCESS);
        assert!(!answers.is_empty());
        for (_, to, octets) in &answers {
            let answer = Message::read(octets).unwrap();
            assert!(answer.is_signed_with(ours.password.as_bytes()) && has_fingerprint(octets));
            assert_eq!(answer.address(attributes::XOR_MAPPED_ADDRESS), Some(*to));
            // MAPPED-ADDRESS, which NATs have been seen to change.
            assert!(answer.find(0x0001).is_none() && answer.find(attributes::USERNAME).is_none());
        }
    }
}

/// "The controlling agent MUST include the USE-CANDIDATE attribute in order to nominate a candidate pair".
/// Proves: rfc8445-7.1.2-1.
#[test]
fn who_decides_says_which_pair_is_taken() {
    let both = Servers { stun: stun().stun, ..turn() };
    let mut world = World::new(ALICE, [&both, &both]);
    world.live(200);
    world.meet();
    world.live(10_000);
    let taken: BTreeSet<_> = went(&world, ALICE, kinds::BINDING)
        .into_iter()
        .filter(|(_, _, octets)| Message::read(octets).unwrap().find(USE_CANDIDATE).is_some())
        .map(|(_, to, _)| to)
        .collect();
    assert_eq!(taken, BTreeSet::from([at(BOB)]));
}

/// "If the Binding request generates a 487 (Role Conflict) error response …, the agent MUST switch" its role, and check again: "An agent MUST examine the
/// Binding request for either the ICE-CONTROLLING or ICE-CONTROLLED attribute."
/// Proves: rfc8445-7.2.5.1-1, rfc8445-7.2.5.1-2, rfc8445-7.2.5.1-3, rfc8445-7.3.1.1-2, rfc8445-7.3.1.1-3, rfc8445-6.1.1-6.
#[test]
fn two_who_both_want_to_decide_or_both_do_not_agree() {
    for (role, first) in [(Role::Controlling, CONTROLLING), (Role::Controlled, CONTROLLED)] {
        let mut world = World::new(ALICE, [&Servers::default(), &Servers::default()]);
        let said = [world.parties[1].said(), world.parties[0].said()];
        for who in [0, 1] {
            let mut out = Vec::new();
            world.parties[who].meet(world.now, (&said[who], role), &mut out);
            world.send(who, out);
        }
        world.live(5000);
        assert_eq!(world.ends(), [Some(BOB.into()), Some(ALICE.into())], "{role:?}");
        let last = |home| {
            let (_, _, octets) = went(&world, home, kinds::BINDING).pop().unwrap();
            Message::read(&octets).unwrap().find(first).is_some()
        };
        assert_ne!(last(ALICE), last(BOB), "{role:?}");
        let conflicts = [ALICE, BOB].map(|home| went(&world, home, kinds::BINDING_ERROR).len());
        assert!(conflicts.iter().sum::<usize>() > 0, "{role:?}");
    }
}

/// "An agent MUST send a keepalive on each candidate pair that is used for sending data if no packet has been sent on that pair in the last Tr seconds"; here
/// they are checks (RFC 7675), and each is answered: "an agent MUST continue to respond to any Binding request".
/// Proves: rfc8445-11-1, rfc8445-11-2, rfc8445-11-3, rfc8445-11-4, rfc8445-11-12, rfc8445-11-13, rfc8445-8.1.2-2.
#[test]
fn a_way_on_which_nobody_speaks_is_kept_open() {
    let mut world = found();
    world.log.clear();
    let begin = world.now;
    world.live(120_000);
    for (home, other) in [(ALICE, BOB), (BOB, ALICE)] {
        let checks = went(&world, home, kinds::BINDING);
        let times: Vec<Time> =
            [begin].into_iter().chain(checks.iter().map(|(at, ..)| *at)).collect();
        let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(gaps.clone().all(|gap| gap <= Duration::from_secs(15)), "{:?}", gaps.max());
        assert!(checks.len() >= 8);
        assert_eq!(went(&world, other, kinds::BINDING_SUCCESS).len(), checks.len());
    }
}

/// "Once selected pairs have been produced for a data stream, an agent MUST send data on those pairs only"; "Unless an agent is able to produce a selected
/// pair …, the agent MUST NOT continue sending data".
/// Proves: rfc8445-12.1-1, rfc8445-12.1-3.
#[test]
fn nothing_is_said_but_by_the_way_that_was_found() {
    let mut world = World::new(ALICE, [&stun(), &stun()]);
    world.live(100);
    let is_sound = |octets: &[u8]| octets.starts_with(b"\x80\0sound");
    let sound = |world: &World| -> Vec<SocketAddr> {
        let all = world.log.iter().filter(|(_, (_, _, octets))| is_sound(octets));
        all.map(|(_, (_, to, _))| *to).collect()
    };
    world.talk();
    assert_eq!(sound(&world), []);
    world.meet();
    world.live(2000);
    world.talk();
    world.talk();
    assert_eq!(sound(&world), [at(BOB), at(ALICE), at(BOB), at(ALICE)]);
}

/// "The ICE agent MUST check that the source and destination transport addresses in the Binding request and response are symmetric"; if not, the pair has
/// failed.
/// Proves: rfc8445-7.2.5.2.1-1, rfc8445-7.2.5.2.1-2, rfc8445-7.2.5.2.1-3, rfc8445-7.2.5.2.3-1.
#[test]
fn an_answer_from_elsewhere_is_none() {
    let mut world = World::new(ALICE, [&Servers::default(), &Servers::default()]);
    world.cut = |from, _| from == at(BOB);
    world.meet();
    for _ in 0..400 {
        let before = world.log.len();
        world.live(100);
        let answers: Vec<_> = world.log[before..].to_vec();
        for (_, (from, _, octets)) in answers {
            let is = Message::read(&octets).is_some_and(|it| it.kind == kinds::BINDING_SUCCESS);
            if from == at(BOB) && is {
                let elsewhere = at("192.0.2.66:5000");
                let mut out = Vec::new();
                world.parties[0].receive(world.now, (elsewhere, &octets), &mut out);
            }
        }
    }
    assert_eq!(world.ends()[0], None);
    assert!(world.parties[0].failure().is_some());
}

/// "An agent … MUST limit the total number of connectivity checks", to 100 pairs at most; "ICE agents SHOULD use a default Ta value, 50 ms"; all of them
/// together not more often than every 5 ms.
/// Proves: rfc8445-6.1.2.5-1, rfc8445-19.5.1-1, rfc8445-14.2-1, rfc8445-14.2-4.
#[test]
fn checks_are_paced_and_not_without_end() {
    let mut world = World::new(ALICE, [&Servers::default(), &Servers::default()]);
    let bob = world.parties[1].said();
    let many = (0..300_u16).map(|n| {
        format!(
            "{n} 1 udp {} 198.51.100.{} {} typ host",
            2_000_000_000 - u32::from(n),
            n % 250,
            6000 + n
        )
    });
    let theirs = sdp::Ice { candidates: many.map(Into::into).collect(), ..bob };
    let mut out = Vec::new();
    world.parties[0].meet(world.now, (&theirs, Role::Controlling), &mut out);
    world.send(0, out);
    world.live(40_000);
    let mut first = BTreeMap::new();
    let mut places = BTreeSet::new();
    for (time, to, octets) in went(&world, ALICE, kinds::BINDING) {
        first.entry(octets[8..20].to_vec()).or_insert(time);
        places.insert(to);
    }
    assert!(places.len() > 10 && places.len() <= 100, "{}", places.len());
    let mut times: Vec<Time> = first.into_values().collect();
    times.sort_unstable();
    let gaps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| *gap >= Duration::from_millis(45)), "{:?}", gaps.iter().min());
}

/// Of a candidate: its place among others, its type, where it is.
fn read(candidate: &str) -> (u32, String, SocketAddr) {
    let fields: Vec<&str> = candidate.split(' ').collect();
    assert_eq!(fields[1], "1", "the one component: RTP and RTCP share it");
    let place = SocketAddr::new(fields[4].parse().unwrap(), fields[5].parse().unwrap());
    (fields[3].parse().unwrap(), fields[7].to_owned(), place)
}

/// One server for both questions is asked both: nobody waits for an answer that has come.
#[test]
fn one_server_answers_for_two() {
    let both = Servers { stun: stun().stun, ..turn() };
    let mut world = World::new("198.51.100.1:40123", [&both, &both]);
    world.live(200);
    assert!(world.parties.iter().all(Search::is_ready));
}

/// "An ICE agent SHOULD gather server-reflexive and relayed candidates"; "Each candidate for a data stream MUST have a unique priority that MUST be a
/// positive integer between 1 and (2**31 - 1)", by the formula. (A relayed one has 2 of 126, where 0 is recommended: the library tells relays by UDP, TCP and TLS apart.)
/// Proves: rfc8445-5.1.1.1-1, rfc8445-5.1.1.1-3, rfc8445-5.1.1.2-1, rfc8445-5.1.2-1, rfc8445-5.1.2-2, rfc8445-5.1.2.1-1, rfc8445-5.1.2.1-2,
/// rfc8445-5.1.2.1-3, rfc8445-5.1.2.1-5, rfc8445-5.1.2.1-7.
#[test]
fn what_is_said_of_our_addresses_has_its_rank() {
    let both = Servers { stun: stun().stun, ..turn() };
    let mut world = World::new("198.51.100.1:40123", [&both, &both]);
    world.live(500);
    let said = world.parties[0].said();
    let all: Vec<_> = said.candidates.iter().map(|one| read(one)).collect();
    let kinds: BTreeMap<_, _> = all.iter().map(|(rank, kind, _)| (&**kind, *rank)).collect();
    assert_eq!(kinds.keys().copied().collect::<Vec<_>>(), ["host", "relay", "srflx"]);
    for (kind, preference) in [("host", 126), ("srflx", 100), ("relay", 2)] {
        let rank = kinds[kind];
        assert_eq!(rank >> 24, preference, "{kind}");
        assert_eq!(rank & 0xFF, 255, "{kind}: 256 minus the component");
        assert!((1..1 << 31).contains(&rank), "{kind}");
    }
    let ranks: BTreeSet<_> = all.iter().map(|(rank, ..)| *rank).collect();
    assert_eq!(ranks.len(), all.len());
}

/// "The agent SHOULD eliminate the redundant candidate with the lower priority": who is behind no NAT has one address, not two.
/// Proves: rfc8445-5.1.3-1.
#[test]
fn an_address_is_said_once() {
    let mut world = World::new(ALICE, [&stun(), &stun()]);
    world.live(200);
    let all: Vec<_> = world.parties[0].said().candidates.iter().map(|one| read(one)).collect();
    assert_eq!(
        all.iter().map(|(_, kind, at)| (&**kind, *at)).collect::<Vec<_>>(),
        [("host", at(ALICE))]
    );
}

/// "The values MUST be unguessable, with at least 128 bits of random number generator output used to generate the password, and at least 24 bits of output to
/// generate the username fragment"; "To restart ICE, an agent MUST change both".
/// Proves: rfc8445-5.3-2, rfc8445-9-2.
#[test]
fn names_and_passwords_are_long_and_new_for_each_beginning() {
    let mut world = found();
    let mut names: Vec<_> = (0..2).map(|who| world.parties[who].said()).collect();
    let again = sdp::Ice {
        ufrag: "another".into(),
        password: "another password of 22".into(),
        ..names[1].clone()
    };
    world.parties[0].hear_offer(&again);
    names.push(world.parties[0].said());
    for said in &names {
        // Six bits a letter.
        assert!(said.ufrag.len() * 6 >= 24 && said.password.len() * 6 >= 128);
    }
    let ufrags: BTreeSet<_> = names.iter().map(|said| &said.ufrag).collect();
    let passwords: BTreeSet<_> = names.iter().map(|said| &said.password).collect();
    assert_eq!((ufrags.len(), passwords.len()), (3, 3));
}

/// "Once server-reflexive and relayed candidates are allocated, they MUST be kept alive until ICE processing has completed", those of a STUN server "by
/// additional Binding requests": while it rings there, a NAT does not forget us.
/// Proves: rfc8445-5.1.1.4-1, rfc8445-5.1.1.4-2.
#[test]
fn a_nat_is_kept_awake_until_a_way_is_found() {
    let outside = "198.51.100.1:40123";
    let mut world = World::new(outside, [&stun(), &stun()]);
    world.live(120_000);
    let asked = |world: &World| {
        let all = went(world, outside, kinds::BINDING).into_iter();
        all.filter(|(_, to, _)| *to == at(SERVER)).map(|(time, ..)| time).collect::<Vec<_>>()
    };
    let times = asked(&world);
    assert!(times.len() >= 8, "{}", times.len());
    let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
    assert!(gaps.clone().all(|gap| gap <= Duration::from_secs(16)), "{:?}", gaps.max());
    assert_eq!(world.parties[0].said().candidates.len(), 2);
    world.meet();
    world.live(2000);
    assert!(world.ends().iter().all(Option::is_some));
    world.log.clear();
    world.live(60_000);
    assert_eq!(asked(&world), []);
}

/// "An ICE agent … MUST be prepared to receive Binding requests on the base of each candidate"; "The agent MUST use the short-term credential mechanism … to
/// authenticate the request": what is signed with another password, or not at all, is not answered.
/// Proves: rfc8445-7.3-1, rfc8445-7.3-2.
#[test]
fn a_check_is_answered_for_its_names_and_its_signature() {
    let mut world = found();
    let [alice, bob] = [0, 1].map(|who| world.parties[who].said());
    let check = |name: String, password: Option<&str>| {
        Draft::new(kinds::BINDING, [7; 12])
            .with(attributes::USERNAME, name.as_bytes())
            .with(PRIORITY, &[0x6e, 0xff, 0xff, 0xff])
            .with(CONTROLLED, &[1; 8])
            .finish(password.map(str::as_bytes))
    };
    let answered = |world: &mut World, octets: &[u8]| {
        let mut out = Vec::new();
        assert_eq!(world.parties[0].receive(world.now, (at(BOB), octets), &mut out), Came::Taken);
        let is = |(_, octets): &(SocketAddr, Vec<u8>)| {
            Message::read(octets).is_some_and(|it| it.kind == kinds::BINDING_SUCCESS)
        };
        out.iter().any(is)
    };
    let named = |name: &str| format!("{}:{name}", alice.ufrag);
    assert!(answered(&mut world, &check(named(&bob.ufrag), Some(&alice.password))));
    assert!(!answered(&mut world, &check(named(&bob.ufrag), Some("another password"))));
    assert!(!answered(&mut world, &check(named(&bob.ufrag), None)));
    assert!(!answered(&mut world, &check(format!("nobody:{}", bob.ufrag), Some(&alice.password))));
    assert!(world.parties.iter().all(|party| party.failure().is_none()));
}
