//! `Play`: what happens in the demo, scene by scene.

use std::any::Any;
use std::time::{Duration, Instant};

use ladder::{Ladder, Way};
use machine::Time;
use media::{Pair, Recorder, Tone};
use net::Heard;
use phone::{Audio, Call, PhoneEvent};
use protocol::doors::{CallQuality, Event};

use super::narrator::{Lessons, Narrator, look};
use super::say;
use super::side::Side;
use super::stage::{Stage, Who};
use super::verdict::{Expected, Hearing, Scene};
use crate::softphone::Softphone;

/// How fast the demo goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// A call of a few seconds.
    Usual,
    /// With time to read each line.
    Slow,
}

/// What is shown while it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// The ladder.
    Ladder,
    /// Nothing.
    Nothing,
}

/// The demo while it is played.
pub(super) struct Play {
    stage: Stage,
    narrator: Narrator,
    pace: Pace,
    shown: Shown,
    /// What the phones have said and nobody has asked for yet.
    said: Vec<(Side, PhoneEvent)>,
    quality: [Option<CallQuality>; 2],
    /// When the latest thing happened that was shown. A slow narrator is behind the clock.
    shown_until: Time,
}

type Voice = Pair<Tone, Recorder>;

/// How long anything may take before the demo gives up.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long it rings, how long the two talk before and after the hold, and how long that lasts.
const RINGING: Duration = Duration::from_millis(800);
const TALK: Duration = Duration::from_secs(2);
const HOLD: Duration = Duration::from_secs(1);

/// How long each line of the ladder is left alone for a reader.
const READING: Duration = Duration::from_millis(1200);

impl Play {
    pub(super) fn new(
        stage: Stage,
        lessons: Lessons,
        pace: Pace,
        shown: Shown,
    ) -> Result<Self, String> {
        let address = |side: Side| {
            let phone = &side.of(&stage.actors).phone;
            Ok::<_, String>((side, phone.address().ok_or("a phone listens nowhere")?))
        };
        let phones = [address(Side::Alice)?, address(Side::Bob)?];
        let narrator = Narrator::new(look(), phones, lessons);
        let shown_until = stage.server.handle().now();
        let (said, quality) = (Vec::new(), [None; 2]);
        Ok(Self { stage, narrator, pace, shown, said, quality, shown_until })
    }

    /// What was drawn.
    pub(super) const fn ladder(&self) -> &Ladder {
        self.narrator.ladder()
    }

    /// Gives the stage back.
    pub(super) fn end(self) -> Stage {
        self.stage
    }

    /// Plays it all. What each side heard.
    pub(super) fn perform(&mut self) -> Result<[Hearing; 2], String> {
        let head = self.narrator.head();
        self.show(&head);
        self.register()?;
        let calls = self.call()?;
        let before = self.talk(calls)?;
        let on_hold = self.hold(calls)?;
        let after = self.talk(calls)?;
        self.hang_up(calls)?;
        let foot = self.narrator.foot();
        self.show(&foot);
        let [before, on_hold, after] = [before, on_hold, after].map(|scenes| scenes.map(Some));
        let mut scenes = [before, on_hold, after];
        let mut hearing = |side: Side| {
            let taken = scenes.each_mut().map(|scenes| side.of_mut(scenes).take());
            let [Some(before), Some(on_hold), Some(after)] = taken else { return None };
            let quality = *side.of(&self.quality);
            Some(Hearing { side, scenes: [before, on_hold, after], quality })
        };
        match Side::BOTH.map(&mut hearing) {
            [Some(alice), Some(bob)] => Ok([alice, bob]),
            _ => Err("somebody heard nothing".into()),
        }
    }

    fn register(&mut self) -> Result<(), String> {
        self.caption("Both phones register: now the server knows where they are");
        for side in Side::BOTH {
            self.phone(side).ask(|phone, now, out| phone.register(now, out))?;
            self.wait(side, |event| matches!(event, PhoneEvent::Registered { .. }).then_some(()))?;
        }
        Ok(())
    }

    /// Alice calls, it rings, Bob answers. The call, as each of them numbers it.
    fn call(&mut self) -> Result<[Call; 2], String> {
        self.caption("Alice calls Bob");
        let target = Side::Bob.of(&self.stage.actors).number.clone();
        let voice = voice(Side::Alice);
        let alices = self
            .phone(Side::Alice)
            .obey(move |phone, now, out| phone.call(now, &target, voice, out))?;
        let bobs = self.wait(Side::Bob, |event| match event {
            PhoneEvent::Incoming { call, .. } => Some(*call),
            _ => None,
        })?;
        self.phone(Side::Bob).obey(move |phone, now, out| phone.ring(now, bobs, out))?;
        self.wait(Side::Alice, |event| match event {
            PhoneEvent::Progress { status: 180, .. } => Some(()),
            _ => None,
        })?;
        let lines = self.narrator.remark(self.shown_until, Side::Bob, "rings");
        self.show(&lines);
        self.watch(RINGING)?;
        let voice = self::voice(Side::Bob);
        self.phone(Side::Bob).obey(move |phone, now, out| phone.answer(now, bobs, voice, out))?;
        for side in Side::BOTH {
            self.wait(side, |event| matches!(event, PhoneEvent::Established { .. }).then_some(()))?;
        }
        Ok([alices, bobs])
    }

    /// Both talk for a while. What each of them heard.
    fn talk(&mut self, calls: [Call; 2]) -> Result<[Scene; 2], String> {
        let lines = self.narrator.media(self.shown_until, "sound, both ways (RTP)", Way::Both);
        self.show(&lines);
        self.scene(calls, Expected::Tone, TALK)
    }

