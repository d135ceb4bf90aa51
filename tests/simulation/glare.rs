//! Two who act at the same moment: hang up and answer, hang up both, hold both.

use std::collections::BTreeSet;
use std::time::Duration;

use offhook_tests::attendant::{Habits, Pickup, Wish};
use offhook_tests::exchange::Exchange;
use offhook_tests::puppet::{Puppet, read};
use phone::PhoneEvent;
use protocol::Transport;
use sim::{Change, HostId, Weather};
use sip::header::To;
use sip::{Message, Method};

/// 50 ms from anywhere to anywhere: messages have time to cross.
const FAR: Weather = Weather { delay: Duration::from_millis(50), ..Weather::FAIR };

fn two(transport: Transport, habits: Habits) -> (Exchange, HostId, HostId) {
    let mut exchange = Exchange::new(1, Weather::FAIR);
    let alice = exchange.phone("101", transport, habits);
    let bob = exchange.phone("102", transport, habits);
    exchange.sign_on(&[alice, bob]);
    exchange.world.change(&Change::Weather(FAR));
    (exchange, alice, bob)
}

const SECOND: Duration = Duration::from_secs(1);

/// The caller hangs up at every moment between dialling and the answer, and a little after: before the challenge, before the 100, as the
/// 180 comes, as the 200 is on its way.
#[test]
fn a_call_that_is_given_up_at_any_moment_ends_on_both_sides() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let habits =
            Habits { ring: Some(SECOND / 4), then: Pickup::Answer(SECOND / 2), talk: None };
        let (mut exchange, alice, bob) = two(transport, habits);
        let (mut cancelled, mut answered) = (0, 0);
        for millis in (0..1400).step_by(10) {
            let wish = Wish { patience: None, talk: None };
            let call = exchange.dial(alice, "102", wish);
            exchange.live(millis);
            exchange.by_hand(alice, |phone, now, out| phone.hang_up(now, call, out)).unwrap();
            exchange.live(40_000);
            match exchange.attendant(alice).end_of(call) {
                Some(487) => cancelled += 1,
                Some(200) => answered += 1,
                other => panic!("after {millis} ms: {other:?}"),
            }
            assert_eq!(exchange.attendant(bob).phone.calls().count(), 0, "after {millis} ms");
        }
        exchange.assert_nothing_is_left();
        assert!(cancelled > 30 && answered > 30, "{cancelled} {answered}");
    }
}

/// The same for a number with two phones: the other one may pick up while the CANCEL of the first is on its way.
#[test]
fn phones_that_ring_together_and_answer_together_leave_one_call() {
    for gap in (0..200).step_by(20) {
        let habits = |millis| Habits {
            ring: Some(Duration::ZERO),
            then: Pickup::Answer(SECOND + Duration::from_millis(millis)),
            talk: None,
        };
        let (mut exchange, alice, _) = two(Transport::Udp, Habits::POLITE);
        exchange.world.change(&Change::Weather(Weather::FAIR));
        let first = exchange.phone("103", Transport::Udp, habits(0));
        let second = exchange.phone("103", Transport::Udp, habits(gap));
        exchange.sign_on(&[first, second]);
        exchange.world.change(&Change::Weather(FAR));
        let call = exchange.dial(alice, "103", Wish::default());
        exchange.live(10_000);
        let up: Vec<usize> =
            [alice, first, second].map(|id| exchange.attendant(id).phone.calls().count()).into();
        assert_eq!(up, [1, 1, 0], "{gap} ms apart: the first answer is the call");
        exchange.by_hand(alice, |phone, now, out| phone.hang_up(now, call, out)).unwrap();
        exchange.live(40_000);
        exchange.assert_nothing_is_left();
    }
}

/// Bob's answer with another To tag.
fn with_tag(answer: &Message, nth: usize) -> Message {
    let text = String::from_utf8(answer.wire().to_vec()).unwrap();
    Message::parse(text.replace(";tag=102", &format!(";tag=fork{nth}"))).unwrap()
}

