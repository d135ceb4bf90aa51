//! The console among people who mean no good, and readers who do not read.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use super::console::{Console, ctl};
use super::folder;
use super::schema::check;

const PATIENCE: Duration = Duration::from_secs(40);

fn connect(console: &Console) -> TcpStream {
    let address: SocketAddr =
        console.url.trim_start_matches("http://").parse().expect("an address");
    let stream = TcpStream::connect(address).expect("connected");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    stream
}

/// What comes until the other side closes.
fn rest(stream: &mut TcpStream) -> String {
    let mut octets = Vec::new();
    // Reset is an end too.
    let _ = stream.read_to_end(&mut octets);
    String::from_utf8_lossy(&octets).into_owned()
}

#[test]
fn only_who_has_the_token_gets_in_by_tcp() {
    let folder = folder("console-token");
    let socket = folder.join("console.sock");
    let token = folder.join("token");
    std::fs::write(&token, "0123456789abcdef0123456789abcdef\n").expect("written");
    let more = format!("[console]\ntoken_file = {token:?}\nhosts = \"pbx.example.test\"\n");
    let mut console =
        Console::start_with(&folder, &format!("console_socket = {socket:?}\n"), &more);
    let bearer = |token: &str| format!("Authorization: Bearer {token}");
    for headers in [vec![], vec![bearer("wrong")], vec![bearer("0123456789abcdef0123456789abcde")]]
    {
        let arguments: Vec<&str> = headers.iter().flat_map(|header| ["-H", header]).collect();
        for (method, path) in
            [("GET", "/api/v1/status"), ("POST", "/api/v1/drain"), ("GET", "/metrics")]
        {
            let (status, body) = console.curl(path, &[&["-X", method], &arguments[..]].concat());
            assert!(status == 401 && body.contains("\"error\":\"token\""), "{path}: {body}");
        }
    }
    // Whoever tries tokens is seen.
    let line = console.server.line("\"event\":\"console_refused\"");
    assert!(line.contains("\"source\":\"127.0.0.1\",\"code\":\"token\""), "{line}");
    let right = bearer("0123456789abcdef0123456789abcdef");
    let (_, page) = console.curl("/metrics", &["-H", &right]);
    assert!(page.contains("\noffhook_console_refused_total 9\n"), "{page}");
    assert_eq!(console.curl("/api/v1/status", &["-H", &right]).0, 200);
    let (code, _, why) = console.ctl(&["status"]);
    assert_eq!(
        (code, why.as_str()),
        (
            Some(1),
            "a token is needed: give --token-file FILE, with the token of the server's [console]\n"
        )
    );
    let file = token.display().to_string();
    assert_eq!(console.ctl(&["status", "--token-file", &file]).0, Some(0));
    // By the socket file nobody needs one: its permissions are the server's own user.
    let unix = format!("unix:{}", socket.display());
    let (code, _, why) = ctl(&["--url", &unix, "status"]);
    assert_eq!(code, Some(0), "{why}");
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(&socket).expect("there").permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn pages_of_others_do_not_get_in() {
    let more = "[console]\nhosts = \"pbx.example.test\"\n";
    let console = Console::start(&folder("console-pages"), more);
    // The names that it has, and no others: DNS rebinding.
    for (host, expected) in [
        ("evil.example", 403),
        ("pbx.example.test", 200),
        ("example.test:8060", 200),
        ("127.0.0.1.evil.example", 403),
    ] {
        let host = format!("Host: {host}");
        assert_eq!(console.curl("/api/v1/status", &["-H", &host]).0, expected, "{host}");
    }
    let foreign = ["-X", "POST", "-H", "Origin: https://evil.example"];
    let (status, body) = console.curl("/api/v1/drain", &foreign);
    assert!(status == 403 && body.contains("foreign_origin"), "{body}");
    let (_, head) = console.curl("/api/v1/status", &["-i"]);
    let head = head.to_lowercase();
    for guard in [
        "content-security-policy: default-src 'none'",
        "x-content-type-options: nosniff",
        "cache-control: no-store",
    ] {
        assert!(head.contains(guard), "{head}");
    }
    assert!(!head.contains("access-control"), "{head}");
}

/// No secret of the config is in anything that the console says.
#[test]
fn no_secret_is_told() {
    let secrets =
        ["correct-horse-battery", "0123456789abcdef0123456789abcdef", "the-token-of-this-test"];
    let more = format!(
        "[[extension]]\nnumber = \"101\"\npassword = \"{}\"\n[[extension]]\nnumber = \"102\"\nha1 = {{ md5 = \"{}\" }}\n\
         [console]\ntoken = \"{}\"\n",
        secrets[0], secrets[1], secrets[2]
    );
    let console = Console::start(&folder("console-secrets"), &more);
    console.register("101");
    let right = format!("Authorization: Bearer {}", secrets[2]);
    let pages = ["status", "registrations", "registrations/101", "calls", "targets", "bans"];
    let pages = pages.iter().map(|page| format!("/api/v1/{page}"));
    for page in pages.chain(["/metrics".to_owned(), "/nothing".to_owned()]) {
        let (status, body) = console.curl(&page, &["-i", "-H", &right]);
        assert!(status == 200 || page == "/nothing", "{page}: {body}");
        assert!(secrets.iter().all(|secret| !body.contains(secret)), "{page}: {body}");
    }
}

/// More half requests than there are places: those who ask something are served all the same, and the others are sent away in the end.
#[test]
fn who_never_ends_a_request_keeps_nobody_out() {
    let console = Console::start(&folder("console-loris"), "");
    let loris = |_| {
        let mut stream = connect(&console);
        stream.write_all(b"GET /api/v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ").expect("sent");
        stream
    };
    let mut slow: Vec<TcpStream> = (0..console::limits::CONNECTIONS + 40).map(loris).collect();
    assert_eq!(console.curl("/api/v1/status", &[]).0, 200);
    let mut last = slow.pop().expect("one");
    let said = rest(&mut last);
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 408 "), "{said}");
    assert_eq!(console.curl("/api/v1/status", &[]).0, 200);
}

#[test]
fn what_is_too_large_or_no_http_is_refused() {
    let console = Console::start(&folder("console-large"), "");
    let ask = |octets: &[u8]| {
        let mut stream = connect(&console);
        // It may be closed while we still speak.
        let _ = stream.write_all(octets);
        rest(&mut stream)
    };
    let long = format!("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: {}\r\n\r\n", "x".repeat(1 << 20));
    let many = format!("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n{}\r\n", "X: y\r\n".repeat(1000));
    for (octets, status) in [
        (long.as_bytes(), "431"),
        (many.as_bytes(), "431"),
        (b"INVITE sip:a@b SIP/2.0\r\n\r\n", "400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400"),
        (b"GET /api/v1/status HTTP/1.1\r\nConnection: close\r\n\r\n", "400"),
        (b"GET /a HTTP/1.1\r\nHost: a\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", "400"),
        (b"POST /api/v1/drain HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999\r\n\r\n", "413"),
        (b"GET http://evil.example/api/v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", "403"),
    ] {
        let said = ask(octets);
        let shown = String::from_utf8_lossy(&octets[..octets.len().min(60)]);
        // Only who still speaks may be cut off without a word.
        let cut_off = octets.len() > 1_000 && said.is_empty();
        assert!(cut_off || said.starts_with(&format!("HTTP/1.1 {status} ")), "{shown}: {said}");
    }
    let query = format!("/api/v1/registrations?filter={}", "x".repeat(5_000));
    assert_eq!(console.curl(&query, &[]).0, 400);
    assert_eq!(console.get("/api/v1/status")["healthy"], true);
}

/// A hundred read events, one of them never does: the others get all of them, and the server goes on.
#[test]
fn a_reader_that_never_reads_is_waited_for_by_nobody() {
    let console = Console::start(&folder("console-readers"), "");
    let mut readers: Vec<TcpStream> = (0..100)
        .map(|_| {
            let mut stream = connect(&console);
            let ask = "GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
            stream.write_all(ask.as_bytes()).expect("sent");
            let mut head = [0; 12];
            stream.read_exact(&mut head).expect("an answer");
            assert_eq!(&head, b"HTTP/1.1 200");
            stream
        })
        .collect();
    let deaf = readers.pop().expect("one");
    let users: Vec<String> = (1000..1200).map(|number| number.to_string()).collect();
    users.iter().for_each(|user| console.register(user));
    for reader in &mut readers {
        let mut text = String::new();
        while !text.contains("\"aor\":\"sip:1199@example.test\"") {
            let mut octets = [0; 65_536];
            let length = reader.read(&mut octets).expect("events");
            assert!(length > 0, "it ended: {text}");
            text += &String::from_utf8_lossy(&octets[..length]);
        }
        assert!(!text.contains("\"lost\""), "{text}");
        for user in &users {
            assert!(text.contains(&format!("\"aor\":\"sip:{user}@example.test\"")), "{user}");
        }
    }
    drop(deaf);
}

/// Who reads late has lost what did not wait, and is told how many: what it got and what it lost are all there were.
#[test]
fn a_reader_that_is_slow_is_told_how_much_it_has_lost() {
    let console = Console::start(&folder("console-lost"), "[server]\nshards = 1\n");
    let document = console.get("/api/v1/openapi.json");
    let socket =
        socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    // So that little waits in the system.
    socket.set_recv_buffer_size(4_096).expect("set");
    let address: SocketAddr =
        console.url.trim_start_matches("http://").parse().expect("an address");
    socket.connect(&address.into()).expect("connected");
    let mut reader = TcpStream::from(socket);
    reader.set_read_timeout(Some(PATIENCE)).expect("set");
    let ask = "GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    reader.write_all(ask.as_bytes()).expect("sent");
    let mut head = [0; 12];
    reader.read_exact(&mut head).expect("an answer");
    let noise = UdpSocket::bind("127.0.0.1:0").expect("bound");
    let unreadable = || console.get_metric("offhook_sip_unreadable_total");
    // Until more has happened than can wait anywhere.
    let wanted = 8.0 * console::limits::EVENTS as f64;
    while unreadable() < wanted {
        for _ in 0..500 {
            noise.send_to(b"this is no SIP", &console.server.udp).expect("sent");
        }
    }
    console.register("last");
    let happened = unreadable();
    let (mut text, mut got, mut lost) = (String::new(), 0.0, 0.0);
    while !text.contains("sip:last@example.test") {
        let mut octets = [0; 65_536];
        let length = reader.read(&mut octets).expect("events");
        assert!(length > 0, "it ended");
        text += &String::from_utf8_lossy(&octets[..length]);
        let whole = text.rfind('\n').map_or(0, |at| at + 1);
        for line in text[..whole].lines().filter_map(|line| line.strip_prefix("data: ")) {
            let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
            check(&document, "Event", &event);
            got += f64::from(u8::from(event["event"] == "unreadable"));
            lost += event["lost"].as_f64().unwrap_or_default();
        }
        if !text[..whole].contains("sip:last@example.test") {
            text.drain(..whole);
        }
    }
    assert!(lost > 0.0 && got > 0.0);
    // Whatever else was told beside them is a few lines.
    assert!((got + lost - happened).abs() <= 10.0, "{got} + {lost} of {happened}");
}
