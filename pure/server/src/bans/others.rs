//! What the nodes of a cluster tell each other of bans: on a board, which every node reads again and again. The last word about a source counts, which its
//! edition says; a store that falls back to an older word is told the last one again by whoever knows it.

use std::time::Duration;

use machine::Time;
use protocol::Output;
use protocol::bans::{Ban, Lifting, Source, Treatment};
use protocol::doors::Event;

use super::kept::Kept;
use super::{Bans, LIFTED, write_down};
use crate::limits;
use crate::turn::Turn;

impl Bans {
    /// Another node of our cluster, or we ourselves, has written this down, and it is to be believed for so long from now on. Who is registered here is
    /// served here all the same.
    pub(crate) fn heed(&mut self, turn: &mut Turn<'_>, octets: &[u8], left: Duration) {
        match Kept::read(&turn.house.seal, octets) {
            Some(Kept::Barred(ban)) if ban.until + limits::CLOCKS > turn.now => {
                self.suspects.heard_of(ban.edition);
                match self.suspects.edition(ban.source) {
                    known if known > ban.edition => {
                        self.insist(turn, ban.source, turn.now + left + LIFTED)
                    }
                    known if known < ban.edition => self.heed_ban(turn, ban, left),
                    _ => {}
                }
            }
            Some(Kept::Lifted(source, edition)) => {
                self.heed_lifting(turn, Lifting { source, edition, until: turn.now + left });
            }
            _ => turn.out.push(Output::Report(Event::Tampered { aor: "a ban".into() })),
        }
    }

    fn heed_lifting(&mut self, turn: &mut Turn<'_>, lifting: Lifting) {
        let Lifting { source, edition, until } = lifting;
        self.suspects.heard_of(edition);
        let known = self.suspects.edition(source);
        if known > edition {
            self.insist(turn, source, until + LIFTED);
        }
        if known < edition && self.free(turn, lifting) {
            report(turn, source, Event::Unbanned { source });
        }
    }

    /// Clocks differ: how long it still lasts is what the store says, and never longer than it was given for.
    fn heed_ban(&mut self, turn: &mut Turn<'_>, mut ban: Ban, left: Duration) {
        let (source, lasts) = (ban.source, ban.until - ban.since);
        ban.until = turn.now + left.min(lasts);
        ban.since = ban.since.min(turn.now);
        if ban.until <= turn.now || self.is_excused(turn, source) {
            return;
        }
        self.suspects.adopt(&ban);
        turn.out.push(Output::Bar(source, ban.until));
        report(turn, source, Event::Banned(Box::new(ban)));
    }

    /// This was on the board, or was to be there, and is not. As long as it is the last word about a source it is written there again.
    pub(crate) fn miss(&mut self, turn: &mut Turn<'_>, octets: &[u8]) {
        let Some(kept) = Kept::read(&turn.house.seal, octets) else { return };
        let (source, is_ban, edition) = match kept {
            Kept::Barred(ban) => (ban.source, true, ban.edition),
            Kept::Lifted(source, edition) => (source, false, edition),
        };
        if let Some(until) = self.suspects.until(source)
            && self.suspects.edition(source) == edition
            && self.suspects.is_barred(source) == is_ban
        {
            self.insist(turn, source, until);
        }
    }

    /// The last word about a source is written to the board again; that its ban was lifted, to be read until then.
    fn insist(&self, turn: &mut Turn<'_>, source: Source, until: Time) {
        if !turn.is_home_of(&source.octets()) {
            return;
        }
        match self.suspects.ban(source).filter(|ban| ban.treatment == Treatment::Barred) {
            Some(ban) => {
                let until = ban.until;
                write_down(turn, &Kept::Barred(ban), until);
            }
            None => {
                let edition = self.suspects.edition(source);
                write_down(turn, &Kept::Lifted(source, edition), until);
            }
        }
    }
}

/// One shard says what all shards do.
pub(super) fn report(turn: &mut Turn<'_>, source: Source, event: Event) {
    if turn.is_home_of(&source.octets()) {
        turn.out.push(Output::Report(event));
    }
}
