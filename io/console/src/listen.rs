//! `Bound`: the console's sockets: TCP, and one in the file system whose permissions say who may ask.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use crate::gate::{Gate, Guests};

/// Where the console listens, and whom it lets in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The address for TCP; none: not by TCP.
    pub address: Option<SocketAddr>,
    /// The file of a socket; none: there is none.
    pub socket: Option<PathBuf>,
    /// The permissions of that file, as in chmod(1).
    pub mode: u32,
    /// Whom it lets in by TCP.
    pub guests: Guests,
}

/// Sockets that wait for somebody to serve them.
#[derive(Debug)]
pub struct Bound {
    pub(crate) gate: Gate,
    pub(crate) tcp: Option<TcpListener>,
    pub(crate) unix: Option<UnixListener>,
}

/// A socket that cannot be had.
#[derive(Debug)]
pub struct BindError {
    /// Which, as people write it.
    pub place: String,
    /// Why.
    pub error: io::Error,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "console: {}: {}", self.place, self.error)
    }
}

impl std::error::Error for BindError {}

impl Bound {
    /// Takes the sockets. A socket file that an earlier process has left behind is replaced; one that somebody serves is not.
    ///
    /// # Errors
    /// When an address is taken, or a file cannot be made.
    pub fn bind(settings: Settings) -> Result<Self, BindError> {
        let tcp = settings.address.map(|address| {
            listen(address).map_err(|error| BindError { place: address.to_string(), error })
        });
        let unix = settings.socket.as_deref().map(|path| {
            open(path, settings.mode)
                .map_err(|error| BindError { place: path.display().to_string(), error })
        });
        Ok(Self {
            tcp: tcp.transpose()?,
            unix: unix.transpose()?,
            gate: Gate::new(settings.guests),
        })
    }

    /// The gate, by which others can be let in from now on.
    pub fn gate(&self) -> Gate {
        self.gate.clone()
    }

    /// The address that was really bound.
    pub fn address(&self) -> Option<SocketAddr> {
        self.tcp.as_ref()?.local_addr().ok()
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Nobody else may connect before the permissions are set: the file gets its name only then.
fn open(path: &Path, mode: u32) -> io::Result<UnixListener> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            let what = "there is a file of that name, and it is no socket";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
        }
        Ok(_) if UnixStream::connect(path).is_ok() => {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, "another process serves it"));
        }
        _ => {}
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let beside = PathBuf::from(beside);
    let _ = fs::remove_file(&beside);
    let listener = UnixListener::bind(&beside)?;
    let ready = fs::set_permissions(&beside, fs::Permissions::from_mode(mode))
        .and_then(|()| listener.set_nonblocking(true))
        .and_then(|()| fs::rename(&beside, path));
    if ready.is_err() {
        let _ = fs::remove_file(&beside);
    }
    ready.map(|()| listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("offhook-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder.join("console.sock")
    }

    #[test]
    fn a_socket_has_its_permissions_and_replaces_one_that_is_dead() {
        let path = place("socket");
        drop(UnixListener::bind(&path).unwrap());
        let listener = open(&path, 0o660).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
        assert_eq!(open(&path, 0o600).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(listener);
        fs::remove_file(&path).unwrap();
        fs::write(&path, "a letter").unwrap();
        assert!(open(&path, 0o600).unwrap_err().to_string().contains("no socket"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "a letter");
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }
}
