//! `Via`: one hop of the way back (RFC 3261 §20.42, §18.2; rport of RFC 3581).

use std::net::IpAddr;

use super::Header;
use crate::scan::{Scan, number};
use crate::uri::{Host, HostPort};
use crate::{Message, Name, Params, ParseError};

/// `SIP/2.0/UDP pc33.atlanta.example:5060;branch=z9hG4bK776;rport`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    /// The transport, as written: `UDP`, `TCP`, `TLS`, `WS`, `WSS` or one that we do not know.
    pub transport: ViaTransport<'a>,
    /// The sender's host.
    pub host: Host<'a>,
    /// The sender's port, when written.
    pub port: Option<u16>,
    /// `;branch=…;received=…;rport`
    pub params: Params<'a>,
}

/// A transport token; compared without regard to case.
#[derive(Clone, Copy, Debug, Eq)]
pub struct ViaTransport<'a>(pub &'a str);

/// One of those that SIP is spoken over, in capitals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Usual {
    Udp,
    Tcp,
    Tls,
    Ws,
    Wss,
}

impl Usual {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
        }
    }
}

impl ViaTransport<'_> {
    /// Which of the usual ones it is.
    pub(crate) fn usual(self) -> Option<Usual> {
        use Usual::{Tcp, Tls, Udp, Ws, Wss};
        [Udp, Tcp, Tls, Ws, Wss].into_iter().find(|usual| usual.as_str() == self.0)
    }
}

impl PartialEq for ViaTransport<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

/// The cookie of a branch that is unique in space and time (RFC 3261 §8.1.1.7).
pub const MAGIC: &str = "z9hG4bK";

/// True for a branch of RFC 3261, and not of RFC 2543.
pub fn is_magic(branch: &[u8]) -> bool {
    branch.get(..MAGIC.len()).is_some_and(|head| head.eq_ignore_ascii_case(MAGIC.as_bytes()))
}

impl<'a> Via<'a> {
    /// Whose request it is.
    pub const fn sent_by(&self) -> HostPort<'a> {
        HostPort { host: self.host, port: self.port }
    }

    /// The branch, when it is there.
    pub fn branch(&self) -> Option<&'a [u8]> {
        self.params.get("branch").filter(|branch| !branch.is_empty())
    }

    /// The branch, when it is one of RFC 3261 and not of RFC 2543.
    pub fn magic_branch(&self) -> Option<&'a [u8]> {
        self.branch().filter(|branch| is_magic(branch))
    }

    /// What its parameters say to whoever passes it on or answers, found in one reading.
    pub(crate) fn marks(&self) -> Marks<'a> {
        let mut marks = Marks::default();
        for (name, value) in self.params.raw() {
            marks.take(name, value);
        }
        marks
    }

    /// Where the request really came from, as the next hop saw it.
    pub fn received(&self) -> Option<IpAddr> {
        Host::parse(self.params.get("received")?).ok()?.ip()
    }

    /// The port that the request came from (RFC 3581); `Some(None)` when it is only asked for.
    pub fn rport(&self) -> Option<Option<u16>> {
        let digits = self.params.get("rport")?;
        Some(number(digits).and_then(|port| u16::try_from(port).ok()))
    }
}

/// What the parameters of a Via say to whoever passes it on, or answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks<'a> {
    /// The value of `branch`: an empty one, when it has none.
    pub(crate) branch: Option<&'a [u8]>,
    /// The name of a second branch.
    pub(crate) second: Option<&'a [u8]>,
    pub(crate) source: Source<&'a [u8]>,
    /// A parameter of RFC 7339 §4 is there.
    pub load: bool,
}

/// What is said of where a request came from (RFC 3261 §18.2.1, RFC 3581 §3). `Name` is an `rport`, as it stands there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Source<Name> {
    /// Nothing.
    #[default]
    Unsaid,
    /// `received`, and no port is asked for.
    Received,
    /// One `rport` without a value, and no `received`: it wants to be filled, and nothing else.
    Blank(Name),
    /// `rport`, and something more.
    Rport,
}

impl<'a> Marks<'a> {
    /// True when there is an `rport`.
    pub const fn rport(&self) -> bool {
        matches!(self.source, Source::Blank(_) | Source::Rport)
    }

    /// True when there is a `received`, and no `rport`.
    pub const fn received(&self) -> bool {
        matches!(self.source, Source::Received)
    }

