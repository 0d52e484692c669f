//! What there is, as scripts read it: the same members from the admin API and from the command line.

use serde_json::{Value, json};

use super::audit::Verification;
use crate::protocol::admin::Admin;
use crate::protocol::ambient::Timestamp;
use crate::protocol::audit::Link;
use crate::protocol::delivery::{Delivery, Message};
use crate::protocol::keyring::StoredKey;
use crate::protocol::trusted_issuer::TrustedIssuer;
use crate::store::registrations::RegistrationToken;

/// A signing key, without what is secret of it.
pub fn signing_key(key: &StoredKey, now: Timestamp) -> Value {
    json!({
        "kid": key.kid,
        "alg": key.alg,
        "state": key.state(now),
        "created_at": key.created_at.secs(),
        "active_at": key.active_at.secs(),
        "retiring_at": key.retiring_at.map(Timestamp::secs),
        "gone_at": key.gone_at.map(Timestamp::secs),
    })
}

/// What a client is told, and what became of it.
pub fn delivery(delivery: &Delivery) -> Value {
    let event_type = match &delivery.message {
        Some(Message::SecurityEvent { event, .. }) => Some(event.event_type().uri()),
        Some(Message::LogoutToken { .. }) | None => None,
    };
    json!({
        "id": delivery.id.to_string(),
        "client_id": delivery.client_id,
        "kind": delivery.kind,
        "event_type": event_type,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "created_at": delivery.created_at.secs(),
        "due_at": delivery.due_at.secs(),
        "settled_at": delivery.settled_at.map(Timestamp::secs),
        "last_error": delivery.last_error,
        "cause": delivery.cause,
    })
}

/// A rule by which an issuer's word stands for a client's secret.
pub fn trusted_issuer(rule: &TrustedIssuer) -> Value {
    let conditions = rule.conditions.iter().map(|one| format!("{}={}", one.claim, one.value));
    json!({
        "id": rule.id,
        "issuer": rule.issuer,
        "jwks_uri": rule.jwks_uri,
        "jwks": rule.jwks,
        "audience": rule.audience,
        "client_id": rule.client_id,
        "conditions": conditions.collect::<Vec<_>>(),
        "scope": rule.scope,
        "resources": rule.resources,
        "max_lifetime": rule.max_lifetime,
        "allow_reuse": !rule.single_use,
        "created_at": rule.created_at.secs(),
    })
}

/// An initial access token, without its secret.
pub fn registration_token(token: &RegistrationToken) -> Value {
    json!({
        "id": token.id,
        "name": token.name,
        "uses_left": token.uses_left,
        "created_at": token.created_at.secs(),
        "expires_at": token.expires_at.map(Timestamp::secs),
    })
}

/// A console account, without what opens it.
pub fn admin(admin: &Admin) -> Value {
    json!({
        "username": admin.username,
        "role": admin.role,
        "clients": admin.clients,
        "disabled": admin.disabled_at.is_some(),
        "created_at": admin.created_at.secs(),
        "version": admin.version,
    })
}

/// A place in the chain of the audit log.
pub fn link(link: &Link) -> Value {
    json!({ "seq": link.seq, "hash": link.hash.to_text() })
}

/// What a walk along the chain found.
pub fn verification(found: &Verification) -> Value {
    json!({
        "ok": found.faults.is_empty(),
        "checked": found.checked,
        "from": found.from,
        "unchained": found.unchained,
        "head": found.head.as_ref().map(link),
        "faults": found.faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
