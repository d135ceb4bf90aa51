//! An office to test in: one server node, and phones that the test plays by hand. No socket, no clock.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use machine::{Dice, Machine as _, Time};
use protocol::auth::{Algorithm, Asked, Ha1, Qop, response};
use protocol::doors::{Asker, Event, Neighbour, Question};
use protocol::{Flow, Identity, Input, Listener, Output, Transport};
use server::Node;
use server::settings::{Bindings, Cluster, Registrar, Settings, User};
use sip::header::{AuthParams, ProxyAuthenticate, WwwAuthenticate};
use sip::{Message, Status};

/// A server of `example.test` on 192.0.2.10, UDP (listener 0) and TCP (listener 1) on port 5060.
#[derive(Debug)]
pub struct Office {
    /// The server.
    pub node: Node,
    /// What time it is.
    pub now: Time,
    /// What happened.
    pub events: Vec<Event>,
    /// What it asked.
    pub asked: Vec<(protocol::Ticket, protocol::Question)>,
    /// What it told other shards.
    pub told: Vec<protocol::Answer>,
    /// What it warned other shards of.
    pub warnings: Vec<protocol::doors::Warning>,
    /// Whose new phones it told other shards of.
    pub announced: Vec<Box<[u8]>>,
    /// What it told other shards of strangers.
    pub cautions: Vec<protocol::bans::Caution>,
    /// Sources that its driver is not to hear.
    pub barred: BTreeSet<protocol::bans::Source>,
    /// Domains that TLS peers must prove to be.
    pub introduced: Vec<String>,
    /// Addresses that are reached by connections to another one.
    pub aliases: Vec<(Flow, SocketAddr)>,
    /// Whose connections keep their places.
    pub vouched: Vec<Flow>,
    out: Vec<Output>,
    /// What it asked itself, as if it were another shard.
    own: Vec<protocol::Ticket>,
    registrations: u32,
}

/// A message that the server sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Where it went.
    pub flow: Flow,
    /// What it was.
    pub message: Message,
}

/// The settings of the office: users 101 to 109, whose passwords are `secret-101` and so on.
pub fn settings() -> Settings {
    let at = SocketAddr::from(([192, 0, 2, 10], 5060));
    let listeners =
        vec![Listener::new(0, Transport::Udp, at), Listener::new(1, Transport::Tcp, at)];
    let users = (101..110).map(|n| User::new(&n.to_string(), &format!("secret-{n}"))).collect();
    // Tests want to know how long a registration lasts.
    let registrar = Registrar { jitter: 0, ..Registrar::default() };
    Settings { users, secret: 7, registrar, ..Settings::of("example.test", listeners) }
}

/// The same, trusting everybody.
pub fn trusting() -> Settings {
    Settings { challenge: Vec::new(), ..settings() }
}

/// A node of a cluster, at 192.0.2.10 and further numbers, in one of its lives, trusting everybody; other nodes reach it by TCP at port 5070
/// (listener 2).
pub fn node(number: u8, life: u32) -> Settings {
    let ip = [192, 0, 2, 10 + number];
    let (at, between) = (SocketAddr::from((ip, 5060)), SocketAddr::from((ip, 5070)));
    let listeners = vec![
        Listener::new(0, Transport::Udp, at),
        Listener::new(1, Transport::Tcp, at),
        Listener::new(2, Transport::Tcp, between),
    ];
    let us = Neighbour { at: between, life };
    let min = Duration::from_secs(1);
    let registrar = Registrar { jitter: 0, min, ..Registrar::default() };
    let cluster = Some(Cluster { us, listener: 2 });
    Settings { bindings: Bindings::Shared, cluster, registrar, listeners, ..trusting() }
}

/// The same, listening for WebSockets too: at port 80 (listener 2), and with TLS at port 443 (listener 3).
pub fn with_web(mut settings: Settings) -> Settings {
    for (number, transport) in [(2, Transport::Ws), (3, Transport::Wss)] {
        let at = SocketAddr::from(([192, 0, 2, 10], transport.default_port()));
        settings.listeners.push(Listener::new(number, transport, at));
    }
    settings
}

/// The same, where a user is also found at these places at all times.
pub fn always_at(user: &str, places: &[&str], mut settings: Settings) -> Settings {
    for known in settings.users.iter_mut().filter(|known| &*known.name == user) {
        known.contacts = places.iter().map(|place| (*place).into()).collect();
    }
    settings
}

impl Default for Office {
    fn default() -> Self {
        Self::new(settings())
    }
}

