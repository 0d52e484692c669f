//! Trying a client, and what somebody's tokens would hold.

use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest, HttpResponse, web};
use serde::Serialize;
use url::form_urlencoded;

use super::client_fields::scope_words;
use super::client_form::find;
use super::form::{query, with_query};
use super::{Console, Posted, ended, see_other};
use crate::op::Failure;
use crate::op::trial::device::{Asked, WaitingTrial};
use crate::op::trial::{How, Outcome, Tried, Wish};
use crate::protocol::admin::Role;
use crate::protocol::client::Client;
use crate::protocol::error::Refusal;
use crate::protocol::id::{ClientId, UserId};
use crate::protocol::params::Params;
use crate::protocol::secret::SecretString;
use crate::protocol::user::User;
use crate::store::people::PeopleQuery;
use crate::web::cookies::Jar;
use crate::web::page::admin::Choice;
use crate::web::page::admin::trials::{
    CheckRow, DevicePage, Part, PersonRow, PreviewPage, TriedPage, TryPage,
};
use crate::web::{html, interaction, qr};

/// People that are offered for a preview.
const OFFERED: u32 = 8;

/// What shall be asked for?
pub(super) async fn ask(console: Console, id: web::Path<String>) -> Result<HttpResponse, Error> {
    console.must_edit(&id)?;
    let client = find(&console, &id).await?;
    let usual: Vec<String> = client.scope.clone();
    let default: Vec<String> = client.default_resource.iter().cloned().collect();
    let (scope, resources) = choices(&console, &client, &usual, &default).await?;
    let page = TryPage {
        shell: console.shell(),
        client_id: client.client_id.to_string(),
        how: How::of(&client),
        disabled: client.disabled_at.is_some(),
        no_way_in: console.no_way_in(client.kind),
        bound: client.settings.dpop_bound_access_tokens
            || client.settings.tls_client_certificate_bound_access_tokens,
        client_name: client.client_name,
        scope,
        resources,
        redirect_uri: console.app.provider.trial_redirect_uri(),
    };
    // The form is answered by a redirect that may end at an upstream.
    let upstreams = console.app.provider.connectors();
    let sources: Vec<String> = upstreams.iter().map(|it| it.form_action_source()).collect();
    Ok(html::page(StatusCode::OK, &page, &sources))
}

/// The scopes and APIs that the client may ask for.
async fn choices(
    console: &Console,
    client: &Client,
    scope: &[String],
    resources: &[String],
) -> Result<(Vec<Choice>, Vec<Choice>), Error> {
    let apis = console.app.administration.list_apis().await;
    let apis = apis.map_err(|error| console.refuse(error))?;
    let apis: Vec<_> =
        apis.into_iter().filter(|api| client.resources.contains(&api.identifier)).collect();
    let choice = |value: &str, hint: &str, chosen: &[String]| Choice {
        value: value.to_owned(),
        label: value.to_owned(),
        hint: hint.to_owned(),
        chosen: chosen.iter().any(|each| each == value),
    };
    let own = client.scope.iter().map(|value| choice(value, scope_words(value), scope));
    let of_apis = apis.iter().flat_map(|api| &api.scopes);
    let of_apis = of_apis.map(|each| choice(&each.name, &each.description, scope));
    let scopes = own.chain(of_apis).collect();
    let resource = |api: &crate::protocol::api::Api| Choice {
        label: api.name.clone(),
        ..choice(&api.identifier, &api.identifier, resources)
    };
    Ok((scopes, apis.iter().map(resource).collect()))
}

/// Sends the admin's browser on the way that people's browsers go; or asks for a service's token.
pub(super) async fn begin(
    posted: Posted,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_edit(&id)?;
    let client = find(&console, &id).await?;
    let wish = Wish {
        scope: form.all("scope"),
        resources: form.all("resource"),
        anew: form.ticked("anew"),
    };
    let provider = &console.app.provider;
    match How::of(&client) {
        How::SignIn => {
            let (binding, cookie) = interaction::binding(&console.app, &request);
            let session = console.app.cookies.read(&request, Jar::Session);
            let browser = provider.browser(Some(&binding), session.as_deref());
            let begun =
                provider.begin_trial(&client.client_id, wish, &console.cookie, &browser).await;
            let next = begun.map_err(|failure| refused(&console, failure))?;
            let mut response = interaction::answer(&console.app, &request, None, Ok(next)).await;
            interaction::set(&mut response, cookie);
            Ok(response)
        }
        How::Service => {
            let tried = provider.try_service(&console.actor(), &client.client_id, &wish).await;
            let tried = tried.map_err(|failure| refused(&console, failure))?;
            Ok(console.page(&tried_page(&console, client.client_name, tried)))
        }
        How::Device => {
            let begun = provider.begin_device_trial(&client.client_id, wish, &console.cookie).await;
            let trial = begun.map_err(|failure| refused(&console, failure))?;
            let query = with_query(&[("trial", &trial)]);
            Ok(see_other(&console.url(&format!("/clients/{}/try/device{query}", client.client_id))))
        }
        How::Elsewhere => Err(console.refuse(crate::op::admin::AdminError::NotFound)),
    }
}

