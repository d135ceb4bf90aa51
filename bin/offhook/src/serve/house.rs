//! From the config file to what the parts of the server are told: [`Plan`] for the driver, [`Settings`] for the nodes.

use std::sync::Arc;

use net::Loading;
use net::tls::{CannotUse, Terms, Tls};
use protocol::auth::{Algorithm, Ha1, Names};
use protocol::doors::Neighbour;
use protocol::{Listener, Transport};
use server::settings::{self, Bindings, Settings, Shard, Whose};

use crate::certificates;
use crate::config::{Config, Credential, Expires, Extension, Push, Registrar, WhenFull};

/// What the driver listens on, and with how many shards.
///
/// # Errors
/// When a certificate or a key is of no use, and why.
pub(crate) fn plan(config: &Config) -> Result<net::Plan, String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let shards = config.server.shards.map_or(cores, usize::from);
    let mut plan = net::Plan::new().shards(u16::try_from(shards).unwrap_or(u16::MAX));
    plan.naps.signalling = config.server.nap;
    plan.loading = if config.server.trains { Loading::Trains } else { Loading::Singly };
    for address in &config.listen.udp {
        plan = plan.on(Transport::Udp, *address);
    }
    for address in &config.listen.tcp {
        plan = plan.on(Transport::Tcp, *address);
    }
    for address in &config.listen.ws {
        plan = plan.on(Transport::Ws, *address);
    }
    for address in &config.listen.tls {
        plan = plan.on(Transport::Tls, *address);
    }
    for address in &config.listen.wss {
        plan = plan.on(Transport::Wss, *address);
    }
    if let Some(cluster) = &config.cluster {
        let listener = u16::try_from(plan.listen.len()).unwrap_or(u16::MAX);
        let tls = cluster.tls.as_ref().map(Tls::load).transpose();
        let tls = tls.map_err(|error| format!("[cluster] {error}"))?;
        let transport = if tls.is_some() { Transport::Tls } else { Transport::Tcp };
        plan.nodes = Some(net::Nodes { listener, tls, patience: net::Patience::of_nodes() });
        plan = plan.on(transport, cluster.listen);
    }
    plan.tls = tls(config).map_err(|error| error.to_string())?;
    let proven = plan.tls.as_ref().and_then(|tls| certificates::proven(config, tls));
    let public = plan.listen.len() - usize::from(config.cluster.is_some());
    // Nodes know each other by their addresses.
    for listen in plan.listen.iter_mut().take(public) {
        let wish = config.listen.advertised.of(listen.address).map(Into::into);
        let by_name = proven.as_deref().filter(|_| listen.transport.is_secure()).map(Into::into);
        listen.advertised = wish.or(by_name);
    }
    plan.origins = Arc::new(config.websocket.origins(&config.domains));
    Ok(plan)
}

/// Where we are in our cluster, in this life: the listener for the other nodes is the last one.
pub(crate) fn cluster(
    config: &Config,
    listeners: &[Listener],
    life: u32,
) -> Option<settings::Cluster> {
    let listener = listeners.last().filter(|_| config.cluster.is_some())?;
    let us = Neighbour { at: listener.bound, life };
    Some(settings::Cluster { us, listener: listener.number })
}

/// Our certificates, and whom we trust; who calls us may prove to be one of the domains that routes lead to.
pub(crate) fn tls(config: &Config) -> Result<Option<Tls>, CannotUse> {
    let known = config.routes.iter().filter_map(|route| match &route.matches.whose {
        Whose::Domain(domain) => Some(domain.clone()),
        Whose::Ours | Whose::Anybody => None,
    });
    let terms = |terms: &Terms| Terms { known: known.collect(), ..terms.clone() };
    config.tls.as_ref().map(terms).map(|terms| Tls::load(&terms)).transpose()
}

/// What stays as it is as long as the server runs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fixed {
    /// What steering and tokens are keyed with.
    pub(crate) secret: u128,
    /// What nonces are signed with.
    pub(crate) nonces: u128,
    /// Where bindings are kept.
    pub(crate) bindings: Bindings,
    /// Where we are in our cluster.
    pub(crate) cluster: Option<settings::Cluster>,
}

/// What the node of a shard is told: of the listeners first those that are open, then those that go.
pub(crate) fn settings(
    config: &Config,
    (listeners, leaving): (&[Listener], &[Listener]),
    fixed: Fixed,
    shard: Shard,
) -> Settings {
    let domain = config.domains.first().map_or("localhost", |domain| domain.as_str());
    Settings {
        domains: config.domains.iter().map(|domain| domain.as_str().into()).collect(),
        realm: config.auth.realm.as_str().into(),
        names: if config.auth.userhash { Names::Hashed } else { Names::Plain },
        software: config.server.software.as_str().into(),
        challenge: config.auth.challenge.iter().map(|method| (*method).into()).collect(),
        algorithms: config.auth.algorithms.clone().unwrap_or_default(),
        users: config.extensions.iter().map(user).collect(),
        registrar: registrar(&config.registrar),
        proxy: config.proxy.clone(),
        bans: config.bans.clone(),
        tolls: config.tolls.clone(),
        calls: config.calls,
        overload: config.overload.clone(),
        push: config.push.as_ref().map(push),
        role: config.server.role,
        redirects: config.redirects.clone(),
        routes: config.routes.clone(),
        groups: config.groups.clone(),
        shard,
        secret: fixed.secret,
        nonce_secret: Some(fixed.nonces),
        bindings: fixed.bindings,
        cluster: fixed.cluster,
        leaving: leaving.to_vec(),
        ..Settings::of(domain, listeners.to_vec())
    }
}

fn registrar(config: &Registrar) -> settings::Registrar {
    let Expires { min, default, max } = config.expires;
    settings::Registrar {
        min,
        default,
        max,
        max_contacts: config.max_contacts,
        when_full: match config.when_full {
            WhenFull::Refuse => settings::WhenFull::Refuse,
            WhenFull::Oldest => settings::WhenFull::Oldest,
        },
        jitter: config.jitter,
        service_route: config.service_route.iter().map(|uri| uri.as_str().into()).collect(),
        flow_timer: config.flow_timer,
        edge_for: config.edge_for.iter().map(|domain| domain.as_str().into()).collect(),
    }
}

fn push(config: &Push) -> settings::Push {
    let providers = config.providers.iter().map(|name| name.as_str().into()).collect();
    settings::Push { providers, wait: config.wait }
}

fn user(extension: &Extension) -> settings::User {
    let credential = match &extension.credential {
        Credential::Password(password) => settings::Credential::Password(password.reveal().into()),
        Credential::Ha1(ha1) => {
            let all = [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha512_256];
            let known = all.into_iter().filter_map(|algorithm| {
                let digest = Ha1::from_hex(algorithm, ha1.of(algorithm)?.reveal())?;
                Some((algorithm, digest))
            });
            settings::Credential::Ha1s(known.collect())
        }
    };
    let boxed = |texts: &[String]| texts.iter().map(|text| text.as_str().into()).collect();
    settings::User {
        contacts: boxed(&extension.contacts),
        may_register: boxed(&extension.may_register),
        calls: extension.calls,
        ..settings::User::with(&extension.number, credential)
    }
}
