//! Every browser session that is alive.

use actix_web::{Error, HttpRequest, HttpResponse};

use super::form::{query, with_query};
use super::people::called;
use super::{Console, moment};
use crate::store::living::{COUNTED_OF_ALL, Of};
use crate::web::page::admin::people::{LivingRow, SessionsPage};

const PAGE: u32 = 50;

/// The list, newest first.
pub(super) async fn list(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    let after = query(&request, "after").filter(|after| !after.is_empty());
    let administration = &console.app.administration;
    let page = administration
        .list_sessions(after.as_deref(), PAGE)
        .await
        .map_err(|error| console.refuse(error))?;
    let living =
        administration.count_living(&Of::Everybody).await.map_err(|error| console.refuse(error))?;
    let rows = page
        .items
        .iter()
        .map(|(session, user)| {
            let person_url = console.url(&format!("/people/{}", user.id));
            let chosen = with_query(&[("session", session.id.as_str())]);
            LivingRow {
                person: called(user),
                id: session.id.to_string(),
                connection: console.connection_name(&session.connection_id),
                since: moment(session.created_at),
                auth_time: moment(session.auth_time),
                until: moment(session.expires_at),
                end_url: format!("{person_url}/sign-out{chosen}"),
                person_url,
            }
        })
        .collect();
    let next_url = page.next.map(|after| {
        console.url(&format!("/sessions{}", with_query(&[("after", after.as_str())])))
    });
    Ok(console.page(&SessionsPage {
        shell: console.shell(),
        counted: format!(
            "Browsers signed in: {}. Accesses that apps hold: {}.",
            counted(living.sessions),
            counted(living.grants)
        ),
        rows,
        paged: after.is_some(),
        next_url,
    }))
}

fn counted(number: u64) -> String {
    if number < COUNTED_OF_ALL { number.to_string() } else { format!("{COUNTED_OF_ALL} or more") }
}
