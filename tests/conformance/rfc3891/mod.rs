//! RFC 3891, the Replaces header, as our phone sends and takes it.

mod section_3;
mod section_4;
