//! DPoP proofs and nonces — RFC 9449 §4.3, §8, §11.1.
//!
//! A proof is fresh by its `iat`, within a minute of ours, or by a nonce of ours. Nonces are a
//! keyed hash of the time window they were made in, so every replica makes and knows the same
//! ones and nothing is stored. That a `jti` comes once is for the store to see.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use url::Url;

use crate::ambient::Timestamp;
use crate::error::Refusal;
use crate::jose::Algorithm;
use crate::jwk::PublicKey;
use crate::jws::ForeignJwt;
use crate::secret::{Vault, constant_time_eq};

/// What proofs may be signed with, as discovery lists it.
pub const ALGORITHMS: [Algorithm; 4] =
    [Algorithm::Es256, Algorithm::Ps256, Algorithm::EdDsa, Algorithm::Rs256];

/// How far a proof's `iat` may lie from our time, either way.
const WINDOW: Duration = Duration::from_secs(60);
/// How long one nonce is handed out. It is good until the end of the next window.
const NONCE_WINDOW: Duration = Duration::from_secs(120);
/// No longer `jti` is looked at.
const MAX_JTI: usize = 512;

/// Where a proof must be for.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The method of the request.
    pub htm: &'a str,
    /// The addresses under which the endpoint is reached, without query and fragment.
    pub htu: &'a [String],
    /// The access token that comes with it, at a resource.
    pub access_token: Option<&'a str>,
}

/// How strictly a proof is looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Demands {
    /// Whether a nonce of ours is demanded.
    pub nonce: bool,
    /// Whether RS256 is refused (FAPI 2.0 Security Profile §5.4.1).
    pub fapi: bool,
}

/// A proof that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The thumbprint of its key (RFC 7638).
    pub jkt: String,
    /// Names the proof; good once for its key.
    pub jti: String,
    /// Until when it would be accepted: so long must its use be remembered.
    pub expires_at: Timestamp,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    iat: serde_json::Number,
    ath: Option<String>,
    nonce: Option<String>,
}

fn refused(detail: &str) -> Refusal {
    Refusal::invalid_dpop_proof(format!("the DPoP proof is not good: {detail}"))
}

/// Checks the proof of a request.
///
/// # Errors
/// `invalid_dpop_proof` for any defect; `use_dpop_nonce` when only the nonce is missing or old.
pub fn verify(
    headers: &[&str],
    target: &Target<'_>,
    demands: Demands,
    vault: &Vault,
    now: Timestamp,
) -> Result<Proof, Refusal> {
    let [proof] = headers else {
        return Err(refused("there must be exactly one DPoP header"));
    };
    let proof = ForeignJwt::read(proof, &ALGORITHMS).map_err(|error| {
        refused("it is not a JWT signed with a supported algorithm").detail(error.to_string())
    })?;
    if !proof.header("typ").is_some_and(|typ| typ.eq_ignore_ascii_case("dpop+jwt")) {
        return Err(refused("typ must be dpop+jwt"));
    }
    if demands.fapi && proof.alg() == Algorithm::Rs256 {
        return Err(refused("RS256 is not allowed to this client"));
    }
    let jwk = proof.jwk().ok_or_else(|| refused("jwk is missing"))?;
    let key = PublicKey::from_jwk(jwk)
        .map_err(|_| refused("jwk must be a public RSA, P-256 or Ed25519 key"))?;
    let claims: Claims = proof.verify(&key).map_err(|error| {
        refused("its signature or its claims are wrong").detail(error.to_string())
    })?;
    if claims.jti.is_empty() || claims.jti.len() > MAX_JTI {
        return Err(refused("jti is empty or too long"));
    }
    if claims.htm != target.htm {
        return Err(refused("htm is not the method of the request"));
    }
    let htu = without_query(&claims.htu).ok_or_else(|| refused("htu is not a URL"))?;
    if !target.htu.iter().any(|url| without_query(url).as_ref() == Some(&htu)) {
        return Err(refused("htu is not the address of this endpoint"));
    }
    match (target.access_token, &claims.ath) {
        (None, _) => {}
        (Some(token), Some(ath)) if constant_time_eq(hash(token).as_bytes(), ath.as_bytes()) => {}
        (Some(_), Some(_)) => return Err(refused("ath is not the hash of the access token")),
        (Some(_), None) => return Err(refused("ath is missing")),
    }
    let jkt = key.thumbprint().to_owned();
    let expires_at = fresh_until(&claims, demands, vault, now)?;
    Ok(Proof { jkt, jti: claims.jti, expires_at })
}

/// Until when the proof is fresh, if it is now.
fn fresh_until(
    claims: &Claims,
    demands: Demands,
    vault: &Vault,
    now: Timestamp,
) -> Result<Timestamp, Refusal> {
    match &claims.nonce {
        Some(given) => {
            good_nonce(vault, given, now).ok_or_else(|| use_nonce("is not good any more"))
        }
        None if demands.nonce => Err(use_nonce("is required")),
        None => {
            let iat = claims.iat.as_f64().filter(|secs| secs.abs() < 1e12);
            // A fraction of a second is within NumericDate (RFC 7519 §2).
            #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
            let iat = iat.map(|secs| Timestamp::from_millis((secs * 1000.0) as i64));
            let iat = iat.ok_or_else(|| refused("iat is not a time"))?;
            if iat.plus(WINDOW) < now || now.plus(WINDOW) < iat {
                return Err(refused("iat is too far from the present"));
            }
            Ok(iat.plus(WINDOW))
        }
    }
}

fn use_nonce(what: &str) -> Refusal {
    Refusal::use_dpop_nonce(format!("a nonce in the DPoP proof {what}; take that of DPoP-Nonce"))
}

/// The nonce to use now (§8).
pub fn nonce(vault: &Vault, now: Timestamp) -> String {
    nonce_of(vault, window(now))
}

fn window(now: Timestamp) -> i64 {
    now.secs().div_euclid(i64::try_from(NONCE_WINDOW.as_secs()).unwrap_or(i64::MAX))
}

fn nonce_of(vault: &Vault, window: i64) -> String {
    let tag = vault.dpop_nonce_tag(&window.to_be_bytes());
    URL_SAFE_NO_PAD.encode(tag.as_bytes().get(..18).unwrap_or_default())
}

/// Until when this nonce is good. The next window's is known too: another replica's clock may be
/// ahead of ours.
fn good_nonce(vault: &Vault, given: &str, now: Timestamp) -> Option<Timestamp> {
    let current = window(now);
    let found = [current, current - 1, current + 1]
        .into_iter()
        .find(|window| constant_time_eq(nonce_of(vault, *window).as_bytes(), given.as_bytes()))?;
    let seconds = i64::try_from(NONCE_WINDOW.as_secs()).unwrap_or(i64::MAX);
    Some(Timestamp::from_secs((found + 2).saturating_mul(seconds)))
}

/// `ath`: SHA-256 of the access token, in base64url (§4.2).
pub fn hash(access_token: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, access_token.as_bytes());
    URL_SAFE_NO_PAD.encode(digest)
}

/// Whether this is a `dpop_jkt` (§10): SHA-256 in base64url.
pub fn is_thumbprint(text: &str) -> bool {
    text.len() == 43 && URL_SAFE_NO_PAD.decode(text).is_ok()
}

/// The URL as §4.3 compares it: normalised by scheme and syntax, without query and fragment.
fn without_query(url: &str) -> Option<Url> {
    let mut url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    url.set_query(None);
    url.set_fragment(None);
    Some(url)
}

#[cfg(test)]
mod tests;
