//! `Attendant`: somebody who sits at a phone, with habits: rings, answers, refuses, talks for a while, hangs up.

use std::collections::BTreeMap;
use std::time::Duration;

use machine::{Machine, Time};
use media::Silence;
use phone::{Audio, Call, Phone, PhoneEvent};
use protocol::doors::{Event, Input, Output};

/// A phone and who sits at it.
pub struct Attendant {
    /// The phone.
    pub phone: Phone,
    /// What is done with calls that come in.
    pub habits: Habits,
    /// What the phone has told, with its time.
    pub told: Vec<(Time, PhoneEvent)>,
    /// How long calls of ours may ring and last, by call.
    wishes: BTreeMap<Call, Wish>,
    plans: BTreeMap<(Time, u64), (Call, Deed)>,
    planned: u64,
}

/// What is done with calls that come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Habits {
    /// It rings after this long; never, when there is nothing.
    pub ring: Option<Duration>,
    /// What follows, counted from the call's arrival.
    pub then: Pickup,
    /// How long a call lasts before it is hung up here; nothing: that is left to the other side.
    pub talk: Option<Duration>,
}

/// What follows the ringing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pickup {
    /// The call is answered after this long.
    Answer(Duration),
    /// The call is refused after this long.
    Refuse(Duration, u16),
    /// Nobody is there.
    Never,
}

/// What a caller wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Gives up after this long, counted from dialling, when it is not answered.
    pub patience: Option<Duration>,
    /// Hangs up this long after it was answered.
    pub talk: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Ring,
    Answer,
    Refuse(u16),
    HangUp,
    /// Hangs up unless it was answered.
    GiveUp,
}

impl Habits {
    /// Rings at once, answers after a second, and leaves hanging up to the caller.
    pub const POLITE: Self = Self {
        ring: Some(Duration::ZERO),
        then: Pickup::Answer(Duration::from_secs(1)),
        talk: None,
    };
}

impl Machine for Attendant {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Time, input: Input, out: &mut Vec<Output>) {
        let from = out.len();
        self.phone.handle(now, input, out);
        self.follow(now, from, out);
    }

    fn wake(&mut self, now: Time, out: &mut Vec<Output>) {
        let from = out.len();
        if self.phone.deadline().is_some_and(|due| due <= now) {
            self.phone.wake(now, out);
        }
        self.follow(now, from, out);
    }

    fn deadline(&self) -> Option<Time> {
        let plan = self.plans.keys().next().map(|(due, _)| *due);
        self.phone.deadline().into_iter().chain(plan).min()
    }
}

impl Attendant {
    /// Sits down at a phone.
    pub fn new(phone: Phone, habits: Habits) -> Self {
        let (wishes, plans) = (BTreeMap::new(), BTreeMap::new());
        Self { phone, habits, told: Vec::new(), wishes, plans, planned: 0 }
    }

    /// Calls somebody.
    pub fn dial(
        &mut self,
        now: Time,
        target: &str,
        (wish, audio): (Wish, Box<dyn Audio>),
        out: &mut Vec<Output>,
    ) -> Call {
        let from = out.len();
        let call = self.phone.call(now, target, audio, out).unwrap();
        self.wishes.insert(call, wish);
        if let Some(patience) = wish.patience {
            self.plan(now + patience, call, Deed::GiveUp);
        }
        self.notice(now, &out[from..]);
        call
    }

    /// Does something with the phone by hand.
    pub fn by_hand<R>(
        &mut self,
        now: Time,
        out: &mut Vec<Output>,
        deed: impl FnOnce(&mut Phone, Time, &mut Vec<Output>) -> R,
    ) -> R {
        let from = out.len();
        let answer = deed(&mut self.phone, now, out);
        self.notice(now, &out[from..]);
        answer
    }

    /// How a call ended: the status.
    pub fn end_of(&self, call: Call) -> Option<u16> {
        self.told.iter().find_map(|(_, event)| match event {
            PhoneEvent::Ended { call: ended, status, .. } if *ended == call => Some(*status),
            _ => None,
        })
    }

    /// True once a call was up.
    pub fn was_up(&self, call: Call) -> bool {
        self.told.iter().any(|(_, event)| *event == PhoneEvent::Established { call })
    }

    /// The call that came in last.
    pub fn incoming(&self) -> Option<Call> {
        self.told.iter().rev().find_map(|(_, event)| match event {
            PhoneEvent::Incoming { call, .. } => Some(*call),
            _ => None,
        })
    }

    /// How often a call began or came in, and how often one ended.
    pub fn begun_and_ended(&self) -> (usize, usize) {
        let count =
            |fits: fn(&PhoneEvent) -> bool| self.told.iter().filter(|(_, one)| fits(one)).count();
        let came = count(|event| matches!(event, PhoneEvent::Incoming { .. }));
        let ended = count(|event| matches!(event, PhoneEvent::Ended { .. }));
        (self.wishes.len() + came, ended)
    }

    /// Notices what was said, and does what is due. That may make something else due at once: whoever talks for no time hangs up as it
    /// answers.
    fn follow(&mut self, now: Time, mut from: usize, out: &mut Vec<Output>) {
        self.notice(now, &out[from..]);
        while let Some(plan) = self.plans.first_entry().filter(|plan| plan.key().0 <= now) {
            let (call, deed) = plan.remove();
            from = out.len();
            self.act(now, call, deed, out);
            self.notice(now, &out[from..]);
        }
    }

    fn notice(&mut self, now: Time, said: &[Output]) {
        for output in said {
            let Output::Report(Event::Phone(event)) = output else { continue };
            self.told.push((now, event.clone()));
            match event {
                PhoneEvent::Incoming { call, .. } => self.welcome(now, *call),
                PhoneEvent::Established { call } => {
                    let ours = self.wishes.get(call).map(|wish| wish.talk);
                    if let Some(talk) = ours.unwrap_or(self.habits.talk) {
                        self.plan(now + talk, *call, Deed::HangUp);
                    }
                }
                _ => {}
            }
        }
    }

    fn welcome(&mut self, now: Time, call: Call) {
        if let Some(ring) = self.habits.ring {
            self.plan(now + ring, call, Deed::Ring);
        }
        match self.habits.then {
            Pickup::Answer(after) => self.plan(now + after, call, Deed::Answer),
            Pickup::Refuse(after, status) => self.plan(now + after, call, Deed::Refuse(status)),
            Pickup::Never => {}
        }
    }

    fn plan(&mut self, due: Time, call: Call, deed: Deed) {
        self.planned += 1;
        self.plans.insert((due, self.planned), (call, deed));
    }

    /// The call may be over, or somewhere else than it was when this was planned: then nothing happens.
    fn act(&mut self, now: Time, call: Call, deed: Deed, out: &mut Vec<Output>) {
        let was_up = self.was_up(call);
        let _ = match deed {
            Deed::Ring => self.phone.ring(now, call, out),
            Deed::Answer => self.phone.answer(now, call, Box::new(Silence), out),
            Deed::Refuse(status) => self.phone.refuse(now, call, status, out),
            Deed::GiveUp if was_up => Ok(()),
            Deed::HangUp | Deed::GiveUp => self.phone.hang_up(now, call, out),
        };
    }
}
