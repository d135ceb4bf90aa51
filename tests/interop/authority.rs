//! The authority of a test: that of the driver's tests, and what a config says of it.

pub(crate) use crate::issuer::{Authority, Flaw, Pair};

impl Authority {
    /// Certifies somebody for names and numbers.
    pub(crate) fn certify(&self, names: &[&str]) -> Pair {
        self.issue(names[0], names, Flaw::None)
    }

    /// The line of a config that has a server show this, and trust this authority alone.
    pub(crate) fn line(&self, Pair { certificate, key }: &Pair) -> String {
        let ours = self.file();
        format!(
            "tls = {{ certificate = {certificate:?}, private_key = {key:?}, authorities = [{ours:?}], system_authorities = false }}\n"
        )
    }
}
