//! The log: one line an event on stderr, as text or as JSON.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use console::upsets;
use machine::Time;
use net::Clock;

use crate::ink;

/// How a line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// `2026-11-24T12:00:00.000Z info registered aor=sip:101@example.test expires=3600`
    #[default]
    Text,
    /// `{"time":"…","level":"info","event":"registered","aor":"sip:101@example.test","expires":3600}`
    Json,
}

/// How much it matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Level {
    /// It happened.
    #[default]
    Info,
    /// Somebody should look at it.
    Warning,
    /// Something is broken.
    Error,
}

impl Level {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A value of an event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// A text; it may come from a peer.
    Text(&'a str),
    /// A number.
    Number(i64),
    /// Yes or no.
    Bool(bool),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Value<'_> {
    fn from(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// The log. Every thread may hold one; nobody waits for a line of a server to be written.
#[derive(Clone, Copy, Debug)]
pub struct Log {
    format: Format,
    least: Level,
    /// Since it was made, the clock on the wall and the one that only counts may have come apart.
    clock: Clock,
}

impl Log {
    /// A log of this format, to stderr.
    pub fn new(format: Format) -> Self {
        Self { format, least: Level::Info, clock: Clock::start() }
    }

    /// Without what matters less than this.
    #[must_use]
    pub const fn from(self, least: Level) -> Self {
        Self { least, ..self }
    }

    /// True when something that matters so much is written.
    pub fn wants(self, level: Level) -> bool {
        level >= self.least
    }

    /// How its lines are written.
    pub const fn format(self) -> Format {
        self.format
    }

    /// What the clock on the wall showed a moment ago, when a clock that nobody sets showed `time` since 1970. A second apart is a clock that was
    /// set; less is how a clock is kept right.
    fn on_the_wall(self, time: Duration) -> Duration {
        let (wall, counted) = (now_since_1970(), self.clock.now() - Time::default());
        let set = wall.abs_diff(counted) >= Duration::from_secs(1);
        if set { (time + wall).saturating_sub(counted) } else { time }
    }

    /// Begins a page of lines that are written together.
    pub const fn page(self) -> Page {
        Page { log: self, text: String::new() }
    }

    /// Something happened: `log.info("registered", &[("aor", aor.into()), ("expires", 3600.into())])`.
    pub fn info(self, event: &str, fields: &[(&str, Value<'_>)]) {
        self.write(Level::Info, event, fields);
    }

    /// Something happened that somebody should look at.
    pub fn warning(self, event: &str, fields: &[(&str, Value<'_>)]) {
        self.write(Level::Warning, event, fields);
    }

    /// Something is broken.
    pub fn error(self, event: &str, fields: &[(&str, Value<'_>)]) {
        self.write(Level::Error, event, fields);
    }

    fn write(self, level: Level, event: &str, fields: &[(&str, Value<'_>)]) {
        if !self.wants(level) {
            return;
        }
        ink::say(self.format, line(self.format, now_since_1970(), level, event, fields));
    }
}

/// What the clock on the wall shows.
pub(crate) fn now_since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Lines that are written together: at thousands of events a second, a system call for each would cost more than the calls.
#[derive(Debug)]
pub struct Page {
    log: Log,
    text: String,
}

impl Page {
    /// Something happened at `time` since 1970.
    pub fn info(&mut self, time: Duration, event: &str, fields: &[(&str, Value<'_>)]) {
        self.add(time, Level::Info, event, fields);
    }

    /// Something happened that somebody should look at.
    pub fn warning(&mut self, time: Duration, event: &str, fields: &[(&str, Value<'_>)]) {
        self.add(time, Level::Warning, event, fields);
    }

    /// Something is broken.
    pub fn error(&mut self, time: Duration, event: &str, fields: &[(&str, Value<'_>)]) {
        self.add(time, Level::Error, event, fields);
    }

    fn add(&mut self, time: Duration, level: Level, event: &str, fields: &[(&str, Value<'_>)]) {
        if self.log.wants(level) {
            self.text += &line(self.log.format, self.log.on_the_wall(time), level, event, fields);
        }
    }

    /// Its lines.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Writes its lines, and begins anew.
    pub fn turn(&mut self) {
        ink::put(self.log.format, &self.text);
        self.text.clear();
    }
}

/// One line with its newline; `time` since 1970.
pub fn line(
    format: Format,
    time: Duration,
    level: Level,
    event: &str,
    fields: &[(&str, Value<'_>)],
) -> String {
    let (time, level) = (timestamp(time), level.as_str());
    let mut line = String::new();
    match format {
        Format::Text => {
            line.extend([time.as_str(), " ", level, " "]);
            push_visible(&mut line, event);
            for (name, value) in fields {
                line.extend([" ", name, "="]);
                push_text(&mut line, *value);
            }
        }
        Format::Json => {
            line.extend(["{\"time\":\"", &time, "\",\"level\":\"", level, "\",\"event\":"]);
            push_string(&mut line, event);
            for (name, value) in fields {
                line.push(',');
                push_string(&mut line, name);
                line.push(':');
                push_json(&mut line, *value);
            }
            line.push('}');
        }
    }
    line.push('\n');
    line
}

fn push_text(line: &mut String, value: Value<'_>) {
    match value {
        Value::Text(text) => {
            let plain = !text.is_empty()
                && !text.contains(|c: char| c.is_whitespace() || upsets(c) || "\"\\=".contains(c));
            if plain {
                line.push_str(text);
            } else {
                line.push('"');
                push_visible(line, text);
                line.push('"');
            }
        }
        other => push_json(line, other),
    }
}

fn push_json(line: &mut String, value: Value<'_>) {
    match value {
        Value::Text(text) => push_string(line, text),
        Value::Number(number) => line.push_str(&number.to_string()),
        Value::Bool(value) => line.push_str(if value { "true" } else { "false" }),
    }
}

fn push_string(line: &mut String, text: &str) {
    line.push('"');
    push_visible(line, text);
    line.push('"');
}

/// Escaped as in JSON (RFC 8259 §7), and what could upset a terminal too.
fn push_visible(line: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '"' => line.push_str("\\\""),
            '\\' => line.push_str("\\\\"),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            c if upsets(c) => {
                // Writing into a String cannot fail; everything that upsets is below U+10000.
                let _ = write!(line, "\\u{:04x}", u32::from(c));
            }
            c => line.push(c),
        }
    }
}

/// `2026-11-24T12:00:00.000Z` (RFC 3339).
pub(crate) fn timestamp(since_1970: Duration) -> String {
    let (seconds, millis) = (since_1970.as_secs(), since_1970.subsec_millis());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// Year, month and day of a day since 1970: whole years first, then whole months.
fn civil(days: u64) -> (u64, u64, u64) {
    // 400 years are 146,097 days; whole ones are skipped, so that the loop below ends soon whatever the clock says.
    let (mut year, mut left) = (1970 + days / 146_097 * 400, days % 146_097);
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    while left >= 365 + u64::from(leap(year)) {
        left -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    (year, month, left + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: Format, fields: &[(&str, Value<'_>)]) -> String {
        line(format, Duration::from_millis(1_795_521_600_123), Level::Info, "registered", fields)
    }

    #[test]
    fn a_line_of_each_format() {
        let fields = [
            ("aor", "sip:101@example.test".into()),
            ("expires", 3600_u32.into()),
            ("name", "Front desk".into()),
        ];
        assert_eq!(
            written(Format::Text, &fields),
            "2026-11-24T12:00:00.123Z info registered aor=sip:101@example.test expires=3600 name=\"Front desk\"\n"
        );
        assert_eq!(
            written(Format::Json, &fields),
            "{\"time\":\"2026-11-24T12:00:00.123Z\",\"level\":\"info\",\"event\":\"registered\",\
             \"aor\":\"sip:101@example.test\",\"expires\":3600,\"name\":\"Front desk\"}\n"
        );
    }

    #[test]
    fn what_matters_less_is_not_written() {
        let written = |least| {
            let mut page = Log::new(Format::Text).from(least).page();
            page.info(Duration::ZERO, "a", &[]);
            page.warning(Duration::ZERO, "b", &[]);
            page.error(Duration::ZERO, "c", &[]);
            page.text().lines().count()
        };
        assert_eq!([Level::Info, Level::Warning, Level::Error].map(written), [3, 2, 1]);
    }

    #[test]
    fn a_peer_cannot_forge_a_line_or_drive_the_terminal() {
        let nasty = "x\r\n2026 info \u{1b}[31mred\u{9b}2J \u{202e}\"\\";
        for format in [Format::Text, Format::Json] {
            let line = written(format, &[("agent", nasty.into())]);
            let escaped = r#""x\r\n2026 info \u001b[31mred\u009b2J \u202e\"\\""#;
            assert!(line.contains(escaped), "{line}");
            assert_eq!(line.chars().filter(|c| upsets(*c)).collect::<String>(), "\n");
        }
        assert!(written(Format::Text, &[("empty", "".into())]).ends_with(" empty=\"\"\n"));
    }

    #[test]
    fn dates() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199, "2024-02-29T23:59:59.000Z"),
            (1_709_251_200, "2024-03-01T00:00:00.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
            (1_798_761_599, "2026-12-31T23:59:59.000Z"),
        ] {
            assert_eq!(timestamp(Duration::from_secs(seconds)), expected);
        }
        assert!(timestamp(Duration::MAX).ends_with('Z'));
    }
}
