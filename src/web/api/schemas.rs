//! What is sent and answered, as JSON Schema.

#![expect(clippy::needless_pass_by_value, reason = "a schema goes into the one that holds it")]

mod look;
mod registered;

use serde_json::{Map, Value, json};

use crate::protocol::client::ClientKind;
use crate::protocol::jose::Algorithm;
use look::branding_members;
use registered::{api_members, client_members, client_settings};

/// What is sent and answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    Client,
    Clients,
    NewClient,
    ClientChange,
    NewSecret,
    Api,
    Apis,
    NewApi,
    ApiChange,
    User,
    Users,
    UserChange,
    Deletion,
    Ended,
    Sessions,
    Key,
    Keys,
    NewKey,
    Branding,
    BrandingChange,
    NewPicture,
    Picture,
    Events,
    AuditReceiver,
    AuditReceivers,
    NewAuditReceiver,
    AuditView,
    AuditViews,
    NewAuditView,
}

impl Schema {
    pub(super) const ALL: [Self; 29] = [
        Self::Client,
        Self::Clients,
        Self::NewClient,
        Self::ClientChange,
        Self::NewSecret,
        Self::Api,
        Self::Apis,
        Self::NewApi,
        Self::ApiChange,
        Self::User,
        Self::Users,
        Self::UserChange,
        Self::Deletion,
        Self::Ended,
        Self::Sessions,
        Self::Key,
        Self::Keys,
        Self::NewKey,
        Self::Branding,
        Self::BrandingChange,
        Self::NewPicture,
        Self::Picture,
        Self::Events,
        Self::AuditReceiver,
        Self::AuditReceivers,
        Self::NewAuditReceiver,
        Self::AuditView,
        Self::AuditViews,
        Self::NewAuditView,
    ];

    pub(super) fn name(self) -> String {
        format!("{self:?}")
    }

    pub(super) fn described(self) -> Value {
        match self {
            Self::Client => told(
                client_members()
                    .into_iter()
                    .chain(client_settings())
                    .chain(of([
                        ("client_id", text()),
                        ("client_id_issued_at", seconds()),
                        ("kind", kinds()),
                        ("application_type", json!({ "enum": ["web", "native"] })),
                        ("response_types", list(text())),
                        ("updated_at", seconds()),
                        ("version", number()),
                        ("client_secret", text()),
                        ("client_secret_expires_at", seconds()),
                    ]))
                    .collect(),
            ),
            Self::NewClient => {
                let members = client_members().into_iter().chain(of([("kind", kinds())]));
                let members = members.chain(client_settings()).collect();
                let example = json!({
                    "kind": "web",
                    "client_name": "Shop",
                    "redirect_uris": ["https://shop.example/callback"],
                });
                sent(members, &["kind", "client_name"], &example)
            }
            Self::ClientChange => {
                let members = client_members().into_iter().chain(client_settings()).collect();
                sent(members, &[], &json!({ "client_name": "Shop" }))
            }
            Self::NewSecret => {
                let seconds = json!({ "type": "integer", "minimum": 0, "maximum": 2_592_000 });
                sent(of([("overlap_seconds", seconds)]), &[], &json!({ "overlap_seconds": 3600 }))
            }
            Self::Api => told(
                api_members()
                    .into_iter()
                    .chain(of([
                        ("identifier", text()),
                        ("created_at", seconds()),
                        ("updated_at", seconds()),
                        ("version", number()),
                    ]))
                    .collect(),
            ),
            Self::NewApi => {
                let identifier = json!({ "type": "string", "format": "uri", "maxLength": 2048 });
                let members = api_members().into_iter().chain(of([("identifier", identifier)]));
                let example = json!({
                    "identifier": "https://orders.example.com",
                    "name": "Orders",
                    "scopes": [{ "name": "orders:read", "description": "See orders" }],
                });
                sent(members.collect(), &["identifier", "name"], &example)
            }
            Self::ApiChange => sent(api_members(), &[], &json!({ "name": "Orders" })),
            Self::User => told(of([
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
            ])),
            Self::UserChange => {
                sent(of([("disabled", yes())]), &["disabled"], &json!({ "disabled": false }))
            }
            Self::Deletion => told(of([("id", text())])),
            Self::Ended => told(of([("sessions", number()), ("grants", number())])),
            Self::Sessions => page(told(of([
                ("sid", text()),
                ("user_id", text()),
                ("sub", text()),
                ("connection", text()),
                ("auth_time", seconds()),
                ("created_at", seconds()),
                ("expires_at", seconds()),
            ]))),
            Self::Key => told(of([
                ("kid", text()),
                ("alg", algorithms()),
                ("state", json!({ "enum": ["next", "active", "retiring", "gone"] })),
                ("created_at", seconds()),
                ("active_at", seconds()),
                ("retiring_at", or_null(seconds())),
                ("gone_at", or_null(seconds())),
            ])),
            Self::NewKey => sent(of([("alg", algorithms())]), &["alg"], &json!({ "alg": "ES256" })),
            Self::Branding => {
                told(branding_members().into_iter().chain(of([("version", number())])).collect())
            }
            Self::BrandingChange => {
                sent(branding_members(), &[], &json!({ "accent_color": "#1b4f9c" }))
            }
            Self::NewPicture => {
                let base64 = json!({ "type": "string", "contentEncoding": "base64" });
                let example = json!({ "content": "PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4=" });
                sent(of([("content", base64)]), &["content"], &example)
            }
            Self::Picture => told(of([("id", text())])),
            Self::Events => page(told(of([
                ("id", number()),
                ("at", json!({ "type": "integer", "description": "Milliseconds since the epoch" })),
                ("kind", text()),
                ("actor", text()),
                ("target", or_null(text())),
                ("request_id", or_null(text())),
                ("detail", json!({})),
            ]))),
            Self::AuditReceiver => told(of([
                ("id", text()),
                ("name", text()),
                ("url", text()),
                ("area", text()),
                ("seq", number()),
                ("attempts", number()),
                ("taken_at", or_null(seconds())),
                ("last_error", or_null(text())),
            ])),
            Self::NewAuditReceiver => {
                let url = json!({ "type": "string", "format": "uri", "maxLength": 2048 });
                let area = json!({ "type": "string", "pattern": "^[a-z_]*$" });
                let members = of([("name", short_name()), ("url", url), ("area", area)]);
                let example = json!({ "name": "SIEM", "url": "https://siem.example.com/russet" });
                sent(members, &["name", "url"], &example)
            }
            Self::AuditView => told(of([("name", text()), ("query", text())])),
            Self::NewAuditView => {
                let query = json!({
                    "type": "string",
                    "pattern": r"^\?[^\u0000-\u001f\u007f-\u009f]*$",
                    "maxLength": 500,
                });
                let members = of([("name", short_name()), ("query", query)]);
                let example = json!({ "name": "Clients", "query": "?area=client" });
                sent(members, &["name", "query"], &example)
            }
            Self::AuditReceivers => page(to(Self::AuditReceiver)),
            Self::AuditViews => page(to(Self::AuditView)),
            Self::Clients => page(to(Self::Client)),
            Self::Apis => page(to(Self::Api)),
            Self::Users => page(to(Self::User)),
            Self::Keys => page(to(Self::Key)),
        }
    }
}

