//! A resource server that trusts only the broker's JWKS — RFC 6750, RFC 9068.

mod access_token;
mod jwks;

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde_json::json;

use self::access_token::{AccessToken, TokenError, Validator};
use self::jwks::RemoteJwks;
use super::outbound::Outbound;
use super::server::{self, Running};
use crate::protocol::ambient::Clock;

/// The scope that `GET /orders` needs.
pub const ORDERS_READ: &str = "orders:read";
/// The scope that `POST /orders` needs.
pub const ORDERS_WRITE: &str = "orders:write";

const REALM: &str = "demo-api";

/// What the demo API needs to know.
pub struct Settings {
    /// A loopback address; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Whose tokens it accepts.
    pub issuer: String,
    /// Its resource identifier: the `aud` it accepts.
    pub identifier: String,
    /// The time tokens are checked against.
    pub clock: Arc<dyn Clock>,
}

/// Starts the demo API. It asks the issuer for keys when the first token comes, so either may be
/// started first.
///
/// # Errors
/// When the address is taken or not on loopback.
pub fn start(settings: Settings) -> std::io::Result<Running> {
    let outbound = Outbound::new().map_err(std::io::Error::other)?;
    let Settings { listen, issuer, identifier, clock } = settings;
    let jwks = RemoteJwks::of(issuer.clone(), outbound, Arc::clone(&clock));
    let api = web::Data::new(Api {
        validator: Validator::new(issuer.clone(), identifier.clone(), jwks, clock),
        issuer,
        identifier,
    });
    server::start(listen, move |routes| {
        routes
            .app_data(api.clone())
            .service(web::resource("/").get(how_to_call).route(preflight()))
            .service(
                web::resource("/orders")
                    .get(list_orders)
                    .post(place_order)
                    .route(preflight())
                    .default_service(web::to(method_not_allowed)),
            );
    })
}

struct Api {
    validator: Validator,
    issuer: String,
    identifier: String,
}

/// How to call this API, for a person.
#[derive(Template)]
#[template(path = "demo/api.html")]
pub(super) struct HowToCall {
    pub(super) address: String,
    pub(super) issuer: String,
    pub(super) identifier: String,
}

fn preflight() -> actix_web::Route {
    web::method(actix_web::http::Method::OPTIONS).to(answer_preflight)
}

/// Any origin may call: the token in the request is the only authority, and there are no cookies.
fn open(mut response: HttpResponse) -> HttpResponse {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, "WWW-Authenticate"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, header::HeaderValue::from_static(value));
    }
    response
}

async fn answer_preflight() -> HttpResponse {
    open(
        HttpResponse::NoContent()
            .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"))
            .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type"))
            .insert_header((header::ACCESS_CONTROL_MAX_AGE, "600"))
            .finish(),
    )
}

async fn method_not_allowed() -> HttpResponse {
    open(
        HttpResponse::MethodNotAllowed()
            .insert_header((header::ALLOW, "GET, POST, OPTIONS"))
            .json(json!({ "error": "method_not_allowed" })),
    )
}

async fn how_to_call(api: web::Data<Api>, request: HttpRequest) -> actix_web::Result<HttpResponse> {
    let address = {
        let connection = request.connection_info();
        format!("{}://{}", connection.scheme(), connection.host())
    };
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/html")) {
        let page =
            HowToCall { address, issuer: api.issuer.clone(), identifier: api.identifier.clone() };
        return server::page(page.render(), &[]);
    }
    Ok(open(HttpResponse::Ok().json(json!({
        "name": "Demo API",
        "identifier": api.identifier,
        "issuer": api.issuer,
        "how": "Send an access token of this issuer for this identifier as Authorization: Bearer.",
        "endpoints": [
            { "request": format!("GET {address}/orders"), "scope": ORDERS_READ },
            { "request": format!("POST {address}/orders"), "scope": ORDERS_WRITE },
        ],
    }))))
}

