//! Connections: what people sign in through, and what is wrong with it.

use actix_web::{Error, HttpRequest, HttpResponse, web};

use super::connection_fields::fields;
use super::form::query;
use super::paging::{pages, part};
use super::{Console, Posted, connection_form, moment};
use crate::op::admin::{AdminError, ConnectionStatus};
use crate::protocol::connection::{Connection, ConnectionKind, ConnectionSettings};
use crate::protocol::id::ConnectionId;
use crate::upstream::{Finding, Verdict};
use crate::web::page::admin::connections::{ConnectionRow, FindingRow, ListPage, Paste, ShowPage};

/// Connections in the order in which people see them: searched, those that are switched off too.
pub(super) async fn list(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    let given = |name: &str| query(&request, name).filter(|value| !value.is_empty());
    let q = given("q").unwrap_or_default().trim().to_owned();
    let state = given("state").filter(|state| ["enabled", "disabled"].contains(&state.as_str()));
    let state = state.unwrap_or_default();
    let after = given("after");
    let all = console.app.administration.search_connections(&q, &state).await;
    let all = all.map_err(|error| console.refuse(error))?;
    let (shown, next) = part(all, after.as_deref(), |listed| listed.connection.id.as_str());
    let cursor = ("after", after.as_deref(), next.as_deref());
    let pages = pages(&console, "/connections", &[("q", &q), ("state", &state)], cursor);
    let shown: Vec<Connection> = shown.into_iter().map(|listed| listed.connection).collect();
    let rows = rows(&console, &shown).await?;
    Ok(console.page(&ListPage { shell: console.shell(), q, state, rows, pages }))
}

async fn rows(console: &Console, connections: &[Connection]) -> Result<Vec<ConnectionRow>, Error> {
    let statuses = console.app.administration.connection_statuses(connections.iter()).await;
    let statuses = statuses.map_err(|error| console.refuse(error))?;
    Ok(connections.iter().zip(statuses).map(|(one, status)| row(console, one, status)).collect())
}

fn row(console: &Console, connection: &Connection, status: ConnectionStatus) -> ConnectionRow {
    ConnectionRow {
        id: connection.id.to_string(),
        name: connection.display_name.clone(),
        enabled: connection.enabled,
        failing: status.is_failing(),
        why: status.why(),
        last_success: status.success.map(|recorded| moment(recorded.event.at)),
        last_failure: status.failure.as_ref().map(|recorded| moment(recorded.event.at)),
        failure_url: status.failure.map(|recorded| console.url(&format!("/audit/{}", recorded.id))),
    }
}

/// One connection, with what must be pasted at the provider.
pub(super) async fn show(console: Console, id: web::Path<String>) -> Result<HttpResponse, Error> {
    page(&console, &id, None).await
}

/// Runs the doctor.
pub(super) async fn check(posted: Posted, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    let examined = console.app.provider.examine(&ConnectionId::new(id.as_str())).await;
    let findings = examined.map_err(|fault| console.fail(&fault))?;
    let findings = findings.ok_or_else(|| console.refuse(AdminError::NotFound))?;
    if form.text("beside") == "form" {
        let findings = findings.into_iter().map(finding).collect();
        return connection_form::with_findings(&console, &id, &form, findings).await;
    }
    page(&console, &id, Some(findings)).await
}

fn finding(finding: Finding) -> FindingRow {
    let (word, chip) = match finding.verdict {
        Verdict::Fine => ("fine", "good"),
        Verdict::Unknown => ("unknown", "warn"),
        Verdict::Wrong => ("wrong", "bad"),
    };
    FindingRow { word, chip, subject: finding.subject, message: finding.message }
}

async fn page(
    console: &Console,
    id: &str,
    findings: Option<Vec<Finding>>,
) -> Result<HttpResponse, Error> {
    let found = console.app.administration.find_connection(id).await;
    let found = found.map_err(|error| console.refuse(error))?;
    let connection = &found.connection;
    let keys = match &connection.settings {
        ConnectionSettings::Apple(apple) => Some((apple.key_id.clone(), apple.next_key_id.clone())),
        ConnectionSettings::Oidc(_) | ConnectionSettings::Github(_) => None,
    };
    let statuses =
        console.app.administration.connection_statuses(std::iter::once(connection)).await;
    let status = statuses.map_err(|error| console.refuse(error))?.pop();
    let status = status.ok_or_else(|| console.refuse(AdminError::NotFound))?;
    let shown = fields(&connection.settings, None).into_iter().filter(|it| !it.value.is_empty());
    Ok(console.page(&ShowPage {
        shell: console.shell(),
        row: row(console, connection, status),
        last_heard: match connection.settings.kind() {
            ConnectionKind::Apple => Some(last_heard(console, &connection.id).await?),
            ConnectionKind::Oidc | ConnectionKind::Github => None,
        },
        checked: findings.is_some(),
        findings: findings.unwrap_or_default().into_iter().map(finding).collect(),
        is_apple: connection.settings.kind() == ConnectionKind::Apple,
        joins_by_address: connection.settings.joins_by_verified_email(),
        paste: paste(console, id, connection.settings.kind()),
        file_managed: found.file_managed,
        settings: shown.map(|field| (field.label, field.value.replace('\n', ", "))).collect(),
        keys,
    }))
}

/// What the upstream announced last, and when.
async fn last_heard(console: &Console, id: &ConnectionId) -> Result<Option<String>, Error> {
    let heard = console.app.provider.last_notifications().await;
    let heard = heard.map_err(|fault| console.fail(&fault))?;
    let last = heard.iter().find(|heard| heard.connection_id == *id);
    Ok(last.map(|last| format!("{}, {}", moment(last.at), last.kind.as_str())))
}

/// What must be pasted at the provider of a connection with this id.
pub(super) fn paste(console: &Console, id: &str, kind: ConnectionKind) -> Paste {
    let provider = &console.app.provider;
    let issuer = provider.issuer();
    let domain = url::Url::parse(issuer).ok();
    let domain = domain.as_ref().and_then(url::Url::host_str).unwrap_or_default();
    Paste {
        return_url: provider.callback_uri(&ConnectionId::new(id)),
        domain: domain.to_owned(),
        notifications: format!("{issuer}/upstream/{id}/notifications"),
        domain_file: format!("{issuer}/.well-known/apple-developer-domain-association.txt"),
        backchannel_logout: (kind == ConnectionKind::Oidc)
            .then(|| format!("{issuer}/upstream/{id}/backchannel_logout")),
    }
}
