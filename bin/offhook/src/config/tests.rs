//! The table of keys agrees with what is read, and secrets stay secret.

use ::server::settings::Action;

use net::tls::Files;

use super::*;

pub(super) fn parse(text: &str) -> Result<Config, String> {
    Config::parse("offhook.toml", text).map_err(|mistakes| mistakes.to_string())
}

/// A file with every key, secrets included.
const EVERYTHING: &str = r#"
domains = ["example.test", "192.0.2.1"]
[listen]
udp = ["127.0.0.1:0", "[::1]:5060"]
tcp = "127.0.0.1:5060"
tls = ["127.0.0.1:5061"]
ws = ["127.0.0.1:5080"]
wss = ["127.0.0.1:5443"]
console = "127.0.0.1:8060"
[tls]
certificate = "cert.pem"
private_key = "key.pem"
[server]
shards = 2
[auth]
realm = "office"
challenge = ["REGISTER", "INVITE"]
[registrar]
expires = { min = 30, default = 300, max = 600 }
max_contacts = 3
[store]
url = "redis://:Geheim-im-Lager@192.0.2.9"
durability = "relaxed"
replicas = 1
[cluster]
listen = "127.0.0.1:5070"
secret_file = "cluster.secret"
[[extension]]
number = "101"
password = "Geheim-im-Telefon"
name = "Front desk"
[[extension]]
number = "102"
ha1 = { md5 = "0123456789abcdef0123456789ABCDEF" }
[[redirect]]
user = "sales"
to = ["sip:101@example.test", "sips:sales@other.test"]
[[route]]
match = { domain = "other.test" }
to = "sip:192.0.2.7:5060;transport=tcp"
[[route]]
match = { prefix = "+49" }
to = "sip:[2001:db8::7]:5070"
[[route]]
match = { domain = "third.test" }
[dns]
servers = ["127.0.0.1:5353"]
"#;

#[test]
fn every_key_means_what_it_says() {
    let config = parse(EVERYTHING).expect("fine");
    assert_eq!(
        config.domains.iter().map(Domain::as_str).collect::<Vec<_>>(),
        ["example.test", "192.0.2.1"]
    );
    let address = |text: &str| text.parse().expect("address");
    assert_eq!(config.listen.udp, [address("127.0.0.1:0"), address("[::1]:5060")]);
    assert_eq!(config.listen.tcp, [address("127.0.0.1:5060")]);
    assert_eq!(config.listen.wss, [address("127.0.0.1:5443")]);
    assert_eq!(config.listen.console, Some(address("127.0.0.1:8060")));
    assert_eq!(
        config.tls.and_then(|terms| terms.certificate),
        Some(Files { certificate: "cert.pem".into(), key: "key.pem".into() })
    );
    assert_eq!(config.server.shards.map(usize::from), Some(2));
    assert_eq!(config.server.software, "Offhook");
    assert_eq!(
        config.auth,
        Auth {
            realm: "office".into(),
            challenge: vec!["REGISTER", "INVITE"],
            algorithms: None,
            userhash: false
        }
    );
    assert_eq!(config.registrar.expires.min.as_secs(), 30);
    assert_eq!(config.registrar.expires.default.as_secs(), 300);
    assert_eq!(config.registrar.expires.max.as_secs(), 600);
    assert_eq!(config.registrar.max_contacts, 3);
    assert_eq!(config.store.durability, Durability::Relaxed);
    let [first, second] = config.extensions.as_slice() else { panic!("two extensions") };
    assert_eq!(first.credential, Credential::Password(Secret::new("Geheim-im-Telefon")));
    assert_eq!(first.name.as_deref(), Some("Front desk"));
    let md5 = Some(Secret::new("0123456789abcdef0123456789abcdef"));
    assert_eq!(second.credential, Credential::Ha1(Ha1 { md5, ..Ha1::default() }));
    assert_eq!(
        *config.redirects[0].to.to,
        ["sip:101@example.test", "sips:sales@other.test"].map(Box::from)
    );
    assert_eq!(*config.routes[1].matches.prefixes, [Box::from("+49")]);
    assert_eq!(config.routes[2].action, Action::To(Vec::new()));
    assert_eq!(config.dns.servers, Some(vec![address("127.0.0.1:5353")]));
}