/// The device that waits, with its code.
pub(super) async fn device_page(
    console: Console,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    console.must_edit(&id)?;
    let client = find(&console, &id).await?;
    let handle = query(&request, "trial").unwrap_or_default();
    let provider = &console.app.provider;
    let found = provider.waiting_trial(&client.client_id, &console.cookie, &handle).await;
    match found.map_err(|failure| refused(&console, failure))? {
        None => Ok(no_such_trial(&console)),
        Some((waiting, answered)) => {
            Ok(device_waits(&console, client, handle, waiting, (answered, None)))
        }
    }
}

/// Asks for the tokens as the device would.
pub(super) async fn ask_device(
    posted: Posted,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_edit(&id)?;
    let client = find(&console, &id).await?;
    let handle = form.text("trial");
    let provider = &console.app.provider;
    let asked = provider
        .ask_device_trial(&console.actor(), &client.client_id, &console.cookie, &handle)
        .await;
    match asked.map_err(|failure| refused(&console, failure))? {
        None => Ok(no_such_trial(&console)),
        Some(Asked::Waiting(waiting, refusal)) => {
            let told = format!("{}: {}", refusal.code, refusal.description);
            Ok(device_waits(&console, client, handle, *waiting, (false, Some(told))))
        }
        Some(Asked::Ended(Outcome::Refused(_, refusal))) => Ok(refusal_page(&console, &refusal)),
        Some(Asked::Ended(Outcome::Tried(tried))) => {
            Ok(console.page(&tried_page(&console, client.client_name, *tried)))
        }
    }
}

fn device_waits(
    console: &Console,
    client: Client,
    trial: String,
    waiting: WaitingTrial,
    (answered, told): (bool, Option<String>),
) -> HttpResponse {
    let link = SecretString::new(waiting.verification_uri_complete.clone());
    console.page(&DevicePage {
        shell: console.shell(),
        client_id: client.client_id.to_string(),
        client_name: client.client_name,
        trial,
        user_code: waiting.user_code,
        verification_uri: waiting.verification_uri,
        verification_uri_complete: waiting.verification_uri_complete,
        qr: qr::image(&link),
        answered,
        told,
    })
}

fn no_such_trial(console: &Console) -> HttpResponse {
    console.problem(
        StatusCode::NOT_FOUND,
        "There is no such trial",
        "It is finished, took too long, or was begun in another session. Begin one at the \
         client's page."
            .to_owned(),
    )
}

fn refused(console: &Console, failure: Failure) -> Error {
    match failure {
        Failure::Refused(refusal) => ended(refusal_page(console, &refusal)),
        Failure::Fault(fault) => console.fail(&fault),
    }
}

fn refusal_page(console: &Console, refusal: &Refusal) -> HttpResponse {
    console.problem(
        StatusCode::UNPROCESSABLE_ENTITY,
        "The app would have been refused",
        format!("{}: {}", refusal.code, refusal.description),
    )
}

/// The answer to a trial of this session.
pub(super) async fn answer(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    let answer = Params::parse(request.query_string().as_bytes());
    let answer = answer.map_err(|refusal| refused(&console, refusal.into()))?;
    let provider = &console.app.provider;
    let outcome = provider.finish_trial(&console.actor(), &console.cookie, &answer).await;
    match outcome.map_err(|failure| refused(&console, failure))? {
        None => Ok(no_such_trial(&console)),
        Some(Outcome::Refused(client_id, refusal)) => {
            console.must_edit(client_id.as_str())?;
            Ok(refusal_page(&console, &refusal))
        }
        Some(Outcome::Tried(tried)) => {
            console.must_edit(tried.client_id.as_str())?;
            let client = find(&console, tried.client_id.as_str()).await?;
            Ok(console.page(&tried_page(&console, client.client_name, *tried)))
        }
    }
}

