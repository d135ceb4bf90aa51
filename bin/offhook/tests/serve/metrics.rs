//! The API and the metrics of a server that carries a call: what they say is true, and written down.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::console::{Console, ctl};
use super::exposition::{self, Family};
use super::folder;
use super::schema::{check, check_answer};

/// One end of a call, over UDP.
struct End {
    socket: UdpSocket,
    server: String,
}

impl End {
    fn new(server: &str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
        socket.set_read_timeout(Some(Duration::from_secs(40))).expect("set");
        Self { socket, server: server.into() }
    }

    fn at(&self) -> String {
        self.socket.local_addr().expect("bound").to_string()
    }

    fn say(&self, text: &str) {
        self.socket.send_to(text.as_bytes(), &self.server).expect("sent");
    }

    /// The next message that begins so.
    fn hear(&self, begin: &str) -> String {
        loop {
            let mut octets = [0; 4096];
            let length =
                self.socket.recv(&mut octets).unwrap_or_else(|error| panic!("no {begin}: {error}"));
            let text = String::from_utf8_lossy(&octets[..length]).into_owned();
            if text.starts_with(begin) {
                return text;
            }
        }
    }

    fn request(&self, start: &str, (from, to): (&str, &str), number: &str, more: &str) {
        let us = self.at();
        let method = start.split(' ').next().expect("a method");
        self.say(&format!(
            "{start} SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK{number}{method}\r\nFrom: {from}\r\nTo: {to}\r\n\
             Call-ID: the-call\r\nCSeq: {number} {method}\r\nContact: <sip:{us}>\r\nMax-Forwards: 70\r\n{more}Content-Length: 0\r\n\r\n"
        ));
    }

    fn answer(&self, request: &str, status: &str) {
        let kept = ["Via:", "From:", "Call-ID:", "CSeq:", "Record-Route:"];
        let lines = request.lines().filter(|line| kept.iter().any(|name| line.starts_with(name)));
        let lines: Vec<_> = lines.map(|line| format!("{line}\r\n")).collect();
        let to = field(request, "To:");
        let tag = if to.contains("tag=") { "" } else { ";tag=callee" };
        let us = self.at();
        self.say(&format!(
            "SIP/2.0 {status}\r\n{}To: {to}{tag}\r\nContact: <sip:{us}>\r\nContent-Length: 0\r\n\r\n",
            lines.concat()
        ));
    }
}

const CALLER: &str = "<sip:101@example.test>;tag=caller";

/// A call of 101 to 102, over a server.
struct Talk {
    caller: End,
    callee: End,
    /// The To with its tag, the Route, and where the callee is.
    to: String,
    route: String,
    target: String,
}

impl Talk {
    /// 102 registers, 101 calls, it rings, it is answered.
    fn begin(console: &Console) -> Self {
        let [caller, callee] = [(); 2].map(|()| End::new(&console.server.udp));
        let who = "<sip:102@example.test>";
        let registers = "REGISTER sip:example.test";
        callee.request(registers, ("<sip:102@example.test>;tag=r", who), "1", "");
        callee.hear("SIP/2.0 200 ");
        caller.request("INVITE sip:102@example.test", (CALLER, who), "1", "");
        let invite = callee.hear("INVITE ");
        callee.answer(&invite, "180 Ringing");
        caller.hear("SIP/2.0 180 ");
        assert_eq!(console.get("/api/v1/calls")["calls"][0]["state"], "ringing");
        callee.answer(&invite, "200 OK");
        let ok = caller.hear("SIP/2.0 200 ");
        let route = format!("Route: {}\r\n", field(&ok, "Record-Route:"));
        let (to, target) = (field(&ok, "To:").to_owned(), format!("sip:{}", callee.at()));
        caller.request(&format!("ACK {target}"), (CALLER, &to), "1", &route);
        callee.hear("ACK ");
        Self { caller, callee, to, route, target }
    }

    /// 101 hangs up.
    fn end(&self) {
        let bye = format!("BYE {}", self.target);
        self.caller.request(&bye, (CALLER, &self.to), "2", &self.route);
        let bye = self.callee.hear("BYE ");
        self.callee.answer(&bye, "200 OK");
        self.caller.hear("SIP/2.0 200 ");
    }
}

/// Who needs what nobody knows is refused.
fn is_refused(talk: &Talk) {
    let whom = ("<sip:103@example.test>;tag=n", "<sip:103@example.test>");
    talk.callee.request("REGISTER sip:example.test", whom, "9", "Require: wings\r\n");
    talk.callee.hear("SIP/2.0 420 ");
}

