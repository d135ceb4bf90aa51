//! Connection reuse: a client that listens too says so, and is called back over its own connection (RFC 5923).

use std::net::SocketAddr;

use sip::Message;
use sip::header::Via;

use super::{Flow, Transport};

/// The parameter of a Via that says so.
pub const ALIAS: &str = "alias";

/// The address that is reached over the connection that a request came on, when its sender wants that and may: it has proven who it is, and
/// that is the only proof (RFC 5923 §9.2). The port is that of the sent-by (§8.2).
pub fn alias(request: &Message, came: Flow) -> Option<SocketAddr> {
    let secure = came.transport == Transport::Tls && came.connection != 0;
    if !secure || came.identity.is_none() {
        return None;
    }
    let via = request.get::<Via>().filter(|via| via.params.has(ALIAS))?;
    let port = via.port.unwrap_or(came.transport.default_port());
    Some(SocketAddr::new(came.peer.ip(), port))
}
