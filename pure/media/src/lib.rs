//! The sound of a call: G.711, G.722, Opus, jitter buffer, concealment, tones, keys, RTCP and quality.
//!
//! Start at [`Stream`]: one call's audio as one value. The phone hands it what comes in on the media sockets, wakes it at its
//! [`deadline`](Stream::deadline), and sends what it puts into the outbox. Mouth and ear are an [`Audio`].

pub mod audio;
mod bursts;
mod clock;
mod codec;
mod comfort;
mod conceal;
mod control;
pub mod detect;
mod dtmf;
pub mod g711;
mod jitter;
mod keys;
mod ledger;
pub mod level;
pub mod limits;
mod mix;
mod quality;
mod resample;
mod signals;
mod source;
mod stream;
mod tone;

pub use audio::{AtTheEnd, Audio, Callbacks, Pair, Recorder, Samples, Silence};
pub use clock::{FRAME, FRAME_TIME, RATE};
pub use codec::{Codec, Opus};
pub use control::Minimum;
pub use keys::{KeySet, NotPressed};
pub use mix::{Mixer, Seat};
pub use quality::Quality;
pub use resample::{Continuous, NoSuchRate, Resampler};
pub use signals::{Signal, Signals};
pub use stream::{Agreement, Direction, Extended, Output, Received, Report, Sent, Stream};
pub use tone::Tone;
