//! §6: the identity that a user prefers.

use sip::Name::{PAssertedIdentity, PPreferredIdentity};

use super::{called, rows_of};

/// "The proxy MUST remove the user-provided P-Preferred-Identity header from any message it forwards", and what is asserted is whoever has
/// proven it: a hint chooses among its own names, and no other.
/// Proves: rfc3325-6-1.
#[test]
fn a_preference_chooses_among_ones_own_names() {
    for (preferred, asserted) in [
        ("\"Front Desk\" <sip:101@example.test>", "\"Front Desk\" <sip:101@example.test>"),
        ("\"Front Desk\" <sip:%3101@EXAMPLE.test>;x=1", "\"Front Desk\" <sip:%3101@EXAMPLE.test>"),
        ("\"Chief\" <sip:100@example.test>", "<sip:101@example.test>"),
        ("<sip:101@elsewhere.test>", "<sip:101@example.test>"),
        ("<tel:+442079460000>", "<sip:101@example.test>"),
    ] {
        let row = format!("P-Preferred-Identity: {preferred}");
        let copy = called("+44", &[&row]);
        assert_eq!(rows_of(&copy, PAssertedIdentity), [asserted], "{preferred}");
        assert!(rows_of(&copy, PPreferredIdentity).is_empty());
        assert!(rows_of(&called("+33", &[&row]), PPreferredIdentity).is_empty());
    }
}
