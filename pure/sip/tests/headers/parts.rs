//! What headers are made of, as the grammar of RFC 3261 §25.1 allows it.

use offhook_sip::quote;
use proptest::prelude::*;

/// `token`
pub(crate) fn token() -> impl Strategy<Value = String> {
    "[A-Za-z0-9.!%*_+`'~-]{1,12}"
}

/// `quoted-string`, with its quotes: of any text, octets past ASCII too.
pub(crate) fn quoted() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[ -~\u{e0}-\u{17f}]{0,12}".prop_map(|text| quote(text.as_bytes())),
        prop::collection::vec(1_u8..=255, 0..8).prop_map(|octets| quote(&octets)),
    ]
}

/// `*( SEMI generic-param )`, with blanks where they may stand.
pub(crate) fn params() -> impl Strategy<Value = Vec<u8>> {
    let value = prop_oneof![
        Just(Vec::new()),
        token().prop_map(|value| format!("={value}").into_bytes()),
        quoted().prop_map(|value| [b"=", &*value].concat()),
        quoted().prop_map(|value| [b" = ", &*value].concat()),
        Just(b"=[2001:db8::1]".to_vec()),
    ];
    let param = ("(;| ; |;  )", token(), value)
        .prop_map(|(semi, name, value)| [semi.as_bytes(), name.as_bytes(), &value].concat());
    // A value has no blanks at its ends.
    prop::collection::vec(param, 0..4)
        .prop_map(|params| params.concat().trim_ascii_start().to_vec())
}

/// `callid`
pub(crate) fn call_id() -> impl Strategy<Value = String> {
    "[A-Za-z0-9.!%*_+~-]{1,12}(@[A-Za-z0-9.-]{1,9})?"
}

/// Any URI that we read: SIP, SIPS, tel, others.
pub(crate) fn uri() -> impl Strategy<Value = String> {
    prop_oneof![
        "sips?:([a-z0-9&=+$,;?/%-]{1,8}(:[a-z0-9]{0,4})?@)?[a-z]{1,6}(\\.[a-z]{1,3})?(:[0-9]{1,4})?\
         (;[a-z]{1,5}(=[a-z0-9%-]{1,5})?){0,3}(\\?[a-z]{1,3}=[a-z0-9%]{0,4})?",
        "sip:[a-z]{1,5}@(192\\.0\\.2\\.[1-9]|\\[2001:db8::[1-9a-f]{1,4}\\])(:5060)?(;lr)?",
        "tel:(\\+[0-9]{1,9}([-.()][0-9]{1,3}){0,3}|[0-9*#A-F]{1,6};phone-context=[a-z]{1,5})",
        "(https?|urn|mailto|x-y\\.z):[a-z0-9/?&=;,:@%_~.-]{1,20}",
    ]
}

/// `comment`
pub(crate) fn comment() -> impl Strategy<Value = String> {
    "\\(([a-z ,;\"]|\\\\[()]|\\([a-z]{0,3}\\)){0,8}\\)"
}
