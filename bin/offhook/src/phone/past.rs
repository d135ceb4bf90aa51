//! `PastCalls`: the calls that a person made and got, kept over restarts in a file of lines, and whom to call again.

use std::collections::VecDeque;
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use phone::Direction;
use serde_json::{Value, json};

use crate::limits;

/// A call that there was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PastCall {
    /// When it began.
    pub(super) at: Timestamp,
    /// Whose phone it was.
    pub(super) account: String,
    pub(super) direction: Direction,
    /// The other side.
    pub(super) with: String,
    /// 200 when it was up, else why it was not.
    pub(super) status: u16,
    /// How long it was up.
    pub(super) talked: Option<Duration>,
}

impl PastCall {
    /// Somebody has called, and nobody answered.
    pub(super) fn is_missed(&self) -> bool {
        self.direction == Direction::In && self.talked.is_none()
    }

    /// What has become of it, in a word or a number: `1 min 5 s`, `missed`, `486`.
    pub(super) fn outcome(&self) -> String {
        match self.talked.map(|talked| talked.as_secs()) {
            Some(seconds @ 0..60) => format!("{seconds} s"),
            Some(seconds) => format!("{} min {} s", seconds / 60, seconds % 60),
            None if self.is_missed() => "missed".into(),
            None => self.status.to_string(),
        }
    }

    fn write(&self) -> String {
        let direction = match self.direction {
            Direction::In => "in",
            Direction::Out => "out",
        };
        let talked = self.talked.map(|talked| talked.as_secs());
        json!({
            "at": self.at.to_string(), "account": self.account, "direction": direction, "with": self.with, "status": self.status,
            "seconds": talked,
        })
        .to_string()
    }

    fn read(line: &str) -> Option<Self> {
        let line: Value = serde_json::from_str(line).ok()?;
        let text = |name: &str| line.get(name).and_then(Value::as_str);
        Some(Self {
            at: text("at")?.parse().ok()?,
            account: text("account")?.to_owned(),
            direction: match text("direction")? {
                "in" => Direction::In,
                "out" => Direction::Out,
                _ => return None,
            },
            with: text("with")?.to_owned(),
            status: u16::try_from(line.get("status")?.as_u64()?).ok()?,
            talked: line.get("seconds")?.as_u64().map(Duration::from_secs),
        })
    }
}

/// The last calls, the oldest first.
#[derive(Debug, Default)]
pub(super) struct PastCalls {
    file: Option<PathBuf>,
    calls: VecDeque<PastCall>,
    /// Lines of the file, ours and those that were there.
    lines: usize,
}

impl PastCalls {
    /// What the file has; a file that is not there has nothing. A line that nobody can read is left out.
    pub(super) fn open(file: Option<PathBuf>) -> io::Result<Self> {
        let Some(path) = &file else { return Ok(Self::default()) };
        let (text, is_whole) = newest(path)?;
        let calls: VecDeque<_> = text.lines().filter_map(PastCall::read).collect();
        let much = calls.len().saturating_sub(limits::PAST_CALLS);
        let calls = calls.into_iter().skip(much).collect();
        let mut past = Self { file, calls, lines: text.lines().count() };
        if !is_whole || past.lines > 2 * limits::PAST_CALLS {
            past.rewrite()?;
        }
        Ok(past)
    }

    /// The file of whoever runs the program: where the state of programs is (XDG). Nothing, when they have no home.
    pub(super) fn file() -> Option<PathBuf> {
        let path = |name: &str| std::env::var_os(name).map(PathBuf::from);
        // The XDG specification: a path that is not absolute is to be ignored.
        let state = path("XDG_STATE_HOME").filter(|path| path.is_absolute());
        let state = state.or_else(|| Some(path("HOME")?.join(".local/state")))?;
        Some(state.join("offhook/calls.jsonl"))
    }

    pub(super) fn calls(&self) -> &VecDeque<PastCall> {
        &self.calls
    }

    /// One more call. When it cannot be written it is known all the same, for as long as the program runs.
    pub(super) fn add(&mut self, call: PastCall) -> io::Result<()> {
        let line = call.write();
        if self.calls.len() >= limits::PAST_CALLS {
            self.calls.pop_front();
        }
        self.calls.push_back(call);
        let Some(file) = &self.file else { return Ok(()) };
        // In one piece: another phone may write at the same time.
        open(file)?.write_all(format!("{line}\n").as_bytes())?;
        self.lines = self.lines.saturating_add(1);
        if self.lines > 2 * limits::PAST_CALLS { self.rewrite() } else { Ok(()) }
    }

