//! The commands and the NOTIFYs of what is watched (RFC 6665 §4.1).

use machine::Time;
use protocol::Flow;
use protocol::doors::{Output, Watch};
use protocol::transaction::ServerId;
use sip::Message;

use super::Outside;
use super::watcher::Watcher;
use crate::limits;
use crate::packages::Package;
use crate::phone::Phone;
use crate::turn::Turn;
use crate::unable::Unable;

impl Phone {
    /// Watches something of somebody (RFC 6665): what changes comes as [`PhoneEvent::Watched`], to be read with [`packages`](crate::packages). It goes
    /// on until [`unwatch`](Self::unwatch), or until [`PhoneEvent::NotWatched`] says that it cannot; what can be mended the phone mends.
    ///
    /// [`PhoneEvent::Watched`]: protocol::doors::PhoneEvent::Watched
    /// [`PhoneEvent::NotWatched`]: protocol::doors::PhoneEvent::NotWatched
    pub fn watch(
        &mut self,
        now: Time,
        target: &str,
        package: Package,
        out: &mut Vec<Output>,
    ) -> Result<Watch, Unable> {
        let target = self.target(target)?;
        let first = |(_, place): &&(Watch, u32)| *place == 0;
        if self.outside.watches.keys().filter(first).count() >= limits::WATCHES {
            return Err(Unable::TooFast);
        }
        let watch = Watch(self.outside.number());
        let answers = self.answers.fresh();
        let mut watcher = Watcher::new(watch, (target, package), answers, &mut self.line.dice);
        watcher.begin(now, &mut self.line, out);
        self.outside.watches.insert(watcher.key(), watcher);
        self.settle(now, out);
        Ok(watch)
    }

    /// Watches it no more.
    pub fn unwatch(
        &mut self,
        now: Time,
        watch: Watch,
        out: &mut Vec<Output>,
    ) -> Result<(), Unable> {
        let places = self.outside.watches.range_mut((watch, 0)..=(watch, u32::MAX));
        let mut left = Err(Unable::NoSuchWatch);
        for (_, watcher) in places {
            watcher.leave(now, &mut self.line, out);
            left = Ok(());
        }
        left?;
        self.outside.forget(out);
        self.settle(now, out);
        Ok(())
    }

    /// A NOTIFY of something that we watch: false, when it is not.
    pub(crate) fn told_of_watch(
        &mut self,
        now: Time,
        (id, flow): (ServerId, Flow),
        request: &Message,
        out: &mut Vec<Output>,
    ) -> Ours {
        let Outside { watches, .. } = &mut self.outside;
        let named = || watches.values().filter(|watcher| watcher.is_named_by(request));
        let Some(first) = named().next() else { return Ours::No };
        let key = match named().find(|watcher| watcher.hears(request)) {
            Some(known) => known.key(),
            None if first.forks(now) && named().count() < limits::PLACES => {
                let (watch, _) = first.key();
                let place = named().last().map_or(0, |last| last.key().1.saturating_add(1));
                let another = first.another(now, place, &self.line);
                watches.insert((watch, place), another);
                (watch, place)
            }
            None => first.key(),
        };
        let turn = &mut Turn { now, line: &mut self.line, lingering: &mut self.lingering, out };
        if let Some(watcher) = watches.get_mut(&key) {
            watcher.notified(turn, (id, flow), request);
        }
        self.outside.forget(out);
        Ours::Yes
    }
}

/// Whether a NOTIFY was of something that we watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ours {
    Yes,
    No,
}
