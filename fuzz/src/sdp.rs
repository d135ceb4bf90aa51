//! A session description: written, it reads back; it can be answered, as an offer and as an answer, and the answer reads back too.

use sdp::{Codec, Description, Origin, Session, Stream};

/// Reads `octets` as a description.
pub fn run(octets: &[u8]) {
    let Ok(description) = Description::parse(octets) else { return };
    let written = description.write();
    assert_eq!(Description::parse(&written), Ok(description.clone()));
    let mut callee = session();
    if let Ok((answer, _)) = callee.answer(&description) {
        assert_eq!(answer.media.len(), description.media.len(), "RFC 3264 §6");
        assert!(Description::parse(&answer.write()).is_ok_and(|again| again == answer));
    }
    let mut caller = session();
    if caller.offer().is_ok() {
        let _ = caller.accept(&description);
    }
}

fn session() -> Session {
    let mut session = Session::new(Origin::new(1, [192, 0, 2, 1].into()));
    session.add(Stream::audio(([192, 0, 2, 1], 4000).into(), [Codec::pcma(), Codec::pcmu()]));
    session
}
