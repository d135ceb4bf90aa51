//! `Ear`: passes what a driver has to tell into a channel, in the listener's own words.

use std::sync::mpsc::SyncSender;

use machine::Time;
use net::{Carry, Heard, Notice, Passed, Sink};
use protocol::doors::Event;

/// A sink that puts everything into words of type `T`. What does not fit into the channel is dropped: calls do not wait for those
/// who watch them.
pub(crate) struct Ear<T, F> {
    to: SyncSender<T>,
    carry: Carry,
    words: F,
}

impl<T: Send, F: Fn(Heard) -> T + Send + Sync> Ear<T, F> {
    pub(crate) const fn new(to: SyncSender<T>, carry: Carry, words: F) -> Self {
        Self { to, carry, words }
    }

    fn pass(&self, heard: Heard) {
        // Full, or nobody listens any more: see above.
        let _ = self.to.try_send((self.words)(heard));
    }
}

impl<T: Send, F: Fn(Heard) -> T + Send + Sync> Sink for Ear<T, F> {
    fn event(&self, now: Time, shard: u16, event: Event) {
        self.pass(Heard::Event(now, shard, event));
    }

    fn notice(&self, now: Time, shard: u16, notice: Notice) {
        self.pass(Heard::Notice(now, shard, notice));
    }

    fn wants_messages(&self) -> bool {
        self.carry == Carry::Messages
    }

    fn message(&self, passed: Passed) {
        self.pass(Heard::Message(passed));
    }
}
