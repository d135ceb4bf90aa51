//! What a driver need not read in a flood: only what it can judge counts for that, and what is spared is so at once when the settings change.

use std::net::SocketAddr;
use std::time::Duration;

use machine::{Dice, Machine as _, Time};
use offhook_tests::office::trusting;
use protocol::doors::{Backlog, Deafness};
use protocol::{Flow, Identity, Input, Output, Transport};
use server::settings::Overload;
use server::{House, Node, Settings};
use sip::Message;

/// A server that is never done with reading, and what it has told its driver.
struct Flooded {
    node: Node,
    now: Time,
    /// Whom the calls are for.
    called: &'static str,
    /// Datagrams that are lost in each tenth of a second.
    lost: u64,
    /// How long something has waited to be read.
    waited: Duration,
    told: Vec<Deafness>,
}

impl Flooded {
    fn new() -> Self {
        let node = Node::new(settings(&["112", "+493011234567"]), Dice::new(1));
        Self {
            node,
            now: Time(1_800_000_000_000_000_000),
            called: "104",
            lost: 0,
            waited: Duration::from_millis(50),
            told: Vec::new(),
        }
    }

    /// Tenths of a second, in each of which calls come: by such a transport, with such rows.
    fn live(&mut self, tenths: u32, calls: &[(u32, Transport, &str)]) {
        for _ in 0..tenths {
            self.now = self.now + Duration::from_millis(100);
            let (waited, lost) = (self.waited, self.lost);
            self.hear(Input::Waited(Backlog { waited, lost, read: 128, unread: true }));
            for (count, transport, rows) in calls {
                (0..*count).for_each(|nth| self.hear(self.call(nth, *transport, rows)));
            }
            let mut out = Vec::new();
            self.node.wake(self.now, &mut out);
            self.note(out);
        }
    }

    fn call(&self, nth: u32, transport: Transport, rows: &str) -> Input {
        let [_, a, b, c] = nth.to_be_bytes();
        let peer = SocketAddr::from(([10, a, b, c], 5060));
        let listener = u16::from(transport != Transport::Udp);
        let flow = Flow { transport, listener, connection: 1, peer, identity: Identity::NONE };
        let (id, called) = (format!("{}-{nth:03}-{transport:?}", self.now.0), self.called);
        let wire = format!(
            "INVITE sip:{called}@example.test SIP/2.0\r\nVia: SIP/2.0/UDP phone.elsewhere.test;branch=z9hG4bK{id}\r\nMax-Forwards: 70\r\n\
             From: <sip:c@elsewhere.test>;tag={nth:03}\r\nTo: <sip:104@example.test>\r\nCall-ID: {id}\r\nCSeq: 1 INVITE\r\n\
             Contact: <sip:c@phone.elsewhere.test>\r\n{rows}\r\n\r\n"
        );
        Input::Received(flow, Message::parse(wire).unwrap())
    }

    fn hear(&mut self, input: Input) {
        let mut out = Vec::new();
        self.node.handle(self.now, input, &mut out);
        self.note(out);
    }

    fn note(&mut self, out: Vec<Output>) {
        let told = |output| match output {
            Output::Deafen(deafness) => Some(deafness),
            _ => None,
        };
        self.told.extend(out.into_iter().filter_map(told));
    }
}

fn settings(emergency: &[&str]) -> Settings {
    let emergency = emergency.iter().map(|number| Box::from(*number)).collect();
    let overload = Overload { per_source: 0, emergency, ..Overload::default() };
    Settings { overload, ..trusting() }
}

/// Datagrams that are no requests, so many that most of what comes is lost: that would not be less if requests were left out.
#[test]
fn a_flood_of_what_is_no_request_thins_nobody() {
    let mut flooded = Flooded::new();
    flooded.lost = 1000;
    flooded.live(50, &[(2, Transport::Udp, "Content-Length: 0")]);
    assert_eq!(flooded.told, []);
}

/// After a flood something else comes that is never all read, and of those who call hardly anybody is let through: they are heard again.
#[test]
fn what_is_no_request_keeps_nobody_out_after_a_flood() {
    let mut flooded = Flooded::new();
    flooded.live(60, &[(300, Transport::Udp, "Content-Length: 0")]);
    assert!(flooded.told.last().is_some_and(|told| told.share > 0));
    flooded.waited = Duration::from_secs(2);
    flooded.live(40, &[]);
    assert_eq!(flooded.told.last().map(|told| told.share), Some(0));
}

/// A few by UDP, and a flood by TCP in forms that a driver reads in any case: nobody is left out for it, for that would not make it less.
#[test]
fn a_flood_that_cannot_be_thinned_thins_nobody_else() {
    for (rows, is_thinned) in [
        ("Content-Length: 0", true),
        ("l: 0", false),
        ("Content-Length:\t0", false),
        ("Subject: a\r\n b\r\nContent-Length: 0", false),
        ("Route: <sip:example.test;lr>\r\nContent-Length: 0", false),
    ] {
        let mut flooded = Flooded::new();
        let few = (2, Transport::Udp, "Content-Length: 0");
        flooded.live(60, &[(300, Transport::Tcp, rows), few]);
        assert_eq!(flooded.told.iter().any(|told| told.share > 0), is_thinned, "{rows}");
    }
}

/// So long is the subject of a call, so that what follows begins just before the last octets that the kernel looks at.
const SUBJECT: usize = 287;

/// The same by UDP, where the kernel judges by the first octets.
#[test]
fn what_the_kernel_cannot_judge_thins_nobody() {
    let behind = "User-Agent: a telephone that says its name\r\nl: 0";
    let route = "rOUTE: <sip:example.test;lr>\r\n";
    // There it stands just before the 600th octet, until it is written into the Via from where the request came.
    let far = format!("Subject: {}\r\n{route}", "x".repeat(SUBJECT));
    for (row, is_thinned) in [("", true), (route, false), (&far, false)] {
        let rows = &format!("{row}{behind}");
        let mut flooded = Flooded::new();
        flooded.live(60, &[(300, Transport::Udp, rows)]);
        assert_eq!(flooded.told.iter().any(|told| told.share > 0), is_thinned, "{rows}");
    }
}

/// Of a long number the kernel looks at both ends alone: what has those of one that is spared is read.
#[test]
fn a_number_that_the_kernel_takes_for_one_that_is_spared_thins_nobody() {
    for (called, is_thinned) in [("+493099994567", false), ("+493099994568", true)] {
        let mut flooded = Flooded { called, ..Flooded::new() };
        flooded.live(60, &[(300, Transport::Udp, "User-Agent: a telephone\r\nl: 0")]);
        assert_eq!(flooded.told.iter().any(|told| told.share > 0), is_thinned, "{called}");
    }
}

#[test]
fn a_number_that_is_new_in_the_settings_is_spared_at_once() {
    let mut flooded = Flooded::new();
    flooded.live(60, &[(300, Transport::Udp, "Content-Length: 0")]);
    let before = flooded.told.last().unwrap().clone();
    assert!(before.share > 0 && before.spared.len() == 2, "{before:?}");
    drop(flooded.node.renew(House::new(settings(&["112", "144"]), &mut Dice::new(3))));
    flooded.told.clear();
    flooded.hear(Input::Waited(Backlog { unread: true, ..Backlog::default() }));
    let spared = ["112".into(), "144".into()].into();
    assert_eq!(flooded.told, [Deafness { spared, ..before }]);
}
