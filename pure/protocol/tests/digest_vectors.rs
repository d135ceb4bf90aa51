//! The digest vectors beside the project: RFC 2617, RFC 7616 and generated ones.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test, and it reads the corpus from disk"
)]

use std::path::PathBuf;

use offhook_protocol::auth::{Algorithm, Asked, Ha1, Qop, response};
use serde_json::Value;

#[test]
fn every_vector_gets_its_response() {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    let root = std::env::var_os("OFFHOOK_SHARED").map_or_else(beside, PathBuf::from);
    let Ok(text) = std::fs::read(root.join("corpus/digest-vectors/vectors.json")) else {
        let missing = format!("no digest vectors below {} (set OFFHOOK_SHARED)", root.display());
        assert!(std::env::var_os("OFFHOOK_REQUIRE_SAMPLES").is_none(), "{missing}");
        println!("skipped: {missing}");
        return;
    };
    let vectors: Vec<Value> = serde_json::from_slice(&text).unwrap();
    assert!(vectors.len() > 40);
    for vector in &vectors {
        let (computed, expected) = (computed(vector), vector["response"].as_str().unwrap());
        let right = vector["expect"].as_str().is_none_or(|verdict| verdict == "accept");
        assert_eq!(computed == expected, right, "{}", vector["id"]);
    }
}

fn computed(vector: &Value) -> String {
    let text = |key: &str| vector[key].as_str().unwrap_or_default();
    let (algorithm, session) = Algorithm::of(text("algorithm")).unwrap();
    let ha1 = Ha1::of(algorithm, text("username"), text("realm"), text("password"));
    let qop = match text("qop") {
        "auth" => Qop::Auth,
        "auth-int" => Qop::AuthInt(text("body").as_bytes()),
        _ => Qop::Absent,
    };
    let (method, uri, nonce, nc, cnonce) =
        (text("method"), text("uri"), text("nonce"), text("nc"), text("cnonce"));
    response(&ha1, &Asked { algorithm, session, method, uri, nonce, nc, cnonce, qop })
}
