//! `Mixer`: several calls and the owner of the phone at one table, where each hears all others.

mod limiter;

use std::collections::VecDeque;

use machine::Time;

use crate::audio::Audio;
use crate::clock::{FRAME, FRAME_TIME};
use crate::limits;
use limiter::Limiter;

type Frame = [i16; FRAME];

/// A seat at the table: the mouth and the ear of one call that takes part. What that call says waits here until the [`Mixer`] fetches it, and what
/// the others say until the call asks for it.
#[derive(Clone, Debug, Default)]
pub struct Seat {
    heard: VecDeque<Frame>,
    said: VecDeque<Frame>,
    limiter: Limiter,
}

impl Audio for Seat {
    fn speak(&mut self, frame: &mut [i16]) {
        let said = self.said.pop_front().unwrap_or([0; FRAME]);
        frame.iter_mut().zip(said).for_each(|(to, from)| *to = from);
    }

    fn hear(&mut self, frame: &[i16]) {
        let mut heard = [0; FRAME];
        heard.iter_mut().zip(frame).for_each(|(to, from)| *to = *from);
        keep(&mut self.heard, heard);
    }
}

/// What is too old is not kept: nobody wants to be heard later and later.
fn keep(queue: &mut VecDeque<Frame>, frame: Frame) {
    if queue.len() >= limits::FRAMES_AT_THE_TABLE {
        queue.pop_front();
    }
    queue.push_back(frame);
}

/// The table: every 20 ms each hears the sum of all others, and never itself.
///
/// ```
/// use machine::Time;
/// use offhook_media::{Audio, Mixer, Recorder, Seat};
///
/// let (mut ann, mut bob, mut owner) = (Seat::default(), Seat::default(), Recorder::default());
/// let mut mixer = Mixer::new(Time(0));
/// ann.hear(&[1000; 320]); // what came from Ann
/// mixer.wake(mixer.deadline(), &mut owner, &mut [&mut ann, &mut bob]);
///
/// let mut said = [0; 320];
/// bob.speak(&mut said); // what goes to Bob
/// assert_eq!((said[319], owner.samples()[319]), (1000, 1000));
/// ann.speak(&mut said);
/// assert_eq!(said, [0; 320]);
/// ```
#[derive(Clone, Debug)]
pub struct Mixer {
    tick: Time,
    limiter: Limiter,
}

impl Mixer {
    /// A table that is opened now.
    pub fn new(now: Time) -> Self {
        Self { tick: now + FRAME_TIME, limiter: Limiter::default() }
    }

    /// The moment by which [`wake`](Self::wake) must be called.
    pub const fn deadline(&self) -> Time {
        self.tick
    }

    /// Carries what was said since the last time to everybody else. `owner` sits at the table too. When it is called much too late, what is too old is
    /// left out.
    pub fn wake(&mut self, now: Time, owner: &mut dyn Audio, seats: &mut [&mut Seat]) {
        for _ in 0..limits::FRAMES_AT_THE_TABLE {
            if self.tick > now {
                return;
            }
            self.round(owner, seats);
            self.tick = self.tick + FRAME_TIME;
        }
        if self.tick <= now {
            self.tick = now + FRAME_TIME;
        }
    }

    fn round(&mut self, owner: &mut dyn Audio, seats: &mut [&mut Seat]) {
        let mut own = [0; FRAME];
        owner.speak(&mut own);
        let voices: Vec<Frame> =
            seats.iter_mut().map(|seat| seat.heard.pop_front().unwrap_or([0; FRAME])).collect();
        let mut sum = own.map(i32::from);
        for voice in &voices {
            add(&mut sum, voice);
        }
        for (seat, voice) in seats.iter_mut().zip(&voices) {
            let others = without(&sum, voice);
            let said = seat.limiter.pass(&others);
            keep(&mut seat.said, said);
        }
        let others = without(&sum, &own);
        owner.hear(&self.limiter.pass(&others));
    }
}

fn add(sum: &mut [i32; FRAME], voice: &Frame) {
    sum.iter_mut().zip(voice).for_each(|(sum, sample)| *sum += i32::from(*sample));
}

