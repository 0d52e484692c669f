//! Other people's public keys — RFC 7517, RFC 7518 §6, RFC 7638, RFC 8037.
//!
//! A key says what it is by `kty` and `crv`; which algorithms it may be used with follows from
//! that, and never from a token. A JWK that holds anything private or symmetric is refused whole:
//! whoever sends it has made a mistake that must not be passed over.

use std::fmt;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA256, RsaParameters, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use crate::jose::{Algorithm, JoseError};

/// Members that only a private or symmetric key has (RFC 7518 §6.2.2, §6.3.2, §6.4, RFC 8037 §2).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A public key from outside, ready to verify.
pub struct PublicKey {
    kid: Option<String>,
    alg: Option<String>,
    thumbprint: String,
    certificate: Option<[u8; 32]>,
    verifiers: Vec<(Algorithm, ParsedPublicKey)>,
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.thumbprint)
    }
}

impl PublicKey {
    /// Reads a JWK: RSA of at least 2048 bits, P-256 or Ed25519, for signatures.
    ///
    /// # Errors
    /// [`JoseError::BadKey`] for anything else, and for a key that shows a private part.
    pub fn from_jwk(jwk: &Value) -> Result<Self, JoseError> {
        let members = jwk.as_object().ok_or(JoseError::BadKey)?;
        if PRIVATE.iter().any(|member| members.contains_key(*member)) {
            return Err(JoseError::BadKey);
        }
        if text(members, "use").is_some_and(|r#use| r#use != "sig") {
            return Err(JoseError::BadKey);
        }
        let (required, verifiers) = match (text(members, "kty"), text(members, "crv")) {
            (Some("RSA"), _) => rsa(members)?,
            (Some("EC"), Some("P-256")) => p256(members)?,
            (Some("OKP"), Some("Ed25519")) => ed25519(members)?,
            _ => return Err(JoseError::BadKey),
        };
        // RFC 7638 §3: SHA-256 over the required members, sorted by name.
        let hash = digest::digest(&digest::SHA256, required.to_string().as_bytes());
        Ok(Self {
            kid: text(members, "kid").map(ToOwned::to_owned),
            alg: text(members, "alg").map(ToOwned::to_owned),
            thumbprint: URL_SAFE_NO_PAD.encode(hash),
            certificate: certificate(members)?,
            verifiers,
        })
    }

    /// `kid`, if it has one.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The RFC 7638 thumbprint, SHA-256 in base64url.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// SHA-256 of the first certificate in `x5c`, if there is one.
    pub fn certificate(&self) -> Option<&[u8; 32]> {
        self.certificate.as_ref()
    }

    /// Whether this key may be used with `alg`: by its type, and by its own `alg` if it has one.
    pub fn fits(&self, alg: Algorithm) -> bool {
        self.verifier(alg).is_some()
    }

    fn verifier(&self, alg: Algorithm) -> Option<&ParsedPublicKey> {
        if self.alg.as_ref().is_some_and(|own| !alg.has_name(own)) {
            return None;
        }
        self.verifiers.iter().find(|(fitting, _)| *fitting == alg).map(|(_, verifier)| verifier)
    }

    /// Checks a signature over `message`.
    ///
    /// # Errors
    /// [`JoseError::BadHeader`] for an algorithm this key is not for, [`JoseError::BadSignature`].
    pub fn verify(
        &self,
        alg: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), JoseError> {
        self.verifier(alg)
            .ok_or(JoseError::BadHeader)?
            .verify_sig(message, signature)
            .map_err(|_| JoseError::BadSignature)
    }
}

/// The keys of a JWK set; those that are of no use to us are passed over (RFC 7517 §5).
///
/// # Errors
/// [`JoseError::Malformed`] without a `keys` array; [`JoseError::BadKey`] when one of them shows a
/// private part.
pub fn read_set(set: &Value) -> Result<Vec<PublicKey>, JoseError> {
    let keys = set.get("keys").and_then(Value::as_array).ok_or(JoseError::Malformed)?;
    let private = |jwk: &Value| PRIVATE.iter().any(|member| jwk.get(*member).is_some());
    if keys.iter().any(private) {
        return Err(JoseError::BadKey);
    }
    Ok(keys.iter().filter_map(|jwk| PublicKey::from_jwk(jwk).ok()).collect())
}

fn text<'m>(members: &'m Map<String, Value>, name: &str) -> Option<&'m str> {
    members.get(name).and_then(Value::as_str)
}

fn bytes(members: &Map<String, Value>, name: &str) -> Result<Vec<u8>, JoseError> {
    let encoded = text(members, name).ok_or(JoseError::BadKey)?;
    URL_SAFE_NO_PAD.decode(encoded).map_err(|_| JoseError::BadKey)
}

type Parts = (Value, Vec<(Algorithm, ParsedPublicKey)>);

fn rsa(members: &Map<String, Value>) -> Result<Parts, JoseError> {
    let (n, e) = (bytes(members, "n")?, bytes(members, "e")?);
    // The library would notice only when it verifies. 2048 to 8192 bits, without leading zeros.
    if !(256..=1024).contains(&n.len()) || n.first() == Some(&0) || !(1..=8).contains(&e.len()) {
        return Err(JoseError::BadKey);
    }
    let parse = |scheme: &'static RsaParameters| {
        RsaPublicKeyComponents { n: &n, e: &e }
            .to_parsed_public_key(scheme)
            .map_err(|_| JoseError::BadKey)
    };
    let verifiers = vec![
        (Algorithm::Rs256, parse(&RSA_PKCS1_2048_8192_SHA256)?),
        (Algorithm::Ps256, parse(&RSA_PSS_2048_8192_SHA256)?),
    ];
    let required = json!({
        "e": URL_SAFE_NO_PAD.encode(&e), "kty": "RSA", "n": URL_SAFE_NO_PAD.encode(&n),
    });
    Ok((required, verifiers))
}

