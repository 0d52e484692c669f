//! APIs, people, sessions, keys and events in the admin API.

use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::{Asked, Caller, Made, answer, page};
use crate::op::Failure;
use crate::op::admin::from_json::api_change;
use crate::op::admin::metadata::api_metadata;
use crate::op::admin::{EventQuery, NewApi};
use crate::op::ending::Ended;
use crate::protocol::ambient::Timestamp;
use crate::protocol::client_settings::ApiSettings;
use crate::protocol::id::{DeletionId, GrantId, SessionId};
use crate::protocol::jose::Algorithm;
use crate::protocol::keyring::StoredKey;
use crate::protocol::user::User;
use crate::store::people::PeopleQuery;

pub(super) async fn list_apis(caller: Caller) -> Result<HttpResponse, Error> {
    let apis = caller.app.administration.list_apis().await;
    let apis = apis.map_err(|error| caller.refuse(error))?;
    Ok(page(apis.iter().map(api_metadata).collect(), None))
}

pub(super) async fn create_api(caller: Caller, body: web::Bytes) -> Result<HttpResponse, Error> {
    let mut members = caller.members(&body)?;
    caller
        .once(&body, async {
            let identifier = members.remove("identifier");
            let identifier = identifier.as_ref().and_then(Value::as_str).unwrap_or_default();
            let none = ApiSettings::default();
            let change = api_change(members, &none).map_err(|error| caller.refuse(error))?;
            let new = NewApi {
                identifier: identifier.to_owned(),
                name: change.name.unwrap_or_default(),
                scopes: change.scopes.unwrap_or_default(),
                access_token_ttl: change.access_token_ttl,
                signing_alg: change.signing_alg,
                settings: change.settings.unwrap_or_default(),
            };
            let api = caller.app.administration.create_api(&caller.actor(), new).await;
            let api = api.map_err(|error| caller.refuse(error))?;
            Ok(Made { status: StatusCode::CREATED, location: None, body: api_metadata(&api) })
        })
        .await
}

/// The identifier in the path, whether or not its slashes were percent-encoded.
fn identifier(request: &HttpRequest) -> String {
    let raw = request.match_info().query("identifier").replace('+', "%2B");
    let pair = format!("x={raw}");
    let decoded = url::form_urlencoded::parse(pair.as_bytes()).next();
    decoded.map(|(_, value)| value.into_owned()).unwrap_or_default()
}

pub(super) async fn show_api(caller: Caller, request: HttpRequest) -> Result<HttpResponse, Error> {
    let api = caller.app.administration.find_api(&identifier(&request)).await;
    Ok(answer(api_metadata(&api.map_err(|error| caller.refuse(error))?)))
}

