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
    let web = key.starts_with("ws");
    let address = match (web, is_bare(bind)) {
        // Where WebSockets are listened for is not said here, whatever is.
        (true, _) => format!("{}:{port}", host_of_uri(host_of(bind))),
        (false, true) => format!("{bind}:{port}"),
        (false, false) => bind.to_owned(),
    };
    let Some(certificate) = certificate(section, (key, draft)) else { return };
    let transport = format!("transport [{}]", section.name);
    let taken = draft.change(&section.place, &transport, |house| {
        house.certificate = certificate;
        house.listen(key, address.clone());
    });
    if !taken {
        return;
    }
    if web {
        let what = format!(
            "{transport}: its port stands in http.conf, not here; the usual {port} is taken"
        );
        draft.remark(Kind::Look, &section.place, what);
    }
    if let Ok(ip) = host_of(bind).parse::<std::net::IpAddr>()
        && !ip.is_unspecified()
    {
        draft.domain(&section.place, host_of_uri(&ip.to_string()).as_str());
    }
    outside(section, &address, draft);
}

/// The address by which it is known outside of its NAT.
fn outside(section: &Section, address: &str, draft: &mut Draft) {
    let port = section.get("external_signaling_port");
    let Some(named) = section.get("external_signaling_address") else {
        let Some(port) = port else { return };
        let what =
            format!("[{}] external_signaling_port: there is no address with it", section.name);
        return draft.remark(Kind::NotTaken, &port.place, what);
    };
    let host = host_of_uri(&named.value);
    draft.domain(&named.place, &host);
    let place = port.map_or_else(|| host.clone(), |port| format!("{host}:{}", port.value));
    // The first is said of all; where others are known by another, that is said of them.
    let all = draft.house().advertise.first();
    let place = match all {
        None => place,
        Some(all) if *all == place => return,
        Some(_) => format!("{address} as {place}"),
    };
    if !draft.house().advertise.contains(&place) {
        let what = format!("[{}] external_signaling_address", section.name);
        draft.change(&named.place, &what, |house| house.advertise.push(place));
    }
}

/// The certificate that there is with this transport, if any; nothing when it needs one and there is none.
fn certificate(
    section: &Section,
    (key, draft): (&str, &mut Draft),
) -> Option<Option<(String, String)>> {
    let file = |name| section.get(name).map(|file| file.value.clone());
    let known = draft.house().certificate.clone();
    let Some(certificate) = file("cert_file") else {
        if matches!(key, "tls" | "wss") && known.is_none() {
            let what = format!(
                "transport [{}] names no certificate: {key} is off until [tls] has one",
                section.name
            );
            draft.remark(Kind::NotTaken, &section.place, what);
            return None;
        }
        return Some(known);
    };
    let private = file("priv_key_file").unwrap_or_else(|| certificate.clone());
    let pair = (certificate, private);
    if let Some(known) = known.filter(|known| *known != pair) {
        let what = format!(
            "transport [{}]: a second certificate, {}: name the domain that it is for in a [[tls.domain]]",
            section.name, pair.0
        );
        draft.remark(Kind::NotTaken, &section.place, what);
        return Some(Some(known));
    }
    if !std::path::Path::new(&pair.0).exists() {
        let what = format!("[tls] certificate {} is not on this machine", pair.0);
        draft.remark(Kind::Look, &section.place, what);
    }
    Some(Some(pair))
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
