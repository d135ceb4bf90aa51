//! Tokens of OAuth, as the phone shows them.

mod section_2;
