//! Many calls with sound in one process, and what each costs:
//!
//!     cargo run --release -p offhook --example load -- answer 5070                            # picks everything up, on this machine
//!     cargo run --release -p offhook --example load -- call sip:x@127.0.0.1:5070 500 30 PCMA  # 500 calls, 30 seconds
//!
//! Several who are called stand behind one another, `sip:x@127.0.0.1:5070,sip:x@127.0.0.1:5072`: they are called in turn.

use std::env;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use media::{Callbacks, Tone, level};
use offhook::telephone::{PhoneEvent, Telephone};
use phone::{Account, Audio};

const HERE: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// Says a second of a tone, again and again; counts frames in which something is heard.
fn sound(heard: &Arc<AtomicU64>) -> Box<dyn Audio> {
    let said = Tone::sine(440.0).take(Duration::from_secs(1));
    let (mut at, heard) = (0, Arc::clone(heard));
    let speak = move |frame: &mut [i16]| {
        let rest = said.get(at..).unwrap_or_default();
        frame.iter_mut().zip(rest).for_each(|(frame, said)| *frame = *said);
        at = (at + frame.len()) % said.len();
    };
    let hear = move |frame: &[i16]| {
        if level::of(frame) > -20.0 {
            heard.fetch_add(1, Ordering::Relaxed);
        }
    };
    Box::new(Callbacks::new(speak, hear))
}

/// CPU that this process has used, in seconds (`/proc/self/stat`, in hundredths).
fn cpu() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = stat.rsplit(')').next()?.split_whitespace().skip(11);
    let ticks = |field: Option<&str>| field?.parse::<f64>().ok();
    Some((ticks(fields.next())? + ticks(fields.next())?) / 100.0)
}

fn answer(port: u16) -> Result<(), Box<dyn Error>> {
    let account = Account::new(&format!("sip:load@127.0.0.1:{port}"))?;
    let telephone = Telephone::open_on(&account, (HERE, port).into())?;
    let heard = Arc::default();
    loop {
        if let Some(PhoneEvent::Incoming { call, .. }) = telephone.next(Duration::from_secs(3600)) {
            // They may have hung up at the same moment.
            drop(telephone.answer(call, sound(&heard)));
        }
    }
}

fn call(whom: &str, count: u32, seconds: u32, codec: &str) -> Result<(), Box<dyn Error>> {
    let account = Account::new("sip:caller@127.0.0.1")?.codecs([codec])?;
    let telephone = Telephone::open_at(&account, HERE)?;
    let heard = Arc::default();
    let mut calls = Vec::new();
    for (_, whom) in (0..count).zip(whom.split(',').cycle()) {
        let call = telephone.call(whom, sound(&heard))?;
        telephone.until_up(call, Duration::from_secs(10))?;
        calls.push(call);
    }
    println!("up: {count}");
    let (began, used, before) = (Instant::now(), cpu(), heard.load(Ordering::Relaxed));
    std::thread::sleep(Duration::from_secs(seconds.into()));
    let (time, used) =
        (began.elapsed().as_secs_f64(), cpu().zip(used).map(|(now, then)| now - then));
    let frames = heard.load(Ordering::Relaxed) - before;
    let part = frames as f64 / (time * 50.0 * f64::from(count));
    let (mut lost, mut worst) = (0, u16::MAX);
    for call in calls {
        let quality = telephone.with(move |phone, _, _| Ok(phone.quality(call)))?;
        lost += quality.as_ref().map_or(0, |quality| quality.lost);
        worst = worst.min(quality.and_then(|quality| quality.here).map_or(0, |here| here.mos));
        telephone.hang_up(call)?;
    }
    println!(
        "{count} calls, {codec}, {time:.0} s: {:.1} % of the frames heard, {lost} packets lost, worst MOS {:.2}, {:.3} ms of CPU a call and second",
        100.0 * part,
        f64::from(worst) / 100.0,
        1000.0 * used.unwrap_or(f64::NAN) / time / f64::from(count)
    );
    telephone.close()?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let said: Vec<String> = env::args().skip(1).collect();
    match &said.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["answer", port] => answer(port.parse()?),
        ["call", whom, count, seconds, codec] => {
            call(whom, count.parse()?, seconds.parse()?, codec)
        }
        _ => Err("answer PORT, or call WHOM COUNT SECONDS CODEC".into()),
    }
}
