//! A script that watches somebody: presence, messages that wait, calls, a conference.

use std::time::{Duration, Instant};

use phone::PhoneEvent;
use phone::packages::Package;

use super::desk::{Happening, Seat};
use crate::outcome::Outcome;

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum What {
    /// Whether they are there
    Presence,
    /// Messages that wait for them
    Messages,
    /// Their calls
    Dialogs,
    /// Who is in a conference
    Conference,
}

/// Watches until enough is told, or time is up. Fine, when anything was told.
pub(super) fn run(
    desk: &Seat<'_>,
    (target, what): (Option<String>, What),
    (news, during): (Option<u32>, Option<Duration>),
) -> Result<Outcome, String> {
    let (target, package) = match (target, what) {
        (Some(target), what) => (target, what.package()),
        (None, _) => (desk.user.to_owned(), Package::Messages),
    };
    let watch = desk.phone.obey(move |phone, now, out| phone.watch(now, &target, package, out))?;
    let until = during.map(|during| Instant::now() + during);
    let mut told = 0;
    while news.is_none_or(|enough| told < enough) {
        match desk.next(until)? {
            Some(Happening::Phone(PhoneEvent::Watched { watch: which, .. })) if which == watch => {
                told += 1;
            }
            Some(Happening::Phone(PhoneEvent::NotWatched {
                watch: which,
                status,
                again: false,
                ..
            })) if which == watch => return Ok(Outcome::of(status)),
            Some(Happening::Leave) | None => break,
            Some(_) => {}
        }
    }
    desk.phone.obey(move |phone, now, out| phone.unwatch(now, watch, out))?;
    goodbye(desk, watch)?;
    Ok(if told > 0 { Outcome::Fine } else { Outcome::Failed })
}

/// Waits for the last word.
fn goodbye(desk: &Seat<'_>, watch: phone::Watch) -> Result<(), String> {
    let until = Instant::now() + GOODBYE;
    while let Some(happening) = desk.next(Some(until))? {
        match happening {
            Happening::Phone(PhoneEvent::NotWatched { watch: which, .. }) if which == watch => {
                break;
            }
            Happening::Leave => break,
            _ => {}
        }
    }
    Ok(())
}

impl What {
    pub(super) const fn package(self) -> Package {
        match self {
            Self::Presence => Package::Presence,
            Self::Messages => Package::Messages,
            Self::Dialogs => Package::Dialogs,
            Self::Conference => Package::Conference,
        }
    }

    /// As it is typed.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Presence => PRESENCE,
            Self::Messages => "messages",
            Self::Dialogs => "dialogs",
            Self::Conference => "conference",
        }
    }

    /// What was typed.
    pub(super) fn named(name: &str) -> Result<Self, String> {
        let known = [Self::Presence, Self::Messages, Self::Dialogs, Self::Conference];
        let found = known.into_iter().find(|known| known.name() == name);
        found.ok_or_else(|| {
            format!("{name:?} cannot be watched: presence, messages, dialogs or conference can")
        })
    }
}

/// What is watched when nobody says what.
pub(super) const PRESENCE: &str = "presence";

/// How long a last word is waited for.
const GOODBYE: Duration = Duration::from_secs(5);
