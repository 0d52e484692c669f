//! The settings, and how the installation looks.

use serde_json::{Value, json};

use super::look::{branding_members, look};
use super::{Members, Schema, list, number, of, or_null, sent, set, text, told, yes};

pub(in crate::web::api) const SETTINGS: Schema = Schema::new("Settings", settings);
pub(in crate::web::api) const SETTINGS_CHANGE: Schema = Schema::new("SettingsChange", change);
pub(in crate::web::api) const BRANDING: Schema = Schema::new("Branding", branding);
pub(in crate::web::api) const BRANDING_CHANGE: Schema = Schema::new("BrandingChange", look_change);
pub(in crate::web::api) const CLIENT_BRANDING: Schema = Schema::new("ClientBranding", of_client);
pub(in crate::web::api) const PREVIEWED: Schema = Schema::new("BrandingPreview", previewed);
pub(in crate::web::api) const NEW_PICTURE: Schema = Schema::new("NewPicture", new_picture);
pub(in crate::web::api) const PICTURE: Schema = Schema::new("Picture", picture);

/// `null` sets one back.
fn members() -> Members {
    let days = json!({
        "type": "integer",
        "minimum": 0,
        "maximum": 36_500,
        "description": "For how many days events are kept; 0 keeps them for ever",
    });
    of([
        ("audit_retention_days", or_null(days)),
        ("require_second_factor", or_null(yes())),
        ("require_local_second_factor", or_null(yes())),
        ("console_connections", or_null(set(text()))),
    ])
}

fn with_version(members: Members) -> Value {
    told(members.into_iter().chain(of([("version", number())])).collect())
}

fn settings() -> Value {
    with_version(members())
}

fn change() -> Value {
    sent(members(), &[], &json!({ "audit_retention_days": 400 }))
}

fn branding() -> Value {
    with_version(branding_members())
}

fn look_change() -> Value {
    sent(branding_members(), &[], &json!({ "accent_color": "#1b4f9c" }))
}

fn of_client() -> Value {
    sent(look(), &[], &json!({ "accent_color": "#1b4f9c" }))
}

fn previewed() -> Value {
    let ratio = || json!({ "type": "number", "minimum": 1, "maximum": 21 });
    let html = json!({ "type": "string", "contentMediaType": "text/html" });
    let contrast = told(of([("field", text()), ("ratio", ratio()), ("needed", ratio())]));
    told(of([("html", html), ("contrasts", list(contrast))]))
}

fn new_picture() -> Value {
    let base64 = json!({ "type": "string", "contentEncoding": "base64" });
    let example = json!({ "content": "PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4=" });
    sent(of([("content", base64)]), &["content"], &example)
}

fn picture() -> Value {
    told(of([("id", text())]))
}
