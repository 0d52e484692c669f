//! Clients: the list, one of them, its switch, its secrets, its end.

use std::time::Duration;

use actix_web::{Error, HttpRequest, HttpResponse, web};

use super::client_fields::kind_title;
use super::client_form::{find, on_to_secret, status_of};
use super::form::{query, with_query};
use super::{Console, Posted, moment, see_other};
use crate::op::admin::{
    AdminError, ClientChange, ListQuery, MAX_SECRET_OVERLAP, Page, SECRET_OVERLAP,
};
use crate::protocol::admin::Role;
use crate::protocol::client::Client;
use crate::web::html;
use crate::web::page::admin::clients::{ClientRow, Fact, ListPage, SecretRow, ShowPage};
use crate::web::page::admin::{DeletePage, Problems};

/// Clients on one page of the list.
const PAGE: u32 = 25;

/// The list, searched and by pages.
pub(super) async fn list(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    let q = query(&request, "q").unwrap_or_default().trim().to_owned();
    let after = query(&request, "after").filter(|after| !after.is_empty());
    let paged = after.is_some();
    let search = Some(q.clone()).filter(|q| !q.is_empty());
    let page = if console.admin.role == Role::Editor {
        own_clients(&console, &q).await
    } else {
        let query = ListQuery { search, after, limit: PAGE };
        console.app.administration.list_clients(&query).await
    };
    let page = page.map_err(|error| console.refuse(error))?;
    let next_url = page.next.map(|after| {
        let query = with_query(&[("q", q.as_str()), ("after", after.as_str())]);
        console.url(&format!("/clients{query}"))
    });
    let row = |client: Client| ClientRow {
        client_id: client.client_id.to_string(),
        client_name: client.client_name,
        kind: kind_title(client.kind),
        disabled: client.disabled_at.is_some(),
        pkce_off: !client.require_pkce,
        created_at: moment(client.created_at),
    };
    Ok(console.page(&ListPage {
        shell: console.shell(),
        q,
        rows: page.items.into_iter().map(row).collect(),
        paged,
        next_url,
    }))
}

