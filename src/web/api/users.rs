//! People in the admin API: themselves, what they sign in with, and their deletion.

use actix_web::{Error, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::sessions::session;
use super::{Asked, Caller, accepted, answer, done, newest, page, paged};
use crate::op::admin::{AdminError, Person, identity_id};
use crate::op::ending::Ended;
use crate::protocol::ambient::Timestamp;
use crate::protocol::api_key::ApiScope;
use crate::protocol::deletion::Deletion;
use crate::protocol::grant::Grant;
use crate::protocol::id::DeletionId;
use crate::protocol::session::Session;
use crate::protocol::upstream_grant::UpstreamGrant;
use crate::protocol::user::{Identity, User};
use crate::store::people::PeopleQuery;

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/users").route(web::get().to(list)))
        .service(
            web::resource("/users/{id}")
                .route(web::get().to(show))
                .route(web::patch().to(change))
                .route(web::delete().to(delete)),
        )
        .service(web::resource("/users/{id}/sign-out").route(web::post().to(sign_out)))
        .service(web::resource("/users/{id}/export").route(web::post().to(export)))
        .service(
            web::resource("/users/{id}/factors")
                .route(web::get().to(factors))
                .route(web::delete().to(reset_factors)),
        )
        .service(web::resource("/users/{id}/sessions").route(web::get().to(list_sessions)))
        .service(web::resource("/users/{id}/identities").route(web::get().to(list_identities)))
        .service(web::resource("/users/{id}/identities/{identity}").route(web::delete().to(unlink)))
        .service(web::resource("/users/{id}/grants").route(web::get().to(list_grants)))
        .service(web::resource("/deletions").route(web::get().to(list_deletions)))
        .service(web::resource("/deletions/{id}").route(web::get().to(deletion)))
        .service(web::resource("/deletions/{id}/retry").route(web::post().to(hasten)));
}

/// Every change of a person bears another time.
fn version(user: &User) -> i64 {
    user.updated_at.millis()
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
        "version": version(user),
    })
}

fn described(person: &Person) -> Value {
    let mut body = person.to_json();
    if let Some(members) = body.as_object_mut() {
        members.insert("disabled".to_owned(), json!(person.user.disabled_at.is_some()));
        members.insert("version".to_owned(), json!(version(&person.user)));
    }
    body
}

async fn list(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let query = PeopleQuery {
        search: asked.get("q"),
        disabled: asked.get("state").as_deref() == Some("disabled"),
        oldest_first: asked.get("sort").as_deref() == Some("oldest"),
        after: asked.place(),
        limit: asked.limit(),
    };
    let found = caller.got(caller.app.administration.list_people(&query).await)?;
    Ok(page(found.items.iter().map(brief).collect(), asked.next(found.next)))
}

async fn find(caller: &Caller, id: &str) -> Result<Person, Error> {
    caller.got(caller.app.administration.find_person(id).await)
}

