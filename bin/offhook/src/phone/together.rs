//! Calls that are joined: what a person tells the phones about the conference of an account, or of several.

use std::collections::BTreeSet;

use phone::Direction;

use super::board::{Key, Known, Wish};
use super::order::House;
use super::patch::Patch;

impl House<'_> {
    /// Joins all calls that are up, of all accounts: those of one account by its phone, which is the focus of their conference, and those of several
    /// by a cord between the phones.
    pub(super) fn confer(&mut self) -> Result<(), String> {
        let up: Vec<_> = self.board.calls().iter().filter(|known| known.is_up()).cloned().collect();
        if up.len() < 2 {
            return Err("one call is no conference".into());
        }
        let lines: BTreeSet<_> = up.iter().map(|known| known.key.line).collect();
        for line in &lines {
            let mates: Vec<_> = up.iter().filter(|known| known.key.line == *line).collect();
            match mates[..] {
                [alone] if alone.is_to_wait() => self.wish(alone.key, Wish::Resume)?,
                [_] => {}
                _ => self.join(*line, &mates)?,
            }
        }
        if lines.len() > 1 {
            self.patch = Patch::default();
            let is_muted = up.iter().any(|known| known.meter.is_muted());
            for known in &up {
                known.meter.plug(Some(self.patch.plug(known.key.line)));
                // Whoever wants not to be heard by one of them is not heard by any.
                if is_muted {
                    known.meter.mute();
                }
            }
        }
        Ok(())
    }

    fn join(&mut self, line: usize, mates: &[&Known]) -> Result<(), String> {
        let calls: Vec<_> = mates.iter().map(|known| known.key.call).collect();
        let seat = self.desk.seat(line)?;
        seat.phone.obey(move |phone, now, out| phone.join(now, &calls, out))?;
        for waits in mates.iter().filter(|known| known.is_to_wait()) {
            if let Some(known) = self.board.get_mut(waits.key) {
                known.wish = Some(Wish::Resume);
            }
        }
        Ok(())
    }

    /// Takes a call out of the conference.
    pub(super) fn split(&mut self, key: Key) -> Result<(), String> {
        let known = self.board.get_mut(key).ok_or("there is no such call any more")?;
        let was_plugged = known.meter.is_plugged();
        known.meter.plug(None);
        // The phone says so too, later.
        if std::mem::take(&mut known.joined) || !was_plugged {
            let seat = self.desk.seat(key.line)?;
            seat.phone.obey(move |phone, now, out| phone.split(now, key.call, out))?;
        }
        self.tend_patch();
        Ok(())
    }

    /// Who has come into the conference of an account that hangs on the cord hangs on it too; and a cord that leads nowhere is taken away.
    pub(super) fn tend_patch(&mut self) {
        let calls = self.board.calls();
        let plugged = || calls.iter().filter(|known| known.meter.is_plugged());
        let lines: BTreeSet<_> = plugged().map(|known| known.key.line).collect();
        if lines.len() < 2 {
            return plugged().for_each(|known| known.meter.plug(None));
        }
        let new = |known: &&Known| {
            known.joined && !known.meter.is_plugged() && lines.contains(&known.key.line)
        };
        for known in calls.iter().filter(new) {
            known.meter.plug(Some(self.patch.plug(known.key.line)));
        }
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
}
