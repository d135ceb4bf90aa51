//! Calls that look for a way and find none, in the simulated world.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests too: what cannot go on stops here"
)]

mod desk;

use desk::{Desk, phone_of, sounding};
use offhook_phone::{Account, Call, Ice, PhoneEvent, Servers, Srtp, Told};
use sim::{HostId, Realm, Weather};

/// Dora calls Carol, who looks for a way too and has no address to tell.
fn nowhere(change: fn(Account) -> Account) -> (Desk, [(HostId, Call); 2]) {
    let searching = |account: Account| account.ice(Ice::On(Servers::default()));
    let mut desk = Desk::with(Weather::FAIR, |account| account);
    let at = |ip: &str| [(Realm::INTERNET, ip.parse().unwrap())];
    let dora = phone_of("dora", "192.0.2.4", 4, |account| change(searching(account)));
    let dora = desk.world.add("dora", dora, &at("192.0.2.4"));
    let hidden = Servers { told: Told::Relayed, ..Servers::default() };
    let carol = phone_of("carol", "192.0.2.3", 3, |account| change(account.ice(Ice::On(hidden))));
    let carol = desk.world.add("carol", carol, &at("192.0.2.3"));
    let ours = desk
        .command(dora, |phone, now, out| {
            phone.call(now, "sip:carol@192.0.2.3", sounding(440.0), out)
        })
        .unwrap();
    desk.run(1.0);
    let theirs = desk.incoming(carol);
    (desk, [(dora, ours), (carol, theirs)])
}

fn ended(desk: &Desk, (who, call): (HostId, Call)) -> Option<(u16, String)> {
    desk.events(who).into_iter().find_map(|event| match event {
        PhoneEvent::Ended { call: ended, status, reason } if ended == call => {
            Some((status, reason.to_string()))
        }
        _ => None,
    })
}

fn plain(account: Account) -> Account {
    account
}

/// The keys of a handshake, which cannot begin: it does not end the call before the search does.
fn in_secret(account: Account) -> Account {
    account.srtp(Srtp::Dtls)
}

/// RFC 8863 §4: not before 39.5 seconds, and then it ends and says why, on both sides.
#[test]
fn a_call_without_any_way_ends_and_says_why() {
    for change in [plain, in_secret] {
        let (mut desk, [(dora, ours), (carol, theirs)]) = nowhere(change);
        desk.command(carol, |phone, now, out| phone.answer(now, theirs, sounding(660.0), out))
            .unwrap();
        desk.run(39.0);
        assert_eq!(ended(&desk, (dora, ours)), None);
        assert_eq!(ended(&desk, (carol, theirs)), None);
        desk.run(2.0);
        let all = [(dora, ours), (carol, theirs)].map(|who| ended(&desk, who).unwrap());
        let why = "no sound could be agreed on: no way to the other side was found: the other \
                   side told no address that fits one of ours";
        // Whoever is patient for longer hears the BYE of the other.
        assert!(all.contains(&(488, why.to_owned())), "{all:?}");
        desk.run(40.0);
        let quiet = |who: HostId| desk.world.host(who).unwrap().machine().unwrap().is_quiet();
        assert!(quiet(dora) && quiet(carol));
    }
}
