//! `cargo xtask dist`: the program for operators, built after it was seen at work (profile-guided optimisation).
//!
//! It is built twice. The first one counts where it goes, while it lives the scenarios of `bench/`, plays the demo's call, and serves phones over UDP, TCP and
//! TLS with every binding on the disk; in the second, what was often done is fast. Both are otherwise what `cargo build --profile dist` makes.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::output;

/// REGISTERs and calls a second: slow enough for a program that counts, on a machine that has other things to do.
const LOADS: &[(&str, &str, &str)] = &[
    ("register", "udp", "3000"),
    ("call", "udp", "300"),
    ("register", "tcp", "3000"),
    ("call", "tcp", "300"),
    ("register", "tls", "2000"),
    ("call", "tls", "200"),
];
const SECONDS: &str = "6";

/// Builds, trains, builds anew; says where the program lies.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let yard = Yard::new(root)?;
    println!("building the program that counts");
    yard.build(
        &format!("-Cprofile-generate={}", yard.counts.display()),
        &["offhook", "offhook-bench"],
    )?;
    yard.train()?;
    yard.gather()?;
    println!("building the program anew");
    yard.build(&format!("-Cprofile-use={}", yard.profile.display()), &["offhook"])?;
    let finished = root.join("target/dist/offhook");
    fs::create_dir_all(root.join("target/dist")).map_err(|error| error.to_string())?;
    fs::copy(yard.program("offhook"), &finished)
        .map_err(|error| format!("{}: {error}", finished.display()))?;
    println!("{}", finished.display());
    Ok(())
}

/// Where all of it is made: beside what cargo makes otherwise, which stays as it is.
struct Yard {
    root: PathBuf,
    folder: PathBuf,
    /// What programs write that count.
    counts: PathBuf,
    profile: PathBuf,
    /// The kind of machine: named, so that what runs while building does not count.
    target: String,
    /// Puts counts together; it goes with the compiler.
    profdata: PathBuf,
}

impl Yard {
    fn new(root: &Path) -> Result<Self, String> {
        let said = output(Command::new("rustc").args(["--print", "target-libdir"]))?.stdout;
        let library = PathBuf::from(String::from_utf8_lossy(&said).trim());
        let profdata = library.with_file_name("bin").join("llvm-profdata");
        if !profdata.exists() {
            return Err("llvm-profdata is not there: rustup component add llvm-tools".to_owned());
        }
        let said = output(Command::new("rustc").arg("-vV"))?.stdout;
        let said = String::from_utf8_lossy(&said).into_owned();
        let target = said.lines().find_map(|line| line.strip_prefix("host: "));
        let folder = root.join("target/trained");
        let (counts, profile) = (folder.join("counts"), folder.join("profile"));
        // What an older program counted fits no newer one.
        drop(fs::remove_dir_all(&counts));
        fs::create_dir_all(&counts).map_err(|error| format!("{}: {error}", counts.display()))?;
        let target = target.ok_or("rustc does not name its host")?.to_owned();
        Ok(Self { root: root.to_owned(), folder, counts, profile, target, profdata })
    }

    fn build(&self, flags: &str, packages: &[&str]) -> Result<(), String> {
        let mut command = Command::new(env!("CARGO"));
        command.current_dir(&self.root).env("RUSTFLAGS", flags);
        command.args(["build", "--locked", "--profile", "dist", "--target", &self.target]);
        command.arg("--target-dir").arg(&self.folder);
        command.args(packages.iter().flat_map(|name| ["--package", name]));
        let done = command.status().map_err(|error| format!("{command:?}: {error}"))?;
        done.success().then_some(()).ok_or_else(|| "it was not built".to_owned())
    }

    fn program(&self, name: &str) -> PathBuf {
        self.folder.join(&self.target).join("dist").join(name)
    }

    /// Sees the program at work.
    fn train(&self) -> Result<(), String> {
        let bench = self.program("bench");
        let list = output(Command::new(&bench).arg("--list"))?.stdout;
        for line in String::from_utf8_lossy(&list).lines() {
            let mut words = line.split('\t');
            if let (Some(name), Some(count)) = (words.next(), words.next()) {
                println!("it does {name}, {count} times");
                output(Command::new(&bench).args([name, count]))?;
            }
        }
        println!("it plays the demo");
        output(Command::new(self.program("offhook")).arg("demo"))?;
        self.serve()
    }

