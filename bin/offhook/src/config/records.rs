//! `[records]`: the files into which each call attempt is written at its end.

use std::path::PathBuf;

use super::fault::Faults;
use super::key::{Key, Section};
use super::table::Table;
use crate::limits;

/// Where call records go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// As lines of CSV.
    pub csv: Option<PathBuf>,
    /// As lines of JSON.
    pub json: Option<PathBuf>,
    /// When a file is full, and what becomes of it.
    pub rotation: Rotation,
    /// What this server is called in them.
    pub node: String,
}

/// When a file is full, and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Octets that it may have.
    pub most: u64,
    /// Is it also full when its day is over (UTC)?
    pub daily: bool,
    /// How many full ones are kept.
    pub keep: usize,
}

impl Default for Rotation {
    fn default() -> Self {
        Self { most: 64 << 20, daily: true, keep: 30 }
    }
}

impl Records {
    pub(super) fn read(written: &Table<'_>, calls: &Table<'_>, faults: &mut Faults) -> Self {
        let default = Rotation::default();
        let file = |name, faults: &mut Faults| {
            let text = written.text(name, faults)?;
            if text.value.is_empty() {
                faults.refuse(text.span, format!("`{name}` names no file"), "leave it out");
            }
            Some(PathBuf::from(text.value))
        };
        let (csv, json) = (file("csv", faults), file("json", faults));
        if csv.is_some() && csv == json {
            let what = "`csv` and `json` name the same file";
            faults.refuse(written.span_of("json"), what, "give each its own");
        }
        let wanted = csv.is_some() || json.is_some();
        if wanted && calls.flag("track", &mut Faults::default()) == Some(false) {
            faults.warn(
                written.span,
                "[records] stay empty: [calls] are not followed",
                "remove `track = false`",
            );
        }
        if !written.is_absent() && !wanted {
            faults.warn(written.span, "[records] names no file", "add csv = \"calls.csv\"");
        }
        let most = written.number("max_size", limits::RECORDS_MEGABYTES, faults);
        let keep = written.number("keep", limits::RECORDS_KEPT, faults);
        let keep = keep.and_then(|keep| usize::try_from(keep.value).ok());
        Self {
            csv,
            json,
            rotation: Rotation {
                most: most.map_or(default.most, |megabytes| megabytes.value << 20),
                daily: written.flag("daily", faults).unwrap_or(default.daily),
                keep: keep.unwrap_or(default.keep),
            },
            node: written
                .text("node", faults)
                .map(|node| node.value.to_owned())
                .unwrap_or_default(),
        }
    }
}

pub(super) const SECTION: Section = Section {
    name: "records",
    repeated: false,
    about: "Call records: each call attempt becomes one line, at its end ([call-records.md](call-records.md) says what stands in it). A full disk stops no call: what \
            could not be written is counted and said in the log.",
    keys: &[
        Key::optional(
            "csv",
            "none is written",
            "A file of CSV: \"calls.csv\". Spreadsheets read it.",
        ),
        Key::optional(
            "json",
            "none is written",
            "A file of JSON lines: \"calls.jsonl\". Programs read it.",
        ),
        Key::new(
            "max_size",
            "64",
            "MiB that a file may have. A full one is renamed, with the time in its name, and a new one begins.",
        ),
        Key::new("daily", "true", "A new file also begins with each day (UTC)."),
        Key::new("keep", "30", "How many full files are kept of each; the oldest are removed."),
        Key::optional(
            "node",
            "the name of the machine",
            "What this server is called in its records.",
        ),
    ],
};
