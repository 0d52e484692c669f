//! Trials of clients.

use serde_json::{Value, json};

use super::{Schema, list, of, one_of, or_null, seconds, sent, set, text, told, yes};

pub(in crate::web::api) const NEW: Schema = Schema::new("NewTrial", new);
pub(in crate::web::api) const ONE: Schema = Schema::new("Trial", one);

fn new() -> Value {
    let members = of([
        ("scope", or_null(text())),
        ("resource", or_null(set(text()))),
        ("prompt", or_null(one_of(&["login"]))),
    ]);
    sent(members, &[], &json!({ "scope": "openid profile", "prompt": "login" }))
}

fn one() -> Value {
    let object = || json!({ "type": "object" });
    let token = || told(of([("header", object()), ("claims", object())]));
    let check =
        told(of([("subject", text()), ("rule", text()), ("holds", yes()), ("found", text())]));
    told(of([
        ("id", text()),
        ("client_id", text()),
        ("expires_at", seconds()),
        ("state", one_of(&["waiting", "tried", "refused"])),
        ("uri", text()),
        ("user_code", text()),
        ("verification_uri", text()),
        ("verification_uri_complete", text()),
        ("error", text()),
        ("error_description", text()),
        ("access_token", token()),
        ("id_token", or_null(token())),
        ("userinfo", or_null(object())),
        ("refresh_token", yes()),
        ("checks", list(check)),
    ]))
}
