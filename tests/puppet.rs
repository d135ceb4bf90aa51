//! `Puppet`: a peer that does what a test tells it, message by message, and nothing by itself.
//!
//! It repeats nothing and waits for nothing: what a flow shows is what the test said and what our parts did.

use std::net::SocketAddr;

use machine::{Dice, Machine, Time};
use protocol::auth::{Answers, Credentials, Tries};
use protocol::dialog::{Dialog, Tag};
use protocol::doors::{Input, Output};
use protocol::transaction::cancel_of;
use protocol::{Flow, Identity, Listener, Transport};
use sip::header::{CSeq, Contact};
use sip::uri::Host;
use sip::{Draft, Header as _, Message, Method, Name, Status, Uri};

/// The domain of all users in the tests.
pub const DOMAIN: &str = "example.test";

/// A peer on strings.
pub struct Puppet {
    /// The user part of its address of record.
    pub user: Box<str>,
    /// Where it listens.
    pub home: SocketAddr,
    /// How it speaks.
    pub transport: Transport,
    /// The server that its requests go to.
    pub server: SocketAddr,
    /// What it has heard, in order.
    pub heard: Vec<(Flow, Message)>,
    /// How its address of record ends.
    pub domain: Box<str>,
    /// Its call, once [`Puppet::ack`] or [`Puppet::join`] has made one.
    pub dialog: Option<Dialog>,
    answers: Answers,
    dice: Dice,
    count: u64,
}

impl Machine for Puppet {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, _: Time, input: Input, _: &mut Vec<Output>) {
        if let Input::Received(flow, message) = input {
            self.heard.push((flow, message));
        }
    }

    fn wake(&mut self, _: Time, _: &mut Vec<Output>) {}

    fn deadline(&self) -> Option<Time> {
        None
    }
}

impl Puppet {
    /// A user of [`DOMAIN`] with the password `secret-USER`.
    pub fn new(user: &str, home: SocketAddr, transport: Transport, server: SocketAddr) -> Self {
        let password = format!("secret-{user}");
        Self {
            user: user.into(),
            home,
            transport,
            server,
            heard: Vec::new(),
            domain: DOMAIN.into(),
            dialog: None,
            answers: Answers::new(vec![Credentials::for_any_realm(user, &password)]),
            dice: Dice::new(home.port().into()),
            count: 0,
        }
    }

    /// Its listeners: 0 for datagrams, 1 for streams.
    pub fn listeners(home: SocketAddr) -> Vec<Listener> {
        vec![Listener::new(0, Transport::Udp, home), Listener::new(1, Transport::Tcp, home)]
    }

    /// Its address of record.
    pub fn aor(&self) -> String {
        format!("sip:{}@{}", self.user, self.domain)
    }

    /// What it writes into Contact.
    pub fn contact(&self) -> String {
        let transport = if self.transport.is_reliable() { ";transport=tcp" } else { "" };
        format!("<sip:{}@{}{transport}>", self.user, self.home)
    }

    /// A Via of its own, with a new branch.
    pub fn via(&mut self) -> String {
        self.count += 1;
        format!(
            "SIP/2.0/{} {};branch=z9hG4bK{}{}",
            self.transport, self.home, self.user, self.count
        )
    }

    /// The way to an address.
    pub fn flow_to(&self, peer: SocketAddr) -> Flow {
        let listener = u16::from(self.transport.is_reliable());
        Flow { transport: self.transport, listener, connection: 0, peer, identity: Identity::NONE }
    }

    /// Begins a request outside of dialogs. `number` goes into Call-ID and From tag, so that a test can tell calls apart.
    pub fn draft(&mut self, method: Method<'_>, to: &str, number: u32, cseq: u32) -> Draft {
        let uri =
            if method == Method::Register { format!("sip:{}", self.domain) } else { to.to_owned() };
        Draft::request(method, uri.as_bytes())
            .raw(Name::Via, self.via().as_bytes())
            .raw(Name::MaxForwards, b"70")
            .raw(Name::From, format!("<{}>;tag={}{number}", self.aor(), self.user).as_bytes())
            .raw(Name::To, format!("<{to}>").as_bytes())
            .raw(Name::CallId, format!("{number}@{}", self.home.ip()).as_bytes())
            .raw(Name::CSeq, format!("{cseq} {method}").as_bytes())
    }

    /// A REGISTER that wishes `expires` seconds for its Contact.
    pub fn register(&mut self, number: u32, cseq: u32, expires: u32) -> Message {
        let aor = self.aor();
        let contact = format!("{};expires={expires}", self.contact());
        let draft = self.draft(Method::Register, &aor, number, cseq);
        read(draft.raw(Name::Contact, contact.as_bytes()))
    }

    /// An INVITE with an offer.
    pub fn invite(&mut self, to: &str, number: u32, cseq: u32) -> Message {
        let (contact, offer) = (self.contact(), self.sdp("a=sendrecv"));
        let draft =
            self.draft(Method::Invite, to, number, cseq).raw(Name::Contact, contact.as_bytes());
        read(draft.body("application/sdp", offer.as_bytes()))
    }

    /// A session description with one more line.
    pub fn sdp(&self, line: &str) -> String {
        let ip = self.home.ip();
        format!(
            "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 30000 RTP/AVP 0\r\n{line}\r\n"
        )
    }

    /// The same request with the credentials that a 401 or 407 asks for: a new branch, the next number.
    pub fn again_with_credentials(&mut self, request: &Message, challenge: &Message) -> Message {
        let learned = self.answers.learn(challenge, &mut Tries::default(), &mut self.dice);
        learned.expect("a challenge that can be answered");
        self.with_credentials(request)
    }

