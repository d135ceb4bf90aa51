//! Push: a phone that sleeps is woken through the notification service of its maker, and called when it has registered again (RFC 8599).
//!
//! A request for it waits in its proxy; here, on the shard that keeps the phone's bindings, is who waits for whom. How a notification is
//! sent is the business of a program outside; all that matters here is whether the phone comes back in time.

mod sleeper;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use machine::{Alarms, Time};
use protocol::doors::{Asker, Question, Reach, Sleeper, Ticket};
use protocol::{Answer, Output};

use crate::house::House;
use crate::limits;
use crate::location::Binding;
use crate::turn::Turn;

pub(crate) use sleeper::{asleep, can_be_woken, capabilities, least_expiry, names};

/// Phones that are being woken.
#[derive(Debug, Default)]
pub(crate) struct Push {
    waking: BTreeMap<u64, Waking>,
    by_user: BTreeMap<Box<[u8]>, BTreeSet<u64>>,
    /// Notifications on their way; nobody waits for one that only reminds a phone to register.
    sent: BTreeMap<Ticket, Option<u64>>,
    /// When a user's phones are to be reminded.
    reminders: BTreeMap<Box<[u8]>, Time>,
    alarms: Alarms<Alarm>,
    asked: u64,
}

/// One phone that is being woken.
#[derive(Debug)]
struct Waking {
    sleeper: Sleeper,
    /// The REGISTER that its binding was of: the next one wakes whoever waits.
    before: (Box<[u8]>, u32),
    waiting: Vec<Asker>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Alarm {
    GiveUp(u64),
    Remind(Box<[u8]>),
}

/// A phone that cannot register by itself is reminded so long before its binding ends (RFC 8599 §5.5).
pub(crate) const REMIND: Duration = Duration::from_secs(120);

impl Push {
    /// A proxy wants a phone to be woken. Whoever wants the same phone later waits for the same notification.
    pub(crate) fn wake(
        &mut self,
        turn: &mut Turn<'_>,
        asker: Asker,
        (sleeper, bindings): (Sleeper, &[Binding]),
    ) {
        let Some(binding) = bindings.iter().find(|binding| names(binding, &sleeper)) else {
            return turn.out.push(Output::Tell(asker, Answer::Nothing));
        };
        let numbers = self.by_user.get(&sleeper.aor).into_iter().flatten().copied();
        let same = numbers
            .into_iter()
            .find(|number| self.waking.get(number).is_some_and(|waking| waking.sleeper == sleeper));
        if let Some(waking) = same.and_then(|number| self.waking.get_mut(&number)) {
            if waking.waiting.len() < limits::SLEEPLESS {
                return waking.waiting.push(asker);
            }
            return turn.out.push(Output::Tell(asker, Answer::Nothing));
        }
        if self.waking.len() >= limits::SLEEPERS {
            return turn.out.push(Output::Tell(asker, Answer::Nothing));
        }
        let before = (binding.call_id().into(), binding.cseq);
        self.asked += 1;
        let number = self.asked;
        self.by_user.entry(sleeper.aor.clone()).or_default().insert(number);
        self.alarms.set(turn.now + wait(turn), Alarm::GiveUp(number));
        self.notify(turn, sleeper.clone(), Some(number));
        self.waking.insert(number, Waking { sleeper, before, waiting: vec![asker] });
    }

    fn notify(&mut self, turn: &mut Turn<'_>, sleeper: Sleeper, whom: Option<u64>) {
        self.asked += 1;
        let ticket = Ticket(self.asked | OURS);
        self.sent.insert(ticket, whom);
        turn.out.push(Output::Ask(ticket, Question::Push(Box::new(sleeper))));
    }

    /// True for an answer of the notification service; it is taken then. When it refuses, nobody waits any longer (RFC 8599 §5.6.2).
    pub(crate) fn answered(
        &mut self,
        turn: &mut Turn<'_>,
        ticket: Ticket,
        answer: &Answer,
    ) -> bool {
        let Some(whom) = self.sent.remove(&ticket) else { return false };
        if let Some(number) = whom
            && *answer != Answer::Pushed
        {
            self.end(turn, number, None);
        }
        true
    }

