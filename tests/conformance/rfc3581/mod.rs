//! rport: responses through NATs.

mod section_3;
mod section_4;
