//! APIs. Their identifiers are URIs, so they travel in the query and not in the path.

use actix_web::{Error, HttpRequest, HttpResponse};
use serde_json::json;

use super::claim_preview::{self, Of};
use super::client_fields::algorithms;
use super::client_form::status_of;
use super::form::{Form, lines, query, with_query};
use super::{Console, Posted, claim_rules, problems, safety, see_other};
use crate::op::admin::{AdminError, Administration, ApiChange, ListQuery, NewApi};
use crate::protocol::admin::Role;
use crate::protocol::api::{ACCESS_TOKEN_TTL, AccessTokenFormat, Api, ApiScope};
use crate::protocol::client_settings::ApiSettings;
use crate::protocol::digits;
use crate::protocol::id::ClientId;
use crate::protocol::jose::Algorithm;
use crate::web::html;
use crate::web::page::admin::apis::{ApiForm, ApiRow, EditPage, ListPage};
use crate::web::page::admin::safety::Conflict;
use crate::web::page::admin::{Choice, DeletePage, Problems};
use crate::web::quickstart;

/// APIs on one page of the list.
const PAGE: u32 = 25;

/// The list: searched, in an order, by pages.
pub(super) async fn list(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    let given = |name: &str| query(&request, name).filter(|value| !value.is_empty());
    let q = given("q").unwrap_or_default().trim().to_owned();
    let newest_first = given("sort").is_some_and(|sort| sort == "newest");
    let after = given("after");
    let paged = after.is_some();
    let wanted = ListQuery {
        search: Some(q.clone()).filter(|q| !q.is_empty()),
        newest_first,
        after,
        limit: PAGE,
        ..ListQuery::default()
    };
    let page = console.app.administration.page_of_apis(&wanted).await;
    let page = page.map_err(|error| console.refuse(error))?;
    let mut asked = vec![("q", q.as_str())];
    asked.extend(newest_first.then_some(("sort", "newest")));
    let first_url = console.url(&format!("/apis{}", with_query(&asked)));
    let next_url = page.next.as_deref().map(|after| {
        asked.push(("after", after));
        console.url(&format!("/apis{}", with_query(&asked)))
    });
    let row = |api: Api| ApiRow {
        identifier: api.identifier,
        name: api.name,
        scopes: api.scopes.into_iter().map(|scope| scope.name).collect(),
        access_token_ttl: api.access_token_ttl,
        signing_alg: api.signing_alg.as_str(),
    };
    let rows = page.items.into_iter().map(row).collect();
    Ok(console.page(&ListPage {
        shell: console.shell(),
        q,
        newest_first,
        rows,
        paged,
        first_url,
        next_url,
    }))
}

/// An empty form.
pub(super) async fn new_page(console: Console) -> Result<HttpResponse, Error> {
    console.must_be(Role::Admin)?;
    let form = ApiForm {
        access_token_ttl: ACCESS_TOKEN_TTL.to_string(),
        signing_alg: algorithms(Algorithm::Rs256.as_str()),
        access_token_format: formats(AccessTokenFormat::default()),
        ..ApiForm::default()
    };
    show(&console, None, form, Problems::default(), None).await
}

/// Registers.
pub(super) async fn create(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_be(Role::Admin)?;
    let mut entries = typed(&form, form.text("identifier"), None);
    if claim_rules::is_act(&form) {
        claim_preview::look(&console, Of::Api, &form, &mut entries.claims).await?;
        return show(&console, None, entries, Problems::default(), None).await;
    }
    let (ttl, alg) = match numbers(&form) {
        Ok(numbers) => numbers,
        Err(problems) => return show(&console, None, entries, problems, None).await,
    };
    let new = NewApi {
        identifier: entries.identifier.clone(),
        name: entries.name.clone(),
        scopes: scopes(&entries.scopes),
        access_token_ttl: Some(ttl),
        signing_alg: Some(alg),
        settings: settings(&form, ApiSettings::default()),
    };
    match console.app.administration.create_api(&console.actor(), new).await {
        Ok(_) => Ok(see_other(&console.url("/apis?done=created"))),
        Err(AdminError::Invalid(found)) => {
            show(&console, None, entries, problems(found), None).await
        }
        Err(error) => Err(console.refuse(error)),
    }
}

