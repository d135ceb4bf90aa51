//! What event packages tell: any octets are read or refused, and presence that is read can be written and reads back.

use phone::packages::{Conference, Dialogs, Messages, Presence};

/// Reads `octets` as a body of each package.
pub fn run(octets: &[u8]) {
    let _ = Messages::read(octets);
    let _ = Dialogs::read(octets);
    let _ = Conference::read(octets);
    if let Ok(presence) = Presence::read(octets) {
        let again = Presence::read(&presence.write()).map(|again| again.tuples.len());
        assert_eq!(again, Ok(presence.tuples.len()));
    }
}
