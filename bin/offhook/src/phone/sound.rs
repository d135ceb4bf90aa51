//! What the phone says and where what it hears is kept: `--play`, `--record`.

use std::path::PathBuf;

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
    /// Keep what is heard in this WAV file
    #[arg(long, global = true, value_name = "FILE")]
    record: Option<PathBuf>,
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
            Some(file) => Box::new(Recording::create(file).map_err(|error| error.to_string())?),
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

#[cfg(test)]
mod tests {
    use super::*;

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
