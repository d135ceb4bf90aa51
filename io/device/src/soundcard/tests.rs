//! A sound server of our own whose loudspeaker leads to its microphone.

use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use media::{Audio, FRAME, FRAME_TIME, Tone, detect};

use super::*;

/// PulseAudio with a null sink; ends with the test.
struct Server {
    child: Child,
    folder: PathBuf,
}

impl Server {
    /// `None`, and a word about it, when PulseAudio is not installed.
    fn start() -> Option<Self> {
        let folder = std::env::temp_dir().join(format!("offhook-sound-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let socket = folder.join("native");
        let modules = [
            "module-null-sink sink_name=loop rate=48000".to_owned(),
            format!("module-native-protocol-unix auth-anonymous=1 socket={}", socket.display()),
        ];
        let started = Command::new("pulseaudio")
            .args(["-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1"])
            .args(["--log-target=stderr", "--log-level=info"])
            .args(modules.iter().flat_map(|module| ["-L", module]))
            .env("HOME", &folder)
            .env("XDG_RUNTIME_DIR", &folder)
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut child) = started else {
            assert!(std::env::var_os("OFFHOOK_REQUIRE_PEERS").is_none(), "no pulseaudio");
            println!("skipped: pulseaudio is not installed; on Debian: apt-get install pulseaudio");
            return None;
        };
        // It says when it is ready. Whatever it says later is read too, lest it wait for us.
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let ready = said.any(|line| line.contains("startup complete"));
        std::thread::spawn(move || said.for_each(drop));
        let server = Self { child, folder };
        assert!(ready, "pulseaudio did not start");
        Some(server)
    }

    fn connect(&self) -> UnixStream {
        UnixStream::connect(self.folder.join("native")).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// All that the loudspeaker plays is echo here.
const KEPT: Cleaning = Cleaning { echo: Echo::Kept, noise: Noise::Kept };

#[test]
fn what_the_loudspeaker_plays_the_microphone_hears() {
    let Some(server) = Server::start() else { return };
    let mut card = SoundCard::over(server.connect(), None, KEPT).unwrap();
    let mut tone = Tone::sine(440.0);
    let mut heard = Vec::new();
    // At the pace of the microphone, until a second of the tone came back. A busy machine may need more than that.
    for _ in 0..1_000 {
        let mut frame = [0; FRAME];
        tone.speak(&mut frame);
        card.hear(&frame);
        assert!(card.microphone.wait_for(FRAME, Duration::from_secs(5)), "no sound comes");
        card.speak(&mut frame);
        heard.extend(frame);
        if detect::tone(&heard, 440.0).lasted >= 50 * FRAME_TIME {
            break;
        }
    }
    let found = detect::tone(&heard, 440.0);
    assert!(found.lasted >= 50 * FRAME_TIME, "{found:?}");
    assert!((found.level + 10.0).abs() < 1.0, "{found:?}");
}

#[test]
fn without_a_sound_server_the_error_says_what_to_do() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    drop(theirs);
    let error = SoundCard::over(ours, None, KEPT).unwrap_err().to_string();
    assert!(error.starts_with("sound card: cannot talk to the sound server: "), "{error}");
    assert!(error.contains("pactl info"), "{error}");
}