async fn list_orders(api: web::Data<Api>, request: HttpRequest) -> HttpResponse {
    open(match authorize(&api, &request, ORDERS_READ).await {
        Ok(token) => HttpResponse::Ok().json(json!({
            "orders": [
                { "id": 1041, "item": "Egremont Russet, 3 kg", "status": "delivered" },
                { "id": 1042, "item": "Cider press", "status": "on its way" },
            ],
            "called_by": called_by(&token),
        })),
        Err(refusal) => refusal,
    })
}

async fn place_order(api: web::Data<Api>, request: HttpRequest) -> HttpResponse {
    open(match authorize(&api, &request, ORDERS_WRITE).await {
        Ok(token) => HttpResponse::Created().json(json!({
            "order": { "id": 1043, "item": "Belle de Boskoop, 5 kg", "status": "placed" },
            "called_by": called_by(&token),
        })),
        Err(refusal) => refusal,
    })
}

fn called_by(token: &AccessToken) -> serde_json::Value {
    json!({ "sub": token.sub, "client_id": token.client_id, "scope": token.scope })
}

/// The token of a request, if it is good and allows `scope`; otherwise the refusal (RFC 6750 §3).
async fn authorize(
    api: &Api,
    request: &HttpRequest,
    scope: &str,
) -> Result<AccessToken, HttpResponse> {
    let token = match bearer(request) {
        Bearer::Token(token) => token,
        Bearer::Absent => {
            return Err(refuse(StatusCode::UNAUTHORIZED, None, "an access token is needed", scope));
        }
        Bearer::Malformed => {
            return Err(refuse(
                StatusCode::BAD_REQUEST,
                Some("invalid_request"),
                "the Authorization header does not hold one bearer token",
                scope,
            ));
        }
    };
    match api.validator.validate(token).await {
        Ok(token) if token.allows(scope) => Ok(token),
        Ok(_) => Err(refuse(
            StatusCode::FORBIDDEN,
            Some("insufficient_scope"),
            "the token does not allow this",
            scope,
        )),
        Err(TokenError::Invalid(reason)) => {
            Err(refuse(StatusCode::UNAUTHORIZED, Some("invalid_token"), reason, scope))
        }
        Err(TokenError::Keys(error)) => {
            tracing::warn!(%error, "the demo API cannot have the issuer's keys");
            Err(HttpResponse::ServiceUnavailable().insert_header((header::RETRY_AFTER, "2")).json(
                json!({
                    "error": "temporarily_unavailable",
                    "error_description": "the issuer's keys cannot be fetched at the moment",
                }),
            ))
        }
    }
}

enum Bearer<'r> {
    Token(&'r str),
    Absent,
    Malformed,
}

fn bearer(request: &HttpRequest) -> Bearer<'_> {
    let mut values = request.headers().get_all(header::AUTHORIZATION);
    let Some(value) = values.next() else { return Bearer::Absent };
    if values.next().is_some() {
        return Bearer::Malformed;
    }
    let Ok(value) = value.to_str() else { return Bearer::Malformed };
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Bearer::Absent;
    }
    let token = token.trim();
    if token.is_empty() || token.contains([' ', ',']) {
        return Bearer::Malformed;
    }
    Bearer::Token(token)
}

fn refuse(status: StatusCode, error: Option<&str>, description: &str, scope: &str) -> HttpResponse {
    let challenge = match error {
        // Nothing was presented, so nothing is wrong with it (RFC 6750 §3.1).
        None => format!("Bearer realm=\"{REALM}\", scope=\"{scope}\""),
        Some(error) => format!(
            "Bearer realm=\"{REALM}\", error=\"{error}\", error_description=\"{description}\", \
             scope=\"{scope}\""
        ),
    };
    HttpResponse::build(status).insert_header((header::WWW_AUTHENTICATE, challenge)).json(json!({
        "error": error.unwrap_or("missing_token"),
        "error_description": description,
    }))
}
