//! `offhook demo`: a server, two softphones, one real call, shown as it happens and judged by what was heard.

mod lesson;
mod narrator;
mod play;
mod side;
mod stage;
mod verdict;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use net::Losses;
use serde_json::json;

use crate::config::Server;
use crate::log::Log;
use crate::outcome::Outcome;
use crate::serve;
use narrator::Lessons;
use play::{Pace, Play};
use stage::Stage;
use verdict::Hearing;

/// What `offhook demo` is told.
#[derive(Debug, clap::Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "the switches of a command line stand beside each other"
)]
pub struct Arguments {
    /// Explain every kind of message, with the section of the RFC, and take time for it
    #[arg(long)]
    slow: bool,
    /// Leave the server running afterwards, for other phones
    #[arg(long)]
    keep: bool,
    /// Say the verdict as JSON, on one line
    #[arg(long)]
    json: bool,
    /// Keep the ladder and what each side heard in this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Plays the demo: exit code 0 only when each side heard what it should.
pub fn run(arguments: &Arguments, log: Log) -> Outcome {
    match demonstrate(arguments, log) {
        Ok(outcome) => outcome,
        Err(why) => {
            log.error("demo_failed", &[("what", (&why).into())]);
            Outcome::Failed
        }
    }
}

fn demonstrate(arguments: &Arguments, log: Log) -> Result<Outcome, String> {
    let stage = Stage::set()?;
    let (lessons, pace) =
        if arguments.slow { (Lessons::Told, Pace::Slow) } else { (Lessons::Untold, Pace::Usual) };
    let shown = if arguments.json { play::Shown::Nothing } else { play::Shown::Ladder };
    let mut play = Play::new(stage, lessons, pace, shown)?;
    let hearings = play.perform()?;
    let right = hearings.iter().all(Hearing::is_right);
    if arguments.json {
        let sides: Vec<_> = hearings.iter().map(Hearing::json).collect();
        say(&format!("{}\n", json!({ "right": right, "sides": sides })));
    } else {
        say("\n");
        hearings.iter().for_each(|hearing| say(&hearing.line()));
        say(if right {
            "Everything was heard as it should be.\n"
        } else {
            "Something was not heard as it should be: see (!).\n"
        });
    }
    if let Some(folder) = &arguments.out {
        keep(folder, &play, &hearings)?;
    }
    let stage = play.end();
    if arguments.keep {
        serve::introduce(&stage.config, &stage.server.handle().listeners());
        say("The server goes on; Ctrl-C ends it.\n");
        let (server, heard) = stage.dismiss()?;
        let drain = serve::Drain::new(server.handle(), &Server::default(), log);
        let signals = serve::signals::hear().map_err(|error| error.to_string())?;
        serve::wait(
            server,
            (signals, drain, None),
            log,
            (heard, Losses::default(), |(_, heard)| heard),
        )?;
    } else {
        let (server, _) = stage.dismiss()?;
        server.handle().stop();
        server.join().map_err(|error| error.to_string())?;
    }
    Ok(if right { Outcome::Fine } else { Outcome::Failed })
}

/// The ladder as a picture and as text, and a recording of each ear.
fn keep(folder: &Path, play: &Play, hearings: &[Hearing]) -> Result<(), String> {
    let words = |error: std::io::Error| format!("{}: {error}", folder.display());
    std::fs::create_dir_all(folder).map_err(words)?;
    let ladder = play.ladder();
    std::fs::write(folder.join("ladder.svg"), ladder.svg()).map_err(words)?;
    let text = ladder.text(ladder::Look::GOLDEN);
    std::fs::write(folder.join("ladder.txt"), text).map_err(words)?;
    for hearing in hearings {
        let name = format!("{}-heard.wav", hearing.side.name().to_ascii_lowercase());
        let mut recording =
            device::Recording::create(folder.join(name)).map_err(|error| error.to_string())?;
        for scene in &hearing.scenes {
            media::Audio::hear(&mut recording, &scene.samples);
        }
        recording.finish().map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Says something on stdout at once.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    // Whoever closed stdout has seen enough: the exit code still tells.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
