//! Wrong configs and what is said about them, to the letter.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail like tests"
)]

use offhook::config::Config;

/// What is said, without the name of the file.
fn said(text: &str) -> String {
    Config::parse("f", text).expect_err(text).to_string()
}

#[test]
fn a_mistake_is_shown_with_its_line_and_what_was_meant() {
    let text =
        "domains = [\"example.test\"]\n\n[registrar]\nexpires = { min = 60, defualt = 3600 }\n";
    let expected = "\
f:4:23: `expires` has no key `defualt`
4 | expires = { min = 60, defualt =…
  |                       ^^^^^^^ did you mean `default`?
";
    assert_eq!(said(text), expected);
}

#[test]
fn every_mistake_is_named_in_the_order_of_the_file() {
    let text =
        "relm = \"x\"\n[listen]\nudp = \"localhost:5060\"\n[auth]\nchallenge = [\"INVIT\"]\n";
    let places: Vec<_> = Config::parse("f", text)
        .expect_err("wrong")
        .notices
        .iter()
        .map(|notice| notice.place)
        .collect();
    assert_eq!(places, [Some((1, 1)), Some((3, 7)), Some((5, 14))]);
}

/// File; then place and fault; then what is said under the caret.
const TABLE: &[(&str, &str, &str)] = &[
    ("domians = \"a\"", "1:1: unknown key or section `domians`", "did you mean `domains`?"),
    ("realm = \"a\"", "1:1: unknown key or section `realm`", "`realm` belongs in [auth]"),
    ("[regstrar]", "1:2: unknown key or section `regstrar`", "did you mean `registrar`?"),
    (
        "[registrar]\nwhen_full = \"oldst\"",
        "2:13: unknown policy `oldst`",
        "did you mean \"oldest\"?",
    ),
    (
        "[registrar]\nservice_route = \"sip:a.example\"",
        "2:17: `sip:a.example` is no loose router",
        "write \"sip:a.example;lr\"",
    ),
    (
        "[push]\nurl = \"https://a.example\"",
        "2:7: `url` is HTTPS, which is not spoken to hooks",
        "run the program on this machine, and let it speak HTTPS to the world",
    ),
    ("[push]\nurl = \"a\"", "2:7: `url` is no URL", "write \"http://127.0.0.1:8080/push\""),
    (
        "[push]\nurl = \"http://a\"\nproviders = []",
        "3:13: `providers` is empty: nobody could be woken",
        "leave it out, or name one",
    ),
    ("[push]\nurl = \"http://a\"\nwait = 60", "3:8: `wait` cannot be 60", "from 1 to 25"),
    (
        "[registrar]\nedge_for = \"localhost\"",
        "2:12: `localhost` is one of our own `domains`: its phones register here",
        "remove it there or here",
    ),
    ("[registrar]\njitter = 90", "2:10: `jitter` cannot be 90", "from 0 to 50"),
    (
        "[[extension]]\nnumber = \"1\"\npassword = \"vUXcSbSRlZ\"\nmay_register = [\"2\"]",
        "4:17: `may_register` names `2`, and there is no such extension",
        "name the number of an [[extension]]",
    ),
    (
        "[[extension]]\nnumber = \"1\"\npassword = \"vUXcSbSRlZ\"\ncontacts = [\"sip:a@b?x=y\"]",
        "4:13: `sip:a@b?x=y` has headers: no call could carry them",
        "end it before the `?`",
    ),
    ("domains = []", "1:11: `domains` is empty: the server would answer for nobody", "add one"),
    ("domains = 5", "1:11: `domains` must be a text, not a number", "put it in quotes"),
    (
        "domains = \"a b\"",
        "1:11: `a b` is not a host name",
        "letters, digits, hyphens and dots: \"example.test\"",
    ),
    ("domains = [\"a\", \"A\"]", "1:17: `a` is listed twice", "remove one"),
    ("[listen]\nudp = \"10.0.0.1\"", "2:7: `10.0.0.1` has no port", "write \"10.0.0.1:5060\""),
    (
        "[listen]\nudp = [\"10.0.0.1:5060\", \"0.0.0.0:5060\"]",
        "2:25: `0.0.0.0:5060` collides with `10.0.0.1:5060` of `udp`",
        "a port of an address can be taken only once",
    ),
    (
        "[listen]\nws = \"127.0.0.1:5060\"",
        "2:6: `127.0.0.1:5060` is also the address of `tcp`",
        "a port of an address can be taken only once",
    ),
    (
        "[listen]\nudp = []\ntcp = []",
        "1:1: the server would listen nowhere",
        "remove udp = [] or tcp = []",
    ),
    (
        "[listen]\ntls = \"127.0.0.1:5061\"",
        "1:1: [listen] has tls or wss, but there is no [tls] with a certificate",
        "add [tls] with certificate = \"…\" and private_key = \"…\"",
    ),
    ("[tls]\ncertificate = \"c\"", "1:1: [tls] has no `private_key`", "add private_key = \"…\""),
    (
        "[tls]\ncertificate = \"c\"\nprivate_key = \"k\"\nclient_certificates = \"aks\"",
        "4:23: unknown policy `aks`",
        "did you mean \"ask\"?",
    ),
    (
        "[tls]\ncertificate = \"c\"\nprivate_key = \"k\"\nauthorities = [\"\"]",
        "4:16: `authorities` is empty",
        "write the name of a PEM file",
    ),
    (
        "[tls]\ncertificate = \"c\"\nprivate_key = \"k\"\n[[tls.domain]]\nname = \"a\"\ncertificate = \"c\"",
        "4:1: [[tls.domain]] has no `private_key`",
        "add private_key = \"…\"",
    ),
    (
        "[tls]\ncertificate = \"c\"\nprivate_key = \"k\"\n[[tls.domain]]\nname = \"a\"\ncertificate = \"c\"\nprivate_key = \"k\"\n\
         [[tls.domain]]\nname = \"A\"\ncertificate = \"c\"\nprivate_key = \"k\"",
        "9:8: `a` has two certificates",
        "remove one",
    ),
    ("[server]\nrole = \"redirct\"", "2:8: unknown role `redirct`", "did you mean \"redirect\"?"),
    ("[server]\nshards = -1", "2:10: `shards` cannot be -1", "from 0 to 1024"),
    (
        "[server]\nsoftware = \"a\\r\\nb\"",
        "2:12: `software` has a character that the Server header cannot hold",
        "use letters, digits and `/`; or \"\" to say nothing",
    ),
    (
        "[auth]\nuserhash = 1",
        "2:12: `userhash` must be true or false, not a number",
        "write it without quotes",
    ),
    (
        "[auth]\nrealm = 'a\"b'",
        "2:9: `realm` has a quote or a backslash: phones disagree on how it is hashed then",
        "use letters, digits and dots",
    ),
    ("[auth]\nchallenge = [\"INVIT\"]", "2:14: unknown method `INVIT`", "did you mean `INVITE`?"),
    (
        "[auth]\nchallenge = \"ACK\"",
        "2:13: `ACK` cannot be challenged: nobody can send it again (RFC 3261 §22.1)",
        "remove it",
    ),
    (
        "[registrar]\nexpires = { max = 30 }",
        "2:19: `max` (30) is shorter than `min` (60)",
        "min ≤ default ≤ max",
    ),
    (
        "[registrar]\nexpires = { default = 9000 }",
        "2:23: `default` (9000) is longer than `max` (7200)",
        "min ≤ default ≤ max",
    ),
    (
        "[registrar]\nmax_contacts = \"9\"",
        "2:16: `max_contacts` must be a whole number, not a text",
        "write it without quotes",
    ),
    (
        "[auth]\nalgorithms = [\"SHA256\"]",
        "2:15: unknown algorithm `SHA256`",
        "did you mean \"SHA-256\"?",
    ),
    (
        "[auth]\nalgorithms = \"SHA-256\"\n[[extension]]\nnumber = \"1\"\nha1 = { md5 = \"0123456789abcdef0123456789abcdef\" }",
        "1:1: extension 1 has none of the [auth] algorithms",
        "give it such a `ha1`, or offer another",
    ),
    (
        "[store]\ndurability = \"groupd\"",
        "2:14: unknown durability `groupd`",
        "did you mean \"grouped\"?",
    ),
    (
        "[store]\nurl = \"redsi://:pw@h\"",
        "2:7: `url` has an unknown scheme",
        "did you mean `redis:`?",
    ),
    (
        "[extension]\nnumber = \"1\"",
        "1:1: `extension` must be a list of sections, not a table",
        "write [[extension]]",
    ),
    (
        "[[extension]]\npassword = \"xxxxxxxxxx\"",
        "1:1: [[extension]] has no `number`",
        "add number = \"…\"",
    ),
    (
        "[[extension]]\nnumber = \"1\"",
        "1:1: extension `1` has no password",
        "add password = \"…\" or ha1 = { … }",
    ),
    (
        "[[extension]]\nnumber = \"1\"\npassword = \"\"",
        "3:12: `password` is empty: anybody could be this extension",
        "choose one",
    ),
    (
        "[[extension]]\nnumber = \"1\"\npassword = \"geheim\"\nha1 = { md5 = \"geheim\" }",
        "4:7: `password` and `ha1` are both given: which one counts?",
        "remove one of the two",
    ),
    (
        "[[extension]]\nnumber = \"1\"\nha1 = { md5 = \"geheim\" }",
        "3:15: `md5` is not a digest",
        "the md5 of user:realm:password in 32 hexadecimal digits",
    ),
    (
        "[[redirect]]\nuser = \"a\"\nto = \"b\"",
        "3:6: `b` is not a SIP URI",
        "write it like \"sip:101@example.test\"",
    ),
    (
        "[[route]]\nmatch = { domain = \"localhost\" }",
        "2:20: `localhost` is one of our own `domains`: its requests stay here",
        "remove it there or here",
    ),
    (
        "[[route]]\nmatch = { prefix = \"00\" }",
        "1:1: a route for a prefix needs `to`: there is no domain to look up",
        "add to = \"sip:…\"",
    ),
    (
        "[[route]]\nmatch = { prefx = \"00\" }\nto = \"sip:h\"",
        "2:11: `match` has no key `prefx`",
        "did you mean `prefix`?",
    ),
    (
        "[[route]]\nmatch = { regex = \"(\" }\nto = \"sip:h\"",
        "2:19: `(` is no regular expression: found open group without closing ')'",
        "write it like '^00[1-9]', in single quotes",
    ),
    (
        "[[route]]\nmatch = { method = \"INVIT\" }\nto = \"sip:h\"",
        "2:20: no route is for `INVIT`",
        "did you mean \"INVITE\"?",
    ),
    (
        "[[extension]]\nnumber = \"1012\"\npassword = \"geheimnisvoll\"\n[[route]]\nmatch = { caller = \"1021\" }\nto = \"sip:h\"",
        "5:20: there is no extension `1021`",
        "did you mean \"1012\"?",
    ),
    (
        "[[route]]\nmatch = { network = \"10.0.0.1/8\" }\nto = \"sip:h\"",
        "2:21: `10.0.0.1/8` has bits behind its network",
        "write it like \"192.0.2.0/24\" or \"2001:db8::/32\"",
    ),
    (
        "[[route]]\nmatch = { listener = \"127.0.0.1:5062\" }\nto = \"sip:h\"",
        "2:22: nothing listens at `127.0.0.1:5062`",
        "[listen] has 127.0.0.1:5060",
    ),
    (
        "[[route]]\nmatch = { prefix = \"0\" }\nwhen = { days = \"mon-fry\" }\nto = \"sip:h\"",
        "3:17: unknown day `fry`",
        "did you mean \"fri\"?",
    ),
    (
        "[[route]]\nmatch = { prefix = \"0\" }\nwhen = { from = \"8:00\" }\nto = \"sip:h\"",
        "3:17: `8:00` is no time of the day",
        "write it like \"08:00\"",
    ),
    (
        "[[route]]\nmatch = { prefix = \"0\" }\nwhen = { from = \"08:00\", zone = \"Europe/Berlim\" }\nto = \"sip:h\"",
        "3:33: unknown time zone `Europe/Berlim`",
        "did you mean \"Europe/Berlin\"?",
    ),
    (
        "[[route]]\nmatch = { prefix = \"0\" }\nrewrite = { regex = '^0(.)', replace = \"$2\" }\nto = \"sip:h\"",
        "3:40: `$2` names what `regex` does not have",
        "`regex` has 1 pairs of parentheses; write ${1}0 when digits follow",
    ),
    (
        "[[route]]\nmatch = { prefix = \"0\" }\nredirect = 303\nto = \"sip:h\"",
        "3:12: 303 is no redirection",
        "300 (several), 301 (for good), 302 (for now) or 305 (by this proxy)",
    ),
    (
        "[[route]]\nmatch = { prefix = \"0\" }\ndeny = \"No\"\nto = \"sip:h\"",
        "4:6: a route that denies has no use for `to`",
        "remove one of the two",
    ),
    (
        "[[route]]\nmatch = { prefix = \"0\" }\nto = \"sip:h\"\nchallenge = false",
        "4:13: a route that asks nobody who it is must say from where",
        "add network = \"…\" to `match`, and no caller",
    ),
    (
        "[[route]]\nmatch = { prefix = \"0\" }\nto = \"sip:h\"\n[[route]]\nmatch = { prefix = \"0\" }\nto = \"sip:i\"",
        "5:9: there is a route for this already",
        "remove one",
    ),
    (
        "[[route]]\nmatch = { prefix = \"0\" }\ngroup = \"cariers\"\n[[group]]\nname = \"carriers\"\ntarget = \"sip:h\"",
        "3:9: there is no group `cariers`",
        "did you mean \"carriers\"?",
    ),
    (
        "[[group]]\nname = \"a\"\ntarget = \"sip:h\"\nbalance = \"wieght\"",
        "4:11: unknown balance `wieght`",
        "did you mean \"weight\"?",
    ),
    (
        "[[route]]\nmatch = { prefix = \"0\" }\nenum = \"e164.arpa\"\nto = \"sip:h\"",
        "3:8: `enum` lets the DNS say where, and something else does, too: which one counts?",
        "write a route for each: the next is taken when the DNS says nothing",
    ),
    (
        "[[group]]\nname = \"a\"",
        "1:1: [[group]] has no `target`",
        "add [[group.target]] with to = \"sip:…\"",
    ),
    (
        "[[group]]\nname = \"a\"\n[[group.target]]\nto = \"sip:h\"\nwieght = 2",
        "5:1: `target` has no key `wieght`",
        "did you mean `weight`?",
    ),
    (
        "[[group]]\nname = \"a\"\ntarget = \"sip:h\"\nfailover = [500, 603]",
        "4:18: after a 603 nobody else is asked (RFC 3261 §16.7)",
        "remove it",
    ),
    (
        "[[group]]\nname = \"a\"\ntarget = \"sip:h\"\nprobe = { interval = 2, timeout = 4 }",
        "4:9: `timeout` (4) is longer than `interval` (2)",
        "a probe ends before the next begins",
    ),
    (
        "[[redirect]]\nuser = \"a\"\nto = \"sip:b@h\"\nstatus = 307",
        "4:10: 307 is no redirection",
        "300 (several), 301 (for good), 302 (for now) or 305 (by this proxy)",
    ),
    ("[dns]\nservers = \"9.9.9.9\"", "2:11: `9.9.9.9` has no port", "write \"9.9.9.9:53\""),
    (
        "[dns]\nservers = [\n\"1.1.1.1:53\", \"1.1.1.2:53\", \"1.1.1.3:53\", \"1.1.1.4:53\", \"1.1.1.5:53\",\n\
         \"1.1.1.6:53\", \"1.1.1.7:53\", \"1.1.1.8:53\",\n\"1.1.1.9:53\"]",
        "5:1: only 8 servers are asked",
        "remove some",
    ),
];

#[test]
fn every_mistake_has_its_message() {
    for (text, what, hint) in TABLE {
        let said = said(text);
        let first = said.lines().next().unwrap_or_default();
        let last = said.lines().nth(2).unwrap_or_default();
        assert_eq!(
            (first, last.split_once("^ ").map(|(_, hint)| hint)),
            (format!("f:{what}").as_str(), Some(*hint)),
            "{text}"
        );
        assert_eq!(said.lines().count(), 3, "one mistake, one message: {said}");
        assert!(!said.contains("geheim"), "{said}");
    }
}

/// "It is RECOMMENDED that the SIP traffic transported over a WebSocket communication be protected by using a secure WebSocket connection"
/// Proves: rfc7118-9.1-1.
#[test]
fn what_is_legal_but_unwise_is_a_warning() {
    for (text, what) in [
        ("[auth]\nchallenge = []", "nobody is challenged"),
        ("[listen]\nudp = \"0.0.0.0:5060\"", "it answers only for localhost"),
        ("[[extension]]\nnumber = \"1\"\npassword = \"geheim\"", "is shorter than 10 characters"),
        (
            "[[extension]]\nnumber = \"4711\"\npassword = \"geheim4711geheim\"",
            "contains the number",
        ),
        (
            "domains = [\"example.test\"]\n[listen]\nws = \"192.0.2.7:5080\"",
            "pages by https may not use it",
        ),
        ("[websocket]\norigins = \"*\"", "[websocket] is not used"),
        ("[tls]\ncertificate = \"c\"\nprivate_key = \"k\"", "[tls] is not used"),
        (
            "[[route]]\nmatch = { prefix = \"0\" }\nto = \"sip:h\"\n[[route]]\nmatch = { prefix = \"00\" }\nto = \"sip:i\"",
            "this route is never taken: `0…` comes first, and takes all of it",
        ),
    ] {
        let config = Config::parse("f", text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let [warning] = config.warnings.as_slice() else { panic!("{text}: {:?}", config.warnings) };
        assert!(warning.what.contains(what), "{text}: {warning}");
        assert!(!warning.to_string().contains("geheim"), "{warning}");
    }
}
