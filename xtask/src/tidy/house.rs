//! The table of the house: which crate lives on which floor, and what it may bring in from outside.

/// The crates of `pure/` and their floors. A crate imports only from lower floors. Every other top folder has one floor.
pub(super) const PURE: &[(&str, u8)] = &[
    ("machine", 0),
    ("sip", 0),
    ("sdp", 0),
    ("rtp", 0),
    ("sim", 0),
    ("ladder", 0),
    ("stun", 0),
    ("connectivity", 1),
    ("protocol", 1),
    ("media", 1),
    ("srtp", 1),
    ("server", 2),
    ("phone", 2),
    ("stage", 2),
];

/// What floor 0 may import from its own floor: `machine` is its vocabulary. `sip` stays without.
pub(super) const MAY_USE_MACHINE: &[&str] = &["sim", "ladder"];

/// Libraries from outside that `pure/` may use: bytes, searching, reading XML, hashing, ciphers. Nothing that does IO, keeps time or throws dice.
pub(super) const PURE_MAY_IMPORT: &[&str] = &[
    "bytes",
    "memchr",
    "quick-xml",
    "regex-lite",
    "siphasher",
    "md-5",
    "sha2",
    "hmac",
    "subtle",
    "aes",
    "aes-gcm",
    "ctr",
    "sha1",
    "base64",
    "ropus",
    "audio-codec",
    // What these throw of their own, docs/decisions/0022 says.
    "dimpl",
    "is",
    "p256",
    "x509-cert",
];

/// Crates that bring a runtime of tasks with them.
pub(super) const RUNTIMES: &[&str] = &[
    "tokio",
    "tokio-util",
    "tokio-rustls",
    "tokio-tungstenite",
    "async-std",
    "smol",
    "axum",
    "hyper",
    "hyper-util",
];

/// Packages of ours that may depend on [`RUNTIMES`]: the console, for HTTP (docs/decisions). deny.toml says the same of indirect dependencies.
pub(super) const MAY_USE_A_RUNTIME: &[&str] = &["offhook-console"];

/// Where something secret is compared with what somebody sent: in constant time.
pub(super) const COMPARES_SECRETS: &[&str] = &[
    "pure/protocol/src/auth/digest.rs",
    "pure/protocol/src/auth/nonce.rs",
    "pure/server/src/seal.rs",
    "pure/stun/src/message.rs",
    "io/console/src/gate.rs",
];

/// Where `unsafe` is allowed: calls into the kernel.
pub(super) const MAY_BE_UNSAFE: &[&str] = &["io/net/src/kernel.rs"];

/// Lines of a file: 400 is the habit, 600 the limit.
pub(super) const LONG_FILE: usize = 400;
pub(super) const LONGEST_FILE: usize = 600;

/// Lines of code in a function; the same number as in clippy.toml.
pub(super) const LONGEST_FUNCTION: usize = 60;
