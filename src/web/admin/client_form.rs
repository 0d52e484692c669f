//! Registering a client and changing one.

use actix_web::http::StatusCode;
use actix_web::{Error, HttpResponse, web};

use super::claim_preview::Of;
use super::client_fields::{Entries, kind_name, redirect_hint};
use super::form::Form;
use super::{
    Console, Posted, claim_preview, claim_rules, client_members, ended, problems, safety, see_other,
};
use crate::op::admin::reveal::Reveal;
use crate::op::admin::{AdminError, ClientChange, NewClient, RegisteredClient};
use crate::protocol::admin::Role;
use crate::protocol::api::Api;
use crate::protocol::client::{Client, ClientKind};
use crate::protocol::id::ClientId;
use crate::web::html;
use crate::web::page::admin::Problems;
use crate::web::page::admin::clients::{EditPage, KindsPage, NewPage, RegisteredPage};
use crate::web::page::admin::safety::Conflict;
use crate::web::quickstart;

/// What are you building?
pub(super) async fn kinds(console: Console) -> Result<HttpResponse, Error> {
    console.must_be(Role::Admin)?;
    Ok(console.page(&KindsPage { shell: console.shell() }))
}

/// The short form.
pub(super) async fn new_page(
    console: Console,
    kind: web::Path<String>,
) -> Result<HttpResponse, Error> {
    console.must_be(Role::Admin)?;
    let kind = parse_kind(&console, &kind)?;
    // The id is drawn now, so that a form sent twice registers one client.
    let id: String = console.app.provider.random_secret().expose().chars().take(22).collect();
    let mut entries =
        Entries::of(&Client::of_kind(ClientId::new(id), kind, console.app.provider.now()));
    entries.client_name.clear();
    show_new(&console, kind, &entries, Problems::default()).await
}

/// Registers, and goes on to the page that shows the secret this once.
pub(super) async fn create(posted: Posted, kind: web::Path<String>) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_be(Role::Admin)?;
    let kind = parse_kind(&console, &kind)?;
    let id = form.text("client_id");
    let entries = Entries::typed(&form, id.clone());
    let new = NewClient {
        client_id: Some(ClientId::new(id.clone()).to_string()).filter(|id| !id.is_empty()),
        change: entries.first_change(kind),
        ..NewClient::of_kind(kind, entries.client_name.clone())
    };
    let administration = &console.app.administration;
    match administration.create_client(&console.actor(), new).await {
        Ok(registered) => {
            let name = &registered.client.client_name;
            let heading = format!("{name} is registered");
            on_to_secret(&console, heading, &registered).await
        }
        Err(AdminError::Invalid(found)) => {
            if found.iter().any(|problem| problem.field == "client_id")
                && administration.find_client(&ClientId::new(id.clone())).await.is_ok()
            {
                let url = console.url(&format!("/clients/{id}?done=already-registered"));
                return Ok(see_other(&url));
            }
            show_new(&console, kind, &entries, problems(found)).await
        }
        Err(error) => Err(console.refuse(error)),
    }
}

/// Every setting.
pub(super) async fn edit_page(
    console: Console,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    console.must_edit(&id)?;
    let client = find(&console, &id).await?;
    show_edit(&console, &client, &Entries::of(&client), None, Problems::default(), None).await
}

/// Saves, unless somebody else did meanwhile.
pub(super) async fn save(posted: Posted, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_edit(&id)?;
    let client = find(&console, &id).await?;
    let mut entries = Entries::typed(&form, client.client_id.to_string());
    if claim_rules::is_act(&form) {
        let none = Problems::default();
        return show_edit(&console, &client, &entries, Some(&form), none, None).await;
    }
    let change = match entries.change(client.kind) {
        Ok(change) => {
            ClientChange { settings: client_members::patch(client.kind, &form), ..change }
        }
        Err(problems) => {
            return show_edit(&console, &client, &entries, Some(&form), problems, None).await;
        }
    };
    let unreadable = client_members::unreadable(client.kind, &form);
    if unreadable.any() {
        return show_edit(&console, &client, &entries, Some(&form), unreadable, None).await;
    }
    let administration = &console.app.administration;
    let saved =
        administration.update_client(&console.actor(), &client.client_id, change.clone()).await;
    match saved {
        Ok(client) => {
            Ok(see_other(&console.url(&format!("/clients/{}?done=saved", client.client_id))))
        }
        Err(AdminError::Invalid(found)) => {
            show_edit(&console, &client, &entries, Some(&form), problems(found), None).await
        }
        Err(AdminError::Conflict) => {
            let client = find(&console, &id).await?;
            entries.version = client.version.to_string();
            let both = administration.client_after(&client, change);
            let (stands, typed) = both.map_err(|error| console.refuse(error))?;
            let found = safety::conflict(&console, "client.updated", &id, &stands, &typed).await?;
            let none = Problems::default();
            show_edit(&console, &client, &entries, Some(&form), none, Some(found)).await
        }
        Err(error) => Err(console.refuse(error)),
    }
}

