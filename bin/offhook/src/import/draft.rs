//! `Draft`: a config in the making, and what could not come into it.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use crate::config::Config;

/// A config in the making.
#[derive(Debug, Default)]
pub(super) struct Draft {
    domains: Vec<String>,
    /// The same, as they are known here: two ways to write one are one.
    hosts: BTreeSet<String>,
    realm: Option<String>,
    house: House,
    accounts: Vec<String>,
    numbers: BTreeSet<String>,
    /// What the reader may want to add, as it would be written.
    pub(super) proposals: Vec<String>,
    remarks: Vec<Remark>,
}

/// What is said once for the whole server.
#[derive(Clone, Debug, Default)]
pub(super) struct House {
    /// The keys of `[listen]`, each with its addresses.
    pub(super) listen: Vec<(&'static str, Vec<String>)>,
    pub(super) advertise: Vec<String>,
    /// A certificate and its key.
    pub(super) certificate: Option<(String, String)>,
    /// The lines of `[registrar]`.
    pub(super) registrar: Vec<String>,
}

impl House {
    /// One more address of a transport.
    pub(super) fn listen(&mut self, key: &'static str, address: String) {
        match self.listen.iter_mut().find(|(known, _)| *known == key) {
            Some((_, addresses)) if addresses.contains(&address) => {}
            Some((_, addresses)) => addresses.push(address),
            None => self.listen.push((key, vec![address])),
        }
    }

    /// What is written of it, before the realm and behind it.
    fn write(&self) -> (String, String) {
        let mut text = String::new();
        if !self.listen.is_empty() || !self.advertise.is_empty() {
            text += "\n[listen]\n";
        }
        for (key, addresses) in &self.listen {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "{key} = {}", list(addresses));
        }
        if !self.advertise.is_empty() {
            let _ = writeln!(text, "advertise = {}", list(&self.advertise));
        }
        if let Some((certificate, key)) = &self.certificate {
            let (certificate, key) = (quoted(certificate), quoted(key));
            let _ = writeln!(text, "\n[tls]\ncertificate = {certificate}\nprivate_key = {key}");
        }
        let registrar = match &self.registrar[..] {
            [] => String::new(),
            lines => format!("\n[registrar]\n{}\n", lines.join("\n")),
        };
        (text, registrar)
    }
}

/// An account.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) number: String,
    pub(super) name: Option<String>,
    pub(super) password: Option<String>,
    /// Keys of `ha1`, and digests.
    pub(super) ha1: Vec<(&'static str, String)>,
    pub(super) contacts: Vec<String>,
}

/// Something to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remark {
    /// File and line.
    pub(super) place: String,
    pub(super) kind: Kind,
    /// What it is, and why.
    pub(super) what: String,
}

/// What kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is not in the config.
    NotTaken,
    /// It has no meaning here, and needs none.
    NotNeeded,
    /// It was taken over, and is worth a look.
    Look,
}

impl Kind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::NotTaken => "not_taken_over",
            Self::NotNeeded => "not_needed",
            Self::Look => "look_at",
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::NotTaken => "not taken over",
            Kind::NotNeeded => "not needed",
            Kind::Look => "look at this",
        };
        write!(f, "{}: {kind}: {}", self.place, self.what)
    }
}

impl Draft {
    /// Notes something to be said.
    pub(super) fn remark(&mut self, kind: Kind, place: &str, what: impl Into<String>) {
        let what: String = what.into().chars().filter(|c| !crate::log::upsets(*c)).collect();
        self.remarks.push(Remark { place: place.to_owned(), kind, what });
    }

    pub(super) fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    /// How many accounts there are.
    pub(super) const fn accounts(&self) -> usize {
        self.accounts.len()
    }

    /// One more domain to answer for, if it is one.
    pub(super) fn domain(&mut self, place: &str, domain: &str) {
        let domain = domain.to_ascii_lowercase();
        if domain.is_empty() || self.domains.contains(&domain) {
            return;
        }
        match Config::parse("", &format!("domains = {}", list(std::slice::from_ref(&domain)))) {
            Ok(config) => {
                let known = config.domains.first().map(ToString::to_string);
                if self.hosts.insert(known.unwrap_or_default()) {
                    self.domains.push(domain);
                }
            }
            Err(mistakes) => {
                for mistake in mistakes.notices {
                    self.remark(Kind::NotTaken, place, format!("domain {}", mistake.what));
                }
            }
        }
    }