/// One API, to be changed by those who may and read by the others.
pub(super) async fn edit_page(
    console: Console,
    request: HttpRequest,
) -> Result<HttpResponse, Error> {
    let api = find(&console, &request).await?;
    let form = ApiForm {
        identifier: api.identifier.clone(),
        name: api.name.clone(),
        scopes: scope_lines(&api.scopes),
        access_token_ttl: api.access_token_ttl.to_string(),
        signing_alg: algorithms(api.signing_alg.as_str()),
        access_token_format: formats(api.settings.access_token_format),
        self_registered_clients: api.settings.self_registered_clients,
        introspection_clients: joined(&api.settings.introspection_clients),
        claims: claim_rules::field(json!(api.settings).get(claim_rules::NAME), None, true),
        version: Some(api.version.to_string()),
    };
    show(&console, Some(&api), form, Problems::default(), None).await
}

/// Saves, unless somebody else did meanwhile.
pub(super) async fn save(posted: Posted, request: HttpRequest) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_be(Role::Admin)?;
    let api = find(&console, &request).await?;
    let mut entries = typed(&form, api.identifier.clone(), Some(form.text("version")));
    if claim_rules::is_act(&form) {
        claim_preview::look(&console, Of::Api, &form, &mut entries.claims).await?;
        return show(&console, Some(&api), entries, Problems::default(), None).await;
    }
    let numbers = numbers(&form).and_then(|numbers| match form.text("version").parse() {
        Ok(version) => Ok((numbers, version)),
        Err(_) => {
            let mut problems = Problems::default();
            problems.push("version", "is missing; load the page again");
            Err(problems)
        }
    });
    let ((ttl, alg), version) = match numbers {
        Ok(numbers) => numbers,
        Err(problems) => return show(&console, Some(&api), entries, problems, None).await,
    };
    let change = ApiChange {
        version: Some(version),
        name: Some(entries.name.clone()),
        scopes: Some(scopes(&entries.scopes)),
        access_token_ttl: Some(ttl),
        signing_alg: Some(alg),
        settings: Some(settings(&form, api.settings.clone())),
    };
    let administration = &console.app.administration;
    let saved = administration.update_api(&console.actor(), &api.identifier, change.clone()).await;
    match saved {
        Ok(_) => Ok(see_other(&console.url("/apis?done=saved"))),
        Err(AdminError::Invalid(found)) => {
            show(&console, Some(&api), entries, problems(found), None).await
        }
        Err(AdminError::Conflict) => {
            let api = find(&console, &request).await?;
            entries.version = Some(api.version.to_string());
            let (stands, typed) = Administration::api_after(&api, change);
            let target = &api.identifier;
            let found = safety::conflict(&console, "api.updated", target, &stands, &typed).await?;
            show(&console, Some(&api), entries, Problems::default(), Some(found)).await
        }
        Err(error) => Err(console.refuse(error)),
    }
}

/// Asks.
pub(super) async fn delete_page(
    console: Console,
    request: HttpRequest,
) -> Result<HttpResponse, Error> {
    console.must_be(Role::Admin)?;
    let api = find(&console, &request).await?;
    ask(&console, &api, Problems::default()).await
}

/// Deletes, if the name was typed and no client needs it.
pub(super) async fn delete(posted: Posted, request: HttpRequest) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_be(Role::Admin)?;
    let api = find(&console, &request).await?;
    if form.text("confirm") != api.name.trim() {
        let mut problems = Problems::default();
        problems.push("confirm", "is not the name of this API");
        return ask(&console, &api, problems).await;
    }
    match console.app.administration.delete_api(&console.actor(), &api.identifier, None).await {
        Ok(()) => Ok(see_other(&console.url("/apis?done=deleted"))),
        Err(AdminError::Invalid(found)) => ask(&console, &api, problems(found)).await,
        Err(error) => Err(console.refuse(error)),
    }
}

async fn find(console: &Console, request: &HttpRequest) -> Result<Api, Error> {
    let identifier = query(request, "identifier").unwrap_or_default();
    let found = console.app.administration.find_api(&identifier).await;
    found.map_err(|error| console.refuse(error))
}

fn typed(form: &Form, identifier: String, version: Option<String>) -> ApiForm {
    ApiForm {
        identifier,
        name: form.text("name"),
        scopes: form.exact("scopes"),
        access_token_ttl: form.text("access_token_ttl"),
        signing_alg: algorithms(&form.text("signing_alg")),
        access_token_format: formats(format(form)),
        self_registered_clients: form.ticked("self_registered_clients"),
        introspection_clients: form.exact("introspection_clients"),
        claims: claim_rules::field(None, Some(form), true),
        version,
    }
}

fn format(form: &Form) -> AccessTokenFormat {
    let typed = form.text("access_token_format");
    let found = AccessTokenFormat::ALL.into_iter().find(|format| format.as_str() == typed);
    found.unwrap_or_default()
}

