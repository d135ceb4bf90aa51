//! §17.2: server transactions, what `pure/protocol/src/transaction/tests.rs` does not show.

use offhook_tests::bench::{Bench, ms, request};
use protocol::Transport;
use protocol::transaction::Timers;
use sip::Message;
use sip::header::To;

/// The 100 that we say for a silent user has the To as it came.
/// Proves: rfc3261-17.2.1-2.
#[test]
fn a_100_of_the_transaction_s_own_has_no_tag() {
    for method in ["INVITE", "OPTIONS"] {
        let mut bench = Bench::new(Transport::Udp, Timers::default());
        bench.come(method);
        let at = bench.all.deadline().unwrap();
        bench.all.wake(at, &mut bench.out, &mut Vec::new());
        let trying = Message::parse(bench.sent().pop().unwrap().1).unwrap();
        assert_eq!(trying.status().unwrap().code(), 100);
        assert!(trying.get::<To>().unwrap().tag().is_none());
    }
}

/// RFC 4320 leaves one provisional answer to requests that are no INVITE, and says when: 100, on streams at any time, over datagrams
/// not before 3.5 s. As far as it leaves them, the rules of §17.2.2 stand.
/// Proves: rfc3261-17.2.2-1, rfc3261-17.2.2-2, rfc3261-17.2.2-3, rfc3261-17.2.2-4, rfc4320-3-1, rfc4320-3-2.
#[test]
fn a_100_of_the_user_is_sent_when_it_may_be_and_meets_each_repeat() {
    const TRYING: &str = "SIP/2.0 100 x";
    for (transport, early) in [(Transport::Udp, &[][..]), (Transport::Tcp, &[TRYING][..])] {
        let mut bench = Bench::new(transport, Timers::default());
        let id = bench.come("OPTIONS");
        bench.say(10, id, "OPTIONS", 100);
        assert_eq!(bench.lines(), early);
        bench.hear(20, request("OPTIONS"));
        assert_eq!(bench.lines(), early);
        bench.all.wake(ms(3500), &mut bench.out, &mut Vec::new());
        assert_eq!(bench.lines().len() + early.len(), 1, "one of us has said it");
        bench.say(4000, id, "OPTIONS", 100);
        assert_eq!(bench.lines(), [TRYING]);
        bench.say(4000, id, "OPTIONS", 180);
        assert!(bench.lines().is_empty());
        bench.hear(5000, request("OPTIONS"));
        assert_eq!(bench.lines(), [TRYING]);
        bench.say(6000, id, "OPTIONS", 200);
        assert_eq!(bench.lines(), ["SIP/2.0 200 x"]);
    }
}
