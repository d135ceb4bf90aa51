//! `Screen`: the terminal while it is the phone's, and as it was before when that ends: at the end, after a signal, when the program breaks.

use std::io::{self, Stdout, Write as _};
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

/// Whether the terminal is the phone's.
static OURS: AtomicBool = AtomicBool::new(false);

/// The terminal, for as long as this value lives.
pub(super) struct Screen {
    pub(super) terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    pub(super) fn open() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        // A program that breaks says why on the screen that its owner sees afterwards.
        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |what| {
                restore();
                before(what);
            }));
        });
        enable_raw_mode()?;
        OURS.store(true, Ordering::SeqCst);
        let entered = execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste);
        let terminal = entered.and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())));
        // Dropped, it restores.
        terminal.map(|terminal| Self { terminal }).inspect_err(|_| restore())
    }

    /// Lets the terminal ring.
    pub(super) fn ring(&mut self) -> io::Result<()> {
        let mut out = io::stdout();
        out.write_all(b"\x07")?;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back, once: what was said since would be written over. What cannot be restored has gone: the terminal was closed.
fn restore() {
    if !OURS.swap(false, Ordering::SeqCst) {
        return;
    }
    let _ = execute!(io::stdout(), DisableBracketedPaste, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::fd::AsFd as _;

    use super::*;

    /// The test runs itself once more in a terminal of its own, and breaks there.
    #[test]
    fn a_program_that_breaks_gives_the_terminal_back_and_says_why() {
        const HERE: &str = "OFFHOOK_TEST_BREAKS_HERE";
        if std::env::var_os(HERE).is_some() {
            let _screen = Screen::open().unwrap();
            panic!("out of ink");
        }
        let (pty, inside) = pty_process::blocking::open().unwrap();
        let name = "a_program_that_breaks_gives_the_terminal_back_and_says_why";
        let again = pty_process::blocking::Command::new(std::env::current_exe().unwrap())
            .args([name, "--nocapture"])
            .env(HERE, "1");
        let mut child = again.spawn(inside).unwrap();
        let mut reader = std::fs::File::from(pty.as_fd().try_clone_to_owned().unwrap());
        let mut shown = vt100::Parser::new(40, 100, 0);
        let (mut buffer, mut drawn) = ([0; 1024], false);
        // At its end a terminal says that it is broken.
        while let Ok(length @ 1..) = reader.read(&mut buffer) {
            for octet in &buffer[..length] {
                shown.process(&[*octet]);
                drawn |= shown.screen().alternate_screen();
            }
        }
        assert!(!child.wait().unwrap().success());
        let screen = shown.screen();
        assert!(drawn && !screen.alternate_screen() && !screen.bracketed_paste());
        assert!(screen.contents().contains("out of ink"), "{}", screen.contents());
        let terminal = std::fs::File::from(pty.as_fd().try_clone_to_owned().unwrap());
        let settings = std::process::Command::new("stty").arg("-a").stdin(terminal).output();
        let settings = String::from_utf8(settings.unwrap().stdout).unwrap();
        assert!(settings.split_whitespace().any(|word| word == "icanon"), "{settings}");
    }
}
