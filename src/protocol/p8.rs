//! Apple's private key as it comes from the developer portal: `AuthKey_<Key ID>.p8` — apple.md §2.
//!
//! Environment variables, YAML and editors do things to a PEM; what can be undone is undone, and
//! what is left is named.

use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::secret::{Secret, SecretString};

/// Why a text is not such a key. Each says what to do; none repeats the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum P8Problem {
    /// No `-----BEGIN`.
    #[error(
        "holds no PEM (nothing between -----BEGIN PRIVATE KEY----- and -----END PRIVATE KEY-----); \
         use the AuthKey_….p8 file as Apple offers it for download"
    )]
    NoPem,
    /// A beginning without an end.
    #[error(
        "is cut off: -----END PRIVATE KEY----- is missing; copy the AuthKey_….p8 file whole, or \
         name it with private_key_file"
    )]
    CutOff,
    /// What stands between is not base64, or not a key.
    #[error(
        "is damaged between its BEGIN and END lines; copy the AuthKey_….p8 file anew, or name it \
         with private_key_file"
    )]
    Damaged,
    /// Protected by a password.
    #[error("is encrypted; Apple's AuthKey_….p8 is not, use that file unchanged")]
    Encrypted,
    /// A certificate, a public key, or a private key in another container.
    #[error(
        "is a PEM of another kind than PRIVATE KEY; use the AuthKey_….p8 file that Apple offers, \
         not a certificate, a public key or a converted key"
    )]
    OtherContainer,
    /// Another algorithm or curve.
    #[error(
        "is a key of the kind {0}, but Sign in with Apple uses P-256; make a key for Sign in with \
         Apple under Certificates, Identifiers & Profiles > Keys and use its AuthKey_….p8 file"
    )]
    OtherKey(&'static str),
}

/// Reads the key: PKCS#8 DER of a P-256 key.
///
/// # Errors
/// [`P8Problem`]
pub fn read(text: &SecretString) -> Result<Secret<Vec<u8>>, P8Problem> {
    let mended = SecretString::new(text.expose().replace("\\n", "\n").replace("\\r", ""));
    let (_, rest) = mended.expose().split_once("-----BEGIN ").ok_or(P8Problem::NoPem)?;
    let (label, rest) = rest.split_once("-----").ok_or(P8Problem::NoPem)?;
    match label {
        "PRIVATE KEY" => {}
        "ENCRYPTED PRIVATE KEY" => return Err(P8Problem::Encrypted),
        _ => return Err(P8Problem::OtherContainer),
    }
    let (body, _) = rest.split_once("-----END PRIVATE KEY-----").ok_or(P8Problem::CutOff)?;
    let base64 = SecretString::new(body.split_whitespace().collect());
    let der = STANDARD.decode(base64.expose()).map(Secret::new).map_err(|_| P8Problem::Damaged)?;
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.expose());
    if pair.is_ok() { Ok(der) } else { Err(kind_of(der.expose())) }
}

fn kind_of(der: &[u8]) -> P8Problem {
    if EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, der).is_ok() {
        P8Problem::OtherKey("P-384")
    } else if RsaKeyPair::from_pkcs8(der).is_ok() {
        P8Problem::OtherKey("RSA")
    } else if Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).is_ok() {
        P8Problem::OtherKey("Ed25519")
    } else {
        P8Problem::Damaged
    }
}

/// The Key ID in the name that Apple gives the file.
pub fn key_id_of_file(name: &str) -> Option<&str> {
    let key_id = name.strip_prefix("AuthKey_")?.strip_suffix(".p8")?;
    let good = !key_id.is_empty() && key_id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    good.then_some(key_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::{Algorithm, generate_private_key};

    fn pem(label: &str, der: &[u8]) -> String {
        let body = STANDARD.encode(der);
        let lines: Vec<_> = body.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
    }

    fn p256() -> Vec<u8> {
        generate_private_key(Algorithm::Es256).unwrap().expose().to_vec()
    }

    fn problem(text: &str) -> Option<P8Problem> {
        read(&SecretString::from(text)).err()
    }

    #[test]
    fn what_environments_do_to_a_key_is_undone() {
        let good = pem("PRIVATE KEY", &p256());
        for mangled in [
            good.clone(),
            good.replace('\n', "\\n"),
            good.replace('\n', "\r\n"),
            good.replace('\n', "\\r\\n"),
            good.replace('\n', " "),
            format!("\u{feff}{good}"),
            format!("\"{}\"", good.replace('\n', "\\n")),
            format!("'{good}'"),
            format!("Bag Attributes: none\n{good}\n"),
        ] {
            assert_eq!(problem(&mangled), None, "{mangled:.40}");
        }
    }

    #[test]
    fn what_cannot_be_undone_is_named() {
        let der = p256();
        let good = pem("PRIVATE KEY", &der);
        let key = |alg| generate_private_key(alg).unwrap().expose().to_vec();
        let p384 = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
        let p384 = p384.to_pkcs8v1().unwrap().as_ref().to_vec();
        let end = good.find("-----END").unwrap();
        let line = good.lines().nth(1).unwrap();
        for (text, expected) in [
            (String::new(), P8Problem::NoPem),
            ("not a key".into(), P8Problem::NoPem),
            (STANDARD.encode(&der), P8Problem::NoPem),
            (good[..end].into(), P8Problem::CutOff),
            (good[..end - 20].into(), P8Problem::CutOff),
            (good.replacen(line, "", 1), P8Problem::Damaged),
            (good.replacen(line, "!!!!", 1), P8Problem::Damaged),
            (pem("ENCRYPTED PRIVATE KEY", &der), P8Problem::Encrypted),
            (pem("EC PRIVATE KEY", &der), P8Problem::OtherContainer),
            (pem("PUBLIC KEY", &der), P8Problem::OtherContainer),
            (pem("CERTIFICATE", &der), P8Problem::OtherContainer),
            (pem("PRIVATE KEY", &key(Algorithm::Rs256)), P8Problem::OtherKey("RSA")),
            (pem("PRIVATE KEY", &key(Algorithm::EdDsa)), P8Problem::OtherKey("Ed25519")),
            (pem("PRIVATE KEY", &p384), P8Problem::OtherKey("P-384")),
        ] {
            assert_eq!(problem(&text), Some(expected), "{text:.60}");
        }
    }

    #[test]
    fn the_name_of_the_file_tells_the_key_id() {
        assert_eq!(key_id_of_file("AuthKey_KEY1234567.p8"), Some("KEY1234567"));
        for other in ["apple.p8", "AuthKey_.p8", "AuthKey_KEY1234567.pem", "AuthKey_a-b.p8"] {
            assert_eq!(key_id_of_file(other), None, "{other}");
        }
    }
}
