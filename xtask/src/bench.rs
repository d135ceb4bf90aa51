//! `cargo xtask bench`: what each scenario of `bench/` costs, in instructions.
//!
//! Instructions, not seconds: the same number on a busy machine and on an idle one. Each scenario runs `n` and `2n` units
//! under callgrind; the difference, divided by `n`, is the price of one unit without start and end.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{output, page};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Write,
    Check,
}

const DOCUMENT: &str = "docs/benchmarks.md";
const SECTION: &str = "instructions";

/// A newer compiler moves numbers by a few; more than this is ours.
const MAY_RISE_PERCENT: u64 = 3;

/// Prices that hang together: the second is at most so many percent of the first. Who guesses passwords learns nothing by the time of the
/// answer, twice as long a message costs about twice the work, and a message that is broken no more than a good one.
const BOUND: &[(&str, &str, u64)] = &[
    ("guess-known", "guess-unknown", 101),
    ("guess-unknown", "guess-known", 101),
    ("guess-far", "guess-near", 101),
    ("guess-near", "guess-far", 101),
    ("expensive-8", "expensive-16", 250),
    ("expensive-16", "expensive-32", 250),
    ("options", "bad-message", 100),
];

/// One line of `bench --list`: `name <tab> count <tab> what one unit is`.
struct Scenario {
    name: String,
    count: u64,
    unit: String,
}

/// Measures all scenarios, prints the table, and writes or compares it.
pub(crate) fn run(root: &Path, wish: Wish) -> Result<(), String> {
    let valgrind = Command::new("valgrind").arg("--version").output();
    if !valgrind.is_ok_and(|output| output.status.success()) {
        return Err("valgrind is not installed; on Debian: apt-get install valgrind".to_owned());
    }
    let program = build(root)?;
    let list = output(Command::new(&program).arg("--list"))?.stdout;
    let mut measured = Vec::new();
    for scenario in String::from_utf8_lossy(&list).lines().filter_map(scenario) {
        let once = instructions(&program, &scenario.name, scenario.count)?;
        let twice = instructions(&program, &scenario.name, scenario.count.saturating_mul(2))?;
        let price = twice.saturating_sub(once).checked_div(scenario.count).unwrap_or(0);
        println!("{:24} {price:>10} instructions: {}", scenario.name, scenario.unit);
        measured.push((scenario, price));
    }
    unbound(&measured)?;
    let file = root.join(DOCUMENT);
    let text = fs::read_to_string(&file).map_err(|error| format!("{DOCUMENT}: {error}"))?;
    let place = place()?;
    if wish == Wish::Check {
        let written = page::part(&text, SECTION).unwrap_or_default();
        if !written.contains(&place) {
            println!("not compared with {DOCUMENT}, which was not counted with {place}");
            return Ok(());
        }
        return compare(&measured, &prices(written));
    }
    let table = format!("{}\nCounted with {place}.\n", table(&measured));
    let text = page::replace(&text, SECTION, &table).ok_or_else(|| {
        format!("{DOCUMENT}: the markers `<!-- {SECTION}:begin -->` and `…:end` are missing")
    })?;
    fs::write(&file, text).map_err(|error| format!("{DOCUMENT}: {error}"))
}

fn build(root: &Path) -> Result<PathBuf, String> {
    output(Command::new(env!("CARGO")).current_dir(root).args([
        "build",
        "--release",
        "--package",
        "offhook-bench",
        "--bin",
        "bench",
    ]))?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("release/bench"))
}

/// What the compiler says that it is, and what valgrind shows of the processor: another compiler makes other numbers, and libraries search and hash as
/// the processor can. Whose it is does not matter: an AMD EPYC and an Intel Xeon were counted alike to one instruction in a thousand.
fn place() -> Result<String, String> {
    let compiler = output(Command::new("rustc").arg("--version"))?.stdout;
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let has_avx2 = processors.split_whitespace().any(|flag| flag == "avx2");
    let (has, arch) = (if has_avx2 { "with" } else { "without" }, std::env::consts::ARCH);
    Ok(format!("{}, {arch} {has} AVX2", String::from_utf8_lossy(&compiler).trim()))
}

