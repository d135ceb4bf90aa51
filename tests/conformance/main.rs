//! A file per section of an RFC; each test names the rules that it proves. `cargo xtask conformance` counts them.

mod rfc3261;