/// The clients that were given to an editor; they are few.
async fn own_clients(console: &Console, q: &str) -> Result<Page<Client>, AdminError> {
    let q = q.to_lowercase();
    let mut items = Vec::new();
    for id in &console.admin.clients {
        match console.app.administration.find_client(id).await {
            Ok(client) if client.client_name.to_lowercase().contains(&q) => items.push(client),
            Ok(_) | Err(AdminError::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    items.sort_by(|a, b| a.client_name.cmp(&b.client_name));
    Ok(Page { items, next: None })
}

/// One client.
pub(super) async fn show(console: Console, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let client = find(&console, &id).await?;
    let secrets = console
        .app
        .administration
        .client_secrets(&client.client_id)
        .await
        .map_err(|error| console.refuse(error))?;
    let now = console.app.provider.now();
    let newest_secret = secrets.first().map(|secret| secret.id.clone()).unwrap_or_default();
    let row = |secret: &crate::protocol::client::ClientSecret| SecretRow {
        created_at: moment(secret.created_at),
        expires_at: secret.expires_at.map(moment),
        expired: secret.expires_at.is_some_and(|at| at <= now),
    };
    Ok(console.page(&ShowPage {
        shell: console.shell(),
        may_edit: console.may_edit(&client.client_id),
        client_id: client.client_id.to_string(),
        client_name: client.client_name.clone(),
        kind_name: kind_title(client.kind),
        disabled: client.disabled_at.is_some(),
        pkce_off: !client.require_pkce,
        public: client.is_public(),
        issuer: console.app.provider.issuer().to_owned(),
        discovery: console.discovery(),
        facts: facts(&client),
        secrets: secrets.iter().map(row).collect(),
        newest_secret,
    }))
}

fn facts(client: &Client) -> Vec<Fact> {
    let code = |label, values| Fact { label, values, code: true };
    let text = |label, value: String| Fact { label, values: vec![value], code: false };
    let yes = |it| if it { "Yes".to_owned() } else { "No".to_owned() };
    vec![
        code("Redirect URIs", client.redirect_uris.clone()),
        code("Post-logout redirect URIs", client.post_logout_redirect_uris.clone()),
        code("Bundle IDs", client.apple_bundle_ids.clone()),
        code("APIs", client.resources.clone()),
        code("Default API", client.default_resource.clone().into_iter().collect()),
        code("Scopes", client.scope.clone()),
        code("Grant types", client.grant_types.iter().map(|g| g.as_str().to_owned()).collect()),
        code("Security profile", vec![profile_of(client)]),
        code("Client authentication", vec![client.token_endpoint_auth_method.as_str().to_owned()]),
        code("ID token algorithm", vec![client.id_token_signed_response_alg.as_str().to_owned()]),
        text("PKCE required", yes(client.require_pkce)),
        text("Our own app, no consent", yes(client.first_party)),
        text("Refresh token idle limit", format!("{} s", client.refresh_token_idle_ttl)),
        text("Refresh token absolute limit", format!("{} s", client.refresh_token_absolute_ttl)),
        text("Registered", moment(client.created_at)),
        text("Changed", moment(client.updated_at)),
    ]
}

fn profile_of(client: &Client) -> String {
    client.settings.profile.unwrap_or_default().as_str().to_owned()
}

/// Switches a client off.
pub(super) async fn disable(posted: Posted, id: web::Path<String>) -> Result<HttpResponse, Error> {
    switch(&posted.console, &id, true, "disabled").await
}

/// Switches a client on again.
pub(super) async fn enable(posted: Posted, id: web::Path<String>) -> Result<HttpResponse, Error> {
    switch(&posted.console, &id, false, "enabled").await
}

async fn switch(
    console: &Console,
    id: &str,
    disabled: bool,
    done: &str,
) -> Result<HttpResponse, Error> {
    console.must_be(Role::Admin)?;
    let client = find(console, id).await?;
    let change = ClientChange { disabled: Some(disabled), ..ClientChange::default() };
    console
        .app
        .administration
        .update_client(&console.actor(), &client.client_id, change)
        .await
        .map_err(|error| console.refuse(error))?;
    Ok(see_other(&console.url(&format!("/clients/{}?done={done}", client.client_id))))
}

/// Makes a new secret beside the ones before, and shows it this once.
pub(super) async fn rotate_secret(
    posted: Posted,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_edit(&id)?;
    let client = find(&console, &id).await?;
    let administration = &console.app.administration;
    let secrets = administration
        .client_secrets(&client.client_id)
        .await
        .map_err(|error| console.refuse(error))?;
    let newest = secrets.first().map(|secret| secret.id.as_str()).unwrap_or_default();
    if newest != form.text("newest") {
        let url = console.url(&format!("/clients/{}?done=already-rotated", client.client_id));
        return Ok(see_other(&url));
    }
    let overlap = form.text("overlap").parse().map_or(SECRET_OVERLAP, Duration::from_secs);
    let registered = administration
        .rotate_client_secret(&console.actor(), &client.client_id, overlap.min(MAX_SECRET_OVERLAP))
        .await
        .map_err(|error| console.refuse(error))?;
    let heading = format!("A new secret for {}", client.client_name);
    on_to_secret(&console, heading, &registered).await
}

/// Asks.
pub(super) async fn delete_page(
    console: Console,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    console.must_be(Role::Admin)?;
    let client = find(&console, &id).await?;
    Ok(ask(&console, &client, Problems::default()))
}

/// Deletes, if the name was typed.
pub(super) async fn delete(posted: Posted, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_be(Role::Admin)?;
    let client = find(&console, &id).await?;
    if form.text("confirm") != client.client_name.trim() {
        let mut problems = Problems::default();
        problems.push("confirm", "is not the name of this client");
        return Ok(ask(&console, &client, problems));
    }
    console
        .app
        .administration
        .delete_client(&console.actor(), &client.client_id)
        .await
        .map_err(|error| console.refuse(error))?;
    Ok(see_other(&console.url("/clients?done=deleted")))
}

fn ask(console: &Console, client: &Client, problems: Problems) -> HttpResponse {
    let own = console.url(&format!("/clients/{}", client.client_id));
    let status = status_of(&problems, false);
    let template = DeletePage {
        shell: console.shell(),
        name: client.client_name.clone(),
        consequence: "Nobody can sign in through it any more, and every grant and token it holds \
                      ends.",
        action: format!("{own}/delete"),
        back: own,
        problems,
    };
    html::page(status, &template, &[])
}
