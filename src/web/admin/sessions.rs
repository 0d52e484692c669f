//! Every browser session that is alive, and those of somebody who is searched for.

use actix_web::{Error, HttpRequest, HttpResponse};

use super::form::{query, with_query};
use super::people::called;
use super::{Console, moment};
use crate::store::living::{COUNTED_OF_ALL, Of, SessionsQuery};
use crate::web::page::admin::people::{LivingRow, SessionsPage};

const PAGE: u32 = 50;

/// The list, all of it by pages or what is searched for.
pub(super) async fn list(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    let after = query(&request, "after").filter(|after| !after.is_empty());
    let q = query(&request, "q").unwrap_or_default().trim().to_owned();
    let oldest_first = query(&request, "sort").as_deref() == Some("oldest");
    let wanted = SessionsQuery { after, oldest_first, limit: PAGE };
    let administration = &console.app.administration;
    let refuse = |error| console.refuse(error);
    let (found, next, more) = if q.is_empty() {
        let page = administration.list_sessions(&wanted).await.map_err(refuse)?;
        (page.items, page.next, false)
    } else {
        let (found, more) = administration.search_sessions(&q, &wanted).await.map_err(refuse)?;
        (found, None, more)
    };
    let living =
        administration.count_living(&Of::Everybody).await.map_err(|error| console.refuse(error))?;
    let rows = found
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
    let sort = if oldest_first { "oldest" } else { "" };
    let next_url = next.map(|after| {
        console.url(&format!("/sessions{}", with_query(&[("sort", sort), ("after", &after)])))
    });
    let first = || console.url(&format!("/sessions{}", with_query(&[("sort", sort)])));
    Ok(console.page(&SessionsPage {
        shell: console.shell(),
        counted: format!(
            "Browsers signed in: {}. Accesses that apps hold: {}.",
            counted(living.sessions),
            counted(living.grants)
        ),
        q,
        oldest_first,
        more,
        rows,
        first_url: wanted.after.is_some().then(first),
        next_url,
    }))
}

fn counted(number: u64) -> String {
    if number < COUNTED_OF_ALL { number.to_string() } else { format!("{COUNTED_OF_ALL} or more") }
}
