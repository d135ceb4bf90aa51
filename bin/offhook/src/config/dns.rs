//! `[dns]`: who answers the server's DNS questions.

use std::net::SocketAddr;

use super::address;
use super::fault::Faults;
use super::key::{Key, Section};
use super::table::Table;

/// Who answers DNS questions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dns {
    /// Name servers, asked in this order; `None`: the system's.
    pub servers: Option<Vec<SocketAddr>>,
}

impl Dns {
    pub(super) fn read(written: &Table<'_>, faults: &mut Faults) -> Self {
        let Some(texts) = written.texts("servers", faults) else { return Self::default() };
        let mut servers: Vec<SocketAddr> = Vec::new();
        for text in texts {
            let Some(server) = address::read(text, 53, faults) else { continue };
            if server.port() == 0 {
                faults.refuse(
                    text.span,
                    format!("`{server}` has port 0: nobody answers there"),
                    "DNS has port 53",
                );
            }
            if servers.contains(&server) {
                faults.refuse(text.span, format!("`{server}` is listed twice"), "remove one");
            }
            if servers.len() == ::dns::limits::SERVERS {
                faults.refuse(
                    text.span,
                    format!("only {} servers are asked", ::dns::limits::SERVERS),
                    "remove some",
                );
            }
            servers.push(server);
        }
        if written
            .value("servers")
            .is_some_and(|value| value.get_ref().as_array().is_some_and(|list| list.is_empty()))
        {
            faults.refuse(
                written.span_of("servers"),
                "`servers` is empty",
                "leave it out for the system's servers",
            );
        }
        Self { servers: Some(servers) }
    }
}

pub(super) const SECTION: Section = Section {
    name: "dns",
    repeated: false,
    about: "Who answers the server's DNS questions (RFC 3263): services, their servers, addresses. Names in /etc/hosts are known without \
        asking. A server that does not answer within 800 ms is passed over and asked last for a while; an answer is kept as long as it \
        says, and up to a day longer while the DNS is silent.",
    keys: &[Key::optional(
        "servers",
        "the system's",
        "Name servers with their port, asked in this order: \"127.0.0.1:5353\".",
    )],
};