    /// Whether there is a domain to answer for.
    pub(super) const fn has_domain(&self) -> bool {
        !self.domains.is_empty()
    }

    /// The realm that digests are of, once there is one.
    pub(super) fn realm(&self) -> Option<&str> {
        self.realm.as_deref()
    }

    /// Takes a realm over, if it can be one.
    pub(super) fn take_realm(&mut self, realm: &str) -> bool {
        let fits = Config::parse("", &format!("[auth]\nrealm = {}", quoted(realm))).is_ok();
        if fits {
            self.realm = Some(realm.to_owned());
        }
        fits
    }

    /// What is said once for the whole server.
    pub(super) const fn house(&self) -> &House {
        &self.house
    }

    /// Changes what is said once for the whole server, unless `offhook check` would refuse it then: that is said of `what`. Whether it has been changed.
    pub(super) fn change(
        &mut self,
        place: &str,
        what: &str,
        change: impl FnOnce(&mut House),
    ) -> bool {
        let mut next = self.house.clone();
        change(&mut next);
        let (before, behind) = next.write();
        match Config::parse("", &(before + &behind)) {
            Ok(_) => {
                self.house = next;
                true
            }
            Err(mistakes) => {
                for mistake in mistakes.notices {
                    self.remark(Kind::NotTaken, place, format!("{what}: {}", mistake.what));
                }
                false
            }
        }
    }

    /// One more account. It is judged as `offhook check` judges it: what that refuses is left out, what it warns of is said.
    pub(super) fn account(&mut self, place: &str, account: &Account) {
        let text = account.write();
        if self.numbers.contains(&account.number) {
            let what = format!("a second account `{}`", account.number);
            return self.remark(Kind::NotTaken, place, what);
        }
        match Config::parse("", &text) {
            Ok(config) => {
                for warning in config.warnings {
                    self.remark(Kind::Look, place, format!("{}; {}", warning.what, warning.hint));
                }
                self.numbers.insert(account.number.clone());
                self.accounts.push(text);
            }
            Err(mistakes) => {
                for mistake in mistakes.notices {
                    let what = format!("account `{}`: {}", account.number, mistake.what);
                    self.remark(Kind::NotTaken, place, what);
                }
            }
        }
    }

    /// The config as a file.
    pub(super) fn write(&self) -> String {
        let mut text = String::from(HEAD);
        for remark in self.remarks.iter().filter(|remark| remark.kind != Kind::NotNeeded) {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "# {remark}");
        }
        text.push('\n');
        if self.domains.is_empty() {
            text +=
                "# domains = [\"…\"]   # the names and addresses that phones call this server by\n";
        } else {
            let _ = writeln!(text, "domains = {}", list(&self.domains));
        }
        let (before, behind) = self.house.write();
        text += &before;
        if let Some(realm) = &self.realm {
            let _ = writeln!(text, "\n[auth]\nrealm = {}", quoted(realm));
        }
        text += &behind;
        self.accounts.iter().for_each(|account| text.extend(["\n", account]));
        for proposal in &self.proposals {
            text.push('\n');
            proposal.lines().for_each(|line| text.extend(["# ", line, "\n"]));
        }
        text
    }
}

impl Account {
    fn write(&self) -> String {
        let mut text = format!("[[extension]]\nnumber = {}\n", quoted(&self.number));
        if let Some(name) = &self.name {
            let _ = writeln!(text, "name = {}", quoted(name));
        }
        if let Some(password) = &self.password {
            let _ = writeln!(text, "password = {}", quoted(password));
        } else if !self.ha1.is_empty() {
            let digests =
                self.ha1.iter().map(|(key, digest)| format!("{key} = {}", quoted(digest)));
            let _ = writeln!(text, "ha1 = {{ {} }}", digests.collect::<Vec<_>>().join(", "));
        }
        if !self.contacts.is_empty() {
            let _ = writeln!(text, "contacts = {}", list(&self.contacts));
        }
        text
    }
}

/// A list of texts, as TOML writes it.
pub(super) fn list(texts: &[String]) -> String {
    let texts: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

/// A text, as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

const HEAD: &str = "# Made by `offhook import`. Read what it says below, then:
#   offhook check offhook.toml
#   offhook serve --config offhook.toml
#
";
