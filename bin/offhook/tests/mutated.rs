//! Garbled configs never panic: they are understood, or refused with line and column, and never show a password.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail like tests"
)]

use machine::Dice;
use offhook::config::Config;

const SECRETS: [&str; 3] =
    ["kq7xw3mzt9rdbe4h", "v5npc8yfs2gjamtu", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"];

const FILE: &str = r#"domains = ["example.test"]
[listen]
udp = ["127.0.0.1:5060", "[::1]:5060"]
tcp = ["127.0.0.1:5060"]
[auth]
realm = "example.test"
challenge = ["REGISTER", "INVITE"]
[registrar]
expires = { min = 60, default = 3600, max = 7200 }
max_contacts = 10
[store]
url = "file:data"
durability = "grouped"
[[extension]]
number = "101"
password = "kq7xw3mzt9rdbe4h"
name = "Front desk"
[[extension]]
number = "102"
password = "v5npc8yfs2gjamtu"
[[extension]]
number = "103"
ha1 = { md5 = "0f1e2d3c4b5a69788796a5b4c3d2e1f0" }
[[redirect]]
user = "sales"
to = ["sip:101@example.test"]
[[route]]
match = { domain = "other.test" }
to = "sip:192.0.2.7:5060;transport=tcp"
[dns]
servers = ["127.0.0.1:5353"]
"#;

fn throw(dice: &mut Dice, sides: usize) -> usize {
    usize::try_from(dice.below(sides as u64)).expect("small")
}

/// Drops, repeats, or garbles a line; one file in three is hurt more than once.
fn mutated(seed: u128) -> String {
    let mut dice = Dice::new(seed);
    let mut lines: Vec<String> = FILE.lines().map(str::to_owned).collect();
    for _ in 0..1 + throw(&mut dice, 3) / 2 {
        let at = throw(&mut dice, lines.len());
        match throw(&mut dice, 3) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[at].clone()),
            _ => garble(&mut lines[at], &mut dice),
        }
    }
    lines.join("\n")
}

fn garble(line: &mut String, dice: &mut Dice) {
    let mut letters: Vec<char> = line.chars().collect();
    let at = throw(dice, letters.len());
    let odd = [
        '"', '\'', '=', '[', ']', '{', '}', '#', '\\', '\n', '\0', '\u{1b}', 'é', '\u{202e}', 'x',
        ' ',
    ];
    match throw(dice, 4) {
        0 => drop(letters.remove(at)),
        1 => letters.insert(at, odd[throw(dice, odd.len())]),
        2 => letters[at] = odd[throw(dice, odd.len())],
        _ => letters.truncate(at),
    }
    *line = letters.into_iter().collect();
}

#[test]
fn five_hundred_garbled_files() {
    let (mut fine, mut refused) = (0, 0);
    for seed in 0..500 {
        let text = mutated(seed);
        let shown = match Config::parse("f", &text) {
            Ok(config) => {
                fine += 1;
                config
                    .warnings
                    .iter()
                    .map(|warning| format!("{:?} {warning}", warning.place))
                    .collect::<String>()
            }
            Err(mistakes) => {
                refused += 1;
                assert!(!mistakes.notices.is_empty());
                for mistake in &mistakes.notices {
                    let (line, column) = mistake.place.expect("a place");
                    let lines = text.split('\n').count();
                    assert!((1..=lines).contains(&line) && column >= 1, "seed {seed}: {mistake}");
                    assert!(!mistake.what.is_empty(), "seed {seed}");
                }
                mistakes.to_string()
            }
        };
        assert!(
            !shown.contains(|c: char| c != '\n' && offhook::log::upsets(c)),
            "seed {seed}: {shown:?}"
        );
        // A secret that was cut or changed in one place still has a half that is whole.
        for half in SECRETS.iter().flat_map(|secret| [&secret[..8], &secret[secret.len() - 8..]]) {
            assert!(!shown.contains(half), "seed {seed}: {half} in {shown}");
        }
    }
    assert!(fine > 50 && refused > 200, "{fine} fine, {refused} refused");
}
