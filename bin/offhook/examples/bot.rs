//! A voice bot: picks every call up, says back what it heard a second ago, and transfers whoever presses a key:
//!
//!     cargo run -p offhook --example bot -- sip:102@192.0.2.10 secret 103

use std::collections::VecDeque;
use std::env;
use std::error::Error;
use std::sync::mpsc::channel;
use std::time::Duration;

use media::{Callbacks, RATE};
use offhook::telephone::{PhoneEvent, Telephone};
use phone::{Account, Audio};

/// 20 ms at a time: what comes in goes out a second later. What is heard and what is said are asked for on the same thread, one after the other.
fn echo() -> Box<dyn Audio> {
    let (heard, told) = channel::<Vec<i16>>();
    let mut kept: VecDeque<i16> = vec![0; RATE as usize].into();
    let speak = move |frame: &mut [i16]| {
        kept.extend(told.try_iter().flatten());
        frame.fill_with(|| kept.pop_front().unwrap_or(0));
    };
    // Whoever speaks lives as long as whoever hears.
    Box::new(Callbacks::new(speak, move |frame: &[i16]| drop(heard.send(frame.to_vec()))))
}

fn main() -> Result<(), Box<dyn Error>> {
    let said: Vec<String> = env::args().skip(1).collect();
    let [address, password, desk] = &said[..] else {
        return Err("bot ADDRESS PASSWORD WHO-TAKES-OVER".into());
    };
    let telephone = Telephone::open(&Account::new(address)?.password(password))?;
    telephone.register(Duration::from_secs(5))?;
    loop {
        match telephone.next(Duration::from_secs(3600)) {
            // They may have hung up at the same moment.
            Some(PhoneEvent::Incoming { call, .. }) => drop(telephone.answer(call, echo())),
            Some(PhoneEvent::Key { call, .. }) => drop(telephone.transfer(call, desk)),
            Some(event) => println!("{event:?}"),
            None => {}
        }
    }
}
