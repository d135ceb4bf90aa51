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
        if self.outside.watches.len() >= limits::WATCHES {
            return Err(Unable::TooFast);
        }
        let watch = Watch(self.outside.number());
        let answers = self.answers.fresh();
        let mut watcher = Watcher::new(watch, (target, package), answers, &mut self.line.dice);
        watcher.begin(now, &mut self.line, out);
        self.outside.watches.insert(watch, watcher);
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
        let watcher = self.outside.watches.get_mut(&watch).ok_or(Unable::NoSuchWatch)?;
        watcher.leave(now, &mut self.line, out);
        self.outside.watches.retain(|_, watcher| !watcher.is_over());
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
        let Some(watcher) = watches.values_mut().find(|watcher| watcher.is_named_by(request))
        else {
            return Ours::No;
        };
        let turn = &mut Turn { now, line: &mut self.line, lingering: &mut self.lingering, out };
        watcher.notified(turn, (id, flow), request);
        watches.retain(|_, watcher| !watcher.is_over());
        Ours::Yes
    }
}

/// Whether a NOTIFY was of something that we watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ours {
    Yes,
    No,
}