fn without(sum: &[i32; FRAME], voice: &Frame) -> [i32; FRAME] {
    let mut others = *sum;
    others.iter_mut().zip(voice).for_each(|(sum, sample)| *sum -= i32::from(*sample));
    others
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Agreement, Codec, Opus, Output, Pair, Recorder, Silence, Stream, Tone, detect, level,
    };
    use machine::Dice;

    const TONES: [f64; 4] = [400.0, 600.0, 800.0, 1000.0];

    /// Three calls and the owner, each with a tone of its own: what each hears in so many frames.
    fn talk(level: f64, frames: usize) -> [Vec<i16>; 4] {
        let mut mouths = TONES.map(|hz| Tone::chord(&[hz], level));
        let mut owner = Pair { mouth: mouths[3].clone(), ear: Recorder::default() };
        let mut seats = [(); 3].map(|()| Seat::default());
        let mut heard = [const { Vec::new() }; 3];
        let mut mixer = Mixer::new(Time(0));
        for _ in 0..frames {
            for ((seat, mouth), heard) in seats.iter_mut().zip(&mut mouths).zip(&mut heard) {
                let mut frame = [0; FRAME];
                seat.speak(&mut frame);
                heard.extend(frame);
                mouth.speak(&mut frame);
                seat.hear(&frame);
            }
            mixer.wake(mixer.deadline(), &mut owner, &mut seats.each_mut());
        }
        let [a, b, c] = heard;
        [a, b, c, owner.ear.take()]
    }

    #[test]
    fn each_hears_all_others_as_loud_as_they_speak_and_never_itself() {
        for (own, heard) in TONES.iter().zip(talk(-20.0, 100)) {
            for hz in TONES {
                let level = detect::level_of(&heard[3200..], hz);
                match hz == *own {
                    true => assert!(level < -60.0, "{own} hears itself: {level}"),
                    false => assert!((level + 20.0).abs() < 0.5, "{own} hears {hz}: {level}"),
                }
            }
        }
    }

    #[test]
    fn all_at_once_as_loud_as_can_be_are_turned_down_and_not_cut_off() {
        for (own, heard) in TONES.iter().zip(talk(3.0, 200)) {
            let steady = &heard[16_000..];
            // What was cut off would be heard as tones that nobody speaks.
            for hz in [200.0, 1200.0, 1400.0, 1800.0] {
                let noise = detect::level_of(steady, hz);
                assert!(noise < -40.0, "{own} hears {hz}: {noise}");
            }
            let loud = level::of(steady);
            assert!((-8.0..3.0).contains(&loud), "{loud}");
        }
    }

    /// What one side of a line said is heard at the other.
    fn carry(now: Time, said: Vec<Output>, to: &mut Stream) {
        for output in said {
            if let Output::Rtp(octets) = output {
                to.receive(now, &octets, &mut Vec::new());
            }
        }
    }

    /// Each call has a codec and a rate of its own; the table is where they meet.
    #[test]
    fn calls_of_all_codecs_hear_each_other() {
        let codecs = [Codec::Pcma, Codec::G722, Codec::Opus(Opus::default())];
        let near =
            codecs.map(|codec| Stream::new(Time(0), Agreement::plain(codec, None), Dice::new(1)));
        let far =
            codecs.map(|codec| Stream::new(Time(0), Agreement::plain(codec, None), Dice::new(2)));
        let mut seats = [(); 3].map(|()| Seat::default());
        let mut guests = [0, 1, 2].map(|n: usize| Pair {
            mouth: Tone::chord(&[TONES[n]], -20.0),
            ear: Recorder::default(),
        });
        let (mut lines, mut mixer) =
            (near.into_iter().zip(far).collect::<Vec<_>>(), Mixer::new(Time(0)));
        for n in 1..=200 {
            let now = Time(0) + n * FRAME_TIME;
            for (((near, far), seat), guest) in lines.iter_mut().zip(&mut seats).zip(&mut guests) {
                let (mut there, mut back) = (Vec::new(), Vec::new());
                near.wake(now, seat, &mut there);
                far.wake(now, guest, &mut back);
                carry(now, there, far);
                carry(now, back, near);
            }
            mixer.wake(now, &mut Silence, &mut seats.each_mut());
        }
        for (n, guest) in guests.iter().enumerate() {
            let steady = &guest.ear.samples()[32_000..];
            for (m, hz) in TONES.iter().take(3).enumerate() {
                let level = detect::level_of(steady, *hz);
                match n == m {
                    true => assert!(level < -45.0, "{n} hears itself: {level}"),
                    false => assert!((level + 20.0).abs() < 2.0, "{n} hears {m}: {level}"),
                }
            }
        }
    }

    #[test]
    fn who_is_late_is_not_heard_later_and_later() {
        let (mut seat, mut other) = (Seat::default(), Seat::default());
        let mut mixer = Mixer::new(Time(0));
        let mut owner = Recorder::default();
        for n in 1..=50 {
            seat.hear(&[n; FRAME]);
        }
        mixer.wake(Time(0) + 50 * FRAME_TIME, &mut owner, &mut [&mut seat, &mut other]);
        assert!(mixer.deadline() > Time(0) + 50 * FRAME_TIME);
        assert_eq!(owner.samples().len(), limits::FRAMES_AT_THE_TABLE * FRAME);
        assert_eq!(owner.samples()[FRAME - 1], 49);
        assert_eq!(other.said.len(), limits::FRAMES_AT_THE_TABLE);
    }
}