#[test]
fn the_realm_is_the_first_domain_and_an_empty_file_is_the_default() {
    assert_eq!(parse("domains = \"Example.test\"").expect("fine").auth.realm, "example.test");
    assert_eq!(parse("").expect("fine"), Config::default());
}

/// Every key of the table with its place: section, parent key, key.
fn keys() -> impl Iterator<Item = (&'static Section, Option<&'static Key>, &'static Key)> {
    SECTIONS.iter().flat_map(|section| {
        section.keys.iter().flat_map(move |key| {
            let inner = key.keys.iter().map(move |inner| (*section, Some(key), inner));
            std::iter::once((*section, None, key)).chain(inner)
        })
    })
}

fn heading(section: &Section) -> String {
    if section.name.is_empty() { String::new() } else { section.heading() }
}

#[test]
fn every_default_in_the_table_is_true() {
    for (section, parent, key) in keys() {
        let Absent::Default(value) = key.absent else { continue };
        let line = match parent {
            Some(parent) => format!("{} = {{ {} = {value} }}", parent.name, key.name),
            None => format!("{} = {value}", key.name),
        };
        let required = section.keys.iter().filter(|key| key.absent == Absent::Refused);
        let required: String = required.map(|key| format!("{} = \"x\"\n", key.name)).collect();
        let with = |line: &str| {
            let mut config = parse(&format!("{}\n{required}{line}\n", heading(section)))
                .unwrap_or_else(|said| panic!("{line}: {said}"));
            config.warnings.clear();
            config
        };
        // What a table's keys default to counts where the table is.
        let absent = parent.map_or(String::new(), |parent| format!("{} = {{}}", parent.name));
        assert_eq!(with(&line), with(&absent), "{line}");
    }
}

#[test]
fn every_key_in_the_table_is_read() {
    for (section, parent, key) in keys() {
        // No key can be a date: whoever does not complain has not looked.
        let line = match parent {
            Some(parent) => format!("{} = {{ {} = 2026-11-24 }}", parent.name, key.name),
            None => format!("{} = 2026-11-24", key.name),
        };
        let said = parse(&format!("{}\n{line}\n", heading(section))).expect_err(&line);
        assert!(said.contains(&format!("`{}` must be", key.name)), "{line}: {said}");
    }
}

#[test]
fn the_top_of_the_file_knows_every_section() {
    let top = |name: &&str| !name.is_empty() && !name.contains('.');
    let sections = SECTIONS.iter().map(|section| section.name).filter(top);
    let expected: Vec<_> =
        domains::SECTION.keys.iter().map(|key| key.name).chain(sections).collect();
    assert_eq!(TOP.iter().map(|key| key.name).collect::<Vec<_>>(), expected);
}

#[test]
fn nothing_shows_a_secret() {
    let config = parse(EVERYTHING).expect("fine");
    let warned: String = config.warnings.iter().map(ToString::to_string).collect();
    for shown in [format!("{config:?} {config:#?}"), crate::check::summary(&config), warned] {
        for secret in ["Geheim", "0123456789abcdef", "0123456789ABCDEF"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }
}

/// Who only says where it listens for datagrams has said where it listens for streams, or it decides on both itself.
/// Proves: rfc3261-18.2.1-3.
#[test]
fn by_default_the_server_listens_for_streams_where_it_listens_for_datagrams() {
    let listen = parse("").unwrap().listen;
    assert_eq!((listen.udp.len(), &listen.udp), (1, &listen.tcp));
    let moved = parse("[listen]\nudp = [\"127.0.0.1:5090\", \"[::1]:5090\"]\n").unwrap().listen;
    assert_eq!((moved.udp.len(), &moved.udp), (2, &moved.tcp));
}