/// One that answers as if it were many: each 2xx has a To tag of its own. The first is the call; each other one that is taken is acknowledged
/// and hung up, however many there are nothing is left, and the call itself is not disturbed.
#[test]
fn trap_5_further_answers_are_acknowledged_and_hung_up() {
    for tags in [3, 500] {
        let mut exchange = Exchange::new(1, Weather::FAIR);
        let alice = exchange.phone("101", Transport::Udp, Habits::POLITE);
        exchange.sign_on(&[alice]);
        let bob = exchange.puppet("102", Transport::Udp);
        exchange.register(bob, 1);
        let call = exchange.dial(alice, "102", Wish::default());
        exchange.live(50);
        let invite = exchange.look(bob).last_request(Method::Invite);
        let ring: fn(&Puppet, &Message) -> Message = |bob, invite| read(bob.reply(invite, 180));
        for say in [ring, Puppet::accept] {
            for nth in 0..tags {
                exchange.answer(bob, &invite, |bob, invite| with_tag(&say(bob, invite), nth));
            }
            exchange.live(2000);
        }
        assert!(exchange.attendant(alice).was_up(call));
        let tag = |message: &Message| {
            let to = message.get::<To>().unwrap();
            String::from_utf8_lossy(to.tag().unwrap_or_default()).into_owned()
        };
        let heard = &exchange.look(bob).heard;
        let of = |method: Method<'_>| -> BTreeSet<String> {
            let fits = |one: &&Message| one.method() == Some(method);
            heard.iter().map(|(_, one)| one).filter(fits).map(tag).collect()
        };
        let (acked, hung_up) = (of(Method::Ack), of(Method::Bye));
        assert!(acked.contains("fork0") && !hung_up.contains("fork0"), "the first one is the call");
        assert_eq!(acked.len(), hung_up.len() + 1, "each other one that was acknowledged");
        assert!(acked.len() == tags || tags > 3 && acked.len() > 3, "{} of {tags}", acked.len());
        let byes: Vec<_> =
            heard.iter().filter(|(_, one)| one.method() == Some(Method::Bye)).cloned().collect();
        for bye in &byes {
            exchange.answer(bob, bye, |bob, bye| read(bob.reply(bye, 200)));
        }
        exchange.live(50);
        exchange.by_hand(alice, |phone, now, out| phone.hang_up(now, call, out)).unwrap();
        exchange.live(50);
        let bye = exchange.look(bob).last_request(Method::Bye);
        exchange.answer(bob, &bye, |bob, bye| read(bob.reply(bye, 200)));
        exchange.live(60_000);
        assert_eq!(exchange.attendant(alice).end_of(call), Some(200));
        exchange.assert_nothing_is_left();
    }
}

/// Both hang up, one a little later than the other.
#[test]
fn a_call_that_both_hang_up_ends_once() {
    for millis in (0..300).step_by(10) {
        let (mut exchange, alice, bob) = two(Transport::Udp, Habits::POLITE);
        let ours = exchange.dial(alice, "102", Wish::default());
        exchange.live(3000);
        let theirs = exchange.attendant(bob).incoming().unwrap();
        exchange.by_hand(alice, |phone, now, out| phone.hang_up(now, ours, out)).unwrap();
        exchange.live(millis);
        let _ = exchange.by_hand(bob, |phone, now, out| phone.hang_up(now, theirs, out));
        exchange.live(40_000);
        exchange.assert_nothing_is_left();
        for (id, call) in [(alice, ours), (bob, theirs)] {
            assert_eq!(exchange.attendant(id).end_of(call), Some(200), "{millis} ms");
        }
    }
}

/// Both want hold at about the same time: one re-INVITE is refused with 491 and tried again; both succeed.
#[test]
fn both_hold_at_once_and_both_are_told_that_it_worked() {
    for millis in (0..300).step_by(20) {
        let (mut exchange, alice, bob) = two(Transport::Udp, Habits::POLITE);
        let ours = exchange.dial(alice, "102", Wish::default());
        exchange.live(3000);
        let theirs = exchange.attendant(bob).incoming().unwrap();
        exchange.by_hand(alice, |phone, now, out| phone.hold(now, ours, out)).unwrap();
        exchange.live(millis);
        exchange.by_hand(bob, |phone, now, out| phone.hold(now, theirs, out)).unwrap();
        exchange.live(10_000);
        for (id, call) in [(alice, ours), (bob, theirs)] {
            let told = &exchange.attendant(id).told;
            let done = PhoneEvent::HoldDone { call, hold: true, status: 200 };
            assert!(told.iter().any(|(_, event)| *event == done), "{millis} ms: {told:?}");
        }
        exchange.by_hand(bob, |phone, now, out| phone.hang_up(now, theirs, out)).unwrap();
        exchange.live(40_000);
        exchange.assert_nothing_is_left();
    }
}