fn scenario(line: &str) -> Option<Scenario> {
    let [name, count, unit] = line.split('\t').collect::<Vec<_>>().try_into().ok()?;
    Some(Scenario { name: name.to_owned(), count: count.parse().ok()?, unit: unit.to_owned() })
}

fn instructions(program: &Path, name: &str, count: u64) -> Result<u64, String> {
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .arg(name)
        .arg(count.to_string());
    let said = output(&mut command)?.stderr;
    collected(&String::from_utf8_lossy(&said))
        .ok_or_else(|| format!("{command:?} did not say what it collected"))
}

/// `==7== Collected : 12345`
fn collected(said: &str) -> Option<u64> {
    said.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
}

fn table(measured: &[(Scenario, u64)]) -> String {
    let mut table = String::from("| scenario | instructions | for |\n|---|---|---|\n");
    for (scenario, price) in measured {
        let _ = writeln!(table, "| {} | {price} | {} |", scenario.name, scenario.unit);
    }
    table
}

/// Names and prices of a written table.
fn prices(table: &str) -> Vec<(String, u64)> {
    let rows = table.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    rows.filter_map(|row| Some(((*row.get(1)?).to_owned(), row.get(2)?.parse().ok()?))).collect()
}

/// Checks the prices that hang together.
fn unbound(measured: &[(Scenario, u64)]) -> Result<(), String> {
    let price = |name: &str| measured.iter().find(|(one, _)| one.name == name).map(|one| one.1);
    let loose = BOUND.iter().find(|(first, second, percent)| {
        let (first, second) = (price(first), price(second));
        first.zip(second).is_some_and(|(first, second)| {
            second.saturating_mul(100) > first.saturating_mul(*percent)
        })
    });
    loose.map_or(Ok(()), |(first, second, percent)| {
        Err(format!("{second} costs more than {percent} % of {first}"))
    })
}

fn compare(measured: &[(Scenario, u64)], written: &[(String, u64)]) -> Result<(), String> {
    let mut dearer = String::new();
    for (scenario, price) in measured {
        let Some((name, before)) = written.iter().find(|(name, _)| *name == scenario.name) else {
            let _ =
                writeln!(dearer, "{}: not in {DOCUMENT}; run `cargo xtask bench`", scenario.name);
            continue;
        };
        if price.saturating_mul(100) > before.saturating_mul(100 + MAY_RISE_PERCENT) {
            let _ = writeln!(dearer, "{name}: {price} instructions, {before} in {DOCUMENT}");
        }
    }
    if dearer.is_empty() { Ok(()) } else { Err(format!("dearer than written:\n{dearer}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn priced(price: u64) -> Vec<(Scenario, u64)> {
        vec![(scenario("parse\t1000\tone INVITE").unwrap(), price)]
    }

    #[test]
    fn callgrind_says_how_much_it_collected() {
        assert_eq!(collected("==1== Events    : Ir\n==1== Collected : 4711\n"), Some(4711));
        assert_eq!(collected("==1== nothing"), None);
    }

    #[test]
    fn prices_that_hang_together_are_held_to_it() {
        let both = |known, unknown| {
            let one = |name: &str, price| (scenario(&format!("{name}\t1\tx")).unwrap(), price);
            unbound(&[one("guess-known", known), one("guess-unknown", unknown)])
        };
        assert_eq!(both(1000, 1010), Ok(()));
        assert!(both(1000, 1011).unwrap_err().contains("guess-unknown costs more than 101 %"));
        assert!(both(1011, 1000).is_err());
    }

    #[test]
    fn a_written_table_reads_back_and_a_dearer_scenario_is_found() {
        let written = prices(&table(&priced(1000)));
        assert_eq!(written, [("parse".to_owned(), 1000)]);
        assert_eq!(compare(&priced(1030), &written), Ok(()));
        assert!(compare(&priced(1031), &written).unwrap_err().contains("parse: 1031"));
        assert!(compare(&priced(1), &[]).unwrap_err().contains("not in"));
    }
}