    /// The bindings of a user may have changed: who waits for a phone that has registered again may go on.
    pub(crate) fn changed(&mut self, turn: &mut Turn<'_>, aor: &[u8], bindings: &[Binding]) {
        if turn.house.settings.push.is_none() {
            return;
        }
        for number in self.by_user.get(aor).cloned().unwrap_or_default() {
            let Some(waking) = self.waking.get(&number) else { continue };
            match bindings.iter().rfind(|binding| names(binding, &waking.sleeper)) {
                None => self.end(turn, number, None),
                Some(binding)
                    if (binding.call_id(), binding.cseq) != (&waking.before.0, waking.before.1) =>
                {
                    self.end(turn, number, Some(binding.reach()));
                }
                Some(_) => {}
            }
        }
        self.plan((turn.now, turn.house), aor, bindings);
    }

    /// When its phones are to be reminded. One alarm a user: for the first of its bindings that ends and cannot be refreshed without us.
    pub(crate) fn plan(&mut self, (now, house): (Time, &House), aor: &[u8], bindings: &[Binding]) {
        let needy = bindings.iter().filter(|binding| needs_reminder(house, aor, binding));
        let Some(first) = needy.map(|binding| binding.until).min() else {
            self.reminders.remove(aor);
            return;
        };
        let due = Time(first.0.saturating_sub(nanos(REMIND)));
        if due > now && self.reminders.get(aor) != Some(&due) {
            self.reminders.insert(aor.into(), due);
            self.alarms.set(due, Alarm::Remind(aor.into()));
        }
    }

    /// Does what is due; `bindings` tells what a user has.
    pub(crate) fn ring(&mut self, turn: &mut Turn<'_>, bindings: impl Fn(&[u8]) -> Vec<Binding>) {
        while let Some(alarm) = self.alarms.due(turn.now) {
            match alarm {
                Alarm::GiveUp(number) => self.end(turn, number, None),
                // One that was moved rings again.
                Alarm::Remind(aor)
                    if self.reminders.get(&aor).is_none_or(|due| *due > turn.now) => {}
                Alarm::Remind(aor) => {
                    self.reminders.remove(&aor);
                    self.remind(turn, &aor, &bindings(&aor));
                }
            }
        }
    }

    fn remind(&mut self, turn: &mut Turn<'_>, aor: &[u8], bindings: &[Binding]) {
        let soon = turn.now + REMIND;
        for binding in bindings.iter().filter(|binding| binding.until <= soon) {
            if needs_reminder(turn.house, aor, binding)
                && let Some(sleeper) = can_be_woken(turn.house, aor, binding.uri())
                && self.sent.len() < limits::SLEEPERS
            {
                self.notify(turn, sleeper, None);
            }
        }
        let later: Vec<_> =
            bindings.iter().filter(|binding| binding.until > soon).cloned().collect();
        self.plan((turn.now, turn.house), aor, &later);
    }

    fn end(&mut self, turn: &mut Turn<'_>, number: u64, awake: Option<Reach>) {
        let Some(waking) = self.waking.remove(&number) else { return };
        if let Some(numbers) = self.by_user.get_mut(&waking.sleeper.aor) {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.by_user.remove(&waking.sleeper.aor);
            }
        }
        let answer = awake.map_or(Answer::Nothing, |reach| Answer::Bindings(vec![reach]));
        for asker in waking.waiting {
            turn.out.push(Output::Tell(asker, answer.clone()));
        }
    }

    /// When something is due.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.alarms.next()
    }
}

/// Tickets of ours have this bit, and the proxy's have not.
const OURS: u64 = 1 << 62;

fn needs_reminder(house: &House, aor: &[u8], binding: &Binding) -> bool {
    !sip::Params::new(binding.features()).has(sleeper::BY_ITSELF)
        && can_be_woken(house, aor, binding.uri()).is_some()
}

fn wait(turn: &Turn<'_>) -> Duration {
    turn.house.settings.push.as_ref().map_or(Duration::ZERO, |push| push.wait)
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
