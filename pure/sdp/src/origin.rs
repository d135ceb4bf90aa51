//! `o=`: who made this description, and which version it is (RFC 8866 §5.2).

use std::net::IpAddr;

use crate::read::{Row, number};
use crate::{Address, ParseError, write};

/// `o=<username> <sess-id> <sess-version> <nettype> <addrtype> <unicast-address>`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The user's login, or `-`.
    pub username: Box<str>,
    /// The session's number: digits, as many as the sender liked.
    pub id: Box<str>,
    /// The version's number: digits, as many as the sender liked.
    pub version: Box<str>,
    /// The maker's machine.
    pub address: Address,
}

impl Origin {
    /// An origin of ours. The id should be different for every session; RFC 3264 §5 wants it to fit 63 bits, so the highest bit is
    /// not used.
    pub fn new(id: u64, address: IpAddr) -> Self {
        let id = id & (u64::MAX >> 1);
        Self {
            username: "-".into(),
            id: id.to_string().into(),
            version: "1".into(),
            address: address.into(),
        }
    }

    /// The version as a number, if it is one that RFC 3264 §5 allows: it fits 63 bits.
    pub fn version_number(&self) -> Option<u64> {
        number::<i64>(&self.version).map(i64::unsigned_abs)
    }

    pub(crate) fn read(row: &Row<'_>) -> Result<Self, ParseError> {
        let mut fields = row.fields("o=")?;
        let username = fields.need("username in o=")?.boxed();
        let (id, version) = (fields.need("sess-id in o=")?, fields.need("sess-version in o=")?);
        for (field, what) in [(id, "sess-id in o="), (version, "sess-version in o=")] {
            if !field.text.bytes().all(|octet| octet.is_ascii_digit()) {
                return Err(field.bad(what));
            }
        }
        let address = Address::read(&mut fields, "address in o=")?;
        fields.end("end of o=")?;
        Ok(Self { username, id: id.boxed(), version: version.boxed(), address })
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        write::begin(out, b'o');
        for field in [&self.username, &self.id, &self.version] {
            write::field(out, field);
            write::space(out);
        }
        self.address.write(out);
        write::end(out);
    }
}
