//! APIs.

use serde_json::{Value, json};

use super::registered::api_members;
use super::{Schema, number, of, page, seconds, sent, text, told};

pub(in crate::web::api) const ONE: Schema = Schema::new("Api", one);
pub(in crate::web::api) const PAGE: Schema = Schema::new("Apis", || page(ONE.pointed()));
pub(in crate::web::api) const NEW: Schema = Schema::new("NewApi", new);
pub(in crate::web::api) const CHANGE: Schema = Schema::new("ApiChange", change);

fn one() -> Value {
    let own = of([
        ("identifier", text()),
        ("created_at", seconds()),
        ("updated_at", seconds()),
        ("version", number()),
    ]);
    told(api_members().into_iter().chain(own).collect())
}

fn new() -> Value {
    let identifier = json!({ "type": "string", "format": "uri", "maxLength": 2048 });
    let members = api_members().into_iter().chain(of([("identifier", identifier)]));
    let example = json!({
        "identifier": "https://orders.example.com",
        "name": "Orders",
        "scopes": [{ "name": "orders:read", "description": "See orders" }],
    });
    sent(members.collect(), &["identifier", "name"], &example)
}

fn change() -> Value {
    sent(api_members(), &[], &json!({ "name": "Orders" }))
}
