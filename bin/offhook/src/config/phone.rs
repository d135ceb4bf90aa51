//! The file of `offhook phone --config`: whose phone it is, and where its server is.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use phone::{Signals, Srtp};
use sip::Uri;

use super::address;
use super::fault::{At, Faults, Span};
use super::key::{Key, Section};
use super::near::nearest;
use super::report::{Mistakes, Source};
use super::secret::Secret;
use super::table::{Item, Table};
use super::uri;
use crate::limits;

/// What a phone's file says. Every key may be absent: the command line can say it instead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PhoneFile {
    /// Its accounts, in the order of the file; each has what the top of the file says for all, where it says nothing itself.
    pub accounts: Vec<PhoneAccount>,
    /// What the top of the file says for all.
    pub all: PhoneAccount,
    /// By what a person hears and speaks.
    pub card: PhoneCard,
}

/// What the file says of the sound card.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhoneCard {
    /// Whether a person hears and speaks by it.
    pub used: Option<bool>,
    /// Whether what the loudspeaker plays is taken out of what the microphone hears.
    pub echo_cancellation: Option<bool>,
    /// Whether steady noise is.
    pub noise_suppression: Option<bool>,
}

/// One account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PhoneAccount {
    /// Whose phone: `sip:101@example.test`.
    pub address: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    /// The file with its token, shown instead of a password (RFC 8898).
    pub token_file: Option<PathBuf>,
    /// The authorization server that the token is from.
    pub token_server: Option<String>,
    /// The name that the other side shows.
    pub name: Option<String>,
    /// Where requests go, when not to the account's domain.
    pub server: Option<SocketAddr>,
    /// How they go.
    pub transport: Option<&'static str>,
    /// Whether others may hear its calls on their way.
    pub srtp: Option<Srtp>,
    /// Whose tones its owner hears.
    pub tones: Option<Signals>,
    /// Who may watch its calls and join them.
    pub show_calls_to: Vec<String>,
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
        let all = PhoneAccount::read(&table, &mut faults);
        let items = table.items("account", &mut faults).unwrap_or_default();
        if items.len() > limits::ACCOUNTS {
            let what = format!("{} accounts are too many for one phone", items.len());
            let most = format!("at most {}", limits::ACCOUNTS);
            faults.refuse(table.span_of("account"), what, most);
        }
        if items.len() > 1 && all.token_file.is_some() {
            let what = "`token_file` is said for several accounts";
            let remedy =
                "say it in the [[account]] of the provider that it is for: no other may see it";
            faults.refuse(table.span_of("token_file"), what, remedy);
        }
        let one = |item: &Item<'_>| match item {
            Item::Text(address) => {
                PhoneAccount { address: account(*address, &mut faults), ..all.clone() }
            }
            Item::Table(table) => {
                let address = table.required("address", "`account`", &mut faults);
                let address = address.and_then(|address| account(address, &mut faults));
                PhoneAccount { address, ..PhoneAccount::read(table, &mut faults) }.or(&all)
            }
        };
        let accounts = items.iter().map(one).collect();
        let card = PhoneCard {
            used: table.flag("card", &mut faults),
            echo_cancellation: table.flag("echo_cancellation", &mut faults),
            noise_suppression: table.flag("noise_suppression", &mut faults),
        };
        let phone = Self { accounts, all, card };
        if faults.faults.is_empty() { Ok(phone) } else { Err(Mistakes::of(source, &mut faults)) }
    }
}

impl PhoneFile {
    /// A person hears: where nothing is said of tones, there are some.
    pub(crate) fn expect_tones(&mut self) {
        for account in self.accounts.iter_mut().chain([&mut self.all]) {
            account.tones = account.tones.or(Some(Signals::Europe));
        }
    }
}

