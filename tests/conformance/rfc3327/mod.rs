//! Registering non-adjacent contacts (Path).

mod section_5_2;
mod section_5_3;