/// A group of one, at which nobody listens.
const GROUP: &str = "[[group]]\nname = \"carriers\"\ntarget = \"sip:127.0.0.1:9;transport=tcp\"\n\
                     [[route]]\nmatch = { domain = \"other.test\" }\ngroup = \"carriers\"\n";

fn field<'a>(message: &'a str, name: &str) -> &'a str {
    message.lines().find_map(|line| line.strip_prefix(name)).map_or("", str::trim)
}

#[test]
fn a_call_is_seen_while_it_lasts() {
    let console = Console::start(&folder("console-calls"), "");
    let talk = Talk::begin(&console);
    let document = console.get("/api/v1/openapi.json");
    let calls = console.get("/api/v1/calls?filter=the-call&limit=1");
    check_answer(&document, ("get", "/api/v1/calls"), &calls);
    let call = &calls["calls"][0];
    assert_eq!((&call["state"], &call["call_id"]), (&"up".into(), &"the-call".into()));
    assert_eq!(call["from"], "sip:101@example.test");
    assert_eq!(call["target"]["address"], talk.callee.at());
    let id = call["id"].as_str().expect("text");
    for name in [id, "the-call"] {
        let one = console.get(&format!("/api/v1/calls/{name}"));
        check_answer(&document, ("get", "/api/v1/calls/{call}"), &one);
        assert_eq!(one["id"], id);
    }
    let others = console.get("/api/v1/calls?filter=another");
    assert_eq!(others["calls"].as_array().map(Vec::len), Some(0));
    let (code, table, _) = console.ctl(&["calls"]);
    assert!(code == Some(0) && table.contains(" up ") && table.contains("101@"), "{table}");
    let (_, shown, _) = console.ctl(&["show", "the-call"]);
    assert!(shown.starts_with("state          up for "), "{shown}");
    talk.end();
    assert_eq!(console.curl("/api/v1/calls/the-call", &[]).0, 404);
}

#[test]
fn what_happened_is_counted() {
    let console = Console::start(&folder("console-counts"), "");
    let talk = Talk::begin(&console);
    talk.end();
    // Nobody has this number now.
    let nobody = ("INVITE sip:999@example.test", (CALLER, "<sip:999@example.test>"));
    talk.caller.request(nobody.0, nobody.1, "7", "");
    talk.caller.hear("SIP/2.0 480 ");
    is_refused(&talk);
    let (status, page) = console.curl("/metrics", &[]);
    assert_eq!(status, 200);
    let families = exposition::read(&page);
    let family = |name: &str| &families.iter().find(|(known, _)| known == name).expect(name).1;
    let value = |name: &str, labels: &[(&str, &str)]| {
        family(&format!("offhook_sip_{name}")).value(labels).unwrap_or(-1.0)
    };
    for direction in ["in", "out"] {
        let labels = [("method", "BYE"), ("direction", direction)];
        assert_eq!(value("requests_total", &labels), 1.0);
    }
    assert_eq!(value("requests_total", &[("method", "INVITE"), ("direction", "in")]), 2.0);
    let responses = |code, method, direction| {
        let labels = [("code", code), ("method", method), ("direction", direction)];
        value("responses_total", &labels)
    };
    assert_eq!((responses("200", "INVITE", "in"), responses("200", "BYE", "in")), (1.0, 1.0));
    assert_eq!(responses("200", "REGISTER", "out"), 1.0);
    // Without an ACK it is repeated.
    assert!(responses("480", "INVITE", "out") >= 1.0);
    assert_eq!(responses("420", "REGISTER", "out"), 1.0);
    assert_eq!(value("ineffective_registration_attempts_total", &[]), 1.0);
    assert_eq!(value("ineffective_registration_attempts_ratio", &[]), 0.5);
    let registered = &family("offhook_sip_registration_request_delay_seconds").samples;
    let count = registered.iter().find(|(name, ..)| name.ends_with("_count"));
    assert_eq!(count.map(|(.., count)| *count), Some(1.0));
    assert_eq!((value("registrations", &[]), value("calls", &[])), (1.0, 0.0));
    assert_eq!(value("sessions_total", &[("outcome", "answered")]), 1.0);
    assert_eq!(value("sessions_total", &[("outcome", "declined")]), 1.0);
    assert_eq!(value("session_establishment_ratio", &[]), 0.5);
    assert_eq!(value("session_establishment_effectiveness_ratio", &[]), 1.0);
    assert_eq!(value("session_completion_ratio", &[]), 0.5);
    assert_eq!(value("sessions_ended_total", &[("how", "completed")]), 1.0);
    let delays = &family("offhook_sip_session_disconnect_delay_seconds").samples;
    let is_of = |(name, labels, _): &&(String, BTreeMap<String, String>, f64)| {
        name.ends_with("_count") && labels["outcome"] == "successful"
    };
    assert_eq!(delays.iter().find(is_of).map(|(.., count)| *count), Some(1.0));
    let (_, by_ctl, _) = console.ctl(&["metrics"]);
    assert_eq!(exposition::read(&by_ctl).len(), families.len());
}

