//! Rules of further claims, tried on somebody before they are saved.

use actix_web::Error;
use serde_json::{Map, Value};

use super::form::Form;
use super::people::called;
use super::{Console, claim_rules};
use crate::op::admin::AdminError;
use crate::protocol::client::{Client, ClientKind};
use crate::protocol::id::ClientId;
use crate::protocol::user::User;
use crate::store::people::PeopleQuery;
use crate::web::page::admin::claim_rules::{RulesField, RulesPreview};

/// Of whom a look at rules is.
pub(super) enum Of<'a> {
    /// A client, which is told all that it may ask for.
    Client(&'a Client),
    /// An API, whose access tokens any app may ask for.
    Api,
}

/// Adds what the typed rules would tell of the person who was named, if one was.
pub(super) async fn look(
    console: &Console,
    of: Of<'_>,
    form: &Form,
    field: &mut RulesField,
) -> Result<(), Error> {
    if field.person.is_empty() {
        return Ok(());
    }
    let mut preview = RulesPreview { person: None, places: Vec::new(), problems: Vec::new() };
    let rules = claim_rules::rules(form).map_err(|why| preview.problems.push(why));
    let Some(person) = person(console, &field.person).await? else {
        preview.problems.push(format!("Nobody is called “{}”.", field.person));
        field.preview = Some(preview);
        return Ok(());
    };
    preview.person = Some(match &person.email {
        Some(email) if *email != called(&person) => format!("{}, {email}", called(&person)),
        Some(_) | None => called(&person),
    });
    if let Ok(rules) = rules {
        let provider = &console.app.provider;
        let told = match of {
            Of::Client(client) => {
                provider.preview_rules(client, (&rules, &[]), person, &client.scope).await
            }
            Of::Api => {
                // Any app may ask: what it says of itself is named and not made up.
                let id = ClientId::new("(the app's client_id)");
                let mut app = Client::of_kind(id, ClientKind::Web, provider.now());
                app.client_name = "(the app's name)".to_owned();
                let scope: Vec<_> = rules.iter().filter_map(|rule| rule.scope.clone()).collect();
                provider.preview_rules(&app, (&[], &rules), person, &scope).await
            }
        };
        let told = told.map_err(|fault| console.fail(&fault))?;
        preview.problems.extend(told.problems);
        let json =
            |claims: &Map<String, Value>| serde_json::to_string_pretty(claims).unwrap_or_default();
        if !field.of_api {
            preview.places.push(("ID token", json(&told.id_token)));
            preview.places.push(("Userinfo", json(&told.userinfo)));
        }
        preview.places.push(("Access token", json(&told.access_token)));
    }
    field.preview = Some(preview);
    Ok(())
}

/// The person with this id or `sub`, or the first whose name or address begins so.
async fn person(console: &Console, named: &str) -> Result<Option<User>, Error> {
    let administration = &console.app.administration;
    match administration.find_person(named).await {
        Ok(person) => return Ok(Some(person.user)),
        Err(AdminError::NotFound) => {}
        Err(error) => return Err(console.refuse(error)),
    }
    let search = Some(named.to_owned());
    let query = PeopleQuery { search, limit: 1, ..PeopleQuery::default() };
    let found = administration.list_people(&query).await;
    Ok(found.map_err(|error| console.refuse(error))?.items.into_iter().next())
}