/// Keeps a new secret for the page that shows it once, and leads there.
pub(super) async fn on_to_secret(
    console: &Console,
    heading: String,
    registered: &RegisteredClient,
) -> Result<HttpResponse, Error> {
    let id = registered.client.client_id.to_string();
    let secret = registered.client_secret.as_ref().map(|secret| secret.expose().clone());
    let reveal = Reveal { heading, of: id.clone(), secret };
    let kept = console.app.administration.keep_reveal(&console.cookie, &reveal).await;
    let handle = kept.map_err(|error| console.refuse(error))?;
    Ok(see_other(&console.url(&format!("/clients/{id}/secret/{handle}"))))
}

/// The page with a new secret, and everything as environment variables. It shows the secret the
/// first time that it is opened, in the session that made it.
pub(super) async fn secret_page(
    console: Console,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Error> {
    let (id, handle) = path.into_inner();
    console.must_edit(&id)?;
    let client = find(&console, &id).await?;
    let shown = console.app.administration.reveal(&console.cookie, &handle).await;
    let reveal = shown.map_err(|error| console.refuse(error))?.filter(|reveal| reveal.of == id);
    let Some(reveal) = reveal else {
        return Ok(see_other(&console.url(&format!("/clients/{id}?done=already-shown"))));
    };
    Ok(values_page(&console, &client, reveal.heading, reveal.secret))
}

/// The same page at any later time: without the secret.
pub(super) async fn quickstart(
    console: Console,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let client = find(&console, &id).await?;
    let heading = format!("Start with {}", client.client_name);
    Ok(values_page(&console, &client, heading, None))
}

fn values_page(
    console: &Console,
    client: &Client,
    heading: String,
    client_secret: Option<String>,
) -> HttpResponse {
    let issuer = console.app.provider.issuer();
    let environment = quickstart::environment(issuer, client, client_secret.as_deref());
    console.page(&RegisteredPage {
        shell: console.shell(),
        heading,
        client_id: client.client_id.to_string(),
        client_name: client.client_name.clone(),
        may_edit: console.may_edit(&client.client_id),
        client_secret,
        public: client.is_public(),
        issuer: issuer.to_owned(),
        discovery: console.discovery(),
        env: quickstart::env_file(&environment),
        programs: quickstart::for_client(issuer, client),
        no_way_in: console.no_way_in(client.kind),
        needs_redirect: quickstart::needs_redirect_uri(client),
    })
}

/// The client of the address.
pub(super) async fn find(console: &Console, id: &str) -> Result<Client, Error> {
    let found = console.app.administration.find_client(&ClientId::new(id)).await;
    found.map_err(|error| console.refuse(error))
}

async fn show_new(
    console: &Console,
    kind: ClientKind,
    entries: &Entries,
    problems: Problems,
) -> Result<HttpResponse, Error> {
    let status = status_of(&problems, false);
    let template = NewPage {
        shell: console.shell(),
        kind: kind.as_str(),
        kind_name: kind_name(kind),
        redirect_hint: redirect_hint(kind),
        form: entries.shown(&apis(console).await?),
        problems,
    };
    Ok(html::page(status, &template, &[]))
}

async fn show_edit(
    console: &Console,
    client: &Client,
    entries: &Entries,
    typed: Option<&Form>,
    problems: Problems,
    conflict: Option<Conflict>,
) -> Result<HttpResponse, Error> {
    let status = status_of(&problems, conflict.is_some());
    let effects = console.app.administration.effects_on_client(client).await;
    let effects = effects.map_err(|error| console.refuse(error))?;
    let mut groups = client_members::groups(client, typed, &problems);
    let rules = groups.iter_mut().flat_map(|group| &mut group.fields);
    if let Some((form, rules)) = typed.zip(rules.filter_map(|field| field.rules.as_mut()).next()) {
        claim_preview::look(console, Of::Client(client), form, rules).await?;
    }
    let template = EditPage {
        touches: vec![safety::touched(&effects)],
        shell: console.shell(),
        title_name: client.client_name.clone(),
        kind: client.kind.as_str(),
        redirect_hint: redirect_hint(client.kind),
        form: entries.shown(&apis(console).await?),
        groups,
        problems,
        conflict,
    };
    Ok(html::page(status, &template, &[]))
}

/// The status of a form that is shown, or shown again.
pub(super) fn status_of(problems: &Problems, conflict: bool) -> StatusCode {
    match (conflict, problems.any()) {
        (true, _) => StatusCode::CONFLICT,
        (false, true) => StatusCode::UNPROCESSABLE_ENTITY,
        (false, false) => StatusCode::OK,
    }
}

async fn apis(console: &Console) -> Result<Vec<Api>, Error> {
    console.app.administration.list_apis().await.map_err(|error| console.refuse(error))
}

fn parse_kind(console: &Console, name: &str) -> Result<ClientKind, Error> {
    let kind = ClientKind::ALL.into_iter().find(|kind| kind.as_str() == name);
    kind.ok_or_else(|| {
        ended(console.problem(
            StatusCode::NOT_FOUND,
            "There is nothing here",
            "There is no such kind of client.".to_owned(),
        ))
    })
}
