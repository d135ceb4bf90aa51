//! RFC 8866: session descriptions.

mod section_5;
mod section_6;
mod section_6_sound;

use sdp::{Description, ParseError};

const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";

fn read(more: &str) -> Result<Description, ParseError> {
    Description::parse(format!("{HEAD}{more}").as_bytes())
}

fn text(description: &Description) -> String {
    String::from_utf8(description.write()).unwrap()
}
