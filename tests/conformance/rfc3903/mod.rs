//! RFC 3903, publishing of what one is doing, as our phone does it.

mod section_4;
