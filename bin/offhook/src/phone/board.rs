//! `Board`: the calls of all accounts, as far as their phones have told of them. What a person sees and chooses from.

use std::sync::Arc;
use std::time::Duration;

use phone::{Call, CallQuality, Direction, PhoneEvent};

use super::meter::Meter;
use crate::limits;

/// Which call: at which phone, and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) line: usize,
    pub(super) call: Call,
}

/// What is known of a call.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "who holds whom and who is joined are facts apart"
)]
pub(super) struct Known {
    pub(super) key: Key,
    pub(super) direction: Direction,
    /// The other side.
    pub(super) with: String,
    pub(super) state: State,
    /// When it began, since the program did.
    pub(super) began: Duration,
    /// We hold the other side.
    pub(super) holds: bool,
    /// The other side holds us.
    pub(super) is_held: bool,
    /// It takes part in the conference of its phone.
    pub(super) joined: bool,
    /// What was asked of the other side, and not answered yet: to hold it, or to take it back.
    pub(super) wish: Option<Wish>,
    /// How far a transfer has come.
    pub(super) transfer: Option<u16>,
    /// Whom the other side wants us to call.
    pub(super) referred: Option<String>,
    /// The last keys that the other side has pressed.
    pub(super) keys: String,
    /// How loud it is, and whether we are heard.
    pub(super) meter: Arc<Meter>,
    pub(super) quality: Option<CallQuality>,
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It is on its way to the other side.
    Calling,
    /// The other side's phone rings.
    Rings,
    /// Ours does.
    Comes,
    /// It is up since then.
    Up(Duration),
}

/// What the other side is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Hold,
    Resume,
}

/// A call that is over.
#[derive(Clone, Debug)]
pub(super) struct Over {
    pub(super) known: Known,
    pub(super) status: u16,
    /// How long it was up.
    pub(super) talked: Option<Duration>,
}

impl Known {
    pub(super) fn new(now: Duration, key: Key, (direction, with): (Direction, &str)) -> Self {
        let state = match direction {
            Direction::Out => State::Calling,
            Direction::In => State::Comes,
        };
        Self {
            key,
            direction,
            with: with.chars().take(limits::NAME).collect(),
            state,
            began: now,
            holds: false,
            is_held: false,
            joined: false,
            wish: None,
            transfer: None,
            referred: None,
            keys: String::new(),
            meter: Arc::default(),
            quality: None,
        }
    }

    pub(super) const fn is_up(&self) -> bool {
        matches!(self.state, State::Up(_))
    }

    /// It waits, or will as soon as the other side agrees to what it has been asked.
    pub(super) fn is_to_wait(&self) -> bool {
        self.wish.map_or(self.holds, |wish| wish == Wish::Hold)
    }

    /// True for a call that takes part in a conference, of its account or of several.
    pub(super) fn confers(&self) -> bool {
        self.joined || self.meter.is_plugged()
    }
}

/// The calls that there are, in the order of their beginning.
#[derive(Clone, Debug, Default)]
pub(super) struct Board {
    calls: Vec<Known>,
}

impl Board {
    pub(super) fn calls(&self) -> &[Known] {
        &self.calls
    }

    pub(super) fn get(&self, key: Key) -> Option<&Known> {
        self.calls.iter().find(|known| known.key == key)
    }

    /// The call whose mouth and ear are the person's while they are in this one: in a conference that of the member who was there first.
    pub(super) fn voice(&self, key: Key) -> Option<&Known> {
        let own = self.get(key)?;
        let mate = |known: &&Known| known.key.line == key.line && known.joined;
        let first = self.calls.iter().find(mate).filter(|_| own.joined);
        Some(first.unwrap_or(own))
    }

    /// The call that comes: the chosen one, if it does, or the first that does.
    pub(super) fn coming(&self, chosen: Option<Key>) -> Option<Key> {
        let comes = |known: &&Known| known.state == State::Comes;
        let chosen = chosen.and_then(|key| self.get(key)).filter(comes);
        chosen.or_else(|| self.calls.iter().find(comes)).map(|known| known.key)
    }

