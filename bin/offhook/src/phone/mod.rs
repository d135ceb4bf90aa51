//! `offhook phone`: a telephone for people and for scripts.

mod account;
mod board;
mod call;
#[cfg(feature = "soundcard")]
mod card;
mod deed;
mod desk;
mod flows;
mod inquiry;
mod meter;
mod news;
mod order;
mod past;
mod patch;
mod prompt;
mod screen;
mod sound;
mod together;
mod transfer;
mod watch;
mod watched;
mod watchlist;
mod ways;

use crate::log::Log;
use crate::outcome::Outcome;
use account::AccountArguments;
use deed::Deed;
use desk::Desk;
use news::News;
use phone::Referrals;
use sound::SoundArguments;

/// What `offhook phone` is told.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    account: AccountArguments,
    #[command(flatten)]
    sound: SoundArguments,
    /// Call whom the other side of a call names (a transfer): in the name of this account, and at its cost
    #[arg(long, global = true)]
    follow_transfers: bool,
    #[command(flatten)]
    shown: Shown,
    #[command(subcommand)]
    deed: Option<Deed>,
}

/// How it is shown what happens.
#[derive(Debug, clap::Args)]
struct Shown {
    /// Say what happens as JSON, an object a line
    #[arg(long, global = true)]
    json: bool,
    /// No screen: what happens is said line by line, and lines are typed
    #[arg(long)]
    lines: bool,
}

/// What a person sees of a phone without a deed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Face {
    Lines,
    Screen,
}

/// Is a phone. Without a deed, it does what is typed.
pub fn run(arguments: Arguments, log: Log) -> Outcome {
    let face = match (&arguments.deed, arguments.shown.json || arguments.shown.lines) {
        (None, false) if screen::is_possible() => Face::Screen,
        _ => Face::Lines,
    };
    let news = match (face, arguments.shown.json) {
        (Face::Screen, _) => News::Silent,
        (Face::Lines, true) => News::Json,
        (Face::Lines, false) => News::Text,
    };
    let mut file = match arguments.account.file() {
        Ok(file) => file,
        Err(mistakes) => return crate::check::refuse(&mistakes, log),
    };
    let sound = arguments.sound.settle(file.card);
    if sound.is_by_card() {
        // A person is there who hears them.
        file.expect_tones();
    }
    let mut accounts = match arguments.account.read(file) {
        Ok(accounts) => accounts,
        Err(what) => {
            log.error("wrong_account", &[("what", (&what).into())]);
            return Outcome::Wrong;
        }
    };
    let referrals = match (arguments.follow_transfers, &arguments.deed) {
        (true, _) => Referrals::Follow,
        // Nobody could be asked.
        (false, Some(_)) => Referrals::Refuse,
        (false, None) => Referrals::Ask,
    };
    for owned in &mut accounts {
        owned.account = owned.account.clone().referrals(referrals);
    }
    if let Err(what) = sound.check() {
        log.error("wrong_sound", &[("what", (&what).into())]);
        return Outcome::Wrong;
    }
    if sound.takes_stdout() {
        news::step_aside();
    }
    let done = Desk::open(&accounts, sound, news).and_then(|desk| {
        let done = match arguments.deed {
            Some(deed) => deed.run(&desk),
            None if face == Face::Screen => screen::run(&desk),
            None => prompt::run(&desk),
        };
        desk.close();
        done
    });
    match done {
        Ok(outcome) => outcome,
        Err(what) => {
            let news = if news == News::Silent { News::Text } else { news };
            news.failed(&what);
            Outcome::Failed
        }
    }
}
