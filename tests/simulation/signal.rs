//! Is what was said what is heard? A tone and something like speech, through losses and jitter, codec by codec: frequency, level, length, gaps,
//! and the score that goes with them. The table of docs/quality.md comes from here.

use std::any::Any;
use std::path::Path;
use std::time::Duration;

use media::audio::AtTheEnd;
use media::{Pair, Recorder, Samples, Tone, detect};
use offhook_tests::attendant::{Habits, Pickup, Wish};
use offhook_tests::exchange::Exchange;
use offhook_tests::speech;
use phone::{Call, PhoneEvent};
use sim::{Change, HostId, Weather};

const HZ: f64 = 440.0;
const SECONDS: u64 = 20;

/// What was heard of one call.
#[derive(Debug)]
struct Heard {
    codec: &'static str,
    loss: u64,
    /// Of the tone, at Bob's.
    hertz: f64,
    level: f64,
    lasted: f64,
    longest_gap: Duration,
    /// Of the speech, at Alice's.
    speech: speech::Found,
    /// How good the speech was for Alice by the numbers, times a hundred.
    mos: u16,
    jitter: Duration,
}

/// Alice says a tone and hears speech; Bob says speech and hears the tone.
fn call(codec: &'static str, loss: u64) -> Heard {
    let mut exchange = Exchange::new(7 + loss, Weather::FAIR);
    let habits = Habits { ring: None, then: Pickup::Never, talk: None };
    let [alice, bob] = ["101", "102"].map(|user| {
        exchange.lone_phone_with(user, habits, |account| account.codecs([codec]).unwrap())
    });
    let said = speech::speech(SECONDS);
    let tone = Box::new(Pair { mouth: Tone::sine(HZ), ear: Recorder::default() });
    let voice = Samples::new(said.clone(), AtTheEnd::Stop);
    let voice = Box::new(Pair { mouth: voice, ear: Recorder::default() });
    let ours = exchange.at_phone(alice, |attendant, now, out| {
        attendant.dial(now, "sip:102@198.51.100.3", (Wish::default(), tone), out)
    });
    exchange.live(500);
    let theirs = exchange.attendant(bob).incoming().unwrap();
    exchange.by_hand(bob, |phone, now, out| phone.answer(now, theirs, voice, out)).unwrap();
    let jitter = if loss == 0 { Duration::ZERO } else { Duration::from_millis(50) };
    let weather = Weather { loss, jitter, delay: Duration::from_millis(20), ..Weather::FAIR };
    exchange.live(200);
    exchange.world.change(&Change::Weather(weather));
    exchange.live(SECONDS * 1000 - 1000);
    exchange.world.change(&Change::Weather(Weather::FAIR));
    exchange.by_hand(alice, |phone, now, out| phone.hang_up(now, ours, out)).unwrap();
    exchange.live(2000);
    let at_bob = ear::<Samples>(&mut exchange, bob, theirs);
    let at_alice = ear::<Tone>(&mut exchange, alice, ours);
    judge((codec, loss), (&at_bob, &at_alice, &said), &grade(&exchange, alice))
}

/// What was recorded there, by whoever said this.
fn ear<Mouth: 'static>(exchange: &mut Exchange, id: HostId, call: Call) -> Vec<i16> {
    exchange.by_hand(id, |phone, _, _| {
        let audio: Box<dyn Any> = phone.take_audio(call).unwrap();
        audio.downcast::<Pair<Mouth, Recorder>>().unwrap().ear.take()
    })
}

fn grade(exchange: &Exchange, id: HostId) -> phone::Grade {
    let told = &exchange.attendant(id).told;
    let quality = told.iter().find_map(|(_, event)| match event {
        PhoneEvent::Quality { quality, .. } => Some(quality.clone()),
        _ => None,
    });
    quality.unwrap().here.unwrap()
}

