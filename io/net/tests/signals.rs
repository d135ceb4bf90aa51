//! Signals reach whoever waits for them, and end nothing by themselves.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;
use std::thread;

use offhook_net::{Signal, Signals};

fn main() {
    let signals = Signals::keep().unwrap();
    // A thread that does not wait must not be ended either.
    let (wake, sleep) = std::sync::mpsc::channel::<()>();
    let idle = thread::spawn(move || sleep.recv());
    for (name, signal) in
        [("-TERM", Signal::Terminate), ("-INT", Signal::Interrupt), ("-HUP", Signal::Reload)]
    {
        let us = std::process::id().to_string();
        assert!(Command::new("kill").args([name, &us]).status().unwrap().success());
        assert_eq!(signals.wait().unwrap(), signal);
    }
    wake.send(()).unwrap();
    idle.join().unwrap().unwrap();
    println!("signals: ok");
}
