//! What the phone says and where what it hears is kept: `--play`, `--record`.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use device::{OpusRecording, RawInput, RawOutput, Recording};
use media::audio::AtTheEnd;
use media::{Audio, Pair, Samples, Silence, Tone};

use crate::config::PhoneCard;

/// What the phone says, and where what it hears goes.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct SoundArguments {
    /// What to say: tone:440, silence, a WAV or Opus file, or - for raw samples on stdin; when nothing is said, silence, or what the microphone hears
    #[arg(long, global = true, value_name = "SOUND")]
    play: Option<Mouth>,
    /// Say the file again and again
    #[arg(long, global = true)]
    again: bool,
    /// Keep what is heard in this WAV file, or Opus file when its name ends in .opus; of a second call in FILE-2, and so on. - writes raw samples to stdout, and
    /// news to stderr
    #[arg(long, global = true, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Files that have been begun.
    #[arg(skip)]
    begun: Arc<AtomicU32>,
    /// Samples a second of - : 8000, 16000, 32000 or 48000 (16 bits, little-endian, mono)
    #[arg(long, global = true, value_name = "HZ", default_value_t = media::RATE)]
    rate: u32,
    /// Hear and speak by the sound card
    #[arg(long, global = true)]
    card: bool,
    /// With the card: what is not taken out of what the microphone hears. A headset has no echo
    #[arg(long, global = true, value_name = "WHAT", value_delimiter = ',')]
    keep: Vec<Kept>,
}

/// What stays in what the microphone hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Kept {
    /// What the loudspeaker plays
    Echo,
    /// Fans, hum, wind
    Noise,
    /// Neither, whatever the phone's file says
    Nothing,
}

/// What to say.
#[derive(Clone, Debug, PartialEq)]
enum Mouth {
    Silence,
    /// Hertz.
    Tone(f64),
    File(PathBuf),
    /// Raw samples on stdin.
    Piped,
}

impl std::str::FromStr for Mouth {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == PIPE {
            return Ok(Self::Piped);
        }
        let Some(hz) = text.strip_prefix("tone:") else {
            return Ok(if text == "silence" { Self::Silence } else { Self::File(text.into()) });
        };
        match hz.parse::<f64>() {
            Ok(hz) if (20.0..4000.0).contains(&hz) => Ok(Self::Tone(hz)),
            _ => Err(format!("{hz:?} is no tone of a telephone: 20 to 4000 hertz, as in tone:440")),
        }
    }
}

impl SoundArguments {
    /// With what the phone's file says, where the command line says nothing.
    pub(super) fn settle(self, file: PhoneCard) -> Self {
        let said = |wanted: Option<bool>, kept| (wanted == Some(false)).then_some(kept);
        let [echo, noise] =
            [said(file.echo_cancellation, Kept::Echo), said(file.noise_suppression, Kept::Noise)];
        let keep = match self.keep.is_empty() {
            true => echo.into_iter().chain(noise).collect(),
            false => self.keep,
        };
        Self { card: self.card || file.used == Some(true), keep, ..self }
    }

    /// True when a person hears and speaks.
    pub(super) const fn is_by_card(&self) -> bool {
        self.card
    }

