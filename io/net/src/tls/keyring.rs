//! `Keyring`: our certificates, by the domain that a client asks for. New files are taken over while connections live on with the old ones.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::client::ResolvesClientCert;
use rustls::pki_types::CertificateDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys, SignatureScheme};

use super::faults::{CannotUse, Wrong};
use super::{pem, provider};

/// Where a certificate and its key lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The chain (PEM), our own certificate first.
    pub certificate: PathBuf,
    /// The key (PEM).
    pub key: PathBuf,
}

/// A certificate for one domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The domain that clients ask for.
    pub name: Box<str>,
    /// Where its certificate lies.
    pub files: Files,
}

/// Our certificates. Whoever has begun with one keeps it; whoever begins later gets the one that is there then.
#[derive(Debug)]
pub struct Keyring {
    keys: RwLock<Keys>,
    watched: Mutex<Vec<Watched>>,
}

#[derive(Debug)]
struct Keys {
    first: Arc<CertifiedKey>,
    named: BTreeMap<Box<str>, Arc<CertifiedKey>>,
}

/// One pair of files.
#[derive(Debug)]
struct Watched {
    /// `None`: for all who ask for no other.
    name: Option<Box<str>>,
    files: Files,
    /// What was taken over, or refused.
    taken: Stamp,
    /// What was seen at the last look.
    seen: Stamp,
}

/// When files were changed last, as far as the system says it: modification time, number, length.
type Stamp = [Option<(i64, i64, u64, u64)>; 2];

/// What a look at the files has found.
#[derive(Debug)]
pub struct Look {
    /// Which files have changed.
    pub files: Files,
    /// An error when the new ones are of no use: then the old certificate stays.
    pub taken: Result<(), CannotUse>,
}

impl Keyring {
    pub(super) fn load(first: &Files, named: &[Named]) -> Result<Self, CannotUse> {
        let names = named.iter().map(|named| (Some(normal(&named.name)), named.files.clone()));
        let all = std::iter::once((None, first.clone())).chain(names);
        // Before they are read: what is renamed into their place meanwhile is new at the first look.
        let watched = all.map(|(name, files)| {
            let stamp = stamp(&files);
            Watched { name, files, taken: stamp, seen: stamp }
        });
        let watched = watched.collect();
        let keys = Keys {
            first: read(first)?,
            named: named
                .iter()
                .map(|named| Ok((normal(&named.name), read(&named.files)?)))
                .collect::<Result<_, _>>()?,
        };
        Ok(Self { watched: Mutex::new(watched), keys: RwLock::new(keys) })
    }

    /// Looks whether files have changed, and takes over what is new and good. Somebody may be writing them just now: what has changed
    /// is read when two looks have seen the same. To be called every now and then, away from the shards: it reads the disk.
    pub fn look(&self) -> Vec<Look> {
        let mut looks = Vec::new();
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        for watched in watched.iter_mut() {
            let now = stamp(&watched.files);
            let settled = std::mem::replace(&mut watched.seen, now) == now;
            if now == watched.taken || !settled {
                continue;
            }
            watched.taken = now;
            let taken = read(&watched.files).map(|key| self.take(watched.name.as_deref(), key));
            looks.push(Look { files: watched.files.clone(), taken });
        }
        looks
    }

    fn take(&self, name: Option<&str>, key: Arc<CertifiedKey>) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        match name {
            None => keys.first = key,
            Some(name) => drop(keys.named.insert(name.into(), key)),
        }
    }

    /// The certificate that is shown to who asks for a domain.
    pub fn shown_to(&self, domain: Option<&str>) -> CertificateDer<'static> {
        let key = self.key_for(domain);
        key.cert.first().cloned().unwrap_or_else(|| Vec::new().into())
    }

    fn key_for(&self, domain: Option<&str>) -> Arc<CertifiedKey> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let named = domain.and_then(|domain| keys.named.get(&normal(domain)));
        Arc::clone(named.unwrap_or(&keys.first))
    }

    pub(super) fn first_file(&self) -> PathBuf {
        let watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.first().map(|watched| watched.files.certificate.clone()).unwrap_or_default()
    }
}

impl ResolvesServerCert for Keyring {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.key_for(hello.server_name()))
    }
}

impl ResolvesClientCert for Keyring {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.key_for(None))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// A pair of files, as the library uses it.
fn read(files: &Files) -> Result<Arc<CertifiedKey>, CannotUse> {
    let chain = pem::certificates(&files.certificate)?;
    let key = pem::key(&files.key)?;
    let pair = CertifiedKey::from_der(chain, key, &provider()).map_err(|error| {
        let wrong = match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                Wrong::OtherKey { certificate: files.certificate.clone() }
            }
            error => Wrong::UnusableKey(error.to_string().into()),
        };
        CannotUse::new(&files.key, wrong)
    })?;
    Ok(Arc::new(pair))
}

fn normal(name: &str) -> Box<str> {
    name.trim_end_matches('.').to_ascii_lowercase().into()
}

fn stamp(files: &Files) -> Stamp {
    let one = |file: &Path| {
        let of = fs::metadata(file).ok()?;
        Some((of.mtime(), of.mtime_nsec(), of.ino(), of.len()))
    };
    [one(&files.certificate), one(&files.key)]
}
