//! RFC 3264: offer and answer.

mod pictures;
mod section_4;
mod section_5;
mod section_6;
mod section_7;
mod section_8;
mod section_9;
mod sound;

use sdp::{Codec, Description, Origin, Session, Stream, StreamId};

/// A phone that speaks µ-law and A-law, and its stream.
fn phone(last: u8) -> (Session, StreamId) {
    let address = [192, 0, 2, last];
    let mut session = Session::new(Origin::new(last.into(), address.into()));
    let codecs = [Codec::pcmu(), Codec::pcma()];
    let stream = session.add(Stream::audio((address, 4000).into(), codecs));
    (session, stream)
}

/// Two phones with a call between them.
fn call() -> (Session, Session) {
    let ((mut alice, _), (mut bob, _)) = (phone(1), phone(2));
    round(&mut alice, &mut bob);
    (alice, bob)
}

/// One offer and its answer.
fn round(from: &mut Session, to: &mut Session) -> (Description, Description) {
    let offer = from.offer().unwrap();
    let (answer, _) = to.answer(&offer).unwrap();
    from.accept(&answer).unwrap();
    (offer, answer)
}

/// A description of a stranger, with these sections.
fn theirs(sections: &str) -> Description {
    let head = "v=0\r\no=bob 7 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n";
    Description::parse(format!("{head}{sections}").as_bytes()).unwrap()
}

fn text(description: &Description) -> String {
    String::from_utf8(description.write()).unwrap()
}

/// The lines of one kind.
fn lines(description: &Description, begin: &str) -> Vec<String> {
    text(description).lines().filter(|line| line.starts_with(begin)).map(str::to_string).collect()
}
