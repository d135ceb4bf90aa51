//! Registering non-adjacent contacts (Path).

mod section_5_3;
