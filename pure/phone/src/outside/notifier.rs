//! Who watches us: the notifier's side of subscriptions to our conference and to our calls (RFC 6665 §4.2, RFC 4575, RFC 4235).

use std::collections::BTreeMap;
use std::time::Duration;

use machine::Time;
use protocol::auth::{Answers, Token};
use protocol::dialog::{Dialog, DialogId, Tag};
use protocol::doors::Output;
use protocol::subscription::{Bounds, Reason, Subscription, Wish};
use protocol::transaction::ServerId;
use protocol::{Fault, Flow};
use sip::header::From;
use sip::{Draft, Message, Name, Status};

use super::Ours;
use crate::friends::is_same;
use crate::line::{Errand, Outcome, Purpose};
use crate::packages::Package;
use crate::phone::Phone;
use crate::refusal::Refusal;
use crate::turn::Turn;
use crate::whither::Hop;
use crate::{abilities, limits, request};

/// Everybody who watches us.
#[derive(Default)]
pub(crate) struct Audience {
    watchers: BTreeMap<u32, Watcher>,
}

/// One of them.
struct Watcher {
    package: Package,
    /// Who watches, as the From has said.
    who: Box<[u8]>,
    subscription: Subscription,
    answers: Answers,
    version: u32,
    /// What it knows, or is about to.
    told: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Watching,
    /// The last word has been said.
    Over,
}

impl Audience {
    /// Shows this token from now on.
    pub(super) fn renew_token(&mut self, token: &Token) {
        self.watchers.values_mut().for_each(|watcher| watcher.answers.renew(token));
    }

    /// When something is due.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let due = |watcher: &Watcher| {
            let mail = watcher.subscription.next_mail();
            mail.into_iter().chain([watcher.subscription.until()]).min()
        };
        self.watchers.values().filter_map(due).min()
    }

    /// True when nobody watches.
    pub(crate) fn is_empty(&self) -> bool {
        self.watchers.is_empty()
    }

    fn named(&self, id: &DialogId, request: &Message) -> Option<u32> {
        let is = |watcher: &Watcher| {
            watcher.subscription.id() == id && watcher.subscription.is_named_by(request)
        };
        self.watchers.iter().find(|(_, watcher)| is(watcher)).map(|(number, _)| *number)
    }
}

impl Phone {
    /// A SUBSCRIBE that belongs to no call: to our conference by who takes part in it, to our calls by whom the account shows them to.
    pub(crate) fn watched_by(
        &mut self,
        now: Time,
        (id, flow): (ServerId, Flow),
        request: &Message,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let package = self.admits(request, flow)?;
        let until = self.lasts(now, package, request)?;
        if self.outside.audience.watchers.len() >= limits::WATCHES {
            return Err(Refusal::new(Status::BUSY_HERE));
        }
        let tag = Tag::throw(&mut self.line.dice);
        let local = tag.to_string();
        let subscription = Subscription::begin(request, tag, flow.transport, until)
            .map_err(|fault| Refusal::saying(fault.status(), format!("Bad Request: {fault}")))?;
        let (answers, number) = (self.answers.fresh(), self.outside.number());
        let who = request.get::<From<'_>>().map_or_else(Box::default, |sender| sender.uri.into());
        let (version, told, state) = (0, Vec::new(), State::Watching);
        let watcher = Watcher { package, who, subscription, answers, version, told, state };
        self.outside.audience.watchers.insert(number, watcher);
        self.grant(now, id, request, (&local, until), out);
        Ok(())
    }

    /// A SUBSCRIBE of somebody who watches us already: goes on, or has enough.
    pub(crate) fn watched_on(
        &mut self,
        now: Time,
        id: ServerId,
        request: &Message,
        out: &mut Vec<Output>,
    ) -> Ours {
        let dialog = DialogId::of_request(request).filter(|id| !id.local.is_null());
        let found = dialog.and_then(|dialog| self.outside.audience.named(&dialog, request));
        let Some(number) = found else { return Ours::No };
        let package = self.outside.audience.watchers.get(&number).map(|watcher| watcher.package);
        let refreshed =
            package.ok_or_else(|| Refusal::new(Status::CALL_DOES_NOT_EXIST)).and_then(|package| {
                let until = self.lasts(now, package, request)?;
                let Some(watcher) = self.outside.audience.watchers.get_mut(&number) else {
                    return Err(Refusal::new(Status::CALL_DOES_NOT_EXIST));
                };
                let done = watcher.subscription.refresh(request, until);
                done.map_err(|fault| Refusal::new(fault.status()))?;
                Ok(until)
            });
        match refreshed {
            Ok(until) => self.grant(now, id, request, ("", until), out),
            Err(no) => {
                let (line, lingering) = (&mut self.line, &mut self.lingering);
                Turn { now, line, lingering, out }.refuse(id, request, &no);
            }
        }
        Ours::Yes
    }

    /// The package that a SUBSCRIBE wants, if its sender may have it.
    fn admits(&self, request: &Message, came: Flow) -> Result<Package, Refusal> {
        let bad_event =
            || Refusal::new(Status::BAD_EVENT).with(Name::AllowEvents, abilities::EVENTS);
        let wish = Wish::read(request).map_err(|_| bad_event())?;
        let forbidden = || Refusal::new(Status::FORBIDDEN);
        let sender = request.get::<From<'_>>().ok_or_else(forbidden)?;
        let package = match &*wish.package {
            "conference" if self.conference.is_none() => {
                return Err(Refusal::new(Status::NOT_FOUND));
            }
            "conference" if self.vouches(sender.uri, came) && self.is_member(sender.uri) => {
                Package::Conference
            }
            "dialog" if self.is_of_friend(request, came) => Package::Dialogs,
            // What a REFER has begun is watched within its call (RFC 3515 §2.4.4).
            "conference" | "dialog" | "refer" => return Err(forbidden()),
            _ => return Err(bad_event()),
        };
        match package.accept().split_once('/') {
            Some((kind, subtype)) if Wish::accepts(request, kind, subtype) => Ok(package),
            _ => Err(Refusal::new(Status::NOT_ACCEPTABLE)),
        }
    }