    /// A server, and who asks it for something.
    fn serve(&self) -> Result<(), String> {
        let house = self.folder.join("house");
        drop(fs::remove_dir_all(&house));
        fs::create_dir_all(&house).map_err(|error| format!("{}: {error}", house.display()))?;
        let config = house.join("offhook.toml");
        certificate(&house)?;
        fs::write(&config, config_of(&house)).map_err(|error| error.to_string())?;
        let mut server = Command::new(self.program("offhook"))
            .args(["--log", "json", "serve", "--config"])
            .arg(&config)
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("the server: {error}"))?;
        let done = self.ask(&mut server);
        // The program counts to its very end: so it is asked to end, and waited for.
        let ended = output(Command::new("kill").args(["-TERM", &server.id().to_string()]));
        let waited = server.wait().map_err(|error| error.to_string());
        done.and(ended.map(drop)).and(waited.map(drop))
    }

    fn ask(&self, server: &mut Child) -> Result<(), String> {
        let mut log = BufReader::new(server.stderr.take().ok_or("the server has no log")?).lines();
        let mut addresses = Vec::new();
        for (_, transport, _) in LOADS.iter().step_by(2) {
            let named = format!("\"transport\":\"{transport}\"");
            let line = log.by_ref().map_while(Result::ok).find(|line| line.contains(&named));
            let line =
                line.ok_or_else(|| format!("the server listens nowhere over {transport}"))?;
            let address =
                line.split("\"address\":\"").nth(1).and_then(|rest| rest.split('"').next());
            addresses.push((*transport, address.unwrap_or_default().to_owned()));
        }
        // A log that nobody reads fills its pipe.
        let reader = thread::spawn(move || log.for_each(drop));
        for (work, transport, rate) in LOADS {
            println!("it is asked for {rate} {work}s a second over {transport}");
            let address = addresses.iter().find(|(name, _)| name == transport);
            let address = address.map_or("", |(_, address)| address);
            self.load([work, transport, address, rate])?;
        }
        drop(reader);
        Ok(())
    }

    fn load(&self, words: [&str; 4]) -> Result<(), String> {
        let mut load = Command::new(self.program("load"))
            .args(words)
            .arg(SECONDS)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("load: {error}"))?;
        if let Some(mut begin) = load.stdin.take() {
            begin.write_all(b"\n").map_err(|error| format!("load: {error}"))?;
        }
        let done = load.wait_with_output().map_err(|error| format!("load: {error}"))?;
        print!("{}", String::from_utf8_lossy(&done.stdout));
        done.status.success().then_some(()).ok_or_else(|| format!("load {words:?} failed"))
    }

    /// Puts what was counted together.
    fn gather(&self) -> Result<(), String> {
        let mut command = Command::new(&self.profdata);
        command.arg("merge").arg("-o").arg(&self.profile).arg(&self.counts);
        output(&mut command).map(drop)
    }
}

/// A certificate for this machine alone.
fn certificate(house: &Path) -> Result<(), String> {
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    command.args(["-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-keyout"]);
    command.arg(house.join("key.pem")).arg("-out").arg(house.join("cert.pem"));
    output(command.args(["-addext", "subjectAltName=IP:127.0.0.1"])).map(drop)
}

fn config_of(house: &Path) -> String {
    let house = house.display();
    format!(
        "domains = [\"127.0.0.1\"]\n\
         [listen]\nudp = \"127.0.0.1:0\"\ntcp = \"127.0.0.1:0\"\ntls = \"127.0.0.1:0\"\n\
         [tls]\ncertificate = \"{house}/cert.pem\"\nprivate_key = \"{house}/key.pem\"\n\
         [auth]\nchallenge = []\n\
         [overload]\nunlimited = [\"127.0.0.0/8\"]\n\
         [records]\njson = \"{house}/calls.jsonl\"\n\
         [store]\nurl = \"file:{house}/store\"\ndurability = \"grouped\"\n"
    )
}
