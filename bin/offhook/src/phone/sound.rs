//! What the phone says and where what it hears is kept: `--play`, `--record`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use device::Recording;
use media::audio::AtTheEnd;
use media::{Audio, Pair, Samples, Silence, Tone};

/// What the phone says, and where what it hears goes.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct SoundArguments {
    /// What to say: tone:440, silence, or a WAV file
    #[arg(long, global = true, value_name = "SOUND", default_value = "silence")]
    play: Mouth,
    /// Say the WAV file again and again
    #[arg(long, global = true)]
    again: bool,
    /// Keep what is heard in this WAV file; of a second call in FILE-2.wav, and so on
    #[arg(long, global = true, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Files that have been begun.
    #[arg(skip)]
    begun: Arc<AtomicU32>,
}

/// What to say.
#[derive(Clone, Debug, PartialEq)]
enum Mouth {
    Silence,
    /// Hertz.
    Tone(f64),
    File(PathBuf),
}

impl std::str::FromStr for Mouth {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
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
    /// Can the file be played? Better said before the call than in it.
    pub(super) fn check(&self) -> Result<(), String> {
        self.mouth().map(drop)
    }

    /// Mouth and ear for a call.
    pub(super) fn audio(&self) -> Result<Box<dyn Audio>, String> {
        let mouth = self.mouth()?;
        let ear: Box<dyn Audio> = match &self.record {
            Some(file) => {
                let file = numbered(file, self.begun.fetch_add(1, Ordering::Relaxed));
                Box::new(Recording::create(file).map_err(|error| error.to_string())?)
            }
            None => Box::new(Silence),
        };
        Ok(Box::new(Pair { mouth, ear }))
    }

    fn mouth(&self) -> Result<Box<dyn Audio>, String> {
        Ok(match &self.play {
            Mouth::Silence => Box::new(Silence),
            Mouth::Tone(hz) => Box::new(Tone::sine(*hz)),
            Mouth::File(path) => {
                let samples = device::read(path).map_err(|error| error.to_string())?;
                let then = if self.again { AtTheEnd::Again } else { AtTheEnd::Stop };
                Box::new(Samples::new(samples, then))
            }
        })
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
    fn sounds_are_named() {
        assert_eq!("tone:440".parse(), Ok(Mouth::Tone(440.0)));
        assert_eq!("silence".parse(), Ok(Mouth::Silence));
        assert_eq!("a.wav".parse(), Ok(Mouth::File("a.wav".into())));
        for wrong in ["tone:x", "tone:5", "tone:NaN", "tone:"] {
            assert!(wrong.parse::<Mouth>().is_err(), "{wrong}");
        }
    }
}
