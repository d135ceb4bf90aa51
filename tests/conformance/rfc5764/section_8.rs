//! RFC 5764 §8 and RFC 5763 §5: what the description says of it.

use sdp::{Codec, Description, Fingerprint, Origin, Part, Refusal, Secrecy, Session, Stream};

fn certificate(first: u8) -> Fingerprint {
    Fingerprint { hash: "sha-256".into(), digest: vec![first; 32].into() }
}

fn party(number: u8, secrecy: Secrecy) -> Session {
    let at = [192, 0, 2, number].into();
    let mut session = Session::new(Origin::new(number.into(), at));
    let audio = Stream::audio((at, 4000).into(), [Codec::pcma(), Codec::pcmu()]);
    session.add(Stream { secrecy, certificate: Some(certificate(number)), mux: true, ..audio });
    session
}

fn text(description: &Description) -> String {
    String::from_utf8(description.write()).unwrap()
}

fn read(text: &str) -> Description {
    Description::parse(text.as_bytes()).unwrap()
}

/// "the token SHALL be UDP/TLS/RTP/SAVP"; "The "fmt" parameter SHALL be as defined for RTP/SAVP": payload types, as ever. Who answers begins
/// (RFC 5763 §5), and says the token of the offer.
/// Proves: rfc5764-8-2, rfc5764-8-3.
#[test]
fn the_protocol_is_udp_tls_rtp_savp_and_the_formats_are_payload_types() {
    let (mut alice, mut bob) = (party(1, Secrecy::Handshake), party(2, Secrecy::Welcome(vec![])));
    let offer = alice.offer().unwrap();
    assert!(text(&offer).contains("m=audio 4000 UDP/TLS/RTP/SAVP 8 0 "), "{}", text(&offer));
    assert!(text(&offer).contains("a=setup:actpass"));
    let (answer, bobs) = bob.answer(&offer).unwrap();
    assert!(text(&answer).contains(" UDP/TLS/RTP/SAVP 8 0 "), "{}", text(&answer));
    assert!(text(&answer).contains("a=setup:active") && text(&answer).contains("a=rtcp-mux"));
    let alices = alice.accept(&answer).unwrap();
    let (here, there) = (alices[0].handshake.clone(), bobs[0].handshake.clone());
    assert_eq!(here.map(|it| (it.part, it.theirs)), Some((Part::Passive, vec![certificate(2)])));
    assert_eq!(there.map(|it| (it.part, it.theirs)), Some((Part::Active, vec![certificate(1)])));
    assert!(alices[0].mux && bobs[0].mux);
    // RFC 8842 §5: whoever offers next offers both parts, and each keeps its own.
    let again = bob.offer().unwrap();
    assert!(text(&again).contains("a=setup:actpass") && text(&again).contains("UDP/TLS"));
    let (answer, alices) = alice.answer(&again).unwrap();
    assert!(text(&answer).contains("a=setup:passive"));
    assert_eq!(alices[0].handshake.as_ref().map(|it| it.part), Some(Part::Passive));
    assert_eq!(
        bob.accept(&answer).unwrap()[0].handshake.as_ref().map(|it| it.part),
        Some(Part::Active)
    );
}

/// RFC 5763 §5: no certificate, no choice of a part, no plain sound: no agreement.
#[test]
fn what_is_missing_is_not_made_up_for_by_plain_sound() {
    let accepted = |change: &dyn Fn(String) -> String| {
        let (mut alice, mut bob) = (party(1, Secrecy::Handshake), party(2, Secrecy::Handshake));
        let (answer, _) = bob.answer(&alice.offer().unwrap()).unwrap();
        alice.accept(&read(&change(text(&answer)))).map(drop)
    };
    let refused = Err(Refusal::Keys { section: 0 });
    assert_eq!(accepted(&|answer| answer), Ok(()));
    assert_eq!(accepted(&|answer| answer.replace("RTP/SAVP", "RTP/SAVPF")), Ok(()));
    assert_eq!(accepted(&|answer| answer.replace("a=fingerprint", "a=nothing")), refused);
    assert_eq!(accepted(&|answer| answer.replace("setup:active", "setup:actpass")), refused);
    assert_eq!(accepted(&|answer| answer.replace("setup:active", "setup:holdconn")), refused);
    let plain = accepted(&|answer| answer.replace("UDP/TLS/RTP/SAVP", "RTP/AVP"));
    assert!(matches!(plain, Err(Refusal::Protocol { .. })), "{plain:?}");
    let mut bob = party(2, Secrecy::Handshake);
    let mut plain = party(1, Secrecy::None);
    assert!(bob.answer(&plain.offer().unwrap()).is_err());
}

/// RFC 8122 §5, RFC 9143 §7.3: what stands for the session counts for its sections; and what is bundled stays so.
#[test]
fn a_browsers_offer_is_answered_in_its_own_words() {
    let head = format!(
        "a=group:BUNDLE zero one\r\na=fingerprint:{}\r\na=setup:actpass\r\n",
        certificate(9)
    );
    let offer = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n{head}\
         m=audio 9 UDP/TLS/RTP/SAVPF 8\r\nc=IN IP4 192.0.2.9\r\na=mid:zero\r\na=rtcp-mux\r\n\
         m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 192.0.2.9\r\na=mid:one\r\na=rtpmap:96 VP8/90000\r\n"
    );
    let (answer, agreed) = party(2, Secrecy::Welcome(vec![])).answer(&read(&offer)).unwrap();
    let answer = text(&answer);
    assert!(answer.contains("a=group:BUNDLE zero\r\n"), "{answer}");
    assert!(
        answer.contains("UDP/TLS/RTP/SAVPF 8\r\n") && answer.contains("a=mid:zero"),
        "{answer}"
    );
    assert!(answer.contains("m=video 0 UDP/TLS/RTP/SAVPF"), "{answer}");
    assert_eq!(agreed[0].handshake.as_ref().unwrap().theirs, [certificate(9)]);
}
