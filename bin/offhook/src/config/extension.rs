//! `[[extension]]`: the accounts.

use std::collections::BTreeSet;

use protocol::auth::Algorithm;

use super::fault::{At, Faults};
use super::key::{Key, Section};
use super::secret::Secret;
use super::table::Table;
use super::uri;
use crate::limits;

/// An account: who may register as `sip:number@domain`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// The user part of its address.
    pub number: String,
    /// How it proves itself.
    pub credential: Credential,
    /// What others see when it calls.
    pub name: Option<String>,
    /// Where it can be reached at all times: SIP URIs.
    pub contacts: Vec<String>,
    /// The numbers of those whom it may register.
    pub may_register: Vec<String>,
    /// How many calls it has at once on routes; nothing: as `[tolls]` says.
    pub calls: Option<u32>,
}

/// What an account proves itself with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// The password: every digest can be made from it.
    Password(Secret),
    /// Digests of it.
    Ha1(Ha1),
}

/// `H(user:realm:password)` in lower-case hexadecimal, by algorithm; at least one is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ha1 {
    /// MD5 (RFC 3261 §22.4).
    pub md5: Option<Secret>,
    /// SHA-256 (RFC 8760).
    pub sha256: Option<Secret>,
    /// SHA-512-256 (RFC 8760).
    pub sha512_256: Option<Secret>,
}

pub(super) fn read(entries: &[Table<'_>], faults: &mut Faults) -> Vec<Extension> {
    let mut numbers = BTreeSet::new();
    let mut extensions = Vec::new();
    for entry in entries {
        let number = entry.required("number", "[[extension]]", faults);
        let number = number.filter(|number| user(*number, "number", faults));
        if let Some(number) = number
            && !numbers.insert(number.value)
        {
            faults.refuse(
                number.span,
                format!("extension `{}` is there twice", number.value),
                "remove one",
            );
        }
        let name = entry.text("name", faults).filter(|name| judge_name(*name, faults));
        let credential = credential(entry, number, faults);
        let contacts = several(entry, "contacts", faults);
        let contacts = contacts.into_iter().filter_map(|text| contact(text, faults)).collect();
        let may_register = several(entry, "may_register", faults);
        let calls = entry.number("calls", 1..=limits::GROUP_CALLS, faults);
        if let (Some(number), Some(credential)) = (number, credential) {
            let name = name.map(|name| name.value.to_owned());
            let may_register = may_register.into_iter().map(|name| name.value.to_owned()).collect();
            let number = number.value.to_owned();
            let calls = calls.and_then(|calls| u32::try_from(calls.value).ok());
            let extension = Extension { number, credential, name, contacts, may_register, calls };
            extensions.push(extension);
        }
    }
    // Only now everybody is known.
    for name in
        entries.iter().flat_map(|entry| several(entry, "may_register", &mut Faults::default()))
    {
        if !numbers.contains(name.value) {
            let what = format!(
                "`may_register` names `{}`, and there is no such extension",
                name.value.escape_debug()
            );
            faults.refuse(name.span, what, "name the number of an [[extension]]");
        }
    }
    extensions
}

/// A list of texts that may be absent.
fn several<'a>(entry: &Table<'a>, key: &str, faults: &mut Faults) -> Vec<At<&'a str>> {
    let mut all = entry.texts(key, faults).unwrap_or_default();
    if all.len() > limits::NAMED_FOR_ONE {
        let what = format!("`{key}` has more than {} entries", limits::NAMED_FOR_ONE);
        faults.refuse(entry.span_of(key), what, "remove some");
        all.truncate(limits::NAMED_FOR_ONE);
    }
    all
}

/// An address at which somebody can be called: one without headers.
fn contact(text: At<&str>, faults: &mut Faults) -> Option<String> {
    let found = uri::read(text, faults)?;
    let headers = found.contains('?');
    if headers {
        let what = format!("`{}` has headers: no call could carry them", text.value.escape_debug());
        faults.refuse(text.span, what, "end it before the `?`");
    }
    (!headers).then_some(found)
}

/// Can it be the user part of a URI without escapes (RFC 3261 §25.1 `user`)?
pub(super) fn user(written: At<&str>, key: &str, faults: &mut Faults) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.!~*'()&=+$,;?/#".contains(c);
    let (what, hint) = match written.value {
        "" => ("is empty", "write a number or a name"),
        uri if uri.starts_with("sip:") || uri.contains('@') => {
            ("is an address", "write only what stands before the @, without sip:")
        }
        word if !word.chars().all(allowed) => {
            ("has a character that a user cannot have", "letters, digits and -_.+*#")
        }
        _ => return true,
    };
    faults.refuse(written.span, format!("`{key}` {what}"), hint);
    false
}

fn judge_name(name: At<&str>, faults: &mut Faults) -> bool {
    let clean = !name.value.contains(char::is_control);
    if !clean {
        faults.refuse(
            name.span,
            "`name` has a control character",
            "it is shown on phones: one line of text",
        );
    }
    clean
}

