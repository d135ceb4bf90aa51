//! `[console]`: who may use the HTTP API.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::fault::{At, Faults};
use super::key::{Key, Section};
use super::secret::Secret;
use super::table::Table;
use super::{Listen, domains::Domain};
use crate::limits;

/// Who may use the HTTP API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Console {
    /// What those who connect by TCP must know.
    pub token: Option<Secret>,
    /// Names by which it may be called, besides our domains.
    pub hosts: Vec<Domain>,
    /// Permissions of the socket file.
    pub socket_mode: u32,
}

impl Default for Console {
    fn default() -> Self {
        Self { token: None, hosts: Vec::new(), socket_mode: 0o600 }
    }
}

impl Console {
    pub(super) fn read(written: &Table<'_>, listen: &Listen, faults: &mut Faults) -> Self {
        let default = Self::default();
        let token = match (written.text("token", faults), written.text("token_file", faults)) {
            (Some(_), Some(file)) => {
                let what = "`token` and `token_file` say the same thing twice";
                faults.refuse(file.span, what, "remove one");
                None
            }
            (Some(token), None) => read_token(token, token.value, faults),
            (None, Some(file)) => match read_file(Path::new(file.value)) {
                Ok((text, mode)) => {
                    if mode & 0o007 != 0 {
                        let what = "everybody on this machine may read or write `token_file`";
                        faults.warn(
                            file.span,
                            what,
                            "chmod 640, and the group of the server's user",
                        );
                    }
                    read_token(file, text.trim(), faults)
                }
                Err(error) => {
                    let what = format!("`token_file` cannot be read: {error}");
                    faults.refuse(
                        file.span,
                        what,
                        "write the token into that file, readable by the server alone",
                    );
                    None
                }
            },
            (None, None) => None,
        };
        let names = written.texts("hosts", faults).unwrap_or_default();
        let mode = written.text("socket_permissions", faults);
        let console = Self {
            token,
            hosts: names.into_iter().filter_map(|name| Domain::read(name, faults)).collect(),
            socket_mode: mode
                .and_then(|mode| read_mode(mode, faults))
                .unwrap_or(default.socket_mode),
        };
        if !written.is_absent() && listen.console.is_none() && listen.console_socket.is_none() {
            let what = "[console] is not used: nothing listens for it";
            faults.warn(written.span, what, "add console = \"127.0.0.1:8060\" to [listen]");
        }
        console
    }
}

/// What a file holds, and who may read it.
fn read_file(path: &Path) -> std::io::Result<(String, u32)> {
    let (mut text, file) = (String::new(), std::fs::File::open(path)?);
    let mode = file.metadata()?.permissions().mode();
    file.take(limits::TOKEN_FILE).read_to_string(&mut text)?;
    Ok((text, mode))
}

fn read_token(at: At<&str>, token: &str, faults: &mut Faults) -> Option<Secret> {
    // It travels in a header field.
    if token.is_empty() || !token.bytes().all(|octet| octet.is_ascii_graphic()) {
        let what =
            "the token is empty, or has other characters than ASCII's letters, digits and signs";
        faults.refuse_hidden(at.span, what, "`openssl rand -hex 24` makes a good one");
        return None;
    }
    if token.len() < limits::WEAK_TOKEN {
        let what = format!(
            "the token has fewer than {} characters: it can be guessed",
            limits::WEAK_TOKEN
        );
        faults.warn(at.span, what, "`openssl rand -hex 24` makes a good one");
    }
    Some(Secret::new(token))
}

fn read_mode(mode: At<&str>, faults: &mut Faults) -> Option<u32> {
    let read = u32::from_str_radix(mode.value, 8)
        .ok()
        .filter(|mode| mode & 0o600 == 0o600 && *mode <= 0o777);
    if read.is_none() {
        let what = format!("`socket_permissions` cannot be `{}`", mode.value.escape_debug());
        faults.refuse(
            mode.span,
            what,
            "as in chmod: \"600\" for the server's user alone, \"660\" for its group too",
        );
    }
    read
}

pub(super) const SECTION: Section = Section {
    name: "console",
    repeated: false,
    about: "Who may use the HTTP API and the metrics of `[listen] console` (docs/console.md). On loopback every process of this machine may, \
            unless there is a token; from other machines nobody may without one. It speaks HTTP without TLS: beyond your own network, put a web \
            server that does TLS before it.",
    keys: &[
        Key::optional(
            "token",
            "none",
            "What those who ask must say: `Authorization: Bearer TOKEN`. Whoever comes by the socket file needs none: its permissions say who may.",
        )
        .secret(),
        Key::optional("token_file", "none", "The file that holds the token: one line, readable by the server alone."),
        Key::new(
            "hosts",
            "[]",
            "Names by which browsers and programs call the console, besides `localhost`, its addresses and our `domains`. Others are refused, so that \
             no page of a stranger can talk to it by a name that leads here.",
        ),
        Key::new(
            "socket_permissions",
            "\"600\"",
            "Who may use `[listen] console_socket`, as in chmod: \"660\" lets the group of the server's user in.",
        ),
    ],
};

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn mistakes(text: &str) -> String {
        Config::parse("offhook.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn other_machines_need_a_token() {
        let open = "domains = \"a.test\"\n[listen]\nconsole = \"0.0.0.0:8060\"\n";
        assert!(mistakes(open).contains("[listen] console can be reached from other machines"));
        let shut = format!("{open}[console]\ntoken = \"0123456789abcdef0123\"\n");
        let config = Config::parse("offhook.toml", &shut).unwrap();
        assert_eq!(config.console.token.unwrap().reveal(), "0123456789abcdef0123");
        assert_eq!(config.warnings, []);
    }

    #[test]
    fn a_token_comes_from_one_place() {
        let listen = "[listen]\nconsole = \"127.0.0.1:8060\"\n[console]\n";
        let wrong = |lines: &str| mistakes(&format!("{listen}{lines}"));
        assert!(wrong("token = \"a\"\ntoken_file = \"b\"").contains("twice"));
        assert!(wrong("token_file = \"/nowhere/at/all\"").contains("cannot be read"));
        let said = wrong("token = \"se cret\"");
        assert!(said.contains("is empty, or has other") && !said.contains("cret\""), "{said}");
        assert!(wrong("socket_permissions = \"1777\"").contains("cannot be `1777`"));
        assert!(wrong("socket_permissions = \"060\"").contains("cannot be"));
        let short = Config::parse("offhook.toml", &format!("{listen}token = \"short\"")).unwrap();
        assert!(short.warnings[0].what.contains("guessed"));
        let unused =
            Config::parse("offhook.toml", "[console]\ntoken = \"0123456789abcdef0123\"").unwrap();
        assert!(unused.warnings[0].what.contains("not used"));
    }
}
