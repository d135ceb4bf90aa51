//! `Exchange`: a world with servers, phones and peers on strings. Start reading here for every test that needs a network.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ladder::Ladder;
use machine::{Dice, Time};
use media::Silence;
use phone::{Account, Call, Phone, Srtp};
use protocol::doors::{Event, Output};
use protocol::{Flow, Listener, Transport};
use server::settings::{Shard, User};
use server::{Node, Settings, Steering};
use sim::{Door, Host, HostId, NatRules, Outage, Parcel, Realm, Weather, World};
use sip::Message;
use stage::{Actor, Names, Papers, Steered};

use crate::attendant::{Attendant, Habits, Wish};
use crate::puppet::{DOMAIN, Puppet};

/// Who lives in the world.
pub enum Resident {
    /// A server.
    Server(Actor<Node>),
    /// Somebody at a phone.
    Phone(Box<Actor<Attendant>>),
    /// A peer on strings.
    Puppet(Actor<Puppet>),
}

/// The same for each kind of resident.
macro_rules! each {
    ($resident:expr, $actor:ident => $what:expr) => {
        match $resident {
            Resident::Server($actor) => $what,
            Resident::Phone($actor) => $what,
            Resident::Puppet($actor) => $what,
        }
    };
}

impl Host for Resident {
    fn handle(&mut self, now: Time, parcel: Parcel, out: &mut Vec<Parcel>) {
        each!(self, actor => actor.handle(now, parcel, out));
    }

    fn wake(&mut self, now: Time, out: &mut Vec<Parcel>) {
        each!(self, actor => actor.wake(now, out));
    }

    fn deadline(&self) -> Option<Time> {
        each!(self, actor => actor.deadline())
    }

    fn listens(&self, door: Door) -> bool {
        each!(self, actor => actor.listens(door))
    }
}

/// The world.
pub struct Exchange {
    /// Its hosts, network and clock.
    pub world: World<Resident>,
    /// The server.
    pub server: HostId,
    settings: Settings,
    shards: u16,
    next: u8,
}

/// Where the server of [`DOMAIN`] is.
pub const SERVER: &str = "192.0.2.10:5060";

/// The numbers that the server knows; the password of each is `secret-NUMBER`.
pub const NUMBERS: [&str; 6] = ["101", "102", "103", "104", "105", "106"];

impl Exchange {
    /// A server with default settings and nobody else.
    pub fn new(seed: u64, weather: Weather) -> Self {
        Self::with(seed, weather, 1, |_| {})
    }

    /// A server of so many shards whose settings were changed.
    pub fn with(
        seed: u64,
        weather: Weather,
        shards: u16,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut settings = Settings::of(DOMAIN, Puppet::listeners(address(SERVER)));
        // Ladders show how long a registration lasts.
        settings.registrar.jitter = 0;
        settings.users = NUMBERS.map(|name| User::new(name, &format!("secret-{name}"))).into();
        settings.secret = u128::from(seed);
        change(&mut settings);
        let mut world = World::new(seed, weather);
        let actor = server(&settings, shards, seed);
        let home = (Realm::INTERNET, address(SERVER).ip());
        let server = world.add("server", Resident::Server(actor), &[home]);
        world.tap_on();
        Self { world, server, settings, shards, next: 1 }
    }

    /// Adds another server, for another domain.
    pub fn add_server(&mut self, name: &str, settings: Settings) -> HostId {
        let home = settings.listeners.first().map(|listener| listener.bound.ip()).unwrap();
        let actor = server(&settings, 1, 77);
        self.world.add(name, Resident::Server(actor), &[(Realm::INTERNET, home)])
    }

    /// The server's program ends and begins anew: it forgets everything but its settings.
    pub fn restart_server(&mut self, seed: u64) {
        let actor = server(&self.settings, self.shards, seed);
        self.world.replace(self.server, Resident::Server(actor), Outage::Program);
    }

    /// What somebody can look up.
    pub fn knows(&mut self, id: HostId, names: Names) {
        let resident = self.world.host_mut(id).unwrap();
        each!(resident, actor => *actor.names_mut() = names);
    }

    /// What somebody can prove to TLS peers, from now on.
    pub fn shows(&mut self, id: HostId, papers: Papers) {
        let resident = self.world.host_mut(id).unwrap();
        each!(resident, actor => *actor.papers_mut() = papers);
    }

