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

#[cfg(test)]
#[path = "../../../io/net/tests/driver/authority.rs"]
#[allow(dead_code, reason = "the tests of the driver want more of it")]
mod authority;

#[cfg(test)]
mod tests {
    use authority::{Authority, Flaw, Pair};

    use super::*;
    use crate::serve::house;

    /// A config of a server for these domains, with this certificate and what else is written.
    fn config(domains: &str, pair: &Pair, more: &str) -> Config {
        let (certificate, key) = (pair.certificate.display(), pair.key.display());
        let text = format!(
            "domains = {domains}\n[listen]\nudp = \"127.0.0.1:0\"\ntls = \"127.0.0.1:0\"\n[tls]\ncertificate = \"{certificate}\"\n\
             private_key = \"{key}\"\n{more}"
        );
        Config::parse("o.toml", &text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    fn said(config: &Config, now: u64) -> Vec<Remark> {
        judge(config, &house::tls(config).unwrap().unwrap(), now)
    }

    /// The first second of 2026.
    const NOW: u64 = 1_767_225_600;

    #[test]
    fn a_certificate_that_nobody_will_believe_is_told_of() {
        let authority = Authority::new();
        let words = |remarks: Vec<Remark>| {
            remarks.iter().map(|remark| remark.words().to_owned()).collect::<Vec<_>>().join("; ")
        };
        let good = authority.issue("good", &["a.example"], Flaw::None);
        assert_eq!(said(&config(r#""a.example""#, &good, ""), NOW), []);
        let two = config(r#"["a.example", "b.example", "127.0.0.1", "localhost"]"#, &good, "");
        assert_eq!(
            words(said(&two, NOW)),
            "[tls] certificate is for a.example, not for b.example: whoever calls b.example by TLS will hang up"
        );
        let wild = authority.issue("wild", &["*.example.org"], Flaw::None);
        let said_of_wild = words(said(&config(r#""sip.example.org""#, &wild, ""), NOW));
        assert!(said_of_wild.contains("by a wildcard alone"), "{said_of_wild}");
        let old = authority.issue("old", &["a.example"], Flaw::Expired);
        let remarks = said(&config(r#""a.example""#, &old, ""), NOW);
        assert!(
            matches!(&remarks[..], [Remark::Useless(what)] if what.contains("expired on 2021-02-03"))
        );
        // A fortnight before that.
        let soon = said(&config(r#""a.example""#, &old, ""), 1_611_187_200);
        assert!(
            matches!(&soon[..], [Remark::Unwise(what)] if what.contains("expires on 2021-02-03"))
        );
        let early = authority.issue("early", &["a.example"], Flaw::NotYetValid);
        let remarks = said(&config(r#""a.example""#, &early, ""), NOW);
        assert!(
            matches!(&remarks[..], [Remark::Useless(what)] if what.contains("is the clock right?"))
        );
    }

    #[test]
    fn a_domain_s_own_certificate_is_looked_at_too() {
        let authority = Authority::new();
        let good = authority.issue("good", &["a.example"], Flaw::None);
        let other = authority.issue("other", &["b.example"], Flaw::Expired);
        let (certificate, key) = (other.certificate.display(), other.key.display());
        let more = format!(
            "[[tls.domain]]\nname = \"c.example\"\ncertificate = \"{certificate}\"\nprivate_key = \"{key}\"\n"
        );
        let remarks = said(&config(r#""a.example""#, &good, &more), NOW);
        assert_eq!(remarks.len(), 2, "{remarks:?}");
        assert!(remarks[0].words().contains("other.pem: the certificate expired"));
        assert!(remarks[1].words().starts_with("its [[tls.domain]] certificate is for b.example"));
    }

    /// "the proxy MUST insert into the Record-Route header a URI that corresponds to an identity for which the proxy has a certificate":
    /// that URI is what the listener advertises.
    /// Proves: rfc5922-7.5-3.
    #[test]
    fn a_tls_listener_is_called_by_a_name_that_its_certificate_proves() {
        let authority = Authority::new();
        let pair = authority.issue("good", &["b.example"], Flaw::None);
        let advertised = |more: &str| {
            let config = config(r#"["a.example", "b.example"]"#, &pair, more);
            let bound = house::plan(&config).unwrap().bind().unwrap();
            let listeners = bound.listeners().iter();
            let names = listeners.map(|listener| {
                listener.advertised.replace(&listener.bound.port().to_string(), "PORT")
            });
            names.collect::<Vec<_>>()
        };
        assert_eq!(advertised(""), ["127.0.0.1:PORT", "127.0.0.1:PORT", "b.example:PORT"]);
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_at_the_start() {
        let authority = Authority::new();
        let pair = authority.issue("good", &["a.example"], Flaw::None);
        let other = authority.issue("other", &["a.example"], Flaw::None);
        let mixed = Pair { key: other.key, ..pair };
        let error = house::plan(&config(r#""a.example""#, &mixed, "")).unwrap_err();
        assert!(error.contains("other.key: this is not the key of the certificate in"), "{error}");
    }

    #[test]
    fn new_files_are_taken_over_by_a_watch_that_ends_when_it_is_told_to() {
        let authority = Authority::new();
        let pair = authority.issue("good", &["a.example"], Flaw::None);
        let tls = house::tls(&config(r#""a.example""#, &pair, "")).unwrap().unwrap();
        let keyring = Arc::clone(tls.keyring().unwrap());
        let weak = Arc::downgrade(&keyring);
        drop(watch(keyring, Log::new(crate::log::Format::Text)).unwrap());
        drop(tls);
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while weak.upgrade().is_some() {
            assert!(std::time::Instant::now() < deadline, "the thread lives on");
            thread::yield_now();
        }
    }
}
