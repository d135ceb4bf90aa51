//! The table of keys: reading, suggestions and docs/configuration.md come from it.

/// A section of the file: `[name]`, or `[[name]]` when it may be repeated.
#[derive(Debug)]
pub struct Section {
    /// Its name; empty for the top of the file.
    pub name: &'static str,
    /// `[[name]]`: one for each thing that it describes.
    pub repeated: bool,
    /// What it is for.
    pub about: &'static str,
    /// Its keys, in the order of the documentation.
    pub keys: &'static [Key],
}

impl Section {
    /// How it is written in the file.
    pub fn heading(&self) -> String {
        match (self.name, self.repeated) {
            ("", _) => "the top of the file".into(),
            (name, false) => format!("[{name}]"),
            (name, true) => format!("[[{name}]]"),
        }
    }
}

/// A key: `name = value`.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What happens when it is absent.
    pub absent: Absent,
    /// What it means and why its default is what it is.
    pub about: &'static str,
    /// Its value must never be shown.
    pub secret: bool,
    /// The keys of its inline table, if it is one.
    pub keys: &'static [Self],
}

/// What happens when a key is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// It must be there.
    Refused,
    /// This value, as it would be written.
    Default(&'static str),
    /// This is what happens, in words.
    Means(&'static str),
}

impl Key {
    /// A key with a default value, as it would be written.
    pub const fn new(name: &'static str, default: &'static str, about: &'static str) -> Self {
        Self { name, absent: Absent::Default(default), about, secret: false, keys: &[] }
    }

    /// A key that must be there.
    pub const fn required(name: &'static str, about: &'static str) -> Self {
        Self { name, absent: Absent::Refused, about, secret: false, keys: &[] }
    }

    /// A key whose absence means something that cannot be written.
    pub const fn optional(name: &'static str, absent: &'static str, about: &'static str) -> Self {
        Self { name, absent: Absent::Means(absent), about, secret: false, keys: &[] }
    }

    /// The same key, never shown.
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// The same key as an inline table.
    pub const fn with(mut self, keys: &'static [Self]) -> Self {
        self.keys = keys;
        self
    }
}

#[cfg(test)]
impl Section {
    /// What the page shows as the value of an absent key; empty when that is no value.
    pub(super) fn default_of(&self, name: &str) -> &'static str {
        let key = self.keys.iter().find(|key| key.name == name).unwrap();
        if let Absent::Default(value) = key.absent { value } else { "" }
    }
}
