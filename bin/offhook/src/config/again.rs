//! A file that is read again while its server runs: what may not change is refused, and what the machine refuses is told with its place.

use std::path::Path;

use super::fault::{Faults, Span};
use super::report::{Mistakes, Source};
use super::{Config, Console, Listen, Server, Store, read_text, read_tree};

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
        let changed = changed(running, &again.config);
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

/// What only a start reads, and whether it is another now. Every key of these sections is named: whoever adds one has to say here whether it is taken over.
fn changed(running: &Config, new: &Config) -> [(bool, [&'static str; 2]); 10] {
    let Server {
        shards,
        core_dumps,
        nap: _,
        trains: _,
        role: _,
        drain: _,
        drain_until: _,
        software: _,
    } = &new.server;
    let Store { url, durability, authority, replicas } = &new.store;
    let Console { socket_mode, token: _, hosts: _ } = &new.console;
    let Listen { console, console_socket, udp: _, tcp: _, tls: _, ws: _, wss: _, advertised: _ } =
        &new.listen;
    let Config { server, store, listen, .. } = running;
    [
        (server.shards != *shards, ["server", "shards"]),
        (server.core_dumps != *core_dumps, ["server", "core_dumps"]),
        (store.url != *url, ["store", "url"]),
        (store.durability != *durability, ["store", "durability"]),
        (store.authority != *authority, ["store", "authority"]),
        (store.replicas != *replicas, ["store", "replicas"]),
        (running.cluster != new.cluster, ["cluster", "listen"]),
        (listen.console != *console, ["listen", "console"]),
        (listen.console_socket != *console_socket, ["listen", "console_socket"]),
        (running.console.socket_mode != *socket_mode, ["console", "socket_permissions"]),
    ]
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

    /// "In force" is never said of what is not.
    #[test]
    fn every_key_that_only_a_start_reads_is_refused() {
        let cases = [
            ("[server]\ncore_dumps = true\n", "[server] `core_dumps`"),
            ("[server]\nshards = 3\n", "[server] `shards`"),
            ("[store]\nurl = \"file:elsewhere\"\n", "[store] `url`"),
            ("[store]\ndurability = \"relaxed\"\n", "[store] `durability`"),
            ("[store]\nauthority = \"new.pem\"\n", "[store] `authority`"),
            ("[listen]\nconsole = \"127.0.0.1:8061\"\n", "[listen] `console`"),
            ("[listen]\nconsole_socket = \"/run/x\"\n", "[listen] `console_socket`"),
            ("[console]\nsocket_permissions = \"660\"\n", "[console] `socket_permissions`"),
        ];
        for (text, key) in cases {
            for (running, new) in [("", text), (text, "")] {
                let mistakes = load(new, running).unwrap_err();
                let said: Vec<_> = mistakes.notices.iter().map(|it| &*it.what).collect();
                assert_eq!(said, [format!("{key} cannot change while the server runs")]);
            }
        }
    }
}