impl PhoneAccount {
    /// All but the address.
    fn read(table: &Table<'_>, faults: &mut Faults) -> Self {
        let authorities = table.texts("authorities", faults).unwrap_or_default();
        let friends = table.texts("show_calls_to", faults).unwrap_or_default();
        Self {
            address: None,
            password: table.text("password", faults).map(|text| Secret::new(text.value)),
            token_file: table.text("token_file", faults).map(|text| text.value.into()),
            token_server: table.text("token_server", faults).map(|text| text.value.to_owned()),
            name: table.text("name", faults).map(|text| text.value.to_owned()),
            server: table.text("server", faults).and_then(|text| address::read(text, 5060, faults)),
            transport: table.text("transport", faults).and_then(|text| transport(text, faults)),
            srtp: table.text("srtp", faults).and_then(|text| one_of(&SRTP, "policy", text, faults)),
            tones: table
                .text("tones", faults)
                .and_then(|text| one_of(&TONES, "tones", text, faults)),
            show_calls_to: friends.into_iter().map(|text| text.value.to_owned()).collect(),
            authorities: authorities.into_iter().map(|text| text.value.into()).collect(),
            bind: table.text("bind", faults).and_then(|text| bind(text, faults)),
        }
    }

    /// What may be said for several: a token is for one provider, and no other may see it.
    pub(crate) fn without_token(self) -> Self {
        Self { token_file: None, token_server: None, ..self }
    }

