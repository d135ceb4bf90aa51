//! A server of the store that is there and says no: it has no room, or has forgotten its scripts.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::io::{BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use offhook_cluster::resp::{Said, read};
use offhook_cluster::{Cluster, News, Terms, Url, Wish, Word};

/// How a server is disposed.
#[derive(Debug, Default)]
struct Mood {
    has_script: bool,
    is_full: bool,
    /// How often the script was loaded.
    loads: u32,
}

/// A server that keeps nothing, and answers as one that does.
#[derive(Clone)]
struct Server(Arc<Mutex<Mood>>, u16);

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self(Arc::default(), listener.local_addr().unwrap().port());
        let each = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = each.clone();
                thread::spawn(move || server.converse(stream));
            }
        });
        server
    }

    fn converse(&self, stream: TcpStream) {
        let mut commands = BufReader::new(stream.try_clone().unwrap());
        let mut answers = stream;
        while let Ok(Said::Row(words)) = read(&mut commands) {
            let Some(Said::Octets(Some(command))) = words.first() else { return };
            if answers.write_all(self.answer(command).as_bytes()).is_err() {
                return;
            }
        }
    }

    fn answer(&self, command: &[u8]) -> &'static str {
        let mut mood = self.0.lock().unwrap();
        match command {
            b"CLUSTER" => "-ERR This instance has cluster support disabled\r\n",
            b"SCRIPT" => {
                mood.has_script = true;
                mood.loads += 1;
                "$40\r\n0123456789012345678901234567890123456789\r\n"
            }
            b"EVALSHA" if !mood.has_script => "-NOSCRIPT No matching script.\r\n",
            b"EVALSHA" if mood.is_full => {
                "-OOM command not allowed when used memory > 'maxmemory'.\r\n"
            }
            b"EVALSHA" | b"GET" => "$-1\r\n",
            _ => "+OK\r\n",
        }
    }

    fn mood(&self, change: impl FnOnce(&mut Mood)) {
        change(&mut self.0.lock().unwrap());
    }
}

type Told = Receiver<News>;

/// A store on this server, which can be reached; and what is told of it.
fn store(server: &Server) -> (Cluster, Told) {
    let (say, said) = channel();
    let url = Url::parse(&format!("redis://127.0.0.1:{}", server.1)).unwrap();
    let terms = Terms {
        url,
        authority: None,
        replicas: 0,
        trouble: Box::new(move |_, news| say.send(news).unwrap()),
        changed: Box::new(|_| {}),
    };
    let cluster = Cluster::start(terms).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while share(&cluster) != Word::Kept {
        assert!(Instant::now() < deadline, "it cannot be reached");
        thread::yield_now();
    }
    (cluster, said)
}

fn share(cluster: &Cluster) -> Word {
    let (say, said) = channel();
    let (key, value) = (b"101"[..].into(), b"00000001value"[..].into());
    let wish = Wish::Share { key, before: [0; 8], value, life: 1_000, told: false };
    cluster.ask(wish, Box::new(move |word| say.send(word).unwrap()));
    said.recv_timeout(PATIENCE).unwrap()
}

/// `SCRIPT FLUSH`: a client is to load its scripts again, and who registers meanwhile need not know.
#[test]
fn a_server_that_has_forgotten_the_script_is_told_it_again() {
    let server = Server::start();
    let (cluster, news) = store(&server);
    for loads in [2, 3] {
        server.mood(|mood| mood.has_script = false);
        assert_eq!(share(&cluster), Word::Kept);
        server.mood(|mood| assert_eq!(mood.loads, loads));
    }
    assert!(news.try_recv().is_err(), "nobody was refused");
}

/// `maxmemory`, `noeviction`: it answers all that asks for nothing to be kept.
#[test]
fn a_server_that_is_full_is_told_of_each_time_and_once() {
    let server = Server::start();
    let (cluster, told) = store(&server);
    for _ in 0..2 {
        server.mood(|mood| mood.is_full = true);
        for _ in 0..10 {
            assert_eq!(share(&cluster), Word::Unreachable);
        }
        let News::Fails(why) = told.recv_timeout(PATIENCE).unwrap() else { panic!() };
        assert!(why.starts_with("OOM"), "{why}");
        assert!(told.try_recv().is_err(), "once");
        server.mood(|mood| mood.is_full = false);
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert_eq!(share(&cluster), Word::Kept);
            match told.recv_timeout(Duration::from_millis(100)) {
                Ok(news) => break assert_eq!(news, News::Works),
                Err(_) => assert!(Instant::now() < deadline, "it works again, and nobody is told"),
            }
        }
    }
}

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);
