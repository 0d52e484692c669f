//! Apple's server-to-server notifications — apple.md §8.
//!
//! Strict about who speaks: signature, issuer, audience, time. Tolerant about how: Apple's page and
//! the wire disagree on the shape of `events`, on the unit of time and on one name.

use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;

use super::AppleConnector;
use super::identity_token::{SKEW, object, one_audience, rejected, split};
use crate::protocol::ambient::Timestamp;
use crate::protocol::notification::{Notification, NotificationKind};
use crate::protocol::numeric_date::NumericDate;
use crate::upstream::{Announcements, UpstreamError};

/// No notification comes near it.
const MAX_LENGTH: usize = 16 * 1024;
/// Apple's live a day.
const MAX_AGE: Duration = Duration::from_secs(24 * 3600);
/// Above it a time can only be in milliseconds: in seconds it would be the year 5138.
const SECONDS_END: i64 = 100_000_000_000;
/// `events` is a text that holds an object, an object, or a list of one.
const MAX_WRAPPINGS: usize = 4;

#[derive(Deserialize)]
struct Envelope {
    payload: String,
}

/// The claims that are looked at. A repeated member is an error here, not a choice.
#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    #[serde(deserialize_with = "one_audience")]
    aud: String,
    iat: NumericDate,
    exp: Option<NumericDate>,
    jti: String,
    events: Value,
}

fn malformed() -> UpstreamError {
    rejected("notification_malformed", "a member is missing, repeated or odd")
}

#[async_trait]
impl Announcements for AppleConnector {
    async fn read(
        &self,
        body: &[u8],
        arrived: Timestamp,
        now: Timestamp,
    ) -> Result<Notification, UpstreamError> {
        let envelope: Envelope = object(body).ok_or_else(malformed)?;
        let parts = split(&envelope.payload, MAX_LENGTH)?;
        let key = self.jwks.find(&parts.kid, arrived, now).await?;
        key.verify_sig(parts.message.as_bytes(), &parts.signature)
            .map_err(|_| rejected("signature_invalid", "not signed by the key it names"))?;
        let claims: Claims = object(&parts.payload).ok_or_else(malformed)?;
        self.check_notification(&claims, arrived)?;
        event(claims, self.team_authority(), arrived)
    }
}

impl AppleConnector {
    fn check_notification(&self, claims: &Claims, now: Timestamp) -> Result<(), UpstreamError> {
        let settings = &self.settings;
        if !self.issuers.contains(&claims.iss) {
            return Err(rejected("iss_mismatch", "another issuer"));
        }
        let mut audiences =
            settings.bundle_ids.iter().chain(&settings.services_id).chain(&settings.primary_app_id);
        if !audiences.any(|audience| *audience == claims.aud) {
            return Err(rejected("aud_mismatch", "meant for another app"));
        }
        if claims.iat.secs() > now.plus(SKEW).secs() {
            return Err(rejected("iat_in_future", "iat is ahead of this clock by over a minute"));
        }
        if claims.iat.secs() < now.minus(MAX_AGE + SKEW).secs() {
            return Err(rejected("notification_stale", "made more than a day ago"));
        }
        if claims.exp.is_some_and(|exp| exp.secs() <= now.minus(SKEW).secs()) {
            return Err(rejected("notification_expired", "exp is past"));
        }
        if claims.jti.is_empty() || claims.jti.len() > 255 {
            return Err(rejected("jti_missing", "jti is empty or longer than 255"));
        }
        Ok(())
    }
}

/// The one event of a notification.
fn event(claims: Claims, authority: String, now: Timestamp) -> Result<Notification, UpstreamError> {
    let event = unwrapped(claims.events).ok_or_else(malformed)?;
    let text = |name: &str, longest: usize| {
        let text = event.get(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty() && text.len() <= longest).map(str::to_owned)
    };
    let kind = NotificationKind::parse(&text("type", 64).ok_or_else(malformed)?);
    let subject = text("sub", 255);
    if subject.is_none() && !matches!(kind, NotificationKind::Unknown(_)) {
        return Err(rejected("sub_missing", "the event names nobody"));
    }
    let told = event.get("event_time").and_then(whole).filter(|time| *time > 0);
    let event_time = match told {
        Some(millis) if millis > SECONDS_END => Timestamp::from_millis(millis),
        // All of that second: what is cut off must not make an event older than it is.
        Some(secs) => Timestamp::from_millis(Timestamp::from_secs(secs).millis() + 999),
        None => Timestamp::from_secs(claims.iat.secs()),
    };
    Ok(Notification { authority, jti: claims.jti, kind, subject, event_time: event_time.min(now) })
}

/// Unpacks `events`, whichever of its shapes it has.
fn unwrapped(mut events: Value) -> Option<Value> {
    for _ in 0..MAX_WRAPPINGS {
        events = match events {
            Value::Object(_) => return Some(events),
            Value::String(text) => serde_json::from_str(&text).ok()?,
            Value::Array(list) => match <[Value; 1]>::try_from(list) {
                Ok([only]) => only,
                Err(_) => return None,
            },
            Value::Null | Value::Bool(_) | Value::Number(_) => return None,
        };
    }
    None
}

/// A whole number, also one written as text or with a point.
fn whole(value: &Value) -> Option<i64> {
    let from_float = |float: f64| {
        // Exact up to 2^53, and no time is later.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "within range, and the rest is cut off"
        )]
        (float.abs() < 9_007_199_254_740_992.0).then_some(float as i64)
    };
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(from_float)),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
#[path = "tests/notification.rs"]
mod tests;