    /// Adds a phone on the Internet that speaks TLS and nothing else, to a server at port 5061.
    pub fn phone_by_tls(&mut self, user: &str, habits: Habits) -> HostId {
        let ip = self.address();
        let server = SocketAddr::new(address(SERVER).ip(), 5061).to_string();
        let account = account(user).server(&server).unwrap().by(Transport::Tls);
        let actor = phone_of(account, habits, ip);
        self.world.add(user, Resident::Phone(Box::new(actor)), &[(Realm::INTERNET, ip)])
    }

    /// Adds a peer on strings, on the Internet.
    pub fn puppet(&mut self, user: &str, transport: Transport) -> HostId {
        self.puppet_listening(user, transport, Puppet::listeners)
    }

    /// The same, which listens where it is told to.
    pub fn puppet_listening(
        &mut self,
        user: &str,
        transport: Transport,
        listeners: impl FnOnce(SocketAddr) -> Vec<Listener>,
    ) -> HostId {
        let home = SocketAddr::new(self.address(), 5060);
        let puppet = Puppet::new(user, home, transport, address(SERVER));
        let actor = Actor::new(puppet, listeners(home));
        self.world.add(user, Resident::Puppet(actor), &[(Realm::INTERNET, home.ip())])
    }

    /// Adds a phone on the Internet.
    pub fn phone(&mut self, user: &str, transport: Transport, habits: Habits) -> HostId {
        let ip = self.address();
        self.phone_at(user, transport, habits, (Realm::INTERNET, ip))
    }

    /// Adds a phone somewhere.
    pub fn phone_at(
        &mut self,
        user: &str,
        transport: Transport,
        habits: Habits,
        home: (Realm, IpAddr),
    ) -> HostId {
        let actor = phone_of(account(user).server(SERVER).unwrap().by(transport), habits, home.1);
        self.world.add(user, Resident::Phone(Box::new(actor)), &[home])
    }

    /// Adds a phone on the Internet whose user has a name.
    pub fn phone_called(&mut self, user: &str, name: &str, habits: Habits) -> HostId {
        let ip = self.address();
        let account = account(user).server(SERVER).unwrap().display_name(name);
        let actor = phone_of(account, habits, ip);
        self.world.add(user, Resident::Phone(Box::new(actor)), &[(Realm::INTERNET, ip)])
    }

    /// Adds a phone on the Internet with such wishes about secret calls.
    pub fn discreet_phone(&mut self, user: &str, srtp: Srtp, habits: Habits) -> HostId {
        let ip = self.address();
        let actor = phone_of(account(user).server(SERVER).unwrap().srtp(srtp), habits, ip);
        self.world.add(user, Resident::Phone(Box::new(actor)), &[(Realm::INTERNET, ip)])
    }

    /// Adds a phone somewhere, with an account that is changed.
    pub fn phone_with(
        &mut self,
        user: &str,
        (habits, home): (Habits, (Realm, IpAddr)),
        change: impl FnOnce(Account) -> Account,
    ) -> HostId {
        let actor = phone_of(change(account(user).server(SERVER).unwrap()), habits, home.1);
        self.world.add(user, Resident::Phone(Box::new(actor)), &[home])
    }

    /// Adds a phone on the Internet that must look its server up.
    pub fn phone_by_name(&mut self, user: &str, habits: Habits) -> HostId {
        let ip = self.address();
        let actor = phone_of(account(user), habits, ip);
        self.world.add(user, Resident::Phone(Box::new(actor)), &[(Realm::INTERNET, ip)])
    }

    /// Adds a phone that has no server: it calls, and is called at, addresses.
    pub fn lone_phone(&mut self, user: &str, habits: Habits) -> HostId {
        let ip = self.address();
        let actor = phone_of(Account::new(&format!("sip:{user}@{ip}")).unwrap(), habits, ip);
        self.world.add(user, Resident::Phone(Box::new(actor)), &[(Realm::INTERNET, ip)])
    }

    /// The same, with an account that is changed.
    pub fn lone_phone_with(
        &mut self,
        user: &str,
        habits: Habits,
        change: impl FnOnce(Account) -> Account,
    ) -> HostId {
        let ip = self.address();
        let account = change(Account::new(&format!("sip:{user}@{ip}")).unwrap());
        let actor = phone_of(account, habits, ip);
        self.world.add(user, Resident::Phone(Box::new(actor)), &[(Realm::INTERNET, ip)])
    }

