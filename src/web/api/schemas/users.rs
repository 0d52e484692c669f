//! People, their sessions, and their deletion.

use serde_json::{Value, json};

use super::{
    Members, Schema, list, number, of, one_of, or_null, page, seconds, sent, text, texts, told, yes,
};

pub(in crate::web::api) const ONE: Schema = Schema::new("User", one);
pub(in crate::web::api) const PAGE: Schema = Schema::new("Users", || page(ONE.pointed()));
pub(in crate::web::api) const CHANGE: Schema = Schema::new("UserChange", change);
pub(in crate::web::api) const IDENTITIES: Schema = Schema::new("Identities", identities);
pub(in crate::web::api) const GRANTS: Schema = Schema::new("Grants", grants);
pub(in crate::web::api) const SESSIONS: Schema = Schema::new("Sessions", sessions);
pub(in crate::web::api) const FACTORS: Schema = Schema::new("Factors", factors);
pub(in crate::web::api) const ENDED: Schema = Schema::new("Ended", ended);
pub(in crate::web::api) const DELETION: Schema = Schema::new("Deletion", deletion);
pub(in crate::web::api) const DELETIONS: Schema = Schema::new("Deletions", deletions);

fn one() -> Value {
    told(of([
        ("id", text()),
        ("sub", text()),
        ("name", or_null(text())),
        ("given_name", or_null(text())),
        ("family_name", or_null(text())),
        ("email", or_null(text())),
        ("email_verified", yes()),
        ("is_private_email", yes()),
        ("disabled", yes()),
        ("disabled_at", or_null(seconds())),
        ("created_at", seconds()),
        ("updated_at", seconds()),
        ("identities", list(json!({ "type": "object" }))),
        ("sessions", list(json!({ "type": "object" }))),
        ("version", number()),
    ]))
}

fn change() -> Value {
    sent(of([("disabled", yes())]), &["disabled"], &json!({ "disabled": false }))
}

fn identities() -> Value {
    let states = one_of(&["valid", "revoked", "unreachable"]);
    let grant = told(of([
        ("client_id", text()),
        ("state", states),
        ("since", seconds()),
        ("last_checked_at", or_null(seconds())),
        ("last_ok_at", or_null(seconds())),
        ("next_check_at", or_null(seconds())),
    ]));
    page(told(of([
        ("id", text()),
        ("authority", text()),
        ("subject", text()),
        ("connection", text()),
        ("email", or_null(text())),
        ("email_undeliverable_since", or_null(seconds())),
        ("created_at", seconds()),
        ("last_login_at", or_null(seconds())),
        ("ended_at", or_null(seconds())),
        ("upstream_grants", list(grant)),
    ])))
}

fn grants() -> Value {
    page(told(of([
        ("id", text()),
        ("client_id", text()),
        ("sid", or_null(text())),
        ("connection", or_null(text())),
        ("scope", text()),
        ("resources", texts()),
        ("created_at", seconds()),
        ("expires_at", seconds()),
        ("refresh_expires_at", seconds()),
        ("refreshes", number()),
    ])))
}

fn factors() -> Value {
    told(of([("totp_added_at", or_null(seconds())), ("recovery_codes", number())]))
}

fn sessions() -> Value {
    page(told(of([
        ("sid", text()),
        ("user_id", text()),
        ("sub", text()),
        ("connection", text()),
        ("auth_time", seconds()),
        ("created_at", seconds()),
        ("expires_at", seconds()),
    ])))
}

fn ended() -> Value {
    told(of([("sessions", number()), ("grants", number())]))
}

fn of_deletion() -> Members {
    of([
        ("id", text()),
        ("state", one_of(&["revoking", "erasing", "telling", "completed"])),
        ("requested_by", text()),
        ("requested_at", seconds()),
        ("completed_at", or_null(seconds())),
    ])
}

fn deletion() -> Value {
    let step = told(of([("step", text()), ("outcome", text()), ("at", seconds())]));
    let more = of([
        ("attempts", number()),
        ("due_at", seconds()),
        ("give_up_at", seconds()),
        ("steps", list(step)),
    ]);
    told(of_deletion().into_iter().chain(more).collect())
}

fn deletions() -> Value {
    let more = of([("attempts", number()), ("due_at", seconds())]);
    page(told(of_deletion().into_iter().chain(more).collect()))
}
