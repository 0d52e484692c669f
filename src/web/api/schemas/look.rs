//! How the installation and its clients look, as JSON Schema.

use serde_json::{Value, json};

use super::{Members, of, or_null, text, words};
use crate::protocol::metadata::UI_LOCALES;

/// A client's look; the colours must also be readable.
pub(super) fn branding() -> Value {
    json!({ "type": "object", "additionalProperties": false, "properties": look() })
}

/// The members of that.
pub(super) fn look() -> Members {
    let colour = || or_null(json!({ "type": "string", "pattern": "^#?[0-9A-Fa-f]{6}$" }));
    of([
        ("logo", or_null(json!({ "type": "string", "pattern": "^[0-9a-f]{32}$" }))),
        ("accent_color", colour()),
        ("accent_color_dark", colour()),
        ("background_color", colour()),
        ("background_color_dark", colour()),
    ])
}

pub(super) fn branding_members() -> Members {
    let locales = or_null(json!({ "enum": UI_LOCALES }));
    look()
        .into_iter()
        .chain(of([
            ("name", or_null(words(1, 60))),
            ("support_uri", or_null(text())),
            ("policy_uri", or_null(text())),
            ("tos_uri", or_null(text())),
            ("default_locale", locales),
        ]))
        .collect()
}
