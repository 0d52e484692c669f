//! Programs to start from.

use serde_json::{Value, json};

use super::{Schema, kinds, list, of, text, told, yes};

pub(in crate::web::api) const OF_CLIENT: Schema = Schema::new("ClientQuickstarts", of_client);
pub(in crate::web::api) const OF_API: Schema = Schema::new("ApiQuickstarts", of_api);

fn programs() -> Value {
    list(told(of([("id", text()), ("language", text()), ("library", text()), ("code", text())])))
}

fn of_client() -> Value {
    let environment = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    told(of([
        ("client_id", text()),
        ("kind", kinds()),
        ("environment", environment),
        ("env", text()),
        ("needs_client_secret", yes()),
        ("needs_redirect_uri", yes()),
        ("programs", programs()),
    ]))
}

fn of_api() -> Value {
    told(of([("api", text()), ("programs", programs())]))
}
