//! §14: attributes.

use stun::{Draft, Message, attributes, kinds};

/// "The padding bits … MUST be ignored by the receiver."
/// Proves: rfc8489-14-4.
#[test]
fn what_an_attribute_is_filled_up_with_means_nothing() {
    let draft = Draft::new(kinds::ALLOCATE_ERROR, [1; 12]);
    let mut octets = draft.with(attributes::REALM, b"a.example").finish(None);
    // Without the fingerprint, which covers it.
    octets.truncate(octets.len() - 8);
    octets[3] -= 8;
    assert_eq!(octets[octets.len() - 3..], [0, 0, 0], "what we send is filled up with zeros");
    let end = octets.len();
    octets[end - 3..].copy_from_slice(b"xyz");
    assert_eq!(Message::read(&octets).unwrap().text(attributes::REALM), Some("a.example"));
}

/// "A compliant implementation MUST be able to parse a UTF-8-encoded sequence of 763 or fewer octets": a name, and a reason, "which can be as long as … 763 bytes when
/// decoding them". "Receivers MUST ignore these bits."
/// Proves: rfc8489-14.3-2, rfc8489-14.8-1, rfc8489-14.8-3.
#[test]
fn long_texts_are_read_and_bits_without_a_meaning_are_not() {
    let name = "\u{20ac}".repeat(254) + "x";
    assert_eq!(name.len(), 763);
    let reason = [&[0xff, 0xff, 0xfc, 38], name.as_bytes()].concat();
    let draft =
        Draft::new(kinds::ALLOCATE_ERROR, [1; 12]).with(attributes::USERNAME, name.as_bytes());
    let octets = draft.with(attributes::ERROR_CODE, &reason).finish(Some(b"key"));
    let message = Message::read(&octets).unwrap();
    assert_eq!(message.text(attributes::USERNAME), Some(&*name));
    assert_eq!(message.error(), Some(438));
    assert!(message.is_signed_with(b"key"));
}
