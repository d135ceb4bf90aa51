//! RFC 3911: a third that comes into a call by Join.

mod section_7;
