//! `Answer-Mode`: whether the phone should answer by itself (RFC 5373 §4).

use super::family::with_params;

with_params! {
    /// `Manual` or `Auto`; with `require`, or the call fails.
    AnswerMode {
        /// The mode.
        mode: &'a str
    },
}
