//! `[push]`: how phones that sleep are woken (RFC 8599).

use std::time::Duration;

use hook::{BadUrl, Url};

use super::fault::{At, Faults};
use super::key::{Key, Section};
use super::table::Table;
use crate::limits;

/// How phones that sleep are woken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// The program that does it.
    pub url: Url,
    /// The services that it knows, as phones name them; at least one.
    pub providers: Vec<String>,
    /// How long a call waits.
    pub wait: Duration,
}

impl Push {
    pub(super) fn read(written: &Table<'_>, faults: &mut Faults) -> Option<Self> {
        let url = written.text("url", faults).and_then(|url| read_url(url, faults));
        if !written.is_absent() && !written.has("url") {
            faults.warn(
                written.span,
                "[push] has no `url`: nobody is woken",
                "add url = \"http://127.0.0.1:8080/push\"",
            );
        }
        let wait = written.number("wait", limits::WAKING, faults);
        let providers = providers(written, faults);
        Some(Self {
            url: url?,
            providers,
            wait: wait.map_or(WAIT, |seconds| Duration::from_secs(seconds.value)),
        })
    }
}

/// Long enough for a notification and a REGISTER, short enough for a caller.
const WAIT: Duration = Duration::from_secs(10);

fn read_url(text: At<&str>, faults: &mut Faults) -> Option<Url> {
    let (what, hint) = match Url::read(text.value) {
        Ok(url) => return Some(url),
        Err(BadUrl::Https) => (
            "`url` is HTTPS, which is not spoken to hooks",
            "run the program on this machine, and let it speak HTTPS to the world",
        ),
        Err(BadUrl::Unreadable) => ("`url` is no URL", "write \"http://127.0.0.1:8080/push\""),
    };
    // Such URLs often hold a key.
    faults.refuse_hidden(text.span, what, hint);
    None
}

fn providers(written: &Table<'_>, faults: &mut Faults) -> Vec<String> {
    let Some(texts) = written.texts("providers", faults) else {
        return ["apns", "fcm"].map(str::to_owned).into();
    };
    if texts.is_empty() {
        faults.refuse(
            written.span_of("providers"),
            "`providers` is empty: nobody could be woken",
            "leave it out, or name one",
        );
    }
    let token = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let mut names = Vec::new();
    for text in texts {
        if text.value.is_empty() || !text.value.chars().all(token) {
            let what = format!("`{}` is no name of a service", text.value.escape_debug());
            faults.refuse(text.span, what, "phones say \"apns\", \"fcm\" or \"webpush\"");
        }
        names.push(text.value.to_owned());
    }
    names
}

pub(super) const SECTION: Section = Section {
    name: "push",
    repeated: false,
    about: "How phones that sleep are woken (RFC 8599). Without this section a phone whose connection is gone is gone. A program of yours is told \
        by POST, as JSON: `{\"aor\":\"101\",\"contact\":\"sip:…\",\"provider\":\"fcm\",\"prid\":\"…\",\"param\":\"…\"}`; it tells the service \
        of the phone's maker, and answers 2xx when that took it. The call goes on as soon as the phone has registered again. Phones are also \
        woken two minutes before their registration ends.",
    keys: &[
        Key::optional(
            "url",
            "nobody is woken",
            "Where the program is: \"http://127.0.0.1:8080/push\". It has four seconds for its answer.",
        )
        .secret(),
        Key::new(
            "providers",
            "[\"apns\", \"fcm\"]",
            "The services that it knows, as phones name them in `pn-provider`. A phone that asks for another one is answered with 555.",
        ),
        Key::new(
            "wait",
            "10",
            "How long a call waits for a phone to wake up, in seconds, from 1 to 25. Then its caller hears 480.",
        ),
    ],
};
