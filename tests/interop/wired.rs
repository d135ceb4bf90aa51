//! Is what was said what is heard, over a real wire? Two of ours in two namespaces, between them a cable that loses and delays; each says a tone. What
//! the simulator shows of losses (`tests/simulation/signal.rs`), real sockets and real time show here; the second table of docs/quality.md comes from here.

use std::path::Path;
use std::time::Duration;

use media::{FRAME, FRAME_TIME, detect};
use sim::Weather;

use crate::account::Account;
use crate::land::Land;
use crate::offhook::{Offhook, listen_at};
use crate::phone::Phone;
use crate::place;
use crate::wire::{Kind, Storm, Wire};

/// What one side of a call heard.
#[derive(Debug)]
struct Heard {
    loss: u64,
    level: f64,
    /// How much of the recording has the tone, from where it begins to where it ends.
    part: f64,
    longest_gap: Duration,
    /// What the phone says of it.
    lost_percent: f64,
    jitter_ms: f64,
    mos: f64,
}

/// 20 ms, and up to 50 more where anything is lost.
const fn storm(loss: u64) -> Storm {
    let jitter = Duration::from_millis(if loss == 0 { 0 } else { 50 });
    let weather = Weather { delay: Duration::from_millis(20), jitter, loss, ..Weather::FAIR };
    Storm { weather, early: 0, seed: 40 + loss as u128 }
}

/// A call of twelve seconds; what the callee and the caller heard. The server is where the callee is.
fn call(loss: u64) -> Option<[Heard; 2]> {
    let name = format!("wired-{loss}");
    let mut land = Land::new(&name)?;
    let (near, far) = (land.apart("near"), land.apart("far"));
    let wire = Wire::lay((&near, "10.46.0.1/24"), (&far, "10.46.0.2/24"), storm(loss));
    let (near, far) = (near.by("10.46.0.1"), far.by("10.46.0.2"));
    let folder = place::folder(&name);
    let lines = format!("{}domains = [\"10.46.0.2\"]\n", listen_at(&far));
    let server = Offhook::serve_on(&far, &folder, &["101", "102"], &lines);
    let words = ["--codecs", "PCMA"];
    let bob = Account::new("102", server.udp).on(&far).playing(1000.0);
    let mut bob = Phone::start_with(&folder, &bob, &words, &["answer"]);
    bob.peer.wait_for("\"registered\"", PATIENCE);
    let alice = Account::new("101", server.udp).on(&near);
    let deed = ["call", "102", "--hangup-after", "12s"];
    let (at_alice, alice) = Phone::start_with(&folder, &alice, &words, &deed).ends_with_quality();
    let (at_bob, bob) = bob.ends_with_quality();
    server.stop();
    // RFC 4594 §4.1, §4.2: sound has EF and nothing but EF, signalling has CS5.
    let marks = wire.marks();
    println!("{loss} %: {marks:?}");
    let sound = marks.get(&(Kind::Sound, 46 << 2)).copied().unwrap_or(0);
    assert!(sound > 900, "{marks:?}");
    assert!(marks.get(&(Kind::Signalling, 40 << 2)).is_some_and(|count| *count >= 6), "{marks:?}");
    assert_eq!(marks.len(), 2, "{marks:?}");
    Some([judge(loss, (&at_bob, 440.0), &bob), judge(loss, (&at_alice, 1000.0), &alice)])
}

fn judge(loss: u64, (samples, hz): (&[i16], f64), quality: &serde_json::Value) -> Heard {
    let has = |frame: &[i16]| detect::tone(frame, hz).lasted > Duration::ZERO;
    let frames: Vec<bool> = samples.chunks_exact(FRAME).map(has).collect();
    let first = frames.iter().position(|has| *has).expect("it is heard");
    let last = frames.iter().rposition(|has| *has).expect("it is heard");
    let within = &frames[first..=last];
    let gaps = within.split(|has| *has).map(<[bool]>::len);
    let here = |name: &str| quality["here"][name].as_f64().unwrap();
    Heard {
        loss,
        level: detect::tone(samples, hz).level,
        part: within.iter().filter(|has| **has).count() as f64 / within.len() as f64,
        longest_gap: FRAME_TIME * u32::try_from(gaps.max().unwrap_or(0)).unwrap(),
        lost_percent: here("loss_percent"),
        jitter_ms: here("jitter_ms"),
        mos: here("mos"),
    }
}

impl Heard {
    fn row(&self, hz: u32) -> String {
        let Self { loss, level, part, longest_gap, lost_percent, jitter_ms, mos } = self;
        let weather = if *loss == 0 { "none".into() } else { format!("{loss} %, jitter to 50 ms") };
        format!(
            "| {weather} | {lost_percent:.1} %, {jitter_ms:.0} ms | {mos:.2} | {hz} Hz, {level:.1} dBm0 | {:.1} %, {} ms |\n",
            100.0 * part,
            longest_gap.as_millis()
        )
    }
}

#[test]
fn a_tone_is_heard_over_a_real_wire_and_the_score_falls_with_what_is_lost() {
    let losses = [0, 1, 5, 10];
    let calls = std::thread::scope(|scope| {
        let begun = losses.map(|loss| scope.spawn(move || call(loss)));
        begun.map(|call| call.join().expect("a call"))
    });
    let calls: Vec<_> = calls.into_iter().flatten().collect();
    let [none, one, five, ten] = &calls[..] else { return };
    let mut rows = String::new();
    for [at_bob, at_alice] in &calls {
        rows += &at_bob.row(440);
        rows += &at_alice.row(1000);
    }
    println!("{rows}");
    for heard in calls.iter().flatten() {
        let lost = heard.loss as f64;
        assert!((heard.level + 10.0).abs() < 1.5, "{heard:?}");
        assert!(heard.part > 0.97 - 0.01 * lost, "{heard:?}");
        assert!(heard.longest_gap < Duration::from_millis(250), "{heard:?}");
        assert!((0.3 * lost..2.0 * lost + 2.0).contains(&heard.lost_percent), "{heard:?}");
    }
    let mos = |call: &[Heard; 2]| (call[0].mos + call[1].mos) / 2.0;
    let [none, one, five, ten] = [none, one, five, ten].map(mos);
    assert!(none > 4.2 && ten > 3.0, "{calls:?}");
    assert!(none >= one && one > five + 0.1 && five > ten, "{calls:?}");
    write(&rows);
}

/// Writes the table of docs/quality.md, when that is wanted: real time never gives the same twice.
fn write(rows: &str) {
    if std::env::var_os("OFFHOOK_WRITE").is_none() {
        return;
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/quality.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (head, rest) = text.split_once(BEGIN).unwrap();
    let (_, tail) = rest.split_once(END).unwrap();
    std::fs::write(&page, [head, BEGIN, rows, END, tail].concat()).unwrap();
}

const BEGIN: &str = "<!-- wired:begin -->\n";
const END: &str = "<!-- wired:end -->\n";
const PATIENCE: Duration = Duration::from_secs(40);
