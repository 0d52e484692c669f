//! The OpenAPI 3.1 document, made of the list of routes.

use std::fmt::Write as _;

use actix_web::{HttpResponse, web};
use serde_json::{Map, Value, json};

use super::schemas::Schema;
use super::{REASON, ROUTES, Route, query};
use crate::op::admin::LONGEST_REASON;
use crate::protocol::api_key::ApiScope;
use crate::web::App;

/// The document. Nobody needs a key to read what the API is like.
pub(super) async fn document(app: web::Data<App>) -> HttpResponse {
    HttpResponse::Ok().json(of_issuer(app.provider.issuer()))
}

fn of_issuer(issuer: &str) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in ROUTES {
        let content =
            |schema: Schema| json!({ "application/json": { "schema": schema.pointed() } });
        let mut done = json!({ "description": route.summary });
        if let (Some(answer), Some(done)) = (route.answer, done.as_object_mut()) {
            let content = route
                .media
                .iter()
                .map(|media| ((*media).to_owned(), json!({ "schema": answer.pointed() })));
            done.insert("content".to_owned(), Value::Object(content.collect()));
        }
        let problem = json!({ "$ref": "#/components/responses/Problem" });
        let mut responses = Map::new();
        responses.insert(route.status.to_string(), done);
        responses.insert("default".to_owned(), problem);
        let mut operation = json!({
            "operationId": format!("{} {}", route.method.to_lowercase(), route.path),
            "summary": route.summary,
            "description": told(route),
            "security": [{ "api_key": [route.scope.as_str()] }],
            "parameters": parameters(route),
            "responses": responses,
        });
        if let (Some(body), Some(operation)) = (route.body, operation.as_object_mut()) {
            let required = route.needs_body();
            let body = json!({ "required": required, "content": content(body) });
            operation.insert("requestBody".to_owned(), body);
        }
        let path = paths.entry(route.path.to_owned()).or_insert_with(|| json!({}));
        if let Some(methods) = path.as_object_mut() {
            methods.insert(route.method.to_lowercase(), operation);
        }
    }
    let named = ROUTES.iter().flat_map(|route| route.body.into_iter().chain(route.answer));
    let schemas: Map<String, Value> =
        named.map(|schema| (schema.name.to_owned(), (schema.described)())).collect();
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
            "securitySchemes": { "api_key": {
                "type": "http",
                "scheme": "bearer",
                "description": scopes(),
            } },
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

fn scopes() -> String {
    let line = |scope: &ApiScope| format!("- `{}`: {}", scope.as_str(), scope.words());
    let lines: Vec<_> = ApiScope::ALL.iter().map(line).collect();
    format!("A key of the admin API, which holds some of these scopes:\n\n{}", lines.join("\n"))
}

/// What a key must hold, in words: `security` has no place for what only some requests need.
fn told(route: &Route) -> String {
    let mut words = format!("Needs the scope `{}`.", route.scope.as_str());
    if let Some((scope, what)) = route.besides {
        let _ = write!(words, " For {what}, also `{}`.", scope.as_str());
    }
    words
}

fn parameters(route: &Route) -> Vec<Value> {
    let parameter = |place: &str, name: &str, required: bool, schema: Value| json!({ "name": name, "in": place, "required": required, "schema": schema });
    let names = route.path.split(['{', '}']).skip(1).step_by(2);
    // An empty name would be another route.
    let named = json!({ "type": "string", "minLength": 1, "pattern": query::WITHOUT_NUL });
    let mut found: Vec<Value> =
        names.map(|name| parameter("path", name, true, named.clone())).collect();
    let queries = route.query.iter();
    found.extend(queries.map(|(name, kind)| parameter("query", name, false, kind.described())));
    if route.changes() || route.method == "DELETE" {
        let etag = json!({ "type": "string", "pattern": "^(\\*|\"[0-9]{1,15}\")$" });
        found.push(parameter("header", "If-Match", route.changes(), etag));
    }
    if route.method != "GET" {
        let why = json!({
            "type": "string",
            "maxLength": LONGEST_REASON,
            "pattern": "^[ -~]*$",
            "description": "Why; it stands in the audit log",
        });
        found.push(parameter("header", REASON, false, why));
    }
    if route.once() {
        let key =
            json!({ "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]*$" });
        found.push(parameter("header", "Idempotency-Key", false, key));
    }
    found
}
