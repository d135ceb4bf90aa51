//! Traps 3, 4, 9, 10, 11 and 43: what repeats, what ends, and who acknowledges what.

use std::time::Duration;

use offhook_tests::bench::{Bench, answer};
use offhook_tests::exchange::{Exchange, SERVER, address};
use offhook_tests::office::{Office, Phone, answers, reply, requests, rows, trusting, uri};
use offhook_tests::puppet::Puppet;
use protocol::Transport;
use protocol::transaction::{Timers, Up};
use server::Settings;
use server::settings::{Route, User};
use sim::Weather;
use sip::{Method, Name};

use crate::ring::{ONE, Ring, branch, via};

/// Trap 3: the ACK of a refusal has the branch, the Request-URI and the Routes of its INVITE, one Via, and the To of the refusal.
#[test]
fn trap_3_the_ack_of_a_refusal_goes_the_way_of_its_invite() {
    let mut office = Office::new(trusting());
    let alice = Phone::udp(101);
    let invite = alice
        .invite("sip:bob@203.0.113.5;x=y")
        .row("Route: <sip:192.0.2.10;lr>, <sip:203.0.113.7;lr>, <sip:203.0.113.8;lr>");
    let copy = requests(&office.receive(alice.flow, invite.wire()), "INVITE").remove(0);
    let sent = office.receive(copy.flow, reply(&copy.message, 486, ""));
    let ack = requests(&sent, "ACK").remove(0);
    assert_eq!((via(&ack), uri(&ack), ack.flow), (via(&copy), uri(&copy), copy.flow));
    let of = |sent, name| rows(std::slice::from_ref(sent), name);
    assert_eq!(of(&ack, Name::Via).len(), 1);
    assert_eq!(of(&ack, Name::Route), of(&copy, Name::Route));
    assert!(of(&ack, Name::To)[0].ends_with(";tag=to-tag"));
    assert_eq!(of(&ack, Name::CSeq), ["1 ACK"]);
    // The caller's own ACK ends with us.
    let mut own = invite;
    own.method = "ACK".into();
    own.to += ";tag=to-tag";
    assert!(office.receive(alice.flow, own.wire()).is_empty());
}

const BILOXI: &str = "192.0.2.20:5060";

fn route(domain: &str) -> Route {
    Route::domain(domain, None)
}

/// Trap 4: the ACK of a 2xx passes both proxies that stayed on the path, one ACK for each copy of the 2xx, and none of them makes one.
#[test]
fn trap_4_each_copy_of_a_2xx_is_acknowledged_through_both_proxies() {
    let mut exchange = Exchange::with(1, Weather::FAIR, 1, |settings| {
        settings.challenge = Vec::new();
        settings.routes = vec![route("biloxi.test")];
    });
    let mut biloxi = Settings::of("biloxi.test", Puppet::listeners(address(BILOXI)));
    biloxi.users = vec![User::new("bob", "secret-bob")];
    biloxi.challenge = vec!["REGISTER".into()];
    exchange.add_server("biloxi", biloxi);
    let names = stage::Names::default().with("biloxi.test", &[address(BILOXI).ip()]);
    exchange.knows(exchange.server, names);
    let (alice, bob) =
        (exchange.puppet("101", Transport::Udp), exchange.puppet("bob", Transport::Udp));
    exchange.pull(bob, |bob, _| {
        bob.domain = "biloxi.test".into();
        bob.server = address(BILOXI);
    });
    exchange.register(bob, 1);
    let invite = exchange.say(alice, |alice| alice.invite("sip:bob@biloxi.test", 7, 1));
    exchange.live(100);
    let heard = exchange.look(bob).last_request(Method::Invite);
    for copy in 1..=3 {
        exchange.answer(bob, &heard, Puppet::accept);
        exchange.live(100);
        let told = |exchange: &Exchange, id, word: &str| {
            exchange.look(id).statuses().iter().filter(|said| *said == word).count()
        };
        assert_eq!(told(&exchange, alice, "200"), copy, "every copy reaches the caller");
        assert_eq!(told(&exchange, bob, "ACK"), copy - 1, "nobody else acknowledges it");
        let ok = exchange.look(alice).last_response(200);
        assert_eq!(ok.rows(Name::RecordRoute).count(), 2);
        let ack = exchange.say_in_call(alice, |alice| alice.ack(&invite, &ok));
        assert_eq!(ack.rows(Name::Route).next().map(|row| row.ends_with(b":5060;lr>")), Some(true));
        exchange.live(100);
        assert_eq!(told(&exchange, bob, "ACK"), copy);
        let (_, ack) = exchange.look(bob).last_request(Method::Ack);
        assert_eq!((ack.rows(Name::Route).count(), ack.rows(Name::Via).count()), (0, 3));
    }
    assert_eq!(exchange.look(alice).server, address(SERVER));
    exchange.live(100_000);
    exchange.assert_nothing_is_left();
}

