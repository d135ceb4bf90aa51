//! Our sections, written (RFC 3264 §5.1, §6).

use std::net::IpAddr;

use super::Stream;
use super::formats::Listed;
use super::secrecy::Cover;
use crate::{Attribute, Connection, Direction, Line, Media};

/// A section that stands. `session` is the address that the session's `c=` gives.
pub(super) fn live(
    (stream, cover): (&Stream, &Cover),
    listed: &[Listed],
    direction: Direction,
    session: Option<IpAddr>,
) -> Media {
    let mut media = Media::new(&stream.kind, stream.local.port(), &cover.protocol);
    media.formats = listed.iter().map(|listed| listed.payload_type.to_string().into()).collect();
    if Some(stream.local.ip()) != session {
        media.lines.push(Line::Connection(Connection::from(stream.local.ip())));
    }
    for Listed { payload_type, codec } in listed {
        media.push(Attribute::new("rtpmap", codec.rtpmap(*payload_type).to_string()));
        if let Some(fmtp) = codec.fmtp() {
            media.push(Attribute::new("fmtp", format!("{payload_type} {fmtp}")));
        }
    }
    // 20 ms is what is meant when nothing is said (RFC 3551 §4.2), and an INVITE has to fit into a datagram.
    if let Some(ptime) = stream.ptime.filter(|time| *time > 0 && *time != 20) {
        media.push(Attribute::new("ptime", ptime.to_string()));
    }
    // RFC 8866 §5.14: said only when it is not one port above.
    if stream.rtcp != stream.local.port().saturating_add(1) && !cover.way.mux {
        media.push(Attribute::new("rtcp", stream.rtcp.to_string()));
    }
    if cover.way.mux {
        media.push(Attribute::flag("rtcp-mux"));
    }
    if let Some(extended) = &stream.extended {
        media.push(Attribute::new("rtcp-xr", extended.as_ref()));
    }
    cover.cryptos.iter().for_each(|crypto| media.push(crypto.attribute()));
    if let Some((certificate, setup)) = stream.certificate.as_ref().zip(cover.setup) {
        media.push(certificate.attribute());
        media.push(setup.attribute());
    }
    if let Some(mid) = &cover.way.mid {
        media.push(Attribute::new("mid", &**mid));
    }
    if let Some(ice) = stream.ice.as_ref().filter(|_| cover.way.ice) {
        ice.attributes().for_each(|attribute| media.push(attribute));
    }
    media.push(Attribute::flag(direction.name()));
    media
}

/// A section that is off: port 0, and at least one format, as the grammar wants it (RFC 3264 §6).
pub(super) fn off(like: &Media) -> Media {
    let mut media = Media::new(&like.kind, 0, &like.protocol);
    media.formats.clone_from(&like.formats);
    if media.formats.is_empty() {
        media.formats.push("0".into());
    }
    media
}
