//! Writing: nothing that is put into a description by mistake can begin a line of its own.

/// Writes a field, which ends at a space: whatever would end it early is written as `_`.
pub(crate) fn field(out: &mut Vec<u8>, text: &str) {
    out.extend(
        text.bytes()
            .map(|octet| if octet == b' ' || octet.is_ascii_control() { b'_' } else { octet }),
    );
}

/// Writes free text: whatever would end the line is written as a space.
pub(crate) fn text(out: &mut Vec<u8>, octets: &[u8]) {
    out.extend(
        octets.iter().map(|octet| if matches!(octet, 0 | b'\r' | b'\n') { b' ' } else { *octet }),
    );
}

pub(crate) fn space(out: &mut Vec<u8>) {
    out.push(b' ');
}

pub(crate) fn number(out: &mut Vec<u8>, number: impl Into<u64>) {
    out.extend_from_slice(number.into().to_string().as_bytes());
}

pub(crate) fn begin(out: &mut Vec<u8>, letter: u8) {
    out.extend_from_slice(&[letter, b'=']);
}

pub(crate) fn end(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\r\n");
}
