//! `Handset`: an `offhook phone` in a test's hand. It does what is typed, so a test can do a thing when the other side has done another.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::account::Account;
use crate::baresip::PATIENCE;
use crate::phone::Phone;
use crate::sound;

/// A phone that is registered, and waits to be told.
pub(crate) struct Handset {
    phone: Phone,
    number: String,
    folder: PathBuf,
}

impl Handset {
    /// A phone with these words on its command line, that is registered.
    pub(crate) fn register(folder: &Path, account: &Account, words: &[&str]) -> Self {
        let ip = account.host.ip.to_string();
        let words = [&["--bind", &ip], words].concat();
        let mut phone = Phone::start_with(folder, account, &words, &[]);
        phone.peer.wait_for("\"registered\"", PATIENCE);
        Self { phone, number: account.number.clone(), folder: folder.to_owned() }
    }

    /// Two that go where they are transferred to: 101, which plays 440 Hz, and 103, which plays 660.
    pub(crate) fn two_that_follow(folder: &Path, server: SocketAddr) -> [Self; 2] {
        [("101", 440.0), ("103", 660.0)].map(|(number, tone)| {
            let account = Account::new(number, server).playing(tone);
            Self::register(folder, &account, &["--follow-transfers"])
        })
    }

    /// Types a line.
    pub(crate) fn says(&mut self, line: &str) {
        self.phone.peer.type_line(line);
    }

    /// The next news that have this in them.
    pub(crate) fn learns(&mut self, news: &str) -> String {
        self.phone.peer.wait_for(news, PATIENCE)
    }

    /// Calls somebody, who picks up.
    pub(crate) fn calls(&mut self, whom: &str) {
        self.says(&format!("call {whom}"));
        self.learns("\"established\"");
    }

    /// Is called, and picks up.
    pub(crate) fn picks_up(&mut self) {
        self.learns("\"incoming\"");
        self.says("answer");
        self.learns("\"established\"");
    }

    /// Calls another handset, which picks up.
    pub(crate) fn reaches(&mut self, number: &str, other: &mut Self) {
        self.says(&format!("call {number}"));
        other.picks_up();
        self.learns("\"established\"");
    }

    /// Puts the other side on hold, which agrees.
    pub(crate) fn holds(&mut self) {
        self.says("hold");
        self.agreed();
    }

    /// Takes it back.
    pub(crate) fn resumes(&mut self) {
        self.says("resume");
        self.agreed();
    }

    fn agreed(&mut self) {
        let done = self.learns("\"hold_done\"");
        assert!(done.contains("\"status\":200"), "{done}");
    }

    /// The other side puts it on hold.
    pub(crate) fn is_held(&mut self) {
        let learned = self.learns("\"held\"");
        assert!(learned.contains("\"held\":true"), "{learned}");
    }

    /// The other side takes it back.
    pub(crate) fn is_taken_back(&mut self) {
        let learned = self.learns("\"held\"");
        assert!(learned.contains("\"held\":false"), "{learned}");
    }

    /// Its transfer has come about: somebody has picked up.
    pub(crate) fn is_told_of_success(&mut self) {
        self.learns("\"event\":\"transfer\",\"status\":200");
    }

    /// Learns that these keys were pressed at the other side, in this order.
    pub(crate) fn hears_keys(&mut self, keys: &str) {
        for key in keys.chars() {
            let pressed = self.learns("\"event\":\"key\"");
            assert!(pressed.contains(&format!("\"key\":\"{key}\"")), "{key}: {pressed}");
        }
    }

    /// Waits until it has heard this tone for as long as tests want, in its call of that number; calls are counted from 1.
    pub(crate) fn hears(&mut self, call: u32, hz: f64) {
        let heard = sound::heard(self.recording(call), hz);
        self.phone.peer.wait_until(&format!("{hz} Hz heard"), PATIENCE, heard);
    }

    /// Its call is over: what is said of it.
    pub(crate) fn is_done(&mut self) -> serde_json::Value {
        let quality = self.learns("\"event\":\"quality\"");
        self.learns("\"ended\"");
        serde_json::from_str(&quality).unwrap()
    }

    /// Hangs up; what is said of the call.
    pub(crate) fn hangs_up(&mut self) -> serde_json::Value {
        self.says("hangup");
        self.is_done()
    }

    /// Leaves: what it heard in its calls, the first one first; in some perhaps nothing.
    pub(crate) fn quit(mut self) -> Vec<Vec<i16>> {
        self.says("quit");
        let ended = self.phone.peer.end(PATIENCE);
        assert!(ended.success(), "{ended}\n{}", self.phone.peer.said());
        let files = (1..).map(|call| self.recording(call));
        files.take_while(|file| file.exists()).map(|file| sound::so_far(&file)).collect()
    }

    fn recording(&self, call: u32) -> PathBuf {
        let number = &self.number;
        self.folder.join(match call {
            1 => format!("heard-{number}.wav"),
            _ => format!("heard-{number}-{call}.wav"),
        })
    }
}

/// 101 calls 102 and each records the other's tone; each holds the other and takes it back; the caller hangs up.
pub(crate) fn call_and_hold(folder: &Path, account: impl Fn(&str) -> Account) {
    let register =
        |number: &str, tone: f64| Handset::register(folder, &account(number).playing(tone), &[]);
    let (mut alice, mut bob) = (register("101", 440.0), register("102", 1000.0));
    alice.reaches("102", &mut bob);
    alice.hears(1, 1000.0);
    bob.hears(1, 440.0);
    alice.holds();
    bob.is_held();
    alice.resumes();
    bob.is_taken_back();
    bob.holds();
    alice.is_held();
    bob.resumes();
    alice.is_taken_back();
    alice.hangs_up();
    bob.is_done();
    sound::assert_heard(&alice.quit()[0], 1000.0, 440.0);
    sound::assert_heard(&bob.quit()[0], 440.0, 1000.0);
}
