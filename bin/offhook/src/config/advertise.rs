//! `advertise` of `[listen]`: by which names and addresses others reach a listener, where they are not those that it is bound to.

use std::net::{Ipv6Addr, SocketAddr};

use super::domains::Domain;
use super::fault::{At, Faults};

/// What listeners say about where they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advertised {
    /// For all that have nothing of their own.
    all: Option<String>,
    /// For those of one address.
    each: Vec<(SocketAddr, String)>,
}

impl Advertised {
    /// What the listeners of an address say, as `host` or `host:port`; nothing: what they are bound to.
    pub fn of(&self, address: SocketAddr) -> Option<&str> {
        let own = self.each.iter().find(|(bound, _)| *bound == address).map(|(_, place)| place);
        own.or(self.all.as_ref()).map(String::as_str)
    }

    /// Reads `HOST[:PORT]` or `ADDRESS:PORT as HOST[:PORT]`; the addresses are those that are `bound`.
    pub(super) fn read(texts: &[At<&str>], bound: &[SocketAddr], faults: &mut Faults) -> Self {
        let mut read = Self::default();
        for text in texts {
            let (address, written) = match text.value.split_once(" as ") {
                None => (None, text.value),
                Some((address, place)) => {
                    let Some(address) = listener(*text, address.trim(), bound, faults) else {
                        continue;
                    };
                    (Some(address), place.trim())
                }
            };
            let Some(place) = place(*text, written, faults) else { continue };
            let is_there = match address {
                None => read.all.replace(place).is_some(),
                Some(address) => {
                    let is_there = read.each.iter().any(|(other, _)| *other == address);
                    read.each.push((address, place));
                    is_there
                }
            };
            if is_there {
                let what = "`advertise` says two things about the same listeners";
                faults.refuse(text.span, what, "remove one");
            }
        }
        read
    }
}

fn listener(
    text: At<&str>,
    written: &str,
    bound: &[SocketAddr],
    faults: &mut Faults,
) -> Option<SocketAddr> {
    let address = super::address::read(At { value: written, ..text }, 5060, faults)?;
    if bound.contains(&address) {
        return Some(address);
    }
    let listed = bound.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    faults.refuse(
        text.span,
        format!("nothing listens on `{address}`"),
        format!("one of: {listed}"),
    );
    None
}

fn place(text: At<&str>, written: &str, faults: &mut Faults) -> Option<String> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    let is_address = written.parse::<Ipv6Addr>().is_ok();
    let (host, port) = match written.rsplit_once(':') {
        Some((host, port)) if digits(port) && !is_address => (host, Some(port)),
        _ => (written, None),
    };
    let port_is_one = |port: &str| port.parse::<u16>().is_ok_and(|port| port != 0);
    if let Some(port) = port.filter(|port| !port_is_one(port)) {
        let what = format!("`{}` is no port", port.escape_debug());
        faults.refuse(text.span, what, "write \"sip.example.test:5060\"");
        return None;
    }
    match Domain::parse(host) {
        Ok(host) => Some(port.map_or_else(|| host.to_string(), |port| format!("{host}:{port}"))),
        Err((what, hint)) => {
            faults.refuse(text.span, what, hint);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::parse;

    #[test]
    fn listeners_say_what_they_are_told_to_say() {
        let file = "[listen]\nudp = [\"127.0.0.1:5060\", \"127.0.0.2:5060\"]\n\
            advertise = [\"Sip.example.test\", \"127.0.0.2:5060 as [2001:db8::1]:5090\"]\n";
        let listen = parse(file).unwrap().listen;
        let of = |address: &str| listen.advertised.of(address.parse().unwrap());
        assert_eq!(of("127.0.0.1:5060"), Some("sip.example.test"));
        assert_eq!(of("127.0.0.2:5060"), Some("[2001:db8::1]:5090"));
        assert_eq!(
            parse("").unwrap().listen.advertised.of("127.0.0.1:5060".parse().unwrap()),
            None
        );
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (written, said) in [
            ("127.0.0.9:5060 as a.test", "nothing listens on `127.0.0.9:5060`"),
            ("127.0.0.1 as a.test", "`127.0.0.1` has no port"),
            ("a.test:0", "`0` is no port"),
            ("a.test:sip", "is not a host name"),
            ("2001:db8::1", "needs brackets"),
            ("sip:a.test", "is a URI"),
            ("\", \"a.test\", \"b.test", "two things"),
        ] {
            let file = format!("[listen]\nadvertise = [\"{written}\"]\n");
            let refused = parse(&file).unwrap_err();
            assert!(refused.contains(said), "{written}: {refused}");
        }
    }
}
