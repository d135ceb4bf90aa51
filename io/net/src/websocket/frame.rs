//! Frames: what a header may say, and writing (RFC 6455 §5.2).

use std::io::Cursor;

use tungstenite::protocol::frame::FrameHeader;
pub(super) use tungstenite::protocol::frame::coding::{Control, Data, OpCode as Opcode};

use super::fault::Fault;

/// Who masks what it sends (RFC 6455 §5.1): the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mask {
    /// We are the client.
    Ours,
    /// The peer is the client.
    Theirs,
}

/// Whether more fragments of a message follow (RFC 6455 §5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fin {
    More,
    Last,
}

/// What a header announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Announced {
    pub opcode: Opcode,
    pub fin: Fin,
    pub mask: Option<[u8; 4]>,
    /// Octets of the header.
    pub header: usize,
    /// Octets of the payload.
    pub payload: usize,
}

/// Octets that a control frame may carry (RFC 6455 §5.5).
const CONTROL: u64 = 125;

/// Reads the header of a frame with a payload of at most `most` octets; `None` when more octets are needed. What it may not say is
/// refused before its payload comes.
pub(super) fn read(octets: &[u8], mask: Mask, most: usize) -> Result<Option<Announced>, Fault> {
    let mut cursor = Cursor::new(octets);
    let Some((header, length)) = FrameHeader::parse(&mut cursor).map_err(|_| Fault::Opcode)? else {
        return Ok(None);
    };
    let size = usize::try_from(cursor.position()).map_err(|_| Fault::Length)?;
    if header.rsv1 || header.rsv2 || header.rsv3 {
        return Err(Fault::Reserved);
    }
    if header.mask.is_some() != (mask == Mask::Theirs) {
        return Err(Fault::Mask);
    }
    // §5.2: "the minimal number of bytes MUST be used", and the highest bit is 0.
    if header.len(length) != size || length > u64::MAX >> 1 {
        return Err(Fault::Length);
    }
    if matches!(header.opcode, Opcode::Control(_)) && (!header.is_final || length > CONTROL) {
        return Err(Fault::Control);
    }
    let payload = usize::try_from(length).ok().filter(|length| *length <= most);
    let payload = payload.ok_or(Fault::TooLong)?;
    let FrameHeader { opcode, is_final, mask, .. } = header;
    let fin = if is_final { Fin::Last } else { Fin::More };
    Ok(Some(Announced { opcode, fin, mask, header: size, payload }))
}

/// Takes a mask off, or puts it on (RFC 6455 §5.3).
pub(super) fn mask(payload: &mut [u8], key: [u8; 4]) {
    payload.iter_mut().zip(key.iter().cycle()).for_each(|(octet, key)| *octet ^= key);
}

/// Writes a frame of its own, masked with a key that nobody can foresee when it is ours to mask (RFC 6455 §10.3).
pub(super) fn write(opcode: Opcode, payload: &[u8], by: Mask, out: &mut Vec<u8>) {
    let key = (by == Mask::Ours).then(rand::random);
    let header = FrameHeader { opcode, mask: key, ..FrameHeader::default() };
    // Writing into a vector cannot fail.
    let _ = header.format(payload.len() as u64, out);
    let from = out.len();
    out.extend_from_slice(payload);
    if let (Some(key), Some(written)) = (key, out.get_mut(from..)) {
        mask(written, key);
    }
}
