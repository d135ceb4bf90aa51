//! CANCEL at every state of a fork, in every order of what two phones say (traps 1 and 2).

use std::collections::BTreeMap;
use std::time::Duration;

use offhook_tests::office::{
    Office, Phone, Request, Sent, method, reply, requests, status, trusting,
};
use server::Settings;
use sip::header::{CSeq, Via};

/// What a phone says, one after another.
const SCRIPTS: [&[u16]; 11] = [
    &[],
    &[100],
    &[180],
    &[200],
    &[486],
    &[603],
    &[180, 200],
    &[180, 486],
    &[180, 487],
    &[100, 183, 200],
    &[180, 603],
];

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// This phone says the next thing of its script.
    Says(usize),
    /// The caller hangs up.
    Cancel,
}

/// Every order of what is left to happen: steps of the first phone, of the second, and CANCELs.
fn orders(left: [usize; 3], before: &mut Vec<Step>, found: &mut Vec<Vec<Step>>) {
    if left == [0; 3] {
        return found.push(before.clone());
    }
    for (next, step) in [Step::Says(0), Step::Says(1), Step::Cancel].into_iter().enumerate() {
        if left[next] > 0 {
            let mut left = left;
            left[next] -= 1;
            before.push(step);
            orders(left, before, found);
            before.pop();
        }
    }
}

/// One life of a fork, and what was seen of it.
struct Life {
    office: Office,
    alice: Phone,
    invite: Request,
    copies: Vec<Sent>,
    /// By phone: what it has said.
    said: [Vec<u16>; 2],
    /// By phone: how many CANCELs and ACKs it got.
    got: [BTreeMap<String, usize>; 2],
    /// What the caller got for its INVITE.
    heard: Vec<u16>,
    cancelled: Option<Vec<u16>>,
}

impl Life {
    fn begin() -> Self {
        let mut office = Office::new(Settings { users: Vec::new(), ..trusting() });
        let (alice, bob) = (Phone::udp(101), Phone::udp(102));
        office.register_at(&bob, "<sip:a@198.51.100.21>, <sip:b@198.51.100.22>");
        let invite = alice.invite("sip:102@example.test");
        let sent = office.receive(alice.flow, invite.wire());
        let copies = requests(&sent, "INVITE");
        assert_eq!(copies.len(), 2);
        Self {
            office,
            alice,
            invite,
            copies,
            said: Default::default(),
            got: Default::default(),
            heard: Vec::new(),
            cancelled: None,
        }
    }

    fn step(&mut self, step: Step, scripts: [&[u16]; 2]) {
        let sent = match step {
            Step::Cancel => {
                let mut cancel = self.invite.clone();
                (cancel.method, cancel.body) = ("CANCEL".into(), String::new());
                let sent = self.office.receive(self.alice.flow, cancel.wire());
                assert_eq!(status(&sent), 200, "a CANCEL is answered at once");
                self.cancelled = Some(self.heard.clone());
                sent
            }
            Step::Says(phone) => {
                let code = scripts[phone][self.said[phone].len()];
                self.said[phone].push(code);
                let copy = &self.copies[phone];
                // Each phone has a tag of its own: two 2xx are two dialogs.
                let answer = reply(&copy.message, code, "").replace("to-tag", &format!("t{phone}"));
                self.office.receive(copy.flow, answer)
            }
        };
        self.note(&sent);
    }

    fn note(&mut self, sent: &[Sent]) {
        for sent in sent {
            match sent.message.status() {
                Some(code) => {
                    assert_eq!(sent.flow, self.alice.flow);
                    let cseq = sent.message.get::<CSeq<'_>>().unwrap();
                    if cseq.method == sip::Method::Invite && code.is_final() {
                        self.heard.push(code.code());
                    }
                }
                None => {
                    let branch = |sent: &Sent| {
                        sent.message.get::<Via<'_>>().unwrap().branch().unwrap().to_vec()
                    };
                    let phone = self.copies.iter().position(|copy| branch(copy) == branch(sent));
                    let phone = phone.expect("of a branch of ours");
                    assert_eq!(sent.flow, self.copies[phone].flow);
                    *self.got[phone].entry(method(sent).to_owned()).or_default() += 1;
                    if method(sent) == "CANCEL" {
                        let said = &self.said[phone];
                        assert!(!said.is_empty(), "§9.1: not before a provisional answer");
                        assert!(said.iter().all(|code| *code < 200), "not after a final one");
                    }
                }
            }
        }
    }

    /// Answers as a phone does that was cancelled, then lets everything run out; what must be true of every life.
    fn end(mut self) -> Result<(), String> {
        for phone in [0, 1] {
            let open = self.said[phone].iter().all(|code| *code < 200);
            if open && self.got[phone].contains_key("CANCEL") {
                self.said[phone].push(487);
                let copy = self.copies[phone].clone();
                let sent = self.office.receive(copy.flow, reply(&copy.message, 487, ""));
                self.note(&sent);
            }
        }
        let (fine, refused): (Vec<_>, Vec<_>) =
            self.heard.iter().copied().partition(|code| *code < 300);
        let answers = self.said.iter().flatten().filter(|code| **code == 200).count();
        let must = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
        must(fine.len() == answers, "every 2xx reaches the caller")?;
        for (said, got) in self.said.iter().zip(&self.got) {
            let count = |method: &str| got.get(method).copied().unwrap_or(0);
            must(count("CANCEL") <= 1, "one CANCEL a branch")?;
            let refused = said.iter().any(|code| *code >= 300);
            must(count("ACK") == usize::from(refused), "an ACK for each refusal, none for a 2xx")?;
            let rings = said.last().is_some_and(|code| *code < 200);
            let over = answers > 0 || self.cancelled.is_some() || self.heard.contains(&603);
            must(!(rings && over) || count("CANCEL") == 1, "what rings in vain is cancelled")?;
        }
        self.office.wait(Duration::from_secs(400));
        must(
            self.office.node.transactions() == 0 && self.office.node.forwarding() == 0,
            "nothing is left",
        )?;
        match &self.cancelled {
            Some(before) if before.is_empty() && answers == 0 => {
                let known = |code: &u16| matches!(code, 408 | 486 | 487 | 603);
                must(refused.iter().all(known) && refused.len() <= 1, "one refusal, a known one")
            }
            _ => must(refused.len() <= 1, "at most one refusal"),
        }
    }
}

#[test]
fn a_cancel_at_every_state_in_every_order() {
    let mut lives = 0;
    for first in SCRIPTS {
        for second in SCRIPTS {
            for cancels in [0, 1] {
                let mut all = Vec::new();
                orders([first.len(), second.len(), cancels], &mut Vec::new(), &mut all);
                for order in all {
                    let mut life = Life::begin();
                    order.iter().for_each(|step| life.step(*step, [first, second]));
                    let end = life.end();
                    assert!(end.is_ok(), "{first:?} {second:?} {order:?}: {end:?}");
                    lives += 1;
                }
            }
        }
    }
    assert!(lives > 2_000, "{lives}");
}
