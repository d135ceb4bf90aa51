//! RFC 3842, messages that wait, as our phone watches them.

mod section_3;