fn credential(
    entry: &Table<'_>,
    number: Option<At<&str>>,
    faults: &mut Faults,
) -> Option<Credential> {
    match (entry.has("password"), entry.has("ha1")) {
        (true, true) => {
            let what = "`password` and `ha1` are both given: which one counts?";
            faults.refuse_hidden(entry.span_of("ha1"), what, "remove one of the two");
            None
        }
        (false, false) => {
            let who = number
                .map_or("an extension".into(), |number| format!("extension `{}`", number.value));
            faults.refuse(
                entry.span,
                format!("{who} has no password"),
                "add password = \"…\" or ha1 = { … }",
            );
            None
        }
        (true, false) => {
            let password = entry.text("password", faults)?;
            judge_password(password, number, faults)
                .then(|| Credential::Password(Secret::new(password.value)))
        }
        (false, true) => Ha1::read(&entry.table("ha1", faults)?, faults).map(Credential::Ha1),
    }
}

fn judge_password(password: At<&str>, number: Option<At<&str>>, faults: &mut Faults) -> bool {
    if password.value.is_empty() {
        faults.refuse_hidden(
            password.span,
            "`password` is empty: anybody could be this extension",
            "choose one",
        );
        return false;
    }
    if password.value.contains(char::is_control) {
        faults.refuse_hidden(
            password.span,
            "`password` has a control character",
            "no phone can type it",
        );
        return false;
    }
    let Some(number) = number else { return true };
    let length = password.value.chars().count();
    let letters: BTreeSet<_> = password.value.chars().collect();
    let weakness = if password.value.contains(number.value) {
        Some("contains the number".to_owned())
    } else if length < limits::WEAK_PASSWORD {
        Some(format!("is shorter than {} characters", limits::WEAK_PASSWORD))
    } else if letters.len() < 5 {
        Some("repeats itself".to_owned())
    } else {
        None
    };
    if let Some(weakness) = weakness {
        let what = format!(
            "the password of extension `{}` {weakness}: strangers will guess it",
            number.value
        );
        faults.warn(
            password.span,
            what,
            "phones remember passwords, people need not: take 16 random letters",
        );
    }
    true
}

impl Ha1 {
    /// The digest by this algorithm, if it is there.
    pub const fn of(&self, algorithm: Algorithm) -> Option<&Secret> {
        match algorithm {
            Algorithm::Md5 => self.md5.as_ref(),
            Algorithm::Sha256 => self.sha256.as_ref(),
            Algorithm::Sha512_256 => self.sha512_256.as_ref(),
        }
    }

    fn read(written: &Table<'_>, faults: &mut Faults) -> Option<Self> {
        if ALGORITHMS.iter().all(|(key, _)| !written.has(key)) {
            faults.refuse_hidden(
                written.span,
                "`ha1` has no digest",
                "add md5, sha256 or sha512_256",
            );
            return None;
        }
        let mut digest = |key: &str| {
            let text = written.text(key, faults)?;
            let digits =
                ALGORITHMS.iter().find(|(name, _)| *name == key).map_or(0, |(_, digits)| *digits);
            if text.value.len() == digits && text.value.chars().all(|c| c.is_ascii_hexdigit()) {
                return Some(Secret::new(text.value.to_ascii_lowercase()));
            }
            let hint = format!("the {key} of user:realm:password in {digits} hexadecimal digits");
            faults.refuse_hidden(text.span, format!("`{key}` is not a digest"), hint);
            None
        };
        Some(Self {
            md5: digest("md5"),
            sha256: digest("sha256"),
            sha512_256: digest("sha512_256"),
        })
    }
}

/// The algorithms of a digest, and how many hexadecimal digits each has.
const ALGORITHMS: &[(&str, usize)] = &[("md5", 32), ("sha256", 64), ("sha512_256", 64)];

pub(super) const SECTION: Section = Section {
    name: "extension",
    repeated: true,
    about: "An account: one for each person or phone.",
    keys: &[
        Key::required(
            "number",
            "What others dial, and what stands before the @ of its address. A text, in quotes: 007 is not 7. It is the \
             user name of its phone.",
        ),
        Key::optional(
            "password",
            "`ha1` must be there",
            "What its phone proves itself with. It never appears in logs. Short ones are warned about: strangers try \
             them day and night.",
        )
        .secret(),
        Key::optional(
            "ha1",
            "`password` must be there",
            "Instead of the password: digests of `number:realm:password`, for who does not want passwords in a file. An \
             algorithm whose digest is absent is not offered to this extension.",
        )
        .secret()
        .with(&[
            Key::optional("md5", "not offered", "32 hexadecimal digits. Old phones know nothing else.").secret(),
            Key::optional("sha256", "not offered", "64 hexadecimal digits (RFC 8760).").secret(),
            Key::optional("sha512_256", "not offered", "64 hexadecimal digits (RFC 8760).").secret(),
        ]),
        Key::optional("name", "none", "What others see when it calls: \"Front desk\"."),
        Key::optional(
            "contacts",
            "none",
            "Where it is at all times, whether it registers or not: [\"sip:192.0.2.8:5060\"], for a gateway or a phone that cannot register. \
             They ring together with its registrations, never expire, no phone can remove them, and they are not listed in the answers \
             to its REGISTERs: a phone would think that somebody else uses its account.",
        ),
        Key::optional(
            "may_register",
            "itself alone",
            "Whom else it may register, by number: [\"101\", \"102\"], for a gateway that registers its telephones with one password \
             (RFC 3261 §10.2). Its From is its own address, the To that of the other.",
        ),
        Key::optional("calls", "as `[tolls]` says", "How many calls it has at once on routes."),
    ],
};
