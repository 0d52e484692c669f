//! Trusted issuers and initial access tokens.

use serde_json::{Value, json};

use super::{
    Schema, name, number, of, or_null, page, seconds, sent, shown_once, text, texts, told, yes,
};

pub(in crate::web::api) const ISSUER: Schema = Schema::new("TrustedIssuer", issuer);
pub(in crate::web::api) const ISSUERS: Schema =
    Schema::new("TrustedIssuers", || page(ISSUER.pointed()));
pub(in crate::web::api) const NEW_ISSUER: Schema = Schema::new("NewTrustedIssuer", new_issuer);
pub(in crate::web::api) const TOKEN: Schema = Schema::new("RegistrationToken", token);
pub(in crate::web::api) const TOKENS: Schema =
    Schema::new("RegistrationTokens", || page(TOKEN.pointed()));
pub(in crate::web::api) const NEW_TOKEN: Schema = Schema::new("NewRegistrationToken", new_token);

fn issuer() -> Value {
    told(of([
        ("id", text()),
        ("issuer", text()),
        ("jwks_uri", or_null(text())),
        ("jwks", or_null(json!({ "type": "object" }))),
        ("audience", text()),
        ("client_id", text()),
        ("conditions", texts()),
        ("scope", texts()),
        ("resources", texts()),
        ("max_lifetime", number()),
        ("allow_reuse", yes()),
        ("created_at", seconds()),
    ]))
}

fn new_issuer() -> Value {
    let lifetime = json!({ "type": "integer", "minimum": 60, "maximum": 86_400 });
    let conditions = json!({ "type": "array", "minItems": 1, "items": { "type": "string" } });
    let members = of([
        ("issuer", text()),
        ("jwks_uri", or_null(text())),
        ("jwks", or_null(json!({ "type": "object" }))),
        ("audience", or_null(text())),
        ("client_id", text()),
        ("conditions", conditions),
        ("scope", texts()),
        ("resources", texts()),
        ("max_lifetime", or_null(lifetime)),
        ("allow_reuse", yes()),
    ]);
    let example = json!({
        "issuer": "https://token.actions.githubusercontent.com",
        "client_id": "deployer",
        "conditions": ["repository=acme/shop"],
    });
    sent(members, &["issuer", "client_id", "conditions"], &example)
}

fn token() -> Value {
    told(of([
        ("id", text()),
        ("name", text()),
        ("uses_left", or_null(number())),
        ("created_at", seconds()),
        ("expires_at", or_null(seconds())),
        ("initial_access_token", shown_once()),
    ]))
}

fn new_token() -> Value {
    let count = |most: i64| json!({ "type": "integer", "minimum": 1, "maximum": most });
    let members = of([
        ("name", name()),
        ("uses", or_null(count(i64::from(i32::MAX)))),
        ("expires_in", or_null(count(i64::from(u32::MAX)))),
    ]);
    sent(members, &["name"], &json!({ "name": "Partners", "uses": 1, "expires_in": 86_400 }))
}
