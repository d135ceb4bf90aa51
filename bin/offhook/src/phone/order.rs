//! `Order`: what a person tells the phones to do, by a line or by a key; and how it is carried out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use phone::packages::Package;
use phone::{Direction, Inquiry, PhoneEvent};

use super::board::{Board, Key, Known, Over, Wish};
use super::desk::Desk;
use super::meter::{Meter, Metered};
use super::past::{PastCall, PastCalls};
use super::patch::Patch;
use super::watch::What;
use super::watchlist::{WatchList, Whom};
use crate::limits;

/// What a person wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Call somebody, by an account.
    Call(usize, String),
    /// Pick up.
    Answer(Key),
    /// Do not pick up.
    Refuse(Key),
    /// End it.
    HangUp(Key),
    /// Put the other side on hold.
    Hold(Key),
    /// Talk in this call, and in no other.
    TalkIn(Key),
    /// Have the other side call somebody.
    Transfer(Key, String),
    /// Have the other sides of two calls talk with each other.
    Join(Key, Key),
    /// Let all calls that are up hear each other.
    Confer,
    /// Take one out of them.
    Split(Key),
    /// Press a key.
    Press(Key, char),
    /// Be heard no more, or again.
    Mute(Key),
    /// See how somebody is, by an account; once more: no longer.
    Watch(usize, String, What),
    /// Call whom the other side wants us to call.
    Follow(Key),
    /// Do not.
    Decline(Key),
    /// Turn calls away.
    DoNotDisturb,
    /// Let them come.
    Open,
    /// Have them called elsewhere.
    Forward(String),
    /// Send a text, by an account.
    Message(usize, String, String),
}

/// What has come of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    /// What was wanted.
    Nothing,
    /// A call.
    Begun(Key),
    /// A text is on its way.
    Sent(Inquiry),
}

/// The phones, what is known of their calls, and what was.
pub(super) struct House<'desk> {
    pub(super) desk: &'desk Desk,
    pub(super) board: Board,
    pub(super) past: PastCalls,
    pub(super) watched: WatchList,
    /// What the conference of several accounts hangs on.
    pub(super) patch: Patch,
    pub(super) began: Instant,
}

impl<'desk> House<'desk> {
    pub(super) fn new(desk: &'desk Desk, past: PastCalls) -> Self {
        Self {
            desk,
            board: Board::default(),
            past,
            watched: WatchList::default(),
            patch: Patch::default(),
            began: Instant::now(),
        }
    }

    /// How long the program has run.
    pub(super) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// A phone tells something. What went wrong with the file of past calls is said.
    pub(super) fn hear(&mut self, line: usize, event: &PhoneEvent) -> Result<(), String> {
        if let PhoneEvent::Incoming { call, .. } = event {
            let call = *call;
            // It may have been taken back already.
            let ring = move |phone: &mut phone::Phone, now, out: &mut _| phone.ring(now, call, out);
            let _ = self.desk.seat(line)?.phone.obey(ring);
        }
        self.watched.hear(line, event);
        let over = self.board.hear(self.now(), line, event);
        self.tend_patch();
        let past = match (over, event) {
            (Some(over), _) => self.past_call(over),
            (None, PhoneEvent::TurnedAway { from, status }) => {
                self.turned_away(line, from, *status)
            }
            _ => return Ok(()),
        };
        let kept = self.past.add(past);
        kept.map_err(|error| format!("this call will be forgotten: the file of calls: {error}"))
    }

    /// Whoever leaves hangs up: the calls that are up are past.
    pub(super) fn leave(&mut self) -> Result<(), String> {
        let now = self.now();
        for over in self.board.clear(now) {
            let past = self.past_call(over);
            self.past.add(past).map_err(|error| format!("the file of calls: {error}"))?;
        }
        Ok(())
    }

    fn past_call(&self, Over { known, status, talked }: Over) -> PastCall {
        let account = self.account(known.key.line);
        let (direction, with) = (known.direction, known.with);
        // Nobody lives so long that this could be out of range.
        let ago = SignedDuration::try_from(self.now().saturating_sub(known.began));
        let at = ago.ok().and_then(|ago| Timestamp::now().checked_sub(ago).ok());
        let at = at.unwrap_or_else(Timestamp::now);
        PastCall { at, account, direction, with, status, talked }
    }

