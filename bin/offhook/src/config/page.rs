//! docs/configuration.md, from the table of keys.

use super::SECTIONS;
use super::key::{Absent, Key, Section};
use super::phone;

/// The page that describes every key.
pub fn reference() -> String {
    let mut page = String::from(INTRODUCTION);
    for section in SECTIONS {
        describe(&mut page, section);
    }
    page.push_str("\n## The phone's file\n\n");
    keys(&mut page, &phone::SECTION);
    page
}

fn describe(page: &mut String, section: &Section) {
    match section.name {
        "" => page.push_str("\n## At the top\n\n"),
        _ => page.extend(["\n## `", &section.heading(), "`\n\n"]),
    }
    keys(page, section);
}

fn keys(page: &mut String, section: &Section) {
    page.extend([section.about, "\n\n| key | absent | meaning |\n|---|---|---|\n"]);
    for key in section.keys {
        row(page, "", key);
    }
}

fn row(page: &mut String, parent: &str, key: &Key) {
    let name = format!("{parent}{}", key.name);
    let absent = match key.absent {
        Absent::Refused => "it must be there".into(),
        Absent::Default(value) => format!("`{value}`"),
        Absent::Means(words) => words.into(),
    };
    page.extend(["| `", &name, "` | ", &absent, " | ", key.about, " |\n"]);
    for inner in key.keys {
        row(page, &format!("{name}."), inner);
    }
}

const INTRODUCTION: &str = "# The config file

`offhook serve --config offhook.toml` reads one file in [TOML](https://toml.io). Every key has a default: without a file the
server runs on loopback. `offhook check offhook.toml` says what is wrong, with line and column, or what the server would do.
An office with five phones: [examples/offhook.toml](examples/offhook.toml).

A key that is not on this page is refused, so that a misspelled one is not silently ignored. File names are relative to the
folder in which the program is started.
";
