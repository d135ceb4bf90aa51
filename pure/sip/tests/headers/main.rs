//! What is written reads back: every typed header, from values that nobody chose (proptest), and every name has its type.

mod parts;
#[cfg(test)]
mod values;

use offhook_sip::header::{Header, rewrite};
use offhook_sip::{Draft, Message, Method, Name};

/// Writes a value, reads it, and says whether it is the same; also as a row among others in a message.
fn reads_back<'a, H>(value: &H, room: &'a mut Vec<u8>) -> Result<(), String>
where
    H: Header<'a> + PartialEq + std::fmt::Debug,
{
    value.write(room);
    let text = String::from_utf8_lossy(room);
    let read = H::parse(room).map_err(|error| format!("{text:?}: {error}"))?;
    if read != *value {
        return Err(format!("{text:?} reads as {read:?}, not {value:?}"));
    }
    match rewrite(H::NAME, room) {
        Some(Ok(again)) if again == *room => {}
        other => return Err(format!("{text:?} is rewritten as {other:?}")),
    }
    // A Content-Length is counted, not written.
    if H::NAME != Name::ContentLength {
        as_a_row(H::NAME, room)?;
    }
    Ok(())
}

/// The same octets come back from a message, where rows are cut into elements.
fn as_a_row(name: Name, element: &[u8]) -> Result<(), String> {
    let draft = Draft::request(Method::Options, b"sip:b@h").raw(name, element).raw(name, element);
    let message = Message::parse(draft.wire()).map_err(|error| error.to_string())?;
    let elements: Vec<_> = message.elements(name).collect();
    let trimmed = element.trim_ascii();
    let expected =
        if trimmed.is_empty() && elements.is_empty() { vec![] } else { vec![trimmed; 2] };
    if elements == expected {
        return Ok(());
    }
    Err(format!("{:?} comes back as {elements:?}", String::from_utf8_lossy(element)))
}

#[test]
fn every_name_has_a_type_that_reads_and_writes() {
    for (name, ..) in Name::table() {
        assert!(rewrite(name, b"\x01").is_some());
    }
    assert!(rewrite(Name::Other, b"x").is_none());
}