    fn turned_away(&self, line: usize, from: &str, status: u16) -> PastCall {
        let with = from.chars().take(limits::NAME).collect();
        let (direction, talked) = (Direction::In, None);
        PastCall {
            at: Timestamp::now(),
            account: self.account(line),
            direction,
            with,
            status,
            talked,
        }
    }

    fn account(&self, line: usize) -> String {
        self.desk.seat(line).map(|seat| seat.user.to_owned()).unwrap_or_default()
    }

    /// By which account to call whom we called last.
    pub(super) fn redial(&self) -> Result<Order, String> {
        let last = self.past.last_called().ok_or("nobody has been called yet")?;
        let line = self.desk.lines().iter().position(|line| line.user == last.account);
        Ok(Order::Call(line.unwrap_or(0), last.with.clone()))
    }

    /// Does it.
    pub(super) fn obey(&mut self, order: Order) -> Result<Done, String> {
        match order {
            Order::Call(line, target) => return self.call(line, target).map(Done::Begun),
            Order::Answer(key) => {
                self.hold_others(key)?;
                let meter = self.known(key)?.meter.clone();
                let (audio, call) = (self.audio(meter)?, key.call);
                self.at(key)?.obey(move |phone, now, out| phone.answer(now, call, audio, out))?;
            }
            Order::Hold(key) => self.wish(key, Wish::Hold)?,
            Order::TalkIn(key) => {
                self.hold_others(key)?;
                if self.known(key)?.is_to_wait() {
                    self.wish(key, Wish::Resume)?;
                }
            }
            Order::Watch(line, target, what) => self.watch(line, Whom::Somebody(target, what))?,
            Order::Mute(key) => self.board.toggle_mute(key),
            Order::Confer => self.confer()?,
            Order::Split(key) => self.split(key)?,
            Order::Follow(key) => return self.follow(key).map(Done::Begun),
            Order::DoNotDisturb => self.for_all(|phone| {
                phone.do_not_disturb();
                Ok(())
            })?,
            Order::Open => self.for_all(|phone| {
                phone.open();
                Ok(())
            })?,
            Order::Forward(to) => self.for_all(move |phone| phone.forward_all(&to))?,
            Order::Message(line, to, text) => {
                let seat = self.desk.seat(line)?;
                let send = move |phone: &mut phone::Phone, now, out: &mut _| {
                    phone.message(now, &to, &text, out)
                };
                return seat.phone.obey(send).map(Done::Sent);
            }
            within => self.within(within)?,
        }
        Ok(Done::Nothing)
    }

    /// What concerns one call, and leaves nothing to be noted.
    fn within(&mut self, order: Order) -> Result<(), String> {
        match order {
            Order::Refuse(key) => {
                self.at(key)?.obey(move |phone, now, out| phone.refuse(now, key.call, BUSY, out))
            }
            Order::HangUp(key) => {
                self.at(key)?.obey(move |phone, now, out| phone.hang_up(now, key.call, out))
            }
            Order::Transfer(key, to) => {
                self.at(key)?.obey(move |phone, now, out| phone.transfer(now, key.call, &to, out))
            }
            Order::Join(key, other) if key.line == other.line => self
                .at(key)?
                .obey(move |phone, now, out| phone.transfer_to(now, key.call, other.call, out)),
            Order::Join(key, other) => {
                let link = self.at(other)?.obey(move |phone, _, _| phone.link_to(other.call))?;
                self.at(key)?.obey(move |phone, now, out| phone.transfer(now, key.call, &link, out))
            }
            Order::Press(key, digit) => {
                self.at(key)?.obey(move |phone, now, out| phone.press(now, key.call, digit, out))
            }
            Order::Decline(key) => {
                self.known(key)?.referred = None;
                self.at(key)?.obey(move |phone, now, out| phone.decline(now, key.call, out))
            }
            _ => Ok(()),
        }
    }

    fn call(&mut self, line: usize, target: String) -> Result<Key, String> {
        let seat = self.desk.seat(line)?;
        let mut known = Known::new(self.now(), Key { line, call: NONE }, (Direction::Out, &target));
        self.hold_others(known.key)?;
        let audio = self.audio(known.meter.clone())?;
        let call = seat.phone.obey(move |phone, now, out| phone.call(now, &target, audio, out))?;
        known.key.call = call;
        let key = known.key;
        self.board.place(known);
        Ok(key)
    }

