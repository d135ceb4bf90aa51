//! Phones that change their address while they talk, in the simulated world.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests too: what cannot go on stops here"
)]

mod desk;

use desk::{Desk, ip, sounding, with_carol};
use media::{RATE, detect};
use offhook_phone::{Account, Ice, PhoneEvent, Servers, Srtp};
use protocol::Transport;
use sim::{Change, HostId, Realm};

/// Her machine leaves its address for another, and half a second later the phone knows.
fn move_to(desk: &mut Desk, who: HostId, to: &str) {
    desk.world.change(&Change::Move(who, vec![(Realm::INTERNET, ip(to))]));
    desk.run(0.5);
    desk.command(who, |phone, now, out| phone.moved(now, ip(to), out));
}

/// How many tenths of a second of a recording have no such tone.
fn missing(heard: &[i16], hz: f64) -> usize {
    let tenths = heard.chunks_exact(RATE as usize / 10);
    tenths.filter(|tenth| detect::level_of(tenth, hz) < -30.0).count()
}

enum Caller {
    Carol,
    Bob,
}

/// She calls Bob, or he calls her; her address changes while they talk; sound goes on both ways after less than a second, and either can hang up.
/// Less than so many tenths of a second are lost on the way to her, and from her.
fn goes_on(
    (transport, change): (Transport, fn(Account) -> Account),
    caller: Caller,
    less: [usize; 2],
) {
    let (mut desk, carol) = with_carol(transport, change);
    let bob = desk.bob;
    let (caller, callee, target) = match caller {
        Caller::Carol => (carol, bob, "sip:bob@192.0.2.2"),
        Caller::Bob => (bob, carol, "sip:carol@192.0.2.3"),
    };
    let (here, there) = (440.0, 660.0);
    let dial = desk.command(caller, |phone, now, out| phone.call(now, target, sounding(here), out));
    let first = dial.unwrap();
    desk.run(2.0);
    let second = desk.incoming(callee);
    desk.command(callee, |phone, now, out| phone.answer(now, second, sounding(there), out))
        .unwrap();
    desk.run(3.0);
    for (who, call, hz) in [(caller, first, there), (callee, second, here)] {
        let gap = missing(&desk.heard(who, call), hz);
        assert!(gap < 5, "before: {gap}");
    }
    move_to(&mut desk, carol, "198.51.100.7");
    desk.run(6.0);
    for (who, call, hz) in [(caller, first, there), (callee, second, here)] {
        let heard = desk.heard(who, call);
        let gap = missing(&heard, hz);
        assert!(heard.len() > 6 * RATE as usize, "{} samples", heard.len());
        println!("{transport}: {gap} tenths of a second without {hz} Hz");
        let less = less[usize::from(who != carol)];
        assert!(gap < less, "{transport}: {gap} tenths of a second without {hz} Hz");
    }
    // Once more, to where it came from: nothing of the first move is left.
    move_to(&mut desk, carol, "192.0.2.3");
    desk.run(6.0);
    desk.command(callee, |phone, now, out| phone.hang_up(now, second, out)).unwrap();
    desk.run(2.0);
    for (who, call) in [(caller, first), (callee, second)] {
        let ended = desk.events(who).into_iter().any(|event| {
            matches!(event, PhoneEvent::Ended { call: ended, status: 200, .. } if ended == call)
        });
        assert!(ended, "{:?}", desk.events(who));
    }
}

#[test]
fn a_call_goes_on_when_its_phone_gets_another_address() {
    for transport in [Transport::Udp, Transport::Tcp] {
        for caller in [Caller::Carol, Caller::Bob] {
            goes_on((transport, |account| account), caller, [8, 8]);
        }
    }
}

fn searching(account: Account) -> Account {
    account.ice(Ice::On(Servers::default()))
}

/// With the keys of a handshake, which goes on by the new way (RFC 8842 §4).
fn searching_in_secret(account: Account) -> Account {
    searching(account).srtp(Srtp::Dtls)
}

/// With a STUN server that says nothing: what is said waits for it.
fn searching_in_vain(account: Account) -> Account {
    let stun = "203.0.113.9:3478".parse().ok();
    account.ice(Ice::On(Servers { stun, ..Servers::default() }))
}

/// RFC 8445 §9: a way that was searched is searched anew from there.
#[test]
fn a_call_whose_way_was_searched_goes_on_from_another_address() {
    for caller in [|| Caller::Carol, || Caller::Bob] {
        goes_on((Transport::Udp, searching), caller(), [12, 12]);
        goes_on((Transport::Udp, searching_in_secret), caller(), [12, 12]);
        // Who has moved is heard while the servers are waited for (RFC 8839 §4.4.3.1.1), and hears once the other side knows.
        goes_on((Transport::Udp, searching_in_vain), caller(), [25, 8]);
    }
}

/// A call that stands on hold stays so, and what is agreed to meanwhile is not lost.
#[test]
fn who_holds_holds_from_there_too() {
    let (mut desk, carol) = with_carol(Transport::Udp, |account| account);
    let bob = desk.bob;
    let dial = desk.command(carol, |phone, now, out| {
        phone.call(now, "sip:bob@192.0.2.2", sounding(440.0), out)
    });
    let ours = dial.unwrap();
    desk.run(1.0);
    let theirs = desk.incoming(bob);
    desk.command(bob, |phone, now, out| phone.answer(now, theirs, sounding(660.0), out)).unwrap();
    desk.run(1.0);
    desk.world.change(&Change::Move(carol, vec![(Realm::INTERNET, ip("198.51.100.7"))]));
    desk.command(carol, |phone, now, out| phone.hold(now, ours, out)).unwrap();
    desk.command(carol, |phone, now, out| phone.moved(now, ip("198.51.100.7"), out));
    desk.run(3.0);
    let held = desk.events(bob).into_iter().rfind(|event| matches!(event, PhoneEvent::Held { .. }));
    assert_eq!(held, Some(PhoneEvent::Held { call: theirs, held: true }));
    desk.command(carol, |phone, now, out| phone.resume(now, ours, out)).unwrap();
    desk.run(1.0);
    desk.heard(carol, ours);
    desk.run(2.0);
    assert!(detect::level_of(&desk.heard(carol, ours), 660.0) > -20.0);
}
