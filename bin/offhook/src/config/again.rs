//! A file that is read again while its server runs: what may not change is refused, and what the machine refuses is told with its place.

use std::path::Path;

use super::fault::{Faults, Span};
use super::report::{Mistakes, Source};
use super::{Config, read_text, read_tree};

/// A file that was read again and understood. Its text is kept, so that mistakes which are found later can be pointed at.
#[derive(Debug)]
pub(crate) struct Again {
    name: String,
    text: String,
    pub(crate) config: Config,
}

impl Again {
    /// Reads and understands a file, for a server that runs with another config.
    pub(crate) fn load(path: &Path, running: &Config) -> Result<Self, Mistakes> {
        let (name, text) = (path.display().to_string(), read_text(path)?);
        let config = Config::parse(&name, &text)?;
        let again = Self { name, text, config };
        let new = &again.config;
        let changed = [
            (running.server.shards != new.server.shards, ["server", "shards"]),
            (running.store.url != new.store.url, ["store", "url"]),
            (running.store.durability != new.store.durability, ["store", "durability"]),
            (running.store.replicas != new.store.replicas, ["store", "replicas"]),
            (running.cluster != new.cluster, ["cluster", "listen"]),
            (running.listen.console != new.listen.console, ["listen", "console"]),
            (
                running.listen.console_socket != new.listen.console_socket,
                ["listen", "console_socket"],
            ),
            (
                running.console.socket_mode != new.console.socket_mode,
                ["console", "socket_permissions"],
            ),
        ];
        let changed = changed.into_iter().filter_map(|(changed, key)| changed.then_some(key));
        let refusals: Vec<_> = changed.map(|key| (key, refusal(key))).collect();
        if refusals.is_empty() { Ok(again) } else { Err(again.blame(refusals)) }
    }

    /// What is wrong with keys of sections.
    pub(crate) fn blame<'a>(
        &self,
        refusals: impl IntoIterator<Item = ([&'a str; 2], (String, String))>,
    ) -> Mistakes {
        let source = Source { name: &self.name, text: &self.text };
        let mut faults = Faults::default();
        for (key, (what, hint)) in refusals {
            faults.refuse_hidden(self.span_of(key), what, hint);
        }
        Mistakes::of(source, &mut faults)
    }

    /// Where a key is written, or else its section, or else the beginning.
    fn span_of(&self, [section, key]: [&str; 2]) -> Span {
        let Ok(tree) = read_tree(Source { name: &self.name, text: &self.text }) else {
            return Span::default();
        };
        let Some(section) = tree.get_ref().get(section) else { return Span::default() };
        let written = section.get_ref().as_table().and_then(|table| table.get(key));
        written.map_or_else(|| section.span(), toml::Spanned::span).into()
    }
}

fn refusal([section, key]: [&str; 2]) -> (String, String) {
    (
        format!("[{section}] `{key}` cannot change while the server runs"),
        "write it as it was, or restart the server".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, running: &str) -> Result<Again, Mistakes> {
        let folder =
            std::env::temp_dir().join(format!("offhook-{:032x}", crate::seed::throw().unwrap()));
        std::fs::create_dir(&folder).unwrap();
        let file = folder.join("o.toml");
        std::fs::write(&file, text).unwrap();
        let again = Again::load(&file, &Config::parse("o.toml", running).unwrap());
        std::fs::remove_dir_all(&folder).unwrap();
        again
    }

    #[test]
    fn what_takes_a_restart_is_refused_with_its_place() {
        let running = "[server]\nshards = 2\n[store]\ndurability = \"memory\"\n";
        assert!(load(&format!("domains = \"a.example\"\n{running}"), running).is_ok());
        let mistakes = load("\n[server]\nshards = 3\n", running).unwrap_err();
        let said: Vec<_> = mistakes.notices.iter().map(|it| (it.place, &*it.what)).collect();
        assert_eq!(
            said,
            [
                // It is not there any more.
                (Some((1, 1)), "[store] `durability` cannot change while the server runs"),
                (Some((3, 10)), "[server] `shards` cannot change while the server runs"),
            ]
        );
    }
}
