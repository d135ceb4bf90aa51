//! RFC 3840: what a phone says it can do, as our registrar keeps it.

mod section_6;
