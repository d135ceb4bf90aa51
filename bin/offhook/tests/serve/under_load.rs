//! What an operator does to a server while calls go through it by the hundred: reload, and stop.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use machine::Dice;
use offhook::config::Config;

use crate::authority::{Authority, Flaw, Pair};
use crate::load::{Load, Report, Wish, Word};
use crate::{address, between, folder};

/// A server whose log is read all the time; only what is waited for is kept.
struct Busy {
    child: Child,
    log: Receiver<String>,
    file: PathBuf,
    udp: String,
}

impl Busy {
    fn start(folder: &Path, config: &str) -> Self {
        let file = folder.join("offhook.toml");
        std::fs::write(&file, config).expect("written");
        let mut child = Command::new(env!("CARGO_BIN_EXE_offhook"))
            .args(["--log", "json", "serve", "--config"])
            .arg(&file)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let (keep, log) = channel();
        thread::spawn(move || {
            let daily = ["answered", "ended", "left_out", "refused", "driver"];
            let daily = daily.map(|event| format!("\"event\":\"{event}\""));
            for line in lines.map_while(Result::ok) {
                // The test may have seen enough.
                if !daily.iter().any(|event| line.contains(event)) && keep.send(line).is_err() {
                    return;
                }
            }
        });
        let mut server = Self { child, log, file, udp: String::new() };
        server.udp = address(&server.line("\"transport\":\"udp\""));
        server
    }

    /// The next line of the log that has this in it.
    fn line(&self, what: &str) -> String {
        loop {
            let line = self.log.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no {what}"));
            let expected = ["config_refused", "not_reloaded"].contains(&what);
            assert!(expected || !line.contains("config_refused"), "{line}");
            if line.contains(what) {
                return line;
            }
        }
    }

    fn reload(&self, config: &str) {
        std::fs::write(&self.file, config).expect("written");
        self.signal("HUP");
    }

    fn signal(&self, name: &str) {
        let (signal, id) = (format!("-{name}"), self.child.id().to_string());
        assert!(Command::new("kill").args([signal, id]).status().expect("kill").success());
    }

