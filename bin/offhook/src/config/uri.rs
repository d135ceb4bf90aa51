//! SIP URIs in the config: where requests go, and where somebody else is (RFC 3261 §19.1).

use sip::Uri;

use super::fault::{At, Faults};

/// Understands a SIP or SIPS URI, or refuses it.
pub(super) fn read(written: At<&str>, faults: &mut Faults) -> Option<String> {
    let quoted = format!("`{}`", written.value.escape_debug());
    let scheme = written.value.split_once(':').map_or("", |(scheme, _)| scheme);
    let is_sip = scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips");
    match Uri::parse(written.value.as_bytes()) {
        Ok(Uri::Sip(_)) => return Some(written.value.to_owned()),
        Err(error) if is_sip => {
            let (wrong, part) = written.value.split_at_checked(error.at).unwrap_or_default();
            let what = match part {
                "" => format!("{quoted} ends too early"),
                _ => format!("{quoted} is wrong after `{}`", wrong.escape_debug()),
            };
            faults.refuse(written.span, what, "write it like \"sip:192.0.2.7:5060\"");
        }
        Ok(_) | Err(_) => {
            let hint = "write it like \"sip:101@example.test\"";
            faults.refuse(written.span, format!("{quoted} is not a SIP URI"), hint);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::fault::Span;

    #[test]
    fn a_uri_is_wrong_at_a_place() {
        let said = |value| {
            let mut faults = Faults::default();
            let found = read(At { value, span: Span::default() }, &mut faults);
            found.or_else(|| faults.faults.first().map(|fault| fault.what.clone())).unwrap()
        };
        for (written, answer) in [
            ("sip:192.0.2.7:5060;transport=tcp", "sip:192.0.2.7:5060;transport=tcp"),
            ("sips:b@[::1]", "sips:b@[::1]"),
            ("b", "`b` is not a SIP URI"),
            ("tel:+491", "`tel:+491` is not a SIP URI"),
            ("sip:h:99999", "`sip:h:99999` is wrong after `sip:h:`"),
            ("sip:", "`sip:` ends too early"),
        ] {
            assert_eq!(said(written), answer);
        }
    }
}
