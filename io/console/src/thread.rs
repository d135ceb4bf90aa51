//! `Console`: the thread on which everything here lives.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::runtime::Builder;
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use tokio::time::{sleep, timeout};

use crate::connection::End;
use crate::desk::Desk;
use crate::gate::Way;
use crate::house::House;
use crate::listen::Bound;
use crate::seats::Seats;
use crate::{Hub, connection, limits};

/// A console that serves; it ends when this is dropped.
#[derive(Debug)]
pub struct Console {
    end: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Bound {
    /// Serves on a thread of its own.
    ///
    /// # Errors
    /// When the system gives no thread, or no poll.
    pub fn start(self, house: Arc<dyn House>, hub: Hub) -> io::Result<Console> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        let (end, ended) = oneshot::channel();
        let (tcp, unix, gate) = {
            let _inside = runtime.enter();
            let tcp = self.tcp.map(TcpListener::from_std).transpose()?;
            (tcp, self.unix.map(UnixListener::from_std).transpose()?, self.gate)
        };
        let thread = thread::Builder::new().name("console".into()).spawn(move || {
            let local = LocalSet::new();
            let desk = Rc::new(Desk::new(house, hub, gate));
            local.block_on(&runtime, live(desk, (tcp, unix), ended));
        })?;
        Ok(Console { end: Some(end), thread: Some(thread) })
    }
}

/// Lets everybody in until it is told to end; then what is being answered is answered, and nothing new is.
async fn live(
    desk: Rc<Desk>,
    (tcp, unix): (Option<TcpListener>, Option<UnixListener>),
    ended: oneshot::Receiver<()>,
) {
    let (last, end) = watch::channel(());
    let door =
        Rc::new(Door { desk: Rc::clone(&desk), seats: Seats::new(limits::CONNECTIONS), end });
    let doors = [
        tcp.map(|tcp| spawn_local(accept_tcp(tcp, Rc::clone(&door)))),
        unix.map(|unix| spawn_local(accept_unix(unix, Rc::clone(&door)))),
    ];
    let _ = ended.await;
    doors.iter().flatten().for_each(JoinHandle::abort);
    desk.close();
    // Whoever is connected has a copy of its own.
    let _ = last.send(());
    let goodbye = async {
        while !door.seats.are_free() {
            sleep(REST / 10).await;
        }
    };
    // Who has not heard it then does not listen.
    let _ = timeout(limits::GOODBYE, goodbye).await;
}

/// What is behind each listener.
struct Door {
    desk: Rc<Desk>,
    seats: Seats,
    end: End,
}

impl Drop for Console {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // One that panicked has said so on stderr.
            drop(thread.join());
        }
    }
}

async fn accept_tcp(listener: TcpListener, door: Rc<Door>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Small answers wait for nothing.
                let _ = stream.set_nodelay(true);
                door.welcome(Way::Tcp(peer.ip()), stream);
            }
            Err(_) => sleep(REST).await,
        }
    }
}

async fn accept_unix(listener: UnixListener, door: Rc<Door>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => door.welcome(Way::File, stream),
            Err(_) => sleep(REST).await,
        }
    }
}

/// How long nobody is let in when the system has no more files: they wait in its queue meanwhile.
const REST: Duration = Duration::from_millis(100);

impl Door {
    fn welcome<S>(&self, way: Way, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let Some(seat) = self.seats.take() else { return };
        let (number, desk) = (seat.number(), Rc::clone(&self.desk));
        let task = spawn_local(connection::serve(desk, seat, way, stream, self.end.clone()));
        self.seats.ends(number, task.abort_handle());
    }
}
