//! A phone that plays both sides of its calls, from one socket.

use std::net::UdpSocket;
use std::time::Duration;

/// A phone, and the server that it calls through.
pub(crate) struct Phone {
    socket: UdpSocket,
    server: String,
    /// The number that leads to it.
    number: String,
    pub(crate) us: String,
}

/// A call that is up: what its further requests must say.
pub(crate) struct Call<'a> {
    phone: &'a Phone,
    id: String,
    routes: String,
    cseq: u32,
}

impl Phone {
    pub(crate) fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
        socket.set_read_timeout(Some(Duration::from_secs(40))).expect("set");
        let us = socket.local_addr().expect("bound").to_string();
        Self { socket, server: String::new(), number: String::new(), us }
    }

    /// Through which server it calls, and the number that leads back to it there.
    pub(crate) fn calls_through(&mut self, server: &str, number: &str) {
        server.clone_into(&mut self.server);
        number.clone_into(&mut self.number);
    }

    fn sends(&self, line: &str, to_tag: &str, (id, cseq): (&str, &str), rows: &str) {
        let (us, server, number) = (&self.us, &self.server, &self.number);
        let branch = cseq.replace(' ', "-");
        let wire = format!(
            "{line} SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK{branch}{id}\r\nFrom: <sip:a@b>;tag=1\r\n\
             To: <sip:{number}@{server}>{to_tag}\r\nCall-ID: {id}\r\nCSeq: {cseq}\r\nMax-Forwards: 70\r\nContact: <sip:a@{us}>\r\n\
             {rows}Content-Length: 0\r\n\r\n"
        );
        self.socket.send_to(wire.as_bytes(), server).expect("sent");
    }

    fn invites(&self, id: &str) {
        let line = format!("INVITE sip:{}@{}", self.number, self.server);
        self.sends(&line, "", (id, "1 INVITE"), "");
    }

    /// The next message of a call that begins so; others are read past.
    fn hears(&self, begins: &str, id: &str) -> String {
        let of_it = format!("\r\nCall-ID: {id}\r\n");
        loop {
            let mut octets = [0; 4096];
            let length = self.socket.recv(&mut octets).expect("a message");
            let text = String::from_utf8_lossy(octets.get(..length).expect("it fits")).into_owned();
            if text.starts_with(begins) && text.contains(&of_it) {
                return text;
            }
        }
    }

    /// Answers a request that the server sent.
    fn says(&self, request: &str, line: &str) {
        let copied = ["Via:", "From:", "Call-ID:", "CSeq:", "Record-Route:"];
        let mut wire = format!("SIP/2.0 {line}\r\n");
        for row in request.lines() {
            if copied.iter().any(|name| row.starts_with(name)) {
                wire += &format!("{row}\r\n");
            }
            if row.starts_with("To:") {
                let tag = if row.contains(";tag=") { "" } else { ";tag=2" };
                wire += &format!("{row}{tag}\r\n");
            }
        }
        wire += &format!("Contact: <sip:callee@{}>\r\nContent-Length: 0\r\n\r\n", self.us);
        self.socket.send_to(wire.as_bytes(), &self.server).expect("sent");
    }

    /// A call that rings and is answered.
    pub(crate) fn call(&self, id: &str) -> Call<'_> {
        self.invites(id);
        let invite = self.hears("INVITE ", id);
        self.says(&invite, "180 Ringing");
        self.hears("SIP/2.0 180", id);
        self.says(&invite, "200 OK");
        let ok = self.hears("SIP/2.0 200", id);
        let routes = ok.lines().filter_map(|row| row.strip_prefix("Record-Route: "));
        let routes = routes.map(|route| format!("Route: {route}\r\n")).collect();
        let call = Call { phone: self, id: id.to_owned(), routes, cseq: 1 };
        call.acknowledges();
        call
    }

    /// A call that is refused.
    pub(crate) fn is_refused(&self, id: &str, line: &str) {
        self.invites(id);
        let invite = self.hears("INVITE ", id);
        self.says(&invite, line);
        let refusal = self.hears(&format!("SIP/2.0 {}", line.get(..3).unwrap_or_default()), id);
        let to = refusal.lines().find_map(|row| row.strip_prefix("To: ")).unwrap_or_default();
        let tag = to.rsplit_once(";tag=").map_or("", |(_, tag)| tag);
        let (server, us, number) = (&self.server, &self.us, &self.number);
        let wire = format!(
            "ACK sip:{number}@{server} SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK1-INVITE{id}\r\nFrom: <sip:a@b>;tag=1\r\n\
             To: <sip:{number}@{server}>;tag={tag}\r\nCall-ID: {id}\r\nCSeq: 1 ACK\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        );
        self.socket.send_to(wire.as_bytes(), server).expect("sent");
    }
}

impl Call<'_> {
    fn sends(&self, method: &str) {
        let line = format!("{method} sip:callee@{}", self.phone.us);
        let cseq = format!("{} {method}", self.cseq);
        self.phone.sends(&line, ";tag=2", (&self.id, &cseq), &self.routes);
    }

    fn acknowledges(&self) {
        self.sends("ACK");
        self.phone.hears("ACK ", &self.id);
    }

    /// The caller asks for something else, and the callee agrees.
    pub(crate) fn invites_again(&mut self) {
        self.cseq += 1;
        self.sends("INVITE");
        let invite = self.phone.hears("INVITE ", &self.id);
        self.phone.says(&invite, "200 OK");
        self.phone.hears("SIP/2.0 200", &self.id);
        self.acknowledges();
    }

    /// The caller sends the callee to somebody else, who hears how that goes (RFC 3515).
    pub(crate) fn refers(&mut self) {
        let phone = self.phone;
        self.cseq += 1;
        let cseq = format!("{} REFER", self.cseq);
        let rows = format!("{}Refer-To: <sip:c@{}>\r\n", self.routes, phone.server);
        phone.sends(&format!("REFER sip:callee@{}", phone.us), ";tag=2", (&self.id, &cseq), &rows);
        let refer = phone.hears("REFER ", &self.id);
        phone.says(&refer, "202 Accepted");
        phone.hears("SIP/2.0 202", &self.id);
        self.tells("SIP/2.0 200 OK");
    }

    /// The callee tells the caller how its transfer went, on the same way back.
    fn tells(&self, line: &str) {
        let Self { phone, id, routes, cseq } = self;
        let (us, server, number) = (&phone.us, &phone.server, &phone.number);
        let length = line.len() + 2;
        let wire = format!(
            "NOTIFY sip:a@{us} SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK{cseq}-NOTIFY{id}\r\nFrom: <sip:{number}@{server}>;tag=2\r\n\
             To: <sip:a@b>;tag=1\r\nCall-ID: {id}\r\nCSeq: {cseq} NOTIFY\r\nMax-Forwards: 70\r\nContact: <sip:callee@{us}>\r\n{routes}\
             Event: refer\r\nSubscription-State: terminated;reason=noresource\r\nContent-Type: message/sipfrag\r\n\
             Content-Length: {length}\r\n\r\n{line}\r\n"
        );
        phone.socket.send_to(wire.as_bytes(), server).expect("sent");
        let notify = phone.hears("NOTIFY ", id);
        phone.says(&notify, "200 OK");
        phone.hears("SIP/2.0 200", id);
    }

    /// The caller hangs up.
    pub(crate) fn hangs_up(mut self) {
        self.cseq += 1;
        self.sends("BYE");
        let bye = self.phone.hears("BYE ", &self.id);
        self.phone.says(&bye, "200 OK");
        self.phone.hears("SIP/2.0 200", &self.id);
    }
}