pub(super) async fn change_api(
    caller: Caller,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Error> {
    let members = caller.members(&body)?;
    let identifier = identifier(&request);
    let administration = &caller.app.administration;
    let stands = administration.find_api(&identifier).await;
    let stands = stands.map_err(|error| caller.refuse(error))?;
    let mut change = api_change(members, &stands.settings).map_err(|error| caller.refuse(error))?;
    change.version = Some(caller.seen()?);
    let api = administration.update_api(&caller.actor(), &identifier, change).await;
    Ok(answer(api_metadata(&api.map_err(|error| caller.refuse(error))?)))
}

pub(super) async fn delete_api(
    caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse, Error> {
    let administration = &caller.app.administration;
    let done = administration.delete_api(&caller.actor(), &identifier(&request)).await;
    done.map_err(|error| caller.refuse(error))?;
    Ok(HttpResponse::NoContent().finish())
}

fn brief(user: &User) -> Value {
    json!({
        "id": user.id,
        "sub": user.sub,
        "name": user.name,
        "email": user.email,
        "email_verified": user.email_verified,
        "is_private_email": user.is_private_email,
        "disabled": user.disabled_at.is_some(),
        "created_at": user.created_at.secs(),
        "updated_at": user.updated_at.secs(),
    })
}

pub(super) async fn list_users(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let query = PeopleQuery {
        search: asked.get("q"),
        disabled: asked.get("state").as_deref() == Some("disabled"),
        oldest_first: asked.get("sort").as_deref() == Some("oldest"),
        after: asked.get("after"),
        limit: asked.limit(),
    };
    let found = caller.app.administration.list_people(&query).await;
    let found = found.map_err(|error| caller.refuse(error))?;
    Ok(page(found.items.iter().map(brief).collect(), found.next))
}

pub(super) async fn show_user(
    caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let person = caller.app.administration.find_person(&id).await;
    Ok(answer(person.map_err(|error| caller.refuse(error))?.to_json()))
}

pub(super) async fn change_user(
    caller: Caller,
    id: web::Path<String>,
    body: web::Bytes,
) -> Result<HttpResponse, Error> {
    let members = caller.members(&body)?;
    let disabled = match (members.len(), members.get("disabled").and_then(Value::as_bool)) {
        (1, Some(disabled)) => disabled,
        _ => {
            let detail = "The one member that can be changed is disabled, true or false.";
            let title = "It breaks a rule";
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Err(caller.problem(status, title, Some(detail.to_owned())));
        }
    };
    let administration = &caller.app.administration;
    let user = administration.set_user_disabled(&caller.actor(), &id, disabled).await;
    Ok(answer(brief(&user.map_err(|error| caller.refuse(error))?)))
}

pub(super) async fn delete_user(
    caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let administration = &caller.app.administration;
    let deletion = administration.delete_user(&caller.actor(), &id).await;
    let deletion = deletion.map_err(|error| caller.refuse(error))?;
    let receipt = administration.deletion(&deletion.id).await;
    let receipt = receipt.map_err(|error| caller.refuse(error))?;
    let location = format!("{}/admin/api/v1/deletions/{}", caller.app.base, deletion.id);
    Ok(Made { status: StatusCode::ACCEPTED, location: Some(location), body: receipt.to_json() }
        .response())
}

pub(super) async fn deletion(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let receipt = caller.app.administration.deletion(&DeletionId::new(id.into_inner())).await;
    Ok(answer(receipt.map_err(|error| caller.refuse(error))?.to_json()))
}

fn counted(ended: Ended) -> HttpResponse {
    answer(json!({ "sessions": ended.sessions, "grants": ended.grants }))
}

pub(super) async fn sign_out_user(
    caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let administration = &caller.app.administration;
    let refuse = |error| caller.refuse(error);
    let person = administration.find_person(&id).await.map_err(refuse)?;
    let ended = administration.sign_out_person(&caller.actor(), &person.user.id).await;
    Ok(counted(ended.map_err(refuse)?))
}

pub(super) async fn reset_factors(
    caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let administration = &caller.app.administration;
    let refuse = |error| caller.refuse(error);
    let person = administration.find_person(&id).await.map_err(refuse)?;
    let done = administration.reset_person_factors(&caller.actor(), &person.user.id).await;
    done.map_err(refuse)?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn list_sessions(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let after = asked.get("after");
    let found = caller.app.administration.list_sessions(after.as_deref(), asked.limit()).await;
    let found = found.map_err(|error| caller.refuse(error))?;
    let items = found.items.iter().map(|(session, user)| {
        json!({
            "sid": session.id,
            "user_id": user.id,
            "sub": user.sub,
            "connection": session.connection_id,
            "auth_time": session.auth_time.secs(),
            "created_at": session.created_at.secs(),
            "expires_at": session.expires_at.secs(),
        })
    });
    Ok(page(items.collect(), found.next))
}

pub(super) async fn end_session(
    caller: Caller,
    sid: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let id = SessionId::new(sid.into_inner());
    let ended = caller.app.administration.end_session(&caller.actor(), &id).await;
    Ok(counted(ended.map_err(|error| caller.refuse(error))?))
}

pub(super) async fn revoke_grant(
    caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let id = GrantId::new(id.into_inner());
    let ended = caller.app.administration.revoke_grant(&caller.actor(), &id).await;
    Ok(counted(ended.map_err(|error| caller.refuse(error))?))
}

fn described(key: &StoredKey, now: Timestamp) -> Value {
    json!({
        "kid": key.kid,
        "alg": key.alg,
        "state": key.state(now),
        "created_at": key.created_at.secs(),
        "active_at": key.active_at.secs(),
        "retiring_at": key.retiring_at.map(Timestamp::secs),
        "gone_at": key.gone_at.map(Timestamp::secs),
    })
}

pub(super) async fn list_keys(caller: Caller) -> Result<HttpResponse, Error> {
    let now = caller.app.provider.now();
    let keys = caller.app.provider.keys().list().await;
    let keys = keys.map_err(|fault| failed(&caller, &fault))?;
    Ok(page(keys.iter().map(|key| described(key, now)).collect(), None))
}

pub(super) async fn rotate_key(caller: Caller, body: web::Bytes) -> Result<HttpResponse, Error> {
    let mut members = caller.members(&body)?;
    let alg = members.remove("alg");
    caller.nothing_else(&members)?;
    caller
        .once(&body, async {
            let alg = alg.as_ref().and_then(Value::as_str).and_then(Algorithm::parse);
            let alg = alg.ok_or_else(|| {
                let detail = "alg must be one of those that the document lists".to_owned();
                let title = "It breaks a rule";
                caller.problem(StatusCode::UNPROCESSABLE_ENTITY, title, Some(detail))
            })?;
            let name = caller.actor().name;
            match caller.app.provider.keys().rotate(alg, &name).await {
                Ok(key) => {
                    let body = described(&key, caller.app.provider.now());
                    Ok(Made { status: StatusCode::CREATED, location: None, body })
                }
                Err(Failure::Refused(refusal)) => {
                    let title = "The next key is made already";
                    Err(caller.problem(StatusCode::CONFLICT, title, Some(refusal.description)))
                }
                Err(Failure::Fault(fault)) => Err(failed(&caller, &fault)),
            }
        })
        .await
}

fn failed(caller: &Caller, fault: &crate::op::Fault) -> Error {
    tracing::error!(%fault, "the admin API failed");
    caller.problem(StatusCode::INTERNAL_SERVER_ERROR, "Russet failed", None)
}

pub(super) async fn list_events(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let moment = |name| asked.get(name)?.parse().ok().map(Timestamp::from_secs);
    let limit = asked.limit();
    let query = EventQuery {
        kind: asked.get("kind"),
        actor: asked.get("actor"),
        target: asked.get("target"),
        request_id: asked.get("request_id"),
        from: moment("from"),
        until: moment("until"),
        before: asked.get("after").and_then(|after| after.parse().ok()),
        limit: limit.saturating_add(1),
    };
    let found = caller.app.administration.list_events(&query).await;
    let mut found = found.map_err(|error| caller.refuse(error))?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > wanted;
    found.truncate(wanted);
    let next = found.last().filter(|_| more).map(|recorded| recorded.id.to_string());
    let items = found.into_iter().map(|recorded| {
        let mut event = json!(recorded.event);
        if let Some(members) = event.as_object_mut() {
            members.insert("id".to_owned(), json!(recorded.id));
        }
        event
    });
    Ok(page(items.collect(), next))
}