/// Who connects is counted under its transport, until it goes.
#[test]
fn connections_are_counted_by_transport() {
    let mut console = Console::start(&folder("console-connections"), "");
    let open =
        |transport: &str| console.labelled("offhook_connections", &[("transport", transport)]);
    assert_eq!((open("tcp"), open("tls")), (0.0, 0.0));
    let stream = std::net::TcpStream::connect(&console.tcp).expect("connected");
    let until = std::time::Instant::now() + Duration::from_secs(40);
    while open("tcp") != 1.0 {
        assert!(std::time::Instant::now() < until, "nobody sees the connection");
    }
    drop(stream);
    while open("tcp") != 0.0 {
        assert!(std::time::Instant::now() < until, "it is still there");
    }
    assert_eq!(open("tls"), 0.0);
    console.server.signal("TERM");
    console.server.line("\"event\":\"stopped\"");
}

/// `OFFHOOK_WRITE=1 cargo test -p offhook --test serve metrics` writes the page anew.
#[test]
fn every_metric_is_written_down() {
    let console = Console::start(&folder("console-metrics"), GROUP);
    // What has labels shows them when there is something to count.
    let talk = Talk::begin(&console);
    talk.end();
    is_refused(&talk);
    let (_, page) = console.curl("/metrics", &[]);
    let alerts =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/prometheus-alerts.yml");
    let alerts = std::fs::read_to_string(alerts).expect("the alerts are there");
    let words = alerts.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let named: Vec<_> = words.filter(|word| word.starts_with("offhook_")).collect();
    assert!(named.len() > 7, "{named:?}");
    for name in named {
        let family = format!("# TYPE {} ", name.trim_end_matches("_bucket"));
        assert!(page.contains(&family), "the alerts name {name}, which there is not");
    }
    let mut text = String::from(INTRODUCTION);
    for (name, Family { help, kind, samples }) in exposition::read(&page) {
        let mut labels: Vec<_> = samples.iter().flat_map(|(_, labels, _)| labels.keys()).collect();
        labels.sort();
        labels.dedup();
        let labels = labels.iter().filter(|label| **label != "le");
        let labels: Vec<_> = labels.map(|label| format!("`{label}`")).collect();
        text += &format!("| `{name}` | {kind} | {} | {help} |\n", labels.join(", "));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    if std::env::var_os("OFFHOOK_WRITE").is_some() {
        std::fs::write(&path, &text).expect("the page can be written");
    }
    let written = std::fs::read_to_string(&path).expect("the page is there");
    assert_eq!(
        written, text,
        "write it anew: OFFHOOK_WRITE=1 cargo test -p offhook --test serve metrics"
    );
}

/// Prometheus' own client reads the page as we do.
#[test]
fn prometheus_reads_the_page() {
    let console = Console::start(&folder("console-prometheus"), "");
    console.register("101");
    let (_, page) = console.curl("/metrics", &[]);
    let script = "import sys\nfrom prometheus_client.parser import text_string_to_metric_families as read\n\
                  print(sum(len(family.samples) for family in read(sys.stdin.read())))";
    let has = Command::new(PYTHON).args(["-c", "import prometheus_client"]).output();
    if !has.is_ok_and(|output| output.status.success()) {
        assert!(
            std::env::var_os("OFFHOOK_REQUIRE_PEERS").is_none(),
            "prometheus_client is missing"
        );
        println!("skipped: python3-prometheus-client is not installed");
        return;
    }
    let mut python = Command::new(PYTHON);
    let python = python.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut python = python.spawn().expect("python3");
    python.stdin.take().expect("piped").write_all(page.as_bytes()).expect("written");
    let read = python.wait_with_output().expect("ended");
    let ours: usize = exposition::read(&page).iter().map(|(_, family)| family.samples.len()).sum();
    assert_eq!(String::from_utf8_lossy(&read.stdout).trim(), ours.to_string());
}

/// What the document promises of every path, a server keeps.
#[test]
fn answers_are_as_the_document_says() {
    let console = Console::start(&folder("console-document"), GROUP);
    console.register("101");
    let document = console.get("/api/v1/openapi.json");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let file = std::fs::read_to_string(file).expect("the document is there");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&file).expect("JSON"), document);
    // Nobody listens at port 9: the member fails.
    let caller = End::new(&console.server.udp);
    caller.request(
        "INVITE sip:x@other.test",
        ("<sip:101@example.test>;tag=a", "<sip:x@other.test>"),
        "1",
        "",
    );
    caller.hear("SIP/2.0 5");
    let mut asked = 0;
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            let here = path.replace("{user}", "101").replace("{call}", "none");
            let asks = ["-X", &method.to_uppercase()];
            let answer = match (method.as_str(), path.as_str()) {
                ("get", "/api/v1/events" | "/metrics")
                | ("post", "/api/v1/drain")
                | ("delete", _) => continue,
                _ => console.curl(&here, &asks),
            };
            let value = serde_json::from_str(&answer.1).expect("JSON");
            match answer.0 {
                200..300 => check_answer(&document, (method, path), &value),
                _ => check(&document, "Refusal", &value),
            }
            asked += 1;
        }
    }
    assert!(asked >= 6, "{asked}");
    let targets = console.get("/api/v1/targets");
    assert_eq!(
        (&targets["members"][0]["state"], &targets["failed"][0]["address"]),
        (&"suspect".into(), &"127.0.0.1:9".into())
    );
    assert!(console.ctl(&["targets"]).1.contains("suspect"));
    for (arguments, path) in
        [(&["-X", "DELETE"], "/api/v1/registrations/101"), (&["-X", "POST"], "/api/v1/drain")]
    {
        let (status, body) = console.curl(path, arguments);
        assert!((200..300).contains(&status), "{body}");
        let place = (arguments[1].to_lowercase(), path.replace("101", "{user}"));
        check_answer(&document, (&place.0, &place.1), &serde_json::from_str(&body).expect("JSON"));
    }
}