    /// A phone's program ends and begins anew: it forgets everything.
    pub fn restart_phone(
        &mut self,
        id: HostId,
        (user, transport, habits): (&str, Transport, Habits),
        ip: IpAddr,
    ) {
        let actor = phone_of(account(user).server(SERVER).unwrap().by(transport), habits, ip);
        self.world.replace(id, Resident::Phone(Box::new(actor)), Outage::Program);
    }

    /// Looks at somebody at a phone.
    pub fn attendant(&self, id: HostId) -> &Attendant {
        match self.world.host(id) {
            Some(Resident::Phone(actor)) => actor.machine().unwrap(),
            _ => panic!("{id} is no phone"),
        }
    }

    /// Has somebody at a phone do something.
    pub fn at_phone<R>(
        &mut self,
        id: HostId,
        deed: impl FnOnce(&mut Attendant, Time, &mut Vec<Output>) -> R,
    ) -> R {
        let done = self.world.act(id, |resident, now, out| match resident {
            Resident::Phone(actor) => actor.command(now, out, deed),
            Resident::Server(_) | Resident::Puppet(_) => None,
        });
        done.flatten().expect("a phone")
    }

    /// Does something with a phone by hand.
    pub fn by_hand<R>(
        &mut self,
        id: HostId,
        deed: impl FnOnce(&mut Phone, Time, &mut Vec<Output>) -> R,
    ) -> R {
        self.at_phone(id, |attendant, now, out| attendant.by_hand(now, out, deed))
    }

    /// Registers phones, and lives until that is done: an hour at most.
    pub fn sign_on(&mut self, phones: &[HostId]) {
        for id in phones {
            self.by_hand(*id, |phone, now, out| phone.register(now, out));
        }
        for _ in 0..3600 {
            if phones.iter().all(|id| self.attendant(*id).phone.is_registered()) {
                return;
            }
            self.live(1000);
        }
        panic!("not everybody is registered");
    }

    /// Phones say good-bye; then nothing may be left.
    pub fn sign_off(&mut self, phones: &[HostId]) {
        for id in phones {
            self.by_hand(*id, |phone, now, out| phone.unregister(now, out));
        }
        self.live(60_000);
        self.assert_nothing_is_left();
    }

    /// Calls somebody from a phone, without sound.
    pub fn dial(&mut self, id: HostId, target: &str, wish: Wish) -> Call {
        self.at_phone(id, |attendant, now, out| {
            attendant.dial(now, target, (wish, Box::new(Silence)), out)
        })
    }

    /// Adds a NAT; its inside is the realm.
    pub fn nat(&mut self, rules: NatRules) -> Realm {
        let outside = self.address();
        self.world.add_nat(Realm::INTERNET, &[outside], rules).1
    }

    /// The next free address of the Internet.
    pub fn address(&mut self) -> IpAddr {
        self.next += 1;
        IpAddr::from([198, 51, 100, self.next])
    }

    /// Lives for some milliseconds.
    pub fn live(&mut self, millis: u64) {
        self.world.run_for(Duration::from_millis(millis));
    }

    /// Looks at a puppet.
    pub fn look(&self, id: HostId) -> &Puppet {
        match self.world.host(id) {
            Some(Resident::Puppet(actor)) => actor.machine().unwrap(),
            _ => panic!("{id} is no puppet"),
        }
    }

    /// Moves a puppet: what it makes is sent by its own flow to its server.
    pub fn say(&mut self, id: HostId, make: impl FnOnce(&mut Puppet) -> Message) -> Message {
        self.pull(id, |puppet, said| {
            let message = make(puppet);
            said.push(Output::Send(puppet.flow_to(puppet.server), message.wire().clone()));
            message
        })
    }

    /// Moves a puppet: what it makes is sent to the next hop of its call.
    pub fn say_in_call(
        &mut self,
        id: HostId,
        make: impl FnOnce(&mut Puppet) -> Message,
    ) -> Message {
        self.pull(id, |puppet, said| {
            let message = make(puppet);
            let flow = puppet.flow_to(puppet.next_hop());
            said.push(Output::Send(flow, message.wire().clone()));
            message
        })
    }

    /// Moves a puppet: what it makes of a request is sent back where that came from.
    pub fn answer(
        &mut self,
        id: HostId,
        (flow, request): &(Flow, Message),
        make: impl FnOnce(&Puppet, &Message) -> Message,
    ) {
        self.pull(id, |puppet, said| {
            said.push(Output::Send(*flow, make(puppet, request).wire().clone()));
        });
    }

