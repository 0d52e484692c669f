//! Clients: the list, one of them, its switch, its secrets, its end.

use std::time::Duration;

use actix_web::{Error, HttpRequest, HttpResponse, web};

use super::client_fields::kind_title;
use super::client_form::{find, status_of};
use super::form::{query, with_query};
use super::safety::Question;
use super::{Console, Posted, moment, safety, see_other, span};
use crate::op::admin::{AdminError, ClientChange, ListQuery, Page};
use crate::protocol::admin::Role;
use crate::protocol::client::{Client, ClientKind, ClientSecret};
use crate::protocol::id::ClientId;
use crate::protocol::observation::Observation;
use crate::web::html;
use crate::web::page::admin::clients::{ClientRow, Fact, ListPage, SecretRow, ShowPage};
use crate::web::page::admin::{Choice, DeletePage, Problems};

/// From so long before its end on, a secret is said to end soon.
pub(super) const EXPIRING: Duration = Duration::from_secs(30 * 24 * 3600);
/// Clients on one page of the list.
const PAGE: u32 = 25;

/// The list: searched, narrowed, in an order, by pages.
pub(super) async fn list(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    let given = |name: &str| query(&request, name).filter(|value| !value.is_empty());
    let q = given("q").unwrap_or_default().trim().to_owned();
    let kind =
        given("kind").and_then(|word| ClientKind::ALL.into_iter().find(|k| k.as_str() == word));
    let state =
        given("state").filter(|state| ["active", "disabled", "unused"].contains(&state.as_str()));
    let newest_first = given("sort").is_some_and(|sort| sort == "newest");
    let after = given("after");
    let paged = after.is_some();
    let page = if console.admin.role == Role::Editor {
        own_clients(&console, &q).await
    } else {
        let query = ListQuery {
            search: Some(q.clone()).filter(|q| !q.is_empty()),
            kind,
            disabled: state.as_deref().map(|state| state == "disabled"),
            unused_since: (state.as_deref() == Some("unused"))
                .then(|| console.app.administration.unused_since()),
            newest_first,
            after,
            limit: PAGE,
        };
        console.app.administration.list_clients(&query).await
    };
    let page = page.map_err(|error| console.refuse(error))?;
    let mut asked = vec![("q", q.as_str())];
    asked.extend(kind.map(|kind| ("kind", kind.as_str())));
    asked.extend(state.as_deref().map(|state| ("state", state)));
    asked.extend(newest_first.then_some(("sort", "newest")));
    let first_url = console.url(&format!("/clients{}", with_query(&asked)));
    let next_url = page.next.as_deref().map(|after| {
        asked.push(("after", after));
        console.url(&format!("/clients{}", with_query(&asked)))
    });
    let ids: Vec<&ClientId> = page.items.iter().map(|client| &client.client_id).collect();
    let tokens = console.app.administration.last_tokens(&ids).await;
    let tokens = tokens.map_err(|error| console.refuse(error))?;
    let row = |client: Client| ClientRow {
        token_at: tokens.get(&client.client_id).copied().map(moment),
        client_id: client.client_id.to_string(),
        client_name: client.client_name,
        kind: kind_title(client.kind),
        disabled: client.disabled_at.is_some(),
        pkce_off: !client.require_pkce,
        created_at: moment(client.created_at),
    };
    let kinds = ClientKind::ALL.map(|each| Choice {
        value: each.as_str().to_owned(),
        label: kind_title(each).to_owned(),
        hint: String::new(),
        chosen: kind == Some(each),
    });
    Ok(console.page(&ListPage {
        shell: console.shell(),
        narrowed: kind.is_some() || state.is_some(),
        q,
        kinds: kinds.into(),
        state: state.unwrap_or_default(),
        newest_first,
        rows: page.items.into_iter().map(row).collect(),
        paged,
        first_url,
        next_url,
    }))
}

