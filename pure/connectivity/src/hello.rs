//! A look at a ClientHello before anybody sits down with its sender (RFC 6347 §4.2, RFC 5246 §7.4.1.2).

/// True for a whole ClientHello with which no handshake of ours could ever come to an end: it offers none of our ciphers. It is dropped like
/// a record that cannot be read (RFC 6347 §4.1.2.7), so that whoever forges such cannot disturb the handshake of somebody else.
pub(crate) fn is_hopeless(datagram: &[u8]) -> bool {
    ciphers(datagram).is_some_and(|offered| {
        !offered.as_chunks::<2>().0.iter().any(|cipher| OURS.contains(&u16::from_be_bytes(*cipher)))
    })
}

/// True for the beginning of a ClientHello: nothing that somebody says who was asked.
pub(crate) const fn is_hello(datagram: &[u8]) -> bool {
    matches!(datagram, [HANDSHAKE, _, _, 0, 0, _, _, _, _, _, _, _, _, CLIENT_HELLO, ..])
}

/// The ciphers of a ClientHello that is in one piece; `None` for everything else.
fn ciphers(datagram: &[u8]) -> Option<&[u8]> {
    let (record, rest) = datagram.split_first_chunk::<13>()?;
    let [HANDSHAKE, _, _, 0, 0, ..] = *record else { return None };
    let (message, body) = rest.split_first_chunk::<12>()?;
    let [CLIENT_HELLO, l0, l1, l2, _, _, 0, 0, 0, f0, f1, f2] = *message else { return None };
    if [l0, l1, l2] != [f0, f1, f2] {
        return None;
    }
    // Version and random; session id and cookie say how long they are.
    let rest = body.get(34..)?;
    let rest = after(rest)?;
    let rest = after(rest)?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    rest.get(..usize::from(u16::from_be_bytes(*length)))
}

fn after(rest: &[u8]) -> Option<&[u8]> {
    let (length, rest) = rest.split_first()?;
    rest.get(usize::from(*length)..)
}

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;

/// `TLS_ECDHE_ECDSA_WITH_`… AES_128_GCM_SHA256, AES_256_GCM_SHA384, CHACHA20_POLY1305_SHA256: those of the library.
const OURS: [u16; 3] = [0xc02b, 0xc02c, 0xcca9];
