//! Registers, picks the first call up, says how loud the other side is every second, calls others where it is transferred to, and ends with the
//! call:
//!
//!     cargo run -p offhook --example answer -- sip:102@192.0.2.10 secret

use std::env;
use std::error::Error;
use std::time::Duration;

use media::{Callbacks, RATE};
use offhook::telephone::{PhoneEvent, Telephone};
use phone::{Account, Audio};

/// Says nothing, and tells how loud each second was.
fn ear() -> Box<dyn Audio> {
    let (mut samples, mut loudest) = (0, 0);
    let hear = move |frame: &[i16]| {
        samples += frame.len();
        loudest = frame.iter().map(|sample| sample.unsigned_abs()).fold(loudest, u16::max);
        if samples >= RATE as usize {
            println!("{loudest} of {}", i16::MAX);
            (samples, loudest) = (0, 0);
        }
    };
    Box::new(Callbacks::new(|frame: &mut [i16]| frame.fill(0), hear))
}

fn main() -> Result<(), Box<dyn Error>> {
    let said: Vec<String> = env::args().skip(1).collect();
    let [address, password] = &said[..] else { return Err("answer ADDRESS PASSWORD".into()) };
    let telephone = Telephone::open(&Account::new(address)?.password(password))?;
    telephone.register(Duration::from_secs(5))?;
    let (mut talk, from) = telephone.until_called(Duration::from_secs(3600))?;
    println!("{from} calls");
    telephone.answer(talk, ear())?;
    while let Some(event) = telephone.next(Duration::from_secs(3600)) {
        match event {
            PhoneEvent::Referred { call, .. } => {
                telephone.with(move |phone, now, out| phone.follow(now, call, out))?;
            }
            PhoneEvent::GoesOn { new, .. } => talk = new,
            PhoneEvent::Ended { call, status, .. } if call == talk => {
                println!("over: {status}");
                break;
            }
            _ => {}
        }
    }
    telephone.close()?;
    Ok(())
}
