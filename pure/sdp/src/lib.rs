//! SDP: session descriptions (RFC 8866), and how two sides agree on one by offer and answer (RFC 3264).
//!
//! [`Description`] is what is written; [`Session`] is a conversation about it. A phone makes one [`Session`] for a call, hands it
//! the other side's descriptions, and gets back its own and what was agreed:
//!
//! ```
//! use offhook_sdp::{Codec, Description, Origin, Session, Stream};
//!
//! let stream = |port| Stream::audio(([192, 0, 2, port as u8], port).into(), [Codec::pcma(), Codec::pcmu()]);
//! let mut alice = Session::new(Origin::new(1, [192, 0, 2, 1].into()));
//! alice.add(stream(4000));
//! let mut bob = Session::new(Origin::new(2, [192, 0, 2, 2].into()));
//! bob.add(stream(5000));
//!
//! let offer = alice.offer().unwrap().write();
//! let (answer, bobs) = bob.answer(&Description::parse(&offer).unwrap()).unwrap();
//! let alices = alice.accept(&answer).unwrap();
//! assert_eq!(&*alices[0].codec.name, "PCMA");
//! assert_eq!(alices[0].remote.rtp, 5000);
//! assert_eq!(bobs[0].remote.rtp, 4000);
//! ```

mod address;
mod attribute;
mod bandwidth;
mod connection;
mod crypto;
mod description;
mod direction;
mod error;
mod handshake;
mod ice;
pub mod limits;
mod line;
mod media;
mod offer;
mod origin;
mod read;
mod rtpmap;
#[cfg(test)]
mod tests;
mod text;
mod timing;
mod write;

pub use address::{Address, Host};
pub use attribute::Attribute;
pub use bandwidth::Bandwidth;
pub use connection::Connection;
pub use crypto::{Crypto, Secret};
pub use description::Description;
pub use direction::Direction;
pub use error::ParseError;
pub use handshake::{Fingerprint, Handshake, Part, Setup};
pub use ice::{Fragment, Ice, Trickle};
pub use line::Line;
pub use media::Media;
pub use offer::{
    Agreed, Codec, Events, Format, Hold, Noise, Parameters, Refusal, Remote, Secrecy, Secrets,
    Session, Stream, StreamId,
};
pub use origin::Origin;
pub use rtpmap::RtpMap;
pub use text::Text;
pub use timing::Timing;