    /// True when both take part in one conference.
    pub(super) fn are_together(&self, one: Key, other: Key) -> bool {
        let (Some(one), Some(other)) = (self.get(one), self.get(other)) else { return false };
        let at_one_phone = one.key.line == other.key.line && one.joined && other.joined;
        at_one_phone || one.meter.is_plugged() && other.meter.is_plugged()
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Known> {
        self.calls.iter_mut().find(|known| known.key == key)
    }

    /// A call of ours. The phone may have told of it already.
    pub(super) fn place(&mut self, known: Known) {
        if self.get(known.key).is_none() {
            self.calls.push(known);
        }
    }

    /// A phone tells something. A call that is over is handed out.
    pub(super) fn hear(&mut self, now: Duration, line: usize, event: &PhoneEvent) -> Option<Over> {
        let key = |call: &Call| Key { line, call: *call };
        match event {
            PhoneEvent::Incoming { call, from } => {
                self.place(Known::new(now, key(call), (Direction::In, from)));
            }
            PhoneEvent::Entered { call, with, wanted_in } => {
                let direction = wanted_in.map_or(Direction::In, |_| Direction::Out);
                let known = Known::new(now, key(call), (direction, with));
                // Nobody is asked: it does not ring.
                self.place(Known { state: State::Calling, ..known });
            }
            PhoneEvent::Conference { members } => {
                for known in self.calls.iter_mut().filter(|known| known.key.line == line) {
                    known.joined = members.contains(&known.key.call);
                }
                self.agree_on_silence(line);
            }
            PhoneEvent::GoesOn { call, new } => self.go_on(key(call), key(new)),
            PhoneEvent::Ended { call, status, .. } => return self.end(now, key(call), *status),
            PhoneEvent::Progress { call, .. }
            | PhoneEvent::Established { call }
            | PhoneEvent::Held { call, .. }
            | PhoneEvent::HoldDone { call, .. }
            | PhoneEvent::Key { call, .. }
            | PhoneEvent::Transfer { call, .. }
            | PhoneEvent::Referred { call, .. }
            | PhoneEvent::Quality { call, .. } => {
                if let Some(known) = self.get_mut(key(call)) {
                    known.hear(now, event);
                }
            }
            _ => {}
        }
        None
    }

    /// Whoever wants not to be heard by one of the members is not heard by any.
    fn agree_on_silence(&self, line: usize) {
        let members = || self.calls.iter().filter(|known| known.key.line == line && known.joined);
        if members().any(|known| known.meter.is_muted()) {
            members().for_each(|known| known.meter.mute());
        }
    }

    /// We are heard in this call no more, or again; and in those that are joined with it.
    pub(super) fn toggle_mute(&self, key: Key) {
        let Some(known) = self.get(key) else { return };
        let muted = known.meter.is_muted();
        let mate = |it: &&Known| it.key == key || self.are_together(it.key, key);
        for known in self.calls.iter().filter(mate) {
            if muted { known.meter.unmute() } else { known.meter.mute() }
        }
    }

    fn go_on(&mut self, old: Key, new: Key) {
        let meter = self.get(old).map(|known| known.meter.clone());
        if let Some(known) = self.get_mut(new) {
            // It hangs on mouth and ear, which the new call takes over.
            known.meter = meter.unwrap_or_default();
            return;
        }
        if let Some(known) = self.get_mut(old) {
            (known.key, known.transfer, known.referred) = (new, None, None);
            (known.holds, known.is_held, known.wish) = (false, false, None);
        }
    }

    fn end(&mut self, now: Duration, key: Key, status: u16) -> Option<Over> {
        let at = self.calls.iter().position(|known| known.key == key)?;
        Some(Over::of(self.calls.remove(at), now, status))
    }

    /// All of them end.
    pub(super) fn clear(&mut self, now: Duration) -> Vec<Over> {
        let over = |known: Known| {
            let status = if known.is_up() { 200 } else { 487 };
            Over::of(known, now, status)
        };
        std::mem::take(&mut self.calls).into_iter().map(over).collect()
    }
}

impl Over {
    fn of(known: Known, now: Duration, status: u16) -> Self {
        let talked = match known.state {
            State::Up(since) => Some(now.saturating_sub(since)),
            _ => None,
        };
        Self { known, status, talked }
    }
}

impl Known {
    fn hear(&mut self, now: Duration, event: &PhoneEvent) {
        match event {
            PhoneEvent::Progress { status: 180 | 183, .. } if self.state == State::Calling => {
                self.state = State::Rings;
            }
            PhoneEvent::Established { .. } if !self.is_up() => self.state = State::Up(now),
            PhoneEvent::Held { held, .. } => self.is_held = *held,
            PhoneEvent::HoldDone { hold, status, .. } => {
                if matches!(status, 200..=299) {
                    self.holds = *hold;
                }
                // Something else may have been asked for meanwhile.
                self.wish = self.wish.filter(|wish| (*wish == Wish::Hold) != *hold);
            }
            PhoneEvent::Key { key, .. } => {
                self.keys.push(*key);
                let much = self.keys.chars().count().saturating_sub(KEYS);
                self.keys = self.keys.chars().skip(much).collect();
            }
            PhoneEvent::Transfer { status, .. } => self.transfer = Some(*status),
            PhoneEvent::Referred { to, .. } => self.referred = Some(to.to_string()),
            PhoneEvent::Quality { quality, .. } => self.quality = Some(**quality),
            _ => {}
        }
    }
}

/// Who has called whom.
pub(super) const fn way(direction: Direction) -> &'static str {
    match direction {
        Direction::Out => "to",
        Direction::In => "from",
    }
}

