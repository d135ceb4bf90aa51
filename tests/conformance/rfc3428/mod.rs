//! RFC 3428, the MESSAGE method, as our phone sends and takes it.

mod section_4;
mod section_7;
