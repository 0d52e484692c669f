//! Apple's keys, cached — apple.md §1.4, §3 "JWKS policy".
//!
//! Good for an hour, for a day when Apple is unreachable; an unknown `kid` fetches anew once, and
//! never more often than every thirty seconds, since anybody can send a random one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use crate::protocol::ambient::Timestamp;
use crate::upstream::UpstreamError;
use crate::upstream::http::Outbound;

const FRESH: Duration = Duration::from_secs(3600);
const LAST_GOOD: Duration = Duration::from_secs(24 * 3600);
const BETWEEN_FETCHES: Duration = Duration::from_secs(30);
/// More keys than Apple ever had; a longer list is cut.
const MAX_KEYS: usize = 32;

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: String,
    #[serde(rename = "use")]
    key_use: Option<String>,
    alg: Option<String>,
    n: String,
    e: String,
}

type Keys = HashMap<String, Arc<ParsedPublicKey>>;

#[derive(Default)]
struct Cache {
    keys: Arc<Keys>,
    fetched_at: Option<Timestamp>,
    tried_at: Option<Timestamp>,
}

/// The cache. Its lock is held while fetching: one request fetches, the others wait for it.
pub(super) struct AppleJwks {
    url: Url,
    outbound: Outbound,
    cache: Mutex<Cache>,
}

impl AppleJwks {
    pub(super) fn new(url: Url, outbound: Outbound) -> Self {
        Self { url, outbound, cache: Mutex::new(Cache::default()) }
    }

    /// The RS256 key with this `kid`.
    pub(super) async fn find(
        &self,
        kid: &str,
        now: Timestamp,
    ) -> Result<Arc<ParsedPublicKey>, UpstreamError> {
        let mut cache = self.cache.lock().await;
        let age = |at: Option<Timestamp>| at.map_or(Duration::MAX, |at| now.since(at));
        let known = cache.keys.get(kid).map(Arc::clone);
        if let Some(key) = &known
            && age(cache.fetched_at) < FRESH
        {
            return Ok(Arc::clone(key));
        }
        let mut failed = None;
        if age(cache.tried_at) >= BETWEEN_FETCHES {
            cache.tried_at = Some(now);
            match self.fetch().await {
                Ok(keys) => {
                    cache.keys = Arc::new(keys);
                    cache.fetched_at = Some(now);
                }
                Err(error) => {
                    tracing::warn!(%error, "Apple's keys could not be fetched");
                    failed = Some(error);
                }
            }
        }
        if age(cache.fetched_at) < LAST_GOOD
            && let Some(key) = cache.keys.get(kid)
        {
            return Ok(Arc::clone(key));
        }
        match failed {
            Some(error) => Err(error),
            None if cache.fetched_at.is_none() => {
                Err(UpstreamError::Unavailable("Apple's keys are not known yet".to_owned()))
            }
            None => Err(UpstreamError::Rejected {
                reason: "unknown_key",
                detail: "no key of Apple's has this kid".to_owned(),
            }),
        }
    }

    /// Fetches the keys for the connection doctor.
    pub(super) async fn fetch(&self) -> Result<Keys, UpstreamError> {
        let unavailable = |cause: String| UpstreamError::Unavailable(format!("keys: {cause}"));
        let answer =
            self.outbound.get(&self.url).await.map_err(|error| unavailable(error.to_string()))?;
        if answer.status != 200 {
            return Err(unavailable(format!("status {}", answer.status)));
        }
        let keys = parse(&answer.body).ok_or_else(|| unavailable("not a JWKS".to_owned()))?;
        // An empty set would lock everybody out until the next fetch: keep what there is.
        if keys.is_empty() {
            return Err(unavailable("no usable key".to_owned()));
        }
        Ok(keys)
    }
}

/// The usable keys of a JWKS; others are ignored (security.md H18): not RSA, not for RS256
/// signatures, odd sizes or exponents, and every key whose `kid` stands twice.
fn parse(body: &[u8]) -> Option<Keys> {
    let set: JwkSet = serde_json::from_slice(body).ok()?;
    let mut keys = Keys::new();
    let mut twice = Vec::new();
    for value in set.keys.into_iter().take(MAX_KEYS) {
        let Ok(jwk) = serde_json::from_value::<Jwk>(value) else { continue };
        let for_rs256 = jwk.kty == "RSA"
            && jwk.alg.as_deref().is_none_or(|alg| alg == "RS256")
            && jwk.key_use.as_deref().is_none_or(|key_use| key_use == "sig");
        let (Ok(n), Ok(e)) = (URL_SAFE_NO_PAD.decode(&jwk.n), URL_SAFE_NO_PAD.decode(&jwk.e))
        else {
            continue;
        };
        if !for_rs256 || !(256..=512).contains(&n.len()) || e != [1, 0, 1] {
            continue;
        }
        let components = RsaPublicKeyComponents { n: &n, e: &e };
        let Ok(key) = components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256) else {
            continue;
        };
        if keys.insert(jwk.kid.clone(), Arc::new(key)).is_some() {
            twice.push(jwk.kid);
        }
    }
    for kid in twice {
        keys.remove(&kid);
    }
    Some(keys)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::jose::{Algorithm, SigningKey, generate_private_key};

    #[test]
    fn hostile_keys_are_ignored() {
        let der = generate_private_key(Algorithm::Rs256).unwrap();
        let rsa = SigningKey::from_pkcs8(Algorithm::Rs256, der.expose()).unwrap();
        let good = rsa.public_jwk().clone();
        let with = |name: &str, value: serde_json::Value| {
            let mut jwk = good.clone();
            jwk["kid"] = json!(format!("bad-{name}"));
            jwk[name] = value;
            jwk
        };
        let set = json!({ "keys": [
            good,
            with("kty", json!("oct")),
            with("alg", json!("HS256")),
            with("use", json!("enc")),
            with("e", json!("AQ")),
            with("n", json!(URL_SAFE_NO_PAD.encode([0x80; 128]))),
            with("n", json!(URL_SAFE_NO_PAD.encode([0x80; 2048]))),
            json!({ "kty": "EC", "kid": "ec", "crv": "P-256", "x": "AA", "y": "AA" }),
            json!("nonsense"),
        ]});
        let keys = parse(set.to_string().as_bytes()).unwrap();
        assert_eq!(keys.keys().collect::<Vec<_>>(), [rsa.kid()]);
        let twice = json!({ "keys": [rsa.public_jwk(), rsa.public_jwk()] });
        assert!(parse(twice.to_string().as_bytes()).unwrap().is_empty());
        assert!(parse(b"<html>").is_none());
    }
}
