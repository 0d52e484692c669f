//! Switching a connection off and on, and removing it.

use actix_web::{Error, HttpResponse, web};

use super::client_form::status_of;
use super::connection_form::{find, reload, touched};
use super::safety::Question;
use super::{Console, Posted, safety, see_other};
use crate::op::admin::{AdminError, ConnectionChange, ListedConnection};
use crate::protocol::admin::Role;
use crate::web::html;
use crate::web::page::admin::{DeletePage, Problems};

/// Asks before people can come through it no more, with what that concerns counted.
pub(super) async fn disable_page(
    console: Console,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    console.must_be(Role::Admin)?;
    let found = find(&console, &id).await?;
    let own = console.url(&format!("/connections/{id}"));
    let question = Question {
        heading: format!("Disable {}?", found.connection.display_name),
        consequences: vec![
            "Nobody can sign in through it until it is enabled again.".to_owned(),
            touched(&console, &found).await?,
            "Their sessions and the apps' access stay. To end those too, sign the people out."
                .to_owned(),
        ],
        name: None,
        button: "Disable",
        action: format!("{own}/disable"),
        back: own,
        carried: Vec::new(),
    };
    Ok(safety::ask(&console, question, false))
}

/// Offers it no more.
pub(super) async fn disable(posted: Posted, id: web::Path<String>) -> Result<HttpResponse, Error> {
    switch(&posted.console, &id, false, "disabled").await
}

/// Offers it again.
pub(super) async fn enable(posted: Posted, id: web::Path<String>) -> Result<HttpResponse, Error> {
    switch(&posted.console, &id, true, "enabled").await
}

async fn switch(
    console: &Console,
    id: &str,
    enabled: bool,
    done: &str,
) -> Result<HttpResponse, Error> {
    console.must_be(Role::Admin)?;
    let change = ConnectionChange { enabled: Some(enabled), ..ConnectionChange::default() };
    let changed = console.app.administration.update_connection(&console.actor(), id, change).await;
    changed.map_err(|error| console.refuse(error))?;
    reload(console).await?;
    Ok(see_other(&console.url(&format!("/connections/{id}?done={done}"))))
}

/// Asks.
pub(super) async fn delete_page(
    console: Console,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    console.must_be(Role::Admin)?;
    let found = find(&console, &id).await?;
    ask(&console, &found, Problems::default()).await
}

/// Removes, if the name was typed.
pub(super) async fn delete(posted: Posted, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_be(Role::Admin)?;
    let found = find(&console, &id).await?;
    if form.text("confirm") != found.connection.display_name.trim() {
        let mut problems = Problems::default();
        problems.push("confirm", "is not the name of this connection");
        return ask(&console, &found, problems).await;
    }
    match console.app.administration.delete_connection(&console.actor(), &id, None).await {
        Ok(()) => {
            reload(&console).await?;
            Ok(see_other(&console.url("/connections?done=deleted")))
        }
        Err(AdminError::Invalid(list)) => {
            let mut told = Problems::default();
            for problem in list {
                told.push("confirm", &problem.message);
            }
            ask(&console, &found, told).await
        }
        Err(error) => Err(console.refuse(error)),
    }
}

async fn ask(
    console: &Console,
    found: &ListedConnection,
    problems: Problems,
) -> Result<HttpResponse, Error> {
    let own = console.url(&format!("/connections/{}", found.connection.id));
    let status = status_of(&problems, false);
    let template = DeletePage {
        shell: console.shell(),
        name: found.connection.display_name.clone(),
        consequence: "Nobody can sign in through it any more. People who came through it stay, \
                      with their sessions.",
        touches: vec![touched(console, found).await?],
        action: format!("{own}/delete"),
        back: own,
        problems,
    };
    Ok(html::page(status, &template, &[]))
}
