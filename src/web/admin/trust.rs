//! Who may come without an operator: initial access tokens for clients that register themselves
//! (RFC 7591), and issuers whose word is a workload's proof (RFC 7523).

use std::time::Duration;

use actix_web::{Error, HttpRequest, HttpResponse, web};

use super::client_form::status_of;
use super::form::{Form, lines, query};
use super::paging::{PAGE, pages};
use super::safety::{self, Question};
use super::{Console, Posted, moment, problems, see_other};
use crate::op::admin::reveal::Reveal;
use crate::op::admin::{AdminError, ListQuery, NewTrustedIssuer};
use crate::op::registration::RegistrationMode;
use crate::protocol::admin::Role;
use crate::protocol::digits;
use crate::protocol::trusted_issuer::{MAX_LIFETIME, TrustedIssuer};
use crate::store::registrations::RegistrationToken;
use crate::web::html;
use crate::web::page::admin::Problems;
use crate::web::page::admin::trust::{
    IssuerForm, IssuerRow, TokenForm, TokenPage, TokenRow, TrustPage,
};

/// What a reveal of this room is of.
const TOKENS: &str = "registration_tokens";
const DAY: u64 = 24 * 3600;

/// Which of the two forms was sent, and what was wrong with it.
enum Wrong {
    Nothing,
    Token(Problems),
    Issuer(Problems),
}

/// Which part of the two lists is looked at.
#[derive(Default)]
struct Sought {
    q: String,
    tokens_after: Option<String>,
    issuers_after: Option<String>,
}

/// The room.
pub(super) async fn show(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    let given = |name: &str| query(&request, name).filter(|value| !value.is_empty());
    let sought = Sought {
        q: given("q").unwrap_or_default().trim().to_owned(),
        tokens_after: given("tokens"),
        issuers_after: given("issuers"),
    };
    room(&console, sought, &Form::parse(b""), Wrong::Nothing).await
}

async fn page(console: &Console, typed: &Form, wrong: Wrong) -> Result<HttpResponse, Error> {
    room(console, Sought::default(), typed, wrong).await
}

async fn room(
    console: &Console,
    Sought { q, tokens_after, issuers_after }: Sought,
    typed: &Form,
    wrong: Wrong,
) -> Result<HttpResponse, Error> {
    let administration = &console.app.administration;
    let refuse = |error| console.refuse(error);
    let part = |after: &Option<String>| ListQuery {
        search: Some(q.clone()).filter(|q| !q.is_empty()),
        after: after.clone(),
        limit: PAGE,
        ..ListQuery::default()
    };
    let tokens = administration.page_of_registration_tokens(&part(&tokens_after)).await;
    let tokens = tokens.map_err(refuse)?;
    let issuers = administration.page_of_trusted_issuers(&part(&issuers_after)).await;
    let issuers = issuers.map_err(refuse)?;
    // Either list is turned while the other stays where it is.
    let tokens_here = tokens_after.as_deref().unwrap_or_default();
    let issuers_here = issuers_after.as_deref().unwrap_or_default();
    let token_pages = pages(
        console,
        "/trust",
        &[("q", &q), ("issuers", issuers_here)],
        ("tokens", tokens_after.as_deref(), tokens.next.as_deref()),
    );
    let issuer_pages = pages(
        console,
        "/trust",
        &[("q", &q), ("tokens", tokens_here)],
        ("issuers", issuers_after.as_deref(), issuers.next.as_deref()),
    );
    let now = console.app.provider.now();
    let token = |token: &RegistrationToken| TokenRow {
        id: token.id.clone(),
        name: token.name.clone(),
        uses_left: token.uses_left,
        expires_at: token.expires_at.map(moment),
        alive: token.expires_at.is_none_or(|at| now < at) && token.uses_left != Some(0),
    };
    let issuer = |rule: &TrustedIssuer| IssuerRow {
        id: rule.id.clone(),
        issuer: rule.issuer.clone(),
        client_id: rule.client_id.to_string(),
        client_url: console.url(&format!("/clients/{}", rule.client_id)),
        conditions: rule
            .conditions
            .iter()
            .map(|one| format!("{}={}", one.claim, one.value))
            .collect(),
        scope: rule.scope.join(" "),
        resources: rule.resources.join(" "),
        single_use: rule.single_use,
    };
    let or = |name: &str, usual: &str| {
        Some(typed.text(name)).filter(|text| !text.is_empty()).unwrap_or_else(|| usual.to_owned())
    };
    let (token_problems, issuer_problems) = match wrong {
        Wrong::Nothing => (Problems::default(), Problems::default()),
        Wrong::Token(found) => (found, Problems::default()),
        Wrong::Issuer(found) => (Problems::default(), found),
    };
    let status = match token_problems.any() {
        true => status_of(&token_problems, false),
        false => status_of(&issuer_problems, false),
    };
    let template = TrustPage {
        shell: console.shell(),
        mode: match console.app.provider.registration_mode() {
            RegistrationMode::Off => "off",
            RegistrationMode::Token => "token",
            RegistrationMode::Open => "open",
        },
        q: q.clone(),
        tokens: tokens.items.iter().map(token).collect(),
        token_pages,
        issuers: issuers.items.iter().map(issuer).collect(),
        issuer_pages,
        token: TokenForm {
            name: typed.text("token_name"),
            uses: typed.text("token_uses"),
            days: or("token_days", "1"),
            problems: token_problems,
        },
        issuer: IssuerForm {
            issuer: typed.text("issuer"),
            audience: or("audience", console.app.provider.issuer()),
            client_id: typed.text("workload_client"),
            conditions: typed.exact("conditions"),
            scope: typed.text("workload_scope"),
            resources: typed.exact("workload_resources"),
            jwks_uri: typed.text("jwks_uri"),
            max_lifetime: or("max_lifetime", &MAX_LIFETIME.to_string()),
            allow_reuse: typed.ticked("allow_reuse"),
            problems: issuer_problems,
        },
    };
    Ok(html::page(status, &template, &[]))
}

