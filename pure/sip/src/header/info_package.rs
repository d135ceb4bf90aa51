//! What an INFO carries, and what may be sent in one: Info-Package, Recv-Info (RFC 6086 §7.1, §7.2).

use super::family::with_params;

with_params! {
    /// The package of this INFO.
    InfoPackage {
        /// Its name. Case counts.
        package: &'a str
    },
    /// A package that the sender is ready to receive.
    RecvInfo {
        /// Its name. Case counts.
        package: &'a str
    },
}
