//! The file of `offhook phone --config`: whose phone it is, and where its server is.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use phone::Srtp;
use sip::Uri;

use super::address;
use super::fault::{At, Faults, Span};
use super::key::{Key, Section};
use super::near::nearest;
use super::report::{Mistakes, Source};
use super::secret::Secret;
use super::table::Table;
use super::uri;

/// What a phone's file says. Every key may be absent: the command line can say it instead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PhoneFile {
    /// Whose phone: `sip:101@example.test`.
    pub account: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    /// The name that the other side shows.
    pub name: Option<String>,
    /// Where requests go, when not to the account's domain.
    pub server: Option<SocketAddr>,
    /// How they go.
    pub transport: Option<&'static str>,
    /// Whether others may hear its calls on their way.
    pub srtp: Option<Srtp>,
    /// Files with certificates of authorities that are trusted beside the system's.
    pub authorities: Vec<PathBuf>,
    /// The address of this machine that the phone uses.
    pub bind: Option<IpAddr>,
}

impl PhoneFile {
    /// Reads and understands a file.
    pub fn load(path: &Path) -> Result<Self, Mistakes> {
        let text = super::read_text(path)?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// Understands the text of a file; `name` is what mistakes call it.
    pub fn parse(name: &str, text: &str) -> Result<Self, Mistakes> {
        let (source, mut faults) = (Source { name, text }, Faults::default());
        let tree = super::read_tree(source)?;
        let table = Table::open("", SECTION.keys, tree.get_ref(), Span::default(), &mut faults);
        let phone = Self {
            account: table.text("account", &mut faults).and_then(|text| account(text, &mut faults)),
            password: table.text("password", &mut faults).map(|text| Secret::new(text.value)),
            name: table.text("name", &mut faults).map(|text| text.value.to_owned()),
            server: table
                .text("server", &mut faults)
                .and_then(|text| address::read(text, 5060, &mut faults)),
            transport: table
                .text("transport", &mut faults)
                .and_then(|text| transport(text, &mut faults)),
            srtp: table.text("srtp", &mut faults).and_then(|text| srtp(text, &mut faults)),
            authorities: table
                .texts("authorities", &mut faults)
                .unwrap_or_default()
                .into_iter()
                .map(|text| text.value.into())
                .collect(),
            bind: table.text("bind", &mut faults).and_then(|text| bind(text, &mut faults)),
        };
        if faults.faults.is_empty() { Ok(phone) } else { Err(Mistakes::of(source, &mut faults)) }
    }
}

/// An address of a user: a SIP URI with something before the `@`.
fn account(written: At<&str>, faults: &mut Faults) -> Option<String> {
    let uri = uri::read(written, faults)?;
    let user = matches!(Uri::parse(uri.as_bytes()), Ok(Uri::Sip(sip)) if sip.user.is_some());
    if !user {
        let what = format!("`{}` has no user", written.value.escape_debug());
        faults.refuse(written.span, what, "write it like \"sip:101@example.test\"");
    }
    user.then_some(uri)
}

fn transport(written: At<&str>, faults: &mut Faults) -> Option<&'static str> {
    let known = TRANSPORTS.into_iter().find(|known| *known == written.value);
    if known.is_none() {
        let hint = match nearest(written.value, TRANSPORTS) {
            Some(name) => format!("did you mean \"{name}\"?"),
            None => format!("this version's phone speaks {}", TRANSPORTS.join(", ")),
        };
        let what = format!("unknown transport `{}`", written.value.escape_debug());
        faults.refuse(written.span, what, hint);
    }
    known
}

/// How the policies are called.
pub(crate) const SRTP: [(&str, Srtp); 3] =
    [("off", Srtp::Off), ("welcome", Srtp::Welcome), ("required", Srtp::Required)];

fn srtp(written: At<&str>, faults: &mut Faults) -> Option<Srtp> {
    let known = SRTP.iter().find(|(name, _)| *name == written.value);
    if known.is_none() {
        let what = format!("unknown policy `{}`", written.value.escape_debug());
        faults.refuse(written.span, what, "it is \"off\", \"welcome\" or \"required\"");
    }
    known.map(|(_, srtp)| *srtp)
}

fn bind(written: At<&str>, faults: &mut Faults) -> Option<IpAddr> {
    let ip = written.value.parse().ok();
    if ip.is_none() {
        let what = format!("`{}` is not an IP address", written.value.escape_debug());
        faults.refuse(written.span, what, "write it like \"192.0.2.7\", without a port");
    }
    ip
}

/// What the phone speaks.
pub(crate) const TRANSPORTS: [&str; 5] = ["udp", "tcp", "tls", "ws", "wss"];

pub(super) const SECTION: Section = Section {
    name: "",
    repeated: false,
    about: "The file of `offhook phone --config phone.toml`. What the command line says counts more.",
    keys: &[
        Key::optional("account", "`--account`", "Whose phone it is: \"sip:101@example.test\"."),
        Key::optional("password", "`--password`", "The password of the account.").secret(),
        Key::optional("name", "none", "The name that the other side shows: \"Front desk\"."),
        Key::optional(
            "server",
            "the account's domain",
            "Where requests go: an address with a port, \"192.0.2.7:5060\".",
        ),
        Key::new(
            "transport",
            "\"udp\"",
            "How they go: \"udp\", \"tcp\", \"tls\", or as a browser's do, \"ws\" or \"wss\".",
        ),
        Key::new(
            "srtp",
            "\"welcome\"",
            "Whether others may hear calls on their way: \"off\", they may; \"welcome\", they may unless the other side offers SRTP; \"required\", they may \
             not, and a call that cannot have SRTP does not come about. The keys travel in the signalling, which TLS has to hide.",
        ),
        Key::optional(
            "authorities",
            "the system's alone",
            "Files with certificates of authorities (PEM) that are trusted too, for \"tls\" and \"wss\": [\"our-ca.pem\"].",
        ),
        Key::optional(
            "bind",
            "the one that reaches the server",
            "The address of this machine that the phone uses.",
        ),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_and_its_mistakes_have_places() {
        let file = "account = \"sip:101@h\"\npassword = \"x\"\nserver = \"192.0.2.7:5060\"\n";
        let phone = PhoneFile::parse("p", file).unwrap();
        assert_eq!(phone.account.as_deref(), Some("sip:101@h"));
        assert_eq!(phone.server, "192.0.2.7:5060".parse().ok());
        for (text, said) in [
            ("acount = \"sip:101@h\"", "p:1:1: unknown key or section `acount`"),
            ("account = \"sip:h\"", "p:1:11: `sip:h` has no user"),
            ("transport = \"upd\"", "p:1:13: unknown transport `upd`"),
            ("authorities = 1", "p:1:15: `authorities` must be a text"),
            ("bind = \"here\"", "p:1:8: `here` is not an IP address"),
        ] {
            let mistakes = PhoneFile::parse("p", text).unwrap_err().to_string();
            assert!(mistakes.starts_with(said), "{mistakes}");
        }
    }
}