fn tried_page(console: &Console, client_name: String, tried: Tried) -> TriedPage {
    let mut parts = Vec::new();
    if let Some(token) = &tried.id_token {
        parts.push(part("id-token-header", "ID token, header", &token.header));
        parts.push(part("id-token", "ID token", &token.claims));
    }
    parts.push(part("access-token-header", "Access token, header", &tried.access_token.header));
    parts.push(part("access-token", "Access token", &tried.access_token.claims));
    match &tried.userinfo {
        Some(Ok(userinfo)) => parts.push(part("userinfo", "Userinfo", userinfo)),
        Some(Err(refusal)) => {
            let error = serde_json::json!({ "error": refusal.code.as_str() });
            parts.push(part("userinfo", "Userinfo", &error));
        }
        None => {}
    }
    let checks: Vec<_> = tried
        .checks
        .into_iter()
        .map(|check| CheckRow {
            subject: check.subject,
            rule: check.rule,
            holds: check.holds,
            found: check.found,
        })
        .collect();
    TriedPage {
        shell: console.shell(),
        client_id: tried.client_id.to_string(),
        client_name,
        failed: checks.iter().filter(|check| !check.holds).count(),
        checks,
        parts,
        refresh_token: tried.refresh_token,
    }
}

fn part(id: &'static str, title: &'static str, value: &impl Serialize) -> Part {
    Part { id, title, json: serde_json::to_string_pretty(value).unwrap_or_default() }
}

/// What a chosen person's tokens would hold.
pub(super) async fn preview(
    console: Console,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    console.must_be(Role::Viewer)?;
    let client = find(&console, &id).await?;
    let q = query(&request, "q").unwrap_or_default().trim().to_owned();
    let all = |name: &str| -> Vec<String> {
        form_urlencoded::parse(request.query_string().as_bytes())
            .filter(|(given, _)| given == name)
            .map(|(_, value)| value.into_owned())
            .collect()
    };
    let chosen = query(&request, "chosen").is_some();
    let (mut scope, mut resources) = (all("scope"), all("resource"));
    if !chosen {
        scope.clone_from(&client.scope);
        resources = client.default_resource.iter().cloned().collect();
    }
    let person = match query(&request, "person").filter(|_| q.is_empty()) {
        Some(person) => Some(console.app.administration.find_person(&person).await),
        None => None,
    };
    let person = person.transpose().map_err(|error| console.refuse(error))?;
    let people = if person.is_none() { people(&console, &client, &q).await? } else { Vec::new() };
    let (mut parts, mut refused) = (Vec::new(), None);
    if let Some(person) = &person {
        match claims(&console, &client.client_id, &person.user.id, &scope, &resources).await? {
            Ok(claims) => parts = claims,
            Err(refusal) => {
                refused = Some(format!("{}: {}", refusal.code, refusal.description));
            }
        }
    }
    let (scope, resources) = choices(&console, &client, &scope, &resources).await?;
    Ok(console.page(&PreviewPage {
        shell: console.shell(),
        client_id: client.client_id.to_string(),
        client_name: client.client_name,
        q,
        people,
        person: person.map(|person| (person.user.id.to_string(), name_of(&person.user))),
        scope,
        resources,
        parts,
        refused,
    }))
}

async fn claims(
    console: &Console,
    client: &ClientId,
    user: &UserId,
    scope: &[String],
    resources: &[String],
) -> Result<Result<Vec<Part>, Refusal>, Error> {
    match console.app.provider.preview_tokens(client, user, scope, resources).await {
        Ok(preview) => {
            let mut parts = Vec::new();
            parts.extend(preview.id_token.map(|it| part("id-token", "ID token", &it)));
            parts.push(part("access-token", "Access token", &preview.access_token));
            parts.extend(preview.userinfo.map(|it| part("userinfo", "Userinfo", &it)));
            Ok(Ok(parts))
        }
        Err(Failure::Refused(refusal)) => Ok(Err(refusal)),
        Err(Failure::Fault(fault)) => Err(console.fail(&fault)),
    }
}

async fn people(console: &Console, client: &Client, q: &str) -> Result<Vec<PersonRow>, Error> {
    let search = Some(q.to_owned()).filter(|q| !q.is_empty());
    let wanted = PeopleQuery { search, limit: OFFERED, ..PeopleQuery::default() };
    let found = console.app.administration.list_people(&wanted).await;
    let found = found.map_err(|error| console.refuse(error))?;
    let row = |user: User| PersonRow {
        url: console.url(&format!(
            "/clients/{}/preview{}",
            client.client_id,
            with_query(&[("person", user.id.as_str())])
        )),
        name: name_of(&user),
        detail: user.email.clone().unwrap_or_default(),
    };
    Ok(found.items.into_iter().map(row).collect())
}

fn name_of(user: &User) -> String {
    user.name.clone().or_else(|| user.email.clone()).unwrap_or_else(|| user.sub.clone())
}
