//! Clients.

use serde_json::{Value, json};

use super::registered::{client_members, client_settings};
use super::{
    Members, Schema, kinds, list, number, of, or_null, page, seconds, sent, text, texts, told, yes,
};
use crate::protocol::client::{GrantType, TokenEndpointAuthMethod};

pub(in crate::web::api) const ONE: Schema = Schema::new("Client", one);
pub(in crate::web::api) const PAGE: Schema = Schema::new("Clients", listed);
pub(in crate::web::api) const NEW: Schema = Schema::new("NewClient", new);
pub(in crate::web::api) const CHANGE: Schema = Schema::new("ClientChange", change);
pub(in crate::web::api) const NEW_SECRET: Schema = Schema::new("NewSecret", new_secret);
pub(in crate::web::api) const SECRETS: Schema = Schema::new("ClientSecrets", secrets);
pub(in crate::web::api) const OBSERVED: Schema = Schema::new("ClientObserved", observed);
pub(in crate::web::api) const CHECKED: Schema = Schema::new("RedirectUrisChecked", checked);
pub(in crate::web::api) const PREVIEW: Schema = Schema::new("TokenPreview", preview);

fn members() -> Members {
    client_members().into_iter().chain(client_settings()).collect()
}

fn one() -> Value {
    let own = of([
        ("client_id", text()),
        ("client_id_issued_at", seconds()),
        ("kind", kinds()),
        ("application_type", json!({ "enum": ["web", "native"] })),
        ("response_types", list(text())),
        ("updated_at", seconds()),
        ("version", number()),
        ("client_secret", text()),
        ("client_secret_expires_at", seconds()),
    ]);
    told(members().into_iter().chain(own).collect())
}

/// Beside the client itself, what was seen of it.
fn listed() -> Value {
    let seen = told(of([("token_at", or_null(seconds()))]));
    page(json!({ "allOf": [ONE.pointed(), seen] }))
}

fn new() -> Value {
    let members = members().into_iter().chain(of([("kind", kinds())])).collect();
    let example = json!({
        "kind": "web",
        "client_name": "Shop",
        "redirect_uris": ["https://shop.example/callback"],
    });
    sent(members, &["kind", "client_name"], &example)
}

fn change() -> Value {
    sent(members(), &[], &json!({ "client_name": "Shop" }))
}

fn new_secret() -> Value {
    let overlap = json!({ "type": "integer", "minimum": 0, "maximum": 2_592_000 });
    let life = json!({ "type": "integer", "minimum": 1, "maximum": 63_244_800 });
    let members = of([
        ("overlap_seconds", or_null(overlap)),
        ("name", or_null(super::name())),
        ("expires_in", or_null(life)),
    ]);
    sent(members, &[], &json!({ "overlap_seconds": 3600 }))
}

fn secrets() -> Value {
    page(told(of([
        ("id", text()),
        ("name", or_null(text())),
        ("created_at", seconds()),
        ("expires_at", or_null(seconds())),
        ("last_used_at", or_null(seconds())),
    ])))
}

fn observed() -> Value {
    let methods = TokenEndpointAuthMethod::ALL.map(TokenEndpointAuthMethod::as_str);
    told(of([
        ("token_at", or_null(seconds())),
        ("token_grant_type", or_null(json!({ "enum": GrantType::ALL.map(GrantType::as_str) }))),
        ("authenticated_at", or_null(seconds())),
        ("authenticated_by", or_null(json!({ "enum": methods }))),
        ("authenticated_as_registered", or_null(yes())),
        ("pkce_at", or_null(seconds())),
        ("no_pkce_at", or_null(seconds())),
        ("uses_pkce", or_null(yes())),
    ]))
}

fn checked() -> Value {
    told(of([("problems", texts()), ("hints", texts())]))
}

fn preview() -> Value {
    let claims = || json!({ "type": ["object", "null"] });
    told(of([("access_token", claims()), ("id_token", claims()), ("userinfo", claims())]))
}