/// Keys of the other side that are shown.
const KEYS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key { line: 1, call: Call(7) };

    fn told(events: &[PhoneEvent]) -> (Board, Option<Over>) {
        let mut board = Board::default();
        board.place(Known::new(Duration::ZERO, KEY, (Direction::Out, "sip:102@h")));
        let now = |at: usize| Duration::from_secs(at as u64);
        let over = events.iter().enumerate().filter_map(|(at, it)| board.hear(now(at), 1, it));
        let over = over.last();
        (board, over)
    }

    #[test]
    fn who_is_joined_is_known() {
        let joined = |events: &[PhoneEvent]| told(events).0.get(KEY).unwrap().joined;
        let conference = |members: &[u32]| PhoneEvent::Conference {
            members: members.iter().map(|call| Call(*call)).collect(),
        };
        assert!(joined(&[conference(&[7, 9])]));
        assert!(!joined(&[conference(&[7, 9]), conference(&[])]));
        assert!(!joined(&[conference(&[8, 9])]));
    }

    #[test]
    fn in_a_conference_the_first_member_lends_its_voice() {
        let (mut board, _) = told(&[]);
        let later = Key { line: 1, call: Call(9) };
        board.place(Known::new(Duration::ZERO, later, (Direction::Out, "sip:103@h")));
        assert_eq!(board.voice(later).unwrap().key, later);
        board.toggle_mute(later);
        let muted =
            |board: &Board| [KEY, later].map(|key| board.get(key).unwrap().meter.is_muted());
        assert_eq!(muted(&board), [false, true]);
        let members = [Call(7), Call(9)].into();
        assert!(board.hear(Duration::ZERO, 1, &PhoneEvent::Conference { members }).is_none());
        assert_eq!(board.voice(later).unwrap().key, KEY);
        assert_eq!(board.voice(KEY).unwrap().key, KEY);
        // Nobody is heard by accident because calls were joined.
        assert_eq!(muted(&board), [true, true]);
        board.toggle_mute(KEY);
        assert_eq!(muted(&board), [false, false]);
    }

    #[test]
    fn a_call_goes_from_ringing_to_its_end_and_its_time_is_counted() {
        let call = Call(7);
        let [ring, up] =
            [PhoneEvent::Progress { call, status: 180 }, PhoneEvent::Established { call }];
        let end = PhoneEvent::Ended { call, status: 200, reason: "bye".into() };
        assert_eq!(told(std::slice::from_ref(&ring)).0.calls()[0].state, State::Rings);
        assert!(told(&[ring.clone(), up.clone()]).0.calls()[0].is_up());
        let (board, over) = told(&[ring, up.clone(), up, end.clone()]);
        let over = over.unwrap();
        assert_eq!((over.status, over.talked), (200, Some(Duration::from_secs(2))));
        assert!(board.calls().is_empty());
        assert_eq!(told(&[end]).1.unwrap().talked, None);
    }

    #[test]
    fn a_hold_counts_when_it_was_agreed_to() {
        let (mut board, _) = told(&[PhoneEvent::Established { call: Call(7) }]);
        for (wish, status, holds) in
            [(Wish::Hold, 488, false), (Wish::Hold, 200, true), (Wish::Resume, 200, false)]
        {
            board.get_mut(KEY).unwrap().wish = Some(wish);
            assert_eq!(done(&mut board, wish, status), (holds, None));
        }
    }

    /// What is so and what is still asked for, when something was answered.
    fn done(board: &mut Board, asked: Wish, status: u16) -> (bool, Option<Wish>) {
        let hold = asked == Wish::Hold;
        let done = PhoneEvent::HoldDone { call: Call(7), hold, status };
        assert!(board.hear(Duration::ZERO, 1, &done).is_none());
        (board.calls()[0].holds, board.calls()[0].wish)
    }

    /// A resume that was asked for while the hold was under way, and is refused: the call waits.
    #[test]
    fn what_is_asked_for_meanwhile_is_answered_by_itself() {
        let (mut board, _) = told(&[PhoneEvent::Established { call: Call(7) }]);
        board.get_mut(KEY).unwrap().wish = Some(Wish::Resume);
        assert_eq!(done(&mut board, Wish::Hold, 200), (true, Some(Wish::Resume)));
        assert_eq!(done(&mut board, Wish::Resume, 488), (true, None));
    }

    /// Whoever changes his mind before the other side has agreed is not forgotten.
    #[test]
    fn what_has_been_asked_counts_for_what_is_asked_next() {
        let (mut board, _) = told(&[PhoneEvent::Established { call: Call(7) }]);
        let known = board.get_mut(KEY).unwrap();
        let mut is_to_wait = |holds, wish| {
            (known.holds, known.wish) = (holds, wish);
            known.is_to_wait()
        };
        let (hold, resume) = (Some(Wish::Hold), Some(Wish::Resume));
        assert_eq!(
            [(false, None), (true, None)].map(|(holds, wish)| is_to_wait(holds, wish)),
            [false, true]
        );
        assert_eq!(
            [(false, hold), (true, resume)].map(|(holds, wish)| is_to_wait(holds, wish)),
            [true, false]
        );
    }

    #[test]
    fn a_call_goes_on_under_a_new_number_and_at_another_phone_it_is_another() {
        let (mut board, _) = told(&[PhoneEvent::Established { call: Call(7) }]);
        let other = PhoneEvent::Ended { call: Call(7), status: 200, reason: "".into() };
        assert!(board.hear(Duration::ZERO, 0, &other).is_none());
        let goes = PhoneEvent::GoesOn { call: Call(7), new: Call(8) };
        assert!(board.hear(Duration::ZERO, 1, &goes).is_none());
        assert!(board.hear(Duration::ZERO, 1, &other).is_none());
        assert_eq!(board.calls()[0].key.call, Call(8));
        for key in "0123456789ABCDABCDAB".chars() {
            board.hear(Duration::ZERO, 1, &PhoneEvent::Key { call: Call(8), key });
        }
        assert_eq!(board.calls()[0].keys, "456789ABCDABCDAB");
    }
}