#[test]
fn wrong_questions_are_answered_in_words() {
    let (code, _, why) = ctl(&["--url", "https://pbx.example.test", "status"]);
    assert_eq!(
        (code, why.as_str()),
        (Some(2), "`https://pbx.example.test` is neither http://HOST:PORT nor unix:FILE\n")
    );
    let (code, _, why) = ctl(&["--token-file", "/nowhere", "status"]);
    assert!(code == Some(2) && why.starts_with("/nowhere: "), "{why}");
    let (code, _, why) = ctl(&["--url", "unix:/nowhere", "status"]);
    assert!(code == Some(1) && why.starts_with("no server answers at /nowhere"), "{why}");
}

const INTRODUCTION: &str = "# Metrics

`http://127.0.0.1:8060/metrics` has them in Prometheus' text format, once `[listen] console` is on ([console.md](console.md)). With a token, Prometheus needs it too:

```yaml
scrape_configs:
  - job_name: offhook
    authorization: { credentials_file: /etc/offhook/token }
    static_configs: [{ targets: [\"127.0.0.1:8060\"] }]
```

Counters are those of all shards together, and begin at 0 when the server starts. The ratios of [RFC 6076](https://www.rfc-editor.org/rfc/rfc6076) are those since the start;
those of the last hour are made of the counters. An answer-seizure ratio, for example:

```
sum(increase(offhook_sip_sessions_total{outcome=\"answered\"}[1h]))
  / sum(increase(offhook_sip_sessions_total{outcome!=\"redirected\"}[1h]))
```

[prometheus-alerts.yml](examples/prometheus-alerts.yml) has alerts to begin with.

The figures of RFC 6076 are measured here in the middle, not at a phone: what the network between a phone and this server adds is not in them. An INVITE whose sender was asked who it is
(401, 407) is no attempt yet. A call that ends by no BYE that we see is `lost`, and its length is not known: the duration of failed calls (RFC 6076 §4.5.2) is not measured. Of requests
by method and code `offhook_sip_responses_total` tells: each response has the method of its request.

| name | type | labels | meaning |
|---|---|---|---|
";

/// Debian's own: it is the one that has Debian's packages.
const PYTHON: &str = "/usr/bin/python3";
