//! Two towns: Alice's proxy for example.test, and Bob's for biloxi.test.

use offhook_tests::exchange::{Exchange, SERVER, address};
use offhook_tests::puppet::{DOMAIN, Puppet};
use protocol::Transport;
use server::Settings;
use server::settings::{Route, User};
use sim::{HostId, Weather};
use sip::Message;
use stage::Names;

/// Who is there.
pub(crate) struct Towns {
    pub(crate) exchange: Exchange,
    pub(crate) alice: HostId,
    pub(crate) bob: HostId,
}

/// Where the proxy of biloxi.test is.
pub(crate) const BILOXI: &str = "192.0.2.20:5060";

/// Whom the proxy of biloxi.test lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Calls that come from the proxy of example.test.
    Neighbour,
    /// Whoever has a password of biloxi.test.
    Password,
}

/// Both proxies, Alice at one, Bob registered at the other.
pub(crate) fn two_towns(trust: Trust) -> Towns {
    let mut exchange = Exchange::with(1, Weather::FAIR, 1, |settings| {
        settings.routes = vec![route("biloxi.test", None)];
    });
    let mut settings = Settings::of("biloxi.test", Puppet::listeners(address(BILOXI)));
    settings.users = ["bob", "101"].map(|name| User::new(name, &format!("secret-{name}"))).into();
    settings.secret = 2;
    match trust {
        Trust::Neighbour => settings.routes = vec![route(DOMAIN, Some(SERVER))],
        // Alice's address is one of its own too, or her password would not be hers there.
        Trust::Password => settings.domains.push(DOMAIN.into()),
    }
    exchange.add_server("biloxi", settings);
    let names = Names::default().with("biloxi.test", &[address(BILOXI).ip()]);
    exchange.knows(exchange.server, names);
    let (alice, bob) =
        (exchange.puppet("101", Transport::Udp), exchange.puppet("bob", Transport::Udp));
    exchange.pull(bob, |bob, _| {
        bob.domain = "biloxi.test".into();
        bob.server = address(BILOXI);
    });
    exchange.register(bob, 1);
    exchange.world.tap_on();
    Towns { exchange, alice, bob }
}

fn route(domain: &str, to: Option<&str>) -> Route {
    Route::domain(domain, to.map(|to| format!("sip:{to}")).as_deref())
}

/// Alice calls, with the credentials that her proxy asks for.
pub(crate) fn call(exchange: &mut Exchange, alice: HostId, to: &str) -> Message {
    let bare = exchange.say(alice, |alice| alice.invite(to, 1, 1));
    exchange.live(20);
    let challenge = exchange.look(alice).last_response(407);
    exchange.say(alice, |alice| alice.ack(&bare, &challenge));
    let invite = exchange.say(alice, |alice| alice.again_with_credentials(&bare, &challenge));
    exchange.live(20);
    invite
}