    /// The same with credentials for what was asked before: a new branch, the next number.
    pub fn with_credentials(&mut self, request: &Message) -> Message {
        let cseq = request.get::<CSeq>().unwrap();
        let next = CSeq { number: cseq.number + 1, method: cseq.method };
        let (method, uri) = (request.method().unwrap(), request.request_uri().unwrap());
        let rows = self.answers.rows(method.as_str(), uri, request.body());
        let via = self.via();
        let mut edit = request.edit();
        edit.replace_raw(Name::Via, via.as_bytes()).replace(&next);
        edit.remove_all(Name::Authorization).remove_all(Name::ProxyAuthorization);
        for (name, value) in rows {
            edit.append_raw(name.as_str(), &value);
        }
        edit.finish().unwrap()
    }

    /// The response to a request, with a To tag, the Record-Routes and its Contact.
    pub fn reply(&self, request: &Message, status: u16) -> Draft {
        let status = Status::new(status).unwrap();
        let draft = Draft::reply_tagged(request, status, status.phrase(), &*self.user);
        if status.code() < 300 && request.method() == Some(Method::Invite) {
            let draft = draft.copy(request, Name::RecordRoute);
            return draft.raw(Name::Contact, self.contact().as_bytes());
        }
        draft
    }

    /// The 200 to an INVITE, with the answer to its offer.
    pub fn accept(&self, invite: &Message) -> Message {
        read(self.reply(invite, 200).body("application/sdp", self.sdp("a=sendrecv").as_bytes()))
    }

    /// The CANCEL of its INVITE.
    pub fn cancel(&self, invite: &Message) -> Message {
        Message::parse(cancel_of(invite)).unwrap()
    }

    /// The ACK of its INVITE: for a 2xx by the dialog, which it keeps; for a refusal by the branch.
    pub fn ack(&mut self, invite: &Message, answer: &Message) -> Message {
        if answer.status().unwrap().class() == 2 {
            let dialog = Dialog::of_caller(invite, answer, self.transport).unwrap();
            let draft = dialog.ack(invite);
            self.dialog = Some(dialog);
            return self.signed(draft);
        }
        let cseq = format!("{} ACK", invite.get::<CSeq>().unwrap().number);
        let draft = Draft::request(Method::Ack, invite.request_uri().unwrap());
        let draft = draft.copy(invite, Name::Via).copy(invite, Name::Route);
        let draft = draft.copy(invite, Name::From).copy(answer, Name::To);
        let draft = draft.copy(invite, Name::CallId).raw(Name::CSeq, cseq.as_bytes());
        read(draft.raw(Name::MaxForwards, b"70"))
    }

    /// Takes the call of an INVITE that it answers: it keeps the dialog.
    pub fn join(&mut self, invite: &Message) {
        let tag = Tag::of(self.user.as_bytes());
        self.dialog = Some(Dialog::of_callee(invite, tag, self.transport).unwrap());
    }

    /// The BYE of its call.
    pub fn bye(&mut self) -> Message {
        self.within(Method::Bye, |draft| draft)
    }

    /// A request within its call.
    pub fn within(&mut self, method: Method<'_>, more: impl FnOnce(Draft) -> Draft) -> Message {
        let draft = self.dialog.as_mut().expect("a call").request(method);
        self.signed(more(draft))
    }

    /// The ACK for the 2xx to an INVITE within its call.
    pub fn within_ack(&mut self, invite: &Message) -> Message {
        let draft = self.dialog.as_ref().expect("a call").ack(invite);
        self.signed(draft)
    }

    fn signed(&mut self, draft: Draft) -> Message {
        let (via, contact) = (self.via(), self.contact());
        read(draft.raw(Name::Via, via.as_bytes()).raw(Name::Contact, contact.as_bytes()))
    }

    /// Where requests within its call go: the address in the URI of the next hop.
    pub fn next_hop(&self) -> SocketAddr {
        let hop = self.dialog.as_ref().expect("a call").next_hop();
        let Ok(Uri::Sip(uri)) = Uri::parse(hop) else { panic!("{}", String::from_utf8_lossy(hop)) };
        match uri.host {
            Host::Ip(ip) => SocketAddr::new(ip, uri.port.unwrap_or(5060)),
            Host::Name(_) => self.server,
        }
    }

    /// The last message heard that `fits`.
    pub fn last(&self, fits: impl Fn(&Message) -> bool) -> Option<&(Flow, Message)> {
        self.heard.iter().rev().find(|(_, message)| fits(message))
    }

    /// The last request of that method.
    pub fn last_request(&self, method: Method<'_>) -> (Flow, Message) {
        let found = self.last(|message| message.method() == Some(method));
        found.unwrap_or_else(|| panic!("{} has heard no {method}", self.user)).clone()
    }

    /// The last response with that status.
    pub fn last_response(&self, status: u16) -> Message {
        let found = self.last(|message| message.status().is_some_and(|got| got.code() == status));
        found
            .unwrap_or_else(|| panic!("{} has heard no {status}: {:?}", self.user, self.statuses()))
            .1
            .clone()
    }

    /// What it has heard, in words: methods and statuses.
    pub fn statuses(&self) -> Vec<String> {
        let word = |message: &Message| match (message.method(), message.status()) {
            (Some(method), _) => method.to_string(),
            (_, Some(status)) => status.code().to_string(),
            _ => String::new(),
        };
        self.heard.iter().map(|(_, message)| word(message)).collect()
    }
}

/// A draft as the message that it becomes.
pub fn read(draft: Draft) -> Message {
    Message::parse(draft.wire()).unwrap()
}

/// The Contacts of a response, as text.
pub fn contacts(response: &Message) -> Vec<String> {
    response.all::<Contact>().map(|contact| contact.unwrap().text()).collect()
}
