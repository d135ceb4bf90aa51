//! How much of everything a way between two phones has, and why.

use std::time::Duration;

/// Octets of a DTLS datagram: what goes through every network, tunnels included.
pub const DATAGRAM: usize = 1150;

/// How long we wait before a flight of the handshake is repeated; then twice as long, and so on (RFC 6347 §4.2.4.1 has a second; RFC 5764 §7.3
/// would have us sooner: somebody has picked up and hears nothing).
pub const FIRST_WAIT: Duration = Duration::from_millis(250);

/// How often.
pub const TRIES: usize = 7;

/// How long a handshake may take. Whoever has picked up has hung up by then.
pub const HANDSHAKE: Duration = Duration::from_secs(30);

/// Strangers who may try at the same time, where somebody behind a NAT is expected.
pub const STRANGERS: usize = 4;

/// How long we wait for the answer of a STUN or TURN server before we ask again; then twice as long, and so on. RFC 8489 §6.2.1 has 500 ms; here
/// somebody waits for their call.
pub const ASK_AGAIN: Duration = Duration::from_millis(200);

/// How often we ask again: with the pauses, three seconds.
pub const ASKS: u8 = 3;

/// How often a STUN server is asked again until a way is found (RFC 8445 §5.1.1.4): NATs forget in half a minute (RFC 4787 §4.3 has two at least).
pub const KEEP_MAPPED: Duration = Duration::from_secs(15);

/// Requests to a server that wait for an answer: a permission for every candidate of the other side, and some more.
pub const REQUESTS: usize = 64;

/// How often a request is said again because its credential was not taken: for the realm, and for a nonce that has become stale meanwhile.
pub const CREDENTIAL_TRIES: u8 = 3;

/// How long before an address at a relay ends it is refreshed: it is ours for ten minutes (RFC 8656 §3.2).
pub const REFRESH: Duration = Duration::from_secs(8 * 60);

/// How long after a server was silent it is asked again for that.
pub const REFRESH_AGAIN: Duration = Duration::from_secs(10);

/// The same for a permission, which lasts five (RFC 8656 §9), and for a channel, which lasts ten (§12).
pub const PERMISSION: Duration = Duration::from_secs(4 * 60);
/// See [`PERMISSION`].
pub const CHANNEL: Duration = Duration::from_secs(9 * 60);

/// Peers who may talk to us by a relay: as many as a side tells candidates.
pub const PERMISSIONS: usize = 32;

/// How long we ask for our own addresses before a call goes out with those that we know.
pub const GATHERING: Duration = Duration::from_millis(1500);

/// How long no search is given up, from the first moment at which both sides can check: the PAC timer of RFC 8863 §4, as long as a check takes with all
/// its repeats. A check of theirs may show the way that none of the addresses told did. It stands for the end of addresses that come one after the other
/// too, where nobody says that all are told (§5).
pub const PATIENCE: Duration = Duration::from_millis(39_500);

/// How long a search may go on where there is always something left to check: the other side's checks come, and no answer to ours does; or nobody ever
/// takes a pair. Once more as long: what was told last has had its checks.
pub const SEARCH: Duration = Duration::from_secs(79);

/// Candidates of the other side, those of its description and those that come later.
pub const CANDIDATES: usize = 32;

/// Pairs that are tried (RFC 8445 §6.1.2.5).
pub const PAIRS: usize = 100;

/// Checks of ours whose answers are known again: a pair is asked some times in a second, and answers take two at most.
pub const ASKED: usize = 4 * PAIRS;

/// How long an answer to a check means that sound is wanted (RFC 7675 §5.1).
pub const CONSENT: Duration = Duration::from_secs(30);

/// The least time between two turns of checks (RFC 8445 §14.2 has 50 ms between checks; answers are not made to wait for that).
pub const PACE: Duration = Duration::from_millis(5);

/// Peers with a channel: the one we talk with, and those we have talked with before they moved.
pub const CHANNELS: usize = 8;
