//! `Identity`: the certificate that a phone shows in handshakes. Nobody has signed it but itself: its fingerprint stands in the description
//! (RFC 5763 §5).

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use dimpl::DtlsCertificate;
use machine::{Dice, Time};
use p256::SecretKey;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::EncodePrivateKey as _;
use sdp::Fingerprint;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder as _, CertificateBuilder};
use x509_cert::certificate::TbsCertificate;
use x509_cert::der::Encode as _;
use x509_cert::der::asn1::GeneralizedTime;
use x509_cert::ext::Extension;
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{SubjectPublicKeyInfo, SubjectPublicKeyInfoRef};
use x509_cert::time::{Time as Moment, Validity};

/// A key on the curve P-256, and a certificate for it. Copies are cheap.
#[derive(Clone, Debug)]
pub struct Identity {
    shown: Arc<DtlsCertificate>,
    fingerprint: Fingerprint,
}

impl Identity {
    /// One of these dice: whoever knows their seed knows the key. `None` never happens but to dice that throw nothing else than zeros.
    pub fn new(now: Time, dice: &mut Dice) -> Option<Self> {
        let mut octets = [0; 32];
        for eight in octets.chunks_exact_mut(8) {
            eight.copy_from_slice(&dice.roll().to_be_bytes());
        }
        let key = SecretKey::from_slice(&octets).ok()?;
        let private_key = key.to_pkcs8_der().ok()?.as_bytes().to_vec();
        let certificate = certificate(now, dice.roll(), &SigningKey::from(key))?;
        let digest = Sha256::digest(&certificate).to_vec().into();
        let shown = Arc::new(DtlsCertificate { certificate, private_key });
        Some(Self { shown, fingerprint: Fingerprint { hash: "sha-256".into(), digest } })
    }

    /// What the description says of it.
    pub const fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    pub(crate) fn shown(&self) -> DtlsCertificate {
        DtlsCertificate::clone(&self.shown)
    }
}

/// Whether this certificate is one of those that were named (RFC 8122 §5.1): what is said under weak hashes, or under such as we do not know, counts
/// for nothing.
pub(crate) fn is_named(certificate: &[u8], named: &[Fingerprint]) -> bool {
    named.iter().any(|one| match &*one.hash {
        "sha-256" => Sha256::digest(certificate).as_slice() == &*one.digest,
        "sha-384" => Sha384::digest(certificate).as_slice() == &*one.digest,
        "sha-512" => Sha512::digest(certificate).as_slice() == &*one.digest,
        _ => false,
    })
}

fn certificate(now: Time, number: u64, key: &SigningKey) -> Option<Vec<u8>> {
    let since = Duration::from_secs(now.as_secs().saturating_sub(DAY));
    let until = Duration::from_secs(now.as_secs().saturating_add(YEARS));
    let moment =
        |since_1970| Some(Moment::from(GeneralizedTime::from_unix_duration(since_1970).ok()?));
    let validity = Validity::new(moment(since)?, moment(until)?);
    let serial = SerialNumber::new(&number.to_be_bytes()).ok()?;
    let public = SubjectPublicKeyInfo::from_key(key.verifying_key()).ok()?;
    let profile = Plain(Name::from_str("CN=phone").ok()?);
    let builder = CertificateBuilder::new(profile, serial, validity, public).ok()?;
    builder.build::<_, DerSignature>(key).ok()?.to_der().ok()
}

/// Clocks differ.
const DAY: u64 = 86_400;

/// Ten years: nobody looks, and the key lives as long as its program.
const YEARS: u64 = 10 * 365 * DAY;

/// The same name above and below, and nothing more.
struct Plain(Name);

impl BuilderProfile for Plain {
    fn get_issuer(&self, _: &Name) -> Name {
        self.0.clone()
    }

    fn get_subject(&self) -> Name {
        self.0.clone()
    }

    fn build_extensions(
        &self,
        _: SubjectPublicKeyInfoRef<'_>,
        _: SubjectPublicKeyInfoRef<'_>,
        _: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_dice_make_the_same_certificate_and_only_strong_hashes_name_it() {
        let made = |seed| Identity::new(Time(1 << 60), &mut Dice::new(seed)).unwrap();
        let (one, again, other) = (made(1), made(1), made(2));
        assert_eq!(one.fingerprint(), again.fingerprint());
        assert_ne!(one.fingerprint(), other.fingerprint());
        let der = one.shown().certificate;
        assert!(is_named(&der, &[other.fingerprint().clone(), one.fingerprint().clone()]));
        assert!(!is_named(&der, std::slice::from_ref(other.fingerprint())));
        let named = |hash: &str, digest: Vec<u8>| {
            is_named(&der, &[Fingerprint { hash: hash.into(), digest: digest.into() }])
        };
        assert!(named("sha-512", Sha512::digest(&der).to_vec()));
        assert!(!named("sha-1", Sha256::digest(&der).to_vec()), "a hash that we do not know");
        assert!(!named("sha-256", Sha256::digest(&der)[..31].to_vec()));
        assert!(!is_named(&der, &[]));
    }
}