fn p256(members: &Map<String, Value>) -> Result<Parts, JoseError> {
    let (x, y) = (bytes(members, "x")?, bytes(members, "y")?);
    if x.len() != 32 || y.len() != 32 {
        return Err(JoseError::BadKey);
    }
    let point = [&[4], x.as_slice(), y.as_slice()].concat();
    let verifier =
        ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point).map_err(|_| JoseError::BadKey)?;
    let required = json!({
        "crv": "P-256",
        "kty": "EC",
        "x": URL_SAFE_NO_PAD.encode(&x),
        "y": URL_SAFE_NO_PAD.encode(&y),
    });
    Ok((required, vec![(Algorithm::Es256, verifier)]))
}

fn ed25519(members: &Map<String, Value>) -> Result<Parts, JoseError> {
    let x = bytes(members, "x")?;
    let verifier = ParsedPublicKey::new(&ED25519, &x).map_err(|_| JoseError::BadKey)?;
    let required = json!({ "crv": "Ed25519", "kty": "OKP", "x": URL_SAFE_NO_PAD.encode(&x) });
    Ok((required, vec![(Algorithm::EdDsa, verifier)]))
}

/// `x5c` (RFC 7517 §4.7) is ordinary base64 of DER, and its first entry is the key's own.
fn certificate(members: &Map<String, Value>) -> Result<Option<[u8; 32]>, JoseError> {
    let Some(chain) = members.get("x5c") else { return Ok(None) };
    let first = chain.as_array().and_then(|chain| chain.first()).and_then(Value::as_str);
    let der = STANDARD.decode(first.ok_or(JoseError::BadKey)?).map_err(|_| JoseError::BadKey)?;
    let hash = digest::digest(&digest::SHA256, &der);
    hash.as_ref().try_into().map(Some).map_err(|_| JoseError::BadKey)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::{SigningKey, Typ, generate_private_key};

    fn key(alg: Algorithm) -> SigningKey {
        SigningKey::from_pkcs8(alg, generate_private_key(alg).unwrap().expose()).unwrap()
    }

    #[test]
    fn what_each_algorithm_signs_is_verified_by_its_own_jwk_only() {
        let keys = Algorithm::ALL.map(key);
        for signer in &keys {
            let token = signer.sign(Typ::AccessToken, &json!({ "a": 1 })).unwrap();
            let (message, signature) = token.rsplit_once('.').unwrap();
            let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            for other in &keys {
                let public = PublicKey::from_jwk(other.public_jwk()).unwrap();
                let verified = public.verify(signer.alg(), message.as_bytes(), &signature);
                assert_eq!(verified.is_ok(), other.kid() == signer.kid());
                assert_eq!(public.thumbprint(), other.kid());
            }
        }
    }

    #[test]
    fn a_key_without_alg_serves_both_paddings_and_one_with_alg_only_its_own() {
        let mut jwk = key(Algorithm::Ps256).public_jwk().clone();
        let public = PublicKey::from_jwk(&jwk).unwrap();
        assert!(public.fits(Algorithm::Ps256) && !public.fits(Algorithm::Rs256));
        jwk.as_object_mut().unwrap().remove("alg");
        let public = PublicKey::from_jwk(&jwk).unwrap();
        assert!(public.fits(Algorithm::Ps256) && public.fits(Algorithm::Rs256));
        assert!(!public.fits(Algorithm::Es256));
    }

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638() {
        let jwk = json!({
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR\
                  1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0\
                  h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91\
                  CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44\
                  -csFCur-kEgU8awapJzKnqDKgw",
            "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
        });
        let public = PublicKey::from_jwk(&jwk).unwrap();
        assert_eq!(public.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        assert_eq!(public.kid(), Some("2011-04-29"));
    }

    #[test]
    fn each_unsuitable_key_is_refused() {
        let ec = key(Algorithm::Es256).public_jwk().clone();
        let with = |name: &str, value: Value| {
            let mut jwk = ec.clone();
            jwk.as_object_mut().unwrap().insert(name.to_owned(), value);
            jwk
        };
        for (jwk, why) in [
            (json!(null), "no object"),
            (json!({}), "empty"),
            (json!({ "kty": "oct", "k": "AAAA" }), "symmetric"),
            (json!({ "kty": "OKP", "crv": "X25519", "x": "AA" }), "not for signatures"),
            (json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" }), "RSA too short"),
            (with("d", json!("AAAA")), "private"),
            (with("use", json!("enc")), "for encryption"),
            (with("crv", json!("P-384")), "another curve"),
            (with("x", json!("AAAA")), "too short"),
            (with("x", json!(URL_SAFE_NO_PAD.encode([1; 32]))), "not on the curve"),
            (with("x", json!(1)), "not text"),
            (with("x5c", json!("MIIB")), "x5c is no array"),
            (with("x5c", json!([])), "x5c is empty"),
            (with("x5c", json!(["?"])), "x5c is not base64"),
        ] {
            assert!(PublicKey::from_jwk(&jwk).is_err(), "{why}");
        }
    }

    #[test]
    fn a_set_passes_over_what_it_does_not_know_and_refuses_what_is_private() {
        let good = key(Algorithm::Es256).public_jwk().clone();
        let set = json!({ "keys": [good, { "kty": "EC", "crv": "P-521", "x": "", "y": "" }] });
        assert_eq!(read_set(&set).unwrap().len(), 1);
        assert!(read_set(&json!({ "keys": [{ "kty": "oct", "k": "AAAA" }] })).is_err());
        assert!(read_set(&json!({ "keys": {} })).is_err());
    }
}
