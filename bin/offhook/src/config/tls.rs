//! `[tls]` and `[[tls.domain]]`: our certificates, and whom we trust (RFC 5922).

use std::path::PathBuf;

use net::tls::{Clients, Files, Named, System, Terms};
use protocol::transport::Wildcards;

use super::domains::Domain;
use super::fault::{At, Faults};
use super::key::{Key, Section};
use super::near::nearest;
use super::table::Table;
use crate::limits;

/// Our certificates, and whom we trust. Which domains may call us is for the routes to say.
pub(super) fn read(
    written: &Table<'_>,
    domains: &[Table<'_>],
    faults: &mut Faults,
) -> Option<Terms> {
    if written.is_absent() {
        return None;
    }
    let files = files(written, &SECTION, faults);
    let authorities = written.texts("authorities", faults).unwrap_or_default();
    let authorities = authorities.into_iter().filter_map(|text| file("authorities", text, faults));
    let authorities = authorities.collect();
    let clients = written.text("client_certificates", faults);
    let clients = clients.and_then(|word| clients_of(word, faults)).unwrap_or_default();
    let system = match written.flag("system_authorities", faults) {
        Some(false) => System::Ignored,
        Some(true) | None => System::Trusted,
    };
    let wildcards = match written.flag("wildcards", faults) {
        Some(true) => Wildcards::Allowed,
        Some(false) | None => Wildcards::Refused,
    };
    let terms = Terms { authorities, clients, system, wildcards, ..Terms::default() };
    let domains = named(domains, faults);
    Some(Terms { certificate: Some(files?), domains, ..terms })
}

/// By what the nodes of a cluster know each other: nobody else is trusted, and who has no certificate stays outside.
pub(super) fn of_nodes(
    written: &Table<'_>,
    section: &Section,
    faults: &mut Faults,
) -> Option<Terms> {
    let files = files(written, section, faults);
    let authority = written.required("authority", &section.heading(), faults);
    let authority = authority.and_then(|text| file("authority", text, faults));
    Some(Terms {
        certificate: Some(files?),
        authorities: vec![authority?],
        system: System::Ignored,
        clients: Clients::Require,
        ..Terms::default()
    })
}

/// The certificates of single domains.
fn named(entries: &[Table<'_>], faults: &mut Faults) -> Vec<Named> {
    if entries.len() > limits::CERTIFICATES
        && let Some(entry) = entries.get(limits::CERTIFICATES)
    {
        let what = format!("more than {} [[tls.domain]]", limits::CERTIFICATES);
        faults.refuse(entry.span, what, "a certificate may be for several domains");
    }
    let mut all: Vec<Named> = Vec::new();
    for entry in entries {
        let name = entry.required("name", "[[tls.domain]]", faults);
        let domain = name.and_then(|name| Some((name.span, Domain::read(name, faults)?)));
        let files = files(entry, &DOMAIN, faults);
        let (Some((span, domain)), Some(files)) = (domain, files) else { continue };
        if all.iter().any(|named| &*named.name == domain.as_str()) {
            faults.refuse(span, format!("`{domain}` has two certificates"), "remove one");
        }
        all.push(Named { name: domain.as_str().into(), files });
    }
    all
}

fn files(written: &Table<'_>, section: &Section, faults: &mut Faults) -> Option<Files> {
    let heading = section.heading();
    let mut path = |key: &'static str| {
        let text = written.required(key, &heading, faults)?;
        file(key, text, faults)
    };
    let (certificate, key) = (path("certificate"), path("private_key"));
    Some(Files { certificate: certificate?, key: key? })
}

fn file(key: &str, text: At<&str>, faults: &mut Faults) -> Option<PathBuf> {
    if text.value.is_empty() {
        faults.refuse(text.span, format!("`{key}` is empty"), "write the name of a PEM file");
        return None;
    }
    Some(PathBuf::from(text.value))
}

fn clients_of(word: At<&str>, faults: &mut Faults) -> Option<Clients> {
    let known = [("off", Clients::Off), ("ask", Clients::Ask), ("require", Clients::Require)];
    let found = known.into_iter().find(|(name, _)| *name == word.value);
    if found.is_none() {
        let hint = match nearest(word.value, known.map(|(name, _)| name)) {
            Some(name) => format!("did you mean \"{name}\"?"),
            None => "known: off, ask, require".into(),
        };
        let what = format!("unknown policy `{}`", word.value.escape_debug());
        faults.refuse(word.span, what, hint);
    }
    found.map(|(_, clients)| clients)
}

pub(super) const SECTION: Section = Section {
    name: "tls",
    repeated: false,
    about: "The server's certificate, and whom it trusts: needed when `[listen]` has `tls` or `wss`. Certificates and keys are read again \
            when their files change; connections that are up live on. [More](tls.md).",
    keys: &[
        Key::required(
            "certificate",
            "File with the certificate chain (PEM), the server's own certificate first. It should name all `domains`.",
        ),
        Key::required("private_key", "File with its private key (PEM)."),
        Key::optional(
            "domain",
            "the certificate above is for all",
            "Further certificates: see `[[tls.domain]]`.",
        ),
        Key::optional(
            "authorities",
            "the system's alone",
            "Files with certificates of authorities (PEM) that are trusted too: [\"our-ca.pem\"].",
        ),
        Key::new(
            "system_authorities",
            "true",
            "Whether the authorities that this system trusts are trusted. With false only those of `authorities` are: then nobody else in \
             the world can prove to be your neighbour.",
        ),
        Key::new(
            "client_certificates",
            "\"off\"",
            "What is asked of those who call the server: \"off\", nothing; \"ask\", a certificate if they have one; \"require\", a \
             certificate, or the door stays shut. Whose certificate names the domain of a `[[route]]` is trusted as that domain (RFC 5922 \
             §7.4), and requests to it may go by the same connection (RFC 5923). Phones rarely have certificates: \"require\" is for \
             servers among themselves.",
        ),
        Key::new(
            "wildcards",
            "false",
            "Whether a certificate for \"*.example.com\" is good for \"sip.example.com\". SIP says no (RFC 5922 §7.2); some servers have \
             no other.",
        ),
    ],
};

pub(super) const DOMAIN: Section = Section {
    name: "tls.domain",
    repeated: true,
    about: "A certificate for those who ask for one domain (server name indication): one section for each. All others get that of `[tls]`.",
    keys: &[
        Key::required("name", "The domain: \"example.org\"."),
        Key::required("certificate", "File with its certificate chain (PEM)."),
        Key::required("private_key", "File with its private key (PEM)."),
    ],
};
