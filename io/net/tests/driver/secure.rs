//! Peers that speak TLS, and what a driver is told that does.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use offhook_net::tls::{Files, Named, System, Terms, Tls};
use offhook_net::{Plan, Program};
use protocol::{Flow, Identity, Input, Output, Transport};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
};

use crate::authority::{Authority, Flaw, Pair};
use crate::echo::{House, PATIENCE, options};

impl Authority {
    /// What a driver is told that trusts this authority alone, and shows a certificate for these names.
    pub(crate) fn terms(&self, names: &[&str]) -> Terms {
        Terms {
            certificate: Some(files(&self.issue("house", names, Flaw::None))),
            authorities: vec![self.file()],
            system: System::Ignored,
            ..Terms::default()
        }
    }

    /// The TLS of a server of the tests.
    pub(crate) fn server(&self, files: &Pair) -> Arc<ServerConfig> {
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth();
        let (chain, key) = read(files);
        Arc::new(config.with_single_cert(chain, key).unwrap())
    }

    /// The TLS of a client of the tests, with a certificate or without.
    pub(crate) fn client(&self, files: Option<&Pair>) -> Arc<ClientConfig> {
        self.client_by(files, rustls::ALL_VERSIONS)
    }

    pub(crate) fn client_by(
        &self,
        files: Option<&Pair>,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.file()).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        Arc::new(match files.map(read) {
            Some((chain, key)) => config.with_client_auth_cert(chain, key).unwrap(),
            None => config.with_no_client_auth(),
        })
    }
}

/// A pair as a driver is told.
pub(crate) fn files(pair: &Pair) -> Files {
    Files { certificate: pair.certificate.clone(), key: pair.key.clone() }
}

fn read(files: &Pair) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let chain = CertificateDer::pem_file_iter(&files.certificate).unwrap();
    (chain.map(Result::unwrap).collect(), PrivateKeyDer::from_pem_file(&files.key).unwrap())
}

/// A certificate for one more domain.
pub(crate) fn named(name: &str, pair: &Pair) -> Named {
    Named { name: name.into(), files: files(pair) }
}

pub(crate) fn load(terms: &Terms) -> Tls {
    Tls::load(terms).unwrap_or_else(|error| panic!("{error}"))
}

/// A peer that speaks TLS.
pub(crate) type Peer = StreamOwned<ClientConnection, TcpStream>;

/// Calls a house, and asks for a domain there. Nothing is agreed upon before something is written or read.
pub(crate) fn call(config: &Arc<ClientConfig>, to: SocketAddr, domain: &str) -> Peer {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    let name = ServerName::try_from(domain.to_owned()).unwrap();
    StreamOwned::new(ClientConnection::new(Arc::clone(config), name).unwrap(), stream)
}

/// Reads one answer without a body; an error when the peer does not let us.
pub(crate) fn read_answer(peer: &mut impl Read) -> std::io::Result<String> {
    let mut answer = Vec::new();
    let mut octet = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        peer.read_exact(&mut octet)?;
        answer.extend_from_slice(&octet);
    }
    Ok(crate::echo::subject(&answer))
}

/// Asks something and reads the answer.
pub(crate) fn ask(peer: &mut (impl Read + Write), subject: &str) -> std::io::Result<String> {
    peer.write_all(&crate::echo::options(subject, ""))?;
    read_answer(peer)
}

/// A house that speaks TLS on these terms.
pub(crate) fn house(terms: &Terms) -> House {
    House::open(plan(terms), Program::new())
}

pub(crate) fn plan(terms: &Terms) -> Plan {
    let mut plan = Plan::new().on(Transport::Tls, "127.0.0.1:0".parse().unwrap());
    plan.tls = Some(load(terms));
    plan
}

/// The flow of the next request that a house hears; connections that have ended meanwhile do not count.
pub(crate) fn came(house: &House) -> Flow {
    loop {
        match house.input().1 {
            Input::Received(flow, _) => return flow,
            Input::Failed(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// A server of the tests: accepts one connection after the other, answers nothing.
pub(crate) struct Server {
    listener: TcpListener,
    config: Arc<ServerConfig>,
}

impl Server {
    pub(crate) fn new(config: Arc<ServerConfig>) -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").unwrap(), config }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    pub(crate) fn accept(&self) -> StreamOwned<ServerConnection, TcpStream> {
        let (stream, _) = self.listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        StreamOwned::new(ServerConnection::new(Arc::clone(&self.config)).unwrap(), stream)
    }
}

pub(crate) fn to(domain: &str, peer: SocketAddr) -> Flow {
    let (transport, identity) = (Transport::Tls, Identity::NONE);
    Flow { transport, listener: 0, connection: 0, peer, identity }.proving(domain)
}

pub(crate) fn send(house: &House, domain: &str, peer: SocketAddr, subject: &str) {
    house.put(0, Output::Introduce(domain.into()));
    house.put(0, Output::Send(to(domain, peer), options(subject, "").into()));
}

/// Sends to whoever shows this certificate; what the house hears of it.
pub(crate) fn tried(house: &House, server: &Server, domain: &str) -> Result<(), String> {
    send(house, domain, server.address(), "hello");
    let mut peer = server.accept();
    let mut octets = vec![0; options("hello", "").len()];
    match peer.read_exact(&mut octets) {
        Ok(()) => {
            assert_eq!(octets, options("hello", ""));
            drop(peer);
            let (_, Input::Failed(_)) = house.input() else { panic!("it has ended") };
            Ok(())
        }
        Err(_) => {
            let (_, Input::Untrusted(flow, why)) = house.input() else { panic!("nobody was told") };
            assert_eq!(flow, to(domain, server.address()), "it never was a connection");
            Err(why.to_string())
        }
    }
}
