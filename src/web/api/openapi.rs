//! The OpenAPI 3.1 document, made of the list of routes.

use actix_web::{HttpResponse, web};
use serde_json::{Map, Value, json};

use super::schemas::Schema;
use super::{REASON, ROUTES, Route, query};
use crate::op::admin::LONGEST_REASON;
use crate::web::App;

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

fn parameters(Route { method, path, .. }: &Route) -> Vec<Value> {
    let parameter = |place: &str, name: &str, required: bool, schema: Value| json!({ "name": name, "in": place, "required": required, "schema": schema });
    let names = path.split(['{', '}']).skip(1).step_by(2);
    // An empty name would be another route.
    let named = json!({ "type": "string", "minLength": 1, "pattern": query::WITHOUT_NUL });
    let mut found: Vec<Value> =
        names.map(|name| parameter("path", name, true, named.clone())).collect();
    let queries = query::of(method, path).iter();
    found.extend(queries.map(|(name, kind)| parameter("query", name, false, kind.described())));
    if *method == "PATCH" && !path.starts_with("/users") {
        let etag = json!({ "type": "string", "pattern": "^\"[0-9]{1,9}\"$" });
        found.push(parameter("header", "If-Match", true, etag));
    }
    if *method != "GET" {
        let why = json!({
            "type": "string",
            "maxLength": LONGEST_REASON,
            "pattern": "^[ -~]*$",
            "description": "Why; it stands in the audit log",
        });
        found.push(parameter("header", REASON, false, why));
    }
    if *method == "POST" && !path.ends_with("/sign-out") {
        let key = json!({ "type": "string", "minLength": 1, "maxLength": 255 });
        found.push(parameter("header", "Idempotency-Key", false, key));
    }
    found
}
