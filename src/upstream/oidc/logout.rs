//! The upstream says that somebody signed out — OIDC Back-Channel Logout §2.4 and §2.6.

use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::{OidcConnector, SKEW, check_tenant, rejected};
use crate::protocol::ambient::Timestamp;
use crate::protocol::jose::Algorithm;
use crate::protocol::jwk::{PublicKey, read_set};
use crate::protocol::jws::ForeignJwt;
use crate::protocol::numeric_date::NumericDate;
use crate::upstream::{SignedOut, UpstreamError};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// A logout token is sent when it is made; an older one is a repetition.
const FRESH: Duration = Duration::from_secs(600);

#[derive(Deserialize)]
struct Claims {
    iss: String,
    #[serde(deserialize_with = "audiences")]
    aud: Vec<String>,
    iat: NumericDate,
    /// Required since the final specification; older senders leave it out.
    exp: Option<NumericDate>,
    jti: String,
    events: Map<String, Value>,
    sub: Option<String>,
    sid: Option<String>,
    /// Kept to be refused: it would make an ID token of this (§2.4).
    nonce: Option<Value>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

fn audiences<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Aud {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Aud::deserialize(deserializer)? {
        Aud::One(aud) => vec![aud],
        Aud::Many(many) => many,
    })
}

impl OidcConnector {
    /// Verifies a logout token: signed by the upstream, meant for us, new, and nothing but a
    /// logout. Whether its `jti` is new is for whoever remembers.
    pub(super) async fn read_logout_token(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<SignedOut, UpstreamError> {
        let malformed = |_| rejected("token_malformed", "not a signed logout token");
        let jwt = ForeignJwt::read(token, &Algorithm::ALL).map_err(malformed)?;
        // An ID token posted here must not pass for a logout token, nor one of another type.
        let typ = jwt.header("typ").unwrap_or("logout+jwt").to_ascii_lowercase();
        if !matches!(typ.trim_start_matches("application/"), "logout+jwt" | "jwt") {
            return Err(rejected("typ_mismatch", "the token is of another type"));
        }
        let mut claims = self.verified(&jwt, now, false).await?;
        if claims.is_none() {
            // A key we do not know may be newer than our copy of the keys.
            claims = self.verified(&jwt, now, true).await?;
        }
        let claims =
            claims.ok_or_else(|| rejected("signature_invalid", "not signed by the upstream"))?;
        self.check_logout(&claims, now)?;
        Ok(SignedOut {
            authority: claims.iss,
            subject: claims.sub,
            sid: claims.sid,
            jti: claims.jti,
            // As long as it would pass.
            expires_at: Timestamp::from_secs(claims.iat.secs()).plus(FRESH).plus(SKEW),
        })
    }

    async fn verified(
        &self,
        jwt: &ForeignJwt<'_>,
        now: Timestamp,
        anew: bool,
    ) -> Result<Option<Claims>, UpstreamError> {
        let discovered = self.discovery.current(now, anew).await?;
        let set = serde_json::to_value(discovered.metadata.jwks());
        let keys = set.ok().and_then(|set| read_set(&set).ok()).unwrap_or_default();
        let kid = jwt.header("kid");
        let may_be = |key: &&PublicKey| kid.is_none() || key.kid() == kid;
        Ok(keys.iter().filter(may_be).find_map(|key| jwt.verify(key).ok()))
    }

    fn check_logout(&self, claims: &Claims, now: Timestamp) -> Result<(), UpstreamError> {
        match &self.settings.issuer_template {
            Some(template) => check_tenant(template, &claims.iss, &claims.others)?,
            None if claims.iss != self.discovery.issuer.as_str() => {
                return Err(rejected("iss_mismatch", "another issuer"));
            }
            None => {}
        }
        if !claims.aud.contains(&self.settings.client_id) {
            return Err(rejected("aud_mismatch", "the token is meant for another client"));
        }
        if !claims.events.get(EVENT).is_some_and(Value::is_object) {
            return Err(rejected("event_missing", "the token announces no logout"));
        }
        if claims.nonce.is_some() {
            return Err(rejected("nonce_present", "a logout token has no nonce"));
        }
        let named = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        if !named(&claims.sub) && !named(&claims.sid) {
            return Err(rejected("sub_missing", "neither sub nor sid"));
        }
        if claims.jti.is_empty() || claims.jti.len() > 255 {
            return Err(rejected("jti_missing", "jti is empty or longer than 255"));
        }
        if claims.iat.secs() > now.plus(SKEW).secs() {
            return Err(rejected("iat_in_future", "iat is ahead of this clock by over a minute"));
        }
        if claims.iat.secs() < now.minus(FRESH).secs() {
            return Err(rejected("token_stale", "made more than ten minutes ago"));
        }
        if claims.exp.is_some_and(|exp| exp.secs() <= now.minus(SKEW).secs()) {
            return Err(rejected("token_expired", "exp is past"));
        }
        Ok(())
    }
}