/// Those that this account may see among the clients that are called so.
pub(super) async fn found(console: &Console, q: &str, limit: u32) -> Result<Vec<Client>, Error> {
    let page = if console.admin.role == Role::Editor {
        own_clients(console, q).await
    } else {
        let search = Some(q.to_owned());
        let query = ListQuery { search, limit, ..ListQuery::default() };
        console.app.administration.list_clients(&query).await
    };
    Ok(page.map_err(|error| console.refuse(error))?.items)
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
    let good = secrets.iter().filter(|secret| secret.is_good(now)).count();
    let row = |secret: &ClientSecret| SecretRow {
        id: secret.id.clone(),
        name: secret.name.clone(),
        created_at: moment(secret.created_at),
        last_used_at: secret.last_used_at.map(moment),
        expires_at: secret.expires_at.map(moment),
        soon: secret.expires_at.is_some_and(|at| at <= now.plus(EXPIRING)),
        expired: !secret.is_good(now),
        last: good == 1 && secret.is_good(now),
    };
    let observed = console.app.administration.observation(&client.client_id).await;
    let observed = observed.map_err(|error| console.refuse(error))?;
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
        observed: observations(&client, &observed),
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
        text("Refresh token idle limit", span(client.refresh_token_idle_ttl)),
        text("Refresh token absolute limit", span(client.refresh_token_absolute_ttl)),
        text("Registered", moment(client.created_at)),
        text("Changed", moment(client.updated_at)),
    ]
}

/// What the client does, beside what it may.
fn observations(client: &Client, observed: &Observation) -> Vec<Fact> {
    let text = |label, value: String| Fact { label, values: vec![value], code: false };
    let mut facts = Vec::new();
    match &observed.token {
        Some((at, grant)) => {
            facts.push(text("Last token", format!("{}, by {}", moment(*at), grant.as_str())));
        }
        None => facts.push(text("Last token", "none yet".to_owned())),
    }
    if let Some((at, method)) = &observed.authenticated {
        let known = *method == client.token_endpoint_auth_method;
        let differs = if known { "" } else { "; registered is another" };
        facts.push(text(
            "Proved itself",
            format!("{}, by {}{differs}", moment(*at), method.as_str()),
        ));
    }
    match observed.uses_pkce() {
        Some(true) if !client.require_pkce => facts.push(text(
            "PKCE",
            "Its last request used PKCE: it can be required without harm.".to_owned(),
        )),
        Some(true) => facts.push(text("PKCE", "Seen.".to_owned())),
        Some(false) => facts.push(text("PKCE", "Its last request came without.".to_owned())),
        None => {}
    }
    facts
}

fn profile_of(client: &Client) -> String {
    client.settings.profile.unwrap_or_default().as_str().to_owned()
}

/// Asks before a client is switched off, with what that concerns counted.
pub(super) async fn disable_page(
    console: Console,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    console.must_be(Role::Admin)?;
    let client = find(&console, &id).await?;
    let own = console.url(&format!("/clients/{}", client.client_id));
    let question = Question {
        heading: format!("Disable {}?", client.client_name),
        consequences: vec![
            "Nobody can sign in through it until it is enabled again, and its tokens are not \
             renewed. Access tokens that are out run to their end."
                .to_owned(),
            touched(&console, &client).await?,
        ],
        name: None,
        button: "Disable",
        action: format!("{own}/disable"),
        back: own,
        carried: Vec::new(),
    };
    Ok(safety::ask(&console, question, false))
}

async fn touched(console: &Console, client: &Client) -> Result<String, Error> {
    let effects = console.app.administration.effects_on_client(client).await;
    effects.map(|effects| safety::touched(&effects)).map_err(|error| console.refuse(error))
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

/// Asks.
pub(super) async fn delete_page(
    console: Console,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    console.must_be(Role::Admin)?;
    let client = find(&console, &id).await?;
    ask(&console, &client, Problems::default()).await
}

/// Deletes, if the name was typed.
pub(super) async fn delete(posted: Posted, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_be(Role::Admin)?;
    let client = find(&console, &id).await?;
    if form.text("confirm") != client.client_name.trim() {
        let mut problems = Problems::default();
        problems.push("confirm", "is not the name of this client");
        return ask(&console, &client, problems).await;
    }
    console
        .app
        .administration
        .delete_client(&console.actor(), &client.client_id, None)
        .await
        .map_err(|error| console.refuse(error))?;
    Ok(see_other(&console.url("/clients?done=deleted")))
}

async fn ask(
    console: &Console,
    client: &Client,
    problems: Problems,
) -> Result<HttpResponse, Error> {
    let own = console.url(&format!("/clients/{}", client.client_id));
    let status = status_of(&problems, false);
    let template = DeletePage {
        shell: console.shell(),
        name: client.client_name.clone(),
        consequence: "Nobody can sign in through it any more, and every grant and token it holds \
                      ends.",
        touches: vec![touched(console, client).await?],
        action: format!("{own}/delete"),
        back: own,
        problems,
    };
    Ok(html::page(status, &template, &[]))
}
