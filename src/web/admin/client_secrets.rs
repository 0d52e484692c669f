//! A client's secrets: one that follows, one more, one less.

use std::time::Duration;

use actix_web::{Error, HttpResponse, web};

use super::client_form::{find, on_to_secret};
use super::form::Form;
use super::{Console, Posted, see_other};
use crate::op::admin::{AdminError, FieldProblem, MAX_SECRET_OVERLAP, SECRET_OVERLAP};
use crate::protocol::client::{Client, ClientSecret};
use crate::protocol::digits;

/// Makes a new secret beside the ones before, and shows it this once.
pub(super) async fn rotate(posted: Posted, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_edit(&id)?;
    let client = find(&console, &id).await?;
    let administration = &console.app.administration;
    let secrets = secrets_of(&console, &client).await?;
    let newest = secrets.first().map(|secret| secret.id.as_str()).unwrap_or_default();
    if newest != form.text("newest") {
        let url = console.url(&format!("/clients/{}?done=already-rotated", client.client_id));
        return Ok(see_other(&url));
    }
    let overlap = chosen(&console, &form, "overlap")?.map_or(SECRET_OVERLAP, Duration::from_secs);
    let registered = administration
        .rotate_client_secret(&console.actor(), &client.client_id, overlap.min(MAX_SECRET_OVERLAP))
        .await
        .map_err(|error| console.refuse(error))?;
    let heading = format!("A new secret for {}", client.client_name);
    on_to_secret(&console, heading, &registered).await
}

/// One of the numbers that a form offers. What is none is refused: it must not become a secret that
/// is good for ever.
fn chosen(console: &Console, form: &Form, name: &'static str) -> Result<Option<u64>, Error> {
    match form.text(name).as_str() {
        "" => Ok(None),
        text => digits::number(text).map(Some).ok_or_else(|| {
            let problem = FieldProblem::new(name, "must be one of the numbers on offer");
            console.refuse(AdminError::Invalid(vec![problem]))
        }),
    }
}

async fn secrets_of(console: &Console, client: &Client) -> Result<Vec<ClientSecret>, Error> {
    let found = console.app.administration.client_secrets(&client.client_id).await;
    found.map_err(|error| console.refuse(error))
}

/// Makes one more, with a name, and shows it this once.
pub(super) async fn add(posted: Posted, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_edit(&id)?;
    let client = find(&console, &id).await?;
    let days = chosen(&console, &form, "secret_days")?.filter(|days| *days > 0);
    let life = days.map(|days| Duration::from_secs(days.saturating_mul(24 * 3600)));
    let name = form.text("secret_name");
    let administration = &console.app.administration;
    let registered = administration
        .add_client_secret(&console.actor(), &client.client_id, &name, life)
        .await
        .map_err(|error| console.refuse(error))?;
    let heading = format!("A secret for {}: {name}", client.client_name);
    on_to_secret(&console, heading, &registered).await
}

/// Takes one away. The last good one only for the client's name: the app stops without it.
pub(super) async fn revoke(
    posted: Posted,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    let (id, secret) = path.into_inner();
    console.must_edit(&id)?;
    let client = find(&console, &id).await?;
    let now = console.app.provider.now();
    let secrets = secrets_of(&console, &client).await?;
    let other = secrets.iter().any(|other| other.id != secret && other.is_good(now));
    let good = secrets.iter().any(|this| this.id == secret && this.is_good(now));
    if good && !other && form.text("confirm") != client.client_name.trim() {
        let url = console.url(&format!("/clients/{}?done=last-secret", client.client_id));
        return Ok(see_other(&url));
    }
    let administration = &console.app.administration;
    let revoked =
        administration.revoke_client_secret(&console.actor(), &client.client_id, &secret).await;
    console.app.provider.forget_client(&client.client_id).await;
    match revoked {
        Ok(()) | Err(AdminError::NotFound) => Ok(see_other(
            &console.url(&format!("/clients/{}?done=secret-revoked", client.client_id)),
        )),
        Err(error) => Err(console.refuse(error)),
    }
}
