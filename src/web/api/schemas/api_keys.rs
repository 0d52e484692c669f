//! Keys of this API.

use serde_json::{Value, json};

use super::{Schema, name, of, or_null, page, seconds, sent, shown_once, text, told};
use crate::op::admin::api_keys::LONGEST_DAYS;
use crate::protocol::api_key::ApiScope;

pub(in crate::web::api) const ONE: Schema = Schema::new("ApiKey", one);
pub(in crate::web::api) const PAGE: Schema = Schema::new("ApiKeys", || page(ONE.pointed()));
pub(in crate::web::api) const NEW: Schema = Schema::new("NewApiKey", new);

fn scopes() -> Value {
    let names: Vec<_> = ApiScope::ALL.iter().map(|scope| scope.as_str()).collect();
    json!({ "type": "array", "minItems": 1, "uniqueItems": true, "items": { "enum": names } })
}

fn one() -> Value {
    told(of([
        ("id", text()),
        ("name", text()),
        ("scope", scopes()),
        ("created_by", text()),
        ("created_at", seconds()),
        ("expires_at", seconds()),
        ("last_used_at", or_null(seconds())),
        ("revoked_at", or_null(seconds())),
        ("secret", shown_once()),
    ]))
}

fn new() -> Value {
    let mut called = name();
    if let Some(members) = called.as_object_mut() {
        members.insert("maxLength".to_owned(), json!(80));
    }
    let days = json!({ "type": "integer", "minimum": 1, "maximum": LONGEST_DAYS });
    let members = of([("name", called), ("scope", scopes()), ("days", days)]);
    let example = json!({ "name": "CI", "scope": ["clients:read"], "days": 1 });
    sent(members, &["name", "scope", "days"], &example)
}
