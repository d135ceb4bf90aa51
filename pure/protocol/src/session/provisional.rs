//! `Provisionals`: the reliable provisional responses of a callee, each repeated until its PRACK comes (RFC 3262 §3).
//!
//! There is one at a time: what is to be said next waits for the PRACK of what was said before. So whoever calls need not put them in order.

use machine::{Dice, Time};
use sip::header::RAck;
use sip::{Bytes, Message, Method};

use crate::transaction::{Backoff, Timers};

/// The reliable provisional responses to one INVITE.
#[derive(Debug)]
pub struct Provisionals {
    /// The RSeq of the next; nothing when the numbers are used up, for they must not wrap.
    next: Option<u32>,
    /// The CSeq number of the INVITE.
    cseq: u32,
    waiting: Option<Waiting>,
}

/// One that nobody has acknowledged yet.
#[derive(Debug)]
struct Waiting {
    rseq: u32,
    response: Bytes,
    resend: Backoff,
    until: Time,
}

/// What is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reminder {
    /// Nothing.
    Nothing,
    /// Send the response again in the transaction of the INVITE.
    Again(Bytes),
    /// 64*T1 without a PRACK: the INVITE should be refused with a 5xx.
    GiveUp,
}

impl Provisionals {
    /// For the INVITE with this CSeq number. The first RSeq is anything from 1 to 2^31 - 1.
    pub fn begin(cseq: u32, dice: &mut Dice) -> Self {
        let first = dice.below(u64::from(LAST_FIRST)).saturating_add(1);
        Self { next: u32::try_from(first).ok(), cseq, waiting: None }
    }

    /// The RSeq of the response to send next; nothing while one is not acknowledged.
    pub const fn number(&self) -> Option<u32> {
        if self.waiting.is_some() { None } else { self.next }
    }

    /// True while one is not acknowledged.
    pub const fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// The response with [`number`](Self::number) has gone out.
    pub fn sent(&mut self, now: Time, timers: &Timers, response: Bytes) {
        let Some(rseq) = self.number() else { return };
        self.next = rseq.checked_add(1);
        // §3: the interval doubles each time, without an end but that of patience.
        let resend = Backoff::start(now, timers.t1, timers.patience());
        self.waiting = Some(Waiting { rseq, response, resend, until: now + timers.patience() });
    }

    /// True when this PRACK acknowledges what waits for it; then nothing waits any more.
    pub fn acknowledge(&mut self, prack: &Message) -> bool {
        let Some(rack) = prack.get::<RAck<'_>>() else { return false };
        let fits = |waiting: &mut Waiting| {
            rack.rseq == waiting.rseq && rack.cseq == self.cseq && rack.method == Method::Invite
        };
        self.waiting.take_if(fits).is_some()
    }

    /// Does what is due.
    pub fn wake(&mut self, now: Time) -> Reminder {
        let Some(waiting) = &mut self.waiting else { return Reminder::Nothing };
        if now >= waiting.until {
            return Reminder::GiveUp;
        }
        if waiting.resend.fire(now) {
            Reminder::Again(waiting.response.clone())
        } else {
            Reminder::Nothing
        }
    }

    /// When something is due.
    pub fn deadline(&self) -> Option<Time> {
        self.waiting.as_ref().map(|waiting| waiting.resend.at.min(waiting.until))
    }
}

/// The largest first RSeq (§3).
const LAST_FIRST: u32 = (1 << 31) - 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn prack(rack: &str) -> Message {
        Message::parse(format!("PRACK sip:b@h SIP/2.0\r\nRAck: {rack}\r\n\r\n")).unwrap()
    }

    #[test]
    fn one_at_a_time_each_one_higher_and_only_its_own_prack_counts() {
        let timers = Timers::default();
        let mut all = Provisionals::begin(7, &mut Dice::new(1));
        let first = all.number().unwrap();
        assert!((1..1 << 31).contains(&first));
        all.sent(Time(0), &timers, Bytes::from_static(b"183"));
        assert_eq!(all.number(), None, "not before the first is acknowledged");
        for wrong in [
            format!("{} 7 INVITE", first + 1),
            format!("{first} 8 INVITE"),
            format!("{first} 7 BYE"),
        ] {
            assert!(!all.acknowledge(&prack(&wrong)), "{wrong}");
        }
        assert!(all.acknowledge(&prack(&format!("{first} 7 INVITE"))));
        assert!(!all.acknowledge(&prack(&format!("{first} 7 INVITE"))), "only once");
        assert_eq!(all.number(), Some(first + 1));
    }

    #[test]
    fn it_is_repeated_at_doubling_intervals_for_64_t1() {
        let mut all = Provisionals::begin(1, &mut Dice::new(1));
        all.sent(Time(0), &Timers::default(), Bytes::from_static(b"180"));
        let mut at = Vec::new();
        let end = loop {
            let due = all.deadline().unwrap();
            match all.wake(due) {
                Reminder::Again(_) => at.push(due.0 / 1_000_000),
                Reminder::GiveUp => break due.0 / 1_000_000,
                Reminder::Nothing => panic!("woken for nothing"),
            }
        };
        assert_eq!((at, end), (vec![500, 1500, 3500, 7500, 15500, 31500], 32_000));
    }

    #[test]
    fn the_numbers_do_not_wrap() {
        let mut all = Provisionals { next: Some(u32::MAX), cseq: 1, waiting: None };
        all.sent(Time(0), &Timers::default(), Bytes::from_static(b"180"));
        assert!(all.acknowledge(&prack(&format!("{} 1 INVITE", u32::MAX))));
        assert_eq!(all.number(), None);
    }
}