impl Office {
    /// An office with these settings.
    pub fn new(settings: Settings) -> Self {
        Self {
            node: Node::new(settings, Dice::new(1)),
            now: Time(1_700_000_000_000_000_000),
            events: Vec::new(),
            asked: Vec::new(),
            told: Vec::new(),
            warnings: Vec::new(),
            announced: Vec::new(),
            cautions: Vec::new(),
            barred: BTreeSet::new(),
            introduced: Vec::new(),
            aliases: Vec::new(),
            vouched: Vec::new(),
            out: Vec::new(),
            own: Vec::new(),
            registrations: 0,
        }
    }

    /// Tells the server something; what it sends.
    pub fn tell(&mut self, input: Input) -> Vec<Sent> {
        self.node.handle(self.now, input, &mut self.out);
        self.collect()
    }

    /// Octets come.
    pub fn receive(&mut self, flow: Flow, wire: impl Into<Vec<u8>>) -> Vec<Sent> {
        let input = match Message::parse(wire.into()) {
            Ok(message) => Input::Received(flow, message),
            Err(malformed) => Input::Malformed(flow, malformed),
        };
        self.tell(input)
    }

    /// The end of a turn of the driver: the server is woken once, if it wants to be; what it sends then.
    pub fn turn_ends(&mut self) -> Vec<Sent> {
        if self.node.deadline().is_some_and(|at| at <= self.now) {
            self.node.wake(self.now, &mut self.out);
        }
        self.collect()
    }

    /// Lets time pass; what the server sends meanwhile.
    pub fn wait(&mut self, time: Duration) -> Vec<Sent> {
        let end = self.now + time;
        let mut sent = Vec::new();
        while let Some(at) = self.node.deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.node.wake(self.now, &mut self.out);
            sent.extend(self.collect());
        }
        self.now = end;
        sent
    }

    /// Answers itself what it asked about its own users, as the driver of a single shard does; what it sends then.
    pub fn locate(&mut self) -> Vec<Sent> {
        let mut sent = Vec::new();
        for (ticket, question) in std::mem::take(&mut self.asked) {
            let asker = protocol::doors::Asker { shard: 0, ticket };
            sent.extend(self.tell(Input::Asked(asker, question)));
            let answer = self.told.pop().expect("an answer to what was asked");
            sent.extend(self.tell(Input::Answered(ticket, answer)));
        }
        sent
    }

    /// Takes what the server said when it was told something by its operator; what it sends.
    pub fn take(&mut self, out: Vec<Output>) -> Vec<Sent> {
        self.out.extend(out);
        self.collect()
    }

    fn collect(&mut self) -> Vec<Sent> {
        let mut sent = Vec::new();
        let mut back = Vec::new();
        for output in self.out.drain(..) {
            match output {
                // Its only shard keeps every phone's bindings.
                Output::Ask(ticket, question @ Question::Wake(_)) => {
                    self.own.push(ticket);
                    back.push(Input::Asked(Asker { shard: 0, ticket }, question));
                }
                Output::Tell(Asker { ticket, .. }, answer) if self.own.contains(&ticket) => {
                    back.push(Input::Answered(ticket, answer));
                }
                Output::Send(flow, wire) => {
                    let message = Message::parse(wire).expect("the server writes what can be read");
                    sent.push(Sent { flow, message });
                }
                Output::Report(event) => self.events.push(event),
                Output::Ask(ticket, question) => self.asked.push((ticket, question)),
                Output::Tell(_, answer) => self.told.push(answer),
                Output::Warn(warning) => self.warnings.push(warning),
                Output::Announce(aor) => self.announced.push(aor),
                Output::Caution(caution) => self.cautions.push(caution),
                Output::Bar(source, _) => drop(self.barred.insert(source)),
                Output::Unbar(source) => drop(self.barred.remove(&source)),
                Output::Introduce(name) => self.introduced.push(name.into()),
                Output::Alias(flow, peer) => self.aliases.push((flow, peer)),
                Output::Vouch(flow) => self.vouched.push(flow),
                Output::Media(..) | Output::Leave(_) | Output::Deafen(_) => {}
            }
        }
        for input in back {
            sent.extend(self.tell(input));
        }
        sent
    }

    /// Registers a phone at its own address for an hour.
    pub fn register(&mut self, phone: &Phone) {
        self.register_at(phone, &format!("<{}>", phone.contact()));
    }

    /// Registers a phone with these contacts.
    pub fn register_at(&mut self, phone: &Phone, contacts: &str) {
        self.registrations += 10;
        let mut request = phone.register(&format!("Contact: {contacts}\r\n"));
        request.cseq = self.registrations;
        request.branch += &request.cseq.to_string();
        let sent = self.converse(phone, &request);
        assert_eq!(status(&sent), 200, "{sent:?}");
    }

    /// Sends a request; answers one challenge. What the server sends then.
    pub fn converse(&mut self, phone: &Phone, request: &Request) -> Vec<Sent> {
        let sent = self.receive(phone.flow, request.wire());
        let Some(first) = sent.first() else { return sent };
        match first.message.status() {
            Some(Status::UNAUTHORIZED | Status::PROXY_AUTHENTICATION_REQUIRED) => {
                let again = request.again().row(&phone.credentials(request, &first.message));
                self.receive(phone.flow, again.wire())
            }
            _ => sent,
        }
    }
}

