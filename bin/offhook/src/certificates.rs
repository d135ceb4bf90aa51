//! What is to be said of our certificates: for whom they are, how long, and that new ones were taken over.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, SystemTime};

use net::tls::{Keyring, Tls, subject_of, validity_of};
use protocol::transport::Wildcards;
use protocol::transport::distrust::Day;

use crate::config::Config;
use crate::log::Log;

/// Something about a certificate that its owner should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Remark {
    /// Nobody will talk to us.
    Useless(String),
    /// Somebody will not, or soon.
    Unwise(String),
}

impl Remark {
    /// In words.
    pub(crate) fn words(&self) -> &str {
        match self {
            Self::Useless(words) | Self::Unwise(words) => words,
        }
    }
}

/// Looks at the certificates as those will who call us.
pub(crate) fn judge(config: &Config, tls: &Tls, now: u64) -> Vec<Remark> {
    let (Some(keyring), Some(terms)) = (tls.keyring(), &config.tls) else { return Vec::new() };
    let mut remarks = Vec::new();
    let named = terms.domains.iter().map(|named| (Some(&*named.name), &named.files));
    let first = terms.certificate.iter().map(|files| (None, files));
    for (name, files) in first.chain(named) {
        let file = files.certificate.display();
        let Some(validity) = validity_of(&keyring.shown_to(name)) else { continue };
        if validity.until < now {
            let day = Day(validity.until);
            remarks.push(Remark::Useless(format!("{file}: the certificate expired on {day}")));
        } else if validity.from > now {
            let day = Day(validity.from);
            let what =
                format!("{file}: the certificate is valid only from {day} on; is the clock right?");
            remarks.push(Remark::Useless(what));
        } else if validity.until < now.saturating_add(SOON) {
            let day = Day(validity.until);
            remarks.push(Remark::Unwise(format!("{file}: the certificate expires on {day}")));
        }
    }
    let names = config.domains.iter().map(|domain| (domain.as_str(), "[tls] certificate"));
    let named = terms.domains.iter().map(|named| (&*named.name, "its [[tls.domain]] certificate"));
    for (domain, whose) in names.chain(named) {
        remarks.extend(uncovered(keyring, domain, whose));
    }
    remarks
}

/// A domain whose phones will not believe us. Numbers, and names of this machine, nobody has certificates for.
fn uncovered(keyring: &Keyring, domain: &str, whose: &str) -> Option<Remark> {
    let number = domain.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok();
    if number || domain == "localhost" {
        return None;
    }
    let subject = subject_of(&keyring.shown_to(Some(domain)))?;
    if subject.is_for(domain, Wildcards::Refused) {
        return None;
    }
    let names = subject.domains();
    let for_whom = if names.is_empty() {
        "names no domain".to_owned()
    } else {
        format!("is for {}", names.join(", "))
    };
    let alone = subject.is_for(domain, Wildcards::Allowed);
    let but =
        if alone { " by a wildcard alone, which SIP does not accept (RFC 5922 §7.2)" } else { "" };
    Some(Remark::Unwise(format!(
        "{whose} {for_whom}, not for {domain}{but}: whoever calls {domain} by TLS will hang up"
    )))
}

/// Now, in seconds after 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// The first of our domains that our certificate proves: by that name others can come back to us by TLS (RFC 5922 §7.5).
pub(crate) fn proven(config: &Config, tls: &Tls) -> Option<String> {
    let keyring = tls.keyring()?;
    let proves = |domain: &&str| {
        let certificate = keyring.shown_to(Some(domain));
        subject_of(&certificate).is_some_and(|subject| subject.is_for(domain, Wildcards::Refused))
    };
    config.domains.iter().map(|domain| domain.as_str()).find(proves).map(str::to_owned)
}

/// Watches the files of certificates on a thread of its own, until the sender is dropped.
pub(crate) fn watch(keyring: Arc<Keyring>, log: Log) -> std::io::Result<Sender<()>> {
    let (stop, stopped) = channel::<()>();
    thread::Builder::new().name("certificates".into()).spawn(move || {
        while stopped.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
            for look in keyring.look() {
                let file = look.files.certificate.display().to_string();
                match look.taken {
                    Ok(()) => log.info("certificate_taken", &[("file", (&file).into())]),
                    Err(error) => {
                        let what = format!("{error}; the old certificate stays");
                        log.warning("certificate_refused", &[("what", (&what).into())]);
                    }
                }
            }
        }
    })?;
    Ok(stop)
}

/// How often files are looked at. What has changed is read at the second look.
const LOOK: Duration = Duration::from_secs(2);

/// A certificate that ends sooner is spoken of: whoever renews by hand needs a fortnight.
const SOON: u64 = 14 * 86_400;
