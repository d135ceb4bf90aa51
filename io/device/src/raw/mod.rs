//! Raw samples through a pipe: 16 bits, little-endian, one channel, at a rate that both ends know: another program is the mouth or the ear of a call.
//!
//! A call waits for nobody: a thread reads ahead, a thread writes behind.

mod input;
mod output;

pub use input::RawInput;
pub use output::RawOutput;

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::time::{Duration, Instant};

    use media::{Audio, FRAME, RATE, Tone, detect};

    use super::*;

    fn octets(samples: &[i16]) -> Vec<u8> {
        samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
    }

    /// Says everything, once it is there.
    fn said(mut input: RawInput, seconds: u64) -> Vec<i16> {
        let (mut samples, mut frame) = (Vec::new(), [0; FRAME]);
        let until = Instant::now() + Duration::from_secs(20);
        while samples.len() < seconds as usize * RATE as usize && Instant::now() < until {
            input.wait();
            input.speak(&mut frame);
            samples.extend(frame);
        }
        samples
    }

    #[test]
    fn what_is_piped_in_is_said_whatever_its_rate() {
        let tone = Tone::sine(440.0).take(Duration::from_secs(4));
        for (rate, piped) in [
            (RATE, tone.clone()),
            (8_000, tone.iter().step_by(2).copied().collect()),
            (48_000, tone.iter().flat_map(|sample| [*sample; 3]).collect()),
        ] {
            let input = RawInput::new(Cursor::new(octets(&piped)), rate).unwrap();
            let found = detect::tone(&said(input, 4), 440.0);
            assert!(found.lasted >= Duration::from_millis(3_900), "{rate} {found:?}");
            assert!((found.level + 10.0).abs() < 0.5, "{rate} {found:?}");
        }
        assert!(RawInput::new(Cursor::new(Vec::new()), 44_100).is_err());
        assert!(RawOutput::new(Vec::new(), 0).is_err());
    }

    #[test]
    fn after_the_end_there_is_silence() {
        let mut input = RawInput::new(Cursor::new(octets(&[500; FRAME])), RATE).unwrap();
        let mut frame = [0; FRAME];
        input.wait();
        input.speak(&mut frame);
        assert_eq!(frame, [500; FRAME]);
        input.speak(&mut frame);
        assert_eq!(frame, [0; FRAME]);
    }

    /// Keeps what is written, and tells when it is dropped.
    struct Sheet(std::sync::mpsc::Sender<Vec<u8>>, Vec<u8>);

    impl std::io::Write for Sheet {
        fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
            self.1.extend(octets);
            Ok(octets.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Drop for Sheet {
        fn drop(&mut self) {
            let _ = self.0.send(std::mem::take(&mut self.1));
        }
    }

    #[test]
    fn what_is_heard_is_piped_out_to_its_end() {
        for rate in [8_000, 16_000, 48_000] {
            let (to, written) = std::sync::mpsc::channel();
            let mut output = RawOutput::new(Sheet(to, Vec::new()), rate).unwrap();
            let heard = Tone::sine(440.0).take(Duration::from_millis(800));
            heard.chunks(FRAME).for_each(|frame| output.hear(frame));
            drop(output);
            let octets = written.recv_timeout(Duration::from_secs(20)).unwrap();
            assert_eq!(octets.len(), rate as usize * 8 / 10 * 2, "{rate}");
        }
    }
}