    /// The other sides of the calls of our conference.
    fn members(&self) -> impl Iterator<Item = &[u8]> {
        let dialogs = self.conference().filter_map(|call| self.calls.get(&call)?.confirmed());
        dialogs.map(Dialog::remote_uri)
    }

    fn is_member(&self, sender: &[u8]) -> bool {
        self.members().any(|member| is_same(member, sender))
    }

    fn lasts(&self, now: Time, package: Package, request: &Message) -> Result<Time, Refusal> {
        let longest = Duration::from_secs(package.expires().into());
        let bounds = Bounds { min: limits::SHORTEST_WATCH, default: longest, max: longest };
        let wish = Wish::read(request).and_then(|wish| wish.granted(&bounds));
        match wish {
            Ok(lasts) => Ok(now + lasts),
            Err(Fault::IntervalTooBrief(seconds)) => Err(Refusal::new(Status::INTERVAL_TOO_BRIEF)
                .with(Name::MinExpires, seconds.to_string())),
            Err(fault) => Err(Refusal::new(fault.status())),
        }
    }

    /// 200; the NOTIFY follows at once.
    fn grant(
        &mut self,
        now: Time,
        id: ServerId,
        request: &Message,
        (tag, until): (&str, Time),
        out: &mut Vec<Output>,
    ) {
        let contact = format!("<{}>", self.line.contact(self.line.account.transport()));
        let draft = match tag {
            "" => Draft::reply(request, Status::OK),
            tag => Draft::reply_tagged(request, Status::OK, Status::OK.phrase(), tag),
        };
        let draft = self
            .line
            .account
            .sign(draft, Name::Server)
            .copy(request, Name::RecordRoute)
            .raw(Name::Contact, contact.as_bytes())
            .raw(Name::Expires, (until - now).as_secs().to_string().as_bytes());
        let (line, lingering) = (&mut self.line, &mut self.lingering);
        Turn { now, line, lingering, out }.respond(id, draft);
    }

    /// Tells everybody who watches us what has changed. Called after each thing that happens.
    pub(crate) fn tell_audience(&mut self, now: Time, out: &mut Vec<Output>) {
        if self.outside.audience.is_empty() {
            return;
        }
        let conference = self.conference.is_some().then(|| self.roster());
        let members: Vec<Box<[u8]>> = self.members().map(Box::from).collect();
        let dialogs = self.shown_calls();
        let contact = format!("<{}>", self.line.contact(self.line.account.transport()));
        for (number, watcher) in &mut self.outside.audience.watchers {
            // Whoever has left hears no more of who is there.
            let takes_part = members.iter().any(|member| is_same(member, &watcher.who));
            let write = |version: u32| match watcher.package {
                Package::Conference => {
                    conference.as_ref().filter(|_| takes_part).map(|all| all.write(version))
                }
                _ => Some(dialogs.write(version)),
            };
            let fresh = write(0);
            let gone = fresh.is_none();
            let fresh = fresh.unwrap_or_default();
            if fresh != watcher.told || gone {
                watcher.told = fresh;
                watcher.subscription.owe();
            }
            let over = gone || watcher.subscription.until() <= now;
            let due = watcher.subscription.next_mail().is_some_and(|due| over || due <= now);
            if watcher.state == State::Over || !(due || over) {
                continue;
            }
            let draft = match gone {
                true if conference.is_some() => watcher.subscription.end(Reason::Rejected),
                true => watcher.subscription.end(Reason::NoResource),
                false => watcher.subscription.notify(now, limits::AUDIENCE_PACE),
            };
            if over {
                watcher.state = State::Over;
            }
            watcher.version = watcher.version.wrapping_add(1);
            let draft = self.line.account.sign(draft, Name::UserAgent);
            let draft = draft.raw(Name::Contact, contact.as_bytes());
            let draft = match write(watcher.version) {
                Some(body) => draft.body(watcher.package.accept(), &body),
                None => draft,
            };
            if let Some(notify) = request::signed(draft, &mut watcher.answers) {
                let hop = Hop::Uri(watcher.subscription.next_hop().into());
                self.line.send(now, Errand::new(Purpose::Told(*number), notify, hop), out);
            }
        }
        self.outside.audience.watchers.retain(|_, watcher| watcher.state == State::Watching);
    }

    /// The answer to a NOTIFY.
    pub(crate) fn audience_answered(
        &mut self,
        now: Time,
        number: u32,
        (mut errand, outcome): (Errand, Outcome),
        out: &mut Vec<Output>,
    ) {
        let Some(watcher) = self.outside.audience.watchers.get_mut(&number) else { return };
        let subscription = &mut watcher.subscription;
        let again = request::proven(
            (&mut errand, &outcome),
            &mut watcher.answers,
            || subscription.next_cseq(),
            &mut self.line.dice,
        );
        if let Some(again) = again {
            errand.request = again;
            return self.line.send_again(now, errand, out);
        }
        let status = match outcome {
            Outcome::Response(_) => Some(outcome.status()),
            Outcome::Failure(..) => None,
        };
        if !watcher.subscription.answered(status) {
            self.outside.audience.watchers.remove(&number);
        }
    }
}
