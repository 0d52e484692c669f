//! People: the list, one of them, and what can be done for or against them.

use actix_web::{Error, HttpRequest, HttpResponse, web};

use super::form::{query, with_query};
use super::{Console, audit, moment};
use crate::op::admin::Person;
use crate::protocol::deletion::DeletionStep;
use crate::protocol::grant::Grant;
use crate::protocol::id::{DeletionId, SessionId};
use crate::protocol::session::Session;
use crate::protocol::user::User;
use crate::store::people::PeopleQuery;
use crate::web::page::admin::people::{
    DeletionPage, GrantRow, IdentityRow, ListPage, PersonRow, SessionRow, ShowPage, StepRow,
};

/// People on one page of the list.
const PAGE: u32 = 50;
/// Events on a person's timeline.
const EVENTS: u32 = 30;

/// The list, searched, sorted and by pages.
pub(super) async fn list(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    let q = query(&request, "q").unwrap_or_default().trim().to_owned();
    let disabled = query(&request, "state").as_deref() == Some("disabled");
    let oldest_first = query(&request, "sort").as_deref() == Some("oldest");
    let after = query(&request, "after").filter(|after| !after.is_empty());
    let paged = after.is_some();
    let search = Some(q.clone()).filter(|q| !q.is_empty());
    let wanted = PeopleQuery { search, disabled, oldest_first, after, limit: PAGE };
    let page = console
        .app
        .administration
        .list_people(&wanted)
        .await
        .map_err(|error| console.refuse(error))?;
    let state = if disabled { "disabled" } else { "" };
    let sort = if oldest_first { "oldest" } else { "" };
    let here = [("q", q.as_str()), ("state", state), ("sort", sort)];
    let url = |added: &[(&str, &str)]| {
        let pairs: Vec<_> =
            here.iter().chain(added).filter(|(_, v)| !v.is_empty()).copied().collect();
        console.url(&format!("/people{}", with_query(&pairs)))
    };
    Ok(console.page(&ListPage {
        shell: console.shell(),
        disabled,
        oldest_first,
        rows: page.items.iter().map(|user| person_row(&console, user)).collect(),
        paged,
        first_url: url(&[]),
        next_url: page.next.map(|after| url(&[("after", after.as_str())])),
        q,
    }))
}

fn person_row(console: &Console, user: &User) -> PersonRow {
    PersonRow {
        url: console.url(&format!("/people/{}", user.id)),
        name: called(user),
        email: user.email.clone().unwrap_or_default(),
        relay: user.is_private_email,
        sub: user.sub.clone(),
        disabled: user.disabled_at.is_some(),
        created_at: moment(user.created_at),
    }
}

/// What a list calls a person.
pub(super) fn called(user: &User) -> String {
    user.name
        .clone()
        .filter(|name| !name.trim().is_empty())
        .or_else(|| user.email.clone())
        .unwrap_or_else(|| "No name told".to_owned())
}

pub(super) async fn find(console: &Console, id: &str) -> Result<Person, Error> {
    let found = console.app.administration.find_person(id).await;
    found.map_err(|error| console.refuse(error))
}

/// One person.
pub(super) async fn show(console: Console, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let person = find(&console, &id).await?;
    let administration = &console.app.administration;
    let id = person.user.id.clone();
    let refuse = |error| console.refuse(error);
    let signed = administration.signed(&id).await.map_err(refuse)?;
    let events = administration.timeline(&id, EVENTS).await.map_err(refuse)?;
    let states = administration.upstream_states(&id).await.map_err(refuse)?;
    let factors = administration.factors_of_person(&id).await.map_err(refuse)?;
    let names = console.client_names(signed.grants.iter().map(|grant| &grant.client_id)).await?;
    let grant_row = |grant: &Grant| GrantRow {
        id: grant.id.to_string(),
        client: names.get(&grant.client_id).cloned().unwrap_or_else(|| grant.client_id.to_string()),
        client_url: console.url(&format!("/clients/{}", grant.client_id)),
        scope: grant.terms.scope.join(" "),
        since: moment(grant.created_at),
        refreshes: grant.refresh_generation,
        until: moment(grant.refresh_idle_expires_at.min(grant.expires_at)),
    };
    let session_row = |session: &Session| SessionRow {
        id: session.id.to_string(),
        connection: console.connection_name(&session.connection_id),
        since: moment(session.created_at),
        until: moment(session.expires_at),
        grants: signed
            .grants
            .iter()
            .filter(|grant| grant.session_id.as_ref() == Some(&session.id))
            .map(grant_row)
            .collect(),
    };
    let in_a_session = |grant: &&Grant| {
        let living = |id: &SessionId| signed.sessions.iter().any(|session| session.id == *id);
        grant.session_id.as_ref().is_some_and(living)
    };
    let identities = person
        .identities
        .iter()
        .map(|identity| {
            let state = states.iter().find(|state| {
                state.authority == identity.authority && state.subject == identity.subject
            });
            IdentityRow {
                connection: console.connection_name(&identity.connection_id),
                authority: identity.authority.clone(),
                subject: identity.subject.clone(),
                email: identity.email.clone().unwrap_or_default(),
                since: moment(identity.created_at),
                last: moment(identity.last_login_at),
                state: state.map(|state| state.state.as_str()),
                ended: identity.ended_at.is_some(),
                bounces: identity.email_undeliverable_since.map(moment),
                checked: state.and_then(|state| state.last_checked_at).map(moment),
            }
        })
        .collect();
    let user = &person.user;
    Ok(console.page(&ShowPage {
        shell: console.shell(),
        id: id.to_string(),
        name: called(user),
        sub: user.sub.clone(),
        email: user.email.clone(),
        email_verified: user.email_verified,
        relay: user.is_private_email,
        disabled: user.disabled_at.is_some(),
        created_at: moment(user.created_at),
        updated_at: moment(user.updated_at),
        identities,
        sessions: signed.sessions.iter().map(session_row).collect(),
        others: signed.grants.iter().filter(|grant| !in_a_session(grant)).map(grant_row).collect(),
        events: events.iter().map(|event| audit::row(&console, event)).collect(),
        totp_since: factors.totp_added_at.map(moment),
        recovery_codes: factors.recovery_codes,
        more_url: console.url(&format!("/audit{}", with_query(&[("q", id.as_str())]))),
    }))
}

/// How far a deletion has come.
pub(super) async fn deletion(
    console: Console,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let id = DeletionId::new(id.into_inner());
    let receipt = console.app.administration.deletion(&id).await;
    let receipt = receipt.map_err(|error| console.refuse(error))?;
    let step = |step: &DeletionStep| StepRow {
        step: step.step.replace('_', " "),
        outcome: step.outcome.clone(),
        at: moment(step.at),
    };
    Ok(console.page(&DeletionPage {
        shell: console.shell(),
        id: id.to_string(),
        requested_by: receipt.deletion.requested_by.clone(),
        requested_at: moment(receipt.deletion.requested_at),
        attempts: receipt.deletion.attempts,
        give_up_at: moment(receipt.deletion.give_up_at),
        completed_at: receipt.deletion.completed_at.map(moment),
        steps: receipt.steps.iter().map(step).collect(),
    }))
}
