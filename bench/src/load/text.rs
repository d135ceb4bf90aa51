//! What is said, and what is answered to it.

use crate::line::End;

/// What a description of a session says in these calls.
const SDP: &str = "v=0\r\no=alice 2890844526 2890844526 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0 8 101\r\n\
a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n";

pub(crate) fn options(nth: usize, end: End) -> String {
    let (via, _, port) = end.words();
    format!(
        "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{via} 127.0.0.1:{port};branch=z9hG4bKo{nth}.{port}\r\nMax-Forwards: 70\r\n\
         From: <sip:caller@127.0.0.1>;tag=o{nth}\r\nTo: <sip:127.0.0.1>\r\nCall-ID: {nth}.{port}@load\r\nCSeq: 1 OPTIONS\r\n\
         Contact: <sip:caller@127.0.0.1:{port}>\r\nContent-Length: 0\r\n\r\n"
    )
}

pub(crate) fn register(user: usize, round: usize, end: End) -> String {
    let (cseq, (via, uri, port)) = (round + 1, end.words());
    format!(
        "REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{via} 127.0.0.1:{port};branch=z9hG4bK{user}.{round}\r\nMax-Forwards: 70\r\n\
         From: <sip:u{user}@127.0.0.1>;tag=f{user}\r\nTo: <sip:u{user}@127.0.0.1>\r\nCall-ID: {user}@load\r\nCSeq: {cseq} REGISTER\r\n\
         Contact: <sip:u{user}@127.0.0.1:{port};transport={uri}>\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n"
    )
}

pub(crate) fn invite(nth: usize, user: usize, end: End) -> String {
    let (length, (via, uri, port)) = (SDP.len(), end.words());
    format!(
        "INVITE sip:u{user}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{via} 127.0.0.1:{port};branch=z9hG4bKi{user}.{nth}\r\nMax-Forwards: 70\r\n\
         From: <sip:caller@127.0.0.1>;tag=c{user}.{nth}\r\nTo: <sip:u{user}@127.0.0.1>\r\nCall-ID: call{nth}@{user}\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:caller@127.0.0.1:{port};transport={uri}>\r\nContent-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{SDP}"
    )
}

/// Which of all calls an INVITE begins.
pub(crate) fn which_call(message: &str) -> Option<usize> {
    let call = message.starts_with("INVITE ").then(|| row(message, "Call-ID:"))?;
    call.strip_prefix("call")?.split('@').next()?.parse().ok()
}

/// True for what ends an OPTIONS, a REGISTER or a call.
pub(crate) fn is_the_last(message: &str) -> bool {
    let method = row(message, "CSeq:").rsplit(' ').next().unwrap_or_default();
    message.starts_with("SIP/2.0 200 ") && matches!(method, "OPTIONS" | "REGISTER" | "BYE")
}

/// What a phone says to a message.
pub(crate) fn answers(message: &str, end: End) -> Vec<String> {
    let first = message.lines().next().unwrap_or_default();
    match first.split(' ').collect::<Vec<_>>().as_slice() {
        ["INVITE", ..] => {
            vec![response(message, "180 Ringing", end, ""), response(message, "200 OK", end, SDP)]
        }
        ["BYE", ..] => vec![response(message, "200 OK", end, "")],
        ["SIP/2.0", "200", ..] if row(message, "CSeq:").ends_with("INVITE") => {
            vec![within(message, "ACK", 1, end), within(message, "BYE", 2, end)]
        }
        _ => Vec::new(),
    }
}

fn response(request: &str, status: &str, end: End, body: &str) -> String {
    let copied = ["Via:", "Record-Route:", "From:", "Call-ID:", "CSeq:"];
    let rows = request.lines().filter(|line| copied.iter().any(|name| line.starts_with(name)));
    let rows: String = rows.flat_map(|line| [line, "\r\n"]).collect();
    let to = row(request, "To:");
    let tag = if to.contains(";tag=") { "" } else { ";tag=callee" };
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    let (length, (_, uri, port)) = (body.len(), end.words());
    format!(
        "SIP/2.0 {status}\r\n{rows}To: {to}{tag}\r\nContact: <sip:callee@127.0.0.1:{port};transport={uri}>\r\n{kind}Content-Length: {length}\r\n\r\n{body}"
    )
}

/// A request within the call that a response has set up.
fn within(response: &str, method: &str, cseq: u32, end: End) -> String {
    let (via, _, port) = end.words();
    let target = row(response, "Contact:").trim_start_matches('<').trim_end_matches('>');
    let routes = response.lines().filter_map(|line| line.strip_prefix("Record-Route:")).rev();
    let routes: String = routes.map(|route| format!("Route:{route}\r\n")).collect();
    let (from, to, call) =
        (row(response, "From:"), row(response, "To:"), row(response, "Call-ID:"));
    format!(
        "{method} {target} SIP/2.0\r\nVia: SIP/2.0/{via} 127.0.0.1:{port};branch=z9hG4bK{method}{call}\r\nMax-Forwards: 70\r\n{routes}\
         From: {from}\r\nTo: {to}\r\nCall-ID: {call}\r\nCSeq: {cseq} {method}\r\nContent-Length: 0\r\n\r\n"
    )
}

/// The value of a header that stands once.
fn row<'a>(message: &'a str, name: &str) -> &'a str {
    message.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim()
}
