//! Transports: where the server listens.

use crate::import::asterisk::Section;
use crate::import::draft::{Draft, Kind};

/// Takes a transport over.
pub(super) fn take(section: &Section, draft: &mut Draft) {
    let protocol = section.get("protocol").map_or("udp", |protocol| &protocol.value);
    let known = KNOWN.iter().find(|(name, _)| name.eq_ignore_ascii_case(protocol));
    let Some((key, port)) = known else {
        let what = format!("transport [{}]: `{protocol}` is not spoken here", section.name);
        return draft.remark(Kind::NotTaken, &section.place, what);
    };
    let bind = section.get("bind").map_or("0.0.0.0", |bind| &bind.value);
    let in_brackets = format!("[{bind}]");
    let bind = if bind.parse::<std::net::Ipv6Addr>().is_ok() { &in_brackets } else { bind };
    let address = if is_bare(bind) { format!("{bind}:{port}") } else { bind.to_owned() };
    if key.starts_with("ws") {
        let what = format!(
            "transport [{}]: its port stands in http.conf, not here; 8088 (ws) and 8089 (wss) are usual",
            section.name
        );
        draft.remark(Kind::Look, &section.place, what);
    }
    match draft.listen.iter_mut().find(|(known, _)| known == key) {
        Some((_, addresses)) if addresses.contains(&address) => {}
        Some((_, addresses)) => addresses.push(address),
        None => draft.listen.push((key, vec![address])),
    }
    if let Ok(ip) = host_of(bind).parse::<std::net::IpAddr>()
        && !ip.is_unspecified()
    {
        draft.domain(host_of_uri(&ip.to_string()).as_str());
    }
    outside(section, draft);
    certificate(section, (key, draft));
}

/// The address by which it is known outside of its NAT.
fn outside(section: &Section, draft: &mut Draft) {
    let Some(address) = section.get("external_signaling_address") else { return };
    let host = address.value.clone();
    draft.domain(&host);
    if !draft.advertise.contains(&host) {
        draft.advertise.push(host);
    }
}

fn certificate(section: &Section, (key, draft): (&str, &mut Draft)) {
    let file = |name| section.get(name).map(|file| file.value.clone());
    match (file("cert_file"), file("priv_key_file")) {
        (Some(certificate), private) => {
            let private = private.unwrap_or_else(|| certificate.clone());
            if !std::path::Path::new(&certificate).exists() {
                let what = format!("[tls] certificate {certificate} is not on this machine");
                draft.remark(Kind::Look, &section.place, what);
            }
            draft.certificate.get_or_insert((certificate, private));
        }
        _ if matches!(key, "tls" | "wss") && draft.certificate.is_none() => {
            let what = format!(
                "transport [{}] names no certificate: {key} is off until [tls] has one",
                section.name
            );
            draft.listen.retain(|(known, _)| *known != key);
            draft.remark(Kind::NotTaken, &section.place, what);
        }
        _ => {}
    }
}

/// An address without a port?
fn is_bare(bind: &str) -> bool {
    bind.parse::<std::net::Ipv4Addr>().is_ok() || bind.starts_with('[') && bind.ends_with(']')
}

fn host_of(bind: &str) -> &str {
    let host =
        if is_bare(bind) { bind } else { bind.rsplit_once(':').map_or(bind, |(host, _)| host) };
    host.trim_matches(['[', ']'])
}

fn host_of_uri(ip: &str) -> String {
    if ip.contains(':') { format!("[{ip}]") } else { ip.to_owned() }
}

/// Protocols, and their usual ports.
const KNOWN: &[(&str, u16)] =
    &[("udp", 5060), ("tcp", 5060), ("tls", 5061), ("ws", 8088), ("wss", 8089)];
