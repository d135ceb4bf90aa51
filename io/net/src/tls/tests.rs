//! Files of certificates that are of no use, and what is said of them.

use std::fs;
use std::path::PathBuf;

use rcgen::{CertificateParams, KeyPair, SanType, date_time_ymd};

use super::*;

/// A folder with a good certificate and its key; it goes when this does.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("offhook-pem-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        let folder = Self(path);
        for (certificate, key) in [("good.pem", "good.key"), ("other.pem", "other.key")] {
            let mut params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
            params.subject_alt_names.push(SanType::URI("sip:b.example".try_into().unwrap()));
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2030, 1, 1);
            let pair = KeyPair::generate().unwrap();
            folder.write(certificate, &params.self_signed(&pair).unwrap().pem());
            folder.write(key, &pair.serialize_pem());
        }
        folder
    }

    fn write(&self, file: &str, text: &str) -> PathBuf {
        fs::write(self.0.join(file), text).unwrap();
        self.0.join(file)
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.join(file)).unwrap()
    }

    /// What is said of a pair, without the folder.
    fn says(&self, certificate: &str, key: &str) -> String {
        let files = Files { certificate: self.0.join(certificate), key: self.0.join(key) };
        let terms = Terms { certificate: Some(files), system: System::Ignored, ..Terms::default() };
        let said =
            Tls::load(&terms).err().map_or_else(|| "fine".to_owned(), |error| error.to_string());
        said.replace(&format!("{}/", self.0.display()), "")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[test]
fn a_file_that_is_of_no_use_is_named_with_the_line() {
    let folder = Folder::new("lines");
    assert_eq!(folder.says("good.pem", "good.key"), "fine");
    assert!(folder.says("none.pem", "good.key").starts_with("none.pem: No such file"));
    assert_eq!(
        folder.says("good.key", "good.key"),
        "good.key: there is no \"-----BEGIN CERTIFICATE-----\" in it: is it a PEM file, and the right one?"
    );
    assert!(folder.says("good.pem", "good.pem").contains("no \"-----BEGIN PRIVATE KEY-----\""));
    assert_eq!(
        folder.says("good.pem", "other.key"),
        format!(
            "other.key: this is not the key of the certificate in {}",
            folder.0.join("good.pem").display()
        )
        .replace(&format!("{}/", folder.0.display()), "")
    );
    let good = folder.read("good.pem");
    let second = good.lines().nth(2).unwrap();
    folder.write("typo.pem", &good.replace(second, &second.replacen(|_: char| true, "!", 1)));
    assert_eq!(
        folder.says("typo.pem", "good.key"),
        "typo.pem:3: this is not base64, or not all of it"
    );
    let chain = format!("{good}{}", good.replace("-----END CERTIFICATE-----", ""));
    folder.write("cut.pem", &chain);
    let line = good.lines().count() + 1;
    let cut = folder.says("cut.pem", "good.key");
    assert_eq!(cut, format!("cut.pem:{line}: what begins here has no end: no -----END …-----"));
    let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    folder.write("nonsense.pem", &format!("{good}{nonsense}"));
    let said = folder.says("nonsense.pem", "good.key");
    assert_eq!(said, format!("nonsense.pem:{line}: what begins here is no certificate"));
}

#[test]
fn a_certificate_says_for_whom_and_how_long() {
    let folder = Folder::new("says");
    let certificate = &pem::certificates(&folder.0.join("good.pem")).unwrap()[0];
    let subject = subject_of(certificate).unwrap();
    assert_eq!(
        (&*subject.uris, &*subject.hosts),
        (&["sip:b.example".into()][..], &["a.example".into()][..])
    );
    let validity = validity_of(certificate).unwrap();
    assert_eq!(validity, Validity { from: 1_577_836_800, until: 1_893_456_000 });
}
