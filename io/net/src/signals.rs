//! `Signals`: what an operator asks of the whole program: end, end, or look at the config again (signal(7)).

use std::io;

use crate::kernel;

/// The signals of the program, kept for one thread that waits for them.
#[derive(Debug)]
pub struct Signals(());

/// What an operator asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: end, but finish what has begun.
    Terminate,
    /// SIGINT, Ctrl-C: a person wants the prompt back.
    Interrupt,
    /// SIGHUP: read the config again.
    Reload,
}

impl Signals {
    /// Keeps the signals from now on. To be called before any thread is started: those that live already are not asked.
    pub fn keep() -> io::Result<Self> {
        kernel::keep_signals().map(|()| Self(()))
    }

    /// Waits for the next one.
    pub fn wait(&self) -> io::Result<Signal> {
        Ok(match kernel::next_signal()? {
            libc::SIGHUP => Signal::Reload,
            libc::SIGINT => Signal::Interrupt,
            _ => Signal::Terminate,
        })
    }
}
