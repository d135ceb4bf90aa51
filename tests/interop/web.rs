//! Web phones that we did not write, JsSIP and SIP.js, on pages in a headless Chromium: they register, call, are called.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::account::Account;
use crate::baresip::PATIENCE;
use crate::offhook::Offhook;
use crate::peer::Peer;
use crate::phone::Phone;
use crate::{place, table};

/// Pages with phones in one browser.
struct Pages {
    peer: Peer,
    /// Behind the @ of their addresses.
    domain: String,
}

/// How pages are opened.
#[derive(Clone, Copy, Debug, Default)]
struct Style {
    /// They offer what desk phones offer, and no sound.
    desk_phone: bool,
    /// The host that they come from; the server's own when empty.
    host: &'static str,
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
    fn open(library: &str, server: &mut Offhook, folder: &Path, style: Style) -> Self {
        let domain = server.udp.to_string();
        let address = server.web("ws");
        let host = if style.host.is_empty() { "127.0.0.1" } else { style.host };
        let told = json!({
            "library": library, "server": format!("ws://{address}"), "domain": domain, "folder": folder,
            "deskPhone": style.desk_phone, "host": host,
        });
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/interop/web/pages.mjs");
        let mut program = Command::new("node");
        program.arg(script).arg(told.to_string());
        let mut peer = Peer::start(&format!("pages with {library}"), &mut program);
        peer.wait_for("ready", PATIENCE);
        Self { peer, domain }
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

/// A server with 101 and 102 for pages at its own address.
fn server(folder: &Path) -> Offhook {
    let web = "domains = [\"127.0.0.1\"]\nlisten = { udp = \"127.0.0.1:0\", tcp = \"127.0.0.1:0\", ws = \"127.0.0.1:0\" }\n\
               store = { durability = \"memory\" }";
    Offhook::serve_on(&crate::land::Host::HERE, folder, &["101", "102"], web)
}

/// A page calls another; each hears the other's microphone; the called one hangs up; both unregister.
fn two_pages_call(library: &str) -> Option<()> {
    let libraries = libraries()?;
    let folder = place::folder(&format!("web-{library}"));
    let mut server = server(&folder);
    let mut pages = Pages::open(library, &mut server, &libraries, Style::default());
    pages.register("101");
    pages.register("102");
    pages.call("101", "102");
    pages.peer.wait_for("accepted", PATIENCE);
    pages.peer.wait_for("accepted", PATIENCE);
    pages.act("hear", "101");
    pages.act("hear", "102");
    pages.act("hangUp", "102");
    pages.peer.wait_for("101 ended", PATIENCE);
    pages.act("leave", "102");
    server.peer.wait_for("\"unregistered\"", PATIENCE);
    // A page that is closed without a word is not registered any more either.
    pages.act("close", "101");
    server.peer.wait_for("\"unregistered\"", PATIENCE);
    server.stop();
    Some(())
}

const TWO_PAGES: &str = "Two pages in Chromium register with digest and call each other; each hears the other's microphone; a page that is closed is not called any more";

#[test]
fn two_pages_with_jssip_hear_each_other_over_ws() {
    if two_pages_call("jssip").is_some() {
        table::passed(&table::JSSIP, TWO_PAGES, "WS");
    }
}

#[test]
fn two_pages_with_sipjs_hear_each_other_over_ws() {
    if two_pages_call("sipjs").is_some() {
        table::passed(&table::SIPJS, TWO_PAGES, "WS");
    }
}

#[test]
fn a_page_calls_offhook_phone_and_is_called_by_it() {
    let Some(libraries) = libraries() else { return };
    let folder = place::folder("web-and-phone");
    let mut server = server(&folder);
    let style = Style { desk_phone: true, ..Style::default() };
    let mut pages = Pages::open("sipjs", &mut server, &libraries, style);
    pages.register("101");
    let account = Account::new("102", server.udp);
    let mut phone = Phone::start(&folder, &account, &["answer"]);
    phone.peer.wait_for("\"registered\"", PATIENCE);
    pages.call("101", "102");
    pages.peer.wait_for("101 accepted", PATIENCE);
    phone.peer.wait_for("\"established\"", PATIENCE);
    pages.act("hangUp", "101");
    assert!(phone.peer.end(PATIENCE).success(), "{}", phone.peer.said());
    let mut phone = Phone::start(&folder, &account, &["call", "101", "--hangup-after", "1s"]);
    pages.peer.wait_for("101 accepted", PATIENCE);
    pages.peer.wait_for("101 ended", PATIENCE);
    assert!(phone.peer.end(PATIENCE).success(), "{}", phone.peer.said());
    server.stop();
    let feature = "A page calls `offhook phone`, which speaks UDP, and hangs up; then the other way round; signalling alone";
    table::passed(&table::SIPJS, feature, "WS");
}

#[test]
fn a_page_of_another_site_is_turned_away_and_the_log_says_why() {
    let Some(libraries) = libraries() else { return };
    let folder = place::folder("web-foreign");
    let mut server = server(&folder);
    let style = Style { host: "localhost", ..Style::default() };
    let mut pages = Pages::open("jssip", &mut server, &libraries, style);
    pages.act("open", "101");
    pages.say(json!({ "register": "101" }));
    pages.peer.wait_for("101 failed register", PATIENCE);
    let told = server.peer.wait_for("Pages of http://localhost:", PATIENCE);
    assert!(told.contains("[websocket] origins"), "{told}");
    server.stop();
    table::seen(&table::JSSIP, "A page of a site that may not come (`Origin`)", "WS", "403");
}