/// Trap 9: timer A doubles without a cap, E and G up to T2; E goes on in Proceeding, at T2; B, F and H end them after 64·T1.
#[test]
fn trap_9_what_is_repeated_and_how_long() {
    let all = |method: &str, hear: Option<u64>| {
        let mut bench = Bench::new(Transport::Udp, Timers::default());
        bench.begin(method);
        if let Some(at) = hear {
            bench.hear(at, answer(method, 100));
            bench.out.clear();
        }
        let (moments, up) = bench.live();
        (moments, up.iter().filter(|up| matches!(up, Up::TimedOut(_))).count())
    };
    let (a, ended) = all("INVITE", None);
    assert_eq!((&a[a.len() - 6..], ended), (&[500, 1500, 3500, 7500, 15500, 31500][..], 1));
    let e: Vec<u128> = [500, 1500].into_iter().chain((0..8).map(|n| 3500 + 4000 * n)).collect();
    let (sent, ended) = all("OPTIONS", None);
    assert_eq!((&sent[sent.len() - 10..], ended), (&e[..], 1));
    let (sent, ended) = all("OPTIONS", Some(100));
    assert_eq!(ended, 1, "timer F runs in Proceeding too");
    assert!(sent.windows(2).skip(1).all(|pair| pair[1] - pair[0] == 4000), "{sent:?}");
    let mut bench = Bench::new(Transport::Udp, Timers::default());
    let id = bench.come("INVITE");
    bench.say(0, id, "INVITE", 486);
    bench.out.clear();
    let (g, _) = bench.live();
    assert_eq!(g, [500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
}

/// Trap 9: on a stream nothing is repeated, and it ends all the same.
#[test]
fn trap_9_a_stream_repeats_nothing() {
    for method in ["INVITE", "OPTIONS"] {
        let mut bench = Bench::new(Transport::Tcp, Timers::default());
        bench.begin(method);
        bench.out.clear();
        let (moments, up) = bench.live();
        assert!(moments.is_empty() && matches!(up[..], [Up::TimedOut(_)]), "{method}: {up:?}");
    }
}

/// Trap 10: timer C is longer than three minutes, begins anew with each 101 to 199, and then cancels: the phone does not ring on.
#[test]
fn trap_10_who_rings_for_too_long_is_cancelled() {
    let mut ring = Ring::at(ONE);
    for _ in 0..5 {
        ring.answer(0, 180);
        assert!(requests(&ring.office.wait(Duration::from_secs(181)), "CANCEL").is_empty());
    }
    let sent = ring.office.wait(Duration::from_secs(20));
    let cancel = requests(&sent, "CANCEL").remove(0);
    assert_eq!(branch(&cancel), branch(&ring.copies[0]));
    assert_eq!(answers(&ring.answer(0, 487), ring.alice.flow), [487]);
    ring.assert_nothing_is_left();
}

/// Trap 11: a request that is no INVITE gets no 408 and no early provisional answer (RFC 4320).
#[test]
fn trap_11_others_are_neither_timed_out_nor_hurried() {
    let mut office = Office::new(trusting());
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register(&bob);
    let request = alice.request("MESSAGE", "sip:102@example.test");
    let copy = requests(&office.receive(alice.flow, request.wire()), "MESSAGE").remove(0);
    let early = office.receive(bob.flow, reply(&copy.message, 180, ""));
    assert!(answers(&early, alice.flow).is_empty(), "no provisional answer but a 100");
    assert!(answers(&office.wait(Duration::from_millis(3400)), alice.flow).is_empty());
    assert_eq!(
        answers(&office.wait(Duration::from_millis(200)), alice.flow),
        [100],
        "when timer E reaches T2"
    );
    let later = office.wait(Duration::from_secs(60));
    assert!(!answers(&later, alice.flow).contains(&408));
}

/// Trap 43: an INVITE is told 100 at once, without a To tag; a 100 of others goes no further.
#[test]
fn trap_43_a_100_is_ours_and_has_no_tag() {
    let mut office = Office::new(trusting());
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register(&bob);
    let sent = office.receive(alice.flow, alice.invite("sip:102@example.test").wire());
    assert_eq!(answers(&sent, alice.flow), [100]);
    let to = |sent: &[offhook_tests::office::Sent]| rows(sent, Name::To).remove(0);
    assert_eq!(to(&sent), "<sip:102@example.test>");
    let copy = requests(&sent, "INVITE").remove(0);
    assert!(
        answers(&office.receive(bob.flow, reply(&copy.message, 100, "")), alice.flow).is_empty()
    );
    assert_eq!(
        answers(&office.receive(bob.flow, reply(&copy.message, 180, "")), alice.flow),
        [180]
    );
}
