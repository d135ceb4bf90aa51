//! `Waker`: phones that sleep are woken by a program of the operator, told through `io/hook`.

use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use hook::Hook;
use net::Reply;
use protocol::Answer;
use protocol::doors::Sleeper;

use crate::config::Push;
use crate::log::Log;

/// Tells the program whom to wake, when there is one. Clones are the same.
#[derive(Clone)]
pub(crate) struct Waker {
    hook: Arc<RwLock<Option<Hook>>>,
    log: Log,
}

impl Waker {
    pub(super) fn start(config: Option<&Push>, log: Log) -> io::Result<Self> {
        Ok(Self { hook: Arc::new(RwLock::new(hook(config)?)), log })
    }

    /// Tells this one from now on. The earlier one is still told what it was to be told.
    pub(super) fn take(&self, hook: Option<Hook>) {
        *self.hook.write().unwrap_or_else(PoisonError::into_inner) = hook;
    }
}

/// The program of a config.
pub(super) fn hook(config: Option<&Push>) -> io::Result<Option<Hook>> {
    config.map(|push| Hook::start(&push.url)).transpose()
}

impl net::Pusher for Waker {
    fn push(&self, sleeper: Sleeper, reply: Reply) {
        let (log, provider) = (self.log, sleeper.provider.clone());
        let aor = String::from_utf8_lossy(&sleeper.aor).into_owned();
        let hook = self.hook.read().unwrap_or_else(PoisonError::into_inner);
        // Without a program, the reply says that nobody was woken.
        let Some(hook) = &*hook else { return };
        hook.post(letter(&sleeper), move |taken| match taken {
            Ok(()) => reply.give(Answer::Pushed),
            Err(refusal) => {
                // The name of the phone is not said: whoever has it can wake the phone.
                let why = refusal.to_string();
                let fields = [
                    ("aor", (&aor).into()),
                    ("provider", (&*provider).into()),
                    ("why", (&why).into()),
                ];
                log.warning("not_woken", &fields);
                reply.give(Answer::Nothing);
            }
        });
    }
}

fn letter(sleeper: &Sleeper) -> String {
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    serde_json::json!({
        "aor": text(&sleeper.aor),
        "contact": text(&sleeper.uri),
        "provider": &*sleeper.provider,
        "prid": &*sleeper.prid,
        "param": &*sleeper.param,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_says_whom_to_wake_and_how() {
        let sleeper = Sleeper {
            aor: b"101"[..].into(),
            uri: b"sip:101@h;pn-prid=a%22b"[..].into(),
            provider: "fcm".into(),
            prid: "a\"b".into(),
            param: "p".into(),
        };
        let read: serde_json::Value = serde_json::from_str(&letter(&sleeper)).unwrap();
        assert_eq!((read["prid"].as_str(), read["aor"].as_str()), (Some("a\"b"), Some("101")));
    }
}