    /// Alice puts Bob on hold, and takes him back. What each of them heard meanwhile.
    fn hold(&mut self, calls: [Call; 2]) -> Result<[Scene; 2], String> {
        let alices = *Side::Alice.of(&calls);
        let done = |event: &PhoneEvent| match event {
            PhoneEvent::HoldDone { status, .. } => Some(*status),
            _ => None,
        };
        let agreed = |status: u16| {
            if status == 200 { Ok(()) } else { Err(format!("the hold was answered with {status}")) }
        };
        self.caption("Alice puts Bob on hold");
        self.phone(Side::Alice).obey(move |phone, now, out| phone.hold(now, alices, out))?;
        agreed(self.wait(Side::Alice, done)?)?;
        let lines = self.narrator.hold(self.shown_until, Side::Bob);
        self.show(&lines);
        let heard = self.scene(calls, Expected::Silence, HOLD)?;
        self.caption("Alice takes Bob back");
        self.phone(Side::Alice).obey(move |phone, now, out| phone.resume(now, alices, out))?;
        agreed(self.wait(Side::Alice, done)?)?;
        let lines = self.narrator.resume(self.shown_until, Side::Bob);
        self.show(&lines);
        Ok(heard)
    }

    fn hang_up(&mut self, calls: [Call; 2]) -> Result<(), String> {
        self.caption("Alice hangs up");
        let alices = *Side::Alice.of(&calls);
        self.phone(Side::Alice).obey(move |phone, now, out| phone.hang_up(now, alices, out))?;
        for side in Side::BOTH {
            let quality = self.wait(side, |event| match event {
                PhoneEvent::Quality { quality, .. } => Some(**quality),
                _ => None,
            })?;
            *side.of_mut(&mut self.quality) = Some(quality);
            self.wait(side, |event| matches!(event, PhoneEvent::Ended { .. }).then_some(()))?;
        }
        // The last answer may still be on its way.
        self.watch(Duration::from_millis(100))
    }

    /// What is heard from now on, for a while.
    fn scene(
        &mut self,
        calls: [Call; 2],
        expected: Expected,
        lasting: Duration,
    ) -> Result<[Scene; 2], String> {
        self.ears(calls)?;
        let began = Instant::now();
        self.watch(lasting)?;
        let lasted = began.elapsed();
        let [alice, bob] = self.ears(calls)?;
        Ok([alice, bob].map(|samples| Scene { expected, lasted, samples }))
    }

    /// Takes what both have heard so far.
    fn ears(&self, calls: [Call; 2]) -> Result<[Vec<i16>; 2], String> {
        let ear = |side: Side| {
            let call = *side.of(&calls);
            self.phone(side).ask(move |phone, _, _| {
                let audio: &mut dyn Any = phone.audio(call)?;
                audio.downcast_mut::<Voice>().map(|voice| voice.ear.take())
            })
        };
        match [ear(Side::Alice)?, ear(Side::Bob)?] {
            [Some(alice), Some(bob)] => Ok([alice, bob]),
            _ => Err("a call has no ear".into()),
        }
    }

    /// Shows what happens until this phone says what is waited for.
    fn wait<T>(
        &mut self,
        side: Side,
        wanted: impl Fn(&PhoneEvent) -> Option<T>,
    ) -> Result<T, String> {
        let until = Instant::now() + self.paced(PATIENCE);
        loop {
            let found =
                self.said.iter().position(|(who, event)| *who == side && wanted(event).is_some());
            if let Some((_, event)) = found.map(|at| self.said.remove(at))
                && let Some(found) = wanted(&event)
            {
                return Ok(found);
            }
            if let Some((_, event)) = self.said.iter().find(|(_, event)| is_trouble(event)) {
                return Err(format!("{}: {event:?}", side.name()));
            }
            match self.stage.next(until)? {
                Some((who, heard)) => self.take(who, heard),
                None => return Err(format!("{} waited in vain", side.name())),
            }
        }
    }

    /// Shows what happens for a while.
    fn watch(&mut self, lasting: Duration) -> Result<(), String> {
        let until = Instant::now() + lasting;
        while let Some((who, heard)) = self.stage.next(until)? {
            self.take(who, heard);
        }
        Ok(())
    }

    fn take(&mut self, who: Who, heard: Heard) {
        match (who, heard) {
            (Who::Server, Heard::Message(passed)) => {
                self.shown_until = self.shown_until.max(passed.at);
                let lines = self.narrator.message(&passed);
                self.show(&lines);
            }
            (Who::Phone(side), Heard::Event(at, _, Event::Phone(event))) => {
                self.shown_until = self.shown_until.max(at);
                self.said.push((side, event));
            }
            _ => {}
        }
    }

    fn phone(&self, side: Side) -> &Softphone {
        &side.of(&self.stage.actors).phone
    }

    fn caption(&mut self, text: &str) {
        let lines = self.narrator.caption(self.shown_until, text);
        self.show(&lines);
    }

    fn show(&self, lines: &str) {
        if lines.is_empty() || self.shown == Shown::Nothing {
            return;
        }
        say(lines);
        if self.pace == Pace::Slow {
            // Time to read it. The phones go on talking meanwhile.
            std::thread::sleep(READING);
        }
    }

    fn paced(&self, time: Duration) -> Duration {
        if self.pace == Pace::Slow { time * 4 } else { time }
    }
}

/// A phone with a tone for a mouth, and an ear that remembers.
fn voice(side: Side) -> Box<dyn Audio> {
    Box::new(Pair { mouth: Tone::sine(side.hz()), ear: Recorder::default() })
}

/// What ends the demo before its time.
fn is_trouble(event: &PhoneEvent) -> bool {
    matches!(event, PhoneEvent::NotRegistered { .. })
        || matches!(event, PhoneEvent::Ended { status, .. } if *status != 200)
}
