//! Web phones that we did not write, JsSIP and SIP.js, on pages in a headless Chromium: they register, call, are called.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::account::Account;
use crate::authority::{Authority, Pair};
use crate::baresip::{Baresip, PATIENCE};
use crate::land::Host;
use crate::offhook::Offhook;
use crate::peer::Peer;
use crate::phone::Phone;
use crate::{place, sound, table};

/// Pages with phones in one browser.
struct Pages {
    peer: Peer,
    /// Behind the @ of their addresses.
    domain: String,
}

/// How pages are opened.
#[derive(Clone, Copy, Debug)]
struct Style {
    /// The host that they come from.
    host: &'static str,
    /// Whether they offer what desk phones offer, and no sound.
    desk_phone: bool,
}

impl Style {
    const USUAL: Self = Self { host: "127.0.0.1", desk_phone: false };
}

/// A server for pages.
struct Site {
    server: Offhook,
    folder: PathBuf,
    transport: &'static str,
    authority: Authority,
    proof: Pair,
}

impl Site {
    /// A server with 101 and 102 that listens for WebSockets.
    fn open(name: &str, transport: &'static str) -> Self {
        let folder = place::folder(&format!("{name}-{transport}"));
        let authority = Authority::new();
        let any = "127.0.0.1:0";
        let proof = authority.certify(&["127.0.0.1"]);
        let tls = if transport == "wss" { authority.line(&proof) } else { String::new() };
        let lines = format!(
            "domains = [\"127.0.0.1\"]\nlisten = {{ udp = \"{any}\", tcp = \"{any}\", {transport} = \"{any}\" }}\n\
             store = {{ durability = \"memory\" }}\n{tls}"
        );
        let server = Offhook::serve_on(&Host::HERE, &folder, &["101", "102"], &lines);
        Self { server, folder, transport, authority, proof }
    }

    /// The account of a phone that speaks as pages do.
    fn account(&mut self, number: &str) -> Account {
        let domain = self.server.udp.to_string();
        Account::new(number, self.server.other(self.transport)).of(&domain).by(self.transport)
    }
}

/// Where the libraries are, as .ci/install has put them there; nothing, with words, where they are not.
fn libraries() -> Option<PathBuf> {
    let there = place::installed("node", "nodejs") && place::installed("chromium", "chromium");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?.join("web-phones");
    if there && folder.join("node_modules").is_dir() {
        return Some(folder);
    }
    let missing = format!("no libraries in {} (.ci/install puts them there)", folder.display());
    assert!(!there || std::env::var_os("OFFHOOK_REQUIRE_PEERS").is_none(), "{missing}");
    println!("skipped: {missing}");
    None
}

impl Pages {
    fn open((library, libraries): (&str, &Path), site: &mut Site, style: Style) -> Self {
        let domain = site.server.udp.to_string();
        let address = site.server.other(site.transport);
        let certificate = (site.transport == "wss").then(|| site.proof.certificate.clone());
        let told = json!({
            "library": library, "server": format!("{}://{address}", site.transport), "domain": domain,
            "folder": libraries, "profile": site.folder.join("profile"), "deskPhone": style.desk_phone, "host": style.host, "certificate": certificate,
        });
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/interop/web/pages.mjs");
        let mut program = Command::new("node");
        program.arg(script).arg(told.to_string());
        let mut peer = Peer::start(&format!("pages with {library}"), &mut program);
        peer.wait_for("ready", PATIENCE);
        Self { peer, domain }
    }

    /// Closes the browser.
    fn close(mut self) {
        self.peer.close_input();
        assert!(self.peer.end(PATIENCE).success(), "{}", self.peer.said());
    }

    /// Has a page do something, and waits until it is done.
    fn act(&mut self, deed: &str, user: &str) {
        self.say(json!({ deed: user }));
        let done = self.peer.wait_for(&format!(" {deed}"), PATIENCE);
        assert!(done.contains("done"), "{done}");
    }

    fn say(&mut self, what: serde_json::Value) {
        self.peer.type_line(&what.to_string());
    }

    fn register(&mut self, user: &str) {
        self.act("open", user);
        self.act("register", user);
    }