    /// Can the file be played? Better said before the call than in it.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.takes_stdout() {
            self.piped_out().map(drop)?;
        }
        if self.card {
            self.by_card(Box::new(Silence)).map(drop)?;
        }
        match &self.play {
            Some(Mouth::Piped) => self.piped_in(std::io::empty()).map(drop),
            _ => self.mouth().map(drop),
        }
    }

    /// True when stdout is for sound.
    pub(super) fn takes_stdout(&self) -> bool {
        self.record.as_deref() == Some(Path::new(PIPE))
    }

    /// Mouth and ear for a call.
    pub(super) fn audio(&self) -> Result<Box<dyn Audio>, String> {
        if self.card {
            return self.by_card(self.ear()?);
        }
        Ok(Box::new(Pair { mouth: self.mouth()?, ear: self.ear()? }))
    }

    /// By the sound card; what is heard is kept there too.
    #[cfg(feature = "soundcard")]
    fn by_card(&self, ear: Box<dyn Audio>) -> Result<Box<dyn Audio>, String> {
        let kept = |what| self.keep.contains(&what);
        let cleaning = device::Cleaning {
            echo: if kept(Kept::Echo) { device::Echo::Kept } else { device::Echo::Cancelled },
            noise: if kept(Kept::Noise) { device::Noise::Kept } else { device::Noise::Suppressed },
        };
        let card = device::SoundCard::open(cleaning);
        let card = card.map_err(|error| error.to_string())?;
        let mouth = self.play.is_some().then(|| self.mouth()).transpose()?;
        Ok(Box::new(super::card::AtTheCard { card, mouth, ear }))
    }

    #[cfg(not(feature = "soundcard"))]
    fn by_card(&self, _ear: Box<dyn Audio>) -> Result<Box<dyn Audio>, String> {
        Err("this program was built without sound cards: cargo build --release --features soundcard".into())
    }

    fn ear(&self) -> Result<Box<dyn Audio>, String> {
        Ok(match &self.record {
            None => Box::new(Silence),
            Some(_) if self.takes_stdout() => Box::new(self.piped_out()?),
            Some(file) => {
                let file = numbered(file, self.begun.fetch_add(1, Ordering::Relaxed));
                let words = |error: &dyn std::error::Error| error.to_string();
                if file.extension().is_some_and(|name| name == "opus") {
                    Box::new(OpusRecording::create(file).map_err(|error| words(&error))?)
                } else {
                    Box::new(Recording::create(file).map_err(|error| words(&error))?)
                }
            }
        })
    }

    fn mouth(&self) -> Result<Box<dyn Audio>, String> {
        Ok(match &self.play {
            None | Some(Mouth::Silence) => Box::new(Silence),
            Some(Mouth::Tone(hz)) => Box::new(Tone::sine(*hz)),
            Some(Mouth::Piped) => Box::new(self.piped_in(std::io::stdin())?),
            Some(Mouth::File(path)) => {
                let then = if self.again { AtTheEnd::Again } else { AtTheEnd::Stop };
                Box::new(Samples::new(read(path)?, then))
            }
        })
    }

    fn piped_in(&self, from: impl std::io::Read + Send + 'static) -> Result<RawInput, String> {
        RawInput::new(from, self.rate).map_err(|_| self.no_rate())
    }

    fn piped_out(&self) -> Result<RawOutput, String> {
        RawOutput::new(std::io::stdout(), self.rate).map_err(|_| self.no_rate())
    }

    fn no_rate(&self) -> String {
        format!("--rate {}: samples come at 8000, 16000, 32000 or 48000 a second", self.rate)
    }
}

/// The file of a call: no call writes over another one's.
fn numbered(file: &Path, before: u32) -> PathBuf {
    if before == 0 {
        return file.to_owned();
    }
    let mut name = file.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{}", before.saturating_add(1)));
    if let Some(extension) = file.extension() {
        name.push(".");
        name.push(extension);
    }
    file.with_file_name(name)
}

/// What is in a file: Opus or WAV, as its first octets say.
fn read(path: &Path) -> Result<Vec<i16>, String> {
    let mut begins = [0; 4];
    let opened = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut begins));
    match opened {
        Ok(()) if &begins == b"OggS" => device::read_opus(path).map_err(|error| error.to_string()),
        // What is wrong with it, a WAV's reader says.
        _ => device::read(path).map_err(|error| error.to_string()),
    }
}

/// How stdin and stdout are called.
const PIPE: &str = "-";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_call_has_a_file_of_its_own() {
        let names = |file: &str| [0, 1, 9].map(|before| numbered(Path::new(file), before));
        assert_eq!(names("a/b.wav"), ["a/b.wav", "a/b-2.wav", "a/b-10.wav"].map(PathBuf::from));
        assert_eq!(names("b"), ["b", "b-2", "b-10"].map(PathBuf::from));
    }

    #[test]
    fn the_command_line_counts_more_than_the_file() {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            sound: SoundArguments,
        }
        let file = PhoneCard { echo_cancellation: Some(false), ..PhoneCard::default() };
        for (line, file, card, keep) in [
            ("phone", PhoneCard::default(), false, &[][..]),
            ("phone --card", file, true, &[Kept::Echo]),
            ("phone --card --keep noise", file, true, &[Kept::Noise]),
            ("phone --card --keep nothing", file, true, &[Kept::Nothing]),
            ("phone", PhoneCard { used: Some(true), ..file }, true, &[Kept::Echo]),
        ] {
            let Line { sound } = clap::Parser::parse_from(line.split(' '));
            let settled = sound.settle(file);
            assert_eq!((settled.is_by_card(), &settled.keep[..]), (card, keep), "{line}");
        }
    }

    #[test]
    fn sounds_are_named() {
        assert_eq!("tone:440".parse(), Ok(Mouth::Tone(440.0)));
        assert_eq!("silence".parse(), Ok(Mouth::Silence));
        assert_eq!("a.wav".parse(), Ok(Mouth::File("a.wav".into())));
        assert_eq!("-".parse(), Ok(Mouth::Piped));
        for wrong in ["tone:x", "tone:5", "tone:NaN", "tone:"] {
            assert!(wrong.parse::<Mouth>().is_err(), "{wrong}");
        }
    }
}
