//! How tests behave: they do not sleep, and they do not fight over ports.

use crate::finding::Finding;
use crate::source::Source;

/// Checks one Rust file.
pub(super) fn check(path: &str, source: &Source<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for ((line, code), text) in source.code_lines().zip(source.text.lines()) {
        if !source.is_test(line) {
            continue;
        }
        if code.contains("thread::sleep") || code.contains(" sleep(Duration") {
            let advice = "wait for what should happen, with a deadline; or use virtual time";
            findings.push(Finding::new(path, line, "sleep", advice));
        }
        if let Some(port) = bound_port(code, text) {
            let advice =
                format!("port {port} may be taken: bind port 0 and ask which one it became");
            findings.push(Finding::new(path, line, "fixed port", advice));
        }
    }
    findings
}

/// The port that a line binds, if it is written there and is not 0.
fn bound_port(code: &str, text: &str) -> Option<u16> {
    let call = ["::bind(", ".bind(", "::listen(", ".listen("]
        .into_iter()
        .find_map(|call| code.find(call))?;
    let arguments = text.get(call..)?;
    let after =
        ["127.0.0.1", "0.0.0.0", "localhost", "[::1]", "[::]", "::1\"", "LOCALHOST", "UNSPECIFIED"]
            .into_iter()
            .find_map(|host| Some(arguments.split_once(host)?.1))?;
    let digits: String = after
        .trim_start_matches(['"', ':', ',', ' ', ')'])
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '_')
        .filter(|c| *c != '_')
        .collect();
    digits.parse().ok().filter(|port| *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        check("tests/a.rs", &Source::read(text).all_tests())
            .into_iter()
            .map(|finding| finding.to_string())
            .collect()
    }

    #[test]
    fn a_sleeping_test_is_found_and_sleeping_code_is_not_its_business() {
        let code = "fn a() { std::thread::sleep(SECOND); }";
        assert_eq!(
            found(code),
            [
                "tests/a.rs:1: sleep: wait for what should happen, with a deadline; or use virtual time"
            ]
        );
        assert!(check("io/net/src/a.rs", &Source::read(code)).is_empty());
        let inside = format!("#[cfg(test)]\nmod tests {{\n{code}\n}}");
        assert_eq!(check("io/net/src/a.rs", &Source::read(&inside)).len(), 1);
    }

    #[test]
    fn a_test_that_binds_a_fixed_port_is_found() {
        for call in [
            "UdpSocket::bind(\"127.0.0.1:5060\")",
            "TcpListener::bind((\"0.0.0.0\", 5060))",
            "UdpSocket::bind(\"[::1]:5060\")",
            "UdpSocket::bind((Ipv4Addr::LOCALHOST, 5_060))",
        ] {
            assert_eq!(found(&format!("fn a() {{ {call}; }}")).len(), 1, "{call}");
        }
        for call in [
            "UdpSocket::bind(\"127.0.0.1:0\")",
            "UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))",
            "parse(\"127.0.0.1:5060\")",
        ] {
            assert!(found(&format!("fn a() {{ {call}; }}")).is_empty(), "{call}");
        }
    }
}
