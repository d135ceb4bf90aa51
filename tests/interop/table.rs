//! The table of `docs/interop.md`: a row says what a test has seen. Tests write it with `OFFHOOK_WRITE=1`; without, they find their row
//! in it.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use crate::place;

/// A program that nobody here wrote, and its package: Debian's, npm's, PyPI's, or what `.ci/install` lays beside.
pub(crate) struct Program(&'static str, &'static str);

pub(crate) const AIORTC: Program = Program("aiortc", "aiortc");
pub(crate) const ASTERISK: Program = Program("Asterisk", "brought:asterisk");
pub(crate) const BARESIP: Program = Program("baresip", "baresip-core");
pub(crate) const BIND: Program = Program("BIND", "bind9");
pub(crate) const CHROMIUM: Program = Program("Chromium", "chromium");
pub(crate) const COTURN: Program = Program("coturn", "coturn");
pub(crate) const JSSIP: Program = Program("JsSIP", "npm:jssip");
pub(crate) const KAMAILIO: Program = Program("Kamailio", "kamailio");
pub(crate) const LINPHONE: Program = Program("Linphone", "linphone-cli");
pub(crate) const PJSIP: Program = Program("PJSIP", "pjsua2-python");
pub(crate) const SIPJS: Program = Program("SIP.js", "npm:sip.js");
pub(crate) const SIPP: Program = Program("SIPp", "sip-tester");
pub(crate) const SIPVICIOUS: Program = Program("SIPVicious", "sipvicious");
pub(crate) const SIPSAK: Program = Program("sipsak", "sipsak");

/// A test has seen this, and it was well.
pub(crate) fn passed(program: &Program, feature: &str, transport: &str) {
    seen(program, feature, transport, "passed");
}

/// A test has seen this; how it came out is said in words.
pub(crate) fn seen(program: &Program, feature: &str, transport: &str, result: &str) {
    let Program(name, package) = program;
    // Tests run at the same time: the table is one writer's at a time.
    let page = File::options().read(true).write(true).open(PAGE).unwrap();
    page.lock().unwrap();
    let text = std::fs::read_to_string(PAGE).unwrap();
    let (head, rest) = text.split_once(BEGIN).expect(BEGIN);
    let (rows, tail) = rest.split_once(END).expect(END);
    let is_this = |row: &str| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        cells.get(1) == Some(name) && cells[3..5] == [feature, transport]
    };
    let mut rows: Vec<_> = rows.lines().filter(|row| !row.is_empty()).map(String::from).collect();
    if std::env::var_os("OFFHOOK_WRITE").is_none() {
        let hint = "OFFHOOK_WRITE=1 cargo test -p offhook --test interop writes it";
        assert!(rows.iter().any(|row| is_this(row)), "{PAGE} does not say {feature:?}: {hint}");
        return;
    }
    rows.retain(|row| !is_this(row));
    let version = version(package);
    rows.push(format!("| {name} | {version} | {feature} | {transport} | {result} |"));
    rows.sort_by_key(|row| row.to_lowercase());
    let text = format!("{head}{BEGIN}\n{}\n{END}{tail}", rows.join("\n"));
    std::fs::write(PAGE, text).unwrap();
}

/// The version of a package, as Debian counts; of one of npm, as our own list has it; of others, as `.ci/install` asks for it.
fn version(package: &str) -> String {
    if let Some(package) = package.strip_prefix("npm:") {
        let list: serde_json::Value =
            serde_json::from_str(include_str!("web/package.json")).unwrap();
        return list["dependencies"][package].as_str().expect(package).into();
    }
    if let Some(package) = package.strip_prefix("brought:") {
        let version = std::fs::read_to_string(place::brought(package).join("version"));
        return version.expect(package).trim().into();
    }
    let asked = Command::new("dpkg-query").args(["-W", "-f=${Version}", package]).output();
    let known = asked.ok().filter(|output| output.status.success());
    let version = known.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let named = INSTALL.split_once(&format!("{package}==")).map(|(_, rest)| rest);
    let named = named.and_then(|rest| rest.split_whitespace().next()).map(Into::into);
    version.or(named).unwrap_or_else(|| "not from Debian".into())
}

const INSTALL: &str = include_str!("../../.ci/install");
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/interop.md");
const BEGIN: &str = "|---|---|---|---|---|";
const END: &str = "\n## What was learned of them";

#[test]
fn every_row_of_the_table_is_a_tests() {
    let text = std::fs::read_to_string(PAGE).unwrap();
    let (_, rest) = text.split_once(BEGIN).expect(BEGIN);
    let (rows, _) = rest.split_once(END).expect(END);
    let here = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/interop"));
    let files = std::fs::read_dir(here).unwrap().map(|entry| entry.unwrap().path());
    let code: String = files.filter_map(|file| std::fs::read_to_string(file).ok()).collect();
    let code = code.split_whitespace().collect::<Vec<_>>().join(" ");
    for row in rows.lines().filter(|row| !row.is_empty()) {
        let feature = row.split('|').nth(3).expect(row).trim();
        assert!(code.contains(feature), "no test says {feature:?}");
    }
}
