//! APIs in the admin API.

use actix_web::{Error, HttpRequest, HttpResponse, web};
use serde_json::Value;

use super::{Asked, Caller, answer, created, done, page};
use crate::op::admin::from_json::api_change;
use crate::op::admin::metadata::api_metadata;
use crate::op::admin::{ListQuery, NewApi};
use crate::protocol::client_settings::ApiSettings;

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/apis").route(web::get().to(list)).route(web::post().to(create)))
        // An identifier is a URL: the rest of the path is all of it.
        .service(
            web::resource("/apis/{identifier:.+}")
                .route(web::get().to(show))
                .route(web::patch().to(change))
                .route(web::delete().to(delete)),
        );
}

async fn list(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let found = caller.app.administration.page_of_apis(&searched(&asked)).await;
    let found = caller.got(found)?;
    Ok(page(found.items.iter().map(api_metadata).collect(), asked.next(found.next)))
}

/// What a list that is searched was asked for.
pub(super) fn searched(asked: &Asked) -> ListQuery {
    ListQuery {
        search: asked.get("q"),
        after: asked.place(),
        limit: asked.limit(),
        ..ListQuery::default()
    }
}

async fn create(caller: Caller, body: web::Bytes) -> Result<HttpResponse, Error> {
    let mut members = caller.members(&body)?;
    let identifier = members.remove("identifier");
    let identifier = identifier.as_ref().and_then(Value::as_str).unwrap_or_default();
    let change = caller.got(api_change(members, &ApiSettings::default()))?;
    let new = NewApi {
        identifier: identifier.to_owned(),
        name: change.name.unwrap_or_default(),
        scopes: change.scopes.unwrap_or_default(),
        access_token_ttl: change.access_token_ttl,
        signing_alg: change.signing_alg,
        settings: change.settings.unwrap_or_default(),
    };
    let made = caller.app.administration.create_api(&caller.actor(), new).await;
    Ok(created(None, api_metadata(&caller.got(made)?)))
}

/// The identifier in the path, whether or not its slashes were percent-encoded.
fn identifier(request: &HttpRequest) -> String {
    let raw = request.match_info().query("identifier").replace('+', "%2B");
    let pair = format!("x={raw}");
    let decoded = url::form_urlencoded::parse(pair.as_bytes()).next();
    decoded.map(|(_, value)| value.into_owned()).unwrap_or_default()
}

async fn show(caller: Caller, request: HttpRequest) -> Result<HttpResponse, Error> {
    let api = caller.app.administration.find_api(&identifier(&request)).await;
    Ok(answer(api_metadata(&caller.got(api)?)))
}

async fn change(
    caller: Caller,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Error> {
    let members = caller.members(&body)?;
    let identifier = identifier(&request);
    let administration = &caller.app.administration;
    let stands = caller.got(administration.find_api(&identifier).await)?;
    let mut change = caller.got(api_change(members, &stands.settings))?;
    change.version = Some(caller.seen(stands.version)?);
    let api = administration.update_api(&caller.actor(), &identifier, change).await;
    Ok(answer(api_metadata(&caller.got(api)?)))
}

async fn delete(caller: Caller, request: HttpRequest) -> Result<HttpResponse, Error> {
    let identifier = identifier(&request);
    let administration = &caller.app.administration;
    let stands = caller.got(administration.find_api(&identifier).await)?;
    let seen = caller.unless_seen_otherwise(Some(stands.version))?;
    caller.got(administration.delete_api(&caller.actor(), &identifier, seen).await)?;
    Ok(done())
}