/// The status of the first message that was sent; 0 when it is none.
pub fn status(sent: &[Sent]) -> u16 {
    sent.first().and_then(|sent| sent.message.status()).map_or(0, Status::code)
}

/// The rows of a name in the first message that was sent.
pub fn rows(sent: &[Sent], name: sip::Name) -> Vec<String> {
    let rows = sent[0].message.rows(name);
    rows.map(|row| String::from_utf8_lossy(row).into_owned()).collect()
}

/// The requests of a method among what was sent.
pub fn requests(sent: &[Sent], wanted: &str) -> Vec<Sent> {
    sent.iter().filter(|sent| method(sent) == wanted).cloned().collect()
}

/// The statuses of the responses among what was sent, to an address.
pub fn answers(sent: &[Sent], to: Flow) -> Vec<u16> {
    let to = sent.iter().filter(|sent| sent.flow == to);
    to.filter_map(|sent| sent.message.status().map(Status::code)).collect()
}

/// The Request-URI of a request.
pub fn uri(sent: &Sent) -> String {
    String::from_utf8_lossy(sent.message.request_uri().unwrap_or_default()).into_owned()
}

/// The method of a message that was sent; empty for a response.
pub fn method(sent: &Sent) -> &str {
    sent.message.method().map_or("", sip::Method::as_str)
}

/// A phone: a name and an address.
#[derive(Clone, Debug)]
pub struct Phone {
    /// The user.
    pub user: String,
    /// Its way to the server.
    pub flow: Flow,
}

impl Phone {
    /// A phone that speaks UDP from 198.51.100.n:5060, n being the last two digits of its number.
    pub fn udp(number: u16) -> Self {
        let host = (number % 100) as u8;
        let peer = SocketAddr::from(([198, 51, 100, host], 5060));
        let flow = Flow {
            transport: Transport::Udp,
            listener: 0,
            connection: 0,
            peer,
            identity: Identity::NONE,
        };
        Self { user: number.to_string(), flow }
    }

    /// A phone that speaks TCP, behind a NAT: its Contact leads nowhere.
    pub fn tcp(number: u16, connection: u32) -> Self {
        let host = (number % 100) as u8;
        let peer = SocketAddr::from(([203, 0, 113, host], 40_000));
        let flow = Flow {
            transport: Transport::Tcp,
            listener: 1,
            connection,
            peer,
            identity: Identity::NONE,
        };
        Self { user: number.to_string(), flow }
    }

    /// A page in a browser that speaks WebSocket, secure or not: it does not know its own address (RFC 7118 §B.1).
    pub fn web(number: u16, transport: Transport, connection: u32) -> Self {
        let listener = if transport.is_secure() { 3 } else { 2 };
        let flow = Flow { transport, listener, ..Self::tcp(number, connection).flow };
        Self { user: number.to_string(), flow }
    }

    /// Where it says that it is.
    fn sent_by(&self) -> String {
        if self.flow.transport.is_web() {
            return format!("{}.invalid", self.user);
        }
        self.flow.peer.to_string()
    }

    /// Its Contact URI.
    pub fn contact(&self) -> String {
        match self.flow.transport {
            web if web.is_web() => format!("sip:{}@{};transport=ws", self.user, self.sent_by()),
            Transport::Udp => format!("sip:{}@{}", self.user, self.flow.peer),
            other => format!("sip:{}@10.0.0.1:5060;transport={other}", self.user),
        }
    }

    /// A request from this phone, with a branch, a tag and a Call-ID of its own.
    pub fn request(&self, method: &str, uri: &str) -> Request {
        Request {
            method: method.into(),
            uri: uri.into(),
            via: format!("SIP/2.0/{} {}", self.flow.transport, self.sent_by()),
            branch: format!("z9hG4bK-{method}-{}", self.user),
            from: format!("<sip:{}@example.test>;tag=from-{}", self.user, self.user),
            to: format!("<{uri}>"),
            call_id: format!("call-of-{}", self.user),
            cseq: 1,
            rows: String::new(),
            body: String::new(),
        }
    }

