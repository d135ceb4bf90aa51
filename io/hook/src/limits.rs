//! How much a hook may take, and why.

use std::time::Duration;

/// Threads of one hook: a program that answers in 10 ms is told 400 things a second.
pub const THREADS: usize = 4;

/// Requests that wait for a thread. A program that is silent has these time out before anybody else does.
pub const WAITING: usize = 1_000;

/// From the first octet to the last: whoever is called waits ten seconds, and its phone needs some of them.
pub const DEADLINE: Duration = Duration::from_secs(4);