    /// The name of the `rport`, when it wants to be filled, and nothing else is to be done.
    pub const fn blank(&self) -> Option<&'a [u8]> {
        match self.source {
            Source::Blank(name) => Some(name),
            Source::Unsaid | Source::Received | Source::Rport => None,
        }
    }

    fn take(&mut self, name: &'a [u8], value: Option<&'a [u8]>) {
        let is = |word: &[u8]| name.eq_ignore_ascii_case(word);
        match name.first().map(u8::to_ascii_lowercase) {
            Some(b'b') if is(b"branch") => match self.branch {
                None => self.branch = Some(value.unwrap_or_default()),
                Some(_) => self.second = self.second.or(Some(name)),
            },
            Some(b'r') if is(b"rport") => {
                self.source = match self.source {
                    Source::Unsaid if value.is_none() => Source::Blank(name),
                    _ => Source::Rport,
                };
            }
            Some(b'r') if is(b"received") => {
                self.source = match self.source {
                    Source::Unsaid | Source::Received => Source::Received,
                    Source::Blank(_) | Source::Rport => Source::Rport,
                };
            }
            Some(b'o') if is_load(name) => self.load = true,
            _ => {}
        }
    }
}

/// True for the name of a parameter of RFC 7339 §4.
pub fn is_load(name: &[u8]) -> bool {
    let all = [&b"oc"[..], b"oc-algo", b"oc-validity", b"oc-seq"];
    all.iter().any(|load| load.eq_ignore_ascii_case(name))
}

impl<'a> Header<'a> for Via<'a> {
    const NAME: Name = Name::Via;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let mut scan = Scan::new(value, "Via");
        let transport = match usual(value) {
            Some((usual, length)) => {
                scan.take(length);
                ViaTransport(usual.as_str())
            }
            None => {
                protocol(&mut scan)?;
                transport(&mut scan)?
            }
        };
        scan.blanks()?;
        let HostPort { host, port } = HostPort::read(&mut scan)?;
        Ok(Self { transport, host, port, params: Params::read(&mut scan)? })
    }

    fn known(message: &'a Message) -> Option<Self> {
        message.core().via(message)
    }

    fn write(&self, out: &mut Vec<u8>) {
        for part in ["SIP/2.0/", self.transport.0, " "] {
            out.extend_from_slice(part.as_bytes());
        }
        self.sent_by().write(out);
        out.extend_from_slice(self.params.as_bytes());
    }
}

/// `SIP/2.0/` and a transport, as nearly everybody writes it.
fn usual(value: &[u8]) -> Option<(Usual, usize)> {
    let (begin, rest) = value.split_first_chunk::<8>()?;
    if begin != b"SIP/2.0/" {
        return None;
    }
    match rest {
        [b'U', b'D', b'P', b' ', ..] => Some((Usual::Udp, 11)),
        [b'T', b'C', b'P', b' ', ..] => Some((Usual::Tcp, 11)),
        [b'T', b'L', b'S', b' ', ..] => Some((Usual::Tls, 11)),
        [b'W', b'S', b' ', ..] => Some((Usual::Ws, 10)),
        [b'W', b'S', b'S', b' ', ..] => Some((Usual::Wss, 11)),
        _ => None,
    }
}

/// `transport`
fn transport<'a>(scan: &mut Scan<'a>) -> Result<ViaTransport<'a>, ParseError> {
    scan.token().map(ViaTransport)
}

/// `SIP / 2.0 /`, with blanks where they may stand.
fn protocol(scan: &mut Scan<'_>) -> Result<(), ParseError> {
    scan.skip_blanks();
    let right = scan.eat_word(b"SIP")
        && scan.eat_spaced(b'/')
        && scan.eat_word(b"2.0")
        && scan.eat_spaced(b'/');
    if right { Ok(()) } else { Err(scan.error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for text in [
            "SIP/2.0/UDP h;branch=z9hG4bK1;rport",
            "SIP/2.0/WSS [2001:db8::9:1]:6050;branch=z9hG4bKx",
            "SIP/2.0/FOO a.b:1",
        ] {
            let via = Via::parse(text.as_bytes()).unwrap();
            assert_eq!(via.text(), text);
        }
    }

    #[test]
    fn blanks_stand_where_the_grammar_lets_them() {
        let via = Via::parse(
            b"SIP / 2.0 /\r\n TCP first.example : 4000 ;branch = z9hG4bKa ; received=::1;rport",
        )
        .unwrap();
        assert_eq!((via.transport, via.port), (ViaTransport("tcp"), Some(4000)));
        assert_eq!(via.magic_branch(), Some(&b"z9hG4bKa"[..]));
        assert_eq!(via.received(), "::1".parse().ok());
        assert_eq!(via.rport(), Some(None));
        for bad in ["SIP/2.0/UDP", "SIP/2.0 UDP h", "SIP/3.0/UDP h", "SIP/2.0/UDP h x", ""] {
            assert!(Via::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
