//! The OpenAPI 3.1 document, made of the list of routes.

use actix_web::{HttpResponse, web};
use serde_json::{Map, Value, json};

use super::ROUTES;
use crate::protocol::client::{ClientKind, GrantType, TokenEndpointAuthMethod};
use crate::protocol::jose::Algorithm;
use crate::web::App;

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
    Events,
}

impl Schema {
    const ALL: [Self; 19] = [
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
        Self::Events,
    ];

    fn name(self) -> String {
        format!("{self:?}")
    }

    fn described(self) -> Value {
        let object = |members: Value| json!({ "type": "object", "properties": members });
        let page = |items: Value| {
            json!({
                "type": "object",
                "required": ["items", "next"],
                "properties": {
                    "items": { "type": "array", "items": items },
                    "next": { "type": ["string", "null"], "description": "Give it as after to read on" },
                },
            })
        };
        let to =
            |schema: Self| json!({ "$ref": format!("#/components/schemas/{}", schema.name()) });
        let text = json!({ "type": "string" });
        let maybe = json!({ "type": ["string", "null"] });
        let number = json!({ "type": "integer" });
        let yes = json!({ "type": "boolean" });
        match self {
            Self::Client => {
                let mut members = client_members();
                members.extend([
                    ("client_id".to_owned(), text.clone()),
                    ("kind".to_owned(), kinds()),
                    ("version".to_owned(), number),
                    ("client_secret".to_owned(), text),
                ]);
                object(Value::Object(members))
            }
            Self::NewClient => {
                let mut members = client_members();
                members.insert("kind".to_owned(), kinds());
                let mut schema = object(Value::Object(members));
                if let Some(schema) = schema.as_object_mut() {
                    schema.insert("required".to_owned(), json!(["kind", "client_name"]));
                }
                schema
            }
            Self::ClientChange => object(Value::Object(client_members())),
            Self::NewSecret => object(
                json!({ "overlap_seconds": { "type": "integer", "minimum": 0, "maximum": 2_592_000 } }),
            ),
            Self::Api | Self::NewApi => object(json!({
                "identifier": text,
                "name": text,
                "scopes": { "type": "array", "items": object(json!({ "name": text, "description": text })) },
                "access_token_ttl": number,
                "signing_alg": algorithms(),
            })),
            Self::ApiChange => object(json!({
                "name": text,
                "scopes": { "type": "array", "items": object(json!({ "name": text, "description": text })) },
                "access_token_ttl": number,
                "signing_alg": algorithms(),
            })),
            Self::User => object(json!({
                "id": text,
                "sub": text,
                "name": maybe,
                "email": maybe,
                "email_verified": yes,
                "is_private_email": yes,
                "created_at": number,
                "updated_at": number,
            })),
            Self::UserChange => json!({
                "type": "object",
                "required": ["disabled"],
                "additionalProperties": false,
                "properties": { "disabled": yes },
            }),
            Self::Deletion => object(json!({})),
            Self::Ended => object(json!({ "sessions": number, "grants": number })),
            Self::Sessions => page(object(json!({
                "sid": text,
                "user_id": text,
                "sub": text,
                "connection": text,
                "auth_time": number,
                "created_at": number,
                "expires_at": number,
            }))),
            Self::Key => object(json!({
                "kid": text,
                "alg": algorithms(),
                "state": { "enum": ["next", "active", "retiring", "gone"] },
                "created_at": number,
                "active_at": number,
            })),
            Self::NewKey => json!({
                "type": "object",
                "required": ["alg"],
                "properties": { "alg": algorithms() },
            }),
            Self::Events => page(object(json!({
                "id": number,
                "at": { "type": "integer", "description": "Milliseconds since the epoch" },
                "kind": text,
                "actor": text,
                "target": maybe,
                "request_id": maybe,
                "detail": {},
            }))),
            Self::Clients => page(to(Self::Client)),
            Self::Apis => page(to(Self::Api)),
            Self::Users => page(to(Self::User)),
            Self::Keys => page(to(Self::Key)),
        }
    }
}

fn kinds() -> Value {
    json!({ "enum": ClientKind::ALL.map(ClientKind::as_str) })
}

fn algorithms() -> Value {
    json!({ "enum": Algorithm::ALL.map(Algorithm::as_str) })
}

