//! The console's first page.

use actix_web::{Error, HttpResponse};

use super::{Console, see_other};
use crate::op::admin::ListQuery;
use crate::protocol::admin::Role;
use crate::web::page::admin::{OverviewPage, SetupStep};

/// Clients beyond this many are not counted on the overview.
const COUNTED: u32 = 100;

/// What there is, and what is still to be set up, as the state of things says.
pub(super) async fn show(console: Console) -> Result<HttpResponse, Error> {
    if console.admin.role == Role::Editor {
        return Ok(see_other(&console.url("/clients")));
    }
    let administration = &console.app.administration;
    let query = ListQuery { search: None, after: None, limit: COUNTED };
    let clients =
        administration.list_clients(&query).await.map_err(|error| console.refuse(error))?;
    let apis = administration.list_apis().await.map_err(|error| console.refuse(error))?;
    let provider = &console.app.provider;
    let steps = vec![
        SetupStep {
            words: "Configure Sign in with Apple",
            hint: "The section [apple] of the configuration; russet check tells what is missing.",
            url: None,
            done: provider.connectors().iter().any(|connector| connector.id().as_str() == "apple"),
        },
        SetupStep {
            words: "Register a client",
            hint: "The app that people sign in to.",
            url: Some(console.url("/clients")),
            done: !clients.items.is_empty(),
        },
        SetupStep {
            words: "Register an API",
            hint: "The service that accepts its access tokens.",
            url: Some(console.url("/apis")),
            done: !apis.is_empty(),
        },
    ];
    let more = if clients.next.is_some() { "+" } else { "" };
    Ok(console.page(&OverviewPage {
        shell: console.shell(),
        issuer: provider.issuer().to_owned(),
        discovery: console.discovery(),
        clients: format!("{}{more}", clients.items.len()),
        apis: apis.len().to_string(),
        steps,
    }))
}
