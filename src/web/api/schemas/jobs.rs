//! Jobs, and what clients are told.

use serde_json::{Value, json};

use super::{Schema, number, of, one_of, or_null, page, seconds, text, told};

pub(in crate::web::api) const PAGE: Schema = Schema::new("Jobs", jobs);
pub(in crate::web::api) const DELIVERIES: Schema = Schema::new("Deliveries", deliveries);

fn jobs() -> Value {
    page(told(of([
        ("name", text()),
        ("condition", one_of(&["running", "paused", "stopped", "held"])),
        ("since", seconds()),
        ("last_run_at", or_null(seconds())),
        ("last_ok_at", or_null(seconds())),
        ("resume_at", or_null(seconds())),
        ("failures", number()),
        ("detail", or_null(text())),
    ])))
}

fn deliveries() -> Value {
    page(told(of([
        ("id", text()),
        ("client_id", text()),
        ("kind", text()),
        ("state", one_of(&["owed", "delivered", "failed"])),
        ("attempts", number()),
        ("created_at", seconds()),
        ("due_at", seconds()),
        ("settled_at", or_null(seconds())),
        ("last_error", or_null(text())),
        ("cause", json!({})),
        ("event_type", or_null(text())),
    ])))
}
