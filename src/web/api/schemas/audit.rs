//! The audit log: events, who is told them, and kept views.

use serde_json::{Value, json};

use super::overview::explanation;
use super::{
    Members, Schema, number, of, or_null, page, seconds, sent, short_name, text, texts, told, yes,
};

pub(in crate::web::api) const EVENT: Schema = Schema::new("Event", event);
pub(in crate::web::api) const EVENTS: Schema = Schema::new("Events", || page(told(members())));
pub(in crate::web::api) const EXPORT: Schema = Schema::new("EventExport", text);
pub(in crate::web::api) const VERIFIED: Schema = Schema::new("Verification", verified);
pub(in crate::web::api) const RECEIVER: Schema = Schema::new("AuditReceiver", receiver);
pub(in crate::web::api) const RECEIVERS: Schema =
    Schema::new("AuditReceivers", || page(RECEIVER.pointed()));
pub(in crate::web::api) const NEW_RECEIVER: Schema = Schema::new("NewAuditReceiver", new_receiver);
pub(in crate::web::api) const VIEW: Schema = Schema::new("AuditView", view);
pub(in crate::web::api) const VIEWS: Schema = Schema::new("AuditViews", || page(VIEW.pointed()));
pub(in crate::web::api) const NEW_VIEW: Schema = Schema::new("NewAuditView", new_view);

fn members() -> Members {
    of([
        ("id", number()),
        ("at", json!({ "type": "integer", "description": "Milliseconds since the epoch" })),
        ("kind", text()),
        ("actor", text()),
        ("target", or_null(text())),
        ("request_id", or_null(text())),
        ("detail", json!({})),
    ])
}

fn link() -> Value {
    or_null(told(of([("seq", number()), ("hash", text())])))
}

fn event() -> Value {
    told(
        members()
            .into_iter()
            .chain(of([("link", link()), ("explanation", or_null(explanation()))]))
            .collect(),
    )
}

fn verified() -> Value {
    told(of([
        ("ok", yes()),
        ("checked", number()),
        ("from", number()),
        ("unchained", number()),
        ("head", link()),
        ("faults", texts()),
    ]))
}

fn receiver() -> Value {
    told(of([
        ("id", text()),
        ("name", text()),
        ("url", text()),
        ("area", text()),
        ("seq", number()),
        ("attempts", number()),
        ("taken_at", or_null(seconds())),
        ("last_error", or_null(text())),
    ]))
}

fn new_receiver() -> Value {
    let url = json!({ "type": "string", "format": "uri", "maxLength": 2048 });
    let area = json!({ "type": "string", "pattern": "^[a-z_]*$" });
    let members = of([("name", short_name()), ("url", url), ("area", area)]);
    let example = json!({ "name": "SIEM", "url": "https://siem.example.com/russet" });
    sent(members, &["name", "url"], &example)
}

fn view() -> Value {
    told(of([("name", text()), ("query", text())]))
}

fn new_view() -> Value {
    let query = json!({
        "type": "string",
        "pattern": r"^\?[^\u0000-\u001f\u007f-\u009f]*$",
        "maxLength": 500,
    });
    let members = of([("name", short_name()), ("query", query)]);
    sent(members, &["name", "query"], &json!({ "name": "Clients", "query": "?area=client" }))
}
