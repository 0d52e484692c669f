//! JWS, JWT, JWK and thumbprints — RFC 7515, 7517, 7519, 7638, 8037, 8725.
//!
//! A [`SigningKey`] is parsed once and kept: a library that takes the key's bytes on each call
//! spends more time parsing RSA keys than signing with them. The algorithm belongs to the key and
//! is never read from a token (RFC 8725 §3.1).

use std::fmt;

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
    Ed25519KeyPair, KeyPair, ParsedPublicKey, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use crate::algorithm::Algorithm;
use crate::secret::Secret;

/// No token longer than this is looked at (RFC 8725 §3.11; security.md O15).
pub const MAX_TOKEN_LENGTH: usize = 16 * 1024;

/// What kind of token a JWT is: the `typ` header (RFC 8725 §3.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Typ {
    /// An ID token. OIDC names no `typ`; `JWT` it is.
    IdToken,
    /// A JWT access token (RFC 9068 §2.1).
    AccessToken,
    /// Userinfo as a JWT (OIDC Core §5.3.2); no `typ` is registered for it either.
    Userinfo,
    /// A logout token (OIDC Back-Channel Logout §2.4).
    LogoutToken,
    /// A Security Event Token (RFC 8417 §2.3).
    SecurityEvent,
    /// A part of the audit log, told to a receiver.
    AuditEvents,
}

impl Typ {
    const fn as_str(self) -> &'static str {
        match self {
            Self::IdToken | Self::Userinfo => "JWT",
            Self::AccessToken => "at+jwt",
            Self::LogoutToken => "logout+jwt",
            Self::SecurityEvent => "secevent+jwt",
            Self::AuditEvents => "audit-events+jwt",
        }
    }
}

/// Why a key or a token is no good. Says nothing an attacker could use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    /// The key cannot be made, parsed or used.
    #[error("the signing key cannot be used")]
    BadKey,
    /// Not three base64url parts holding JSON objects of the expected shape.
    #[error("the token is malformed")]
    Malformed,
    /// Another algorithm, `typ`, or an extension that must be understood (`crit`).
    #[error("the token's header is not acceptable")]
    BadHeader,
    /// No key has this `kid`.
    #[error("the token names an unknown key")]
    UnknownKey,
    /// The signature does not fit.
    #[error("the token's signature is wrong")]
    BadSignature,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

/// A private key ready to sign, with everything that can be computed ahead.
pub struct SigningKey {
    kid: String,
    alg: Algorithm,
    pair: Pair,
    verifier: ParsedPublicKey,
    public_jwk: serde_json::Value,
    id_token_header: String,
    access_token_header: String,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({} {})", self.alg, self.kid)
    }
}

/// Makes a private key for `alg`, as PKCS#8 DER. An RSA key takes tenths of a second: never on
/// the way of a request.
///
/// # Errors
/// [`JoseError::BadKey`] if the cryptographic library fails.
pub fn generate_private_key(alg: Algorithm) -> Result<Secret<Vec<u8>>, JoseError> {
    let bad = |_| JoseError::BadKey;
    let der = match alg {
        Algorithm::Rs256 | Algorithm::Ps256 => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(bad)?;
            AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(bad)?.as_ref().to_vec()
        }
        Algorithm::Es256 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(bad)?;
            pair.to_pkcs8v1().map_err(bad)?.as_ref().to_vec()
        }
        Algorithm::EdDsa => {
            let pair = Ed25519KeyPair::generate().map_err(bad)?;
            pair.to_pkcs8v1().map_err(bad)?.as_ref().to_vec()
        }
    };
    Ok(Secret::new(der))
}