/// Makes an initial access token, and goes on to the page that shows it this once.
pub(super) async fn create_token(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_be(Role::Admin)?;
    let mut wrong = Problems::default();
    let uses = match form.text("token_uses").as_str() {
        "" => None,
        text => {
            let uses = digits::number::<i32>(text);
            if uses.is_none() {
                wrong.push("token_uses", "must be a whole number, or empty for any");
            }
            uses
        }
    };
    let days = digits::number::<u64>(&form.text("token_days")).filter(|days| *days <= 3_660);
    if days.is_none() {
        wrong.push("token_days", "must be a whole number of days; 0 for ever");
    }
    let life = days.filter(|days| *days > 0).map(|days| Duration::from_secs(days * DAY));
    if wrong.any() {
        return page(&console, &form, Wrong::Token(wrong)).await;
    }
    let administration = &console.app.administration;
    let name = form.text("token_name");
    let made = administration.create_registration_token(&console.actor(), name, uses, life).await;
    match made {
        Ok((token, secret)) => {
            let reveal = Reveal {
                heading: format!("The token {} is made", token.name),
                of: TOKENS.to_owned(),
                secret: Some(secret.expose().clone()),
            };
            let kept = administration.keep_reveal(&console.cookie, &reveal).await;
            let handle = kept.map_err(|error| console.refuse(error))?;
            Ok(see_other(&console.url(&format!("/trust/tokens/{handle}"))))
        }
        Err(AdminError::Invalid(found)) => {
            let mut wrong = Problems::default();
            for problem in problems(found).list {
                wrong.push(&format!("token_{}", problem.field), &problem.message);
            }
            page(&console, &form, Wrong::Token(wrong)).await
        }
        Err(error) => Err(console.refuse(error)),
    }
}

/// Shows a new token, the first time that it is asked for.
pub(super) async fn token_page(
    console: Console,
    handle: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let shown = console.app.administration.reveal(&console.cookie, &handle).await;
    let reveal = shown.map_err(|error| console.refuse(error))?;
    let shown = reveal.filter(|reveal| reveal.of == TOKENS);
    let Some((heading, secret)) = shown.and_then(|it| Some((it.heading, it.secret?))) else {
        return Ok(see_other(&console.url("/trust?done=already-shown")));
    };
    Ok(console.page(&TokenPage {
        shell: console.shell(),
        heading,
        secret,
        endpoint: format!(
            "{}{}",
            console.app.provider.issuer(),
            crate::protocol::metadata::path::REGISTRATION
        ),
        back: console.url("/trust"),
    }))
}

