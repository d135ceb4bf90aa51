//! `offhook phone`: a telephone for people and for scripts.

mod account;
mod call;
mod deed;
mod desk;
mod inquiry;
mod news;
mod prompt;
mod sound;
mod transfer;
mod watch;
mod watched;

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
    /// Say what happens as JSON, an object a line
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    deed: Option<Deed>,
}

/// Is a phone. Without a deed, it does what is typed.
pub fn run(arguments: Arguments, log: Log) -> Outcome {
    let news = if arguments.json { News::Json } else { News::Text };
    let (account, at, authorities) = match arguments.account.read() {
        Ok(read) => read,
        Err(account::Wrong::File(mistakes)) => return crate::check::refuse(&mistakes, log),
        Err(account::Wrong::Said(what)) => {
            log.error("wrong_account", &[("what", (&what).into())]);
            return Outcome::Wrong;
        }
    };
    let account = account.referrals(match arguments.follow_transfers {
        true => Referrals::Follow,
        false => Referrals::Refuse,
    });
    if let Err(what) = arguments.sound.check() {
        log.error("wrong_sound", &[("what", (&what).into())]);
        return Outcome::Wrong;
    }
    let done =
        Desk::open((&account, at, &authorities), arguments.sound, news).and_then(|mut desk| {
            let done = match arguments.deed {
                Some(deed) => deed.run(&mut desk),
                None => prompt::run(&mut desk),
            };
            desk.close();
            done
        });
    match done {
        Ok(outcome) => outcome,
        Err(what) => {
            news.failed(&what);
            Outcome::Failed
        }
    }
}
