//! NAPTR: which transports a domain wants to be contacted by (RFC 3263 §4.1, RFC 3403 §4.1, RFC 7118 §5.5).

use super::{Domain, Means, Naptr, Scheme};
use crate::transport::Transport;

/// The services that this side speaks, the domain's favourite first.
///
/// Only those of one order: "once a match is found the client MUST NOT consider records with a different Order" (RFC 3403). So a
/// domain that wants TLS before all else is not contacted in the clear because somebody cut its TLS.
pub(super) fn services(
    records: &[Naptr],
    scheme: Scheme,
    means: &Means,
) -> Vec<(Transport, Domain)> {
    let mut usable: Vec<(u16, u16, Transport, Domain)> = records
        .iter()
        .filter(|record| record.flags.eq_ignore_ascii_case("s") && record.regexp.is_empty())
        .filter_map(|record| {
            let transport = transport(&record.service)?;
            let replacement = record.replacement.clone()?;
            Some((record.order, record.preference, transport, replacement))
        })
        .filter(|(.., transport, _)| means.speaks(*transport))
        .filter(|(.., transport, _)| scheme == Scheme::Sip || transport.is_secure())
        .collect();
    usable.sort_by_key(|(order, preference, ..)| (*order, *preference));
    let Some((first, ..)) = usable.first() else { return Vec::new() };
    let first = *first;
    let chosen = usable.into_iter().take_while(|(order, ..)| *order == first);
    chosen.map(|(.., transport, replacement)| (transport, replacement)).collect()
}

/// True when the domain says that it can be contacted by TLS.
pub(super) fn offers_tls(records: &[Naptr]) -> bool {
    records.iter().any(|record| transport(&record.service).is_some_and(Transport::is_secure))
}

fn transport(service: &str) -> Option<Transport> {
    SERVICES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(service))
        .map(|(_, transport)| *transport)
}

/// SCTP (`SIP+D2S`) is not spoken here; `SIPS+D2U` would be TLS over UDP, which does not exist.
const SERVICES: [(&str, Transport); 5] = [
    ("SIP+D2U", Transport::Udp),
    ("SIP+D2T", Transport::Tcp),
    ("SIPS+D2T", Transport::Tls),
    ("SIP+D2W", Transport::Ws),
    ("SIPS+D2W", Transport::Wss),
];