    /// Where it says nothing itself, what is said for all.
    fn or(self, all: &Self) -> Self {
        fn list<T: Clone>(own: Vec<T>, all: &[T]) -> Vec<T> {
            if own.is_empty() { all.to_vec() } else { own }
        }
        Self {
            address: self.address,
            password: self.password.or_else(|| all.password.clone()),
            token_file: self.token_file.or_else(|| all.token_file.clone()),
            token_server: self.token_server.or_else(|| all.token_server.clone()),
            name: self.name.or_else(|| all.name.clone()),
            server: self.server.or(all.server),
            transport: self.transport.or(all.transport),
            srtp: self.srtp.or(all.srtp),
            tones: self.tones.or(all.tones),
            show_calls_to: list(self.show_calls_to, &all.show_calls_to),
            authorities: list(self.authorities, &all.authorities),
            bind: self.bind.or(all.bind),
        }
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
pub(crate) const SRTP: [(&str, Srtp); 4] = [
    ("off", Srtp::Off),
    ("welcome", Srtp::Welcome),
    ("required", Srtp::Required),
    ("dtls", Srtp::Dtls),
];

/// Whose tones there are.
pub(crate) const TONES: [(&str, Signals); 3] = [
    ("off", Signals::Silent),
    ("europe", Signals::Europe),
    ("north-america", Signals::NorthAmerica),
];

/// What a name stands for.
fn one_of<T: Copy>(
    known: &[(&str, T)],
    what: &str,
    written: At<&str>,
    faults: &mut Faults,
) -> Option<T> {
    let found = known.iter().find(|(name, _)| *name == written.value);
    if found.is_none() {
        let names: Vec<_> = known.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let what = format!("unknown {what} `{}`", written.value.escape_debug());
        faults.refuse(written.span, what, format!("one of {}", names.join(", ")));
    }
    found.map(|(_, value)| *value)
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
    keys: &whole(),
};

const ACCOUNT: Key = Key::optional(
    "account",
    "`--account`",
    "Whose phone it is: \"sip:101@example.test\". For several, a list of such, or an `[[account]]` each: then the other keys stand in it, or at the \
     top of the file for all of them.",
)
.with(ONE);

/// All that may stand at the top.
const fn whole() -> [Key; 15] {
    let [a, b, c, d, e, f, g, h, i, j, k, l] = keys(ACCOUNT);
    [a, b, c, d, e, f, g, h, i, j, k, l, CARD, ECHO, NOISE]
}

/// The keys of an `[[account]]`.
const ONE: &[Key] = &keys(Key::required("address", "As above: \"sip:101@example.test\"."));

/// Whose it is, and what may be said of all accounts or of one.
const fn keys(whose: Key) -> [Key; 12] {
    [
        whose,
        PASSWORD,
        TOKEN,
        TOKEN_FROM,
        NAME,
        SERVER,
        TRANSPORT,
        WHO_HEARS,
        WHOSE_TONES,
        WHO_SEES,
        AUTHORITIES,
        BIND,
    ]
}

const PASSWORD: Key =
    Key::optional("password", "`--password`", "The password of the account.").secret();
const TOKEN: Key = Key::optional(
    "token_file",
    "none",
    "A file with an OAuth token (RFC 8898), shown to a registrar or proxy that asks for one of `token_server`: by TLS to the account's own server alone, \
     and in REGISTER alone, unless it is encrypted (a JWT of five parts). It is read when the phone starts. With several accounts it is said in \
     the [[account]] that it is for.",
);
const TOKEN_FROM: Key = Key::optional(
    "token_server",
    "none",
    "The authorization server that the token is from, as challenges name it: \"https://login.example.test\". With `token_file` alone.",
);
const NAME: Key =
    Key::optional("name", "none", "The name that the other side shows: \"Front desk\".");
const SERVER: Key = Key::optional(
    "server",
    "the account's domain",
    "Where requests go: an address with a port, \"192.0.2.7:5060\".",
);
const TRANSPORT: Key = Key::new(
    "transport",
    "\"udp\"",
    "How they go: \"udp\", \"tcp\", \"tls\", or as a browser's do, \"ws\" or \"wss\".",
);
const WHO_HEARS: Key = Key::new(
    "srtp",
    "\"welcome\"",
    "Whether others may hear calls on their way: \"off\", they may; \"welcome\", they may unless the other side offers SRTP; \"required\", they may \
     not, and a call that cannot have SRTP does not come about; its keys travel in the signalling, which TLS has to hide; \"dtls\", they may not, nor \
     may who carries the signalling: the phones make the keys themselves (DTLS-SRTP). Whoever offers such keys gets them with \"welcome\" and \"required\" too.",
);
const WHOSE_TONES: Key = Key::optional(
    "tones",
    "\"off\"; with `card`, \"europe\"",
    "Whose tones its owner hears when it rings there, when they are busy, when nobody is reached and when somebody else calls: \"europe\" or \
     \"north-america\"; with \"off\", none.",
);
const WHO_SEES: Key = Key::optional(
    "show_calls_to",
    "nobody",
    "Who may watch the calls of this phone, join them and take them over: [\"102\", \"sip:bob@example.test\"]. The own address has to be listed too, if \
     other phones of it may. Whoever writes such an address into From is believed when the server passes it on: list only whom it looks at.",
);
const CARD: Key = Key::new(
    "card",
    "false",
    "Whether a person hears and speaks by the sound card of the machine, in a program that was built with the feature `soundcard`.",
);
const ECHO: Key = Key::new(
    "echo_cancellation",
    "true",
    "With `card`: whether what the loudspeaker plays is taken out of what the microphone hears. A headset does not need it.",
);
const NOISE: Key = Key::new(
    "noise_suppression",
    "true",
    "With `card`: whether what goes on all the time (fans, hum) is made quieter in what the microphone hears.",
);
const AUTHORITIES: Key = Key::optional(
    "authorities",
    "the system's alone",
    "Files with certificates of authorities (PEM) that are trusted too, for \"tls\" and \"wss\": [\"our-ca.pem\"].",
);
const BIND: Key = Key::optional(
    "bind",
    "the one that reaches the server",
    "The address of this machine that the phone uses.",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_and_its_mistakes_have_places() {
        let file = "account = \"sip:101@h\"\npassword = \"x\"\nserver = \"192.0.2.7:5060\"\n";
        let phone = PhoneFile::parse("p", file).unwrap();
        let [one] = &phone.accounts[..] else { panic!("{phone:?}") };
        assert_eq!(one.address.as_deref(), Some("sip:101@h"));
        assert_eq!(one.server, "192.0.2.7:5060".parse().ok());
        for (text, said) in [
            ("acount = \"sip:101@h\"", "p:1:1: unknown key or section `acount`"),
            ("account = \"sip:h\"", "p:1:11: `sip:h` has no user"),
            ("transport = \"upd\"", "p:1:13: unknown transport `upd`"),
            ("srtp = \"on\"", "p:1:8: unknown policy `on`"),
            ("tones = \"usa\"", "p:1:9: unknown tones `usa`"),
            ("card = \"yes\"", "p:1:8: `card` must be true or false"),
            (
                "[[account]]\naddress = \"sip:a@h\"\ncard = true",
                "p:3:1: `account` has no key `card`",
            ),
            ("show_calls_to = 102", "p:1:17: `show_calls_to` must be a text"),
            ("authorities = 1", "p:1:15: `authorities` must be a text"),
            ("bind = \"here\"", "p:1:8: `here` is not an IP address"),
            ("[[account]]\npassword = \"x\"", "p:1:1: `account` has no `address`"),
            ("[[account]]\naddress = \"sip:h\"", "p:2:11: `sip:h` has no user"),
            ("[[account]]\naddres = \"sip:a@h\"", "p:1:1: `account` has no `address`"),
            ("account = 7", "p:1:11: `account` must be a list of texts or tables, not a number"),
        ] {
            let mistakes = PhoneFile::parse("p", text).unwrap_err().to_string();
            assert!(mistakes.starts_with(said), "{mistakes}");
        }
    }

    #[test]
    fn several_accounts_have_what_is_said_for_all_and_each_its_own() {
        let file = "server = \"192.0.2.7:5060\"\nsrtp = \"required\"\nshow_calls_to = \"102\"\n\
                    [[account]]\naddress = \"sip:101@h\"\npassword = \"x\"\n\
                    [[account]]\naddress = \"sip:a@i\"\nserver = \"192.0.2.8:5061\"\ntransport = \"tls\"\n";
        let phone = PhoneFile::parse("p", file).unwrap();
        let [one, other] = &phone.accounts[..] else { panic!("{phone:?}") };
        assert_eq!((one.address.as_deref(), one.transport), (Some("sip:101@h"), None));
        assert_eq!((one.server, one.srtp), ("192.0.2.7:5060".parse().ok(), Some(Srtp::Required)));
        assert_eq!((other.address.as_deref(), other.transport), (Some("sip:a@i"), Some("tls")));
        assert_eq!((other.server, &other.password), ("192.0.2.8:5061".parse().ok(), &None));
        assert_eq!(other.srtp, Some(Srtp::Required));
        let token = "token_file = \"t\"\ntoken_server = \"https://l\"\naccount = \"sip:a@h\"";
        let token = PhoneFile::parse("p", token).unwrap().accounts.remove(0);
        assert_eq!(token.token_file, Some("t".into()));
        assert_eq!(token.token_server.as_deref(), Some("https://l"));
        assert_eq!(other.show_calls_to, ["102"]);
        let shared = "token_file = \"t\"\ntoken_server = \"https://l\"\naccount = [\"sip:a@h\", \"sip:b@i\"]";
        let shared = PhoneFile::parse("p", shared).unwrap_err().to_string();
        assert!(shared.contains("p:1:14") && shared.contains("no other may see it"), "{shared}");
        let listed =
            PhoneFile::parse("p", "account = [\"sip:a@h\", \"sip:b@h\"]\npassword = \"x\"");
        let addresses: Vec<_> =
            listed.unwrap().accounts.into_iter().map(|one| one.address).collect();
        assert_eq!(addresses, [Some("sip:a@h".into()), Some("sip:b@h".into())]);
        let many = "[[account]]\naddress = \"sip:a@h\"\n".repeat(limits::ACCOUNTS + 1);
        let mistakes = PhoneFile::parse("p", &many).unwrap_err().to_string();
        assert!(mistakes.contains("accounts are too many for one phone"), "{mistakes}");
    }
}