/// Asks before a token is removed.
pub(super) async fn token_delete_page(
    console: Console,
    request: HttpRequest,
) -> Result<HttpResponse, Error> {
    console.must_be(Role::Admin)?;
    let id = query(&request, "id").unwrap_or_default();
    let tokens = console.app.administration.list_registration_tokens().await;
    let tokens = tokens.map_err(|error| console.refuse(error))?;
    let token = tokens.into_iter().find(|token| token.id == id);
    let token = token.ok_or_else(|| console.refuse(AdminError::NotFound))?;
    let question = Question {
        heading: format!("Remove the token {}?", token.name),
        consequences: vec![
            "No further client is registered with it. Those that were stay.".to_owned(),
        ],
        name: None,
        button: "Remove",
        action: console.url("/trust/tokens/delete"),
        back: console.url("/trust"),
        carried: vec![("id", token.id)],
    };
    Ok(safety::ask(&console, question, false))
}

/// Removes a token.
pub(super) async fn delete_token(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_be(Role::Admin)?;
    let administration = &console.app.administration;
    let done = administration.delete_registration_token(&console.actor(), &form.text("id")).await;
    done.map_err(|error| console.refuse(error))?;
    Ok(see_other(&console.url("/trust?done=deleted")))
}

/// Trusts an issuer.
pub(super) async fn create_issuer(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_be(Role::Admin)?;
    let Some(max_lifetime) = digits::number::<u32>(&form.text("max_lifetime")) else {
        let mut wrong = Problems::default();
        wrong.push("max_lifetime", "must be a whole number of seconds");
        return page(&console, &form, Wrong::Issuer(wrong)).await;
    };
    let new = NewTrustedIssuer {
        issuer: form.text("issuer"),
        jwks_uri: Some(form.text("jwks_uri")).filter(|uri| !uri.is_empty()),
        jwks: None,
        audience: form.text("audience"),
        client_id: form.text("workload_client"),
        conditions: lines(&form.exact("conditions")),
        scope: form.text("workload_scope").split_whitespace().map(str::to_owned).collect(),
        resources: lines(&form.exact("workload_resources")),
        max_lifetime: Some(max_lifetime),
        allow_reuse: form.ticked("allow_reuse"),
    };
    let made = console.app.administration.create_trusted_issuer(&console.actor(), new).await;
    match made {
        Ok(_) => Ok(see_other(&console.url("/trust?done=saved"))),
        Err(AdminError::Invalid(found)) => {
            let mut wrong = Problems::default();
            for problem in problems(found).list {
                // The members whose names other forms of the console have, too.
                let field = match problem.field.as_str() {
                    "client_id" => "workload_client",
                    "scope" => "workload_scope",
                    "resources" => "workload_resources",
                    other => other,
                };
                wrong.push(field, &problem.message);
            }
            page(&console, &form, Wrong::Issuer(wrong)).await
        }
        Err(error) => Err(console.refuse(error)),
    }
}

async fn find_issuer(console: &Console, id: &str) -> Result<TrustedIssuer, Error> {
    let issuers = console.app.administration.list_trusted_issuers().await;
    let issuers = issuers.map_err(|error| console.refuse(error))?;
    let issuer = issuers.into_iter().find(|issuer| issuer.id == id);
    issuer.ok_or_else(|| console.refuse(AdminError::NotFound))
}

fn ask(console: &Console, rule: TrustedIssuer, wrong: bool) -> HttpResponse {
    let question = Question {
        heading: format!("Trust {} no more?", rule.issuer),
        consequences: vec![
            format!(
                "Workloads that it vouches for get no more tokens as {}. Those that are out run \
                 to their end.",
                rule.client_id
            ),
            "Whatever else that client shows to prove itself stays good.".to_owned(),
        ],
        name: Some(rule.issuer),
        button: "Trust it no more",
        action: console.url("/trust/issuers/delete"),
        back: console.url("/trust"),
        carried: vec![("id", rule.id)],
    };
    safety::ask(console, question, wrong)
}

/// Asks.
pub(super) async fn issuer_delete_page(
    console: Console,
    request: HttpRequest,
) -> Result<HttpResponse, Error> {
    console.must_be(Role::Admin)?;
    let rule = find_issuer(&console, &query(&request, "id").unwrap_or_default()).await?;
    Ok(ask(&console, rule, false))
}

/// Trusts it no more, if its name was typed.
pub(super) async fn delete_issuer(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_be(Role::Admin)?;
    let rule = find_issuer(&console, &form.text("id")).await?;
    if form.text("confirm") != rule.issuer.trim() {
        return Ok(ask(&console, rule, true));
    }
    let administration = &console.app.administration;
    let done = administration.delete_trusted_issuer(&console.actor(), &form.text("id")).await;
    done.map_err(|error| console.refuse(error))?;
    Ok(see_other(&console.url("/trust?done=deleted")))
}