    /// Moves a puppet.
    pub fn pull<R>(
        &mut self,
        id: HostId,
        deed: impl FnOnce(&mut Puppet, &mut Vec<Output>) -> R,
    ) -> R {
        let moved = self.world.act(id, |resident, now, out| match resident {
            Resident::Puppet(actor) => {
                actor.command(now, out, |puppet, _, said| deed(puppet, said))
            }
            Resident::Server(_) | Resident::Phone(_) => None,
        });
        moved.flatten().expect("a puppet")
    }

    /// Registers a puppet with its password, and lives until that is done.
    pub fn register(&mut self, id: HostId, number: u32) {
        let first = self.say(id, |puppet| puppet.register(number, 1, 3600));
        self.live(50);
        let challenge = self.look(id).last_response(401);
        self.say(id, |puppet| puppet.again_with_credentials(&first, &challenge));
        self.live(50);
        self.look(id).last_response(200);
    }

    /// Every SIP message that somebody has sent since the tap was emptied: how, and what.
    pub fn sent_by(&mut self, id: HostId) -> Vec<(Transport, Message)> {
        let sightings = self.world.tap().sightings().filter(|one| one.from == Some(id));
        let message = |one: &sim::Sighting| {
            let by = match one.parcel.kind {
                sim::Kind::Datagram(_) => Transport::Udp,
                _ => Transport::Tcp,
            };
            Some((by, Message::parse(one.parcel.payload().to_vec()).ok()?))
        };
        sightings.filter_map(message).collect()
    }

    /// What the server has reported.
    pub fn events(&self) -> Vec<Event> {
        match self.world.host(self.server) {
            Some(Resident::Server(actor)) => {
                actor.events().map(|(_, event)| event.clone()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The nodes of the server.
    pub fn nodes(&self) -> &[Node] {
        match self.world.host(self.server) {
            Some(Resident::Server(actor)) => actor.shards(),
            _ => &[],
        }
    }

    /// No transaction, no request that waits, no question that is open: what is over is forgotten.
    pub fn assert_nothing_is_left(&self) {
        for (number, node) in self.nodes().iter().enumerate() {
            assert_eq!(node.transactions(), 0, "transactions on shard {number}");
            assert_eq!(node.forwarding(), 0, "requests under way on shard {number}");
        }
        for (id, resident) in self.world.hosts() {
            let (due, sockets) =
                each!(resident, actor => (actor.answers_due(), actor.media_sockets()));
            assert_eq!(
                (due, sockets),
                (0, 0),
                "answers due and media sockets of {}",
                self.world.name(id)
            );
        }
    }

    /// All that was seen, drawn; lifelines in this order first.
    pub fn ladder(&mut self, order: &[HostId]) -> Ladder {
        stage::ladder(&mut self.world, order)
    }
}

fn account(user: &str) -> Account {
    let account = Account::new(&format!("sip:{user}@{DOMAIN}")).unwrap();
    account.password(&format!("secret-{user}"))
}

fn phone_of(account: Account, habits: Habits, ip: IpAddr) -> Actor<Attendant> {
    let listeners = match account.transport() {
        Transport::Tls => vec![Listener::new(0, Transport::Tls, SocketAddr::new(ip, 5061))],
        _ => Puppet::listeners(SocketAddr::new(ip, 5060)),
    };
    let seed = ip.to_string().bytes().fold(1, |seed: u128, octet| seed << 8 ^ u128::from(octet));
    let phone = Phone::new(account, listeners.clone(), Dice::new(seed));
    Actor::new(Attendant::new(phone, habits), listeners)
}

/// An address; the test ends when it is none.
pub fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn server(settings: &Settings, shards: u16, seed: u64) -> Actor<Node> {
    let steering = Steering::new(settings.secret, shards);
    let node = |number| {
        let shard = Shard { number, count: shards };
        let nonce_secret = Some(u128::from(seed) << 1 | 1);
        let settings = Settings { shard, nonce_secret, ..settings.clone() };
        Node::new(settings, Dice::new(u128::from(seed) << 16 | u128::from(number)))
    };
    let listeners: Vec<Listener> = settings.listeners.clone();
    Actor::sharded((0..shards).map(node).collect(), listeners, move |what| {
        u64::from(match what {
            Steered::Message(message) => steering.home(message),
            Steered::Aor(aor) => steering.home_of(aor),
        })
    })
}
