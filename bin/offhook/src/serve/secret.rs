//! The server's secret: it keys the steering of calls and the tokens in Record-Route, so it is kept over a restart.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use crate::seed::throw;

/// The secret that is kept in `folder`; thrown and written there when there is none yet. Only its owner may read the file.
pub(crate) fn kept(folder: &Path) -> io::Result<u128> {
    // What else lies there, registrations, is nobody else's business either.
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let path = folder.join("secret");
    match fs::read_to_string(&path) {
        Ok(text) => read(&text).ok_or_else(|| {
            let what =
                format!("{} holds no secret: remove it, and a new one is made", path.display());
            io::Error::new(io::ErrorKind::InvalidData, what)
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let secret = throw()?;
            write(&path, secret)?;
            Ok(secret)
        }
        Err(error) => Err(error),
    }
}

/// The secret that all nodes of a cluster have. A file that others may read is refused: with it they could say anything.
pub(crate) fn common(path: &Path) -> io::Result<u128> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let refuse = |what: &str| {
        let what = format!("{}: {what}", path.display());
        io::Error::new(io::ErrorKind::InvalidData, what)
    };
    let text = fs::read_to_string(path).map_err(named)?;
    let mode = fs::metadata(path).map_err(named)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(refuse("others may read it: chmod 600"));
    }
    read(&text).ok_or_else(|| refuse("it must hold 32 hexadecimal digits: openssl rand -hex 16"))
}

/// Written beside it and renamed, so that a crash leaves all of it or nothing.
fn write(path: &Path, secret: u128) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    writeln!(file, "{secret:032x}")?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

fn read(text: &str) -> Option<u128> {
    let digits = text.trim_end();
    (digits.len() == 32).then(|| u128::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_kept_and_nobody_else_reads_it() {
        let folder = std::env::temp_dir().join(format!("offhook-{:032x}", throw().unwrap()));
        let first = kept(&folder).unwrap();
        assert_eq!(kept(&folder).unwrap(), first);
        let file = folder.join("secret");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        fs::write(&file, "garbage").unwrap();
        assert!(kept(&folder).unwrap_err().to_string().contains("remove it"));
        fs::remove_dir_all(&folder).unwrap();
        assert_ne!(kept(&folder).unwrap(), first);
        fs::remove_dir_all(&folder).unwrap();
    }
}
