//! Connections: the members of each kind, and what is secret of them, which goes in and never out.

use serde_json::{Value, json};

use super::overview::explanation;
use super::{
    Members, Schema, list, number, of, one_of, or_null, page, seconds, secret, sent, short_name,
    text, texts, told, yes,
};
use crate::protocol::connection::{ConnectionKind, PRESETS};

pub(in crate::web::api) const ONE: Schema = Schema::new("Connection", one);
pub(in crate::web::api) const PAGE: Schema = Schema::new("Connections", || page(ONE.pointed()));
pub(in crate::web::api) const STATUS: Schema = Schema::new("ConnectionStatus", status);
pub(in crate::web::api) const STATUSES: Schema =
    Schema::new("ConnectionStatuses", || page(STATUS.pointed()));
pub(in crate::web::api) const NEW: Schema = Schema::new("NewConnection", new);
pub(in crate::web::api) const CHANGE: Schema = Schema::new("ConnectionChange", change);
pub(in crate::web::api) const NEXT_KEY: Schema = Schema::new("NextKey", next_key);
pub(in crate::web::api) const FINDINGS: Schema = Schema::new("Findings", findings);

fn kinds() -> Value {
    json!({ "enum": ConnectionKind::ALL.map(ConnectionKind::as_str) })
}

/// Members of the kinds; each has some of them. `null` sets one back.
fn settings() -> Members {
    let claims = json!({ "type": "object", "additionalProperties": texts() });
    let all = of([
        ("team_id", text()),
        ("key_id", text()),
        ("services_id", text()),
        ("bundle_ids", texts()),
        ("primary_app_id", text()),
        ("mail_sender_domain", text()),
        ("additional_issuers", texts()),
        ("pkce", yes()),
        ("link_by_verified_email", yes()),
        ("believe_amr", yes()),
        ("issuer", text()),
        ("issuer_template", text()),
        ("client_id", text()),
        ("scopes", texts()),
        ("base_url", text()),
        ("api_url", text()),
        ("name_claim", text()),
        ("given_name_claim", text()),
        ("family_name_claim", text()),
        ("email_claim", text()),
        ("email_verified_claim", text()),
        ("allowed_email_domains", texts()),
        ("required_claims", claims),
    ]);
    all.into_iter().map(|(name, schema)| (name, or_null(schema))).collect()
}

fn position() -> Value {
    json!({ "type": "integer", "minimum": i32::MIN, "maximum": i32::MAX })
}

fn one() -> Value {
    let own = of([
        ("id", text()),
        ("kind", kinds()),
        ("display_name", text()),
        ("position", number()),
        ("enabled", yes()),
        ("managed_by", one_of(&["file", "database"])),
        ("has_client_secret", yes()),
        ("next_key_id", text()),
        ("callback_path", text()),
        ("backchannel_logout_path", text()),
        ("notifications_path", text()),
        ("created_at", seconds()),
        ("updated_at", seconds()),
        ("version", number()),
    ]);
    told(settings().into_iter().chain(own).collect())
}

fn status() -> Value {
    let event = || or_null(told(of([("event", number()), ("at", seconds())])));
    told(of([
        ("id", text()),
        ("usable", yes()),
        ("trouble", or_null(text())),
        ("failing", yes()),
        ("last_success", event()),
        ("last_failure", event()),
        ("explanation", or_null(explanation())),
        ("last_notification", or_null(told(of([("kind", text()), ("at", seconds())])))),
    ]))
}

fn outside() -> Members {
    of([
        ("display_name", or_null(short_name())),
        ("position", or_null(position())),
        ("enabled", or_null(yes())),
        ("client_secret", or_null(secret())),
        ("private_key", or_null(secret())),
    ])
}

fn new() -> Value {
    let id = json!({ "type": "string", "pattern": "^[a-z0-9-]{1,32}$" });
    let own = of([
        ("id", id),
        ("kind", kinds()),
        ("preset", json!({ "enum": PRESETS })),
        ("tenant", or_null(text())),
    ]);
    let example = json!({
        "id": "work",
        "kind": "oidc",
        "issuer": "https://login.example.com",
        "client_id": "russet",
        "client_secret": "a secret of theirs",
    });
    sent(settings().into_iter().chain(outside()).chain(own).collect(), &["id"], &example)
}

fn change() -> Value {
    let members = settings().into_iter().chain(outside()).collect();
    sent(members, &[], &json!({ "enabled": false }))
}

fn next_key() -> Value {
    let members = of([("key_id", text()), ("private_key", secret())]);
    let example = json!({ "key_id": "NEWKEY1234", "private_key": "-----BEGIN PRIVATE KEY-----…" });
    sent(members, &["key_id", "private_key"], &example)
}

fn findings() -> Value {
    let verdicts = one_of(&["fine", "unknown", "wrong"]);
    let finding = told(of([("verdict", verdicts), ("subject", text()), ("message", text())]));
    told(of([("findings", list(finding))]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::connection::draft;

    #[test]
    fn every_member_of_a_kind_is_described() {
        let described = one()["properties"].clone();
        for kind in ConnectionKind::ALL {
            let settings = json!(draft(kind.as_str(), None).unwrap().settings);
            for name in settings.as_object().unwrap().keys() {
                assert!(described.get(name).is_some(), "{}: {name}", kind.as_str());
            }
        }
    }
}
