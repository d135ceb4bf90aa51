//! `[cluster]`: this server as one node of several that serve the same users.

use std::net::SocketAddr;
use std::path::PathBuf;

use net::tls::Terms;

use super::address;
use super::fault::Faults;
use super::key::{Key, Section};
use super::store::{Store, StoreUrl};
use super::table::Table;
use super::tls;

/// This server's place in a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Where the other nodes reach this one.
    pub listen: SocketAddr,
    /// The file with the secret that all nodes have.
    pub secret_file: PathBuf,
    /// By what nodes know each other over TLS; without it they speak TCP.
    pub tls: Option<Terms>,
}

impl Cluster {
    /// Reads the section, which belongs to a store that is shared.
    pub(super) fn read(
        written: &Table<'_>,
        store: &Store,
        top: &Table<'_>,
        faults: &mut Faults,
    ) -> Option<Self> {
        let shared = matches!(store.url, StoreUrl::Redis(_));
        if written.is_absent() {
            if shared {
                faults.refuse_hidden(
                    top.span_of("store"),
                    "the store is shared, but there is no [cluster]",
                    "add [cluster] with listen = \"ADDRESS:PORT\" and secret_file = \"…\"",
                );
            }
            return None;
        }
        if !shared {
            faults.refuse(
                written.span,
                "[cluster] needs a store that all nodes share",
                "add [store] with url = \"redis://…\"",
            );
        }
        let listen = written.required("listen", "[cluster]", faults);
        let listen = listen.and_then(|text| Some((text, address::read(text, 5070, faults)?)));
        if let Some((text, address)) = listen
            && address.ip().is_unspecified()
        {
            let what = format!("`{address}` tells the other nodes nothing");
            faults.refuse(text.span, what, "write the address by which they reach this node");
        }
        let secret = written.required("secret_file", "[cluster]", faults);
        let secured =
            ["certificate", "private_key", "authority"].iter().any(|key| written.has(key));
        let tls = if secured { Some(tls::of_nodes(written, &SECTION, faults)?) } else { None };
        Some(Self { listen: listen?.1, secret_file: secret?.value.into(), tls })
    }
}

pub(super) const SECTION: Section = Section {
    name: "cluster",
    repeated: false,
    about: "This server as one node of several that serve the same users; they share `[store] url = \"redis://…\"`. A phone may register at \
            any node and is called from any. [cluster.md](cluster.md) says how it is set up, and what is promised.",
    keys: &[
        Key::required(
            "listen",
            "The address and port (SIP over TCP, or TLS with the keys below) where the other nodes reach this one, for phones whose connections are here. Only nodes of \
             the cluster should be able to reach it; whoever else does is refused.",
        ),
        Key::required(
            "secret_file",
            "A file with 32 hexadecimal digits (`openssl rand -hex 16`), the same at every node, readable by the server alone. With it nodes \
             sign what they keep in the store and tell each other.",
        ),
        Key::optional(
            "certificate",
            "nodes speak TCP, and `sips:` is not called across them",
            "File with this node's certificate (PEM), which must name the address of `listen` as an IP address, and be good for a server \
             and for a client. With it nodes speak TLS, and each lets in only those that have a certificate of `authority`.",
        ),
        Key::optional("private_key", "none", "File with the private key of `certificate` (PEM)."),
        Key::optional(
            "authority",
            "none",
            "File with the certificate (PEM) of the authority that certifies the nodes of this cluster and nobody else: one of your own.",
        ),
    ],
};
