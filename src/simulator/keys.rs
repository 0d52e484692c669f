//! Apple's RS256 keys, JWS in compact form (RFC 7515), and developers' ES256 keys.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    RSA_PKCS1_SHA256, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use crate::protocol::secret::SecretString;

/// A key could not be made or read.
#[derive(Debug, thiserror::Error)]
#[error("the key cannot be made or read: {0}")]
pub struct KeyFault(&'static str);

impl KeyFault {
    /// The thread that made the key ended early.
    pub(super) fn interrupted() -> Self {
        Self("interrupted")
    }
}

/// How a token is signed: as Apple does, or as a forger would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    Apple,
    /// Apple's key under a `kid` that is not published.
    UnknownKid,
    /// `alg` is `none`, and there is no signature (RFC 8725 §2.1).
    Unsigned,
    /// HS256, keyed with the PEM text of the public key (RFC 8725 §2.1).
    PublicKeyAsSecret,
    /// Another RSA key under Apple's `kid`.
    StrangerKey,
}

/// The keys Apple signs with: the first signs, all are published.
pub(super) struct SigningKeys(Vec<SigningKey>);

struct SigningKey {
    kid: String,
    pair: KeyPair,
    jwk: Value,
}

impl SigningKeys {
    pub(super) fn generate(count: usize) -> Result<Self, KeyFault> {
        (0..count).map(|_| SigningKey::generate()).collect::<Result<_, _>>().map(Self)
    }

    /// Puts new keys in front, and names the one that signs from now on; the others stay published.
    pub(super) fn put_first(&mut self, mut new: Self) -> Option<String> {
        new.0.append(&mut self.0);
        self.0 = new.0;
        self.0.first().map(|key| key.kid.clone())
    }

    /// Withdraws a key; false when there is none of this name or it is the last.
    pub(super) fn retire(&mut self, kid: &str) -> bool {
        let before = self.0.len();
        if before > 1 {
            self.0.retain(|key| key.kid != kid);
        }
        self.0.len() < before
    }

    pub(super) fn jwks(&self) -> Value {
        json!({ "keys": self.0.iter().map(|key| &key.jwk).collect::<Vec<_>>() })
    }

    /// The JWKS without the key that signs.
    pub(super) fn jwks_without_first(&self) -> Value {
        json!({ "keys": self.0.iter().skip(1).map(|key| &key.jwk).collect::<Vec<_>>() })
    }

    /// Puts another key under the name of the one that signs.
    pub(super) fn replace_first(&mut self, new: Self) -> Option<String> {
        let mut key = new.0.into_iter().next()?;
        let first = self.0.first_mut()?;
        key.kid.clone_from(&first.kid);
        if let Some(members) = key.jwk.as_object_mut() {
            members.insert("kid".into(), json!(key.kid));
        }
        *first = key;
        Some(first.kid.clone())
    }

    /// The JWKS with every key under another name.
    pub(super) fn renamed_jwks(&self) -> Value {
        let mut jwks = self.jwks();
        for key in jwks.get_mut("keys").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(members) = key.as_object_mut() {
                let kid = members.get("kid").and_then(Value::as_str).unwrap_or_default();
                let kid = json!(format!("X{kid}"));
                members.insert("kid".into(), kid);
            }
        }
        jwks
    }

    /// Signs claims as a compact JWS, in the manner asked for.
    pub(super) fn sign(
        &self,
        claims: &Value,
        manner: Manner,
        stranger: Option<&Self>,
    ) -> Result<String, KeyFault> {
        let key = self.0.first().ok_or(KeyFault("no signing key"))?;
        let (kid, alg) = match manner {
            Manner::Apple | Manner::StrangerKey => (key.kid.as_str(), "RS256"),
            Manner::UnknownKid => ("UNKNOWN000", "RS256"),
            Manner::Unsigned => (key.kid.as_str(), "none"),
            Manner::PublicKeyAsSecret => (key.kid.as_str(), "HS256"),
        };
        let header = json!({ "kid": kid, "alg": alg });
        let message = format!("{}.{}", segment(&header), segment(claims));
        let signature = match manner {
            Manner::Apple | Manner::UnknownKid => key.sign(&message)?,
            Manner::Unsigned => Vec::new(),
            Manner::PublicKeyAsSecret => key.public_key_as_secret(&message)?,
            Manner::StrangerKey => stranger
                .and_then(|keys| keys.0.first())
                .ok_or(KeyFault("no stranger's key"))?
                .sign(&message)?,
        };
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

impl SigningKey {
    fn generate() -> Result<Self, KeyFault> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyFault("RSA generation"))?;
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyFault("RSA encoding"))?;
        let encoding = EncodingKey::from_rsa_pem(pem("PRIVATE KEY", der.as_ref()).as_bytes())
            .map_err(|_| KeyFault("RSA reading"))?;
        let mut jwk = Jwk::from_encoding_key(&encoding, Algorithm::RS256)
            .map_err(|_| KeyFault("RSA public key"))
            .and_then(|jwk| serde_json::to_value(jwk).map_err(|_| KeyFault("JWK encoding")))?;
        let modulus = jwk.get("n").and_then(Value::as_str).unwrap_or_default();
        let kid: String = modulus.chars().filter(char::is_ascii_alphanumeric).take(10).collect();
        if let Some(members) = jwk.as_object_mut() {
            members.insert("kid".into(), json!(kid));
            members.insert("use".into(), json!("sig"));
            members.insert("alg".into(), json!("RS256"));
        }
        Ok(Self { kid, pair, jwk })
    }

    fn sign(&self, message: &str) -> Result<Vec<u8>, KeyFault> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
            .map_err(|_| KeyFault("RSA signing failed"))?;
        Ok(signature)
    }

    fn public_key_as_secret(&self, message: &str) -> Result<Vec<u8>, KeyFault> {
        let der: PublicKeyX509Der<'_> =
            self.pair.public_key().as_der().map_err(|_| KeyFault("RSA encoding"))?;
        let secret = pem("PUBLIC KEY", der.as_ref());
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        Ok(hmac::sign(&key, message.as_bytes()).as_ref().to_vec())
    }
}

fn segment(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}

/// The public half of a developer's ES256 key: an uncompressed P-256 point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeveloperPublicKey(Vec<u8>);

impl DeveloperPublicKey {
    /// The public half of a `.p8` file, as `russet dev` finds it in an existing data directory.
    ///
    /// # Errors
    ///
    /// When the text is not an unencrypted PKCS#8 PEM of a P-256 key.
    pub fn of_p8(p8_pem: &SecretString) -> Result<Self, KeyFault> {
        let text: String = p8_pem.expose().lines().filter(|l| !l.starts_with("-----")).collect();
        let der = STANDARD.decode(text.trim()).map_err(|_| KeyFault("not PEM"))?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der)
            .map_err(|_| KeyFault("not a P-256 key"))?;
        Ok(Self(pair.public_key().as_ref().to_vec()))
    }

    /// Whether `signature` (r then s, 64 bytes) is this key's over `message`.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        signature.len() == 64
            && UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.0)
                .verify(message, signature)
                .is_ok()
    }
}

/// Makes a developer key as Apple would hand it out: the `.p8` text and its public half.
///
/// # Errors
///
/// When the cryptography library refuses.
pub fn developer_key() -> Result<(SecretString, DeveloperPublicKey), KeyFault> {
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
        .map_err(|_| KeyFault("P-256 generation"))?;
    let p8 = SecretString::from(pem("PRIVATE KEY", der.as_ref()));
    let public = DeveloperPublicKey::of_p8(&p8)?;
    Ok((p8, public))
}
