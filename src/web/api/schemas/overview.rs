//! What needs attention, who signs in, what is called so, and what a change touches.

use serde_json::{Value, json};

use super::{Schema, list, number, of, one_of, or_null, seconds, text, texts, told, yes};
use crate::protocol::sign_in_cause::Cause;

pub(in crate::web::api) const ATTENTION: Schema = Schema::new("Attention", attention);
pub(in crate::web::api) const COUNTS: Schema = Schema::new("SignInCounts", counts);
pub(in crate::web::api) const FOUND: Schema = Schema::new("Found", found);
pub(in crate::web::api) const EFFECTS: Schema = Schema::new("Effects", effects);

/// A cause and what mends it.
pub(super) fn explanation() -> Value {
    told(of([("cause", text()), ("remedy", text())]))
}

fn attention() -> Value {
    let about = json!({
        "type": "object",
        "description": "What it is about: connection, client_id, job, audit_receiver, api_key, \
                        admins, deletion, deliveries or unused_clients",
    });
    let concern = told(of([
        ("kind", text()),
        ("urgent", yes()),
        ("title", text()),
        ("detail", text()),
        ("at", or_null(number())),
        ("about", about),
    ]));
    told(of([("concerns", list(concern))]))
}

fn counts() -> Value {
    let cause = told(of([
        ("cause", json!({ "enum": Cause::ALL.map(Cause::as_str) })),
        ("failed", seconds()),
        ("explanation", explanation()),
    ]));
    let tally = told(of([
        ("of", text()),
        ("succeeded", seconds()),
        ("failed", seconds()),
        ("causes", list(cause)),
    ]));
    told(of([
        ("by", one_of(&["day", "client", "connection"])),
        ("from", json!({ "type": "string", "format": "date" })),
        ("succeeded", seconds()),
        ("failed", seconds()),
        ("counts", list(tally)),
    ]))
}

fn found() -> Value {
    let hits = || list(json!({ "type": "object" }));
    told(of([
        ("clients", hits()),
        ("apis", hits()),
        ("users", hits()),
        ("connections", hits()),
        ("sessions", hits()),
        ("events", hits()),
    ]))
}

fn effects() -> Value {
    told(of([
        ("clients", or_null(number())),
        ("people", number()),
        ("sessions", number()),
        ("grants", number()),
        ("apis", texts()),
        ("events", number()),
    ]))
}
