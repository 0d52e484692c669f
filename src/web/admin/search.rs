//! One box for every room: each is asked for a few, along its own index.

use actix_web::{Error, HttpRequest, HttpResponse};

use super::audit_words::title;
use super::form::{query, with_query};
use super::{Console, moment};
use crate::op::admin::{EventQuery, ListQuery};
use crate::protocol::admin::Role;
use crate::protocol::id::SessionId;
use crate::web::page::admin::Shell;
use crate::web::page::admin::overview::{Hit, Hits, SearchPage};

/// Of each room, at most so many are shown.
const SHOWN: u32 = 6;

/// What is called so, in every room that this account may enter.
pub(super) async fn find(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    let q = query(&request, "q").unwrap_or_default().trim().to_owned();
    let mut found = Vec::new();
    if !q.is_empty() {
        found.push(clients(&console, &q).await?);
        if console.admin.role >= Role::Viewer {
            found.push(apis(&console, &q).await?);
            found.push(people(&console, &q).await?);
            found.push(connections(&console, &q).await?);
            found.push(sessions(&console, &q).await?);
            found.push(events(&console, &q).await?);
        }
        found.retain(|hits| !hits.hits.is_empty());
    }
    Ok(console.page(&SearchPage { shell: Shell { find: q.clone(), ..console.shell() }, q, found }))
}

fn hits(room: &'static str, mut hits: Vec<Hit>, more: String) -> Hits {
    let shown = usize::try_from(SHOWN).unwrap_or(usize::MAX);
    let more = (hits.len() > shown).then_some(more);
    hits.truncate(shown);
    Hits { room, hits, more }
}

async fn clients(console: &Console, q: &str) -> Result<Hits, Error> {
    let found = super::clients::found(console, q, SHOWN.saturating_add(1)).await?;
    let hit = |client: crate::protocol::client::Client| Hit {
        url: console.url(&format!("/clients/{}", client.client_id)),
        title: client.client_name,
        detail: client.client_id.to_string(),
    };
    let all = console.url(&format!("/clients{}", with_query(&[("q", q)])));
    Ok(hits("Clients", found.into_iter().map(hit).collect(), all))
}

async fn apis(console: &Console, q: &str) -> Result<Hits, Error> {
    let search = Some(q.to_owned());
    let wanted = ListQuery { search, limit: SHOWN.saturating_add(1), ..ListQuery::default() };
    let found = console.app.administration.page_of_apis(&wanted).await;
    let found = found.map_err(|error| console.refuse(error))?;
    let hit = |api: crate::protocol::api::Api| Hit {
        url: console.url(&format!("/apis/edit{}", with_query(&[("identifier", &api.identifier)]))),
        title: api.name,
        detail: api.identifier,
    };
    let all = console.url(&format!("/apis{}", with_query(&[("q", q)])));
    Ok(hits("APIs", found.items.into_iter().map(hit).collect(), all))
}

async fn people(console: &Console, q: &str) -> Result<Hits, Error> {
    let found = console.app.administration.search_people(q, SHOWN.saturating_add(1)).await;
    let people = found.map_err(|error| console.refuse(error))?;
    let hit = |user: crate::protocol::user::User| Hit {
        url: console.url(&format!("/people/{}", user.id)),
        detail: user.email.clone().unwrap_or_default(),
        title: user.name.or(user.email).unwrap_or(user.sub),
    };
    let all = console.url(&format!("/people{}", with_query(&[("q", q)])));
    Ok(hits("People", people.into_iter().map(hit).collect(), all))
}

async fn connections(console: &Console, q: &str) -> Result<Hits, Error> {
    let found = console.app.administration.search_connections(q, "").await;
    let found = found.map_err(|error| console.refuse(error))?;
    let hit = |listed: crate::op::admin::ListedConnection| Hit {
        url: console.url(&format!("/connections/{}", listed.connection.id)),
        detail: listed.connection.id.to_string(),
        title: listed.connection.display_name,
    };
    Ok(hits("Connections", found.into_iter().map(hit).collect(), console.url("/connections")))
}

/// A session is known by its id alone, as the `sid` of tokens tells it.
async fn sessions(console: &Console, q: &str) -> Result<Hits, Error> {
    let found = console.app.administration.find_session(&SessionId::new(q)).await;
    let found = found.map_err(|error| console.refuse(error))?;
    let hit = |session: crate::protocol::session::Session| Hit {
        title: format!("Browser session of {}", moment(session.created_at)),
        detail: if session.ended_at.is_some() { "ended" } else { "alive" }.to_owned(),
        url: console.url(&format!("/people/{}", session.user_id)),
    };
    Ok(hits("Sessions", found.into_iter().map(hit).collect(), console.url("/sessions")))
}

async fn events(console: &Console, q: &str) -> Result<Hits, Error> {
    let wanted = EventQuery { limit: SHOWN.saturating_add(1), ..EventQuery::default() };
    let found = console.app.administration.search_events(q, &wanted).await;
    let found = found.map_err(|error| console.refuse(error))?;
    let hit = |recorded: crate::op::admin::RecordedEvent| Hit {
        title: title(&recorded.event.kind),
        detail: format!("{}, {}", recorded.event.actor, moment(recorded.event.at)),
        url: console.url(&format!("/audit/{}", recorded.id)),
    };
    let all = console.url(&format!("/audit{}", with_query(&[("q", q)])));
    Ok(hits("Audit log", found.into_iter().map(hit).collect(), all))
}