fn judge(
    (codec, loss): (&'static str, u64),
    (tone, heard, said): (&[i16], &[i16], &[i16]),
    grade: &phone::Grade,
) -> Heard {
    let found = detect::tone(tone, HZ);
    let near = (HZ as u32 - 40..=HZ as u32 + 40).map(f64::from);
    let loudest = near.max_by(|one, other| {
        let [one, other] = [one, other].map(|hz| detect::level_of(tone, *hz));
        one.total_cmp(&other)
    });
    Heard {
        codec,
        loss,
        hertz: loudest.unwrap(),
        level: found.level,
        lasted: found.lasted.as_secs_f64() / (tone.len() as f64 / f64::from(media::RATE)),
        longest_gap: longest_gap(tone),
        speech: speech::find(said, heard),
        mos: grade.mos,
        jitter: grade.jitter,
    }
}

/// How long the tone was away at most, once it was there.
fn longest_gap(samples: &[i16]) -> Duration {
    let has = |frame: &[i16]| detect::tone(frame, HZ).lasted > Duration::ZERO;
    let frames: Vec<bool> = samples.chunks_exact(media::FRAME).map(has).collect();
    let first = frames.iter().position(|has| *has).unwrap_or(0);
    let last = frames.iter().rposition(|has| *has).unwrap_or(0);
    let gaps = frames[first..=last].split(|has| *has).map(<[bool]>::len);
    media::FRAME_TIME * u32::try_from(gaps.max().unwrap_or(0)).unwrap()
}

impl Heard {
    fn row(&self) -> String {
        let Self { codec, loss, hertz, level, lasted, longest_gap, speech, mos, jitter } = self;
        let conditions =
            if *loss == 0 { "none".into() } else { format!("{loss} %, jitter to 50 ms") };
        format!(
            "| {codec} | {conditions} | {:.2} | {hertz:.0} Hz, {level:.1} dBm0 | {:.1} %, {} ms | {:.2}, {:+.1} dB | {:.1} % | {} ms |",
            f64::from(*mos) / 100.0,
            100.0 * lasted,
            longest_gap.as_millis(),
            speech.likeness,
            speech.gain,
            speech.gaps,
            jitter.as_millis(),
        )
    }
}

/// Frequency, level, length and gaps stay within what a listener calls the same, and the score falls with every loss.
#[test]
fn what_is_said_is_heard_and_the_score_falls_with_what_is_lost() {
    let mut rows = String::new();
    for codec in ["PCMA", "PCMU", "G722", "opus"] {
        let heard = [0, 1, 5, 10].map(|loss| call(codec, loss));
        for one in &heard {
            println!("{}", one.row());
            rows += &format!("{}\n", one.row());
            let Heard { loss, speech, .. } = one;
            assert!((one.hertz - HZ).abs() <= 1.0, "{one:?}");
            assert!((one.level + 10.0).abs() < 1.5, "{one:?}");
            let (least, most) = [(0.97, 0), (0.95, 60), (0.9, 120), (0.85, 200)]
                [[0, 1, 5, 10].iter().position(|known| known == loss).unwrap()];
            assert!(one.lasted > least, "{one:?}");
            assert!(one.longest_gap.as_millis() <= most, "{one:?}");
            assert!(speech.likeness > 0.9 - 0.02 * *loss as f64, "{one:?}");
            assert!(speech.delay < Duration::from_millis(300), "{one:?}");
            assert!(speech.gain.abs() < 1.5, "{one:?}");
            assert!(speech.gaps <= 0.8 * *loss as f64 + 0.5, "{one:?}");
        }
        assert!(heard[0].mos >= 435, "{heard:?}");
        if codec == "opus" {
            // Of ten packets that are lost one by one, the next tells nearly all again.
            assert!(heard.iter().skip(1).all(|one| (400..440).contains(&one.mos)), "{heard:?}");
        } else {
            assert!(heard.windows(2).all(|pair| pair[1].mos < pair[0].mos), "{heard:?}");
            assert!((300..400).contains(&heard[3].mos), "{heard:?}");
        }
    }
    table(&rows);
}

/// Writes the table of docs/quality.md, or finds the same in it: a score may be another by a tenth, and by three
/// where many packets are lost, since dice fall elsewhere when anything changes.
fn table(rows: &str) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/quality.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (head, rest) = text.split_once(BEGIN).unwrap();
    let (old, tail) = rest.split_once(END).unwrap();
    if std::env::var_os("OFFHOOK_WRITE").is_some() {
        std::fs::write(&page, [head, BEGIN, rows, END, tail].concat()).unwrap();
        return;
    }
    let scores = |rows: &str| -> Vec<(String, f64)> {
        let cells = |row: &str| row.split('|').map(|cell| cell.trim().to_owned()).collect();
        let rows = rows.lines().map(cells).filter(|cells: &Vec<String>| cells.len() > 4);
        rows.map(|cells| (cells[1..3].concat(), cells[3].parse().unwrap())).collect()
    };
    let (old, new) = (scores(old), scores(rows));
    let same = |(old, new): (&(String, f64), &(String, f64))| {
        old.0 == new.0 && (old.1 - new.1).abs() <= if old.0.contains("10 %") { 0.3 } else { 0.1 }
    };
    assert!(
        old.len() == new.len() && old.iter().zip(&new).all(same),
        "docs/quality.md says {old:?}, the calls {new:?}: OFFHOOK_WRITE=1 cargo test -p offhook-tests --test simulation signal"
    );
}

const BEGIN: &str = "<!-- heard:begin -->\n";
const END: &str = "<!-- heard:end -->\n";
