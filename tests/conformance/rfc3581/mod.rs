//! rport: responses through NATs.

mod section_3;
mod section_3_phones;
mod section_4;