    fn call(&mut self, user: &str, callee: &str) {
        let target = format!("sip:{callee}@{}", self.domain);
        self.say(json!({ "call": user, "target": target }));
    }
}

const TWO_PAGES: &str = "Two pages in Chromium register with digest and call each other; each hears the other's microphone; a page that is closed is not called any more";

/// A page calls another; each hears the other's microphone; the called one hangs up and unregisters; the other is closed without a word.
fn two_pages_call(program: &table::Program, library: &str, transport: &'static str) {
    let Some(libraries) = libraries() else { return };
    let mut site = Site::open(library, transport);
    let mut pages = Pages::open((library, &libraries), &mut site, Style::USUAL);
    pages.register("101");
    pages.register("102");
    pages.call("101", "102");
    pages.peer.wait_for("accepted", PATIENCE);
    pages.peer.wait_for("accepted", PATIENCE);
    pages.act("hear", "101");
    pages.act("hear", "102");
    // Not `act`: the other page may know of the end before this one says that it has done it.
    pages.say(json!({ "hangUp": "102" }));
    pages.peer.wait_for("101 ended", PATIENCE);
    pages.act("leave", "102");
    site.server.peer.wait_for("\"unregistered\"", PATIENCE);
    pages.act("close", "101");
    site.server.peer.wait_for("\"unregistered\"", PATIENCE);
    pages.close();
    site.server.stop();
    table::passed(program, TWO_PAGES, &transport.to_uppercase());
}

#[test]
fn two_pages_with_jssip_hear_each_other_over_ws() {
    two_pages_call(&table::JSSIP, "jssip", "ws");
}

#[test]
fn two_pages_with_jssip_hear_each_other_over_wss() {
    two_pages_call(&table::JSSIP, "jssip", "wss");
}

#[test]
fn two_pages_with_sipjs_hear_each_other_over_wss() {
    two_pages_call(&table::SIPJS, "sipjs", "wss");
}

#[test]
fn a_page_calls_offhook_phone_and_is_called_by_it() {
    let Some(libraries) = libraries() else { return };
    let mut site = Site::open("web-and-phone", "ws");
    let mut pages =
        Pages::open(("sipjs", &libraries), &mut site, Style { desk_phone: true, ..Style::USUAL });
    pages.register("101");
    let account = Account::new("102", site.server.udp);
    let mut phone = Phone::start(&site.folder, &account, &["answer"]);
    phone.peer.wait_for("\"registered\"", PATIENCE);
    pages.call("101", "102");
    pages.peer.wait_for("101 accepted", PATIENCE);
    phone.peer.wait_for("\"established\"", PATIENCE);
    pages.act("hangUp", "101");
    assert!(phone.peer.end(PATIENCE).success(), "{}", phone.peer.said());
    let mut phone = Phone::start(&site.folder, &account, &["call", "101", "--hangup-after", "1s"]);
    pages.peer.wait_for("101 accepted", PATIENCE);
    pages.peer.wait_for("101 ended", PATIENCE);
    assert!(phone.peer.end(PATIENCE).success(), "{}", phone.peer.said());
    pages.close();
    site.server.stop();
    let feature = "A page calls `offhook phone`, which speaks UDP, and hangs up; then the other way round; signalling alone";
    table::passed(&table::SIPJS, feature, "WS");
}

const SOUND: &str = "A page with SIP.js calls `offhook phone` and is called by it: ICE, DTLS-SRTP, Opus, one port for all (BUNDLE, rtcp-mux); each hears the other";

/// What a browser's microphone that is none gives: a beep each second.
fn assert_beeps(heard: &[i16]) {
    let loud = heard.chunks(1600).filter(|tenth| tenth.iter().any(|sample| sample.abs() > 1000));
    assert!(loud.count() >= 2, "nothing was heard of the page in {} samples", heard.len());
}

