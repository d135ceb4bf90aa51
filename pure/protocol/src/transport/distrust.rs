//! `Distrust`: why a TLS peer is not talked to, in words that say what to look at (RFC 5922 §7.3).

use std::fmt;
use std::net::SocketAddr;

/// Why a peer has not proven to be whom we wanted. It is never talked to without TLS instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distrust {
    /// Where we tried.
    pub peer: SocketAddr,
    /// The domain that was asked for.
    pub domain: Box<str>,
    /// What is wrong.
    pub why: Why,
}

/// What is wrong with a peer's proof.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// The certificate is for these domains; for none that SIP knows, when there is none.
    OtherName(Box<[Box<str>]>),
    /// It is not valid any more: since so many seconds after 1970.
    Expired(u64),
    /// It will be valid: from so many seconds after 1970.
    NotYetValid(u64),
    /// It was not issued by an authority that we know.
    UnknownAuthority,
    /// It is not for servers (or, from a client, not for clients): its extendedKeyUsage says so (RFC 5280 §4.2.1.12).
    OtherPurpose,
    /// Anything else, in the words of the TLS library.
    BadCertificate(Box<str>),
    /// The peer does not take WebSockets for SIP (RFC 7118 §4.1): what it said or did.
    NoWebSocket(Box<str>),
    /// The peer refused us, and this is what it said.
    Refused(Box<str>),
    /// What is spoken there is not TLS, or none that we speak.
    NotTls,
    /// The peer ended the connection, or was silent, before anything was proven.
    Unfinished,
    /// The domain is no name that a certificate could hold, or nobody has said which it is.
    NoName,
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { peer, domain, why } = self;
        let ip = peer.ip();
        match why {
            Why::OtherName(names) => match names.split_first() {
                None => write!(
                    f,
                    "the certificate of {ip} names no SIP domain (in its subjectAltName), so it is not for {domain}"
                ),
                Some((first, rest)) => {
                    write!(f, "the certificate of {ip} is for {first}")?;
                    rest.iter().take(NAMES).try_for_each(|name| write!(f, ", {name}"))?;
                    if rest.len() > NAMES {
                        write!(f, " and {} more", rest.len().saturating_sub(NAMES))?;
                    }
                    write!(f, ", not for {domain}")
                }
            },
            Why::Expired(at) => {
                write!(f, "the certificate of {ip} for {domain} expired on {}", Day(*at))
            }
            Why::NotYetValid(at) => write!(
                f,
                "the certificate of {ip} for {domain} is valid only from {} on; are the clocks right?",
                Day(*at)
            ),
            Why::UnknownAuthority => write!(
                f,
                "the certificate of {ip} for {domain} was issued by an authority that is not trusted here"
            ),
            Why::OtherPurpose => write!(
                f,
                "the certificate of {ip} for {domain} may not be used for this: its extended key usage says so"
            ),
            Why::BadCertificate(words) => {
                write!(f, "the certificate of {ip} for {domain} is not good: {words}")
            }
            Why::Refused(words) => {
                write!(f, "{peer}, asked for {domain}, ended the TLS handshake: {words}")
            }
            Why::NoWebSocket(words) => write!(f, "{peer} takes no SIP over WebSocket: {words}"),
            Why::NotTls => write!(f, "{peer} does not speak TLS (asked for {domain})"),
            Why::Unfinished => write!(
                f,
                "{peer} ended the TLS handshake, or never finished it (asked for {domain}); is TLS spoken at that port?"
            ),
            Why::NoName => write!(
                f,
                "{peer} cannot prove anything: \"{domain}\" is no name that a certificate could be for"
            ),
        }
    }
}

impl fmt::Display for Why {
    /// Of somebody who has called us.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherName(_) => f.write_str("its certificate is for somebody else"),
            Self::Expired(at) => write!(f, "its certificate expired on {}", Day(*at)),
            Self::NotYetValid(at) => {
                write!(f, "its certificate is valid only from {} on", Day(*at))
            }
            Self::UnknownAuthority => {
                f.write_str("its certificate was issued by an authority that is not trusted here")
            }
            Self::OtherPurpose => {
                f.write_str("its certificate is not for clients: its extended key usage says so")
            }
            Self::BadCertificate(words) => write!(f, "its certificate is not good: {words}"),
            Self::NoWebSocket(words) => f.write_str(words),
            Self::Refused(words) => write!(f, "the TLS handshake ended: {words}"),
            Self::NotTls => f.write_str("it does not speak TLS"),
            Self::Unfinished => f.write_str("the TLS handshake was never finished"),
            Self::NoName => f.write_str("it has no name"),
        }
    }
}

/// Names that are listed beside the first.
const NAMES: usize = 4;

/// A day, from seconds after 1970: `2026-11-28`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day(pub u64);

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The civil calendar counted in eras of 400 years from 1 March of the year 0.
        let days = (self.0 / 86_400).saturating_add(719_468);
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let of_year = day - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let of_month = of_year - (153 * month + 2) / 5 + 1;
        let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        write!(f, "{:04}-{month:02}-{of_month:02}", year + era * 400 + next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(why: Why) -> String {
        let peer = "192.0.2.7:5061".parse().unwrap();
        Distrust { peer, domain: "b.example".into(), why }.to_string()
    }

    #[test]
    fn words_say_who_is_there_and_who_was_wanted() {
        let names = |count: usize| -> Box<[Box<str>]> {
            (0..count).map(|n| format!("a{n}.example").into()).collect()
        };
        assert_eq!(
            says(Why::OtherName(names(1))),
            "the certificate of 192.0.2.7 is for a0.example, not for b.example"
        );
        let many = says(Why::OtherName(names(9)));
        assert!(many.ends_with("a4.example and 4 more, not for b.example"), "{many}");
        assert!(says(Why::OtherName(names(0))).contains("names no SIP domain"));
        assert!(says(Why::Expired(1_764_288_000)).ends_with("expired on 2025-11-28"));
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, day) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_735_603_200, "2024-12-31"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(Day(seconds).to_string(), day);
        }
    }
}