    /// Whom we called last, and with whose phone.
    pub(super) fn last_called(&self) -> Option<&PastCall> {
        let ours = self.calls.iter().filter(|call| call.direction == Direction::Out);
        ours.max_by_key(|call| call.at)
    }

    /// The file anew, with what is kept.
    fn rewrite(&mut self) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let anew = file.with_extension(format!("{}.new", std::process::id()));
        let text: String = self.calls.iter().map(|call| call.write() + "\n").collect();
        open(&anew)?.write_all(text.as_bytes())?;
        fs::rename(anew, file)?;
        self.lines = self.calls.len();
        Ok(())
    }
}

/// The newest part of a file, and whether that is all of it; nothing of one that is not there.
fn newest(path: &Path) -> io::Result<(String, bool)> {
    let mut file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((String::new(), true)),
        Err(error) => return Err(error),
    };
    let skipped = file.metadata()?.len().saturating_sub(limits::PAST_OCTETS);
    file.seek(SeekFrom::Start(skipped))?;
    let mut octets = Vec::new();
    file.take(limits::PAST_OCTETS).read_to_end(&mut octets)?;
    Ok((String::from_utf8_lossy(&octets).into_owned(), skipped == 0))
}

/// A file for its owner alone, as its folder: whom somebody calls is nobody's business.
fn open(file: &Path) -> io::Result<fs::File> {
    if let Some(folder) = file.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn file(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("offhook-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder.join("state/calls.jsonl")
    }

    fn call(number: usize, direction: Direction) -> PastCall {
        PastCall {
            at: Timestamp::from_second(1_800_000_000).unwrap(),
            account: "sip:101@h".into(),
            direction,
            with: format!("sip:{number}@h"),
            status: 200,
            talked: Some(Duration::from_secs(65)),
        }
    }

    #[test]
    fn calls_are_known_after_a_restart_and_nobody_else_reads_them() {
        let file = file("past");
        let mut past = PastCalls::open(Some(file.clone())).unwrap();
        assert_eq!(past.last_called(), None);
        let missed = PastCall { talked: None, status: 487, ..call(3, Direction::In) };
        let before = PastCall { at: Timestamp::UNIX_EPOCH, ..call(4, Direction::Out) };
        for one in [call(2, Direction::Out), missed.clone(), before] {
            past.add(one).unwrap();
        }
        let again = PastCalls::open(Some(file.clone())).unwrap();
        assert_eq!(again.calls(), past.calls());
        assert_eq!(again.last_called().unwrap().with, "sip:2@h");
        assert_eq!(
            (missed.outcome(), call(2, Direction::Out).outcome()),
            ("missed".into(), "1 min 5 s".into())
        );
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(
            fs::metadata(file.parent().unwrap()).unwrap().permissions().mode() & 0o777,
            0o700
        );
    }

    #[test]
    fn the_file_does_not_grow_for_ever_and_garbage_is_left_out() {
        let file = file("past-much");
        let mut past = PastCalls::open(Some(file.clone())).unwrap();
        for number in 0..=2 * limits::PAST_CALLS {
            past.add(call(number, Direction::Out)).unwrap();
        }
        assert_eq!(past.calls().len(), limits::PAST_CALLS);
        assert!(fs::read_to_string(&file).unwrap().lines().count() <= 2 * limits::PAST_CALLS);
        let again = PastCalls::open(Some(file.clone())).unwrap();
        assert_eq!(again.calls(), past.calls());
        assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), limits::PAST_CALLS);
        // Of what is too long the newest counts, wherever it is cut.
        let long = PastCall { with: "é".repeat(1000), ..call(1, Direction::Out) };
        let long = (0..1000).map(|_| long.write() + "\n").collect::<String>();
        let last = call(2, Direction::Out);
        fs::write(&file, format!("{long}{}\n", last.write())).unwrap();
        assert_eq!(PastCalls::open(Some(file.clone())).unwrap().calls().back(), Some(&last));
        assert!(fs::metadata(&file).unwrap().len() <= limits::PAST_OCTETS);
        fs::write(&file, "{}\nx\n").unwrap();
        assert!(PastCalls::open(Some(file)).unwrap().calls().is_empty());
    }
}