#[test]
fn a_page_and_offhook_phone_hear_each_other() {
    let Some(libraries) = libraries() else { return };
    let mut site = Site::open("web-and-phone-sound", "ws");
    let mut pages = Pages::open(("sipjs", &libraries), &mut site, Style::USUAL);
    pages.register("101");
    let account = Account::new("102", site.server.udp);
    // Without any option: whoever calls as browsers do is answered so.
    let mut phone = Phone::start(&site.folder, &account, &["answer"]);
    phone.peer.wait_for("\"registered\"", PATIENCE);
    pages.call("101", "102");
    pages.peer.wait_for("101 accepted", PATIENCE);
    pages.act("hear", "101");
    pages.act("hangUp", "101");
    let (heard, quality) = phone.ends_with_quality();
    assert_beeps(&heard);
    assert!(quality["srtp"].is_string() && quality["codec"] == "opus", "{quality}");
    // Another page: the ear of the first still hangs on its call.
    pages.act("close", "101");
    pages.register("101");
    let deed = ["call", "101", "--hangup-after", "5s", "--srtp", "dtls", "--ice", "on"];
    let phone = Phone::start(&site.folder, &account, &deed);
    pages.peer.wait_for("101 accepted", PATIENCE);
    pages.act("hear", "101");
    pages.peer.wait_for("101 ended", PATIENCE);
    let (heard, quality) = phone.ends_with_quality();
    assert_beeps(&heard);
    assert!(quality["srtp"].is_string() && quality["codec"] == "opus", "{quality}");
    pages.close();
    site.server.stop();
    table::passed(&table::CHROMIUM, SOUND, "WS; UDP on our side");
}

#[test]
fn a_page_of_another_site_is_turned_away_and_the_log_says_why() {
    let Some(libraries) = libraries() else { return };
    let mut site = Site::open("web-foreign", "ws");
    let mut pages =
        Pages::open(("jssip", &libraries), &mut site, Style { host: "localhost", ..Style::USUAL });
    pages.act("open", "101");
    pages.say(json!({ "register": "101" }));
    pages.peer.wait_for("101 failed register", PATIENCE);
    let told = site.server.peer.wait_for("Pages of http://localhost:", PATIENCE);
    assert!(told.contains("[websocket] origins"), "{told}");
    pages.close();
    site.server.stop();
    table::seen(&table::JSSIP, "A page of a site that may not come (`Origin`)", "WS", "403");
}

/// A phone of ours that speaks as pages do calls a desk phone, and is called: the sound is that of desk phones, so both are heard.
fn our_phone_and_baresip(transport: &'static str) {
    if !place::installed("baresip", "baresip-core") {
        return;
    }
    let mut site = Site::open("web-phone-and-baresip", transport);
    let mut bob =
        Baresip::register(&site.folder, &Account::new("102", site.server.udp).playing(1000.0));
    let (account, ca) = (site.account("101"), site.authority.file().display().to_string());
    let deed = ["call", "102", "--hangup-after", "6s", "--ca", &ca];
    let alice = Phone::start(&site.folder, &account, &deed);
    sound::assert_heard(&alice.ends_well(), 1000.0, 440.0);
    let mut alice =
        Phone::start(&site.folder, &account, &["answer", "--hangup-after", "6s", "--ca", &ca]);
    alice.peer.wait_for("\"registered\"", PATIENCE);
    bob.dial(&format!("sip:101@{}", site.server.udp));
    sound::assert_heard(&alice.ends_well(), 1000.0, 440.0);
    site.server.stop();
    let feature = "`offhook phone` by WebSocket calls it and is called; sound both ways";
    let way = format!("UDP; {} on our side", transport.to_uppercase());
    table::passed(&table::BARESIP, feature, &way);
}

#[test]
fn our_phone_by_ws_and_baresip_hear_each_other() {
    our_phone_and_baresip("ws");
}

#[test]
fn our_phone_by_wss_and_baresip_hear_each_other() {
    our_phone_and_baresip("wss");
}

/// A server that is not whom its domain says is told nothing, and the phone says why.
#[test]
fn our_phone_does_not_talk_to_a_server_that_proves_to_be_another() {
    let mut site = Site::open("web-phone-untrusting", "wss");
    let account = site.account("101");
    let mut phone = Phone::start(&site.folder, &account, &["register"]);
    assert!(!phone.peer.end(PATIENCE).success());
    assert!(phone.peer.said().contains("authority that is not trusted"), "{}", phone.peer.said());
    site.server.stop();
}
