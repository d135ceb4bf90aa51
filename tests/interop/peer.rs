//! `Peer`: a program that runs as long as a test needs it, and what it says.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// A running program. It ends with this value, also when the test fails; then what it said is shown.
pub(crate) struct Peer {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    said: Vec<String>,
    /// So many of the lines have been waited for.
    heard: usize,
}

/// Why what was waited for did not come.
#[derive(Debug)]
pub(crate) enum Silent {
    /// The time is over.
    Late,
    /// The program has ended.
    Ended,
}

impl Peer {
    pub(crate) fn start(name: &str, command: &mut Command) -> Self {
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            pipes.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let (sender, lines) = channel();
        read(child.stdout.take().unwrap(), sender.clone());
        read(child.stderr.take().unwrap(), sender);
        let input = child.stdin.take();
        Self { name: name.to_string(), child, input, lines, said: Vec::new(), heard: 0 }
    }

    /// Types a line.
    pub(crate) fn type_line(&mut self, line: &str) {
        let input = self.input.as_mut().expect("its input is open");
        writeln!(input, "{line}")
            .unwrap_or_else(|error| panic!("{} does not listen: {error}", self.name));
    }

    /// Nothing more will be typed.
    pub(crate) fn close_input(&mut self) {
        self.input = None;
    }

    /// The next line that has this in it.
    pub(crate) fn wait_for(&mut self, text: &str, within: Duration) -> String {
        self.seek(text, within).unwrap_or_else(|why| panic!("{}: no {text:?}: {why:?}", self.name))
    }

    /// The same, for who can go on without it.
    pub(crate) fn seek(&mut self, text: &str, within: Duration) -> Result<String, Silent> {
        let deadline = Instant::now() + within;
        loop {
            while let Some(line) = self.said.get(self.heard) {
                self.heard += 1;
                if line.contains(text) {
                    return Ok(line.clone());
                }
            }
            self.listen(deadline)?;
        }
    }

    /// Waits until something is so, whatever the program says meanwhile.
    pub(crate) fn wait_until(&mut self, what: &str, within: Duration, is_so: impl FnMut() -> bool) {
        self.seek_until(within, is_so)
            .unwrap_or_else(|why| panic!("{}: not {what}: {why:?}", self.name));
    }

    /// The same, for who can go on without it.
    pub(crate) fn seek_until(
        &mut self,
        within: Duration,
        mut is_so: impl FnMut() -> bool,
    ) -> Result<(), Silent> {
        let deadline = Instant::now() + within;
        while !is_so() {
            let moment = Instant::now() + Duration::from_millis(50);
            if let Err(Silent::Ended) = self.listen(moment) {
                return Err(Silent::Ended);
            }
            if Instant::now() > deadline {
                return Err(Silent::Late);
            }
        }
        Ok(())
    }

    /// Waits for its end.
    pub(crate) fn end(&mut self, within: Duration) -> ExitStatus {
        let deadline = Instant::now() + within;
        loop {
            match self.listen(deadline) {
                Ok(()) => {}
                Err(Silent::Ended) => return self.child.wait().unwrap(),
                Err(Silent::Late) => panic!("{} does not end", self.name),
            }
        }
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end (SIGTERM).
    pub(crate) fn terminate(&self) {
        let id = self.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    /// All that it has said so far.
    pub(crate) fn said(&self) -> String {
        self.said.join("\n")
    }

    /// Takes one more line.
    fn listen(&mut self, deadline: Instant) -> Result<(), Silent> {
        let left = deadline.saturating_duration_since(Instant::now());
        match self.lines.recv_timeout(left) {
            Ok(line) => self.said.push(line),
            Err(RecvTimeoutError::Timeout) => return Err(Silent::Late),
            Err(RecvTimeoutError::Disconnected) => return Err(Silent::Ended),
        }
        Ok(())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            self.said.extend(self.lines.try_iter());
            let from = self.said.len().saturating_sub(200);
            eprintln!("-------- {} said:\n{}\n--------", self.name, self.said[from..].join("\n"));
        }
    }
}

/// Lines to the channel until the pipe closes; what follows the last newline is a line too.
fn read(pipe: impl Read + Send + 'static, lines: Sender<String>) {
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while pipe.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_string();
            line.clear();
            if lines.send(text).is_err() {
                break;
            }
        }
    });
}
