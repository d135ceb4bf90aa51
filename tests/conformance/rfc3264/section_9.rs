//! RFC 3264 §9: saying what one can do.

use sdp::{Codec, Description, Stream};

use super::{lines, phone};

/// Proves: rfc3264-9-1, rfc3264-9-2, rfc3264-9-3, rfc3264-9-5, rfc3264-9-6, rfc3264-9-7.
#[test]
fn capabilities_are_streams_that_are_off() {
    let (mut alice, _) = phone(1);
    alice.add(Stream::video(([192, 0, 2, 1], 4002).into(), [Codec::new("H264", 90_000)]));
    let capabilities = alice.capabilities();
    assert_eq!(Description::parse(&capabilities.write()).as_ref(), Ok(&capabilities));
    assert_eq!(lines(&capabilities, "t="), ["t=0 0"]);
    assert_eq!(lines(&capabilities, "m="), ["m=audio 0 RTP/AVP 0 8 96", "m=video 0 RTP/AVP 96"]);
    assert_eq!(
        lines(&capabilities, "a=rtpmap:96"),
        ["a=rtpmap:96 telephone-event/8000", "a=rtpmap:96 H264/90000"]
    );
    assert!(alice.offer().is_ok(), "nothing was offered by it");
}
