//! Calls that are joined: what a person tells the phones about the conference of an account.

use phone::Direction;

use super::board::{Key, Known, Wish};
use super::order::House;

impl House<'_> {
    /// Joins all calls of the account of this one that are up.
    pub(super) fn confer(&mut self, key: Key) -> Result<(), String> {
        let mate = |known: &&Known| known.key.line == key.line && known.is_up();
        let mates = self.board.calls().iter().filter(mate);
        let (keys, waiting): (Vec<_>, Vec<_>) = mates.map(|known| (known.key, known.holds)).unzip();
        let calls: Vec<_> = keys.iter().map(|key| key.call).collect();
        let seat = self.desk.seat(key.line)?;
        seat.phone.obey(move |phone, now, out| phone.join(now, &calls, out))?;
        for (key, waits) in keys.into_iter().zip(waiting) {
            if let (true, Some(known)) = (waits, self.board.get_mut(key)) {
                known.wish = Some(Wish::Resume);
            }
        }
        Ok(())
    }

    /// Takes a call out of the conference.
    pub(super) fn split(&self, key: Key) -> Result<(), String> {
        let seat = self.desk.seat(key.line)?;
        seat.phone.obey(move |phone, now, out| phone.split(now, key.call, out))
    }

    /// Calls somebody into a call, or into its conference.
    pub(super) fn add(&mut self, key: Key, target: String) -> Result<(), String> {
        let (now, to) = (self.now(), target.clone());
        let (seat, audio) = (self.desk.seat(key.line)?, self.desk.audio()?);
        let add = move |phone: &mut phone::Phone, now, out: &mut _| {
            phone.add(now, key.call, &target, audio, out)
        };
        let call = seat.phone.obey(add)?;
        self.board.place(Known::new(now, Key { line: key.line, call }, (Direction::Out, &to)));
        Ok(())
    }

    /// Asks the focus of a conference to call somebody into it.
    pub(super) fn invite(&self, key: Key, target: String) -> Result<(), String> {
        let seat = self.desk.seat(key.line)?;
        seat.phone.obey(move |phone, now, out| phone.invite(now, key.call, &target, out))
    }

    /// True when both take part in one conference.
    pub(super) fn are_together(&self, one: Key, other: Key) -> bool {
        let joined = |key: Key| self.board.get(key).is_some_and(|known| known.joined);
        one.line == other.line && joined(one) && joined(other)
    }
}