async fn show(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    Ok(answer(described(&find(&caller, &id).await?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    disabled: bool,
}

async fn change(
    caller: Caller,
    id: web::Path<String>,
    body: web::Bytes,
) -> Result<HttpResponse, Error> {
    let Change { disabled } = caller.read(&body)?;
    if disabled {
        caller.must_hold(ApiScope::CriticalUsers)?;
    }
    let seen = caller.seen(version(&find(&caller, &id).await?.user))?;
    let administration = &caller.app.administration;
    let seen = Some(Timestamp::from_millis(seen));
    let user = administration.set_user_disabled(&caller.actor(), &id, disabled, seen).await;
    let user = caller.got(user)?;
    Ok(answer(described(&find(&caller, user.id.as_str()).await?)))
}

async fn delete(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    caller.unless_seen_otherwise(Some(version(&find(&caller, &id).await?.user)))?;
    let administration = &caller.app.administration;
    let deletion = caller.got(administration.delete_user(&caller.actor(), &id).await)?;
    let receipt = caller.got(administration.deletion(&deletion.id).await)?;
    let location = caller.address(&format!("/deletions/{}", deletion.id));
    Ok(accepted(location, receipt.to_json()))
}

pub(super) fn counted(ended: Ended) -> HttpResponse {
    answer(json!({ "sessions": ended.sessions, "grants": ended.grants }))
}

async fn sign_out(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let person = find(&caller, &id).await?;
    let administration = &caller.app.administration;
    let ended = administration.sign_out_person(&caller.actor(), &person.user.id).await;
    Ok(counted(caller.got(ended)?))
}

async fn export(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let exported = caller.app.administration.export_user(&caller.actor(), &id).await;
    Ok(answer(caller.got(exported)?))
}

/// What they have besides a password.
async fn factors(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let person = find(&caller, &id).await?;
    let held = caller.app.administration.factors_of_person(&person.user.id).await;
    let held = caller.got(held)?;
    Ok(answer(json!({
        "totp_added_at": held.totp_added_at.map(Timestamp::secs),
        "recovery_codes": held.recovery_codes,
    })))
}

async fn reset_factors(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    caller.unless_seen_otherwise::<i32>(None)?;
    let person = find(&caller, &id).await?;
    let administration = &caller.app.administration;
    let reset = administration.reset_person_factors(&caller.actor(), &person.user.id).await;
    caller.got(reset)?;
    Ok(done())
}

fn identity(identity: &Identity, upstream: &[UpstreamGrant]) -> Value {
    let seconds = |at: Option<Timestamp>| at.map(Timestamp::secs);
    let gave = |grant: &&UpstreamGrant| {
        grant.authority == identity.authority && grant.subject == identity.subject
    };
    let stands = |grant: &UpstreamGrant| {
        json!({
            "client_id": grant.client_id,
            "state": grant.state,
            "since": grant.state_since.secs(),
            "last_checked_at": seconds(grant.last_checked_at),
            "last_ok_at": seconds(grant.last_ok_at),
            "next_check_at": seconds(grant.next_check_at),
        })
    };
    json!({
        "id": identity_id(identity),
        "authority": identity.authority,
        "subject": identity.subject,
        "connection": identity.connection_id,
        "email": identity.email,
        "email_undeliverable_since": seconds(identity.email_undeliverable_since),
        "created_at": identity.created_at.secs(),
        "last_login_at": (identity.last_login_at.secs() > 0)
            .then(|| identity.last_login_at.secs()),
        "ended_at": seconds(identity.ended_at),
        "upstream_grants": upstream.iter().filter(gave).map(stands).collect::<Vec<_>>(),
    })
}

async fn list_identities(
    caller: Caller,
    id: web::Path<String>,
    asked: Asked,
) -> Result<HttpResponse, Error> {
    let person = find(&caller, &id).await?;
    let upstream = caller.app.administration.upstream_states(&person.user.id).await;
    let upstream = caller.got(upstream)?;
    Ok(paged(&asked, &person.identities, identity_id, |one| identity(one, &upstream)))
}

async fn unlink(caller: Caller, path: web::Path<(String, String)>) -> Result<HttpResponse, Error> {
    let (id, identity) = path.into_inner();
    caller.unless_seen_otherwise::<i32>(None)?;
    let person = find(&caller, &id).await?;
    let gone = person.identities.iter().find(|one| identity_id(one) == identity);
    let gone = gone.ok_or_else(|| caller.refuse(AdminError::NotFound))?;
    let (authority, subject) = (&gone.authority, &gone.subject);
    let administration = &caller.app.administration;
    let (actor, user) = (caller.actor(), &person.user.id);
    Ok(counted(caller.got(administration.unlink_identity(&actor, user, authority, subject).await)?))
}

fn grant(grant: &Grant) -> Value {
    json!({
        "id": grant.id,
        "client_id": grant.client_id,
        "sid": grant.session_id,
        "connection": grant.connection_id,
        "scope": grant.terms.scope.join(" "),
        "resources": grant.terms.resources,
        "created_at": grant.created_at.secs(),
        "expires_at": grant.expires_at.secs(),
        "refresh_expires_at": grant.refresh_idle_expires_at.min(grant.expires_at).secs(),
        "refreshes": grant.refresh_generation,
    })
}

async fn list_grants(
    caller: Caller,
    id: web::Path<String>,
    asked: Asked,
) -> Result<HttpResponse, Error> {
    let person = find(&caller, &id).await?;
    let signed = caller.got(caller.app.administration.signed(&person.user.id).await)?;
    let place = |one: &Grant| newest(one.created_at, one.id.as_str());
    Ok(paged(&asked, &signed.grants, place, grant))
}

async fn list_sessions(
    caller: Caller,
    id: web::Path<String>,
    asked: Asked,
) -> Result<HttpResponse, Error> {
    let person = find(&caller, &id).await?;
    let signed = caller.got(caller.app.administration.signed(&person.user.id).await)?;
    let place = |one: &Session| newest(one.created_at, one.id.as_str());
    Ok(paged(&asked, &signed.sessions, place, |one| session(one, &person.user)))
}

fn under_way(deletion: &Deletion) -> Value {
    json!({
        "id": deletion.id,
        "state": deletion.state,
        "requested_by": deletion.requested_by,
        "requested_at": deletion.requested_at.secs(),
        "attempts": deletion.attempts,
        "due_at": deletion.due_at.secs(),
        "completed_at": deletion.completed_at.map(Timestamp::secs),
    })
}

async fn list_deletions(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let only = asked.get("state").as_deref() == Some("under_way");
    // When it was asked for, and which: the one without a full stop.
    let place = |after: String| {
        let (at, id) = after.split_once('.')?;
        Some((at.parse::<i64>().ok()?, id.to_owned()))
    };
    let after = caller.place(&asked, place)?;
    let one_more = asked.limit().saturating_add(1);
    let administration = &caller.app.administration;
    let found = administration.deletions(only, after.as_ref(), one_more).await;
    let mut found = caller.got(found)?;
    let place = |last: &Deletion| format!("{}.{}", last.requested_at.millis(), last.id);
    let next = asked.rest(&mut found, place);
    Ok(page(found.iter().map(under_way).collect(), next))
}

async fn deletion(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let receipt = caller.app.administration.deletion(&DeletionId::new(id.into_inner())).await;
    let receipt = caller.got(receipt)?;
    let mut body = receipt.to_json();
    if let Some(members) = body.as_object_mut() {
        let deletion = &receipt.deletion;
        members.insert("attempts".to_owned(), json!(deletion.attempts));
        members.insert("due_at".to_owned(), json!(deletion.due_at.secs()));
        members.insert("give_up_at".to_owned(), json!(deletion.give_up_at.secs()));
    }
    Ok(answer(body))
}

async fn hasten(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let id = DeletionId::new(id.into_inner());
    let hastened = caller.app.administration.hasten_deletion(&caller.actor(), &id).await;
    caller.got(hastened)?;
    Ok(done())
}
