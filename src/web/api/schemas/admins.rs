//! Console accounts and their sessions.

use serde_json::{Value, json};

use super::{
    Schema, list, number, of, or_null, page, seconds, secret, sent, set, shown_once, text, texts,
    told, yes,
};
use crate::protocol::admin::Role;

pub(in crate::web::api) const ONE: Schema = Schema::new("Admin", one);
pub(in crate::web::api) const PAGE: Schema = Schema::new("Admins", || page(ONE.pointed()));
pub(in crate::web::api) const NEW: Schema = Schema::new("NewAdmin", new);
pub(in crate::web::api) const CHANGE: Schema = Schema::new("AdminChange", change);
pub(in crate::web::api) const NOTHING: Schema = Schema::new("Nothing", nothing);
pub(in crate::web::api) const INVITATION: Schema = Schema::new("Invitation", invitation);
pub(in crate::web::api) const SESSIONS: Schema = Schema::new("AdminSessions", sessions);

fn roles() -> Value {
    json!({ "enum": Role::ALL.map(Role::as_str) })
}

fn one() -> Value {
    let identity = told(of([
        ("connection", text()),
        ("email", or_null(text())),
        ("created_at", seconds()),
        ("last_used_at", or_null(seconds())),
    ]));
    told(of([
        ("username", text()),
        ("role", roles()),
        ("clients", texts()),
        ("disabled", yes()),
        ("created_at", seconds()),
        ("version", number()),
        ("totp", yes()),
        ("passkeys", number()),
        ("recovery_codes", number()),
        ("identities", list(identity)),
    ]))
}

fn new() -> Value {
    let username = json!({ "type": "string", "pattern": "^[A-Za-z0-9._@+-]{1,64}$" });
    let password = or_null(secret());
    let members = of([("username", username), ("role", roles()), ("password", password)]);
    sent(members, &["username", "role"], &json!({ "username": "grace", "role": "viewer" }))
}

fn change() -> Value {
    let members = of([
        ("role", or_null(roles())),
        ("clients", or_null(set(text()))),
        ("disabled", or_null(yes())),
        ("password", or_null(secret())),
    ]);
    sent(members, &[], &json!({ "role": "viewer" }))
}

fn nothing() -> Value {
    sent(of([]), &[], &json!({}))
}

fn invitation() -> Value {
    told(of([("url", shown_once())]))
}

fn sessions() -> Value {
    page(told(of([
        ("id", text()),
        ("username", or_null(text())),
        ("connection", or_null(text())),
        ("user_agent", or_null(text())),
        ("second_factor", yes()),
        ("created_at", seconds()),
        ("expires_at", seconds()),
    ])))
}