type Members = Map<String, Value>;

fn of<const N: usize>(members: [(&str, Value); N]) -> Members {
    members.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

fn told(members: Members) -> Value {
    json!({ "type": "object", "properties": members })
}

/// What is not named is refused.
fn sent(members: Members, required: &[&str], example: &Value) -> Value {
    json!({
        "type": "object",
        "required": required,
        "additionalProperties": false,
        "properties": members,
        "examples": [example],
    })
}

fn page(items: Value) -> Value {
    let next = "Give it as after to read on";
    json!({
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": list(items),
            "next": { "type": ["string", "null"], "description": next },
        },
    })
}

fn to(schema: Schema) -> Value {
    json!({ "$ref": format!("#/components/schemas/{}", schema.name()) })
}

fn text() -> Value {
    json!({ "type": "string" })
}

/// What people read: no control characters.
fn words(least: u32, most: u32) -> Value {
    json!({
        "type": "string",
        "minLength": least,
        "maxLength": most,
        "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$",
    })
}

fn name() -> Value {
    let mut name = words(1, 100);
    if let Some(members) = name.as_object_mut() {
        members.insert("pattern".to_owned(), json!(r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"));
    }
    name
}

fn short_name() -> Value {
    let mut name = name();
    if let Some(members) = name.as_object_mut() {
        members.insert("maxLength".to_owned(), json!(60));
    }
    name
}

fn number() -> Value {
    json!({ "type": "integer" })
}

fn seconds() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn yes() -> Value {
    json!({ "type": "boolean" })
}

fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

/// A list of at most a hundred, each once.
fn set(items: Value) -> Value {
    json!({ "type": "array", "items": items, "maxItems": 100, "uniqueItems": true })
}

fn or_null(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

fn kinds() -> Value {
    json!({ "enum": ClientKind::ALL.map(ClientKind::as_str) })
}

fn algorithms() -> Value {
    json!({ "enum": Algorithm::ALL.map(Algorithm::as_str) })
}
