//! `Desk`: the phone on its desk, and everything that may happen around it: its own news, signals, what is typed.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use net::{Carry, Heard};
use phone::{Account, Audio, PhoneEvent};
use protocol::doors::Event;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::news::News;
use super::sound::SoundArguments;
use crate::ear::Ear;
use crate::limits;
use crate::softphone::Softphone;

/// What may happen.
#[derive(Debug)]
pub(super) enum Happening {
    /// The phone says something.
    Phone(PhoneEvent),
    /// Somebody typed a line.
    Typed(String),
    /// Nobody will type any more.
    TypedLast,
    /// SIGINT or SIGTERM: time to go.
    Leave,
    /// Something that does not concern a phone.
    Nothing,
}

/// The phone, and what happens around it.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) phone: Softphone,
    pub(super) news: News,
    /// Whose phone it is.
    pub(super) user: String,
    sound: SoundArguments,
    to: SyncSender<Happening>,
    happenings: Receiver<Happening>,
}

impl Desk {
    pub(super) fn open(
        (account, at, authorities): (&Account, IpAddr, &[PathBuf]),
        sound: SoundArguments,
        news: News,
    ) -> Result<Self, String> {
        let (to, happenings) = sync_channel(limits::LOG_LINES);
        let ear = Ear::new(to.clone(), Carry::Events, |heard| match heard {
            Heard::Event(_, _, Event::Phone(event)) => Happening::Phone(event),
            _ => Happening::Nothing,
        });
        let phone = Softphone::start(account, at, authorities, ear)?;
        let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(|error| error.to_string())?;
        let leave = to.clone();
        std::thread::spawn(move || {
            for _ in signals.forever() {
                // A desk that is closed has been left.
                let _ = leave.send(Happening::Leave);
            }
        });
        Ok(Self { phone, news, user: account.address(), sound, to, happenings })
    }

    /// Mouth and ear for a call.
    pub(super) fn audio(&self) -> Result<Box<dyn Audio>, String> {
        self.sound.audio()
    }

    /// Where somebody else may say what happens.
    pub(super) fn bell(&self) -> SyncSender<Happening> {
        self.to.clone()
    }

    /// What happens next; nothing, when `until` comes first. What the phone says is told.
    pub(super) fn next(&self, until: Option<Instant>) -> Result<Option<Happening>, String> {
        loop {
            let wait =
                until.map_or(FOREVER, |until| until.saturating_duration_since(Instant::now()));
            match self.happenings.recv_timeout(wait) {
                Ok(Happening::Nothing) => {}
                Ok(Happening::Phone(event)) => {
                    self.news.tell(&event);
                    return Ok(Some(Happening::Phone(event)));
                }
                Ok(happening) => return Ok(Some(happening)),
                Err(RecvTimeoutError::Timeout) if until.is_some() => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err("the phone has ended".into()),
            }
        }
    }

    /// Hangs up what is up, unregisters, and ends.
    pub(super) fn close(self) {
        let Self { phone, news, happenings, .. } = self;
        // How its thread ends does not matter any more.
        let _ = phone.leave();
        for happening in happenings.try_iter() {
            if let Happening::Phone(event) = happening {
                news.tell(&event);
            }
        }
    }
}

const FOREVER: Duration = Duration::from_secs(3600);