fn formats(chosen: AccessTokenFormat) -> Vec<Choice> {
    let choice = |format: AccessTokenFormat| Choice {
        value: format.as_str().to_owned(),
        label: match format {
            AccessTokenFormat::Jwt => "JWT (RFC 9068)".to_owned(),
            AccessTokenFormat::Opaque => "Opaque".to_owned(),
        },
        hint: String::new(),
        chosen: format == chosen,
    };
    AccessTokenFormat::ALL.map(choice).into()
}

/// What the form says of the members that few APIs set.
fn settings(form: &Form, before: ApiSettings) -> ApiSettings {
    ApiSettings {
        access_token_format: format(form),
        self_registered_clients: form.ticked("self_registered_clients"),
        claims: claim_rules::rules(form).unwrap_or(before.claims),
        introspection_clients: form
            .text("introspection_clients")
            .split_whitespace()
            .map(ClientId::new)
            .collect(),
    }
}

/// One on each line.
fn joined(clients: &[ClientId]) -> String {
    let lines: Vec<&str> = clients.iter().map(ClientId::as_str).collect();
    lines.join("\n")
}

fn numbers(form: &Form) -> Result<(u32, Algorithm), Problems> {
    let mut problems = Problems::default();
    let ttl = digits::number(&form.text("access_token_ttl"));
    if ttl.is_none() {
        problems.push("access_token_ttl", "must be a whole number of seconds");
    }
    let alg = Algorithm::parse(&form.text("signing_alg"));
    if alg.is_none() {
        problems.push("signing_alg", "must be one of those offered");
    }
    claim_rules::unreadable(form, &mut problems);
    if let Err(why) = claim_rules::rules(form) {
        problems.push(claim_rules::NAME, &why);
    }
    ttl.zip(alg).filter(|_| !problems.any()).ok_or(problems)
}

/// One scope on each line: the value, a blank, what it allows.
fn scopes(text: &str) -> Vec<ApiScope> {
    let scope = |line: String| {
        let (name, description) = line.split_once(char::is_whitespace).unwrap_or((&line, ""));
        ApiScope { name: name.to_owned(), description: description.trim().to_owned() }
    };
    lines(text).into_iter().map(scope).collect()
}

fn scope_lines(scopes: &[ApiScope]) -> String {
    let line = |scope: &ApiScope| format!("{} {}", scope.name, scope.description);
    scopes.iter().map(|scope| line(scope).trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn address(console: &Console, page: &str, api: &Api) -> String {
    console.url(&format!("/apis/{page}{}", with_query(&[("identifier", &api.identifier)])))
}

async fn show(
    console: &Console,
    api: Option<&Api>,
    form: ApiForm,
    problems: Problems,
    conflict: Option<Conflict>,
) -> Result<HttpResponse, Error> {
    let status = status_of(&problems, conflict.is_some());
    let touches = match api {
        Some(api) => vec![touched(console, api).await?],
        None => Vec::new(),
    };
    let shell = console.shell();
    let template = EditPage {
        heading: api.map_or("Register an API".to_owned(), |api| api.name.clone()),
        action: api.map_or(console.url("/apis/new"), |api| address(console, "edit", api)),
        programs: api
            .map(|api| quickstart::for_api(console.app.provider.issuer(), api))
            .unwrap_or_default(),
        delete_url: api.filter(|_| shell.may_change).map(|api| address(console, "delete", api)),
        shell,
        form,
        problems,
        conflict,
        touches,
    };
    Ok(html::page(status, &template, &[]))
}

async fn touched(console: &Console, api: &Api) -> Result<String, Error> {
    let effects = console.app.administration.effects_on_api(&api.identifier).await;
    effects.map(|effects| safety::touched(&effects)).map_err(|error| console.refuse(error))
}

async fn ask(console: &Console, api: &Api, problems: Problems) -> Result<HttpResponse, Error> {
    let status = status_of(&problems, false);
    let template = DeletePage {
        shell: console.shell(),
        name: api.name.clone(),
        consequence: "No more tokens are made for it; those that are out run to their end.",
        touches: vec![touched(console, api).await?],
        action: address(console, "delete", api),
        back: address(console, "edit", api),
        problems,
    };
    Ok(html::page(status, &template, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_lines_of_value_and_words_both_ways() {
        let text = "orders:read Read your orders\norders:write";
        let read = scopes(&format!("\r\n  {}\r\n\r\n", text.replace('\n', "\r\n")));
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].name, "orders:read");
        assert_eq!(read[0].description, "Read your orders");
        assert_eq!(scope_lines(&read), text);
    }
}
