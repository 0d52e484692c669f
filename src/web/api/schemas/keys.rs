//! Signing keys.

use serde_json::{Value, json};

use super::{Schema, algorithms, of, one_of, or_null, page, seconds, sent, text, told};

pub(in crate::web::api) const ONE: Schema = Schema::new("Key", one);
pub(in crate::web::api) const PAGE: Schema = Schema::new("Keys", || page(ONE.pointed()));
pub(in crate::web::api) const FETCHERS: Schema = Schema::new("KeySetFetchers", fetchers);
pub(in crate::web::api) const NEW: Schema = Schema::new("NewKey", new);

fn one() -> Value {
    told(of([
        ("kid", text()),
        ("alg", algorithms()),
        ("state", one_of(&["next", "active", "retiring", "gone"])),
        ("created_at", seconds()),
        ("active_at", seconds()),
        ("retiring_at", or_null(seconds())),
        ("gone_at", or_null(seconds())),
    ]))
}

fn fetchers() -> Value {
    let behind = "Whether it came last before the newest key was published";
    page(told(of([
        ("user_agent", text()),
        ("times", seconds()),
        ("last_at", seconds()),
        ("behind", json!({ "type": "boolean", "description": behind })),
    ])))
}

fn new() -> Value {
    sent(of([("alg", algorithms())]), &["alg"], &json!({ "alg": "ES256" }))
}