    fn follow(&mut self, key: Key) -> Result<Key, String> {
        let now = self.now();
        let to = self.known(key)?.referred.take().ok_or("nobody wants that")?;
        let new = self.at(key)?.obey(move |phone, now, out| phone.follow(now, key.call, out))?;
        let new = Key { line: key.line, call: new };
        // The meter hangs on mouth and ear, which the new call takes over.
        let meter = self.known(key)?.meter.clone();
        self.board.place(Known { meter, ..Known::new(now, new, (Direction::Out, &to)) });
        Ok(new)
    }

    /// The own mailbox of an account is watched from now on, where its server says what is in it.
    pub(super) fn watch_mailbox(&mut self, line: usize) {
        if self.watched.find(line, &Whom::Own).is_none() {
            // A phone that has ended says so itself.
            let _ = self.watch(line, Whom::Own);
        }
    }

    /// Watches somebody, or does not any more.
    fn watch(&mut self, line: usize, whom: Whom) -> Result<(), String> {
        let seat = self.desk.seat(line)?;
        if let Some(watch) = self.watched.find(line, &whom) {
            return seat.phone.obey(move |phone, now, out| phone.unwatch(now, watch, out));
        }
        let (target, package) = match &whom {
            Whom::Own => (seat.user.to_owned(), Package::Messages),
            Whom::Somebody(target, what) => (target.clone(), what.package()),
        };
        let watch =
            seat.phone.obey(move |phone, now, out| phone.watch(now, &target, package, out))?;
        self.watched.begin((line, watch), whom);
        Ok(())
    }

    /// Asks the other side to wait, or to go on. Asked already, it is not asked again.
    pub(super) fn wish(&mut self, key: Key, wish: Wish) -> Result<(), String> {
        let phone = self.at(key)?;
        match wish {
            Wish::Hold => phone.obey(move |phone, now, out| phone.hold(now, key.call, out))?,
            Wish::Resume => phone.obey(move |phone, now, out| phone.resume(now, key.call, out))?,
        }
        self.known(key)?.wish = Some(wish);
        Ok(())
    }

    /// Whoever we talk with, but in this call, waits.
    fn hold_others(&mut self, key: Key) -> Result<(), String> {
        let talks = |known: &&Known| {
            known.key != key
                && known.is_up()
                && !known.is_to_wait()
                && !self.board.are_together(key, known.key)
        };
        let others: Vec<_> = self.board.calls().iter().filter(talks).map(|it| it.key).collect();
        others.into_iter().try_for_each(|other| self.wish(other, Wish::Hold))
    }

    fn audio(&self, meter: Arc<Meter>) -> Result<Box<dyn phone::Audio>, String> {
        Ok(Box::new(Metered { audio: self.desk.audio()?, meter }))
    }

    fn known(&mut self, key: Key) -> Result<&mut Known, String> {
        self.board.get_mut(key).ok_or_else(|| "there is no such call any more".to_owned())
    }

    fn at(&self, key: Key) -> Result<&'desk crate::softphone::Softphone, String> {
        self.desk.seat(key.line).map(|seat| seat.phone)
    }

    fn for_all(
        &self,
        deed: impl Fn(&mut phone::Phone) -> Result<(), phone::Unable> + Clone + Send + 'static,
    ) -> Result<(), String> {
        self.desk.lines().iter().try_for_each(|line| {
            let deed = deed.clone();
            line.phone.obey(move |phone, _, _| deed(phone))
        })
    }

    /// Asks the phones how good their calls are.
    pub(super) fn measure(&mut self) -> Result<(), String> {
        let up = self.board.calls().iter().filter(|known| known.is_up());
        let up: Vec<_> = up.map(|known| known.key).collect();
        for key in up {
            let quality = self.at(key)?.ask(move |phone, _, _| phone.quality(key.call))?;
            if let Some(known) = self.board.get_mut(key) {
                known.quality = quality.or(known.quality);
            }
        }
        Ok(())
    }
}

/// What a call is refused with (RFC 3261 §21.4.24).
const BUSY: u16 = 486;

/// The number of a call that has none yet; phones count from 1.
const NONE: phone::Call = phone::Call(0);