    /// An INVITE with a Contact and a body.
    pub fn invite(&self, uri: &str) -> Request {
        let mut request =
            self.request("INVITE", uri).row(&format!("Contact: <{}>", self.contact()));
        request.body = "v=0\r\n".into();
        request
    }

    /// A REGISTER of this phone.
    pub fn register(&self, rows: &str) -> Request {
        let mut request = self.request("REGISTER", "sip:example.test");
        request.to = format!("<sip:{}@example.test>", self.user);
        request.call_id = format!("registration-of-{}", self.user);
        request.rows = rows.into();
        request
    }

    /// The row that answers a challenge.
    pub fn credentials(&self, request: &Request, challenge: &Message) -> String {
        let answer = |name: &str, params: &AuthParams<'_>| {
            format!("{name}: {}", self.answer(request, params, ("auth", 1)))
        };
        match (challenge.get::<WwwAuthenticate>(), challenge.get::<ProxyAuthenticate>()) {
            (Some(asked), _) => answer("Authorization", &asked.0),
            (None, Some(asked)) => answer("Proxy-Authorization", &asked.0),
            (None, None) => panic!("no challenge in {challenge:?}"),
        }
    }

    /// Credentials for a challenge, with a qop and a count.
    pub fn answer(&self, request: &Request, asked: &AuthParams<'_>, qop: (&str, u32)) -> String {
        let text = |name: &str| asked.text(name).unwrap_or_default();
        let (realm, nonce, token) = (text("realm"), text("nonce"), text("algorithm"));
        let (algorithm, session) = Algorithm::of(&token).expect("an algorithm that we know");
        let ha1 = Ha1::of(algorithm, &self.user, &realm, &format!("secret-{}", self.user));
        let nc = format!("{:08x}", qop.1);
        let protected = match qop.0 {
            "auth-int" => Qop::AuthInt(request.body.as_bytes()),
            "" => Qop::Absent,
            _ => Qop::Auth,
        };
        let asked = Asked {
            algorithm,
            session,
            method: &request.method,
            uri: &request.uri,
            nonce: &nonce,
            nc: &nc,
            cnonce: "c",
            qop: protected,
        };
        let right = response(&ha1, &asked);
        let qop = match qop.0 {
            "" => String::new(),
            qop => format!(", qop={qop}, nc={nc}, cnonce=\"c\""),
        };
        format!(
            "Digest username=\"{}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{}\", algorithm={token}, \
             response=\"{right}\"{qop}",
            self.user, request.uri
        )
    }
}

/// A request being written. Every field may be changed.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields are the parts of a request")]
pub struct Request {
    pub method: String,
    pub uri: String,
    pub via: String,
    pub branch: String,
    pub from: String,
    pub to: String,
    pub call_id: String,
    pub cseq: u32,
    pub rows: String,
    pub body: String,
}

impl Request {
    /// With one more row.
    #[must_use]
    pub fn row(mut self, row: &str) -> Self {
        self.rows += row;
        self.rows += "\r\n";
        self
    }

    /// The same in a call of its own.
    #[must_use]
    pub fn call(mut self, name: &str) -> Self {
        self.call_id = name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        self.branch = format!("z9hG4bK-{}", self.call_id);
        self
    }

    /// The next request of the same kind: another branch, the next CSeq.
    #[must_use]
    pub fn again(&self) -> Self {
        let mut again = self.clone();
        again.cseq += 1;
        again.branch += "x";
        again
    }

    /// The octets.
    pub fn wire(&self) -> String {
        format!(
            "{} {} SIP/2.0\r\nVia: {};branch={}\r\nMax-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\n\
             CSeq: {} {}\r\n{}Content-Length: {}\r\n\r\n{}",
            self.method,
            self.uri,
            self.via,
            self.branch,
            self.from,
            self.to,
            self.call_id,
            self.cseq,
            self.method,
            self.rows,
            self.body.len(),
            self.body
        )
    }
}

/// What a look-up found.
pub fn found(addresses: &[(Transport, &str)]) -> protocol::Answer {
    let target = |(transport, address): &(Transport, &str)| protocol::locate::Target {
        transport: *transport,
        address: address.parse().expect("an address"),
        domain: "other.example".into(),
    };
    protocol::Answer::Targets(addresses.iter().map(target).collect())
}

/// The response of a phone to a message that it got.
pub fn reply(to: &Message, code: u16, rows: &str) -> String {
    let status = Status::new(code).expect("a status");
    let draft = sip::Draft::reply_tagged(to, status, status.phrase(), "to-tag");
    let draft = draft.copy(to, sip::Name::RecordRoute);
    let text = String::from_utf8(draft.wire().to_vec()).expect("text");
    text.replace("Content-Length: 0\r\n", &format!("{rows}Content-Length: 0\r\n"))
}
