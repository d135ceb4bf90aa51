//! What a phone says outside of calls: messages, pings, what it watches, what it publishes.

mod inquiry;
mod notifier;
mod publication;
mod watcher;
mod watching;

use std::collections::BTreeMap;

use machine::{Dice, Time};
use protocol::auth::{Answers, Token};
use protocol::dialog::{CallId, Tag};
use protocol::doors::{Output, Watch};

use crate::line::{Errand, Line, Outcome, Purpose};

use inquiry::Asked;
pub(crate) use notifier::Audience;
use publication::Publication;
use watcher::Watcher;
pub(crate) use watching::Ours;

/// Everything that is under way outside of calls.
pub(crate) struct Outside {
    inquiries: BTreeMap<u32, Asked>,
    watches: BTreeMap<(Watch, u32), Watcher>,
    publication: Publication,
    pub(crate) audience: Audience,
    next: u32,
}

impl Outside {
    pub(crate) fn new(answers: &Answers, dice: &mut Dice) -> Self {
        Self {
            inquiries: BTreeMap::new(),
            watches: BTreeMap::new(),
            publication: Publication::new(answers.fresh(), Names::throw(dice)),
            audience: Audience::default(),
            next: 0,
        }
    }

    /// Shows this token from now on.
    pub(crate) fn renew_token(&mut self, token: &Token) {
        self.publication.renew_token(token);
        self.watches.values_mut().for_each(|watcher| watcher.renew_token(token));
        self.audience.renew_token(token);
    }

    const fn number(&mut self) -> u32 {
        self.next = self.next.wrapping_add(1);
        self.next
    }

    /// The last word to a request; nothing, when it was of somebody else.
    pub(crate) fn done(
        &mut self,
        now: Time,
        (errand, outcome): (Errand, Outcome),
        line: &mut Line,
        out: &mut Vec<Output>,
    ) {
        match errand.purpose {
            Purpose::Inquiry(number) => self.answered(now, number, (errand, outcome), line, out),
            Purpose::Watch(watch, place) => {
                let Some(watcher) = self.watches.get_mut(&(watch, place)) else { return };
                watcher.done(now, (errand, outcome), line, out);
                self.forget(out);
            }
            Purpose::Publish => self.publication.done(now, (errand, outcome), line, out),
            _ => {}
        }
    }

    /// We are somewhere else: whoever tells us something is told so.
    pub(crate) fn moved(&mut self, now: Time, line: &mut Line, out: &mut Vec<Output>) {
        for watcher in self.watches.values_mut() {
            watcher.moved(now, line, out);
        }
    }

    pub(crate) fn wake(&mut self, now: Time, line: &mut Line, out: &mut Vec<Output>) {
        for watcher in self.watches.values_mut() {
            if watcher.deadline().is_some_and(|due| due <= now) {
                watcher.wake(now, line, out);
            }
        }
        self.forget(out);
        self.publication.wake(now, line, out);
    }

    /// What is over goes; and so do places that another SUBSCRIBE has reached, or will reach again, by other names.
    fn forget(&mut self, out: &mut Vec<Output>) {
        self.watches.retain(|_, watcher| !watcher.is_over());
        let firsts = self.watches.iter().filter(|((_, place), _)| *place == 0);
        let firsts: BTreeMap<_, _> =
            firsts.map(|((watch, _), first)| (*watch, first.call_id().clone())).collect();
        self.watches.retain(|(watch, place), watcher| {
            let first = firsts.get(watch);
            let stays = first == Some(watcher.call_id());
            if !stays && first.is_some() && *place > 0 {
                watcher.gone(out);
            }
            stays
        });
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        let watches = self.watches.values().filter_map(Watcher::deadline);
        watches.chain(self.publication.deadline()).chain(self.audience.deadline()).min()
    }

    /// True when nobody waits for an answer.
    pub(crate) fn is_quiet(&self) -> bool {
        self.inquiries.is_empty()
            && self.watches.is_empty()
            && self.publication.is_quiet()
            && self.audience.is_empty()
    }
}

/// What names a request outside of calls, and its successors: Call-ID, our tag, the number of the last.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) call_id: CallId,
    pub(crate) tag: Tag,
    pub(crate) cseq: u32,
}

impl Names {
    pub(crate) fn throw(dice: &mut Dice) -> Self {
        Self { call_id: CallId::throw(dice), tag: Tag::throw(dice), cseq: 0 }
    }

    pub(crate) const fn next(&mut self) -> u32 {
        self.cseq = self.cseq.saturating_add(1);
        self.cseq
    }
}
