//! `SoundCard`: microphone and loudspeaker as mouth and ear of a call.

use std::os::unix::net::UnixStream;

use media::{Audio, FRAME, RATE};
use pulseaudio::protocol::{
    self, ChannelMap, ChannelVolume, PlaybackStreamParams, RecordStreamParams, SampleFormat,
    SampleSpec, stream::BufferAttr, stream::StreamFlags,
};
use pulseaudio::{AsPlaybackSource, Client, ClientError, PlaybackStream, RecordStream};

use super::cleaner::{Cleaner, Cleaning};
use super::error::CardError;
use super::pipe::Pipe;
use super::wait::wait;
use crate::limits;

/// Octets of a frame of 16-bit samples.
const FRAME_OCTETS: u32 = 2 * FRAME as u32;

/// Octets of a cookie of PulseAudio.
const COOKIE: usize = 256;

/// The default microphone and the default loudspeaker of the desktop.
pub struct SoundCard {
    pub(super) microphone: Pipe,
    loudspeaker: Pipe,
    cleaner: Cleaner,
    /// Both end when they are dropped, and the connection with them.
    _streams: (RecordStream, PlaybackStream),
    _client: Client,
}

impl SoundCard {
    /// Opens both, at the sound server of this desktop. What the microphone hears is cleaned as you say; by default all of it is.
    pub fn open(cleaning: Cleaning) -> Result<Self, CardError> {
        let reach = |cause| CardError::new("reach the sound server", cause);
        let path = pulseaudio::socket_path_from_env()
            .ok_or_else(|| reach(ClientError::ServerUnavailable))?;
        let connection = UnixStream::connect(path).map_err(|error| reach(error.into()))?;
        let cookie = pulseaudio::cookie_path_from_env().and_then(|path| std::fs::read(path).ok());
        Self::over(connection, cookie, cleaning)
    }

    /// Opens both, at the sound server behind this connection. Some servers want to see a cookie; others know the user.
    pub fn over(
        connection: UnixStream,
        cookie: Option<Vec<u8>>,
        cleaning: Cleaning,
    ) -> Result<Self, CardError> {
        // A cookie of another length is a broken message to PulseAudio, even when it does not look at it.
        let cookie = cookie.filter(|cookie| cookie.len() == COOKIE).unwrap_or(vec![0; COOKIE]);
        let client = Client::new_unix(c"offhook", connection, Some(cookie))
            .map_err(|cause| CardError::new("talk to the sound server", cause))?;
        Self::of(client, cleaning)
    }

    fn of(client: Client, cleaning: Cleaning) -> Result<Self, CardError> {
        let microphone = Pipe::new(limits::CARD_SAMPLES);
        let loudspeaker = Pipe::new(limits::CARD_SAMPLES);
        let record = wait(record(&client, microphone.clone()))
            .map_err(|cause| CardError::new("open the microphone", cause))?;
        let playback = wait(play(&client, loudspeaker.clone()))
            .map_err(|cause| CardError::new("open the loudspeaker", cause))?;
        let cleaner = Cleaner::new(cleaning);
        Ok(Self { microphone, loudspeaker, cleaner, _streams: (record, playback), _client: client })
    }
}

impl Audio for SoundCard {
    fn speak(&mut self, frame: &mut [i16]) {
        self.microphone.take(frame);
        self.cleaner.clean(frame);
    }

    fn hear(&mut self, frame: &[i16]) {
        self.cleaner.played(frame);
        self.loudspeaker.put(frame.iter().copied());
    }
}

impl std::fmt::Debug for SoundCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SoundCard")
    }
}

async fn record(client: &Client, pipe: Pipe) -> Result<RecordStream, ClientError> {
    let params = RecordStreamParams {
        sample_spec: telephone(),
        channel_map: ChannelMap::mono(),
        source_name: Some(protocol::DEFAULT_SOURCE.to_owned()),
        buffer_attr: BUFFER,
        cvolume: Some(ChannelVolume::norm(1)),
        flags: StreamFlags { adjust_latency: true, ..StreamFlags::default() },
        ..RecordStreamParams::default()
    };
    let heard = move |octets: &[u8]| {
        pipe.put(octets.as_chunks().0.iter().map(|pair| i16::from_le_bytes(*pair)));
    };
    client.create_record_stream(params, heard).await
}

async fn play(client: &Client, pipe: Pipe) -> Result<PlaybackStream, ClientError> {
    let params = PlaybackStreamParams {
        sample_spec: telephone(),
        channel_map: ChannelMap::mono(),
        sink_name: Some(protocol::DEFAULT_SINK.to_owned()),
        buffer_attr: BUFFER,
        cvolume: Some(ChannelVolume::norm(1)),
        flags: StreamFlags { adjust_latency: true, ..StreamFlags::default() },
        ..PlaybackStreamParams::default()
    };
    // Always as much as is asked for: less would be the end of the stream.
    let mut samples = Vec::new();
    let said = move |octets: &mut [u8]| {
        samples.resize(octets.len() / 2, 0);
        pipe.take(&mut samples);
        for (pair, sample) in octets.as_chunks_mut().0.iter_mut().zip(&samples) {
            *pair = sample.to_le_bytes();
        }
        octets.len()
    };
    client.create_playback_stream(params, said.as_playback_source()).await
}

/// 16-bit samples, 16,000 a second, one channel: the server converts to what the card has.
fn telephone() -> SampleSpec {
    SampleSpec { format: SampleFormat::S16Le, channels: 1, sample_rate: RATE }
}

/// All of them, or the server fills in what is left with fragments of 48 octets or buffers of two seconds. The target must
/// be more than twice the request, or the server leaves no time between its wake-ups.
const BUFFER: BufferAttr = BufferAttr {
    max_length: 20 * FRAME_OCTETS,
    target_length: 6 * FRAME_OCTETS,
    pre_buffering: 2 * FRAME_OCTETS,
    minimum_request_length: FRAME_OCTETS,
    fragment_size: 2 * FRAME_OCTETS,
};
