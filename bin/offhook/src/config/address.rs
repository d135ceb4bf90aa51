//! Addresses: an IP address with a port.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::fault::{At, Faults};

/// Understands `192.0.2.1:5060` or `[2001:db8::1]:5060`, or refuses it; `port` is the usual one, for the suggestion.
pub(super) fn read(written: At<&str>, port: u16, faults: &mut Faults) -> Option<SocketAddr> {
    if let Ok(address) = written.value.parse() {
        return Some(address);
    }
    let (what, hint) = mistake(written.value, port);
    faults.refuse(written.span, format!("`{}` {what}", written.value.escape_debug()), hint);
    None
}

fn mistake(written: &str, port: u16) -> (&'static str, String) {
    if let Ok(address) = written.parse::<IpAddr>() {
        return ("has no port", format!("write \"{}\"", SocketAddr::new(address, port)));
    }
    if let Some(address) = written.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'))
        && let Ok(address) = address.parse()
    {
        return (
            "has no port",
            format!("write \"{}\"", SocketAddr::new(IpAddr::V6(address), port)),
        );
    }
    let example = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    let Some((host, digits)) = written.rsplit_once(':') else {
        if written.parse::<u16>().is_ok() {
            return (
                "is a port without an address",
                format!("write \"127.0.0.1:{written}\" or \"0.0.0.0:{written}\""),
            );
        }
        return ("is not an address with a port", format!("write it like \"{example}\""));
    };
    let number = digits.parse::<u16>();
    if number.is_err() && !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit()) {
        return ("has an impossible port", "a port is at most 65535".into());
    }
    match (host, number) {
        ("", Ok(number)) => {
            ("has no address", format!("write \"0.0.0.0:{number}\" for every one of this machine"))
        }
        ("*", Ok(number)) => {
            ("is not an address with a port", format!("write \"0.0.0.0:{number}\""))
        }
        ("localhost", Ok(number)) => {
            ("has a name where an address belongs", format!("write \"127.0.0.1:{number}\""))
        }
        (host, Ok(_))
            if host.contains(|c: char| c.is_ascii_alphabetic()) && !host.contains(':') =>
        {
            ("has a name where an address belongs", format!("write it like \"{example}\""))
        }
        _ => (
            "is not an address with a port",
            format!("write it like \"{example}\" or \"[::1]:{port}\""),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_told_apart() {
        for (written, what, hint) in [
            ("10.0.0.1", "has no port", "write \"10.0.0.1:5060\""),
            ("::1", "has no port", "write \"[::1]:5060\""),
            ("[::1]", "has no port", "write \"[::1]:5060\""),
            (
                "5060",
                "is a port without an address",
                "write \"127.0.0.1:5060\" or \"0.0.0.0:5060\"",
            ),
            (":5060", "has no address", "write \"0.0.0.0:5060\" for every one of this machine"),
            ("*:5060", "is not an address with a port", "write \"0.0.0.0:5060\""),
            ("localhost:5070", "has a name where an address belongs", "write \"127.0.0.1:5070\""),
            (
                "pbx.example:5060",
                "has a name where an address belongs",
                "write it like \"127.0.0.1:5060\"",
            ),
            ("10.0.0.1:99999", "has an impossible port", "a port is at most 65535"),
            (
                "10.0.0.300:5060",
                "is not an address with a port",
                "write it like \"127.0.0.1:5060\" or \"[::1]:5060\"",
            ),
            ("", "is not an address with a port", "write it like \"127.0.0.1:5060\""),
        ] {
            assert_eq!(mistake(written, 5060), (what, hint.to_owned()), "{written}");
        }
    }
}
