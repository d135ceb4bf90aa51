//! `Hook`: JSON by POST, by a few threads with a deadline.

use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::{io, thread};

use ureq::Agent;

use crate::Url;
use crate::limits;

/// A program that is told things.
#[derive(Debug)]
pub struct Hook {
    letters: SyncSender<Letter>,
}

/// Something to tell, and whom the answer is for.
struct Letter {
    body: String,
    done: Box<dyn FnOnce(Result<(), Refusal>) + Send>,
}

/// Why something was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// More waits already than the program has kept up with.
    TooMuch,
    /// It answered with this status.
    Status(u16),
    /// It could not be asked, or did not answer in time: why, in words.
    Unreachable(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMuch => f.write_str("too many requests wait for it"),
            Self::Status(status) => write!(f, "it answered {status}"),
            Self::Unreachable(why) => f.write_str(why),
        }
    }
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Letter(…)")
    }
}

impl Hook {
    /// Starts the threads; they end when the hook is dropped.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(url: &Url) -> io::Result<Self> {
        let config = Agent::config_builder()
            .timeout_global(Some(limits::DEADLINE))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .user_agent("Offhook")
            .build();
        let agent = Agent::new_with_config(config);
        let (letters, inbox) = sync_channel(limits::WAITING);
        let inbox = Arc::new(Mutex::new(inbox));
        for _ in 0..limits::THREADS {
            let (agent, url, inbox) = (agent.clone(), url.clone(), Arc::clone(&inbox));
            thread::Builder::new()
                .name("hook".into())
                .spawn(move || serve(&agent, &url, &inbox))?;
        }
        Ok(Self { letters })
    }

    /// Posts a JSON document, and returns at once. `done` hears whether it was taken: a 2xx says yes. It is called by another thread, or
    /// at once when there is no room.
    pub fn post(&self, body: String, done: impl FnOnce(Result<(), Refusal>) + Send + 'static) {
        let letter = Letter { body, done: Box::new(done) };
        if let Err(refused) = self.letters.try_send(letter) {
            use std::sync::mpsc::TrySendError::{Disconnected, Full};
            let (Full(letter) | Disconnected(letter)) = refused;
            (letter.done)(Err(Refusal::TooMuch));
        }
    }
}

fn serve(agent: &Agent, url: &Url, inbox: &Mutex<Receiver<Letter>>) {
    loop {
        let letter = inbox.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Letter { body, done }) = letter else { return };
        done(tell(agent, url, &body));
    }
}

fn tell(agent: &Agent, url: &Url, body: &str) -> Result<(), Refusal> {
    let request = agent.post(url.as_str()).header("Content-Type", "application/json");
    match request.send(body) {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => Err(Refusal::Status(answer.status().as_u16())),
        Err(error) => Err(Refusal::Unreachable(error.to_string())),
    }
}

#[cfg(test)]
mod tests;