fn client_members() -> Map<String, Value> {
    let texts = json!({ "type": "array", "items": { "type": "string" } });
    let number = json!({ "type": "integer", "minimum": 0 });
    let yes = json!({ "type": "boolean" });
    let members = json!({
        "client_name": { "type": "string" },
        "redirect_uris": texts,
        "post_logout_redirect_uris": texts,
        "grant_types": { "type": "array", "items": { "enum": GrantType::ALL.map(GrantType::as_str) } },
        "scope": { "type": "string" },
        "token_endpoint_auth_method": {
            "enum": TokenEndpointAuthMethod::ALL.map(TokenEndpointAuthMethod::as_str),
        },
        "id_token_signed_response_alg": algorithms(),
        "require_pkce": yes,
        "first_party": yes,
        "resources": texts,
        "default_resource": { "type": ["string", "null"] },
        "apple_bundle_ids": texts,
        "require_native_challenge": yes,
        "refresh_token_idle_ttl": number,
        "refresh_token_absolute_ttl": number,
        "disabled": yes,
    });
    members.as_object().cloned().unwrap_or_default()
}

/// The document. Nobody needs a key to read what the API is like.
pub(super) async fn document(app: web::Data<App>) -> HttpResponse {
    HttpResponse::Ok().json(of_issuer(app.provider.issuer()))
}

fn of_issuer(issuer: &str) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in ROUTES {
        let content = |schema: Schema| {
            json!({ "application/json": {
                "schema": { "$ref": format!("#/components/schemas/{}", schema.name()) },
            } })
        };
        let mut done = json!({ "description": route.summary });
        if let (Some(answer), Some(done)) = (route.answer, done.as_object_mut()) {
            done.insert("content".to_owned(), content(answer));
        }
        let problem = json!({ "$ref": "#/components/responses/Problem" });
        let mut responses = Map::new();
        responses.insert(route.status.to_string(), done);
        responses.insert("default".to_owned(), problem);
        let mut operation = json!({
            "operationId": format!("{} {}", route.method.to_lowercase(), route.path),
            "summary": route.summary,
            "security": [{ "api_key": [route.scope.as_str()] }],
            "parameters": parameters(route.method, route.path),
            "responses": responses,
        });
        if let (Some(body), Some(operation)) = (route.body, operation.as_object_mut()) {
            operation.insert("requestBody".to_owned(), json!({ "content": content(body) }));
        }
        let path = paths.entry(route.path.to_owned()).or_insert_with(|| json!({}));
        if let Some(methods) = path.as_object_mut() {
            methods.insert(route.method.to_lowercase(), operation);
        }
    }
    let schemas: Map<String, Value> =
        Schema::ALL.iter().map(|schema| (schema.name(), schema.described())).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Russet admin API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What the console does, for scripts. Keys are made under Settings.",
        },
        "servers": [{ "url": format!("{issuer}/admin/api/v1") }],
        "paths": paths,
        "components": {
            "securitySchemes": { "api_key": { "type": "http", "scheme": "bearer" } },
            "responses": { "Problem": {
                "description": "What went wrong (RFC 9457)",
                "content": { "application/problem+json": { "schema": {
                    "type": "object",
                    "required": ["title", "status"],
                    "properties": {
                        "type": { "type": "string" },
                        "title": { "type": "string" },
                        "status": { "type": "integer" },
                        "detail": { "type": "string" },
                        "request_id": { "type": "string" },
                        "errors": { "type": "array", "items": { "type": "object" } },
                    },
                } } },
            } },
            "schemas": schemas,
        },
    })
}

fn parameters(method: &str, path: &str) -> Vec<Value> {
    let text = json!({ "type": "string" });
    let of = |place: &str, name: &str, required: bool| json!({ "name": name, "in": place, "required": required, "schema": text });
    let mut found: Vec<Value> =
        path.split(['{', '}']).skip(1).step_by(2).map(|name| of("path", name, true)).collect();
    let query: &[&str] = match (method, path) {
        ("GET", "/clients") => &["q", "after", "limit"],
        ("GET", "/users") => &["q", "state", "sort", "after", "limit"],
        ("GET", "/sessions") => &["after", "limit"],
        ("GET", "/events") => {
            &["kind", "actor", "target", "request_id", "from", "until", "after", "limit"]
        }
        _ => &[],
    };
    found.extend(query.iter().map(|name| of("query", name, false)));
    if method == "PATCH" && !path.starts_with("/users") {
        found.push(of("header", "If-Match", true));
    }
    if method == "POST" && !path.ends_with("/sign-out") {
        found.push(of("header", "Idempotency-Key", false));
    }
    found
}
