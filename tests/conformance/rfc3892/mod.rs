//! RFC 3892, the Referred-By mechanism, as our phone sends and carries it.

mod section_2;
