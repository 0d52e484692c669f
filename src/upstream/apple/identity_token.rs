//! Apple's identity token — apple.md §3 "Verification procedure", §5.2, §5.3.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};

use super::AppleConnector;
use crate::protocol::ambient::Timestamp;
use crate::protocol::jose::Algorithm;
use crate::protocol::numeric_date::NumericDate;
use crate::protocol::secret::constant_time_eq;
use crate::upstream::UpstreamError;

const MAX_LENGTH: usize = 8 * 1024;
/// How far two clocks may differ.
pub(super) const SKEW: Duration = Duration::from_secs(60);
/// Apple's tokens live a day; as proof that somebody is there now, ten minutes is plenty.
const FRESH: Duration = Duration::from_secs(600);

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    typ: Option<String>,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
    #[serde(default, deserialize_with = "present")]
    jwk: bool,
    #[serde(default, deserialize_with = "present")]
    jku: bool,
    #[serde(default, deserialize_with = "present")]
    x5u: bool,
}

/// A header parameter counts when it is there, even as `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

/// Reads a JSON object. serde would take an array for a structure too, which no JWT is; and its
/// messages can quote values, so only the fact is kept.
pub(super) fn object<T: DeserializeOwned>(json: &[u8]) -> Option<T> {
    let is_object = json.trim_ascii_start().starts_with(b"{");
    is_object.then(|| serde_json::from_slice(json).ok()).flatten()
}

/// The claims that are looked at. A repeated member is an error here, not a choice.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) sub: String,
    #[serde(deserialize_with = "one_audience")]
    pub(super) aud: String,
    pub(super) exp: NumericDate,
    pub(super) iat: NumericDate,
    pub(super) nonce: Option<String>,
    pub(super) c_hash: Option<String>,
    pub(super) at_hash: Option<String>,
    pub(super) email: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    pub(super) email_verified: bool,
    #[serde(default, deserialize_with = "flag")]
    pub(super) is_private_email: bool,
    /// There while a moved app's people may still be matched (apple.md §9).
    pub(super) transfer_sub: Option<String>,
}

/// A string, or an array of one.
pub(super) fn one_audience<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Aud {
        Text(String),
        List([String; 1]),
    }
    Ok(match Aud::deserialize(deserializer)? {
        Aud::Text(aud) | Aud::List([aud]) => aud,
    })
}

/// Apple's flags are booleans, strings or absent. Anything else counts as absent: never an error,
/// never true.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(match &value {
        serde_json::Value::Bool(flag) => *flag,
        serde_json::Value::String(text) => text.eq_ignore_ascii_case("true"),
        serde_json::Value::Number(number) => number.as_u64() == Some(1),
        serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_) => {
            false
        }
    })
}

/// What a token must be, beyond signed by Apple.
pub(super) struct Expected<'a> {
    /// The audiences of this entry point; empty refuses all (apple.md §12, item 11).
    pub(super) audiences: &'a [String],
    /// The nonce.
    pub(super) nonce: ExpectedNonce<'a>,
    /// Whether it must have been made just now: as front-channel and native proof.
    pub(super) fresh: bool,
    /// The code it came with.
    pub(super) code: Code<'a>,
}

/// Which nonce is demanded.
pub(super) enum ExpectedNonce<'a> {
    /// Exactly this one (web).
    Exactly(&'a str),
    /// This raw one, or its SHA-256 in lower-case hex or base64url (native, contract §3).
    RawOrHashed(&'a str),
    /// Whatever is there: a refresh proves itself by its refresh token (apple.md §3).
    Any,
}

/// How the token is tied to a code.
pub(super) enum Code<'a> {
    /// `c_hash` must be there and fit (`code id_token`).
    Required(&'a str),
    /// `c_hash` must fit if it is there (native, and tokens from the token endpoint).
    IfHashed(&'a str),
    /// No code came with it.
    None,
}

pub(super) fn rejected(reason: &'static str, detail: &'static str) -> UpstreamError {
    UpstreamError::Rejected { reason, detail: detail.to_owned() }
}

impl AppleConnector {
    /// Verifies a token: signature by Apple's key, then every claim.
    pub(super) async fn verify_token(
        &self,
        token: &str,
        expected: &Expected<'_>,
        now: Timestamp,
    ) -> Result<Claims, UpstreamError> {
        let parts = split(token, MAX_LENGTH)?;
        let key = self.jwks.find(&parts.kid, now, now).await?;
        key.verify_sig(parts.message.as_bytes(), &parts.signature)
            .map_err(|_| rejected("signature_invalid", "not signed by the key it names"))?;
        // A repeated, missing or mistyped claim ends here.
        let claims: Claims = object(&parts.payload)
            .ok_or_else(|| rejected("token_malformed", "a claim is missing, repeated or odd"))?;
        check(&claims, &self.issuers, expected, now)?;
        Ok(claims)
    }
}

/// A compact JWS, taken apart, its header approved.
pub(super) struct Parts<'a> {
    pub(super) message: &'a str,
    pub(super) payload: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) kid: String,
}