    fn register(&self, contact: std::net::SocketAddr) {
        let answer = crate::reload::request(
            &self.udp,
            ("REGISTER", "102"),
            &format!("Contact: <sip:102@{contact}>\r\nExpires: 7200\r\n"),
        );
        assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is unfinished then is left.
const DRAIN: Duration = Duration::from_secs(60);
/// Longer than any machine takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// The config of a round: UDP stays, and in each round something else is different of everything that there is.
fn config(round: usize, callee: &str, pairs: &[Pair; 2]) -> String {
    let (pair, drain) = (&pairs[round % 2], DRAIN.as_secs());
    let (certificate, key) = (pair.certificate.display(), pair.key.display());
    let more = if round % 2 == 1 { ", \"127.0.0.1:0\"" } else { "" };
    let tcp = if round % 3 == 2 { "" } else { "\"127.0.0.1:0\"" };
    let users = (103..110 + round % 7).filter(|user| user % 5 != round % 5);
    let user =
        |user| format!("[[extension]]\nnumber = \"{user}\"\npassword = \"long enough {user}\"\n");
    let routes = (0..round % 4).map(|other| {
        format!(
            "[[route]]\nmatch = {{ prefix = \"6{other}{round}\" }}\nto = \"sip:192.0.2.{other}\"\n"
        )
    });
    // The callee is a member of groups that are called otherwise each time, beside one that is never asked.
    let group = format!("carriers{}", round % 3);
    format!(
        "[listen]\nudp = [\"127.0.0.1:0\"{more}]\ntcp = [{tcp}]\ntls = \"127.0.0.1:0\"\n\
         [tls]\ncertificate = \"{certificate}\"\nprivate_key = \"{key}\"\n\
         [server]\ndrain = {drain}\ndrain_until = \"calls\"\n\
         [auth]\nchallenge = [\"PUBLISH\"]\n[store]\ndurability = \"memory\"\n{}\
         [[extension]]\nnumber = \"102\"\npassword = \"long enough 102\"\n{}{}\
         [[group]]\nname = \"{group}\"\n[[group.target]]\nto = \"sip:{callee}\"\n[[group.target]]\nto = \"sip:127.0.0.1:9\"\npriority = 9\n\
         [[route]]\nmatch = {{ prefix = \"77\", network = \"127.0.0.0/8\" }}\nchallenge = false\ngroup = \"{group}\"\n",
        if round.is_multiple_of(2) { "[registrar]\nmax_contacts = 7\n" } else { "" },
        users.map(user).collect::<String>(),
        routes.collect::<String>(),
    )
}

/// Calls so many a second while everything changes so many times, each time after so many calls.
fn change(name: &str, rate: u32, (times, each): (usize, usize)) -> (Report, u64) {
    let folder = folder(name);
    let authority = Authority::new();
    let pairs = ["one", "two"].map(|name| authority.issue(name, &["localhost"], Flaw::None));
    let callee = Load::callee();
    let at = callee.local_addr().expect("bound");
    let config = |round| config(round, &at.to_string(), &pairs);
    let server = Busy::start(&folder, &config(0));
    let tcp = address(&server.line("\"transport\":\"tcp\""));
    server.register(at);
    let load = Load::start(&server.udp, callee, Wish { rate, talk: Duration::from_millis(200) });
    load.tell(Word::Line(tcp.parse().expect("an address")));
    let mut longest = 0;
    for round in 1..=times {
        load.wait(each);
        server.reload(&config(round));
        let mut line = server.line("\"event\":");
        while !line.contains("\"event\":\"reloaded\"") {
            if line.contains("\"event\":\"listening\"") && line.contains("\"transport\":\"tcp\"") {
                load.tell(Word::Line(address(&line).parse().expect("an address")));
            }
            line = server.line("\"event\":");
        }
        let number = |name: &str| {
            let text = between(&line, &format!("\"{name}\":"), "}").split(',').next();
            text.and_then(|text| text.parse::<u64>().ok()).expect("a number")
        };
        assert_eq!(number("generation"), round as u64 + 1);
        longest = longest.max(number("longest_us"));
        if round % 10 == 5 {
            // A file that is broken is named, and changes nothing.
            server.reload(&config(round + 1).replace("priority = 9", "prioritty = 9"));
            let line = server.line("config_refused");
            assert!(line.contains("offhook.toml:") && line.contains("prioritty"), "{line}");
            server.line("not_reloaded");
        }
    }
    load.wait(each);
    (load.finish(), longest)
}

#[test]
fn no_call_is_lost_while_everything_changes() {
    let (report, longest) = change("load-reload", 40, (12, 20));
    println!("{report:?}, a shard stood still for {longest} µs at most");
    report.assert_whole(40);
    assert!(report.by_line > 20, "{report:?}");
}

/// "1,000 calls a second while listeners, users, routes and certificates change 50 times, none lost".
#[test]
#[ignore = "takes a minute, and a machine for itself: run by .ci/nightly"]
fn no_call_of_a_thousand_a_second_is_lost_while_everything_changes_fifty_times() {
    let (report, longest) = change("load-reload-long", 1_000, (50, 1_000));
    println!("{report:?}, a shard stood still for {longest} µs at most");
    report.assert_whole(1_000);
}

/// A file that is hurt in one place: a line goes, comes twice, or has a wrong letter.
fn hurt(text: &str, dice: &mut Dice) -> String {
    let mut throw = |sides: usize| usize::try_from(dice.below(sides as u64)).expect("small");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let (at, how) = (throw(lines.len()), throw(3));
    match how {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, lines.get(at).cloned().unwrap_or_default()),
        _ => {
            let mut letters: Vec<char> =
                lines.get(at).map(|it| it.chars().collect()).unwrap_or_default();
            let odd = ['"', '=', '[', '}', '#', '\\', '\0', '\u{202e}', 'x'];
            let letter = odd.get(throw(odd.len())).copied().unwrap_or('x');
            letters.insert(throw(letters.len() + 1), letter);
            lines.splice(at..=at, [letters.into_iter().collect()]);
        }
    }
    lines.join("\n")
}

/// R29: "500 mutated configs, reload under load: named error with line, old config stays, no restart needed".
#[test]
fn five_hundred_broken_files_are_named_and_change_nothing() {
    let folder = folder("load-broken");
    let authority = Authority::new();
    let pairs = ["one", "two"].map(|name| authority.issue(name, &["localhost"], Flaw::None));
    let callee = Load::callee();
    let at = callee.local_addr().expect("bound");
    let good = config(1, &at.to_string(), &pairs);
    let server = Busy::start(&folder, &good);
    server.register(at);
    let load =
        Load::start(&server.udp, callee, Wish { rate: 40, talk: Duration::from_millis(200) });
    let mut dice = Dice::new(29);
    let hurt = std::iter::repeat_with(|| hurt(&good, &mut dice));
    // What is understood all the same is another config, and not what this is about.
    let broken = hurt.filter(|text| Config::parse("o.toml", text).is_err());
    for text in broken.take(500) {
        server.reload(&text);
        let line = server.line("config_refused");
        let place = between(&line, "offhook.toml:", "\"");
        let place: Vec<_> = place.split(':').map(str::parse::<usize>).collect();
        assert!(matches!(place[..], [Ok(line), Ok(column)] if line >= 1 && column >= 1), "{line}");
        assert!(!between(&line, "\"what\":\"", "\"").is_empty(), "{line}");
        let line = server.line("not_reloaded");
        assert!(line.contains("\"generation\":1}") || line.contains("\"generation\":1,"), "{line}");
    }
    server.reload(&good);
    assert!(server.line("\"event\":\"reloaded\"").contains("\"generation\":2"));
    load.finish().assert_whole(40);
}

/// R4: SIGTERM under load.
fn stop(name: &str, rate: u32, calls: usize) {
    let folder = folder(name);
    let authority = Authority::new();
    let pairs = ["one", "two"].map(|name| authority.issue(name, &["localhost"], Flaw::None));
    let callee = Load::callee();
    let at = callee.local_addr().expect("bound");
    let mut server = Busy::start(&folder, &config(0, &at.to_string(), &pairs));
    let tcp = address(&server.line("\"transport\":\"tcp\""));
    server.register(at);
    // They talk for a while: when it is told to stop, many are up.
    let load = Load::start(&server.udp, callee, Wish { rate, talk: Duration::from_secs(3) });
    load.tell(Word::Line(tcp.parse().expect("an address")));
    load.wait(calls);
    server.signal("TERM");
    let began = Instant::now();
    server.line("\"event\":\"draining\"");
    let answer = crate::reload::request(&server.udp, ("REGISTER", "102"), "");
    assert!(answer.starts_with("SIP/2.0 503 Going Out of Service\r\n"), "{answer}");
    assert!(answer.contains("Retry-After: 10\r\n"), "{answer}");
    let report = load.refused();
    println!("{report:?}, ended after {:?}", began.elapsed());
    assert!(began.elapsed() < DRAIN, "{:?}", began.elapsed());
    // Whoever came after that was told so, and nobody who came before was let down.
    let told = "SIP/2.0 503 Going Out of Service; Retry-After: 10";
    report.assert_begun(rate);
    let refused: u64 = report.refused.values().sum();
    assert!(refused > 0, "{report:?}");
    assert_eq!(report.refused.get(told), Some(&refused), "{report:?}");
    assert_eq!(report.whole + refused, report.begun, "{report:?}");
    server.line("\"event\":\"stopped\"");
    assert!(server.child.wait().expect("ended").success());
}

#[test]
fn a_server_that_stops_ends_its_calls_and_begins_none() {
    stop("load-stop", 40, 40);
}

#[test]
#[ignore = "takes a machine for itself: run by .ci/nightly"]
fn a_server_that_stops_under_a_thousand_calls_a_second_lets_none_down() {
    stop("load-stop-long", 1_000, 10_000);
}
