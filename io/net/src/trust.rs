//! `Trust`: what happens when a machine panics.
//!
//! A panic is a mistake of ours that a peer has found. Ending the program would let one packet, sent again and again, end every call;
//! so the panic is caught, what the machine was about to say is lost, and it goes on as it stands: its parts are tied by keys that may
//! find nothing, so what is half done is one transaction that times out. It is reported and counted, never silent. But a machine
//! that panics again and again is broken for good: then the shard ends with an error, the others with it, and whoever started the program
//! starts it anew.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use machine::Time;

use crate::limits;

/// Watches a machine.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    panics: usize,
    since: Time,
}

impl Trust {
    /// Does something with the machine; what it said when it panicked.
    pub(crate) fn watch(&mut self, now: Time, act: impl FnOnce()) -> Option<Box<str>> {
        let panic = catch_unwind(AssertUnwindSafe(act)).err()?;
        if now - self.since > limits::PANIC_WINDOW {
            self.since = now;
            self.panics = 0;
        }
        self.panics += 1;
        Some(said(&*panic))
    }

    /// True when it has panicked too often.
    pub(crate) const fn is_lost(&self) -> bool {
        self.panics >= limits::PANICS
    }
}

fn said(panic: &(dyn Any + Send)) -> Box<str> {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("it did not say why").into()
}
