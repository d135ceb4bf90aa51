//! rport: responses through NATs.

mod section_4;
