//! The user agent: registers, calls, rings, answers, holds, hangs up; with sound (RFC 3261 §8 to §15).
//!
//! A [`Phone`] is a [`machine::Machine`]: it is told the time, handed what comes in, and fills an outbox. `io/net` drives it with real
//! sockets; the simulator drives it in a world of its own, where an hour takes a millisecond.
//!
//! # A phone in a program
//!
//! An [`Account`] says who you are. Commands are methods, and each takes the time and the outbox: [`Phone::register`],
//! [`Phone::call`], [`Phone::answer`], [`Phone::hold`], [`Phone::press`], [`Phone::hang_up`]. What happens is told as [`PhoneEvent`]s in
//! the outbox; an incoming call waits until you let it [`ring`](Phone::ring), [`answer`](Phone::answer) or
//! [`refuse`](Phone::refuse) it. [`Phone::hang_up`] does what the moment wants: CANCEL, BYE or a refusal. Everything between is the
//! phone's business: passwords, repeats, forks, glare, registrations that are refreshed and taken up again after a failure.
//!
//! Each call has a mouth and an ear of yours, an [`Audio`]: it is asked for 20 ms at a time, and told 20 ms at a time. When the call has
//! ended, [`PhoneEvent::Quality`] and [`PhoneEvent::Ended`] say how it was and why it ended, and [`Phone::take_audio`] gives the
//! [`Audio`] back, with whatever it has recorded.
//!
//! ```
//! use machine::{Dice, Time};
//! use media::Silence;
//! use offhook_phone::{Account, Phone};
//! use protocol::{Listener, Output, Question, Transport};
//!
//! let account = Account::new("sip:101@example.test").unwrap().password("secret").server("192.0.2.10").unwrap();
//! let here = "192.0.2.1:5060".parse().unwrap();
//! let mut phone = Phone::new(account, vec![Listener::new(0, Transport::Udp, here)], Dice::new(1));
//!
//! let mut out = Vec::new();
//! phone.register(Time(0), &mut out);
//! assert!(matches!(&out[..], [Output::Send(flow, _)] if flow.peer.to_string() == "192.0.2.10:5060"));
//!
//! out.clear();
//! let call = phone.call(Time(0), "102", Box::new(Silence), &mut out).unwrap();
//! assert!(matches!(&out[..], [Output::Ask(_, Question::MediaSockets)]), "the INVITE follows the answer");
//! assert_eq!(phone.calls().next(), Some(call));
//! ```
//!
//! A whole call, from REGISTER to what was heard, is `examples/first_call.rs`. Reading on: `phone.rs` has the commands, `machine.rs` what
//! comes in, `call/` the life of a call, `line.rs` how requests go out.

mod abilities;
mod account;
mod call;
mod conference;
mod friends;
mod history;
mod latch;
pub mod limits;
mod line;
mod lingering;
mod machine;
mod moving;
mod outside;
pub mod packages;
mod patience;
mod phone;
mod pictures;
mod quality;
mod reception;
mod refusal;
mod registration;
mod request;
mod sound;
mod transfer;
mod turn;
mod uas;
mod unable;
mod whither;
mod words;

pub use account::{Account, BadAccount, Ice};
pub use connectivity::{Servers, Told, Turn as TurnServer};
pub use history::{Direction, Past};
pub use media::{Audio, Signals};
pub use phone::Phone;
pub use protocol::auth::{BadToken, Credentials, Token};
pub use protocol::doors::{Call, CallQuality, Grade, Inquiry, PhoneEvent, Watch};
pub use reception::Reception;
pub use sound::{EarlyMedia, Srtp, Video, VideoCodec, VideoFormat};
pub use transfer::{Entry, NamedCall, Referrals};
pub use unable::Unable;