impl SigningKey {
    /// Parses a private key made by [`generate_private_key`] for the same `alg`.
    ///
    /// # Errors
    /// [`JoseError::BadKey`] when the bytes are anything else.
    pub fn from_pkcs8(alg: Algorithm, der: &[u8]) -> Result<Self, JoseError> {
        let b64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let (pair, verifier, members) = match alg {
            Algorithm::Rs256 | Algorithm::Ps256 => {
                let pair = RsaKeyPair::from_pkcs8(der).map_err(|_| JoseError::BadKey)?;
                let public = pair.public_key();
                let n = public.modulus().big_endian_without_leading_zero().to_vec();
                let e = public.exponent().big_endian_without_leading_zero().to_vec();
                let scheme: &'static signature::RsaParameters = if alg == Algorithm::Rs256 {
                    &signature::RSA_PKCS1_2048_8192_SHA256
                } else {
                    &signature::RSA_PSS_2048_8192_SHA256
                };
                let verifier = RsaPublicKeyComponents { n: &n, e: &e }
                    .to_parsed_public_key(scheme)
                    .map_err(|_| JoseError::BadKey)?;
                let members = json!({ "e": b64(&e), "kty": "RSA", "n": b64(&n) });
                (Pair::Rsa(pair), verifier, members)
            }
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der)
                    .map_err(|_| JoseError::BadKey)?;
                let point = pair.public_key().as_ref().to_vec();
                let (x, y) = point
                    .strip_prefix(&[4])
                    .and_then(|xy| xy.split_at_checked(32))
                    .ok_or(JoseError::BadKey)?;
                let members = json!({ "crv": "P-256", "kty": "EC", "x": b64(x), "y": b64(y) });
                let verifier = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point)
                    .map_err(|_| JoseError::BadKey)?;
                (Pair::Ec(pair), verifier, members)
            }
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8(der).map_err(|_| JoseError::BadKey)?;
                let x = pair.public_key().as_ref().to_vec();
                let members = json!({ "crv": "Ed25519", "kty": "OKP", "x": b64(&x) });
                let verifier = ParsedPublicKey::new(&ED25519, &x).map_err(|_| JoseError::BadKey)?;
                (Pair::Ed(pair), verifier, members)
            }
        };
        // RFC 7638 §3: SHA-256 over the required members, sorted by name. RS256 and PS256 use
        // different keys, so thumbprints never meet.
        let thumbprint = digest::digest(&digest::SHA256, members.to_string().as_bytes());
        let kid = b64(thumbprint.as_ref());
        let mut public_jwk = members;
        if let Some(jwk) = public_jwk.as_object_mut() {
            jwk.insert("kid".into(), kid.clone().into());
            jwk.insert("use".into(), "sig".into());
            jwk.insert("alg".into(), alg.as_str().into());
        }
        Ok(Self {
            id_token_header: header(alg, &kid, Typ::IdToken),
            access_token_header: header(alg, &kid, Typ::AccessToken),
            kid,
            alg,
            pair,
            verifier,
            public_jwk,
        })
    }

    /// `kid`: the RFC 7638 thumbprint.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The one algorithm this key signs with.
    pub fn alg(&self) -> Algorithm {
        self.alg
    }

    /// The public half, as published in the JWKS.
    pub fn public_jwk(&self) -> &serde_json::Value {
        &self.public_jwk
    }

    /// Signs `claims` as a JWT of this `typ`.
    ///
    /// # Errors
    /// [`JoseError::Malformed`] when the claims are not JSON, [`JoseError::BadKey`] when the
    /// cryptographic library fails.
    pub fn sign<C: Serialize>(&self, typ: Typ, claims: &C) -> Result<String, JoseError> {
        let made;
        let header = match typ {
            Typ::IdToken | Typ::Userinfo => &self.id_token_header,
            Typ::AccessToken => &self.access_token_header,
            Typ::LogoutToken | Typ::SecurityEvent | Typ::AuditEvents => {
                made = header(self.alg, &self.kid, typ);
                &made
            }
        };
        self.sign_under(header, claims)
    }

    /// Signs under another header than our own tokens have: as a client that signs its proofs.
    ///
    /// # Errors
    /// As [`SigningKey::sign`].
    pub fn sign_with_header<C: Serialize>(
        &self,
        header: &serde_json::Value,
        claims: &C,
    ) -> Result<String, JoseError> {
        self.sign_under(&URL_SAFE_NO_PAD.encode(header.to_string()), claims)
    }

    fn sign_under<C: Serialize>(&self, header: &str, claims: &C) -> Result<String, JoseError> {
        let payload = serde_json::to_vec(claims).map_err(|_| JoseError::Malformed)?;
        let mut jwt = String::with_capacity(header.len() + payload.len() * 4 / 3 + 352);
        jwt.push_str(header);
        jwt.push('.');
        URL_SAFE_NO_PAD.encode_string(&payload, &mut jwt);
        let random = SystemRandom::new();
        let bad = |_| JoseError::BadKey;
        let message = jwt.as_bytes();
        let signature = match &self.pair {
            Pair::Ec(pair) => pair.sign(&random, message).map_err(bad)?.as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let padding: &'static dyn signature::RsaEncoding =
                    if self.alg == Algorithm::Ps256 { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                pair.sign(padding, &random, message, &mut signature).map_err(bad)?;
                signature
            }
        };
        jwt.push('.');
        URL_SAFE_NO_PAD.encode_string(&signature, &mut jwt);
        Ok(jwt)
    }
}

fn header(alg: Algorithm, kid: &str, typ: Typ) -> String {
    let header = json!({ "alg": alg.as_str(), "kid": kid, "typ": typ.as_str() });
    URL_SAFE_NO_PAD.encode(header.to_string())
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<serde::de::IgnoredAny>,
}

/// Verifies a token that one of `keys` signed, and reads its claims. Time is not looked at: an
/// expired ID token is still a good `id_token_hint`.
///
/// # Errors
/// Every [`JoseError`]; the token's own claims about keys and algorithms are never believed.
pub fn verify<'k, C: DeserializeOwned>(
    token: &str,
    typ: Typ,
    find_key: impl FnOnce(&str) -> Option<&'k SigningKey>,
) -> Result<C, JoseError> {
    if token.len() > MAX_TOKEN_LENGTH {
        return Err(JoseError::Malformed);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(JoseError::Malformed)?;
    let (header, payload) = message.split_once('.').ok_or(JoseError::Malformed)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| JoseError::Malformed);
    let header: Header =
        serde_json::from_slice(&decode(header)?).map_err(|_| JoseError::Malformed)?;
    if header.crit.is_some() || header.typ.as_deref() != Some(typ.as_str()) {
        return Err(JoseError::BadHeader);
    }
    let kid = header.kid.ok_or(JoseError::BadHeader)?;
    let key = find_key(&kid).ok_or(JoseError::UnknownKey)?;
    if header.alg != key.alg.as_str() {
        return Err(JoseError::BadHeader);
    }
    key.verifier
        .verify_sig(message.as_bytes(), &decode(signature)?)
        .map_err(|_| JoseError::BadSignature)?;
    serde_json::from_slice(&decode(payload)?).map_err(|_| JoseError::Malformed)
}

#[cfg(test)]
mod tests;