pub(super) fn split(token: &str, longest: usize) -> Result<Parts<'_>, UpstreamError> {
    let malformed = || rejected("token_malformed", "not a compact JWS");
    if token.len() > longest {
        return Err(rejected("token_malformed", "too long"));
    }
    let (message, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
    let (header, payload) = message.split_once('.').ok_or_else(malformed)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed());
    let header: Header = object(&decode(header)?).ok_or_else(malformed)?;
    // The algorithm is ours to choose; a key the token brings along is not Apple's.
    if header.alg != "RS256" {
        return Err(rejected("alg_not_allowed", "the header's alg is not RS256"));
    }
    let foreign = header.crit || header.jwk || header.jku || header.x5u;
    let other_type = header.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT"));
    if foreign || other_type || header.kid.is_empty() || header.kid.len() > 128 {
        let detail = "crit, jwk, jku or x5u, an odd kid, or a typ that is not JWT";
        return Err(rejected("header_not_allowed", detail));
    }
    Ok(Parts { message, payload: decode(payload)?, signature: decode(signature)?, kid: header.kid })
}

fn check(
    claims: &Claims,
    issuers: &[String],
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<(), UpstreamError> {
    if !issuers.contains(&claims.iss) {
        return Err(rejected("iss_mismatch", "another issuer"));
    }
    if !expected.audiences.contains(&claims.aud) {
        return Err(rejected("aud_mismatch", "the token is meant for another app"));
    }
    if claims.sub.is_empty() || claims.sub.len() > 255 {
        return Err(rejected("sub_missing", "sub is empty or longer than 255"));
    }
    if claims.exp.secs() <= now.minus(SKEW).secs() {
        return Err(rejected("id_token_expired", "exp is past"));
    }
    if claims.iat.secs() > now.plus(SKEW).secs() {
        return Err(rejected("iat_in_future", "iat is ahead of this clock by over a minute"));
    }
    if expected.fresh && claims.iat.secs() < now.minus(FRESH).secs() {
        return Err(rejected("id_token_stale", "made more than ten minutes ago"));
    }
    check_nonce(claims.nonce.as_deref(), &expected.nonce)?;
    let fits = |hash: &str, code: &str| hash == Algorithm::Rs256.half_hash(code);
    match (&expected.code, claims.c_hash.as_deref()) {
        (Code::Required(_), None) => Err(rejected("c_hash_missing", "no c_hash beside the code")),
        (Code::Required(code) | Code::IfHashed(code), Some(hash)) if !fits(hash, code) => {
            Err(rejected("c_hash_mismatch", "the code is not the one of this token"))
        }
        (Code::Required(_) | Code::IfHashed(_) | Code::None, _) => Ok(()),
    }
}

fn check_nonce(claim: Option<&str>, expected: &ExpectedNonce<'_>) -> Result<(), UpstreamError> {
    let equal = |a: &str, b: &str| constant_time_eq(a.as_bytes(), b.as_bytes());
    let missing = || rejected("nonce_missing", "the token carries no nonce");
    let mismatch = || rejected("nonce_mismatch", "the nonce is not the one sent");
    match (expected, claim) {
        (ExpectedNonce::Exactly(_) | ExpectedNonce::RawOrHashed(_), None) => Err(missing()),
        (ExpectedNonce::Exactly(nonce), Some(claim)) if equal(nonce, claim) => Ok(()),
        (ExpectedNonce::RawOrHashed(raw), Some(claim)) => {
            let hash = digest(&SHA256, raw.as_bytes());
            let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
            let base64url = URL_SAFE_NO_PAD.encode(hash.as_ref());
            let good = equal(raw, claim) | equal(&hex, claim) | equal(&base64url, claim);
            // An empty nonce proves nothing, whatever the token says.
            if good && !raw.is_empty() { Ok(()) } else { Err(mismatch()) }
        }
        (ExpectedNonce::Exactly(_), Some(_)) => Err(mismatch()),
        (ExpectedNonce::Any, _) => Ok(()),
    }
}

#[cfg(test)]
#[path = "tests/identity_token.rs"]
mod tests;
