//! The form of Asterisk's config files: sections, options, templates, comments, includes.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::draft::{Draft, Kind};
use super::octets_of;
use crate::limits;

/// A section, with what it inherits from templates.
#[derive(Clone, Debug, Default)]
pub(super) struct Section {
    pub(super) name: String,
    /// Where it begins.
    pub(super) place: String,
    pub(super) options: Vec<Opt>,
    /// What only other sections are made of.
    template: bool,
}

/// An option: `key = value`.
#[derive(Clone, Debug)]
pub(super) struct Opt {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) place: String,
}

impl Section {
    /// The value of an option; the last one counts.
    pub(super) fn get(&self, key: &str) -> Option<&Opt> {
        self.options.iter().rev().find(|option| option.key == key)
    }

    /// The values of an option that may be repeated, and hold several between commas.
    pub(super) fn all(&self, key: &str) -> impl Iterator<Item = (&str, &Opt)> {
        let options = self.options.iter().filter(move |option| option.key == key);
        let parts = |option| Opt::parts(option).map(move |part| (part, option));
        options.flat_map(parts)
    }

    /// What it describes: `endpoint`, `auth`, `aor` …
    pub(super) fn kind(&self) -> &str {
        self.get("type").map_or("", |option| &option.value)
    }
}

impl Opt {
    fn parts(&self) -> impl Iterator<Item = &str> {
        self.value.split(',').map(str::trim).filter(|part| !part.is_empty())
    }
}

/// Reads a file, and those that it includes, as far as they lie in its folder.
///
/// # Errors
/// When the file cannot be read. What else is not read is noted in the draft.
pub(super) fn read(path: &Path, draft: &mut Draft) -> io::Result<Vec<Section>> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let text = octets_of(path)?;
    let mut reader = Reader {
        draft,
        folder: folder.canonicalize()?,
        files: 1,
        sections: Vec::new(),
        block: false,
    };
    reader.file(path, &text, 0);
    let Reader { sections, .. } = reader;
    Ok(sections.into_iter().filter(|section| !section.template).collect())
}

struct Reader<'a> {
    draft: &'a mut Draft,
    folder: PathBuf,
    files: usize,
    sections: Vec<Section>,
    /// Within `;-- … --;`
    block: bool,
}

impl Reader<'_> {
    fn file(&mut self, path: &Path, octets: &[u8], depth: usize) {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into());
        let text = String::from_utf8_lossy(octets);
        if text.contains('\u{fffd}') {
            self.draft.remark(Kind::Look, &name, "it is not all UTF-8: some characters were lost");
        }
        for (number, line) in (1_usize..).zip(text.lines()) {
            let place = format!("{name}:{number}");
            let line = self.uncommented(line);
            let line = line.trim();
            if let Some(directive) = line.strip_prefix('#') {
                self.directive(directive, &place, depth);
            } else if line.starts_with('[') {
                self.heading(line, place);
            } else if !line.is_empty() {
                self.option(line, place);
            }
        }
    }

    /// A line without its comments.
    fn uncommented(&mut self, line: &str) -> String {
        let (mut kept, mut rest) = (String::new(), line);
        loop {
            if self.block {
                let Some((_, behind)) = rest.split_once("--;") else { return kept };
                (self.block, rest) = (false, behind);
            }
            let Some(at) = rest.find(';') else { return kept + rest };
            let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
            if let Some(before) = before.strip_suffix('\\') {
                kept.extend([before, ";"]);
                rest = from.get(1..).unwrap_or_default();
            } else {
                kept += before;
                if !from.starts_with(";--") || from.starts_with(";---") {
                    return kept;
                }
                (self.block, rest) = (true, from.get(3..).unwrap_or_default());
            }
        }
    }

    /// `#include "file"`, `#tryinclude`, `#exec`
    fn directive(&mut self, directive: &str, place: &str, depth: usize) {
        let (word, argument) = directive.split_once(char::is_whitespace).unwrap_or((directive, ""));
        let argument = argument.trim().trim_matches(['"', '<', '>']);
        if !matches!(word, "include" | "tryinclude") {
            let what =
                format!("`#{word} {argument}`: nothing is run or understood here but #include");
            return self.draft.remark(Kind::NotTaken, place, what);
        }
        let what = match self.included(argument, depth) {
            Ok((path, octets)) => {
                self.files += 1;
                return self.file(&path, &octets, depth + 1);
            }
            Err(why) => format!("`#{word} {argument}`: {why}"),
        };
        self.draft.remark(Kind::NotTaken, place, what);
    }

    /// The text of an included file, or why it is not read.
    fn included(&self, argument: &str, depth: usize) -> Result<(PathBuf, Vec<u8>), String> {
        if depth >= limits::IMPORT_DEPTH || self.files >= limits::IMPORT_FILES {
            return Err("too many files include each other".into());
        }
        let path = self.folder.join(argument).canonicalize().map_err(|error| error.to_string())?;
        if !path.starts_with(&self.folder) {
            return Err(
                "it lies outside of the folder; put it there, or import it by itself".into()
            );
        }
        let octets = octets_of(&path).map_err(|error| error.to_string())?;
        Ok((path, octets))
    }

    /// `[name](!,template,+)`
    fn heading(&mut self, line: &str, place: String) {
        let Some((name, rest)) = line.strip_prefix('[').and_then(|line| line.split_once(']'))
        else {
            return self.draft.remark(Kind::NotTaken, &place, "a heading without its `]`");
        };
        let mut section = Section { name: name.trim().to_owned(), place, ..Section::default() };
        let inside = rest.trim().strip_prefix('(').and_then(|rest| rest.split_once(')'));
        for word in inside.map_or("", |(inside, _)| inside).split(',').map(str::trim) {
            match word {
                "" => {}
                "!" => section.template = true,
                "+" => {
                    // It goes on with the last section of that name.
                    let known = self.sections.iter().rposition(|known| known.name == section.name);
                    if let Some(known) = known {
                        section = self.sections.remove(known);
                    }
                }
                template => {
                    let known = self.sections.iter().rev().find(|known| known.name == template);
                    match known {
                        Some(known) => section.options.extend(known.options.iter().cloned()),
                        None => {
                            let what =
                                format!("[{}]: there is no template `{template}`", section.name);
                            self.draft.remark(Kind::NotTaken, &section.place, what);
                        }
                    }
                }
            }
        }
        self.sections.push(section);
    }

    /// `key = value`, `key => value`
    fn option(&mut self, line: &str, place: String) {
        let Some((key, value)) = line.split_once('=') else {
            // It is not shown: it may be a password.
            return self.draft.remark(Kind::NotTaken, &place, "a line that is no option");
        };
        let value = value.strip_prefix('>').unwrap_or(value).trim().to_owned();
        let key = key.trim().to_ascii_lowercase();
        match self.sections.last_mut() {
            Some(section) => section.options.push(Opt { key, value, place }),
            None => {
                let what = format!("`{key}` stands before every section");
                self.draft.remark(Kind::NotTaken, &place, what);
            }
        }
    }
}

/// Sections of a kind, by their names.
pub(super) fn by_name<'a>(sections: &'a [Section], kind: &str) -> BTreeMap<&'a str, &'a Section> {
    let of_kind = sections.iter().filter(|section| section.kind() == kind);
    of_kind.map(|section| (&*section.name, section)).collect()
}
