//! RFC 3311, the UPDATE method, as our phone sends and takes it.

mod section_4;
mod section_5_1;
mod section_5_2;
mod section_5_3;
