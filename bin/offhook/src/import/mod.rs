//! `offhook import`: a config made from what another server was told: Asterisk's `pjsip.conf`, Kamailio's `subscriber` table.
//!
//! What is taken over is written as a file that `offhook check` accepts. What is not is said, each with the line where it stood
//! (docs/migrating.md). Nothing that is read is run or fetched.

mod asterisk;
mod draft;
mod kamailio;
mod pjsip;
mod sql;
mod table;

use std::fs::OpenOptions;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::limits;
use crate::log::{Format, Log};
use crate::outcome::Outcome;
use draft::{Draft, Remark};

/// What `offhook import` is told.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    from: From,
}

#[derive(Debug, clap::Subcommand)]
enum From {
    /// Asterisk: endpoints, auths, aors and transports of pjsip.conf
    Pjsip(Source),
    /// Kamailio or OpenSIPS: the subscriber table, as CSV, as a dump in SQL, or as an SQLite file
    Kamailio(Source),
}

#[derive(Debug, clap::Args)]
struct Source {
    /// The file
    file: PathBuf,
    /// A domain or an address that phones call the server by; may be said several times
    #[arg(long, value_name = "HOST")]
    domain: Vec<String>,
    /// Where the config is written; it must not be there yet [default: stdout]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Reads the file of the other server, writes a config, and says what it does not hold.
pub fn run(arguments: &Arguments, log: Log) -> Outcome {
    let (source, read): (_, fn(&Path, &mut Draft) -> io::Result<()>) = match &arguments.from {
        From::Pjsip(source) => (source, pjsip::read),
        From::Kamailio(source) => (source, kamailio::read),
    };
    let mut draft = Draft::default();
    source.domain.iter().for_each(|domain| draft.domain("--domain", domain));
    if let Err(error) = read(&source.file, &mut draft) {
        let what = format!("{}: {error}", source.file.display());
        log.error("cannot_import", &[("what", (&what).into())]);
        return Outcome::Wrong;
    }
    let text = draft.write();
    draft.remarks().iter().for_each(|remark| say(remark, log));
    let written = write(source.out.as_deref(), &text);
    let name = source.out.as_ref().map_or("stdout".into(), |file| file.display().to_string());
    if let Err(error) = written {
        let what = format!("{name}: {error}");
        log.error("cannot_write", &[("what", (&what).into())]);
        return Outcome::Failed;
    }
    // What was judged piece by piece is good as a whole, too; if not, its lines are there to be mended.
    match Config::parse(&name, &text) {
        Ok(_) => Outcome::Fine,
        Err(mistakes) => crate::check::refuse(&mistakes, log),
    }
}

fn say(remark: &Remark, log: Log) {
    match log.format() {
        Format::Json => {
            let fields = [("place", (&remark.place).into()), ("what", (&remark.what).into())];
            log.warning(remark.kind.as_str(), &fields);
        }
        Format::Text => {
            let line = format!("{remark}\n");
            let _ = io::stderr().lock().write_all(line.as_bytes());
        }
    }
}

/// It holds passwords: only its owner may read it, and nothing is written over.
fn write(out: Option<&Path>, text: &str) -> io::Result<()> {
    let Some(path) = out else { return io::stdout().lock().write_all(text.as_bytes()) };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The octets of a file, when it is not too large to be what it should be.
fn octets_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    std::fs::File::open(path)?.take(limits::IMPORT_BYTES + 1).read_to_end(&mut octets)?;
    if octets.len() as u64 > limits::IMPORT_BYTES {
        let what = format!("it has more than {} MiB", limits::IMPORT_BYTES >> 20);
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    Ok(octets)
}

#[cfg(test)]
mod tests;
