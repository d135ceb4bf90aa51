//! A long day, lived fast: calls of every kind, twenty a second, day after day. A server has in the evening what it had in the morning
//! (RELIABILITY R27; with real sockets and clocks it is `bin/offhook/tests/serve/soak.rs`).

use std::time::Duration;

use machine::Dice;
use offhook_tests::office::{
    Office, Phone, Request, Sent, always_at, reply, requests, rows, settings,
};
use protocol::doors::Event;
use server::settings::{Proxy, SessionTimer, Settings};

/// What becomes of a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is answered, changed while it is up when the caller feels like it, and hung up.
    Answered { changed: bool },
    /// Its BYE never comes: its session timer ends it.
    Lost,
    /// The callee says no.
    Refused(u16),
    /// The caller gives up.
    GivenUp,
    /// Nobody says anything.
    Silent,
}

fn fate(dice: &mut Dice) -> Fate {
    match dice.below(100) {
        0..45 => Fate::Answered { changed: false },
        45..85 => Fate::Answered { changed: true },
        85..90 => Fate::Refused([486, 480, 603, 503][usize::try_from(dice.below(4)).unwrap()]),
        90..94 => Fate::GivenUp,
        94..97 => Fate::Lost,
        _ => Fate::Silent,
    }
}

const CALLEE: &str = "sip:102@198.51.100.2:5060";

/// A request of the caller within its call.
fn within(call: &Request, answered: &[Sent], (method, cseq): (&str, u32)) -> Request {
    let alice = Phone::udp(101);
    let mut request = alice.request(method, CALLEE);
    for route in rows(answered, sip::Name::RecordRoute) {
        request = request.row(&format!("Route: {route}"));
    }
    request.call_id.clone_from(&call.call_id);
    request.branch = format!("{}-{method}-{cseq}", call.branch);
    request.to = format!("{};tag=to-tag", call.to);
    request.cseq = cseq;
    request
}

/// Answers a request within a call.
fn agree(office: &mut Office, sent: &[Sent], method: &str) {
    let copy = requests(sent, method).remove(0);
    let contact = format!("Contact: <{CALLEE}>\r\n");
    office.receive(copy.flow, reply(&copy.message, 200, &contact));
}

fn live_through(office: &mut Office, name: &str, fate: Fate) {
    let alice = Phone::udp(101);
    let call = alice.invite("sip:102@example.test").call(name);
    let sent = office.receive(alice.flow, call.wire());
    let copy = requests(&sent, "INVITE").remove(0);
    let says = |office: &mut Office, code, more: &str| {
        office.receive(copy.flow, reply(&copy.message, code, more))
    };
    if fate == Fate::Silent {
        return;
    }
    says(office, 180, "");
    match fate {
        Fate::Refused(code) => drop(says(office, code, "")),
        Fate::GivenUp => {
            let mut cancel = call.clone();
            (cancel.method, cancel.rows, cancel.body) =
                ("CANCEL".into(), String::new(), String::new());
            office.receive(alice.flow, cancel.wire());
            says(office, 487, "");
        }
        Fate::Answered { .. } | Fate::Lost => {
            let more = format!("Contact: <{CALLEE}>\r\nSession-Expires: 90;refresher=uas\r\n");
            let answered = says(office, 200, &more);
            office.receive(alice.flow, within(&call, &answered, ("ACK", 1)).wire());
            if fate == (Fate::Answered { changed: true }) {
                let sent =
                    office.receive(alice.flow, within(&call, &answered, ("INVITE", 2)).wire());
                agree(office, &sent, "INVITE");
                office.receive(alice.flow, within(&call, &answered, ("ACK", 2)).wire());
            }
            if fate != Fate::Lost {
                let sent = office.receive(alice.flow, within(&call, &answered, ("BYE", 3)).wire());
                agree(office, &sent, "BYE");
            }
        }
        Fate::Silent => {}
    }
}

/// So many calls, and an evening in which all that was begun ends; how many records they left.
fn day(office: &mut Office, (day, calls): (u32, u32)) -> u32 {
    // Each day the same fates, so that no day has a busier hour than the first.
    let (mut dice, mut records) = (Dice::new(27), 0);
    let count = |office: &mut Office| {
        let ended = office.events.iter().filter(|event| matches!(event, Event::Called(_))).count();
        office.events.clear();
        u32::try_from(ended).unwrap()
    };
    for call in 0..calls {
        let fate = fate(&mut dice);
        live_through(office, &format!("{day}-{call}"), fate);
        office.wait(Duration::from_millis(50));
        records += count(office);
    }
    // Timer C, 32 s for what is repeated, the session timers of those who were lost.
    office.wait(Duration::from_secs(600));
    records += count(office);
    office.events.shrink_to_fit();
    assert_eq!((office.node.transactions(), office.node.forwarding()), (0, 0), "day {day}");
    assert_eq!(office.node.calling(), 0, "day {day}");
    records
}

/// Octets that may be more after four days than before them: tables that grow in steps. An octet that each call left behind would be 2,000.
const MORE: i64 = 1_999;

#[test]
fn the_server_has_in_the_evening_what_it_had_in_the_morning() {
    const CALLS: u32 = 500;
    const WARM: u32 = 6;
    let timer = Some(SessionTimer { expires: 90, min: 90 });
    let proxy = Proxy { session_timer: timer, ..Proxy::default() };
    let settings = Settings { proxy, challenge: Vec::new(), ..settings() };
    let mut office = Office::new(always_at("102", &[CALLEE], settings));
    // Tables find their size.
    (0..WARM).for_each(|nth| assert_eq!(day(&mut office, (nth, CALLS)), CALLS));
    let life = || {
        for nth in WARM..WARM + 4 {
            assert_eq!(day(&mut office, (nth, CALLS)), CALLS, "each call leaves a record");
        }
    };
    let more = allocation_counter::measure(life).bytes_current;
    assert!(more <= MORE, "{more} octets more");
}
